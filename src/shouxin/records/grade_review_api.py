"""Grades of natural persons over the API: what waits, and a person's confirmation (B2.1, PIPL art. 24)."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from shouxin.credit import grade_reviews
from shouxin.credit.models import GradeReview
from shouxin.lib.api import Amount, Body, Page, Paging, page
from shouxin.office import sight
from shouxin.office.door import acting, seen_version
from shouxin.receivables import grade_reviews as reviewing
from shouxin.rules.policy import Grade

router = Router(tags=["customers"])


class GradeReviewOut(BaseModel):
    """A natural person's grade: `proposed` (it bites nowhere yet), `confirmed` with what may be used, `superseded`.

    `version` goes into If-Match.
    """

    id: int
    customer: int
    rating: int
    proposed: str
    status: str
    version: int
    grade: str | None
    limit: Amount | None
    limit_kind: str | None
    term_days: int | None
    reason: str
    confirmed_by: str | None
    confirmed_at: datetime | None
    verbs: list[str]


class GradeConfirmation(Body):
    """The grade a person gives, null: the one proposed; `reason`: what she looked at."""

    grade: Grade | None = None
    reason: Annotated[str, Field(max_length=1000)]


@router.get("/grade-reviews", response=Page[GradeReviewOut])
def list_grade_reviews(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Grades of natural persons that wait for a person, of customers the caller sees, the oldest first (B2.1)."""
    call = acting(request)
    found = page(sight.visible(grade_reviews.waiting(), call["by"], on=call["on"]), paging)
    return found | {"items": [review_row(request, each) for each in found["items"]]}


@router.post("/grade-reviews/{int:pk}/confirm", response=GradeReviewOut)
def confirm_grade(request: HttpRequest, response: HttpResponse, pk: int, said: GradeConfirmation) -> dict[str, Any]:
    """Confirm a program's grade of a natural person, or set another: from then on it may be used (PIPL art. 24).

    Never by who had it rated, nor by the owning salesperson. If-Match binds it to the version seen.
    """
    call, given = acting(request), said.model_dump()
    row = sight.get_visible(GradeReview.objects.select_related("rating", "customer"), call["by"], pk, on=call["on"])
    done = reviewing.confirm(row, version=seen_version(request), **given, **call)
    response["ETag"] = f'"{done.version}"'
    return review_row(request, done)


def review_row(request: HttpRequest, row: GradeReview) -> dict[str, Any]:
    """A review as the API tells it, with what the caller may do."""
    call, settled = acting(request), row.status == "confirmed"
    names = ("id", "status", "version", "limit", "term_days", "reason", "confirmed_at")
    return {name: getattr(row, name) for name in names} | {
        "customer": row.customer_id,
        "rating": row.rating_id,
        "proposed": row.rating.grade,
        "grade": row.grade if settled else None,
        "limit_kind": row.limit_kind if settled else None,
        "confirmed_by": row.confirmed_by.username if row.confirmed_by else None,
        "verbs": ["confirm"] if grade_reviews.may_confirm(row, call["by"], call["on"]) else [],
    }
