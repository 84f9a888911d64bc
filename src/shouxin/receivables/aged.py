"""Open items added up in the database: by customer or group, currency and bucket, in one statement.

`rules.aging` is the rule; what stands here gives the same cents however many items there are.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from shouxin.credit.models import Line
from shouxin.customers.models import Customer
from shouxin.rules.aging import Aged, Basis, OpenItem

from . import owed

Groups = dict[str, list[tuple[str, Aged]]]
"""Currency -> (key of the group, its sheet), the largest total first."""

_AGED = """
WITH open AS (
    SELECT customer_id, document, number, due_on, dated_on, amount, currency,
           GREATEST(LEAST(contested, amount), 0) AS contested, %(as_of)s::date - COALESCE(due_on, dated_on) AS late,
           width_bucket(%(as_of)s::date - {counted_from} - 1, %(bounds)s::int[]) AS bucket
    FROM ({open}) AS o ({columns})
)"""

_MEASURES = {
    "total": ("sum", "amount", ""),
    "unapplied": ("sum", "amount", "amount < 0"),
    "overdue": ("sum", "amount", "amount > 0 AND late > 0"),
    "oldest": ("max", "late", "amount > 0 AND late > 0"),
    "contested": ("sum", "contested", ""),
    "items": ("sum", "1", ""),
    "fallbacks": ("sum", "1", "amount > 0 AND due_on IS NULL"),
}

_KEYS = {"customer": "c.id::text", "industry": "c.industry", "sales": "c.salesperson_id::text", "grade": "held.grade"}

_HELD = f"""
LEFT JOIN (
    SELECT DISTINCT ON (customer_id) customer_id, grade FROM {Line._meta.db_table}
    WHERE since <= %(as_of)s AND NOT temporary AND NOT pool ORDER BY customer_id, since DESC, id DESC
) AS held ON held.customer_id = c.id"""

_GROUPED = """, owing AS (
    SELECT customer_id, currency, {measured} FROM open GROUP BY customer_id, currency
), grouped AS MATERIALIZED (
    SELECT COALESCE({key}, '') AS key, owing.currency, {added}
    FROM owing JOIN {customer} c ON c.id = owing.customer_id {held} GROUP BY 1, 2
)
SELECT key, currency, 1, {names} FROM (
    SELECT *, row_number() OVER (PARTITION BY currency ORDER BY total DESC, key) AS place FROM grouped
) AS placed WHERE place <= %(rows_max)s OR %(rows_max)s::int IS NULL
UNION ALL
SELECT NULL, currency, count(*), {added} FROM grouped GROUP BY currency
"""


def sheets(
    customers: Iterable[int] | None, *, as_of: date, up_to: Sequence[int], by: str, basis: Basis, rows_max: int | None
) -> tuple[Groups, dict[str, Aged], dict[str, int]]:
    """Of each currency: the largest groups, the sheet of all, and how many groups there are.

    `customers`: whose (ids); None is everybody's. `rows_max` bounds the groups of a currency; None: all of them.
    """
    measures = _MEASURES | {f"b{n}": ("sum", "amount", f"amount > 0 AND bucket = {n}") for n in range(len(up_to) + 2)}
    text = _GROUPED.format(
        measured=", ".join(_measured(*measure, name) for name, measure in measures.items()),
        added=", ".join(f"{measure[0]}({name}) AS {name}" for name, measure in measures.items()),
        names=", ".join(measures),
        key=_KEYS[by],
        customer=Customer._meta.db_table,
        held=_HELD if by == "grade" else "",
    )
    groups: Groups = {}
    totals: dict[str, Aged] = {}
    counts: dict[str, int] = {}
    for key, currency, count, *sums in _rows(text, customers, as_of, up_to, basis, {"rows_max": rows_max}):
        aged = _aged(sums, currency, as_of, basis)
        if key is None:
            totals[currency], counts[currency] = aged, count
        else:
            groups.setdefault(currency, []).append((key, aged))
    for rows in groups.values():
        rows.sort(key=lambda row: (-row[1].total, row[0]))
    return groups, dict(sorted(totals.items())), counts


def _measured(function: str, column: str, where: str, name: str) -> str:
    only = f" FILTER (WHERE {where})" if where else ""
    return f"COALESCE({function}({column}){only}, 0) AS {name}"


def _aged(sums: Sequence[Any], currency: str, as_of: date, basis: Basis) -> Aged:
    total, unapplied, overdue, oldest, contested, items, fallbacks, *buckets = sums
    counts = {"oldest_overdue_days": int(oldest), "count": int(items), "fallbacks": int(fallbacks), "later": 0}
    return Aged(
        currency=currency,
        as_of=as_of,
        basis=basis,
        buckets=tuple(buckets),
        unapplied=unapplied,
        total=total,
        overdue=overdue,
        contested=contested,
        **counts,
    )


_IN_BUCKET = "currency = %(currency)s AND ({all} OR amount < 0 AND {credit} OR amount >= 0 AND bucket = {number})"

_BEHIND = """
SELECT o.customer_id, c.name, o.amount, o.items, o.days FROM (
    SELECT customer_id, sum(amount) AS amount, count(*) AS items,
           COALESCE(max(late) FILTER (WHERE amount > 0 AND late > 0), 0) AS days
    FROM open WHERE {where} GROUP BY customer_id
) AS o JOIN {customer} c ON c.id = o.customer_id {held} WHERE %(key)s::text IS NULL OR COALESCE({key}, '') = %(key)s
ORDER BY abs(o.amount) DESC, o.customer_id LIMIT %(rows_max)s
"""

Bucket = int | str | None
"""A bucket's number; None: unapplied money and credit notes; "all"."""


def behind(
    bucket: Bucket, currency: str, customers: Iterable[int] | None, *, as_of: date, up_to: Sequence[int], basis: Basis,
    group: tuple[str, str | None], rows_max: int,
) -> list[tuple[int, str, Decimal, int, int]]:  # fmt: skip
    """The customers behind a bucket, the largest first: (id, name, amount, items, days overdue of the oldest).

    `group`: by what, and the key of the group meant; None: of any.
    """
    by, key = group
    held = _HELD if by == "grade" else ""
    text = _BEHIND.format(where=_where(bucket), customer=Customer._meta.db_table, key=_KEYS[by], held=held)
    asked = {"currency": currency, "key": key, "rows_max": rows_max}
    return _rows(text, customers, as_of, up_to, basis, asked)


_ITEMS = """
SELECT customer_id, document, number, due_on, dated_on, amount, currency, contested FROM open WHERE {where}
ORDER BY abs(amount) DESC, document, number LIMIT %(rows_max)s
"""


def items(
    bucket: Bucket, currency: str, customers: Iterable[int] | None, *, as_of: date, up_to: Sequence[int], basis: Basis,
    rows_max: int,
) -> list[OpenItem]:  # fmt: skip
    """The open items of a bucket, the largest first."""
    text = _ITEMS.format(where=_where(bucket))
    rows = _rows(text, customers, as_of, up_to, basis, {"currency": currency, "rows_max": rows_max})
    return [OpenItem(str(customer), *rest) for customer, *rest in rows]


_OLDEST = """
SELECT customer_id, document, number, due_on, dated_on, amount, currency, contested FROM open
ORDER BY COALESCE(due_on, dated_on), document, number LIMIT %(rows_max)s
"""


def oldest(customers: Iterable[int], *, as_of: date, rows_max: int) -> list[OpenItem]:
    """So many of their open items, the oldest due first."""
    rows = _rows(_OLDEST, customers, as_of, (), "due", {"rows_max": rows_max})
    return [OpenItem(str(customer), *rest) for customer, *rest in rows]


def _where(bucket: Bucket) -> str:
    number = bucket if isinstance(bucket, int) else -1
    return _IN_BUCKET.format(all=bucket == "all", credit=bucket is None, number=number)


def _rows(
    text: str,
    customers: Iterable[int] | None,
    as_of: date,
    up_to: Sequence[int],
    basis: Basis,
    asked: dict[str, Any],
) -> list[Any]:
    table, params = owed.open_table(customers, as_of=as_of)
    counted_from = "COALESCE(due_on, dated_on)" if basis == "due" else "dated_on"
    with_items = _AGED.format(open=table, columns=owed.COLUMNS, counted_from=counted_from)
    with connection.cursor() as cursor:
        cursor.execute(with_items + text, {**params, **asked, "bounds": [0, *up_to]})
        return list(cursor.fetchall())
