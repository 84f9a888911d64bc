"""What the worker does for the annual review: looking at every customer, which may take a while."""

from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.lib.jobs import app, enqueue
from shouxin.office import clock

from . import annual
from .models import Campaign


@app.task(name="reviews.prepare")
def prepare(campaign: int) -> None:
    """Review everybody of a campaign who has not been; broken off, it goes on where it stopped."""
    annual.prepare(Campaign.objects.get(pk=campaign), on=clock.today(), at=clock.now())


def begin(campaign: Campaign) -> None:
    """Have the worker review everybody who has not been; asked for again while it waits, it does so once.

    Raises Moved once the year is closed.
    """
    annual.refuse_closed(campaign)
    enqueue(prepare, once=f"reviews.prepare:{campaign.pk}", campaign=campaign.pk)


def waiting(campaign: int) -> bool:
    """Whether the worker is at a campaign, or will be."""
    rows = ProcrastinateJob.objects.filter(task_name=prepare.name, status__in=("todo", "doing"))
    return rows.filter(args__campaign=campaign).exists()
