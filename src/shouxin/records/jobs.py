"""What the worker does for looking back: the digests of the departments."""

from shouxin.lib.jobs import app
from shouxin.office import clock, pause, posts


@app.periodic(cron="15 * * * *")
@app.task(name="records.digests", queueing_lock="records.digests", lock="records.digests")
def make_digests(timestamp: int) -> None:
    """Ask every hour whether a period is over that its departments have not been told of."""
    from . import digests

    if not pause.since():
        digests.make_due(today=clock.today(), at=clock.now(), by=posts.system())
