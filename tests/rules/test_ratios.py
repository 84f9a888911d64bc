from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.ratios import (
    Feature,
    Statement,
    bathory,
    cost_of_forgoing,
    f_score,
    feature_analysis,
    feature_limit,
    z1,
    z2,
    z3,
    zone,
)

# Domain 1.4, in 10,000: profit before interest and tax 190 is profit 150 with interest 40.
STATEMENT = Statement(
    total_assets=Decimal(1900),
    current_assets=Decimal(1200),
    current_liabilities=Decimal(800),
    total_liabilities=Decimal(1000),
    net_worth=Decimal(900),
    retained_earnings=Decimal(300),
    profit_before_tax=Decimal(150),
    interest=Decimal(40),
    revenue=Decimal(2850),
    net_profit=Decimal(120),
    depreciation=Decimal(60),
    intangible_assets=Decimal(50),
    market_value=Decimal(1500),
)


@pytest.mark.parametrize(
    ("ratio", "value"),
    [(z1, "3.2022"), (z2, "2.4704"), (z3, "3.5128"), (bathory, "2.8230"), (f_score, "0.5227")],
)
def test_predictors(ratio, value):
    assert ratio(STATEMENT) == Decimal(value)


def test_f_score_reads_averages_where_they_are_known():
    # −0.1774 + 1.1091×400/1900 + 0.1074×300/1900 + 1.9271×180/900 + 0.0302×1500/1000 + 0.4961×220/1800
    averaged = replace(STATEMENT, average_assets=Decimal(1800), average_liabilities=Decimal(900))
    assert f_score(averaged) == Decimal("0.5644")


@pytest.mark.parametrize(
    ("value", "predictor", "reading"),
    [
        ("1.80", "z1", "distress"),
        ("1.81", "z1", "grey"),
        ("2.675", "z1", "grey"),
        ("2.68", "z1", "safe"),
        ("2.4704", "z2", "grey"),
        ("3.5128", "z3", "safe"),
    ],
)
def test_zones(value, predictor, reading):
    assert zone(Decimal(value), predictor) == reading


def test_what_is_not_defined_has_no_value():
    unlisted = replace(STATEMENT, market_value=None)
    assert (z1(unlisted), f_score(unlisted)) == (None, None)
    assert bathory(replace(STATEMENT, current_assets=Decimal(800))) is None
    assert bathory(replace(STATEMENT, current_liabilities=Decimal(0))) is None
    for ratio in (z1, z2, z3, f_score, bathory):
        assert ratio(replace(STATEMENT, total_liabilities=Decimal(0))) is None
        assert ratio(replace(STATEMENT, total_assets=Decimal(0))) is None


NO_INFORMATION = None
FACTORS = [
    *[(4, 8), (6, 7), (6, 7), (5, 6), (7, 7), (5, 6)],
    *[(6, 6), (4, 5), (4, 5), (4, 6), (6, 3), (3, 5)],
    *[(12, 8), (7, 7), (6, 6), (6, 6), (6, NO_INFORMATION), (3, 7)],
]
FEATURES = [
    Feature(str(number), Decimal(weight), None if score is None else Decimal(score))
    for number, (weight, score) in enumerate(FACTORS)
]


@pytest.mark.parametrize(("unknown", "share"), [("zero", "0.5960"), ("excluded", "0.6340")])
def test_feature_analysis(unknown, share):
    found = feature_analysis(FEATURES, unknown=unknown)
    assert (found.share, found.coverage) == (Decimal(share), Decimal("0.9400"))


def test_feature_analysis_with_nothing_known():
    found = feature_analysis([Feature("one", Decimal(1), None)], unknown="excluded")
    assert (found.share, found.coverage) == (0, 0)


@pytest.mark.parametrize(
    "features", [[], [Feature("one", Decimal(0), Decimal(5))], [Feature("one", Decimal(1), Decimal(11))]]
)
def test_feature_analysis_refuses_what_cannot_be_weighed(features):
    with pytest.raises(ValueError, match=r"weights|scored"):
        feature_analysis(features)


@pytest.mark.parametrize(
    ("share", "limit"),
    [
        pytest.param("0.5960", "207.48", id="domain 1.4"),
        pytest.param("0.20", "0", id="too little known"),
        pytest.param("0.21", "157.30", id="just enough"),
    ],
)
def test_feature_limit(share, limit):
    assert feature_limit(Decimal(130), Decimal(share), no_credit_up_to=Decimal("0.2")) == Decimal(limit)


@pytest.mark.parametrize(
    ("percent", "discount_days", "term_days", "of_365", "of_360"),
    [
        (2, 10, 30, "0.3724", "0.3673"),
        (1, 10, 30, "0.1843", "0.1818"),
        (2, 10, 60, "0.1490", "0.1469"),
        (1, 15, 45, "0.1229", "0.1212"),
    ],
)
def test_cost_of_forgoing_a_discount(percent, discount_days, term_days, of_365, of_360):
    for year_days, cost in ((365, of_365), (360, of_360)):
        assert cost_of_forgoing(Decimal(percent), discount_days, term_days, year_days=year_days) == Decimal(cost)


@pytest.mark.parametrize(("percent", "days"), [(2, 30), (100, 10), (-1, 10)])
def test_a_discount_without_meaning_is_refused(percent, days):
    with pytest.raises(ValueError, match="discount"):
        cost_of_forgoing(Decimal(percent), days, 30, year_days=365)


positive = st.integers(1, 10**9).map(Decimal)


@given(positive, st.sampled_from([z1, z2, z3, bathory, f_score]))
def test_the_unit_of_the_figures_does_not_matter(scale, ratio):
    fields = {key: value and value * scale for key, value in vars(STATEMENT).items()}
    assert ratio(Statement(**fields)) == ratio(STATEMENT)


@given(st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(0, 10)), min_size=1))
def test_feature_shares_stay_within_nothing_and_all(rows):
    features = [Feature("f", Decimal(w), None if s is None else Decimal(s)) for w, s in rows]
    as_zero, left_out = feature_analysis(features), feature_analysis(features, unknown="excluded")
    assert 0 <= as_zero.share <= left_out.share <= 1
    assert 0 <= as_zero.coverage <= 1
