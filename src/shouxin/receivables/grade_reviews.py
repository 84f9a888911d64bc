"""Confirming a natural person's grade: the proposed one, or another with what it suggests from the same day's facts."""

from datetime import date, datetime

from shouxin.credit import grade_reviews
from shouxin.credit.grade_reviews import Graded
from shouxin.credit.models import GradeReview
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.office.refusals import CannotDecide
from shouxin.rules import rating
from shouxin.rules.policy import Grade

from .ratings import known_rates, read, record_of


def confirm(
    review: GradeReview, *, grade: Grade | None, reason: str, version: int | None = None, by: Person, on: date,
    at: datetime,
) -> GradeReview:  # fmt: skip
    """Confirm it; `grade` None takes the proposed one. Raises as `credit.grade_reviews.confirm`."""
    graded = suggested_for(review, grade or Grade(review.rating.grade))
    return grade_reviews.confirm(review, graded, reason=reason, version=version, by=by, on=on, at=at)


def suggested_for(review: GradeReview, grade: Grade) -> Graded:
    """The limit and term the policy of the rating suggests under a grade. Raises CannotDecide without a rate."""
    rated = review.rating
    if grade == rated.grade:
        return grade_reviews.proposed(rated)
    policy = policies.at(rated.policy_version).policy
    known, missing = read([review.customer_id], as_of=rated.as_of, known_rate=known_rates(policy, rated.as_of))
    if not known:
        raise CannotDecide(code="currency_unknown", currency=", ".join(missing.get(review.customer_id, [])))
    record = record_of(known[0].history, policy, rated.as_of)
    found = rating.suggested_under(policy, grade, known[0].facts, record, rated.as_of)
    return Graded(grade, found.limit.kind, found.limit.amount, found.term_days, rated.currency)
