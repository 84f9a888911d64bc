"""The annual review (B2.4): open a year, review every customer with a line, approve what is proposed, close the year.

A proposal is a line request in the name of whoever opened the review (decision 0006): whose signature it needs, four
eyes and the version seen are that paper's own. Nothing here reads the clock: the day and the moment are arguments.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from shouxin.credit import exposure, line_requests, lines
from shouxin.credit import ratings as kept_ratings
from shouxin.credit.line_requests import LineTerms
from shouxin.credit.models import Line, LineRequest, Rating
from shouxin.office import moves, policies, posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import TOO_LONG, BadForm, Moved, Refusal
from shouxin.rules.annual_review import Terms
from shouxin.rules.days import later
from shouxin.rules.flow import flow, step
from shouxin.rules.line import begins_by
from shouxin.rules.policy import Policy, Post

from . import facts, portfolio, words
from .found import FOUND
from .models import REMARK_MAX, SUMMARY_MAX, Campaign, Review

OPENERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
CLOSERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
ASSESSORS = (Post.SALES, *OPENERS)
"""Who writes the assessment of a customer: its salesperson, and the credit office."""

FLOW = flow("annual-review", "open", (step("close_year", "open", "closed", *CLOSERS),))
CHUNK = 100
YEAR_MIN = 2000
LANGUAGE = "zh-hans"
UNDECIDED = ("open", "withdrawn")
"""The states of a request that decide nothing."""

Progress = Callable[[int, int], None]
"""Told how many customers are reviewed and how many there are."""


def open_year(
    year: int, *, by: Person, on: date, at: datetime, last: date | None = None, effective_from: date | None = None
) -> Campaign:
    """Begin the review of a year; `prepare` then does the work.

    `last`: the last day looked at (default: the year's last, or today while it runs); `effective_from`: from when what
    is approved holds (default: the day after it, at the earliest today). Raises NotYourDuty, BadForm, Moved where the
    year has been opened.
    """
    if not posts.is_system(by):
        posts.require(by, *OPENERS, on=on, about=f"annual-review:{year}", verb="open_year", at=at)
    if not YEAR_MIN <= year <= on.year:
        raise BadForm([("year", _("Name a year from %(min)s to this one.") % {"min": YEAR_MIN})])
    last = last or min(date(year, 12, 31), on)
    effective_from = effective_from or max(on, later(last, 1))
    edition = policies.in_force(on)
    if errors := list(_faults(year, last, effective_from, edition.policy, on)):
        raise BadForm(errors)
    campaign = Campaign(
        year=year, first=date(year, 1, 1), last=last, effective_from=effective_from, opened_by=by, opened_at=at,
        policy_version=edition.number, total=facts.concerned(last).count(),
    )  # fmt: skip
    try:
        with transaction.atomic():
            campaign.save(force_insert=True)
            trail.record("open_year", about=campaign, by=by, at=at, year=year, last=last,
                         effective_from=effective_from, customers=campaign.total)  # fmt: skip
    except IntegrityError:
        raise Moved(
            _("The review of %(year)s has been opened already."), code="year_open", year=year,
            cure=_("Look at it, and review anew whoever has changed since."),
        ) from None  # fmt: skip
    return campaign


def _faults(year: int, last: date, effective_from: date, policy: Policy, on: date) -> Iterator[tuple[str, Any]]:
    if last.year != year or last == date(year, 1, 1):
        yield "last", _("The last day looked at lies within the year.")
    if last > on:
        yield "last", _("This day has not come yet.")
    if effective_from < on:
        yield "effective_from", _("A line cannot begin in the past.")
    if effective_from > begins_by(policy, on):
        yield "effective_from", lines.TOO_FAR_AHEAD % {"days": policy.lines.ahead_days_max}


def prepare(
    campaign: Campaign, *, by: Person | None = None, on: date, at: datetime, progress: Progress | None = None
) -> int:
    """Review everybody who has not been, some hundred at a time, each committed; answers how many were new.

    `by`: who had it done, in whose name lines are asked for and who therefore signs none of them (I-14); without one it
    is whoever opened the year.

    May be broken off and run again, also by two at once: a customer is reviewed once, and each hundred leaves its line.
    Not to be called inside a transaction.
    """
    edition, made, last_pk = policies.in_force(on), 0, 0
    total, done = campaign.total, campaign.reviews.count()  # type: ignore[attr-defined]
    while chunk := list(unreviewed(campaign).filter(pk__gt=last_pk).values_list("pk", flat=True)[:CHUNK]):
        last_pk = chunk[-1]
        new = _prepare(campaign, chunk, by=by or campaign.opened_by, edition=edition, on=on, at=at)
        made, done = made + new, done + new
        if progress:
            progress(done, max(total, done))
    return made


def may_open(person: Person, on: date) -> bool:
    """Whether she may have customers reviewed."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=on) & set(OPENERS))


def unreviewed(campaign: Campaign) -> QuerySet[Any]:
    """The customers it is about whom nobody has reviewed yet."""
    reviewed = Review.objects.filter(campaign=campaign, customer=OuterRef("pk"))
    found: QuerySet[Any] = facts.concerned(campaign.last).filter(~Exists(reviewed))
    return found


@transaction.atomic
def _prepare(campaign: Campaign, chunk: Sequence[int], *, by: Person, edition: Edition, on: date, at: datetime) -> int:
    """One chunk, under the campaign's lock: what another process has reviewed meanwhile is left alone."""
    fresh = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if fresh.status != "open":
        return 0
    done = set(Review.objects.filter(campaign=fresh, customer__in=chunk).values_list("customer", flat=True))
    todo = [pk for pk in chunk if pk not in done]
    known = list(facts.load(todo, fresh, edition=edition, today=on).values())
    Review.objects.bulk_create(_reviewed(fresh, known, edition=edition, by=by, on=on, at=at))
    if known:
        trail.record("review_year", about=fresh, by=by, at=at, customers=len(known))
    return len(known)


def _reviewed(
    campaign: Campaign,
    known: Sequence[facts.Known],
    rows: Mapping[int, Review] | None = None,
    *,
    edition: Edition,
    by: Person,
    on: date,
    at: datetime,
) -> Iterator[Review]:
    """Keep the ratings, ask for the lines proposed, and fill the rows: new ones, or those of `rows` by customer id."""
    rated = [each.rated for each in known if each.rated]
    kept = kept_ratings.keep(rated, as_of=campaign.last, edition=edition, by=by, at=at)
    ratings = {rating.customer_id: rating for rating in kept}
    for each in known:
        pk = each.customer.pk
        row = (rows or {}).get(pk) or Review()
        _fill(row, campaign, each, ratings.get(pk), at)
        _ask(row, campaign, each, edition=edition, by=by, on=on, at=at)
        yield row


def _fill(row: Review, campaign: Campaign, known: facts.Known, rating: Rating | None, at: datetime) -> None:
    proposal = known.found.proposal
    row.campaign, row.customer, row.line, row.rating, row.made_at = campaign, known.customer, known.line, rating, at
    row.action, row.grade_before, row.grade_after = proposal.action, known.line.grade, proposal.terms.grade
    row.sales_worth, row.owed_worth = known.worth.sales, known.worth.owed
    row.overdue_worth, row.aged_worth = known.worth.overdue, known.worth.aged
    row.facts = FOUND.dump_python(known.found, mode="json")


def _ask(
    row: Review,
    campaign: Campaign,
    known: facts.Known,
    *,
    edition: Edition,
    by: Person,
    on: date,
    at: datetime,
) -> None:
    """The line request of the proposal; why there is none where there cannot be one."""
    row.request, row.fault = None, ""
    try:
        if known.missing:
            raise Refusal(
                _("No exchange rate is known for %(currency)s."), currency=", ".join(known.missing),
                cure=_("Enter the rate and review this customer anew."),
            )  # fmt: skip
        with override(LANGUAGE):
            reason = words.why(campaign, known.found)
        terms = terms_of(known.found.proposal.terms, known.found.currency, max(campaign.effective_from, on))
        row.request = line_requests.put_down(
            known.customer, terms, reason=reason, edition=edition, by=by, today=on, at=at, rating=row.rating,
            beside=known.line,
        )  # fmt: skip
    except Refusal as refusal:
        row.fault = f"{refusal} {refusal.cure_text}".strip()[:500]


def terms_of(proposed: Terms, currency: str, since: date) -> LineTerms:
    """What is proposed, as a line request asks for it."""
    discount = proposed.discount
    return LineTerms(
        proposed.limit, currency, proposed.term_days, proposed.grade,
        discount_percent=discount.percent if discount else None, discount_days=discount.days if discount else None,
        since=since,
    )  # fmt: skip


# --- one customer ---------------------------------------------------------------------------------


def locked(review: Review, version: int | None) -> Review:
    """The review as it stands, locked; raises Moved when it was changed since it was seen, or the year is closed."""
    rows = Review.objects.select_for_update(of=("self",)).select_related("campaign", "customer")
    fresh = rows.get(pk=review.pk)  # its request is read only now: who waited for the lock would join the one before
    if version is not None and fresh.version != version:
        raise Moved(_("The review was changed after you opened it."), code="version_seen")
    refuse_closed(fresh.campaign)
    return fresh


def refuse_closed(campaign: Campaign) -> None:
    """Raise Moved where the year is closed: nothing can be reviewed any more."""
    if campaign.status != "open":
        raise Moved(_("The review of %(year)s is closed."), code="year_closed", year=campaign.year, cure="")


@transaction.atomic
def renew(review: Review, *, version: int | None = None, by: Person, on: date, at: datetime) -> Review:
    """Review a customer anew as everything stands now; the old proposal is withdrawn. Decided ones stay decided."""
    if not posts.is_system(by):
        posts.require(by, *OPENERS, on=on, about=review, verb="renew_review", at=at)
    fresh = locked(review, version)
    request = fresh.request
    if request and request.status in ("approved", "declined"):
        raise Moved(_("This proposal has been decided."), code="review_decided", cure=_("Ask for another line."))
    edition = policies.in_force(on)
    known = facts.load([fresh.customer_id], fresh.campaign, edition=edition, today=on)
    if not known:
        raise Moved(_("The customer has no line any more."), code="no_line", cure="")
    if request and request.status == "open":
        moves.move(request, line_requests.FLOW, "withdraw", by=by, on=on, at=at)
    rows = {fresh.customer_id: fresh}
    [fresh] = _reviewed(fresh.campaign, list(known.values()), rows, edition=edition, by=by, on=on, at=at)
    fresh.version += 1
    if fresh.request:  # whoever saw the proposal before has not seen this one (I-16)
        fresh.request.version = max(fresh.version, request.version + 1 if request else 0)
        fresh.request.save(update_fields=["version"])
    fresh.save()
    trail.record("renew_review", about=fresh, by=by, at=at, customer=fresh.customer_id, proposal=fresh.action)
    return fresh


@transaction.atomic
def assess(review: Review, remark: str, *, version: int | None = None, by: Person, on: date, at: datetime) -> Review:
    """Write the assessment that stands in the report, in words. Raises NotYourDuty, Moved."""
    posts.require(by, *ASSESSORS, on=on, about=review, verb="assess_review", at=at)
    if len(remark) > REMARK_MAX:
        raise BadForm([("remark", TOO_LONG % {"most": REMARK_MAX})])
    fresh = locked(review, version)
    if fresh.request and fresh.request.status in ("approved", "declined"):
        raise Moved(_("This proposal has been decided."), code="review_decided", cure="")
    fresh.remark, fresh.version = remark.strip(), fresh.version + 1
    fresh.save(update_fields=["remark", "version"])
    trail.record("assess_review", about=fresh, by=by, at=at, customer=fresh.customer_id, remark=fresh.remark)
    return fresh


def approve(
    review: Review, *, version: int, reason: str = "", edition: Edition, by: Person, on: date, at: datetime
) -> Line:
    """Sign what is proposed, in the version of the request that was seen.

    Authority, four eyes, blacklist, and that the line reviewed still holds, are the line request's own (I-14 to I-17).
    """
    with transaction.atomic():
        exposure.lock([review.customer_id])
        fresh = locked(review, None)
        request = _request_of(fresh)
        return line_requests.approve(request, version=version, reason=reason, edition=edition, by=by, today=on, at=at)


def decline(
    review: Review, *, version: int, reason: str, edition: Edition, by: Person, on: date, at: datetime
) -> LineRequest:
    """Refuse what is proposed: the line stays as it is. Raises BadForm without a reason."""
    with transaction.atomic():
        request = _request_of(locked(review, None))
        return line_requests.decline(request, version=version, reason=reason, edition=edition, by=by, today=on, at=at)


def _request_of(review: Review) -> LineRequest:
    if review.request is None:
        raise Moved(review.fault or _("Nothing is proposed."), code="nothing_proposed",
                    cure=_("Review this customer anew, then decide."))  # fmt: skip
    return review.request


# --- many -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one review of a batch: signed, or refused and why."""

    review: Review
    refusal: Refusal | None = None


@transaction.atomic
def approve_many(
    seen: Sequence[tuple[Review, int]], *, reason: str = "", by: Person, on: date, at: datetime
) -> list[Outcome]:
    """Sign many, each with the version of its request that was seen; one that is refused stops no other one.

    All accounts are locked first, as everybody locks them, then the reviews in their order, so that nobody waits in a
    ring. Whoever holds no post that signs is refused as a whole.
    """
    posts.require(by, *line_requests.SIGNERS, on=on, about="annual-review:", verb="line_request.approve", at=at)
    exposure.lock([review.customer_id for review, _version in seen])
    rows = Review.objects.filter(pk__in=[review.pk for review, _version in seen])
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    edition, found = policies.in_force(on), []
    for review, version in seen:
        try:
            approve(review, version=version, reason=reason, edition=edition, by=by, on=on, at=at)
            found.append(Outcome(review))
        except Refusal as refusal:
            trail.keep(refusal)
            found.append(Outcome(review, refusal))
    return found


def is_undecided(path: str = "") -> Q:
    """The condition on reviews that nobody has decided; `path` leads to the review (`"reviews__"`)."""
    return Q(**{f"{path}request": None}) | Q(**{f"{path}request__status__in": UNDECIDED})


def undecided(campaign: Campaign) -> QuerySet[Review]:
    """The reviews nobody has decided; customers whose data are restricted wait for nothing."""
    return Review.objects.filter(is_undecided(), campaign=campaign, customer__restricted_on=None)


@transaction.atomic
def close(
    campaign: Campaign, *, summary: str = "", version: int | None = None, by: Person, on: date, at: datetime
) -> Campaign:
    """Close the year: its report of the whole is kept as it stands. Raises Moved while a review is undecided."""
    posts.require(by, *CLOSERS, on=on, about=campaign, verb="close_year", at=at)
    if len(summary) > SUMMARY_MAX:
        raise BadForm([("summary", TOO_LONG % {"most": SUMMARY_MAX})])
    fresh = Campaign.objects.select_for_update().get(pk=campaign.pk)
    open_ones = undecided(fresh).count() + unreviewed(fresh).count()
    if fresh.status == "open" and open_ones:
        raise Moved(
            _("%(n)s reviews are still undecided."),
            code="reviews_open",
            n=open_ones,
            cure=_("Approve or decline each of them, then close the year."),
        )
    kept = portfolio.PORTFOLIO.dump_python(portfolio.read(fresh), mode="json")
    return moves.move(
        fresh, FLOW, "close_year", by=by, on=on, at=at, version=version or fresh.version, closed_by=by, closed_at=at,
        portfolio=kept, summary=summary.strip() or fresh.summary,
    )  # fmt: skip


def verbs_for(review: Review, by: Person, on: date) -> list[str]:
    """What this person may do with a review, apart from the signature, which is the request's."""
    if review.campaign.status != "open" or (review.request and review.request.status in ("approved", "declined")):
        return []
    held = posts.posts_of(by, on=on)
    return [verb for verb, duty in (("renew", OPENERS), ("assess", ASSESSORS)) if held & set(duty)]
