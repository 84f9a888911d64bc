"""Thirty-two callers over two server processes fight for one limit, and for a few hot accounts, twenty rounds each."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from shouxin.credit.models import CreditAccount, Line, Reservation
from shouxin.customers.models import Customer
from shouxin.office import clock, policies, posts, tokens
from shouxin.orders.models import CreditDecision
from tests.people import member

from . import servers

CALLERS, ROUNDS, FITS = 32, 20, 10
DRIFT = """
SELECT count(*) FROM credit_creditaccount a LEFT JOIN (
    SELECT account_id, sum(CASE WHEN target = 'reserved' THEN amount ELSE 0 END)
                     - sum(CASE WHEN source = 'reserved' THEN amount ELSE 0 END) AS reserved
    FROM credit_posting GROUP BY account_id) j ON j.account_id = a.id
WHERE a.reserved <> coalesce(j.reserved, 0)
"""

pytestmark = pytest.mark.django_db(transaction=True)
numbers = itertools.count(1)


def customer_with_room(room: int) -> Customer:
    """A customer whose line holds `room` orders of 100.00."""
    policies.ensure()
    number, today = next(numbers), clock.today()
    customer = Customer.objects.create(
        code=f"RACE{number}", name=f"竞速{number}", currency="CNY", created_at=clock.now()
    )
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=Decimal(100 * room), currency="CNY", term_days=30,
        since=today, why="race", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    return customer


def token() -> str:
    cy = member("cy")
    return tokens.create(cy, by=posts.system(), at=clock.now())[1]


class Watch(threading.Thread):
    """Reads balances and journal in one snapshot, over and over: they must be equal at every read (I-3, I-4)."""

    def __init__(self) -> None:
        super().__init__()
        self.over, self.reads, self.drifts = threading.Event(), 0, 0

    def run(self) -> None:
        while not self.over.is_set():
            with connection.cursor() as cursor:
                cursor.execute(DRIFT)
                self.drifts += cursor.fetchone()[0]
            self.reads += 1
            self.over.wait(0.02)
        connection.close()


def fight(ports: list[int], bearer: str, codes: list[str], callers: int) -> Counter[str]:
    """All callers at once, each with an order of its own; answers how often each outcome (or status) came."""
    start = threading.Barrier(callers)

    def call(number: int) -> str:
        body = {"customer": codes[number % len(codes)], "order_no": f"SO-{next(numbers)}-{number}", "amount": "100.00"}
        start.wait()
        path = "/api/v1/credit-checks"
        status, answer = servers.request(
            ports[number % len(ports)], "POST", path, body, Authorization=f"Bearer {bearer}"
        )
        return answer["outcome"] if status == 201 else str(status)

    with ThreadPoolExecutor(callers) as pool:
        return Counter(pool.map(call, range(callers)))


@pytest.mark.invariant("I-1", "I-2", "I-3", "I-4")
@pytest.mark.clause("A1", "A11")
def test_a_limit_is_never_oversold_and_nobody_who_fits_is_refused() -> None:
    bearer, watch = token(), Watch()
    with servers.running(2) as ports:
        watch.start()
        for _ in range(ROUNDS):
            customer = customer_with_room(FITS)
            assert fight(ports, bearer, [customer.code], CALLERS) == {"approve": FITS, "hold": CALLERS - FITS}
            account = CreditAccount.objects.get(customer=customer)
            assert account.reserved == 100 * FITS
        watch.over.set()
        watch.join()
    assert (watch.drifts, watch.reads > ROUNDS) == (0, True)


@pytest.mark.invariant("I-1", "I-2")
def test_hot_accounts_are_filled_to_the_last_cent() -> None:
    bearer = token()
    with servers.running(2) as ports:
        for _ in range(ROUNDS):
            hot = [customer_with_room(room) for room in (3, 5, 8)]
            outcomes = fight(ports, bearer, [customer.code for customer in hot], CALLERS)
            assert outcomes == {"approve": 16, "hold": 16}
            assert [CreditAccount.objects.get(customer=each).reserved for each in hot] == [300, 500, 800]


@pytest.mark.invariant("I-10", "I-11")
def test_retries_and_second_checks_never_reserve_twice() -> None:
    bearer, customer = token(), customer_with_room(FITS)
    path, body = "/api/v1/credit-checks", {"customer": customer.code, "order_no": "SO-SAME", "amount": "100.00"}

    def call(number: int) -> tuple[int, int]:
        key = {"Idempotency_Key": "one-and-the-same"} if number % 2 else {}
        status, answer = servers.patiently(ports[number % 2], path, body, Authorization=f"Bearer {bearer}", **key)
        return status, answer["id"]

    with servers.running(2) as ports, ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(call, range(CALLERS)))
    assert {status for status, _ in answers} == {201}
    assert len({number for index, (_, number) in enumerate(answers) if index % 2}) == 1
    assert CreditAccount.objects.get(customer=customer).reserved == 100
    assert Reservation.objects.filter(account__customer=customer, reserved__gt=0).count() == 1
    assert CreditDecision.objects.filter(customer=customer, superseded_by=None).count() == 1


def test_without_the_lock_the_same_fight_is_lost() -> None:
    """The negative control: a test that cannot fail proves nothing."""
    bearer, oversold = token(), 0
    with servers.running(2, wsgi="tests.orders.unlocked_wsgi:application") as ports:
        for _ in range(ROUNDS):
            customer = customer_with_room(FITS)
            fight(ports, bearer, [customer.code], CALLERS)
            oversold += CreditAccount.objects.get(customer=customer).reserved > 100 * FITS
            if oversold:
                break
    assert oversold
