"""What a review has found of one customer's year, as it is kept and read back: values without any query (B2.4)."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pydantic import TypeAdapter

from shouxin.rules.annual_review import Proposal, Year

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Payment:
    """How the year was paid. Shares are fractions of one; days weighed by amount; None where nothing fell due.

    `days_sales`: what is owed, in days of the year's sales. `aged`: what is overdue for more than a year.
    """

    on_time_by_count: Decimal | None = None
    mean_days_late: Decimal | None = None
    late_payments: int = 0
    invoices: int = 0
    owed: Decimal = ZERO
    contested: Decimal = ZERO
    days_sales: Decimal | None = None
    aged: Decimal = ZERO


@dataclass(frozen=True)
class PointsMoved:
    """One question of the card, by the key of its fact: the points it earned before (None: not asked) and now."""

    fact: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True)
class Score:
    """The score sheet beside the one before the year; None where there is none."""

    points: Decimal | None = None
    before: Decimal | None = None
    coverage: Decimal | None = None
    before_on: date | None = None
    answers: tuple[PointsMoved, ...] = ()


@dataclass(frozen=True)
class Balance:
    """Figures and readings of one balance-sheet day, by key."""

    as_of: date
    values: dict[str, Decimal | None]


@dataclass(frozen=True)
class Happened:
    """Something noted in the year. `what`: a fact's key, a standing, the cause of a line; `said`: its value or why."""

    on: date
    what: str
    said: str = ""
    ended: bool = False


@dataclass(frozen=True)
class Secured:
    """A security in force on the last day."""

    kind: str
    document: str
    value: Decimal
    currency: str
    until: date | None


@dataclass(frozen=True)
class Found:
    """All that the report of one customer says, in `currency` unless stated otherwise."""

    currency: str
    year: Year
    proposal: Proposal
    peak_on: date | None = None
    payment: Payment = field(default_factory=Payment)
    score: Score = field(default_factory=Score)
    balances: tuple[Balance, ...] = ()
    outside: tuple[Happened, ...] = ()
    standings: tuple[Happened, ...] = ()
    lines: tuple[Happened, ...] = ()
    changes: tuple[Happened, ...] = ()
    securities: tuple[Secured, ...] = ()


FOUND: TypeAdapter[Found] = TypeAdapter(Found)
"""To keep what was found as JSON, and to read it back."""
