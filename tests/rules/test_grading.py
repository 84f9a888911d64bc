from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.rules.grading import Episode, downgrade, grade, may_upgrade
from shouxin.rules.policy import Grade, worst
from shouxin.rules.scorecard import Fired, score
from tests.book import book, changed
from tests.rules.test_scorecard import GOOD, any_facts, facts

A, B, C, D = Grade
TODAY = date(2026, 6, 30)
SHEET = score(book(), facts(**GOOD), TODAY)
ENOUGH = Decimal(1000)


def sheet(points, *fired):
    return replace(SHEET, points=Decimal(points), fired=fired)


def cap(best):
    return Fired(f"cap_{best}", best, "some_fact", True)


def late(current, days, episode=None, *, amount=ENOUGH, late_payments=0, policy=None):
    return downgrade(
        policy or book(),
        current,
        max_overdue_days=days,
        overdue_amount=amount,
        late_payments=late_payments,
        episode=episode or Episode(current),
    )


# --- points to grade -----------------------------------------------------------------------------


@pytest.mark.clause("B2.1")
@pytest.mark.parametrize(
    ("points", "expected"),
    [("100", A), ("85", A), ("84.99", B), ("70", B), ("69.99", C), ("60", C), ("59.99", D), ("0", D)],
)
def test_a_band_begins_at_its_lowest_score(points, expected):
    assert grade(book(), sheet(points), paid_invoices=3).grade is expected


@pytest.mark.clause("B2.3")
def test_every_step_is_shown_even_one_that_changed_nothing():
    found = grade(book(), sheet("90", cap(D), cap(C), cap(B)), paid_invoices=2)
    assert [(step.code, step.before, step.after) for step in found.steps] == [
        ("score", None, A),
        ("cap", A, C),
        ("cap", C, C),
        ("veto", C, D),
        ("new_customer", D, D),
    ]
    assert found.steps[0].why == {"points": Decimal(90), "score_min": Decimal(85)}
    assert found.steps[1].why == {"trigger": "cap_C", "fact": "some_fact", "value": True}
    assert found.steps[4].why == {"paid_invoices": 2, "paid_invoices_min": 3}


@pytest.mark.parametrize(
    ("paid_invoices", "expected"), [pytest.param(2, B, id="one too few"), pytest.param(3, A, id="enough")]
)
def test_a_new_customer_is_capped(paid_invoices, expected):
    assert grade(book(), sheet("95"), paid_invoices=paid_invoices).grade is expected


@pytest.mark.parametrize(
    ("previous", "clean_months", "expected", "change"),
    [
        pytest.param(None, None, A, "first", id="never graded"),
        pytest.param(B, None, A, "raised", id="a reviewer decides"),
        pytest.param(B, 12, A, "raised", id="twelve clean months"),
        pytest.param(B, 11, B, "kept", id="one month short"),
        pytest.param(A, 0, A, "kept", id="nothing to wait for"),
    ],
)
def test_a_rise_waits_for_clean_months(previous, clean_months, expected, change):
    found = grade(book(), sheet("90"), paid_invoices=9, previous=previous, clean_months=clean_months)
    assert (found.grade, found.change) == (expected, change)


def test_a_fall_waits_for_nothing():
    found = grade(book(), sheet("50"), paid_invoices=9, previous=A, clean_months=0)
    assert (found.grade, found.change) == (D, "lowered")


def test_may_upgrade_after_the_policys_clean_months():
    assert [may_upgrade(book(), months) for months in (11, 12)] == [False, True]


@given(any_facts(), st.integers(0, 5), st.sampled_from([None, *Grade]), st.none() | st.integers(0, 24))
def test_steps_form_a_chain_that_never_rises(found, paid_invoices, previous, clean_months):
    result = grade(
        book(), score(book(), found, TODAY), paid_invoices=paid_invoices, previous=previous, clean_months=clean_months
    )
    assert result.steps[0].code == "score"
    for before, step in zip(result.steps, result.steps[1:], strict=False):
        assert step.before is before.after
        assert not step.before.worse_than(step.after)
    assert result.grade is result.steps[-1].after


# --- down the ladder -----------------------------------------------------------------------------


@pytest.mark.clause("B2.5")
@pytest.mark.parametrize(
    ("days", "expected", "standing", "no_increase"),
    [
        pytest.param(0, A, None, False, id="nothing overdue"),
        pytest.param(1, A, "watched", False, id="first day: a warning"),
        pytest.param(30, A, "watched", False, id="last day of the warning"),
        pytest.param(31, B, "watched", True, id="one grade"),
        pytest.param(60, B, "watched", True, id="still one grade"),
        pytest.param(61, C, "stopped", True, id="a second grade"),
        pytest.param(90, C, "stopped", True, id="last day before D"),
        pytest.param(91, D, "cash_only", True, id="more than 90 days"),
    ],
)
def test_the_ladder(days, expected, standing, no_increase):
    found = late(A, days)
    assert (found.grade, found.standing, found.no_increase) == (expected, standing, no_increase)


def test_the_same_day_twice_changes_nothing():
    first = late(A, 31)
    again = late(first.grade, 31, first.episode)
    assert (first.grade, first.rung_fired) == (B, 31)
    assert (again.grade, again.rung_fired, again.episode) == (B, None, first.episode)


def run_daily(start, days, counts, policy=None):
    """The daily run over the days given, with the number of late payments of each; the last result."""
    current, episode = start, Episode(start)
    for day, count in zip(days, counts, strict=True):
        found = late(current, day, episode, late_payments=count, policy=policy)
        current, episode = found.grade, found.episode
    return found


rungs = st.builds(
    lambda steps, to, standing: {"steps": steps, "to": to, "standing": standing},
    st.integers(0, 3),
    st.none() | st.sampled_from(["B", "C", "D"]),
    st.sampled_from([None, "watched", "stopped", "cash_only"]),
)


@st.composite
def ladders(draw):
    """The shipped policy with any ladder of rising rungs."""
    days = sorted(draw(st.sets(st.integers(1, 130), min_size=1, max_size=5)))
    return changed({"downgrade.ladder": [{"overdue_days_min": day, **draw(rungs)} for day in days]})


@pytest.mark.invariant("I-26")
@given(ladders(), st.sampled_from(Grade), st.integers(1, 130), st.integers(0, 200))
@settings(max_examples=40)
def test_running_daily_ends_where_one_call_on_the_last_day_ends(policy, start, length, third_late_payment):
    days = range(1, length + 1)
    counts = [3 if day >= third_late_payment else 2 for day in days]
    daily = run_daily(start, days, counts, policy)
    once = late(start, length, late_payments=counts[-1], policy=policy)
    assert (daily.grade, daily.standing, daily.no_increase) == (once.grade, once.standing, once.no_increase)
    assert daily.episode == once.episode


@given(st.sampled_from(Grade), st.lists(st.integers(1, 130), min_size=1, max_size=20))
def test_days_left_out_make_no_difference(start, days):
    rising = sorted(days)
    assert run_daily(start, rising, [0] * len(rising)).grade is late(start, rising[-1]).grade


@given(
    st.sampled_from(Grade),
    st.lists(st.tuples(st.integers(0, 130), st.integers(0, 300), st.integers(0, 5)), min_size=1, max_size=15),
)
def test_late_payment_never_raises_a_grade(start, days):
    current, episode = start, Episode(start)
    for overdue_days, amount, count in days:
        found = late(current, overdue_days, episode, amount=Decimal(amount), late_payments=count)
        assert worst(current, found.grade) is found.grade
        current, episode = found.grade, found.episode


def test_payment_lifts_what_was_demanded_and_not_the_grade():
    worst_day = late(A, 91)
    paid = late(D, 0, worst_day.episode, amount=Decimal(0))
    assert (paid.grade, paid.standing, paid.no_increase) == (D, None, False)
    assert paid.episode == Episode(D)


def test_the_oldest_item_paid_and_younger_ones_open_is_the_same_episode():
    first = late(A, 65)
    younger = late(first.grade, 20, first.episode)
    assert (younger.grade, younger.standing, younger.rung_fired) == (C, "watched", None)
    back = late(younger.grade, 65, younger.episode)
    assert (back.grade, back.rung_fired) == (C, None)


def test_a_second_episode_counts_from_the_grade_it_finds():
    first = late(A, 40)
    between = late(first.grade, 0, first.episode, amount=Decimal(0))
    assert late(between.grade, 40, between.episode).grade is C


def test_a_grade_set_by_a_person_stands_until_the_next_rung():
    first = late(A, 31)
    lifted = late(A, 45, first.episode)
    assert (lifted.grade, lifted.rung_fired) == (A, None)
    assert late(A, 61, lifted.episode).grade is C


def test_a_grade_lowered_by_a_review_is_not_lowered_for_the_same_debt_again():
    first = late(A, 31)
    assert late(C, 61, first.episode).grade is C


@given(st.sampled_from(Grade), st.sampled_from(Grade), st.integers(1, 130), st.integers(0, 5))
def test_the_ladder_never_lifts_what_a_review_has_lowered_below_it(baseline, current, days, late_payments):
    found = late(current, days, Episode(baseline), late_payments=late_payments)
    assert not current.worse_than(found.grade)


@pytest.mark.parametrize(
    ("amount", "expected", "reason"),
    [
        pytest.param("99.99", A, "residue", id="a residue costs nothing"),
        pytest.param("100", D, "rung_reached", id="the least that counts"),
    ],
)
def test_a_residue_never_costs_a_grade(amount, expected, reason):
    found = late(A, 200, amount=Decimal(amount))
    assert (found.grade, [each.code for each in found.reasons]) == (expected, [reason])


@pytest.mark.parametrize(
    ("count", "applied", "expected"),
    [
        pytest.param(2, False, A, id="one too few"),
        pytest.param(3, False, B, id="three late payments"),
        pytest.param(3, True, A, id="the same three again"),
        pytest.param(7, False, B, id="many cost one grade"),
    ],
)
def test_late_payments_cost_one_grade_per_set(count, applied, expected):
    found = late(A, 0, Episode(A, late_count_applied=applied), amount=Decimal(0), late_payments=count)
    assert found.grade is expected
    assert found.episode.late_count_applied is (count >= 3)


def test_a_new_set_of_late_payments_counts_again():
    grades, current, episode = [], A, Episode(A)
    for count in (3, 4, 2, 3):
        found = late(current, 0, episode, amount=Decimal(0), late_payments=count)
        current, episode = found.grade, found.episode
        grades.append(current)
    assert grades == [B, B, B, C]


def test_a_new_episode_carries_the_mark_of_the_late_payments():
    first = late(A, 40, late_payments=3)
    assert (first.grade, [each.code for each in first.reasons]) == (C, ["rung_reached", "late_payments"])
    paid = late(C, 0, first.episode, amount=Decimal(0), late_payments=3)
    assert paid.episode == Episode(C, 0, late_count_applied=True)
    assert late(C, 10, paid.episode, late_payments=3).grade is C


def test_a_ladder_out_of_order_is_read_in_order():
    ladder = [{"overdue_days_min": 61, "steps": 1}, {"overdue_days_min": 31, "steps": 1}]
    policy = changed({"downgrade.ladder": ladder})
    assert [late(A, day, policy=policy).grade for day in (31, 61)] == [B, C]
