"""Joint opinions (domain 4.3): who speaks next about an application, for whom, and who may sign it in the end.

Each post up to the one that signs speaks in the policy's order; one person lends a paper her hand once. A turn may be
handed to another, and one more person may be asked; the signature waits for both.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import moves, posts, sight
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, CannotDecide, Moved, fitting
from shouxin.rules import application as rules
from shouxin.rules import authority
from shouxin.rules.application import FLOW
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post

from . import line_requests, lines, signatures
from .applications import locked
from .models import Application, Handover, LineRequest, Opinion


@dataclass(frozen=True)
class Round:
    """Where the opinions of one handing-in stand: who signs at least, who has spoken, who is still waited for."""

    needs: authority.Needs
    given: tuple[Opinion, ...] = ()
    waiting: tuple[Post, ...] = ()
    asked: tuple[Handover, ...] = ()
    lent: tuple[Handover, ...] = field(default=())

    @property
    def next(self) -> Post | None:
        """Whose turn it is; None once only the signature is left."""
        return self.waiting[0] if self.waiting else None

    @property
    def complete(self) -> bool:
        """Whether nothing but the signature is left."""
        return not self.waiting and not self.asked

    def spoke(self, person: Person) -> bool:
        """Whether she has given an opinion on this handing-in."""
        return any(each.by_id == person.pk for each in self.given)


def round_of(application: Application, *, edition: Edition, today: date) -> Round:
    """The round of an assessed application. Raises CannotDecide where an exchange rate is missing."""
    needed = needs_of(application, asked_terms(application), edition=edition, today=today)
    given = tuple(application.opinions.filter(turn=application.turn).select_related("by", "on_behalf_of"))
    handovers = tuple(application.handovers.filter(turn=application.turn).select_related("by", "to"))
    spoken = {each.by_id for each in given}
    waiting = rules.waiting_for(
        edition.policy,
        needed.post,
        {Post(each.post) for each in given if each.post},
        _able(application, spoken, today),
    )
    return Round(
        needed,
        given,
        tuple(waiting),
        tuple(
            each
            for each in handovers
            if each.kind == "countersign" and each.to_id not in spoken and _may_speak(application, each.to, today)
        ),
        tuple(each for each in handovers if each.kind == "delegate"),
    )


def _able(application: Application, spoken: Collection[int | None], today: date) -> set[Post]:
    """The posts held by somebody who has not spoken and did not apply; the opinion of sales may be the applicant's."""
    held = posts.held(on=today, but={*spoken, application.requested_by_id})
    return held | ({Post.SALES} & posts.held(on=today, but=spoken))


def _may_speak(application: Application, person: Person, today: date) -> bool:
    """Whether she could give an opinion on it now: nobody waits for one who has left, or lost post or sight."""
    return bool(posts.posts_of(person, on=today) & set(rules.SPEAKERS)) and _sees(application, person, today)


def _sees(application: Application, person: Person, today: date) -> bool:
    return sight.visible(Application, person, on=today).filter(pk=application.pk).exists()


def asked_terms(application: Application) -> line_requests.LineTerms:
    """The application's own terms under the grade that was frozen."""
    return line_requests.LineTerms(
        limit=Limit.of(application.requested_limit),
        currency=application.currency,
        term_days=application.requested_term_days,
        grade=Grade(application.grade),
        until=application.requested_until,
        temporary=application.request_type == "temporary",
    )


def as_request(
    application: Application, terms: line_requests.LineTerms, *, edition: Edition, today: date
) -> LineRequest:
    """The line request these terms would be, not written: for measuring whose signature it takes."""
    current = lines.in_force([application.customer_id], on=today)[application.customer_id]
    terms = line_requests.completed(terms, current.line, edition, today)
    request = LineRequest(customer=application.customer, requested_by=application.requested_by)
    kind = line_requests.kind_of(terms, current.line, edition, today)
    line_requests.fill(request, terms, kind, edition, application.customer, application.rating)
    return request


def needs_of(
    application: Application, terms: line_requests.LineTerms, *, edition: Edition, today: date
) -> authority.Needs:
    """Whose signature these terms take."""
    request = as_request(application, terms, edition=edition, today=today)
    return signatures.needs(request, edition=edition, today=today)


# --- who may speak, who may sign -----------------------------------------------------------------


def turn_of(
    application: Application, found: Round, by: Person, today: date
) -> tuple[Post | None, Person | None] | None:
    """As whom she may speak now: (post, for whom), (None, None) when asked as well; None when it is not her turn."""
    if found.spoke(by):
        return None
    post = found.next
    if by.pk == application.requested_by_id and post is not Post.SALES:
        return None
    if post in posts.posts_of(by, on=today):
        return post, None
    if any(each.to_id == by.pk for each in found.asked):
        return None, None
    lender = post and _lender(found, post, by, today)
    return (post, lender) if lender else None


def _lender(found: Round, post: Post, by: Person, today: date) -> Person | None:
    """Who has handed this turn to her and still holds the post."""
    for each in found.lent:
        if each.to_id == by.pk and each.post == post and post in posts.posts_of(each.by, on=today):
            return each.by
    return None


BARS = frozenset({"own_application", "own_edit", "own_customer", "own_opinion"})
"""Refusals that no post cures."""


def holds_of(application: Application, found: Round, by: Person, today: date) -> dict[Post, Decimal | None]:
    """The authority she signs this paper with: her own posts, and those lent to her for it by who may sign it still."""
    holds = dict(posts.authority_of(by, today))
    for each in found.lent:
        if each.to_id != by.pk or _bars(application, found, each.by):
            continue
        own, post = dict(posts.authority_of(each.by, today)), Post(each.post)
        if post in own and post not in holds:
            holds[post] = own[post]
    return holds


def why_not_sign(application: Application, found: Round, *, by: Person, today: date) -> tuple[str, ...]:
    """Every reason for which she may not sign what is asked for, as codes of WORDS; empty when she may."""
    return _refusals(application, found, by, holds_of(application, found, by, today))


def _refusals(application: Application, found: Round, by: Person, holds: dict[Post, Decimal | None]) -> tuple[str, ...]:
    refused = authority.may_approve(
        holds,
        found.needs,
        approver=by.pk,
        applicant=application.requested_by_id,
        editors=_editors(application),
        salesperson=application.customer.salesperson_id,
    )
    return (*(("own_opinion",) if found.spoke(by) else ()), *refused)


def _bars(application: Application, found: Round, person: Person) -> set[str]:
    """What bars a person from this paper whatever her posts: she asked for it, spoke on it, or it is her customer."""
    return BARS & set(_refusals(application, found, person, {}))


def _editors(application: Application) -> tuple[int, ...]:
    return tuple(each.pk for each in application.editors.all())


WORDS = {
    **signatures.WORDS,
    "own_application": _("You applied for this yourself; somebody else has to sign it."),
    "own_edit": _("You investigated or changed this application; somebody else has to sign it."),
    "own_opinion": _("You have given your opinion on it already; somebody else has to sign it."),
}


# --- verbs ---------------------------------------------------------------------------------------


@transaction.atomic
def opine(
    application: Application, *, verdict: str = "agree", text: str = "", version: int | None = None, edition: Edition,
    by: Person, today: date, at: datetime,
) -> Opinion:  # fmt: skip
    """Give one's opinion in one's turn. Raises Moved out of turn, BadForm for a disagreement without a word."""
    fresh = locked(application, version)
    if verdict not in dict(Opinion.VERDICTS):
        raise BadForm([("verdict", _("Say agree, conditional or disagree."))])
    if verdict != "agree" and not text.strip():
        raise BadForm([("reason", _("Say why, or under which conditions."))])
    moves.move(fresh, FLOW, "opine", by=by, on=today, at=at, particulars={"verdict": verdict})
    found = round_of(fresh, edition=edition, today=today)
    turn = turn_of(fresh, found, by, today)
    if turn is None:
        raise _not_your_turn(found)
    post, lender = turn
    return Opinion.objects.create(
        application=fresh, turn=fresh.turn, post=post or "", by=by, on_behalf_of=lender, verdict=verdict,
        text=fitting(text, 1000), at=at,
    )  # fmt: skip


def _not_your_turn(found: Round) -> Moved:
    if found.next is None:
        return Moved(_("All opinions are there; it waits for the signature."), code="not_your_turn", cure="")
    cure = _("It is the turn of: %(post)s.")
    return Moved(_("It is not your turn, or you have spoken already."), code="not_your_turn", cure=cure,
                 post=POST_LABELS[found.next])  # fmt: skip


@transaction.atomic
def delegate(
    application: Application, to: Person, *, reason: str = "", version: int | None = None, edition: Edition,
    by: Person, today: date, at: datetime,
) -> Handover:  # fmt: skip
    """Hand one's turn, or one's signature, on this paper to another; her own authority goes with it, and no more."""
    fresh = locked(application, version)
    found = round_of(fresh, edition=edition, today=today) if fresh.status == "assessed" else None
    post = _post_to_lend(fresh, found, by, today) if found else None
    moves.move(fresh, FLOW, "delegate", by=by, on=today, at=at, particulars={"to": to.username, "post": post})
    if found is None or post is None:
        raise _not_your_turn(found) if found else Moved()
    duty = rules.SIGNERS if found.next is None else rules.SPEAKERS
    _refuse_helper(fresh, found, to, by, duty, today, later=found.waiting[1:])
    return Handover.objects.create(
        application=fresh, turn=fresh.turn, kind="delegate", post=post, by=by, to=to, why=fitting(reason, 500), at=at
    )


def _post_to_lend(application: Application, found: Round, by: Person, today: date) -> Post | None:
    """The post whose turn or signature is hers to hand on: never one that was lent to her, never as one barred."""
    if found.next is not None:
        turn = turn_of(application, found, by, today)
        return turn[0] if turn and turn[1] is None else None
    own = dict(posts.authority_of(by, today))
    if _bars(application, found, by):
        return None
    return next((post for post in found.needs.posts if post in own), None)


@transaction.atomic
def countersign(
    application: Application, to: Person, *, reason: str = "", version: int | None = None, edition: Edition,
    by: Person, today: date, at: datetime,
) -> Handover:  # fmt: skip
    """Ask one more person; the signature waits for her opinion. Whoever's turn it is, or who may sign, may ask."""
    fresh = locked(application, version)
    moves.move(fresh, FLOW, "countersign", by=by, on=today, at=at, particulars={"to": to.username})
    found = round_of(fresh, edition=edition, today=today)
    if not (turn_of(fresh, found, by, today) or not why_not_sign(fresh, found, by=by, today=today)):
        raise _not_your_turn(found)
    _refuse_helper(fresh, found, to, by, rules.SPEAKERS, today, later=found.waiting)
    return Handover.objects.create(
        application=fresh, turn=fresh.turn, kind="countersign", by=by, to=to, why=fitting(reason, 500), at=at
    )


def _refuse_helper(
    application: Application, found: Round, to: Person, by: Person, duty: Collection[Post], today: date, *,
    later: Collection[Post],
) -> None:  # fmt: skip
    """Raise BadForm for somebody who cannot help: no post for it, out of sight, the applicant, spoken already, or
    needed later as one of the posts still waited for."""
    fault = None
    if to.pk in (by.pk, application.requested_by_id):
        fault = _("Neither yourself nor whoever applied.")
    elif not posts.posts_of(to, on=today) & set(duty):
        fault = _("This person holds no post that could do it.")
    elif not _sees(application, to, today):
        fault = _("This person may not see the customer.")
    elif found.spoke(to) or any(each.to_id == to.pk for each in found.asked):
        fault = _("This person has spoken already, or is asked already.")
    elif duty is rules.SPEAKERS and (needed := _only_as(application, found, to, today, later)):
        fault = _("Nobody else could speak or sign as %(post)s then.") % {"post": POST_LABELS[needed]}
    if fault:
        raise BadForm([("to", fault)])


def _only_as(application: Application, found: Round, to: Person, today: date, later: Collection[Post]) -> Post | None:
    """A post as which nobody but `to` could still speak (one of `later`), or sign: she would have spoken already."""
    used = {each.by_id for each in found.given} | {each.to_id for each in (*found.asked, *found.lent)} | {to.pk}
    able = _able(application, used, today)
    if missing := [post for post in later if post not in able]:
        return missing[0]
    barred = {application.requested_by_id, application.customer.salesperson_id, *_editors(application)}
    signers = posts.posts_of(to, on=today) & set(found.needs.posts)
    others = posts.held(on=today, but=used | barred) & set(found.needs.posts)
    return min(signers) if signers and not others else None


def verbs_for(application: Application, *, edition: Edition, by: Person, today: date) -> list[str]:
    """What this person may do with the application now: the buttons on the page."""
    verbs = moves.verbs_for(application, FLOW, by, today)
    barred = set()
    if application.requested_by_id != by.pk:
        barred.add("withdraw")
    if not application.customer.natural_person or application.grade_confirmed_by_id:
        barred.add("confirm_grade")
    if application.status == "assessed":
        barred |= _barred_in_round(application, edition=edition, by=by, today=today)
    return [verb for verb in dict.fromkeys(verbs) if verb not in barred]


def _barred_in_round(application: Application, *, edition: Edition, by: Person, today: date) -> set[str]:
    try:
        found = round_of(application, edition=edition, today=today)
    except CannotDecide:
        return {"opine", "delegate", "countersign", "approve"}
    turn = turn_of(application, found, by, today)
    may_sign = not why_not_sign(application, found, by=by, today=today)
    barred = set() if turn else {"opine"}
    if not (turn or may_sign):
        barred.add("countersign")
    if _post_to_lend(application, found, by, today) is None:
        barred.add("delegate")
    if not (found.complete and may_sign):
        barred.add("approve")
    return barred
