"""A promise is on the disk before it is made: settings looked at on every start, flushes counted (T6, I-8)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from shouxin.config import doctor, migrating
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


def flushes_of(home: Path, company: dict[str, Any], port: int) -> int:
    """How often the log was flushed while decisions were asked for one after another."""
    before = houses.module(home, "tests.faults.in_home.value", FLUSHES)
    for number in range(DECISIONS):
        body = {"customer": company["customers"][0], "order_no": f"D{os.getpid()}-{number}", "amount": "1.00"}
        status, _answer, _headers = houses.call(port, "POST", CHECKS, body, Authorization=f"Bearer {company['token']}")
        assert status == 201
    time.sleep(2)
    return int(houses.module(home, "tests.faults.in_home.value", FLUSHES)) - int(before)


@pytest.fixture
def other_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "other"
    houses.stop_database(tmp_path / "other")


@pytest.mark.parametrize(
    ("more", "kept"),
    [pytest.param({}, True, id="as it is"), pytest.param({"PYTHONPATH": CARELESS}, False, id="control: async commit")],
)
def test_every_promise_is_flushed(more: dict[str, str], kept: bool, other_home: Path) -> None:
    company = houses.module(other_home, "tests.faults.in_home.company", "1", "9000000.00")
    with houses.open_house(other_home, "--no-worker", **more) as (_process, port):
        flushes = flushes_of(other_home, company, port)
    print("flushes", flushes, "of", DECISIONS)
    assert (flushes >= DECISIONS) is kept
