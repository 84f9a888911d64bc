"""A table of points: its bins, its odds, and the plain rules it becomes."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.points_table import PointsTable, as_scorecard, decile, grade_of, points_of, probability
from shouxin.rules.policy import Grade
from shouxin.rules.policy_check import faults
from shouxin.rules.scorecard import Fact, score
from tests.book import changed

TODAY = date(2026, 11, 24)


def number_bin(up_to, points, woe, missing=False):
    return {"up_to": up_to, "missing": missing, "points": points, "woe": woe, "count": 10, "bad": 1}


QUALITY = dict.fromkeys(("auc", "auc_sd", "ks", "brier", "brier_of_rate", "slope", "intercept"), 0) | {"folds": 5}
TABLE = PointsTable.model_validate(
    {
        "late_days": 30, "seen": [TODAY], "observations": 50, "bad": 5, "odds_at_zero": 2, "odds_per_point": "0.06",
        "quality": QUALITY, "score_counts": [5] * 10, "grade_bounds": {"A": 80, "B": 60, "C": 40},
        "questions": [
            {"fact": "max_days_late", "information_value": 1, "coefficient": -1, "bins": [
                number_bin(0, 60, 1), number_bin(30, "25.5", 0), number_bin(None, 0, -1),
                number_bin(None, 30, 0, missing=True)]},
            {"fact": "statements_audited", "information_value": 1, "coefficient": -1, "bins": [
                number_bin("0.5", 0, -1), number_bin(None, 40, 1), number_bin(None, 10, 0, missing=True)]},
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("late", "audited", "points"),
    [
        pytest.param(0, 1, 100, id="the best"),
        pytest.param(31, 0, 0, id="the worst"),
        pytest.param(30, None, "35.5", id="on a bound, one not known"),
        pytest.param(None, None, 40, id="nothing known"),
    ],
)
def test_points(late, audited, points):
    values = {"max_days_late": late, "statements_audited": audited}
    known = {key: None if value is None else Decimal(value) for key, value in values.items()}
    assert points_of(TABLE, known) == Decimal(points)


def test_the_probability_follows_from_the_points():
    assert probability(TABLE, Decimal(100)) == Decimal("0.0180")  # 1 / (1 + e^4)
    assert probability(TABLE, Decimal(0)) == Decimal("0.8808")  # 1 / (1 + e^-2)


@given(st.decimals(0, 100, places=2), st.decimals(0, 100, places=2))
def test_more_points_are_never_a_higher_probability(one, other):
    low, high = sorted((one, other))
    assert probability(TABLE, high) <= probability(TABLE, low)


@given(st.decimals(-5, 400, places=1) | st.none(), st.booleans() | st.none())
def test_the_scorecard_it_becomes_gives_the_same_points(late, audited):
    """Adopted, the table is plain rules: for every customer the score of the policy is the points of the table."""
    card = as_scorecard(TABLE, {}, frozenset({"statements_audited"}))
    policy = changed({"scorecard": card, "grades.A.score_min": 80})
    facts = {key: Fact(key, value, TODAY) for key, value in
             (("max_days_late", late), ("statements_audited", audited)) if value is not None}  # fmt: skip
    values = {"max_days_late": late, "statements_audited": None if audited is None else Decimal(audited)}
    assert score(policy, facts, TODAY).points == points_of(TABLE, values)


def test_the_scorecard_it_becomes_is_sound():
    policy = changed({"scorecard": as_scorecard(TABLE, {}, frozenset({"statements_audited"}))})
    assert faults(policy) == ()


@pytest.mark.parametrize(("points", "grade"), [(80, "A"), ("79.99", "B"), (40, "C"), ("39.99", "D")])
def test_grades_by_bounds(points, grade):
    assert grade_of(TABLE.grade_bounds, Decimal(points)) is Grade(grade)


def test_steps_of_ten():
    assert [decile(Decimal(each)) for each in (0, "9.99", 10, 100)] == [0, 0, 1, 9]
