"""Statistical cards: fitted to the company's own history, kept as tables of points, held against the card in force."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import FittedCard, RefusedFit
from shouxin.customers.models import Customer
from shouxin.lib import fitting
from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import AUTHORS, Edition
from shouxin.office.refusals import CannotDecide
from shouxin.rules import points_table, rating
from shouxin.rules.points_table import PointsTable, decile, grade_of, points_of
from shouxin.rules.policy import Grade, Policy, Post
from shouxin.rules.scorecard import FACTS, NUMBER, YES_NO, Value

from .history import Observation, days_seen, observations
from .models import Invoice
from .ratings import in_chunks, known_rates, rate_known, read

logger = logging.getLogger("shouxin.scoring")
LATE_DAYS = 30
EVERY_MONTHS = 6
FITTERS = (Post.CREDIT_ADMINISTRATOR, *AUTHORS)


WHY: dict[str, tuple[Any, Any]] = {
    "extra_missing": (
        _("No card can be fitted: the extra “scoring” is not installed on the server."),
        _("Install it: pip install 'shouxin[scoring]', and start the worker again."),
    ),
    "one_class": (
        _("No card can be fitted: %(bad)s bad and %(good)s good observations; at least %(needed)s of each are needed."),
        _("Let more history gather, import older ledgers, or choose other late days."),
    ),
    "few_customers": (
        _("No card can be fitted: observations of %(customers)s customers; at least %(needed)s are needed."),
        _("Let more history gather, or import the ledgers of more customers."),
    ),
    "no_column": (
        _("No card can be fitted: nothing that is known tells good payers from bad ones."),
        _("Note more facts in the dossiers, or import older ledgers."),
    ),
}
"""Code -> why no card can be fitted, and what would cure it."""


class CannotFit(CannotDecide):
    """The history is too short, too good, or too little is known; or the extra is missing. `code` is one of WHY."""

    status = 422

    def __init__(self, code: str, **particulars: int) -> None:
        message, cure = WHY[code]
        super().__init__(message, code=code, cure=cure, **particulars)


def number(value: Value) -> float | None:
    """A fact as a column's number: no and yes are 0 and 1, words are not numbers."""
    if isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, Decimal) else None


# --- fit -----------------------------------------------------------------------------------------


def fit(
    *, until: date, late_days: int, edition: Edition, by: Person, on: date, at: datetime,
    every_months: int = EVERY_MONTHS, keep: bool = True,
) -> tuple[PointsTable, FittedCard | None]:  # fmt: skip
    """Fit a table to who was late by more than so many days within a year; with `keep`, keep it.

    Raises NotYourDuty, and CannotFit with the reason, which is kept too.
    """
    posts.is_system(by) or posts.require(by, *FITTERS, on=on, about="fitted_card", verb="fit_card", at=at)
    first = Invoice.objects.order_by("dated_on").values_list("dated_on", flat=True).first() or until
    seen = days_seen(until, every_months=every_months, first=first)
    ids = Customer.objects.filter(restricted_on=None).values_list("pk", flat=True)
    rows = list(observations(ids, days=seen, policy=edition.policy, late_days=late_days))
    try:
        table = fitted_table(rows, late_days=late_days, seen=seen)
    except CannotFit as refusal:
        if keep:
            told = {"code": refusal.code, "particulars": refusal.params}
            RefusedFit.objects.create(as_of=until, late_days=late_days, by=by, at=at, **told)
        raise
    return table, _kept(table, until, edition, by, at) if keep else None


def done_since(moment: datetime, *, as_of: date, late_days: int, by: int) -> bool:
    """Whether a card of that day and those late days was fitted or refused, for this person, since the moment."""
    same = {"as_of": as_of, "late_days": late_days, "by": by, "at__gte": moment}
    return FittedCard.objects.filter(**same).exists() or RefusedFit.objects.filter(**same).exists()


def latest_refusal() -> RefusedFit | None:
    """The refusal that came after the latest card, if any: what whoever asked for a card last has to know."""
    row = RefusedFit.objects.select_related("by").first()
    newer = row and FittedCard.objects.filter(at__gt=row.at).exists()
    return None if newer else row


def refusal_of(row: RefusedFit) -> CannotFit:
    """The refusal with its words, in the reader's language."""
    return CannotFit(row.code, **row.particulars)


@transaction.atomic
def _kept(table: PointsTable, until: date, edition: Edition, by: Person, at: datetime) -> FittedCard:
    row = FittedCard.objects.create(
        as_of=until, late_days=table.late_days, table=table.model_dump(mode="json"), policy_version=edition.number,
        by=by, at=at,
    )  # fmt: skip
    told = {"observations": table.observations, "bad": table.bad, "auc": str(table.quality.auc)}
    trail.record("fit_card", about=row, by=by, at=at, late_days=table.late_days, as_of=until, **told)
    return row


def fitted_table(rows: Sequence[Observation], *, late_days: int, seen: Sequence[date]) -> PointsTable:
    """The table of these observations, with its quality and that of the card they were rated by. Raises CannotFit."""
    bad, whose = [row.bad for row in rows], [row.customer for row in rows]
    try:
        model = fitting.fit(columns_of(rows), bad, whose)
        card = fitting.calibrated([float(row.points) for row in rows], bad, whose)
    except fitting.CannotFit as error:
        raise CannotFit(error.code, **error.particulars) from None
    table = _scaled(model, late_days, seen, card)
    points = [points_of(table, _decimals(row.facts)) for row in rows]
    counts = Counter(map(decile, points))
    bounds = _bounds(points, [row.grade for row in rows])
    return table.model_copy(update={"score_counts": tuple(counts[each] for each in range(10)), "grade_bounds": bounds})


def columns_of(rows: Sequence[Observation]) -> dict[str, list[float | None]]:
    """One column for each fact that is a number or yes and no."""
    keys = sorted(key for key in {key for row in rows for key in row.facts} if FACTS.get(key) in (NUMBER, YES_NO))
    return {key: [number(row.facts.get(key)) for row in rows] for key in keys}


def _decimals(facts: dict[str, Value]) -> dict[str, Decimal | None]:
    return {
        key: Decimal(int(value)) if isinstance(value, bool) else value if isinstance(value, Decimal) else None
        for key, value in facts.items()
    }


def _exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 6)))


def _scaled(model: fitting.Fitted, late_days: int, seen: Sequence[date], card: fitting.Measures) -> PointsTable:
    """Weights turned into points from 0 to 100; the calibration by the folds goes into the odds."""
    slope = model.measures.slope
    pulls = [[-each.coefficient * slope * b.woe for b in each.bins] for each in model.characteristics]
    span = sum(max(pull) - min(pull) for pull in pulls)
    per_pull = 100 / span
    questions = [
        _question(each, [(one - min(pull)) * per_pull for one in pull])
        for each, pull in zip(model.characteristics, pulls, strict=True)
    ]
    _make_a_hundred(questions)
    zero = model.measures.intercept + slope * model.intercept - sum(map(min, pulls))
    return PointsTable(
        late_days=late_days, seen=tuple(seen), observations=model.count, bad=model.bad,
        questions=tuple(points_table.PointsQuestion.model_validate(each) for each in questions),
        odds_at_zero=_exact(zero), odds_per_point=_exact(span / 100), quality=_quality(model.measures),
        quality_of_card=_quality(card), score_counts=(), grade_bounds={},
    )  # fmt: skip


def _question(each: fitting.Characteristic, points: Sequence[float]) -> dict[str, Any]:
    bins = [
        {"up_to": None if b.up_to is None else _exact(b.up_to), "missing": b.missing, "woe": _exact(b.woe),
         "points": Decimal(repr(round(worth, 2))), "count": b.count, "bad": b.bad}
        for b, worth in zip(each.bins, points, strict=True)
    ]  # fmt: skip
    return {"fact": each.name, "information_value": _exact(each.information_value),
            "coefficient": _exact(each.coefficient), "bins": bins}  # fmt: skip


def _make_a_hundred(questions: list[dict[str, Any]]) -> None:
    """What rounding left over goes to the best answers of the weightiest question, so that the best make 100."""
    heaviest = max(questions, key=lambda each: max(b["points"] for b in each["bins"]))
    short = Decimal(100) - sum(max(b["points"] for b in each["bins"]) for each in questions)
    best = max(b["points"] for b in heaviest["bins"])
    for each in heaviest["bins"]:
        if each["points"] == best:
            each["points"] += short


def _quality(measures: fitting.Measures) -> points_table.Quality:
    names = ("auc", "auc_sd", "ks", "brier", "brier_of_rate", "slope", "intercept")
    numbers = {name: _exact(getattr(measures, name)) for name in names}
    return points_table.Quality.model_validate(numbers | {"folds": measures.folds})


def _bounds(points: Sequence[Decimal], grades: Sequence[Grade]) -> dict[Grade, Decimal]:
    """From how many points A, B and C begin, so that each holds as many as the card in force gives it."""
    ranked, counted, place = sorted(points, reverse=True), Counter(grades), 0
    bounds: dict[Grade, Decimal] = {}
    ceiling = Decimal("100")
    for grade in (Grade.A, Grade.B, Grade.C):
        place += counted[grade]
        bound = ranked[min(max(place - 1, 0), len(ranked) - 1)]
        bounds[grade] = max(min(bound, ceiling), Decimal("0.03") - Decimal("0.01") * len(bounds))
        ceiling = bounds[grade] - Decimal("0.01")
    return bounds


# --- compare -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """The card in force and a table over the customers of today: grades crosswise, agreement, drift of the points.

    `crosswise`: (grade by the card, grade by the table) -> customers. `drift` is the stability index against the
    observations the table was fitted to. `expected_bad` is the mean probability.
    """

    customers: int
    crosswise: dict[tuple[Grade, Grade], int]
    kappa: float | None
    drift: float | None
    expected_bad: Decimal | None
    score_counts: tuple[int, ...]


def compare(table: PointsTable, customers: Iterable[int], *, as_of: date, policy: Policy) -> Comparison:
    """Rate customers by the policy and by the table from the same facts; nothing is written."""
    pairs: Counter[tuple[Grade, Grade]] = Counter()
    counts: Counter[int] = Counter()
    probabilities = Decimal(0)
    known_rate = known_rates(policy, as_of)
    for chunk in in_chunks(sorted(set(customers))):
        for each in read(chunk, as_of=as_of, known_rate=known_rate)[0]:
            rated = rate_known(each, policy=policy, as_of=as_of)
            facts = rating.facts_known(policy, each.facts, rated.record, as_of)
            points = points_of(table, _decimals({key: fact.value for key, fact in facts.items()}))
            pairs[policy.grade_for(rated.rated.sheet.points), grade_of(table.grade_bounds, points)] += 1
            counts[decile(points)] += 1
            probabilities += points_table.probability(table, points)
    return _compared(table, pairs, counts, probabilities)


def _compared(
    table: PointsTable, pairs: Counter[tuple[Grade, Grade]], counts: Counter[int], probabilities: Decimal
) -> Comparison:
    whole = pairs.total()
    by_card, by_table = ([pair[side] for pair in pairs.elements()] for side in (0, 1))
    now = tuple(counts[each] for each in range(10))
    return Comparison(
        customers=whole,
        crosswise=dict(pairs),
        kappa=fitting.kappa(by_card, by_table, list(Grade)) if len(set(by_card + by_table)) > 1 else None,
        drift=fitting.drift(table.score_counts, now) if whole else None,
        expected_bad=round(probabilities / whole, 4) if whole else None,
        score_counts=now,
    )


def table_of(row: FittedCard) -> PointsTable:
    """The kept table as the rules read it."""
    return PointsTable.model_validate(row.table)
