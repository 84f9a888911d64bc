"""The demo's dossiers: three years of statements, public lists, papers verified and not, notes from the road."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from shouxin.customers import dossier, evidence, facts, statements
from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.office.models import Person
from shouxin.rules.days import add_months

from .company import DemoCustomer

STATEMENTS, EVERY = 40, 5
"""So many customers brought statements, every fifth of the list."""
NOTES = (
    ("prompt", "operations", "老厂区旁新上一条数控线，月底投产，采购量预计增加三成。"),
    ("steady", "finance", "财务说下月起付款改为银行承兑，六个月期，请信用部提前评估。"),
    ("late", "operations", "仓库堆满成品，门卫说近两周只上半天班，老板不在厂里。"),
    ("failing", "litigation", "门口贴有法院执行公告，已拍照，案号看不清，请查执行信息网。"),
    ("late", "registration", "前台说法定代表人月初换了人，未见新营业执照。"),
)  # fmt: skip


class Dossiers:
    """One loading of what is known about customers and the papers it stands on."""

    def __init__(self, customers: Sequence[DemoCustomer], ids: Mapping[str, int], *, today: date, at: datetime) -> None:
        self.customers, self.ids, self.today, self.at = customers, ids, today, at
        self.chance = Random(27)

    def load(self) -> None:
        """Everything in order; the weaker the customer, the more public lists know of it."""
        for each in [one for one in self.customers if len(one.facts) > 1][: STATEMENTS * EVERY : EVERY]:
            self._statements(each)
        self._public_lists()
        self._papers()
        self._notes()

    def _by(self, name: str) -> dict[str, Any]:
        return {"by": Person.objects.get(username=name), "on": self.today, "at": self.at}

    def _customer(self, each: DemoCustomer) -> Customer:
        return Customer.objects.get(pk=self.ids[each.code])

    def _of(self, habit: str) -> list[DemoCustomer]:
        return [each for each in self.customers if each.habit.name == habit]

    # --- statements ------------------------------------------------------------------------------

    def _statements(self, each: DemoCustomer) -> None:
        """The last three year-ends: what the dossier says of the last one, and a way to get there."""
        customer, sound = self._customer(each), each.habit.name in ("prompt", "steady")
        worth, last = Decimal(str(each.facts["net_worth"])), self.today.year - 1
        for back in (2, 1, 0):
            scale = Decimal(100 - back * (9 if sound else -7)) / 100
            figures = self._figures(worth * scale, each, back)
            statements.enter(customer, figures, as_of=date(last - back, 12, 31), audited=sound, **self._by("bo"))

    def _figures(self, worth: Decimal, each: DemoCustomer, back: int) -> dict[str, Decimal | None]:
        known = {key: Decimal(str(each.facts[key])) for key in ("debt_to_assets", "current_ratio", "net_margin")}
        drift = Decimal(self.chance.randint(-3, 3)) / 100 if back else 0
        assets = _thousands(worth / (1 - known["debt_to_assets"] - drift))
        worth, owed = _thousands(worth), assets - _thousands(worth)
        short = _thousands(owed * Decimal("0.82"))
        current = min(_thousands(short * known["current_ratio"]), _thousands(assets * Decimal("0.9")))
        revenue = _thousands(assets * Decimal(self.chance.randint(90, 160)) / 100)
        profit = _thousands(revenue * known["net_margin"])
        return {
            "total_assets": assets, "current_assets": current, "inventory": _thousands(current * Decimal("0.35")),
            "intangible_assets": _thousands(assets * Decimal("0.03")), "total_liabilities": owed,
            "current_liabilities": short, "net_worth": worth, "retained_earnings": _thousands(worth * Decimal("0.4")),
            "revenue": revenue, "profit_before_tax": _thousands(profit / Decimal("0.75")), "net_profit": profit,
            "interest_expense": _thousands(owed * Decimal("0.02")),
            "depreciation": _thousands(assets * Decimal("0.04")),
            "operating_cash_flow": _thousands(profit * (1 if each.facts["operating_cash_flow_positive"] else -1)),
        }  # fmt: skip

    # --- public lists ----------------------------------------------------------------------------

    def _public_lists(self) -> None:
        """A dishonest debtor, a penalty, an abnormal operation listed and removed, tax grades by year."""
        failing, late, prompt = self._of("failing"), self._of("late"), self._of("prompt")
        day, year = self.today, self.today.year
        listed = {
            "case_no": f"（{year}）沪0115执{4821}号", "court": "上海市浦东新区人民法院", "province": "上海",
            "filed_on": str(day - timedelta(days=120)), "published_on": str(day - timedelta(days=60)),
            "obligation": "支付货款 386,000 元及利息", "performance": "全部未履行", "circumstances": "违反财产报告制度",
        }  # fmt: skip
        penalty = {
            "decision_no": f"沪市监浦处〔{year - 1}〕0317号", "authority": "上海市浦东新区市场监督管理局",
            "reason": "未按期公示年度报告", "category": "罚款", "result": "罚款 8,000 元",
            "decided_on": str(add_months(day, -10)), "publish_end": str(add_months(day, 2)),
        }  # fmt: skip
        abnormal = {
            "listed_reason": "通过登记的住所无法联系", "listed_on": str(add_months(day, -14)),
            "listed_by": "江苏省市场监督管理局", "removed_reason": "已变更登记住所", "removed_by": "同上",
            "removed_on": str(add_months(day, -8)),
        }  # fmt: skip
        for each, key, value, said, source in (
            (failing[-1:], "dishonest_debtor", True, listed, "registry"),
            (late[:1], "penalties", 1, penalty, "penalty"),
            (late[1:2], "abnormal_operation", True, abnormal, "registry"),
            (prompt[:2], "tax_grade", "A", {"year": str(year - 1), "province": "上海", "authority": "上海市税务局"},
             "award"),
        ):  # fmt: skip
            for one in each:
                facts.add(self._customer(one), key, value, source=source, as_of=add_months(day, -15)
                          if key == "abnormal_operation" else add_months(day, -1), particulars=said,
                          queried_on=day - timedelta(days=9), **self._by("ann"))  # fmt: skip

    # --- papers ----------------------------------------------------------------------------------

    def _papers(self) -> None:
        """Licences on file, one and the same under two names; references verified, waiting, and found wanting."""
        good, twin, third = (self._customer(each) for each in self._of("prompt")[3:6])
        for customer in (good, third):
            evidence.keep(customer, _licence(customer, customer), note="营业执照副本", **self._by("bo"))
        evidence.keep(twin, _licence(good, twin), note="业务员转来的执照扫描件", **self._by("ann"))
        verified, *_waiting = (
            facts.add(customer, "bank_reference", "good", source="bureau", as_of=add_months(self.today, -1),
                      evidence=_reference(customer), **self._by("ann"))
            for customer in (good, twin, third)
        )  # fmt: skip
        dossier.verify(verified, "issuer", "genuine", checked_on=self.today - timedelta(days=3),
                       note="致电开户行客户经理核对", **self._by("bo"))  # fmt: skip
        lawsuit = facts.add(third, "lawsuits", 1, source="media", as_of=add_months(self.today, -3), **self._by("ann"))
        dossier.mark(lawsuit, "repaired", "案件已和解并撤诉，附裁定书编号", **self._by("bo"))

    def _notes(self) -> None:
        """What sales wrote down on the road; the last one has been dealt with."""
        taken: dict[str, int] = {}
        for habit, subject, words in NOTES:
            found, place = self._of(habit), taken.setdefault(habit, 0)
            taken[habit] += 1
            customer = self._customer(found[place % len(found)])
            name = "ann" if subject != "finance" else "di"
            note = facts.add(customer, facts.NOTE, words, source="visit", as_of=self.today - timedelta(days=place),
                             subject=subject, **self._by(name))  # fmt: skip
        dossier.mark(note, "dismissed", "已查登记信息：法定代表人未变更", **self._by("bo"))


def _thousands(amount: Decimal) -> Decimal:
    return (amount / 1000).to_integral_value() * 1000


def _licence(of: Customer, under: Customer) -> SimpleUploadedFile:
    """A licence as a scan: the same bytes for the same company, under whichever customer it is handed in."""
    rows = [
        ("名称", of.name),
        ("统一社会信用代码", of.uscc),
        ("法定代表人", of.legal_representative),
        ("住所", of.address),
    ]
    return _scan("营业执照（副本）", rows, f"{under.code}-营业执照.pdf")


def _reference(of: Customer) -> SimpleUploadedFile:
    rows = [("客户", of.name), ("开户行", of.bank), ("结算情况", "正常"), ("贷款情况", "无逾期")]
    return _scan("银行资信证明", rows, f"{of.code}-资信证明.pdf")


def _scan(title: str, rows: list[tuple[str, str]], name: str) -> SimpleUploadedFile:
    paper = documents.paper(title, [documents.facts(rows)], house="示例", language="zh-hans", head=[])
    return SimpleUploadedFile(name, documents.pdf(paper), content_type="application/pdf")
