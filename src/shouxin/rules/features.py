"""Feature analysis 特征分析模型: what people think of a customer in 18 factors, weighed by the policy (domain 1.4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from .policy import FACTOR_GROUPS, FACTORS, FeatureModel
from .ratios import Feature, feature_analysis
from .scorecard import Fact, is_known

FACTOR_KEYS = frozenset(f"feature_{factor}" for factor in FACTORS)
ReadingOfShare = Literal["no_credit", "watch", "fair", "good"]
GOOD_FROM = Decimal("0.66")


@dataclass(frozen=True)
class FactorScore:
    """One factor: its group, its weight in the policy, the score of 1 to 10 (None: not scored), and since when."""

    group: str
    factor: str
    weight: Decimal
    score: Decimal | None
    as_of: date | None
    source: str


@dataclass(frozen=True)
class Features:
    """The whole model for a customer: `share` of the possible points and `coverage`, fractions of one.

    `reading` is what the share says of credit: none, watched closely, fair, good. `counts` is False with too little
    coverage for the policy.
    """

    orientation: str
    factors: tuple[FactorScore, ...]
    share: Decimal
    coverage: Decimal
    reading: ReadingOfShare
    counts: bool


def analyse(model: FeatureModel, facts: Mapping[str, Fact], today: date) -> Features | None:
    """The model read from the facts `feature_…`; None where not a single factor is scored."""
    if not FACTOR_KEYS & facts.keys():
        return None
    factors = tuple(_factors(model, facts, today))
    if all(each.score is None for each in factors):
        return None
    found = feature_analysis([Feature(f.factor, f.weight, f.score) for f in factors], unknown=model.unknown)
    return Features(
        orientation=model.orientation,
        factors=factors,
        share=found.share,
        coverage=found.coverage,
        reading=reading_of(model, found.share),
        counts=found.coverage >= model.coverage_min,
    )


def _factors(model: FeatureModel, facts: Mapping[str, Fact], today: date) -> Iterator[FactorScore]:
    weights = model.weights[model.orientation]
    for group, factors in FACTOR_GROUPS.items():
        for factor in factors:
            fact = facts.get(f"feature_{factor}")
            yield _factor(group, factor, weights[factor], fact, model, today)


def _factor(
    group: str, factor: str, weight: Decimal, fact: Fact | None, model: FeatureModel, today: date
) -> FactorScore:
    if fact is None or not is_known(fact, today):
        return FactorScore(group, factor, weight, None, None, "")
    score = fact.value if isinstance(fact.value, Decimal) and 0 <= fact.value <= 10 else None
    stale = model.fresh_days is not None and (fact.as_of is None or (today - fact.as_of).days > model.fresh_days)
    # 0 is the form's word for "no information" (domain 1.4).
    return FactorScore(group, factor, weight, None if stale else score or None, fact.as_of, fact.source)


def reading_of(model: FeatureModel, share: Decimal) -> ReadingOfShare:
    """What a share says: no credit, high risk to be watched, worth dealing with, good."""
    if share <= model.no_credit_up_to:
        return "no_credit"
    return "watch" if share <= model.watch_up_to else "good" if share >= GOOD_FROM else "fair"
