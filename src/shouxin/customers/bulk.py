"""Customers by the thousand: registered, changed and given other names set-based, each with its own trail line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from shouxin.lib import numbering, sealed
from shouxin.office import posts, trail
from shouxin.office.models import Person

from . import search
from .models import Customer, OtherName
from .registry import BANK_FIELDS, CREDIT_OFFICE

_KEPT_OUT_OF_TRAIL = BANK_FIELDS | {"telephone", "email", "id_number"}
_SEARCHED = frozenset(["name", "short_name", "uscc"])


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be registered: its code ('' for the next number), its name, currency and whatever else is known.

    `fields` are names of the model's own fields with values that have been checked.
    """

    name: str
    currency: str
    code: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def require_office(by: Person, *, on: date, at: datetime, verb: str) -> None:
    """Registering many customers is the credit office's duty; raises NotYourDuty for anybody else."""
    if not posts.is_system(by):
        posts.require(by, *CREDIT_OFFICE, on=on, about="customer:", verb=verb, at=at)


@transaction.atomic
def create_customers(
    rows: Sequence[NewCustomer], *, by: Person, on: date, at: datetime, source: str = "import"
) -> list[Customer]:
    """Register them in one statement, in their order. The codes must be free and different.

    Raises NotYourDuty unless the credit office asks, IntegrityError where somebody took a code at this moment.
    """
    require_office(by, on=on, at=at, verb="register")
    if not rows:
        return []
    codes = iter(_free_codes(sum(not row.code for row in rows)))
    made = [
        Customer(
            pk=key, code=row.code or next(codes), name=row.name, currency=row.currency, created_at=at, **row.fields
        )
        for key, row in zip(numbering.ids(Customer, len(rows)), rows, strict=True)
    ]
    for customer in made:
        customer.search_keys = search.keys_of(customer)
    Customer.objects.bulk_create(made, batch_size=2000)
    trail.record_many(
        trail.line("register", about=customer, by=by, at=at, code=customer.code, source=source, **_shown(row.fields))
        for customer, row in zip(made, rows, strict=True)
    )
    return made


@transaction.atomic
def change_customers(
    changes: Sequence[tuple[Customer, Mapping[str, Any]]], *, by: Person, on: date, at: datetime, source: str = "import"
) -> None:
    """Write the fields that differ, each customer with one trail line from what to what; former names stay findable.

    The values have been checked and do differ. Raises NotYourDuty unless the credit office asks.
    """
    require_office(by, on=on, at=at, verb="change_customer")
    if not changes:
        return
    former = [(customer.pk, customer.name) for customer, values in changes if "name" in values]
    lines = []
    for customer, values in changes:
        was = {name: getattr(customer, name) for name in values}
        for name, value in (*values.items(), *sealed.marks(Customer, values).items()):
            setattr(customer, name, value)
        customer.version += 1
        moved = {name: [was[name], value] for name, value in values.items() if name not in _KEPT_OUT_OF_TRAIL}
        hidden = sorted(set(values) & _KEPT_OUT_OF_TRAIL)
        lines.append(trail.line("change_customer", about=customer, by=by, at=at, source=source, hidden=hidden, **moved))
    fields = {name for _customer, values in changes for name in values}
    fields |= set(sealed.marks(Customer, dict.fromkeys(fields, "")))
    Customer.objects.bulk_update([customer for customer, _values in changes], [*fields, "version"], batch_size=1000)
    trail.record_many(lines)
    _write_names(former, source="former", since=on)
    renamed = [customer.pk for customer, values in changes if _SEARCHED & set(values)]
    search.recompute(Customer.objects.filter(pk__in=renamed))


@transaction.atomic
def add_names(names: Iterable[tuple[int, str]], *, by: Person, on: date, at: datetime, source: str = "import") -> int:
    """Let customers be found under other spellings met on papers; answers how many of them were not known."""
    wanted = list(dict.fromkeys(names))
    known = set(OtherName.objects.filter(customer__in={pk for pk, _name in wanted}).values_list("customer_id", "name"))
    new = [pair for pair in wanted if pair not in known]
    if not new:
        return 0
    _write_names(new, source=source[:40], since=on)
    by_customer: dict[int, list[str]] = defaultdict(list)
    for pk, name in new:
        by_customer[pk].append(name)
    trail.record_many(
        trail.line("add_name", about=f"customer:{pk}", customer=pk, by=by, at=at, names=spelt, source=source)
        for pk, spelt in by_customer.items()
    )
    search.recompute(Customer.objects.filter(pk__in=by_customer))
    return len(new)


def _write_names(names: Iterable[tuple[int, str]], *, source: str, since: date) -> None:
    rows = [OtherName(customer_id=pk, name=name, source=source, since=since) for pk, name in names]
    OtherName.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)


def _free_codes(count: int) -> list[str]:
    """The next numbers that no customer has; imports may have brought some of the series along."""
    found: list[str] = []
    while len(found) < count:
        taken = numbering.take("C", count - len(found))
        used = set(Customer.objects.filter(code__in=taken).values_list("code", flat=True))
        found += [code for code in taken if code not in used]
    return found


def _shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail may keep of them (I-24)."""
    return {name: value for name, value in fields.items() if name not in _KEPT_OUT_OF_TRAIL and value not in (None, "")}
