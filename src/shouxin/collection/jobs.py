"""What the worker does for collection: the daily run early in the morning of the company's own zone, and the outbox."""

from datetime import date, time

from django.utils import timezone

from shouxin.lib.jobs import app, enqueue
from shouxin.office import clock, mail, posts
from shouxin.office.models import Person
from shouxin.office.refusals import Refusal

from . import notices, rounds
from .models import Day

EARLY, LATE = time(2, 0), time(23, 0)
"""The run starts by itself between these hours of the company's day: after midnight's imports, and not at its end."""


@app.periodic(cron="5,35 * * * *")
@app.task(name="collection.morning", queueing_lock="collection.morning")
def morning(timestamp: int) -> None:
    """Ask every half hour whether today's run is still to be done, so that a night without power is made up for.

    A house where no day was ever run waits for a person to run the first: opening balances must be in before a letter
    is written, and once today has been run no earlier day can be (I-27).
    """
    today = clock.today()
    closed = Day.objects.filter(as_of__gte=today).exclude(as_of=today, status="running")
    due = EARLY <= timezone.localtime(clock.now()).time() < LATE and not closed.exists()
    if due and Day.objects.exists():
        enqueue(run_day, once="collection.run_day", as_of=today.isoformat())


@app.task(name="collection.run_day", lock="collection.run_day", pass_context=False)
def run_day(as_of: str, by: int | None = None, start: str | None = None) -> None:
    """Run a day (in the name of a person who asked for it) and send its letters. What is refused is not tried again:
    the page says why."""
    person = Person.objects.get(pk=by) if by else posts.system()
    try:
        first = date.fromisoformat(start) if start else None
        rounds.run(as_of=date.fromisoformat(as_of), start=first, by=person, at=clock.now())
    except Refusal as refusal:
        rounds.logger.warning("the daily run for %s was refused: %s", as_of, refusal)
        return
    enqueue(send, once="collection.send")


@app.periodic(cron="*/10 * * * *")
@app.task(name="collection.outbox", queueing_lock="collection.outbox")
def outbox(timestamp: int) -> None:
    """Every ten minutes: let what waits leave the house, if there is a mail server."""
    if mail.configured():
        notices.send_waiting(by=posts.system(), at=clock.now())


@app.task(name="collection.send", lock="collection.send")
def send() -> None:
    """Let what waits leave the house now."""
    if mail.configured():
        notices.send_waiting(by=posts.system(), at=clock.now())
