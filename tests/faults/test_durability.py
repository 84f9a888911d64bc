"""A promise is on the disk before it is made: settings looked at on every start, flushes counted (T6, I-8)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from shouxin.config import doctor, migrating
from shouxin.lib import embedded
from tests import houses

from .history import CARELESS, CHECKS

pytestmark = pytest.mark.invariant("I-8", "T6")
DECISIONS = 25
FLUSHES = "SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'"


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(migrating.CARELESS))
def test_a_careless_server_is_refused_and_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrating.refuse_careless()
    true = migrating.durability()
    monkeypatch.setattr(migrating, "durability", lambda: {**true, name: "off"})
    with pytest.raises(migrating.UnfitServer, match=f"{name} = off"):
        migrating.refuse_careless()
    finding = next(each for each in doctor._durability() if each.check == name)
    assert not finding.ok and finding.mend


@pytest.mark.django_db
def test_what_a_role_is_given_is_seen() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
        with pytest.raises(migrating.UnfitServer, match="of the role = off"):
            migrating.refuse_careless()
        cursor.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone()[0] == "on", "and the product's own sessions state it themselves"
    migrating.refuse_careless()


@pytest.fixture
def server(home: Path, company: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    """Its server, kept running, whose own writer of the log sleeps: whatever is flushed, a commit waits for."""
    cluster = embedded.use(home.resolve())
    with cluster._owner_connection() as connection:
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        connection.execute("SELECT pg_reload_conf()")
        yield connection
    embedded.leave(home.resolve())


def _flushes(server: psycopg.Connection[Any]) -> int:
    row = server.execute(FLUSHES).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize(
    ("more", "kept"),
    [pytest.param({}, True, id="as it is"), pytest.param({"PYTHONPATH": CARELESS}, False, id="control: async commit")],
)
def test_every_promise_is_flushed(
    more: dict[str, str], kept: bool, home: Path, company: dict[str, Any], server: psycopg.Connection[Any]
) -> None:
    """Counted before the house opens and when its sessions have ended, because only then each has told its count."""
    with houses.open_house(home, "--no-worker", **more) as (_process, port):
        time.sleep(2)
        before = _flushes(server)
        for number in range(DECISIONS):
            body = {"customer": company["customers"][0], "order_no": f"D{kept}-{number}", "amount": "1.00"}
            bearer = f"Bearer {company['token']}"
            assert houses.call(port, "POST", CHECKS, body, Authorization=bearer)[0] == 201
    flushes = _flushes(server) - before
    print("flushes", flushes, "of", DECISIONS)
    assert (flushes >= DECISIONS) is kept
