"""Whom to prefer and recommend, and where sales may find more business (clauses A8, C3.7). For internal use alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .line import Limit
from .policy import Grade, Policy

ZERO = Decimal("0.00")
UNSET = Limit.unset()


@dataclass(frozen=True)
class Record:
    """A customer's record on a day. Amounts in the currency of its line; `used` counts against `limit`.

    `clean_months`: whole months since it last paid late (or since its first invoice), None where it never bought.
    `rating` and `score` are those of the latest rating.
    """

    standing: str = "good"
    grade: Grade | None = None
    limit: Limit = UNSET
    used: Decimal = ZERO
    months: int = 0
    clean_months: int | None = None
    paid_invoices: int = 0
    overdue: bool = False
    contested: bool = False
    last_invoice_on: date | None = None
    quiet_months: int | None = None
    rating: Grade | None = None
    score: Decimal | None = None


@dataclass(frozen=True)
class Reason:
    """One condition of the list: what was found, what is wanted, whether it is met."""

    code: str
    found: Grade | int | bool | str | None
    wanted: Grade | int | bool | str
    met: bool


def reasons(policy: Policy, record: Record) -> tuple[Reason, ...]:
    """Every condition of the recommended list with what was found; the unit is recommended where all are met (A8)."""
    rule = policy.market
    grade_ok = record.grade is not None and not record.grade.worse_than(rule.grade_min)
    return (
        Reason("standing", record.standing, "good", record.standing == "good"),
        Reason("grade", record.grade, rule.grade_min, grade_ok),
        Reason("months", record.months, rule.months_min, record.months >= rule.months_min),
        Reason("clean_months", record.clean_months, rule.clean_months_min,
               (record.clean_months or 0) >= rule.clean_months_min),
        Reason("paid_invoices", record.paid_invoices, rule.paid_invoices_min,
               record.paid_invoices >= rule.paid_invoices_min),
        Reason("no_overdue", not record.overdue, True, not record.overdue),
        Reason("no_dispute", not record.contested, True, not record.contested),
    )  # fmt: skip


def recommended(policy: Policy, record: Record) -> bool:
    """Whether the unit stands on the recommended list (A8)."""
    return all(reason.met for reason in reasons(policy, record))


@dataclass(frozen=True)
class Opportunity:
    """A way to more business: `headroom` (unused line), `upgrade` (what is missing to the next grade).

    `amount` is the unused room; `to` the grade in reach, with the points and clean months that are missing.
    """

    kind: str
    amount: Decimal = ZERO
    to: Grade | None = None
    points: Decimal = ZERO
    months: int = 0


def opportunities(policy: Policy, record: Record) -> Iterator[Opportunity]:
    """What the unit's own record offers (C3.7); nothing where it is overdue or not in good standing."""
    if record.standing != "good" or record.overdue:
        return
    if room := headroom(policy, record):
        yield Opportunity("headroom", amount=room)
    if found := upgrade(policy, record):
        yield found


def headroom(policy: Policy, record: Record) -> Decimal:
    """The unused part of the line where it is at least the policy's share of it, else 0."""
    bound = record.limit.bound or ZERO
    room = bound - record.used
    return room if bound and room >= bound * policy.market.headroom_share_min else ZERO


def upgrade(policy: Policy, record: Record) -> Opportunity | None:
    """The next grade, where the latest score is near enough to it; what is missing is said."""
    current = record.grade
    if current in (None, Grade.A) or record.score is None:
        return None
    grades = list(Grade)
    to = grades[grades.index(current) - 1]
    points = max(ZERO, policy.grades[to].score_min - record.score)
    if points > policy.market.upgrade_points_max:
        return None
    months = max(0, policy.downgrade.upgrade_clean_months - (record.clean_months or 0))
    return Opportunity("upgrade", to=to, points=points, months=months)


def quiet(policy: Policy, record: Record) -> bool:
    """Whether it is a prospect, or a customer that has not bought for the policy's months, and may be approached."""
    never = record.quiet_months is None
    silent = never or (record.quiet_months or 0) >= policy.market.quiet_months
    return record.standing == "good" and not record.overdue and silent
