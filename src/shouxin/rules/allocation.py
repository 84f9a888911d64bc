"""Which debts a payment settles, in the order of Civil Code art. 560, and within one debt of art. 561.

What the debtor named when paying comes first. The rest goes to debts already due, then to the least secured, the most
burdensome, the earliest due; debts equal in all of these share in proportion. Parties may agree otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Literal, NamedTuple

from .money import share_out

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Debt:
    """One claim a payment may settle; `open` is what is left of it, never negative.

    `secured` is the share of it that security covers (0 none, 1 whole). `burden` is the yearly rate that lateness
    costs the debtor. `named`: the debtor designated it when paying.
    """

    key: str
    due_on: date
    open: Decimal
    secured: Decimal = ZERO
    burden: Decimal = ZERO
    named: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """What one debt receives of a payment, and by which step of art. 560."""

    key: str
    amount: Decimal
    why: Literal["named", "due", "not_due"]


class Allocation(NamedTuple):
    """A payment taken apart: shares in the order they were served (none of them zero), and what is left over."""

    shares: tuple[Share, ...]
    left: Decimal


def allocate(payment: Decimal, debts: Sequence[Debt], *, paid_on: date) -> Allocation:
    """Spread a payment over debts in the order of Civil Code art. 560 (a debt falls due on its due date itself).

    Amounts are in one currency, to the cent; shares and the rest add up to the payment, and no debt receives more than
    is open. Raises ValueError for a negative payment or debt.
    """
    if payment < 0 or any(debt.open < 0 for debt in debts):
        raise ValueError("a payment and the debts it settles cannot be negative")
    left, shares = payment, list[Share]()
    for _, equals in groupby(sorted(debts, key=lambda debt: _rank(debt, paid_on)), lambda debt: _rank(debt, paid_on)):
        served = _serve(left, tuple(equals), paid_on)
        left -= sum((share.amount for share in served), ZERO)
        shares += served
    return Allocation(tuple(shares), left)


def _rank(debt: Debt, paid_on: date) -> tuple[bool, bool, Decimal, Decimal, date]:
    """Served earlier is smaller: named, due, least secured, most burdensome, earliest due."""
    return (not debt.named, debt.due_on > paid_on, debt.secured, -debt.burden, debt.due_on)


def _serve(payment: Decimal, equals: tuple[Debt, ...], paid_on: date) -> list[Share]:
    """The shares of debts that stand equal: all in full, or in proportion to what is open."""
    owed = [debt.open for debt in equals]
    amounts = owed if sum(owed, ZERO) <= payment else share_out(payment, owed)
    return [
        Share(debt.key, amount, _why(debt, paid_on)) for debt, amount in zip(equals, amounts, strict=True) if amount
    ]


def _why(debt: Debt, paid_on: date) -> Literal["named", "due", "not_due"]:
    if debt.named:
        return "named"
    return "due" if debt.due_on <= paid_on else "not_due"


class Parts(NamedTuple):
    """One debt's parts: the cost of recovering it, interest, and the principal."""

    costs: Decimal
    interest: Decimal
    principal: Decimal


class Settlement(NamedTuple):
    """A payment on one debt: what each part received, what each still owes, and what is left of the payment."""

    paid: Parts
    open: Parts
    left: Decimal


PART_ORDER: tuple[str, ...] = Parts._fields
"""Civil Code art. 561: costs, then interest, then principal."""


def within_debt(payment: Decimal, owed: Parts, *, order: Sequence[str] = PART_ORDER) -> Settlement:
    """Settle the parts of one debt in the order of Civil Code art. 561, or another that was agreed (`order`).

    Principal paid first leaves the interest and costs claimed so far standing.
    """
    if payment < 0 or min(owed) < 0:
        raise ValueError("a payment and the parts it settles cannot be negative")
    left, paid = payment, dict.fromkeys(PART_ORDER, ZERO)
    for part in order:
        paid[part] = min(left, getattr(owed, part))
        left -= paid[part]
    still = {part: getattr(owed, part) - paid[part] for part in PART_ORDER}
    return Settlement(Parts(**paid), Parts(**still), left)
