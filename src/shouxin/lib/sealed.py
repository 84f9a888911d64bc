"""Columns whose texts rest sealed in the database and are read in the clear; and the sealing of everything anew."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from .vault import Vault

BATCH = 1000
HEAVY_BATCH = 4


def vault() -> Vault:
    """The installation's own vault."""
    found: Vault = settings.VAULT
    return found


class SealedField(models.CharField):  # type: ignore[type-arg]
    """A text that is sealed on its way into the database. It cannot be searched or compared there; use a blind index.

    `max_length` bounds the text people write, not the column. `long`: a text of many lines, without a bound. `heavy`:
    each is many megabytes, so that only a few are held in memory at a time.
    """

    def __init__(self, *args: Any, long: bool = False, heavy: bool = False, **options: Any) -> None:
        self.long = long
        self.heavy = heavy
        if long:
            options.setdefault("max_length", 10_000_000)
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, options = super().deconstruct()
        if self.long:
            options |= {"long": True}
            options.pop("max_length", None)
        if self.heavy:
            options |= {"heavy": True}
        return name, path, args, options

    def db_type(self, connection: Any) -> str:
        """What is kept is longer than what was written."""
        return "text"

    def cast_db_type(self, connection: Any) -> str:
        """The same in casts."""
        return "text"

    @property
    def purpose(self) -> str:
        """What values of this column are sealed for."""
        return f"{self.model._meta.label_lower}.{self.attname}"

    def get_lookup(self, name: str) -> Any:
        """None but `isnull`: equal texts are kept unlike each other."""
        return super().get_lookup(name) if name == "isnull" else None

    def get_prep_value(self, value: Any) -> Any:
        """Sealed."""
        text = super().get_prep_value(value)
        return vault().seal(text, self.purpose) if isinstance(text, str) else text

    def from_db_value(self, value: Any, *_context: Any) -> Any:
        """In the clear."""
        return value if value is None else vault().open(value, self.purpose)

    def formfield(self, **options: Any) -> Any:
        """A plain text field."""
        return super().formfield(**{"form_class": forms.CharField, **options})


class BlindIndexField(models.CharField):  # type: ignore[type-arg]
    """A mark of another, sealed column of the row: equal for equal numbers (blanks and case aside), and tells no more.

    Written with the row by `save` and `bulk_create`; whoever updates the source otherwise writes `mark_of` too.
    `like`: another column whose marks these are equal to, such as `customers.customer.id_number`.
    """

    def __init__(self, *args: Any, source: str, like: str = "", **options: Any) -> None:
        self.source, self.like = source, like
        super().__init__(*args, **{"max_length": 64, "default": "", "blank": True, "editable": False} | options)

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, options = super().deconstruct()
        return name, path, args, options | {"source": self.source} | ({"like": self.like} if self.like else {})

    def mark_of(self, text: str) -> str:
        """The mark of a number as people write it."""
        plain = "".join(sign for sign in text.upper() if sign.isalnum())
        return vault().index(plain, self.like or f"{self.model._meta.label_lower}.{self.source}")

    def pre_save(self, row: Any, add: bool) -> str:
        """The mark of what the source says now."""
        mark = self.mark_of(getattr(row, self.source))
        setattr(row, self.attname, mark)
        return mark


def marks(model: type[models.Model], changes: Mapping[str, Any]) -> dict[str, str]:
    """The blind indexes that go with these changes of a model's columns."""
    indexes = [each for each in model._meta.concrete_fields if isinstance(each, BlindIndexField)]
    return {each.attname: each.mark_of(changes[each.source]) for each in indexes if each.source in changes}


def columns() -> Iterator[SealedField]:
    """Every sealed column of the product."""
    for model in apps.get_models():
        yield from (each for each in model._meta.concrete_fields if isinstance(each, SealedField))


def counts(column: SealedField) -> dict[str, int]:
    """Key id -> how many values of the column it has sealed; "" for values in the clear. Empty ones are not counted."""
    name, table = column.column, column.model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CASE WHEN \"{name}\" LIKE 'sealed/%%/%%' THEN split_part(\"{name}\", '/', 2) ELSE '' END, count(*)"
            f' FROM "{table}" WHERE "{name}" <> \'\' GROUP BY 1'
        )
        return dict(cursor.fetchall())


def seal_anew(column: SealedField, batch: int = 0) -> Iterator[int]:
    """Seal with the current key whatever of the column is not; gives how many rows each batch changed.

    Each batch is a transaction of its own and a value changed meanwhile is left alone: it is sealed already.
    """
    name, table, key = column.column, column.model._meta.db_table, column.model._meta.pk.column
    current, after = vault().keys.current, 0
    batch = batch or (HEAVY_BATCH if column.heavy else BATCH)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{key}", "{name}" FROM "{table}" WHERE "{key}" > %s AND "{name}" <> \'\''
                f' AND "{name}" NOT LIKE %s ORDER BY "{key}" LIMIT %s',
                [after, f"sealed/{current}/%", batch],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            sealed = [(_anew(kept, column.purpose), pk, kept) for pk, kept in rows]
            cursor.executemany(f'UPDATE "{table}" SET "{name}" = %s WHERE "{key}" = %s AND "{name}" = %s', sealed)
            after = rows[-1][0]
        yield len(rows)


def _anew(kept: str, purpose: str) -> str:
    return vault().seal(vault().open(kept, purpose), purpose)


def seal_columns(model: Any) -> None:
    """For migrations: seal what a model keeps in the clear, and write the blind indexes of its sealed columns."""
    for column in model._meta.concrete_fields:
        if isinstance(column, SealedField):
            for _count in seal_anew(column):
                continue
    for column in model._meta.concrete_fields:
        if isinstance(column, BlindIndexField):
            for row in model.objects.filter(**{column.name: ""}).only("pk", column.source).iterator():
                if mark := column.mark_of(getattr(row, column.source)):
                    model.objects.filter(pk=row.pk).update(**{column.name: mark})


def open_columns(model: Any) -> None:
    """For migrations backward: keep what is sealed in the clear again."""
    columns = [each for each in model._meta.concrete_fields if isinstance(each, SealedField)]
    told, key = ", ".join(f'"{each.column}" = %s' for each in columns), model._meta.pk.column
    with connection.cursor() as cursor:
        for row in model.objects.only("pk", *(each.name for each in columns)).iterator():
            values = [getattr(row, each.attname) for each in columns]
            cursor.execute(f'UPDATE "{model._meta.db_table}" SET {told} WHERE "{key}" = %s', [*values, row.pk])


def that_stays_closed(column: SealedField, rows_max: int = 200) -> str:
    """Why a value of the column does not open, among the first and the last rows; empty where all do."""
    name, table, key = column.column, column.model._meta.db_table, column.model._meta.pk.column
    rows_max = HEAVY_BATCH if column.heavy else rows_max
    for order in ("ASC", "DESC"):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{name}" FROM "{table}" ORDER BY "{key}" {order} LIMIT {rows_max}')
            for (kept,) in cursor.fetchall():
                try:
                    vault().open(kept or "", column.purpose)
                except ValueError as error:
                    return str(error)
    return ""
