"""The daily run against the world: killed in the middle, run twice at once. Real transactions, two connections."""

import threading
from typing import Any

import pytest
from django.db import connections

from shouxin.collection import effects, facts, rounds
from shouxin.collection.models import CustomerDay, Day, Notice
from shouxin.credit.models import Line
from shouxin.office.models import TrailEntry
from tests.people import acme

from .world import after, another, end_state, line, owe, run

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process dies: nothing in the product catches this."""


@pytest.mark.invariant("I-26")
def test_a_run_that_is_killed_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        customer = another(f"C20{number}")
        line("B", customer=customer)
        owe("1000.00", f"S-{number}", customer=customer)
    monkeypatch.setattr(rounds, "BATCH", 2)
    write = effects.write
    batches = []

    def dies_in_the_second(outcomes: Any, context: Any) -> Any:
        batches.append(len(outcomes))
        counts = write(outcomes, context)
        if len(batches) == 2:
            raise Killed
        return counts

    monkeypatch.setattr(effects, "write", dies_in_the_second)
    with pytest.raises(Killed):
        run(after(31))
    assert (Day.objects.get().status, CustomerDay.objects.count(), Notice.objects.count()) == ("running", 2, 2)
    day = run(after(31))
    assert (day.status, day.counts["customers"], day.counts["letters"]) == ("done", 5, 5)
    assert sorted(Notice.objects.values_list("number", flat=True)) == [f"信函〔2026〕第00{n}号" for n in range(1, 6)]
    assert Line.objects.filter(cause="downgrade").count() == 5


@pytest.mark.invariant("I-26")
def test_two_runs_at_once_do_the_day_once(monkeypatch: pytest.MonkeyPatch) -> None:
    owe("1000.00")
    line("B")
    entered, go_on = threading.Event(), threading.Event()
    load = facts.load

    def slow(*args: Any, **options: Any) -> Any:
        entered.set()
        assert go_on.wait(20)
        return load(*args, **options)

    monkeypatch.setattr(facts, "load", slow)
    first = threading.Thread(target=_run_and_close, args=(after(31),))
    first.start()
    assert entered.wait(20)
    assert rounds.is_running()
    with pytest.raises(rounds.AlreadyRunning):
        run(after(31))
    go_on.set()
    first.join(30)
    assert not rounds.is_running()
    before = end_state()
    run(after(31))
    assert end_state() == before
    assert Notice.objects.filter(customer=acme()).count() == 1
    assert TrailEntry.objects.filter(verb="day.run").count() == 1


def _run_and_close(as_of: Any) -> None:
    try:
        run(as_of)
    finally:
        connections.close_all()
