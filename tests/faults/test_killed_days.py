"""The daily run killed at ten points, and two at once: every letter, downgrade and day is there once (T20)."""

import concurrent.futures
import os
import random
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import houses
from tests.collection import world

SEED = int(os.environ.get("SHOUXIN_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
POINTS, CUSTOMERS, SPAN = 10, 5, 3
"""So many runs are killed, each taking so many days over."""
STATEMENTS_MIN = 60
"""A span has more statements than this."""
DAYS = "tests.faults.in_home.days"

pytestmark = [pytest.mark.invariant("I-26", "T20")]


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """One home where runs are killed, one where nothing happens."""
    both = (tmp_path / "killed", tmp_path / "calm")
    try:
        for each in both:
            houses.module(houses.furnish(each), DAYS, "found", str(CUSTOMERS))
        yield both
    finally:
        for each in both:
            houses.stop_database(each)


def test_ten_deaths_leave_what_no_death_leaves(homes: tuple[Path, Path]) -> None:
    print("seed", SEED)
    killed, calm = homes
    dice = random.Random(SEED)
    days = [(world.DUE + timedelta(days=number * SPAN)).isoformat() for number in range(1, POINTS + 1)]
    points = [f"{day}:{dice.randrange(1, STATEMENTS_MIN)}" for day in days]
    assert houses.module(killed, DAYS, "killed", *points) == [signal.SIGKILL] * POINTS
    last = days[-1]
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        told = list(two.map(lambda _number: houses.module(killed, DAYS, "run", last), range(2)))
    assert "done" in told and set(told) <= {"done", "running"}, told
    later = (date.fromisoformat(last) + timedelta(days=30)).isoformat()
    for home, day in ((calm, last), (calm, later), (killed, later)):
        assert houses.module(home, DAYS, "run", day) == "done"
    came: dict[str, Any] = houses.module(killed, DAYS, "came")
    _days, _customers, letters, lines, *_more = came["state"]
    assert letters and {line["grade"] for line in lines} > {"B"}
    assert came["differences"] == 0
    assert came == houses.module(calm, DAYS, "came")
