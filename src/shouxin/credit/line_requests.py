"""A line is asked for by one person and signed by another, within her authority, in the version she saw (B2.1)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import moves, posts, rates, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, CannotDecide, Moved, NotYourDuty
from shouxin.rules import authority
from shouxin.rules import securities as rule
from shouxin.rules.days import add_months
from shouxin.rules.flow import flow, step
from shouxin.rules.line import Limit, begins_by, reach
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, Post, RequestKind

from . import exposure, grade_reviews, lines, securities
from .models import Line, LineRequest, Rating, Security

ASKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
SIGNERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)

Ahead = Mapping[date, lines.InForce]
"""What holds for a customer today and on each later day on which more begins (`lines.ahead`)."""
Worth = Mapping[str, Decimal]
"""Currency -> what one unit is worth in the company's currency, as far as a rate is known."""

FLOW = flow(
    "line-request",
    "open",
    (
        step("change", "open", "open", *ASKERS),
        step("approve", "open", "approved", *SIGNERS),
        step("decline", "open", "declined", *SIGNERS),
        step("withdraw", "open", "withdrawn", *ASKERS),
    ),
)


@dataclass(frozen=True)
class LineTerms:
    """What is asked for. `limit.kind` says which of the four things the limit is; amounts in `currency`."""

    limit: Limit
    currency: str
    term_days: int
    grade: Grade | None = None
    discount_percent: Decimal | None = None
    discount_days: int | None = None
    since: date | None = None
    until: date | None = None
    temporary: bool = False
    pool: bool = False


def ask(
    customer: Customer, terms: LineTerms, *, reason: str, edition: Edition, by: Person, today: date, at: datetime
) -> LineRequest:
    """A new request, waiting for somebody else's signature. Raises BadForm for terms the policy does not allow."""
    posts.require(by, *ASKERS, on=today, about=customer, verb="line_request.ask", at=at)
    return put_down(customer, terms, reason=reason, edition=edition, by=by, today=today, at=at)


def put_down(
    customer: Customer,
    terms: LineTerms,
    *,
    reason: str,
    edition: Edition,
    by: Person,
    today: date,
    at: datetime,
    rating: Rating | None = None,
    editors: Iterable[Person] = (),
    beside: Line | None = None,
) -> LineRequest:
    """The request itself, in the name of whoever asked; duties are the caller's to check.

    `rating`: the one whose suggestion stands beside it (default: the latest). `editors`: who else had a hand in it.
    `beside`: the line it is proposed beside, where it may be signed only while that one holds.
    """
    held = lines.ahead([customer.pk], on=today)[customer.pk]
    terms = completed(terms, held[today].line, edition, today)
    refuse_faults(terms, reason, held, edition, today)
    refuse_trust(customer, terms.limit, today)
    request = LineRequest(customer=customer, reason=reason, requested_by=by, requested_at=at, beside=beside)
    kind = kind_of(terms, held[today].line, edition, today)
    fill(request, terms, kind, edition, customer, rating)
    with transaction.atomic():
        request.save()
        request.editors.set(editors)
        trail.record("line_request.ask", about=request, by=by, at=at, customer=customer, **summary(request))
    return request


def completed(terms: LineTerms, current: Line | None, edition: Edition, today: date) -> LineTerms:
    """The terms with what was left open filled in: grade of the line in force, from today, for the policy's months."""
    grade = terms.grade or (Grade(current.grade) if current and current.grade else None)
    since = terms.since or today
    until = terms.until
    if until is None and not terms.temporary:
        until = add_months(since, edition.policy.lines.months)
    return LineTerms(**{**terms.__dict__, "grade": grade, "since": since, "until": until})


def refuse_trust(customer: Customer, limit: Limit, today: date) -> None:
    """Raise Moved where a blacklisted customer would be trusted with anything; taking its line away is always open."""
    if limit.kind in ("amount", "unlimited"):
        standing.refuse_blacklisted(customer, today)


def refuse_faults(terms: LineTerms, reason: str, held: Ahead, edition: Edition, today: date) -> None:
    """Raise BadForm naming every field that cannot stand; nothing is corrected in silence."""
    faults = [*_faults(terms, reason, edition, today), *_currency_faults(terms, held)]
    if faults:
        raise BadForm(faults)


def _faults(terms: LineTerms, reason: str, edition: Edition, today: date) -> Iterable[tuple[str, object]]:
    policy = edition.policy
    if not reason.strip():
        yield "reason", _("Say why: the reason is kept with the line.")
    if terms.limit.kind == "amount" and not (terms.limit.amount and terms.limit.amount > 0):
        yield "limit", _("A limit must be above zero; for no credit choose “no credit”.")
    if terms.grade is None:
        yield "grade", _("A first line needs a grade: rate the customer, or name one.")
    if terms.grade and terms.term_days > policy.grades[terms.grade].term_days_max:
        longest = policy.grades[terms.grade].term_days_max
        yield "term_days", _("Grade %(grade)s bears at most %(days)s days.") % {"grade": terms.grade, "days": longest}
    if terms.grade is Grade.D and terms.limit.kind in ("amount", "unlimited"):
        yield "limit", _("Grade D has no credit: cash before delivery.")
    if (terms.since or today) < today:
        yield "effective_from", _("A line cannot begin in the past.")
    if (terms.since or today) > begins_by(policy, today):
        yield "effective_from", lines.TOO_FAR_AHEAD % {"days": policy.lines.ahead_days_max}
    if terms.until and terms.until < (terms.since or today):
        yield "effective_to", _("A line cannot end before it begins.")
    if terms.temporary:
        yield from _temporary_faults(terms, edition, today)


def _currency_faults(terms: "LineTerms | LineRequest", held: Ahead) -> Iterable[tuple[str, object]]:
    """A line and the temporary limits that stand on it at any time are in one currency."""
    begin = terms.since or min(held)
    met = [then for day, then in held.items() if _lasts_to(day, terms.until)]
    beside = {each.currency for then in met for each in then.temporary if _lasts_to(begin, each.until)}
    if terms.temporary:
        beside |= {then.line.currency for then in met if then.line}
    if not terms.pool and beside - {terms.currency}:
        yield "currency", _("A temporary limit is in the currency of the line it stands on.")


def _lasts_to(day: date, until: date | None) -> bool:
    return until is None or day <= until


def _temporary_faults(terms: LineTerms, edition: Edition, today: date) -> Iterable[tuple[str, object]]:
    days_max = edition.policy.approval.temporary_days_max
    if terms.pool:
        yield "temporary", _("A temporary limit stands on a customer's own line, not on the pool of a group.")
    if terms.limit.kind != "amount":
        yield "limit", _("A temporary limit is an amount on top of the line.")
    if terms.until is None:
        yield "effective_to", _("A temporary limit needs its last day.")
    elif (terms.until - (terms.since or today)).days > days_max:
        yield "effective_to", _("A temporary limit lasts at most %(days)s days.") % {"days": days_max}


def kind_of(terms: LineTerms, current: Line | None, edition: Edition, today: date) -> str:
    """Whether the request is the first line, a raise, a cut, a temporary limit, or a renewal."""
    if terms.temporary:
        return "temporary"
    if current is None or terms.pool:
        return "new"
    codes = {terms.currency, current.currency}
    known = known_worth(codes, edition, today) if len(codes) > 1 else {}
    return _kind_beside(terms.limit, terms.currency, current, known)


def _kind_beside(limit: Limit, currency: str, current: Line | None, known: Worth) -> RequestKind:
    if current is None:
        return "new"
    held = Limit(current.limit_kind, current.limit)
    return authority.kind_beside(*_in_one((limit, currency), (held, current.currency), known))


def _in_one(one: tuple[Limit, str], other: tuple[Limit, str], known: Worth) -> tuple[Decimal, Decimal]:
    """How far two limits reach, each with its currency, in one currency; their own where it is the same."""
    if one[1] == other[1]:
        return reach(one[0]), reach(other[0])
    return reach(one[0]) * worth_of(one[1], known), reach(other[0]) * worth_of(other[1], known)


def fill(
    request: LineRequest,
    terms: LineTerms,
    kind: str,
    edition: Edition,
    customer: Customer,
    rating: Rating | None = None,
) -> None:
    """Put the terms on the paper, with a rating's suggestion (default: the latest's) beside them."""
    request.kind, request.policy_version = kind, edition.number
    request.grade, request.currency = terms.grade or "", terms.currency
    request.limit_kind, request.limit = terms.limit.kind, terms.limit.amount if terms.limit.kind == "amount" else None
    request.term_days, request.since, request.until = terms.term_days, terms.since, terms.until
    request.discount_percent, request.discount_days = terms.discount_percent, terms.discount_days
    request.temporary, request.pool = terms.temporary, terms.pool
    rating = rating or Rating.objects.filter(customer=customer).order_by("-pk").first()
    request.suggested = grade_reviews.suggestion_of(rating) if rating else {}


def summary(request: LineRequest) -> dict[str, object]:
    """The request in the trail's words."""
    names = ("kind", "grade", "limit_kind", "limit", "currency", "term_days", "since", "until", "temporary", "reason")
    return {name: getattr(request, name) for name in names}


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
        days = {day: then for day, then in held[each.customer_id].items() if day == today or _lasts_to(day, each.until)}
        total, split = max((measured(each, *day) for day in days.items()), key=lambda sums: reach(sums[0]) + sums[1])
        found[each.pk] = authority.who_may(edition.policy, wanted(each, days, known), total, split)
    return found


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
    return authority.weightiest(_kind_beside(asked_limit(request), request.currency, line, known) for line in before)


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


def change(
    request: LineRequest,
    terms: LineTerms,
    *,
    reason: str,
    version: int,
    edition: Edition,
    by: Person,
    today: date,
    at: datetime,
) -> LineRequest:
    """New terms on a waiting request; whoever looked at the old version has to look again (I-16)."""
    with transaction.atomic():
        fresh = locked(request, version)
        held = lines.ahead([fresh.customer_id], on=today)[fresh.customer_id]
        terms = completed(terms, held[today].line, edition, today)
        refuse_faults(terms, reason, held, edition, today)
        refuse_trust(fresh.customer, terms.limit, today)
        moves.move(fresh, FLOW, "change", by=by, on=today, at=at, version=version)
        fresh.reason = reason
        fill(fresh, terms, kind_of(terms, held[today].line, edition, today), edition, fresh.customer)
        fresh.save()
        fresh.editors.add(by)
    return fresh


def locked(request: LineRequest, version: int) -> LineRequest:
    """The request as it stands now, locked; raises Moved when somebody has changed it since it was seen."""
    fresh = LineRequest.objects.select_related("customer").select_for_update(of=("self",)).get(pk=request.pk)
    if fresh.version != version:
        raise Moved(
            _("The request was changed after you opened it. Look at the new version and decide again."),
            code="version_seen",
        )
    return fresh


def approve(
    request: LineRequest,
    *,
    version: int,
    reason: str = "",
    edition: Edition,
    by: Person,
    today: date,
    at: datetime,
    holds: authority.Holds | None = None,
) -> Line:
    """Sign the version seen; the line holds from its day on. Never one's own request, never beyond one's authority.

    `holds`: the authority she signs with, where another has lent her his for this paper.
    """
    with transaction.atomic():
        exposure.lock([request.customer_id])
        fresh = locked(request, version)
        refuse_unauthorised(fresh, edition=edition, by=by, today=today, holds=holds)
        refuse_trust(fresh.customer, asked_limit(fresh), today)
        grade_reviews.refuse_waiting(fresh)
        _refuse_old_sight(fresh, today)
        if faults := list(_currency_faults(fresh, lines.ahead([fresh.customer_id], on=today)[fresh.customer_id])):
            raise BadForm(faults)
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
        moves.move(fresh, FLOW, "approve", by=by, on=today, at=at, version=version, **decided)
        line = Line.objects.create(**line_from(fresh, today), approved_by=by, policy_version=edition.number, at=at)
        trail.record("line.begin", about=line, by=by, at=at, customer=fresh.customer, **summary(fresh))
    return line


def _refuse_old_sight(request: LineRequest, today: date) -> None:
    """Raise Moved where another line holds than the one it was proposed beside; under the account's lock."""
    if request.beside_id is None:
        return
    begun = Line.objects.filter(customer=request.customer_id, temporary=False, pool=False, since__lte=today)
    latest = begun.order_by("-since", "-pk").first()
    if latest is None or latest.pk != request.beside_id:
        raise Moved(
            _("The line has changed since this was proposed."),
            code="line_changed",
            cure=_("Have the customer reviewed anew, then decide."),
        )


def refuse_unauthorised(
    request: LineRequest, *, edition: Edition, by: Person, today: date, holds: authority.Holds | None = None
) -> None:
    """Raise NotYourDuty for the applicant, an editor, the owning salesperson, or too small a power (I-14, I-15)."""
    if refusals := why_not(request, needs(request, edition=edition, today=today), by=by, today=today, holds=holds):
        code = refusals[0]
        raise posts.not_your_duty(by, about=request, verb="line_request.approve", message=WORDS[code], code=code)


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


BELOW_ZERO = _("A limit cannot be below zero.")
CONTRADICTION = _("The kind of limit and the amount contradict each other.")

WORDS = {
    "own_application": _("You asked for this line yourself; somebody else has to sign it."),
    "own_edit": _("You changed this request; somebody else has to sign it."),
    "own_customer": _("This is your own customer; somebody else has to sign."),
    "no_post": _("The limit needs the signature of a higher post; the request names it."),
    "own_amount": _("The limit is beyond your own authority; hand it to the post named on the request."),
}


def line_from(request: LineRequest, today: date) -> dict[str, object]:
    """The fields of the line a signed request becomes; it begins today at the earliest."""
    names = ("customer", "grade", "limit_kind", "limit", "currency", "term_days", "discount_percent", "discount_days")
    fields = {name: getattr(request, name) for name in (*names, "until", "temporary", "pool", "requested_by")}
    return {**fields, "since": max(request.since, today), "why": request.reason, "cause": "request", "request": request}


def decline(
    request: LineRequest, *, version: int, reason: str, edition: Edition, by: Person, today: date, at: datetime
) -> LineRequest:
    """Refuse the version seen, with the reason the applicant will read."""
    if not reason.strip():
        raise BadForm([("reason", _("Say why: the applicant will read it."))])
    with transaction.atomic():
        fresh = locked(request, version)
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
        moves.move(fresh, FLOW, "decline", by=by, on=today, at=at, version=version, **decided)
    return fresh


def seen(request: LineRequest, version: int) -> LineRequest:
    """The request in the version its reader saw: a step from here on fails where somebody has changed it since."""
    request.version = version
    return request


def verbs_for(request: LineRequest, needed: authority.Needs, *, by: Person, today: date) -> list[str]:
    """What this person may do with the request now: to sign it she needs the authority, to withdraw it must be hers."""
    may_sign = not why_not(request, needed, by=by, today=today)
    own = request.requested_by_id == by.pk
    barred = {"approve": not may_sign, "withdraw": not own}
    return [verb for verb in moves.verbs_for(request, FLOW, by, today) if not barred.get(verb)]


def withdraw(request: LineRequest, *, reason: str = "", by: Person, today: date, at: datetime) -> LineRequest:
    """Take one's own request back; raises NotYourDuty for somebody else's."""
    if request.requested_by_id != by.pk:
        raise NotYourDuty(_("Only the person who asked can withdraw a request."), code="not_yours")
    with transaction.atomic():
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
        moves.move(request, FLOW, "withdraw", by=by, on=today, at=at, version=request.version, **decided)
    return request
