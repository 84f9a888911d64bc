"""What a customer is trusted with: a limit, and the line that carries it from a day on (clause B2.1).

A limit is one of four different things, and none is ever read as another: `unset`, nobody has decided yet;
`none`, decided: no credit, cash only; `amount`, credit up to that much; `unlimited`, credit without bound.
A missing amount is therefore never taken for zero, nor for infinity.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from .days import later
from .policy import Discount, Grade, Policy

LimitKind = Literal["unset", "none", "amount", "unlimited"]
KINDS: tuple[LimitKind, ...] = ("unset", "none", "amount", "unlimited")
ZERO = Decimal(0)


def begins_by(policy: Policy, today: date) -> date:
    """The last day on which a line that is asked for or taken over today may begin."""
    return later(today, policy.lines.ahead_days_max)


@dataclass(frozen=True)
class Limit:
    """How much a customer may owe, in the currency of its line; `amount` stands beside the kind `amount` alone.

    Raises ValueError for an unknown kind, an amount without its kind or a kind without its amount, and for an amount
    below zero or not finite.
    """

    kind: LimitKind
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of limit: {self.kind!r}")
        if (self.kind == "amount") != (self.amount is not None):
            raise ValueError("a limit has an amount if, and only if, its kind is 'amount'")
        if self.amount is not None and not (self.amount.is_finite() and self.amount >= 0):
            raise ValueError(f"a limit is an amount from 0 upwards, not {self.amount}")

    @classmethod
    def unset(cls) -> "Limit":
        """Nobody has decided yet."""
        return cls("unset")

    @classmethod
    def none(cls) -> "Limit":
        """Decided: no credit; the customer pays before delivery."""
        return cls("none")

    @classmethod
    def of(cls, amount: Decimal) -> "Limit":
        """Credit up to an amount; an amount of 0 is no credit, and says so by its kind."""
        return cls("amount", amount) if amount else cls("none")

    @classmethod
    def unlimited(cls) -> "Limit":
        """Credit without bound."""
        return cls("unlimited")

    @property
    def bound(self) -> Decimal | None:
        """The most that may be owed, where a limit says so: its amount, or 0 for no credit.

        None where there is no such number; ask `kind` which of unset and unlimited it is.
        """
        return ZERO if self.kind == "none" else self.amount

    @property
    def gives_credit(self) -> bool:
        """Whether anything at all may be owed under this limit."""
        return self.kind == "unlimited" or (self.bound or ZERO) > 0


def reach(limit: Limit) -> Decimal:
    """How far a limit goes, for comparison only: unlimited is farther than any amount."""
    return Decimal("Infinity") if limit.kind == "unlimited" else limit.amount or ZERO


def room(limit: Limit, exposure: Decimal) -> Limit:
    """What is left of a limit beside an exposure, itself a limit: never below zero, unset and unlimited as they were.

    A negative exposure (the customer has paid in advance) adds to the room.
    """
    return limit if limit.bound is None else Limit.of(max(ZERO, limit.bound - exposure))


def allows(limit: Limit, exposure_after: Decimal) -> bool:
    """Whether a limit holds an exposure: equal passes, one cent more does not (domain 1.2).

    Under an unset limit nothing may be owed: that nobody has decided is no permission.
    """
    return limit.kind == "unlimited" or exposure_after <= (limit.bound or ZERO)


@dataclass(frozen=True)
class Line:
    """What a customer is trusted with from `since` to `until`, both days included; None runs on until replaced.

    `grade` is None where a limit was taken over without a rating. `term_days` are days from the base event. `signed` is
    its place in the order of signatures.
    """

    grade: Grade | None
    limit: Limit
    currency: str
    term_days: int
    discount: Discount | None
    since: date
    until: date | None = None
    signed: int = 0


def takes_away(
    limit: Limit, grade: Grade | None, currency: str, *, planned: Limit, planned_grade: Grade | None, planned_in: str
) -> bool:
    """Whether a line signed later trusts less than one signed before it for a later day: less far, under a worse grade,
    or in a currency in which the two cannot be compared. Then what was planned must not undo it (B2.5)."""
    worse = grade is not None and planned_grade is not None and grade.worse_than(planned_grade)
    return worse or currency != planned_in or reach(limit) < reach(planned)


def in_force(line: Line, on: date, grace_days: int = 0) -> bool:
    """Whether a line holds on a day: begun, and not past its last day by more than the days of grace."""
    return line.since <= on and (line.until is None or on <= later(line.until, grace_days))


def temporary_limit(line: Line | None, temporaries: Iterable[Line], on: date) -> Limit:
    """The temporary lines in force on a day, added up; `none` where there are none. They know no days of grace.

    A cut to "no credit" ends the temporary lines signed before it, whenever they begin (B2.5); one signed after it is a
    decision of its own and counts. Raises ValueError when the currencies differ.
    """
    cut = line.signed if line and line.limit.kind == "none" and line.since <= on else -1
    counted = [temporary for temporary in temporaries if in_force(temporary, on) and temporary.signed > cut]
    if len({each.currency for each in (*counted, *([line] if line else []))}) > 1:
        raise ValueError("a temporary line must be in the currency of the line it stands on")
    if any(temporary.limit.kind == "unlimited" for temporary in counted):
        return Limit.unlimited()
    return Limit.of(sum((temporary.limit.bound or ZERO for temporary in counted), ZERO))


def total_limit(line: Line | None, temporaries: Iterable[Line], on: date, grace_days: int = 0) -> Limit:
    """The limit of a day: that of the line in force, with the temporary lines on top.

    Without a line in force it is unset, or what the temporary lines alone grant.
    """
    base = line.limit if line and in_force(line, on, grace_days) else Limit.unset()
    extra = temporary_limit(line, temporaries, on)
    if not extra.gives_credit or base.kind == "unlimited":
        return base
    if extra.kind == "unlimited":
        return extra
    return Limit.of((base.bound or ZERO) + (extra.bound or ZERO))
