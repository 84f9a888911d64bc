"""Grades of natural persons on the pages: what waits for a person, and her confirmation (B2.1, PIPL art. 24)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.credit import grade_reviews
from shouxin.credit.models import GradeReview, Rating
from shouxin.lib.lists import Column, Listing
from shouxin.office import sight
from shouxin.office.pages import acting, page, require_duty, typed, version_of
from shouxin.office.refusals import BadForm
from shouxin.receivables import grade_reviews as reviewing
from shouxin.rules.policy import Grade


def _rating_tab(row: GradeReview) -> str:
    return f"{reverse('customers:file', args=[row.customer_id])}?tab=rating"


COLUMNS = (
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", link=_rating_tab),
    Column("proposed", gettext_lazy("Proposed grade"), "grade", "rating.grade", "rating__grade"),
    Column("score", gettext_lazy("Points"), "number", "rating.score", "rating__score"),
    Column("as_of", gettext_lazy("As of"), "date", "rating.as_of", "rating__as_of"),
    Column("rated_by", gettext_lazy("Rated by"), "text", lambda row: row.rating.by or _("System")),
)


@page
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for a person, of the customers she sees."""
    call = acting(request)
    rows = sight.visible(grade_reviews.waiting(), call["by"], on=call["on"])
    listing = Listing(request, rows, COLUMNS, (), key="grade_reviews")
    if listing.wants_export:
        return listing.export()
    return render(request, "records/grade_reviews.html", {"listing": listing})


@page
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the proposed grade or set another one; back to the rating."""
    require_duty(request, *grade_reviews.CONFIRMERS, verb="confirm_grade", about="grade-review")
    call = acting(request)
    rows = GradeReview.objects.select_related("rating", "customer")
    review = sight.get_visible(rows, call["by"], pk, on=call["on"])
    grade = request.POST.get("grade", "")
    if grade not in {"", *Grade}:
        raise BadForm([("grade", _("There is no such grade."))])
    reason = typed(request)
    chosen = Grade(grade) if grade else None
    done = reviewing.confirm(review, grade=chosen, reason=reason, version=version_of(request), **call)
    messages.success(request, _("The grade is confirmed: %(grade)s. It may be used now.") % {"grade": done.grade})
    return redirect(_rating_tab(done))


def told_of(request: HttpRequest, rating: Rating) -> dict[str, Any]:
    """What the rating's part of the file says of its confirmation."""
    review = grade_reviews.review_of(rating)
    if review is None:
        return {"review": None}
    call = acting(request)
    code = grade_reviews.why_not(review, call["by"]) if review.status == "proposed" else ""
    return {
        "review": review,
        "may_confirm": grade_reviews.may_confirm(review, call["by"], call["on"]),
        "why_not": grade_reviews.WORDS.get(code, ""),
        "grades": list(Grade),
    }
