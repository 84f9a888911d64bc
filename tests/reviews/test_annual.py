"""The annual review as it is lived: opened, written, signed in batch, closed (B2.4). Reads as a manual."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from shouxin.credit import line_requests, lines
from shouxin.credit.models import Line, LineRequest, Rating
from shouxin.customers import standing
from shouxin.lib import documents
from shouxin.office import clock, policies, rates
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from shouxin.receivables import grade_reviews as confirming
from shouxin.reviews import annual, facts, portfolio, report
from shouxin.reviews.models import Campaign, Review
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.people import CAST, TODAY, acme, member

from .world import BEGUN, act, approve, bought, known, line, moment, office, opened, review_of

pytestmark = [pytest.mark.django_db, pytest.mark.clause("B2.4")]
D = Decimal
NEW_YEAR = date(2027, 1, 1)


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    office()


def test_a_year_from_opening_to_the_closed_report() -> None:
    """Bo opens 2026, Cy signs what is proposed, it holds from new year's day, and the report of the whole is kept."""
    good, bad = acme(), acme(code="C002", name="苏州恒远贸易有限公司")
    line(good, limit="10000")
    line(bad)
    known(good)
    bought(good)
    bought(bad, late=45)
    campaign = opened(effective_from=NEW_YEAR)
    assert (campaign.total, campaign.reviews.count()) == (2, 2)

    kept, cut = review_of(good), review_of(bad)
    assert kept.action == "raise" and cut.action == "lower"
    assert kept.found.year.sales == D("200000.00") and kept.found.year.on_time_share == 1
    assert kept.request is not None and kept.request.requested_by == member("bo")
    assert kept.request.since == NEW_YEAR and kept.rating is not None and kept.rating.as_of == TODAY
    assert Grade(cut.grade_after).worse_than(Grade.B)

    with pytest.raises(Moved) as refused:
        annual.close(campaign, **act("cy"))
    assert refused.value.code == "reviews_open" and "2" in str(refused.value)

    line_approved = approve(kept)
    assert (line_approved.since, line_approved.grade) == (NEW_YEAR, kept.grade_after)
    assert lines.in_force([good.pk], on=TODAY)[good.pk].line != line_approved
    assert lines.in_force([good.pk], on=NEW_YEAR)[good.pk].line == line_approved
    annual.decline(cut, version=cut.request.version, reason="season", edition=policies.in_force(TODAY), **act("cy"))
    closed = annual.close(campaign, summary="a good year", **act("vi"))
    assert closed.status == "closed"
    whole = portfolio.of(Campaign.objects.get())
    assert whole.states == {"approved": 1, "declined": 1}
    assert sum(n for _before, _after, n in whole.moved) == 2
    assert ("B", "B", 1) in whole.moved  # the declined one stays what it was
    told = documents.plain(report.portfolio_paper(Campaign.objects.get()))
    assert "a good year" in told and "400,000.00" in told
    with pytest.raises(Moved) as refused:
        annual.renew(review_of(bad), **act("bo"))
    assert refused.value.code == "year_closed"


def test_the_report_of_a_customer_has_all_chapters_and_the_decision() -> None:
    customer = acme()
    line(customer)
    known(customer)
    bought(customer)
    opened()
    annual.assess(review_of(), "An old friend; new plant.", **act("ann"))
    text = documents.plain(report.paper(review_of()))
    for chapter in range(1, 12):
        assert f"\n{chapter}. " in text
    assert "An old friend; new plant." in text and "200,000.00" in text
    review = review_of()
    assert review.request is not None
    approve(review)
    signed = documents.plain(report.paper(review_of()))
    assert str(member("cy")) in signed
    paper = report.paper(review_of())
    assert documents.pdf(paper)[:5] == b"%PDF-" and documents.word(paper)[:2] == b"PK"


def test_use_of_the_line_is_told_from_the_books() -> None:
    """20,000 every thirty days, paid after thirty: the days on which two stand are beyond a line of 30,000."""
    customer = acme()
    line(customer, limit="30000")
    bought(customer)
    opened()
    year = review_of().found.year
    assert year.peak_use in (D("20000.00"), D("40000.00"))
    assert (year.times_over > 0) == (year.peak_use > 30000)
    assert D(15000) < year.mean_use <= year.peak_use


def test_days_of_sales_are_of_the_days_looked_at() -> None:
    """The year has run for 328 days, so what is owed is told in days of these, not of a whole year."""
    customer = acme()
    line(customer)
    bought(customer, late=20)
    campaign = opened()
    found, days = review_of().found, (campaign.last - campaign.first).days + 1
    assert days == 328 and found.payment.owed > 0
    assert found.payment.days_sales == round(found.payment.owed / found.year.sales * days, 2)


# --- duties ---------------------------------------------------------------------------------------


VERBS: dict[str, tuple[Any, frozenset[str], frozenset[str]]] = {
    "renew": (annual.OPENERS, frozenset({"open", "withdrawn", "fault"}), frozenset()),
    "assess": (annual.ASSESSORS, frozenset({"open", "withdrawn", "fault"}), frozenset()),
    "approve": (line_requests.SIGNERS, frozenset({"open"}), frozenset()),
    "decline": (line_requests.SIGNERS, frozenset({"open"}), frozenset()),
}
"""Verb -> whose duty it is, and the states in which it may be done."""
STATES = ("open", "approved", "declined", "withdrawn", "fault")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_state_by_every_post(verb: str) -> None:
    """Whose duty it is not gets 403 wherever a paper stands; whose it is, 409 where it cannot be done, or is closed."""
    line(acme())
    opened("vi")
    duty, states, _rest = VERBS[verb]
    for state in STATES:
        for closed in (False, True):
            for name, (post, _department) in CAST.items():
                may = post in duty
                possible = state in states and not closed
                found = _tried(verb, state, name, closed=closed)
                if name == "vi" and may and possible and verb == "approve":
                    assert found is NotYourDuty  # her own application
                elif not may and (possible or verb in ("renew", "assess")):
                    assert found is NotYourDuty, (state, closed, name)
                elif may and possible:
                    assert found is None, (state, closed, name)
                else:
                    assert found in (Moved, NotYourDuty), (state, closed, name)


def _tried(verb: str, state: str, by: str, *, closed: bool) -> type[Refusal] | None:
    with transaction.atomic():
        try:
            with transaction.atomic():
                _put(state, closed=closed)
                review = review_of()
                version = review.request.version if review.request else 0
                edition = policies.in_force(TODAY)
                if verb == "renew":
                    annual.renew(review, **act(by))
                elif verb == "assess":
                    annual.assess(review, "seen", **act(by))
                elif verb == "approve":
                    annual.approve(review, version=version, edition=edition, **act(by))
                else:
                    annual.decline(review, version=version, reason="no", edition=edition, **act(by))
            return None
        except Refusal as refusal:
            return type(refusal)
        finally:
            transaction.set_rollback(True)


def _put(state: str, *, closed: bool) -> None:
    if state == "fault":
        Review.objects.update(request=None, fault="no rate")
    else:
        LineRequest.objects.update(status=state)
    if closed:
        Campaign.objects.update(status="closed")


@pytest.mark.parametrize("status", annual.FLOW.statuses)
def test_opening_and_closing_by_every_post(status: str) -> None:
    campaign = annual.open_year(2026, **act("bo"))
    Campaign.objects.update(status=status)
    for name, (post, _department) in CAST.items():
        for verb, duty, may in (("open", annual.OPENERS, True), ("close", annual.CLOSERS, status == "open")):
            wanted = NotYourDuty if post not in duty else None if may else Moved
            found: type[Refusal] | None = None
            with transaction.atomic():
                try:
                    with transaction.atomic():
                        if verb == "open":
                            annual.open_year(2025, **act(name))
                        else:
                            annual.close(campaign, **act(name))
                except Refusal as refusal:
                    found = type(refusal)
                transaction.set_rollback(True)
            assert found is wanted, (verb, status, name)


def test_who_opened_it_signs_none_of_it_and_large_lines_need_more() -> None:
    small, large = acme(), acme(code="C002", name="大额客户有限公司")
    line(small)
    line(large, limit="900000")
    bought(large, amount="400000")
    opened("cy")
    with pytest.raises(NotYourDuty) as refused:
        approve(review_of(small), "cy")
    assert refused.value.code == "own_application"
    Review.objects.all().delete()
    LineRequest.objects.update(status="withdrawn")
    Campaign.objects.all().delete()
    opened("bo")
    outcomes = annual.approve_many(
        [(row, row.request.version) for row in (review_of(small), review_of(large)) if row.request], **act("cy")
    )
    told = {each.review.customer_id: each.refusal for each in outcomes}
    assert told[small.pk] is None
    beyond = told[large.pk]
    assert isinstance(beyond, NotYourDuty) and beyond.code == "no_post"
    assert TrailEntry.objects.filter(verb="refuse", customer_id=large.pk).exists()
    approve(review_of(large), "vi")


# --- what changes meanwhile -----------------------------------------------------------------------


def test_a_line_that_changed_since_is_never_approved_from_an_old_sight() -> None:
    held = line(acme())
    opened()
    edition = policies.in_force(TODAY)
    lines.downgrade(held, Grade.C, why="late", edition=edition, today=TODAY, at=clock.now(), by=member("cy"))
    with pytest.raises(Moved) as refused:
        approve(review_of())
    assert refused.value.code == "line_changed" and refused.value.cure_text
    old = review_of()
    assert old.request is not None
    with pytest.raises(Moved) as refused:
        line_requests.approve(
            old.request, version=old.request.version, edition=edition, by=member("cy"), today=TODAY, at=clock.now()
        )
    assert refused.value.code == "line_changed", "nor as the line request it is"
    fresh = annual.renew(old, version=old.version, **act("bo"))
    assert fresh.grade_before == "C" and fresh.request_id != old.request_id
    assert LineRequest.objects.get(pk=old.request_id).status == "withdrawn"
    assert approve(review_of()).since == max(TODAY, fresh.campaign.effective_from)


def test_a_customer_blacklisted_since_keeps_no_credit() -> None:
    customer = acme()
    line(customer)
    known(customer)
    bought(customer)
    opened()
    standing.set_standing(customer, "blacklisted", why="fraud", **act("cy"))
    review = review_of()
    assert review.request is not None and review.request.limit_kind == "amount"
    with pytest.raises(Moved):
        approve(review)
    fresh = annual.renew(review, **act("bo"))
    assert fresh.request is not None
    assert (fresh.grade_after, fresh.request.limit_kind) == ("D", "none")
    assert approve(review_of()).limit_kind == "none"


@pytest.mark.invariant("I-16")
def test_a_proposal_made_anew_is_not_signed_by_who_saw_the_one_before() -> None:
    line(acme())
    opened()
    seen = review_of()
    assert seen.request is not None
    annual.renew(seen, **act("bo"))
    [outcome] = annual.approve_many([(review_of(), seen.request.version)], **act("cy"))
    assert outcome.refusal is not None and outcome.refusal.code == "version_seen"
    fresh = review_of()
    assert fresh.request is not None
    annual.renew(fresh, **act("bo"))
    with pytest.raises(Moved):
        annual.decline(fresh, version=fresh.request.version, reason="x", edition=policies.in_force(TODAY), **act("cy"))
    approve(review_of())
    assert LineRequest.objects.filter(status="approved").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-17")
def test_reviews_made_anew_at_once_leave_one_proposal() -> None:
    policies.ensure()
    line(acme())
    opened()
    review, people = review_of(), [member(name) for name in ("bo", "cy", "vi")]
    start = threading.Barrier(len(people))

    def again(by: Person) -> None:
        try:
            start.wait()
            annual.renew(review, by=by, on=TODAY, at=clock.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(again, people))
    assert LineRequest.objects.filter(status="open").count() == 1
    assert LineRequest.objects.get(status="open") == review_of().request


def test_only_the_version_seen_is_signed() -> None:
    line(acme())
    opened()
    review = review_of()
    assert review.request is not None
    terms = line_requests.LineTerms(Limit.of(D(40000)), "CNY", 30, Grade.C)
    line_requests.change(
        review.request, terms, reason="less", version=1, edition=policies.in_force(TODAY), **moment("bo")
    )  # fmt: skip
    [outcome] = annual.approve_many([(review_of(), 1)], **act("cy"))
    assert outcome.refusal is not None and outcome.refusal.code == "version_seen"
    [outcome] = annual.approve_many([(review_of(), 2)], **act("cy"))
    assert outcome.refusal is None
    assert lines.history(acme())[0].limit == 40000


def test_a_refusal_stops_no_other_one_and_leaves_its_trace() -> None:
    first, second = acme(), acme(code="C002", name="苏州恒远贸易有限公司")
    line(first)
    line(second)
    opened()
    rows = [review_of(first), review_of(second)]
    outcomes = annual.approve_many([(rows[0], 7), (rows[1], 1)], **act("cy"))
    assert [each.refusal is None for each in outcomes] == [False, True]
    assert review_of(first).request.status == "open" and review_of(second).request.status == "approved"  # type: ignore[union-attr]


def test_without_a_rate_nothing_is_proposed_until_there_is_one() -> None:
    customer = acme()
    line(customer, currency="USD")
    campaign = opened()
    review = review_of()
    assert review.request is None and "USD" in review.fault
    assert annual.undecided(campaign).count() == 1
    with pytest.raises(Moved, match="USD"):
        annual.approve(review, version=1, edition=policies.in_force(TODAY), **act("cy"))
    rates.put("USD", D("7.10"), since=TODAY, source="PBOC", **act("fi"))
    fresh = annual.renew(review, **act("bo"))
    assert fresh.request is not None and fresh.fault == "" and fresh.request.currency == "USD"


def test_a_natural_persons_grade_is_confirmed_before_her_line_is_signed() -> None:
    customer = acme(code="P1", name="王芳", natural_person=True)
    line(customer)
    opened()
    review = review_of(customer)
    with pytest.raises(Moved) as refused:
        approve(review)
    assert refused.value.code == "grade_unconfirmed"
    assert review.rating is not None
    confirming.confirm(review.rating.review, grade=None, reason="seen", **act("vi"))
    approve(review_of(customer))


def test_who_has_no_line_is_counted_and_who_is_restricted_is_left_alone() -> None:
    line(acme())
    acme(code="C002", name="无额度有限公司")
    gone = acme(code="C003", name="限制处理有限公司")
    line(gone)
    gone.restricted_on = TODAY
    gone.save(update_fields=["restricted_on"])
    campaign = opened()
    whole = portfolio.read(campaign)
    assert (whole.customers, whole.concerned, whole.without_line, whole.reviewed) == (2, 1, 1, 1)


def test_prepared_twice_a_customer_is_reviewed_once_and_a_newcomer_is_caught_up_with() -> None:
    line(acme())
    campaign = opened()
    assert annual.prepare(campaign, on=TODAY, at=clock.now()) == 0
    line(acme(code="C002", name="新客户有限公司"))
    assert annual.prepare(campaign, on=TODAY, at=clock.now()) == 1
    assert Rating.objects.count() == 2


@pytest.mark.parametrize(
    ("year", "changes", "field"),
    [
        (2027, {}, "year"),
        (1999, {}, "year"),
        (2026, {"last": date(2025, 12, 31)}, "last"),
        (2026, {"last": date(2026, 12, 31)}, "last"),
        (2026, {"last": date(2026, 1, 1)}, "last"),
        (2026, {"effective_from": TODAY - timedelta(days=1)}, "effective_from"),
        (2026, {"effective_from": TODAY + timedelta(days=400)}, "effective_from"),
    ],
)
def test_what_cannot_be_opened_says_which_field(year: int, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refused:
        annual.open_year(year, **act("bo"), **changes)
    assert field in dict(refused.value.errors)
    assert not Campaign.objects.exists()


def test_a_year_is_opened_once() -> None:
    annual.open_year(2026, **act("bo"))
    with pytest.raises(Moved) as refused:
        annual.open_year(2026, **act("vi"))
    assert refused.value.code == "year_open"


def test_a_year_past_is_read_as_it_was() -> None:
    """What came after the last day is none of that year's."""
    customer = acme()
    line(customer)
    bought(customer)
    campaign = annual.open_year(2025, **act("bo"))
    annual.prepare(campaign, on=TODAY, at=clock.now())
    found = review_of().found
    assert campaign.last == date(2025, 12, 31) and campaign.first == date(2025, 1, 1)
    assert found.year.sales == D(20000) * sum(
        1 for n in range(1, 23) if TODAY - timedelta(days=30 * n) <= campaign.last
    )
    assert found.lines[0].on == BEGUN


def test_loading_costs_the_same_queries_for_one_customer_as_for_many() -> None:
    customers = [acme(code=f"C{n:03}", name=f"客户{n}有限公司") for n in range(6)]
    for each in customers:
        line(each)
        bought(each, months=3)
    campaign = annual.open_year(2026, **act("bo"))
    counts = []
    for some in (customers[:1], customers):
        with CaptureQueriesContext(connection) as counted:
            found = facts.load([each.pk for each in some], campaign, edition=policies.in_force(TODAY), today=TODAY)
        assert len(found) == len(some)
        counts.append(len(counted))
    assert counts[0] == counts[1]


# --- at the same time -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_the_same_time_sign_once_and_never_wait_in_a_ring() -> None:
    customers = [acme(code=f"C{n:03}", name=f"客户{n}有限公司") for n in range(6)]
    for each in customers:
        line(each, limit="9000")
    opened()
    rows = [review_of(each) for each in customers]
    begin = threading.Barrier(3)

    def batch(by: str, order: int) -> list[str]:
        seen = [(row, 1) for row in rows[::order]]
        begin.wait()
        try:
            return [each.refusal.code if each.refusal else "" for each in annual.approve_many(seen, **act(by))]
        finally:
            connections.close_all()

    def singly() -> list[str]:
        begin.wait()
        found = []
        try:
            for row in rows[::-1]:
                try:
                    approve(row, "le", 1)
                    found.append("")
                except Refusal as refusal:
                    found.append(refusal.code)
            return found
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(batch, "cy", 1), pool.submit(batch, "vi", -1), pool.submit(singly)]
        told = Counter(code for each in asked for code in each.result())
    assert told[""] == 6 and Line.objects.filter(cause="request", since__gt=BEGUN).count() == 6
    assert set(told) <= {"", "version_seen", "moved", "line_changed"}


@pytest.mark.django_db(transaction=True)
def test_two_who_review_at_the_same_time_review_each_customer_once() -> None:
    customers = [acme(code=f"C{n:03}", name=f"客户{n}有限公司") for n in range(8)]
    for each in customers:
        line(each)
    campaign = annual.open_year(2026, **act("bo"))
    begin = threading.Barrier(2)

    def review() -> int:
        begin.wait()
        try:
            return annual.prepare(campaign, on=TODAY, at=clock.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        made = [each.result() for each in [pool.submit(review), pool.submit(review)]]
    assert sum(made) == 8 == Review.objects.count() == LineRequest.objects.count()
