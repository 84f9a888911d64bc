"""A program's grade of a natural person bites once somebody else has confirmed it (B2.1, PIPL art. 24)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.test import Client

from shouxin.config import cli
from shouxin.credit import grade_reviews, line_requests
from shouxin.credit.models import GradeReview, LineRequest, Rating
from shouxin.customers import facts
from shouxin.customers.models import Customer
from shouxin.office import clock, policies, posts
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from shouxin.receivables import grade_reviews as reviewing
from shouxin.receivables import ratings, receipts
from shouxin.records import home, market
from shouxin.rules.grade_review import FLOW
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.api import Caller
from tests.people import CAST, TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.clause("B2.1")]


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def act(by: str) -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def trader(**changes: Any) -> Customer:
    return acme(code="P1", name="王芳", natural_person=True, **changes)


def rated(customer: Customer | None = None, by: str = "bo") -> Rating:
    pk = (customer or trader()).pk
    return ratings.rate([pk], as_of=TODAY, edition=policies.in_force(TODAY), **act(by)).kept[0]


def confirmed(rating: Rating, by: str = "cy", grade: Grade | None = None, reason: str = "seen") -> GradeReview:
    return reviewing.confirm(GradeReview.objects.get(rating=rating), grade=grade, reason=reason, **act(by))


def asked(customer: Customer, grade: str = "C") -> LineRequest:
    terms = line_requests.LineTerms(Limit.of(Decimal(1000)), "CNY", 10, Grade(grade))
    moment = {"by": member("ann"), "today": TODAY, "at": clock.now()}
    return line_requests.ask(customer, terms, reason="season", edition=policies.in_force(TODAY), **moment)


def signed(request: LineRequest) -> Any:
    moment = {"by": member("le"), "today": TODAY, "at": clock.now(), "edition": policies.in_force(TODAY)}
    return line_requests.approve(request, version=request.version, **moment)


@pytest.mark.parametrize("verb", FLOW.verbs)
def test_every_verb_in_every_status_by_every_post(verb: str) -> None:
    """Whose duty it is not gets 403 whatever the status; whose it is, 409 in every status but the first."""
    review = rated(by="ann").review
    step = next(each for each in FLOW.steps if each.verb == verb)
    for status in FLOW.statuses:
        told = {"grade": "C", "reason": "r", "confirmed_by": member("vi")} if status == "confirmed" else {}
        with transaction.atomic():
            GradeReview.objects.filter(pk=review.pk).update(status=status, **told)
            for name, (post, _department) in CAST.items():
                wanted = NotYourDuty if post not in step.duty else None if status == "proposed" else Moved
                assert _tried(review.pk, verb, name) is wanted, (verb, status, name)
            transaction.set_rollback(True)


def _tried(pk: int, verb: str, by: str) -> type[Refusal] | None:
    from shouxin.office import moves

    review = GradeReview.objects.select_related("rating", "customer").get(pk=pk)
    try:
        with transaction.atomic():
            if verb == "confirm_grade":
                reviewing.confirm(review, grade=None, reason="seen", **act(by))
            else:
                moves.move(review, FLOW, verb, **act(by))
            transaction.set_rollback(True)
    except Refusal as refusal:
        return type(refusal)
    return None


def test_until_confirmed_it_suggests_no_line_and_stands_in_no_file() -> None:
    rating = rated()
    customer = rating.customer
    policy = policies.in_force(TODAY).policy
    assert grade_reviews.bites(rating) is None
    assert list(ratings.suggested_lines([rating], months=12)) == []
    assert market.units(Q(), policy=policy, on=TODAY)[0].record.rating is None
    request = asked(customer)
    with pytest.raises(Moved) as refused:
        signed(request)
    assert refused.value.code == "grade_unconfirmed"
    confirmed(rating)
    request.refresh_from_db()
    assert request.version == 2
    assert signed(request).limit == 1000
    fresh = Rating.objects.get(pk=rating.pk)
    assert [row[1] for row in ratings.suggested_lines([fresh], months=12)] == [rating.grade]
    assert market.units(Q(), policy=policy, on=TODAY)[0].record.rating == rating.grade


def test_the_home_page_counts_what_she_may_confirm_herself() -> None:
    rated(by="bo")
    counted = {name: home.grades_to_confirm(member(name), TODAY) for name in ("ann", "bo", "cy", "vi")}
    assert counted == {"ann": 0, "bo": 0, "cy": 1, "vi": 1}


def test_a_company_needs_no_confirmation() -> None:
    """The control: the same steps with a company pass at once."""
    rating = rated(acme())
    assert grade_reviews.review_of(rating) is None
    assert signed(asked(acme())).limit == 1000


def test_she_may_set_another_grade_and_the_limit_follows_it() -> None:
    facts.add(trader(), "expected_monthly_sales", 90000, source="visit", as_of=TODAY, **act("bo"))
    paid = {"amount": Decimal(60000), "received_on": TODAY - timedelta(40), "today": TODAY, "at": clock.now()}
    receipts.take(trader(), doc_no="R-1", by=member("fi"), **paid)
    rating = rated()
    other = Grade.B if rating.grade != "B" else Grade.C
    review = confirmed(rating, grade=other, reason="he owes his landlord")
    terms = policies.in_force(TODAY).policy.grades[other]
    assert (review.grade, review.term_days) == (other, terms.term_days if review.limit else 0)
    assert (rating.limit_kind, review.limit_kind) == ("none", "amount")
    assert Rating.objects.get(pk=rating.pk).grade == rating.grade
    line = TrailEntry.objects.get(verb="confirm_grade")
    assert (line.by, line.particulars["grade"], line.particulars["reason"]) == (
        member("cy"), other.value, "he owes his landlord",
    )  # fmt: skip


def test_four_eyes_a_reason_and_never_ones_own_customer() -> None:
    rating = rated()
    for name, code in (("bo", "own_rating"), ("ed", "not_your_duty")):
        with pytest.raises(NotYourDuty) as refused:
            confirmed(rating, by=name)
        assert refused.value.code == code
    with pytest.raises(BadForm):
        confirmed(rating, reason="  ")
    own = rated(acme(code="P2", name="李强", natural_person=True, salesperson=member("vi")))
    with pytest.raises(NotYourDuty) as refused:
        confirmed(own, by="vi")
    assert refused.value.code == "own_customer"


def test_rated_again_the_old_grade_no_longer_waits() -> None:
    old = rated()
    new = rated()
    assert [each.rating_id for each in grade_reviews.waiting()] == [new.pk]
    with pytest.raises(Moved):
        confirmed(old)
    assert confirmed(new).status == "confirmed"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_at_once_one_comes_too_late() -> None:
    rating, gate = rated(), threading.Barrier(2)

    def one(name: str) -> str:
        try:
            review = GradeReview.objects.select_related("rating", "customer").get(rating=rating)
            gate.wait()
            reviewing.confirm(review, grade=None, reason=name, **act(name))
        except Moved:
            return "late"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, ["cy", "vi"])) == ["done", "late"]
    assert TrailEntry.objects.filter(verb="confirm_grade").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_runs_at_once_one_grade_waits() -> None:
    pk, gate = trader().pk, threading.Barrier(2)

    def one(_: int) -> None:
        try:
            gate.wait()
            rated(Customer.objects.get(pk=pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    assert sorted(GradeReview.objects.values_list("status", flat=True)) == ["proposed", "superseded"]


def test_over_the_api(the_day: None) -> None:
    rating = rated()
    caller = Caller(member("cy"))
    told = caller.get("/grade-reviews").data["items"]
    assert [(each["proposed"], each["status"], each["verbs"]) for each in told] == [
        (rating.grade, "proposed", ["confirm"])
    ]
    assert caller.get("/customers/P1/rating").data["review"]["grade"] is None
    caller.post(f"/grade-reviews/{told[0]['id']}/confirm", {"reason": "seen", "grade": "C"})
    assert caller.get("/customers/P1/rating").data["review"]["grade"] == "C"


def test_on_the_page(client: Client, the_day: None) -> None:
    rating = rated()
    review = GradeReview.objects.get(rating=rating)
    client.force_login(member("bo"))
    assert "等级须由他人确认" in client.get(f"/customers/{rating.customer_id}/?tab=rating").content.decode()
    client.force_login(member("cy"))
    assert "王芳" in client.get("/credit/grades/").content.decode()
    page = client.get(f"/customers/{rating.customer_id}/?tab=rating").content.decode()
    assert f"/credit/grades/{review.pk}/confirm" in page
    answer = client.post(f"/credit/grades/{review.pk}/confirm", {"version": "1", "grade": "C", "reason": "seen"})
    assert answer.status_code == 302
    assert GradeReview.objects.get(pk=review.pk).grade == "C"
    assert client.get(f"/credit/customers/{rating.customer_id}/ask").status_code == 200


def test_on_the_command_line() -> None:
    from typer.testing import CliRunner

    rated()
    run = CliRunner().invoke(cli.assemble(), ["scoring", "confirm", "P1", "--reason", "seen", "--by", "cy"])
    assert run.exit_code == 0, run.output
    assert GradeReview.objects.get().status == "confirmed"
    assert posts.system()
