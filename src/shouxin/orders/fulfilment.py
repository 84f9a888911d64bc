"""What becomes of a reservation: goods leave, an invoice is issued, it falls away, it lives longer (I-5)."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit import reservations
from shouxin.credit.models import Reservation
from shouxin.credit.reservations import PARTS
from shouxin.customers import standing
from shouxin.office import policies, posts
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved
from shouxin.receivables import bulk, invoices, posting
from shouxin.receivables.papers import InvoiceRow
from shouxin.rules.policy import Post

from . import asking

SHIPPERS = (Post.SALES, Post.FINANCE, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
BILLERS = (Post.FINANCE, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
EXTENDERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)

__all__ = ["PARTS", "bill", "cancel", "deliver", "extend"]


def deliver(reservation: Reservation, amount: Decimal | None, *, by: Person, today: date, at: datetime) -> Reservation:
    """Goods leave: the whole or a part moves to delivered but not billed."""
    return _step(reservation, "deliver", amount, by=by, today=today, at=at)


def cancel(reservation: Reservation, amount: Decimal | None, *, by: Person, today: date, at: datetime) -> Reservation:
    """The whole or a part of what has not been delivered is released."""
    return _step(reservation, "cancel", amount, by=by, today=today, at=at)


def _step(
    reservation: Reservation, verb: str, amount: Decimal | None, *, by: Person, today: date, at: datetime
) -> Reservation:
    _require(by, SHIPPERS, reservation, verb, today, at)
    with transaction.atomic():
        row = reservations.locked(reservation.pk)
        if verb == "deliver":
            _refuse_blacklisted(row, today)
        return reservations.step(row, verb, amount, today=today, at=at, by=by)


def extend(reservation: Reservation, until: date, *, by: Person, today: date, at: datetime) -> Reservation:
    """What is still reserved lives until a later day."""
    _require(by, EXTENDERS, reservation, "extend", today, at)
    if unfit := asking.unfit(until, policies.in_force(today).policy, today=today):
        raise BadForm([("until", unfit)])
    with transaction.atomic():
        row = reservations.locked(reservation.pk)
        _refuse_blacklisted(row, today)
        return reservations.extend(row, until, at=at, by=by)


def _refuse_blacklisted(row: Reservation, today: date) -> None:
    """What was approved before the blacklisting is no way around it (I-20)."""
    customer = row.account.customer
    if standing.effective([customer], today)[customer.pk] == standing.BLACKLISTED:
        raise Moved(
            _("The customer or the head of its group is on the blacklist: nothing is delivered or kept reserved."),
            code="blacklisted",
            cure=_("Cancel the reservation, or have two people lift the blacklisting."),
        )


def bill(
    reservation: Reservation,
    amount: Decimal | None = None,
    *,
    invoice_no: str = "",
    dated_on: date | None = None,
    due_on: date | None = None,
    by: Person,
    today: date,
    at: datetime,
) -> Reservation:
    """Post the invoice for the whole or a part; what it bills leaves the order and enters the receivables.

    Left out: the amount is all that was delivered (or, where nothing was, all that is open), the number follows the
    order's, the due date the term of the customer's line. Raises Moved where less is open than asked.
    """
    _require(by, BILLERS, reservation, "bill", today, at)
    posting.refuse_later_than(today, dated_on=dated_on)
    with transaction.atomic():
        row = reservations.locked(reservation.pk)
        billed = _billable(row, amount)
        dated_on = dated_on or today
        invoice = _invoice(row, billed, invoice_no, dated_on, due_on or _due(row, dated_on), today)
        outcome = bulk.post_invoices([invoice], by=by, at=at, today=today)[0]
        if outcome.state == "unchanged" or outcome.code == "number_taken":
            raise Moved(
                _("An invoice with the number %(number)s exists already."),
                code="duplicate",
                cure=_("Give it another number."),
                number=invoice.doc_no,
            )
        posting.accepted(outcome)
        return Reservation.objects.select_related("account__customer").get(pk=row.pk)


def _billable(row: Reservation, amount: Decimal | None) -> Decimal:
    is_open = reservations.value_of(row).open
    wanted = amount if amount is not None else row.unbilled or is_open
    if wanted <= 0 or wanted > is_open:
        raise Moved(
            _("Of order %(order)s only %(left)s is left to bill."),
            code="nothing_left",
            cure=reservations.AT_MOST if is_open else None,
            left=f"{is_open:,.2f}",
            order=row.order_no,
        )
    return wanted


def _due(row: Reservation, dated_on: date) -> date:
    """By the term of the line in force; without one, at once."""
    return invoices.due_by_line(row.account.customer_id, dated_on) or dated_on


def _invoice(row: Reservation, amount: Decimal, number: str, dated_on: date, due_on: date, today: date) -> InvoiceRow:
    return InvoiceRow(
        customer_id=row.account.customer_id,
        source_system=row.source_system,
        doc_no=number or f"{row.order_no}-{row.version}",
        kind="invoice",
        dated_on=dated_on,
        instalments=((1, due_on, amount),),
        amount=amount,
        currency=row.account.currency,
        order_no=row.order_no,
    )


def _require(
    by: Person, duty: tuple[Post, ...], reservation: Reservation, verb: str, today: date, at: datetime
) -> None:
    if not posts.is_system(by):
        posts.require(by, *duty, on=today, about=reservation, verb=f"reservation.{verb}", at=at)
