"""The house around the pages: is it alive, what it tells browsers, who may come in, and what it says when it cannot."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, OperationalError, connection
from django.test import Client, override_settings
from psycopg_pool import PoolTimeout

from shouxin.config import health
from shouxin.office.models import Person

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def ann_signs_in() -> Person:
    return Person.objects.create_user("ann.signs.in", password=PASSWORD)


def sign_in(client: Client, password: str):
    return client.post("/accounts/login/", {"login": "ann.signs.in", "password": password})


def test_alive_says_nothing_about_the_database(client: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "alive"}


def test_ready(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.invariant("T7")
def test_not_ready_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", _away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.invariant("T7")
@pytest.mark.parametrize(
    "error", [OperationalError("lock timeout"), PoolTimeout("no connection"), OSError(errno.ENOSPC, "no space")]
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/customers"])
def test_a_database_that_is_away_is_503_with_retry_after(rf, error: Exception, path: str) -> None:
    try:
        raise error
    except type(error):
        answer = health.failed(rf.get(path))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["Content-Type"].startswith("application/problem+json") == path.startswith("/api/")


@pytest.mark.invariant("T7")
@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("terminating connection"), 503), (DatabaseError("Forced update did not affect any rows."), 400)],
)
def test_a_session_that_the_database_cannot_write_is_not_one_that_somebody_ended(
    client: Client, ann_signs_in: Person, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    sign_in(client, PASSWORD)  # the page after it writes down when she began

    def fail(*_told: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(Session, "save", fail)
    answer = client.get("/office/account/")
    assert (answer.status_code, answer.has_header("Retry-After")) == (status, status == 503)


def test_a_fault_of_ours_is_500(rf) -> None:
    try:
        raise ValueError("secret detail")
    except ValueError:
        answer = health.failed(rf.get("/"))
    assert answer.status_code == 500 and b"secret detail" not in answer.content and "Retry-After" not in answer.headers


def test_browsers_are_told_to_run_nothing_but_ours(client: Client) -> None:
    headers = client.get("/accounts/login/").headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "http" not in policy
    for wanted in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert wanted in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_house_behind_tls_passes_the_check_for_deployment(tmp_path: Path) -> None:
    house = {"SHOUXIN_URL": "https://credit.example.com", "SHOUXIN_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"]
    surroundings = {**os.environ, **house, "DJANGO_SETTINGS_MODULE": "shouxin.config.settings"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert (done.returncode, "0 silenced" in done.stdout) == (0, False), done.stderr


def test_figures_for_prometheus(client: Client) -> None:
    client.get("/healthz")
    text = client.get("/metrics").content.decode()
    assert 'shouxin_request_seconds_count{method="GET",status="200",view="alive"}' in text
    assert "shouxin_jobs" in text


def test_figures_behind_a_token(client: Client, settings) -> None:
    from dataclasses import replace

    with override_settings(ENVIRONMENT=replace(settings.ENVIRONMENT, metrics_token="t0ken")):
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200


def test_nobody_signs_up(client: Client) -> None:
    answer = client.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})
    assert not Person.objects.filter(username="eve").exists() and answer.status_code in (200, 403, 405)


def test_she_signs_in_with_her_name(client: Client, ann_signs_in: Person) -> None:
    assert sign_in(client, PASSWORD).status_code == 302
    assert client.session["_auth_user_id"] == str(ann_signs_in.pk)


def test_five_wrong_passwords_close_the_door_even_to_the_right_one(client: Client, ann_signs_in: Person) -> None:
    for _wrong in range(4):
        assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, "wrong").status_code == 429
    refused = sign_in(client, PASSWORD)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "900"
    assert "_auth_user_id" not in client.session


def test_her_wrong_passwords_do_not_lock_out_her_neighbour_at_the_same_address(
    client: Client, ann_signs_in: Person
) -> None:
    for _wrong in range(6):
        client.post("/accounts/login/", {"login": "di.signs.in", "password": "wrong"})
    assert sign_in(client, PASSWORD).status_code == 302


def test_passwords_are_kept_by_argon2() -> None:
    from shouxin.config import settings as product

    assert product.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def _away(*_words: object) -> None:
    raise OperationalError("the database system is shutting down")
