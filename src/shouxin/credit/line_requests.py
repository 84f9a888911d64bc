"""A line is asked for by one person and signed by another, within her authority, in the version she saw (B2.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import moves, posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.rules import authority
from shouxin.rules.days import add_months
from shouxin.rules.flow import flow, step
from shouxin.rules.line import Limit, begins_by
from shouxin.rules.policy import Grade, Post

from . import exposure, grade_reviews, lines, signatures
from .models import Line, LineRequest, Rating

ASKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
SIGNERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)

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


def refuse_faults(terms: LineTerms, reason: str, held: signatures.Ahead, edition: Edition, today: date) -> None:
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


def _currency_faults(terms: "LineTerms | LineRequest", held: signatures.Ahead) -> Iterable[tuple[str, object]]:
    """A line and the temporary limits that stand on it at any time are in one currency."""
    begin = terms.since or min(held)
    met = [then for day, then in held.items() if signatures.lasts_to(day, terms.until)]
    beside = {each.currency for then in met for each in then.temporary if signatures.lasts_to(begin, each.until)}
    if terms.temporary:
        beside |= {then.line.currency for then in met if then.line}
    if not terms.pool and beside - {terms.currency}:
        yield "currency", _("A temporary limit is in the currency of the line it stands on.")


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
    known = signatures.known_worth(codes, edition, today) if len(codes) > 1 else {}
    return signatures.kind_beside(terms.limit, terms.currency, current, known)


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
        refuse_trust(fresh.customer, signatures.asked_limit(fresh), today)
        grade_reviews.refuse_waiting(fresh)
        _refuse_old_sight(fresh, today)
        if faults := list(_currency_faults(fresh, lines.ahead([fresh.customer_id], on=today)[fresh.customer_id])):
            raise BadForm(faults)
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
        moves.move(fresh, FLOW, "approve", by=by, on=today, at=at, version=version, **decided)
        line = Line.objects.create(**line_from(fresh, today), approved_by=by, policy_version=edition.number, at=at)
        trail.record("line.begin", about=line, by=by, at=at, customer=fresh.customer, **summary(fresh))
        lines.overtake(line)
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
    needed = signatures.needs(request, edition=edition, today=today)
    if refusals := signatures.why_not(request, needed, by=by, today=today, holds=holds):
        code, why = refusals[0], signatures.WORDS[refusals[0]]
        raise posts.not_your_duty(by, about=request, verb="line_request.approve", message=why, code=code)


BELOW_ZERO = _("A limit cannot be below zero.")
CONTRADICTION = _("The kind of limit and the amount contradict each other.")


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
    may_sign = not signatures.why_not(request, needed, by=by, today=today)
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
