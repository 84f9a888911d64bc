from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.policy import Grade
from shouxin.rules.scorecard import FACTS, NUMBER, YES_NO, Fact, score
from tests.book import book, changed

TODAY = date(2026, 6, 30)

GOOD = {
    "years_in_business": Decimal(12),
    "paid_in_capital": Decimal(20000000),
    "debt_to_assets": Decimal("0.25"),
    "current_ratio": Decimal("2.5"),
    "net_margin": Decimal("0.2"),
    "operating_cash_flow_positive": True,
    "on_time_share": Decimal("0.99"),
    "mean_days_late": Decimal(0),
    "max_days_late": Decimal(0),
    "overdue_share": Decimal(0),
    "lawsuits": Decimal(0),
    "tax_grade": "A",
    "bank_reference": "good",
    "months_as_customer": Decimal(60),
    "invoices_12_months": Decimal(100),
}


def facts(as_of=TODAY, **values):
    return {key: Fact(key, value, as_of, "visit") for key, value in values.items()}


def answer(sheet, question):
    return next(each for each in sheet.answers if each.question == question)


@st.composite
def any_facts(draw):
    """Some facts with any answer they can have, of any age, known or not."""
    found = {}
    for key in draw(st.sets(st.sampled_from(sorted(FACTS)))):
        words = FACTS[key]
        numbers = st.decimals(-100, 10**7, places=2)
        value = numbers if words == NUMBER else st.booleans() if words == YES_NO else st.sampled_from(words)
        age = draw(st.integers(-10, 1000))
        found[key] = Fact(key, draw(st.none() | value), draw(st.sampled_from([None, TODAY - timedelta(age)])), "visit")
    return found


@pytest.mark.clause("B2.3")
def test_the_best_customer_has_every_point():
    sheet = score(book(), facts(**GOOD), TODAY)
    assert (sheet.points, sheet.coverage, sheet.fired) == (Decimal("100.00"), Decimal("1.0000"), ())


def test_nothing_known_gives_the_points_for_not_knowing():
    sheet = score(book(), {}, TODAY)
    assert (sheet.points, sheet.coverage) == (Decimal("43.00"), Decimal("0.0000"))
    assert not any(each.known for each in sheet.answers)


@pytest.mark.parametrize(
    ("value", "points", "band"),
    [
        pytest.param("0.3", 8, "≤ 0.3", id="a bound belongs to its band"),
        pytest.param("0.3001", 6, "≤ 0.5", id="just above"),
        pytest.param("0.7", 3, "≤ 0.7", id="last closed band"),
        pytest.param("0.71", 0, "> 0.7", id="the open band"),
        pytest.param("-1", 8, "≤ 0.3", id="below every bound"),
    ],
)
def test_a_number_falls_into_the_first_band_that_holds_it(value, points, band):
    found = answer(score(book(), facts(debt_to_assets=Decimal(value)), TODAY), "debt")
    assert (found.points, found.band, found.known) == (points, band, True)


@pytest.mark.parametrize(
    ("question", "fact", "value", "points", "band"),
    [
        ("tax", "tax_grade", "M", 3, "M"),
        ("bank", "bank_reference", "poor", 0, "poor"),
        ("cash_flow", "operating_cash_flow_positive", True, 5, "true"),
        ("cash_flow", "operating_cash_flow_positive", False, 0, "false"),
    ],
)
def test_a_word_falls_into_its_own_band(question, fact, value, points, band):
    found = answer(score(book(), facts(**{fact: value}), TODAY), question)
    assert (found.points, found.band) == (points, band)


@pytest.mark.parametrize(
    ("question", "fact", "value"),
    [
        pytest.param("tax", "tax_grade", "Z", id="a word the question does not know"),
        pytest.param("tax", "tax_grade", Decimal(1), id="a number where words are asked"),
        pytest.param("debt", "debt_to_assets", "low", id="a word where numbers are asked"),
        pytest.param("debt", "debt_to_assets", True, id="true is not 1"),
        pytest.param("cash_flow", "operating_cash_flow_positive", Decimal(1), id="1 is not true"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_not_known(question, fact, value):
    found = answer(score(book(), facts(**{fact: value}), TODAY), question)
    unknown = answer(score(book(), {}, TODAY), question)
    assert (found.known, found.stale, found.points) == (False, False, unknown.points)


@pytest.mark.parametrize(
    ("as_of", "known", "stale"),
    [
        pytest.param(TODAY - timedelta(550), True, False, id="last fresh day"),
        pytest.param(TODAY - timedelta(551), False, True, id="one day too old"),
        pytest.param(None, False, True, id="undated where age matters"),
        pytest.param(TODAY + timedelta(1), False, False, id="not known yet on the day asked about"),
    ],
)
def test_old_figures_count_as_unknown(as_of, known, stale):
    found = answer(score(book(), facts(as_of, debt_to_assets=Decimal("0.2")), TODAY), "debt")
    assert (found.known, found.stale) == (known, stale)
    assert found.points == (8 if known else 4)
    assert found.age_days == ((TODAY - as_of).days if as_of else None)


def test_an_undated_fact_is_good_where_age_does_not_matter():
    assert answer(score(book(), facts(None, years_in_business=Decimal(4)), TODAY), "years").known


@pytest.mark.parametrize(
    ("values", "fired"),
    [
        ({"dishonest_debtor": True}, [("dishonest", Grade.D)]),
        ({"dishonest_debtor": False}, []),
        ({"abnormal_operation": True, "dissolved": True}, [("dissolved", Grade.D), ("abnormal", Grade.C)]),
        ({"overdue_days_now": Decimal(90)}, []),
        ({"overdue_days_now": Decimal(91)}, [("long_overdue", Grade.C)]),
        ({"tax_grade": "D"}, [("tax_d", Grade.C)]),
        ({"tax_grade": "C"}, []),
    ],
)
def test_triggers(values, fired):
    sheet = score(book(), facts(debt_to_assets=Decimal(0), **values), TODAY)
    assert [(each.trigger, each.grade) for each in sheet.fired] == fired


def test_missing_statements_are_a_trigger_and_old_ones_are_not():
    assert [each.trigger for each in score(book(), {}, TODAY).fired] == ["no_statements"]
    assert score(book(), facts(date(2020, 1, 1), debt_to_assets=Decimal(1)), TODAY).fired == ()


def test_a_veto_does_not_wear_off_with_age():
    old = score(book(), facts(date(2001, 1, 1), dishonest_debtor=True), TODAY)
    assert "dishonest" in {each.trigger for each in old.fired}


def test_vetoes_nobody_has_looked_for_are_named():
    sheet = score(book(), facts(dishonest_debtor=False), TODAY)
    assert "dishonest" not in sheet.unchecked
    assert "serious_list" in sheet.unchecked


@pytest.mark.parametrize("value", [0.5, 1, [], b"A"])
def test_a_fact_is_never_a_float(value):
    with pytest.raises(TypeError):
        Fact("net_margin", value)


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_fact_is_a_finite_number(value):
    with pytest.raises(ValueError, match="not a number"):
        Fact("net_margin", Decimal(value))


@given(any_facts())
def test_points_and_coverage_stay_within_their_bounds(found):
    sheet = score(book(), found, TODAY)
    assert 0 <= sheet.points <= 100
    assert sheet.points == sum(each.points for each in sheet.answers)
    assert 0 <= sheet.coverage <= 1
    assert all(each.points <= each.points_max and bool(each.band) == each.known for each in sheet.answers)
    assert not ({each.trigger for each in sheet.fired} & set(sheet.unchecked))


@given(any_facts())
def test_later_facts_do_not_change_the_past(found):
    known_then = {key: fact for key, fact in found.items() if fact.as_of is None or fact.as_of <= TODAY}
    before, after = score(book(), known_then, TODAY), score(book(), found, TODAY)
    assert (before.points, before.fired, before.coverage) == (after.points, after.fired, after.coverage)


def test_a_scale_without_bounds_shows_as_any():
    policy = changed({"scorecard.0.questions.0.bands": [{"up_to": None, "points": 8}]})
    assert answer(score(policy, facts(years_in_business=Decimal(1)), TODAY), "years").band == "any"
