"""A kept rating as a page shows it: every point, step, method, reading and factor in the reader's words (B2.3)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from shouxin.credit.models import Rating
from shouxin.customers.facts import name_of, shown_value
from shouxin.customers.models import Customer, Fact
from shouxin.office import policies
from shouxin.office.book import ANSWERS
from shouxin.office.factor_words import FACTOR_GROUPS, FACTORS, ORIENTATIONS
from shouxin.office.policies import Edition
from shouxin.rules.policy import Policy

from . import labels

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Scored:
    """One question of the score sheet with everything behind its points."""

    group: str
    question: str
    value: Any
    points: Decimal
    points_max: Decimal
    source: str
    as_of: str | None
    age_days: int | None
    known: bool
    stale: bool
    band: str


@dataclass(frozen=True)
class RatingSheet:
    """A kept rating put into words, read with the policy it was made by."""

    rating: Rating
    edition: Edition
    groups: list[tuple[str, Decimal, Decimal, list[Scored]]]
    steps: list[dict[str, Any]]
    methods: list[dict[str, Any]]
    caps: list[tuple[str, Decimal, bool]]
    notes: list[str]
    unchecked: list[str]
    readings: list[dict[str, Any]]
    features: "Features | None"
    additions: list[dict[str, Any]]


@dataclass(frozen=True)
class Features:
    """The feature analysis of a kept rating in words: what was reached of what could be, factor by factor."""

    orientation: str
    share: Decimal
    coverage: Decimal
    counts: bool
    reading: tuple[Any, str]
    groups: list[tuple[str, list[dict[str, Any]]]]


def latest_rating(customer: Customer) -> Rating | None:
    """The last rating kept for the customer."""
    return (
        Rating.objects.filter(customer=customer)
        .select_related("by", "customer", "review__confirmed_by")
        .order_by("-pk")
        .first()
    )


def rating_sheet(rating: Rating) -> RatingSheet:
    """The rating with every question, step, method and cap in the reader's language (B2.3: explainable)."""
    edition = policies.at(rating.policy_version)
    kept, policy = rating.sheet, edition.policy
    suggestion = kept["suggestion"]
    return RatingSheet(
        rating=rating,
        edition=edition,
        groups=_groups(kept["sheet"]["answers"], policy),
        steps=[_step(each, policy) for each in kept["grading"]["steps"]],
        methods=[_method(each, suggestion["binding"]) for each in suggestion["methods"]],
        caps=[
            (labels.label(labels.CAPS, each["key"]), Decimal(each["amount"]), each["key"] == suggestion["binding"])
            for each in suggestion["caps"]
        ],
        notes=[labels.label(labels.SUGGESTION_CODES, code) for code in suggestion["codes"]],
        unchecked=[_trigger(key, policy) for key in kept["sheet"]["unchecked"]],
        # Ratings kept before these were computed lack them.
        readings=[_reading(each, rating) for each in kept.get("readings", [])],
        features=_features(kept["features"]) if kept.get("features") else None,
        additions=[_addition(each, policy) for each in kept.get("additions", [])],
    )


def _groups(answers: list[dict[str, Any]], policy: Policy) -> list[tuple[str, Decimal, Decimal, list[Scored]]]:
    names = {group.key: labels.said(group.text) for group in policy.scorecard}
    texts = {(g.key, q.key): labels.said(q.text) for g in policy.scorecard for q in g.questions}
    found: dict[str, list[Scored]] = {}
    for answer in answers:
        found.setdefault(answer["group"], []).append(_scored(answer, names, texts))
    return [
        (names.get(key, key), sum((s.points for s in rows), ZERO), sum((s.points_max for s in rows), ZERO), rows)
        for key, rows in found.items()
    ]


def _scored(answer: dict[str, Any], names: dict[str, str], texts: dict[tuple[str, str], str]) -> Scored:
    sources = dict(Fact.SOURCES) | labels.SOURCES
    return Scored(
        group=names.get(answer["group"], answer["group"]),
        question=texts.get((answer["group"], answer["question"]), answer["question"]),
        value=shown_value(answer["value"]),
        points=Decimal(answer["points"]),
        points_max=Decimal(answer["points_max"]),
        source=labels.label(sources, answer["source"]) if answer["source"] else "",
        as_of=answer["as_of"],
        age_days=answer["age_days"],
        known=answer["known"],
        stale=answer["stale"],
        band=labels.label(ANSWERS, answer["band"]),
    )


def _step(step: dict[str, Any], policy: Policy) -> dict[str, Any]:
    why = step["why"]
    if step["code"] in ("cap", "veto"):
        text = _trigger(why["trigger"], policy)
    elif step["code"] == "score":
        text = _("%(points)s points; the grade begins at %(score_min)s") % why
    elif step["code"] == "new_customer":
        text = _("%(paid_invoices)s invoices paid so far, %(paid_invoices_min)s are needed") % why
    else:
        text = _("%(clean_months)s months without a late payment, %(clean_months_min)s are needed") % why
    return {"name": labels.label(labels.STEPS, step["code"]), "text": text, **step}


def _trigger(key: str, policy: Policy) -> str:
    return next((labels.said(each.text) for each in policy.triggers if each.key == key), key)


def _method(method: dict[str, Any], binding: str) -> dict[str, Any]:
    return {
        "name": labels.label(labels.METHODS, method["key"]),
        "amount": Decimal(method["amount"]) if method["amount"] is not None else None,
        "why_not": labels.label(labels.WHY_NOT, method["why_not"]) if method["why_not"] else "",
        "formula": labels.label(labels.FORMULAS, method["key"]),
        "inputs": _inputs(method["inputs"]),
        "counts": method["counts"],
        "binding": method["key"] == binding,
    }


def _inputs(inputs: dict[str, Any]) -> str:
    """The figures behind an amount, in words, one after the other."""
    told = [f"{_input_name(key)} {shown_value(value)}" for key, value in inputs.items()]
    return str(_(", ")).join(told)


def _input_name(key: str) -> str:
    return str(labels.INPUTS.get(key) or name_of(key))


def _reading(reading: dict[str, Any], rating: Rating) -> dict[str, Any]:
    as_of = date.fromisoformat(reading["as_of"]) if reading["as_of"] else None
    return {
        "name": name_of(reading["key"]),
        "value": shown_value(reading["value"]),
        "zone": labels.ZONES.get(reading["zone"]),
        "as_of": as_of,
        "age_days": (rating.as_of - as_of).days if as_of else None,
        "inputs": _inputs(reading["inputs"]),
    }


def _features(kept: dict[str, Any]) -> Features:
    groups: dict[str, list[dict[str, Any]]] = {}
    for factor in kept["factors"]:
        score = Decimal(factor["score"]) if factor["score"] is not None else None
        told = {"name": FACTORS[factor["factor"]], "score": score, "weight": Decimal(factor["weight"])}
        told |= {"points": score * told["weight"] if score is not None else None, "as_of": factor["as_of"]}
        groups.setdefault(factor["group"], []).append(told)
    return Features(
        orientation=str(ORIENTATIONS[kept["orientation"]]),
        share=Decimal(kept["share"]),
        coverage=Decimal(kept["coverage"]),
        counts=kept["counts"],
        reading=labels.FEATURE_READINGS[kept["reading"]],
        groups=[(str(FACTOR_GROUPS[group]), rows) for group, rows in groups.items()],
    )


def _addition(added: dict[str, Any], policy: Policy) -> dict[str, Any]:
    texts = {item.key: labels.said(item.text) for item in policy.limits.net_worth_card}
    return {
        "name": texts.get(added["item"], added["item"]),
        "value": shown_value(added["value"]),
        "share": Decimal(added["share"]),
        "known": added["known"],
    }
