"""What must hold of a rating whatever is known: better facts never hurt, the limit never passes its caps (B2.1)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.rules.payment_record import payment_record
from shouxin.rules.policy import Grade
from shouxin.rules.rating import rate
from shouxin.rules.scorecard import FACTS, YES_NO, Fact
from tests.book import book
from tests.rules.test_scorecard import TODAY, any_facts

RECORD = payment_record(as_of=TODAY, settled=(), open_items=(), late_payments_months=12)
LEDGER = {"on_time_share", "mean_days_late", "max_days_late", "overdue_share", "overdue_days_now", "months_as_customer",
          "invoices_12_months"}  # fmt: skip
ASKED = [q for group in book().scorecard for q in group.questions if q.fact not in LEDGER]


def rated(known):
    return rate(book(), known, RECORD, previous=None, today=TODAY)


def values(question):
    """One value for each band, from the worst to the best."""
    found = []
    lower = Decimal(-1)
    for band in question.bands:
        value = band.value if band.value is not None else band.up_to if band.up_to is not None else lower + 1
        lower = value if isinstance(value, Decimal) else lower
        found.append((band.points, value))
    return [value for _points, value in sorted(found, key=lambda pair: pair[0])]


@pytest.mark.clause("B2.1")
@settings(deadline=None)
@given(any_facts(), st.sampled_from(ASKED), st.data())
def test_a_better_answer_never_lowers_points_or_grade(known, question, data):
    """The answer alone is changed; figures it could be computed from are left out."""
    known = {key: fact for key, fact in known.items() if not key.endswith(("assets", "liabilities", "profit", "flow"))}
    worse, better = sorted(data.draw(st.tuples(*[st.integers(0, len(question.bands) - 1)] * 2)))
    ladder = values(question)
    before, after = (rated(known | {question.fact: Fact(question.fact, ladder[place], TODAY, "visit")})
                     for place in (worse, better))  # fmt: skip
    assert after.sheet.points >= before.sheet.points
    # A word may also be a veto: the tax grade D costs more than its points.
    assert not after.grading.grade.worse_than(before.grading.grade)


VETOES = [each for each in book().triggers if FACTS[each.fact] == YES_NO and not each.missing]


@settings(deadline=None)
@given(any_facts(), st.sampled_from(VETOES))
def test_a_veto_never_raises_a_grade_and_holds_whatever_else_is_known(known, veto):
    clean = {key: fact for key, fact in known.items() if key != veto.fact}
    before, after = rated(clean), rated(clean | {veto.fact: Fact(veto.fact, True, date(2020, 1, 1), "gazette")})
    assert not before.grading.grade.worse_than(after.grading.grade)
    assert not veto.grade.worse_than(after.grading.grade)
    if veto.grade is Grade.D:
        assert not after.suggestion.limit.gives_credit


@settings(deadline=None)
@given(any_facts())
def test_without_a_statement_nobody_is_graded_a(known):
    blind = {key: fact for key, fact in known.items() if key not in ("debt_to_assets", "total_liabilities")}
    assert rated(blind).grading.grade is not Grade.A


@settings(deadline=None)
@given(any_facts())
def test_the_limit_is_never_above_a_method_that_counts_or_a_cap(known):
    suggestion = rated(known).suggestion
    ceilings = [cap.amount for cap in suggestion.caps]
    ceilings += [method.amount for method in suggestion.methods if method.counts and method.amount is not None]
    assert (suggestion.limit.amount or Decimal(0)) <= min(ceilings)


@given(any_facts())
def test_every_answer_says_where_it_comes_from(known):
    for answer in rated(known).sheet.answers:
        assert not answer.known or (answer.value is not None and answer.band)
        assert 0 <= answer.points <= answer.points_max
