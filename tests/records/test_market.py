"""The recommended list, opportunities and digests on the real database: who is on them, who sees them, sent once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client

from shouxin.credit import lines
from shouxin.credit.models import Line
from shouxin.customers import mails, standing
from shouxin.customers.models import Customer, Mail
from shouxin.office import clock, policies, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.records import digests, market
from shouxin.records.models import Digest
from shouxin.rules.policy import Grade
from tests import smtp
from tests.api import Caller
from tests.people import EAST, SOUTH, TODAY, member
from tests.records import seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book(db: None, the_day: None) -> None:
    policies.ensure()


def good(code: str = "C001", **changes: Any) -> Customer:
    """Two years a customer, ten invoices paid on time."""
    of = seed.customer(code, industry="C", region="上海", **changes)
    seed.line(of)
    for n in range(10):
        due = TODAY - timedelta(days=670 - 30 * n)
        paid = due - timedelta(days=1)
        seed.invoice(of, f"{code}-{n}", "100", dated=due - timedelta(days=30), due=due, settled_on=paid)
    return of


def listed() -> list[str]:
    policy = policies.in_force(TODAY).policy
    return [each.customer.code for each in market.recommended(market.units(Q(), policy=policy, on=TODAY))]


@pytest.mark.clause("A8")
def test_good_records_are_listed_and_bad_ones_are_not() -> None:
    good()
    late, banned = good("C002", name="晚付有限公司"), good("C003", name="失信有限公司")
    due = TODAY - timedelta(days=90)
    seed.invoice(late, "C002-L", "10", dated=due - timedelta(days=9), due=due, settled_on=due + timedelta(days=3))
    standing.set_standing(banned, "blacklisted", why="fled", by=member("cy"), on=TODAY, at=clock.now())
    seed.trading("C004", name="逾期有限公司")
    assert listed() == ["C001"]


@pytest.mark.clause("A8", "C3.7")
def test_sales_see_their_own_and_everything_says_internal(client: Client) -> None:
    good(), good("C002", name="南方好有限公司", salesperson=member("di"), department=SOUTH)
    seed.customer("P001", name="沉默有限公司", industry="C", region="上海")
    of_ann, of_cy = (Caller(member(name)).get("/reports/recommended").data for name in ("ann", "cy"))
    assert [each["code"] for each in of_ann["items"]] == ["C001"]
    assert [each["code"] for each in of_cy["items"]] == ["C001", "C002"]
    assert "征信业管理条例" in of_ann["use"] and len(of_ann["items"][0]["why"]) == 7
    found = Caller(member("ann")).get("/reports/opportunities").data["items"]
    assert {(each["kind"], each["code"]) for each in found} >= {("headroom", "C001"), ("alike", "P001")}
    client.force_login(member("ann"))
    page = client.get("/records/recommended/").content.decode()
    assert "征信业管理条例" in page and "南方好有限公司" not in page
    assert "P001" not in client.get("/records/opportunities/?kind=headroom").content.decode()
    exported = client.get("/records/recommended/?export=csv")
    assert "internal-recommended" in exported["Content-Disposition"]
    text = b"".join(exported.streaming_content) if exported.streaming else exported.content
    assert "仅供内部" in text.decode("utf-8-sig")


@pytest.mark.clause("A8")
def test_the_letter_is_written_of_listed_units_alone(client: Client) -> None:
    of, other = good(), seed.trading("C004", name="逾期有限公司")
    client.force_login(member("ann"))
    for ending, begin in (("pdf", b"%PDF"), ("docx", b"PK")):
        assert client.get(f"/records/recommended/{of.pk}/letter.{ending}").content.startswith(begin)
    assert TrailEntry.objects.filter(verb="recommend", customer_id=of.pk).count() == 2
    assert client.get(f"/records/recommended/{other.pk}/letter.pdf").status_code == 404
    assert client.get(f"/records/recommended/{of.pk}/letter.exe").status_code == 404


def test_the_lists_ask_no_more_for_more_customers(django_assert_max_num_queries: Any) -> None:
    policy = policies.in_force(TODAY).policy
    for n in range(12):
        seed.customer(f"N{n:02}", name=f"客户{n:02}有限公司")
    with django_assert_max_num_queries(10):
        market.units(Q(), policy=policy, on=TODAY)


# --- digests -------------------------------------------------------------------------------------


@pytest.fixture
def sink(settings: Any) -> Iterator[smtp.Sink]:
    with smtp.running(settings) as found:
        yield found


def moved(code: str = "C001", **changes: Any) -> Customer:
    of = seed.customer(code, **changes)
    line = seed.line(of)
    week_ago = clock.now() - timedelta(days=5)
    lines.downgrade(
        line, Grade.C, why="逾期 60 天", edition=policies.in_force(TODAY), today=TODAY - timedelta(days=5), at=week_ago,
        by=None,
    )  # fmt: skip
    return of


def make(today: Any = TODAY) -> list[Digest]:
    return digests.make_due(today=today, at=clock.now(), by=posts.system())


@pytest.mark.clause("B2.6")
@pytest.mark.invariant("I-26")
def test_each_department_is_told_once_of_what_concerns_it_and_by_mail(sink: smtp.Sink, ann: Person) -> None:
    Person.objects.filter(pk=ann.pk).update(email="ann@example.com")
    moved()
    moved("C002", name="南方有限公司", salesperson=member("di"), department=SOUTH)
    made = {each.department: str(each.paper) for each in make()}
    assert set(made) == {"", EAST, SOUTH}
    assert "B → C" in made[EAST] and "逾期 60 天" in made[EAST] and "南方有限公司" not in made[EAST]
    assert "南方有限公司" in made[""] and "艾克米" in made[""]
    assert make() == []
    assert mails.send_waiting(by=posts.system(), at=clock.now()).sent == 1
    (mail,) = sink.taken
    assert mail["To"] == "ann@example.com" and next(mail.iter_attachments()).get_filename().endswith(".pdf")
    assert TrailEntry.objects.filter(verb="digest.make").count() == 3


@pytest.mark.clause("B2.6")
def test_missed_periods_are_made_up_for() -> None:
    seed.customer()
    make()
    later = make(TODAY + timedelta(days=21))
    assert [each.first for each in later if each.department == EAST] == [
        TODAY - timedelta(days=1), TODAY + timedelta(days=6), TODAY + timedelta(days=13),
    ]  # fmt: skip


@pytest.mark.clause("B2.6")
def test_a_department_reads_its_own_and_may_look_ahead(client: Client) -> None:
    moved()
    moved("C002", name="南方有限公司", salesperson=member("di"), department=SOUTH)
    made = {each.department: each for each in make()}
    client.force_login(member("ann"))
    assert "B → C" in client.get(f"/records/digests/{made[EAST].pk}/").content.decode()
    assert client.get(f"/records/digests/{made[EAST].pk}/?form=pdf").content.startswith(b"%PDF")
    for hidden in (SOUTH, ""):
        assert client.get(f"/records/digests/{made[hidden].pk}/").status_code == 404
    before = Digest.objects.count()
    assert "南方有限公司" not in client.get(f"/records/digests/preview?department={SOUTH}").content.decode()
    assert (Digest.objects.count(), Mail.objects.count()) == (before, 0)


@pytest.mark.invariant("I-26")
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_digest_once(ann: Person) -> None:
    policies.ensure()
    Person.objects.filter(pk=ann.pk).update(email="ann@example.com")
    moved()
    start = threading.Barrier(2)

    def work(_number: int) -> int:
        try:
            start.wait()
            return len(make())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) == 2
    assert (Digest.objects.count(), Mail.objects.filter(kind="digest").count()) == (2, 1)
    assert Line.objects.count() == 2
