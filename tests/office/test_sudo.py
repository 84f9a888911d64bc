"""Whoever changes people, posts, policy, the door, tokens or webhooks proves anew who she is, losing nothing."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from shouxin.customers import standing
from shouxin.lib import lists
from shouxin.office import clock, disclosures, policies, posts, sign_in, sudo, tokens
from shouxin.office.models import ApiToken, Person, SignInVersion, TrailEntry
from tests.people import TODAY, acme, member, person, prove

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15")]
NOW = 1_795_500_000.0
"""A moment of the 24th of November 2026."""
PASSWORD = "correct horse battery"
SIGN_IN = "django.contrib.auth.backends.ModelBackend"
REAUTHENTICATE = "/accounts/reauthenticate/"


@pytest.fixture(autouse=True)
def the_hour(db: None) -> Iterator[None]:
    policies.ensure()
    with time_machine.travel(NOW, tick=False):
        yield


def browser(name: str, *, age: float) -> Client:
    """Her browser, in which she proved who she is so many seconds ago."""
    found = member(name)
    if not found.check_password(PASSWORD):
        found.set_password(PASSWORD)
        found.save()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(found, backend=SIGN_IN)
    prove(client, found, NOW - age)
    return client


def lead_to(answer: Any) -> str:
    """Where she comes back to once she has proved it; "" where she is not led away."""
    address = urlsplit(answer.get("Location", ""))
    return parse_qs(address.query)["next"][0] if address.path == REAUTHENTICATE else ""


RULES = {"profile": "asvs", "password_length_min": 14, "password_classes_min": 1, "password_history": 0,
         "idle_minutes": 30, "session_hours": 12, "failures_max": 5, "lock_minutes": 15, "sudo_minutes": 10,
         "address_failures_max": 30,
         "sudo_export_rows": 1000, "why": "stricter", "seen": 0}  # fmt: skip


def _colleague() -> int:
    return person("new").pk


def _with_post() -> int:
    found = person("new")
    posts.appoint(found, posts.Post.ARCHIVIST, since=TODAY, by=posts.system(), on=TODAY, at=clock.now())
    return found.pk


def _with_factor() -> int:
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=person("new"), type=Authenticator.Type.TOTP, data={})
    return person("new").pk


def _token() -> int:
    return tokens.create(member("cy"), by=member("cy"), at=clock.now())[0].pk


def _release() -> int:
    customer = acme()
    standing.set_standing(customer, "blacklisted", why="w", by=member("cy"), on=TODAY, at=clock.now())
    made = standing.set_standing(customer, "watched", why="w", by=member("cy"), on=TODAY, at=clock.now())
    return made.pk


def _banned() -> int:
    _release()
    return acme().pk


ACTS: dict[str, tuple[str, str, Any, dict[str, Any], str]] = {
    "add_person": ("sy", "office:person_add", None, {"username": "newcomer", "password": "a-long-password-7"}, ""),
    "appoint": ("se", "office:appoint", _colleague, {"post": "archivist"}, "office:person"),
    "end_appointment": ("se", "office:end_appointment", _with_post, {}, "office:person"),
    "disable_person": ("se", "office:disable", _colleague, {}, "office:person"),
    "set_password": ("se", "office:set_password", _colleague, {}, "office:person"),
    "reset_second_factor": ("se", "office:reset_second_factor", _with_factor, {}, "office:person"),
    "put_sign_in_rules": ("sy", "office:sign_in_rules", None, RULES, ""),
    "put_policy": ("vi", "office:policy_draft", None,
                   {"text": "=policy", "since": "2026-12-01", "why": "because", "act": "put", "seen": "1"}, ""),
    "create_token": ("cy", "office:account", None, {"label": "mine", "scope": "all"}, ""),
    "webhook.create": ("cy", "webhooks:list", None, {"url": "https://1.1.1.1/", "events": ["hold.opened"]}, ""),
    "revoke_token": ("cy", "office:revoke", _token, {}, "office:account"),
    "confirm_release": ("vi", "customers:decide_release", _release, {}, "customers:file"),
    "set_standing": ("vi", "customers:set_standing", _banned, {"standing": "watched", "reason": "because"}, ""),
}  # fmt: skip
"""Trail verb of each sensitive act -> who does it, where, on what, with which form, and the page with the form."""


def act(verb: str) -> tuple[str, str, dict[str, Any]]:
    """Who, the address, the form."""
    who, name, made, form, _back = ACTS[verb]
    given = [made()] if made else []
    if verb == "end_appointment":
        given.append("archivist")
    if verb == "confirm_release":
        given.append("confirm")
    text = {"text": policies.shipped()} if form.get("text") == "=policy" else {}
    return who, reverse(name, args=given), form | text


def acted(since: int) -> set[str]:
    """The verbs of the trail after an entry, but for signing in."""
    return set(TrailEntry.objects.filter(pk__gt=since).values_list("verb", flat=True)) - {"sign_in"}


def last_line() -> int:
    return TrailEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@pytest.mark.parametrize("verb", ACTS)
def test_ten_minutes_are_fresh_and_one_second_more_is_not(verb: str) -> None:
    who, address, form = act(verb)
    back = ACTS[verb][4]
    stale, before = browser(who, age=601), last_line()
    answer = stale.post(address, form)
    assert lead_to(answer), f"{answer.status_code} {answer.get('Location')}"
    assert lead_to(answer).startswith(address if not back else reverse(back, args=_of(back, address)))
    assert not acted(before), "nothing is changed"
    proved = stale.post(answer["Location"], {"password": PASSWORD, "next": lead_to(answer)})
    assert proved.status_code == 302 and proved["Location"] == lead_to(answer)
    done = stale.post(address, form)
    assert done.status_code in (200, 302) and not lead_to(done)
    assert acted(before), "and then it is done"


def _of(back: str, address: str) -> list[int]:
    if back == "office:account":
        return []
    if back == "customers:file":
        return [acme().pk]
    return [int(part) for part in address.split("/") if part.isdecimal()]


@pytest.mark.parametrize("verb", ACTS)
def test_at_ten_minutes_nobody_is_asked(verb: str) -> None:
    who, address, form = act(verb)
    before = last_line()
    answer = browser(who, age=600).post(address, form)
    assert answer.status_code in (200, 302) and not lead_to(answer)
    assert acted(before)


@pytest.mark.parametrize("verb", ACTS)
def test_without_the_guard_the_old_proof_would_do(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: what the tests above see is the guard."""
    monkeypatch.setattr(sudo, "is_fresh", lambda request: True)
    who, address, form = act(verb)
    before = last_line()
    assert not lead_to(browser(who, age=86_400).post(address, form))
    assert acted(before)


@pytest.mark.parametrize(
    ("who", "name"),
    [("sy", "office:person_add"), ("vi", "office:policy_draft"), ("sy", "office:sign_in_rules")],
)
def test_she_is_asked_before_she_fills_in_the_form(who: str, name: str) -> None:
    assert lead_to(browser(who, age=601).get(reverse(name))) == reverse(name)
    assert browser(who, age=600).get(reverse(name)).status_code == 200


def test_who_only_reads_is_not_asked() -> None:
    assert browser("ed", age=601).get(reverse("office:sign_in_rules")).status_code == 200
    assert browser("ann", age=601).get(reverse("office:policy_draft")).status_code == 200
    draft = {"text": policies.shipped(), "act": "check"}
    assert browser("vi", age=601).post(reverse("office:policy_draft"), draft).status_code == 200


def test_whose_duty_it_is_not_is_told_so_first() -> None:
    assert browser("ann", age=601).get(reverse("office:person_add")).status_code == 403


def test_what_she_wrote_stands_there_when_she_comes_back() -> None:
    client = browser("sy", age=601)
    sent = {"username": "newcomer", "name": "Niu", "department": "华东", "password": "a-long-password-7"}
    answer = client.post(reverse("office:person_add"), sent)
    assert sent["password"] not in str(dict(client.session)), "a password is not kept"
    client.post(answer["Location"], {"password": PASSWORD, "next": lead_to(answer)})
    shown = client.get(lead_to(answer)).content.decode()
    assert 'value="newcomer"' in shown and 'value="华东"' in shown
    assert 'value="newcomer"' not in client.get(lead_to(answer)).content.decode(), "once"


def test_a_ticked_box_that_was_cleared_stays_cleared() -> None:
    sign_in.put({"second_factor_posts": ["sales"]}, why="w", by=posts.system(), on=TODAY, at=clock.now())
    sign_in.forget()
    client = browser("se", age=601)
    answer = client.post(reverse("office:sign_in_rules"), RULES | {"seen": 1})
    client.post(answer["Location"], {"password": PASSWORD, "next": lead_to(answer)})
    form = client.get(lead_to(answer)).context["form"]
    assert form["password_length_min"].value() == "14" and "sales" not in form["second_factor_posts"].value()


def test_htmx_is_told_where_to_go() -> None:
    answer = browser("cy", age=601).post(
        reverse("office:account"), {"label": "x", "scope": "decide"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204 and answer["HX-Redirect"].startswith(REAUTHENTICATE)


def test_a_wrong_password_is_no_proof() -> None:
    client = browser("cy", age=601)
    answer = client.post(reverse("office:account"), {"label": "x", "scope": "decide"})
    assert client.post(answer["Location"], {"password": "wrong", "next": lead_to(answer)}).status_code == 200
    assert lead_to(client.post(reverse("office:account"), {"label": "x", "scope": "decide"}))
    assert not ApiToken.objects.exists()


def test_another_ones_proof_is_not_hers() -> None:
    client = browser("cy", age=601)
    prove(client, member("vi"), NOW)
    assert lead_to(client.post(reverse("office:account"), {"label": "x", "scope": "decide"}))


def test_signing_in_is_a_proof() -> None:
    browser("cy", age=0)
    client = Client(headers={"Accept-Language": "en"})
    client.post("/accounts/login/", {"login": "cy", "password": PASSWORD})
    client.post(reverse("office:account"), {"label": "x", "scope": "decide"})
    assert ApiToken.objects.count() == 1


def test_who_came_by_single_sign_on_alone_has_nothing_to_be_asked_for() -> None:
    client = browser("cy", age=601)
    Person.objects.filter(username="cy").update(password="!none")
    client.force_login(member("cy"), backend=SIGN_IN)
    prove(client, member("cy"), NOW - 601)
    client.post(reverse("office:account"), {"label": "x", "scope": "decide"})
    assert ApiToken.objects.count() == 1


def test_the_minutes_are_a_rule() -> None:
    sign_in.put({"sudo_minutes": 1}, why="w", by=posts.system(), on=TODAY, at=clock.now())
    sign_in.forget()
    assert lead_to(browser("cy", age=61).post(reverse("office:account"), {"label": "x", "scope": "decide"}))
    assert not lead_to(browser("cy", age=60).post(reverse("office:account"), {"label": "x", "scope": "decide"}))


# --- the API by a session ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("sy", "people", {"username": "newcomer"}),
        ("se", "people/{new}/appoint", {"post": "archivist"}),
        ("se", "people/{new}/disable", {}),
        ("cy", "tokens", {"label": "mine"}),
        ("cy", "webhooks", {"url": "https://93.184.215.14/told", "events": ["hold.opened"]}),
        ("vi", "policies", {"text": "=policy", "since": "2026-12-01", "why": "because"}),
        ("vi", "standing-releases/{release}/confirm", {}),
        ("vi", "customers/C001/standing", {"standing": "watched", "reason": "because"}),
    ],
)
def test_the_api_asks_a_session_too(who: str, path: str, body: dict[str, Any]) -> None:
    words = {"new": person("new").pk, "release": _release()}
    address = "/api/v1/" + path.format(**words)
    body = {key: policies.shipped() if value == "=policy" else value for key, value in body.items()}
    before = last_line()
    refused = browser(who, age=601).post(address, body, content_type="application/json")
    assert refused.status_code == 403 and refused.json()["code"] == "unproved" and refused.json()["cure"]
    assert not acted(before)
    assert browser(who, age=600).post(address, body, content_type="application/json").status_code < 300
    assert acted(before)


def test_reading_and_every_day_writing_ask_for_nothing() -> None:
    acme()
    client = browser("cy", age=601)
    assert client.get("/api/v1/people").status_code == 200
    check = {"customer": "C001", "order_no": "1", "amount": "10.00"}
    assert client.post("/api/v1/credit-checks", check, content_type="application/json").status_code == 201


# --- files of many rows --------------------------------------------------------------------------------


def _rows_max(number: int) -> None:
    sign_in.put({"sudo_export_rows": number}, why="w", by=posts.system(), on=TODAY, at=clock.now())
    sign_in.forget()


def test_a_file_of_many_rows_asks_for_a_proof() -> None:
    acme(), acme(code="C002")
    address = reverse("customers:list")
    _rows_max(1)
    stale, before = browser("cy", age=601), last_line()
    answer = stale.get(f"{address}?export=csv&sort=code")
    assert lead_to(answer) == f"{address}?sort=code", "she comes back to the list, not to a file that leaves her there"
    assert "export" not in acted(before)
    assert browser("cy", age=600).get(f"{address}?export=csv").status_code == 200
    _rows_max(2)
    assert stale.get(f"{address}?export=csv").status_code == 200, "as many rows as may leave"


def test_every_list_is_guarded_where_it_leaves() -> None:
    heard = list(lists.leaves._live_receivers(sender=lists.Listing)[0])
    assert disclosures.listing_leaves in heard


def test_editions_before_these_rules_mean_the_shipped_minutes() -> None:
    stored = sign_in.rules().model_dump(mode="json")
    del stored["sudo_minutes"], stored["sudo_export_rows"]
    SignInVersion.objects.create(number=1, rules=stored, why="w", put_by=posts.system(), put_at=clock.now())
    sign_in.forget()
    assert (sign_in.rules().sudo_minutes, sign_in.rules().sudo_export_rows) == (10, 1000)
