"""The sharing register: to whom outside the company personal data are given (PIPL art. 21, 23).

An entry is corrected by a new wording and closed by a step; what it once said stays.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shouxin.office import attachments, moves, personal, posts, trail
from shouxin.office.models import Attachment, DataSharing, DataSharingVersion, Person
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules import privacy
from shouxin.rules.privacy import KEEPERS, READERS, SHARING, SharingTerms

CHOICES = {"kind": DataSharing.KINDS, "role": DataSharing.ROLES, "manner": DataSharing.MANNERS,
           "basis": DataSharing.BASES}  # fmt: skip
FAULTS: dict[str, Any] = {
    "empty": _("Say it in words."),
    "none": _("Choose at least one."),
    "consent_needed": _(
        "Who decides herself what the data are for gets them with the person's separate consent (PIPL art. 23), under "
        "a statutory duty, or where they are lawfully public."
    ),
    "consent_how": _("Say how the separate consent is obtained and where it is kept."),
    "agreement_needed": _("Name the agreement by which the recipient processes for us (PIPL art. 21)."),
    "before_since": _("It ends before it begins."),
}


def enter(terms: SharingTerms, *, by: Person, on: date, at: datetime) -> DataSharing:
    """A new entry. Raises NotYourDuty, and BadForm for everything the law asks of it and it lacks."""
    posts.require(by, *KEEPERS, on=on, about="data-sharing:", verb="enter_sharing", at=at)
    wording = _checked(terms)
    with transaction.atomic():
        made = DataSharing.objects.create(entered_by=by, entered_at=at, **asdict(wording))
        _word(made, "", by, at)
        trail.record("enter_sharing", about=made, by=by, at=at, **_columns(wording))
    return made


@transaction.atomic
def correct(
    sharing: DataSharing, terms: SharingTerms, *, why: str, version: int, by: Person, on: date, at: datetime
) -> DataSharing:
    """A new wording in the place of the one she saw (`version`); the old one stays.

    Raises NotYourDuty, Moved, BadForm for what it lacks, also a reason.
    """
    posts.require(by, *KEEPERS, on=on, about=sharing, verb="correct_sharing", at=at)
    wording = _checked(terms, *_reason(why))
    now = _columns(terms_of(sharing))
    changed = {name: value for name, value in _columns(wording).items() if value != now[name]}
    if not changed:
        raise BadForm([("recipient", _("Nothing is different from what stands there."))])
    told = {"why": why.strip()}
    moves.move(sharing, SHARING, "correct_sharing", by=by, on=on, at=at, version=version, particulars=told, **changed)
    _word(sharing, why.strip(), by, at)
    return sharing


def end(sharing: DataSharing, *, why: str, version: int, by: Person, on: date, at: datetime) -> DataSharing:
    """Nothing more is given from today. Raises NotYourDuty, Moved, BadForm without a reason."""
    posts.require(by, *KEEPERS, on=on, about=sharing, verb="end_sharing", at=at)
    if errors := _reason(why):
        raise BadForm(errors)
    changes = {"ended_by": by, "ended_on": on, "ended_why": why.strip()}
    return moves.move(sharing, SHARING, "end_sharing", by=by, on=on, at=at, version=version, **changes)


def keep_file(
    sharing: DataSharing, upload: UploadedFile, *, note: str, by: Person, on: date, at: datetime
) -> Attachment:
    """The agreement, or another paper, as evidence with the entry."""
    posts.require(by, *KEEPERS, on=on, about=sharing, verb="attach", at=at)
    return attachments.attach(upload, about=sharing, customer=None, by=by, at=at, note=note.strip())


def _checked(terms: SharingTerms, *errors: tuple[str, Any]) -> SharingTerms:
    known = {field.path for field in personal.FIELDS}
    found = list(errors)
    found += [(name, _fault(code)) for name, code in privacy.faults_of_sharing(terms, known=known)]
    found += [(name, _("There is no such choice.")) for name, allowed in CHOICES.items()
              if getattr(terms, name) not in dict(allowed)]  # fmt: skip
    if not set(terms.persons) <= set(dict(DataSharing.PERSONS)):
        found.append(("persons", _("There is no such choice.")))
    found += [(name, _("At most %(most)s characters.") % {"most": most}) for name, most in LENGTHS.items()
              if len(getattr(terms, name)) > most]  # fmt: skip
    if found:
        raise BadForm(found)
    texts = {name: " ".join(getattr(terms, name).split()) for name in LENGTHS}
    order = [field.path for field in personal.FIELDS]
    fields = tuple(sorted(set(terms.fields), key=order.index))
    return SharingTerms(**{**asdict(terms), **texts, "persons": tuple(dict.fromkeys(terms.persons)), "fields": fields})


LENGTHS = {
    name: getattr(DataSharing._meta.get_field(name), "max_length")  # noqa: B009
    for name in ("recipient", "contact", "purpose", "consent", "agreement")
}


def _fault(code: str) -> Any:
    name, _colon, path = code.partition(":")
    return _("%(path)s is no field of the catalogue.") % {"path": path} if name == "unknown" else FAULTS[code]


def _reason(why: str) -> list[tuple[str, Any]]:
    return [] if 0 < len(why.strip()) <= 500 else [("reason", _("Give a reason of at most 500 characters."))]


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _column(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _columns(wording: SharingTerms) -> dict[str, Any]:
    return {name: _column(value) for name, value in asdict(wording).items()}


def _word(sharing: DataSharing, why: str, by: Person, at: datetime) -> None:
    number = sharing.versions.count() + 1
    wording = trail.as_text(_columns(terms_of(sharing)))
    DataSharingVersion.objects.create(sharing=sharing, number=number, wording=wording, why=why, by=by, at=at)


# --- reading ---------------------------------------------------------------------------------------


def terms_of(sharing: DataSharing) -> SharingTerms:
    """The entry as the rule reads it."""
    return SharingTerms(**{name: _plain(getattr(sharing, name)) for name in SharingTerms.__dataclass_fields__})


def seen_by(by: Person, *, on: date, at: datetime) -> models.QuerySet[DataSharing]:
    """The whole register, for those who keep it and the auditor. Raises NotYourDuty."""
    if not posts.is_system(by):
        posts.require(by, *READERS, on=on, about="data-sharing:", verb="list_sharings", at=at)
    return DataSharing.objects.select_related("entered_by", "ended_by")


def get(pk: int, *, by: Person, on: date, at: datetime) -> DataSharing:
    """One entry. Raises NotYourDuty, NotVisible."""
    found = seen_by(by, on=on, at=at).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def begun(on: date) -> models.QuerySet[DataSharing]:
    """Entries that have begun and that nobody has ended; the last day of some may be over."""
    return DataSharing.objects.filter(status="running", since__lte=on).order_by("pk")


def running(on: date) -> models.QuerySet[DataSharing]:
    """Entries that run on the day: begun, neither ended nor past their last day."""
    return begun(on).filter(models.Q(until=None) | models.Q(until__gte=on))


def given_since(moment: datetime, category: str = "customer") -> list[dict[str, Any]]:
    """To whom data of such persons were given at any time since the moment: for the copy a person gets of hers."""
    day = timezone.localdate(moment)
    rows = DataSharing.objects.filter(persons__contains=[category]).order_by("pk")
    rows = rows.filter(models.Q(until=None) | models.Q(until__gte=day))
    rows = rows.filter(models.Q(ended_on=None) | models.Q(ended_on__gte=day))
    return [told(each) for each in rows]


TOLD = ("recipient", "contact", "purpose", "agreement", "since", "until", "ended_on")
"""What a person is told of a recipient (art. 17, 23), beside kind, role, manner, ground and fields in words."""


def told(sharing: DataSharing) -> dict[str, Any]:
    """An entry in words of the reader's language."""
    words = {name: str(dict(choices)[getattr(sharing, name)]) for name, choices in CHOICES.items()}
    return {name: getattr(sharing, name) for name in TOLD} | words | {"fields": fields_said(sharing.fields)}


def fields_said(paths: Iterable[str]) -> list[str]:
    """Fields of the catalogue in words, each once; one that the catalogue has dropped by its path."""
    words = {field.path: str(field.what) for field in personal.FIELDS}
    return list(dict.fromkeys(words.get(path, path) for path in paths))


def persons_said(names: Iterable[str]) -> list[str]:
    """Categories of persons in words."""
    return [str(dict(DataSharing.PERSONS).get(name, name)) for name in names]


def state_of(sharing: DataSharing, on: date) -> str:
    """ended, to_come, past (its last day is over and nobody has ended it) or running."""
    if sharing.status == "ended":
        return "ended"
    if sharing.since > on:
        return "to_come"
    return "past" if sharing.until is not None and sharing.until < on else "running"


def verbs_for(sharing: DataSharing, by: Person, on: date) -> list[str]:
    """What this person may do with it now."""
    return list(moves.verbs_for(sharing, SHARING, by, on))
