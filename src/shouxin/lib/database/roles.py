"""Two roles: the owner changes tables, the application only reads and writes their rows (I-21).

Whoever gets hold of the application's connection can then neither drop a table nor disable a trigger, and has no
right to touch what stands in the trail or in any table that is only ever added to. The owner's connection is worn for
migrations and restores alone.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pgtrigger
from django.conf import settings
from django.db import connection
from psycopg import sql

from shouxin.lib import embedded

SEALED_BY_THE_DATABASE = ("office_traillink", "office_trailseal", "office_trailturn")
KEPT_FROM = {
    **dict.fromkeys((*SEALED_BY_THE_DATABASE, "django_migrations"), "INSERT, UPDATE, DELETE"),
    "office_trailentry": "UPDATE, DELETE",
}
"""Table -> what the application may not do to its rows; the database itself writes what it seals."""
APPEND_ONLY = "append_only"
"""The trigger of tables that are only added to. It can be told to look away, the missing right cannot."""
APART = """
SELECT NOT (pg_has_role(relowner, 'USAGE') OR has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')
    OR has_table_privilege(oid, 'TRUNCATE')) FROM pg_class WHERE oid = to_regclass('office_trailentry')
"""


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Within, this process connects as the owner, where there is one. For a process without threads."""
    owner, worn = settings.ENVIRONMENT.owner, connection.settings_dict
    if not owner or worn["USER"] == owner["USER"]:
        yield
        return
    if settings.ENVIRONMENT.embedded:
        embedded.use(Path(settings.HOME)).part_roles(owner["USER"], owner["PASSWORD"])
    before = {name: worn[name] for name in owner}
    _reconnect(owner)
    try:
        yield
    finally:
        _reconnect(before)


def grant() -> None:
    """Give the application's role what it needs and no more: inside `as_owner`, as often as wanted."""
    role = settings.ENVIRONMENT.database["USER"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        owner, schema = cursor.fetchone()
        if owner == role:
            return
        names = {"role": sql.Identifier(role), "schema": sql.Identifier(schema)}
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        ):
            cursor.execute(sql.SQL(statement).format(**names))
        kept_from = dict.fromkeys(append_only_tables(), "UPDATE, DELETE") | KEPT_FROM
        for table in set(connection.introspection.table_names(cursor)) & set(kept_from):
            statement = f"REVOKE {kept_from[table]} ON {{table}} FROM {{role}}"
            cursor.execute(sql.SQL(statement).format(table=sql.Identifier(table), role=names["role"]))


def append_only_tables() -> set[str]:
    """The tables whose rows nobody changes once they are written."""
    return {model._meta.db_table for model, trigger in pgtrigger.registered() if trigger.name == APPEND_ONLY}


def apart() -> bool:
    """Whether the connection in use has no way to change the trail: neither its owner nor with a right to it."""
    with connection.cursor() as cursor:
        cursor.execute(APART)
        row = cursor.fetchone()
    return bool(row and row[0])


def _reconnect(role: dict[str, str]) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(role)
