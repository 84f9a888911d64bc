"""The sharing register and the impact assessments over the API."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import Field

from shouxin.lib import documents
from shouxin.lib.api import Answer, Body, IsoDay, Page, Paging, page
from shouxin.office import policies
from shouxin.office.attachments_api import AttachmentOut, shown
from shouxin.office.door import acting, seen_version
from shouxin.office.models import DataSharing, ImpactAssessment
from shouxin.rules.policy import PersonalData
from shouxin.rules.privacy import AssessmentTerms, SharingTerms

from . import assessments, papers, sharings

router = Router(tags=["personal data"])
Line = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=500)]
Long = Annotated[str, Field(max_length=assessments.TEXT_MAX)]
Word = Annotated[str, Field(max_length=60)]
Words = Annotated[list[Word], Field(max_length=100)]


class NewSharing(Body):
    """An entry of the register. `fields`: paths of `GET /personal-data`. `role`: `entrusted` (PIPL art. 21) or
    `provided` (art. 23). `basis`: `consent`, `13-2`, `13-3` or `13-6`."""

    recipient: Line
    kind: Word
    contact: Line
    purpose: Text
    role: Literal["entrusted", "provided"]
    persons: Words
    fields: Words  # type: ignore[assignment]
    manner: Word
    basis: Word
    consent: Text = ""
    agreement: Line = ""
    since: IsoDay
    until: IsoDay | None = None


class SharingCorrection(NewSharing):
    """The whole new wording, and why."""

    reason: Text


class SharingReason(Body):
    """Why nothing more is given."""

    reason: Text


class SharingOut(Answer):
    """An entry with what the caller may do now. `state`: running, to_come, past, ended."""

    id: int
    version: int
    state: str
    recipient: str
    kind: str
    contact: str
    purpose: str
    role: str
    persons: list[str]
    fields: list[str]  # type: ignore[assignment]
    manner: str
    basis: str
    consent: str
    agreement: str
    since: date
    until: date | None
    entered_by: str
    entered_at: datetime
    ended_by: str | None
    ended_on: date | None
    ended_why: str
    verbs: list[str]


class NewAssessment(Body):
    """An assessment (PIPL art. 56). `covers`: ids of `/data-sharings`. `fits`: the measures match the risk.

    `occasions`: `sensitive`, `automated`, `sharing`, `abroad`, `major`. `next_review_on` null: as the policy says.
    """

    title: Line
    occasions: Words
    covers: Annotated[list[int], Field(max_length=200)] = []
    processing: Long
    necessity: Long
    impact: Long
    risk: Literal["low", "medium", "high"]
    measures: Long
    fits: bool
    conclusion: Literal["go", "go_with", "stop"]
    opinion: Long
    assessed_on: IsoDay
    next_review_on: IsoDay | None = None


class AssessmentNote(Body):
    """What is said with the step; needed to send back and to close."""

    reason: Text = ""


class AssessmentOut(NewAssessment, Answer):
    """A version with what the caller may do now. `status`: written, returned, in_force, replaced, closed."""

    id: int
    number: int
    status: str
    next_review_on: date
    written_by: str
    written_at: datetime
    reviewed_by: str | None
    reviewed_on: date | None
    review_note: str
    ended_on: date | None
    ended_why: str
    kept_until: date | None
    verbs: list[str]


class PrivacyFinding(Answer):
    """Something to be done. `about`: the entry or the assessment, 0 for the grading of natural persons."""

    code: str
    about: int
    day: date | None
    text: str
    cure: str


# --- the sharing register --------------------------------------------------------------------------


@router.get("/data-sharings", response=Page[SharingOut])
def list_sharings(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """To whom outside the company personal data are given, the latest first."""
    call = acting(request)
    found = page(sharings.seen_by(**call), paging)
    return found | {"items": [shared(each, call) for each in found["items"]]}


@router.post("/data-sharings", response={201: SharingOut})
def enter_sharing(request: HttpRequest, new: NewSharing) -> Any:
    """A new entry of the register; everything the law asks of it and it lacks is named."""
    call = acting(request)
    return Status(201, shared(sharings.enter(sharing_terms(new), **call), call))


@router.get("/data-sharings/{int:pk}", response=SharingOut)
def get_sharing(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One entry."""
    call = acting(request)
    return shared(sharings.get(pk, **call), call)


@router.post("/data-sharings/{int:pk}/correct", response=SharingOut)
def correct_sharing(request: HttpRequest, pk: int, wording: SharingCorrection) -> dict[str, Any]:
    """A new wording; the old one stays. `If-Match`: the version she saw."""
    call = acting(request)
    found = sharings.get(pk, **call)
    seen = seen_version(request) or found.version
    done = sharings.correct(found, sharing_terms(wording), why=wording.reason, version=seen, **call)
    return shared(done, call)


@router.post("/data-sharings/{int:pk}/end", response=SharingOut)
def end_sharing(request: HttpRequest, pk: int, why: SharingReason) -> dict[str, Any]:
    """Nothing more is given from today. `If-Match`: the version she saw."""
    call = acting(request)
    found = sharings.get(pk, **call)
    seen = seen_version(request) or found.version
    return shared(sharings.end(found, why=why.reason, version=seen, **call), call)


@router.post("/data-sharings/{int:pk}/attachments", response={201: AttachmentOut})
def keep_sharing_paper(
    request: HttpRequest, pk: int, file: File[UploadedFile], note: Annotated[str, Form(max_length=200)] = ""
) -> Any:
    """Keep the agreement, or another paper, with the entry."""
    call = acting(request)
    row = sharings.keep_file(sharings.get(pk, **call), file, note=note, **call)
    return Status(201, shown([row], request)[0])


def sharing_terms(new: NewSharing) -> SharingTerms:
    """What was sent, as the rule reads it."""
    given = new.model_dump(exclude={"reason"})
    return SharingTerms(**given | {name: tuple(given[name]) for name in ("persons", "fields")})


def shared(row: DataSharing, call: dict[str, Any]) -> dict[str, Any]:
    """An entry as API and command line tell it."""
    names = [name for name in SharingOut.model_fields if hasattr(row, name)]
    return {name: getattr(row, name) for name in names} | {
        "persons": list(row.persons),
        "fields": list(row.fields),
        "state": sharings.state_of(row, call["on"]),
        "entered_by": row.entered_by.username,
        "ended_by": row.ended_by.username if row.ended_by else None,
        "verbs": [verb.removesuffix("_sharing") for verb in sharings.verbs_for(row, call["by"], call["on"])],
    }


# --- impact assessments ----------------------------------------------------------------------------


@router.get("/impact-assessments", response=Page[AssessmentOut])
def list_assessments(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Every version of every assessment, the latest first."""
    call = acting(request)
    found = page(assessments.seen_by(**call), paging)
    return found | {"items": all_assessed(found["items"], call)}


@router.get("/impact-assessments/findings", response=list[PrivacyFinding])
def list_privacy_findings(request: HttpRequest) -> list[dict[str, Any]]:
    """What is shared or graded without an assessment in force, and what is to be looked at again."""
    call = acting(request)
    assessments.seen_by(**call)
    return assessments.told(assessments.findings(call["on"]))


@router.post("/impact-assessments", response={201: AssessmentOut})
def write_assessment(request: HttpRequest, new: NewAssessment) -> Any:
    """A new assessment; it is in force when another person has reviewed it."""
    call = acting(request)
    return Status(201, assessed(assessments.write(assessment_terms(new), **call), call))


@router.get("/impact-assessments/{int:pk}", response=AssessmentOut)
def get_assessment(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One version."""
    call = acting(request)
    return assessed(assessments.get(pk, **call), call)


@router.get("/impact-assessments/{int:pk}/paper.{ending}")
def get_assessment_paper(request: HttpRequest, pk: int, ending: Literal["pdf", "docx"]) -> HttpResponse:
    """The version as a paper to print and to keep."""
    call = acting(request)
    content, kind = paper_of(assessments.get(pk, **call), call, ending)
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="impact-assessment-{pk}.{ending}"'
    return answer


def paper_of(row: ImpactAssessment, call: dict[str, Any], ending: str) -> tuple[bytes, str]:
    """The paper of a version as bytes, and their type."""
    make, kind = documents.FACES[ending]
    return make(papers.assessment(row, policies.in_force(call["on"]))), kind


@router.post("/impact-assessments/{int:pk}/versions", response={201: AssessmentOut})
def write_next_assessment(request: HttpRequest, pk: int, new: NewAssessment) -> Any:
    """The next version; the one in force stays so until another person has reviewed the new one."""
    call = acting(request)
    before = assessments.get(pk, **call)
    return Status(201, assessed(assessments.write(assessment_terms(new), before=before, **call), call))


@router.post("/impact-assessments/{int:pk}/{verb}", response=AssessmentOut)
def move_assessment(request: HttpRequest, pk: int, verb: str, said: AssessmentNote) -> dict[str, Any]:
    """`review` or `send_back` by another person than who wrote it, `close`, `dispose` after its time."""
    call = acting(request)
    return assessed(assessments.act(assessments.get(pk, **call), verb, note=said.reason, **call), call)


def assessment_terms(new: NewAssessment) -> AssessmentTerms:
    """What was sent, as the rule reads it."""
    given = new.model_dump()
    return AssessmentTerms(**given | {name: tuple(given[name]) for name in ("occasions", "covers")})


def assessed(row: ImpactAssessment, call: dict[str, Any]) -> dict[str, Any]:
    """A version as API and command line tell it."""
    return all_assessed([row], call)[0]


def all_assessed(rows: Iterable[ImpactAssessment], call: dict[str, Any]) -> list[dict[str, Any]]:
    """Versions as API and command line tell them."""
    found = list(rows)
    guard = policies.in_force(call["on"]).policy.personal_data if found else None
    return [_assessed(row, call, guard) for row in found if guard]


def _assessed(row: ImpactAssessment, call: dict[str, Any], guard: PersonalData) -> dict[str, Any]:
    names = [name for name in AssessmentOut.model_fields if hasattr(row, name)]
    return {name: getattr(row, name) for name in names} | {
        "occasions": list(row.occasions),
        "covers": list(row.covers),
        "written_by": row.written_by.username,
        "reviewed_by": row.reviewed_by.username if row.reviewed_by else None,
        "kept_until": assessments.kept_until(row, guard),
        "verbs": assessments.verbs_for(row, call["by"], call["on"], guard),
    }
