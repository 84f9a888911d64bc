"""When a customer's periodic review is due: so many months after it was last rated, by grade (B2.4)."""

from collections.abc import Iterable, Mapping
from datetime import date

from django.db.models import Max

from shouxin.rules.days import add_months
from shouxin.rules.policy import Policy

from .lines import InForce
from .models import Rating


def due_on(held: Mapping[int, InForce], customers: Iterable[int], *, policy: Policy) -> dict[int, date]:
    """Customer id -> the day its review is due; customers without a graded line are left out."""
    graded = {pk: grade for pk in customers if (grade := held[pk].grade) and held[pk].line}
    rated = dict(Rating.objects.filter(customer__in=graded).values_list("customer").annotate(last=Max("as_of")))
    since = {pk: max(rated.get(pk, date.min), held[pk].line.since) for pk in graded}  # type: ignore[union-attr]
    return {pk: add_months(since[pk], policy.grades[grade].review_months) for pk, grade in graded.items()}
