"""The figures by which receivables are judged (clause C3.5), per currency, on any day, and how they went over a year.

Facts leave the database as sums per day, in six queries whatever the size of the ledger, and are kept where that takes
long (`lib.kept`); the rule (`rules.figures`) makes the figures of them. Receivables are the balance of the ledger:
every invoice and credit note less every receipt. Overdue is what is open past its due date, disputed or not; what is
not due is the rest, so that credits and unapplied money lower it. Credit sales are net of credit notes, with tax;
opening items are no sales.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from pydantic import TypeAdapter

from shouxin.credit.exposure import EFFECT
from shouxin.credit.models import CreditAccount, Line, Posting
from shouxin.customers.models import Customer
from shouxin.lib import kept
from shouxin.office import sight
from shouxin.office.models import Person
from shouxin.receivables.models import Instalment, Invoice, Match, Receipt
from shouxin.rules import figures as rule
from shouxin.rules.figures import Figure, MonthSales
from shouxin.rules.line import Limit
from shouxin.rules.policy import Policy

ZERO = Decimal(0)
MONTHS = 36
"""How many months counting back may use up."""
TREND = 12


@dataclass(frozen=True)
class Series:
    """Amounts by day, ready to be summed up to any day."""

    days: Sequence[date] = ()
    sums: Sequence[Decimal] = ()

    @classmethod
    def of(cls, amounts: dict[date, Decimal]) -> "Series":
        """From amount by day, in any order."""
        days = sorted(amounts)
        return cls(days, list(accumulate(amounts[day] for day in days)))

    def until(self, day: date) -> Decimal:
        """The sum of everything up to the close of the day."""
        place = bisect_right(self.days, day)
        return self.sums[place - 1] if place else ZERO

    def between(self, after: date, until: date) -> Decimal:
        """The sum of what came later than `after`, up to the close of `until`."""
        return self.until(until) - self.until(after)


@dataclass(frozen=True)
class Ledger:
    """The receivables of one currency as series of days: everything the figures are made of.

    `late` gains what falls overdue on a day and loses what of it is settled; `ages` are sums of what is overdue by
    days overdue; `exposure` and `limit` are of the customers who have a limit.
    """

    currency: str
    sales: Series = field(default_factory=Series)
    charged: Series = field(default_factory=Series)
    received: Series = field(default_factory=Series)
    late: Series = field(default_factory=Series)
    ages: Sequence[tuple[Decimal, int]] = ()
    exposure: Decimal = ZERO
    limit: Limit = field(default_factory=Limit.unset)

    def balance(self, day: date) -> Decimal:
        """What was owed at the close of a day; below zero where customers had paid too much."""
        return self.charged.until(day) - self.received.until(day)


# --- facts ---------------------------------------------------------------------------------------


def ledgers(seen: Q, *, as_of: date) -> list[Ledger]:
    """The ledgers of the customers that satisfy `seen`, one for each currency, in order of currency."""
    ids = None if not seen else list(Customer.objects.filter(seen).values_list("pk", flat=True))
    charged = _by_day(Invoice, "dated_on", ids, as_of)
    sales = _by_day(Invoice, "dated_on", ids, as_of, ~Q(kind="opening") & ~Q(reverses__kind="opening"))
    received = _by_day(Receipt, "received_on", ids, as_of)
    late, ages = _late(ids, as_of), _ages(ids, as_of)
    used = _utilisation(ids, as_of)
    return [
        Ledger(
            currency,
            Series.of(sales[currency]),
            Series.of(charged[currency]),
            Series.of(received[currency]),
            Series.of(late[currency]),
            ages[currency],
            *used.get(currency, (ZERO, Limit.unset())),
        )
        for currency in sorted({*charged, *received, *used})
    ]


# --- told at once while that is quick, else as they were kept -------------------------------------


@dataclass(frozen=True)
class Told:
    """The ledgers on a day, worked out `at`; None while they are for the first time. `live`: read from the books."""

    ledgers: list[Ledger] | None
    as_of: date
    at: datetime
    live: bool


_LEDGERS = TypeAdapter(list[Ledger])


def told(*, seen_by: Person, as_of: date, today: date, at: datetime) -> Told:
    """The ledgers of the customers she sees, never later than a reader waits.

    What was kept about yesterday is told as today's until the worker has the new one: it names its own day.
    """
    person = seen_by.pk if sight.customers_seen_by(seen_by, today) else None
    day = "today" if as_of == today else as_of.isoformat()
    asked = {"person": person, "as_of": as_of.isoformat(), "today": today.isoformat()}
    found = kept.read(f"{__name__}.ledgers_kept", scope=f"{person or 'all'}:{day}", at=at, **asked)
    if found.content is None:
        return Told(None, as_of, found.at, live=False)
    ledgers = _LEDGERS.validate_python(found.content["ledgers"])
    return Told(ledgers, date.fromisoformat(found.content["as_of"]), found.at, found.live)


def ledgers_kept(person: int | None, as_of: str, today: str) -> dict[str, Any]:
    """The ledgers as plain values, with their day."""
    seen = sight.customers_seen_by(Person.objects.get(pk=person), date.fromisoformat(today)) if person else Q()
    found = ledgers(seen, as_of=date.fromisoformat(as_of))
    return {"as_of": as_of, "ledgers": _LEDGERS.dump_python(found, mode="json")}


# --- facts from the database ---------------------------------------------------------------------


Days = dict[str, dict[date, Decimal]]


def _by_day(
    model: type[Invoice | Receipt], day: str, ids: list[int] | None, as_of: date, only: Q | None = None
) -> Days:
    rows = model.objects.filter(only or Q(), **{f"{day}__lte": as_of})
    if ids is not None:
        rows = rows.filter(customer__in=ids)
    found: Days = defaultdict(dict)
    for currency, on, amount in rows.order_by().values_list("currency", day).annotate(sum=Sum("amount")):
        found[currency][on] = amount
    return found


_TABLES = {model.__name__.lower(): model._meta.db_table for model in (Instalment, Invoice, Match)}

_LATE = """
SELECT currency, day, sum(amount) FROM (
    SELECT v.currency, greatest(COALESCE(i.due_on, v.dated_on) + 1, v.dated_on) AS day, i.amount
    FROM {instalment} i JOIN {invoice} v ON v.id = i.invoice_id WHERE i.amount > 0 {customers}
    UNION ALL
    SELECT v.currency, greatest(COALESCE(i.due_on, v.dated_on) + 1, v.dated_on, m."on"), -m.amount
    FROM {match} m JOIN {instalment} i ON i.id = m.instalment_id JOIN {invoice} v ON v.id = i.invoice_id
    WHERE i.amount > 0 {customers}
) AS events WHERE day <= %(as_of)s GROUP BY currency, day
"""

_AGES = """
SELECT v.currency, sum(i.amount - COALESCE(paid.amount, 0)), %(as_of)s::date - COALESCE(i.due_on, v.dated_on)
FROM {instalment} i JOIN {invoice} v ON v.id = i.invoice_id
LEFT JOIN LATERAL (
    SELECT sum(m.amount) AS amount FROM {match} m WHERE m.instalment_id = i.id AND m."on" <= %(as_of)s
) AS paid ON true
WHERE i.amount > 0 AND v.dated_on <= %(as_of)s AND COALESCE(i.due_on, v.dated_on) < %(as_of)s
  AND (i.settled < i.amount OR i.settled_on > %(as_of)s) {customers}
GROUP BY 1, 3 HAVING NOT sum(i.amount - COALESCE(paid.amount, 0)) = 0
"""


def _late(ids: list[int] | None, as_of: date) -> Days:
    """Currency -> day -> what fell overdue on it less what was settled of overdue items."""
    found: Days = defaultdict(dict)
    for currency, day, amount in _read(_LATE, ids, as_of):
        found[currency][day] = amount
    return found


def _ages(ids: list[int] | None, as_of: date) -> dict[str, list[tuple[Decimal, int]]]:
    """Currency -> (open amount, days overdue) of what is overdue on the day."""
    found: dict[str, list[tuple[Decimal, int]]] = defaultdict(list)
    for currency, amount, days in _read(_AGES, ids, as_of):
        found[currency].append((amount, days))
    return found


def _read(text: str, ids: list[int] | None, as_of: date) -> list[tuple]:  # type: ignore[type-arg]
    only = "" if ids is None else "AND i.customer_id = ANY(%(customers)s)"
    with connection.cursor() as cursor:
        cursor.execute(text.format(**_TABLES, customers=only), {"as_of": as_of, "customers": ids})
        return list(cursor.fetchall())


_UTILISATION = """
WITH held AS (
    SELECT DISTINCT ON (customer_id) customer_id, currency, limit_kind, "limit" FROM {line}
    WHERE since <= %(as_of)s AND NOT temporary AND NOT pool {lines_of} ORDER BY customer_id, since DESC, id DESC
), used AS (
    SELECT a.customer_id, a.currency, sum({effect}) AS amount
    FROM {posting} p JOIN {account} a ON a.id = p.account_id WHERE p."on" <= %(as_of)s {accounts_of} GROUP BY 1, 2
)
SELECT held.currency, COALESCE(sum(used.amount), 0), sum(held."limit")
FROM held LEFT JOIN used USING (customer_id, currency) WHERE held.limit_kind = 'amount' GROUP BY held.currency
"""


def _utilisation(ids: list[int] | None, as_of: date) -> dict[str, tuple[Decimal, Limit]]:
    """Currency -> exposure and limits of the customers whose line in force is bounded by an amount.

    Exposure at the close of the day comes from the journal; deposits lower it.
    """
    of = {"lines_of": "", "accounts_of": ""}
    if ids is not None:
        mine = "customer_id = ANY(%(customers)s)"
        of = {"lines_of": f"AND {mine}", "accounts_of": f"AND a.{mine}"}
    names = {
        "effect": EFFECT,
        "line": Line._meta.db_table,
        "posting": Posting._meta.db_table,
        "account": CreditAccount._meta.db_table,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UTILISATION.format(**names, **of), {"as_of": as_of, "customers": ids})
        return {currency: (used, Limit.of(limit)) for currency, used, limit in cursor.fetchall()}


# --- figures -------------------------------------------------------------------------------------


def figures(policy: Policy, ledger: Ledger, *, as_of: date) -> list[Figure]:
    """Every figure of one currency on a day. Days, periods and the year are the policy's."""
    period, year = policy.figures.period_days, policy.figures.year_days
    year_began = as_of - timedelta(days=year)
    closing, sales_of_year = ledger.balance(as_of), ledger.sales.between(year_began, as_of)
    opening_of_year = ledger.balance(year_began)
    return [
        *_days_of_sales(ledger, as_of, period),
        _effectiveness(ledger, as_of, period),
        rule.turnover(sales_of_year, opening_of_year, closing),
        rule.turnover_days(sales_of_year, opening_of_year, closing, year),
        rule.limit_utilisation(ledger.exposure, ledger.limit),
        rule.weighted_overdue_days(ledger.ages),
    ]


def _days_of_sales(ledger: Ledger, day: date, period: int) -> list[Figure]:
    """The figures that can be followed month by month."""
    closing, overdue = ledger.balance(day), ledger.late.until(day)
    sales = ledger.sales.between(day - timedelta(days=period), day)
    return [
        rule.simple_dso(closing, sales, period),
        rule.countback_dso(closing, months_back(ledger.sales, day)),
        rule.best_possible_dso(closing - overdue, sales, period),
        rule.average_days_delinquent(closing, closing - overdue, sales, period),
        rule.overdue_ratio(overdue, closing),
    ]


def _effectiveness(ledger: Ledger, day: date, period: int) -> Figure:
    began = day - timedelta(days=period)
    closing = ledger.balance(day)
    not_due = closing - ledger.late.until(day)
    return rule.collection_effectiveness(ledger.balance(began), ledger.sales.between(began, day), closing, not_due)


def months_back(sales: Series, day: date) -> list[MonthSales]:
    """Sales by calendar month, the newest first; the month of the day counts up to the day itself."""
    months, until = [], day
    for _each in range(MONTHS):
        before = until.replace(day=1) - timedelta(days=1)
        months.append(MonthSales(sales.between(before, until), (until - before).days))
        until = before
    return months


def month_ends(as_of: date) -> list[date]:
    """The last days of the months before, oldest first, and the day itself: TREND days in all."""
    ends, day = [as_of], as_of
    while len(ends) < TREND:
        day = day.replace(day=1) - timedelta(days=1)
        ends.append(day)
    return ends[::-1]


def trend(policy: Policy, ledger: Ledger, *, as_of: date) -> list[tuple[date, dict[str, Decimal | None]]]:
    """How DSO and its family and the overdue ratio went: (day, figure's key -> value) for TREND days."""
    period = policy.figures.period_days
    return [
        (day, {figure.key: figure.value for figure in _days_of_sales(ledger, day, period)}) for day in month_ends(as_of)
    ]
