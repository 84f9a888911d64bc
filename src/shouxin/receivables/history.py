"""The company's own history as observations: what was known of a customer on a day, and whether it went bad after.

A customer is observed on each of the days on which it had bought before, and which a whole year has followed. It went
bad when something that fell due in that year was paid, or at its end still stood open, later than so many days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shouxin.rules import rating
from shouxin.rules.days import add_months
from shouxin.rules.payment_record import PaymentRecord
from shouxin.rules.policy import Grade, Policy
from shouxin.rules.scorecard import Value

from . import owed
from .ratings import in_chunks, known_rates, rate_known, read

OUTCOME_MONTHS = 12
UNFED = frozenset({"expected_monthly_sales", "late_payments", "paid_invoices"})


@dataclass(frozen=True)
class Observation:
    """One customer on one day: what counted then, points and grade by the card alone (no caps), and what happened."""

    customer: int
    day: date
    facts: dict[str, Value]
    points: Decimal
    grade: Grade
    bad: bool


def days_seen(until: date, *, every_months: int, first: date) -> list[date]:
    """The days observed, newest first: a year before `until`, then back in steps, not before the first day."""
    days, day = [], add_months(until, -OUTCOME_MONTHS)
    while day > first:
        days.append(day)
        day = add_months(until, -OUTCOME_MONTHS - every_months * len(days))
    return days


def observations(
    customers: Iterable[int], *, days: Iterable[date], policy: Policy, late_days: int
) -> Iterator[Observation]:
    """What was known and what happened, customer by customer; those without an outcome are left out."""
    ids = sorted(set(customers))
    for day in days:
        for chunk in in_chunks(ids):
            yield from _observed(chunk, day, policy, late_days)


def _observed(chunk: list[int], day: date, policy: Policy, late_days: int) -> Iterator[Observation]:
    end = add_months(day, OUTCOME_MONTHS)
    known, _unmeasured = read(chunk, as_of=day, known_rate=known_rates(policy, day))
    after = owed.settled_history(chunk, as_of=end, rates=known_rates(policy, end))
    for each in known:
        worst = _worst_late(after[each.customer.pk], day, end, late_days)
        if worst is None:
            continue
        rated = rate_known(each, policy=policy, as_of=day)
        if not _had_bought(rated.record):
            continue
        facts = rating.facts_known(policy, each.facts, rated.record, day)
        told = {key: fact.value for key, fact in facts.items() if key not in UNFED}
        points = rated.rated.sheet.points
        yield Observation(each.customer.pk, day, told, points, policy.grade_for(points), worst > late_days)


def _had_bought(record: PaymentRecord) -> bool:
    return bool(record.trade.months_as_customer is not None)


def _worst_late(history: owed.History, day: date, end: date, late_days: int) -> int | None:
    """The longest delay of what fell due after the day and early enough to be so late by the end; None: nothing did."""
    delays = [
        (paid.paid_on - paid.due_on).days
        for paid in history.settled
        if day < paid.due_on and (end - paid.due_on).days > late_days and not paid.contested
    ]
    delays += [
        (end - item.falls_due_on).days
        for item in history.open_items
        if day < item.falls_due_on and (end - item.falls_due_on).days > late_days and item.uncontested > 0
    ]
    return max(delays, default=None)
