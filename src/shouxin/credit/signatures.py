"""Whose signature a line request needs, and why somebody may not sign it (I-14, I-15).

Loads what is known, asks `rules/authority.py`; writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from shouxin.office import posts, rates
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import CannotDecide
from shouxin.rules import authority
from shouxin.rules import securities as rule
from shouxin.rules.line import Limit, reach
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, RequestKind

from . import lines, securities
from .models import Line, LineRequest, Security

Ahead = Mapping[date, lines.InForce]
"""What holds for a customer today and on each later day on which more begins (`lines.ahead`)."""
Worth = Mapping[str, Decimal]
"""Currency -> what one unit is worth in the company's currency, as far as a rate is known."""

WORDS = {
    "own_application": _("You asked for this line yourself; somebody else has to sign it."),
    "own_edit": _("You changed this request; somebody else has to sign it."),
    "own_customer": _("This is your own customer; somebody else has to sign."),
    "no_post": _("The limit needs the signature of a higher post; the request names it."),
    "own_amount": _("The limit is beyond your own authority; hand it to the post named on the request."),
}


def needs(request: LineRequest, *, edition: Edition, today: date) -> authority.Needs:
    """Whose signature the request needs: by the total limit it results in, and by the cases the policy reserves."""
    return needs_of([request], edition=edition, today=today)[request.pk]


def needs_of(requests: Iterable[LineRequest], *, edition: Edition, today: date) -> dict[int, authority.Needs]:
    """Request id -> whose signature it needs; a handful of queries for any number of requests.

    Authority is measured in the company's currency, on the day on which most would be granted with what is signed
    already and begins later (I-15). Raises CannotDecide where a rate is missing.
    """
    requests = list(requests)
    held = lines.ahead({each.customer_id for each in requests}, on=today)
    splits = split_lines(held, edition, today)
    looked_at = sorted({day for days in held.values() for day in days})
    secured = {day: securities.in_force(held, on=day) for day in looked_at}
    known = known_worth(_currencies(requests, held, splits, secured), edition, today)

    def measured(each: LineRequest, day: date, then: lines.InForce) -> tuple[Limit, Decimal]:
        """What would be granted on a day, and what was signed of late and comes on top of it."""
        total = in_company_currency(resulting_total(each, then), worth_of(each.currency, known))
        total = with_securities(each, total, secured[day].get(each.customer_id, []), edition, known)
        begun = {line.pk for line in then.temporary}
        waiting = [line for line in splits.get(each.customer_id, ()) if line.pk not in begun]
        added = (convert(line.limit or lines.ZERO, worth_of(line.currency, known)) for line in waiting)
        return total, sum(added, lines.ZERO)

    found = {}
    for each in requests:
        days = {day: then for day, then in held[each.customer_id].items() if day == today or lasts_to(day, each.until)}
        total, split = max((measured(each, *day) for day in days.items()), key=lambda sums: reach(sums[0]) + sums[1])
        found[each.pk] = authority.who_may(edition.policy, wanted(each, days, known), total, split)
    return found


def why_not(
    request: LineRequest, needed: authority.Needs, *, by: Person, today: date, holds: authority.Holds | None = None
) -> tuple[str, ...]:
    """Every reason for which this person may not sign the request, as codes of WORDS; empty when she may."""
    return authority.may_approve(
        dict(posts.authority_of(by, today)) if holds is None else holds,
        needed,
        approver=by.pk,
        applicant=request.requested_by_id,
        editors=tuple(each.pk for each in request.editors.all()),
        salesperson=request.customer.salesperson_id,
    )


def asked_limit(request: LineRequest) -> Limit:
    """The limit asked for. To take a line back to "not set" takes trust away, as "no credit" does."""
    return Limit.none() if request.limit_kind == "unset" else Limit(request.limit_kind, request.limit)


def wanted(request: LineRequest, held: Ahead, known: Worth) -> authority.RequestedLine:
    """The request as the rule of authority reads it."""
    kind = kind_now(request, held, known)
    return authority.RequestedLine(
        asked_limit(request), Grade(request.grade), kind, over_suggestion(request, kind, known)
    )


def kind_now(request: LineRequest, held: Ahead, known: Worth) -> RequestKind:
    """What the request is beside the lines that hold until it begins, which may not be those it was asked beside."""
    if request.temporary or request.pool:
        return request.kind  # type: ignore[return-value]
    last = max(min(held), request.since)
    before = [then.line for day, then in held.items() if day <= last]
    return authority.weightiest(kind_beside(asked_limit(request), request.currency, line, known) for line in before)


def kind_beside(limit: Limit, currency: str, current: Line | None, known: Worth) -> RequestKind:
    """Whether a limit is the first, a raise, a cut or a renewal beside the line that holds."""
    if current is None:
        return "new"
    held = Limit(current.limit_kind, current.limit)
    return authority.kind_beside(*_in_one((limit, currency), (held, current.currency), known))


def _in_one(one: tuple[Limit, str], other: tuple[Limit, str], known: Worth) -> tuple[Decimal, Decimal]:
    """How far two limits reach, each with its currency, in one currency; their own where it is the same."""
    if one[1] == other[1]:
        return reach(one[0]), reach(other[0])
    return reach(one[0]) * worth_of(one[1], known), reach(other[0]) * worth_of(other[1], known)


def resulting_total(request: LineRequest, current: lines.InForce) -> Limit:
    """The customer's whole limit once the request is signed, temporary limits included (I-15)."""
    asked = asked_limit(request)
    beside = current.temporary_limit + ((current.limit.bound or lines.ZERO) if request.temporary else lines.ZERO)
    if "unlimited" in (asked.kind, current.limit.kind if request.temporary else ""):
        return Limit.unlimited()
    return Limit.of((asked.bound or lines.ZERO) + beside)


def with_securities(
    request: LineRequest, total: Limit, secured: list[Security], edition: Edition, known: Worth
) -> Limit:
    """The total with what securities would add to it: authority is asked for all that may be owed (I-15)."""
    if total.kind != "amount" or not secured or request.pool:
        return total
    added = rule.cover(edition.policy, securities.plain(secured), total, Grade(request.grade), worth=known.get)
    return Limit.of((total.amount or lines.ZERO) + added.amount)


def split_lines(customers: Iterable[int], edition: Edition, today: date) -> dict[int, list[Line]]:
    """Customer id -> temporary limits signed in the policy's last days that have not begun yet (I-15)."""
    signed_since = today - timedelta(days=edition.policy.approval.split_days)
    waiting = Line.objects.filter(
        customer__in=set(customers), temporary=True, since__gt=today, at__date__gte=signed_since
    )
    found: dict[int, list[Line]] = defaultdict(list)
    for line in waiting.only("customer", "limit", "currency").order_by("pk"):
        found[line.customer_id].append(line)
    return found


def over_suggestion(request: LineRequest, kind: str, known: Worth) -> bool:
    """Whether more is asked for than the latest rating suggested; not where the request only lowers a line."""
    if not request.suggested or kind in ("lower", "temporary"):
        return False
    suggested = Limit.of(Decimal(str(request.suggested["limit"] or 0)))
    currency = request.suggested.get("currency") or request.currency
    asked, most = _in_one((asked_limit(request), request.currency), (suggested, currency), known)
    return asked > most


def lasts_to(day: date, until: date | None) -> bool:
    """Whether what ends on `until` (None: never) still holds on the day."""
    return until is None or day <= until


def _currencies(
    requests: Iterable[LineRequest], held: Mapping[int, Ahead], splits: Mapping[int, list[Line]],
    secured: Mapping[date, Mapping[int, list[Security]]],
) -> set[str]:  # fmt: skip
    """Every currency that has to be compared with another one."""
    found = {each.currency for each in requests}
    found |= {each.suggested["currency"] for each in requests if each.suggested.get("currency")}
    found |= {line.currency for waiting in splits.values() for line in waiting}
    found |= {then.line.currency for days in held.values() for then in days.values() if then.line}
    return found | {row.currency for by_customer in secured.values() for rows in by_customer.values() for row in rows}


def known_worth(currencies: Iterable[str], edition: Edition, today: date) -> Worth:
    """What units of these currencies are worth, in one query."""
    known = rates.rates(currencies, on=today, company_currency=edition.policy.company.currency)
    return {currency: found.rate for currency, found in known.items()}


def worth_of(currency: str, known: Worth) -> Decimal:
    """What one unit is worth in the company's currency. Raises CannotDecide without a rate (I-7)."""
    if currency not in known:
        raise CannotDecide(_("No exchange rate is known for %(currency)s."), code="currency_unknown", currency=currency)
    return known[currency]


def in_company_currency(limit: Limit, rate: Decimal) -> Limit:
    """A limit in the company's currency, rounded once; what is no amount stays what it is."""
    return limit if limit.amount is None else Limit.of(convert(limit.amount, rate))
