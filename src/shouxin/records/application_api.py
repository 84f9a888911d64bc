"""Applications over the API (B2.3): asked for, moved by verbs, told with clock, what is missing and what one may do."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from shouxin.credit import (
    application_papers,
    applications,
    decisions,
    lines,
    opinions,
    particulars,
    references,
)
from shouxin.credit.applications import Wanted
from shouxin.credit.models import Application, Line
from shouxin.customers import registry
from shouxin.customers.models import Mail
from shouxin.lib import documents
from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, Reference, page
from shouxin.office import policies, sight
from shouxin.office.door import acting, seen_version
from shouxin.office.pages import moment
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, CannotDecide, NotVisible
from shouxin.rules.policy import Post

from . import application_verbs
from .application_verbs import Said

router = Router(tags=["applications"])

Kind = Literal["new", "raise", "lower", "temporary", "renewal"]
StatusName = Literal["draft", "submitted", "accepted", "investigated", "assessed", "returned", "approved", "declined",
                     "withdrawn"]  # fmt: skip
Reason = Annotated[str, Field(max_length=1000)]
Boxes = dict[Annotated[str, Field(max_length=40)], str | bool | None]


class ApplicationBody(Body):
    """An application's contents; `details` are the form's other boxes (domain 4.1), by name."""

    request_type: Kind | None = None
    requested_limit: Amount | None = None
    requested_term_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    requested_until: IsoDay | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    reason: Reason = ""
    details: Boxes = {}


class NewApplication(ApplicationBody):
    """A new application; `customer` is the customer's id or code."""

    customer: Reference
    request_type: Kind
    requested_limit: Amount
    requested_term_days: Annotated[int, Field(ge=0, le=3660)]


class Spoken(Body):
    """What is said with a verb. Each verb reads its own fields and refuses the others.

    `to`: sign-in name of whom a turn is handed to or who is asked as well. `said`: what the customer reads.
    """

    reason: Reason = ""
    verdict: Literal["agree", "conditional", "disagree"] = "agree"
    to: Annotated[str, Field(max_length=150)] = ""
    findings: Boxes = {}
    limit: Amount | None = None
    term_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    effective_from: IsoDay | None = None
    effective_to: IsoDay | None = None
    discount_percent: Amount | None = None
    discount_days: Annotated[int, Field(ge=0, le=366)] | None = None
    conditions: Reason = ""
    category: Annotated[str, Field(max_length=16)] = "other"
    said: Reason = ""
    tell_customer: bool = False


class ClockOut(BaseModel):
    """The service level: `left` working days until `due_on`, below 0 so many late."""

    started_on: IsoDay
    due_on: IsoDay
    left: int
    late: bool


class SuggestedOut(BaseModel):
    """What the rating suggested when it was frozen; amounts in `currency`."""

    limit: Amount | None
    limit_kind: str
    currency: str
    term_days: int | None
    grade: str


class OpinionOut(BaseModel):
    """One post's opinion; `post` null: asked as well."""

    post: Post | None
    by: str
    on_behalf_of: str | None
    verdict: str
    text: str
    at: datetime


class ReferenceOut(BaseModel):
    """A referee; `answer` for those who may read it."""

    id: int
    customer: int
    kind: str
    name: str
    status: str
    answer: dict[str, str] | None


class MailOut(BaseModel):
    """A letter and what became of it."""

    id: int
    kind: str
    subject: str
    status: str
    sent_at: datetime | None
    fault: str


class ApplicationBrief(BaseModel):
    """An application as lists tell it. `version` goes into If-Match."""

    id: int
    number: str
    customer: int
    customer_code: str
    customer_name: str
    request_type: str
    source: str
    status: str
    version: int
    clock: ClockOut | None
    requested_limit: Amount
    currency: str
    requested_term_days: int
    requested_until: IsoDay | None
    reason: str
    score: Amount | None
    grade: str | None
    suggested: SuggestedOut | None
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    conditions: str
    category: str | None
    line_request: int | None
    line: int | None
    granted_limit: Amount | None
    policy_version: int


class ApplicationOut(ApplicationBrief):
    """An application. `verbs`: what the caller may do now. `missing`: items of the checklist that are not there.

    `needs`: the posts whose signature suffices; `waiting_for`: the posts still to speak, in order.
    """

    verbs: list[str]
    missing: list[str]
    details: dict[str, str]
    investigation: dict[str, str]
    grade_confirmed_by: str | None
    needs: list[Post]
    waiting_for: list[Post]
    opinions: list[OpinionOut]
    references: list[ReferenceOut]
    letters: list[MailOut]


class ApplicationsAsked(Paging):
    """Which applications: by status, customer (id), kind."""

    status: StatusName | None = None
    customer: int | None = None
    request_type: Kind | None = None


@router.post("/applications", response={201: ApplicationOut})
def createapplication_of(request: HttpRequest, response: HttpResponse, new: NewApplication) -> Any:
    """Put an application down as a draft; it is handed in by `submit`."""
    call = moment(request)
    customer = registry.visible_customer(new.customer, by=call["by"], on=call["today"])
    edition = policies.in_force(call["today"])
    made = applications.create(customer, wanted(new.model_dump(), customer.currency), edition=edition, **call)
    return Status(201, _told(request, response, made.pk))


@router.get("/applications", response=Page[ApplicationBrief])
def list_applications(request: HttpRequest, asked: Query[ApplicationsAsked]) -> dict[str, Any]:
    """Applications about customers the caller sees, the latest first."""
    exact = {"status": asked.status, "customer": asked.customer, "request_type": asked.request_type}
    rows = _applications(request).filter(**{name: value for name, value in exact.items() if value is not None})
    found = page(rows, asked)
    call = moment(request)
    edition = policies.in_force(call["today"])
    return found | {"items": [_brief(each, edition=edition, today=call["today"]) for each in found["items"]]}


@router.get("/applications/{int:pk}", response=ApplicationOut)
def getapplication_of(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One application; its version is the ETag."""
    return _told(request, response, pk)


@router.patch("/applications/{int:pk}", response=ApplicationOut)
def change_application(
    request: HttpRequest, response: HttpResponse, pk: int, changed: ApplicationBody
) -> dict[str, Any]:
    """Other contents of a draft or returned application; what is left out stays."""
    call, found = moment(request), application_of(request, pk)
    given = changed.model_dump(exclude_unset=True)
    details = particulars.filled(found.details) | given.pop("details", {})
    kept = {name: getattr(found, name) for name in applications.COLUMNS}
    merged = wanted(kept | given | {"details": details}, found.currency)
    applications.change(found, merged, version=_version(request, found), **call)
    return _told(request, response, pk)


@router.get("/applications/{int:pk}/forms/{name}.{ending}")
def get_form(request: HttpRequest, pk: int, name: str, ending: str) -> HttpResponse:
    """The paper form `application`, `investigation` or `approval`, as `pdf` or `docx`."""
    found = application_of(request, pk)
    return form_file(request, found, name, ending)


def form_file(request: HttpRequest, found: Application, name: str, ending: str) -> HttpResponse:
    """One of the paper forms as a file. Raises NotVisible for no such form or ending."""
    if name not in application_papers.FORMS or ending not in documents.FACES:
        raise NotVisible
    call = moment(request)
    paper = application_papers.make(
        name, found, edition=policies.in_force(call["today"]), by=call["by"], today=call["today"]
    )
    return paper_file(paper, ending, f"{found.number}-{name}")


@router.get("/applications/{int:pk}/letter.{ending}")
def get_letter(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The latest letter to the customer about it, as `pdf` or `docx`; 404 before there is one."""
    found = application_of(request, pk)
    return letter_file(next(iter(decisions.letters(found)), None), ending)


def letter_file(letter: Mail | None, ending: str) -> HttpResponse:
    """A letter as a file, as it was written. Raises NotVisible where there is none."""
    if letter is None or not letter.paper or ending not in documents.FACES:
        raise NotVisible
    return paper_file(letter.paper, ending, letter.paper_name)


def paper_file(paper: documents.Paper, ending: str, name: str) -> HttpResponse:
    """A paper as a file to be kept."""
    make, kind = documents.FACES[ending]
    answer = HttpResponse(make(paper), content_type=kind)
    answer.headers["Content-Disposition"] = _disposition(f"{name}.{ending}")
    return answer


def _disposition(name: str) -> str:
    from django.utils.http import content_disposition_header

    return content_disposition_header(True, name) or "attachment"


# Behind the other addresses: a verb is whatever word is left.
@router.post("/applications/{int:pk}/{verb}", response=ApplicationOut)
def move_application(
    request: HttpRequest, response: HttpResponse, pk: int, verb: str, said: Spoken | None = None
) -> dict[str, Any]:
    """`submit`, `accept`, `investigate`, `assess`, `confirm_grade`, `opine`, `delegate`, `countersign`, `approve`,
    `decline`, `return`, `withdraw`. If-Match binds the step to the version seen; without it, to the present one."""
    call, found = moment(request), application_of(request, pk)
    given = said.model_dump(exclude_unset=True) if said else {}
    edition = policies.in_force(call["today"])
    application_verbs.act(
        found, verb, Said(**given), given=given, version=_version(request, found), edition=edition, **call
    )
    return _told(request, response, pk)


# --- from body to application --------------------------------------------------------------------


def wanted(given: dict[str, Any], currency: str) -> Wanted:
    """A body as the verb takes it; without a currency the customer's own. Raises BadForm for what may not be null."""
    fields = ("request_type", "requested_limit", "requested_term_days")
    if empty := [name for name in fields if given.get(name) is None]:
        raise BadForm([(name, "null") for name in empty])
    return Wanted(
        request_type=given["request_type"],
        requested_limit=given["requested_limit"],
        requested_term_days=given["requested_term_days"],
        currency=given.get("currency") or currency,
        requested_until=given.get("requested_until"),
        reason=given.get("reason", "").strip(),
        details=given.get("details", {}),
    )


def _version(request: HttpRequest, found: Application) -> int:
    seen = seen_version(request)
    return found.version if seen is None else seen


# --- what is seen, and how it is told ------------------------------------------------------------


def _applications(request: HttpRequest) -> Any:
    call = acting(request)
    rows = sight.visible(Application, call["by"], on=call["on"])
    return rows.select_related(
        "customer", "requested_by", "decided_by", "grade_confirmed_by", "rating", "line_request__line"
    ).prefetch_related("editors", "opinions__by", "opinions__on_behalf_of", "references")


def application_of(request: HttpRequest, pk: int) -> Application:
    call = acting(request)
    found: Application = sight.get_visible(_applications(request), call["by"], pk, on=call["on"])
    return found


def _told(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    found = application_of(request, pk)
    response["ETag"] = f'"{found.version}"'
    return _row(request, found)


def _row(request: HttpRequest, found: Application) -> dict[str, Any]:
    call = moment(request)
    return application_row(found, edition=policies.in_force(call["today"]), by=call["by"], today=call["today"])


def application_row(found: Application, *, edition: Edition, by: Any, today: date) -> dict[str, Any]:
    """An application as it is told outside, with what this person may do."""
    needs, waiting = _needs(found, edition, today)
    may_read = references.may_read(by, today)
    return _brief(found, edition=edition, today=today) | {
        "verbs": opinions.verbs_for(found, edition=edition, by=by, today=today),
        "missing": list(applications.missing(found, policy=edition.policy, today=today)),
        "details": _masked(found),
        "investigation": particulars.filled(found.investigation),
        "grade_confirmed_by": _name(found.grade_confirmed_by),
        "needs": needs,
        "waiting_for": waiting,
        "opinions": [_opinion(each) for each in found.opinions.all() if each.turn == found.turn],
        "references": [reference_row(each, found, may_read) for each in found.references.all()],
        "letters": [_letter(each) for each in decisions.letters(found)],
    }


def _brief(found: Application, *, edition: Edition, today: date) -> dict[str, Any]:
    """What its own row says, without another question."""
    clock = applications.clock_of(found, policy=edition.policy, today=today)
    line: Line | None = getattr(found.line_request, "line", None) if found.line_request else None
    return {
        **{name: getattr(found, name) for name in _PLAIN},
        "customer": found.customer_id,
        "customer_code": found.customer.code,
        "customer_name": found.customer.name,
        "clock": clock and {name: getattr(clock, name) for name in ("started_on", "due_on", "left", "late")},
        "grade": found.grade or None,
        "suggested": _suggested(found),
        "requested_by": found.requested_by.username,
        "decided_by": _name(found.decided_by),
        "category": found.category or None,
        "line_request": found.line_request_id,
        "line": line.pk if line else None,
        "granted_limit": _granted(line),
    }


_PLAIN = ("id", "number", "request_type", "source", "status", "version", "requested_limit", "currency",
          "requested_term_days", "requested_until", "reason", "score", "requested_at", "decided_at",
          "decision_reason", "conditions", "policy_version")  # fmt: skip


def _needs(found: Application, edition: Edition, today: date) -> tuple[list[Post], list[Post]]:
    """(posts whose signature suffices, posts still to speak) of an assessed application."""
    if found.status != "assessed":
        return [], []
    try:
        state = opinions.round_of(found, edition=edition, today=today)
    except CannotDecide:
        return [], []
    return list(state.needs.posts), list(state.waiting)


def _masked(found: Application) -> dict[str, str]:
    secret = {box.key for box in particulars.APPLICATION if box.secret}
    details = particulars.filled(found.details)
    return {key: particulars.masked(text) if key in secret else text for key, text in details.items()}


def _suggested(found: Application) -> dict[str, Any] | None:
    if found.rating is None:
        return None
    none = found.suggested_kind == "none"
    return {
        "limit": Decimal(0) if none else found.suggested_limit,
        "limit_kind": found.suggested_kind,
        "currency": found.rating.currency,
        "term_days": found.suggested_term_days,
        "grade": found.grade,
    }


def _granted(line: Line | None) -> Decimal | None:
    return None if line is None else lines.ZERO if line.limit is None else line.limit


def _opinion(each: Any) -> dict[str, Any]:
    told = {name: getattr(each, name) for name in ("verdict", "text", "at")}
    behalf = each.on_behalf_of
    return told | {"post": each.post or None, "by": each.by.username, "on_behalf_of": _name(behalf)}


def reference_row(each: Any, application: Application, may_read: bool) -> dict[str, Any]:
    """A referee of the application as the API tells it."""
    answer = particulars.filled(each.answer) if each.answer and may_read else None
    return {"id": each.pk, "customer": application.customer_id, "kind": each.kind, "name": each.name,
            "status": each.status, "answer": answer}  # fmt: skip


def _letter(each: Mail) -> dict[str, Any]:
    return {name: getattr(each, name) for name in ("id", "kind", "subject", "status", "sent_at", "fault")}


def _name(person: Any) -> str | None:
    return person.username if person else None
