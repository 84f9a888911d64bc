"""Bringing the tables up to date: what an upgrade that was broken off leaves behind does not stop the next one."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection

from shouxin.config import migrating
from shouxin.lib.models import Once


def indexes() -> dict[str, bool]:
    """Index of the table of marks -> whether it is whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = %s::regclass",
            [Once._meta.db_table],
        )
        return dict(cursor.fetchall())


@pytest.mark.invariant("I-35")
@pytest.mark.django_db(transaction=True)
def test_an_index_left_half_built_is_dropped_and_the_others_stay() -> None:
    Once.objects.bulk_create(Once(name=name, at=datetime(2026, 1, 1, tzinfo=UTC)) for name in ("one", "two"))
    before = indexes()
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY half_built ON {Once._meta.db_table} (at)")
    assert indexes() == before | {"half_built": False}
    migrating._drop_half_built()
    assert indexes() == before
