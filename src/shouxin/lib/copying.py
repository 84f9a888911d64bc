"""Many rows into one table at once, by the database's own COPY."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL


def copy_in(model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to the model's table, one value per field name; no signal is sent and no default is filled in."""
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in fields)
    with _copying(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def _copying(statement: str) -> Iterator[Any]:
    """A COPY whose refusals are Django's own errors, as those of any other statement are."""
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        yield copy


def copy_new(rows: Sequence[models.Model]) -> None:
    """Append unsaved rows of one model, by COPY: for papers with long texts, where an INSERT costs several times more.

    The rows in hand get no keys; no signal is sent.
    """
    if not rows:
        return
    fields = [field for field in type(rows[0])._meta.concrete_fields if not field.primary_key]
    names = [field.name for field in fields]
    values = ([field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields] for row in rows)
    copy_in(type(rows[0]), names, values)


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"


def copy_columns(table: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Append rows given as columns of equal length: texts, whole numbers, amounts, days or None.

    For rows by the hundred thousand: each column becomes text in one go, and the rows one message.
    """
    lines = zip(*map(_texts, columns.values()), strict=True)
    names = ", ".join(f'"{name}"' for name in columns)
    with _copying(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        copy.write("".join([f"{line}\n" for line in map("\t".join, lines)]))


def _texts(values: Sequence[Any]) -> Sequence[str]:
    """Each value as COPY reads it; where values repeat, each is turned into text once."""
    kinds = set(map(type, values))
    if kinds == {str} and (together := "".join(values)).translate(_ESCAPED) == together:
        return values
    if kinds == {Decimal} or kinds == {int}:
        return [*map(str, values)]
    known = {value: _text(value) for value in set(values)}
    return [known[value] for value in values]


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    return value.isoformat() if isinstance(value, date) else str(value)


def any_of(values: Iterable[Any], kind: str) -> RawSQL:
    """`field__in=any_of(values, "bigint")`: thousands of values as one parameter, where a list would be one each."""
    return RawSQL(f"SELECT unnest(%s::{kind}[])", [list(values)])
