"""The collection pages in a real browser: no errors, nothing inline, and (TEST_PICTURES=folder) pictures of them."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from shouxin.collection.models import Notice, Task
from shouxin.office import clock
from tests.collection.world import another, line, owe, run
from tests.people import acme, member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def session_of(who: str) -> str:
    """A session in which one of the cast has signed in."""
    person, session = member(who), SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def kept(page: Any, name: str) -> None:
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"collection-{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_round_work_list_and_letter(visit: Callable[..., Any], language: str) -> None:
    yesterday = clock.today() - timedelta(days=1)
    for code, late, amount in (("C201", 61, "86000.00"), ("C202", 31, "12000.00"), ("C203", 3, "480000.00")):
        customer = another(code)
        line("B", customer=customer, since=yesterday - timedelta(days=90))
        owe(amount, f"S-{code}", customer=customer, due=yesterday - timedelta(days=late))
    owe("3000.00", "S-9", customer=acme(), due=yesterday - timedelta(days=9))
    run(yesterday)
    cy, ann = session_of("cy"), session_of("ann")

    page = visit("/collection/round/", session=cy, language=language)
    kept(page, f"round-{language}")
    page.goto(page.url.replace("/round/", f"/days/{yesterday}/"))
    assert page.locator("text=B → D").count() >= 1
    kept(page, f"day-{language}")

    page = visit("/collection/tasks/", session=ann, language=language)
    assert page.locator("tbody tr").first.inner_text().find("C203") > 0
    kept(page, f"tasks-{language}")
    page.goto(f"{page.url}{Task.objects.get(customer__code='C203').pk}/")
    page.fill("#result", "周五付款")
    page.click("form[action$='/done'] button")
    assert Task.objects.get(customer__code="C203", kind="call").status == "done"

    number = Notice.objects.get(customer__code="C201").pk
    page = visit(f"/collection/notices/{number}/", session=cy, language=language)
    assert page.locator("article.letter h2").inner_text() == "最后催款暨停货通知"
    kept(page, f"letter-{language}")
    page.goto(page.url.replace(f"/{number}/", "/"))
    kept(page, f"letters-{language}")
