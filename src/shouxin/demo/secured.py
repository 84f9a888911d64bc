"""The demo's securities: a guarantee, a mortgage, an insurance near its end, a deposit, a pledge still to approve."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from shouxin.credit import securities
from shouxin.credit.securities import SecurityTerms
from shouxin.customers.models import Customer
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.rules.days import add_months
from shouxin.rules.policy import SecurityKind

from .company import DemoCustomer

HELD: tuple[tuple[SecurityKind, str, str, str, str, str], ...] = (
    ("joint_guarantee", "0.8", "王建国", "连带责任保证，覆盖全部货款", "BZ-2026-017", ""),
    (
        "mortgage",
        "1.5",
        "苏州恒信置业有限公司",
        "工业厂房一处，2,300 平方米",
        "DY-2026-004",
        "苏2026不动产证明第0041号",
    ),
    ("insurance", "0.9", "中国出口信用保险公司", "国内贸易短期信用险", "XB-2026-311", ""),
    ("deposit", "0.2", "", "履约保证金，已入账", "BZJ-2026-022", ""),
    ("general_guarantee", "1.0", "上海鼎立控股有限公司", "一般保证，最高额", "BZ-2026-020", ""),
    ("pledge", "0.6", "宁波嘉禾仓储有限公司", "仓单质押，钢材 120 吨", "ZY-2026-009", "动产融资登记 1876 5523"),
)
"""Kind, share of the customer's limit, who gives it (empty: the customer), what, document, registration."""
DAYS_LEFT = (None, 400, 20, None, 55, 180)


def load(
    customers: Sequence[DemoCustomer],
    ids: Mapping[str, int],
    people: Mapping[str, Person],
    *,
    today: date,
    at: datetime,
) -> None:
    """Propose them all in the administrator's name; everything but the pledge is approved."""
    sound = [each for each in customers if each.habit.name in ("prompt", "steady") and each.limit > 50000]
    edition = policies.in_force(today)
    for number, (each, (kind, share, giver, what, document, entry)) in enumerate(zip(sound, HELD, strict=False)):
        days, customer = DAYS_LEFT[number], Customer.objects.get(pk=ids[each.code])
        due_on = add_months(today, -4) if kind.endswith("guarantee") else None
        terms = SecurityTerms(
            kind, (each.limit * Decimal(share)).quantize(Decimal(1000)), "CNY", giver or customer.name, what, document,
            add_months(today, -6), today + timedelta(days=days) if days else None, registration_no=entry,
            rank=1 if entry else None, debt_due_on=due_on,
        )  # fmt: skip
        row = securities.propose(customer, terms, reason="年度授信配套担保", by=people["bo"], today=today, at=at)
        if kind != "pledge":
            securities.approve(row, version=row.version, edition=edition, by=people["le"], today=today, at=at)
