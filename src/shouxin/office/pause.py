"""A paused installation: nothing leaves the house and no job runs until a person lets it go on (I-36).

A restored copy is paused from the moment its database is in place, so that a drill, or a second machine beside one that
still lives, writes to nobody. Pages and decisions work; the worker waits, letters wait, the daily run is refused.
The mark is a row of the database: every server on it obeys, and whoever restores it by other means can set it too.
"""

import time
from datetime import datetime

from django.db import DatabaseError, InterfaceError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg_pool import PoolTimeout

from shouxin.lib.models import Once
from shouxin.rules.policy import Post

from . import clock, posts, trail
from .models import Person
from .refusals import BadForm, Moved, Refusal

MARK = "paused"
LOOK_SECONDS = 5.0
MAY = (Post.SYSTEM_MANAGER,)


class Paused(Refusal):
    """The installation is paused. Status 409."""

    code = "paused"
    message = _("This installation is paused: no letters, no webhooks, no jobs.")
    cure = _("Look it over, then let it go on with `shouxin resume`.")


_seen: tuple[float, datetime | None] = (float("-inf"), None)


def since() -> datetime | None:
    """When the installation was paused, or None where it is at work."""
    return Once.objects.filter(name=MARK).values_list("at", flat=True).first()


def since_lately() -> datetime | None:
    """The same for the line on every page: asked every few seconds at most, nothing while the database is away."""
    global _seen
    if time.monotonic() - _seen[0] > LOOK_SECONDS:
        try:
            _seen = (time.monotonic(), since())
        except (DatabaseError, InterfaceError, PoolTimeout):
            return None
    return _seen[1]


def refuse() -> None:
    """Raise Paused where the installation is paused: for whatever would write to somebody or run by itself."""
    if since():
        raise Paused


@transaction.atomic
def begin(*, why: str, by: Person, at: datetime) -> None:
    """Pause the installation. Raises NotYourDuty, BadForm without a reason, Moved where it is paused already."""
    _require(by, why, "pause", at)
    _mark, new = Once.objects.get_or_create(name=MARK, defaults={"at": at})
    if not new:
        raise Moved(_("The installation is paused already."), code="paused")
    trail.record("installation.pause", about="installation:", by=by, at=at, why=why)


@transaction.atomic
def end(*, why: str, by: Person, at: datetime) -> None:
    """Let it go on. Raises NotYourDuty, BadForm without a reason, Moved where it is not paused."""
    _require(by, why, "resume", at)
    deleted, _rows = Once.objects.filter(name=MARK).delete()
    if not deleted:
        raise Moved(_("The installation is not paused."), code="not_paused")
    trail.record("installation.resume", about="installation:", by=by, at=at, why=why)


def _require(by: Person, why: str, verb: str, at: datetime) -> None:
    if not posts.is_system(by):
        posts.require(by, *MAY, on=clock.today(), about="installation:", verb=verb, at=at)
    if not why.strip():
        raise BadForm([("reason", _("Say why: the reason is kept in the trail."))])
