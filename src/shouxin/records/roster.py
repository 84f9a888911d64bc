"""The list of customers: whom she may see, narrowed by her questions, each with its position of the day."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any

from django.db.models import Case, DecimalField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import GRADE_CHOICES, CreditAccount, Line
from shouxin.customers import search
from shouxin.customers.models import Customer, Standing, StandingKind
from shouxin.lib import sheets
from shouxin.lib.lists import Batch, Column, Listing
from shouxin.lib.paging import Page
from shouxin.lib.questions import Ask
from shouxin.office import rates
from shouxin.office.models import ExchangeRate, Person
from shouxin.receivables.models import Instalment
from shouxin.rules.industries import INDUSTRIES
from shouxin.rules.policy import Policy

from . import labels
from .positions import Position, positions

EXPORT_CHUNK = 500
MONEY = DecimalField(max_digits=18, decimal_places=2)
ZERO = Value(Decimal(0), output_field=MONEY)


class Roster(Listing):
    """A `Listing` of customers whose rows carry `.position`; positions are read for the rows shown, all at once."""

    sum_max = 500  # what a customer owes is added up from its papers

    def __init__(
        self, request: HttpRequest, seen_by: Q, *, policy: Policy, on: date, batch: Sequence[Batch] = ()
    ) -> None:
        self._policy, self._on = policy, on
        rows = Customer.objects.filter(seen_by, restricted_on=None).select_related("salesperson").defer("search_keys")
        super().__init__(
            request,
            _annotated(rows, request.GET.get("sort", ""), policy, on),
            COLUMNS,
            asks(seen_by, policy, on),
            key="customers",
            order="code",
            batch=batch,
            title=_("Customers"),
        )

    @cached_property
    def page(self) -> Page:
        """The rows of this page, each with its position."""
        found = super().page
        self._place(found.rows)
        return found

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Sums in the company's currency over every matching row, read from the same annotations people sort by."""
        if self.totals_address:
            return {}
        rows = _annotated(self.matching.order_by(), "limit_now used_now overdue_now", self._policy, self._on)
        found = rows.aggregate(limit=Sum("limit_now"), used=Sum("used_now"), overdue=Sum("overdue_now"))
        return {name: value or Decimal(0) for name, value in found.items()}

    def _file(self) -> HttpResponseBase:
        """Every matching row, positions read some hundred at a time."""
        name = f"{self.key}-{timezone.localdate():%Y%m%d}"
        written = sheets.to_csv if self.query.get("export") == "csv" else sheets.to_xlsx
        return written(self.columns, self._placed(self.matching), name)

    def _placed(self, rows: QuerySet[Customer]) -> Iterator[Customer]:
        stream = rows.iterator(EXPORT_CHUNK)
        while chunk := list(islice(stream, EXPORT_CHUNK)):
            self._place(chunk)
            yield from chunk

    def _place(self, rows: Sequence[Any]) -> None:
        found = positions(rows, policy=self._policy, on=self._on)
        for row in rows:
            row.position = found[row.pk]


# --- what is asked of the database ---------------------------------------------------------------


def _annotated(rows: QuerySet[Customer], wanted: str, policy: Policy, on: date) -> QuerySet[Customer]:
    """The sums somebody sorts or totals by, in the company's currency; nothing is computed that nobody asked for."""
    made = {"limit_now": _limit_now, "used_now": _used_now, "overdue_now": _overdue_now}
    asked = [name for name in made if name in wanted and name not in rows.query.annotations]
    worth = _worth(policy, on) if asked else {}
    return rows.annotate(**{name: made[name](worth, on) for name in asked})


def _worth(policy: Policy, on: date) -> dict[str, Decimal]:
    company = policy.company.currency
    codes = {company, *ExchangeRate.objects.values_list("currency", flat=True).distinct()}
    return {code: found.rate for code, found in rates.rates(codes, on=on, company_currency=company).items()}


def _converted(amount: Any, currency: str, worth: dict[str, Decimal]) -> Any:
    """An amount in the company's currency; one without a rate counts as nothing here and is marked in its row."""
    cases = [When(**{currency: code}, then=Value(rate, output_field=MONEY)) for code, rate in sorted(worth.items())]
    return amount * Case(*cases, default=ZERO, output_field=DecimalField(max_digits=18, decimal_places=8))


def _line_now(on: date) -> QuerySet[Line]:
    """The line in force of the customer in the outer query."""
    rows = Line.objects.filter(customer=OuterRef("pk"), temporary=False, pool=False, since__lte=on)
    return rows.order_by("-since", "-pk")


def _limit_now(worth: dict[str, Decimal], on: date) -> Any:
    limit = _converted(F("limit"), "currency", worth)
    return Subquery(_line_now(on).annotate(worth=limit).values("worth")[:1], output_field=MONEY)


_TOTAL = F("reserved") + F("undelivered") + F("unbilled") + F("receivable") + F("bills") - F("deposits")


def _used_now(worth: dict[str, Decimal], on: date) -> Any:
    accounts = CreditAccount.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
    sums = accounts.annotate(worth=Sum(_converted(_TOTAL, "currency", worth))).values("worth")
    return Coalesce(Subquery(sums, output_field=MONEY), ZERO)


def _overdue(on: date) -> QuerySet[Instalment]:
    """Open, uncontested instalments past due, as `receivables.owed.overdue_of` counts them."""
    late = Q(due_on__lt=on) | Q(due_on=None, invoice__dated_on__lt=on)
    rows = Instalment.objects.filter(late, customer=OuterRef("pk"), amount__gt=F("settled") + F("contested"))
    return rows.exclude(settled=F("amount"))


def _overdue_now(worth: dict[str, Decimal], on: date) -> Any:
    left = _converted(F("amount") - F("settled") - F("contested"), "invoice__currency", worth)
    sums = _overdue(on).order_by().values("customer").annotate(worth=Sum(left)).values("worth")
    return Coalesce(Subquery(sums, output_field=MONEY), ZERO)


# --- questions -----------------------------------------------------------------------------------


def asks(seen_by: Q, policy: Policy, on: date) -> tuple[Ask, ...]:
    """The questions of the query form; who sells is asked among those whose customers she sees."""
    return (
        Ask("q", _("Customer"), where=search.among,
            placeholder=_("Name, pinyin, initials or code")),
        Ask("grade", _("Grade"), "select", _of_grade(on), GRADE_CHOICES),
        Ask("standing", _("Standing"), "select", _of_standing(on), StandingKind.choices),
        Ask("flag", _("Attention"), "select", _flagged(policy, on), FLAGS),
        Ask("salesperson", _("Salesperson"), "select", "salesperson", lambda: salespeople(seen_by)),
        Ask("industry", _("Industry"), "select", "industry", industries),
        Ask("department", _("Department"), where="department__icontains"),
    )  # fmt: skip


FLAGS = (
    ("over", _("Over the limit")),
    ("overdue", _("Overdue")),
    ("no_line", _("No line yet")),
    ("expired", _("Line run out")),
)


def industries() -> list[tuple[str, str]]:
    """The sections of GB/T 4754 in the reader's language."""
    place = 0 if (get_language() or "").startswith("zh") else 1
    return [(code, f"{code} {names[place]}") for code, names in INDUSTRIES.items()]


def salespeople(seen_by: Q) -> list[tuple[int, str]]:
    """Everybody who looks after a customer she sees, by name.

    Each way of seeing a customer is asked about by itself, so that it is answered by its own index.
    """
    ways = [Q(each) for each in seen_by.children] if seen_by.connector == Q.OR else [seen_by]
    whose = [Q(Exists(Customer.objects.filter(way, salesperson=OuterRef("pk")))) for way in ways]
    rows = Person.objects.filter(reduce(or_, whose))
    return [(each.pk, str(each)) for each in rows.order_by("name", "username").only("name", "username")]


def _of_grade(on: date) -> Any:
    return lambda rows, grade: rows.annotate(grade_now=Subquery(_line_now(on).values("grade")[:1])).filter(
        grade_now=grade
    )


def _of_standing(on: date) -> Any:
    def narrowed(rows: Any, standing: str) -> Any:
        latest = Standing.objects.filter(customer=OuterRef("pk"), since__lte=on).order_by("-id").values("standing")
        group = (
            Standing.objects.filter(customer=OuterRef("group_head"), since__lte=on).order_by("-id").values("standing")
        )
        found = rows.annotate(
            own=Coalesce(Subquery(latest[:1]), Value("good")), heads=Coalesce(Subquery(group[:1]), Value("good"))
        )
        if standing == StandingKind.BLACKLISTED:
            return found.filter(Q(own=standing) | Q(heads=standing))
        return found.filter(own=standing).exclude(heads=StandingKind.BLACKLISTED)

    return narrowed


def _flagged(policy: Policy, on: date) -> Any:
    def narrowed(rows: Any, flag: str) -> Any:
        if flag == "overdue":
            return rows.filter(Exists(_overdue(on)))
        kind = Subquery(_line_now(on).values("limit_kind")[:1])
        if flag == "no_line":
            return rows.annotate(kind_now=kind).filter(Q(kind_now=None) | Q(kind_now="unset"))
        if flag == "expired":
            return rows.annotate(until_now=Subquery(_line_now(on).values("until")[:1])).filter(until_now__lt=on)
        measured = _annotated(rows.annotate(kind_now=kind), "limit_now used_now", policy, on)
        held = Coalesce(F("limit_now"), ZERO) + _temporary(policy, on)
        return measured.exclude(kind_now="unlimited").filter(used_now__gt=held)

    return narrowed


def _temporary(policy: Policy, on: date) -> Any:
    """The temporary limits of the day in the company's currency."""
    window = Line.objects.filter(
        Q(until=None) | Q(until__gte=on), customer=OuterRef("pk"), temporary=True, since__lte=on
    )
    worth = _converted(F("limit"), "currency", _worth(policy, on))
    sums = window.order_by().values("customer").annotate(worth=Sum(worth)).values("worth")
    return Coalesce(Subquery(sums, output_field=MONEY), ZERO)


# --- columns -------------------------------------------------------------------------------------


def _place(row: Any) -> Position:
    position: Position = row.position
    return position


def address(row: Customer) -> str:
    """The customer's file."""
    return reverse("customers:file", args=[row.pk])


def _bound(kind: str, amount: Decimal | None) -> Any:
    return amount if kind == "amount" else Decimal(0) if kind == "none" else None


def _limit(row: Any) -> Any:
    limit = _place(row).limit
    return _bound(limit.kind, limit.amount)


def _limit_words(row: Any) -> Any:
    """The kind of limit where it is no plain amount."""
    position = _place(row)
    if position.expired:
        return _("Run out"), "red"
    kind = position.limit.kind
    return ("", "grey") if kind == "amount" else (labels.limit_word(kind), "grey" if kind == "unset" else "purple")


def _available(row: Any) -> Any:
    room = _place(row).available
    return _bound(room.kind, room.amount)


COLUMNS = (
    Column("name", _("Customer"), sort="name", link=address),
    Column("code", _("Code"), sort="code"),
    Column("grade", _("Grade"), "grade", "position.grade"),
    Column("standing", _("Standing"), "status", lambda row: labels.standing_status(_place(row).standing)),
    Column("limit", _("Limit"), "amount", _limit, "limit_now", "limit_now", currency="position.currency",
           dear=True),
    Column("kind", _("Kind of limit"), "status", _limit_words),
    Column("used", _("Used"), "amount", "position.used", "used_now", "used_now", currency="position.currency",
           dear=True),
    Column("available", _("Available"), "amount", _available, currency="position.currency"),
    Column("overdue", _("Overdue, undisputed"), "amount", "position.overdue", "overdue_now", "overdue_now",
           currency="position.currency", dear=True),
    Column("oldest", _("Oldest, days"), "number", lambda row: _place(row).oldest_days or None),
    Column("salesperson", _("Salesperson"), value="salesperson"),
    Column("department", _("Department"), sort="department"),
    Column("industry", _("Industry"), value=lambda row: row.get_industry_display(), hidden=True),
    Column("region", _("Region"), hidden=True),
    Column("customer_since", _("Customer since"), "date", sort="customer_since", hidden=True),
)  # fmt: skip
