"""Lines: what we trust a customer with from a day on. Rows are only ever added; the latest that has begun holds.

A line that takes away stands again on each later day for which something better was signed before it: what was planned
in better days never undoes a cut (B2.5).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.customers.models import Customer
from shouxin.lib.statements import Reply, array, ask
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.rules import line as rule
from shouxin.rules.line import Limit
from shouxin.rules.money import round_down_to
from shouxin.rules.policy import Discount, Grade, Policy
from shouxin.rules.securities import Security

from . import models
from .models import Line, Terms

ZERO = Decimal("0.00")
UNSET = Limit.unset()

LINE_CAUSES = {
    "request": _("Signed request"),
    "downgrade": _("Downgrade for late payment"),
    "import": _("Taken over by import"),
    "annual": _("Periodic review"),
}
"""What a line came of, in words."""

TOO_FAR_AHEAD = _("At most %(days)s days ahead.")


@dataclass(frozen=True)
class InForce:
    """What holds for a customer on a day: the line (None: nothing was decided), temporary limits, the group's pool."""

    line: Line | None = None
    temporary: tuple[Line, ...] = ()
    pool: Line | None = None

    @property
    def limit(self) -> Limit:
        """The line's own limit; `unset` where there is no line."""
        return Limit(self.line.limit_kind, self.line.limit) if self.line else Limit("unset")

    @property
    def temporary_limit(self) -> Decimal:
        """The temporary limits of the day in the line's currency, added up; a cut to no credit that was signed after
        them ends them."""
        cut = self.line.pk if self.line and self.line.limit_kind == "none" else 0
        counted = [each for each in self.temporary if each.pk > cut]
        if self.line:
            counted = [each for each in counted if each.currency == self.line.currency]
        return sum((each.limit or ZERO for each in counted), ZERO)

    @property
    def grade(self) -> Grade | None:
        """The grade the line was given under, or None."""
        return Grade(self.line.grade) if self.line and self.line.grade else None


@dataclass
class _Found:
    line: Line | None = None
    pool: Line | None = None
    temporary: list[Line] = field(default_factory=list)


def in_force(customers: Iterable[int], *, on: date) -> dict[int, InForce]:
    """Customer id -> what holds on the day, in one query for any number of customers.

    An expired line is still answered: that it has run out is a reason of the order check, not an absence.
    """
    wanted = set(customers)
    found: dict[int, _Found] = defaultdict(_Found)
    begun = Line.objects.filter(customer__in=wanted, since__lte=on)
    latest = begun.filter(temporary=False).order_by("customer", "pool", "-since", "-pk").distinct("customer", "pool")
    window = Q(temporary=True) & (Q(until__isnull=True) | Q(until__gte=on))
    for line in begun.filter(window | Q(pk__in=latest.values("pk"))).order_by("pk"):
        if line.temporary:
            found[line.customer_id].temporary.append(line)
        else:
            setattr(found[line.customer_id], "pool" if line.pool else "line", line)
    return {pk: InForce(found[pk].line, tuple(found[pk].temporary), found[pk].pool) for pk in wanted}


def ahead(customers: Iterable[int], *, on: date) -> dict[int, dict[date, InForce]]:
    """Customer id -> what holds on the day, and on each later day on which more that is signed already begins.

    Lines, temporary limits and securities are what begins. One query more for each such day.
    """
    found = {pk: {on: each} for pk, each in in_force(customers, on=on).items()}
    begins = Line.objects.filter(customer__in=found, since__gt=on).order_by().values_list("customer", "since")
    secured = models.Security.objects.filter(customer__in=found, status="active", since__gt=on).order_by()
    days: dict[date, list[int]] = defaultdict(list)
    for pk, day in begins.union(secured.values_list("customer", "since")):
        days[day].append(pk)
    for day in sorted(days):
        for pk, each in in_force(days[day], on=day).items():
            found[pk][day] = each
    return found


def pool_in_force(head: int, *, on: date) -> Line | None:
    """The shared pool of a group, by the id of its head, as `in_force` tells it."""
    begun = Line.objects.filter(customer=head, since__lte=on, temporary=False, pool=True)
    return begun.order_by("-since", "-pk").first()


@dataclass(frozen=True, slots=True)
class Trust:
    """What a customer is trusted with on a day, as plain values; `currency` and `since` are None without a line."""

    limit: Limit = UNSET
    temporary: Decimal = ZERO
    grade: Grade | None = None
    currency: str | None = None
    signed: int = 0
    since: date | None = None
    until: date | None = None
    term_days: int = 0
    discount: Discount | None = None
    pool: Limit = UNSET
    pool_currency: str | None = None
    securities: tuple[Security, ...] = ()


NOTHING = Trust()
_COLUMNS = (
    "limit_kind", "limit", "grade", "currency", "id", "since", "until", "term_days", "discount_percent", "discount_days"
)  # fmt: skip
_LINE, _POOL, _TEMPORARY, _SECURITY = range(4)
_TRUSTS = """
SELECT customer_id, CASE WHEN pool THEN {pool} ELSE {line} END, {columns} FROM (
    SELECT DISTINCT ON (customer_id, pool) * FROM {table}
    WHERE customer_id = ANY(%s::bigint[]) AND since <= %s AND NOT temporary
    ORDER BY customer_id, pool, since DESC, id DESC
) AS latest
UNION ALL
SELECT customer_id, {temporary}, {columns} FROM {table}
WHERE customer_id = ANY(%s::bigint[]) AND since <= %s AND temporary AND (until IS NULL OR until >= %s)
UNION ALL
SELECT customer_id, {security}, kind, value - prior_claims, '', currency, id, since, until, 0, NULL, NULL FROM {secured}
WHERE customer_id = ANY(%s::bigint[]) AND status = 'active' AND since <= %s AND (until IS NULL OR until >= %s)
""".format(
    table=Line._meta.db_table, secured=models.Security._meta.db_table, line=_LINE, pool=_POOL, temporary=_TEMPORARY,
    security=_SECURITY, columns=", ".join(f'"{name}"' for name in _COLUMNS),
)  # fmt: skip


def ask_trusts(customers: Iterable[int], *, on: date) -> Reply[dict[int, Trust]]:
    """Customer id -> what `in_force` says, as one of the questions of a pipeline; without any line: left out."""
    asked = array(set(customers))
    return ask(_TRUSTS, asked, on, asked, on, on, asked, on, on, read=_read_trusts)


def _read_trusts(rows: Iterable[Sequence[Any]]) -> dict[int, Trust]:
    """The lines that hold first, then what stands on top of them: temporary limits, securities."""
    found: dict[int, Trust] = {}
    for customer, what, *columns in sorted(rows, key=lambda row: row[1]):
        found[customer] = _add(found.get(customer, NOTHING), what, *columns)
    return found


def _add(
    trust: Trust, what: int, kind: str, limit: Decimal | None, grade: str, currency: str, signed: int,
    since: date, until: date | None, term_days: int, percent: Decimal | None, days: int | None,
) -> Trust:  # fmt: skip
    """What is known of a customer, with one more of its lines or securities; a security's `limit` is its value."""
    if what == _SECURITY:
        held = Security(kind, limit or ZERO, currency)  # type: ignore[arg-type]
        return replace(trust, securities=(*trust.securities, held))
    if what == _TEMPORARY:
        ended = trust.limit.kind == "none" and signed < trust.signed
        foreign = trust.currency is not None and currency != trust.currency
        return trust if ended or foreign else replace(trust, temporary=trust.temporary + (limit or ZERO))
    if what == _POOL:
        return replace(trust, pool=Limit(kind, limit), pool_currency=currency)
    discount = Discount(percent=percent, days=days or 0) if percent else None
    return Trust(
        Limit(kind, limit), trust.temporary, Grade(grade) if grade else None, currency, signed, since, until, term_days,
        discount, trust.pool, trust.pool_currency,
    )  # fmt: skip


def history(customer: Customer, *, as_of: date | None = None) -> list[Line]:
    """Every line the customer ever had, newest first; with `as_of`, those that had begun by that day."""
    lines = customer.lines.select_related("approved_by", "requested_by").order_by("-since", "-pk")
    return list(lines.filter(since__lte=as_of) if as_of else lines)


def terms_after_downgrade(policy: Policy, line: Line, grade: Grade) -> dict[str, object]:
    """Limit, term and discount a lower grade leaves: the limit falls with the grades' coefficients, rounded down.

    An unlimited line falls to the lower grade's cap; where the policy sets none, to no credit.
    """
    old, new = policy.grades[Grade(line.grade or grade)], policy.grades[grade]
    if line.limit_kind == "amount" and old.limit_coefficient:
        amount = (line.limit or ZERO) * new.limit_coefficient / old.limit_coefficient
    else:
        amount = new.limit_max or ZERO if line.limit_kind == "unlimited" else ZERO
    if new.limit_max is not None:
        amount = min(amount, new.limit_max)
    amount = round_down_to(amount, policy.limits.round_down_to)
    discount = new.discount
    return {
        "limit_kind": "amount" if amount > 0 else "none",
        "limit": amount if amount > 0 else None,
        "term_days": min(line.term_days, new.term_days),
        "discount_percent": discount.percent if discount else None,
        "discount_days": discount.days if discount else None,
    }


def downgrade(
    line: Line, to: Grade, *, why: str, edition: Edition, today: date, at: datetime, by: Person | None
) -> Line:
    """A new line under the lower grade from today on (B2.5); the history stays. `line` is the one in force."""
    lower = Line.objects.create(
        customer=line.customer,
        grade=to,
        currency=line.currency,
        since=today,
        until=line.until if line.until and line.until >= today else None,
        why=why,
        cause="downgrade",
        approved_by=by,
        policy_version=edition.number,
        at=at,
        **terms_after_downgrade(edition.policy, line, to),
    )
    trail.record("line.downgrade", about=lower, by=by, at=at, customer=line.customer, **changes(line, lower), why=why)
    overtake(lower)
    return lower


REPEATED = ("customer", "grade", "limit_kind", "limit", "currency", "term_days", "discount_percent", "discount_days",
            "pool", "why", "cause", "requested_by", "approved_by", "policy_version", "at")  # fmt: skip


def overtake(line: Line) -> None:
    """Let a line that was just signed stand again wherever it takes away from what was planned before it (B2.5).

    It lasts there no longer than what it takes the place of. Accounts are locked by the caller.
    """
    if line.temporary:
        return
    earlier = Line.objects.filter(customer=line.customer_id, temporary=False, pool=line.pool, pk__lt=line.pk)
    for plan in earlier.filter(since__gt=line.since).order_by("since", "-pk").distinct("since"):
        if _takes_away(line, plan):
            lasts = line.until if line.until and line.until >= plan.since else plan.until
            told = {name: getattr(line, name) for name in REPEATED}
            again = Line.objects.create(**told, since=plan.since, until=lasts)
            trail.record("line.overtake", about=again, by=line.approved_by, at=line.at, customer=line.customer,
                         since=plan.since, **changes(plan, again))  # fmt: skip


def _takes_away(line: Line, plan: Line) -> bool:
    new, old = InForce(line), InForce(plan)
    return rule.takes_away(
        new.limit, new.grade, line.currency, planned=old.limit, planned_grade=old.grade, planned_in=plan.currency
    )


def changes(old: Line | None, new: Line) -> Mapping[str, object]:
    """What a new line changed, as pairs of old and new, for the trail and for letters."""
    names = ("grade", "limit_kind", "limit", "currency", "term_days", "discount_percent", "until")
    before = {name: getattr(old, name) if old else None for name in names}
    return {name: [before[name], getattr(new, name)] for name in names if before[name] != getattr(new, name)}


def discount_of(terms: Terms) -> Discount | None:
    """The cash discount of a line or a request as a plain value."""
    if not terms.discount_percent:
        return None
    return Discount(percent=terms.discount_percent, days=terms.discount_days or 0)


def label(line: Line | None) -> str:
    """The line in a few words for a list: the amount with its currency, or which of the other three it is."""
    if line is None:
        return str(_("Not set"))
    return f"{line.limit:,.2f} {line.currency}" if line.limit_kind == "amount" else str(line.get_limit_kind_display())
