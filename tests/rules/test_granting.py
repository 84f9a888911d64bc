"""What a signer may not grant on an application (B2.1): more, longer or later than asked, over a cap."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.application import Asked, Granted, faults
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.book import book, changed
from tests.people import TODAY

D = Decimal
CAPPED = changed({"grades.B.limit_max": "500000", "limits.concentration_max": "400000"})
TEMPORARY = Asked("temporary", D(1000), 30, TODAY + timedelta(days=60))
days = st.none() | st.integers(0, 400).map(lambda n: TODAY + timedelta(days=n))
amounts = st.integers(1, 1_000_000).map(D)
kinds = st.sampled_from(("new", "raise", "lower", "temporary", "renewal"))


@pytest.mark.clause("B2.1")
def test_a_temporary_limit_that_lasts_longer_than_asked_or_for_good_is_refused() -> None:
    longer = Granted(Limit.of(D(1000)), 30, Grade.B, D(1000), TEMPORARY.until + timedelta(days=1))  # type: ignore[operator]
    for_good = Granted(Limit.of(D(1000)), 30, Grade.B, D(1000))
    exactly = Granted(Limit.of(D(1000)), 30, Grade.B, D(1000), TEMPORARY.until)
    assert [list(faults(book(), TEMPORARY, each)) for each in (longer, for_good, exactly)] == [
        ["later_than_asked"], ["later_than_asked"], [],
    ]  # fmt: skip


@pytest.mark.clause("B2.1")
@given(kinds, amounts, amounts, amounts, st.integers(0, 90), st.integers(0, 90), days, days)
def test_what_stays_within_the_request_and_the_caps_is_never_refused_and_nothing_else_passes(
    kind: str, wanted: Decimal, given: Decimal, total: Decimal, term: int, longer: int, until: object, last: object
) -> None:
    asked = Asked(kind, wanted, term, until)  # type: ignore[arg-type]
    granted = Granted(Limit.of(given), longer, Grade.B, total, last)  # type: ignore[arg-type]
    within = given <= wanted and longer <= term and (until is None or (last is not None and last <= until))  # type: ignore[operator]
    capped = kind == "lower" or total <= 400_000
    assert (not list(faults(CAPPED, asked, granted))) == (within and capped)


def test_no_limit_at_all_is_more_than_any_that_was_asked_for() -> None:
    unlimited = Granted(Limit.unlimited(), 30, Grade.B, D(0))
    assert "more_than_asked" in list(faults(book(), Asked("raise", D(1000), 30), unlimited))
