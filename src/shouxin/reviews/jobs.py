"""What the worker does for the annual review: looking at every customer, which may take a while."""

from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.lib.jobs import app, enqueue
from shouxin.office import clock
from shouxin.office.models import Person

from . import annual
from .models import Campaign


@app.task(name="reviews.prepare")
def prepare(campaign: int, by: int | None = None) -> None:
    """Review everybody of a campaign who has not been; broken off, it goes on where it stopped.

    `by`: who had it done, where it was not who opened the year.
    """
    person = None if by is None else Person.objects.get(pk=by)
    annual.prepare(Campaign.objects.get(pk=campaign), by=person, on=clock.today(), at=clock.now())


def begin(campaign: Campaign, by: Person | None = None) -> bool:
    """Have the worker review everybody who has not been, in the name of `by` (default: whoever opened the year).

    Asked for again while it waits it does so once, in the name of the first; answers whether this was the first.
    Raises Moved once the year is closed.
    """
    annual.refuse_closed(campaign)
    named = {} if by is None or by.pk == campaign.opened_by_id else {"by": by.pk}
    return enqueue(prepare, once=f"reviews.prepare:{campaign.pk}", campaign=campaign.pk, **named) is not None


def waiting(campaign: int) -> bool:
    """Whether the worker is at a campaign, or will be."""
    rows = ProcrastinateJob.objects.filter(task_name=prepare.name, status__in=("todo", "doing"))
    return rows.filter(args__campaign=campaign).exists()
