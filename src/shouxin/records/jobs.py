"""What the worker does for looking back: a statistical card is fitted where nobody has to wait for it."""

from datetime import date

from shouxin.lib.jobs import app
from shouxin.office import clock, policies
from shouxin.office.models import Person
from shouxin.office.refusals import Refusal
from shouxin.receivables import fitted
from shouxin.receivables.fitted import logger


@app.task(name="records.fit_card", lock="records.fit_card", pass_context=False)
def fit_card(until: str, late_days: int, by: int) -> None:
    """Fit and keep a card in the name of the person who asked; what is refused is not tried again."""
    day = date.fromisoformat(until)
    try:
        fitted.fit(
            until=day, late_days=late_days, edition=policies.in_force(day), by=Person.objects.get(pk=by),
            on=clock.today(), at=clock.now(),
        )  # fmt: skip
    except Refusal as refusal:
        logger.warning("no card was fitted for %s: %s", until, refusal)
