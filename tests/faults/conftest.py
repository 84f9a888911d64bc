"""One house for the faults of a module, with a company in it; stopped and thrown away afterwards."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import houses


class Postbox(socketserver.ThreadingTCPServer):
    """Counts whoever knocks: a house that is paused must not."""

    allow_reuse_address = True
    knocks = 0


class Knock(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.server.knocks += 1  # type: ignore[attr-defined]
        self.request.sendall(b"421 not today\r\n")


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox(("127.0.0.1", 0), Knock) as box:
        threading.Thread(target=box.serve_forever, daemon=True).start()
        yield box
        box.shutdown()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = houses.furnish(tmp_path_factory.mktemp("faults"))
    yield home
    houses.stop_database(home)


@pytest.fixture(scope="module")
def company(home: Path) -> dict[str, Any]:
    """A token and customers' codes, with lines nobody fills."""
    found: dict[str, Any] = houses.module(home, "tests.faults.in_home.company", "4", "9000000.00")
    return found
