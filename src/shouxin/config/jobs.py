"""What the worker does by the clock. Cron lines are in UTC, so whatever has a business date asks the clock itself."""

from datetime import timedelta

import structlog
from django.db import connection
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from shouxin.lib.jobs import app

log = structlog.get_logger("shouxin.worker")

STALLED_AFTER = timedelta(minutes=2)
KEPT_HOURS = 24 * 14
STALLED = """
SELECT count(*) FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - %s)
"""


@app.periodic(cron="*/2 * * * *")
@app.task(name="house.take_up_stalled", queueing_lock="house.take_up_stalled", pass_context=True)
async def take_up_stalled(context: JobContext, timestamp: int) -> None:
    """Put jobs back in the queue whose worker has died: it has not been heard of for two minutes.

    Ours has not, however long the machine slept. What one job refuses does not keep the others from being taken up.
    """
    manager, ours = context.app.job_manager, context.job.worker_id
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds()):
        if job.worker_id is None or job.worker_id != ours:
            await _take_up(manager, job)


async def _take_up(manager: JobManager, job: Job) -> None:
    """Back into the queue; where the same work waits there already under the same name, that one does it."""
    try:
        await manager.retry_job(job)
    except UniqueViolation:
        log.info("a stalled job gives way to the one that waits for the same", job=job.id, task=job.task_name)
        await manager.finish_job(job, Status.ABORTED, delete_job=True)
    except ConnectorException as error:  # most likely it has been taken up meanwhile
        log.warning("a stalled job was not taken up", job=job.id, task=job.task_name, why=str(error.__cause__ or error))


@app.periodic(cron="40 * * * *")
@app.task(name="house.forget_old", queueing_lock="house.forget_old", pass_context=True)
async def forget_old(context: JobContext, timestamp: int) -> None:
    """Remove done jobs after two weeks; what failed stays until somebody has looked at it."""
    await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS)


def stalled() -> int:
    """How many jobs are marked as being done by a worker that has not been heard of for two minutes."""
    with connection.cursor() as cursor:
        cursor.execute(STALLED, [STALLED_AFTER])
        return int(cursor.fetchone()[0])
