"""A server of one's own taken back to a second between two decisions, by the very lines of the notes (I-36).

Every command and every setting is read from docs/en/operations.md; only folders, port and moment are this test's own.
"""

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shouxin.lib import embedded, server_user
from tests import houses

from .conftest import Postbox

COMPANY, LEDGER, LETTER = (f"tests.faults.in_home.{name}" for name in ("company", "ledger", "letter"))
NOTES = Path(__file__).parents[2] / "docs" / "en" / "operations.md"
pytestmark = pytest.mark.invariant("I-36", "T18")


class Place:
    """Where servers of one's own lie, as the notes name their folders, and the user they run as."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.owner = server_user.owner_of(root / "srv")
        for name in ("mnt", "srv"):
            server_user.own_folder(root / name, self.owner)
        self.ports = {"5432": str(houses.free_port()), "5433": str(houses.free_port())}
        self.moment = ""

    def read(self, words: str) -> str:
        """The block of the notes that holds these words, told of this place."""
        text = NOTES.read_text("utf-8").partition("## To the second")[2].partition("\n## ")[0]
        [block] = [each for each in re.findall(r"^ *```\n(.*?)^ *```$", text, re.M | re.S) if words in each]
        for one, other in {"/mnt/": f"{self.root}/mnt/", "/srv/": f"{self.root}/srv/", **self.ports}.items():
            block = block.replace(one, other)
        return re.sub(r"(?<=recovery_target_time = ')[^']+", self.moment, block)

    def run(self, command: str) -> str:
        """A command of the notes, as the database's user, with PostgreSQL's programs at hand; it must go well."""
        server = {"PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"], "PGUSER": "postgres"}
        known = server | {"PATH": f"{embedded.programs()}:/usr/bin:/bin", "LC_ALL": "C"}
        words = [*self.owner.prefix, "bash", "-ec", command]
        with (self.root / "said").open("w+") as said:  # a server keeps what it inherits: no pipe would ever end
            done = subprocess.run(words, env=known, cwd="/", stdout=said, stderr=said, timeout=600, check=False)
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, (command, text)
        return text

    def ask(self, port: str, statement: str) -> Any:
        address = f"postgresql://postgres@127.0.0.1:{self.ports[port]}/shouxin"
        with psycopg.connect(address, autocommit=True) as database:
            return database.execute(statement).fetchone()

    def url(self, port: str) -> str:
        return f"postgresql://shouxin@127.0.0.1:{self.ports[port]}/shouxin"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A server that archives its log, with the product's database in it."""
    found = Place(tmp_path)
    data = tmp_path / "srv" / "live"
    words = "-U postgres -A trust -k -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8"
    found.run(f"initdb -D {data} {words}")
    found.run(found.read("mkdir -p -m 700"))
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{found.read('archive_timeout')}\nport = {found.ports['5432']}\n"
                       "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")  # fmt: skip
    try:
        found.run(f"pg_ctl -D {data} -l {data}/start.log -w start")
        found.run('psql -d postgres -c "CREATE ROLE shouxin LOGIN CREATEDB" -c "CREATE DATABASE shouxin OWNER shouxin"')
        yield found
    finally:
        for each in ("live", "copy"):
            with contextlib.suppress(AssertionError):
                found.run(f"pg_ctl -D {tmp_path}/srv/{each} -m immediate -w stop")


def decide(port: int, token: str, customer: str, order: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency_Key": f"key-{order}"}
    body = {"customer": customer, "order_no": order, "amount": "100.00"}
    status, answer, _more = houses.call(port, "POST", "/api/v1/credit-checks", body, **headers)
    assert status < 300, answer


def test_back_to_a_second_between_two_decisions(place: Place, tmp_path: Path, postbox: Postbox) -> None:
    home, live = tmp_path / "home", {"DATABASE_URL": place.url("5432")}
    company = houses.module(home, COMPANY, "2", "9000000.00", **live)
    place.run(place.read("pg_basebackup"))
    houses.module(home, LETTER, "write", **live)
    houses.module(home, LETTER, "job", **live)
    with houses.open_house(home, "--no-worker", **live) as (_process, port):
        decide(port, company["token"], company["customers"][0], "before")
        before = houses.module(home, LEDGER, **live)
        place.moment = str(place.ask("5432", "SELECT clock_timestamp()")[0])
        time.sleep(1.0)
        decide(port, company["token"], company["customers"][0], "after")
    later = home / "checkpoints" / "later.json"
    later.parent.mkdir(exist_ok=True)
    assert houses.command(home, "trail", "checkpoint", str(later), **live).returncode == 0
    last = place.ask("5432", "SELECT pg_walfile_name(pg_switch_wal())")[0]
    assert houses.soon(lambda: (tmp_path / "mnt" / "wal" / last).exists())

    place.run(place.read("recovery.signal"))
    with (tmp_path / "srv" / "copy" / "postgresql.conf").open("a") as settings:
        settings.write(place.read("recovery_target_time"))
    place.run(place.read("pg_ctl"))
    paused = "SELECT pg_get_wal_replay_pause_state()"
    assert houses.soon(lambda: place.ask("5433", paused)[0] == "paused")
    orders = "SELECT array_agg(order_no) FROM orders_creditdecision"
    assert (place.ask("5433", orders)[0], sorted(place.ask("5432", orders)[0])) == (["before"], ["after", "before"])
    place.ask("5433", "SELECT pg_wal_replay_resume()")
    assert houses.soon(lambda: not place.ask("5433", "SELECT pg_is_in_recovery()")[0])

    copy = {"DATABASE_URL": place.url("5433"), "SHOUXIN_MAIL": f"smtp://127.0.0.1:{postbox.server_address[1]}"}
    assert houses.command(home, "pause", "--reason", "back", **copy).returncode == 0
    assert houses.command(home, "trail", "verify", **copy).returncode == 1, "the later checkpoint misses its entries"
    later.rename(tmp_path / "later.json")
    assert houses.command(home, "trail", "verify", **copy).returncode == 0
    assert houses.command(home, "proof", **copy).returncode == 0
    assert houses.module(home, LEDGER, **copy) == before
    with houses.open_house(home, **copy) as (process, _port):
        assert houses.soon(lambda: houses.role(process.pid, "server worker"))
        time.sleep(3)
        assert (postbox.knocks, houses.module(home, LETTER, "done", **copy)) == (0, 0)
        assert houses.command(home, "resume", "--reason", "it is right", **copy).returncode == 0
        assert houses.soon(lambda: postbox.knocks, 30), "the control: now the letter's job knocks"
