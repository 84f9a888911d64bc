"""Invoices and receipts over the API."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from shouxin.customers import registry
from shouxin.lib.api import Amount, Body, IsoDay, OneSpelling, Page, Paging, Reference, outlives_restriction, page
from shouxin.lib.calendars import calendar
from shouxin.office import policies, sight
from shouxin.office.door import acting
from shouxin.office.refusals import BadForm
from shouxin.rules.days import Base, Method, Shift, Term
from shouxin.rules.text import spellings

from . import invoices, posting, receipts
from .matching import Pair
from .models import Instalment, Invoice, Match, Receipt

router = Router(tags=["receivables"])

Number = Annotated[str, Field(min_length=1, max_length=80)]
Text = Annotated[str, Field(max_length=80)]
Why = Annotated[str, Field(min_length=1, max_length=500)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


def moment(request: HttpRequest) -> dict[str, Any]:
    """Who acts, today, now: as the verbs take it."""
    who = acting(request)
    return {"by": who["by"], "today": who["on"], "at": who["at"]}


# --- invoices ------------------------------------------------------------------------------------


class InstalmentIn(Body):
    """A part of the amount with its own due date."""

    number: Annotated[int, Field(ge=1, le=999)]
    due_on: IsoDay | None = None
    amount: Amount


class TermIn(Body):
    """A term of payment spelled out: counted from the base day by a method (domain words of `rules.days.Term`)."""

    base: Base = "invoice"
    method: Method = "days"
    n: Annotated[int, Field(ge=0, le=3660)]
    shift: Shift = "none"
    months_ahead: Annotated[int, Field(ge=0, le=60)] = 0


class InvoiceIn(Body):
    """An invoice (negative: a credit note). Falls due by `instalments`, `due_on`, `term`, else by the line's term."""

    customer: Reference
    doc_no: Number
    amount: Amount
    currency: Currency | None = None
    kind: Literal["invoice", "credit_note", "opening"] = "invoice"
    dated_on: IsoDay | None = Field(default=None, description="default: today")
    due_on: IsoDay | None = None
    instalments: Annotated[list[InstalmentIn], Field(max_length=120)] = []
    term: TermIn | None = None
    source_system: Annotated[str, Field(max_length=40)] = ""
    order_no: Annotated[str, OneSpelling, Field(max_length=80)] = ""
    contract_no: Text = ""
    description: Annotated[str, Field(max_length=200)] = ""


class InstalmentOut(BaseModel):
    """One instalment as it stands."""

    number: int
    due_on: IsoDay | None
    amount: Amount
    settled: Amount
    open: Amount
    contested: Amount
    settled_on: IsoDay | None


class InvoiceOut(BaseModel):
    """An invoice as it stands, with what the caller may do about it now."""

    id: int
    customer: str
    doc_no: str
    source_system: str
    kind: str
    dated_on: IsoDay
    due_on: IsoDay | None
    amount: Amount
    settled: Amount
    open: Amount
    contested: Amount
    currency: str
    order_no: str
    contract_no: str
    description: str
    reverses: int | None
    reversed_by: int | None
    instalments: list[InstalmentOut]
    verbs: list[str]


class InvoicesAsked(Paging):
    """Which invoices: of a customer (code or id), by number or order, only open, overdue or contested ones."""

    customer: str | None = None
    doc_no: str | None = None
    order_no: str | None = None
    state: Literal["open", "overdue", "contested", "settled", "all"] = "all"


INVOICES = Invoice.objects.select_related("customer", "reversed_by").prefetch_related(
    Prefetch("instalments", Instalment.objects.order_by("number"))
)


def invoice_shown(invoice: Invoice, who: dict[str, Any]) -> dict[str, Any]:
    """An invoice as the API answers it."""
    parts = list(invoice.instalments.all())
    sums = {name: sum((getattr(part, name) for part in parts), Decimal(0)) for name in ("settled", "contested")}
    reversal = getattr(invoice, "reversed_by", None)
    names = ("doc_no", "source_system", "kind", "dated_on", "due_on", "amount", "currency", "order_no", "contract_no")
    return {
        "id": invoice.pk,
        "customer": invoice.customer.code,
        "description": invoice.description,
        "open": invoice.amount - sums["settled"],
        "reverses": invoice.reverses_id,
        "reversed_by": reversal.pk if reversal else None,
        "instalments": [_part_shown(part) for part in parts],
        "verbs": invoices.verbs_for(invoice, parts, who["by"], who["on"]),
        **sums,
        **{name: getattr(invoice, name) for name in names},
    }


def _part_shown(part: Instalment) -> dict[str, Any]:
    names = ("number", "due_on", "amount", "settled", "contested", "settled_on")
    return {**{name: getattr(part, name) for name in names}, "open": part.amount - part.settled}


@router.post("/invoices", response={201: InvoiceOut}, summary="Issue an invoice or a credit note")
@outlives_restriction
def issue(request: HttpRequest, body: InvoiceIn) -> Status:
    """Posts it to the exposure journal; what its order had reserved is billed. The same paper twice is one paper."""
    who, at = acting(request), moment(request)
    customer = posting.customer_for(body.customer, by=who["by"], on=who["on"])
    dated_on = body.dated_on or who["on"]
    invoice = invoices.issue(
        customer,
        dated_on=dated_on,
        due_on=_due_on(body, customer.pk, dated_on, who["on"]),
        instalments=[(part.number, part.due_on, part.amount) for part in body.instalments],
        currency=body.currency or "",
        **body.model_dump(exclude={"customer", "dated_on", "due_on", "instalments", "currency", "term"}),
        **at,
    )
    return Status(201, _invoice_now(request, invoice.pk))


def _due_on(body: InvoiceIn, customer: int, dated_on: date, today: date) -> date | None:
    """The due day where there are no instalments: as given, by the term given, or by that of the customer's line."""
    if sum((bool(body.instalments), body.due_on is not None, body.term is not None)) > 1:
        raise BadForm([("due_on", _("Give instalments, a due date or a term, not several of them."))])
    if body.due_on or body.instalments or body.amount < 0:
        return body.due_on
    if body.term:
        posting.refuse_later_than(today, dated_on=dated_on)
        return _by_term(body.term, dated_on, today)
    return invoices.due_by_line(customer, dated_on)


def _by_term(given: TermIn, dated_on: date, today: date) -> date:
    try:
        term = Term(given.base, given.method, given.n, given.shift, given.months_ahead)
    except ValueError as error:
        raise BadForm([("term", str(error))]) from error
    book = policies.in_force(today).policy.calendar
    return invoices.falls_due_on(term, dated_on, calendar(book.country, book.holidays, book.workdays))


@router.get("/invoices", response=Page[InvoiceOut], summary="Invoices, newest first")
def list_invoices(request: HttpRequest, query: Query[InvoicesAsked]) -> dict[str, Any]:
    """The invoices of customers the caller may see."""
    who = acting(request)
    rows = sight.visible(INVOICES, who["by"], on=who["on"])
    if query.customer is not None:
        rows = rows.filter(customer=registry.visible_customer(query.customer, by=who["by"], on=who["on"]))
    for name in ("doc_no", "order_no"):
        if getattr(query, name) is not None:
            rows = rows.filter(**{f"{name}__in": spellings(getattr(query, name))})
    found = page(invoices.in_state(rows, query.state, today=who["on"]), query)
    return {**found, "items": [invoice_shown(row, who) for row in found["items"]]}


def _invoice(request: HttpRequest, number: int) -> Invoice:
    who = acting(request)
    return sight.get_visible(INVOICES, who["by"], number, on=who["on"])


def _invoice_now(request: HttpRequest, number: int) -> dict[str, Any]:
    return invoice_shown(_invoice(request, number), acting(request))


@router.get("/invoices/{int:number}", response=InvoiceOut, summary="One invoice")
def one_invoice(request: HttpRequest, number: int) -> dict[str, Any]:
    """The invoice with its instalments."""
    return _invoice_now(request, number)


class ContestIn(Body):
    """What the customer disputes: `amount` (left out: all that is open), of one instalment or of the whole invoice."""

    reason: Why
    amount: Amount | None = None
    instalment: int | None = None


class SettleContestIn(Body):
    """How the dispute ended."""

    outcome: Literal["upheld", "rejected", "withdrawn"]
    reason: Annotated[str, Field(max_length=500)] = ""


class ReasonIn(Body):
    """Why."""

    reason: Why


@router.post("/invoices/{int:number}/contest", response=InvoiceOut, summary="The customer disputes it")
@outlives_restriction
def contest(request: HttpRequest, number: int, body: ContestIn) -> dict[str, Any]:
    """That part rests in dunning, downgrade and the order check until the dispute is settled."""
    given = {"why": body.reason, "amount": body.amount, "instalment": body.instalment}
    invoices.contest(_invoice(request, number), **given, **moment(request))
    return _invoice_now(request, number)


@router.post("/invoices/{int:number}/settle_contest", response=InvoiceOut, summary="The dispute is over")
@outlives_restriction
def settle_contest(request: HttpRequest, number: int, body: SettleContestIn) -> dict[str, Any]:
    """The customer is right (a credit note should follow), the claim stands, or the dispute was withdrawn."""
    given = {"outcome": body.outcome, "note": body.reason}
    invoices.settle_contest(_invoice(request, number), **given, **moment(request))
    return _invoice_now(request, number)


@router.post("/invoices/{int:number}/reverse", response=InvoiceOut, summary="Cancel it by a paper of opposite sign")
@outlives_restriction
def reverse_invoice(request: HttpRequest, number: int, body: ReasonIn) -> dict[str, Any]:
    """What had settled it is free again. Answers the invoice; `reversed_by` is the reversal."""
    invoices.reverse(_invoice(request, number), why=body.reason, **moment(request))
    return _invoice_now(request, number)


class PairIn(Body):
    """So much of an invoice (id): of one instalment by its number, else of its open ones, the earliest due first."""

    invoice: int
    instalment: int | None = None
    amount: Amount


class MatchIn(Body):
    """What to settle; left out, the order of Civil Code art. 560 decides."""

    pairs: Annotated[list[PairIn], Field(max_length=1000)] | None = None


@router.post("/invoices/{int:number}/apply", response=InvoiceOut, summary="Settle debts with a credit note")
@outlives_restriction
def apply_credit(request: HttpRequest, number: int, body: MatchIn) -> dict[str, Any]:
    """By the pairs given, else in the order of Civil Code art. 560."""
    note = _invoice(request, number)
    invoices.apply_credit(note, pairs=_pairs(body, note.account_id), **moment(request))
    return _invoice_now(request, number)


def _pairs(body: MatchIn, account: int) -> list[tuple[int, Decimal]] | None:
    if body.pairs is None:
        return None
    wanted = [(pair.invoice, pair.instalment, pair.amount) for pair in body.pairs]
    return receipts.pairs_of(account, wanted)


# --- receipts ------------------------------------------------------------------------------------


class ReceiptIn(Body):
    """Money that came in (negative: was paid back). `names`: the document numbers the payer named."""

    customer: Reference
    doc_no: Number
    amount: Amount
    currency: Currency | None = None
    received_on: IsoDay | None = Field(default=None, description="default: today")
    payer: Annotated[str, Field(max_length=200)] = ""
    names: Annotated[list[Number], Field(max_length=200)] = []
    source_system: Annotated[str, Field(max_length=40)] = ""
    match: bool = True


class MatchOut(BaseModel):
    """So much of an instalment is settled by the receipt, from a day on."""

    invoice: int
    doc_no: str
    instalment: int
    amount: Amount
    on: IsoDay


class ReceiptOut(BaseModel):
    """A receipt as it stands, with what it settled and what the caller may do about it now."""

    id: int
    customer: str
    doc_no: str
    source_system: str
    received_on: IsoDay
    amount: Amount
    applied: Amount
    unapplied: Amount
    currency: str
    payer: str
    names: list[str]
    reverses: int | None
    reversed_by: int | None
    matches: list[MatchOut]
    verbs: list[str]


class ReceiptsAsked(Paging):
    """Which receipts: of a customer (code or id), by number, only those not wholly applied."""

    customer: str | None = None
    doc_no: str | None = None
    unapplied: bool = False


RECEIPTS = Receipt.objects.select_related("customer", "reversed_by").prefetch_related(
    Prefetch("matches", Match.objects.select_related("instalment__invoice").order_by("pk"))
)


def receipt_shown(receipt: Receipt, who: dict[str, Any]) -> dict[str, Any]:
    """A receipt as the API answers it."""
    reversal = getattr(receipt, "reversed_by", None)
    names = ("doc_no", "source_system", "received_on", "amount", "applied", "currency", "payer", "names")
    return {
        "id": receipt.pk,
        "customer": receipt.customer.code,
        "unapplied": receipt.amount - receipt.applied,
        "reverses": receipt.reverses_id,
        "reversed_by": reversal.pk if reversal else None,
        "matches": [_match_shown(match) for match in receipts.standing_matches(receipt)],
        "verbs": receipts.verbs_for(receipt, who["by"], who["on"]),
        **{name: getattr(receipt, name) for name in names},
    }


def _match_shown(match: Match) -> dict[str, Any]:
    part = match.instalment
    paper = {"invoice": part.invoice_id, "doc_no": part.invoice.doc_no, "instalment": part.number}
    return {**paper, "amount": match.amount, "on": match.on}


@router.post("/receipts", response={201: ReceiptOut}, summary="Take money in")
@outlives_restriction
def take(request: HttpRequest, body: ReceiptIn) -> Status:
    """Lowers what the customer owes; with `match` settles papers named, then in the order of Civil Code art. 560."""
    who = acting(request)
    customer = posting.customer_for(body.customer, by=who["by"], on=who["on"])
    receipt = receipts.take(
        customer,
        received_on=body.received_on or who["on"],
        currency=body.currency or "",
        **body.model_dump(exclude={"customer", "received_on", "currency"}),
        **moment(request),
    )
    return Status(201, _receipt_now(request, receipt.pk))


@router.get("/receipts", response=Page[ReceiptOut], summary="Receipts, newest first")
def list_receipts(request: HttpRequest, query: Query[ReceiptsAsked]) -> dict[str, Any]:
    """The receipts of customers the caller may see."""
    who = acting(request)
    rows = sight.visible(RECEIPTS, who["by"], on=who["on"])
    if query.customer is not None:
        rows = rows.filter(customer=registry.visible_customer(query.customer, by=who["by"], on=who["on"]))
    if query.doc_no is not None:
        rows = rows.filter(doc_no=query.doc_no)
    found = page(receipts.unapplied(rows) if query.unapplied else rows, query)
    return {**found, "items": [receipt_shown(row, who) for row in found["items"]]}


def _receipt(request: HttpRequest, number: int) -> Receipt:
    who = acting(request)
    return sight.get_visible(RECEIPTS, who["by"], number, on=who["on"])


def _receipt_now(request: HttpRequest, number: int) -> dict[str, Any]:
    return receipt_shown(_receipt(request, number), acting(request))


@router.get("/receipts/{int:number}", response=ReceiptOut, summary="One receipt")
def one_receipt(request: HttpRequest, number: int) -> dict[str, Any]:
    """The receipt with what it settled."""
    return _receipt_now(request, number)


@router.post("/receipts/{int:number}/match", response=ReceiptOut, summary="Settle papers with it")
@outlives_restriction
def match(request: HttpRequest, number: int, body: MatchIn) -> dict[str, Any]:
    """By the pairs given, else papers named, then in the order of Civil Code art. 560. Moves no exposure."""
    receipt = _receipt(request, number)
    receipts.match(receipt, pairs=_pairs(body, receipt.account_id), **moment(request))
    return _receipt_now(request, number)


class UnmatchIn(Body):
    """Which matches to undo: those with these invoices (ids); left out: all."""

    invoices: Annotated[list[int], Field(max_length=1000)] | None = None


@router.post("/receipts/{int:number}/unmatch", response=ReceiptOut, summary="Undo its matches")
@outlives_restriction
def unmatch(request: HttpRequest, number: int, body: UnmatchIn) -> dict[str, Any]:
    """From today on; what past days say stays."""
    parts = None
    if body.invoices is not None:
        parts = list(Instalment.objects.filter(invoice__in=body.invoices).values_list("pk", flat=True))
    receipts.unmatch(_receipt(request, number), instalments=parts, **moment(request))
    return _receipt_now(request, number)


@router.post("/receipts/{int:number}/reverse", response=ReceiptOut, summary="It bounced, or was booked in error")
@outlives_restriction
def reverse_receipt(request: HttpRequest, number: int, body: ReasonIn) -> dict[str, Any]:
    """What it had settled is open again. Answers the receipt; `reversed_by` is the counter-receipt."""
    receipts.reverse(_receipt(request, number), why=body.reason, **moment(request))
    return _receipt_now(request, number)


class MatchedOut(BaseModel):
    """How much was matched, in how many matches."""

    amount: Amount
    matches: int


@router.post("/customers/{customer}/match", response=MatchedOut, summary="Apply all open credit of a customer")
@outlives_restriction
def match_all(request: HttpRequest, customer: str) -> dict[str, Any]:
    """Credit notes first, then receipts, in the order of Civil Code art. 560; nothing to match is no error."""
    who = acting(request)
    made: list[Pair] = receipts.match_all(posting.customer_for(customer, by=who["by"], on=who["on"]), **moment(request))
    return {"amount": sum((pair.amount for pair in made), Decimal(0)), "matches": len(made)}
