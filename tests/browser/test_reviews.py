"""The annual review in a real browser: opened, signed by ticks, one declined, closed; two languages, and a phone."""

from typing import Any

import pytest

from shouxin.credit.models import Line
from shouxin.office import clock
from shouxin.reviews import jobs
from shouxin.reviews.models import Campaign, Review
from tests.people import acme, member
from tests.reviews.world import bought, line, office

from .conftest import PHONE, session
from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("B2.4")]


def text(page: Any) -> str:
    found: str = page.locator("main").inner_text()
    return found


def test_a_year_is_opened_signed_and_closed(visit: Any) -> None:
    office()
    names = ("上海艾克米机械有限公司", "苏州恒远贸易有限公司", "宁波同济鼎自动化有限公司")
    customers = [acme(code=f"C00{n}", name=name) for n, name in enumerate(names, 1)]
    for each in customers:
        line(each)
        bought(each, months=5)

    page = visit("/reviews/", session=session("bo"))
    page.fill("[name=year]", str(clock.today().year))
    page.click("form.card .btn-primary")
    page.wait_for_load_state()
    assert page.locator(".progress-box").count() == 1
    campaign = Campaign.objects.get()
    jobs.prepare(campaign.pk)

    signer = visit(f"/reviews/{campaign.year}/", session=session("cy"))
    signer.wait_for_selector(".chart-canvas svg")
    assert all(name in text(signer) for name in names)
    picture(signer, "annual-review-1440")
    for pk in Review.objects.order_by("pk").values_list("pk", flat=True)[:2]:
        signer.check(f"[value='{pk}.1']")
    signer.click("[data-batch-button]")
    signer.wait_for_load_state()
    assert Line.objects.filter(approved_by=member("cy")).count() == 2

    last = Review.objects.order_by("pk").last()
    assert last is not None
    phone = visit(f"/reviews/{campaign.year}/{last.pk}/", session=session("cy"), size=PHONE, language="en")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "Use of the line" in text(phone)
    picture(phone, "annual-review-customer-390")
    phone.click("[data-open=decline]")
    phone.fill("#decline-reason", "next year")
    phone.locator("#decline .box-foot .btn-danger").click()
    phone.wait_for_load_state()
    assert "next year" in text(phone)

    closing = visit(f"/reviews/{campaign.year}/", session=session("vi"), language="en")
    closing.click("[data-open=close]")
    closing.fill("#close [name=summary]", "A quiet year.")
    closing.locator("#close .box-foot .btn-primary").click()
    closing.wait_for_load_state()
    assert "A quiet year." in text(closing) and Campaign.objects.get().status == "closed"
