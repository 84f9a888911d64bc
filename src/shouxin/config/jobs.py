"""What the worker does by the clock. Cron lines are in UTC, so whatever has a business date asks the clock itself."""

from datetime import timedelta

from django.db import connection
from procrastinate import JobContext

from shouxin.lib.jobs import app

STALLED_AFTER = timedelta(minutes=2)
KEPT_HOURS = 24 * 14
STALLED = """
SELECT count(*) FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - %s)
"""


@app.periodic(cron="*/2 * * * *")
@app.task(name="house.take_up_stalled", queueing_lock="house.take_up_stalled", pass_context=True)
async def take_up_stalled(context: JobContext, timestamp: int) -> None:
    """Put jobs back in the queue whose worker has died: it has not been heard of for two minutes."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds()):
        await manager.retry_job(job)


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
