"""Ratios and predictors read from a statement's figures, and which of two readings counts."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shouxin.rules.readings import READINGS, as_facts, readings
from shouxin.rules.scorecard import FACTS, Fact
from tests.book import book

TODAY = date(2026, 11, 24)
LAST_YEAR = date(2025, 12, 31)
# Domain 1.4, in 10,000.
FIGURES = {
    "total_assets": 1900, "current_assets": 1200, "current_liabilities": 800, "total_liabilities": 1000,
    "inventory": 400, "net_worth": 900, "retained_earnings": 300, "profit_before_tax": 150, "interest_expense": 40,
    "revenue": 2850, "net_profit": 120, "depreciation": 60, "deferred_tax": 0, "intangible_assets": 50,
    "market_value": 1500, "operating_cash_flow": 80,
}  # fmt: skip


def facts(on=LAST_YEAR, **changes):
    figures = {**FIGURES, **changes}
    return {key: Fact(key, Decimal(value), on, "statement") for key, value in figures.items() if value is not None}


def values(known):
    return {each.key: each.value for each in readings(known, TODAY)}


@pytest.mark.clause("B2.1")
def test_every_reading_of_the_worked_example():
    assert values(facts()) == {
        "debt_to_assets": Decimal("0.5263"),
        "current_ratio": Decimal("1.5000"),
        "quick_ratio": Decimal("1.0000"),
        "net_margin": Decimal("0.0421"),
        "operating_cash_flow_positive": True,
        "z1": Decimal("3.2022"),
        "z2": Decimal("2.4704"),
        "z3": Decimal("3.5128"),
        "bathory": Decimal("2.8230"),
        "f_score": Decimal("0.5227"),
    }
    assert set(READINGS) == set(values(facts()))


def test_a_reading_has_its_zone_and_the_day_source_and_figures_it_rests_on():
    found = {each.key: each for each in readings(facts(), TODAY)}
    assert [found[key].zone for key in ("z1", "z2", "z3", "bathory", "current_ratio")] == [
        "safe", "grey", "safe", "", ""
    ]  # fmt: skip
    assert (found["z2"].as_of, found["z2"].source, found["z2"].inputs["revenue"]) == (LAST_YEAR, "statement", 2850)
    assert "market_value" not in found["z2"].inputs
    assert {each.key: each.zone for each in readings(facts(profit_before_tax=-3000), TODAY)}["bathory"] == "distress"


def test_figures_of_two_days_are_never_mixed():
    known = facts() | {"total_assets": Fact("total_assets", Decimal(5000), LAST_YEAR + timedelta(days=90), "statement")}
    assert "debt_to_assets" not in values(known)
    assert values(known)["current_ratio"] == Decimal("1.5000")


def test_an_extra_figure_of_another_day_counts_as_none():
    known = facts() | {"depreciation": Fact("depreciation", Decimal(60), LAST_YEAR - timedelta(days=365), "statement")}
    assert values(known)["bathory"] == Decimal("2.8230") - Decimal("0.0750")


@pytest.mark.parametrize(
    ("noted_on", "counts"),
    [
        pytest.param(LAST_YEAR + timedelta(days=1), "0.9", id="what somebody noted later counts"),
        pytest.param(LAST_YEAR, "0.9", id="of the same day what somebody noted counts"),
        pytest.param(LAST_YEAR - timedelta(days=1), "0.5263", id="what is older gives way to the statement"),
    ],
)
def test_the_newer_of_noted_and_computed_counts(noted_on, counts):
    noted = Fact("debt_to_assets", Decimal("0.9"), noted_on, "bureau")
    found = as_facts(readings(facts() | {"debt_to_assets": noted}, TODAY))
    assert found["debt_to_assets"].value == Decimal(counts)


def test_a_statement_that_comes_later_is_not_known_yet():
    assert readings(facts(on=TODAY + timedelta(days=1)), TODAY) == ()


@pytest.mark.parametrize("missing", sorted({"current_liabilities", "total_assets", "revenue"}))
def test_without_a_figure_nothing_is_guessed(missing):
    found = values(facts(**{missing: None}))
    for key, (needed, _extras, _compute) in READINGS.items():
        assert (key in found) == (missing not in needed)


def test_nothing_is_divided_by_nothing():
    assert "current_ratio" not in values(facts(current_liabilities=0))


def test_every_figure_is_a_fact_somebody_can_feed():
    assert {key for needed, extras, _ in READINGS.values() for key in (*needed, *extras)} <= set(FACTS)
    assert book().features.orientation == "balanced"
