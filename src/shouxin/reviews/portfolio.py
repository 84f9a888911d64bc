"""The year of all customers together (B2.4): moves of grade, what each grade owes, the largest, advice.

Read from the reviews as they stand; kept with the campaign once it is closed. Amounts are in the company's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When
from pydantic import TypeAdapter

from shouxin.customers.models import Customer
from shouxin.office import policies, rates
from shouxin.rules.annual_review import GradeTotal, Reason, advise
from shouxin.rules.money import convert
from shouxin.rules.policy import Policy

from . import facts
from .models import Campaign, Review

ZERO = Decimal("0.00")
TOP = 10


@dataclass(frozen=True)
class Largest:
    """One of the largest customers, by its id: names are read when they are shown, and are gone once erased."""

    customer: int
    grade: str
    amount: Decimal


@dataclass(frozen=True)
class Portfolio:
    """The whole year. `moved`: (grade before, grade after) -> customers; `states` and `actions`: key -> reviews.

    `limits_before` and `limits_after` add up the limits that are amounts; `unmeasured` names currencies without a rate.
    """

    customers: int
    without_line: int
    concerned: int
    reviewed: int
    actions: dict[str, int]
    states: dict[str, int]
    moved: list[tuple[str, str, int]]
    grades: list[GradeTotal]
    limits_before: Decimal
    limits_after: Decimal
    unmeasured: list[str]
    by_sales: list[Largest]
    by_overdue: list[Largest]
    advice: list[Reason]

    @property
    def sales(self) -> Decimal:
        """All sales of the year."""
        return sum((each.sales for each in self.grades), ZERO)

    @property
    def owed(self) -> Decimal:
        """All that is owed on the last day."""
        return sum((each.owed for each in self.grades), ZERO)

    @property
    def overdue(self) -> Decimal:
        """All that is overdue on the last day."""
        return sum((each.overdue for each in self.grades), ZERO)

    @property
    def aged(self) -> Decimal:
        """All that is overdue for more than a year: what may be lost."""
        return sum((each.aged for each in self.grades), ZERO)

    def share(self, amount: Decimal) -> Decimal | None:
        """An amount's share of what is owed."""
        return amount / self.owed if self.owed > 0 else None


PORTFOLIO: TypeAdapter[Portfolio] = TypeAdapter(Portfolio)

AFTER = Case(
    When(request=None, then=F("grade_before")),
    When(request__status="declined", then=F("grade_before")),
    default=F("request__grade"),
    output_field=CharField(),
)
"""The grade after the review: what is asked for, unless it was declined."""


def of(campaign: Campaign) -> Portfolio:
    """The year as it stands, or as it was kept when it was closed."""
    return PORTFOLIO.validate_python(campaign.portfolio) if campaign.portfolio else read(campaign)


def read(campaign: Campaign) -> Portfolio:
    """The year as its reviews stand, in a number of queries that does not grow with them."""
    edition = policies.at(campaign.policy_version)
    rows = Review.objects.filter(campaign=campaign)
    grades = _grades(rows)
    before, after, unmeasured = _limits(rows, campaign, edition.policy)
    customers, concerned = Customer.objects.filter(restricted_on=None).count(), facts.concerned(campaign.last).count()
    return Portfolio(
        customers=customers,
        without_line=customers - concerned,
        concerned=concerned,
        reviewed=sum(each.customers for each in grades),
        actions=_counts(rows, F("action")),
        states=_counts(rows, Case(When(request=None, then=Value("fault")), default=F("request__status"))),
        moved=_moved(rows),
        grades=grades,
        limits_before=before,
        limits_after=after,
        unmeasured=unmeasured,
        by_sales=_largest(rows, "sales_worth"),
        by_overdue=_largest(rows, "overdue_worth"),
        advice=list(advise(edition.policy, grades)),
    )


def _counts(rows: Any, key: Any) -> dict[str, int]:
    told = rows.annotate(key=key).order_by().values("key").annotate(n=Count("pk"))
    return dict(sorted(told.values_list("key", "n")))


def _moved(rows: Any) -> list[tuple[str, str, int]]:
    told = rows.annotate(after=AFTER).order_by().values("grade_before", "after").annotate(n=Count("pk"))
    return sorted(told.values_list("grade_before", "after", "n"))


def _grades(rows: Any) -> list[GradeTotal]:
    told = (
        rows.order_by()
        .values("grade_before")
        .annotate(
            n=Count("pk"), sales=Sum("sales_worth"), owed=Sum("owed_worth"), overdue=Sum("overdue_worth"),
            aged=Sum("aged_worth"), unrated=Count("pk", filter=Q(rating=None)),
        )
        .values_list("grade_before", "n", "unrated", "owed", "overdue", "sales", "aged")
    )  # fmt: skip
    return [GradeTotal(*row) for row in sorted(told)]


def _limits(rows: Any, campaign: Campaign, policy: Policy) -> tuple[Decimal, Decimal, list[str]]:
    """(limits before, limits after, currencies that could not be added)."""
    asked = Q(request__status__in=("open", "approved"))
    told = list(
        rows.order_by()
        .values("line__currency")
        .annotate(
            before=Sum("line__limit"),
            moved=Sum("request__limit", filter=asked),
            kept=Sum("line__limit", filter=~asked | Q(request=None)),
        )
        .values_list("line__currency", "before", "moved", "kept")
    )
    home = policy.company.currency
    known = rates.rates({row[0] for row in told}, on=campaign.last, company_currency=home)
    return (
        _added(told, 1, known),
        _added(told, 2, known) + _added(told, 3, known),
        sorted({row[0] for row in told} - known.keys()),
    )


def _added(told: list[Any], place: int, known: Mapping[str, rates.Rate]) -> Decimal:
    return sum((convert(row[place] or ZERO, known[row[0]].rate) for row in told if row[0] in known), ZERO)


def _largest(rows: Any, name: str) -> list[Largest]:
    found = rows.filter(**{f"{name}__gt": 0}).order_by(f"-{name}", "pk")[:TOP]
    return [Largest(row.customer_id, row.grade_before, getattr(row, name)) for row in found]


def sales_of(campaign: Campaign) -> Decimal:
    """All sales of the year, in the company's currency."""
    return Review.objects.filter(campaign=campaign).aggregate(sum=Sum("sales_worth"))["sum"] or ZERO
