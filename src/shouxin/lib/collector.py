"""Python's search for objects that hold each other: rare while rows come by the ten thousand, never over what stays."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATED = 200_000
"""So many new containers (about those of one batch of rows) before the collector looks; Python's own number is 700."""


def leave_what_stays() -> None:
    """What is loaded now stays as long as the process: it is looked through a last time and never again.

    Looking through a quarter of a million objects of modules and models stops every request for a tenth of a second;
    processes forked afterwards also go on sharing their pages.
    """
    gc.collect()
    gc.freeze()


_lock = threading.Lock()
_usual: list[tuple[int, int, int]] = []


@contextmanager
def seldom() -> Iterator[None]:
    """Let the collector look once a batch or so: of rows it finds none to collect, and finding none is half the work.

    The setting is the process's; whoever enters first remembers it, and whoever leaves last puts it back.
    """
    with _lock:
        _usual.append(gc.get_threshold())
        gc.set_threshold(max(ALLOCATED, _usual[0][0]), *_usual[0][1:])
    try:
        yield
    finally:
        with _lock:
            usual = _usual[0]
            _usual.pop()
            if not _usual:
                gc.set_threshold(*usual)
