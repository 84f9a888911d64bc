"""Bringing the database to this release, by one process at a time however many start together."""

import contextlib
import time
from collections.abc import Iterator
from functools import cache

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from shouxin.lib.database import roles

LOCK = 0x5300_0001
SERVER_VERSION_MIN = 150000
DURABLE = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
NOT_KEPT = frozenset({"off", "local"})
CARELESS = {
    "fsync": {"off"},
    "full_page_writes": {"off"},
    "synchronous_commit": NOT_KEPT,
    "synchronous_commit of the role": NOT_KEPT,
}
"""Values under which a start is refused. Without data checksums a bad disk goes unnoticed: the doctor says so."""
OF_ROLE = """
SELECT split_part(word, '=', 2) FROM pg_db_role_setting AS kept CROSS JOIN unnest(kept.setconfig) AS word
WHERE word LIKE 'synchronous_commit=%'
AND kept.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
AND kept.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


class UnfitServer(RuntimeError):
    """The database server cannot serve this product; the message says why and what to do."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the installation's advisory lock. Asked for again and again: a wait would run into `lock_timeout`."""
    with connection.cursor() as cursor:
        while not _asked(cursor, "pg_try_advisory_lock"):
            time.sleep(0.1)
        try:
            yield
        finally:
            _asked(cursor, "pg_advisory_unlock")


def bring_up() -> int:
    """Check the server, apply what is pending and put the shipped policy in force; returns how many steps it took."""
    from shouxin.office import policies

    check_server()
    refuse_careless()
    with roles.as_owner(), alone():
        steps = len(pending())
        try:
            if steps:
                _drop_half_built()
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            roles.grant()
        policies.ensure()
    return steps


def _drop_half_built() -> None:
    """Indexes whose building beside running readers was broken off stand in the way of building them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index i "
            "JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = current_schema()::regnamespace "
            "WHERE NOT i.indisvalid AND NOT i.indisprimary"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def pending() -> list[str]:
    """The names of the migrations that have not been applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def waiting() -> bool:
    """Whether migrations of this release have not been applied; one query, cheap enough for every look at health."""
    recorder = MigrationRecorder(connection)
    return not _of_this_release() <= set(recorder.migration_qs.values_list("app", "name"))


@cache
def _of_this_release() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(key for key in loader.disk_migrations if not loader.disk_migrations[key].replaces)


def check_server() -> None:
    """Raises UnfitServer for a server too old, or one that cannot tell Chinese characters from punctuation."""
    version, encoding, character_type = server()
    if version < SERVER_VERSION_MIN:
        raise UnfitServer(f"PostgreSQL 15 or later is needed; the server is {version // 10000}.")
    if encoding != "UTF8":
        raise UnfitServer(f"the database's encoding is {encoding}: create it with ENCODING 'UTF8'.")
    if character_type in ("C", "POSIX"):
        raise UnfitServer(
            "the database's LC_CTYPE is C, so searching would not see Chinese: "
            "create it with LC_CTYPE 'C.UTF-8' (or zh_CN.UTF-8) TEMPLATE template0."
        )


def refuse_careless() -> None:
    """Raises UnfitServer where a promise could be lost: settings that do not wait for the disk, for us or our role."""
    careless = [f"{name} = {value}" for name, value in durability().items() if value in CARELESS.get(name, ())]
    if careless:
        raise UnfitServer(f"the server does not keep what it confirms ({', '.join(careless)}): see `shouxin doctor`.")


def durability() -> dict[str, str]:
    """What decides whether a confirmed change survives: as this session has it, and as role or database ask for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(DURABLE)])
        found = dict(cursor.fetchall())
        cursor.execute(OF_ROLE)
        for (value,) in cursor.fetchall():
            found["synchronous_commit of the role"] = value
        return found


def server() -> tuple[int, str, str]:
    """Version number, encoding and LC_CTYPE of the database in use."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, pg_encoding_to_char(encoding), datctype"
            " FROM pg_database WHERE datname = current_database()"
        )
        version, encoding, character_type = cursor.fetchone()
    return version, encoding, character_type


def let_go() -> None:
    """Give this process's connections back: it has nothing more to ask, and a fork must not share them."""
    for each in connections.all():
        each.close()
        each.close_pool()


def _asked(cursor, function: str) -> bool:
    cursor.execute(f"SELECT {function}(%s)", [LOCK])
    return bool(cursor.fetchone()[0])
