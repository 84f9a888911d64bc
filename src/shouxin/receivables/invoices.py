"""Invoices in the order they are lived: issued, contested, settled; corrected by a paper of the opposite sign (A10).

Every verb: guard, lock the customer's accounts, look, change, trail, in one transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, lines, reservations
from shouxin.customers.models import Customer
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules.days import Calendar, Term, due_date, later

from . import matching, posting
from .bulk import InvoiceRow, post_invoices
from .matching import Pair
from .models import Contest, Instalment, Invoice, Match
from .papers import ZERO

Part = tuple[int, date | None, Decimal]


@transaction.atomic
def issue(
    customer: Customer,
    *,
    doc_no: str,
    amount: Decimal,
    dated_on: date,
    today: date,
    at: datetime,
    by: Person | None,
    due_on: date | None = None,
    instalments: Sequence[Part] = (),
    currency: str = "",
    kind: str = "invoice",
    source_system: str = "",
    order_no: str = "",
    contract_no: str = "",
    description: str = "",
) -> Invoice:
    """The invoice (a negative amount: credit note), posted to the journal; an order's reservation is billed out of.

    `instalments`: (number, due day, amount); without them all falls due on `due_on`. The same number with the same
    content answers the paper posted before. Raises NotYourDuty, BadForm, or Moved where the number stands for another.
    """
    posting.refuse_later_than(today, dated_on=dated_on)
    row = InvoiceRow(
        customer_id=customer.pk,
        source_system=source_system,
        doc_no=doc_no,
        kind=kind,
        dated_on=dated_on,
        instalments=tuple(instalments) or ((1, due_on, amount),),
        amount=amount,
        currency=currency or customer.currency,
        order_no=order_no,
        contract_no=contract_no,
        description=description,
    )
    [outcome] = post_invoices([row], by=by, at=at, today=today)
    return Invoice.objects.select_related("customer").get(pk=posting.accepted(outcome))


def due_by_line(customer: int, dated_on: date) -> date | None:
    """When an invoice of this day falls due by the term of the customer's line; None where it has none."""
    line = lines.in_force([customer], on=dated_on)[customer].line
    return later(dated_on, line.term_days) if line else None


def falls_due_on(term: Term, dated_on: date, calendar: Calendar) -> date:
    """When an invoice of this day falls due under a term (`rules.days`)."""
    return due_date(term, dated_on, calendar)


@transaction.atomic
def reverse(invoice: Invoice, *, why: str, today: date, at: datetime, by: Person | None) -> Invoice:
    """The reversal paper of an invoice or credit note, dated today; what had settled the invoice is free again.

    Raises Moved for a paper that was reversed already or is itself a reversal, BadForm without a reason.
    """
    posting.require(by, on=today, verb="reverse", at=at, about=invoice)
    if not why.strip():
        raise BadForm([("why", _("Say why the paper is reversed."))])
    exposure.lock([invoice.customer_id])
    if invoice.kind == "reversal" or Invoice.objects.filter(reverses=invoice).exists():
        raise Moved(posting.REVERSED, code="reversed", doc_no=invoice.doc_no)
    _free(invoice, today=today, at=at, by=by)
    Contest.objects.filter(instalment__invoice=invoice, settled_on=None).update(
        settled_on=today, outcome="upheld", settled_by=by
    )
    paper = _mirror(invoice, why, today=today, at=at, by=by)
    _take_out(invoice, f"invoice:{paper.doc_no}", today=today, at=at, by=by)
    trail.record("invoice.reverse", about=invoice, by=by, at=at, reversal=paper.doc_no, amount=invoice.amount, why=why)
    return paper


def _take_out(invoice: Invoice, document: str, *, today: date, at: datetime, by: Person | None) -> None:
    """The invoice leaves `receivable`; what it had billed of an order waits again to be billed, or delivered."""
    if invoice.amount < 0:
        posting.post(invoice.account_id, -invoice.amount, document, today=today, at=at, by=by)
        return
    changed, entries = reservations.unbill_order(
        invoice.account_id, invoice.order_no, invoice.amount, billing=f"invoice:{invoice.doc_no}", document=document
    )
    reservations.save(changed)
    exposure.post(entries, on=today, at=at, by=by)


def _free(invoice: Invoice, *, today: date, at: datetime, by: Person | None) -> None:
    """Undo whatever settled the invoice, or what it settled as a credit note."""
    touching = Match.objects.filter(Q(instalment__invoice=invoice) | Q(credit__invoice=invoice))
    matching.undo(matching.standing(touching), today=today, at=at, by=by)


def _mirror(invoice: Invoice, why: str, *, today: date, at: datetime, by: Person | None) -> Invoice:
    """The paper of opposite sign with its instalments, each settling its original."""
    used = Invoice.objects.filter(customer=invoice.customer_id, source_system=invoice.source_system)
    paper = Invoice.objects.create(
        account_id=invoice.account_id,
        customer_id=invoice.customer_id,
        source_system=invoice.source_system,
        doc_no=posting.reversal_number(invoice.doc_no, used),
        kind="reversal",
        dated_on=max(today, invoice.dated_on),
        due_on=invoice.due_on,
        amount=-invoice.amount,
        currency=invoice.currency,
        order_no=invoice.order_no,
        contract_no=invoice.contract_no,
        description=why[:200],
        reverses=invoice,
        at=at,
        by=by,
    )
    originals = list(invoice.instalments.order_by("number"))
    mirrored = Instalment.objects.bulk_create(
        Instalment(invoice=paper, customer=paper.customer, number=part.number, due_on=part.due_on, amount=-part.amount)
        for part in originals
    )
    pairs = [_cancelling(one, other, paper.dated_on) for one, other in zip(originals, mirrored, strict=True)]
    matching.write(pairs, at=at, by=by)
    return paper


def _cancelling(one: Instalment, other: Instalment, on: date) -> Pair:
    claim, credit = (one, other) if one.amount > 0 else (other, one)
    return Pair(claim.pk, claim.amount, on, credit_id=credit.pk)


@transaction.atomic
def contest(
    invoice: Invoice,
    *,
    why: str,
    today: date,
    at: datetime,
    by: Person | None,
    amount: Decimal | None = None,
    instalment: int | None = None,
) -> list[Contest]:
    """The customer disputes `amount` (None: all that is open) of the invoice, or of one instalment by its number.

    That part rests in dunning, downgrade and the order check until it is settled. The last instalments are disputed
    first. Raises BadForm for a missing reason or more than is open, Moved where the part is in dispute already.
    """
    posting.require(by, on=today, verb="contest", at=at, about=invoice)
    if not why.strip():
        raise BadForm([("why", _("Say what the customer disputes."))])
    exposure.lock([invoice.customer_id])
    parts = list(_open_parts(invoice, instalment))
    left = sum((part.amount - part.settled for part in parts), ZERO)
    amount = left if amount is None else amount
    if not ZERO < amount <= left:
        raise BadForm([("amount", _("Only %(left)s is open and not in dispute.") % {"left": left})])
    made = _contested(parts, amount, why=why, today=today, by=by)
    trail.record("invoice.contest", about=invoice, by=by, at=at, amount=amount, why=why)
    return made


def _open_parts(invoice: Invoice, number: int | None) -> Sequence[Instalment]:
    """The open instalments that are not in dispute, the last first; raises Moved where there are none."""
    undisputed = invoice.instalments.filter(amount__gt=F("settled")).exclude(
        pk__in=Contest.objects.filter(instalment__invoice=invoice, settled_on=None).values("instalment")
    )
    found = undisputed.filter(number=number) if number is not None else undisputed
    if not (rows := list(found.order_by("-number"))):
        raise Moved(_("Nothing of %(doc_no)s is open and free of dispute."), code="nothing_open", doc_no=invoice.doc_no)
    return rows


def _contested(
    parts: Sequence[Instalment], amount: Decimal, *, why: str, today: date, by: Person | None
) -> list[Contest]:
    made, why = [], fitting(why, 500, "why")
    for part in parts:
        share = min(amount, part.amount - part.settled)
        if share > 0:
            part.contested = share
            made.append(Contest(instalment=part, amount=share, why=why, since=today, by=by))
            amount -= share
    Instalment.objects.bulk_update([row.instalment for row in made], ["contested"])
    return Contest.objects.bulk_create(made)


@transaction.atomic
def settle_contest(
    invoice: Invoice, *, outcome: str, today: date, at: datetime, by: Person | None, note: str = ""
) -> list[Contest]:
    """The dispute is over: `upheld` (a credit note should follow), `rejected` (the claim stands) or `withdrawn`.

    Raises BadForm for another outcome, Moved where nothing is in dispute.
    """
    posting.require(by, on=today, verb="settle_contest", at=at, about=invoice)
    if outcome not in {key for key, _label in Contest.OUTCOMES}:
        raise BadForm([("outcome", _("The outcome is upheld, rejected or withdrawn."))])
    exposure.lock([invoice.customer_id])
    running = list(Contest.objects.filter(instalment__invoice=invoice, settled_on=None).select_for_update())
    if not running:
        raise Moved(_("Nothing of %(doc_no)s is in dispute."), code="not_contested", doc_no=invoice.doc_no)
    Contest.objects.filter(pk__in=[row.pk for row in running]).update(settled_on=today, outcome=outcome, settled_by=by)
    Instalment.objects.filter(pk__in=[row.instalment_id for row in running]).update(contested=ZERO)
    amount = sum((row.amount for row in running), ZERO)
    trail.record("invoice.settle_contest", about=invoice, by=by, at=at, outcome=outcome, amount=amount, note=note)
    return running


@transaction.atomic
def apply_credit(
    invoice: Invoice,
    *,
    today: date,
    at: datetime,
    by: Person | None,
    pairs: Sequence[tuple[int, Decimal]] | None = None,
) -> list[Pair]:
    """Settle debts with an open credit note: the (instalment id, amount) pairs given, else in the order of art. 560.

    Raises Moved where the note is used up, BadForm for pairs that cannot be.
    """
    posting.require(by, on=today, verb="apply_credit", at=at, about=invoice)
    exposure.lock([invoice.customer_id])
    ids = set(invoice.instalments.filter(amount__lt=0).values_list("pk", flat=True))
    sources = [source for source in matching.credits_of({invoice.account_id}) if source.credit_id in ids]
    made = matching.settle(sources, pairs, at=at, by=by)
    trail.record("invoice.apply_credit", about=invoice, by=by, at=at, amount=sum((p.amount for p in made), ZERO))
    return made


# ------------------------------------------------------------------------------------------------------- questions


def verbs_for(invoice: Invoice, parts: Iterable[Instalment], by: Person, on: date) -> list[str]:
    """What this person may do with the paper now; `parts` are its instalments, `reversed_by` is loaded."""
    if not posting.may(by, on=on) or invoice.kind == "reversal" or hasattr(invoice, "reversed_by"):
        return []
    parts = list(parts)
    disputed = any(part.contested for part in parts)
    is_open = any(part.settled != part.amount for part in parts)
    can = {
        "contest": invoice.amount > 0 and any(part.amount - part.settled > 0 == part.contested for part in parts),
        "settle_contest": disputed,
        "apply": invoice.amount < 0 and is_open,
        "reverse": True,
    }
    return [verb for verb, possible in can.items() if possible]


STATES = ("open", "overdue", "contested", "settled", "all")


def in_state(rows: QuerySet[Invoice], state: str, *, today: date) -> QuerySet[Invoice]:
    """Of these invoices the open, overdue (uncontested), contested, settled ones, or all."""
    parts = Instalment.objects.filter(invoice=OuterRef("pk"))
    match state:
        case "open":
            return rows.filter(Exists(parts.filter(_IS_OPEN)))
        case "overdue":
            return late_since(rows, today=today)
        case "contested":
            return rows.filter(Exists(parts.filter(contested__gt=0)))
        case "settled":
            return rows.exclude(Exists(parts.filter(_IS_OPEN)))
    return rows


_IS_OPEN = ~Q(settled=F("amount"))


def late_since(rows: QuerySet[Invoice], *, today: date) -> QuerySet[Invoice]:
    """The invoices overdue (uncontested), each once, with `late_since`: the due day of its first instalment that is.

    Ordered by it they are read along the index of open instalments, however many invoices there are. None: no due day
    was stated, and the document date counts.
    """
    parts = Instalment.objects.filter(_late("", "invoice__dated_on", today), invoice=OuterRef("pk"))
    earlier = parts.filter(number__lt=OuterRef("instalments__number"))
    first = Q(instalments__number=1) | ~Exists(earlier)
    found = rows.filter(first, _late("instalments__", "dated_on", today))
    return found.annotate(late_since=F("instalments__due_on"))


def _late(part: str, dated_on: str, today: date) -> Q:
    """An instalment (at the path `part`) is past due with more open than is contested."""
    due = Q(**{f"{part}due_on__lt": today}) | Q(**{f"{part}due_on": None, f"{dated_on}__lt": today})
    amount, settled, contested = (F(f"{part}{name}") for name in ("amount", "settled", "contested"))
    return Q(**{f"{part}settled__lt": amount, f"{part}amount__gt": settled + contested}) & due
