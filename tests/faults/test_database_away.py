"""The database away, frozen, its connections cut, its rows locked: 503, never an approval, and back by itself (T7).

One house, four callers. What was answered with 201 must be there afterwards, once (I-7, I-8).
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shouxin.lib import embedded, secret
from tests import houses

from .history import CLEAN, Load, judge

pytestmark = [
    pytest.mark.invariant("I-7", "I-8", "T7"),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]
BACK_SECONDS = 10.0
ANSWER_SECONDS = 15.0


@pytest.fixture(scope="module")
def port(home: Path, company: dict[str, Any]) -> Iterator[int]:
    with houses.open_house(home) as (process, port):
        worker = houses.role(process.pid, "server worker")
        yield port
        assert houses.role(process.pid, "server worker") == worker, "the worker has outlived all of it"


def cluster(home: Path) -> embedded.Cluster:
    return embedded.Cluster(home.resolve())


def backends(home: Path) -> list[int]:
    """The server and everything it has forked."""
    server = cluster(home).process()
    assert server
    return [server, *houses.below(server)]


@contextlib.contextmanager
def frozen(home: Path) -> Iterator[None]:
    """Everything of the database stands still, and nothing breaks."""
    stopped = backends(home)
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def owner(home: Path) -> psycopg.Connection:
    password = secret.kept(home / embedded.OWNER_PASSWORD_FILE)
    place = {"host": str(cluster(home).sockets), "port": embedded.PORT, "dbname": embedded.DATABASE}
    return psycopg.connect(**place, user="postgres", password=password, autocommit=True)  # type: ignore[arg-type]


def fast_restart(home: Path) -> None:
    server = cluster(home).process()
    assert server
    os.kill(server, signal.SIGINT)
    assert houses.soon(lambda: cluster(home).process() not in (None, server), 20)


def immediate_restart(home: Path) -> None:
    server = cluster(home).process()
    assert server
    os.kill(server, signal.SIGQUIT)
    assert houses.soon(lambda: cluster(home).process() not in (None, server), 20)


def storm(home: Path) -> None:
    """Every connection of the product is cut, forty times."""
    with owner(home) as connection:
        for _again in range(40):
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shouxin'")
            time.sleep(0.05)


def freeze(home: Path) -> None:
    with frozen(home):
        time.sleep(8)


def no_room(home: Path) -> None:
    """No connection is left for the product: the pool gives up what it waits for, and fills again."""
    with owner(home) as connection:
        connection.execute("ALTER ROLE shouxin CONNECTION LIMIT 0")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shouxin'")
        time.sleep(12)
        connection.execute("ALTER ROLE shouxin CONNECTION LIMIT -1")


FAULTS = [fast_restart, immediate_restart, storm, freeze, no_room]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_never_an_approval_while_away(
    fault: Callable[[Path], None], home: Path, port: int, company: dict[str, Any]
) -> None:
    with Load(lambda: port, company["token"], company["customers"], seed=hash(fault.__name__) % 1000) as load:
        assert houses.soon(lambda: sum(one.ok for one in load.calls) > 5, 30)
        fault(home)
        before = len(load.calls)
        assert houses.soon(lambda: any(one.ok for one in load.calls[before:]), BACK_SECONDS * houses.busy()), (
            load.told()
        )
    print(fault.__name__, dict(load.told()), f"{max(one.seconds for one in load.calls):.1f} s at most")
    assert not load.faults(), [(one.status, one.answer) for one in load.faults()]
    assert max(one.seconds for one in load.calls) <= ANSWER_SECONDS * houses.busy()
    load.settle()
    assert {**judge(home, load), "strangers": 0} == CLEAN


def test_few_connections_go_round(home: Path, port: int, company: dict[str, Any]) -> None:
    """Who waits for a decision holds no connection: six serve eighteen callers as they would four."""
    load = Load(lambda: port, company["token"], company["customers"], callers=18, seed=1818)
    with owner(home) as connection, load:
        connection.execute("ALTER ROLE shouxin CONNECTION LIMIT 6")
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shouxin'")
            before = len(load.calls)
            time.sleep(6)
            answered = load.calls[before + 18 :]
        finally:
            connection.execute("ALTER ROLE shouxin CONNECTION LIMIT -1")
    print("few", dict(load.told()), f"{max(one.seconds for one in load.calls):.1f} s at most")
    assert not load.faults()
    assert sum(one.ok for one in answered) >= 18
    assert max(one.seconds for one in answered) <= BACK_SECONDS / 2 * houses.busy()
    load.settle()
    assert {**judge(home, load), "strangers": 0} == CLEAN


def test_a_page_says_so_too(home: Path, port: int) -> None:
    with frozen(home):
        status, _body, headers = houses.call(port, "GET", "/accounts/login/", seconds=30)
        asked = time.monotonic()
        status, _body, headers = houses.call(port, "GET", "/readyz", seconds=30)
        assert time.monotonic() - asked <= ANSWER_SECONDS * houses.busy()
    assert status == 503 and headers.get("retry-after", headers.get("Retry-After"))
    assert houses.soon(lambda: houses.ready(port), BACK_SECONDS * houses.busy())


def test_a_statement_that_rightly_takes_long_is_waited_for(home: Path) -> None:
    """The control of patience: a server that works is not given up, however long it takes."""
    told = houses.module(home, "tests.faults.in_home.patient", "6")
    assert told == {"answered": True}


def test_locked_accounts_are_refused_and_recover(home: Path, port: int, company: dict[str, Any]) -> None:
    """Every account is locked by somebody else: callers are told to come again, nobody is let through."""
    with owner(home) as connection, Load(lambda: port, company["token"], company["customers"], callers=18) as load:
        assert houses.soon(lambda: sum(one.ok for one in load.calls) > 18, 30)
        with connection.transaction():
            connection.execute("SELECT * FROM credit_creditaccount ORDER BY id FOR UPDATE")
            held = len(load.calls)
            time.sleep(6)
            meanwhile = load.calls[held + 18 :]
        after = len(load.calls)
        assert houses.soon(lambda: any(one.ok for one in load.calls[after:]), BACK_SECONDS * houses.busy())
    print("locked", dict(load.told()), f"{max(one.seconds for one in load.calls):.1f} s at most")
    assert not load.faults() and not any(one.ok for one in meanwhile)
    assert max(one.seconds for one in load.calls) <= ANSWER_SECONDS * houses.busy()
    load.settle()
    assert {**judge(home, load), "strangers": 0} == CLEAN
