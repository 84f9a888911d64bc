"""When a customer's periodic review is due: so many months after it was last rated, by grade (B2.4)."""

from collections.abc import Iterable, Mapping
from datetime import date

from shouxin.lib.statements import Reply, array, ask
from shouxin.rules.days import add_months
from shouxin.rules.policy import Grade, Policy

from .lines import InForce
from .models import Rating


def due_on(held: Mapping[int, InForce], customers: Iterable[int], *, policy: Policy) -> dict[int, date]:
    """Customer id -> the day its review is due; customers without a graded line are left out."""
    graded = {pk: grade for pk in customers if (grade := held[pk].grade) and held[pk].line}
    rated = ask_rated(graded).read()
    return {pk: due(grade, held[pk].line.since, rated.get(pk), policy=policy) for pk, grade in graded.items()}  # type: ignore[union-attr]


def due(grade: Grade, since: date, rated_on: date | None, *, policy: Policy) -> date:
    """The day the review is due of a line given `since` under a grade, to a customer last rated on a day."""
    return add_months(max(rated_on or since, since), policy.grades[grade].review_months)


def ask_rated(customers: Iterable[int]) -> Reply[dict[int, date]]:
    """Customer id -> the day of its latest rating, as one of the questions of a pipeline."""
    return ask(
        f"SELECT customer_id, max(as_of) FROM {Rating._meta.db_table} "
        "WHERE customer_id = ANY(%s::bigint[]) GROUP BY customer_id",
        array(set(customers)),
        read=lambda rows: dict(rows),
    )
