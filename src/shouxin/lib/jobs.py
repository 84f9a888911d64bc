"""Work for later: put into the same transaction as the facts it follows from, done by the worker.

A package's jobs stand in its `jobs.py`, marked `@jobs.app.task(name="…", retry=…)`.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

__all__ = ["app", "enqueue", "work_out"]


def enqueue(
    work: Task[..., Any, Any],
    *,
    once: str | None = None,
    in_turn: str | None = None,
    at: datetime | None = None,
    **kwargs: Any,
) -> int | None:
    """Have the worker do `work(**kwargs)`; a rolled back transaction takes the job back with it.

    `once`: no second job waits under this name. `in_turn`: jobs of this name run one after another. `at`: not before.
    Returns the job's number, or None where one was waiting already.
    """
    job = work.configure(queueing_lock=once, lock=in_turn, schedule_at=at)
    try:
        with transaction.atomic():  # a savepoint: the refusal of a second job must not spoil the caller's transaction
            return job.defer(**kwargs)
    except AlreadyEnqueued:
        return None


@app.task(name="lib.work_out", retry=False)
def work_out(figure: str, key: str, asked: dict[str, Any], always: bool = False) -> None:
    """Work a figure over every row out afresh and keep it."""
    from django.utils import timezone

    from . import kept

    kept.work_out(figure, key, asked, at=timezone.now(), always=always)
