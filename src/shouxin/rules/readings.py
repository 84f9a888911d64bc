"""What the figures of a financial statement say, as facts for the scorecard: ratios and predictors (domain 1.4, 1.5).

Only figures of one day go together: last year's assets over this year's liabilities say nothing. A reading has the
day and the source of its figures, so that it grows old with them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from . import ratios
from .money import round_half_up
from .ratios import Statement
from .scorecard import Fact, Value, is_known

ZERO = Decimal(0)
Figures = Mapping[str, Decimal]


@dataclass(frozen=True)
class Reading:
    """A ratio or predictor with the figures behind it; `zone` distress, grey or safe, empty where none is published."""

    key: str
    value: Value
    zone: str
    as_of: date | None
    source: str
    inputs: Figures


def _over(above: str, below: str) -> Callable[[Figures], Value]:
    def ratio(figures: Figures) -> Value:
        return round_half_up(figures[above] / figures[below], 4) if figures[below] > 0 else None

    return ratio


def _quick(figures: Figures) -> Value:
    owed = figures["current_liabilities"]
    return round_half_up((figures["current_assets"] - figures["inventory"]) / owed, 4) if owed > 0 else None


_STATEMENT = (
    "total_assets",
    "current_assets",
    "current_liabilities",
    "total_liabilities",
    "net_worth",
    "retained_earnings",
    "profit_before_tax",
    "interest_expense",
    "revenue",
)
_EXTRAS = ("net_profit", "depreciation", "deferred_tax", "intangible_assets", "market_value")


def _of_statement(predictor: Callable[[Statement], Decimal | None]) -> Callable[[Figures], Value]:
    def reading(figures: Figures) -> Value:
        named = {"interest" if key == "interest_expense" else key: figures[key] for key in figures}
        return predictor(Statement(**named))

    return reading


READINGS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Figures], Value]]] = {
    "debt_to_assets": (("total_liabilities", "total_assets"), (), _over("total_liabilities", "total_assets")),
    "current_ratio": (("current_assets", "current_liabilities"), (), _over("current_assets", "current_liabilities")),
    "quick_ratio": (("current_assets", "inventory", "current_liabilities"), (), _quick),
    "net_margin": (("net_profit", "revenue"), (), _over("net_profit", "revenue")),
    "operating_cash_flow_positive": (("operating_cash_flow",), (), lambda f: f["operating_cash_flow"] > 0),
    "z1": ((*_STATEMENT, "market_value"), (), _of_statement(ratios.z1)),
    "z2": (_STATEMENT, (), _of_statement(ratios.z2)),
    "z3": (_STATEMENT, (), _of_statement(ratios.z3)),
    "bathory": (_STATEMENT, _EXTRAS, _of_statement(ratios.bathory)),
    "f_score": ((*_STATEMENT, "net_profit", "depreciation", "market_value"), (), _of_statement(ratios.f_score)),
}
"""Per reading: the figures it needs, those that are taken as 0 where they are not known, and how it is computed."""


def readings(facts: Mapping[str, Fact], today: date) -> tuple[Reading, ...]:
    """Every reading the known figures allow, computed or as somebody noted it; the newer of the two counts."""
    known = {key: fact for key, fact in facts.items() if is_known(fact, today)}
    return tuple(_readings(known))


def _readings(known: Mapping[str, Fact]) -> Iterator[Reading]:
    for key in READINGS:
        computed, noted = _computed(key, known), known.get(key)
        if noted and (not computed or _older(computed.as_of, noted.as_of)):
            yield Reading(key, noted.value, _zone(key, noted.value), noted.as_of, noted.source, {})
        elif computed:
            yield computed


def _older(day: date | None, other: date | None) -> bool:
    """Whether a day comes before the other, or on the same; a day nobody knows comes before any."""
    return (day or date.min) <= (other or date.min)


def _computed(key: str, known: Mapping[str, Fact]) -> Reading | None:
    needed, extras, compute = READINGS[key]
    days = {known[each].as_of for each in needed if each in known}
    if len(days) != 1 or any(each not in known for each in needed):
        return None
    (day,) = days
    figures = {each: _number(known.get(each), day) for each in (*needed, *extras)}
    figures = {each: figure for each, figure in figures.items() if each != "market_value" or each in needed}
    value = compute(figures)
    return None if value is None else Reading(key, value, _zone(key, value), day, known[needed[0]].source, figures)


def _number(fact: Fact | None, day: date | None) -> Decimal:
    return fact.value if fact and fact.as_of == day and isinstance(fact.value, Decimal) else ZERO


def _zone(key: str, value: Value) -> str:
    if not isinstance(value, Decimal):
        return ""
    if key == "bathory":
        return "distress" if value < 0 else ""
    return ratios.zone(value, key) if key in ratios.CUT_OFFS else ""


def as_facts(found: tuple[Reading, ...]) -> dict[str, Fact]:
    """The readings under the keys of the scorecard's facts."""
    return {each.key: Fact(each.key, each.value, each.as_of, each.source) for each in found}
