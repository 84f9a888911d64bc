"""The system page and what the house tells about itself: in words, in figures, in the log."""

import json
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test import Client
from django.urls import reverse

from shouxin.config import gauges, migrating
from shouxin.office import policies
from tests.people import CAST, member
from tests.records import seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.invariant("I-20b")
@pytest.mark.parametrize("name", CAST)
def test_the_page_is_for_who_keeps_the_machine_and_who_audits_it(name: str) -> None:
    assert browser(name).get(reverse("system")).status_code == (200 if name in ("sy", "ed") else 403)


@pytest.mark.clause("A13")
@pytest.mark.parametrize(
    ("language", "words"), [("en", ["Check-up", "synchronous_commit", "never"]), ("zh-hans", ["检查", "从未"])]
)
def test_what_is_wrong_stands_with_its_cure(language: str, words: list[str]) -> None:
    shown = browser("sy", language).get(reverse("system")).content.decode()
    assert all(word in shown for word in words)


def test_it_names_no_customer() -> None:
    customer = seed.trading()
    assert customer.name not in browser("sy").get(reverse("system")).content.decode()


def test_a_failed_job_is_listed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, status, attempts)"
            " VALUES ('default', 'collection.send', 0, 'failed', 3)"
        )
    assert "collection.send" in browser("sy").get(reverse("system")).content.decode()
    assert gauges.house().jobs["failed"] == 1


def test_the_figures_say_how_the_house_stands(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    for name in (
        "database_up 1.0",
        "workers 0.0",
        "holds_open",
        "accounts_parked",
        "disk_free_bytes",
        "proof_differences",
    ):
        assert f"shouxin_{name}" in text
    assert "shouxin_day_age_days" not in text, "there was no run yet"


def test_not_ready_before_the_migrations_of_this_release(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "_of_this_release", lambda: frozenset({("office", "9999_tomorrow")}))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["why"]) == (503, "migrations")


def lines(captured: list[Any]) -> list[dict[str, Any]]:
    return [dict(line) for line in captured if line["event"] == "answered"]


@pytest.mark.invariant("I-24")
def test_every_request_leaves_one_line_without_address_or_particulars() -> None:
    customer = seed.trading()
    with structlog.testing.capture_logs() as captured:
        answer = browser("bo").get(reverse("customers:file", args=[customer.pk]), {"q": customer.name})
    [line] = lines(captured)
    assert (line["view"], line["method"], line["status"]) == ("customers:file", "GET", 200)
    assert line["person"] == member("bo").pk
    assert customer.name not in json.dumps(line, ensure_ascii=False)
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("given", "kept"), [("order-desk-0001", True), ("two\r\nlines", False), ("短", False), ("", False)]
)
def test_the_callers_number_is_kept_where_it_is_plain(client: Client, given: str, kept: bool) -> None:
    with structlog.testing.capture_logs() as captured:
        answer = client.get("/accounts/login/", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) == kept
    assert len(lines(captured)) == 1


def test_looks_at_health_are_not_logged(client: Client) -> None:
    with structlog.testing.capture_logs() as captured:
        client.get("/healthz")
        client.get("/readyz")
    assert not lines(captured)
