"""What a token may do: as much as its scope says, for as long as the rules let, without a question of its own."""

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.config import cli
from shouxin.config.api import api
from shouxin.office import clock, policies, posts, scopes, sign_in, tokens
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


CUSTOMERS = re.compile(
    r"/customers(/{\w+}(/(agents|attachments|counterparty-check(\.{\w+})?|credit|facts|file|form-links|group|journal"
    r"|letters|lines|names|persons|rating|securities|sheet|standings?|ties|timeline))?)?$|/(facts|agents|person-ties)/"
)
KEPT = re.compile(
    r"(POST|PATCH) (/customers(/{\w+}(/(agents|attachments|facts|form-links|names|persons|ties))?)?$|/facts/|/agents/"
    r"|/person-ties/)"
)


def allowed(name: str, scope: str) -> bool:
    """What docs/en/api.md says of the scopes."""
    method, _space, path = name.partition(" ")
    part, _colon, way = scope.partition(":")
    reads = method == "GET"
    if scope == "all" or path == "/me" or (reads and scope in ("read", "decide")):
        return True
    if part == "decide":
        return path.startswith(SENT)
    own = {
        "holds": path.startswith("/holds"),
        "line-requests": path.startswith("/line-requests") or path == "/customers/{reference}/lines",
        "customers": bool(CUSTOMERS.match(path) if reads else KEPT.match(name)),
    }
    return own.get(part, False) and (reads or way == "write")


def address(name: str) -> tuple[str, str]:
    method, _space, path = name.partition(" ")
    return method, re.sub(r"{\w+}", "987654321", path.replace("{kind}", "customers"))


@pytest.mark.parametrize("scope", scopes.NAMES)
def test_every_operation_is_within_a_scope_or_outside(scope: str) -> None:
    headers, wrong = bearer("cy", scope), []
    for name in described():
        answer = call(*address(name), headers)
        refused = answer.status_code == 403 and answer.json()["code"] == "token_scope"
        if refused == allowed(name, scope):
            wrong.append(f"{name}: {answer.status_code}")
        if refused and f"of the scope {told_scopes(name)[0]};" not in answer.json()["cure"]:
            wrong.append(f"{name}: {answer.json()['cure']}")
    assert not wrong


@functools.cache
def paths() -> Any:
    return api.openapi["paths"]


def told_scopes(name: str) -> list[str]:
    """What the description of the API says opens it, the narrowest first."""
    method, _space, path = name.partition(" ")
    found: list[str] = paths()[f"/api/v1{path}"][method.lower()]["x-token-scopes"]
    return found


def test_every_operation_is_described_with_the_scopes_that_open_it() -> None:
    wrong = [
        name for name in described() if set(told_scopes(name)) != {each for each in scopes.NAMES if allowed(name, each)}
    ]
    assert not wrong and all(told_scopes(name)[-1] == "all" for name in described())


def test_a_new_operation_is_shut_to_narrow_tokens() -> None:
    for path in ("/api/v1/novelties", "/api/v1/customers/1/novelties", "/api/v1/holds/1/novelty/2"):
        assert scopes.opening(path, reads=False) == ("all",)


def test_a_token_may_have_several_scopes() -> None:
    headers = bearer("cy", "line-requests:write  customers:read customers:read")
    assert ApiToken.objects.get().scope == "customers:read line-requests:write"
    kept = acme()
    assert call("GET", f"/customers/{kept.pk}/credit", headers).status_code == 200
    assert call("GET", "/line-requests", headers).status_code == 200
    for method, path in (("GET", "/holds"), ("PATCH", f"/customers/{kept.pk}"), ("POST", "/credit-checks")):
        assert call(method, path, headers).json()["code"] == "token_scope"


@pytest.mark.parametrize("act", ["standing", "unmask", "blacklist-cases", "rating", "securities"])
def test_keeping_a_file_is_not_judging_its_customer(act: str) -> None:
    answer = call("POST", f"/customers/{acme().pk}/{act}", bearer("cy", "customers:write"))
    assert answer.json()["code"] == "token_scope" and "of the scope all;" in answer.json()["cure"]


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
    monkeypatch.setattr(scopes, "opening", lambda path, reads: scopes.NAMES)
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
        pytest.param({"scope": "read some"}, "scope", id="one of two is no scope"),
        pytest.param({"scope": " "}, "scope", id="no scope"),
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
    assert client.get("/office/account/").context["form"]["scope"].value() == ["decide"]
    assert client.post("/office/account/", {"label": "x", "scope": "read", "days": 999}).status_code == 422
    assert client.post("/office/account/", {"label": "x", "scope": "read", "days": 7}).status_code == 200
    client.post("/api/v1/tokens", {"label": "y"}, content_type="application/json")
    several = {"label": "z", "scope": ["holds:read", "customers:write"], "days": 7}
    assert client.post("/office/account/", several).status_code == 200
    assert client.post("/office/account/", {"label": "none", "days": 7}).status_code == 422
    wrong = client.post("/api/v1/tokens", {"scope": "holds:eat"}, content_type="application/json")
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "scope"
    assert [(each.label, each.scope) for each in ApiToken.objects.order_by("pk")] == [
        ("x", "read"), ("y", "decide"), ("z", "customers:write holds:read"),
    ]  # fmt: skip
    shown = client.get("/office/account/").content.decode()
    assert "Expires" in shown and "Reading, and what an order system sends" in shown


def test_the_command_line_makes_one_for_everything(capsys: pytest.CaptureFixture[str]) -> None:
    member("cy")
    two = ["--scope", "holds:write", "--scope", "customers:read"]
    for arguments, scope, days in (
        ([], "all", 365),
        (["--scope", "read", "--days", "7"], "read", 7),
        (two, "customers:read holds:write", 365),
    ):
        assert cli.run(["token", "create", "cy", *arguments]) == 0
        made = ApiToken.objects.latest("pk")
        assert (made.scope, made.expires_at - made.created_at) == (scope, timedelta(days=days))
        assert capsys.readouterr().out.startswith(tokens.PREFIX)
    assert cli.run(["token", "create", "cy", "--scope", "holds:eat"]) == 2
