"""Figures that read every row: told live while that is quick, else kept with the moment they were worked out.

A small house always reads its books as they stand. Once a figure takes longer than KEEP_AFTER seconds, what was worked
out is kept; whoever asks gets it with its moment, and the worker works it out again once it has rested REST times as
long as it took. A figure is a function with plain arguments (text, numbers) that answers plain JSON, named by its path.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.module_loading import import_string

from . import jobs
from .models import Kept

LIVE_MAX = 2.0
"""Seconds the first reader may wait for a figure; what takes longer is left to the worker."""
KEEP_AFTER = 0.25
REST = 100
REST_MIN = 60.0
FORGOTTEN_AFTER = timedelta(days=7)
"""What nobody has asked for in so long is kept no longer."""


@dataclass(frozen=True)
class Told:
    """A figure as of `at`; None while it is being worked out for the first time. `live`: read from the books now."""

    content: Any
    at: datetime
    live: bool


def read(
    figure: str,
    *,
    scope: str,
    at: datetime,
    at_once: bool = True,
    patient: bool = False,
    at_hand: Mapping[str, Any] | None = None,
    **asked: Any,
) -> Told:
    """The figure at the path `figure` as asked. `scope` names whose it is: each keeps its own.

    A kept answer to another day's question is told, with its moment, until the worker has the new one. `patient`: the
    first reader waits as long as it takes, as for a figure of one customer. `at_hand`: what the reader holds already
    and the figure, worked out by itself, would look up. `at_once` says whether the first reader may work it out at
    all: the time limit ends statements, not what Python itself takes long for.
    """
    key = f"{figure}:{scope}"
    ask: dict[str, Any] = {"figure": figure, "key": key, "asked": asked, "always": not at_once}
    row = Kept.objects.filter(key=key).first()
    if row is None:
        found = None
        if at_once:
            worked_out = partial(import_string(figure), **asked, **(at_hand or {}))
            found = _at_once(worked_out, key, asked, at, nullcontext() if patient else _hurried())
        if found is not None:
            return found
        jobs.enqueue(jobs.work_out, once=key, **ask)
        return Told(None, at, False)
    rests = (at - row.at).total_seconds() < max(row.seconds * REST, REST_MIN)
    if row.asked != asked or not rests:
        jobs.enqueue(jobs.work_out, once=key, **ask)
    return Told(row.content, row.at, False)


def work_out(figure: str, key: str, asked: dict[str, Any], *, at: datetime, always: bool = False) -> None:
    """Work the figure out and keep it, however long it takes; once it is quick again it is kept no longer.

    `always`: kept also then, for no reader may work it out.
    """
    began = time.monotonic()
    content = import_string(figure)(**asked)
    seconds = time.monotonic() - began
    if always or seconds > KEEP_AFTER:
        _keep(key, content, asked, seconds, at)
    else:
        Kept.objects.filter(key=key).delete()


def _keep(key: str, content: Any, asked: dict[str, Any], seconds: float, at: datetime) -> None:
    told = {"content": content, "asked": asked, "seconds": seconds, "at": at}
    Kept.objects.update_or_create(key=key, defaults=told)
    Kept.objects.filter(at__lt=at - FORGOTTEN_AFTER).delete()


def _at_once(
    figure: Callable[[], Any], key: str, asked: dict[str, Any], at: datetime, bound: AbstractContextManager[None]
) -> Told | None:
    began = time.monotonic()
    try:
        with bound:
            content = json.loads(json.dumps(figure()))
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "57014":  # anything but our own time limit
            raise
        return None
    if (seconds := time.monotonic() - began) > KEEP_AFTER:
        _keep(key, content, asked, seconds, at)
    return Told(content, at, True)


@contextmanager
def _hurried() -> Iterator[None]:
    """Statements inside end with an error after LIVE_MAX seconds."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{LIVE_MAX}s"])
        yield
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
