"""The same application twice, by two clicks, tabs, windows or calls: one application, and the second is told so."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connections
from django.test import Client

from shouxin.credit import applications, form_links
from shouxin.credit.models import Application, FormLink
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.refusals import Moved
from tests.people import CAST, acme, member

from .applying import DETAILS, applied, edition, wanted

BODY = {
    "customer": "C001", "request_type": "new", "requested_limit": "80000.00", "requested_term_days": 30,
    "currency": "CNY", "reason": "旺季备货", "details": DETAILS,
}  # fmt: skip


def office() -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def repeated(key: str, body: Any = BODY) -> Any:
    client = Client(headers={"Accept-Language": "en", "Idempotency-Key": key})
    client.force_login(member("ann"), backend="django.contrib.auth.backends.ModelBackend")
    sent = json.dumps(body | {"customer": acme().code})
    return client.post("/api/v1/applications", sent, content_type="application/json")


@pytest.mark.django_db
@pytest.mark.invariant("I-10")
def test_a_repeated_call_makes_one_application() -> None:
    office()
    first, again = repeated("k1"), repeated("k1")
    assert (first.status_code, again.status_code) == (201, 201), first.content
    assert first.content == again.content and again["Idempotency-Replayed"] == "true"
    other = repeated("k1", BODY | {"requested_limit": "1.00"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    fresh = repeated("k2")
    assert fresh.status_code == 409 and Application.objects.get().number in fresh.content.decode()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each answers or raises, all of them begun together on connections of their own."""

    def one(each: Callable[[], Any]) -> Any:
        try:
            return each()
        except Exception as fault:
            return fault
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [pytest.param(True, id="guarded"), pytest.param(False, id="control: no lock")])
def test_two_clicks_at_once_make_one_application(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock both look before either writes, and the second reads of a constraint of the database."""
    office()
    gate = threading.Barrier(2, timeout=20)

    def unguarded(customer: Customer, kind: str, but: int | None = None) -> None:
        assert not Application.objects.filter(customer=customer, request_type=kind).exists()
        gate.wait()

    if not guarded:
        monkeypatch.setattr(applications, "_refuse_second", unguarded)

    def click() -> Application:
        if guarded:
            gate.wait()
        return applied(customer=customer)

    customer = acme()
    told = at_once(click, click)
    assert Application.objects.count() == 1
    (refused,) = [each for each in told if not isinstance(each, Application)]
    assert isinstance(refused, Moved if guarded else IntegrityError), refused
    assert not guarded or Application.objects.get().number in str(refused)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [pytest.param(True, id="guarded"), pytest.param(False, id="control: no lock")])
def test_one_link_sent_from_two_windows_is_used_once(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    office()
    link = form_links.make("application", acme(), days=3, by=member("ann"), today=clock.today(), at=clock.now(),
                           request_type="new")  # fmt: skip
    gate, plain = threading.Barrier(2, timeout=20), form_links.opened
    passed: list[FormLink] = []

    def unguarded(token: str, kind: str, *, today: Any, lock: bool = False) -> FormLink:
        found = plain(token, kind, today=today)
        passed.append(found)
        gate.wait()
        return found

    if not guarded:
        monkeypatch.setattr(form_links, "opened", unguarded)

    def send() -> Application:
        if guarded:
            gate.wait()
        asked = wanted(details={key: value for key, value in DETAILS.items() if key != "sales_opinion"})
        return form_links.apply(link.token, asked, edition=edition(), today=clock.today(), at=clock.now())

    told = at_once(send, send)
    assert Application.objects.count() == 1
    (refused,) = [each for each in told if not isinstance(each, Application)]
    if guarded:
        assert isinstance(refused, form_links.Gone) and Application.objects.get().number in str(refused), refused
    else:
        assert len(passed) == 2 and not isinstance(refused, form_links.Gone), told
