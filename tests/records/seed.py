"""A small portfolio for page tests: customers with lines, invoices, receipts, as the verbs and imports leave them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from shouxin.credit.models import Line
from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.office import clock
from shouxin.receivables.bulk import post_invoices, post_receipts
from shouxin.receivables.papers import InvoiceRow, ReceiptRow
from tests.people import acme, member


def customer(code: str = "C001", **changes: Any) -> Customer:
    """Acme, or another one of Ann's, findable by search."""
    found = acme(code=code, **changes)
    search.recompute(Customer.objects.filter(pk=found.pk))
    return Customer.objects.get(pk=found.pk)


def line(of: Customer, limit: str | None = "100000", kind: str = "amount", **changes: Any) -> Line:
    """A line in force since the start of the year."""
    today = clock.today()
    fields: dict[str, Any] = {
        "customer": of,
        "grade": "B",
        "limit_kind": kind,
        "limit": Decimal(limit) if limit and kind == "amount" else None,
        "currency": "CNY",
        "term_days": 30,
        "since": today - timedelta(days=100),
        "until": today + timedelta(days=200),
        "why": "first line",
        "cause": "request",
        "policy_version": 1,
        "at": timezone.now(),
    }
    return Line.objects.create(**fields | changes)


def invoice(of: Customer, doc_no: str, amount: str, *, dated: date, due: date, **changes: Any) -> None:
    """An invoice posted into the ledger."""
    row = InvoiceRow(
        customer_id=of.pk,
        source_system="",
        doc_no=doc_no,
        kind="invoice",
        dated_on=dated,
        instalments=((1, due, Decimal(amount)),),
        amount=Decimal(amount),
        currency="CNY",
        **changes,
    )
    (outcome,) = post_invoices([row], by=member("fi"), at=timezone.now(), today=clock.today())
    assert outcome.state == "posted", outcome


def receipt(of: Customer, doc_no: str, amount: str, *, on: date) -> None:
    """Money in, matched in the order of the law."""
    row = ReceiptRow(of.pk, "", doc_no, on, Decimal(amount), "CNY")
    (outcome,) = post_receipts([row], by=member("fi"), at=timezone.now(), today=clock.today())
    assert outcome.state == "posted", outcome


def trading(code: str = "C001", **changes: Any) -> Customer:
    """A customer with a line of 100,000, one invoice paid late, one overdue by ten days, one not due."""
    of, today = customer(code, **changes), clock.today()
    line(of)
    invoice(of, f"{code}-1", "20000", dated=today - timedelta(days=90), due=today - timedelta(days=60))
    receipt(of, f"{code}-R1", "20000", on=today - timedelta(days=50))
    invoice(of, f"{code}-2", "30000", dated=today - timedelta(days=40), due=today - timedelta(days=10))
    invoice(of, f"{code}-3", "5000", dated=today - timedelta(days=5), due=today + timedelta(days=25))
    return of
