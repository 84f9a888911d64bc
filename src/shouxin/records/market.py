"""The recommended list and the opportunities for sales (A8, C3.7): facts set-based, the rule for each, words.

For internal use alone: who gives credit evaluations to others is a credit bureau (征信业管理条例).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from shouxin.credit import grade_reviews
from shouxin.credit.models import CreditAccount, Line, Rating
from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import rates
from shouxin.receivables.models import Contest, Instalment, Invoice
from shouxin.rules import market
from shouxin.rules.line import Limit
from shouxin.rules.market import Record
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, Policy

ZERO = Decimal("0.00")
ALIKE_NAMED = 3
_PAID = """
SELECT i.customer_id, min(v.dated_on), max(v.dated_on),
    count(*) FILTER (WHERE i.settled = i.amount),
    max(COALESCE(i.settled_on, %(on)s)) FILTER (WHERE COALESCE(i.settled_on, %(on)s) > COALESCE(i.due_on, v.dated_on)
        AND (i.settled = i.amount OR i.amount > i.settled + i.contested)
        AND NOT EXISTS (SELECT 1 FROM {contest} c WHERE c.instalment_id = i.id)),
    bool_or(i.amount > i.settled + i.contested AND COALESCE(i.due_on, v.dated_on) < %(on)s),
    bool_or(i.contested > 0 AND i.settled <> i.amount)
FROM {instalment} i JOIN {invoice} v ON v.id = i.invoice_id
WHERE i.customer_id = ANY(%(customers)s) AND i.amount > 0 AND v.dated_on <= %(on)s GROUP BY i.customer_id
"""
_TABLES = {model.__name__.lower(): model._meta.db_table for model in (Contest, Instalment, Invoice)}


@dataclass(frozen=True)
class Unit:
    """A customer with its record; `currency` is that of its line."""

    customer: Customer
    record: Record
    currency: str
    policy: Policy

    @property
    def grade(self) -> str:
        """The grade its line was given under, "" where there is none."""
        return self.record.grade or ""

    @property
    def room(self) -> Decimal | None:
        """What is left of its line; None where it has no bound."""
        bound = self.record.limit.bound
        return None if bound is None else max(ZERO, bound - self.record.used)

    @cached_property
    def why(self) -> str:
        """Each condition of the list with what was found, in words."""
        return "；".join(reason_words(self.policy, self.record))


def units(seen_by: Q, *, policy: Policy, on: date) -> list[Unit]:
    """Every customer of these, by code, with its record on the day; eight queries for any number of customers."""
    rows = Customer.objects.filter(seen_by, restricted_on=None).select_related("salesperson").defer("search_keys")
    customers = list(rows.order_by("code"))
    ids = [each.pk for each in customers]
    lines, ratings, paid = _lines(ids, on), _ratings(ids, on), _paid(ids, on)
    standings, accounts = standing.effective(customers, on), _accounts(ids)
    codes = {line.currency for line in lines.values()} | {code for found in accounts.values() for code in found}
    known = rates.rates(codes, on=on, company_currency=policy.company.currency)
    worth = {code: found.rate for code, found in known.items()}
    return [
        _unit(each, lines.get(each.pk), ratings.get(each.pk), paid.get(each.pk), standings[each.pk],
              accounts.get(each.pk, {}), worth, policy, on)
        for each in customers
    ]  # fmt: skip


def _lines(ids: list[int], on: date) -> dict[int, Line]:
    begun = Line.objects.filter(customer__in=ids, since__lte=on, temporary=False, pool=False)
    return {row.customer_id: row for row in begun.order_by("customer", "-since", "-pk").distinct("customer")}


def _ratings(ids: list[int], on: date) -> dict[int, Rating]:
    waits = Q(review=None) | Q(review__status="confirmed")
    rows = Rating.objects.filter(waits, customer__in=ids, as_of__lte=on).select_related("review").defer("sheet")
    return {row.customer_id: row for row in rows.order_by("customer", "-pk").distinct("customer")}


def _accounts(ids: list[int]) -> dict[int, dict[str, Decimal]]:
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    buckets = ("reserved", "undelivered", "unbilled", "receivable", "bills", "deposits")
    for customer, currency, *parts in CreditAccount.objects.filter(customer__in=ids).values_list(
        "customer", "currency", *buckets
    ):
        found[customer][currency] = sum(parts[:-1], ZERO) - parts[-1]
    return found


def _paid(ids: list[int], on: date) -> dict[int, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_PAID.format(**_TABLES), {"customers": ids, "on": on})
        return {row[0]: tuple(row[1:]) for row in cursor.fetchall()}


def _unit(
    customer: Customer, line: Line | None, rating: Rating | None, paid: tuple[Any, ...] | None, where: str,
    accounts: Mapping[str, Decimal], worth: Mapping[str, Decimal], policy: Policy, on: date,
) -> Unit:  # fmt: skip
    first, last, count, late, overdue, contested = paid or (None, None, 0, None, False, False)
    currency = line.currency if line else customer.currency
    used = sum((_in(amount, code, currency, worth) for code, amount in accounts.items() if amount), ZERO)
    graded = grade_reviews.bites(rating) if rating else None
    ended = line is not None and line.until is not None and line.until < on
    since = min((day for day in (first, customer.customer_since) if day), default=None)
    record = Record(
        standing=where,
        grade=Grade(line.grade) if line and line.grade else None,
        limit=Limit(line.limit_kind, line.limit) if line and not ended else Limit("unset"),
        used=used,
        months=_months(since, on) or 0,
        clean_months=_months(late or first, on),
        paid_invoices=count,
        overdue=bool(overdue),
        contested=bool(contested),
        last_invoice_on=last,
        quiet_months=_months(last, on),
        rating=Grade(graded.grade) if graded else None,
        score=rating.score if rating else None,
    )
    return Unit(customer, record, currency, policy)


def _in(amount: Decimal, source: str, target: str, worth: Mapping[str, Decimal]) -> Decimal:
    """An amount in another currency; where a rate is missing it takes all the room, so that none is promised."""
    if source == target:
        return amount
    known = {source, target} <= worth.keys()
    return convert(amount, worth[source] / worth[target]) if known else Decimal("9999999999999")


def _months(since: date | None, on: date) -> int | None:
    """Whole months from a day to another."""
    if since is None:
        return None
    return max(0, (on.year - since.year) * 12 + on.month - since.month - (on.day < since.day))


# --- the two lists -------------------------------------------------------------------------------


def recommended(found: Iterable[Unit]) -> list[Unit]:
    """The units whose record meets every condition of the policy (A8), the longest clean record first."""
    good = [each for each in found if market.recommended(each.policy, each.record)]
    return sorted(good, key=lambda each: (each.grade, -(each.record.clean_months or 0)))


@dataclass(frozen=True)
class Chance:
    """An opportunity as a line of the list: which, with whom, what it is worth, in words."""

    kind: str
    unit: Unit
    amount: Decimal | None
    words: str

    @property
    def customer(self) -> Customer:
        """With whom."""
        return self.unit.customer

    @property
    def currency(self) -> str:
        """The currency of the amount."""
        return self.unit.currency


def chances(found: Iterable[Unit]) -> list[Chance]:
    """Unused room, upgrade candidates, and quiet customers or prospects that are like good payers (C3.7)."""
    found = list(found)
    own = [
        Chance(each.kind, unit, each.amount or None, _words(each))
        for unit in found
        for each in market.opportunities(unit.policy, unit.record)
    ]
    return own + list(_alike(found))


def _words(each: market.Opportunity) -> str:
    if each.kind == "headroom":
        return _("The unused part of the line.")
    missing = [_("%(points)s points") % {"points": f"{each.points:f}"}] if each.points else []
    missing += [_("%(months)s months without a late payment") % {"months": each.months}] if each.months else []
    told = {"grade": each.to, "missing": ", ".join(missing)}
    return _("To grade %(grade)s there lack: %(missing)s.") % told if missing else _(
        "Nothing lacks for grade %(grade)s: rate it again and ask for the line."
    ) % told  # fmt: skip


def _alike(found: list[Unit]) -> Iterable[Chance]:
    """Quiet customers and prospects in the industry and region of good payers."""
    good: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in recommended(found):
        good[each.customer.industry, each.customer.region].append(each.customer.name)
    for unit in found:
        like = good.get((unit.customer.industry, unit.customer.region), [])
        if unit.customer.industry and like and market.quiet(unit.policy, unit.record):
            names = "、".join(like[:ALIKE_NAMED])
            words = _("Same industry and region as %(count)s good payers: %(names)s.")
            yield Chance("alike", unit, None, words % {"count": len(like), "names": names})


def reason_words(policy: Policy, record: Record) -> list[str]:
    """The conditions of the list that are met, each with what was found."""
    words = {
        "standing": _("in good standing"),
        "grade": _("grade %(found)s"),
        "months": _("a customer for %(found)s months"),
        "clean_months": _("%(found)s months without a late payment"),
        "paid_invoices": _("%(found)s invoices paid"),
        "no_overdue": _("nothing overdue"),
        "no_dispute": _("no dispute"),
    }
    return [words[each.code] % {"found": each.found} for each in market.reasons(policy, record) if each.met]
