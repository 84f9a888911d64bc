"""Figures over every row: live while quick, kept with their moment once slow, left to the worker where too slow."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from benches.pages import work_out_waiting
from shouxin.lib import kept
from shouxin.lib.models import Kept

pytestmark = pytest.mark.django_db
AT = timezone.now()
books = {"owed": 1, "seconds": 0.0}


def owed(on: str) -> dict[str, Any]:
    """A figure that takes as long as the books are large."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [books["seconds"]])
    return {"on": on, "owed": books["owed"]}


def read(at: Any = AT, on: str = "monday") -> kept.Told:
    return kept.read(f"{__name__}.owed", scope="all", at=at, on=on)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that are read at once."""
    monkeypatch.setattr(kept, "KEEP_AFTER", 0.2)
    books.update(owed=1, seconds=0.0)


def test_a_quick_figure_is_always_read_from_the_books() -> None:
    assert read().content["owed"] == 1
    books["owed"] = 2
    told = read()
    assert told.content["owed"] == 2 and told.live and not Kept.objects.exists()


def test_a_slow_figure_is_kept_with_its_moment_and_renewed_after_a_rest() -> None:
    books["seconds"] = 0.3
    read()
    books["owed"] = 2
    told = read(AT + timedelta(seconds=10))
    assert told.content["owed"] == 1 and told.at == AT and not told.live
    assert not ProcrastinateJob.objects.filter(task_name="lib.work_out").exists()
    assert read(AT + timedelta(hours=1)).content["owed"] == 1
    began = timezone.now()
    work_out_waiting()
    told = read(timezone.now())
    assert told.content["owed"] == 2 and told.at >= began


def test_another_days_question_is_worked_out_afresh() -> None:
    books["seconds"] = 0.3
    read()
    assert read(on="tuesday").content["on"] == "monday"
    work_out_waiting()
    assert read(on="tuesday").content["on"] == "tuesday"


def test_nobody_waits_for_a_figure_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LIVE_MAX", 0.1)
    books["seconds"] = 0.5
    began = time.monotonic()
    assert read().content is None and time.monotonic() - began < 5
    work_out_waiting()
    assert read().content == {"on": "monday", "owed": 1}


def test_the_limit_of_a_figure_does_not_outlive_it() -> None:
    read()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "0"


def test_what_no_reader_may_work_out_is_left_to_the_worker_and_kept_however_quick_it_is() -> None:
    def asked(at: Any) -> kept.Told:
        return kept.read(f"{__name__}.owed", scope="all", at=at, at_once=False, on="monday")

    assert asked(AT).content is None
    work_out_waiting()
    for hours in (0, 2):  # the second time it is renewed meanwhile
        told = asked(timezone.now() + timedelta(hours=hours))
        assert told.content == {"on": "monday", "owed": 1} and not told.live
        work_out_waiting()
