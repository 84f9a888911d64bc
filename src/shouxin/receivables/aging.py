"""The ageing report: open items of a day laid into the policy's buckets, by customer, grade, industry or salesperson.

The totals of each currency are held against the ledger, which is added up from the papers alone (invoices less
receipts), so that a report that lost an item says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from shouxin.credit import lines
from shouxin.customers.models import Customer
from shouxin.office import sight
from shouxin.office.models import Person
from shouxin.rules import aging as rule
from shouxin.rules.aging import Aged, Basis, Bucket, OpenItem
from shouxin.rules.industries import INDUSTRIES

from . import owed
from .models import Invoice, Receipt

By = Literal["customer", "grade", "industry", "sales"]
BY: tuple[str, ...] = get_args(By)
BASES: tuple[str, ...] = get_args(Basis)
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Row:
    """One group in one currency: `key` is the customer's or salesperson's id, the grade or the industry ("": none)."""

    key: str
    label: str
    aged: Aged


@dataclass(frozen=True)
class Report:
    """The ageing of a day. `ledger` is what invoices less receipts come to per currency, counted on its own."""

    as_of: date
    basis: Basis
    by: By
    buckets: tuple[Bucket, ...]
    rows: tuple[Row, ...]
    totals: dict[str, Aged]
    ledger: dict[str, Decimal]

    @property
    def ties(self) -> bool:
        """Whether every currency's total equals the ledger, to the cent."""
        totals = {currency: aged.total for currency, aged in self.totals.items()}
        return all(
            totals.get(currency, ZERO) == self.ledger.get(currency, ZERO) for currency in {*totals, *self.ledger}
        )


def report(
    *, as_of: date, up_to: Iterable[int], by: By = "customer", basis: Basis = "due", seen_by: Person | None, today: date
) -> Report:
    """The ageing as `as_of` closed, of the customers that `seen_by` sees today (None: of all).

    `up_to` are the policy's bucket bounds in days. Rows come with the largest total first, per currency.
    """
    bounds = tuple(up_to)
    customers = _seen(seen_by, today)
    key = _key(by, customers, as_of)
    items = list(owed.open_items(customers, as_of=as_of))
    groups = rule.age_by(items, key, up_to=bounds, as_of=as_of, basis=basis)
    return Report(
        as_of=as_of,
        basis=basis,
        by=by,
        buckets=rule.bucket_labels(bounds),
        rows=_rows(groups, labels_of(by, groups)),
        totals=rule.age(items, up_to=bounds, as_of=as_of, basis=basis),
        ledger=ledger(customers, as_of=as_of),
    )


def _seen(person: Person | None, today: date) -> list[int] | None:
    """The ids of the customers the person sees; None: all."""
    condition = sight.customers_seen_by(person, today) if person else Q()
    return list(Customer.objects.filter(condition).values_list("pk", flat=True)) if condition else None


def _key(by: By, customers: list[int] | None, as_of: date) -> Callable[[OpenItem], str]:
    if by == "customer":
        return lambda item: item.customer
    known = _groups(by, customers, as_of)
    return lambda item: known.get(int(item.customer), "")


def _groups(by: By, customers: list[int] | None, as_of: date) -> dict[int, str]:
    """Customer id -> the group it belongs to."""
    found = Customer.objects.all() if customers is None else Customer.objects.filter(pk__in=customers)
    if by == "grade":
        held = lines.in_force(found.values_list("pk", flat=True), on=as_of)
        return {pk: str(each.grade or "") for pk, each in held.items()}
    column = "industry" if by == "industry" else "salesperson_id"
    return {pk: str(value or "") for pk, value in found.values_list("pk", column)}


def labels_of(by: By, keys: Iterable[str]) -> dict[str, str]:
    """Key -> what a reader sees."""
    named = {int(key) for key in keys if key.isdecimal()} if by in ("customer", "sales") else set()
    if by == "customer":
        return {str(pk): name for pk, name in Customer.objects.filter(pk__in=named).values_list("pk", "name")}
    if by == "sales":
        return {str(person.pk): str(person) for person in Person.objects.filter(pk__in=named)}
    if by == "industry":
        return {key: zh for key, (zh, _en) in INDUSTRIES.items()}
    return {}


def _rows(groups: dict[str, dict[str, Aged]], labels: dict[str, str]) -> tuple[Row, ...]:
    rows = [
        Row(key, labels.get(key, key) or str(_("(none)")), aged)
        for key, by_currency in groups.items()
        for aged in by_currency.values()
        if aged.count
    ]
    return tuple(sorted(rows, key=lambda row: (row.aged.currency, -row.aged.total, row.label)))


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
    bucket: int | str | None,
    *,
    as_of: date,
    up_to: Iterable[int],
    basis: Basis,
    currency: str,
    customers: Iterable[int] | None,
) -> list[OpenItem]:
    """The open items of one bucket (None: unapplied money and credit notes; "all") in a currency, the largest first."""
    bounds = tuple(up_to)
    found = [
        item
        for item in owed.open_items(customers, as_of=as_of)
        if item.currency == currency and bucket in ("all", bucket_of(item, bounds, as_of, basis))
    ]
    return sorted(found, key=lambda item: -abs(item.amount))


def bucket_of(item: OpenItem, up_to: tuple[int, ...], as_of: date, basis: Basis) -> int | None:
    """The number of the item's bucket; None for a credit, which stands beside the buckets."""
    if item.amount < 0:
        return None
    days = item.overdue_days(as_of) if basis == "due" else (as_of - item.dated_on).days
    return rule.bucket_of(up_to, days)


def buckets_of(up_to: Iterable[int]) -> tuple[Bucket, ...]:
    """The ranges of days of the policy's buckets."""
    return rule.bucket_labels(tuple(up_to))


def customers_in(by: By, key: str | None, *, seen_by: Person, as_of: date, today: date) -> list[int] | None:
    """The customers of one group of the report (key None: of all) among those the person sees; None: everybody."""
    customers = _seen(seen_by, today)
    if key is None:
        return customers
    if by == "customer":
        known = key.isascii() and key.isdigit() and len(key) < 19
        return [pk for pk in [int(key) if known else 0] if customers is None or pk in set(customers)]
    return [pk for pk, group in _groups(by, customers, as_of).items() if group == key]
