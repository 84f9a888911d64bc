"""Papers by the thousand: invoices and receipts from another system, written set-based, with one answer per row.

The natural key of a paper is (customer, source system, document number). A row whose paper is already in the books
with the same content changes nothing; one with other content is refused, because nothing posted is ever edited (A10).
Every chunk is one transaction: accounts locked, papers looked up, rows copied in, exposure posted. The exposure journal
carries the day of posting; the papers keep their own dates.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, reservations
from shouxin.customers.models import Customer
from shouxin.lib import numbering
from shouxin.lib.copying import any_of, copy_in
from shouxin.office import trail
from shouxin.office.models import Person

from . import matching
from .models import Contest, Instalment, Invoice, Match, Receipt
from .papers import (
    DOC_NO_MAX,
    ZERO,
    InvoiceRow,
    Key,
    Outcome,
    ReceiptRow,
    booked_ids,
    booked_invoices,
    fault,
    instalments_of,
    invoice_again,
    is_currency,
    key_of,
    kind_of,
    receipt_again,
    repeated,
)  # fmt: skip
from .posting import into_receivable, require

CHUNK = 5000
R = TypeVar("R", InvoiceRow, ReceiptRow)
Row = InvoiceRow | ReceiptRow


def post_invoices(rows: Iterable[InvoiceRow], *, by: Person | None, at: datetime, today: date) -> list[Outcome]:
    """Post invoices and credit notes with what was settled and contested before; one outcome per row, in order.

    Orders with open reservations are billed out of them. Raises Refusal where `by` may not post.
    """
    return _post("invoice", list(rows), _invoice_chunk, by=by, at=at, today=today)


def post_receipts(
    rows: Iterable[ReceiptRow], *, by: Person | None, at: datetime, today: date, match: bool = True
) -> list[Outcome]:
    """Post receipts and, with `match`, settle what is open in the order of Civil Code art. 560; one outcome per row."""

    def chunk(rows: Sequence[ReceiptRow], posted: "_Context") -> list[Outcome]:
        return _receipt_chunk(rows, posted, match=match)

    return _post("receipt", list(rows), chunk, by=by, at=at, today=today)


@dataclass(frozen=True)
class _Context:
    """Who posts, when, and to which accounts; the accounts are locked."""

    by: Person | None
    at: datetime
    today: date
    accounts: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def account(self, row: Row) -> int:
        return self.accounts[row.customer_id, row.currency]


def _post(
    kind: str,
    rows: Sequence[R],
    chunk: Callable[[Sequence[R], _Context], list[Outcome]],
    *,
    by: Person | None,
    at: datetime,
    today: date,
) -> list[Outcome]:
    require(by, on=today, verb=f"{kind}.post_many", at=at, about=f"{kind}:")
    known = _known_customers(rows)
    if connection.in_atomic_block:  # the caller's transaction spans all chunks: take all locks now, in one order
        _lock([row for row in rows if row.customer_id in known and is_currency(row.currency)])
    outcomes: list[Outcome] = []
    for start in range(0, len(rows), CHUNK):
        with transaction.atomic():
            part = rows[start : start + CHUNK]
            answers = _one_chunk(part, known, chunk, _Context(by, at, today))
            _record(kind, part, answers, by=by, at=at)
        outcomes += answers
    return outcomes


def _known_customers(rows: Iterable[Row]) -> set[int]:
    asked = {row.customer_id for row in rows}
    return set(Customer.objects.filter(pk__in=any_of(asked, "bigint")).values_list("pk", flat=True))


def _lock(rows: Iterable[Row]) -> dict[tuple[int, str], int]:
    return lock_accounts((row.customer_id, row.currency) for row in rows)


def lock_accounts(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Account ids of (customer id, currency) pairs, opened where they did not exist, and locked."""
    accounts = exposure.open_accounts(wanted)
    exposure.lock({customer for customer, _currency in accounts})
    return accounts


def _record(kind: str, rows: Sequence[Row], outcomes: Sequence[Outcome], *, by: Person | None, at: datetime) -> None:
    """One trail line per transaction: about the paper where it is one, else how many there were."""
    states = Counter(outcome.state for outcome in outcomes)
    if not states["posted"]:
        return
    if len(rows) == 1:
        row, about = rows[0], f"{kind}:{outcomes[0].id}"
        particulars = {"amount": row.amount, "currency": row.currency}
        verb = f"{kind}.{SINGLE[kind]}"
        trail.record(verb, about=about, by=by, at=at, customer=row.customer_id, label=row.doc_no, **particulars)
    else:
        trail.record(f"{kind}.post_many", about=f"{kind}:many", by=by, at=at, **states)


SINGLE = {"invoice": "issue", "receipt": "take"}


def _one_chunk(
    rows: Sequence[R],
    known: Collection[int],
    chunk: Callable[[Sequence[R], _Context], list[Outcome]],
    context: _Context,
) -> list[Outcome]:
    """Set the faulty rows aside, post the first row of each key, and judge repetitions by that one."""
    outcomes: list[Outcome | None] = [fault(row, known) for row in rows]
    sound = [number for number, outcome in enumerate(outcomes) if outcome is None]
    if not sound:
        return [outcome for outcome in outcomes if outcome]
    context = _Context(context.by, context.at, context.today, _lock(rows[number] for number in sound))
    first: dict[Key, int] = {}
    for number in sound:
        first.setdefault(key_of(rows[number]), number)
    posted_as = dict(zip(first, chunk([rows[number] for number in first.values()], context), strict=True))
    for key, number in first.items():
        outcomes[number] = posted_as[key]
    return [
        outcome or repeated(row, rows[first[key_of(row)]], posted_as[key_of(row)])
        for row, outcome in zip(rows, outcomes, strict=True)
    ]


# ------------------------------------------------------------------------------------------------------- invoices


def _invoice_chunk(rows: Sequence[InvoiceRow], context: _Context) -> list[Outcome]:
    booked = booked_ids(Invoice, rows)
    contents = booked_invoices(booked.values()) if booked else {}
    new = [row for row in rows if key_of(row) not in booked]
    ids = dict(zip(map(key_of, new), numbering.ids(Invoice, len(new)), strict=True))
    if new:
        _write_invoices(new, ids, context)
    return [
        Outcome("posted", ids[key_of(row)])
        if key_of(row) in ids
        else invoice_again(row, booked[key_of(row)], *contents[booked[key_of(row)]])
        for row in rows
    ]


INVOICE_FIELDS = (
    "id", "account", "customer", "source_system", "doc_no", "kind", "dated_on", "due_on", "amount", "currency",
    "order_no", "contract_no", "description", "at", "by",
)  # fmt: skip


def _write_invoices(rows: Sequence[InvoiceRow], ids: Mapping[Key, int], context: _Context) -> None:
    by = context.by.pk if context.by else None
    copy_in(Invoice, INVOICE_FIELDS, (_invoice_tuple(row, ids[key_of(row)], context, by) for row in rows))
    parts = list(_parts(rows, ids))
    copy_in(
        Instalment,
        ("id", "invoice", "customer", "number", "due_on", "amount", "settled", "contested", "settled_on"),
        (part.as_tuple() for part in parts),
    )
    _write_contests([part for part in parts if part.contested], by)
    _write_settlements([part for part in parts if part.settled], context, by)
    exposure.post(_invoice_entries(rows, context), on=context.today, at=context.at, by=context.by)


def _invoice_tuple(row: InvoiceRow, pk: int, context: _Context, by: int | None) -> tuple[Any, ...]:
    dues = [due for _number, due, _amount in row.instalments if due]
    return (
        pk, context.account(row), row.customer_id, row.source_system, row.doc_no, kind_of(row), row.dated_on,
        max(dues, default=None), row.amount, row.currency, row.order_no[:80], row.contract_no[:80],
        row.description[:200], context.at, by,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """An instalment to be written, with what of it is settled and contested."""

    id: int
    invoice: int
    row: InvoiceRow
    number: int
    due_on: date | None
    amount: Decimal
    settled: Decimal
    contested: Decimal

    @property
    def paid_on(self) -> date:
        return self.row.settled_on or self.row.dated_on

    def as_tuple(self) -> tuple[Any, ...]:
        done = self.paid_on if self.settled == self.amount else None
        return (
            self.id, self.invoice, self.row.customer_id, self.number, self.due_on, self.amount, self.settled,
            self.contested, done,
        )  # fmt: skip


def _parts(rows: Sequence[InvoiceRow], ids: Mapping[Key, int]) -> Iterator[_Part]:
    """The instalments of the rows; what is paid settles the first ones first, what is contested rests on the last."""
    keys = iter(numbering.ids(Instalment, sum(len(instalments_of(row)) for row in rows)))
    for row in rows:
        parts = instalments_of(row)
        settled = _spread(row.paid, [amount for _n, _due, amount in parts])
        contested = _spread(
            row.contested, [amount - done for (_n, _d, amount), done in zip(parts, settled, strict=True)][::-1]
        )
        for (number, due, amount), done, disputed in zip(parts, settled, contested[::-1], strict=True):
            yield _Part(next(keys), ids[key_of(row)], row, number, due, amount, done, disputed)


def _spread(total: Decimal, places: Sequence[Decimal]) -> list[Decimal]:
    """`total` laid into the places one after the other, each filled before the next; signs agree."""
    spread = []
    for place in places:
        part = min(total, place) if place > 0 else max(total, place)
        spread.append(part)
        total -= part
    return spread


def _write_contests(parts: Sequence[_Part], by: int | None) -> None:
    """Disputes that came with the papers; no file says when they began, so they count from the paper's own day."""
    if parts:
        copy_in(
            Contest,
            ("instalment", "amount", "why", "since", "by", "outcome"),
            (
                (part.id, part.contested, str(_("Contested when it was taken over.")), part.row.dated_on, by, "")
                for part in parts
            ),
        )


PAID_PREFIX, UNDATED_PREFIX = "PAID:", "SETTLED:"
"""Receipts that were derived from an invoice row begin so; the second kind's true day is not known."""

RECEIPT_FIELDS = (
    "id", "account", "customer", "source_system", "doc_no", "received_on", "amount", "currency", "payer", "names",
    "applied", "at", "by",
)  # fmt: skip


def _write_settlements(parts: Sequence[_Part], context: _Context, by: int | None) -> None:
    """One receipt per invoice that came with a payment, wholly applied to its instalments on that day."""
    by_invoice: dict[int, list[_Part]] = defaultdict(list)
    for part in parts:
        by_invoice[part.invoice].append(part)
    keys = dict(zip(by_invoice, numbering.ids(Receipt, len(by_invoice)), strict=True))
    copy_in(
        Receipt,
        RECEIPT_FIELDS,
        (_settlement_tuple(keys[invoice], own[0], context, by) for invoice, own in by_invoice.items()),
    )
    copy_in(
        Match,
        ("instalment", "receipt", "amount", "on", "at", "by"),
        ((part.id, keys[part.invoice], part.settled, part.paid_on, context.at, by) for part in parts),
    )


def _settlement_tuple(pk: int, part: _Part, context: _Context, by: int | None) -> tuple[Any, ...]:
    row = part.row
    return (
        pk, context.account(row), row.customer_id, row.source_system, settlement_doc_no(row), part.paid_on, row.paid,
        row.currency, "", json.dumps([row.doc_no]), row.paid, context.at, by,
    )  # fmt: skip


def settlement_doc_no(row: InvoiceRow) -> str:
    """The number of the receipt that an invoice row's own payment becomes."""
    number = (PAID_PREFIX if row.settled_on else UNDATED_PREFIX) + row.doc_no
    return number if len(number) <= DOC_NO_MAX else number[:63] + "~" + sha256(row.doc_no.encode()).hexdigest()[:16]


def _invoice_entries(rows: Sequence[InvoiceRow], context: _Context) -> list[exposure.Entry]:
    """The journal's entries: every paper into (a credit note out of) `receivable`, orders out of their reservations."""
    sold = {(context.account(row), row.order_no) for row in rows if row.order_no and row.amount > 0}
    taken_back = {(context.account(row), row.order_no) for row in rows if row.order_no and row.amount < 0}
    orders = reservations.sources(sold, reservations.OPEN)
    billed = reservations.sources(taken_back, reservations.BILLED)
    entries: list[exposure.Entry] = []
    for row in rows:
        account, document = context.account(row), f"invoice:{row.doc_no}"
        key = account, row.order_no
        sources = orders.get(key, []) if row.amount > 0 else sorted({*billed.get(key, ()), *orders.get(key, ())})
        source = order_source(sources, row.source_system)
        if source is not None and row.amount < 0:
            reservations.save(reservations.credit_order(account, row.order_no, source, -row.amount))
        if source is None or row.amount < 0:
            entries.append(exposure.Entry(account, into_receivable(row.amount), document))
        else:
            changed, moved = reservations.bill_order(account, row.order_no, source, row.amount, document=document)
            reservations.save(changed)
            entries += moved
        if row.paid:
            entries.append(exposure.Entry(account, into_receivable(-row.paid), f"receipt:{settlement_doc_no(row)}"))
    return entries


def order_source(sources: Sequence[str], own: str) -> str | None:
    """Which of the order's source systems an invoice bills: its own, or the only one there is; None: no such order."""
    if own in sources:
        return own
    return sources[0] if len(sources) == 1 else None


# ------------------------------------------------------------------------------------------------------- receipts


def _receipt_chunk(rows: Sequence[ReceiptRow], context: _Context, *, match: bool) -> list[Outcome]:
    booked = booked_ids(Receipt, rows)
    contents = Receipt.objects.in_bulk(booked.values()) if booked else {}
    new = [row for row in rows if key_of(row) not in booked]
    ids = dict(zip(map(key_of, new), numbering.ids(Receipt, len(new)), strict=True))
    if new:
        _write_receipts(new, ids, context)
        if match:
            matching.settle_receipts(list(ids.values()), at=context.at, by=context.by)
    return [
        Outcome("posted", ids[key_of(row)]) if key_of(row) in ids else receipt_again(row, contents[booked[key_of(row)]])
        for row in rows
    ]


def _write_receipts(rows: Sequence[ReceiptRow], ids: Mapping[Key, int], context: _Context) -> None:
    by = context.by.pk if context.by else None
    copy_in(
        Receipt,
        RECEIPT_FIELDS,
        (
            (
                ids[key_of(row)], context.account(row), row.customer_id, row.source_system, row.doc_no, row.received_on,
                row.amount, row.currency, row.payer[:200], json.dumps(row.names), ZERO, context.at, by,
            )
            for row in rows
        ),
    )  # fmt: skip
    entries = [
        exposure.Entry(context.account(row), into_receivable(-row.amount), f"receipt:{row.doc_no}") for row in rows
    ]
    exposure.post(entries, on=context.today, at=context.at, by=context.by)


__all__ = ["InvoiceRow", "Outcome", "ReceiptRow", "post_invoices", "post_receipts"]
