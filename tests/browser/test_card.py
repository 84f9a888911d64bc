"""The card editor in a real browser, from a question changed to the policy in force, without a word of YAML (B2.1)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore

from shouxin.office import clock, policies
from tests.browser.test_collection import session_of
from tests.people import FAR_AHEAD, member
from tests.records import seed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def proved(key: str) -> str:
    """The same session, in which she has just proved who she is: a policy is not put without."""
    session = SessionStore(key)
    session["account_authentication_methods"] = [{"method": "password", "at": FAR_AHEAD}]
    session["account_authentication_methods_user"] = str(member("cy").pk)
    session.save()
    return key


@pytest.mark.clause("B2.1")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_credit_manager_changes_the_card(visit: Callable[..., Any], language: str) -> None:
    policies.ensure()
    seed.trading()
    page = visit("/credit/card/question/lawsuits", session=proved(session_of("cy")), language=language)
    look = page.locator("#look")
    look.locator("li").first.wait_for()
    page.fill("#id_points_0", "9")
    page.locator("#look", has_text="103").wait_for()
    page.fill("#id_up_to_1", "-1")  # overlaps the band before: said before anything is sent
    look.locator(".look-errors").wait_for()
    page.fill("#id_up_to_1", "2")
    page.fill("#id_points_0", "5")
    page.locator("#look", has_text="99").wait_for()
    page.click("#question .btn-primary")
    page.wait_for_url("**/credit/card/")

    page.goto(page.url + "question/debt")
    page.fill("#id_points_0", "9")
    page.click("#question .btn-primary")
    page.wait_for_url("**/credit/card/")
    assert page.locator(".figure-value").first.inner_text() == "100"
    assert page.locator(".verdict").count() == 0

    page.click("a[href$='/card/preview']")
    page.wait_for_url("**/preview")
    assert page.locator("#grades-tried, [id^='grades-tried']").count() >= 1
    page.click("form[action$='/draft/'] button[value=check]")
    page.wait_for_url("**/policy/draft/")
    assert "scorecard.outside.questions.lawsuits" in page.content()
    page.fill("#id_since", clock.today().isoformat())
    page.fill("#id_why", "诉讼少给分")
    page.click("button[value=put]")
    page.wait_for_url("**/office/policy/")
    policy = policies.in_force(clock.today()).policy
    points = {q.key: q.points_max for group in policy.scorecard for q in group.questions}
    assert (points["lawsuits"], points["debt"]) == (Decimal(5), Decimal(9))
    page.goto(page.url.replace("/office/policy/", "/credit/card/"))
    assert page.locator(".list-card").last.locator("code").count() == 0  # nothing differs any more
