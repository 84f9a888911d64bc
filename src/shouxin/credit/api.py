"""Lines and line requests over the API (B2.1, C3.4): what holds, what is asked for, who has to sign, signing it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from shouxin.customers import registry
from shouxin.customers.models import Customer
from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, page
from shouxin.office import policies, sight
from shouxin.office.door import acting, seen_version
from shouxin.office.models import Person
from shouxin.office.pages import moment
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, NotVisible, VersionUnsaid
from shouxin.rules.authority import Needs
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post

from . import line_requests, lines, signatures
from .models import Line, LineRequest, Terms

router = Router(tags=["lines"])

LimitKindName = Literal["unset", "none", "amount", "unlimited"]
Reason = Annotated[str, Field(max_length=1000)]


class DiscountOut(BaseModel):
    """A cash discount: percent off when paid within days."""

    percent: Amount
    days: int


class DiscountIn(Body):
    """A cash discount: percent off when paid within days."""

    percent: Amount
    days: Annotated[int, Field(ge=0, le=366)]


class LineBody(Body):
    """Terms somebody asks for. `limit` null: not set; "0.00": no credit; `limit_kind` unlimited: without bound."""

    grade: Literal["A", "B", "C", "D"] | None = None
    limit: Amount | None = None
    limit_kind: LimitKindName | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    term_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    discount: DiscountIn | None = None
    effective_from: IsoDay | None = None
    effective_to: IsoDay | None = None
    temporary: bool = False
    pool: bool = False
    reason: Reason = ""


class NewLine(LineBody):
    """A line to be asked for; `limit` must be said, be it null."""

    limit: Amount | None
    reason: Reason


class Decided(Body):
    """What the signer has to say; the applicant will read it."""

    reason: Reason = ""


class TermsOut(BaseModel):
    """Grade, limit, term, discount, window. Amounts in `currency`."""

    grade: str | None
    limit: Amount | None
    limit_kind: LimitKindName
    currency: str
    term_days: int
    discount: DiscountOut | None
    effective_from: IsoDay
    effective_to: IsoDay | None
    temporary: bool
    pool: bool


class LineOut(TermsOut):
    """A line of the customer's history. `in_force`: it is one of those that hold on the day asked about."""

    id: int
    customer: int
    reason: str
    cause: str
    requested_by: str | None
    approved_by: str | None
    policy_version: int
    in_force: bool


class NeedsOut(BaseModel):
    """Whose signature it takes: the lowest post that suffices, all that do, measured against which total, and why.

    `amount` is in the company's currency, null: without bound.
    """

    post: Post | None
    posts: list[Post]
    amount: Amount | None
    why: list[str]


class LineRequestOut(TermsOut):
    """A line request. `version` goes into If-Match; `verbs` is what the caller may do now."""

    id: int
    customer: int
    kind: str
    status: str
    version: int
    reason: str
    needs: NeedsOut
    verbs: list[str]
    suggested: dict[str, Any]
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    line: int | None
    policy_version: int


class LinesAsked(Paging):
    """As of which day: the lines that had begun by then."""

    as_of: IsoDay | None = None


class RequestsAsked(Paging):
    """Which requests: by status, by customer (id)."""

    status: Literal["open", "approved", "declined", "withdrawn"] | None = None
    customer: int | None = None


@router.get("/customers/{reference}/lines", response=Page[LineOut])
def list_lines(request: HttpRequest, reference: str, asked: Query[LinesAsked]) -> dict[str, Any]:
    """Every line that had begun by the day (default: today), the latest written first."""
    call = acting(request)
    customer, day = _customer(request, reference), asked.as_of or call["on"]
    rows = Line.objects.filter(customer=customer, since__lte=day).select_related("requested_by", "approved_by")
    held = lines.in_force([customer.pk], on=day)[customer.pk]
    holding = {each.pk for each in (held.line, held.pool, *held.temporary) if each}
    found = page(rows, asked)
    return found | {"items": [line_row(each, each.pk in holding) for each in found["items"]]}


@router.post("/customers/{reference}/lines", response={201: LineRequestOut})
def ask_line(request: HttpRequest, response: HttpResponse, reference: str, new: NewLine) -> Any:
    """Ask for a line. It holds once somebody else, within her authority, has approved the request."""
    call, customer = moment(request), _customer(request, reference)
    edition = policies.in_force(call["today"])
    terms = terms_of(new.model_dump(), customer, edition, call["today"])
    asked = line_requests.ask(customer, terms, reason=new.reason, edition=edition, **call)
    return Status(201, _told(request, response, asked))


@router.get("/line-requests", response=Page[LineRequestOut])
def list_requests(request: HttpRequest, asked: Query[RequestsAsked]) -> dict[str, Any]:
    """The requests about customers the caller sees, the latest first."""
    rows = _requests(request)
    exact = {"status": asked.status, "customer": asked.customer}
    found = page(rows.filter(**{name: value for name, value in exact.items() if value is not None}), asked)
    return found | {"items": request_rows(request, found["items"])}


@router.get("/line-requests/{int:pk}", response=LineRequestOut)
def get_request(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One request; its version is the ETag."""
    return _told(request, response, _request(request, pk))


@router.patch("/line-requests/{int:pk}", response=LineRequestOut)
def change_request(request: HttpRequest, response: HttpResponse, pk: int, changed: LineBody) -> dict[str, Any]:
    """Other terms on a waiting request; what is left out stays. Whoever saw the old version has to look again."""
    call, found = moment(request), _request(request, pk)
    edition = policies.in_force(call["today"])
    given = changed.model_dump(exclude_unset=True)
    merged = _as_body(found) | given
    if "limit" in given and "limit_kind" not in given:
        merged["limit_kind"] = None
    terms = terms_of(merged, found.customer, edition, call["today"])
    done = line_requests.change(
        found, terms, reason=merged["reason"], version=_version(request, found), edition=edition, **call
    )
    return _told(request, response, done)


@router.post("/line-requests/{int:pk}/{verb}", response=LineRequestOut)
def move_request(
    request: HttpRequest, response: HttpResponse, pk: int, verb: str, said: Decided | None = None
) -> dict[str, Any]:
    """`approve`, `decline` (somebody else, within her authority), `withdraw` (who asked).

    If-Match binds the step to the version seen: where the request has been changed since, 409. A request that was
    ever changed is approved with If-Match alone, else 428; one that never was has only one version to have been seen.
    """
    call, found = moment(request), _request(request, pk)
    reason = said.reason if said else ""
    version = _version(request, found)
    edition = policies.in_force(call["today"])
    if verb == "approve" and found.version > 1 and seen_version(request) is None and _may_sign(request, found):
        raise VersionUnsaid
    if verb == "withdraw":
        line_requests.withdraw(line_requests.seen(found, version), reason=reason, **call)
    elif verb in ("approve", "decline"):
        step = line_requests.approve if verb == "approve" else line_requests.decline
        step(found, version=version, reason=reason, edition=edition, **call)  # type: ignore[operator]
    else:
        raise NotVisible
    return _told(request, response, _request(request, pk))


# --- from body to terms --------------------------------------------------------------------------


def terms_of(given: dict[str, Any], customer: Customer, edition: Edition, today: date) -> line_requests.LineTerms:
    """A body as terms: what is left out comes from the line in force, else from the grade's terms in the policy.

    Raises BadForm where limit and limit_kind contradict each other.
    """
    current = lines.in_force([customer.pk], on=today)[customer.pk].line
    grade = Grade(given["grade"]) if given["grade"] else Grade(current.grade) if current and current.grade else None
    discount = given["discount"]
    return line_requests.LineTerms(
        limit=limit_of(given["limit"], given["limit_kind"]),
        currency=given["currency"] or (current.currency if current else customer.currency),
        term_days=_term(given["term_days"], grade, edition),
        grade=grade,
        discount_percent=discount["percent"] if discount else None,
        discount_days=discount["days"] if discount else None,
        since=given["effective_from"],
        until=given["effective_to"],
        temporary=given["temporary"],
        pool=given["pool"],
    )


def limit_of(amount: Decimal | None, kind: str | None) -> Limit:
    """The limit a body means: null not set, 0 no credit, above 0 an amount; `kind` may say it, not contradict it."""
    if amount is not None and amount < 0:
        raise BadForm([("limit", line_requests.BELOW_ZERO)])
    meant = Limit.unset() if amount is None else Limit.of(amount)
    if kind in (None, meant.kind):
        return meant
    if amount is None and kind in ("none", "unlimited", "unset"):
        return Limit(kind)  # type: ignore[arg-type]
    raise BadForm([("limit_kind", line_requests.CONTRADICTION)])


def _term(days: int | None, grade: Grade | None, edition: Edition) -> int:
    if days is not None:
        return days
    return edition.policy.grades[grade].term_days if grade else 0


def _as_body(found: LineRequest) -> dict[str, Any]:
    """A request as the body that would ask for it again."""
    return {
        "grade": found.grade or None,
        "limit": found.limit,
        "limit_kind": found.limit_kind,
        "currency": found.currency,
        "term_days": found.term_days,
        "discount": _discount(found),
        "effective_from": found.since,
        "effective_to": found.until,
        "temporary": found.temporary,
        "pool": found.pool,
        "reason": found.reason,
    }


def _version(request: HttpRequest, found: LineRequest) -> int:
    seen = seen_version(request)
    return found.version if seen is None else seen


# --- what is seen, and how it is told ------------------------------------------------------------


def _customer(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])


def _requests(request: HttpRequest) -> Any:
    call = acting(request)
    rows = sight.visible(LineRequest, call["by"], on=call["on"])
    return rows.select_related("customer", "requested_by", "decided_by", "line").prefetch_related("editors")


def _request(request: HttpRequest, pk: int) -> LineRequest:
    call = acting(request)
    found: LineRequest = sight.get_visible(_requests(request), call["by"], pk, on=call["on"])
    return found


def _may_sign(request: HttpRequest, found: LineRequest) -> bool:
    """Whether nothing but the version stands between the caller and the signature; else the step says what does."""
    return "approve" in request_rows(request, [found])[0]["verbs"]


def _told(request: HttpRequest, response: HttpResponse, found: LineRequest) -> dict[str, Any]:
    response["ETag"] = f'"{found.version}"'
    return request_rows(request, [found])[0]


def request_rows(request: HttpRequest, found: list[LineRequest]) -> list[dict[str, Any]]:
    """The requests with needs and verbs, set-based."""
    call = moment(request)
    needed = signatures.needs_of(found, edition=policies.in_force(call["today"]), today=call["today"])
    return [_row(each, needed[each.pk], call["by"], call["today"]) for each in found]


def _row(found: LineRequest, needed: Needs, by: Person, today: date) -> dict[str, Any]:
    line = getattr(found, "line", None)
    return _terms(found) | {
        "id": found.pk,
        "customer": found.customer_id,
        "kind": found.kind,
        "status": found.status,
        "version": found.version,
        "reason": found.reason,
        "needs": {"post": needed.post, "posts": needed.posts, "amount": needed.amount.bound, "why": needed.why},
        "verbs": line_requests.verbs_for(found, needed, by=by, today=today),
        "suggested": found.suggested,
        "requested_by": found.requested_by.username,
        "requested_at": found.requested_at,
        "decided_by": _name(found.decided_by),
        "decided_at": found.decided_at,
        "decision_reason": found.decision_reason,
        "line": line.pk if line else None,
        "policy_version": found.policy_version,
    }


def line_row(line: Line, in_force: bool) -> dict[str, Any]:
    """A line as it is told outside; `in_force`: it holds on the day asked about."""
    return _terms(line) | {
        "id": line.pk,
        "customer": line.customer_id,
        "reason": line.why,
        "cause": line.cause,
        "requested_by": _name(line.requested_by),
        "approved_by": _name(line.approved_by),
        "policy_version": line.policy_version,
        "in_force": in_force,
    }


def _terms(terms: Terms) -> dict[str, Any]:
    kind = terms.limit_kind
    return {
        "grade": terms.grade or None,
        "limit": Decimal(0) if kind == "none" else terms.limit,
        "limit_kind": kind,
        "currency": terms.currency,
        "term_days": terms.term_days,
        "discount": _discount(terms),
        "effective_from": terms.since,
        "effective_to": terms.until,
        "temporary": terms.temporary,
        "pool": terms.pool,
    }


def _discount(terms: Terms) -> dict[str, Any] | None:
    if terms.discount_percent is None:
        return None
    return {"percent": terms.discount_percent, "days": terms.discount_days or 0}


def _name(person: Person | None) -> str | None:
    return person.username if person else None
