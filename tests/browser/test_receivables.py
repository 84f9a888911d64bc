"""The receivables in a real browser: they fit, work by keys and on a phone, and a receipt is matched by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from shouxin.office import clock
from shouxin.receivables.bulk import InvoiceRow, ReceiptRow, post_invoices, post_receipts
from shouxin.receivables.models import Receipt
from tests.people import acme, member

from .conftest import PHONE
from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIGN_IN = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def books() -> str:
    """Acme owes in every bucket, has paid a little that is not applied; Fi's session key."""
    customer, today = acme(), clock.today()
    rows = []
    for n, age in enumerate((-20, 5, 40, 75, 120, 300, 500, 900, 1500)):
        due, amount = today - timedelta(days=age), Decimal(12_345 * (n + 1))
        parts = ((1, due, amount),)
        rows.append(
            InvoiceRow(customer.pk, "u8", f"XS-{n:03d}", "invoice", due - timedelta(days=30), parts, amount, "CNY")
        )
    kept: dict[str, Any] = {"by": None, "at": clock.now(), "today": today}
    post_invoices(rows, **kept)
    post_receipts([ReceiptRow(customer.pk, "bank", "SK-1", today, Decimal(50_000), "CNY")], match=False, **kept)
    client = Client()
    client.force_login(member("fi"), backend=SIGN_IN)
    return client.cookies["sessionid"].value


@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_the_pages_fit(visit: Any, books: str, size: tuple[int, int]) -> None:
    receipt = Receipt.objects.get().pk
    for name in ("invoices/", "receipts/", f"receipts/{receipt}/", "aging/", "proof/", "invoices/new"):
        page = visit(f"/receivables/{name}", size=size, session=books)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        picture(page, f"receivables-{name.strip('/').replace('/', '-')}-{size[0]}")


def test_a_receipt_is_matched_by_hand(visit: Any, books: str) -> None:
    receipt = Receipt.objects.get().pk
    page = visit(f"/receivables/receipts/{receipt}/", session=books)
    fields = page.locator(".match-table tbody input")
    assert fields.count() == 9
    assert fields.first.input_value() == "50000.00"
    fields.first.fill("30000")
    page.locator(".match-table .btn-primary").click()
    page.wait_for_load_state()
    assert Receipt.objects.get().applied == Decimal(30_000)
    assert "XS-008" in page.locator("main").inner_text()


def test_from_a_bucket_to_its_items(visit: Any, books: str) -> None:
    page = visit("/receivables/aging/", session=books)
    page.wait_for_selector("#aging-chart svg")
    page.locator(".aging-top .ledger tbody a").nth(1).click()
    page.locator(".ledger tbody a").first.click()
    assert "XS-001" in page.locator("main").inner_text()
