"""The rest days of a country as the rules want them: from the notices the `holidays` package knows, and the policy."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays as notices

from shouxin.rules.days import Calendar

FIRST_YEAR, LAST_YEAR = 2000, 2040


@lru_cache(maxsize=8)
def calendar(country: str, off: tuple[date, ...] = (), worked: tuple[date, ...] = ()) -> Calendar:
    """The country's calendar with the policy's own days over it: `off` are rest days, `worked` make-up days.

    In China every year has its own notice: a year is known once the package has it, or once the policy names a day
    of it. Elsewhere the rest days follow from the law and every year is known.
    """
    law = notices.country_holidays(country, years=range(FIRST_YEAR, LAST_YEAR + 1))
    made_up = frozenset(getattr(law, "weekend_workdays", ()))
    return Calendar(
        holidays=(frozenset(law) | frozenset(off)) - frozenset(worked),
        workdays=(made_up | frozenset(worked)) - frozenset(off),
        years=_noticed(country, law) | _years(off) | _years(worked),
    )


def _noticed(country: str, law: notices.HolidayBase) -> frozenset[int]:
    if country != "CN":
        return frozenset(range(FIRST_YEAR, LAST_YEAR + 1))
    return frozenset(getattr(law, "special_public_holidays", ()))


def _years(days: Iterable[date]) -> frozenset[int]:
    return frozenset(day.year for day in days)
