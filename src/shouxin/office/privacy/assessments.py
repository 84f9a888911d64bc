"""Protection impact assessments (PIPL art. 55, 56): written by one, reviewed by another, looked at again."""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import moves, policies, posts, trail
from shouxin.office.models import DataSharing, ImpactAssessment, Person
from shouxin.office.refusals import TOO_LONG, BadForm, Moved, NotVisible
from shouxin.rules import privacy
from shouxin.rules.policy import PersonalData
from shouxin.rules.privacy import ASSESSMENT, HEADS, KEEPERS, READERS, AssessmentTerms, Finding, InForce

from . import sharings

FAULTS: dict[str, Any] = {
    "empty": _("Say it in words."),
    "none": _("Choose at least one."),
    "sharing_named": _("It covers entries of the sharing register: name that occasion too."),
    "measures_lacking": _("Where the measures do not fit the risk it may not simply go on."),
    "to_come": _("This day has not come yet."),
    "before_assessed": _("It is looked at again after it was assessed."),
}
CHOICES = {"risk": ImpactAssessment.RISKS, "conclusion": ImpactAssessment.CONCLUSIONS}
TEXT_MAX, NOTE_MAX = 4000, 500
OVER = ("returned", "replaced", "closed")


def write(
    terms: AssessmentTerms, *, by: Person, on: date, at: datetime, before: ImpactAssessment | None = None
) -> ImpactAssessment:
    """A new assessment, or with `before` the next version of one; it waits for a second person.

    Raises NotYourDuty, BadForm, and Moved where `before` is not the latest version.
    """
    posts.require(by, *KEEPERS, on=on, about=before or "impact-assessment:", verb="write_assessment", at=at)
    guard = policies.in_force(on).policy.personal_data
    wording = _checked(terms, guard, on)
    with transaction.atomic():
        place = _after(before, by=by, on=on, at=at) if before else {}
        made = ImpactAssessment.objects.create(written_by=by, written_at=at, **place, **asdict(wording))
        told = {"title": made.title, "number": made.number, "occasions": list(made.occasions), "covers": made.covers,
                "risk": made.risk, "conclusion": made.conclusion, "next_review_on": made.next_review_on}  # fmt: skip
        trail.record("write_assessment", about=made, by=by, at=at, **told)
    return made


def _after(before: ImpactAssessment, *, by: Person, on: date, at: datetime) -> dict[str, Any]:
    """Series and number of the next version; one that was never in force gives way at once."""
    latest = ImpactAssessment.objects.select_for_update().get(pk=before.pk)  # two who write at once: one waits here
    if ImpactAssessment.objects.filter(series=before.series, number__gt=before.number).exists():
        raise Moved(_("There is a later version already; write the next one from that."), code="later_version")
    if latest.status in ("written", "returned"):
        moves.move(latest, ASSESSMENT, "replace_assessment", by=by, on=on, at=at, ended_on=on)
    return {"series": before.series, "number": before.number + 1}


@transaction.atomic
def review(row: ImpactAssessment, *, note: str = "", by: Person, on: date, at: datetime) -> ImpactAssessment:
    """A second person finds it right: it is in force, and the version before it is not any more.

    Raises NotYourDuty for whoever wrote it, Moved.
    """
    _require_other(row, "review_assessment", by=by, on=on, at=at)
    earlier = ImpactAssessment.objects.select_for_update().filter(series=row.series, status="in_force").first()
    if earlier is not None:
        moves.move(earlier, ASSESSMENT, "replace_assessment", by=by, on=on, at=at, ended_on=on)
    changes = {"reviewed_by": by, "reviewed_on": on, "review_note": note.strip()}
    return moves.move(row, ASSESSMENT, "review_assessment", by=by, on=on, at=at, **changes)


def send_back(row: ImpactAssessment, *, note: str, by: Person, on: date, at: datetime) -> ImpactAssessment:
    """A second person finds it wanting, and says what; the next version is written from it. As `review` besides."""
    _require_other(row, "send_back_assessment", by=by, on=on, at=at)
    if errors := _reason(note):
        raise BadForm(errors)
    changes = {"reviewed_by": by, "reviewed_on": on, "review_note": note.strip(), "ended_on": on}
    return moves.move(row, ASSESSMENT, "send_back_assessment", by=by, on=on, at=at, **changes)


def close(row: ImpactAssessment, *, note: str, by: Person, on: date, at: datetime) -> ImpactAssessment:
    """The processing is over; the assessment covers nothing any more. Raises NotYourDuty, Moved, BadForm."""
    posts.require(by, *KEEPERS, on=on, about=row, verb="close_assessment", at=at)
    if errors := _reason(note):
        raise BadForm(errors)
    return moves.move(row, ASSESSMENT, "close_assessment", by=by, on=on, at=at, ended_on=on, ended_why=note.strip())


@transaction.atomic
def dispose(row: ImpactAssessment, *, note: str = "", by: Person, on: date, at: datetime) -> ImpactAssessment:
    """Delete what the law keeps no longer; that there was one stays in the trail. Raises Moved before its time."""
    posts.require(by, *HEADS, on=on, about=row, verb="dispose_assessment", at=at)
    until = kept_until(row, policies.in_force(on).policy.personal_data)
    if until is not None and until > on:
        raise Moved(
            _("An assessment is kept until %(until)s (PIPL art. 56)."), code="kept_by_law", until=until.isoformat()
        )
    told = {"title": row.title, "number": row.number, "why": note.strip()}
    moves.move(row, ASSESSMENT, "dispose_assessment", by=by, on=on, at=at, particulars=told)
    ImpactAssessment.objects.filter(pk=row.pk).delete()
    return row


VERBS = {"review": review, "send_back": send_back, "close": close, "dispose": dispose}
"""What is done with a version, by its word in the API and on the command line."""


def act(row: ImpactAssessment, verb: str, *, note: str, by: Person, on: date, at: datetime) -> ImpactAssessment:
    """One step by its word. Raises NotVisible for a word that is none, BadForm for a note that is too long."""
    if verb not in VERBS:
        raise NotVisible
    if len(note.strip()) > NOTE_MAX:
        raise BadForm([("reason", TOO_LONG % {"most": NOTE_MAX})])
    return VERBS[verb](row, note=note, by=by, on=on, at=at)  # type: ignore[operator]


def _require_other(row: ImpactAssessment, verb: str, *, by: Person, on: date, at: datetime) -> None:
    posts.require(by, *HEADS, on=on, about=row, verb=verb, at=at)
    if by.pk == row.written_by_id:
        raise posts.not_your_duty(by, about=row, verb=verb, at=at, code="second_person",
                                  cure=_("Another person reviews what you have written."))  # fmt: skip


def _checked(terms: AssessmentTerms, guard: PersonalData, on: date) -> AssessmentTerms:
    found = [(name, FAULTS[code]) for name, code in privacy.faults_of_assessment(terms, today=on)]
    found += [(name, _("There is no such choice.")) for name, allowed in CHOICES.items()
              if getattr(terms, name) not in dict(allowed)]  # fmt: skip
    if not set(terms.occasions) <= set(dict(ImpactAssessment.OCCASIONS)):
        found.append(("occasions", _("There is no such choice.")))
    lengths = dict.fromkeys(privacy.TEXTS_OF_ASSESSMENT, TEXT_MAX) | {"title": 200}
    found += [(name, TOO_LONG % {"most": most}) for name, most in lengths.items()
              if len(getattr(terms, name)) > most]  # fmt: skip
    covers = tuple(sorted(set(terms.covers)))
    if DataSharing.objects.filter(pk__in=[pk for pk in covers if 0 < pk < 2**63]).count() != len(covers):
        found.append(("covers", _("There is no such entry in the sharing register.")))
    if found:
        raise BadForm(found)
    texts = {name: getattr(terms, name).strip() for name in privacy.TEXTS_OF_ASSESSMENT}
    again = terms.next_review_on or privacy.next_review(terms.assessed_on, guard)
    occasions = tuple(name for name, _label in ImpactAssessment.OCCASIONS if name in terms.occasions)
    return replace(terms, **texts, covers=covers, occasions=occasions, next_review_on=again)  # type: ignore[arg-type]


def _reason(note: str) -> list[tuple[str, Any]]:
    return [] if note.strip() else [("reason", _("Say why."))]


# --- reading ---------------------------------------------------------------------------------------


def seen_by(by: Person, *, on: date, at: datetime) -> models.QuerySet[ImpactAssessment]:
    """Every version, for those who keep them and the auditor. Raises NotYourDuty."""
    if not posts.is_system(by):
        posts.require(by, *READERS, on=on, about="impact-assessment:", verb="list_assessments", at=at)
    return ImpactAssessment.objects.select_related("written_by", "reviewed_by")


def get(pk: int, *, by: Person, on: date, at: datetime) -> ImpactAssessment:
    """One version. Raises NotYourDuty, NotVisible."""
    found = seen_by(by, on=on, at=at).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def kept_until(row: ImpactAssessment, guard: PersonalData) -> date | None:
    """The day until which it must be kept; None while it is not over."""
    return privacy.kept_until(row.ended_on, guard) if row.status in OVER and row.ended_on else None


def verbs_for(row: ImpactAssessment, by: Person, on: date, guard: PersonalData) -> list[str]:
    """What this person may do with it now, in the words of VERBS."""
    allowed = moves.verbs_for(row, ASSESSMENT, by, on)
    until = kept_until(row, guard)
    mine = [verb for verb in VERBS if f"{verb}_assessment" in allowed]
    if by.pk == row.written_by_id:
        mine = [verb for verb in mine if verb not in ("review", "send_back")]
    return [verb for verb in mine if verb != "dispose" or (until is not None and until <= on)]


def may_write(row: ImpactAssessment, by: Person, on: date) -> bool:
    """Whether she may write the next version from this one now."""
    later = ImpactAssessment.objects.filter(series=row.series, number__gt=row.number).exists()
    return not later and bool(posts.posts_of(by, on=on) & set(KEEPERS))


def is_keeper(by: Person, on: date) -> bool:
    """Whether she keeps the register and the assessments."""
    return bool(posts.posts_of(by, on=on) & set(KEEPERS))


def grades_persons() -> bool:
    """Whether a program has graded a natural person (art. 24)."""
    return bool(apps.get_model("credit", "GradeReview")._default_manager.exists())


def findings(on: date) -> list[Finding]:
    """What art. 55 and 56 leave to be done on the day."""
    found = ImpactAssessment.objects.filter(status="in_force")
    in_force = [
        InForce(each.pk, frozenset(each.occasions), frozenset(each.covers), each.conclusion, each.next_review_on)
        for each in found.only("occasions", "covers", "conclusion", "next_review_on")
    ]
    days = policies.in_force(on).policy.personal_data.assessment_notice_days
    entries = dict(sharings.begun(on).values_list("pk", "until"))
    past = {pk: until for pk, until in entries.items() if until is not None and until < on}
    ending = {pk: until for pk, until in entries.items() if until is not None and until >= on}
    return privacy.findings(
        entries.keys() - past.keys(), in_force, past=past, ending=ending, grades_persons=grades_persons(), today=on,
        notice_days=days,
    )  # fmt: skip


WORDS: dict[str, tuple[Any, Any]] = {
    "must_stop": (
        _("%(name)s still gets personal data, though the assessment says it must not go on."),
        _("End the entry, or write a new version of the assessment."),
    ),
    "sharing_unassessed": (
        _("%(name)s gets personal data and no assessment in force covers it."),
        _("Write an assessment that covers the entry, and have another person review it (PIPL art. 55)."),
    ),
    "grading_unassessed": (
        _("Natural persons are graded by a program and no assessment of automated decisions is in force."),
        _("Write an assessment with that occasion, and have another person review it (PIPL art. 55)."),
    ),
    "sharing_past": (
        _("The last day on which %(name)s was to get personal data was %(day)s, and nobody has ended the entry."),
        _("Make sure that nothing is given any more and end the entry, or correct its last day."),
    ),
    "sharing_ends": (
        _("%(name)s is to get personal data until %(day)s and no longer."),
        _("See that nothing is given after it and end the entry, or agree on a later day and correct it."),
    ),
    "review_overdue": (
        _("The assessment “%(name)s” should have been looked at again by %(day)s."),
        _("Look at it again and write the next version."),
    ),
    "review_due": (
        _("The assessment “%(name)s” is to be looked at again by %(day)s."),
        _("Look at it again and write the next version."),
    ),
}
"""Code of a finding -> what is the matter, what to do."""

OF_SHARING = frozenset({"must_stop", "sharing_unassessed", "sharing_past", "sharing_ends"})
"""Findings about an entry of the register."""


def told(found: list[Finding]) -> list[dict[str, Any]]:
    """Findings in words: code, text, what to do (`cure`), `grave`, and the id of the entry or assessment."""
    names = _names(found)
    return [
        {
            "code": each.code,
            "about": each.about,
            "day": each.day,
            "text": str(WORDS[each.code][0]) % {"name": names.get((each.code[:6], each.about), ""), "day": each.day},
            "cure": str(WORDS[each.code][1]),
            "grave": each.code not in ("review_due", "sharing_ends"),
        }
        for each in found
    ]


def _names(found: list[Finding]) -> dict[tuple[str, int], str]:
    """What each finding is about, by the beginning of its code and its number."""
    entries = {each.about for each in found if each.code in OF_SHARING}
    papers = {each.about for each in found if each.code.startswith("review")}
    recipients = dict(DataSharing.objects.filter(pk__in=entries).values_list("pk", "recipient")) if entries else {}
    titles = dict(ImpactAssessment.objects.filter(pk__in=papers).values_list("pk", "title")) if papers else {}
    return {
        (each.code[:6], each.about): (titles if each.code.startswith("review") else recipients).get(each.about, "")
        for each in found
    }
