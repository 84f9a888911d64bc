"""From facts to a suggested line in three steps: score sheet, grade, limit; every step kept for whoever asks why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .features import Features, analyse
from .grading import Grading, grade
from .limits import LimitFigures, Suggestion, suggest
from .net_worth_card import Added, additions
from .payment_record import PaymentRecord
from .payment_record import facts as record_facts
from .policy import Grade, Policy
from .readings import Reading, as_facts, readings
from .scorecard import Fact, ScoreSheet, score

OWN_LEDGER = "ledger"
"""The source of facts that come from our own receivables."""


@dataclass(frozen=True)
class Rated:
    """A customer rated: the answers, the steps to the grade, the methods and caps behind the suggested line (B2.1).

    `readings` are the ratios and predictors of its statement, `features` the feature analysis, `additions` the answers
    of the net-worth card.
    """

    sheet: ScoreSheet
    grading: Grading
    suggestion: Suggestion
    readings: tuple[Reading, ...]
    features: Features | None
    additions: tuple[Added, ...]


def rate(
    policy: Policy, known: Mapping[str, Fact], record: PaymentRecord, *, previous: Grade | None, today: date
) -> Rated:
    """Rate a customer from what is known of it and how it has paid; amounts in the company's currency."""
    found, features = readings(known, today), analyse(policy.features, known, today)
    facts = _all(known, found, features, record)
    sheet = score(policy, facts, today)
    clean = clean_months(policy, record)
    grading = grade(policy, sheet, paid_invoices=record.paid_invoices, previous=previous, clean_months=clean)
    added = additions(policy.limits.net_worth_card, facts, today)
    figures = replace(figures_of(policy, facts, record), features=features, additions=added)
    suggestion = suggest(policy, grading.grade, figures, paid_invoices=record.paid_invoices)
    return Rated(sheet, grading, suggestion, found, features, added)


def suggested_under(
    policy: Policy, grade: Grade, known: Mapping[str, Fact], record: PaymentRecord, today: date
) -> Suggestion:
    """What a person's grade, in place of the program's, suggests from the same facts."""
    facts, added_by = facts_known(policy, known, record, today), policy.limits.net_worth_card
    features = analyse(policy.features, known, today)
    figures = replace(figures_of(policy, facts, record), features=features, additions=additions(added_by, facts, today))
    return suggest(policy, grade, figures, paid_invoices=record.paid_invoices)


def facts_known(policy: Policy, known: Mapping[str, Fact], record: PaymentRecord, today: date) -> dict[str, Fact]:
    """All that a rating reads: what was noted, what follows from the statement, feature analysis, our own ledger."""
    return _all(known, readings(known, today), analyse(policy.features, known, today), record)


def _all(
    known: Mapping[str, Fact], found: tuple[Reading, ...], features: Features | None, record: PaymentRecord
) -> dict[str, Fact]:
    share = {"feature_share": _share_fact(features)} if features else {}
    return {**known, **as_facts(found), **share, **facts_of(record)}


def _share_fact(features: Features) -> Fact:
    """As old as the oldest factor it rests on."""
    days = [each.as_of for each in features.factors if each.score is not None and each.as_of]
    return Fact("feature_share", features.share, min(days, default=None), "feedback")


def clean_months(policy: Policy, record: PaymentRecord) -> int:
    """For how many months nothing was paid late: all the months the record looks back, or none."""
    clean = record.late_payments == 0 and record.owing.overdue_amount == 0
    return policy.downgrade.late_payments_months if clean else 0


def facts_of(record: PaymentRecord) -> dict[str, Fact]:
    """The payment record as facts of the day it was drawn up."""
    return {key: Fact(key, value, record.as_of, OWN_LEDGER) for key, value in record_facts(record).items()}


def figures_of(policy: Policy, facts: Mapping[str, Fact], record: PaymentRecord) -> LimitFigures:
    """What the limit methods read: months of sales and collections, and the balance sheet where it is known."""
    months, weights = policy.limits.sales_months, len(policy.limits.collection_weights)
    return LimitFigures(
        monthly_sales=tuple(month.amount for month in record.trade.sales[:months]),
        expected_monthly_sales=_number(facts, "expected_monthly_sales"),
        monthly_collections=tuple(month.amount for month in record.trade.collections[:weights]),
        net_worth=_number(facts, "net_worth"),
        paid_in_capital=_number(facts, "paid_in_capital"),
        current_assets=_number(facts, "current_assets"),
        inventory=_number(facts, "inventory"),
        current_liabilities=_number(facts, "current_liabilities"),
        total_liabilities=_number(facts, "total_liabilities"),
    )


def _number(facts: Mapping[str, Fact], key: str) -> Decimal | None:
    value = facts[key].value if key in facts else None
    return value if isinstance(value, Decimal) else None
