"""What a database holds, in figures that two databases can be compared by: of each table its rows and their digest."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from psycopg import sql

LEFT_OUT = frozenset({"lib_once"})
"""Marks about the installation itself, such as that it is paused: a copy is told apart by them."""
TABLES = """
SELECT class.relname, coalesce((
    SELECT array_agg(attribute.attname::text ORDER BY place.at)
    FROM pg_index AS key CROSS JOIN unnest(key.indkey) WITH ORDINALITY AS place(number, at)
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum = place.number
    WHERE key.indrelid = class.oid AND key.indisprimary), '{}')
FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind = 'r' AND space.nspname = current_schema() ORDER BY 1
"""
PLAIN = {
    "datestyle": "ISO",
    "timezone": "UTC",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}


@contextmanager
def one_moment() -> Iterator[str]:
    """Everything asked inside is seen as of one moment, however long it takes; answers the snapshot's name."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for name, value in PLAIN.items():
            cursor.execute(f"SET LOCAL {name} = {value}")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def take() -> dict[str, dict[str, Any]]:
    """Table -> {rows, sha256}: the digest of all its rows as text in the order of its key. Inside `one_moment`."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [(name, key) for name, key in cursor.fetchall() if name not in LEFT_OUT]
        return {name: _of(cursor, name, key) for name, key in tables}


def _of(cursor: Any, table: str, key: list[str]) -> dict[str, Any]:
    row = sql.Identifier(table)
    order = sql.SQL(", ").join(map(sql.Identifier, key)) if key else sql.SQL("{}::text").format(row)
    statement = sql.SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT").format(row, order)
    digest, rows = hashlib.sha256(), 0
    with cursor.copy(statement) as copy:
        for some in copy:
            digest.update(some)
            rows += bytes(some).count(b"\n")
    return {"rows": rows, "sha256": digest.hexdigest()}


def unlike(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The tables on which two fingerprints differ, with their rows in both."""
    return [
        f"{table}: {_rows(one.get(table))} / {_rows(other.get(table))}"
        for table in sorted(one.keys() | other.keys())
        if one.get(table) != other.get(table)
    ]


def _rows(figures: dict[str, Any] | None) -> str:
    return "–" if figures is None else str(figures["rows"])
