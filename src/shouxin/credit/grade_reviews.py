"""Grades of natural persons wait for somebody who confirms them or sets another; until then they bite nowhere.

The customer may ask for the explanation and refuse a decision made by a program alone (PIPL art. 24, B2.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.customers.models import Customer
from shouxin.office import moves, posts
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules import grade_review as rule
from shouxin.rules.grade_review import CONFIRMERS, FLOW

from .models import GradeReview, LineRequest, Rating


@dataclass(frozen=True)
class Graded:
    """A grade with the limit and term it suggests, as it may be used."""

    grade: str
    limit_kind: str
    limit: Decimal | None
    term_days: int
    currency: str


WORDS = {
    "own_rating": _("You had this rating made yourself; somebody else has to confirm the grade."),
    "own_customer": _("This is your own customer; somebody else has to confirm the grade."),
}


def review_of(rating: Rating) -> GradeReview | None:
    """The review of a rating; None for a company's, which needs none."""
    try:
        return rating.review
    except GradeReview.DoesNotExist:
        return None


def proposed(rating: Rating) -> Graded:
    """What the program made of the customer."""
    return Graded(rating.grade, rating.limit_kind, rating.limit, rating.term_days, rating.currency)


def bites(rating: Rating) -> Graded | None:
    """What may be used of a rating: its own grade, the one confirmed, or nothing while it waits (or waited in vain)."""
    review = review_of(rating)
    if review is None:
        return proposed(rating)
    if review.status != "confirmed":
        return None
    return Graded(review.grade, review.limit_kind, review.limit, review.term_days or 0, rating.currency)


def open_for(ratings: Sequence[Rating], *, on: date, at: datetime) -> None:
    """Let the new ratings of natural persons wait for confirmation; what waited before is superseded."""
    rows = [each for each in ratings if each.customer.natural_person]
    if not rows:
        return
    customers = {each.customer_id for each in rows}
    # Two runs at the same time take turns: one grade waits per customer.
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))
    waited = GradeReview.objects.filter(customer__in=customers, status="proposed")
    for old in waited.select_for_update().order_by("customer"):
        moves.move(old, FLOW, "supersede", by=posts.system(), on=on, at=at)
    GradeReview.objects.bulk_create(GradeReview(rating=each, customer=each.customer) for each in rows)


def waiting() -> QuerySet[GradeReview]:
    """What waits, the oldest first."""
    rows = GradeReview.objects.filter(status="proposed", customer__restricted_on=None)
    return rows.select_related("customer", "rating__by").order_by("pk")


def waiting_for(by: Person) -> QuerySet[GradeReview]:
    """What waits and four eyes let her confirm (`why_not`); whose duty it is is the table's."""
    return waiting().exclude(rating__by=by).exclude(customer__salesperson=by)


def why_not(review: GradeReview, by: Person) -> str:
    """Why she may not confirm it, as a code of WORDS; "" when four eyes are kept. Duty is the table's."""
    return rule.why_not(by=by.pk, rated_by=review.rating.by_id, salesperson=review.customer.salesperson_id)


def may_confirm(review: GradeReview, by: Person, on: date) -> bool:
    """Whether the page shows her the button."""
    return "confirm_grade" in moves.verbs_for(review, FLOW, by, on) and not why_not(review, by)


@transaction.atomic
def confirm(
    review: GradeReview,
    graded: Graded,
    *,
    reason: str,
    version: int | None = None,
    by: Person,
    on: date,
    at: datetime,
) -> GradeReview:
    """Take the grade, or another: from now on it may be used. Requests that wait are shown with it anew (I-16).

    Raises NotYourDuty (also for who had it rated, and the owning salesperson), Moved, BadForm without a reason.
    """
    posts.require(by, *CONFIRMERS, on=on, about=review, verb="confirm_grade", at=at)
    if code := why_not(review, by):
        raise posts.not_your_duty(by, about=review, verb="confirm_grade", at=at, message=WORDS[code], code=code)
    if not reason.strip():
        raise BadForm([("reason", _("Say what you looked at."))])
    done = moves.move(
        review, FLOW, "confirm_grade", by=by, on=on, at=at, version=version, grade=graded.grade,
        limit_kind=graded.limit_kind, limit=graded.limit, term_days=graded.term_days, reason=fitting(reason, 1000),
        confirmed_by=by, confirmed_at=at,
    )  # fmt: skip
    _show_anew(review.rating)
    return done


def _show_anew(rating: Rating) -> None:
    rows = LineRequest.objects.filter(customer=rating.customer_id, status="open", suggested__rating=rating.pk)
    rows.update(suggested=suggestion_of(rating), version=F("version") + 1)


def suggestion_of(rating: Rating) -> dict[str, object]:
    """What a request keeps as the suggestion it stands beside: what was confirmed, else what the program proposes."""
    graded = bites(rating) or proposed(rating)
    return {
        "rating": rating.pk,
        "grade": graded.grade,
        "kind": graded.limit_kind,
        "limit": f"{graded.limit:.2f}" if graded.limit is not None else None,
        "currency": graded.currency,
    }


def refuse_waiting(request: LineRequest) -> None:
    """Raise Moved where a request rests on a program's grade of a natural person that nobody has confirmed."""
    if not request.customer.natural_person or not request.suggested:
        return
    own = GradeReview.objects.filter(rating=request.suggested["rating"]).first()
    if own and own.status != "confirmed" and _newest_waits(request.customer_id):
        raise Moved(
            _("A program graded a natural person; somebody has to confirm the grade first."),
            code="grade_unconfirmed", cure=_("The credit office confirms it on the customer's rating."),
        )  # fmt: skip


def _newest_waits(customer: int) -> bool:
    return GradeReview.objects.filter(customer=customer, status="proposed").exists()
