"""How a line was used over a year (B2.4)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.line_use import Extra, Granted, LineUse, line_use

D = Decimal
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 10)
LINE = [Granted(date(2025, 1, 1), D(100))]


@pytest.mark.clause("B2.4")
def test_a_year_by_hand() -> None:
    """Ten days: 40 owed from before, 120 from the 4th, 90 from the 7th; 30 on top from the 5th to the 6th."""
    owed = {date(2025, 12, 1): D(40), date(2026, 1, 4): D(80), date(2026, 1, 7): D(-30)}
    found = line_use(FIRST, LAST, owed, {}, LINE, [Extra(date(2026, 1, 5), date(2026, 1, 6), D(30))])
    assert found == LineUse(D(120), date(2026, 1, 4), D("84.00"), 1)
    assert line_use(FIRST, LAST, owed, {}, LINE).days_over == 3


def test_the_greater_of_debt_and_journal_holds_each_day() -> None:
    owed = {date(2026, 1, 1): D(50), date(2026, 1, 6): D(-50)}
    found = line_use(FIRST, LAST, owed, {date(2026, 1, 3): D(70)}, LINE)
    assert (found.peak, found.peak_on, found.mean) == (D(70), date(2026, 1, 3), D("66.00"))


def test_credits_count_as_nothing_and_a_line_without_a_bound_is_never_exceeded() -> None:
    assert line_use(FIRST, LAST, {FIRST: D(-9)}, {}, LINE) == LineUse(D("0.00"), None, D("0.00"), 0)
    assert line_use(FIRST, LAST, {FIRST: D(900)}, {}, [Granted(FIRST, None)]).days_over == 0
    assert line_use(FIRST, LAST, {FIRST: D(1)}, {}, []).days_over == 0
    assert line_use(FIRST, LAST, {FIRST: D(1)}, {}, [Granted(FIRST, D(0))]).days_over == 10


def test_a_temporary_limit_until_further_notice_counts_on_every_day() -> None:
    assert line_use(FIRST, LAST, {FIRST: D(130)}, {}, LINE, [Extra(FIRST, date.max, D(30))]).days_over == 0


days = st.integers(-20, 20).map(lambda n: FIRST + timedelta(days=n))
amounts = st.integers(-500, 500).map(D)
changes = st.dictionaries(days, amounts, max_size=8)
limits = st.lists(
    st.builds(Granted, days, st.none() | st.integers(0, 300).map(D)), max_size=4, unique_by=lambda g: g.since
)
extras = st.lists(
    st.builds(
        lambda since, n, amount: Extra(since, since + timedelta(days=n), amount),
        days,
        st.integers(0, 9),
        st.integers(1, 90).map(D),
    ),
    max_size=3,
)


@given(changes, changes, limits, extras)
def test_it_is_what_counting_day_by_day_gives(owed, counted, granted, above) -> None:  # type: ignore[no-untyped-def]
    used, over = [], 0
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        use = max(D(0), *(sum((each[d] for d in each if d <= day), D(0)) for each in (owed, counted)))
        begun = [each for each in granted if each.since <= day]
        bound = max(begun, key=lambda each: each.since).bound if begun else None
        if bound is not None:
            over += use > bound + sum(each.amount for each in above if each.since <= day <= each.until)
        used.append(use)
    found = line_use(FIRST, LAST, owed, counted, granted, above)
    assert (found.peak, found.days_over) == (max(used), over)
    assert abs(found.mean - sum(used) / len(used)) <= D("0.005")
    assert found.peak == 0 or used[(found.peak_on - FIRST).days] == found.peak
