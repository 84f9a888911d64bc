"""The worker's part, done in the test's own process."""

from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.lib import jobs


def work_out() -> None:
    """Work out every kept figure that waits for the worker."""
    for job in ProcrastinateJob.objects.filter(task_name="lib.work_out", status="todo"):
        jobs.work_out(**job.args)
