"""A batch that another one overtakes begins anew: what it then decides is what it would have decided alone."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount, Reservation
from shouxin.customers.models import Customer
from shouxin.office import policies
from shouxin.orders import checks
from shouxin.orders.checks import Overtaken
from shouxin.orders.models import CreditDecision, LiveOrder
from tests import houses
from tests.people import acme, member

from .test_checks import ask, decide, journal_agrees, line, reserved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.invariant("I-1", "I-5")]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def three() -> list[Customer]:
    """Customers with an account and room for one order of 1,000."""
    policies.ensure()
    member("bo")
    rows = [acme(code=f"C{n}", name=f"第{n}家") for n in (1, 2, 3)]
    for each in rows:
        line(each)
        decide(ask(1, f"SO-{each.code}", each.code, reserve=False))
    return rows


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each attempt to decide a batch, whether it was overtaken."""
    found, decided = [], checks._answer

    def counted(*asked: object) -> object:
        try:
            answer = decided(*asked)  # type: ignore[arg-type]
        except Overtaken:
            found.append(True)
            raise
        found.append(False)
        return answer

    monkeypatch.setattr(checks, "_answer", counted)
    return found


def beside(work: Callable[[], CreditDecision]) -> CreditDecision:
    try:
        return work()
    finally:
        connection.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


def asked_for(customer: Customer) -> CreditDecision:
    return decide(ask(1000, "SO-1", customer.code))[0]


def stands_for(customer: Customer, others: list[Customer], last: CreditDecision) -> None:
    """The order stands once, for this customer, by its last decision, and the books agree."""
    assert LiveOrder.objects.get(order_no="SO-1").decision_id == last.pk
    assert (last.outcome, last.customer_id, reserved(customer)) == ("approve", customer.pk, 1000)
    assert [reserved(other) for other in others] == [0, 0]
    assert Reservation.objects.filter(order_no="SO-1", reserved__gt=0).count() == 1
    assert journal_agrees()


def test_an_order_that_two_begin_at_once_stands_for_the_second(three: list[Customer], attempts: list[bool]) -> None:
    first, second, third = three
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            begun = asked_for(first)
            other: Future[CreditDecision] = pool.submit(beside, lambda: asked_for(second))
            assert houses.soon(somebody_waits, 30 * houses.busy()) and attempts == [False]
        last = other.result()
    assert attempts == [False, True, False]
    assert last.supersedes_id == begun.pk
    stands_for(second, [first, third], last)


def test_an_order_that_changes_hands_while_a_batch_waits_is_taken_from_whom_it_stands_for(
    three: list[Customer], attempts: list[bool]
) -> None:
    first, second, third = three
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            exposure.lock([first.pk])
            waits: Future[CreditDecision] = pool.submit(beside, lambda: asked_for(first))
            assert houses.soon(somebody_waits, 30 * houses.busy())
            between = pool.submit(beside, lambda: asked_for(third)).result()
            assert reserved(third) == 1000
        last = waits.result()
    assert attempts == [False, True, False]
    assert last.supersedes_id == between.pk
    stands_for(first, [second, third], last)


def test_whoever_is_overtaken_every_time_is_told_to_ask_again(
    three: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_asked: object) -> None:
        raise Overtaken

    monkeypatch.setattr(checks, "_under_locks", overtaken)
    with pytest.raises(checks.Moved) as refused:
        asked_for(three[0])
    assert refused.value.code == "order_moved"
    assert not LiveOrder.objects.exists() and not CreditAccount.objects.filter(reserved__gt=0).exists()
