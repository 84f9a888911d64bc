"""The scorecard: what we know about a customer, question by question, turned into points out of 100 (B2.3, domain 1.5).

Every answer keeps the fact it was read from, its day and its source, so that a page can show why a point was given.
A fact that is missing, dated after the day asked about, too old, or not among the answers the question knows, earns
the question's `unknown_points` and lowers the coverage. Triggers (vetoes and caps) are evaluated on the same facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from .money import round_half_up
from .policy import FACTORS, Addition, Band, Grade, Policy, Question, QuestionGroup, Trigger

Value = Decimal | str | bool | None

NUMBER: tuple[str, ...] = ("number",)
YES_NO: tuple[str, ...] = ("true", "false")

FACTS: Mapping[str, tuple[str, ...]] = {
    # From the registry and the customer's own file.
    "years_in_business": NUMBER,
    "registered_capital": NUMBER,
    "paid_in_capital": NUMBER,
    "employees": NUMBER,
    # From financial statements: the figures, and the ratios read from them.
    "current_assets": NUMBER,
    "inventory": NUMBER,
    "total_assets": NUMBER,
    "intangible_assets": NUMBER,
    "current_liabilities": NUMBER,
    "total_liabilities": NUMBER,
    "net_worth": NUMBER,
    "retained_earnings": NUMBER,
    "revenue": NUMBER,
    "profit_before_tax": NUMBER,
    "net_profit": NUMBER,
    "interest_expense": NUMBER,
    "depreciation": NUMBER,
    "deferred_tax": NUMBER,
    "debt_to_assets": NUMBER,
    "current_ratio": NUMBER,
    "quick_ratio": NUMBER,
    "net_margin": NUMBER,
    "operating_cash_flow": NUMBER,
    "operating_cash_flow_positive": YES_NO,
    "statements_audited": YES_NO,
    "z1": NUMBER,
    "z2": NUMBER,
    "z3": NUMBER,
    "bathory": NUMBER,
    "f_score": NUMBER,
    "feature_share": NUMBER,
    "market_value": NUMBER,
    # What a person scores from 1 to 10 for feature analysis.
    **{f"feature_{factor}": NUMBER for factor in FACTORS},
    # For the net-worth card.
    "requirement_share": NUMBER,
    "takes_discount": YES_NO,
    # From our own receivables.
    "on_time_share": NUMBER,
    "mean_days_late": NUMBER,
    "max_days_late": NUMBER,
    "overdue_share": NUMBER,
    "overdue_days_now": NUMBER,
    "late_payments": NUMBER,
    "months_as_customer": NUMBER,
    "invoices_12_months": NUMBER,
    "paid_invoices": NUMBER,
    "expected_monthly_sales": NUMBER,
    # From outside: courts, tax office, registry, bank (domain 2.4).
    "lawsuits": NUMBER,
    "penalties": NUMBER,
    "tax_grade": ("A", "B", "M", "C", "D"),
    "bank_reference": ("good", "fair", "poor"),
    "dishonest_debtor": YES_NO,
    "judgment_debtor": YES_NO,
    "serious_offender": YES_NO,
    "abnormal_operation": YES_NO,
    "tax_offender": YES_NO,
    "dissolved": YES_NO,
    "sued_by_supplier": YES_NO,
    # From our own checks.
    "forged_documents": YES_NO,
    "malicious_default": YES_NO,
}
"""The facts somebody feeds, with the answers each can have: a number, true or false, or one of the words listed."""


@dataclass(frozen=True)
class Fact:
    """Something known about a customer. Amounts in the company's currency, shares as fractions of one.

    `as_of` is the day it was true, None if nobody said; `source` the kind of source. A value of None is not known.
    Raises TypeError for a float or any other kind of value, ValueError for a number that is not finite.
    """

    key: str
    value: Value
    as_of: date | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.value, Decimal | str | bool | None):
            raise TypeError(f"{self.key}: a fact is a Decimal, a word, true or false, not {self.value!r}")
        if isinstance(self.value, Decimal) and not self.value.is_finite():
            raise ValueError(f"{self.key}: {self.value} is not a number")


@dataclass(frozen=True)
class Answer:
    """One question answered: the fact read, its age on the day, the band it fell into, the points it earned.

    `known` is False when `points` are the question's points for an unknown answer; `stale` when that is because of age.
    `band` shows the band as "≤ 0.5", "> 0.7", or the word; empty when unknown.
    """

    group: str
    question: str
    fact: str
    value: Value
    as_of: date | None
    source: str
    age_days: int | None
    points: Decimal
    points_max: Decimal
    known: bool
    stale: bool
    band: str


@dataclass(frozen=True)
class Fired:
    """A veto or cap that applies: the trigger's key, the best grade it leaves, and the fact that set it off."""

    trigger: str
    grade: Grade
    fact: str
    value: Value


@dataclass(frozen=True)
class ScoreSheet:
    """All answers with their total (0 to 100, two decimals), the triggers fired and those nobody could check.

    `coverage` is the share of the points that rest on known answers (fraction of one, four decimals).
    `unchecked` are the triggers whose fact is not known: silence about a veto is not its absence.
    """

    answers: tuple[Answer, ...]
    points: Decimal
    coverage: Decimal
    fired: tuple[Fired, ...]
    unchecked: tuple[str, ...]


def score(policy: Policy, facts: Mapping[str, Fact], today: date) -> ScoreSheet:
    """The score sheet of one customer from its latest fact per key, as of a day (clause B2.3)."""
    answers = tuple(_answers(policy, facts, today))
    known = {key: fact for key, fact in facts.items() if is_known(fact, today)}
    return ScoreSheet(
        answers=answers,
        points=round_half_up(sum((answer.points for answer in answers), Decimal(0))),
        coverage=_coverage(answers),
        fired=tuple(fired for trigger in policy.triggers if (fired := _fire(trigger, known.get(trigger.fact)))),
        unchecked=tuple(each.key for each in policy.triggers if not each.missing and each.fact not in known),
    )


def _answers(policy: Policy, facts: Mapping[str, Fact], today: date) -> Iterator[Answer]:
    for group in policy.scorecard:
        for question in group.questions:
            yield _answer(group, question, facts.get(question.fact, Fact(question.fact, None)), today)


def _answer(group: QuestionGroup, question: Question, fact: Fact, today: date) -> Answer:
    stale = is_known(fact, today) and _is_stale(question, fact, today)
    band = None if stale or not is_known(fact, today) else band_of(question.bands, fact.value)
    return Answer(
        group=group.key,
        question=question.key,
        fact=question.fact,
        value=fact.value,
        as_of=fact.as_of,
        source=fact.source,
        age_days=(today - fact.as_of).days if fact.as_of else None,
        points=band.points if band else question.unknown_points,
        points_max=question.points_max,
        known=band is not None,
        stale=stale,
        band=band_text(question.bands, band) if band else "",
    )


def is_known(fact: Fact, today: date) -> bool:
    """Whether a fact could be known on that day: a later fact must not change what was decided before it."""
    return fact.value is not None and (fact.as_of is None or fact.as_of <= today)


def _is_stale(question: Question, fact: Fact, today: date) -> bool:
    """Whether a fact is older than its question accepts; where age matters, a fact without a day is too old."""
    if question.fresh_days is None:
        return False
    return fact.as_of is None or (today - fact.as_of).days > question.fresh_days


Banded = TypeVar("Banded", Band, Addition)


def band_of(bands: tuple[Banded, ...], value: Value) -> Banded | None:
    """The band a value falls into: the first whose upper bound, itself included, is not below it; or the same word.

    None when no band holds the value, or the value is of the wrong kind.
    """
    return next((band for band in bands if _holds(band, value)), None)


def _holds(band: Band | Addition, value: Value) -> bool:
    if band.value is not None:
        # In Python True == 1, so the kinds are compared too.
        return type(band.value) is type(value) and band.value == value
    return isinstance(value, Decimal) and (band.up_to is None or value <= band.up_to)


def band_text(bands: Sequence[Band | Addition], band: Band | Addition) -> str:
    """The band as people read it: "≤ 0.5", "> 0.7", the word, or "any" for a scale of one band."""
    if band.value is not None:
        return str(band.value).lower() if isinstance(band.value, bool) else band.value
    if band.up_to is not None:
        return f"≤ {band.up_to}"
    bounds = [each.up_to for each in bands if each.up_to is not None]
    return f"> {bounds[-1]}" if bounds else "any"


def _coverage(answers: tuple[Answer, ...]) -> Decimal:
    whole = sum((answer.points_max for answer in answers), Decimal(0))
    known = sum((answer.points_max for answer in answers if answer.known), Decimal(0))
    return round_half_up(known / whole if whole else whole, 4)


def _fire(trigger: Trigger, fact: Fact | None) -> Fired | None:
    """The trigger if it applies to the fact (None: not known). However old the fact, a veto holds until lifted."""
    fires = fact is None if trigger.missing else fact is not None and _sets_off(trigger, fact.value)
    return Fired(trigger.key, trigger.grade, trigger.fact, fact.value if fact else None) if fires else None


def _sets_off(trigger: Trigger, value: Value) -> bool:
    if trigger.more_than is not None:
        return isinstance(value, Decimal) and value > trigger.more_than
    return value == trigger.equals if trigger.equals is not None else value is True
