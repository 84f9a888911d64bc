"""The recommended list, opportunities, and when a digest is due."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import digest, market
from shouxin.rules.line import Limit
from shouxin.rules.market import Record
from shouxin.rules.policy import Grade
from tests.book import book, changed

D = Decimal
GOOD = Record(
    grade=Grade.B, limit=Limit.of(D(1000)), used=D(400), months=24, clean_months=12, paid_invoices=6, quiet_months=1,
    rating=Grade.B, score=D(75),
)  # fmt: skip


@pytest.mark.clause("A8")
@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({}, []),
        ({"standing": "blacklisted"}, ["standing"]),
        ({"standing": "watched"}, ["standing"]),
        ({"grade": Grade.C}, ["grade"]),
        ({"grade": None}, ["grade"]),
        ({"months": 11}, ["months"]),
        ({"clean_months": 11}, ["clean_months"]),
        ({"clean_months": None}, ["clean_months"]),
        ({"paid_invoices": 5}, ["paid_invoices"]),
        ({"overdue": True}, ["no_overdue"]),
        ({"contested": True}, ["no_dispute"]),
    ],
)
def test_every_condition_of_the_list_alone_keeps_a_unit_off_it(change: dict[str, Any], failing: list[str]) -> None:
    record = replace(GOOD, **change)
    assert [each.code for each in market.reasons(book(), record) if not each.met] == failing
    assert market.recommended(book(), record) == (not failing)


@pytest.mark.clause("C3.7")
def test_room_is_an_opportunity_from_the_policys_share_on() -> None:
    assert market.headroom(book(), replace(GOOD, used=D(500))) == D(500)
    assert market.headroom(book(), replace(GOOD, used=D("500.01"))) == 0
    assert market.headroom(book(), replace(GOOD, limit=Limit.unlimited())) == 0
    assert not list(market.opportunities(book(), replace(GOOD, overdue=True)))


@pytest.mark.clause("C3.7")
@pytest.mark.parametrize("change", [{"overdue": True}, {"standing": "watched"}])
def test_whoever_pays_late_or_is_watched_offers_nothing(change: dict[str, Any]) -> None:
    assert list(market.opportunities(book(), GOOD))
    assert not list(market.opportunities(book(), replace(GOOD, **change)))


@pytest.mark.clause("C3.7")
def test_an_upgrade_candidate_is_told_what_lacks() -> None:
    bound = book().grades[Grade.A].score_min
    found = market.upgrade(book(), replace(GOOD, score=bound - 3, clean_months=0))
    assert found is not None
    assert (found.to, found.points, found.months) == (Grade.A, D(3), book().downgrade.upgrade_clean_months)
    assert market.upgrade(book(), replace(GOOD, score=bound - 9)) is None
    assert market.upgrade(book(), replace(GOOD, grade=Grade.A, score=D(99))) is None


@pytest.mark.clause("B2.6")
@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(0, 80), st.sampled_from(["weekly", "monthly"]))
def test_due_periods_follow_each_other_without_gap_and_are_over(today: date, missed: int, cadence: str) -> None:
    policy = changed({"digest.cadence": cadence})
    told = digest.period_of(policy, today - timedelta(days=missed)).last
    found = digest.due(policy, today, told)
    assert all(each.last < today and each.first > told for each in found)
    assert all(later.first == earlier.last + timedelta(days=1) for earlier, later in pairwise(found))
    assert len(found) <= policy.digest.catch_up_max
    if found:
        assert digest.period_of(policy, today).first == found[-1].last + timedelta(days=1)
        assert digest.due(policy, today, found[-1].last) == ()


@pytest.mark.clause("B2.6")
def test_at_first_only_the_last_period_is_due_and_a_monday_begins_a_week() -> None:
    assert digest.due(book(), date(2026, 11, 24), None) == (digest.Period(date(2026, 11, 16), date(2026, 11, 22)),)
    assert digest.advice(Grade.A, Grade.B) == "tighten"
    assert [digest.advice(Grade.B, Grade.A), digest.advice(Grade.C, Grade.D)] == ["offer", "cash"]
