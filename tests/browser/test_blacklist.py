"""A blacklisting in a real browser: proposed, signed by another, obeyed at the desk, objected to, lifted by two."""

from typing import Any

import pytest

from shouxin.customers.models import BlacklistCase
from shouxin.office import policies
from tests.people import CAST, acme, member
from tests.records import seed

from .conftest import PHONE
from .test_securities import session, text

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def act(page: Any, verb: str, reason: str = "证据充分") -> None:
    """Press the verb's button, say why, confirm."""
    page.click(f"[data-open={verb}]")
    if page.locator(f"#{verb} [name=reason]").count():
        page.fill(f"#{verb} [name=reason]", reason)
    page.locator(f"#{verb} .box-foot .btn:not([data-close])").click()
    page.wait_for_load_state()


@pytest.mark.clause("B2.5")
@pytest.mark.parametrize(("language", "listed"), [("zh-hans", "黑名单"), ("en", "lacklist")])
def test_from_the_proposal_to_the_re_admission(visit: Any, language: str, listed: str) -> None:
    seed.line(acme(), "100000")
    page = visit(f"/customers/{acme().pk}/blacklist", session=session("fi"), language=language, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.select_option("[name=ground]", "malicious_default")
    page.fill("[name=why]", "三次承诺均未履行")
    page.fill("[name=evidence]", "对账函、承诺书")
    page.click("form.form-card .btn-primary")
    page.wait_for_load_state()
    case = BlacklistCase.objects.get()
    address = f"/customers/blacklist/{case.pk}/"

    act(visit(address, session=session("vi"), language=language), "approve")
    case.refresh_from_db()
    assert case.status == "listed"
    api = visit(address, session=session("ann"), language=language)
    answer = api.evaluate(
        """async (code) => {
            const csrf = document.querySelector('[name=csrfmiddlewaretoken]').value;
            const made = await fetch('/api/v1/credit-checks', {method: 'POST', credentials: 'same-origin',
                headers: {'Content-Type': 'application/json', 'X-CSRFToken': csrf},
                body: JSON.stringify({customer: code, order_no: 'SO-1', amount: '100.00'})});
            return made.json(); }""",
        acme().code,
    )
    assert answer["outcome"] == "decline" and answer["reasons"][0]["code"] == "blacklisted"
    file = visit(f"/customers/{acme().pk}/", session=session("ann"), language=language)
    assert listed in text(file)

    act(visit(address, session=session("ann"), language=language), "appeal", "已付清")
    act(visit(address, session=session("cy"), language=language), "allow", "核实已付清")
    case.refresh_from_db()
    assert case.status == "leaving"
    second = visit(f"/customers/{acme().pk}/?tab=standing", session=session("le"), language=language)
    second.locator("form[action$=confirm] button").click()
    second.wait_for_load_state()
    case.refresh_from_db()
    assert case.status == "lifted"
