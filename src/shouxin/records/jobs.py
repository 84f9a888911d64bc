"""What the worker does for looking back: the digests of the departments, and cards fitted to the ledger."""

from datetime import date, datetime

from shouxin.lib.jobs import app
from shouxin.office import clock, pause, policies, posts
from shouxin.office.models import Person
from shouxin.office.refusals import Refusal
from shouxin.receivables import fitted
from shouxin.receivables.fitted import logger


@app.periodic(cron="15 * * * *")
@app.task(name="records.digests", queueing_lock="records.digests", lock="records.digests")
def make_digests(timestamp: int) -> None:
    """Ask every hour whether a period is over that its departments have not been told of."""
    from . import digests

    if not pause.since():
        digests.make_due(today=clock.today(), at=clock.now(), by=posts.system())


@app.task(name="records.fit_card", lock="records.fit_card", pass_context=False)
def fit_card(until: str, late_days: int, by: int, asked: str = "") -> None:
    """Fit and keep a card in the name of the person who asked; what is refused is kept, not tried again.

    `asked`: when; what has been fitted or refused since is not fitted twice (I-26).
    """
    day = date.fromisoformat(until)
    if asked and fitted.done_since(datetime.fromisoformat(asked), as_of=day, late_days=late_days, by=by):
        return
    try:
        fitted.fit(
            until=day, late_days=late_days, edition=policies.in_force(day), by=Person.objects.get(pk=by),
            on=clock.today(), at=clock.now(),
        )  # fmt: skip
    except Refusal as refusal:
        logger.warning("no card was fitted for %s: %s", until, refusal)
