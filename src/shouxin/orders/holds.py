"""Orders that wait for a person: release with a reason, up to an amount and a day; reject; look again (I-19, I-20)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure
from shouxin.credit.models import Reservation
from shouxin.office import moves, posts, rates
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, CannotDecide, Moved
from shouxin.rules import authority
from shouxin.rules.flow import flow, step
from shouxin.rules.line import Limit
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, Post

from . import checks, evidence, stored
from .models import CreditDecision, Hold, LiveOrder

REVIEWERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
LOOKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, *REVIEWERS)

FLOW = flow(
    "hold",
    "open",
    (
        step("release", "open", "released", *REVIEWERS),
        step("reject", "open", "rejected", *REVIEWERS),
        step("recheck", "open", "superseded", *LOOKERS),
    ),
)


def release(
    hold: Hold,
    *,
    reason: str,
    up_to_amount: Decimal | None = None,
    until: date | None = None,
    edition: Edition,
    by: Person,
    today: date,
    at: datetime,
) -> CreditDecision:
    """Overrule a hold: the order is checked again with the release in hand, and reserved.

    `up_to_amount` (default the order's own, with the policy's tolerance) and `until` (default the policy's days) bound
    what a later check of the same order may lean on. Raises NotYourDuty for one's own order or beyond one's authority;
    Moved where a forbidden customer or an unanswerable question stands in the way: no path releases those (I-7, I-20).
    """
    refuse_empty(reason)
    with transaction.atomic():
        fresh = locked(hold)
        order_check = edition.policy.order_check
        up_to = (
            up_to_amount if up_to_amount is not None else fresh.decision.amount * (1 + order_check.release_tolerance)
        )
        until = until or today + timedelta(days=order_check.release_days)
        _refuse_bounds(fresh, up_to, until, today, order_check.release_days)
        _refuse_unauthorised(fresh, up_to, edition=edition, by=by, today=today, at=at)
        _refuse_unnamed(fresh)
        changes = {"decided_by": by, "decided_at": at, "reason": reason, "up_to_amount": up_to, "until": until}
        moves.move(fresh, FLOW, "release", by=by, on=today, at=at, **changes)
        again = _again(fresh.decision, edition=edition, today=today, at=at, by=by)
        if again.outcome != "approve":
            raise Moved(
                _("Nobody can release this order: %(codes)s."),
                code="not_releasable",
                cure=_("Cure what no release overrules, then check the order again."),
                codes=_codes(again),
            )
        Hold.objects.filter(pk=fresh.pk).update(released_decision=again)
    return again


def reject(hold: Hold, *, reason: str, by: Person, today: date, at: datetime) -> Hold:
    """Say no to the order for good; it may be asked about again only as a new check."""
    refuse_empty(reason)
    with transaction.atomic():
        fresh = locked(hold)
        return moves.move(fresh, FLOW, "reject", by=by, on=today, at=at, decided_by=by, decided_at=at, reason=reason)


def recheck(hold: Hold, *, edition: Edition, by: Person, today: date, at: datetime) -> CreditDecision:
    """Ask the same question again as of today; the new decision supersedes the one on hold, which is over."""
    posts.require(by, *LOOKERS, on=today, about=hold, verb="recheck", at=at)
    with transaction.atomic():
        fresh = locked(hold)
        if fresh.status != "open":
            raise Moved(_("This hold is no longer open."), code="not_open")
        again = _again(fresh.decision, edition=edition, today=today, at=at, by=by)
        if again.outcome == "approve":
            Hold.objects.filter(pk=fresh.pk).update(status="cured", released_decision=again)
    return again


def refuse_empty(reason: str) -> None:
    """Raise BadForm without a reason: it is what the override register shows."""
    if not reason.strip():
        raise BadForm([("reason", _("Say why: the reason is kept in the register of overrides."))])


def locked(hold: Hold) -> Hold:
    """The hold as it stands now, with its customer's accounts locked, in the house's order: accounts, order, hold.

    Where the order has been decided again since, it is open no longer.
    """
    if hold.customer_id:
        exposure.lock([hold.customer_id])
    decision = hold.decision
    key = {"source_system": decision.source_system, "order_no": decision.order_no}
    LiveOrder.objects.select_for_update().filter(**key).first()
    return Hold.objects.select_related("decision", "customer").select_for_update(of=("self",)).get(pk=hold.pk)


def _refuse_bounds(hold: Hold, up_to: Decimal, until: date, today: date, days_max: int) -> None:
    faults = []
    if up_to < hold.decision.amount:
        faults.append(("up_to_amount", _("This is less than the order itself; the release would not cover it.")))
    if not today <= until <= today + timedelta(days=days_max):
        faults.append(("until", _("A release lasts from today for at most %(days)s days.") % {"days": days_max}))
    if faults:
        raise BadForm(faults)


def _refuse_unnamed(hold: Hold) -> None:
    """Raise Moved for a check that named no order: nothing would tell later which one was released."""
    if not hold.decision.order_no:
        raise Moved(
            _("This check named no order; nobody could tell later which one was released."),
            code="order_unnamed",
            cure=_("Check the order again with its number, then release it."),
        )


def _refuse_unauthorised(
    hold: Hold, up_to: Decimal, *, edition: Edition, by: Person, today: date, at: datetime
) -> None:
    """Never one's own order or customer, and within authority for what the customer would owe after it (I-15, I-19)."""
    refusals = why_not(hold, signers(hold, up_to=up_to, edition=edition, today=today), by=by, today=today)
    if refusals:
        words, code = WORDS[refusals[0]], refusals[0]
        raise posts.not_your_duty(by, about=hold, verb="release", at=at, message=words, code=code)


def signers(hold: Hold, *, up_to: Decimal, edition: Edition, today: date) -> authority.Needs:
    """What it takes to release the hold up to an amount: the posts that suffice, and what would be owed with it.

    Raises CannotDecide where a rate is missing.
    """
    grade = Grade(hold.decision.facts.get("grade") or "D")
    total = Limit.of(max(Decimal(0), _exposure_after(hold, up_to, edition, today)))
    signing = authority.who_may(edition.policy, authority.RequestedLine(total, Grade.A, "raise"), total)
    return authority.at_least(edition.policy, signing, edition.policy.grades[grade].exceptions_by)


def why_not(hold: Hold, needed: authority.Needs, *, by: Person, today: date) -> tuple[str, ...]:
    """Why this person may not release the hold, all codes (keys of WORDS); empty when she may."""
    return authority.may_approve(
        dict(posts.authority_of(by, today)),
        needed,
        approver=by.pk,
        applicant=hold.decision.by_id,
        editors=_askers(hold),
        salesperson=hold.customer.salesperson_id if hold.customer else None,
    )


def _askers(hold: Hold) -> list[int | None]:
    """Everybody who ever asked for this order: somebody else's recheck does not make it another person's (I-14)."""
    asked = hold.decision
    if not asked.order_no:
        return [asked.by_id]
    order = {"source_system": asked.source_system, "order_no": asked.order_no, "customer_code": asked.customer_code}
    rows = CreditDecision.objects.filter(**order, reserve=True, released_hold=None)
    return list(rows.order_by().values_list("by", flat=True).distinct())


WORDS = {
    "own_application": _("You asked for this order yourself; somebody else has to release it."),
    "own_edit": _("You asked for this order yourself; somebody else has to release it."),
    "own_customer": _("This is your own customer; somebody else has to release the order."),
    "no_post": _("This release needs a higher post: the customer would owe more than yours may sign for."),
    "own_amount": _("This release is beyond your own authority: the customer would owe more than you may sign for."),
}


def _exposure_after(hold: Hold, up_to: Decimal, edition: Edition, today: date) -> Decimal:
    """What the customer would owe with the order and with what is left of other releases, in the company's currency;
    authority is measured in that."""
    assert hold.customer_id is not None
    company = edition.policy.company.currency
    held = exposure.exposures([hold.customer_id])[hold.customer_id]
    promised = [*_left_of_releases(hold, today), (hold.decision.currency, up_to)]
    needed = {*held, *(currency for currency, _amount in promised)}
    known = rates.rates(needed, on=today, company_currency=company)
    missing = sorted(needed - known.keys())
    if missing:
        raise CannotDecide(
            _("No exchange rate is known for %(currency)s."), code="currency_unknown", currency=missing[0]
        )
    owed = [(currency, each.total) for currency, each in held.items()]
    return sum((convert(amount, known[currency].rate) for currency, amount in (*owed, *promised)), Decimal(0))


def _left_of_releases(hold: Hold, today: date) -> Iterator[tuple[str, Decimal]]:
    """Currency and amount of what the customer's other orders may still grow to under releases that run (I-15).

    Of several releases of one order the last one counts, as for the order itself.
    """
    running = Hold.objects.filter(customer=hold.customer_id, status="released", until__gte=today)
    latest = {_key(each.decision): each for each in running.select_related("decision").order_by("pk")}
    latest.pop(_key(hold.decision), None)
    placed = Reservation.objects.filter(account__customer=hold.customer_id, order_no__in=[key[1] for key in latest])
    parts = Sum(F("reserved") + F("undelivered") + F("unbilled") + F("billed"))
    rows = placed.order_by().values_list("source_system", "order_no").annotate(parts=parts)
    stands = {(source, order): amount for source, order, amount in rows}
    for key, each in latest.items():
        left = (each.up_to_amount or Decimal(0)) - stands.get(key, Decimal(0))
        if left > 0:
            yield each.decision.currency, left


def _key(decision: CreditDecision) -> tuple[str, str]:
    return decision.source_system, decision.order_no


def _again(decision: CreditDecision, *, edition: Edition, today: date, at: datetime, by: Person) -> CreditDecision:
    """The same question, asked again."""
    kept = stored.asked(decision.request)
    request = checks.CheckRequest(
        customer=decision.customer_code,
        amount=decision.amount,
        order_no=decision.order_no,
        currency=decision.currency,
        prepaid=kept.prepaid,
        term_days=kept.term_days,
        discount=kept.discount,
        source_system=decision.source_system,
    )
    return checks.decide([request], edition=edition, today=today, at=at, by=by)[0]


def _codes(decision: CreditDecision) -> str:
    left = (reason["code"] for reason in decision.reasons if reason["severity"] != "released")
    return ", ".join(str(evidence.REASON_LABELS[code]) for code in left)
