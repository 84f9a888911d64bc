"""The annual review over the API (B2.4): open a year, read its proposals and reports, approve in batch, close it."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from ninja import Query, Router, Status
from pydantic import BaseModel, Field, field_validator

from shouxin.lib import documents
from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, page
from shouxin.office import policies, sight
from shouxin.office.door import acting, seen_version
from shouxin.office.pages import require_duty
from shouxin.office.refusals import NotVisible

from . import annual, jobs, portfolio, words
from .models import REMARK_MAX, SUMMARY_MAX, Campaign, Review
from .review_views import get_review, paper_of
from .views import READERS, get_year, reviews_of, total_of

router = Router(tags=["annual review"])


class AnnualReviewOut(BaseModel):
    """The review of a year: `total` customers it is about, `reviewed` and `undecided`, all of those the caller sees.

    `summary` is told to those who see every customer.
    """

    year: int
    first: IsoDay
    last: IsoDay
    effective_from: IsoDay
    status: str
    version: int
    total: int
    reviewed: int
    undecided: int
    working: bool
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    summary: str


class YearBody(Body):
    """The year to review. `last`: the last day looked at; `effective_from`: from when what is approved holds."""

    year: Annotated[int, Field(ge=1900, le=9999)]
    last: IsoDay | None = None
    effective_from: IsoDay | None = None


class CustomerReviewOut(BaseModel):
    """One customer's review: held and proposed terms, why, and where it stands; `version` of the review itself.

    `request` is the line request to sign, in its `request_version`; `fault` says why there is none. Amounts are in
    `currency`, `on_time_share` is a fraction of one.
    """

    id: int
    customer: int
    code: str
    name: str
    action: Literal["keep", "raise", "lower"]
    state: Literal["open", "approved", "declined", "withdrawn", "fault"]
    version: int
    request: int | None
    request_version: int | None
    currency: str
    grade: str
    limit: Amount | None
    limit_kind: str
    term_days: int
    proposed_grade: str
    proposed_limit: Amount | None
    proposed_limit_kind: str
    proposed_term_days: int
    sales: Amount
    sales_before: Amount
    peak_use: Amount
    mean_use: Amount
    days_over: int
    on_time_share: Decimal | None
    max_days_late: int
    overdue: Amount
    reasons: list[str]
    lacking: list[str]
    remark: str
    fault: str
    verbs: list[str]


class ReviewsAsked(Paging):
    """Which reviews: by proposal, by state, by the customer's number."""

    action: Literal["keep", "raise", "lower"] | None = None
    state: Literal["open", "approved", "declined", "withdrawn", "fault"] | None = None
    customer: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class ReviewSeen(Body):
    """A review, and the version of its request that was seen."""

    id: Annotated[int, Field(ge=0, lt=2**63)]
    request_version: Annotated[int, Field(ge=1, lt=2**31)]


class BatchApproval(Body):
    """What is signed, at most two hundred at a time; `reason` is kept with each."""

    reviews: Annotated[list[ReviewSeen], Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(max_length=1000)] = ""

    @field_validator("reviews")
    @classmethod
    def _each_once(cls, reviews: list[ReviewSeen]) -> list[ReviewSeen]:
        if len({each.id for each in reviews}) < len(reviews):
            raise ValueError(gettext_noop("a review is named twice"))
        return reviews


class ApprovalOut(BaseModel):
    """What became of one of them: signed, or the code, words and cure of the refusal."""

    id: int
    customer: int | None
    approved: bool
    code: str
    message: str
    cure: str


class ApprovalsOut(BaseModel):
    """The whole batch, in the order sent."""

    approved: int
    items: list[ApprovalOut]


class AssessmentBody(Body):
    """The assessment of a customer, in words."""

    remark: Annotated[str, Field(max_length=REMARK_MAX)]


class ReviewDecision(Body):
    """Why; needed to decline."""

    reason: Annotated[str, Field(max_length=1000)] = ""


class ClosingBody(Body):
    """The summary that stands in the report of the whole year."""

    summary: Annotated[str, Field(max_length=SUMMARY_MAX)] = ""


class GradeOfYearOut(BaseModel):
    """What the customers of a grade bought and owe, in the company's currency."""

    grade: str
    customers: int
    unrated: int
    sales: Amount
    owed: Amount
    overdue: Amount
    aged: Amount


class MoveOfGradeOut(BaseModel):
    """So many customers of one grade stand in another after the review."""

    before: str
    after: str
    customers: int


class YearReportOut(BaseModel):
    """The whole year; amounts in the company's currency. `advice` is what it says of the policy."""

    year: int
    currency: str
    customers: int
    without_line: int
    reviewed: int
    actions: dict[str, int]
    states: dict[str, int]
    moved: list[MoveOfGradeOut]
    grades: list[GradeOfYearOut]
    limits_before: Amount
    limits_after: Amount
    advice: list[str]


# --- years ----------------------------------------------------------------------------------------


@router.get("/annual-reviews", response=Page[AnnualReviewOut])
def list_years(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The years reviewed, the latest first."""
    _require_reader(request)
    found = page(Campaign.objects.select_related("opened_by"), paging, order=("-year",))
    return found | {"items": [_year(request, each) for each in found["items"]]}


@router.post("/annual-reviews", response={201: AnnualReviewOut})
def open_year(request: HttpRequest, said: YearBody) -> Status[dict[str, Any]]:
    """Open the review of a year; the worker then reviews one customer after another (`working`)."""
    with transaction.atomic():
        campaign = annual.open_year(**said.model_dump(), **acting(request))
        jobs.begin(campaign)
    return Status(201, _year(request, campaign))


@router.get("/annual-reviews/{int:year}", response=AnnualReviewOut)
def show_year(request: HttpRequest, response: HttpResponse, year: int) -> dict[str, Any]:
    """One year, and how far it is."""
    _require_reader(request)
    campaign = get_year(year)
    response["ETag"] = f'"{campaign.version}"'
    return _year(request, campaign)


@router.get("/annual-reviews/{int:year}/report", response=YearReportOut)
def year_report(request: HttpRequest, year: int) -> dict[str, Any]:
    """The report of the whole year, for those who see every customer."""
    require_duty(request, *sight.SEE_ALL, verb="read_reviews", about="annual-review")
    campaign = get_year(year)
    whole = portfolio.of(campaign)
    names = ("customers", "without_line", "reviewed", "actions", "states", "limits_before", "limits_after")
    fields = ("grade", "customers", "unrated", "sales", "owed", "overdue", "aged")
    return {name: getattr(whole, name) for name in names} | {
        "year": campaign.year,
        "currency": policies.at(campaign.policy_version).policy.company.currency,
        "moved": [{"before": before, "after": after, "customers": n} for before, after, n in whole.moved],
        "grades": [{name: getattr(each, name) for name in fields} for each in whole.grades],
        "advice": [words.reason(each) for each in whole.advice],
    }


@router.post("/annual-reviews/{int:year}/resume", response=AnnualReviewOut)
def resume_year(request: HttpRequest, year: int) -> dict[str, Any]:
    """Have the worker review those who have not been: it was broken off, or a line was entered since."""
    require_duty(request, *annual.OPENERS, verb="open_year", about="annual-review")
    campaign = get_year(year)
    jobs.begin(campaign, acting(request)["by"])
    return _year(request, campaign)


@router.post("/annual-reviews/{int:year}/close", response=AnnualReviewOut)
def close_year(request: HttpRequest, year: int, said: ClosingBody) -> dict[str, Any]:
    """Close the year once every review is decided; its report is kept as it stands. If-Match: the version seen."""
    campaign = get_year(year)
    return _year(
        request, annual.close(campaign, summary=said.summary, version=seen_version(request), **acting(request))
    )


def _require_reader(request: HttpRequest) -> None:
    require_duty(request, *READERS, verb="read_reviews", about="annual-review")


def _year(request: HttpRequest, row: Campaign) -> dict[str, Any]:
    call = acting(request)
    mine = reviews_of(row, call["by"], call["on"])
    names = ("year", "first", "last", "effective_from", "status", "version", "opened_at", "closed_at")
    return {name: getattr(row, name) for name in names} | {
        "total": total_of(row, call["by"], call["on"]),
        "summary": row.summary if sight.sees_all(call["by"], call["on"]) else "",
        "reviewed": mine.count(),
        "undecided": mine.filter(annual.is_undecided()).count(),
        "working": jobs.waiting(row.pk),
        "opened_by": row.opened_by.username,
    }


# --- reviews --------------------------------------------------------------------------------------


@router.get("/annual-reviews/{int:year}/reviews", response=Page[CustomerReviewOut])
def list_reviews(request: HttpRequest, year: int, asked: Query[ReviewsAsked]) -> dict[str, Any]:
    """The reviews of a year, of customers the caller sees."""
    _require_reader(request)
    call = acting(request)
    rows = reviews_of(get_year(year), call["by"], call["on"])
    state = {"request": None} if asked.state == "fault" else {"request__status": asked.state} if asked.state else {}
    exact = {"action": asked.action, "customer": asked.customer}
    found = page(rows.filter(**state, **{name: value for name, value in exact.items() if value is not None}), asked)
    return found | {"items": [review_row(request, each) for each in found["items"]]}


@router.post("/annual-reviews/{int:year}/approve", response=ApprovalsOut)
def approve_batch(request: HttpRequest, year: int, said: BatchApproval) -> dict[str, Any]:
    """Sign many proposals, each in the version seen; one that is refused stops no other one."""
    call, campaign = acting(request), get_year(year)
    rows = reviews_of(campaign, call["by"], call["on"]).filter(pk__in=[each.id for each in said.reviews])
    found = {row.pk: row for row in rows}
    seen = [(found[each.id], each.request_version) for each in said.reviews if each.id in found]
    outcomes = {each.review.pk: each for each in annual.approve_many(seen, reason=said.reason, **call)}
    items = [_outcome(each.id, outcomes.get(each.id)) for each in said.reviews]
    return {"approved": sum(each["approved"] for each in items), "items": items}


def _outcome(pk: int, found: annual.Outcome | None) -> dict[str, Any]:
    refusal = NotVisible() if found is None else found.refusal
    return {
        "id": pk,
        "customer": found.review.customer_id if found else None,
        "approved": refusal is None,
        "code": refusal.code if refusal else "",
        "message": str(refusal) if refusal else "",
        "cure": refusal.cure_text if refusal else "",
    }


@router.get("/annual-reviews/{int:year}/reviews/{int:pk}", response=CustomerReviewOut)
def show_review(request: HttpRequest, response: HttpResponse, year: int, pk: int) -> dict[str, Any]:
    """One customer's review."""
    _require_reader(request)
    return _told(request, response, get_review(request, year, pk))


@router.get("/annual-reviews/{int:year}/reviews/{int:pk}/report", response=dict[str, Any])
def review_report(request: HttpRequest, year: int, pk: int) -> documents.Paper:
    """The written report of one customer: title, head and blocks as they stand on the page."""
    _require_reader(request)
    call = acting(request)
    return paper_of(get_review(request, year, pk), call["by"], call["on"])


@router.post("/annual-reviews/{int:year}/reviews/{int:pk}/renew", response=CustomerReviewOut)
def renew_review(request: HttpRequest, response: HttpResponse, year: int, pk: int) -> dict[str, Any]:
    """Review the customer anew as everything stands now. If-Match binds it to the review's version seen."""
    found = annual.renew(get_review(request, year, pk), version=seen_version(request), **acting(request))
    return _told(request, response, found)


@router.post("/annual-reviews/{int:year}/reviews/{int:pk}/assess", response=CustomerReviewOut)
def assess_review(
    request: HttpRequest, response: HttpResponse, year: int, pk: int, said: AssessmentBody
) -> dict[str, Any]:
    """Write the assessment that stands in the report. If-Match binds it to the review's version seen."""
    found = annual.assess(get_review(request, year, pk), said.remark, version=seen_version(request), **acting(request))
    return _told(request, response, found)


@router.post("/annual-reviews/{int:year}/reviews/{int:pk}/decline", response=CustomerReviewOut)
def decline_review(
    request: HttpRequest, response: HttpResponse, year: int, pk: int, said: ReviewDecision
) -> dict[str, Any]:
    """Refuse what is proposed: the line stays as it is. If-Match: the version seen of the line request."""
    found, call = get_review(request, year, pk), acting(request)
    seen = seen_version(request)
    version = seen if seen is not None else found.request.version if found.request else 0
    edition = policies.in_force(call["on"])
    annual.decline(found, version=version, reason=said.reason, edition=edition, **call)
    return _told(request, response, get_review(request, year, pk))


def _told(request: HttpRequest, response: HttpResponse, row: Review) -> dict[str, Any]:
    response["ETag"] = f'"{row.version}"'
    return review_row(request, row)


def review_row(request: HttpRequest, row: Review) -> dict[str, Any]:
    """A review as the API tells it."""
    call, found = acting(request), row.found
    year, proposed, asked = found.year, found.proposal.terms, row.request
    numbers = ("sales", "sales_before", "peak_use", "mean_use", "on_time_share", "max_days_late", "overdue")
    return {name: getattr(year, name) for name in numbers} | {
        "id": row.pk,
        "customer": row.customer_id,
        "code": row.customer.code,
        "name": row.customer.name,
        "action": row.action,
        "state": words.state_of(row),
        "version": row.version,
        "request": row.request_id,
        "request_version": asked.version if asked else None,
        "currency": found.currency,
        "grade": row.grade_before,
        "limit": year.held.limit.amount,
        "limit_kind": year.held.limit.kind,
        "term_days": year.held.term_days,
        "proposed_grade": asked.grade if asked else proposed.grade,
        "proposed_limit": asked.limit if asked else proposed.limit.amount,
        "proposed_limit_kind": asked.limit_kind if asked else proposed.limit.kind,
        "proposed_term_days": asked.term_days if asked else proposed.term_days,
        "days_over": year.times_over,
        "reasons": [words.reason(each) for each in found.proposal.reasons],
        "lacking": [words.reason(each) for each in found.proposal.lacking],
        "remark": row.remark,
        "fault": row.fault,
        "verbs": annual.verbs_for(row, call["by"], call["on"]),
    }
