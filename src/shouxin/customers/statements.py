"""Financial statements as people enter them: a year's figures that must add up, kept as facts (B2.1, domain 1.4)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm
from shouxin.rules import readings, scorecard
from shouxin.rules.readings import Reading

from . import facts
from .models import Customer, Fact, FactMark

FIGURES = (
    "total_assets", "current_assets", "inventory", "intangible_assets", "total_liabilities", "current_liabilities",
    "net_worth", "retained_earnings", "revenue", "profit_before_tax", "net_profit", "interest_expense", "depreciation",
    "deferred_tax", "operating_cash_flow", "market_value",
)  # fmt: skip
REQUIRED = ("total_assets", "current_assets", "total_liabilities", "current_liabilities", "net_worth", "revenue")
YEARS = 3
UNIT = Decimal(1)
Figures = Mapping[str, Decimal | None]


@transaction.atomic
def enter(
    customer: Customer,
    figures: Figures,
    *,
    as_of: date,
    audited: bool,
    by: Person,
    on: date,
    at: datetime,
    note: str = "",
) -> list[Fact]:
    """A year's figures in the company's currency, as of the balance-sheet day; entered anew they replace the old.

    Raises NotYourDuty, and BadForm naming each figure that lacks or does not fit the others.
    """
    posts.require(by, *facts.COLLECTORS, on=on, about=customer, verb="enter_statement", at=at)
    if errors := faults(figures):
        raise BadForm(errors)
    given = {key: value for key, value in figures.items() if value is not None}
    call = {"source": "statement", "as_of": as_of, "by": by, "on": on, "at": at, "note": note}
    rows = [facts.checked(customer.pk, key, value, **call) for key, value in given.items()]  # type: ignore[arg-type]
    rows.append(facts.checked(customer.pk, "statements_audited", audited, **call))  # type: ignore[arg-type]
    Fact.objects.bulk_create(rows)
    trail.record("enter_statement", about=customer, by=by, at=at, as_of=as_of, audited=audited, figures=given)
    return rows


def faults(figures: Figures) -> list[tuple[str, Any]]:
    """(figure, what does not fit): a balance sheet that does not balance says nothing."""
    errors: list[tuple[str, Any]] = [(key, _("is needed")) for key in REQUIRED if figures.get(key) is None]
    known = {key: value for key, value in figures.items() if value is not None}
    if not errors and abs(known["total_assets"] - known["total_liabilities"] - known["net_worth"]) > UNIT:
        gap = known["total_assets"] - known["total_liabilities"] - known["net_worth"]
        errors.append(
            (
                "total_assets",
                _("Assets must equal liabilities plus net worth; %(gap)s is left over.") % {"gap": f"{gap:,.2f}"},
            )
        )
    for part, whole in (
        ("current_assets", "total_assets"),
        ("inventory", "current_assets"),
        ("intangible_assets", "total_assets"),
        ("current_liabilities", "total_liabilities"),
    ):
        if part in known and whole in known and known[part] > known[whole]:
            errors.append((part, _("cannot be more than %(whole)s") % {"whole": facts.name_of(whole)}))
    errors += [
        (key, _("cannot be below 0"))
        for key in (
            "total_assets",
            "current_assets",
            "inventory",
            "revenue",
            "total_liabilities",
            "current_liabilities",
            "intangible_assets",
        )
        if known.get(key, Decimal(0)) < 0
    ]
    return errors


Year = tuple[date, dict[str, scorecard.Fact], dict[str, Reading]]
"""A balance-sheet day, its figures, what they say."""


def years_of(customer: Customer, on: date) -> list[Year]:
    """The last three years known of a customer, oldest first."""
    return years_of_many([customer.pk], on).get(customer.pk, [])


def years_of_many(customers: Iterable[int], on: date) -> dict[int, list[Year]]:
    """Customer id -> its last three years, in one query for all; those without a balance sheet are left out."""
    ended = FactMark.objects.filter(fact=OuterRef("pk"))
    keys = (*FIGURES, "statements_audited")
    rows = Fact.objects.filter(~Exists(ended), customer__in=list(customers), key__in=keys, as_of__lte=on)
    found: dict[int, dict[date, dict[str, scorecard.Fact]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows.order_by("as_of", "id"):
        value = facts.read(row.key, row.value, on)
        if value is not None:
            found[row.customer_id][row.as_of][row.key] = scorecard.Fact(row.key, value, row.as_of, row.source)
    return {customer: years for customer, days in found.items() if (years := _latest(days, on))}


def _latest(days: Mapping[date, dict[str, scorecard.Fact]], on: date) -> list[Year]:
    latest = sorted(day for day, known in days.items() if "total_assets" in known)[-YEARS:]
    return [(day, days[day], {each.key: each for each in readings.readings(days[day], on)}) for day in latest]
