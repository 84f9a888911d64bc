"""A statistical card as a table of points: what a fit to the company's own history comes down to (B2.1).

Plain numbers that people can read, check and print; to be rated by it, it is adopted as the scorecard of a policy.
Points add up to 0 (the worst answers) to 100 (the best); the log odds of going bad fall by `odds_per_point` with each.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from .money import round_half_up
from .policy import Frozen, Grade, Points

Number = Annotated[Decimal, Field(decimal_places=6)]
NEUTRAL = Decimal(0)


class PointsBin(Frozen):
    """Points for values up to and including `up_to`, for a `word`, or where nothing is known (`missing`).

    `woe` is the weight of evidence: above 0 pays better than the average. `count` and `bad` are the observations.
    """

    up_to: Decimal | None = None
    missing: bool = False
    woe: Number
    points: Points
    count: int
    bad: int

    @property
    def bad_rate(self) -> Decimal | None:
        """The share that went bad; None of nobody."""
        return round_half_up(Decimal(self.bad) / self.count, 4) if self.count else None


class PointsQuestion(Frozen):
    """One fact in bins. `word` names the answer that counts 1 in a question of words, the others count 0."""

    fact: str
    information_value: Number
    coefficient: Number
    bins: tuple[PointsBin, ...] = Field(min_length=2)


class Quality(Frozen):
    """How good the table is, cross-validated by customer: ranking, separation, truth of its probabilities."""

    auc: Number
    auc_sd: Number
    ks: Number
    brier: Number
    brier_of_rate: Number
    slope: Number
    intercept: Number
    folds: int


class PointsTable(Frozen):
    """The whole table with what it was fitted to: who was late by more than `late_days` within a year of the days seen.

    `score_counts` are the observations per ten points (0–10, …, 90–100): what later customers are held against.
    `grade_bounds` are the points from which A, B and C would hold as many observations as the card in force gives them.
    """

    late_days: int
    seen: tuple[date, ...]
    observations: int
    bad: int
    questions: tuple[PointsQuestion, ...] = Field(min_length=1)
    odds_at_zero: Number
    odds_per_point: Number
    quality: Quality
    quality_of_card: Quality | None = Field(default=None, description="the expert card on the same observations")
    score_counts: tuple[int, ...]
    grade_bounds: dict[Grade, Points]

    @property
    def bad_rate(self) -> Decimal:
        """The share of all observations that went bad."""
        return round_half_up(Decimal(self.bad) / self.observations, 4)


def points_of(table: PointsTable, values: Mapping[str, Decimal | None]) -> Decimal:
    """The points of one customer, 0 to 100."""
    return sum((bin_of(each.bins, values.get(each.fact)).points for each in table.questions), NEUTRAL)


def bin_of(bins: Sequence[PointsBin], value: Decimal | None) -> PointsBin:
    """The bin a value falls into; None into that of the unknown."""
    if value is None:
        return next(each for each in bins if each.missing)
    return next(each for each in bins if not each.missing and (each.up_to is None or value <= each.up_to))


def log_odds(table: PointsTable, points: Decimal) -> Decimal:
    """The log odds of going bad at so many points, calibrated."""
    return table.odds_at_zero - table.odds_per_point * points


def probability(table: PointsTable, points: Decimal) -> Decimal:
    """The probability of going bad at so many points, a fraction of one, four decimals."""
    odds = min(max(log_odds(table, points), Decimal(-50)), Decimal(50)).exp()
    return round_half_up(odds / (1 + odds), 4)


def decile(points: Decimal) -> int:
    """Which of the ten steps of ten points, from 0; a hundred belongs to the last."""
    return min(9, int(points // 10))


def as_scorecard(
    table: PointsTable, texts: Mapping[str, Mapping[str, str]], yes_no: frozenset[str]
) -> list[dict[str, Any]]:
    """The table as the chapter `scorecard` of a policy: one group of 100 points, plain rules from then on.

    `texts` give each fact its words in zh and en; facts in `yes_no` were counted 0 for no and 1 for yes.
    """
    questions = [
        _question(each, texts.get(each.fact, {"zh": each.fact, "en": each.fact}), yes_no) for each in table.questions
    ]
    weight = sum((each["points_max"] for each in questions), NEUTRAL)
    text = {"zh": "统计评分", "en": "Statistical card"}
    return [{"key": "statistical", "text": text, "weight": weight, "questions": questions}]


def _question(asked: PointsQuestion, text: Mapping[str, str], yes_no: frozenset[str]) -> dict[str, Any]:
    bands = list(_words(asked) if asked.fact in yes_no else _numbers(asked))
    unknown = next(each.points for each in asked.bins if each.missing)
    return {
        "key": asked.fact,
        "text": dict(text),
        "fact": asked.fact,
        # An unknown answer may be worth more than the best known one; the scale then ends there.
        "points_max": max([unknown, *(band["points"] for band in bands)]),
        "unknown_points": unknown,
        "bands": bands,
    }


def _numbers(asked: PointsQuestion) -> Iterator[dict[str, Any]]:
    return ({"up_to": each.up_to, "points": each.points} for each in asked.bins if not each.missing)


def _words(asked: PointsQuestion) -> Iterator[dict[str, Any]]:
    for word, value in ((True, Decimal(1)), (False, Decimal(0))):
        yield {"value": word, "points": bin_of(asked.bins, value).points}


def grade_of(bounds: Mapping[Grade, Decimal], points: Decimal) -> Grade:
    """The grade by these bounds."""
    return next((grade for grade in (Grade.A, Grade.B, Grade.C) if points >= bounds[grade]), Grade.D)
