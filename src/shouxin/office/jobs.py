"""The office's work for later."""

from shouxin.lib.jobs import app
from shouxin.office import clock


@app.task(name="office.take_over_file", retry=False)
def take_over_file(run_id: int) -> None:
    """Take an uploaded file over; imports wait for each other."""
    from shouxin.office.imports import runs

    runs.perform(run_id, at=clock.now(), today=clock.today())
