"""The value of an order on a customer's account, from the promise to ship until it is billed or falls away."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.lib import numbering
from shouxin.lib.statements import Reply, append, array, ask
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.refusals import Moved
from shouxin.rules import exposure as rule
from shouxin.rules.exposure import Bucket, Movement, OrderValue

from . import exposure
from .models import CreditAccount, Posting, Reservation

AT_MOST = _("Enter at most %(left)s.")
"""What cures asking for more than is left of an order."""

PARTS = ("reserved", "undelivered", "unbilled", "billed", "released")
OPEN = Q(reserved__gt=0) | Q(undelivered__gt=0) | Q(unbilled__gt=0)
"""Reservations of which something is neither billed nor released yet."""
BILLED = Q(billed__gt=0)
"""Reservations of which something counts as billed."""


@dataclass(frozen=True)
class Wanted:
    """A reservation to be made: on which account, for which order, how much, in which stage, until when."""

    account_id: int
    source_system: str
    order_no: str
    amount: Decimal
    expires_on: date | None
    decision_id: int | None = None
    stage: Bucket = Bucket.RESERVED
    by_id: int | None = None


def value_of(reservation: Reservation) -> OrderValue:
    """Where the order's value stands, as a plain value."""
    return OrderValue(**{part: getattr(reservation, part) for part in PARTS})


def make(wanted: Sequence[Wanted], *, today: date, at: datetime, by: Person | None) -> list[int]:
    """Reservations with their postings, in one statement each; answers their ids. The accounts must be locked."""
    keys = numbering.ids(Reservation, len(wanted)) if wanted else []
    make_under(keys, wanted, today=today, at=at, by=by)
    return keys


def make_under(keys: Sequence[int], wanted: Sequence[Wanted], *, today: date, at: datetime, by: Person | None) -> None:
    """The same, under ids that were taken before (`numbering.ids`)."""
    if not wanted:
        return
    numbers = [f"R{key:08d}" for key in keys]
    columns: dict[str, Any] = {
        "id": list(keys),
        "account_id": [want.account_id for want in wanted],
        "number": numbers,
        "decision_id": [want.decision_id for want in wanted],
        "source_system": [want.source_system for want in wanted],
        "order_no": [want.order_no for want in wanted],
        "amount": [want.amount for want in wanted],
        "made_on": today,
        "expires_on": [want.expires_on for want in wanted],
        "version": 1,
    }
    stages = {str(want.stage) for want in wanted}
    parts = {part: [want.amount if want.stage == part else 0 for want in wanted] for part in stages}
    append(Reservation, columns | dict.fromkeys(PARTS, 0) | parts)
    entries = [
        exposure.Entry(
            want.account_id,
            Movement(None, want.stage, want.amount),
            f"reserve:{number}",
            want.decision_id,
            want.by_id,
        )
        for want, number in zip(wanted, numbers, strict=True)
    ]
    exposure.post(entries, on=today, at=at, by=by)


def release(reservations: Iterable[Reservation], *, why: str, today: date, at: datetime, by: Person | None) -> None:
    """What has not been delivered leaves the accounts: superseded, expired or cancelled orders. Accounts are locked."""
    entries: list[exposure.Entry] = []
    rows = list(reservations)
    for row in rows:
        value = value_of(row)
        entries += _apply(row, rule.cancel(value, value.reserved + value.undelivered), why)
    Reservation.objects.bulk_update(rows, [*PARTS, "version"])
    exposure.post(entries, on=today, at=at, by=by)


_DUE = f"""
SELECT EXISTS (
    SELECT FROM ({exposure.OF_GROUPS}) AS c(id) JOIN {CreditAccount._meta.db_table} a ON a.customer_id = c.id
    CROSS JOIN LATERAL (
        SELECT FROM {Reservation._meta.db_table} r
        WHERE r.account_id = a.id AND r.expires_on < %s AND r.reserved > 0 LIMIT 1
    ) AS due
)
"""


def ask_due(customers: Iterable[int], *, today: date) -> Reply[bool]:
    """Whether any reservation of the customers or of their groups is past its day and still holds value."""
    asked = array(set(customers))
    return ask(_DUE, asked, asked, today, read=lambda rows: bool(rows[0][0]))


def expire(accounts: Iterable[int], *, today: date, at: datetime, by: Person | None) -> int:
    """Reservations past their day let go of what is still reserved. Accounts are locked. Answers how many."""
    due = Reservation.objects.filter(account__in=accounts, expires_on__lt=today, reserved__gt=0).order_by("pk")
    rows = list(due.select_for_update())
    entries: list[exposure.Entry] = []
    for row in rows:
        entries += _apply(row, (Movement(Bucket.RESERVED, None, row.reserved),), "expired")
    Reservation.objects.bulk_update(rows, [*PARTS, "version"])
    exposure.post(entries, on=today, at=at, by=by)
    return len(rows)


_PART_OF = {Bucket.RECEIVABLE: "billed", None: "released"}
"""The part of an order's value that stands in a bucket of the account, where it is not called the same."""


def _apply(row: Reservation, movements: Iterable[Movement], document: str) -> list[exposure.Entry]:
    """Move the row's parts (in memory) and answer the entries that must be posted with it."""
    entries = []
    for movement in movements:
        if movement.source:
            left, arrived = (_PART_OF.get(end, str(end)) for end in (movement.source, movement.target))
            setattr(row, left, getattr(row, left) - movement.amount)
            setattr(row, arrived, getattr(row, arrived) + movement.amount)
        entries.append(exposure.Entry(row.account_id, movement, _paper(document, row), row.decision_id))
    row.version += 1
    return entries


def bill_order(
    account_id: int, order_no: str, source_system: str, amount: Decimal, *, document: str
) -> tuple[list[Reservation], list[exposure.Entry]]:
    """What an invoice of `amount` for an order takes out of the order's reservations, and the entries for the journal.

    The entries always add up to `amount` entering `receivable`. Accounts are locked; the caller saves and posts.
    """
    rows = Reservation.objects.filter(account=account_id, order_no=order_no, source_system=source_system)
    changed, entries = [], []
    for row in rows.filter(OPEN).order_by("pk"):
        part = min(amount, value_of(row).open)
        if part > 0:
            entries += _apply(row, rule.bill(value_of(row), part), document)
            changed.append(row)
            amount -= part
    if amount > 0:
        entries.append(exposure.Entry(account_id, Movement(None, Bucket.RECEIVABLE, amount), document))
    return changed, entries


def unbill_order(
    account_id: int, order_no: str, amount: Decimal, *, billing: str, document: str
) -> tuple[list[Reservation], list[exposure.Entry]]:
    """What the reversal of an order's invoice gives back to the order's reservations, and the entries for the journal.

    The entries always add up to `amount` leaving `receivable`; what the invoice billed, and out of which stage, is read
    from the journal, where it stands as `billing`. Accounts are locked; the caller saves and posts.
    """
    rows = Reservation.objects.filter(BILLED, account=account_id, order_no=order_no) if order_no else ()
    by_paper = {_paper(billing, row): row for row in rows}
    postings = Posting.objects.filter(account=account_id, document__in=by_paper, source__in=rule.STAGES)
    changed, entries = [], []
    for posting in postings.filter(target=Bucket.RECEIVABLE).order_by("pk"):
        row = by_paper[posting.document]
        moved = Movement(Bucket(posting.source), Bucket.RECEIVABLE, posting.amount)
        back = rule.unbill([moved], min(row.billed, amount))
        entries += _apply(row, back, document)
        changed.append(row)
        amount -= sum((movement.amount for movement in back), Decimal(0))
    if amount > 0:
        entries.append(exposure.Entry(account_id, Movement(Bucket.RECEIVABLE, None, amount), document))
    return changed, entries


def sources(orders: Collection[tuple[int, str]], which: Q) -> dict[tuple[int, str], list[str]]:
    """(account id, order number) -> source systems under which these orders have such reservations: OPEN, BILLED."""
    if not orders:
        return {}
    accounts, numbers = {account for account, _order in orders}, {order for _account, order in orders}
    rows = Reservation.objects.filter(which, account__in=accounts, order_no__in=numbers)
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    for account, order, source in rows.order_by().values_list("account", "order_no", "source_system").distinct():
        if (account, order) in orders:
            found[account, order].append(source)
    return found


def credit_order(account_id: int, order_no: str, source_system: str, amount: Decimal) -> list[Reservation]:
    """What a credit note of `amount` takes off what counts as billed of the order; the caller saves.

    The note itself lowers `receivable`. Should it be reversed, the order's value stays released: asked about again, the
    order is measured whole.
    """
    changed = []
    rows = Reservation.objects.filter(account=account_id, order_no=order_no, source_system=source_system)
    for row in rows.filter(BILLED).order_by("-pk"):
        part = min(amount, row.billed)
        if part > 0:
            row.billed, row.released, row.version = row.billed - part, row.released + part, row.version + 1
            changed.append(row)
            amount -= part
    return changed


def _paper(document: str, row: Reservation) -> str:
    """How a movement of the reservation's value names its paper in the journal: by the reservation's number, whole."""
    return f"{document[: exposure.DOCUMENT_LENGTH - len(row.number) - 1]}:{row.number}"


def save(rows: Iterable[Reservation]) -> None:
    """Write the parts of rows that a paper has moved."""
    Reservation.objects.bulk_update(list(rows), [*PARTS, "version"])


def locked(pk: int) -> Reservation:
    """The reservation and its accounts, locked in the house's order (accounts first). Call inside a transaction."""
    account = Reservation.objects.select_related("account").get(pk=pk).account
    exposure.lock([account.customer_id])
    return Reservation.objects.select_related("account__customer").select_for_update(of=("self",)).get(pk=pk)


def step(row: Reservation, verb: str, amount: Decimal | None, *, today: date, at: datetime, by: Person) -> Reservation:
    """Deliver or cancel the whole or a part of a locked reservation; Moved where less is left than asked (I-5)."""
    value = value_of(row)
    left = value.reserved + value.undelivered
    amount = left if amount is None else amount
    if amount <= 0 or amount > left:
        raise Moved(
            _("Of order %(order)s only %(left)s is left to deliver or cancel."),
            code="nothing_left",
            cure=AT_MOST if left else None,
            left=f"{left:,.2f}",
            order=row.order_no,
        )
    movements = rule.deliver(value, amount) if verb == "deliver" else rule.cancel(value, amount)
    entries = _apply(row, movements, verb)
    save([row])
    exposure.post(entries, on=today, at=at, by=by)
    trail.record(f"reservation.{verb}", about=row, by=by, at=at, customer=row.account.customer, amount=amount)
    return row


def extend(row: Reservation, until: date, *, at: datetime, by: Person) -> Reservation:
    """Let a reservation live until a later day; raises Moved where nothing is reserved any more."""
    if row.reserved <= 0:
        raise Moved(_("Nothing is reserved any more, so there is nothing to extend."), code="nothing_left")
    row.expires_on, row.version = until, row.version + 1
    row.save(update_fields=["expires_on", "version"])
    trail.record("reservation.extend", about=row, by=by, at=at, customer=row.account.customer, until=until)
    return row
