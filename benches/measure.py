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


def compare(
    anchor: Work, subjects: dict[str, Work], *, callers: int, runs: int, seconds: float, on_step: Callable[[], None]
) -> list[Result]:
    """Anchor and subjects in turn, `runs` times; answers one result for each subject."""
    anchors: list[float] = []
    measured: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(runs):
        anchors.append(rate(anchor, callers, seconds))
        for name, work in subjects.items():
            measured[name].append(rate(work, callers, seconds))
            on_step()
    base = statistics.median(anchors)
    return [
        Result(name, statistics.median(values), "1/s", base, statistics.median(values) / base, values)
        for name, values in measured.items()
    ]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.machine(),
        "memory_mb": used,
    }
