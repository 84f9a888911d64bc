"""What a paper from another system says, whether it can be posted, and how it compares with what is in the books."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.days import YEARS
from shouxin.rules.money import AMOUNT_END

from .models import Instalment, Invoice, Receipt

ZERO = Decimal(0)
DOC_NO_MAX = 80
"""Characters of the longest document number."""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice (or, with a negative amount, credit note) as another system knows it.

    `instalments`: (number, due day or None, amount), adding up to `amount`; empty means one without a due day.
    `settled`, at most `amount`, was paid already: on `settled_on`, or on an unknown day (then the books say the
    document's day, and the payment record leaves it out). A `settled_on` alone means all of it was paid.
    `contested` is the part of what is still open that the customer disputes.
    """

    customer_id: int
    source_system: str
    doc_no: str
    kind: str
    dated_on: date
    instalments: tuple[tuple[int, date | None, Decimal], ...]
    amount: Decimal
    currency: str
    order_no: str = ""
    contract_no: str = ""
    description: str = ""
    settled: Decimal = ZERO
    settled_on: date | None = None
    contested: Decimal = ZERO

    @property
    def paid(self) -> Decimal:
        """What was settled before the row came to us."""
        return self.amount if self.settled_on and not self.settled else self.settled


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt (or, with a negative amount, repayment); `names` are the documents the payer named."""

    customer_id: int
    source_system: str
    doc_no: str
    received_on: date
    amount: Decimal
    currency: str
    payer: str = ""
    names: tuple[str, ...] = ()


State = Literal["posted", "unchanged", "refused"]
REASONS = {
    "unknown_customer": _("There is no such customer."),
    "no_doc_no": _("The document number is missing, or longer than 80 characters."),
    "long_source": _("The name of the source system is longer than 40 characters."),
    "bad_text": _("A text contains a NUL character."),
    "bad_amount": _("The amount must not be 0, and has at most two decimals and thirteen digits before the point."),
    "bad_currency": _("The currency must be a code of three letters, such as CNY."),
    "bad_kind": _("%(kind)s is not a kind of invoice."),
    "credit_sign": _("A credit note has a negative amount."),
    "instalments": _("The instalments add up to %(sum)s, the document says %(amount)s."),
    "instalment_numbers": _("Two instalments carry the same number."),
    "instalment_signs": _("Instalments must not be 0 and have the sign of the document."),
    "settled_range": _("What is settled (%(settled)s) must lie between 0 and the amount (%(amount)s)."),
    "contested_range": _("The contested part (%(contested)s) must lie between 0 and what is open (%(open)s)."),
    "out_of_range": _("The year lies outside 1900 to 2199."),
    "due_before_document": _("It is due before the day of the document."),
    "number_taken": _(
        "Document %(doc_no)s is already in the books with other content: %(differences)s. Reverse it first."
    ),
    "settled_more": _(
        "The file says %(settled)s of %(doc_no)s is settled, the books say %(booked)s: bring in the receipt."
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: posted, unchanged (it was there already), or refused with a code and its particulars."""

    state: State
    id: int | None = None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """Why the row was refused, in the reader's language; empty otherwise."""
        return str(REASONS[self.code]) % self.params if self.code else ""


Key = tuple[int, str, str]


def key_of(row: InvoiceRow | ReceiptRow) -> Key:
    """The natural key of the row's paper: customer id, source system, document number."""
    return row.customer_id, row.source_system, row.doc_no


def refused(code: str, **params: Any) -> Outcome:
    """A row that cannot be posted, with the reason's code and particulars."""
    return Outcome("refused", code=code, params=params)


# ---------------------------------------------------------------------------------------------- what can be refused


def fault(row: InvoiceRow | ReceiptRow, known: Collection[int]) -> Outcome | None:
    """Why the row cannot be posted, whatever is in the books; `known` are the customers there are."""
    if row.customer_id not in known:
        return refused("unknown_customer")
    if not row.doc_no or len(row.doc_no) > DOC_NO_MAX:
        return refused("no_doc_no")
    if len(row.source_system) > 40:
        return refused("long_source")
    if "\0" in "".join(_texts(row)):
        return refused("bad_text")
    if not is_currency(row.currency):
        return refused("bad_currency")
    if not is_amount(row.amount):
        return refused("bad_amount")
    named, day = ("dated_on", row.dated_on) if isinstance(row, InvoiceRow) else ("received_on", row.received_on)
    if day.year not in YEARS:
        return refused("out_of_range", field=named)
    return _invoice_fault(row) if isinstance(row, InvoiceRow) else None


def _texts(row: InvoiceRow | ReceiptRow) -> tuple[str, ...]:
    if isinstance(row, InvoiceRow):
        return row.doc_no, row.source_system, row.order_no, row.contract_no, row.description
    return row.doc_no, row.source_system, row.payer, *row.names


def is_currency(code: str) -> bool:
    """Whether there is such a currency."""
    return code in CURRENCIES


def is_amount(value: Decimal) -> bool:
    """Whether a paper can carry the amount: not 0, to the cent, at most thirteen digits before the point."""
    return bool(value.is_finite() and value and abs(value) < AMOUNT_END and value == round(value, 2))


KINDS = {kind for kind, _label in Invoice.KINDS} - {"reversal"}


def _invoice_fault(row: InvoiceRow) -> Outcome | None:
    if row.kind not in KINDS:
        return refused("bad_kind", kind=row.kind)
    if row.kind == "credit_note" and row.amount > 0:
        return refused("credit_sign")
    if wrong := _instalment_fault(row):
        return wrong
    low, high = sorted((ZERO, row.amount))
    if not low <= row.paid <= high:
        return refused("settled_range", settled=row.paid, amount=row.amount)
    left = row.amount - row.paid
    if row.contested and not ZERO < row.contested <= left:
        return refused("contested_range", contested=row.contested, open=left)
    return None


def _instalment_fault(row: InvoiceRow) -> Outcome | None:
    if not row.instalments:
        return None
    if (total := sum((amount for _n, _due, amount in row.instalments), ZERO)) != row.amount:
        return refused("instalments", sum=total, amount=row.amount)
    if len({number for number, _due, _amount in row.instalments}) < len(row.instalments):
        return refused("instalment_numbers")
    if not all(is_amount(amount) and (amount > 0) == (row.amount > 0) for _n, _due, amount in row.instalments):
        return refused("instalment_signs")
    if any(due is not None and due < row.dated_on for _n, due, _amount in row.instalments):
        return refused("due_before_document")
    return None


# ---------------------------------------------------------------------------------------- what is in the books already


LABELS = {
    "kind": _("kind"),
    "dated_on": _("document date"),
    "received_on": _("received on"),
    "amount": _("amount"),
    "currency": _("currency"),
    "order_no": _("order number"),
    "contract_no": _("contract number"),
    "instalments": _("instalments"),
}


def kind_of(row: InvoiceRow) -> str:
    """The kind to be written: an invoice below zero is a credit note."""
    return "credit_note" if row.kind == "invoice" and row.amount < 0 else row.kind


def instalments_of(row: InvoiceRow) -> tuple[tuple[int, date | None, Decimal], ...]:
    """The instalments in order; a row that names none has one without a due day."""
    return tuple(sorted(row.instalments, key=lambda part: part[0])) or ((1, None, row.amount),)


def content(row: InvoiceRow | ReceiptRow | Receipt) -> dict[str, Any]:
    """What makes the paper what it is; descriptions and spellings of the payer may change without harm."""
    if isinstance(row, ReceiptRow | Receipt):
        return {"received_on": row.received_on, "amount": row.amount, "currency": row.currency}
    names = ("dated_on", "amount", "currency", "order_no", "contract_no")
    return {
        "kind": kind_of(row),
        **{name: getattr(row, name) for name in names},
        "instalments": instalments_of(row),
    }


def differences(booked: Mapping[str, Any], stated: Mapping[str, Any]) -> str:
    """The fields that differ, each with the booked and the stated value."""
    return "; ".join(
        f"{LABELS[name]} {_shown(booked[name])} → {_shown(stated[name])}"
        for name in booked
        if booked[name] != stated[name]
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " + ".join(f"{amount} ({due or '–'})" for _number, due, amount in value)
    return str(value)


def booked_ids(model: type[models.Model], rows: Sequence[InvoiceRow] | Sequence[ReceiptRow]) -> dict[Key, int]:
    """Key -> id of the papers that are in the books already, in one query over the unique index."""
    keys = [[row.customer_id for row in rows], [row.source_system for row in rows], [row.doc_no for row in rows]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.customer_id, p.source_system, p.doc_no, p.id FROM {model._meta.db_table} p "
            "JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS v(customer, source, doc) "
            "ON p.customer_id = v.customer AND p.source_system = v.source AND p.doc_no = v.doc",
            keys,
        )
        return {(customer, source, doc): pk for customer, source, doc, pk in cursor.fetchall()}


def booked_invoices(ids: Collection[int]) -> dict[int, tuple[dict[str, Any], Decimal]]:
    """Id -> the content of a booked invoice and what of it is settled."""
    parts: dict[int, list[Instalment]] = defaultdict(list)
    for part in Instalment.objects.filter(invoice__in=ids).order_by("number"):
        parts[part.invoice_id].append(part)
    return {
        invoice.pk: (
            content(_as_row(invoice, parts[invoice.pk])),
            sum((part.settled for part in parts[invoice.pk]), ZERO),
        )
        for invoice in Invoice.objects.filter(pk__in=ids)
    }


def _as_row(invoice: Invoice, parts: Iterable[Instalment]) -> InvoiceRow:
    return InvoiceRow(
        customer_id=invoice.customer_id,
        source_system=invoice.source_system,
        doc_no=invoice.doc_no,
        kind=invoice.kind,
        dated_on=invoice.dated_on,
        instalments=tuple((part.number, part.due_on, part.amount) for part in parts),
        amount=invoice.amount,
        currency=invoice.currency,
        order_no=invoice.order_no,
        contract_no=invoice.contract_no,
    )


def invoice_again(row: InvoiceRow, pk: int, booked: dict[str, Any], settled: Decimal) -> Outcome:
    """The outcome for a row whose paper is in the books."""
    if different := differences(booked, content(row)):
        return refused("number_taken", doc_no=row.doc_no, differences=different)
    if abs(row.paid) > abs(settled):
        return refused("settled_more", doc_no=row.doc_no, settled=row.paid, booked=settled)
    return Outcome("unchanged", pk)


def receipt_again(row: ReceiptRow, booked: Receipt) -> Outcome:
    """The outcome for a row whose receipt is in the books."""
    if different := differences(content(booked), content(row)):
        return refused("number_taken", doc_no=row.doc_no, differences=different)
    return Outcome("unchanged", booked.pk)


def repeated(row: InvoiceRow | ReceiptRow, before: InvoiceRow | ReceiptRow, outcome: Outcome) -> Outcome:
    """The outcome for a row whose key an earlier row of the same delivery has; `outcome` is what became of that."""
    if different := differences(content(before), content(row)):
        return refused("number_taken", doc_no=row.doc_no, differences=different)
    return Outcome("unchanged", outcome.id) if outcome.id else outcome
