"""What counts against a line, and the movements that change it.

Value moves `reserved → undelivered → unbilled → receivable → paid` and is conserved: each amount stands in exactly
one bucket. All amounts of one exposure are in one currency. `receivable` is signed (unapplied receipts and credit
notes lower it); deposits lower the total, every other bucket raises it (domain 1.2).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum

from .money import convert

ZERO = Decimal("0.00")


class Bucket(StrEnum):
    """Where an amount can stand on a credit account."""

    RESERVED = "reserved"
    UNDELIVERED = "undelivered"
    UNBILLED = "unbilled"
    RECEIVABLE = "receivable"
    BILLS = "bills"
    DEPOSITS = "deposits"


@dataclass(frozen=True)
class Movement:
    """`amount` (above zero) goes from one bucket to another; None is the world outside the account."""

    source: Bucket | None
    target: Bucket | None
    amount: Decimal

    def __post_init__(self) -> None:
        if self.amount <= 0 or self.source == self.target:
            raise ValueError(f"no movement: {self.source} to {self.target}, {self.amount}")


@dataclass(frozen=True)
class Exposure:
    """The buckets of one account in one currency."""

    reserved: Decimal = ZERO
    undelivered: Decimal = ZERO
    unbilled: Decimal = ZERO
    receivable: Decimal = ZERO
    bills: Decimal = ZERO
    deposits: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What counts against the line: every bucket, less deposits held."""
        return self.reserved + self.undelivered + self.unbilled + self.receivable + self.bills - self.deposits

    def after(self, movement: Movement) -> "Exposure":
        """The exposure once the movement is made."""
        changes: dict[str, Decimal] = {}
        if movement.source:
            changes[movement.source] = getattr(self, movement.source) - movement.amount
        if movement.target:
            changes[movement.target] = getattr(self, movement.target) + movement.amount
        return replace(self, **changes)

    def converted(self, rate: Decimal) -> "Exposure":
        """The same exposure in another currency, each bucket rounded once, half up."""
        return Exposure(**{field.name: convert(getattr(self, field.name), rate) for field in fields(self)})

    def __add__(self, other: "Exposure") -> "Exposure":
        return Exposure(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def replay(movements: Iterable[Movement]) -> Exposure:
    """The exposure that the movements leave behind, from an empty account."""
    exposure = Exposure()
    for movement in movements:
        exposure = exposure.after(movement)
    return exposure


STAGES = (Bucket.RESERVED, Bucket.UNDELIVERED, Bucket.UNBILLED)
"""The stages an order's value passes before it is billed, in order."""


@dataclass(frozen=True)
class OrderValue:
    """Where the value of one order stands; the parts always add up to the order's amount (I-5)."""

    reserved: Decimal = ZERO
    undelivered: Decimal = ZERO
    unbilled: Decimal = ZERO
    billed: Decimal = ZERO
    released: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """What is neither billed nor released yet."""
        return self.reserved + self.undelivered + self.unbilled


def take(value: OrderValue, amount: Decimal, stages: tuple[Bucket, ...]) -> tuple[tuple[Bucket, Decimal], ...]:
    """`amount` of the order's value taken from the stages given, the first one first; at most what stands there."""
    taken = []
    for stage in stages:
        part = min(getattr(value, stage), amount)
        if part > 0:
            taken.append((stage, part))
            amount -= part
    return tuple(taken)


def deliver(value: OrderValue, amount: Decimal) -> tuple[Movement, ...]:
    """Goods leave: reserved and undelivered value becomes delivered, not yet billed."""
    stages = (Bucket.RESERVED, Bucket.UNDELIVERED)
    return tuple(Movement(stage, Bucket.UNBILLED, part) for stage, part in take(value, amount, stages))


def bill(value: OrderValue, amount: Decimal) -> tuple[Movement, ...]:
    """An invoice is issued: delivered value first, then what was billed ahead of delivery, leaves the order's stages.

    The invoice itself enters `receivable`; where it is larger than the order's value the rest comes from outside.
    """
    stages = (Bucket.UNBILLED, Bucket.UNDELIVERED, Bucket.RESERVED)
    moved = tuple(Movement(stage, Bucket.RECEIVABLE, part) for stage, part in take(value, amount, stages))
    rest = amount - sum((movement.amount for movement in moved), ZERO)
    return (*moved, Movement(None, Bucket.RECEIVABLE, rest)) if rest > 0 else moved


def unbill(billing: Iterable[Movement], billed: Decimal) -> tuple[Movement, ...]:
    """The invoice that made these movements is taken back: its value goes back to the order it came from.

    What had been delivered waits to be billed again; what was billed ahead of delivery waits to be delivered or
    cancelled, without a day on which it would expire. At most `billed`, what of the order still counts as billed.
    """
    back = []
    for movement in billing:
        part = min(movement.amount, billed)
        if movement.source in STAGES and part > 0:
            stage = Bucket.UNBILLED if movement.source is Bucket.UNBILLED else Bucket.UNDELIVERED
            back.append(Movement(Bucket.RECEIVABLE, stage, part))
            billed -= part
    return tuple(back)


def cancel(value: OrderValue, amount: Decimal) -> tuple[Movement, ...]:
    """Value that will not be delivered leaves the account; delivered goods cannot be cancelled, only credited."""
    stages = (Bucket.RESERVED, Bucket.UNDELIVERED)
    return tuple(Movement(stage, None, part) for stage, part in take(value, amount, stages))
