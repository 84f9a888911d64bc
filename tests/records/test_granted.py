"""What was granted and used, by grade, industry, region and salesperson (C3.4): whose customers, which lines count."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from shouxin.credit.models import CreditAccount, Line
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.models import Person
from shouxin.records import granted
from tests.people import SOUTH, TODAY, acme, member

pytestmark = pytest.mark.django_db
D = Decimal


def line(customer: Customer, limit: str | None, grade: str = "B", *, days: int = 200, **changes: Any) -> None:
    fields: dict[str, Any] = {
        "customer": customer, "grade": grade, "limit_kind": "amount" if limit else "none",
        "limit": D(limit) if limit else None, "currency": "CNY", "term_days": 30, "since": TODAY - timedelta(100),
        "until": TODAY + timedelta(days), "why": "t", "cause": "request", "policy_version": 1, "at": clock.now(),
    }  # fmt: skip
    Line.objects.create(**fields | changes)


def uses(customer: Customer, receivable: str, deposits: str = "0") -> None:
    CreditAccount.objects.create(customer=customer, currency="CNY", receivable=D(receivable), deposits=D(deposits))


@pytest.fixture
def book(db: None) -> None:
    """Ann's two customers and Di's: a replaced line, one that has run out, a temporary one, a deposit held."""
    policies.ensure()
    one = acme(region="上海", industry="C")
    two = acme(code="C2", name="二号", region="江苏", industry="C")
    other = acme(code="C3", name="三号", region="广东", industry="F", salesperson=member("di"), department=SOUTH)
    line(one, "99999", since=TODAY - timedelta(300))
    line(one, "100000", "A")
    line(one, "5000", temporary=True)
    line(two, "40000", days=-1)
    line(other, None, "C")
    line(other, "60000", "C")
    uses(one, "30000", deposits="5000")
    uses(two, "7000")
    uses(other, "90000")


def told(by: Any, who: str) -> dict[str, tuple[int, Decimal, Decimal, int]]:
    found = granted.groups(by, seen_by=member(who), on=TODAY)
    return {each.key: (each.customers, each.limit, each.used, each.expired) for each in found}


@pytest.mark.clause("C3.4")
def test_by_each_of_the_four(book: None) -> None:
    assert told("grade", "cy") == {
        "A": (1, D(100000), D(25000), 0), "B": (1, D(0), D(7000), 1), "C": (1, D(60000), D(90000), 0),
    }  # fmt: skip
    assert told("industry", "cy") == {"C": (2, D(100000), D(32000), 1), "F": (1, D(60000), D(90000), 0)}
    assert set(told("region", "cy")) == {"上海", "江苏", "广东"}
    assert told("sales", "cy")["Di"] == (1, D(60000), D(90000), 0)


@pytest.mark.invariant("I-33")
def test_sales_count_their_own(book: None) -> None:
    assert told("region", "di") == {"广东": (1, D(60000), D(90000), 0)}
    assert sum(each[0] for each in told("grade", "ann").values()) == 2


@pytest.mark.clause("C3.4")
def test_page_and_api_say_the_same(book: None, cy: Person, the_day: None) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/api/v1/reports/granted?by=grade").json()
    first = answer["groups"][0]
    assert (first["key"], first["limit"], first["used"], first["share"]) == ("A", "100000.00", "25000.00", "0.2500")
    page = client.get("/records/granted/?by=industry").content.decode()
    assert "Manufacturing" in page and "100,000.00" in page
    assert client.get("/records/granted/?by=grade&export=csv").status_code == 200
