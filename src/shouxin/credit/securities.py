"""Securities in their register: one person proposes, another approves within her authority; each counts once (B2.1).

Whatever changes what a customer may owe is done under the lock of its accounts, as the order check is: a check sees a
security before it is given back or after it, never both (I-1). What ends lowers the room the same moment; what was
reserved before stays reserved.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.customers.models import Customer
from shouxin.office import attachments, moves, posts, rates, trail
from shouxin.office.models import Attachment, Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, CannotDecide, Moved, NotYourDuty
from shouxin.rules import authority
from shouxin.rules import securities as rule
from shouxin.rules.days import add_months
from shouxin.rules.exposure import Exposure
from shouxin.rules.line import Limit
from shouxin.rules.line import reach as far
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, Policy, SecurityKind
from shouxin.rules.securities import FLOW, GUARANTEES, NO_COVER, Cover

from . import exposure, lines
from .lines import InForce
from .models import Security

ZERO = Decimal("0.00")
KEEPERS = tuple(dict.fromkeys((*rule.ASKERS, *rule.VOIDERS)))
"""Who may keep papers with a security: whoever proposes, approves or ends one."""


@dataclass(frozen=True)
class SecurityTerms:
    """What is proposed. `value` and `prior_claims` (claims that rank before ours) in `currency`; `until` included.

    `debt_due_on` and `agreed_until` belong to guarantees: from them follows the last day to claim.
    """

    kind: SecurityKind
    value: Decimal
    currency: str
    provider: str
    subject: str
    document: str
    since: date
    until: date | None = None
    prior_claims: Decimal = ZERO
    registration_no: str = ""
    rank: int | None = None
    debt_due_on: date | None = None
    agreed_until: date | None = None


# --- what counts ---------------------------------------------------------------------------------


def in_force(customers: Iterable[int], *, on: date) -> dict[int, list[Security]]:
    """Customer id -> the securities that counted on a day, the oldest first; one query for any number of customers."""
    begun = Q(began_on__lte=on, since__lte=on) & (Q(until=None) | Q(until__gte=on))
    rows = Security.objects.filter(begun, Q(ended_on=None) | Q(ended_on__gt=on), customer__in=set(customers))
    found: dict[int, list[Security]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.customer_id].append(row)
    return found


def plain(rows: Iterable[Security]) -> tuple[rule.Security, ...]:
    """Rows as the rule reads them."""
    return tuple(rule.Security(row.kind, row.value - row.prior_claims, row.currency) for row in rows)


def covers(
    held: Mapping[int, InForce],
    accounts: Mapping[int, Mapping[str, Exposure]],
    *,
    policy: Policy,
    on: date,
    leaving_out: Collection[int] = (),
) -> dict[int, Cover]:
    """Customer id -> how far its securities raise the line in force, in the line's currency; without any: left out."""
    rows = in_force([pk for pk, each in held.items() if each.line], on=on)
    rows = {pk: [row for row in found if row.pk not in leaving_out] for pk, found in rows.items()}
    worth = _worth(
        {row.currency for found in rows.values() for row in found}
        | {each.line.currency for pk, each in held.items() if pk in rows and each.line}
        | {code for pk in rows for code in accounts.get(pk, ())},
        policy, on,
    )  # fmt: skip
    return {
        pk: cover_of(plain(found), held[pk], accounts.get(pk, {}), policy=policy, worth=worth)
        for pk, found in rows.items()
    }


def cover_of(
    secured: Iterable[rule.Security],
    held: InForce,
    accounts: Mapping[str, Exposure],
    *,
    policy: Policy,
    worth: Mapping[str, Decimal],
    limit: Limit | None = None,
) -> Cover:
    """How far securities raise the line in force (or another `limit` in its place); `worth` in the company's money."""
    if held.line is None:
        return NO_COVER
    target = held.line.currency

    def rate(currency: str) -> Decimal | None:
        known = currency == target or {currency, target} <= worth.keys()
        return (Decimal(1) if currency == target else worth[currency] / worth[target]) if known else None

    deposits = [(rate(code), each.deposits) for code, each in accounts.items() if each.deposits]
    set_off = sum((convert(amount, known) for known, amount in deposits if known), ZERO)
    return rule.cover(policy, secured, limit or held.limit, held.grade, worth=rate, deposits_held=set_off)


def _worth(currencies: Collection[str], policy: Policy, on: date) -> dict[str, Decimal]:
    if not currencies:
        return {}
    home = policy.company.currency
    known = rates.rates({*currencies, home}, on=on, company_currency=home)
    return {code: found.rate for code, found in known.items()}


@dataclass(frozen=True)
class Reach:
    """The customer's usable limit in `currency`: now, and without one security (or with one more).

    `used` counts against it; `missing` names a currency of it without a rate: nothing can be said then. `worth` is
    what one unit of `currency` is in the company's. `most`: as `then`, on the day on which most would be granted with
    what is signed already and begins later (I-15).
    """

    currency: str
    used: Decimal
    now: Limit
    then: Limit
    most: Limit
    grade: Grade | None
    worth: Decimal | None
    missing: str = ""

    @property
    def short(self) -> Decimal:
        """What would be owed beyond the limit then; 0 where it holds."""
        bound = self.then.bound
        return max(ZERO, self.used - bound) if bound is not None else ZERO


def reaches(rows: Iterable[Security], *, policy: Policy, on: date) -> dict[int, Reach]:
    """Security id -> what its customer may owe on the day, and what once it is gone (a proposed one: has come).

    A handful of queries for any number of securities.
    """
    rows = list(rows)
    customers = {row.customer_id for row in rows}
    ahead, accounts = lines.ahead(customers, on=on), exposure.exposures(customers)
    counting = {day: in_force(customers, on=day) for day in sorted({day for days in ahead.values() for day in days})}
    codes = {row.currency for row in rows} | {row.customer.currency for row in rows}
    codes |= {each.currency for by_customer in counting.values() for found in by_customer.values() for each in found}
    codes |= {each.line.currency for days in ahead.values() for each in days.values() if each.line}
    worth = _worth(codes | {code for found in accounts.values() for code in found}, policy, on)
    return {
        row.pk: _reach(
            row,
            [(held, counting[day].get(row.customer_id, [])) for day, held in ahead[row.customer_id].items()],
            accounts.get(row.customer_id, {}),
            policy,
            worth,
        )
        for row in rows
    }


def _reach(
    row: Security, days: list[tuple[InForce, list[Security]]], accounts: Mapping[str, Exposure], policy: Policy,
    worth: Mapping[str, Decimal],
) -> Reach:  # fmt: skip
    """`days`: what holds and which securities count, today first."""
    held, counting = days[0]
    target = held.line.currency if held.line else row.customer.currency
    used = {code: each.total for code, each in accounts.items() if each.total}
    missing = sorted(code for code in used if code != target and not {code, target} <= worth.keys())

    def limit(held: InForce, secured: Iterable[Security]) -> Limit:
        found = cover_of(plain(secured), held, accounts, policy=policy, worth=worth)
        return rule.raised(held.limit, held.temporary_limit, found.amount)

    def after(held: InForce, counting: list[Security]) -> Limit:
        left = [each for each in counting if each.pk not in (row.pk, row.replaces_id)]
        return limit(held, [*left, row] if row.status == "proposed" else left)

    total = ZERO if missing else sum((_in(amount, code, target, worth) for code, amount in used.items()), ZERO)
    return Reach(
        target, total, limit(held, counting), after(held, counting), max((after(*day) for day in days), key=far),
        held.grade, worth.get(target), missing[0] if missing else "",
    )  # fmt: skip


def reach(security: Security, *, policy: Policy, on: date) -> Reach:
    """The same for one security. Raises CannotDecide where a rate is missing (I-7)."""
    found = reaches([security], policy=policy, on=on)[security.pk]
    if found.missing or found.worth is None:
        currency = found.missing or found.currency
        raise CannotDecide(_("No exchange rate is known for %(currency)s."), code="currency_unknown", currency=currency)
    return found


def _in(amount: Decimal, source: str, target: str, worth: Mapping[str, Decimal]) -> Decimal:
    return amount if source == target else convert(amount, worth[source] / worth[target])


def claim_until(security: Security) -> date | None:
    """The last day to claim from the guarantor (Civil Code art. 692); None for what is no guarantee, or undated."""
    if security.kind not in GUARANTEES or security.debt_due_on is None:
        return None
    return rule.claim_until(security.debt_due_on, security.agreed_until)


# --- the life of one -----------------------------------------------------------------------------


def propose(
    customer: Customer, terms: SecurityTerms, *, reason: str, by: Person, today: date, at: datetime,
    replaces: Security | None = None,
) -> Security:  # fmt: skip
    """Enter a security; it counts once somebody else has approved it. `replaces`: it takes that one's place then.

    Raises BadForm naming every field that cannot stand.
    """
    posts.require(by, *rule.ASKERS, on=today, about=customer, verb="security.propose", at=at)
    faults = [*_faults(terms, reason, today), *_twice(customer.pk, terms, replaces)]
    if replaces and (replaces.customer_id != customer.pk or replaces.status != "active"):
        faults.append(("replaces", _("Only a security of this customer that is in force can be replaced.")))
    if faults:
        raise BadForm(faults)
    told = {field.name: getattr(terms, field.name) for field in fields(terms)}
    with transaction.atomic():
        row = Security.objects.create(
            customer=customer, reason=reason, replaces=replaces, proposed_by=by, proposed_at=at, **told
        )
        trail.record("security.propose", about=row, by=by, at=at, customer=customer, **_summary(row))
    return row


def keep_paper(
    security: Security, upload: UploadedFile, *, note: str = "", by: Person, today: date, at: datetime
) -> Attachment:
    """Keep the contract, the certificate of registration, the policy with it. Raises NotYourDuty, BadForm."""
    posts.require(by, *KEEPERS, on=today, about=security, verb="attach", at=at)
    return attachments.attach(upload, about=security, customer=security.customer, by=by, at=at, note=note)


def _summary(row: Security) -> dict[str, object]:
    """The security in the trail's words; who gives it is personal and stays out."""
    names = ("kind", "value", "prior_claims", "currency", "document", "registration_no", "since", "until", "reason")
    return {name: getattr(row, name) for name in names} | {"replaces": row.replaces_id}


def _faults(terms: SecurityTerms, reason: str, today: date) -> Iterable[tuple[str, object]]:
    if not reason.strip():
        yield "reason", _("Say why: the reason is kept with the security.")
    for name in ("provider", "subject", "document"):
        if not getattr(terms, name).strip():
            yield name, _("This must be said.")
    if terms.value <= 0:
        yield "value", _("A security has a value above zero.")
    if not 0 <= terms.prior_claims < terms.value:
        yield "prior_claims", _("Claims before ours are below the value; else nothing is left for us.")
    if terms.until and terms.until < terms.since:
        yield "until", _("A security cannot end before it begins.")
    elif terms.until and terms.until < today:
        yield "until", _("This security has run out already.")
    if terms.kind == "mortgage" and not terms.registration_no.strip():
        yield "registration_no", _("A mortgage binds others only once it is registered: give the number.")
    if terms.kind not in GUARANTEES and (terms.debt_due_on or terms.agreed_until):
        yield "debt_due_on", _("These days belong to guarantees alone.")
    if terms.agreed_until and not terms.debt_due_on:
        yield "debt_due_on", _("Say when the guaranteed debt falls due: the guarantee period runs from there.")


def _twice(customer: int, terms: SecurityTerms, replaces: Security | None) -> Iterable[tuple[str, object]]:
    """The same paper, or the same entry of a register, counts once."""
    others = Security.objects.filter(status="active", kind=terms.kind)
    others = others.exclude(pk=replaces.pk) if replaces else others
    if others.filter(customer=customer, document=terms.document).exists():
        yield "document", _("A security under this document is in force already; replace it instead.")
    registered = others.filter(registration_no=terms.registration_no, rank=terms.rank)
    if terms.registration_no and registered.exists():
        yield "registration_no", _("This registration secures a line already; it is not counted twice.")


def approve(
    security: Security, *, version: int, reason: str = "", edition: Edition, by: Person, today: date, at: datetime
) -> Security:
    """Sign the version seen: it counts from its first day on, and what it replaces ends.

    Never one's own proposal or customer, and only within authority over the limit as it then stands (I-14, I-15).
    """
    with transaction.atomic():
        fresh = _under_lock(security)
        refuse_unauthorised(fresh, edition=edition, by=by, today=today, at=at)
        replaced = fresh.replaces
        if replaced:
            _end(replaced, "replace", why=fresh.reason, by=by, today=today, at=at)
        if fresh.status == "proposed" and list(_twice(fresh.customer_id, _terms_of(fresh), None)):
            raise Moved(_("The same document or registration has been approved meanwhile."), code="counted_already",
                        cure=_("Decline this one."))  # fmt: skip
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
        moves.move(fresh, FLOW, "approve", by=by, on=today, at=at, version=version, began_on=today, **decided)
    return fresh


def _terms_of(row: Security) -> SecurityTerms:
    return SecurityTerms(**{field.name: getattr(row, field.name) for field in fields(SecurityTerms)})


def decline(
    security: Security, *, version: int, reason: str, by: Person, today: date, at: datetime
) -> Security:  # fmt: skip
    """Refuse the version seen, with the reason whoever proposed it will read."""
    _require_reason(reason)
    decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
    return moves.move(security, FLOW, "decline", by=by, on=today, at=at, version=version, **decided)


def withdraw(security: Security, *, version: int, reason: str = "", by: Person, today: date, at: datetime) -> Security:
    """Take one's own proposal back; raises NotYourDuty for somebody else's."""
    if security.proposed_by_id != by.pk:
        raise NotYourDuty(_("Only the person who proposed it can take it back."), code="not_yours")
    decided = {"decided_by": by, "decided_at": at, "decision_reason": reason}
    return moves.move(security, FLOW, "withdraw", by=by, on=today, at=at, version=version, **decided)


def release(
    security: Security, *, version: int, reason: str, edition: Edition, by: Person, today: date, at: datetime
) -> Security:
    """Give a security back that is no longer needed. Raises Moved while what is owed stands on it (I-1)."""
    _require_reason(reason)
    with transaction.atomic():
        fresh = _under_lock(security)
        if fresh.status == "active":
            _refuse_needed(fresh, edition.policy, today)
        return _end(fresh, "release", why=reason, by=by, today=today, at=at, version=version)


def _refuse_needed(security: Security, policy: Policy, today: date) -> None:
    found = reach(security, policy=policy, on=today)
    if found.short and found.now != found.then:
        raise Moved(
            _("Without it the customer would owe %(amount)s %(currency)s more than it may."),
            code="still_needed", amount=f"{found.short:,.2f}", currency=found.currency,
            cure=_("Wait for payment, or replace it. Has it turned out worthless? Say so: that is always possible."),
        )  # fmt: skip


def void(
    security: Security, *, version: int, reason: str, by: Person, today: date, at: datetime
) -> Security:  # fmt: skip
    """It has turned out worthless (forged, lost, revoked): it counts no more, whatever is owed."""
    _require_reason(reason)
    with transaction.atomic():
        return _end(_under_lock(security), "void", why=reason, by=by, today=today, at=at, version=version)


def expire(*, today: date, at: datetime, by: Person, batch: int = 500) -> int:
    """Mark what has run out; it has not counted since its last day. Answers how many; running twice changes nothing."""
    ended = 0
    while due := list(Security.objects.filter(status="active", until__lt=today).order_by("pk")[:batch]):
        with transaction.atomic():
            exposure.lock(row.customer_id for row in due)
            for row in Security.objects.select_for_update().filter(pk__in=[each.pk for each in due], status="active"):
                moves.move(row, FLOW, "expire", by=by, on=today, at=at, ended_on=today, ended_by=by)
                ended += 1
    return ended


def ending(*, policy: Policy, on: date) -> QuerySet[Security]:
    """Securities in force that run out, or whose guarantor must be claimed from, within the policy's days of notice."""
    ahead = max(policy.securities.notice_days, default=0)
    soon = date.fromordinal(on.toordinal() + ahead)
    first = add_months(on, -rule.GUARANTEE_MONTHS) - timedelta(days=3)  # months are of 28 to 31 days
    due = Q(agreed_until__range=(on, soon)) | Q(debt_due_on__range=(first, soon))
    guarantees = Security.objects.filter(due, status__in=("active", "expired"), kind__in=GUARANTEES)
    dated = guarantees.filter(debt_due_on__isnull=False).only("kind", "debt_due_on", "agreed_until")
    claimed = [row.pk for row in dated if on <= rule.claim_until(row.debt_due_on, row.agreed_until) <= soon]
    rows = Security.objects.filter(Q(status="active", until__range=(on, soon)) | Q(pk__in=claimed))
    return rows.select_related("customer").order_by(F("until").asc(nulls_last=True))


def alarms(security: Security) -> list[date]:
    """The days that must not pass unnoticed: its last day while it is in force, the last day to claim."""
    last = [security.until] if security.until and security.status == "active" else []
    claim = claim_until(security)
    return [*last, *([claim] if claim else [])]


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise BadForm([("reason", _("Say why: the reason is kept with the security."))])


def _under_lock(security: Security) -> Security:
    """The row as it stands now, with its customer's accounts locked as the order check locks them (I-1).

    The account is opened where there is none, so that a first check and this cannot pass each other by.
    """
    exposure.open_accounts([(security.customer_id, security.customer.currency)])
    exposure.lock([security.customer_id])
    rows = Security.objects.select_related("customer", "replaces").select_for_update(of=("self",))
    return rows.get(pk=security.pk)


def _end(
    row: Security, verb: str, *, why: str, by: Person, today: date, at: datetime, version: int | None = None
) -> Security:
    ended = {"ended_on": today, "ended_by": by, "end_reason": why}
    return moves.move(row, FLOW, verb, by=by, on=today, at=at, version=version, **ended)


# --- who may sign --------------------------------------------------------------------------------


def needs(found: Reach, *, policy: Policy) -> authority.Needs:
    """Whose signature a proposal needs: by the customer's usable limit as it would stand with it."""
    total = found.most if found.most.kind != "unset" else Limit.none()
    if total.amount is not None:
        total = Limit.of(convert(total.amount, found.worth or ZERO))
    asked = authority.RequestedLine(total, found.grade or policy.securities.grades[-1], "raise")
    return authority.who_may(policy, asked, total)


def refuse_unauthorised(security: Security, *, edition: Edition, by: Person, today: date, at: datetime) -> None:
    """Raise NotYourDuty for who proposed it, the owning salesperson, or too small a power (I-14, I-15)."""
    if security.status != "proposed":
        return
    found = reach(security, policy=edition.policy, on=today)
    if codes := why_not(security, found, edition=edition, by=by, today=today):
        raise posts.not_your_duty(by, about=security, verb="approve", at=at, message=WORDS[codes[0]], code=codes[0])


def why_not(security: Security, found: Reach, *, edition: Edition, by: Person, today: date) -> tuple[str, ...]:
    """Every reason for which this person may not approve the proposal, as codes of WORDS; empty when she may."""
    return authority.may_approve(
        dict(posts.authority_of(by, today)),
        needs(found, policy=edition.policy),
        approver=by.pk,
        applicant=security.proposed_by_id,
        salesperson=security.customer.salesperson_id,
    )


WORDS = {
    "own_application": _("You proposed this security yourself; somebody else has to approve it."),
    "own_customer": _("This is your own customer; somebody else has to approve."),
    "no_post": _("With it the limit needs the signature of a higher post."),
    "own_amount": _("With it the limit is beyond your own authority; hand it to a higher post."),
}

HIDDEN = frozenset({"replace"})
"""Steps that go with another act and have no button of their own."""


def verbs_for(security: Security, found: Reach, *, edition: Edition, by: Person, today: date) -> list[str]:
    """What this person may do with it now; `found` is its reach."""
    verbs = [verb for verb in moves.verbs_for(security, FLOW, by, today) if verb not in HIDDEN]
    unmeasured = bool(found.missing) or found.worth is None
    barred = {
        "approve": unmeasured or why_not(security, found, edition=edition, by=by, today=today),
        "withdraw": security.proposed_by_id != by.pk,
    }
    return [verb for verb in verbs if verb not in barred or not barred[verb]]
