"""How a paper moves: by its table, by whose duty it is, once, with a trail line. There is no other way.

Two people who press at the same time cannot both succeed: the row is updated only where it still has the status
(and the version) the caller saw (I-17).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.rules.flow import Flow, Step

from . import posts, trail
from .models import Person
from .refusals import Moved, NotVisible

Row = TypeVar("Row", bound=models.Model)


@transaction.atomic
def move(
    row: Row,
    flow: Flow,
    verb: str,
    *,
    by: Person,
    on: date,
    at: datetime,
    version: int | None = None,
    particulars: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Row:
    """Take one step of the table: status, `changes` of columns, version and trail line, all or none.

    `version` is the one the caller saw (default: the row's own). A step without duty is for jobs alone. `particulars`
    go into the trail beside the changes. Raises NotYourDuty, Moved (no such step from here, somebody was faster, or
    the customer is restricted), NotVisible for a verb the table does not know.
    """
    step = _allowed(row, flow, verb, by=by, on=on, at=at)
    seen = _seen_version(row, version)
    if not _update(row, step, seen, changes):
        raise Moved(_("Somebody was faster: this is no longer “%(status)s”."), status=_status_label(row))
    was = row.status
    _carry(row, step, seen, changes)
    trail.record(verb, about=row, by=by, at=at, was=was, now=step.target, **{**changes, **(particulars or {})})
    return row


def verbs_for(row: models.Model, flow: Flow, by: Person, on: date) -> tuple[str, ...]:
    """What this person may do with the paper now, in the table's order: the buttons on the page."""
    held = posts.posts_of(by, on=on)
    return tuple(step.verb for step in flow.steps if row.status in step.sources and held & step.duty)


def _allowed(row: models.Model, flow: Flow, verb: str, *, by: Person, on: date, at: datetime) -> Step:
    rows = [step for step in flow.steps if step.verb == verb]
    if not rows:
        raise NotVisible(_("There is no such step as “%(verb)s”."), code="no_such_verb", verb=verb)
    # Duty comes before status: whose duty the verb is in no case learns nothing of where the paper stands.
    step = flow.step(verb, row.status)
    duty = step.duty if step else frozenset[posts.Post]().union(*(each.duty for each in rows))
    if not _on_duty(by, duty, on):
        raise posts.not_your_duty(by, duty, about=row, verb=verb, at=at)
    if step is None:
        raise Moved(_("“%(verb)s” cannot be done while this is “%(status)s”."), verb=verb, status=_status_label(row))
    if flow.rests and step.duty and _is_restricted(row):
        raise Moved(RESTRICTED, code="restricted", cure=LIFT_FIRST)
    return step


RESTRICTED = _("The customer's data are restricted: stored, and used for nothing (PIPL art. 47).")
LIFT_FIRST = _("Two people have to lift the restriction first, at the person's request.")


def _is_restricted(row: models.Model) -> bool:
    return getattr(getattr(row, "customer", None), "restricted_on", None) is not None


def _on_duty(by: Person, duty: frozenset[posts.Post], on: date) -> bool:
    return bool(posts.posts_of(by, on=on) & duty) if duty else posts.is_system(by)


def _seen_version(row: models.Model, version: int | None) -> int | None:
    return (row.version if version is None else version) if hasattr(row, "version") else None


def _update(row: models.Model, step: Step, seen: int | None, changes: Mapping[str, Any]) -> int:
    rows = type(row)._base_manager.filter(pk=row.pk, status=row.status)
    if seen is None:
        return rows.update(status=step.target, **changes)
    return rows.filter(version=seen).update(status=step.target, version=seen + 1, **changes)


def _carry(row: models.Model, step: Step, seen: int | None, changes: Mapping[str, Any]) -> None:
    """The instance in hand says what the row now says."""
    row.status = step.target
    if seen is not None:
        row.version = seen + 1
    for column, value in changes.items():
        setattr(row, column, value)


def _status_label(row: models.Model) -> str:
    label = getattr(row, "get_status_display", None)
    return str(label()) if label else row.status
