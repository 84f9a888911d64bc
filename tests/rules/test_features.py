"""Feature analysis and the net-worth card: from facts to a share, and from the share to a limit (domain 1.4)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shouxin.rules.features import analyse, reading_of
from shouxin.rules.limits import METHODS, LimitFigures
from shouxin.rules.net_worth_card import additions
from shouxin.rules.policy import FACTORS, ORIENTATIONS, Grade
from shouxin.rules.policy_check import faults
from shouxin.rules.scorecard import Fact
from tests.book import book, changed

TODAY = date(2026, 11, 24)
WAN = Decimal(10000)
# Domain 1.4, method 2, in the order of the factors; None is no information.
SCORES = (8, 7, 7, 6, 7, 6, 6, 5, 5, 6, 3, 5, 8, 7, 6, 6, None, 7)
BALANCE = LimitFigures(
    current_assets=1200 * WAN,
    inventory=400 * WAN,
    current_liabilities=800 * WAN,
    total_liabilities=1000 * WAN,
    net_worth=900 * WAN,
)


def scored(scores=SCORES, on=TODAY):
    return {
        f"feature_{factor}": Fact(f"feature_{factor}", Decimal(score), on, "visit")
        for factor, score in zip(FACTORS, scores, strict=True)
        if score is not None
    }


def limit(policy, features, key="feature_analysis", **changes):
    return METHODS[key](policy, policy.grades[Grade.B], replace(BALANCE, features=features, **changes))


@pytest.mark.clause("B2.1")
@pytest.mark.parametrize(("unknown", "share"), [("zero", "0.5960"), ("excluded", "0.6340")])
def test_the_worked_example(unknown, share):
    model = changed({"features.unknown": unknown}).features
    found = analyse(model, scored(), TODAY)
    assert (found.share, found.coverage, found.reading, found.counts) == (
        Decimal(share), Decimal("0.9400"), "fair", True
    )  # fmt: skip


@pytest.mark.clause("B2.1")
def test_the_limit_of_the_worked_example():
    policy = book()
    found = limit(policy, analyse(policy.features, scored(), TODAY))
    assert found.amount == Decimal("207.48") * WAN
    assert found.inputs["base"] == 130 * WAN


@pytest.mark.parametrize(
    ("share", "reading"),
    [("0.20", "no_credit"), ("0.21", "watch"), ("0.45", "watch"), ("0.46", "fair"), ("0.65", "fair"), ("0.66", "good")],
)
def test_how_a_share_is_read(share, reading):
    assert reading_of(book().features, Decimal(share)) == reading


def test_a_low_share_gives_no_credit_and_little_coverage_does_not_count():
    policy = book()
    poor = analyse(policy.features, scored((2,) * 18), TODAY)
    assert (poor.reading, limit(policy, poor).amount) == ("no_credit", 0)
    thin = analyse(policy.features, scored((9,) + (None,) * 17), TODAY)
    assert (thin.counts, limit(policy, thin).amount, limit(policy, thin).why_not) == (False, None, "features_too_few")
    assert limit(policy, None).why_not == "no_features"


def test_without_a_balance_sheet_there_is_nothing_to_correct():
    policy = book()
    found = limit(policy, analyse(policy.features, scored(), TODAY), net_worth=None)
    assert (found.key, found.amount, found.why_not) == ("feature_analysis", None, "no_balance_sheet")


def test_what_was_scored_too_long_ago_is_not_scored():
    model = book().features
    assert analyse(model, scored(on=TODAY - timedelta(days=550)), TODAY).share == Decimal("0.5960")
    assert analyse(model, scored(on=TODAY - timedelta(days=551)), TODAY) is None
    assert analyse(model, scored(on=TODAY + timedelta(days=1)), TODAY) is None


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_orientation_weighs_to_a_hundred(orientation):
    weights = book().features.weights[orientation]
    assert sum(weights.values()) == 100
    assert changed({"features.orientation": orientation}).features.weights == book().features.weights


def test_sales_and_finance_look_at_different_things():
    """A good payer who is no prize for us, by the two orientations."""
    payer = scored((5,) * 6 + (2,) * 6 + (9,) * 6)
    shares = {
        each: analyse(changed({"features.orientation": each}).features, payer, TODAY).share for each in ORIENTATIONS
    }
    assert shares["sales"] < shares["balanced"] < shares["finance"]


def test_a_factor_without_weight_is_refused():
    weights = dict.fromkeys(FACTORS[1:], 1)
    with pytest.raises(ValidationError, match="18 factors"):
        changed({"features.weights.sales": weights})


@given(st.lists(st.integers(1, 10), min_size=18, max_size=18), st.integers(0, 17), st.sampled_from(ORIENTATIONS))
def test_a_better_score_never_lowers_share_or_limit(scores, place, orientation):
    policy = changed({"features.orientation": orientation})
    better = [min(10, each + 1) if number == place else each for number, each in enumerate(scores)]
    before, after = (analyse(policy.features, scored(each), TODAY) for each in (scores, better))
    assert after.share >= before.share
    assert limit(policy, after).amount >= limit(policy, before).amount


# --- the net-worth card --------------------------------------------------------------------------


def known(**values):
    return {key: Fact(key, value, TODAY, "visit") for key, value in values.items()}


BEST = known(
    requirement_share=Decimal("0.6"), mean_days_late=Decimal(0), takes_discount=True, years_in_business=Decimal(12),
    net_margin=Decimal("0.15"), current_ratio=Decimal("2.5"), debt_to_assets=Decimal("0.25"),
)  # fmt: skip


@pytest.mark.clause("B2.1")
def test_the_card_adds_shares_of_net_worth():
    """Domain 1.4, method 6: 55 % of 42,961, of which 23,600 remain when rounded down to hundreds."""
    policy = book()
    card = additions(policy.limits.net_worth_card, BEST | known(current_ratio=Decimal("2.0")), TODAY)
    assert sum(each.share for each in card) == Decimal("0.55")
    found = limit(policy, None, "net_worth_card", net_worth=Decimal(42961), additions=card)
    assert found.amount == Decimal("23628.55")
    assert found.amount // 100 * 100 == 23600


@pytest.mark.parametrize(
    ("fact", "value", "share"),
    [
        ("requirement_share", "0.2499", "0"),
        ("requirement_share", "0.25", "0.05"),
        ("requirement_share", "0.5", "0.05"),
        ("requirement_share", "0.51", "0.1"),
        ("mean_days_late", "0", "0.05"),
        ("mean_days_late", "5.01", "-0.05"),
        ("years_in_business", "2.99", "0"),
        ("years_in_business", "3", "0.05"),
        ("years_in_business", "10", "0.05"),
        ("years_in_business", "10.01", "0.1"),
        ("net_margin", "0.0499", "0"),
        ("net_margin", "0.05", "0.05"),
        ("net_margin", "0.1401", "0.1"),
        ("current_ratio", "1.4999", "0"),
        ("current_ratio", "1.5", "0.05"),
        ("current_ratio", "2.2", "0.05"),
        ("current_ratio", "2.21", "0.1"),
        ("debt_to_assets", "0.2999", "0.1"),
        ("debt_to_assets", "0.3", "0"),
        ("debt_to_assets", "0.51", "-0.05"),
    ],
)
def test_bounds_of_the_card(fact, value, share):
    found = {
        each.fact: each for each in additions(book().limits.net_worth_card, known(**{fact: Decimal(value)}), TODAY)
    }
    assert (found[fact].share, found[fact].known) == (Decimal(share), True)
    assert [each.known for each in found.values()].count(True) == 1


def test_a_card_that_adds_up_to_less_than_nothing_gives_nothing():
    policy = book()
    card = additions(policy.limits.net_worth_card, known(mean_days_late=Decimal(90)), TODAY)
    assert limit(policy, None, "net_worth_card", additions=card).amount == 0


def test_the_card_is_looked_over_like_the_scorecard():
    card = "limits.net_worth_card"
    policy = changed(
        {f"{card}.0.fact": "weather", f"{card}.1.bands": [{"up_to": 5, "share": 0}], f"{card}.4.key": "years"}
    )
    found = {(each.code, each.path) for each in faults(policy)}
    assert {
        ("fact_not_fed", f"{card}.requirement.fact"), ("bands_not_closed", f"{card}.punctual.bands"),
        ("key_twice", card),
    } <= found  # fmt: skip
    empty = changed({card: [], "limits.use": ["net_worth_card"]})
    assert ("setting_ignored", "limits.use") in {(each.code, each.path) for each in faults(empty)}
