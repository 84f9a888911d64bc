"""A reader of many customers sees in every list what she would see as a reader of few; only the question is another."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db.models import QuerySet

from shouxin.collection import worklist
from shouxin.collection.models import Task
from shouxin.credit.models import CreditAccount, Reservation
from shouxin.customers.models import Customer, Standing
from shouxin.office import clock, sight, trail, trail_sight
from shouxin.office.models import Person
from shouxin.rules.policy import Post
from tests.people import EAST, SOUTH, TODAY, acme, member, person

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-33")]


@pytest.fixture(autouse=True)
def customers() -> None:
    """Ann's in her department and out of it, a colleague's, another department's, nobody's; a row of each kind each."""
    ann, di, amy = member("ann"), member("di"), person("amy", Post.SALES, department=EAST)
    sellers = [(ann, EAST), (ann, SOUTH), (amy, EAST), (di, SOUTH), (None, ""), (None, EAST)]
    for number, (seller, department) in enumerate(sellers):
        acme(code=f"C{number}", name=f"客户{number}", salesperson=seller, department=department)
    for customer in Customer.objects.all():
        account = CreditAccount.objects.create(customer=customer, currency="CNY")
        Reservation.objects.create(
            account=account, number=customer.code, order_no="1", amount=1, reserved=1, made_on=TODAY
        )
        Task.objects.create(customer=customer, kind="call", post="sales", due_on=TODAY, made_on=TODAY)
        Standing.objects.create(customer=customer, standing="watched", since=TODAY, why="x", at=clock.now())
        trail.record("standing", about=customer, by=member("cy"), at=clock.now(), customer=customer.pk)


LISTS: dict[str, Callable[[Person, date], QuerySet[Any]]] = {
    "accounts": lambda by, on: sight.visible(CreditAccount, by, on=on),
    "reservations": lambda by, on: sight.visible(Reservation, by, on=on, path="account__customer"),
    "tasks": lambda by, on: worklist.visible(by, on=on),
    "standings": lambda by, on: sight.visible(Standing, by, on=on),
    "trail": lambda by, on: trail_sight.seen_by(by, on=on),
}
READERS = {"ann": 4, "di": 2, "lea": 1, "cy": 6, "sy": 0}
"""Who reads -> of how many customers; Lea sells and belongs to no department."""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("of", LISTS)
def test_a_reader_of_many_sees_what_a_reader_of_few_does(of: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = person("lea", Post.SALES) if name == "lea" else member(name)
    if name == "lea":
        Customer.objects.filter(code="C4").update(salesperson=reader)
    seen = {}
    for many in (0, 10**6):
        sight.forget()
        monkeypatch.setattr(sight, "MANY", many)
        seen[many] = set(LISTS[of](reader, TODAY).values_list("pk", flat=True))
    assert seen[0] == seen[10**6]
    if of != "trail":
        assert len(seen[0]) == READERS[name]


def test_many_are_asked_for_as_questions_of_their_own(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "EXISTS" not in str(sight.visible(Task, ann, on=TODAY).query)
    sight.forget()
    monkeypatch.setattr(sight, "MANY", 0)
    assert str(sight.visible(Task, ann, on=TODAY).query).count("EXISTS") == 2


def test_how_many_she_sees_is_remembered_for_some_minutes(
    ann: Person, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    sight.visible(Task, ann, on=TODAY)
    with django_assert_num_queries(0):
        sight.visible(Task, ann, on=TODAY)
    monkeypatch.setattr(sight, "MANY", 0)
    assert "EXISTS" not in str(sight.visible(Task, ann, on=TODAY).query), "only the way of asking hangs on it"


@pytest.mark.parametrize(("name", "some"), [("ann", True), ("di", True), ("cy", True), ("lea", False), ("sy", False)])
def test_whether_there_is_anybody_to_see(name: str, some: bool) -> None:
    reader = person("lea", Post.SALES) if name == "lea" else member(name)
    assert sight.some_customer(reader, TODAY) is some
    Customer.objects.all().update(salesperson=None, department="")
    assert sight.some_customer(reader, TODAY) is (name == "cy")
