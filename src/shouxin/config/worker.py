"""The worker's life: it works while the installation is not paused, and outlives a database that is away."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections
from procrastinate import JobContext
from psycopg_pool import PoolTimeout

from shouxin.config.server import STOP_SECONDS
from shouxin.office import pause

log = structlog.get_logger("shouxin.worker")

JOBS_AT_ONCE = 4
LOOK_SECONDS = 2.0
AGAIN_SECONDS = 2.0
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before a job that the database broke off is begun again, the first time, the second, …"""


async def run(app: Any) -> None:
    """Work until told to stop. Whatever breaks it off, most likely the database, is logged and it begins anew."""
    while True:
        await _until(paused=False)
        try:
            with app.replace_connector(app.connector.get_worker_connector()) as working:
                async with working.open_async():
                    if await _worked_until_stopped(working):
                        return
        except Exception as error:  # a database that comes back must find a worker, whatever it said on leaving
            log.warning("the worker was broken off and begins anew", why=f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_SECONDS)


def patient(work: Callable[[], Any], context: JobContext, _worker: object) -> Any:
    """Do a job; begin it again where the database broke it off in passing, unless the worker is to stop meanwhile.

    Every kind of job may be begun again, since its worker may die in the middle of it (I-26). After the last pause it
    fails with what the database said. What a job settles by itself, as an import or the daily run does, is not seen
    here.
    """
    for seconds in PAUSES:
        try:
            return work()
        except Exception as error:
            if not _passing(error):
                raise
            log.warning("a job was broken off and begins anew", task=context.job.task_name, why=str(error))
            close_old_connections()
            time.sleep(seconds)
            if context.should_abort() or _paused():
                raise
    return work()


def _passing(error: Exception) -> bool:
    """A lock held too long, a deadlock, a connection refused or lost; not what a person or a full disk ended."""
    if not isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state in ("40P01", "40001", "55P03", "53300") or state.startswith(("08", "57P"))


async def _worked_until_stopped(app: Any) -> bool:
    """Take jobs; True when told to stop, False when the installation was paused meanwhile."""
    options = {"concurrency": JOBS_AT_ONCE, "fetch_job_polling_interval": 5.0, "task_middleware": [patient]}
    working = asyncio.create_task(app.run_worker_async(shutdown_graceful_timeout=STOP_SECONDS / 2, **options))
    watching = asyncio.create_task(_until(paused=True))
    await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        watching.cancel()
        await working
        return True
    working.cancel()  # asks it to end what it is at
    await asyncio.wait({working})
    return False


async def _until(*, paused: bool) -> None:
    while await asyncio.to_thread(_paused) is not paused:
        await asyncio.sleep(LOOK_SECONDS)


def _paused() -> bool:
    """Whether no job may run: the installation is paused, or nobody can tell because the database is away (I-7)."""
    try:
        return pause.since() is not None
    except (DatabaseError, InterfaceError, PoolTimeout):
        return True
    finally:
        close_old_connections()
