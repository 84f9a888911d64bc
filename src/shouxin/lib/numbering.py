"""Numbers for papers: gap-free series for letters, and row ids taken ahead of the insert for busy tables."""

from django.db import connection, models

from .models import Series
from .statements import Reply, ask


def take(name: str, count: int = 1, *, digits: int = 6) -> list[str]:
    """The next `count` numbers of a series, such as R202600000001. Must be called inside a transaction.

    A series is a point where writers queue: take the numbers late and all at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Series._meta.db_table} (name, last) VALUES (%s, %s) "
            f"ON CONFLICT (name) DO UPDATE SET last = {Series._meta.db_table}.last + EXCLUDED.last RETURNING last",
            [name, count],
        )
        last: int = cursor.fetchone()[0]
    return [f"{name}{number:0{digits}d}" for number in range(last - count + 1, last + 1)]


def ids(model: type[models.Model], count: int) -> list[int]:
    """Primary keys taken from the table's own sequence before the rows exist; callers never queue for them."""
    return ask_ids(model, count).read()


def ask_ids(model: type[models.Model], count: int) -> Reply[list[int]]:
    """The same, as one of the questions of a pipeline."""
    return ask(
        "SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) AS s, "
        "generate_series(1, %s)",
        model._meta.db_table,
        count,
        read=lambda rows: [row[0] for row in rows],
    )
