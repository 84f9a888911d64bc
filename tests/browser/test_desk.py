"""The credit-check desk in a real browser: what is wrong stands at the fields of the one form."""

from typing import Any

import pytest
from playwright.sync_api import expect

from shouxin.office import clock
from tests.orders.test_checks import line
from tests.people import acme

from .conftest import session

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.clause("B2.1")
def test_faults_stand_at_the_fields_of_the_one_form(visit: Any) -> None:
    line(acme(), since=clock.today())
    page = visit("/orders/check/", session=session("ann"), language="en")
    page.locator("#id_customer").fill("C001")
    page.locator("#id_order_no").fill("SO-7")
    page.locator("#id_amount").fill("abc")
    page.locator("button[value=reserve]").click()
    expect(page.locator("#id_amount_error")).to_contain_text("Write an amount")
    assert [page.locator(part).count() for part in ("#desk", "form.desk-form", "h1")] == [1, 1, 1]
    assert "saved" not in page.locator(".form-alert").inner_text()
    page.locator("#id_amount").fill("600")
    page.locator("button[value=ask]").click()
    expect(page.locator(".verdict-approve")).to_be_visible()
    expect(page.locator(".form-alert")).to_be_hidden()
    visit.wrongs.clear()  # a browser logs every answer of 422
