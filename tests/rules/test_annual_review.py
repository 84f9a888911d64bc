"""A year of behaviour and what is proposed for the next (B2.4)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.annual_review import GradeTotal, Terms, Year, advise, propose
from shouxin.rules.line import Limit
from shouxin.rules.policy import Discount, Grade
from tests.book import book

D = Decimal
HELD = Terms(Grade.B, Limit.of(D(100_000)), 45, Discount(percent=D(1), days=10))
RATED = Terms(Grade.A, Limit.of(D(400_000)), 60)
EARNED = Year(HELD, RATED, months=24, sales=D(900_000), sales_before=D(800_000), peak_use=D(90_000),
              mean_use=D(60_000), on_time_share=D("0.98"))  # fmt: skip


def codes(year: Year) -> set[str]:
    return {reason.code for reason in propose(book(), year).reasons}


@pytest.mark.clause("B2.4")
def test_better_terms_are_earned_and_come_by_one_step() -> None:
    found = propose(book(), EARNED)
    assert found.action == "raise" and not found.lacking
    assert found.terms == Terms(Grade.A, Limit.of(D(150_000)), 45, HELD.discount)
    assert codes(EARNED) == {"grade_better", "needed"}


@pytest.mark.clause("B2.4")
@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"standing": "watched"}, "standing"),
        ({"months": 11}, "too_new"),
        ({"on_time_share": D("0.94")}, "not_on_time"),
        ({"on_time_share": None}, "not_on_time"),
        ({"overdue": D("0.01")}, "overdue"),
        ({"rated": None}, "not_rated"),
    ],
)
def test_each_condition_alone_keeps_what_is_held(change: dict[str, Any], lacking: str) -> None:
    found = propose(book(), replace(EARNED, **change))
    assert [reason.code for reason in found.lacking] == [lacking]
    assert (found.action, found.terms) == ("keep", HELD)


@pytest.mark.clause("B2.4")
def test_a_worse_grade_takes_effect_whole_and_takes_its_term_and_discount() -> None:
    found = propose(book(), replace(EARNED, rated=Terms(Grade.D, Limit.none(), 0)))
    assert found.action == "lower"
    assert found.terms == Terms(Grade.D, Limit.none(), 0, None)
    assert {reason.code for reason in found.reasons} == {"grade_worse", "no_credit"}


@pytest.mark.clause("B2.4")
def test_a_line_hardly_used_is_cut_to_what_was_needed() -> None:
    found = propose(book(), replace(EARNED, rated=replace(RATED, grade=Grade.B), peak_use=D(19_000)))
    step = book().limits.round_down_to
    assert found.action == "lower" and codes(replace(EARNED, peak_use=D(19_000))) >= {"hardly_used"}
    assert D(28_500) <= (found.terms.limit.amount or D(0)) <= D(28_500) + step


@pytest.mark.clause("B2.4")
def test_a_step_that_rounding_takes_away_again_leaves_the_limit_as_it_is() -> None:
    held = replace(HELD, limit=Limit.of(D(9_000)))
    year = replace(EARNED, held=held, rated=replace(RATED, limit=Limit.of(D(9_500))), peak_use=D(9_000))
    assert propose(book(), year).terms.limit == Limit.of(D(9_000))


def test_no_number_is_invented_where_none_is_held() -> None:
    for limit in (Limit.unset(), Limit.unlimited()):
        assert propose(book(), replace(EARNED, held=replace(HELD, limit=limit))).terms.limit == limit


@pytest.mark.clause("B2.4")
def test_risks_are_told_whatever_is_proposed() -> None:
    bad = replace(EARNED, times_over=3, max_days_late=400, sales=D(100_000))
    assert codes(bad) >= {"limit_was_exceeded", "paid_very_late", "sales_fell"}


amounts = st.decimals(0, 10_000_000, places=2)
limits = st.one_of(amounts.map(Limit.of), st.sampled_from([Limit.none(), Limit.unlimited(), Limit.unset()]))
discounts = st.none() | st.builds(Discount, percent=st.decimals("0.5", 3, places=1), days=st.integers(1, 30))
terms = st.builds(Terms, st.sampled_from(Grade), limits, st.integers(0, 120), discounts)
years = st.builds(
    Year, terms, st.none() | terms, st.sampled_from(["good", "watched", "stopped"]), st.integers(0, 60), amounts,
    amounts, amounts, amounts, st.integers(0, 9), st.none() | st.decimals(0, 1, places=2), st.integers(0, 500), amounts,
)  # fmt: skip


def bound(limit: Limit) -> Decimal:
    return D("Infinity") if limit.kind == "unlimited" else limit.amount or D(0)


@given(years)
def test_a_proposal_never_goes_beyond_the_rating_nor_a_step(year: Year) -> None:
    found = propose(book(), year)
    if bound(found.terms.limit) > bound(year.held.limit):
        assert year.rated and bound(found.terms.limit) <= bound(year.rated.limit)
        assert bound(found.terms.limit) <= bound(year.held.limit) * (1 + book().annual_review.raise_step_max)
        assert not found.lacking
    grades = list(Grade)
    assert grades.index(found.terms.grade) >= grades.index(year.held.grade) - 1
    assert found.terms.term_days <= year.held.term_days
    assert (found.action == "keep") == (found.terms == year.held)


@pytest.mark.clause("B2.4")
@pytest.mark.parametrize(
    ("change", "grade", "limit"),
    [
        ({}, "A", 150_000),
        ({"peak_use": D(15_000)}, "A", 23_000),
        ({"on_time_share": D("0.5")}, "B", 100_000),
    ],
)
def test_the_worked_table_of_the_documentation(change: dict[str, Any], grade: str, limit: int) -> None:
    found = propose(book(), replace(EARNED, **change)).terms
    assert (found.grade, found.limit) == (Grade(grade), Limit.of(D(limit)))


@pytest.mark.clause("B2.4")
@pytest.mark.parametrize(
    ("change", "limit", "code"),
    [
        ({}, 90_000, "limit_above_rating"),
        ({"peak_use": D(89_500)}, 90_000, "limit_above_rating"),
        ({"peak_use": D(130_000)}, 100_000, "needed_above_rating"),
        ({"peak_use": D(30_000)}, 60_000, "limit_above_rating"),
        ({"on_time_share": D("0.5")}, 60_000, "limit_above_rating"),
    ],
)
def test_a_limit_above_the_rating_is_kept_as_far_as_a_good_payer_needed_it(
    change: dict[str, Any], limit: int, code: str
) -> None:
    year = replace(EARNED, rated=Terms(Grade.B, Limit.of(D(60_000)), 45), **change)
    found = propose(book(), year)
    assert found.terms.limit == Limit.of(D(limit)) and code in {each.code for each in found.reasons}


def test_what_the_year_says_of_the_policy() -> None:
    good = GradeTotal(Grade.A, 10, owed=D(1000), overdue=D(300))
    told = advise(book(), [GradeTotal(Grade.B, 10, unrated=3, owed=D(1000), overdue=D(100)), good])
    assert [(each.code, each.measured) for each in told] == [
        ("grades_do_not_separate", Grade.A), ("grade_overdue", "A 30.00%"), ("many_unrated", 3),
    ]  # fmt: skip
    assert advise(book(), [GradeTotal(Grade.A, 1), GradeTotal(Grade.D, 1, owed=D(10))]) == ()
    separate = [GradeTotal(Grade.A, 9, owed=D(1000), overdue=D(1)), GradeTotal(Grade.B, 9, owed=D(1000), overdue=D(9))]
    assert advise(book(), separate) == ()


@pytest.mark.clause("B2.4")
def test_a_blacklisted_customer_keeps_no_credit_and_an_unlimited_line_ends_with_its_grade() -> None:
    listed = propose(book(), replace(EARNED, standing="blacklisted"))
    assert (listed.action, listed.terms.grade, listed.terms.limit) == ("lower", Grade.D, Limit.none())
    assert "blacklisted" in {reason.code for reason in listed.reasons}
    unbounded = replace(EARNED, held=replace(HELD, limit=Limit.unlimited()))
    worse = propose(book(), replace(unbounded, rated=Terms(Grade.C, Limit.of(D(40_000)), 30)))
    assert (worse.action, worse.terms.limit) == ("lower", Limit.of(D(40_000)))
    assert propose(book(), replace(unbounded, rated=RATED)).terms.limit == Limit.unlimited()


def test_no_longer_term_is_proposed_than_the_grade_bears() -> None:
    longest = book().grades[Grade.B].term_days_max
    year = replace(EARNED, held=replace(HELD, term_days=longest + 1), rated=Terms(Grade.B, HELD.limit, 30))
    assert (propose(book(), year).action, propose(book(), year).terms.term_days) == ("lower", longest)


@given(years, amounts.filter(bool))
def test_what_is_overdue_never_makes_a_proposal_better(year: Year, overdue: Decimal) -> None:
    clean, late = propose(book(), replace(year, overdue=D(0))), propose(book(), replace(year, overdue=overdue))
    assert not clean.terms.grade.worse_than(late.terms.grade)
    assert bound(late.terms.limit) <= bound(clean.terms.limit)
    assert late.action != "raise"
