"""What was granted and what of it is used, by grade, industry, region or salesperson (clause C3.4).

One row per group and currency: the lines in force today with their limits, and what stands on the accounts against
them. Added up in the database over the customers the reader sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Count, DecimalField, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from shouxin.credit.models import CreditAccount, Line
from shouxin.office import sight
from shouxin.office.models import Person
from shouxin.rules.industries import INDUSTRIES

By = Literal["grade", "industry", "region", "sales"]
PATHS: dict[By, str] = {
    "grade": "grade",
    "industry": "customer__industry",
    "region": "customer__region",
    "sales": "customer__salesperson__name",
}
_MONEY: Any = DecimalField(max_digits=18, decimal_places=2)
_USED = sum((F(name) for name in ("undelivered", "unbilled", "receivable", "bills")), F("reserved")) - F("deposits")


@dataclass(frozen=True)
class Group:
    """One group in one currency. `limit`: of lines up to an amount; `unlimited`: how many lines have no bound.

    `used`: what stands against the lines. `share` is used of limit, None where nothing is granted.
    """

    key: str
    currency: str
    customers: int
    limit: Decimal
    unlimited: int
    used: Decimal
    expired: int
    name: str = ""

    @property
    def share(self) -> Decimal | None:
        """How much of what was granted is used; None where no amount was granted."""
        return self.used / self.limit if self.limit else None

    def label(self, by: str, language: str) -> str:
        """The group's name for people."""
        if by == "industry" and self.key in INDUSTRIES:
            zh, en = INDUSTRIES[self.key]
            return zh if language.startswith("zh") else en
        return self.key or "—"


def groups(by: By, *, seen_by: Person, on: date) -> list[Group]:
    """Every group of the lines in force, by its key and currency; a line that has run out counts as expired alone."""
    begun = Line.objects.filter(since__lte=on, temporary=False, pool=False)
    latest = begun.order_by("customer", "-since", "-pk").distinct("customer")
    rows = sight.visible(Line.objects.filter(pk__in=latest.values("pk")), seen_by, on=on)
    holds = Q(until=None) | Q(until__gte=on)
    used = CreditAccount.objects.filter(customer=OuterRef("customer"), currency=OuterRef("currency"))
    told = (
        rows.annotate(used=Subquery(used.values(each=_USED)[:1], output_field=_MONEY), key=F(PATHS[by]))
        .order_by()
        .values("key", "currency")
        .annotate(
            customers=Count("pk"),
            granted=Sum("limit", filter=holds & Q(limit_kind="amount")),
            unlimited=Count("pk", filter=holds & Q(limit_kind="unlimited")),
            expired=Count("pk", filter=~holds),
            all_used=Coalesce(Sum("used"), Decimal(0), output_field=_MONEY),
        )
        .order_by("key", "currency")
    )
    return list(_read(told))


def _read(rows: Any) -> Iterator[Group]:
    for row in rows:
        yield Group(row["key"] or "", row["currency"], row["customers"], row["granted"] or Decimal("0.00"),
                    row["unlimited"], row["all_used"], row["expired"])  # fmt: skip
