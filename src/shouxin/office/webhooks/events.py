"""What can be told to other programs: the events, and the lines of the trail that are them.

The trail is written in the act's own transaction, and a trigger on it puts the event beside it into the outbox: no act
can forget to tell, and one that is rolled back has told nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shouxin.office.models import TrailEntry

EVENTS: Mapping[str, tuple[str, ...]] = {
    "credit_check.decided": (
        "credit-decision/check.approve",
        "credit-decision/check.hold",
        "credit-decision/check.decline",
    ),
    "hold.opened": ("credit-decision/check.hold",),
    "hold.released": ("hold/release",),
    "hold.rejected": ("hold/reject",),
    "line_request.decided": ("line-request/approve", "line-request/decline"),
    "line.changed": ("line/line.begin", "line/line.downgrade", "line/line.overtake", "line/line.import"),
    "standing.changed": ("customer/set_standing",),
    "day.done": ("day/day.run",),
}
"""Event -> the lines it stands for, as kind/verb."""

LABELS: Mapping[str, str | Promise] = {
    "credit_check.decided": _("an order was checked"),
    "hold.opened": _("an order was put on hold"),
    "hold.released": _("a hold was released"),
    "hold.rejected": _("a hold was rejected"),
    "line_request.decided": _("a line request was decided"),
    "line.changed": _("a line began or was lowered"),
    "standing.changed": _("a customer's standing changed"),
    "day.done": _("the daily run is done"),
}
TEST = "test"


def watches(events: Iterable[str]) -> list[str]:
    """What the trigger looks for: "event kind/verb"."""
    return [f"{event} {line}" for event in sorted(set(events)) for line in EVENTS[event]]


def payload(event: str, entry: TrailEntry | None, *, at: str) -> dict[str, Any]:
    """What is sent: type, moment and particulars of the act; amounts as text, nothing that is masked elsewhere."""
    if entry is None:
        return {"type": event, "timestamp": at, "data": {}}
    kind, _colon, number = entry.about.partition(":")
    about = {"object": kind, "id": number, "label": entry.label, "customer": entry.customer_id, "verb": entry.verb}
    return {"type": event, "timestamp": entry.at.isoformat(), "data": {**entry.particulars, **about}}
