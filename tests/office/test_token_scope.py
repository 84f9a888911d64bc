"""What a token may do: as much as its scope says, for as long as the rules let, without a question of its own."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.config import cli
from shouxin.office import clock, policies, posts, sign_in, tokens
from shouxin.office.models import ApiToken, Person
from shouxin.office.refusals import BadForm
from tests.access.calls import described
from tests.people import TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15")]
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SENT = ("/credit-checks", "/reservations", "/invoices", "/receipts", "/imports")


def bearer(name: str, scope: str, **options: Any) -> dict[str, str]:
    text = tokens.create(member(name), by=member(name), at=clock.now(), scope=scope, **options)[1]
    return {"Authorization": f"Bearer {text}"}


def call(method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    client = Client(headers={"Accept-Language": "en"})
    return client.generic(method, f"/api/v1{path}", body or b"{}", content_type="application/json", headers=headers)


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def allowed(name: str, scope: str) -> bool:
    """What docs/en/sign-in.md says of the scopes."""
    method, _space, path = name.partition(" ")
    return scope == "all" or method == "GET" or (scope == "decide" and path.startswith(SENT))


@pytest.mark.parametrize("scope", ["read", "decide", "all"])
def test_every_operation_is_within_a_scope_or_outside(scope: str) -> None:
    headers, wrong = bearer("cy", scope), []
    for name in described():
        method, _space, path = name.partition(" ")
        path = re.sub(r"{\w+}", "987654321", path.replace("{kind}", "customers"))
        answer = call(method, path, headers)
        refused = answer.status_code == 403 and answer.json()["code"] == "token_scope"
        if refused == allowed(name, scope):
            wrong.append(f"{name}: {answer.status_code}")
    assert not wrong


def test_the_refusal_says_what_it_takes() -> None:
    answer = call("POST", "/people", bearer("sy", "decide"), '{"username": "newcomer"}').json()
    assert answer["code"] == "token_scope" and answer["cure"].endswith("of the scope all; its scope is decide.")
    assert not Person.objects.filter(username="newcomer").exists()
    assert call("POST", "/people", bearer("sy", "all"), '{"username": "newcomer"}').status_code == 201


def test_posts_bind_whatever_the_scope() -> None:
    assert call("POST", "/people", bearer("ann", "all"), '{"username": "newcomer"}').json()["code"] == "not_your_duty"


def test_without_the_check_a_narrow_token_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    headers = bearer("sy", "read")
    assert call("POST", "/people", headers, '{"username": "newcomer"}').status_code == 403
    monkeypatch.setattr(tokens, "needed", lambda path, reads: tokens.READ)
    assert call("POST", "/people", headers, '{"username": "newcomer"}').status_code == 201


def test_the_scope_comes_with_the_token() -> None:
    acme()
    counts = []
    for scope in ("decide", "all"):
        headers = bearer("cy", scope)
        call("GET", "/me", headers)
        with CaptureQueriesContext(connection) as asked:
            assert call("GET", "/me", headers).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_token_that_has_expired_is_none() -> None:
    headers = bearer("cy", "all", days=1)
    assert call("GET", "/me", headers).status_code == 200
    ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert call("GET", "/me", headers).status_code == 401


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        pytest.param({}, 365, id="as long as the rules let"),
        pytest.param({"days": 1}, 1, id="a day"),
        pytest.param({"days": 365}, 365, id="the most"),
        pytest.param({"expires_at": NOW + timedelta(days=30)}, 30, id="until a moment"),
    ],
)
def test_how_long_it_works(asked: dict[str, Any], days: int) -> None:
    token, _text = tokens.create(member("cy"), by=member("cy"), at=NOW, **asked)
    assert token.expires_at == NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param({"days": 366}, "days", id="a day too many"),
        pytest.param({"days": 0}, "days", id="none"),
        pytest.param({"expires_at": NOW + timedelta(days=365, seconds=1)}, "expires_at", id="a second too many"),
        pytest.param({"scope": "some"}, "scope", id="no such scope"),
    ],
)
def test_what_it_may_not_be(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refused:
        tokens.create(member("cy"), by=member("cy"), at=NOW, **asked)
    assert refused.value.errors[0][0] == field and not ApiToken.objects.exists()


def test_where_the_rules_ask_for_no_end_there_is_none() -> None:
    sign_in.put({"token_days_max": None}, why="w", by=posts.system(), on=TODAY, at=NOW)
    sign_in.forget()
    assert tokens.create(member("cy"), by=member("cy"), at=NOW)[0].expires_at is None


def test_page_and_api_give_the_narrower_one_unless_asked() -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("cy"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/office/account/").context["form"]["scope"].value() == "decide"
    assert client.post("/office/account/", {"label": "x", "scope": "read", "days": 999}).status_code == 422
    assert client.post("/office/account/", {"label": "x", "scope": "read", "days": 7}).status_code == 200
    client.post("/api/v1/tokens", {"label": "y"}, content_type="application/json")
    assert [(each.label, each.scope) for each in ApiToken.objects.order_by("pk")] == [("x", "read"), ("y", "decide")]
    shown = client.get("/office/account/").content.decode()
    assert "Expires" in shown and "Reading, and what an order system sends" in shown


def test_the_command_line_makes_one_for_everything(capsys: pytest.CaptureFixture[str]) -> None:
    member("cy")
    for arguments, scope, days in (([], "all", 365), (["--scope", "read", "--days", "7"], "read", 7)):
        assert cli.run(["token", "create", "cy", *arguments]) == 0
        made = ApiToken.objects.latest("pk")
        assert (made.scope, made.expires_at - made.created_at) == (scope, timedelta(days=days))
        assert capsys.readouterr().out.startswith(tokens.PREFIX)
