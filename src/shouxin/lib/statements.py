"""Prepared statements, for the few paths where each microsecond counts.

Statements inside `pipeline()` are sent one behind another, without waiting for the answer to the one before; what they
answer is read from their replies afterwards. Amounts and texts of many rows travel as one array for each column.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar

import psycopg
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

T = TypeVar("T")
Row = Sequence[Any]


READING_ALL = ("seqscan", "hashjoin", "mergejoin")


class _Prepared(psycopg.Cursor[Any]):
    """A cursor that lets the server plan each of its texts once for each connection."""

    def execute(self, query: Any, params: Any = None, **_options: Any) -> Any:
        return super().execute(query, params, prepare=True)


class Reply(Generic[T]):
    """What a statement that has been sent will answer. An error of the statement is raised by whoever reads first."""

    def __init__(self, cursor: CursorWrapper, read: Callable[[list[Row]], T]) -> None:
        self._cursor, self._read = cursor, read

    def read(self) -> T:
        """Wait for the rows and make of them what the asker wanted."""
        return self._read(self._cursor.fetchall())


@contextlib.contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements of the block without waiting; at its end all have been answered, or one has raised."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def count_on_indexes() -> None:
    """For the rest of the transaction rows are found by their keys, whatever the planner has been told of the tables.

    A plan made once for a connection, while a table holds a few rows, reads the whole of it when it holds thousands;
    and rows that one long transaction has written are none to the vacuum that counts them on the way.
    """
    send("SELECT " + ", ".join(f"set_config('enable_{way}', 'off', true)" for way in READING_ALL))


def send(text: str, *params: Any) -> CursorWrapper:
    """Run a statement through Django's own frame (its errors, its hooks), prepared; `%s` stand for the parameters."""
    connection.ensure_connection()
    cursor: CursorWrapper = connection._prepare_cursor(_Prepared(connection.connection))
    cursor.execute(text, params)
    return cursor


def ask(text: str, *params: Any, read: Callable[[list[Row]], T]) -> Reply[T]:
    """Send a query; `read` turns its rows into what is wanted, once they are there."""
    return Reply(send(text, *params), read)


def append(model: type[models.Model], columns: Mapping[str, Any]) -> None:
    """Append rows in one statement. A list has one value for each row; any other value stands in all of them.

    Names are the fields' column names; JSON is given as text. No signal is sent and no default is filled in.
    """
    _append(model, columns, "")


def append_new(model: type[models.Model], columns: Mapping[str, Any]) -> CursorWrapper:
    """The same, leaving out rows whose key is there already; the answer's `rowcount` says how many were new."""
    return _append(model, columns, " ON CONFLICT DO NOTHING")


def _append(model: type[models.Model], columns: Mapping[str, Any], conflict: str) -> CursorWrapper:
    names = tuple((name, isinstance(column, list)) for name, column in columns.items())
    alike = [column for column in columns.values() if not isinstance(column, list)]
    arrays = [array(column) for column in columns.values() if isinstance(column, list)]
    return send(_insert(model, names) + conflict, *alike, *arrays)


@lru_cache
def _insert(model: type[models.Model], names: tuple[tuple[str, bool], ...]) -> str:
    kinds = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
    into = ", ".join(f'"{name}"' for name, _many in names)
    values = ", ".join(f"v{place}" if many else f"%s::{kinds[name]}" for place, (name, many) in enumerate(names))
    arrays = ", ".join(f"%s::{kinds[name]}[]" for name, many in names if many)
    places = ", ".join(f"v{place}" for place, (_name, many) in enumerate(names) if many)
    return f"INSERT INTO {model._meta.db_table} ({into}) SELECT {values} FROM unnest({arrays}) AS v({places})"


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array literal of numbers, texts or whatever prints as the server reads it; None is NULL.

    psycopg's own lists cost ten times as much for each element.
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) in (int, Decimal):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
