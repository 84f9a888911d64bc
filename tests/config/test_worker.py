"""The worker's patience: what the database broke off is begun again, what is wrong by itself is not."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from shouxin.config import worker
from shouxin.customers.models import Customer
from tests.people import acme

CONTEXT: Any = SimpleNamespace(job=SimpleNamespace(task_name="a.job"))

pytestmark = pytest.mark.invariant("I-26")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses taken, none of them waited for."""
    taken: list[float] = []
    monkeypatch.setattr(worker.time, "sleep", taken.append)
    return taken


@pytest.mark.django_db(transaction=True)
def test_a_job_that_waited_too_long_for_a_lock_is_begun_again_and_done(pauses: list[float]) -> None:
    customer, held, let_go = acme(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Customer.objects.select_for_update().get(pk=customer.pk)
            held.set()
            let_go.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    begun: list[int] = []

    def job() -> str:
        begun.append(1)
        if len(begun) == 2:
            let_go.set()
            holder.join(30)
        with transaction.atomic():
            connection.cursor().execute("SET LOCAL lock_timeout = '200ms'")
            Customer.objects.filter(pk=customer.pk).update(name="新名")
        return "done"

    assert worker.patient(job, CONTEXT, None) == "done"
    customer.refresh_from_db()
    assert (customer.name, len(begun), pauses) == ("新名", 2, [1.0])


def failing(error: Exception, begun: list[int]) -> Callable[[], None]:
    def job() -> None:
        begun.append(1)
        raise error

    return job


def test_a_job_that_is_always_broken_off_fails_with_what_the_database_said(pauses: list[float]) -> None:
    begun: list[int] = []
    with pytest.raises(OperationalError, match="canceling"):
        worker.patient(failing(OperationalError("canceling statement due to lock timeout"), begun), CONTEXT, None)
    assert (len(begun), pauses) == (5, [1.0, 4.0, 15.0, 40.0])


@pytest.mark.parametrize("error", [IntegrityError("duplicate key"), ValueError("no")])
def test_a_job_that_is_wrong_by_itself_is_not_begun_again(error: Exception, pauses: list[float]) -> None:
    begun: list[int] = []
    with pytest.raises(type(error)):
        worker.patient(failing(error, begun), CONTEXT, None)
    assert (len(begun), pauses) == (1, [])
