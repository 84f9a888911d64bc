"""Receipts in the order they are lived: taken, matched with what they pay, unmatched, reversed.

A receipt lowers what the customer owes when it is taken; matching only says which papers it pays and moves no
exposure. Every verb: guard, lock the customer's accounts, look, change, trail, in one transaction.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount
from shouxin.customers.models import Customer
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved

from . import matching, posting
from .bulk import ReceiptRow, post_receipts
from .matching import Claim, Pair
from .models import Instalment, Match, Receipt
from .papers import ZERO


@transaction.atomic
def take(
    customer: Customer,
    *,
    doc_no: str,
    amount: Decimal,
    received_on: date,
    today: date,
    at: datetime,
    by: Person | None,
    currency: str = "",
    payer: str = "",
    names: Sequence[str] = (),
    source_system: str = "",
    match: bool = True,
) -> Receipt:
    """Money from the customer (negative: paid back), and with `match` what it settles in the order of art. 560.

    `names` are the papers the payer named. The same number with the same content answers the receipt taken before.
    Raises NotYourDuty, BadForm, or Moved where the number stands for another receipt.
    """
    posting.refuse_later_than(today, received_on=received_on)
    row = ReceiptRow(
        customer_id=customer.pk,
        source_system=source_system,
        doc_no=doc_no,
        received_on=received_on,
        amount=amount,
        currency=currency or customer.currency,
        payer=payer,
        names=tuple(names),
    )
    [outcome] = post_receipts([row], by=by, at=at, today=today, match=match)
    return Receipt.objects.select_related("customer").get(pk=posting.accepted(outcome))


def proposal(receipt: Receipt) -> tuple[list[Claim], dict[int, Decimal]]:
    """The open claims on the receipt's account, and instalment id -> what art. 560 would give it. Writes nothing."""
    claims = matching.claims_of({receipt.account_id})
    sources = [source for source in matching.receipts_of({receipt.account_id}) if source.receipt_id == receipt.pk]
    shares = {pair.instalment_id: pair.amount for pair in matching.propose(sources, matching.copies(claims))}
    return claims, shares


@transaction.atomic
def match(
    receipt: Receipt,
    *,
    today: date,
    at: datetime,
    by: Person | None,
    pairs: Sequence[tuple[int, Decimal]] | None = None,
) -> list[Pair]:
    """Settle debts with what is left of the receipt: the (instalment id, amount) pairs given, else as art. 560 says.

    Pairs may settle disputed parts. A repayment (negative receipt) uses up open credit notes instead, the oldest
    first. Raises Moved where nothing is left or nothing is open, BadForm for pairs that cannot be.
    """
    posting.require(by, on=today, verb="match", at=at, about=receipt)
    exposure.lock([receipt.customer_id])
    if receipt.amount < 0:
        made = matching.repay(receipt.pk, at=at, by=by)
    else:
        accounts = {receipt.account_id}
        sources = [source for source in matching.receipts_of(accounts) if source.receipt_id == receipt.pk]
        made = matching.settle(sources, pairs, at=at, by=by)
    amount = sum((pair.amount for pair in made), ZERO)
    trail.record("receipt.match", about=receipt, by=by, at=at, amount=amount, papers=len(made))
    return made


@transaction.atomic
def match_all(customer: Customer, *, today: date, at: datetime, by: Person | None) -> list[Pair]:
    """Apply every open credit note and unapplied receipt of the customer in the order of art. 560; may find nothing."""
    posting.require(by, on=today, verb="match_all", at=at, about=customer)
    exposure.lock([customer.pk])
    accounts = set(CreditAccount.objects.filter(customer=customer).values_list("pk", flat=True))
    made = matching.settle_accounts(accounts, at=at, by=by)
    if made:
        amount = sum((p.amount for p in made), ZERO)
        trail.record("receipt.match_all", about=customer, by=by, at=at, amount=amount, papers=len(made))
    return made


@transaction.atomic
def unmatch(
    receipt: Receipt, *, today: date, at: datetime, by: Person | None, instalments: Collection[int] | None = None
) -> list[Pair]:
    """Undo the receipt's matches (all, or those with these instalments) from today on; past days keep them.

    Raises Moved where there is nothing to undo.
    """
    posting.require(by, on=today, verb="unmatch", at=at, about=receipt)
    exposure.lock([receipt.customer_id])
    made = _undo(receipt, instalments, today=today, at=at, by=by)
    if not made:
        raise Moved(_("Receipt %(doc_no)s is matched with nothing of this."), code="not_matched", doc_no=receipt.doc_no)
    trail.record("receipt.unmatch", about=receipt, by=by, at=at, amount=-sum((p.amount for p in made), ZERO))
    return made


def _undo(
    receipt: Receipt, instalments: Collection[int] | None, *, today: date, at: datetime, by: Person | None
) -> list[Pair]:
    found = Match.objects.filter(receipt=receipt)
    chosen = found if instalments is None else found.filter(instalment__in=instalments)
    return matching.undo(matching.standing(chosen), today=today, at=at, by=by)


@transaction.atomic
def reverse(receipt: Receipt, *, why: str, today: date, at: datetime, by: Person | None) -> Receipt:
    """The counter-receipt of one that bounced or was booked in error; what it had settled is open again from today.

    Raises Moved for a receipt that was reversed already or is itself a reversal, BadForm without a reason.
    """
    posting.require(by, on=today, verb="reverse", at=at, about=receipt)
    if not why.strip():
        raise BadForm([("why", _("Say why the receipt is reversed."))])
    exposure.lock([receipt.customer_id])
    if receipt.reverses_id or Receipt.objects.filter(reverses=receipt).exists():
        raise Moved(posting.REVERSED, code="reversed", doc_no=receipt.doc_no)
    _undo(receipt, None, today=today, at=at, by=by)
    used = Receipt.objects.filter(customer=receipt.customer_id, source_system=receipt.source_system)
    paper = Receipt.objects.create(
        account_id=receipt.account_id,
        customer_id=receipt.customer_id,
        source_system=receipt.source_system,
        doc_no=posting.reversal_number(receipt.doc_no, used),
        received_on=max(today, receipt.received_on),
        amount=-receipt.amount,
        currency=receipt.currency,
        payer=receipt.payer,
        reverses=receipt,
        at=at,
        by=by,
    )
    posting.post(receipt.account_id, receipt.amount, f"receipt:{paper.doc_no}", today=today, at=at, by=by)
    trail.record("receipt.reverse", about=receipt, by=by, at=at, reversal=paper.doc_no, amount=receipt.amount, why=why)
    return paper


# ------------------------------------------------------------------------------------------------------- questions


def standing_matches(receipt: Receipt) -> list[Match]:
    """What the receipt settles now, undone matches netted out; unsaved rows."""
    return matching.standing(receipt.matches.all())


def unapplied(rows: QuerySet[Receipt]) -> QuerySet[Receipt]:
    """Of these receipts the ones with something left to apply; reversed ones and their reversals are done with."""
    return rows.exclude(applied=F("amount")).filter(reverses=None, reversed_by=None)


def verbs_for(receipt: Receipt, by: Person, on: date) -> list[str]:
    """What this person may do with the receipt now; `reversed_by` is loaded."""
    if not posting.may(by, on=on) or receipt.reverses_id or hasattr(receipt, "reversed_by"):
        return []
    can = {"match": receipt.applied != receipt.amount, "unmatch": bool(receipt.applied), "reverse": True}
    return [verb for verb, possible in can.items() if possible]


def pairs_of(account: int, wanted: Sequence[tuple[int, int | None, Decimal]]) -> list[tuple[int, Decimal]]:
    """(instalment id, amount) pairs from (invoice id, instalment number or None, amount).

    Without a number the invoice's open instalments are filled, the earliest due first. Raises BadForm for a paper that
    is not open on the account, and for more than is open of it.
    """
    by_invoice: dict[int, list[Claim]] = {}
    claims = matching.claims_of({account})
    invoice_of = dict(Instalment.objects.filter(pk__in=[c.instalment_id for c in claims]).values_list("pk", "invoice"))
    for claim in claims:
        by_invoice.setdefault(invoice_of[claim.instalment_id], []).append(claim)
    pairs: list[tuple[int, Decimal]] = []
    for invoice, number, amount in wanted:
        found = [each for each in by_invoice.get(invoice, []) if number in (None, each.number)]
        if not found or not 0 < amount <= sum((each.open for each in found), ZERO):
            raise BadForm([("pairs", _("One of the papers is not open on this account, or less of it is open."))])
        for claim in found:
            part = min(amount, claim.open)
            if part > 0:
                pairs.append((claim.instalment_id, part))
                claim.open -= part
                amount -= part
    return pairs
