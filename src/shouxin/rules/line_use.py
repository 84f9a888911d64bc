"""How a line was used over a year: the most, the mean, and the days on which more was owed than was allowed (B2.4).

What counts on a day is what stood at its close. Amounts are in the line's currency.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .days import later
from .money import round_half_up

ZERO = Decimal("0.00")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Granted:
    """A limit from a day on, until the next one begins; `bound` None: nothing was decided, or there is no bound."""

    since: date
    bound: Decimal | None


@dataclass(frozen=True)
class Extra:
    """A temporary limit on top, for the days from `since` to `until` (None: without end)."""

    since: date
    until: date | None
    amount: Decimal


@dataclass(frozen=True)
class LineUse:
    """The use of a line over some days. `days_over`: so many days it was exceeded; `peak_on`: the first day of most."""

    peak: Decimal = ZERO
    peak_on: date | None = None
    mean: Decimal = ZERO
    days_over: int = 0


def line_use(
    first: date,
    last: date,
    owed: Mapping[date, Decimal],
    counted: Mapping[date, Decimal],
    granted: Iterable[Granted],
    extras: Iterable[Extra] = (),
) -> LineUse:
    """The use between two days, both included.

    `owed` and `counted` are changes by day, from the beginning on: of the debt by the days of its documents, and of
    what the journal counted against the line. The greater one holds on each day: a ledger taken over from elsewhere
    has no journal of its past, and an order not yet billed is no debt.
    """
    limits, above = sorted(granted, key=lambda each: each.since), list(extras)
    debts, counts = _running(owed), _running(counted)
    begins = _changes(first, last, [*owed, *counted], limits, above)
    peak, peak_on, weighed, over = ZERO, None, ZERO, 0
    for begin, end in zip(begins, [*begins[1:], last + ONE_DAY], strict=True):
        used, days = max(_at(debts, begin), _at(counts, begin), ZERO), (end - begin).days
        weighed += used * days
        if used > peak:
            peak, peak_on = used, begin
        bound = _bound(limits, above, begin)
        if bound is not None and used > bound:
            over += days
    return LineUse(peak, peak_on, round_half_up(weighed / ((last - first).days + 1)), over)


def _changes(
    first: date, last: date, moved: Iterable[date], limits: Iterable[Granted], extras: Iterable[Extra]
) -> list[date]:
    """The days within the year on which anything may be otherwise than the day before; the first is one of them."""
    days = {first, *moved, *(each.since for each in limits)}
    for each in extras:
        days |= {each.since, *([later(each.until, 1)] if each.until else [])}
    return sorted(day for day in days if first <= day <= last)


def _running(changes: Mapping[date, Decimal]) -> tuple[Sequence[date], Sequence[Decimal]]:
    days, sums, total = sorted(changes), [], ZERO
    for day in days:
        total += changes[day]
        sums.append(total)
    return days, sums


def _at(series: tuple[Sequence[date], Sequence[Decimal]], day: date) -> Decimal:
    days, sums = series
    place = bisect_right(days, day)
    return sums[place - 1] if place else ZERO


def _bound(limits: Sequence[Granted], extras: Iterable[Extra], day: date) -> Decimal | None:
    """What was allowed on a day; None where that is no number. Temporary limits stand on top of a line alone."""
    place = bisect_right(limits, day, key=lambda each: each.since)
    bound = limits[place - 1].bound if place else None
    if bound is None:
        return None
    return bound + sum((each.amount for each in extras if each.since <= day <= (each.until or day)), ZERO)
