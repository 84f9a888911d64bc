"""Who saw or exported a customer's data: the lines that views and files leave, and the answer (PIPL art. 54, 57).

A file with many customers leaves one line and, beside it, which customers stood in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from shouxin.lib.lists import Listing
from shouxin.rules.days import later
from shouxin.rules.policy import Post

from . import posts, sudo, trail
from .door import acting
from .models import ExportedCustomers, Person, TrailEntry

VIEW, EXPORT, UNMASK, VIEW_ATTACHMENT = "view_file", "export", "unmask", "view_attachment"
SEEING = frozenset({VIEW, EXPORT, UNMASK, VIEW_ATTACHMENT, "view_sheet", "export_personal_data"})
"""The verbs of lines that tell of somebody seeing a customer's data."""
ASKERS = (Post.AUDITOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
PATHS = ("customer", "account__customer", "decision__customer", "instalment__customer")


@dataclass(frozen=True)
class Seen:
    """Somebody saw the customer's data: when, who, how (the verb), in which file, why."""

    at: datetime
    by: str
    verb: str
    what: str
    why: str
    line: int


def record_view(customer: models.Model, *, by: Person, at: datetime, verb: str = VIEW, **particulars: Any) -> None:
    """Somebody opens the customer's credit file. A view that cannot be recorded must not be given."""
    trail.record(verb, about=customer, by=by, at=at, **particulars)


@transaction.atomic
def record_export(customers: Iterable[int], *, what: str, rows: int, by: Person, at: datetime, **told: Any) -> None:
    """A file leaves the house; `customers` are the ids of those who stand in it."""
    entry = trail.record(EXPORT, about=f"list:{what}", by=by, at=at, rows=rows, **told)
    ids = sorted(set(customers))
    if ids:
        ExportedCustomers.objects.create(entry=entry, at=at, customers=ids)


def listing_leaves(sender: Any, listing: Listing, request: HttpRequest, **_signal: Any) -> None:
    """A list is exported: its line is written before the first byte goes. Many rows ask for a fresh proof."""
    call = acting(request)
    sudo.require_for_rows(request, lambda: _rows_of(listing))
    record_export(
        customers_in(listing), what=listing.key, rows=_rows_of(listing),
        by=call["by"], at=call["at"], form=listing.query.get("export"),
    )  # fmt: skip


def customers_in(listing: Listing) -> set[int]:
    """The ids of the customers that stand in a list; empty where it is about none."""
    rows = listing.matching
    if not isinstance(rows, QuerySet):
        return {found for row in rows if (found := _customer_of(row)) is not None}
    path = _path(rows.model)
    return set(rows.order_by().values_list(path, flat=True)) - {None} if path else set()


def seen(customer: int, since: date, until: date) -> list[Seen]:
    """Who saw or exported the customer's data from one day to another, both included, latest first."""
    begin, end = _moment(since), _moment(later(until, 1))
    during = {"at__gte": begin, "at__lt": end}
    own = TrailEntry.objects.filter(customer_id=customer, verb__in=SEEING, **during)
    files = ExportedCustomers.objects.filter(customers__contains=[customer], **during).select_related("entry")
    entries = {entry.pk: entry for entry in (*own, *(each.entry for each in files))}
    return [_seen(entries[pk]) for pk in sorted(entries, reverse=True)]


def asked(customer: models.Model, since: date, until: date, *, by: Person, on: date, at: datetime) -> list[Seen]:
    """The same, for the auditor and the heads; asking leaves a line of its own. Raises NotYourDuty."""
    if not posts.is_system(by):
        posts.require(by, *ASKERS, on=on, about=customer, verb="ask_who_saw", at=at)
    found = seen(customer.pk, since, until)
    trail.record("ask_who_saw", about=customer, by=by, at=at, since=since, until=until, found=len(found))
    return found


def _seen(entry: TrailEntry) -> Seen:
    told = entry.particulars
    what = entry.about.partition(":")[2] if entry.verb == EXPORT else ", ".join(told.get("fields", []))
    return Seen(entry.at, entry.by_name, entry.verb, what or told.get("tab", ""), told.get("why", ""), entry.pk)


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def _path(model: type[models.Model]) -> str:
    """How a row of the model names its customer; "" where it names none."""
    if model._meta.label == "customers.Customer":
        return "pk"
    for path in PATHS:
        try:
            model._meta.get_field(path.partition("__")[0])
        except FieldDoesNotExist:
            continue
        return path
    return ""


def _customer_of(row: Any) -> int | None:
    found = row.get("customer_id") if isinstance(row, dict) else getattr(row, "customer_id", None)
    return int(found) if isinstance(found, int) else None


def _rows_of(listing: Listing) -> int:
    return listing.count if isinstance(listing.matching, QuerySet) else len(listing.matching)
