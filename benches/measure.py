"""How a bench measures: subject and anchor take turns, medians are compared, the machine is named."""

import os
import platform
import resource
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Work = Callable[[int, float], int]
"""One caller's work: (number of the caller, moment to stop) -> how many it has done."""


@dataclass(frozen=True)
class Result:
    """A measured name: the median of the runs, that of its anchor, and their ratio. `unit` is per second."""

    name: str
    value: float
    unit: str
    anchor: float
    ratio: float
    runs: list[float]


def rate(work: Work, callers: int, seconds: float) -> float:
    """How many per second `callers` threads get done together."""
    done = [0] * callers
    until = time.perf_counter() + seconds

    def call(number: int) -> None:
        done[number] = work(number, until)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


Rate = Callable[[float], float]
"""Measures for so many seconds; answers how many per second were done."""


def together(work: Work, callers: int) -> Rate:
    """The rate of `callers` threads that each do the work."""
    return lambda seconds: rate(work, callers, seconds)


def compare(
    anchor: Rate, subjects: dict[str, Rate], *, runs: int, seconds: float, on_step: Callable[[], None]
) -> list[Result]:
    """Anchor and subjects in turn, `runs` times; answers one result for each subject.

    The ratio is the median of the rounds' own ratios: what slows the machine down for a while slows both.
    """
    anchors: list[float] = []
    measured: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(runs):
        anchors.append(anchor(seconds))
        for name, subject in subjects.items():
            measured[name].append(subject(seconds))
            on_step()
    return [_result(name, values, anchors) for name, values in measured.items()]


def _result(name: str, values: list[float], anchors: list[float]) -> Result:
    ratios = [value / anchor for value, anchor in zip(values, anchors, strict=True)]
    middle = statistics.median
    return Result(name, middle(values), "1/s", middle(anchors), middle(ratios), values)


def machine() -> dict[str, Any]:
    """What it was measured on."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.machine(),
        "memory_mb": used,
    }
