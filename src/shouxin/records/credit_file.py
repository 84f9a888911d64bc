"""The customer's credit file: what holds, what is owed, how was paid, how it was rated, what was decided (A6, B2.2).

Each part is read by itself, so that a page reads only what it shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Max, Q
from django.utils.translation import gettext as _

from shouxin.credit import exposure, lines
from shouxin.credit.lines import InForce
from shouxin.credit.models import CreditAccount, Line, LineRequest, Rating
from shouxin.customers.models import Customer, Fact
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.receivables import owed
from shouxin.receivables.ratings import known_rates, record_of
from shouxin.receivables.wording import bucket_name
from shouxin.rules.aging import Aged, OpenItem, age, bucket_labels
from shouxin.rules.exposure import Exposure
from shouxin.rules.payment_record import PaymentRecord
from shouxin.rules.policy import Policy

from . import labels
from .positions import Position, positions

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Debt:
    """What the customer owes: open items, aged per currency, and how it has paid so far."""

    items: list[OpenItem]
    aged: list[Aged]
    record: PaymentRecord
    missing_rates: list[str]


def position_of(customer: Customer, *, policy: Policy, on: date) -> Position:
    """Where the customer stands today."""
    return positions([customer], policy=policy, on=on)[customer.pk]


def pool_of(customer: Customer, position: Position, *, on: date) -> tuple[InForce, Exposure] | None:
    """The group's shared pool with the group's exposure in the pool's currency; None where there is none."""
    head = customer.group_head_id or customer.pk
    own = head == customer.pk
    held = position.held if own else InForce(None, pool=lines.pool_in_force(head, on=on))
    if held.pool is None:
        return None
    group = CreditAccount.objects.filter(Q(customer=head) | Q(customer__group_head=head))
    used = group.filter(currency=held.pool.currency)
    return held, sum(map(exposure.exposure_of, used), Exposure())


def debt_of(customer: Customer, *, policy: Policy, on: date) -> Debt:
    """What is owed and how was paid, from one reading of the ledger."""
    items = list(owed.open_items([customer.pk], as_of=on))
    rates = known_rates(policy, on)
    history = owed.settled_history([customer.pk], as_of=on, rates=rates, items=items)[customer.pk]
    return Debt(
        items=sorted(items, key=lambda item: (item.falls_due_on, item.document)),
        aged=aged_by_currency(items, policy, on),
        record=record_of(history, policy, on),
        missing_rates=sorted(history.missing_rates),
    )


def aged_by_currency(items: Iterable[OpenItem], policy: Policy, on: date) -> list[Aged]:
    """The ageing of these items, one answer per currency."""
    return list(age(items, up_to=policy.aging.up_to, as_of=on).values())


def bucket_words(policy: Policy) -> list[str]:
    """The columns of the ageing in words: not due, 1–30 days, …"""
    return [bucket_name(bucket) for bucket in bucket_labels(policy.aging.up_to)]


# --- the rating as a page shows it ---------------------------------------------------------------


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


def latest_rating(customer: Customer) -> Rating | None:
    """The last rating kept for the customer."""
    return Rating.objects.filter(customer=customer).select_related("by").order_by("-pk").first()


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
        band=labels.label(labels.ANSWERS, answer["band"]),
    )


def shown_value(value: Any) -> str:
    """A fact's value for people: yes and no, numbers grouped, words as they are."""
    if isinstance(value, dict):
        value = value.get("value")
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return labels.label(labels.ANSWERS, str(value))
    return f"{number:,f}" if abs(number) >= 1000 else f"{number:f}"


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
        "counts": method["counts"],
        "binding": method["key"] == binding,
    }


# --- the history ---------------------------------------------------------------------------------


def history(customer: Customer) -> list[Line]:
    """Every line the customer ever had, newest first."""
    return lines.history(customer)


def open_requests(customer: Customer) -> list[LineRequest]:
    """What is asked for and waits for a signature."""
    rows = customer.line_requests.filter(status="open").select_related("requested_by").order_by("-pk")
    return list(rows)


def latest_facts(customer: Customer) -> list[Fact]:
    """The latest fact of each key, by key, with who found it."""
    rows = customer.facts.order_by("key", "-as_of", "-id").distinct("key").select_related("collected_by")
    return list(rows)


def freshness(customer: Customer) -> dict[str, date]:
    """Fact key -> the day of the latest fact: how fresh the file is (B2.2)."""
    return dict(customer.facts.values_list("key").annotate(latest=Max("as_of")))


def name_of(person: Person | None) -> str:
    """Who it was, or the system where nobody was."""
    return str(person) if person else str(_("System"))
