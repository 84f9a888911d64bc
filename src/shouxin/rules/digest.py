"""When a department's digest is due, and what to do about a move of grade (B2.6)."""

from dataclasses import dataclass
from datetime import date, timedelta

from .days import month_end
from .policy import Grade, Policy


@dataclass(frozen=True, order=True)
class Period:
    """The days a digest tells of, both included: a week from Monday, or a calendar month."""

    first: date
    last: date


def period_of(policy: Policy, day: date) -> Period:
    """The period a day lies in."""
    if policy.digest.cadence == "monthly":
        return Period(day.replace(day=1), month_end(day))
    first = day - timedelta(days=day.weekday())
    return Period(first, first + timedelta(days=6))


def due(policy: Policy, today: date, told_until: date | None) -> tuple[Period, ...]:
    """The periods that are over and have not been told of, oldest first; at most the policy's number, the latest ones.

    `told_until` is the last day told of; None: nothing was, and the last period that is over alone is due.
    """
    periods: list[Period] = []
    day = period_of(policy, today).first - timedelta(days=1)
    while len(periods) < policy.digest.catch_up_max and (told_until is None or day > told_until):
        periods.insert(0, period_of(policy, day))
        day = periods[0].first - timedelta(days=1)
        if told_until is None:
            break
    return tuple(periods)


def advice(before: Grade, after: Grade) -> str:
    """What a department does about a move of grade, as a code: `offer`, `tighten`, `cash`."""
    if after is Grade.D:
        return "cash"
    return "tighten" if after.worse_than(before) else "offer"
