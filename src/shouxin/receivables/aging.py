"""The ageing report: open items of a day laid into the policy's buckets, by customer, grade, industry or salesperson.

The totals of each currency are held against the ledger, which is added up from the papers alone (invoices less
receipts), so that a report that lost an item says so. Items are added up in the database (`aged`); where that takes
long, what was worked out is kept and told with its moment (`lib.kept`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from django.db.models import Q, Sum
from pydantic import TypeAdapter

from shouxin.customers.models import Customer
from shouxin.lib import kept
from shouxin.lib.numbers import whole
from shouxin.office import sight
from shouxin.office.models import Person
from shouxin.office.refusals import NotVisible
from shouxin.rules import aging as rule
from shouxin.rules.aging import Aged, Basis, Bucket, OpenItem
from shouxin.rules.industries import INDUSTRIES

from . import aged
from .models import Invoice, Receipt

By = Literal["customer", "grade", "industry", "sales"]
BY: tuple[str, ...] = get_args(By)
BASES: tuple[str, ...] = get_args(Basis)
ZERO = Decimal("0.00")
ROWS_MAX = 10_000
"""How many groups of a currency, customers or items are told at most, the largest; sums are always of all."""


@dataclass(frozen=True)
class Row:
    """One group in one currency: `key` is the customer's or salesperson's id, the grade or the industry ("": none)."""

    key: str
    label: str
    aged: Aged


@dataclass(frozen=True)
class Report:
    """The ageing of a day. `ledger` is what invoices less receipts come to per currency, counted on its own.

    `rows` are the largest groups of each currency, the largest total first; `groups` says how many there are.
    """

    as_of: date
    basis: Basis
    by: By
    buckets: tuple[Bucket, ...]
    rows: Mapping[str, Sequence[Row]]
    totals: dict[str, Aged]
    ledger: dict[str, Decimal]
    groups: dict[str, int]

    @property
    def all_rows(self) -> list[Row]:
        """The groups of every currency, currency by currency."""
        return [row for currency in sorted(self.rows) for row in self.rows[currency]]

    @property
    def ties(self) -> bool:
        """Whether every currency's total equals the ledger, to the cent."""
        totals = {currency: aged.total for currency, aged in self.totals.items()}
        return all(
            totals.get(currency, ZERO) == self.ledger.get(currency, ZERO) for currency in {*totals, *self.ledger}
        )


def report(
    *,
    as_of: date,
    up_to: Iterable[int],
    by: By = "customer",
    basis: Basis = "due",
    seen_by: Person | None,
    today: date,
    rows_max: int | None = ROWS_MAX,
) -> Report:
    """The ageing as `as_of` closed, of the customers that `seen_by` sees today (None: of all).

    `up_to` are the policy's bucket bounds in days. Rows come with the largest total first, per currency.
    """
    bounds = tuple(up_to)
    customers = _seen(seen_by, today)
    asked: dict[str, Any] = {"as_of": as_of, "up_to": bounds, "basis": basis}
    groups, totals, counts = aged.sheets(customers, by=by, rows_max=rows_max, **asked)
    labels = labels_of(by, {key for rows in groups.values() for key, _sheet in rows})
    return Report(
        as_of=as_of,
        basis=basis,
        by=by,
        buckets=rule.bucket_labels(bounds),
        rows={
            currency: [Row(key, labels.get(key, key), sheet) for key, sheet in groups[currency]]
            for currency in sorted(groups)
        },
        totals=totals,
        ledger=ledger(customers, as_of=as_of),
        groups=counts,
    )


# --- told at once while that is quick, else as it was kept ----------------------------------------


@dataclass(frozen=True)
class Told:
    """What the reader gets, as of `at`; None while it is worked out for the first time. `live`: read from the books."""

    report: Report | None
    at: datetime
    live: bool


class _KeptRows(Sequence[Row]):
    """The groups of a currency as they were kept: ten thousand are read at once, and made into rows one by one."""

    def __init__(self, text: str, like: Aged) -> None:
        self._rows, self._like = json.loads(text), like

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[n] for n in range(*at.indices(len(self)))]
        key, label, buckets, amounts, counts = self._rows[at]
        told = zip((*_AMOUNTS, *_COUNTS), (*map(Decimal, amounts), *counts), strict=True)
        like = {"currency": self._like.currency, "as_of": self._like.as_of, "basis": self._like.basis}
        return Row(key, label, Aged(buckets=tuple(map(Decimal, buckets)), **like, **dict(told)))


_AMOUNTS = ("unapplied", "total", "overdue", "contested")
_COUNTS = ("oldest_overdue_days", "count", "fallbacks", "later")


def _plain(rows: Iterable[Row]) -> str:
    """Groups as `_KeptRows` reads them."""
    return json.dumps(
        [
            [
                row.key,
                row.label,
                [str(amount) for amount in row.aged.buckets],
                [str(getattr(row.aged, name)) for name in _AMOUNTS],
                [getattr(row.aged, name) for name in _COUNTS],
            ]
            for row in rows
        ]
    )


_REPORT = TypeAdapter(Report)


def told(
    *, as_of: date, up_to: Iterable[int], by: By, basis: Basis, seen_by: Person, today: date, at: datetime
) -> Told:
    """The report, never later than a reader waits: from the books while they are quickly read, else as kept.

    A kept report of yesterday is told as today's until the worker has the new one: it names its own day.
    """
    asked = {"by": by, "basis": basis, "up_to": list(up_to), **_whose(seen_by, today)}
    found = _kept("report_kept", asked, as_of, today, at)
    if found.content is None:
        return Told(None, found.at, found.live)
    head = _REPORT.validate_python(found.content["head"])
    rows = {currency: _KeptRows(text, head.totals[currency]) for currency, text in found.content["rows"].items()}
    return Told(replace(head, rows=rows), found.at, found.live)


def report_kept(**asked: Any) -> dict[str, Any]:
    """The report as plain values: its head, and of each currency the groups in one text."""
    found = report(**_understood(asked))
    return {
        "head": _REPORT.dump_python(replace(found, rows={}), mode="json"),
        "rows": {currency: _plain(rows) for currency, rows in found.rows.items()},
    }


def customers_behind(
    bucket: aged.Bucket, currency: str, key: str | None, *, as_of: date, up_to: Iterable[int], by: By, basis: Basis,
    seen_by: Person, today: date, at: datetime,
) -> kept.Told:  # fmt: skip
    """The customers behind a figure of the report (key None: of its total): rows as `aged.behind` gives them."""
    asked = {"by": by, "basis": basis, "up_to": list(up_to), **_whose(seen_by, today)}
    asked |= {"bucket": bucket, "currency": currency, "key": key}
    return _kept("behind_kept", asked, as_of, today, at)


def behind_kept(bucket: aged.Bucket, currency: str, key: str | None, **asked: Any) -> list[list[Any]]:
    """The customers behind a figure as plain values, amounts as text."""
    known = _understood(asked)
    by, seen_by, today = known.pop("by"), known.pop("seen_by"), known.pop("today")
    found = aged.behind(bucket, currency, _seen(seen_by, today), group=(by, key), rows_max=ROWS_MAX + 1, **known)
    return [[pk, name, str(amount), items, days] for pk, name, amount, items, days in found]


def _whose(seen_by: Person, today: date) -> dict[str, Any]:
    """Who looks, as a kept figure knows it: all who see every customer share theirs."""
    return {"seen_by": seen_by.pk if sight.customers_seen_by(seen_by, today) else None}


def _kept(name: str, asked: dict[str, Any], as_of: date, today: date, at: datetime) -> kept.Told:
    """Each question has a place of its own; that about today has the same one tomorrow."""
    question = json.dumps([asked, None if as_of == today else as_of.isoformat()], sort_keys=True)
    scope = hashlib.sha256(question.encode()).hexdigest()[:32]
    days = {"as_of": as_of.isoformat(), "today": today.isoformat()}
    return kept.read(f"{__name__}.{name}", scope=scope, at=at, **asked, **days)


def _understood(asked: dict[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(asked[name]) for name in ("as_of", "today")}
    person = Person.objects.get(pk=asked["seen_by"]) if asked["seen_by"] else None
    return asked | days | {"seen_by": person, "up_to": tuple(asked["up_to"])}


# --- whose ---------------------------------------------------------------------------------------


def _seen(person: Person | None, today: date) -> list[int] | None:
    """The ids of the customers the person sees; None: all."""
    condition = sight.customers_seen_by(person, today) if person else Q()
    return list(Customer.objects.filter(condition).values_list("pk", flat=True)) if condition else None


def labels_of(by: By, keys: Iterable[str]) -> dict[str, str]:
    """Key -> what a reader sees."""
    named = {pk for pk in map(whole, keys) if pk is not None} if by in ("customer", "sales") else set()
    if by == "customer":
        return {str(pk): name for pk, name in Customer.objects.filter(pk__in=named).values_list("pk", "name")}
    if by == "sales":
        return {str(person.pk): str(person) for person in Person.objects.filter(pk__in=named)}
    if by == "industry":
        return {key: zh for key, (zh, _en) in INDUSTRIES.items()}
    return {}


def group_named(by: By, key: str, *, seen_by: Person, today: date) -> str:
    """What a reader sees of one group, "" for those in none.

    Raises NotVisible for a customer out of her sight, and a salesperson none of whose customers she sees.
    """
    if by == "customer" and not visible_customer(key, seen_by=seen_by, today=today):
        raise NotVisible
    seen = Customer.objects.filter(sight.customers_seen_by(seen_by, today))
    if by == "sales" and key and not seen.filter(salesperson=whole(key) or 0).exists():
        raise NotVisible
    return labels_of(by, [key]).get(key, key)


def ledger(customers: Iterable[int] | None, *, as_of: date) -> dict[str, Decimal]:
    """Currency -> invoices dated up to the day less receipts up to the day, whatever was matched with what."""
    whose = Q() if customers is None else Q(customer__in=list(customers))
    found: dict[str, Decimal] = {}
    for model, day, sign in ((Invoice, "dated_on", 1), (Receipt, "received_on", -1)):
        rows = model.objects.filter(whose, **{f"{day}__lte": as_of}).order_by().values_list("currency")
        for currency, amount in rows.annotate(sum=Sum("amount")):
            found[currency] = found.get(currency, ZERO) + sign * amount
    return found


def items_in(
    bucket: aged.Bucket,
    *,
    as_of: date,
    up_to: Iterable[int],
    basis: Basis,
    currency: str,
    customers: Iterable[int] | None,
) -> list[OpenItem]:
    """The largest open items of one bucket in a currency, one more than ROWS_MAX where there are more."""
    asked: dict[str, Any] = {"as_of": as_of, "up_to": tuple(up_to), "basis": basis}
    return aged.items(bucket, currency, customers, rows_max=ROWS_MAX + 1, **asked)


def buckets_of(up_to: Iterable[int]) -> tuple[Bucket, ...]:
    """The ranges of days of the policy's buckets."""
    return rule.bucket_labels(tuple(up_to))


def visible_customer(key: str, *, seen_by: Person, today: date) -> list[int]:
    """The customer whose id is `key`, alone in a list; nobody where the person may not see it or there is none."""
    if (pk := whole(key)) is None:
        return []
    return list(Customer.objects.filter(sight.customers_seen_by(seen_by, today), pk=pk).values_list("pk", flat=True))
