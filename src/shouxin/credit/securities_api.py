"""Securities over the API (B2.1): the register, proposing, approving, giving back; what counts for a customer."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import BaseModel, Field

from shouxin.customers import registry
from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, page
from shouxin.office import attachments, policies, sight
from shouxin.office.attachments_api import AttachmentOut, shown
from shouxin.office.door import acting, seen_version
from shouxin.office.models import Person
from shouxin.office.pages import moment
from shouxin.office.refusals import NotVisible
from shouxin.rules.policy import SecurityKind

from . import securities
from .models import Security

router = Router(tags=["securities"])

StatusName = Literal["proposed", "active", "declined", "withdrawn", "released", "void", "replaced", "expired"]
Line = Annotated[str, Field(max_length=80)]


class NewSecurity(Body):
    """A security somebody proposes. `prior_claims`: what ranks before us; `until`: its last day, null: open.

    `replaces`: the id of one in force whose place it takes. Guarantees: `debt_due_on` and, where one was agreed, the
    last day of the guarantee period.
    """

    kind: SecurityKind
    value: Amount
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    provider: Annotated[str, Field(max_length=200)]
    subject: Annotated[str, Field(max_length=300)]
    document: Line
    registration_no: Line = ""
    rank: Annotated[int, Field(ge=1, le=99)] | None = None
    prior_claims: Amount = Decimal("0.00")
    since: IsoDay | None = None
    until: IsoDay | None = None
    debt_due_on: IsoDay | None = None
    agreed_until: IsoDay | None = None
    replaces: int | None = None
    reason: Annotated[str, Field(max_length=1000)]


class Said(Body):
    """Why; needed for everything but an approval and a withdrawal."""

    reason: Annotated[str, Field(max_length=1000)] = ""


class SecurityOut(BaseModel):
    """A security of the register. `version` goes into If-Match; `verbs` is what the caller may do now.

    `claim_until`: the last day to claim from the guarantor.
    """

    id: int
    customer: int
    kind: str
    status: str
    version: int
    value: Amount
    prior_claims: Amount
    currency: str
    provider: str
    subject: str
    document: str
    registration_no: str
    rank: int | None
    since: IsoDay
    until: IsoDay | None
    debt_due_on: IsoDay | None
    agreed_until: IsoDay | None
    claim_until: IsoDay | None
    reason: str
    replaces: int | None
    verbs: list[str]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    began_on: IsoDay | None
    ended_on: IsoDay | None
    end_reason: str


class Asked(Paging):
    """Which: by status, by customer (id), those that run out by a day."""

    status: StatusName | None = None
    customer: int | None = None
    until_before: IsoDay | None = None


@router.get("/securities", response=Page[SecurityOut])
def list_securities(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """The register, as far as the caller sees its customers, the latest first."""
    exact = {"status": asked.status, "customer": asked.customer, "until__lte": asked.until_before}
    rows = _rows(request).filter(**{name: value for name, value in exact.items() if value is not None})
    found = page(rows, asked)
    return found | {"items": _told_all(request, found["items"])}


@router.get("/customers/{reference}/securities", response=Page[SecurityOut])
def list_of_customer(request: HttpRequest, reference: str, paging: Query[Paging]) -> dict[str, Any]:
    """Everything that ever secured the customer's debts, the latest first."""
    call = acting(request)
    customer = registry.visible_customer(reference, by=call["by"], on=call["on"])
    found = page(_rows(request).filter(customer=customer), paging)
    return found | {"items": _told_all(request, found["items"])}


@router.post("/customers/{reference}/securities", response={201: SecurityOut})
def propose_security(request: HttpRequest, response: HttpResponse, reference: str, new: NewSecurity) -> Any:
    """Propose a security. It raises the line once somebody else, within her authority, has approved it."""
    call = moment(request)
    customer = registry.visible_customer(reference, by=call["by"], on=call["today"])
    given = new.model_dump(exclude={"reason", "replaces", "currency", "since"})
    terms = securities.SecurityTerms(
        **given, currency=new.currency or customer.currency, since=new.since or call["today"]
    )
    replaces = _security(request, new.replaces) if new.replaces is not None else None
    made = securities.propose(customer, terms, reason=new.reason, replaces=replaces, **call)
    return Status(201, _told(request, response, made.pk))


@router.get("/securities/{int:pk}", response=SecurityOut)
def get_security(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One security; its version is the ETag."""
    return _told(request, response, pk)


@router.get("/securities/{int:pk}/attachments", response=list[AttachmentOut])
def list_security_papers(request: HttpRequest, pk: int) -> list[dict[str, Any]]:
    """The papers kept with it, oldest first; `/attachments/{id}/content` gives one."""
    call = acting(request)
    return shown(attachments.listed(_security(request, pk), by=call["by"], on=call["on"]), request)


@router.post("/securities/{int:pk}/attachments", response={201: AttachmentOut})
def keep_security_paper(
    request: HttpRequest, pk: int, file: File[UploadedFile], note: Annotated[str, Form(max_length=200)] = ""
) -> Any:
    """Keep the contract, the certificate of registration or the policy with it; the same file twice is kept once."""
    row = securities.keep_paper(_security(request, pk), file, note=note, **moment(request))
    return Status(201, shown([row], request)[0])


@router.post("/securities/{int:pk}/{verb}", response=SecurityOut)
def move_security(
    request: HttpRequest, response: HttpResponse, pk: int, verb: str, said: Said | None = None
) -> dict[str, Any]:
    """`approve`, `decline` (somebody else, within her authority), `withdraw` (who proposed it), `release` (given back,
    where nothing owed stands on it), `void` (it has turned out worthless). If-Match binds it to the version seen."""
    found = _security(request, pk)
    move(found, verb, version=seen_version(request), reason=said.reason if said else "", call=moment(request))
    return _told(request, response, pk)


def move(found: Security, verb: str, *, version: int | None, reason: str, call: dict[str, Any]) -> None:
    """Take the step a page or a program names; NotVisible for one that is nobody's to take by hand."""
    given = {"version": found.version if version is None else version, "reason": reason, **call}
    edition = {"edition": policies.in_force(call["today"])}
    if verb == "approve":
        securities.approve(found, **given, **edition)
    elif verb == "release":
        securities.release(found, **given, **edition)
    elif verb == "decline":
        securities.decline(found, **given)
    elif verb == "withdraw":
        securities.withdraw(found, **given)
    elif verb == "void":
        securities.void(found, **given)
    else:
        raise NotVisible


def _rows(request: HttpRequest) -> Any:
    call = acting(request)
    rows = sight.visible(Security, call["by"], on=call["on"])
    return rows.select_related("customer", "proposed_by", "decided_by")


def _security(request: HttpRequest, pk: int) -> Security:
    call = acting(request)
    found: Security = sight.get_visible(_rows(request), call["by"], pk, on=call["on"])
    return found


def _told(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    found = _security(request, pk)
    response["ETag"] = f'"{found.version}"'
    return _told_all(request, [found])[0]


def _told_all(request: HttpRequest, rows: list[Security]) -> list[dict[str, Any]]:
    """The securities with what the caller may do, set-based."""
    call = moment(request)
    edition = policies.in_force(call["today"])
    reaches = securities.reaches(rows, policy=edition.policy, on=call["today"])
    who = {"edition": edition, "by": call["by"], "today": call["today"]}
    return [_row(each, securities.verbs_for(each, reaches[each.pk], **who)) for each in rows]


def _row(found: Security, verbs: list[str]) -> dict[str, Any]:
    names = [name for name in SecurityOut.model_fields if name not in COMPUTED]
    return {name: getattr(found, name) for name in names} | {
        "customer": found.customer_id,
        "replaces": found.replaces_id,
        "claim_until": securities.claim_until(found),
        "verbs": verbs,
        "proposed_by": found.proposed_by.username,
        "decided_by": _name(found.decided_by),
    }


COMPUTED = frozenset({"customer", "replaces", "claim_until", "verbs", "proposed_by", "decided_by"})


def _name(person: Person | None) -> str | None:
    return person.username if person else None
