"""The cast of all tests. Who they are says what they may do; the fixtures carry their names.

Ann and Di sell, in two departments; Bo is the credit administrator, Cy the credit manager, Vi the vice-president,
Le the legal representative; Fi keeps the books, Ed audits, Ar keeps the archive, Sy runs the machine,
Se appoints people to their posts.
Acme is the customer, Ann's.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.office.models import Appointment, Person
from shouxin.rules.policy import Post

EAST, SOUTH = "华东", "华南"
TODAY = date(2026, 11, 24)
"""The day on which tests happen, a Tuesday; every verb is told it. Pages read the clock: give them `the_day`."""

FAR_AHEAD = 4_102_444_800.0
"""The year 2100: a proof of then is fresh in every test."""

CAST: dict[str, tuple[Post, str]] = {
    "ann": (Post.SALES, EAST),
    "di": (Post.SALES, SOUTH),
    "bo": (Post.CREDIT_ADMINISTRATOR, ""),
    "cy": (Post.CREDIT_MANAGER, ""),
    "vi": (Post.VICE_PRESIDENT, ""),
    "le": (Post.LEGAL_REPRESENTATIVE, ""),
    "fi": (Post.FINANCE, ""),
    "ed": (Post.AUDITOR, ""),
    "ar": (Post.ARCHIVIST, ""),
    "sy": (Post.SYSTEM_MANAGER, ""),
    "se": (Post.SECURITY_MANAGER, ""),
}


def person(username: str, *posts: Post, department: str = "", **changes: Any) -> Person:
    """Somebody who has held these posts since 2020; there is no password, tests sign in with `force_login`."""
    found, _new = Person.objects.get_or_create(
        username=username, defaults={"name": username.capitalize(), "department": department, **changes}
    )
    for post in posts:
        Appointment.objects.get_or_create(person=found, post=post, until=None, defaults={"since": date(2020, 1, 1)})
    return found


def member(username: str) -> Person:
    """One of the cast, by name."""
    post, department = CAST[username]
    return person(username, post, department=department)


def acme(**changes: Any) -> Customer:
    """Acme, Ann's customer in 华东, known since 2020; `changes` make it another one (give it another code then)."""
    fields: dict[str, Any] = {
        "code": "C001",
        "name": "上海艾克米机械有限公司",
        "currency": "CNY",
        "department": EAST,
        "customer_since": date(2020, 1, 1),
        "created_at": timezone.now(),
    } | changes
    if "salesperson" not in fields:
        fields["salesperson"] = member("ann")
    customer = Customer(**fields)
    fields["search_keys"] = search.keys_of(customer)
    found, _new = Customer.objects.get_or_create(code=fields.pop("code"), defaults=fields)
    return found


def prove(client: Client, someone: Person, at: float) -> None:
    """The session of the browser says that she last proved who she is at a moment, in seconds."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": at}]
    session["account_authentication_methods_user"] = str(someone.pk)
    session.save()


def _fixture(username: str) -> Any:
    @pytest.fixture(name=username)
    def one_of_the_cast(db: None) -> Person:
        return member(username)

    one_of_the_cast.__doc__ = f"{username.capitalize()}, who holds the post {CAST[username][0]}."
    return one_of_the_cast


ann, di, bo, cy, vi, le, fi, ed, ar, sy, se = (_fixture(name) for name in CAST)


@pytest.fixture
def the_day() -> Iterator[None]:
    """The clock stands at TODAY, early in Shanghai while UTC still writes the day before (I-29)."""
    with time_machine.travel("2026-11-23T23:40:00Z"):
        yield
