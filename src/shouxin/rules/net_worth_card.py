"""The net-worth card: each answer adds or takes a share of net worth; together they are a limit (domain 1.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .policy import CardItem
from .scorecard import Fact, Value, band_of, is_known


@dataclass(frozen=True)
class Added:
    """One line of the net-worth card answered; the share is 0 where the fact is not known, and `known` False."""

    item: str
    fact: str
    value: Value
    share: Decimal
    known: bool


def additions(card: Sequence[CardItem], facts: Mapping[str, Fact], today: date) -> tuple[Added, ...]:
    """The net-worth card answered from the facts; an answer outside every band counts as not known."""
    return tuple(_added(item, facts.get(item.fact), today) for item in card)


def _added(item: CardItem, fact: Fact | None, today: date) -> Added:
    value = fact.value if fact and is_known(fact, today) else None
    band = band_of(item.bands, value)
    return Added(item.key, item.fact, value, band.share if band else Decimal(0), band is not None)
