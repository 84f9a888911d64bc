"""The worker's patience: what the database broke off is begun again, what is wrong by itself is not."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from shouxin.config import worker
from shouxin.customers.models import Customer
from tests.people import acme

CONTEXT: Any = SimpleNamespace(job=SimpleNamespace(task_name="a.job"), should_abort=lambda: False)

pytestmark = pytest.mark.invariant("I-26")


def ended_by(cause: type[psycopg.Error]) -> OperationalError:
    error = OperationalError(cause.__name__)
    error.__cause__ = cause()
    return error


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses taken, none of them waited for."""
    taken: list[float] = []
    monkeypatch.setattr(worker.time, "sleep", taken.append)
    monkeypatch.setattr(worker, "_paused", lambda: False)
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
    assert (len(begun), pauses) == (4, [1.0, 4.0, 15.0])


@pytest.mark.parametrize(
    "cause", [psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable, psycopg.errors.AdminShutdown]
)
def test_what_the_database_broke_off_in_passing_is_begun_again(cause: type[psycopg.Error], pauses: list[float]) -> None:
    begun: list[int] = []

    def job() -> str:
        begun.append(1)
        if len(begun) < 3:
            raise ended_by(cause)
        return "done"

    assert worker.patient(job, CONTEXT, None) == "done"
    assert pauses == [1.0, 4.0]


@pytest.mark.parametrize("stops", ["told to", "paused"])
def test_no_job_is_begun_again_while_the_worker_stops(
    stops: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    context: Any = SimpleNamespace(job=CONTEXT.job, should_abort=lambda: stops == "told to")
    monkeypatch.setattr(worker, "_paused", lambda: stops == "paused")
    with pytest.raises(OperationalError):
        worker.patient(failing(OperationalError("gone"), begun), context, None)
    assert (len(begun), pauses) == (1, [1.0])


@pytest.mark.parametrize(
    "error",
    [IntegrityError("duplicate key"), ValueError("no"), ended_by(psycopg.errors.QueryCanceled),
     ended_by(psycopg.errors.DiskFull), ended_by(psycopg.errors.OutOfMemory)],
    ids=str,
)  # fmt: skip
def test_a_job_that_is_wrong_by_itself_is_not_begun_again(error: Exception, pauses: list[float]) -> None:
    begun: list[int] = []
    with pytest.raises(type(error)):
        worker.patient(failing(error, begun), CONTEXT, None)
    assert (len(begun), pauses) == (1, [])
