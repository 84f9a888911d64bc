"""What is decided about an application (B2.1, B2.3): granted within authority, declined, sent back; and its letter.

A granted application becomes a line by the line request's own door: there is no second way to make a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from shouxin.customers import facts, mails, standing
from shouxin.customers.models import Customer, Mail
from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.office import moves, posts, trail
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules import application as rules
from shouxin.rules.application import FLOW
from shouxin.rules.days import add_months
from shouxin.rules.line import Limit, reach
from shouxin.rules.money import convert
from shouxin.rules.policy import Grade, RequestKind

from . import exposure, line_requests, lines, opinions, particulars, reply_letters, signatures
from .applications import ITEMS, excuse, locked, missing
from .line_requests import LineTerms
from .models import Application, Line
from .opinions import Round
from .reply_letters import Letterhead

REPLY, MORE = "credit_reply", "credit_more"
REPLY_DAYS = 10
"""Within so many days missing papers are asked for."""


@dataclass(frozen=True)
class Grant:
    """What the signer means to grant; what is left out is as it was asked for."""

    limit: Decimal | None = None
    term_days: int | None = None
    since: date | None = None
    until: date | None = None
    discount_percent: Decimal | None = None
    discount_days: int | None = None
    conditions: str = ""


FAULTS = {
    "more_than_asked": ("limit", _("Never more than was asked for.")),
    "longer_than_asked": ("term_days", _("Never longer than was asked for.")),
    "later_than_asked": ("effective_to", _("A temporary limit ends on the day asked for at the latest.")),
    "over_grade_cap": ("limit", _("The customer's whole limit would pass the cap of its grade.")),
    "over_concentration": ("limit", _("The customer's whole limit would pass the cap for a single customer.")),
}


def approve(
    application: Application, grant: Grant, *, version: int | None = None, reason: str = "", edition: Edition,
    by: Person, today: date, at: datetime,
) -> Line:  # fmt: skip
    """Grant it, within one's authority, the caps and what was asked; the line begins and the reply is written.

    Raises NotYourDuty, Moved (opinions missing, faster hands, blacklisted), BadForm (too much, too long, no word).
    """
    reason = fitting(reason, 1000)
    with transaction.atomic():
        exposure.lock([application.customer_id])
        fresh = locked(application, version)
        decided = {"decided_by": by, "decided_at": at, "decision_reason": reason,
                   "conditions": fitting(grant.conditions, 1000, "conditions")}  # fmt: skip
        moves.move(fresh, FLOW, "approve", by=by, on=today, at=at, **decided)
        found = opinions.round_of(fresh, edition=edition, today=today)
        _refuse_unready(fresh, found, reason=reason, edition=edition, by=by, today=today)
        terms = _terms(fresh, grant)
        _refuse_too_much(fresh, terms, edition, today)
        line = _line(fresh, found, terms, reason=reason, edition=edition, by=by, today=today, at=at)
        _reply(fresh, _granted(fresh, line, edition, by, today), by=by, at=at)
    return line


def _refuse_unready(
    application: Application, found: Round, *, reason: str, edition: Edition, by: Person, today: date
) -> None:
    """Raise what stands before the signature: four eyes and authority first, then what is still missing."""
    if refusals := opinions.why_not_sign(application, found, by=by, today=today):
        code = refusals[0]
        raise posts.not_your_duty(by, about=application, verb="approve", message=opinions.WORDS[code], code=code)
    if not found.complete:
        waited = [str(POST_LABELS[post]) for post in found.waiting] + [str(each.to) for each in found.asked]
        raise Moved(_("Opinions are still missing: %(waited)s."), code="opinions_missing",
                    cure=_("Sign once all have spoken."), waited=", ".join(waited))  # fmt: skip
    customer = application.customer
    standing.refuse_blacklisted(customer, today)
    if customer.natural_person and application.grade_confirmed_by_id is None:
        raise Moved(_("A program graded a natural person; somebody has to confirm the grade first."),
                    code="grade_unconfirmed", cure=_("The credit office confirms it on the application."))  # fmt: skip
    if any(each.verdict == "disagree" for each in found.given) and not reason.strip():
        raise BadForm([("reason", _("Somebody disagrees: say why you grant it all the same."))])
    application.excused = excuse(application, "approve", reason, edition, today)


def _terms(application: Application, grant: Grant) -> LineTerms:
    """The terms of the line to be: what was asked for, where the signer says nothing else."""
    limit = application.requested_limit if grant.limit is None else grant.limit
    if limit < 0:
        raise BadForm([("limit", line_requests.BELOW_ZERO)])
    return LineTerms(
        limit=Limit.of(limit),
        currency=application.currency,
        term_days=application.requested_term_days if grant.term_days is None else grant.term_days,
        grade=Grade(application.grade),
        discount_percent=grant.discount_percent,
        discount_days=grant.discount_days,
        since=grant.since,
        until=grant.until or application.requested_until,
        temporary=application.request_type == "temporary",
    )


def _refuse_too_much(application: Application, terms: LineTerms, edition: Edition, today: date) -> None:
    request = opinions.as_request(application, terms, edition=edition, today=today)
    held = lines.ahead([application.customer_id], on=today)[application.customer_id]
    total = max((signatures.resulting_total(request, then) for then in held.values()), key=reach).bound
    known = signatures.known_worth([application.currency], edition, today)
    rate = signatures.worth_of(application.currency, known)
    kind: RequestKind = application.request_type  # type: ignore[assignment]
    asked = rules.Asked(kind, application.requested_limit, application.requested_term_days, application.requested_until)
    granted = rules.Granted(
        terms.limit, terms.term_days, Grade(application.grade),
        Decimal("Infinity") if total is None else convert(total, rate), terms.until,
    )  # fmt: skip
    if codes := list(rules.faults(edition.policy, asked, granted)):
        raise BadForm([FAULTS[code] for code in codes])


def _line(
    application: Application, found: Round, terms: LineTerms, *, reason: str, edition: Edition, by: Person,
    today: date, at: datetime,
) -> Line:  # fmt: skip
    """The line, by the line request's own door; application and request point at each other."""
    request = line_requests.put_down(
        application.customer, terms, reason=f"{application.number} {application.reason}".strip()[:1000],
        edition=edition, by=application.requested_by, today=today, at=at, rating=application.rating,
        editors=application.editors.all(),
    )  # fmt: skip
    line = line_requests.approve(
        request, version=request.version, reason=reason, edition=edition, by=by, today=today, at=at,
        holds=opinions.holds_of(application, found, by, today),
    )  # fmt: skip
    Application.objects.filter(pk=application.pk).update(line_request=request, excused=application.excused)
    application.line_request = request
    return line


@transaction.atomic
def decline(
    application: Application, *, category: str = "other", reason: str, said: str = "", version: int | None = None,
    edition: Edition, by: Person, today: date, at: datetime,
) -> Application:  # fmt: skip
    """Decline it. `reason` stays in the file; the customer reads the category and what is `said` to it."""
    fresh = locked(application, version)
    if not reason.strip():
        raise BadForm([("reason", _("Say why: it is kept in the file; the customer does not read it."))])
    if category not in dict(Application.CATEGORIES):
        raise BadForm([("category", _("Not among the answers."))])
    decided = {"decided_by": by, "decided_at": at, "decision_reason": fitting(reason, 1000), "category": category,
               "said": fitting(said, 1000, "said")}  # fmt: skip
    moves.move(fresh, FLOW, "decline", by=by, on=today, at=at, **decided)
    again = add_months(today, edition.policy.applications.reapply_months)
    head = letterhead(fresh.customer, edition, fresh.number, by=by, today=today)
    paper = reply_letters.declined(
        head, application=fresh.number, category=category, said=said.strip(), reapply_on=again
    )
    _reply(fresh, paper, by=by, at=at)
    return fresh


@transaction.atomic
def send_back(
    application: Application, *, reason: str, tell_customer: bool = False, version: int | None = None,
    edition: Edition, by: Person, today: date, at: datetime,
) -> Application:  # fmt: skip
    """Return it to the applicant for completion; with `tell_customer` the customer is asked by letter too."""
    fresh = locked(application, version)
    if not reason.strip():
        raise BadForm([("reason", _("Say what is to be completed."))])
    moves.move(fresh, FLOW, "return", by=by, on=today, at=at, particulars={"why": fitting(reason, 1000)})
    if tell_customer:
        head = letterhead(fresh.customer, edition, fresh.number, by=by, today=today)
        with override(head.language):
            items = [str(ITEMS[item]) for item in missing(fresh, policy=edition.policy, today=today)]
        until = today + timedelta(days=REPLY_DAYS)
        paper = reply_letters.ask_more(head, application=fresh.number, items=items, said=reason.strip(), until=until)
        _reply(fresh, paper, by=by, at=at, kind=MORE)
    return fresh


# --- the letter ----------------------------------------------------------------------------------


def letterhead(customer: Customer, edition: Edition, number: str, *, by: Person | None, today: date) -> Letterhead:
    """The head of a letter to a customer, in the language it asked for."""
    known = facts.latest([customer.pk], today)[customer.pk].get("letter_language")
    language = reply_letters.spoken(known.value if known else "")
    return Letterhead(edition.policy.company, customer.name, number, today, language, str(by) if by else "")


def _granted(application: Application, line: Line, edition: Edition, by: Person, today: date) -> Paper:
    earlier = Line.objects.filter(customer=application.customer, temporary=False, pool=False, since__lte=today)
    before = earlier.exclude(pk=line.pk).order_by("-since", "-pk").first()
    head = letterhead(application.customer, edition, application.number, by=by, today=today)
    return reply_letters.granted(
        head, reply_letters.terms_of(line), application=application.number, asked=application.requested_limit,
        before=reply_letters.terms_of(before) if before and not line.temporary else None,
        conditions=application.conditions,
    )  # fmt: skip


def _reply(application: Application, paper: Paper, *, by: Person, at: datetime, kind: str = REPLY) -> Mail:
    customer = application.customer
    to = particulars.filled(application.details).get("email", "") or customer.email
    return mails.write(
        kind=kind, about=trail.name_of(application), to=to, subject=f"{paper['title']} {application.number}",
        body=documents.plain(paper), by=by, at=at, customer=customer, paper=paper, language=paper["language"],
        paper_name=f"{paper['title']}-{application.number}",
    )  # fmt: skip


def letters(application: Application) -> Sequence[Mail]:
    """The letters written about an application, the latest first."""
    return list(Mail.objects.filter(about=trail.name_of(application), kind__in=(REPLY, MORE)).order_by("-pk"))
