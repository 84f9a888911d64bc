"""Applications of the demo company in every state, with investigations, opinions, references and letters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shouxin.credit import applications, decisions, opinions, references
from shouxin.credit.applications import Wanted
from shouxin.credit.decisions import Grant
from shouxin.credit.models import Application
from shouxin.customers.models import Customer
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.records import assessing

from .company import DemoCustomer

DETAILS: Mapping[str, Any] = {
    "main_products": "机电配件、泵阀、管件",
    "expected_purchases": "2400000.00",
    "settlement": "银行转账，月结",
    "term_basis": "发票日",
    "trade_references": "无锡恒力轴承有限公司 20万 30天\n宁波甬江电机有限公司 15万 45天\n常州中泰五金有限公司 8万 30天",
    "statements": "近三年资产负债表、利润表",
    "sme_declaration": True,
    "consent": True,
    "sales_opinion": "合作稳定，按期付款，建议支持。",
}
FINDINGS: Mapping[str, Any] = {
    "conclusion": "生产经营正常，订单饱满，具备偿付能力。",
    "risks": "前两大客户占收入四成，须关注集中度。",
    "premises": "自有厂房 6000 平方米",
    "employees": "86",
    "annual_sales": "32000000.00",
    "observed": "产线两班运行，库存周转正常，现场整洁。",
    "met": "财务经理",
    "sources": "现场走访、企业信用信息公示系统、往来账",
}
PATH = ("submit", "accept", "investigate", "assess")


class Applying:
    """Takes applications along their way, in the names of the demo's people."""

    def __init__(
        self, customers: Sequence[DemoCustomer], ids: Mapping[str, int], person: Callable[[str], Person],
        seller: Callable[[DemoCustomer], Person], *, today: date, at: datetime,
    ) -> None:  # fmt: skip
        self.good = [each for each in customers if each.habit.name == "prompt" and each.limit >= 50000]
        self.ids, self.person, self.seller = ids, person, seller
        self.today, self.at = today, at
        self.edition = policies.in_force(today)

    def act(self, by: Person) -> dict[str, Any]:
        """by, today, at of a verb."""
        return {"by": by, "today": self.today, "at": self.at}

    def load(self) -> None:
        """One application in each state; where the demo has few customers, fewer."""
        states = ("draft", "submit", "accept", "investigate", "assess", "spoken", "approve", "decline", "return")
        for place, (each, state) in enumerate(zip(self.good[-len(states) :], states, strict=False)):
            self._taken(each, state, kind="raise" if place % 2 else "renewal")

    def _taken(self, each: DemoCustomer, state: str, *, kind: Any) -> None:
        found = self._applied(each, kind)
        reached = PATH.index(state) + 1 if state in PATH else 0 if state == "draft" else len(PATH)
        for verb in PATH[: 2 if state == "return" else reached]:
            self._step(found, verb, self.seller(each))
            found.refresh_from_db()
        if state in ("spoken", "approve"):
            self._speak(found)
        if state == "approve":
            self._approve(found)
        elif state == "decline":
            decisions.decline(found, category="capacity", reason="财务杠杆偏高，担保不足", edition=self.edition,
                              **self.act(self.person("cy")))  # fmt: skip
        elif state == "return":
            decisions.send_back(found, reason="请补充最近一期审计报告", tell_customer=True, edition=self.edition,
                                **self.act(self.person("bo")))  # fmt: skip

    def _applied(self, each: DemoCustomer, kind: Any) -> Application:
        factor = Decimal("1.2") if kind == "raise" else Decimal(1)
        limit = (each.limit * factor / 1000).to_integral_value() * 1000
        wanted = Wanted(kind, limit, each.term_days, "CNY", reason="订单增长，申请支持", details=DETAILS)
        customer = Customer.objects.get(pk=self.ids[each.code])
        return applications.create(customer, wanted, edition=self.edition, **self.act(self.seller(each)))

    def _step(self, found: Application, verb: str, seller: Person) -> None:
        officer = self.act(self.person("bo"))
        if verb == "submit":
            applications.submit(found, edition=self.edition, **self.act(seller))
        elif verb == "accept":
            applications.accept(found, edition=self.edition, **officer)
            references.ask(found, kind="bank", name="工商银行浦东支行", email="credit@bank.example",
                           address=lambda token: "https://demo.example/", edition=self.edition, **officer)  # fmt: skip
        elif verb == "investigate":
            seen = {"visited_on": (self.today - timedelta(days=1)).isoformat()}
            applications.investigate(found, {**FINDINGS, **seen}, **officer)
        else:
            assessing.assess(found, edition=self.edition, **officer)

    def _speak(self, found: Application) -> None:
        """Everybody up to who signs."""
        for name in ("bo", "fi", "cy", "vi"):
            state = opinions.round_of(found, edition=self.edition, today=self.today)
            by = self.person(name)
            if opinions.turn_of(found, state, by, self.today):
                opinions.opine(found, text="同意", edition=self.edition, **self.act(by))

    def _approve(self, found: Application) -> None:
        """Signed by the first who may, for what was asked or what the grade allows."""
        state = opinions.round_of(found, edition=self.edition, today=self.today)
        term = self.edition.policy.grades[found.grade].term_days_max  # type: ignore[index]
        grant = Grant(term_days=min(found.requested_term_days, term))
        for name in ("cy", "vi", "le"):
            by = self.person(name)
            if not opinions.why_not_sign(found, state, by=by, today=self.today):
                decisions.approve(found, grant, reason="同意按申请核定", edition=self.edition, **self.act(by))
                return
