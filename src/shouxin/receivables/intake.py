"""Plain invoices by the ten thousand: columns go to a staging table, and from there into the books by a few statements.

Plain is a paper of one row that bills no open order and is not in dispute. It enters the books here, or is found to be
there already, word for word. Whatever else a file holds is left to `bulk`, which reads rows one by one; a property
test holds the two to the same books.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from django.db import connection

from shouxin.credit import exposure
from shouxin.credit.models import Reservation
from shouxin.lib.copying import copy_columns
from shouxin.office import trail
from shouxin.office.models import Person

from .bulk import PAID_PREFIX, UNDATED_PREFIX, lock_accounts
from .models import Instalment, Invoice, Match, Receipt

STAGED = "staged_invoice"
INVOICES, INSTALMENTS = Invoice._meta.db_table, Instalment._meta.db_table
RECEIPTS, MATCHES, RESERVATIONS = Receipt._meta.db_table, Match._meta.db_table, Reservation._meta.db_table

State = Literal["posted", "unchanged"]


@dataclass(frozen=True)
class Delivery:
    """Under what conditions papers are put into the books: from where, by whom (who may), when."""

    source_system: str
    by: Person | None
    at: datetime
    today: date


def post(papers: Mapping[str, Sequence[Any]], delivery: Delivery) -> list[State | None]:
    """Post plain papers given as columns; for each, in order, what became of it, None where `bulk` has to see it.

    The columns are customer, doc_no, kind, dated_on, due_on, number, amount, currency, order_no, contract_no,
    description, paid, and paid_on (None: the day is not known). Customers exist, keys (customer, doc_no) differ, kind
    and sign agree, and paid lies between 0 and amount. Must be called inside a transaction; it locks the accounts.
    """
    _stage(papers)
    states: list[State | None] = ["posted"] * len(papers["doc_no"])
    for place, same in _set_booked_aside(delivery.source_system):
        states[place] = "unchanged" if same else None
    if any(papers["order_no"]):
        for place in _set_billing_aside():
            states[place] = None
    if "posted" in states:
        _write(delivery, paid=any(papers["paid"]))
        counts = {state: states.count(state) for state in ("posted", "unchanged")}
        trail.record("invoice.post_many", about="invoice:many", by=delivery.by, at=delivery.at, **counts)
    return states


def _stage(papers: Mapping[str, Sequence[Any]]) -> None:
    """The papers in a table of this transaction's own, with the ids they will have."""
    pairs = list(zip(papers["customer"], papers["currency"], strict=True))
    accounts = lock_accounts(pairs)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {STAGED} (place integer, account bigint, customer bigint, doc_no text, "
            "kind text, dated_on date, due_on date, number smallint, amount numeric, currency text, order_no text, "
            "contract_no text, description text, paid numeric, paid_on date, "
            f"id bigint DEFAULT nextval('{_sequence(cursor, INVOICES)}'), "
            f"instalment bigint DEFAULT nextval('{_sequence(cursor, INSTALMENTS)}')) ON COMMIT DROP"
        )
        cursor.execute(f"TRUNCATE {STAGED}")
    placed = {"place": range(len(pairs)), "account": [accounts[pair] for pair in pairs]}
    copy_columns(STAGED, placed | papers)


def _sequence(cursor: Any, table: str) -> str:
    cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
    return str(cursor.fetchone()[0])


def _set_booked_aside(source_system: str) -> list[tuple[int, bool]]:
    """Take papers that are in the books out of the stage: their places, and whether the books say the very same."""
    alike = ("kind", "dated_on", "amount", "currency", "order_no", "contract_no")
    same = " AND ".join(f"booked.{name} = {STAGED}.{name}" for name in alike)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {STAGED} (customer, doc_no)")
        cursor.execute(
            f"DELETE FROM {STAGED} USING {INVOICES} booked WHERE booked.customer_id = {STAGED}.customer "
            f"AND booked.source_system = %s AND booked.doc_no = {STAGED}.doc_no RETURNING place, {same} AND "
            f"(SELECT count(*) = 1 AND bool_and(part.number = {STAGED}.number AND part.amount = {STAGED}.amount "
            f"AND part.due_on IS NOT DISTINCT FROM {STAGED}.due_on AND abs({STAGED}.paid) <= abs(part.settled)) "
            f"FROM {INSTALMENTS} part WHERE part.invoice_id = booked.id)",
            [source_system],
        )
        return cursor.fetchall()


def _set_billing_aside() -> list[int]:
    """Take papers out of the stage that change an order's reservations: invoices of what is open, credit notes of what
    was billed; their places."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {STAGED} WHERE order_no <> '' AND EXISTS (SELECT FROM {RESERVATIONS} r "
            f"WHERE r.account_id = {STAGED}.account AND r.order_no = {STAGED}.order_no "
            f"AND CASE WHEN {STAGED}.amount < 0 THEN r.billed > 0 "
            "ELSE r.reserved > 0 OR r.undelivered > 0 OR r.unbilled > 0 END) RETURNING place"
        )
        return [place for (place,) in cursor.fetchall()]


def _write(delivery: Delivery, *, paid: bool) -> None:
    """What is on the stage enters the books: papers, instalments, journal, and the money that came with them."""
    by = delivery.by.pk if delivery.by else None
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {INVOICES} (id, account_id, customer_id, source_system, doc_no, kind, dated_on, due_on, "
            "amount, currency, order_no, contract_no, description, at, by_id) "
            "SELECT id, account, customer, %s, doc_no, kind, dated_on, due_on, amount, currency, order_no, "
            f"contract_no, left(description, 200), %s, %s FROM {STAGED}",
            [delivery.source_system, delivery.at, by],
        )
        cursor.execute(
            f"INSERT INTO {INSTALMENTS} "
            "(id, invoice_id, customer_id, number, due_on, amount, settled, contested, settled_on) "
            "SELECT instalment, id, customer, number, due_on, amount, paid, 0, "
            f"CASE WHEN paid = amount THEN coalesce(paid_on, dated_on) END FROM {STAGED}"
        )
    journal = {"on": delivery.today, "at": delivery.at, "by": delivery.by}
    exposure.post_receivables(f"SELECT account, amount, 'invoice:' || doc_no AS document FROM {STAGED}", [], **journal)
    if paid:
        _write_payments(delivery)
        number = f"SELECT account, -paid AS amount, 'receipt:' || {_NUMBER} AS document FROM {STAGED} WHERE paid <> 0"
        exposure.post_receivables(number, [PAID_PREFIX, UNDATED_PREFIX], **journal)


# As bulk.settlement_doc_no says it.
_NUMBER = (
    "(SELECT CASE WHEN length(n) <= 80 THEN n ELSE left(n, 63) || '~' || "
    "left(encode(sha256(convert_to(doc_no, 'UTF8')), 'hex'), 16) END FROM (SELECT "
    "CASE WHEN paid_on IS NOT NULL THEN %s ELSE %s END || doc_no AS n) AS numbered)"
)


def _write_payments(delivery: Delivery) -> None:
    """One receipt per paper that came with a payment, wholly applied to it on that day."""
    by = delivery.by.pk if delivery.by else None
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH paid AS MATERIALIZED (SELECT *, coalesce(paid_on, dated_on) AS day, {_NUMBER} AS receipt_no, "
            f"nextval('{_sequence(cursor, RECEIPTS)}') AS receipt FROM {STAGED} WHERE paid <> 0), "
            f"taken AS (INSERT INTO {RECEIPTS} (id, account_id, customer_id, source_system, doc_no, received_on, "
            "amount, currency, payer, names, applied, at, by_id) SELECT receipt, account, customer, %s, receipt_no, "
            "day, paid, currency, '', jsonb_build_array(doc_no), paid, %s, %s FROM paid) "
            f'INSERT INTO {MATCHES} (instalment_id, receipt_id, amount, "on", at, by_id) '
            "SELECT instalment, receipt, paid, day, %s, %s FROM paid",
            [PAID_PREFIX, UNDATED_PREFIX, delivery.source_system, delivery.at, by, delivery.at, by],
        )
