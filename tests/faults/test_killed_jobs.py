"""Workers killed at every kind of job: the next takes it up, it is done once, and nothing stays under way (T20).

The daily run has tests of its own. The seed is printed; SHOUXIN_FAULTS_SEED repeats it, SHOUXIN_FAULTS_POINTS says how
often each job's workers die.
"""

import os
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import houses, smtp

SEED = int(os.environ.get("SHOUXIN_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
POINTS = int(os.environ.get("SHOUXIN_FAULTS_POINTS", "3"))
JOBS = "tests.faults.in_home.jobs"
FILE = {"state": "done", "rows": 41, "known": 40, "refused": 1, "given back": True, "invoices": 40, "amount": "4000.00",
        "lines": ["import.invoices", "import.receive", "import.start"]}  # fmt: skip
CAME: dict[str, dict[str, Any]] = {
    "office.take_over_file": FILE,
    "office.take_over_file, whole": FILE | {"rows": 40, "refused": 0, "given back": False},
    "collection.send": {"status": ["sent"], "letters": 4, "lines": 4},
    "customers.send_mails": {"status": ["sent"], "letters": 4, "lines": 4},
    "office.send_webhooks": {"status": ["sent"], "deliveries": 4},
    "records.digests": {"digests": 1, "letters": 1, "lines": 1},
    "records.fit_card": {"cards": 0, "refusals": 1},
    "reviews.prepare": {"left": 0, "twice": 0, "rated twice": 0, "told": 0},
    "lib.work_out": {"right": True, "rows": 1},
    "office.audit_trail": {"whole": True, "checkpoints": 1},
}
"""Kind of job -> what it has done when nobody dies."""

pytestmark = [pytest.mark.invariant("I-26", "T20")]


class Hook:
    """Another program: the ids of what it was told, in turn."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        ids = self.ids

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                ids.append(self.headers["webhook-id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def told(home: Path) -> Iterator[dict[str, Any]]:
    """What came of every kind of job, and what left the house."""
    print("seed", SEED)
    hook, known = Hook(), SimpleNamespace()
    with smtp.running(known) as sink:
        told = houses.module(
            home, JOBS, str(SEED), str(POINTS), seconds=900, SHOUXIN_MAIL=f"smtp://127.0.0.1:{known.EMAIL_PORT}",
            SHOUXIN_WEBHOOK_NETWORKS="127.0.0.0/8", TEST_HOOK=f"http://127.0.0.1:{hook.server.server_address[1]}/",
        )  # fmt: skip
    hook.server.shutdown()
    hook.server.server_close()
    yield told | {"letters": [str(each["Message-ID"]) for each in sink.taken], "hooks": hook.ids}


@pytest.mark.parametrize("kind", CAME)
def test_a_job_whose_workers_die_is_done_once(told: dict[str, Any], kind: str) -> None:
    found = told[kind]
    assert isinstance(found, dict), found
    assert found["calm"] == CAME[kind]
    assert found["killed"] == CAME[kind], found["behind"]
    assert found["stuck"] == []
    assert found["deaths"] >= 1


def test_the_house_is_whole_afterwards(told: dict[str, Any]) -> None:
    deaths = [found["deaths"] for kind, found in told.items() if kind in CAME]
    print("deaths", deaths)
    assert sum(deaths) >= len(CAME) * POINTS / 2, "a job that got done had not to be begun again"
    assert (told["differences"], told["whole"]) == (0, True)


def test_what_left_the_house_twice_can_be_told_by_its_id(told: dict[str, Any]) -> None:
    """Whoever dies between sending and crossing off sends again, under the id of the first time."""
    for ids, each in ((told["letters"], 1), (told["hooks"], 8)):
        assert len(set(ids)) >= each
    assert len(set(told["letters"])) == 4 + 4 + 4 + 4 + 2, "letters, mails and digests"
    assert len(set(told["hooks"])) == 8
