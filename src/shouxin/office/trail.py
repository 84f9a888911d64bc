"""The trail: one line per act, written in the act's own transaction, never changed afterwards (I-21, I-22)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import models
from django.utils.functional import Promise
from pydantic_core import to_json

from shouxin.lib.statements import append

from .models import Person, TrailEntry
from .refusals import Refusal

LABEL_LENGTH = TrailEntry._meta.get_field("label").max_length


def record(
    verb: str,
    *,
    about: models.Model | str,
    by: Person | None,
    at: datetime,
    customer: models.Model | int | None = None,
    label: str = "",
    **particulars: Any,
) -> TrailEntry:
    """Write one line. Call it inside the transaction of the act, so that both stand or fall together.

    `about` is the thing acted upon (or its `kind:id`), `customer` the customer whose timeline shows the line; left
    out, it is the thing itself or its `customer_id`. Amounts and dates among the particulars are kept as text.
    Never hand over a secret, an identity number or a bank account (I-24).
    """
    entry = line(verb, about=about, by=by, at=at, customer=customer, label=label, **particulars)
    entry.save(force_insert=True)
    return entry


def line(
    verb: str,
    *,
    about: models.Model | str,
    by: Person | None,
    at: datetime,
    customer: models.Model | int | None = None,
    label: str = "",
    **particulars: Any,
) -> TrailEntry:
    """The same line, not yet written: for `record_many`."""
    return TrailEntry(
        at=at,
        by=by,
        by_name=str(by or "")[:80],
        verb=verb,
        about=about if isinstance(about, str) else name_of(about),
        label=(label or _label(about))[:LABEL_LENGTH],
        customer_id=_customer_id(about, customer),
        particulars={name: as_text(value) for name, value in particulars.items()},
    )


BATCH = 2000
COLUMNS = ("at", "by_id", "by_name", "verb", "about", "label", "customer_id")


def record_many(lines: Iterable[TrailEntry]) -> None:
    """Write many lines at once, in the order given."""
    written = list(lines)
    for start in range(0, len(written), BATCH):
        batch = written[start : start + BATCH]
        columns = {name: [getattr(each, name) for each in batch] for name in COLUMNS}
        append(TrailEntry, columns | {"particulars": [to_json(each.particulars).decode() for each in batch]})


def record_columns(
    *,
    verb: list[str],
    about: list[str],
    label: list[str],
    customer_id: list[int | None],
    by: Sequence[Person | None],
    at: datetime,
    particulars: Iterable[Mapping[str, Any]],
) -> None:
    """Write many lines given column by column, in one prepared statement: for the order check, where an object for each
    line would cost more than the line.
    """
    append(
        TrailEntry,
        {
            "at": at,
            "by_id": [person and person.pk for person in by],
            "by_name": [str(person or "")[:80] for person in by],
            "verb": verb,
            "about": about,
            "label": [each[:LABEL_LENGTH] for each in label],
            "customer_id": customer_id,
            "particulars": [to_json(as_text(each)).decode() for each in particulars],
        },
    )


def keep(refusal: Refusal) -> None:
    """Write the line a refusal carries, once. For the faces, after the refused transaction has been rolled back."""
    entry, refusal.trail_line = refusal.trail_line, None
    if entry is not None:
        entry.save(force_insert=True)


def name_of(thing: models.Model) -> str:
    """How the trail names a thing: customer:12, line-request:7."""
    words = re.findall(r"[A-Z][a-z0-9]*", thing.__class__.__name__)  # of what a lazy object stands for
    return f"{'-'.join(words).lower()}:{thing.pk}"


def as_text(value: Any) -> Any:
    """The value as JSON can hold it without loss: amounts, dates, codes and things as text, never a float."""
    match value:
        case None | bool() | Enum() | str() | int():
            return value.value if isinstance(value, Enum) else value
        case Decimal():
            return format(value, "f")
        case date() | datetime():
            return value.isoformat()
        case models.Model():
            return name_of(value)
        case Mapping():
            return {str(key): as_text(each) for key, each in value.items()}
        case set() | frozenset():
            return sorted((as_text(each) for each in value), key=str)
        case list() | tuple():
            return [as_text(each) for each in value]
        case Promise():
            return str(value)
    raise TypeError(f"the trail cannot keep a {type(value).__name__} without loss")


def _customer_id(about: models.Model | str, customer: models.Model | int | None) -> int | None:
    if customer is not None:
        return customer.pk if isinstance(customer, models.Model) else customer
    if isinstance(about, str):
        return None
    return about.pk if about._meta.label == "customers.Customer" else getattr(about, "customer_id", None)


def _label(about: models.Model | str) -> str:
    """What the thing calls itself; nothing where it has no name but its number."""
    return "" if isinstance(about, str) or type(about).__str__ is models.Model.__str__ else str(about)
