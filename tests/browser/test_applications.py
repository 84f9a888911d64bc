"""An application in a real browser, in both languages: a stranger fills in the form, the office answers it."""

from typing import Any

import pytest

from shouxin.credit import form_links, opinions
from shouxin.credit.models import Application, Line
from shouxin.customers.models import Mail
from shouxin.office import clock, policies
from tests.credit import applying
from tests.people import CAST, acme, member

from .conftest import PHONE, session
from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIGN_IN = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def edition() -> Any:
    return policies.in_force(clock.today())


def act(by: str) -> dict[str, Any]:
    return {"by": member(by), "today": clock.today(), "at": clock.now()}


@pytest.mark.clause("B2.3")
def test_a_stranger_applies_on_a_phone_and_the_office_answers(visit: Any) -> None:
    made = form_links.make("application", acme(), days=3, request_type="new", **act("ann"))
    page = visit(f"/credit/form/{made.token}", size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.fill("[name=requested_limit]", "80000")
    page.fill("[name=reason]", "旺季备货 <b>&amp;</b>")
    page.fill("[name=box_contact]", "王芳")
    page.fill("[name=box_email]", "ap@acme.example")
    page.check("[name=box_consent]")
    picture(page, "public-form-390")
    page.wait_for_timeout(3200)  # people read; a program would not
    page.click("form button")
    page.wait_for_load_state()
    found = Application.objects.get()
    assert found.number in page.locator("main").inner_text() and found.status == "submitted"

    office = visit(f"/credit/applications/{found.pk}/", session=session("bo"))
    assert "<b>&amp;</b>" in office.locator("main").inner_text(), "what a stranger wrote is shown as it stands"
    office.click("[data-open=accept]")
    office.locator("#accept button.btn-primary").click()
    office.wait_for_load_state()
    office.goto(office.url.rstrip("/") + "/investigation")
    office.fill("[name=box_conclusion]", "经营正常")
    office.click("form.form-card .btn-primary")
    office.wait_for_load_state()
    found.refresh_from_db()
    assert found.status == "investigated"
    applying_rating(found)
    for name in ("ann", "bo", "fi"):
        opinions.opine(found, edition=edition(), **act(name))

    signer = visit(f"/credit/applications/{found.pk}/", session=session("cy"))
    picture(signer, "application-1440")
    signer.click("[data-open=approve]")
    signer.fill("#approve [name=limit]", "60000")
    signer.fill("#approve [name=reason]", "首次合作")
    signer.locator("#approve .box-foot .btn-primary").click()
    signer.wait_for_load_state()
    assert Line.objects.get().limit == 60000
    letter = Mail.objects.get(kind="credit_reply")
    signer = visit(f"/customers/{letter.customer_id}/letters/{letter.pk}/", session=session("cy"))
    assert "陆万元整" in signer.locator("main").inner_text()


def applying_rating(found: Application) -> None:
    from shouxin.credit import applications

    applications.assess(found, applying.rating(found.customer), **act("bo"))
    found.refresh_from_db()


@pytest.mark.parametrize("size", [(1366, 900), PHONE])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_pages_fit_in_both_languages(visit: Any, size: tuple[int, int], language: str) -> None:
    found = applying.ready()
    for name in ("", f"{found.pk}/", f"{found.pk}/investigation"):
        page = visit(f"/credit/applications/{name}", size=size, session=session("cy"), language=language)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        picture(page, f"applications-{name.strip('/').replace('/', '-')}-{language}-{size[0]}")
