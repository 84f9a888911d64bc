"""What is owed, as facts for those above: open items on any day, what is overdue now, how was paid.

As-of truth: the books of a past day know no invoice dated later, no receipt that came later and no match that counts
from a later day; a dispute counts while it lasted. Amounts keep their own currency. Everything is read set-based.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from shouxin.lib.statements import Reply, array, ask
from shouxin.rules.aging import OpenItem
from shouxin.rules.money import convert
from shouxin.rules.payment_record import Dated, Settled

from .bulk import UNDATED_PREFIX
from .models import Contest, Episode, Instalment, Invoice, Match, Receipt

ZERO = Decimal(0)
Overdue = tuple[int, dict[str, Decimal]]
"""Days of the oldest item, and currency -> sum."""


def overdue_of(customers: Iterable[int], *, today: date) -> dict[int, Overdue]:
    """Customer id -> (days of the oldest, currency -> sum) of what is overdue and not contested; none: left out.

    One query over the index of open instalments, cheap enough to be asked under the lock of an order check.
    """
    return ask_overdue(customers, today=today).read()


_TABLES = {model.__name__.lower(): model._meta.db_table for model in (Instalment, Invoice, Match, Contest, Receipt)}

_OVERDUE = """
SELECT i.customer_id, v.currency, min(COALESCE(i.due_on, v.dated_on)), sum(i.amount - i.settled - i.contested)
FROM {instalment} i JOIN {invoice} v ON v.id = i.invoice_id
WHERE i.customer_id = ANY(%s::bigint[]) AND NOT i.settled = i.amount AND i.amount > i.settled + i.contested
  AND (i.due_on < %s OR i.due_on IS NULL AND v.dated_on < %s)
GROUP BY i.customer_id, v.currency
""".format(**_TABLES)


def ask_overdue(customers: Iterable[int], *, today: date) -> Reply[dict[int, Overdue]]:
    """The same, as one of the questions of a pipeline."""
    return ask(_OVERDUE, array(set(customers)), today, today, read=lambda rows: _read_overdue(rows, today))


def _read_overdue(rows: Iterable[Any], today: date) -> dict[int, Overdue]:
    found: dict[int, Overdue] = {}
    for customer, currency, oldest, amount in rows:
        days, amounts = found.get(customer, (0, {}))
        found[customer] = max(days, (today - oldest).days), amounts | {currency: amount}
    return found


def ask_stages(customers: Iterable[int]) -> Reply[dict[int, int]]:
    """Customer id -> the stage its running overdue episode has reached, as one of the questions of a pipeline."""
    return ask(
        f"SELECT customer_id, stage FROM {Episode._meta.db_table} "
        "WHERE customer_id = ANY(%s::bigint[]) AND ended_on IS NULL",
        array(set(customers)),
        read=lambda rows: dict(rows),
    )


# ----------------------------------------------------------------------------------------------------------- open items


_OPEN_INSTALMENTS = """
WITH later AS (
    SELECT id, sum(amount) AS amount FROM (
        SELECT instalment_id AS id, amount FROM {match} WHERE "on" > %(as_of)s
        UNION ALL
        SELECT credit_id, -amount FROM {match} WHERE "on" > %(as_of)s AND credit_id IS NOT NULL
    ) AS m GROUP BY id
), disputed AS (
    SELECT instalment_id AS id, sum(amount) AS amount FROM {contest}
    WHERE since <= %(as_of)s AND (settled_on IS NULL OR settled_on > %(as_of)s) {contested_by} GROUP BY instalment_id
)
SELECT i.customer_id, v.doc_no, i.number, i.due_on, v.dated_on, i.amount - i.settled + COALESCE(later.amount, 0),
       v.currency, COALESCE(disputed.amount, 0)
FROM {instalment} i
JOIN {invoice} v ON v.id = i.invoice_id
LEFT JOIN later ON later.id = i.id
LEFT JOIN disputed ON disputed.id = i.id
WHERE v.dated_on <= %(as_of)s AND (NOT i.settled = i.amount OR i.settled_on > %(as_of)s)
  AND NOT i.amount - i.settled + COALESCE(later.amount, 0) = 0 {customers}
"""

_CONTESTED_BY = """
    AND instalment_id IN (
        SELECT id FROM {instalment}
        WHERE customer_id = ANY(%(customers)s) AND (NOT settled = amount OR settled_on > %(as_of)s))
"""

_UNAPPLIED_RECEIPTS = """
WITH later AS (
    SELECT receipt_id AS id, sum(amount) AS amount FROM {match}
    WHERE "on" > %(as_of)s AND receipt_id IS NOT NULL GROUP BY receipt_id
)
SELECT r.account_id, r.customer_id, r.doc_no, r.received_on, r.amount - r.applied + COALESCE(later.amount, 0),
       r.currency, r.id, r.reverses_id
FROM {receipt} r LEFT JOIN later ON later.id = r.id
WHERE r.received_on <= %(as_of)s AND (NOT r.applied = r.amount OR later.id IS NOT NULL)
  AND NOT r.amount - r.applied + COALESCE(later.amount, 0) = 0 {customers}
"""

_OF_REPAID = """
    AND r.account_id {whether} IN (SELECT account_id FROM {receipt} WHERE amount < 0 AND received_on <= %(as_of)s)
"""

_IN_ORDER = " ORDER BY r.account_id, r.received_on, r.id"

_OPEN = """
{instalments}
UNION ALL
SELECT customer_id, doc_no, 1, received_on, received_on, -amount, currency, 0
FROM ({receipts}) AS r (account_id, customer_id, doc_no, received_on, amount, currency, id, reverses)
UNION ALL
SELECT customer_id, document, 1, dated_on, dated_on, amount, currency, 0
FROM unnest(%(net_customers)s::bigint[], %(net_documents)s::text[], %(net_days)s::date[], %(net_amounts)s::numeric[],
            %(net_currencies)s::text[]) AS net (customer_id, document, dated_on, amount, currency)
"""

COLUMNS = "customer_id, document, number, due_on, dated_on, amount, currency, contested"
"""The columns of `open_table`."""


def open_items(customers: Iterable[int] | None, *, as_of: date) -> Iterator[OpenItem]:
    """Everything open at the close of a day: instalments, credit notes and unapplied money (both negative).

    `customers`: whose (ids); None is everybody's. An item's `customer` is the customer's id as text. Repayments are
    taken off unapplied receipts first; what was paid back beyond them stands as a positive item. Streamed, in no order.
    """
    for customer, *rest in _rows(_OPEN_INSTALMENTS, "i.customer_id", customers, as_of):
        yield OpenItem(str(customer), *rest)
    yield from _unapplied(_rows(_UNAPPLIED_RECEIPTS + _IN_ORDER, "r.customer_id", customers, as_of))


def open_table(customers: Iterable[int] | None, *, as_of: date) -> tuple[str, dict[str, Any]]:
    """The same as a query, to be added up in the database: its text, with the columns COLUMNS, and its parameters.

    What remains of money paid back is netted here and stands in the parameters: such accounts are few.
    """
    whose = None if customers is None else list(customers)
    of_repaid, of_others = (_OF_REPAID.format(whether=each, **_TABLES) for each in ("", "NOT"))
    receipts = _rows(_UNAPPLIED_RECEIPTS.replace("{customers}", of_repaid + "{customers}") + _IN_ORDER,
                     "r.customer_id", whose, as_of)  # fmt: skip
    net = list(_unapplied(receipts))
    text = _OPEN.format(
        instalments=_filled(_OPEN_INSTALMENTS, "i.customer_id", whose),
        receipts=_filled(_UNAPPLIED_RECEIPTS, "r.customer_id", whose) + of_others,
    )
    return text, {
        "as_of": as_of,
        "customers": whose,
        "net_customers": [int(item.customer) for item in net],
        "net_documents": [item.document for item in net],
        "net_days": [item.dated_on for item in net],
        "net_amounts": [item.amount for item in net],
        "net_currencies": [item.currency for item in net],
    }


_BY_DUE_DAY = """
SELECT currency, COALESCE(due_on, dated_on), sum(amount), sum(LEAST(GREATEST(contested, 0), GREATEST(amount, 0))),
       count(*)
FROM ({open}) AS o (customer, document, number, due_on, dated_on, amount, currency, contested)
GROUP BY currency, COALESCE(due_on, dated_on), amount < 0
"""


def open_by_due_day(*, as_of: date) -> Iterator[tuple[OpenItem, int]]:
    """What `open_items` tells of everybody, instalments added up per currency and due day: (item, how many it holds).

    Summed in the database, so that the ageing of a day costs as much for millions of items as for thousands. The items
    are of no customer and no document, and dated on their due day, or `as_of` where that is ahead.
    """
    text = _BY_DUE_DAY.replace("{open}", _OPEN_INSTALMENTS)
    for currency, due_on, amount, contested, count in _rows(text, "", None, as_of):
        yield OpenItem("", "", 1, due_on, min(due_on, as_of), amount, currency, contested), count
    for item in _unapplied(_rows(_UNAPPLIED_RECEIPTS + _IN_ORDER, "", None, as_of)):
        yield item, 1


def _rows(text: str, column: str, customers: Iterable[int] | None, as_of: date) -> Iterator[Any]:
    """The rows of a query, read through a cursor on the server so that millions never stand in memory."""
    params = {"as_of": as_of, "customers": None if customers is None else list(customers)}
    with connection.chunked_cursor() as cursor:
        cursor.itersize = 10_000
        cursor.execute(_filled(text, column, customers), params)
        while rows := cursor.fetchmany(10_000):
            yield from rows


def _filled(text: str, column: str, customers: Iterable[int] | None) -> str:
    """The query with its tables, narrowed to the customers (a parameter) where there are any."""
    only = "" if customers is None else f"AND {column} = ANY(%(customers)s)"
    contested = "" if customers is None else _CONTESTED_BY.format(**_TABLES)
    return text.format(**_TABLES, customers=only, contested_by=contested)


@dataclass(slots=True)
class _Money:
    """What is left of one receipt; negative: paid back."""

    customer: int
    doc_no: str
    day: date
    left: Decimal
    currency: str
    id: int
    reverses: int | None


def _unapplied(rows: Iterable[Any]) -> Iterator[OpenItem]:
    by_account: dict[int, list[_Money]] = defaultdict(list)
    for account, *rest in rows:
        by_account[account].append(_Money(*rest))
    for moneys in by_account.values():
        _net(moneys)
        for money in moneys:
            if money.left:
                yield OpenItem(str(money.customer), money.doc_no, 1, money.day, money.day, -money.left, money.currency)


def _net(moneys: list[_Money]) -> None:
    """Take repayments off what came in: the receipt they reverse first, then the oldest."""
    for back in sorted((m for m in moneys if m.left < 0), key=lambda m: m.reverses is None):
        for money in sorted((m for m in moneys if m.left > 0), key=lambda m: m.id != back.reverses):
            part = min(-back.left, money.left)
            money.left -= part
            back.left += part


# ------------------------------------------------------------------------------------------------------ how was paid


@dataclass
class History:
    """What the payment record of one customer is computed from, all in one currency (`rules.payment_record`)."""

    settled: list[Settled] = field(default_factory=list)
    open_items: list[OpenItem] = field(default_factory=list)
    invoices: list[Dated] = field(default_factory=list)
    receipts: list[Dated] = field(default_factory=list)
    missing_rates: set[str] = field(default_factory=set)


def settled_history(
    customers: Collection[int],
    *,
    as_of: date,
    rates: Mapping[str, Decimal],
    items: Iterable[OpenItem] | None = None,
) -> dict[int, History]:
    """Customer id -> its history at the close of a day, in the company's currency; everybody asked has an answer.

    `rates`: what one unit of a currency is worth in the company's (itself 1). Amounts in other currencies are left
    out and the currency named in `missing_rates`. Credit notes and payments without a known day say nothing about
    punctuality and are left out of `settled`; a dispute that was rejected excuses no delay; reversals cancel out.
    `items`: their open items of that day, where the caller has read them already.
    """
    found = {customer: History() for customer in customers}
    for customer, currency, row in _settled(customers, as_of):
        _add(found[customer], "settled", row, currency, rates)
    for item in open_items(customers, as_of=as_of) if items is None else items:
        _add(found[int(item.customer)], "open_items", item, item.currency, rates)
    for customer, currency, name, *rest in _dated(customers, as_of):
        _add(found[customer], name, Dated(*rest), currency, rates)
    return found


def _add(history: History, name: str, row: Any, currency: str, rates: Mapping[str, Decimal]) -> None:
    rate = rates.get(currency)
    if rate is None:
        history.missing_rates.add(currency)
        return
    getattr(history, name).append(row if rate == 1 else _converted(row, rate))


def _converted(row: Any, rate: Decimal) -> Any:
    changes = {"amount": convert(row.amount, rate)}
    if isinstance(row, OpenItem):
        changes["contested"] = convert(row.contested, rate)
    return replace(row, **changes)


_SETTLED = """
SELECT i.customer_id, v.currency, COALESCE(i.due_on, v.dated_on), r.received_on, sum(m.amount), v.doc_no, v.dated_on,
       i.number, EXISTS (
           SELECT 1 FROM {contest} c WHERE c.instalment_id = i.id AND c.since <= %(as_of)s
           AND (c.settled_on IS NULL OR c.settled_on > %(as_of)s OR NOT c.outcome = 'rejected'))
FROM {match} m
JOIN {instalment} i ON i.id = m.instalment_id
JOIN {invoice} v ON v.id = i.invoice_id
JOIN {receipt} r ON r.id = m.receipt_id
WHERE m."on" <= %(as_of)s AND i.amount > 0 AND NOT starts_with(r.doc_no, %(undated)s)
  AND i.customer_id = ANY(%(customers)s)
GROUP BY i.id, v.id, r.id
HAVING NOT sum(m.amount) = 0
"""


_DATED = """
SELECT customer_id, currency, 'invoices', dated_on, amount, doc_no FROM {invoice}
WHERE customer_id = ANY(%(customers)s) AND dated_on <= %(as_of)s
UNION ALL
SELECT customer_id, currency, 'receipts', received_on, amount, doc_no FROM {receipt}
WHERE customer_id = ANY(%(customers)s) AND received_on <= %(as_of)s
"""


def _dated(customers: Collection[int], as_of: date) -> list[Any]:
    """(customer id, currency, invoices or receipts, day, amount, document) of every paper up to the day."""
    with connection.cursor() as cursor:
        cursor.execute(_DATED.format(**_TABLES), {"customers": list(customers), "as_of": as_of})
        return list(cursor.fetchall())


def _settled(customers: Collection[int], as_of: date) -> Iterator[tuple[int, str, Settled]]:
    """(customer id, currency, payment on an instalment); undone matches are gone."""
    params = {"as_of": as_of, "undated": UNDATED_PREFIX, "customers": list(customers)}
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED.format(**_TABLES), params)
        for customer, currency, *rest in cursor.fetchall():
            yield customer, currency, Settled(*rest)
