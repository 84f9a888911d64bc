"""What becomes of a fact after it was noted: verified, taken out of scoring, dealt with (A7, B1.4, B2.6).

Facts are never changed: each of these is a row of its own, made by somebody else than the one who found the fact.
"""

from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import attachments, posts, sight, trail
from shouxin.office.models import Attachment, Person
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.policy import Post

from .models import Fact, FactCheck, FactMark

OFFICE = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
NOTE = "note"
BY_HAND = {"expired", "repaired", "wrong"}


@transaction.atomic
def verify(
    fact: Fact,
    method: str,
    result: str,
    *,
    checked_on: date,
    by: Person,
    on: date,
    at: datetime,
    note: str = "",
    evidence: UploadedFile | None = None,
) -> FactCheck:
    """The fact or its paper was verified (B1.4). Found forged, it leaves scoring, and that it was forged is a fact.

    Raises NotYourDuty (also for whoever noted the fact), BadForm, and Moved where the fact has left scoring already.
    """
    _require(fact, "verify_fact", by, on, at)
    errors = [
        (name, _("is not one of the choices"))
        for name, value, choices in (("method", method, FactCheck.METHODS), ("result", result, FactCheck.RESULTS))
        if value not in dict(choices)
    ]
    if checked_on > on:
        errors.append(("checked_on", _("cannot be in the future")))
    if checked_on < fact.as_of:
        errors.append(("checked_on", _("cannot be before the day of the fact")))
    if errors:
        raise BadForm(errors)
    check = FactCheck.objects.create(
        fact=fact, method=method, result=result, checked_on=checked_on, note=note, by=by, at=at
    )
    if evidence is not None:
        attachments.attach(evidence, about=fact, customer=fact.customer, by=by, at=at, field="evidence", trailed=False)
    if result == "forged":
        end(fact, "forged", note or method, by=by, at=at)
        Fact.objects.create(
            customer=fact.customer,
            key="forged_documents",
            value=True,
            source="visit",
            as_of=checked_on,
            subject="reputation",
            note=f"{fact.key}: {note}"[:500],
            collected_by=by,
            collected_at=at,
        )
    trail.record(
        "verify_fact",
        about=fact,
        customer=fact.customer,
        by=by,
        at=at,
        key=fact.key,
        method=method,
        result=result,
        note=note,
    )
    return check


@transaction.atomic
def mark(fact: Fact, kind: str, why: str, *, by: Person, on: date, at: datetime) -> FactMark:
    """Take the fact out of scoring: `expired`, `repaired` or `wrong`; a quick note is `dismissed`.

    Raises NotYourDuty (also for whoever noted the fact; a note may be dismissed by her), BadForm, Moved if it was done.
    """
    _require(fact, "mark_fact", by, on, at)
    if kind not in ({"dismissed"} if fact.key == NOTE else BY_HAND):
        raise BadForm([("kind", _("is not one of the choices"))])
    if not why.strip():
        raise BadForm([("reason", _("Say why."))])
    made = end(fact, kind, why.strip(), by=by, at=at)
    trail.record(
        "mark_fact", about=fact, customer=fact.customer, by=by, at=at, key=fact.key, kind=kind, why=why.strip()
    )
    return made


def end(fact: Fact, kind: str, why: str, *, by: Person, at: datetime) -> FactMark:
    """The mark itself, without a line of its own. Raises Moved where somebody was faster."""
    made, new = FactMark.objects.get_or_create(fact=fact, defaults={"kind": kind, "why": why, "by": by, "at": at})
    if not new:
        raise Moved(_("This was dealt with already."))
    return made


def _require(fact: Fact, verb: str, by: Person, on: date, at: datetime) -> None:
    posts.require(by, *OFFICE, on=on, about=fact, verb=verb, at=at)
    if fact.collected_by_id == by.pk and fact.key != NOTE:
        raise posts.not_your_duty(
            by,
            about=fact,
            verb=verb,
            at=at,
            code="own_fact",
            cure=_("Ask somebody else of the credit office: nobody vouches for what she noted."),
        )


# --- reading -------------------------------------------------------------------------------------


def rows(by: Person, on: date) -> models.QuerySet[Fact]:
    """The facts about customers in her sight, with everything that became of them."""
    found: models.QuerySet[Fact] = Fact.objects.select_related("customer", "collected_by", "mark__by")
    return sight.visible(found.filter(customer__restricted_on=None), by, on=on)


def get(pk: int, *, by: Person, on: date) -> Fact:
    """One of them. Raises NotVisible."""
    return sight.get_visible(rows(by, on), by, pk, on=on)


def open_notes(by: Person, on: date) -> models.QuerySet[Fact]:
    """Quick notes nobody has dealt with yet."""
    return rows(by, on).filter(key=NOTE, mark=None)


def unverified(by: Person, on: date) -> models.QuerySet[Fact]:
    """Facts that stand on a paper nobody has verified yet."""
    names = Attachment.objects.filter(about__startswith="fact:").annotate(
        fact_id=models.functions.Cast(models.functions.Substr("about", 6), models.BigIntegerField())
    )  # fmt: skip
    return rows(by, on).filter(pk__in=names.values("fact_id"), checks=None, mark=None).exclude(key=NOTE)


def state_of(fact: Fact) -> tuple[Any, str]:
    """(word, colour) of how far the fact can be trusted; `checks` and `mark` should have been fetched."""
    if (ended := getattr(fact, "mark", None)) is not None:
        return ended.get_kind_display(), "grey"
    last = max(fact.checks.all(), key=lambda each: each.pk, default=None)
    if last is None:
        return _("not verified"), "amber"
    return last.get_result_display(), {"genuine": "green", "doubtful": "amber", "forged": "red"}[last.result]
