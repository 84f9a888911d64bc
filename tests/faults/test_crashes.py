"""kill -9 of web, worker, database at random moments under load: nothing promised is lost or doubled (T5).

The seed is printed; SHOUXIN_FAULTS_SEED repeats it, SHOUXIN_FAULTS_CYCLES makes it longer than continuous integration
has time for; every kind of victim dies before one dies again. Afterwards everything unanswered is asked again under its
own key, and what is there is compared with what was promised.
"""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from shouxin.lib import embedded
from tests import houses

from .history import CARELESS, CLEAN, Load, judge

CYCLES = int(os.environ.get("SHOUXIN_FAULTS_CYCLES", "8"))
SEED = int(os.environ.get("SHOUXIN_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
BACK_SECONDS = 30.0
VICTIMS = ("web", "server process", "worker", "database", "backend", "all")

pytestmark = [
    pytest.mark.invariant("I-8", "I-9", "I-10", "T5"),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]


def victims(kind: str, minder: int, home: Path) -> list[int]:
    """The processes that die in this cycle."""
    found = houses.below(minder)
    web = [pid for pid, words in found.items() if "config.server web" in words]
    worker = [pid for pid, words in found.items() if "config.server worker" in words]
    server = embedded.Cluster(home.resolve()).process()
    database = [server] if server else []
    backends = [pid for pid, words in houses.below(server).items() if "shouxin shouxin" in words] if server else []
    return {
        "web": web[:1],
        "server process": list(houses.below(web[0])) if web else [],
        "worker": worker[:1],
        "database": database,
        "backend": backends[:1],
        "all": [*web, *worker, *database],
    }[kind]


def test_nothing_promised_is_lost_or_doubled(home: Path, company: dict[str, Any]) -> None:
    print("seed", SEED)
    dice, slowest = random.Random(SEED), 0.0
    order = dice.sample(VICTIMS, len(VICTIMS))
    with houses.open_house(home) as (minder, port):
        with Load(lambda: port, company["token"], company["customers"], seed=SEED) as load:
            for cycle in range(CYCLES):
                time.sleep(dice.uniform(0.05, 1.0))
                kind = order[cycle % len(order)]
                dead = victims(kind, minder.pid, home)
                for pid in dead:
                    houses.kill(pid)
                began, before = time.monotonic(), len(load.calls)
                back = houses.soon(
                    lambda before=before: any(one.ok for one in load.calls[before + 4 :]), BACK_SECONDS * houses.busy()
                )
                slowest = max(slowest, time.monotonic() - began)
                assert minder.poll() is None, houses.said(home)
                late = f"cycle {cycle}: not back after the death of {kind} {dead}, {houses.busy():.1f} times busy"
                assert back, (late, load.told(), houses.below(minder.pid), houses.said(home))
                print(f"{kind} {time.monotonic() - began:.1f}", end=", ")
        print(CYCLES, "cycles", dict(load.told()), f"back after {slowest:.1f} s at most")
        assert not load.faults(), [(one.status, one.answer) for one in load.faults()][:5]
        load.settle()
    assert judge(home, load) == CLEAN


def test_a_house_that_does_not_wait_for_the_disk_loses_promises(tmp_path: Path) -> None:
    """The control: with synchronous_commit off for the product's role the same judgement finds what was lost.

    The house refuses to open so (T6); that guard is removed as well.
    """
    home = houses.furnish(tmp_path / "careless")
    try:
        company = houses.module(home, "tests.faults.in_home.company", "4", "9000000.00")
        lost = 0
        with houses.open_house(home, "--no-worker", PYTHONPATH=CARELESS) as (_minder, port):
            for attempt in range(6):
                with Load(
                    lambda: port, company["token"], company["customers"], seed=900 + attempt, keyed=False
                ) as load:
                    assert houses.soon(lambda load=load: sum(one.ok for one in load.calls) > 25, 60)
                    houses.kill(embedded.Cluster(home.resolve()).process())
                assert houses.soon(lambda: houses.ready(port), BACK_SECONDS * houses.busy())
                lost += judge(home, load)["lost"]
                if lost:
                    break
        assert lost
    finally:
        houses.stop_database(home)
