"""What every test run needs: the cast, and a clean house after it. (The Chinese is compiled by `settings`.)

The embedded database of the run's home is started by the first test that wants it and serves all workers.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db.backends.postgresql.operations import DatabaseOperations

from shouxin.lib import embedded, secret

pytest_plugins = ["tests.people"]
LONG = ("tests/faults", "tests/access", "tests/config", "tests/browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: a run in several processes hands out whole files, and ends with short ones."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_configure() -> None:
    """What a run loads stays to its end: looking through it again and again was an eighth of its time."""
    gc.set_threshold(100_000, 50, 50)


def pytest_collection_finish() -> None:
    """From here on nobody looks through some seven thousand tests and all modules."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_the_superuser() -> Iterator[None]:
    """Between tests with transactions of their own the tables are emptied, which the product itself must refuse."""
    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "execute_sql_flush", _empty)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _files_of_its_own() -> Iterator[None]:
    """The processes of a run share its home, not the files in it: none counts or clears away what another works at."""
    from django.conf import settings
    from django.test import override_settings

    with override_settings(MEDIA_ROOT=settings.MEDIA_ROOT / os.environ.get("PYTEST_XDIST_WORKER", "alone")):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests live in one transaction each: a vacuum of tables whose rows nobody has committed calls them empty, and the
    planner believes it."""
    from django.db import connection

    with django_db_blocker.unblock(), superuser(connection) as free:
        for table in connection.introspection.table_names():
            free.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = off)')


@pytest.fixture(scope="session", autouse=True)
def _proved_by_force() -> Iterator[None]:
    """Whoever a test signs in by force has proved who she is, for as long as the test lasts and whatever its clock."""
    from django.test import Client

    from tests import people

    plain, patch = Client.force_login, pytest.MonkeyPatch()

    def proved(client: Client, user: Any, backend: str | None = None) -> None:
        plain(client, user, backend)
        people.prove(client, user, people.FAR_AHEAD)

    patch.setattr(Client, "force_login", proved)
    yield
    patch.undo()


def _empty(operations: DatabaseOperations, statements: list[str]) -> None:
    with superuser(operations.connection) as free:
        for statement in [*statements, "TRUNCATE procrastinate_jobs CASCADE"] if statements else []:
            free.execute(statement)


def superuser(connection: Any) -> psycopg.Connection:
    """Whom no trigger and no privilege binds, in the same embedded database: the intruder of the tests."""
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=settings["NAME"],
        user="postgres",
        password=secret.kept(Path(os.environ["SHOUXIN_HOME"]) / embedded.OWNER_PASSWORD_FILE),
        options="-c session_replication_role=replica",
        autocommit=True,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's database and remove its home."""
    if hasattr(config, "workerinput") or os.environ.get("SHOUXIN_TESTED") != str(os.getpid()):
        return
    home = Path(os.environ["SHOUXIN_HOME"]).resolve()
    embedded.Cluster(home).stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers for some seconds is asked once in a test: no count of queries follows the clock."""
    from django.core.cache import cache

    from shouxin.office import pause, sight, sign_in

    monkeypatch.setattr(sign_in, "REMEMBERED_SECONDS", 1e9)
    monkeypatch.setattr(sight, "MANY_SECONDS", 1e9)
    monkeypatch.setattr(pause, "LOOK_SECONDS", 1e9)
    monkeypatch.setattr(pause, "_seen", (float("-inf"), None))
    sign_in.forget()
    sight.forget()
    cache.clear()
