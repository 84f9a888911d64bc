"""The close of a day for one customer: who set a standing decides who may lift it (B2.5)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.aging import OpenItem
from shouxin.rules.daily import SEVERITY, CustomerFacts, Held, decide, worse
from shouxin.rules.policy import Grade
from tests.book import book, changed
from tests.people import TODAY

STICKY = changed({"downgrade.lift_standing": False})
standings = st.sampled_from(SEVERITY)


def late(days: int) -> OpenItem:
    due = TODAY - timedelta(days=days)
    return OpenItem("C001", "F-1", 1, due, due, Decimal(100_000), "CNY")


@pytest.mark.clause("B2.5")
def test_whether_a_paid_debt_lifts_what_the_round_set_is_the_policys() -> None:
    paid = CustomerFacts(grade=Grade.B, standing=Held("watched", by_round=True))
    assert decide(book(), paid, today=TODAY).standing == "good"
    assert decide(STICKY, paid, today=TODAY).standing == "watched"


@pytest.mark.clause("B2.5")
@given(standings, standings, st.booleans(), st.integers(0, 400))
def test_a_round_never_lifts_what_people_set(now: str, by_people: str, by_round: bool, days: int) -> None:
    held = Held(worse(now, by_people), by_round, by_people) if by_round else Held(by_people, False, by_people)
    items = (late(days),) if days else ()
    facts = CustomerFacts(items, {"CNY": Decimal(1)}, Grade.B, held)
    for policy in (book(), STICKY):
        after = decide(policy, facts, today=TODAY).standing
        assert worse(after, by_people) == after
        if policy is STICKY:
            assert worse(after, held.now) == after


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_nothing_owed_is_nothing_to_do(today: date) -> None:
    verdict = decide(book(), CustomerFacts(grade=Grade.A), today=today)
    assert (verdict.running, verdict.letter, verdict.standing, verdict.grade) == (False, None, "good", Grade.A)
