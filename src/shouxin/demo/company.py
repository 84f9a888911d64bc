"""An invented company's two years of trade, the same every time for the same day: plain values, no database.

Nobody in it exists: names are put together from word lists, codes are computed with valid check digits.
Each customer has a habit of paying; everything else (what is open, overdue, unapplied) follows from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from shouxin.rules.days import add_months
from shouxin.rules.ids import uscc_for
from shouxin.rules.money import round_half_up

CUSTOMERS, MONTHS, SEED = 300, 24, 20260101

PLACES = (
    ("上海", "310115", "华东"), ("苏州", "320505", "华东"), ("杭州", "330106", "华东"), ("宁波", "330203", "华东"),
    ("无锡", "320206", "华东"), ("广州", "440106", "华南"), ("深圳", "440305", "华南"), ("佛山", "440604", "华南"),
    ("东莞", "441900", "华南"), ("厦门", "350206", "华南"), ("武汉", "420111", "华中"), ("长沙", "430104", "华中"),
    ("郑州", "410105", "华中"), ("合肥", "340104", "华中"), ("重庆", "500112", "华中"), ("成都", "510107", "华中"),
)  # fmt: skip
BRANDS = (
    "恒信", "瑞丰", "华诚", "鼎立", "嘉禾", "博远", "长风", "金桥", "新锐", "康达", "立泰", "汇通", "宏业", "天工",
    "正和", "永兴", "南洋", "启明", "卓越", "中亚", "联创", "百川", "海纳", "远景", "盛隆", "安泰", "同济", "东升",
)  # fmt: skip
TRADES = (
    ("机电设备", "C"), ("精密机械", "C"), ("电气", "C"), ("自动化科技", "C"), ("五金制品", "C"), ("包装材料", "C"),
    ("贸易", "F"), ("物资", "F"), ("供应链管理", "F"), ("建筑工程", "E"), ("安装工程", "E"), ("物流", "G"),
    ("信息技术", "I"), ("环保科技", "N"), ("能源", "D"), ("食品", "C"), ("纺织", "C"), ("医疗器械", "C"),
)  # fmt: skip
FORMS = ("有限公司", "有限公司", "有限公司", "有限责任公司", "股份有限公司", "（集团）有限公司")
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华"
BANKS = ("中国工商银行", "中国农业银行", "中国银行", "中国建设银行", "交通银行", "招商银行", "浦发银行")
BODY = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class Habit:
    """How a customer pays: share of customers, days after the due date (from, to), chance that it stops paying."""

    name: str
    share: int
    late: tuple[int, int]
    grade: str
    stops_days_ago: tuple[int, int] | None = None


HABITS = (
    Habit("prompt", 46, (-12, 0), "A"),
    Habit("steady", 28, (-5, 4), "B"),
    Habit("slow", 15, (2, 24), "B"),
    Habit("late", 7, (15, 55), "C"),
    Habit("failing", 4, (5, 40), "C", (45, 170)),
)
TERMS = {"A": 60, "B": 30, "C": 15, "D": 0}
LIMITS = {"A": Decimal(3), "B": Decimal(2), "C": Decimal("1.2")}
"""How many months of business a customer of the grade was trusted with at the start."""
SOLE_TRADERS = (50, 147, 244)
"""So some customers, by number, are natural persons: a program's grade of them waits for a person."""
OUTGROWN, OUTGROWN_SHARE = 6, Decimal("0.4")
"""One in so many of the best payers has grown out of its line: it is only this share of the others'."""


@dataclass(frozen=True)
class DemoInvoice:
    """An invoice with its instalments (due day, amount) and the day it was paid, None while it is open."""

    number: str
    dated_on: date
    instalments: tuple[tuple[date, Decimal], ...]
    amount: Decimal
    paid_on: date | None
    contested: Decimal = Decimal(0)


@dataclass
class DemoCustomer:
    """One customer of the demo company with all of its papers."""

    code: str
    fields: dict[str, object]
    place: str
    region: str
    salesperson: int
    habit: Habit
    monthly: Decimal
    facts: dict[str, object] = field(default_factory=dict)
    invoices: list[DemoInvoice] = field(default_factory=list)
    credit_notes: list[DemoInvoice] = field(default_factory=list)
    unapplied: Decimal = Decimal(0)
    group_head: str = ""
    limit: Decimal = Decimal(0)

    @property
    def term_days(self) -> int:
        """Days from invoice to due date, by the grade the customer was given at the start."""
        return TERMS[self.habit.grade]


def make(today: date, customers: int = CUSTOMERS) -> list[DemoCustomer]:
    """The customers with their papers up to `today`; the same for the same day."""
    chance = Random(SEED)
    made = [_customer(number, chance, today) for number in range(1, customers + 1)]
    for customer in made:
        _trade(customer, Random(f"{SEED}-{customer.code}"), today)
    _form_groups(made)
    for number in SOLE_TRADERS:
        if number <= customers:
            _alone(made[number - 1])
    return made


def _alone(customer: DemoCustomer) -> None:
    """The customer is a natural person, trading under a name of its own."""
    person = customer.fields["legal_representative"]
    customer.fields |= {"name": f"{person}（个体工商户）", "short_name": person, "natural_person": True}


def _customer(number: int, chance: Random, today: date) -> DemoCustomer:
    place, division, region = chance.choice(PLACES)
    trade, industry = chance.choice(TRADES)
    cycle, index = divmod(number, len(BRANDS))
    brand = BRANDS[index] + (BRANDS[cycle][0] if cycle else "")
    name = f"{place}{brand}{trade}{chance.choice(FORMS)}"
    habit = chance.choices(HABITS, [each.share for each in HABITS])[0]
    size = Decimal(chance.choice((1, 1, 2, 2, 3, 5, 8, 13)))
    capital = Decimal(chance.choice((100, 200, 500, 1000, 2000, 5000))) * 10000
    fields: dict[str, object] = {
        "name": name,
        "short_name": f"{place}{brand}",
        "uscc": uscc_for("9", "1", division, "MA" + "".join(chance.choices(BODY, k=6))),
        "legal_representative": _person(chance),
        "registered_capital": capital,
        "paid_in_capital": capital * chance.choice((2, 5, 10)) / 10,
        "founded_on": today - timedelta(days=chance.randint(500, 9000)),
        "address": f"{place}市{chance.choice('东西南北')}环路{chance.randint(1, 999)}号",
        "region": region,
        "telephone": f"13{chance.randint(0, 9)}{chance.randint(10**7, 10**8 - 1)}",
        "email": f"finance{number:03d}@customer.example",
        "contact": _person(chance),
        "bank": f"{chance.choice(BANKS)}{place}分行",
        "bank_account": "".join(str(chance.randint(0, 9)) for _ in range(19)),
        "industry": industry,
        "credit_standard": "按期付款，无重大诉讼" if habit.grade == "A" else "提供年度财务报表，逾期不超过30天",
        "customer_since": add_months(today, -chance.randint(MONTHS + 1, 90)),
    }
    return DemoCustomer(
        f"C{number:04d}", fields, place, region, chance.randint(0, 1), habit, size * 15000, _facts(habit, chance, today)
    )


def _person(chance: Random) -> str:
    return chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2))))


def _facts(habit: Habit, chance: Random, today: date) -> dict[str, object]:
    """What the dossier knows: the worse the habit, the thinner and the darker."""
    weak = habit.name in ("late", "failing")
    if chance.random() < (0.5 if weak else 0.15):
        return {"lawsuits": chance.randint(1, 5) if weak else 0}
    return {
        "debt_to_assets": Decimal(chance.randint(55, 85) if weak else chance.randint(22, 62)) / 100,
        "current_ratio": Decimal(chance.randint(80, 130) if weak else chance.randint(120, 260)) / 100,
        "net_margin": Decimal(chance.randint(-4, 4) if weak else chance.randint(3, 16)) / 100,
        "operating_cash_flow_positive": not weak or chance.random() < 0.4,
        "lawsuits": chance.randint(0, 4) if weak else int(chance.random() < 0.1),
        "tax_grade": chance.choice("BCM") if weak else chance.choice("AAB"),
        "bank_reference": chance.choice(("fair", "poor")) if weak else chance.choice(("good", "good", "fair")),
        "net_worth": Decimal(chance.randint(200, 900) if weak else chance.randint(800, 6000)) * 10000,
    }


def _trade(customer: DemoCustomer, chance: Random, today: date) -> None:
    """Two years of invoices, each paid by the customer's habit; a customer that fails stops paying one day."""
    habit, stopped = customer.habit, None
    if habit.stops_days_ago:
        stopped = today - timedelta(days=chance.randint(*habit.stops_days_ago))
    for number, dated_on in enumerate(_invoice_days(chance, today), 1):
        if stopped and dated_on > stopped + timedelta(days=30):
            break
        customer.invoices.append(_invoice(customer, number, dated_on, chance, stopped, today))
    _odds_and_ends(customer, chance, today)
    need = customer.monthly * LIMITS[habit.grade]
    if habit.grade == "A" and int(customer.code[1:]) % OUTGROWN == 0:
        need *= OUTGROWN_SHARE
    customer.limit = (need / 10000).to_integral_value() * 10000 or Decimal(10000)


def _invoice_days(chance: Random, today: date) -> Iterator[date]:
    first = add_months(today.replace(day=1), -MONTHS)
    for month in range(MONTHS + 1):
        begin = add_months(first, month)
        for offset in sorted(chance.sample(range(28), chance.choice((1, 1, 2, 2, 3)))):
            if (day := begin + timedelta(days=offset)) < today:
                yield day


def _invoice(
    customer: DemoCustomer, number: int, dated_on: date, chance: Random, stopped: date | None, today: date
) -> DemoInvoice:
    season = Decimal(110 if dated_on.month in (3, 6, 9, 12) else 95) / 100
    amount = round_half_up(
        customer.monthly / 2 * season * Decimal(chance.randint(60, 150)) / 100 + chance.randint(0, 99) / Decimal(100)
    )
    due = dated_on + timedelta(days=customer.term_days)
    paid = due + timedelta(days=chance.randint(*customer.habit.late))
    paid = max(paid, dated_on + timedelta(days=3))
    open_still = paid >= today or (stopped is not None and paid > stopped)
    contested = amount / 2 if open_still and due < today and chance.random() < 0.08 else Decimal(0)
    return DemoInvoice(
        f"FP{dated_on:%y%m}-{customer.code[1:]}-{number:02d}",
        dated_on,
        _instalments(due, amount, chance),
        amount,
        None if open_still else paid,
        round_half_up(contested),
    )


def _instalments(due: date, amount: Decimal, chance: Random) -> tuple[tuple[date, Decimal], ...]:
    """One in twenty-five is paid in three parts."""
    if chance.random() > 0.04:
        return ((due, amount),)
    part = round_half_up(amount / 3)
    return ((due, part), (add_months(due, 1), part), (add_months(due, 2), amount - 2 * part))


def _odds_and_ends(customer: DemoCustomer, chance: Random, today: date) -> None:
    """A credit note here, unapplied money there, as in every real ledger."""
    if customer.invoices and chance.random() < 0.08:
        last = customer.invoices[-1]
        amount = -round_half_up(last.amount / 10)
        day = min(today - timedelta(days=1), last.dated_on + timedelta(days=5))
        customer.credit_notes.append(DemoInvoice(f"{last.number}-R", day, ((day, amount),), amount, None))
    if customer.habit.name in ("prompt", "steady") and chance.random() < 0.05:
        customer.unapplied = round_half_up(customer.monthly * Decimal(chance.randint(5, 30)) / 100)


def _form_groups(customers: list[DemoCustomer]) -> None:
    """Up to eight groups of three: the first of each is the head and holds the pool."""
    for start in range(20, len(customers) - 2, 12)[:8]:
        head, *members = customers[start : start + 3]
        for member in members:
            member.group_head = head.code
