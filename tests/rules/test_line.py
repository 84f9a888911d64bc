from dataclasses import FrozenInstanceError, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.line import KINDS, Limit, Line, allows, in_force, room, temporary_limit, total_limit
from shouxin.rules.policy import Grade

cents = st.integers(0, 10**12).map(lambda number: Decimal(number).scaleb(-2))
signed_cents = st.integers(-(10**12), 10**12).map(lambda number: Decimal(number).scaleb(-2))

NEW_YEAR, LAST_DAY = date(2026, 1, 1), date(2026, 12, 31)
LINE = Line(Grade.B, Limit.of(Decimal(500000)), "CNY", 30, None, NEW_YEAR, LAST_DAY)
MAY = replace(LINE, limit=Limit.of(Decimal(50000)), since=date(2026, 5, 1), until=date(2026, 5, 31))


def test_the_four_kinds_are_four_values():
    assert len({Limit.unset(), Limit.none(), Limit.of(Decimal(1)), Limit.unlimited()}) == len(KINDS) == 4


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        pytest.param("amount", None, id="an amount that is missing is neither 0 nor infinity"),
        pytest.param("unlimited", Decimal(5), id="unlimited has no amount"),
        pytest.param("none", Decimal(0), id="no credit has no amount"),
        pytest.param("unset", Decimal(0), id="unset has no amount"),
        pytest.param("amount", Decimal(-1), id="below zero"),
        pytest.param("amount", Decimal("Infinity"), id="infinity is a kind, not an amount"),
        pytest.param("amount", Decimal("NaN"), id="not a number"),
        pytest.param("some", Decimal(1), id="unknown kind"),
    ],
)
def test_a_limit_that_says_two_things_is_refused(kind, amount):
    with pytest.raises(ValueError, match="limit"):
        Limit(kind, amount)


def test_an_amount_of_zero_is_no_credit():
    assert Limit.of(Decimal("0.00")) == Limit.none()


def test_a_limit_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Limit.none().kind = "unlimited"


@pytest.mark.invariant("I-1")
@pytest.mark.parametrize(
    ("limit", "exposure", "passes"),
    [
        pytest.param(Limit.of(Decimal(550000)), "530000", True, id="below"),
        pytest.param(Limit.of(Decimal(550000)), "550000", True, id="equal"),
        pytest.param(Limit.of(Decimal(550000)), "550000.01", False, id="one cent more"),
        pytest.param(Limit.none(), "0.01", False, id="no credit"),
        pytest.param(Limit.none(), "-5", True, id="no credit, paid in advance"),
        pytest.param(Limit.unset(), "0.01", False, id="nobody has decided"),
        pytest.param(Limit.unlimited(), "99999999999.99", True, id="unlimited"),
    ],
)
def test_a_limit_holds_up_to_itself(limit, exposure, passes):
    assert allows(limit, Decimal(exposure)) is passes


def test_room_keeps_the_kind():
    assert room(Limit.unset(), Decimal(5)) == Limit.unset()
    assert room(Limit.unlimited(), Decimal(5)) == Limit.unlimited()
    assert room(Limit.none(), Decimal(5)) == Limit.none()
    assert room(Limit.of(Decimal(10)), Decimal(4)) == Limit.of(Decimal(6))
    assert room(Limit.of(Decimal(10)), Decimal(14)) == Limit.none()
    assert room(Limit.of(Decimal(10)), Decimal(-4)) == Limit.of(Decimal(14))


@given(cents, signed_cents)
def test_what_fits_the_room_fits_the_limit(amount, exposure):
    limit = Limit.of(amount)
    left = room(limit, exposure).bound
    assert left >= 0
    assert allows(limit, exposure + left) or left == 0
    assert not allows(limit, exposure + left + Decimal("0.01"))


@pytest.mark.parametrize(
    ("on", "grace_days", "holds"),
    [
        pytest.param(date(2025, 12, 31), 0, False, id="the day before"),
        pytest.param(NEW_YEAR, 0, True, id="first day"),
        pytest.param(LAST_DAY, 0, True, id="last day"),
        pytest.param(date(2027, 1, 1), 0, False, id="one day too late"),
        pytest.param(date(2027, 1, 5), 5, True, id="last day of grace"),
        pytest.param(date(2027, 1, 6), 5, False, id="grace used up"),
    ],
)
def test_a_line_holds_from_its_first_day_to_its_last(on, grace_days, holds):
    assert in_force(LINE, on, grace_days) is holds


def test_a_line_without_end_runs_on():
    assert in_force(replace(LINE, until=None), date(2099, 1, 1))


@pytest.mark.parametrize(
    ("line", "on", "total"),
    [
        pytest.param(LINE, date(2026, 4, 30), Limit.of(Decimal(500000)), id="before the window"),
        pytest.param(LINE, date(2026, 5, 1), Limit.of(Decimal(550000)), id="the window's first day"),
        pytest.param(LINE, date(2026, 5, 31), Limit.of(Decimal(550000)), id="the window's last day"),
        pytest.param(LINE, date(2026, 6, 1), Limit.of(Decimal(500000)), id="after the window"),
        pytest.param(None, date(2026, 4, 1), Limit.unset(), id="no line at all"),
        pytest.param(None, date(2026, 5, 2), Limit.of(Decimal(50000)), id="a temporary line alone"),
        pytest.param(replace(LINE, limit=Limit.unlimited()), date(2026, 5, 2), Limit.unlimited(), id="unlimited"),
        pytest.param(replace(LINE, until=date(2026, 4, 30)), date(2026, 5, 2), Limit.of(Decimal(50000)), id="run out"),
        pytest.param(replace(LINE, limit=Limit.unset()), date(2026, 4, 2), Limit.unset(), id="unset stays unset"),
    ],
)
def test_temporary_lines_stand_on_top_within_their_window(line, on, total):
    assert total_limit(line, [MAY], on) == total


@pytest.mark.clause("B2.5")
def test_a_cut_to_no_credit_ends_what_was_granted_before_it():
    cut = replace(LINE, limit=Limit.none(), since=date(2026, 5, 10), signed=2)
    assert total_limit(cut, [MAY], date(2026, 5, 10)) == Limit.none()
    granted_after = replace(MAY, signed=3, since=date(2026, 5, 20))
    assert total_limit(cut, [MAY, granted_after], date(2026, 5, 20)) == Limit.of(Decimal(50000))


def test_an_unlimited_temporary_line_lifts_the_whole():
    assert total_limit(LINE, [replace(MAY, limit=Limit.unlimited())], date(2026, 5, 5)) == Limit.unlimited()


def test_two_temporary_lines_add_up():
    assert temporary_limit(LINE, [MAY, MAY], date(2026, 5, 5)) == Limit.of(Decimal(100000))


def test_temporary_lines_know_no_grace():
    assert total_limit(LINE, [MAY], date(2026, 6, 1), grace_days=30) == LINE.limit


def test_currencies_are_never_added():
    with pytest.raises(ValueError, match="currency"):
        total_limit(LINE, [replace(MAY, currency="USD")], date(2026, 5, 5))


@pytest.mark.parametrize("grace_days", [0, 1, 3660])
def test_a_line_until_the_last_day_there_is_has_days_of_grace_like_any_other(grace_days):
    assert in_force(replace(LINE, until=date.max), date.max, grace_days)
