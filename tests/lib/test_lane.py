"""Callers served together: each gets her own answer, and nobody suffers for a neighbour."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from shouxin.lib.lane import Lane, TakesTooLong

CALLERS = 24


class Counter:
    """Answers the double of each number, remembering who was served with whom; slow enough for a queue to form."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        time.sleep(0.01)
        if 13 in numbers and len(numbers) > 1:
            raise RuntimeError("one of you is poison")
        return [ValueError(number) if number == 13 else 2 * number for number in numbers]


def all_at_once(lane: Lane[int, int], numbers: Sequence[int]) -> list[int | str]:
    def call(number: int) -> int | str:
        try:
            return lane.ask(number)
        except ValueError as error:
            return f"refused {error}"

    with ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(call, numbers))


def test_everybody_gets_her_own_answer_and_many_share_a_trip() -> None:
    serve = Counter()
    numbers = list(range(100, 100 + CALLERS))
    assert all_at_once(Lane(serve), numbers) == [2 * number for number in numbers]
    assert sorted(number for batch in serve.batches for number in batch) == numbers
    assert len(serve.batches) < CALLERS


def test_who_comes_alone_waits_for_nobody() -> None:
    serve = Counter()
    lane = Lane(serve, gather_seconds=5)
    began = time.monotonic()
    assert (lane.ask(1), lane.ask(2)) == (2, 4)
    assert serve.batches == [[1], [2]]
    assert time.monotonic() - began < 5


def test_one_that_cannot_be_served_spoils_none_of_its_neighbours() -> None:
    serve = Counter()
    answers = all_at_once(Lane(serve, servers=1), range(CALLERS))
    assert answers == [2 * number if number != 13 else "refused 13" for number in range(CALLERS)]
    assert any(13 in batch and len(batch) > 1 for batch in serve.batches), "nobody shared a trip with it"


def test_a_batch_is_bounded_and_marked_questions_never_meet() -> None:
    serve = Counter()
    lane = Lane(serve, servers=1, together_max=4, mark=lambda number: number % 5 or None)
    all_at_once(lane, [number for number in range(40) if number != 13])
    assert max(map(len, serve.batches)) == 4
    for batch in serve.batches:
        marks = [number % 5 for number in batch if number % 5]
        assert len(marks) == len(set(marks))


def test_who_waits_too_long_is_told_so_and_the_lane_goes_on() -> None:
    busy, freed = threading.Event(), threading.Event()

    def serve(numbers: Sequence[int]) -> list[int | Exception]:
        if 1 in numbers:
            busy.set()
            freed.wait(10)
        return list(numbers)

    lane = Lane(serve, servers=1, seconds_max=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lane.ask, 1)
        busy.wait(10)
        with pytest.raises(TakesTooLong):
            lane.ask(2)
        with pytest.raises(TakesTooLong):
            first.result()
        freed.set()
    assert lane.ask(3) == 3


def test_a_server_that_cannot_give_back_what_it_holds_goes_on_and_nobody_waits_for_it() -> None:
    """The control of its frame: without it the only server ends with its first failure."""
    broken: list[int] = []

    def rest() -> None:
        if not broken:
            broken.append(1)
            raise RuntimeError("it is broken")

    def serve(numbers: Sequence[int]) -> list[int | Exception]:
        if 13 in numbers:
            raise ValueError(13)
        return list(numbers)

    lane = Lane(serve, servers=1, seconds_max=5, rest=rest)
    with pytest.raises(ValueError, match="13"):
        lane.ask(13)
    assert lane.ask(3) == 3 and broken
