"""How much is owed and how old it is: open instalments laid into buckets, per currency (clause C3.5).

Overdue days are the days from the due date to the day asked about: due today is 0 and not overdue. Buckets are
closed above, so day 30 belongs to the first and day 31 to the second. Money a customer has paid too much stands
beside the buckets, never inside them, so that buckets and unapplied money always add up to the ledger.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal, TypeVar

Basis = Literal["due", "invoice"]
Key = TypeVar("Key", bound=Hashable)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still open of one instalment of one document; a customer's credit is a negative amount.

    `amount` and `contested` are in `currency`; `contested` is the part of a positive amount that is in dispute.
    """

    customer: str
    document: str
    instalment: int
    due_on: date | None
    dated_on: date
    amount: Decimal
    currency: str
    contested: Decimal = ZERO

    @property
    def falls_due_on(self) -> date:
        """The due date; an item without one falls due on its document date, so that it is shown and not dropped."""
        return self.due_on or self.dated_on

    @property
    def contested_part(self) -> Decimal:
        """The part in dispute: never more than is open, and nothing of a credit."""
        return max(ZERO, min(self.contested, self.amount))

    @property
    def uncontested(self) -> Decimal:
        """What may be claimed: the open amount without its contested part; nothing of a credit."""
        return max(ZERO, self.amount) - self.contested_part

    def overdue_days(self, as_of: date) -> int:
        """Days past due on that day; 0 on the due date, negative before it."""
        return (as_of - self.falls_due_on).days


@dataclass(frozen=True, slots=True)
class Bucket:
    """The days one bucket holds, both ends included; None is an open end. Bucket 0 ends with day 0: not due."""

    lower: int | None
    upper: int | None


@dataclass(frozen=True, slots=True)
class Aged:
    """One currency's ledger on one day. `sum(buckets) + unapplied == total`, to the cent, always.

    `buckets[0]` is what is not due (by invoice date: dated that day). `overdue` and `oldest_overdue_days` always
    speak of due dates, whichever basis the buckets have. `contested` is contained in the buckets. `fallbacks` counts
    the claims without a due date, `later` counts what is dated after the day asked about and so left out.
    """

    currency: str
    as_of: date
    basis: Basis
    buckets: tuple[Decimal, ...]
    unapplied: Decimal
    total: Decimal
    overdue: Decimal
    oldest_overdue_days: int
    contested: Decimal
    count: int
    fallbacks: int
    later: int

    @property
    def not_due(self) -> Decimal:
        """What is claimed but not past due, whichever basis the buckets have."""
        return self.total - self.unapplied - self.overdue


def bucket_of(up_to: Sequence[int], overdue_days: int) -> int:
    """The number of the bucket for an age in days: 0 is not due, then one per upper bound, the last one open."""
    return 0 if overdue_days <= 0 else bisect_left(up_to, overdue_days) + 1


def bucket_labels(up_to: Sequence[int]) -> tuple[Bucket, ...]:
    """The range of days of every bucket, in the order of their numbers, for the caller to put into words."""
    ranges = [Bucket(before + 1, bound) for before, bound in pairwise((0, *up_to))]
    return (Bucket(None, 0), *ranges, Bucket(up_to[-1] + 1, None))


def open_on(amount: Decimal, settled: Iterable[tuple[date, Decimal]], *, as_of: date) -> Decimal:
    """What was open of an amount at the close of a past day: settlements after that day are ignored."""
    return amount - sum((part for day, part in settled if day <= as_of), ZERO)


@dataclass(slots=True)
class _Sheet:
    """The running totals of one currency while its items are read."""

    buckets: list[Decimal]
    unapplied: Decimal = ZERO
    total: Decimal = ZERO
    overdue: Decimal = ZERO
    oldest: int = 0
    contested: Decimal = ZERO
    count: int = 0
    later: int = 0
    fallbacks: int = 0

    def add(self, item: OpenItem, up_to: Sequence[int], as_of: date, basis: Basis) -> None:
        """Lay one item into its bucket, or beside them when it is a credit."""
        if item.dated_on > as_of:
            self.later += 1
            return
        self.count += 1
        self.total += item.amount
        if item.amount < 0:
            self.unapplied += item.amount
            return
        if item.due_on is None:
            self.fallbacks += 1
        self._claim(item, up_to, as_of, basis)

    def _claim(self, item: OpenItem, up_to: Sequence[int], as_of: date, basis: Basis) -> None:
        days = item.overdue_days(as_of)
        if days > 0 and item.amount:
            self.overdue += item.amount
            self.oldest = max(self.oldest, days)
        if item.contested:
            self.contested += item.contested_part
        age_days = days if basis == "due" else (as_of - item.dated_on).days
        self.buckets[bucket_of(up_to, age_days)] += item.amount

    def aged(self, currency: str, as_of: date, basis: Basis) -> Aged:
        """The totals as a frozen answer."""
        return Aged(
            currency=currency,
            as_of=as_of,
            basis=basis,
            buckets=tuple(self.buckets),
            unapplied=self.unapplied,
            total=self.total,
            overdue=self.overdue,
            oldest_overdue_days=self.oldest,
            contested=self.contested,
            count=self.count,
            fallbacks=self.fallbacks,
            later=self.later,
        )


def age(items: Iterable[OpenItem], *, up_to: Sequence[int], as_of: date, basis: Basis = "due") -> dict[str, Aged]:
    """The ledger by age on a day, one answer per currency: currencies are never added up.

    `basis` says whether the buckets count from the due date (collection) or the document date (audit). The items'
    amounts are what was open at the close of `as_of` (see `open_on`). One pass, one addition per item.
    """
    return age_by(items, lambda item: None, up_to=up_to, as_of=as_of, basis=basis).get(None, {})


def age_by(
    items: Iterable[OpenItem],
    key: Callable[[OpenItem], Key],
    *,
    up_to: Sequence[int],
    as_of: date,
    basis: Basis = "due",
) -> dict[Key, dict[str, Aged]]:
    """The same per group: `key` names an item's customer, grade, industry or salesperson."""
    sheets: dict[Key, dict[str, _Sheet]] = {}
    for item in items:
        group = sheets.setdefault(key(item), {})
        sheet = group.get(item.currency)
        if sheet is None:
            sheet = group[item.currency] = _Sheet([ZERO] * (len(up_to) + 2))
        sheet.add(item, up_to, as_of, basis)
    return {name: _answers(group, as_of, basis) for name, group in sheets.items()}


def _answers(group: dict[str, _Sheet], as_of: date, basis: Basis) -> dict[str, Aged]:
    return {currency: sheet.aged(currency, as_of, basis) for currency, sheet in sorted(group.items())}
