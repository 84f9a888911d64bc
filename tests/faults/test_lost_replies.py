"""Replies that never arrive: from the house to its caller, and from the database behind a COMMIT (T8, I-10).

Whoever asks again under the same key gets what was done the first time, and nothing is done twice.
"""

import random
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from shouxin.lib import embedded, secret
from tests import houses

from .history import CLEAN, Call, Load, judge

pytestmark = pytest.mark.invariant("I-10", "T8")
LOST = 50
Decide = Callable[[bytes], bool]


class Proxy(socketserver.ThreadingTCPServer):
    """Passes bytes on in both directions, until `cut` says of what the client sent: deliver it, but keep the answer."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, connect: Callable[[], socket.socket], cut: Decide) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.connect, self.cut, self.lost = connect, cut, 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Passing(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with self.server.connect() as behind:
            silent = threading.Event()
            back = threading.Thread(target=self._answers, args=(behind, silent), daemon=True)
            back.start()
            while some := _some(self.request):
                if self.server.cut(some):
                    silent.set()
                    self.server.lost += 1
                    behind.sendall(some)
                    break  # it is done and answered, and nobody hears of it
                behind.sendall(some)
            else:
                _shut(behind)
            back.join(5)

    def _answers(self, behind: socket.socket, silent: threading.Event) -> None:
        while (some := _some(behind, 0.2)) != b"":
            if some and silent.is_set():
                return
            if some:
                self.request.sendall(some)
        if not silent.is_set():
            _shut(self.request)


def _some(link: socket.socket, seconds: float | None = None) -> bytes | None:
    """What came; nothing at the end; None where nothing came in time."""
    link.settimeout(seconds)
    try:
        return link.recv(65536)
    except TimeoutError:
        return None
    except OSError:
        return b""


def _shut(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(connect: Callable[[], socket.socket], cut: Decide) -> Iterator[Proxy]:
    with Proxy(connect, cut) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def port(home: Path, company: dict[str, Any]) -> Iterator[int]:
    with houses.open_house(home, "--no-worker") as (_process, port):
        yield port


def orders(load: Load, count: int, name: str) -> Iterator[Call]:
    """So many orders, one after another."""
    for number in range(count):
        customer = load.customers[number % len(load.customers)]
        body = {"customer": customer, "order_no": f"{name}-{number}", "amount": "100.00"}
        one = Call(body, f"key-{name}-{number}")
        load.calls.append(one)
        yield one


@pytest.mark.parametrize("keyed", [pytest.param(True, id="with a key"), pytest.param(False, id="control: without")])
def test_replies_lost_on_the_way_to_the_caller(keyed: bool, home: Path, port: int, company: dict[str, Any]) -> None:
    count = LOST if keyed else 5
    with proxy(lambda: socket.create_connection(("127.0.0.1", port)), lambda some: b'"order_no"' in some) as between:
        ports = [between.port]
        load = Load(lambda: ports[0], company["token"], company["customers"], keyed=keyed)
        for one in orders(load, count, f"lost-{keyed}"):
            ports[0] = between.port
            assert load.send(one).unknown
            ports[0] = port
            assert load.send(one).ok
    assert between.lost == count
    found = judge(home, load) | {"strangers": 0}
    assert found == CLEAN if keyed else found["doubled"] == count, found


def test_a_commit_whose_acknowledgement_is_lost(home: Path, company: dict[str, Any], tmp_path: Path) -> None:
    """The decision is there, the house does not know: it says 503, and the next try finds the first answer."""
    seed = random.randrange(10**6)
    print("seed", seed)
    dice, armed = random.Random(seed), threading.Event()
    sockets = embedded.Cluster(home.resolve()).sockets / f".s.PGSQL.{embedded.PORT}"

    def connect() -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.connect(str(sockets))
        return link

    def cut(some: bytes) -> bool:
        return armed.is_set() and b"COMMIT" in some and dice.random() < 0.7

    with proxy(connect, cut) as between, houses.open_house(home, "--no-worker"):
        password = secret.kept(home / embedded.PASSWORD_FILE)
        url = f"postgresql://{embedded.ROLE}:{password}@127.0.0.1:{between.port}/{embedded.DATABASE}?sslmode=disable"
        with houses.open_house(tmp_path / "far", "--no-worker", DATABASE_URL=url) as (_process, far):
            load = Load(lambda: far, company["token"], company["customers"])
            armed.set()
            for one in orders(load, 20, f"commit-{seed}"):
                load.send(one)
                assert one.ok or one.refused, (one.status, one.answer)
            refused = sum(one.refused for one in load.calls)
            armed.clear()
            load.settle()
    print("commits cut", between.lost, "of which told", refused)
    assert between.lost >= 5 and refused >= 5
    assert judge(home, load) | {"strangers": 0} == CLEAN
