"""Two policies over the same customer: what differs, and why."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.payment_record import payment_record
from shouxin.rules.policy import Grade
from shouxin.rules.rating import rate
from shouxin.rules.regrading import regrading
from shouxin.rules.scorecard import Fact
from tests.book import book, changed
from tests.rules.test_scorecard import GOOD, TODAY, any_facts, facts

RECORD = payment_record(as_of=TODAY, settled=(), open_items=(), late_payments_months=12)


def compared(old, new, known):
    before, after = (rate(policy, known, RECORD, previous=None, today=TODAY) for policy in (old, new))
    return regrading(old, new, before, after)


def test_a_question_worth_more_is_named_with_its_points():
    new = changed({"scorecard.1.questions.0.bands.0.points": 7})
    found = compared(book(), new, facts(**GOOD))
    assert [(c.kind, c.key, c.before, c.after) for c in found.causes] == [("question", "debt", 8, 7)]
    assert found.points[1] - found.points[0] == -1


@pytest.mark.clause("B2.1")
def test_a_new_veto_is_named_before_any_points():
    veto = {"key": "loss", "text": {"zh": "亏损", "en": "Loss"}, "fact": "lawsuits", "more_than": 0, "grade": "D"}
    triggers = [*book().model_dump(exclude_unset=True)["triggers"], veto]
    new = changed({"triggers": triggers, "scorecard.1.questions.0.unknown_points": 1})
    known = facts(**GOOD) | {"lawsuits": Fact("lawsuits", Decimal(1), TODAY, "bureau")}
    found = compared(book(), new, known)
    assert (found.grades[1], found.moves) == (Grade.D, found.grades[0] is not Grade.D)
    assert (found.causes[0].kind, found.causes[0].key, found.causes[0].after) == ("step", "loss", 1)


@given(any_facts())
def test_the_same_policy_moves_nobody(known):
    found = compared(book(), book(), known)
    assert (found.moves, found.causes) == (False, ())


@given(any_facts(), st.integers(0, 8), st.integers(0, 6))
def test_the_points_of_the_causes_add_up_to_the_difference(known, first, second):
    new = changed({"scorecard.1.questions.0.bands.0.points": first, "scorecard.3.questions.0.unknown_points": second})
    found = compared(book(), new, known)
    moved = sum((c.after - c.before for c in found.causes if c.kind == "question"), Decimal(0))
    assert found.points[1] - found.points[0] == moved


def test_a_grade_that_begins_elsewhere_is_named_with_its_bounds():
    old, new = changed({"grades.A.score_min": 99}), changed({"grades.A.score_min": 40, "grades.B.score_min": 39,
                                                             "grades.C.score_min": 38})  # fmt: skip
    found = compared(old, new, facts(**GOOD))
    assert [(c.kind, c.key, c.before, c.after) for c in found.causes if c.kind == "bound"] == [("bound", "A", 99, 40)]


def test_another_method_that_sets_the_limit_is_named():
    known = facts(**GOOD) | {key: Fact(key, Decimal(10**7), TODAY, "statement") for key in ("net_worth",)}
    old, new = (changed({"limits.use": [use], "new_customer.limit_max": 10**7, "new_customer.paid_invoices_min": 0})
                for use in ("net_worth", "paid_in_capital"))  # fmt: skip
    found = compared(old, new, known)
    assert [(c.kind, c.key) for c in found.causes] == [("binding", "paid_in_capital")]
