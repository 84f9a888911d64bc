"""An application's way from the form to the assessment (B2.3): written, handed in, accepted, investigated, rated.

What is decided about it stands in `decisions`, who speaks when in `opinions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.customers import facts, standing
from shouxin.customers.models import Customer
from shouxin.lib import numbering
from shouxin.lib.calendars import calendar
from shouxin.office import moves, posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, fitting
from shouxin.rules import application as rules
from shouxin.rules import currencies
from shouxin.rules.application import FLOW, Clock
from shouxin.rules.days import Calendar
from shouxin.rules.policy import Policy, Post, RequestKind

from . import grade_reviews, lines, particulars
from .models import Application, ApplicationEdit, Opinion, Posting, Rating

KINDS: tuple[RequestKind, ...] = ("new", "raise", "lower", "temporary", "renewal")
STATEMENT_FACTS = ("current_assets", "net_worth", "total_assets", "current_liabilities")
AMOUNT_MAX = Decimal("9999999999999.99")
COLUMNS = ("request_type", "requested_limit", "currency", "requested_term_days", "requested_until", "reason")


@dataclass(frozen=True)
class Wanted:
    """What is asked for: kind, limit (from 0 up), term in days, last day of a temporary limit, and the form's boxes."""

    request_type: RequestKind
    requested_limit: Decimal
    requested_term_days: int
    currency: str
    requested_until: date | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def create(
    customer: Customer, wanted: Wanted, *, by: Person, today: date, at: datetime, edition: Edition,
    source: str = "office",
) -> Application:  # fmt: skip
    """A new draft. Raises NotYourDuty, BadForm, and Moved where one of this kind is open for the customer already."""
    posts.require(by, *rules.APPLICANTS, on=today, about=customer, verb="application.create", at=at)
    details = _checked(customer, wanted, today)
    _refuse_second(customer, wanted.request_type)
    made = Application(
        number=numbering.take(f"SQ{today.year}", digits=5)[0], customer=customer, source=source, requested_by=by,
        requested_at=at, policy_version=edition.number, details=particulars.kept(details),
        **{name: getattr(wanted, name) for name in COLUMNS},
    )  # fmt: skip
    made.save()
    trail.record("application.create", about=made, by=by, at=at, source=source, **_told(made))
    return made


def _checked(customer: Customer, wanted: Wanted, today: date) -> dict[str, str]:
    """The boxes as they are kept. Raises BadForm naming everything that cannot stand."""
    faults = list(_faults(customer, wanted, today))
    try:
        details = particulars.read(particulars.APPLICATION, wanted.details, where="details.")
    except BadForm as refusal:
        faults += refusal.errors
    if faults:
        raise BadForm(faults)
    return details


def _faults(customer: Customer, wanted: Wanted, today: date) -> Any:
    held = lines.in_force([customer.pk], on=today)[customer.pk]
    if wanted.request_type not in KINDS:
        yield "request_type", _("is not a kind of request")
    if wanted.currency not in currencies.CURRENCIES:
        yield "currency", _("is not a currency")
    if wanted.requested_limit < 0 or wanted.requested_limit > AMOUNT_MAX:
        yield "requested_limit", _("must be an amount from 0 upwards")
    elif wanted.requested_limit == 0 and wanted.request_type != "lower":
        yield "requested_limit", _("must be above 0; to give credit back ask to lower it")
    if not 0 <= wanted.requested_term_days <= 3660:
        yield "requested_term_days", _("must be between 0 and 3660 days")
    if len(wanted.reason) > 1000:
        yield "reason", _("At most %(n)s characters.") % {"n": 1000}
    if wanted.requested_until and wanted.requested_until < today:
        yield "requested_until", _("This day has passed.")
    yield from _line_faults(wanted, held)


def _line_faults(wanted: Wanted, held: lines.InForce) -> Any:
    """What the line in force says to the kind of request."""
    if wanted.request_type in ("raise", "lower", "renewal") and held.line is None:
        yield "request_type", _("The customer has no line yet; ask for a new one.")
        return
    bound = held.limit.bound
    if wanted.request_type == "raise" and bound is not None and wanted.requested_limit <= bound:
        yield "requested_limit", _("To raise a line ask for more than it is now.")
    if wanted.request_type == "lower" and bound is not None and wanted.requested_limit >= bound:
        yield "requested_limit", _("To lower a line ask for less than it is now.")


def _refuse_second(customer: Customer, kind: str, but: int | None = None) -> None:
    """One open application of a kind per customer; the customer's row is locked, so that two at once are seen."""
    Customer.objects.select_for_update().get(pk=customer.pk)
    rows = Application.objects.filter(customer=customer, request_type=kind, status__in=rules.OPEN).exclude(pk=but)
    if first := rows.first():
        raise Moved(
            _("This has been applied for already: %(number)s is still open."), code="applied_already",
            cure=_("Add to that application, or withdraw it first."), number=first.number, id=first.pk,
        )  # fmt: skip


def _told(application: Application) -> dict[str, object]:
    return {"number": application.number, **{name: getattr(application, name) for name in COLUMNS}}


@transaction.atomic
def change(
    application: Application, wanted: Wanted, *, version: int, by: Person, today: date, at: datetime
) -> Application:
    """Other contents of a draft or returned application; old and new of every box are kept."""
    fresh = locked(application, version)
    details = _checked(fresh.customer, wanted, today)
    if wanted.request_type != fresh.request_type:
        _refuse_second(fresh.customer, wanted.request_type, but=fresh.pk)
    columns = {name: getattr(wanted, name) for name in COLUMNS}
    before = {name: _text(getattr(fresh, name)) for name in COLUMNS} | particulars.filled(fresh.details)
    after = {name: _text(value) for name, value in columns.items()} | details
    changed = particulars.differences(before, after)
    moves.move(
        fresh, FLOW, "change", by=by, on=today, at=at, version=version, details=particulars.kept(details),
        particulars={"details": sorted(changed)}, **columns,
    )  # fmt: skip
    note_edit(fresh, changed, by=by, at=at)
    if by.pk != fresh.requested_by_id:
        fresh.editors.add(by)
    return fresh


def _text(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def note_edit(application: Application, changed: Mapping[str, Any], *, by: Person | None, at: datetime) -> None:
    """Keep old and new of every changed box, for ever."""
    if changed:
        ApplicationEdit.objects.create(application=application, by=by, at=at, changes=particulars.kept(changed))


def locked(application: Application, version: int | None = None) -> Application:
    """The application as it stands now, locked; raises Moved when somebody has changed it since it was seen."""
    rows = Application.objects.select_related("customer", "requested_by").select_for_update(of=("self",))
    fresh = rows.get(pk=application.pk)
    if version is not None and fresh.version != version:
        raise Moved(_("The application was changed after you opened it. Look at it again."), code="version_seen")
    return fresh


# --- on its way ----------------------------------------------------------------------------------


@transaction.atomic
def submit(
    application: Application, *, reason: str = "", version: int | None = None, edition: Edition, by: Person,
    today: date, at: datetime,
) -> Application:  # fmt: skip
    """Hand it in; the clock starts. What sales wrote on the form counts as the opinion of sales."""
    fresh = locked(application, version)
    turn = fresh.turn + 1 if fresh.status == "returned" else fresh.turn
    due_on = _clock_from(edition.policy, fresh.request_type, today, today).due_on
    moves.move(fresh, FLOW, "submit", by=by, on=today, at=at, submitted_on=today, due_on=due_on, turn=turn)
    _excused(fresh, "submit", reason, edition, today)
    standing.refuse_blacklisted(fresh.customer, today)
    opinion = particulars.filled(fresh.details).get("sales_opinion", "")
    if opinion and Post.SALES in posts.posts_of(by, on=today):
        Opinion.objects.create(application=fresh, turn=turn, post=Post.SALES, by=by, verdict="agree",
                               text=fitting(opinion, 1000, "sales_opinion"), at=at)  # fmt: skip
    return fresh


def excuse(application: Application, verb: str, reason: str, edition: Edition, today: date) -> str:
    """Why it goes on although items are missing. Raises BadForm where the policy wants a reason here."""
    lacking = missing(application, policy=edition.policy, today=today)
    if rules.must_excuse(edition.policy, verb, lacking, reason):
        named = ", ".join(str(ITEMS[item]) for item in lacking)
        raise BadForm(
            [
                (
                    "reason",
                    _("These are missing: %(items)s. Bring them, or say why it goes on without.") % {"items": named},
                )
            ]
        )
    return fitting(reason, 1000) if lacking and reason.strip() else application.excused


def _excused(application: Application, verb: str, reason: str, edition: Edition, today: date) -> None:
    application.excused = excuse(application, verb, reason, edition, today)
    Application.objects.filter(pk=application.pk).update(excused=application.excused)


@transaction.atomic
def accept(
    application: Application, *, reason: str = "", version: int | None = None, edition: Edition, by: Person,
    today: date, at: datetime,
) -> Application:  # fmt: skip
    """The credit office takes it up for review."""
    fresh = locked(application, version)
    moves.move(fresh, FLOW, "accept", by=by, on=today, at=at, accepted_by=by)
    _excused(fresh, "accept", reason, edition, today)
    return fresh


@transaction.atomic
def investigate(
    application: Application, findings: Mapping[str, Any], *, version: int | None = None, by: Person, today: date,
    at: datetime,
) -> Application:  # fmt: skip
    """Keep what the investigation found, box by box; said again, it is added to. Raises BadForm for nothing."""
    fresh = locked(application, version)
    found = particulars.read(particulars.INVESTIGATION, findings, where="findings.")
    if not found:
        raise BadForm([("findings.conclusion", _("Say what was found."))])
    if found.get("visited_on", "") > today.isoformat():
        raise BadForm([("findings.visited_on", _("This day has not come yet."))])
    before = particulars.filled(fresh.investigation)
    after = before | found
    moves.move(
        fresh, FLOW, "investigate", by=by, on=today, at=at, investigation=particulars.kept(after), investigated_by=by,
        investigated_on=today, particulars={"investigation": sorted(found)},
    )  # fmt: skip
    note_edit(fresh, particulars.differences(before, after), by=by, at=at)
    fresh.editors.add(by)
    return fresh


@transaction.atomic
def assess(
    application: Application, rating: Rating, *, version: int | None = None, by: Person, today: date, at: datetime
) -> Application:
    """Freeze what the rating says into the application: score, grade, suggested line."""
    fresh = locked(application, version)
    if rating.customer_id != fresh.customer_id:
        raise ValueError("a rating of another customer")
    return moves.move(
        fresh, FLOW, "assess", by=by, on=today, at=at, rating=rating, score=rating.score, grade=rating.grade,
        suggested_kind=rating.limit_kind, suggested_limit=rating.limit, suggested_term_days=rating.term_days,
        assessed_by=by, assessed_on=today, grade_confirmed_by=None, grade_confirmed_why="",
    )  # fmt: skip


@transaction.atomic
def confirm_grade(
    application: Application, *, reason: str, version: int | None = None, by: Person, today: date, at: datetime
) -> Application:
    """A person has looked at the grade a program gave a natural person (PIPL art. 24). Raises BadForm for companies."""
    fresh, why = locked(application, version), fitting(reason, 500)
    moves.move(fresh, FLOW, "confirm_grade", by=by, on=today, at=at, grade_confirmed_by=by, grade_confirmed_why=why)
    if not fresh.customer.natural_person:
        raise BadForm([("", _("Only the grade of a natural person is confirmed."))])
    if not reason.strip():
        raise BadForm([("reason", _("Say what you looked at."))])
    if fresh.rating and (review := grade_reviews.review_of(fresh.rating)) and review.status == "proposed":
        grade_reviews.confirm(review, grade_reviews.proposed(fresh.rating), reason=reason, by=by, on=today, at=at)
    return fresh


@transaction.atomic
def withdraw(
    application: Application, *, reason: str = "", version: int | None = None, by: Person, today: date, at: datetime
) -> Application:
    """Take one's own application back; raises NotYourDuty for somebody else's."""
    if application.requested_by_id != by.pk:
        raise NotYourDuty(_("Only the person who applied can withdraw it."), code="not_yours")
    fresh, why = locked(application, version), fitting(reason, 1000)
    return moves.move(
        fresh, FLOW, "withdraw", by=by, on=today, at=at, decided_by=by, decided_at=at, decision_reason=why
    )


# --- what it lacks, and by when ------------------------------------------------------------------

ITEMS: Mapping[str, Any] = {
    "uscc": _("unified social credit code"),
    "address": _("address"),
    "legal_representative": _("legal representative"),
    "registered_capital": _("registered capital"),
    "contact": _("contact"),
    "bank_account": _("bank account"),
    "main_products": _("main products"),
    "expected_purchases": _("expected purchases"),
    "trade_references": _("main suppliers"),
    "consent": _("promise and permission to inquire"),
    "statements": _("financial statements"),
    "payment_record": _("our own record of payments"),
    "sales_opinion": _("opinion of sales"),
    "security": _("security"),
    "reason": _("reason"),
    "last_day": _("last day of the temporary limit"),
}
"""The items of a checklist in words."""


def missing(application: Application, *, policy: Policy, today: date) -> tuple[str, ...]:
    """What the policy's checklist wants of this kind of request and is not there yet."""
    return rules.missing(policy, application.request_type, present(application, today))  # type: ignore[arg-type]


def present(application: Application, today: date) -> set[str]:
    """The items that are there: boxes filled in, the customer's particulars, facts, our own ledger."""
    customer, details = application.customer, particulars.filled(application.details)
    found = {item for item in ITEMS if details.get(item)}
    found |= {
        item
        for item in ("uscc", "address", "legal_representative", "registered_capital", "contact", "bank_account")
        if getattr(customer, item)
    }
    found |= {"uscc"} if customer.natural_person and customer.id_number else set()
    known = facts.latest([customer.pk], today)[customer.pk]
    found |= {"statements"} if any(key in known for key in STATEMENT_FACTS) else set()
    found |= {"payment_record"} if Posting.objects.filter(account__customer=customer).exists() else set()
    found |= {"reason"} if application.reason.strip() else set()
    return found | ({"last_day"} if application.requested_until else set())


def clock_of(application: Application, *, policy: Policy, today: date) -> Clock | None:
    """How the service level stands; None before it is handed in, once decided, and while back with the applicant."""
    if application.submitted_on is None or application.status not in rules.PENDING.split():
        return None
    return _clock_from(policy, application.request_type, application.submitted_on, today)


def _clock_from(policy: Policy, kind: str, started_on: date, today: date) -> Clock:
    return rules.clock(policy, kind, started_on, calendar_of(policy), today)  # type: ignore[arg-type]


def calendar_of(policy: Policy) -> Calendar:
    """The policy's calendar of working days."""
    book = policy.calendar
    return calendar(book.country, tuple(book.holidays), tuple(book.workdays))
