"""The 18 factors of feature analysis as people score them: facts of 1 to 10, kept like all others (domain 1.4)."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm
from shouxin.rules.policy import FACTORS

from . import facts
from .models import Customer, Fact

SCORE_MAX = 10
Scores = Mapping[str, int | None]
"""Factor -> its score from 1 to 10, None where nothing is known."""


def key_of(factor: str) -> str:
    """The fact's key of a factor."""
    return f"feature_{factor}"


def scores_of(customer: Customer, on: date) -> dict[str, tuple[int | None, Fact | None]]:
    """Factor -> (score on the day, the fact it stands in), for every factor."""
    keys = [key_of(factor) for factor in FACTORS]
    rows = customer.facts.filter(key__in=keys, as_of__lte=on).order_by("key", "-as_of", "-id").distinct("key")
    latest = {row.key: row for row in rows.select_related("collected_by")}
    return {factor: _score(latest.get(key_of(factor)), on) for factor in FACTORS}


def _score(row: Fact | None, on: date) -> tuple[int | None, Fact | None]:
    value = facts.read(row.key, row.value, on) if row else None
    return (int(value) if isinstance(value, Decimal) else None), row


@transaction.atomic
def score(
    customer: Customer, scores: Scores, *, source: str, as_of: date, by: Person, on: date, at: datetime
) -> list[Fact]:
    """Score the factors given as of a day; those whose score is the same are confirmed with the new day.

    A factor that was never scored and still is not leaves no row. Raises NotYourDuty, and BadForm for an unknown
    factor, a score outside 1 to 10, or nothing scored at all.
    """
    posts.require(by, *facts.COLLECTORS, on=on, about=customer, verb="score_features", at=at)
    _refuse_bad(scores)
    before = scores_of(customer, on)
    said = {factor: value for factor, value in scores.items() if value is not None or before[factor][0] is not None}
    if not said:
        raise BadForm([("", _("Score at least one factor."))])
    call = {"source": source, "as_of": as_of, "by": by, "on": on, "at": at}
    rows = [facts.checked(customer.pk, key_of(factor), value, **call) for factor, value in said.items()]  # type: ignore[arg-type]
    Fact.objects.bulk_create(rows)
    trail.record("score_features", about=customer, by=by, at=at, scores=said, source=source, as_of=as_of)
    return rows


def _refuse_bad(scores: Scores) -> None:
    errors = [(factor, _("is not one of the factors")) for factor in scores if factor not in FACTORS]
    errors += [
        (factor, _("must be a whole number from 1 to 10"))
        for factor, value in scores.items()
        if value is not None and not 1 <= value <= SCORE_MAX
    ]
    if errors:
        raise BadForm(errors)
