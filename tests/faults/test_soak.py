"""How the hour of T21 is judged; the hour itself is `python -m tests.faults.soak`."""

import math
from typing import Any

import pytest

from shouxin.demo import load

from . import soak
from .history import CLEAN
from .soak import Answer, Weight

MINUTES = 60.0
END = MINUTES * 60


def hour(**changes: Any) -> dict[str, Any]:
    """An hour without a fault: an answer of each kind each second, a steady weight, a web that dies at its edges."""
    seconds, kinds = range(int(END)), ("page", "check", "batch", "write")
    return {
        "answers": [Answer(kind, float(at), 0.1, 200) for at in seconds for kind in kinds],
        "weights": [Weight(float(at), dict.fromkeys(soak.ROLES, 100.0), 20, 10**8) for at in seconds[::10]],
        "deaths": [(300.0, "web"), (540.0, "worker"), (3300.0, "server process")],
        "tables": [("trail_entry", 5000, 100), ("small", 10, 900)],
        "faults": [],
        "judged": dict(CLEAN),
        "trail": {"whole": True},
        "slowest": 8.0,
        "stuck": 0,
        "jobs": {"succeeded": 9},
        "minutes": MINUTES,
    } | changes  # fmt: skip


def passed(seen: dict[str, Any]) -> list[str]:
    return [what for what, _found, kept in soak.bounds(seen) if not kept]


def test_an_hour_without_a_fault_keeps_every_bound() -> None:
    assert passed(hour()) == []


def test_its_readers_are_the_demo_companys() -> None:
    assert soak.PASSWORD == load.PASSWORD
    assert set(soak.READERS) <= {username for username, *_more in load.PEOPLE}


def test_web_and_worker_die_at_the_edges_alone_and_everybody_dies_there() -> None:
    times = [60.0 + 120 * n for n in range(30)]
    turns = [(at, soak.victim(at, MINUTES, n)) for n, at in enumerate(times)]
    first, last = turns[:5], turns[-5:]
    assert {kind for _at, kind in first} == {kind for _at, kind in last} == set(soak.EVERY_KIND)
    assert {kind for _at, kind in turns[5:-5]} == {"backend", "database"}


def test_growth_is_told_over_the_longest_life_warmed_up() -> None:
    steep = [Weight(float(at), {"web": 100 + at / 36}, 20, 0) for at in range(0, int(END), 10)]
    assert soak.growth(steep, "web", [(300.0, "web"), (3300.0, "web")], END) == pytest.approx(100 / (100 + 1200 / 36))
    short = [(60.0 * n, "web") for n in range(60)]
    assert math.isnan(soak.growth(steep, "web", short, END)), "too short a life tells nothing"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"weights": [Weight(float(at), dict.fromkeys(soak.ROLES, 100.0) | {"worker": 100 + at / 100}, 20, 0)
                      for at in range(0, int(END), 10)]}, "growth of worker in an hour"),
        ({"weights": [Weight(float(at), dict.fromkeys(soak.ROLES, 100.0), 20 + at // 100, 0)
                      for at in range(0, int(END), 10)]}, "most connections, second half and last window"),
        ({"tables": [("trail_entry", 1000, 1200)]}, "most dead rows of a table"),
        ({"slowest": 61.0}, "back after a death, s, at most"),
        ({"stuck": 1}, "jobs that hang"),
        ({"trail": {"whole": False}}, "trail"),
        ({"judged": CLEAN | {"lost": 1}}, "lost, doubled, changed; differences of the proof"),
        ({"judged": CLEAN | {"proof": 1}}, "lost, doubled, changed; differences of the proof"),
    ],
)  # fmt: skip
def test_a_fault_of_the_hour_is_found(changes: dict[str, Any], what: str) -> None:
    assert passed(hour(**changes)) == [what]


def test_a_slow_end_and_an_answer_nobody_documented_are_found() -> None:
    seen = hour()
    slow = [Answer("page", END - 5, 0.3, 200)] * 60
    assert passed(seen | {"answers": seen["answers"] + slow}) == ["p95 of page, ms, first and last window"]
    assert passed(seen | {"answers": [*seen["answers"], Answer("write", 9.0, 0.1, 500)]}) == [
        "answers nobody documented"
    ]
    assert passed(seen | {"answers": [*seen["answers"], Answer("write", 9.0, 0.1, 503)]}) == []
