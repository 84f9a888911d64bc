"""Papers by the thousand: one answer per row, the journal moved with them, a second delivery changes nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shouxin.credit import exposure, reservations
from shouxin.credit.models import CreditAccount, Posting, Reservation
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import NotYourDuty
from shouxin.receivables.bulk import InvoiceRow, Outcome, ReceiptRow, post_invoices, post_receipts
from shouxin.receivables.models import Contest, Instalment, Invoice, Match, Receipt
from shouxin.rules.exposure import Exposure
from tests.people import TODAY, acme

pytestmark = pytest.mark.django_db
D = Decimal


def invoice(number: str = "S-1", amount: str = "1000.00", **changes: Any) -> InvoiceRow:
    """A plain invoice on Acme."""
    fields: dict[str, Any] = {
        "customer_id": acme().pk,
        "source_system": "u8",
        "doc_no": number,
        "kind": "invoice",
        "dated_on": date(2026, 10, 1),
        "instalments": ((1, date(2026, 10, 31), D(amount)),),
        "amount": D(amount),
        "currency": "CNY",
    }
    return InvoiceRow(**fields | changes)


def receipt(number: str = "B-1", amount: str = "1000.00", **changes: Any) -> ReceiptRow:
    """Money from Acme."""
    fields: dict[str, Any] = {
        "customer_id": acme().pk,
        "source_system": "bank",
        "doc_no": number,
        "received_on": date(2026, 11, 10),
        "amount": D(amount),
        "currency": "CNY",
    }
    return ReceiptRow(**fields | changes)


def post(*rows: InvoiceRow) -> list[Outcome]:
    return post_invoices(rows, by=None, at=timezone.now(), today=TODAY)


def take(*rows: ReceiptRow, match: bool = True) -> list[Outcome]:
    return post_receipts(rows, by=None, at=timezone.now(), today=TODAY, match=match)


def balance(currency: str = "CNY") -> Exposure:
    """What stands on Acme's account; it must equal its journal and its papers."""
    account = CreditAccount.objects.get(customer=acme(), currency=currency)
    stands = exposure.exposure_of(account)
    assert exposure.journal_totals().get(account.pk, Exposure()) == stands
    papers = sum((i.amount - i.settled for i in Instalment.objects.filter(invoice__account=account)), D(0))
    cash = sum((r.amount - r.applied for r in Receipt.objects.filter(account=account)), D(0))
    assert papers - cash == stands.receivable
    return stands


@pytest.mark.invariant("I-3")
def test_an_invoice_enters_receivable_with_its_instalments() -> None:
    parts = ((1, date(2026, 10, 31), D("600.00")), (2, date(2026, 11, 30), D("400.00")))
    [outcome] = post(invoice(instalments=parts))
    assert outcome.state == "posted"
    assert balance().receivable == D("1000.00")
    posted = Invoice.objects.get(pk=outcome.id)
    assert posted.due_on == date(2026, 11, 30)
    assert list(posted.instalments.order_by("number").values_list("number", "due_on", "amount")) == list(parts)


def test_without_instalments_one_without_a_due_day_is_made() -> None:
    post(invoice(instalments=()))
    assert Instalment.objects.get().due_on is None


@pytest.mark.clause("A10")
def test_the_same_delivery_twice_changes_nothing() -> None:
    rows = [invoice(), invoice("S-2", "500.00", settled=D("200.00")), invoice("S-3", settled_on=date(2026, 10, 20))]
    first = post(*rows)
    again = post(*rows)
    assert [outcome.state for outcome in first] == ["posted"] * 3
    assert [(outcome.state, outcome.id) for outcome in again] == [("unchanged", outcome.id) for outcome in first]
    assert Invoice.objects.count() == 3 and Receipt.objects.count() == 2
    assert balance().receivable == D("1300.00")


@pytest.mark.clause("A10")
@pytest.mark.parametrize(
    "changes",
    [
        {"amount": D("999.00"), "instalments": ((1, date(2026, 10, 31), D("999.00")),)},
        {"instalments": ((1, date(2026, 11, 30), D("1000.00")),)},
        {"dated_on": date(2026, 10, 2)},
        {"order_no": "SO-9"},
        {"currency": "USD"},
    ],
    ids=["amount", "due day", "date", "order", "currency"],
)
def test_a_number_in_use_with_other_content_is_refused(changes: dict[str, Any]) -> None:
    post(invoice())
    [outcome] = post(invoice(**changes))
    assert (outcome.state, outcome.code) == ("refused", "number_taken")
    assert "→" in outcome.message
    assert balance().receivable == D("1000.00")


def test_one_number_twice_in_a_delivery() -> None:
    outcomes = post(invoice(), invoice(), invoice(dated_on=date(2026, 9, 1)))
    assert [outcome.state for outcome in outcomes] == ["posted", "unchanged", "refused"]


def test_what_is_settled_later_must_come_as_a_receipt() -> None:
    post(invoice())
    [outcome] = post(invoice(settled=D("300.00")))
    assert outcome.code == "settled_more"
    take(receipt(amount="300.00"))
    assert post(invoice(settled=D("300.00")))[0].state == "unchanged"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"customer_id": 999_999_999}, "unknown_customer"),
        ({"doc_no": ""}, "no_doc_no"),
        ({"amount": D(0), "instalments": ()}, "bad_amount"),
        ({"amount": D("1.005"), "instalments": ()}, "bad_amount"),
        ({"amount": D("NaN"), "instalments": ()}, "bad_amount"),
        ({"currency": "rmb"}, "bad_currency"),
        ({"kind": "gift"}, "bad_kind"),
        ({"kind": "reversal"}, "bad_kind"),
        ({"kind": "credit_note"}, "credit_sign"),
        ({"source_system": "x" * 41}, "long_source"),
        ({"description": "a\0b"}, "bad_text"),
        ({"instalments": ((1, None, D("999.99")),)}, "instalments"),
        ({"instalments": ((1, None, D("500")), (1, None, D("500")))}, "instalment_numbers"),
        ({"instalments": ((1, None, D("1500")), (2, None, D("-500")))}, "instalment_signs"),
        ({"settled": D("1000.01")}, "settled_range"),
        ({"settled": D("-1")}, "settled_range"),
        ({"settled": D("600"), "contested": D("400.01")}, "contested_range"),
    ],
)
def test_a_bad_row_is_refused_and_its_neighbours_are_posted(changes: dict[str, Any], code: str) -> None:
    good, bad = post(invoice("S-0"), invoice(**changes))
    assert good.state == "posted"
    assert (bad.state, bad.code, bad.id) == ("refused", code, None)
    assert bad.message
    assert balance().receivable == D("1000.00")


def test_a_paid_invoice_brings_its_receipt() -> None:
    post(invoice(settled_on=date(2026, 10, 20)))
    part = Instalment.objects.get()
    assert (part.settled, part.settled_on) == (D("1000.00"), date(2026, 10, 20))
    money = Receipt.objects.get()
    assert (money.amount, money.applied, money.received_on) == (D("1000.00"), D("1000.00"), date(2026, 10, 20))
    assert Match.objects.get().on == date(2026, 10, 20)
    assert balance().receivable == 0
    assert Posting.objects.count() == 2


def test_a_part_payment_settles_the_first_instalment_first() -> None:
    parts = ((1, date(2026, 10, 31), D("600.00")), (2, date(2026, 11, 30), D("400.00")))
    post(invoice(instalments=parts, settled=D("700.00"), settled_on=date(2026, 11, 2), contested=D("50.00")))
    rows = Instalment.objects.order_by("number").values_list("settled", "contested", "settled_on")
    assert list(rows) == [(D("600.00"), D(0), date(2026, 11, 2)), (D("100.00"), D("50.00"), None)]
    assert Contest.objects.get().amount == D("50.00")
    assert balance().receivable == D("300.00")


def test_a_negative_amount_is_a_credit_note() -> None:
    post(invoice(), invoice("CN-1", "-400.00"))
    assert Invoice.objects.get(doc_no="CN-1").kind == "credit_note"
    assert balance().receivable == D("600.00")


def test_a_settled_credit_note() -> None:
    post(invoice("CN-1", "-400.00", settled=D("-400.00"), settled_on=date(2026, 10, 9)))
    assert Receipt.objects.get().amount == D("-400.00")
    assert balance().receivable == 0


@pytest.mark.invariant("I-5")
def test_an_invoice_for_an_order_consumes_its_reservation() -> None:
    account = exposure.open_accounts([(acme().pk, "CNY")])[acme().pk, "CNY"]
    exposure.lock([acme().pk])
    for order, amount in (("SO-1", "1500.00"), ("SO-2", "100.00")):
        wanted = reservations.Wanted(account, "erp", order, D(amount), None)
        reservations.make([wanted], today=TODAY, at=timezone.now(), by=None)
    post(invoice("S-1", "1000.00", order_no="SO-1"), invoice("S-2", "700.00", order_no="SO-1"), invoice("S-3", "5.00"))
    held = Reservation.objects.get(order_no="SO-1")
    assert (held.reserved, held.billed) == (D(0), D("1500.00"))
    stands = balance()
    assert (stands.reserved, stands.receivable) == (D("100.00"), D("1705.00"))


@pytest.mark.clause("C3.5")
def test_receipts_settle_in_the_order_of_article_560() -> None:
    dues = [
        ("A", "40000.00", date(2026, 3, 1)),
        ("B", "60000.00", date(2026, 3, 1)),
        ("C", "50000.00", date(2026, 4, 1)),
    ]
    post(*[invoice(n, a, dated_on=date(2026, 2, 1), instalments=((1, due, D(a)),)) for n, a, due in dues])
    take(receipt(amount="70000.00", received_on=date(2026, 5, 1)))
    settled = dict(Instalment.objects.values_list("invoice__doc_no", "settled"))
    assert settled == {"A": D("28000.00"), "B": D("42000.00"), "C": D(0)}
    assert {match.on for match in Match.objects.all()} == {date(2026, 5, 1)}
    assert balance().receivable == D("80000.00")


def test_what_the_payer_named_comes_first_even_if_disputed() -> None:
    post(invoice("A"), invoice("B", contested=D("1000.00"), dated_on=date(2026, 10, 2)))
    take(receipt(amount="1200.00", names=("B",)))
    assert dict(Instalment.objects.values_list("invoice__doc_no", "settled")) == {"A": D("200.00"), "B": D("1000.00")}
    assert Instalment.objects.get(invoice__doc_no="B").contested == 0


def test_money_that_names_nothing_leaves_disputes_alone() -> None:
    post(invoice("A", contested=D("400.00")))
    take(receipt())
    assert Instalment.objects.get().settled == D("600.00")
    assert Receipt.objects.get().applied == D("600.00")
    assert balance().receivable == D(0)


def test_currencies_never_settle_each_other() -> None:
    post(invoice())
    take(receipt(currency="USD"))
    assert Match.objects.count() == 0
    assert balance("CNY").receivable == D("1000.00")
    assert balance("USD").receivable == D("-1000.00")


def test_money_paid_back_is_not_applied() -> None:
    take(receipt("B-1", "800.00"), receipt("B-2", "-500.00"))
    post(invoice())
    take(receipt("B-3", "100.00", received_on=date(2026, 11, 11)))
    assert Instalment.objects.get().settled == D("100.00")
    assert balance().receivable == D("600.00")


def test_receipts_twice_change_nothing_and_other_content_is_refused() -> None:
    first = take(receipt())
    assert take(receipt()) == [Outcome("unchanged", first[0].id)]
    [other] = take(receipt(amount="1000.01"))
    assert other.code == "number_taken"


@pytest.mark.clause("C4.5")
def test_sales_may_not_post(ann: Any, fi: Any) -> None:
    with pytest.raises(NotYourDuty):
        post_invoices([invoice()], by=ann, at=timezone.now(), today=TODAY)
    post_invoices([invoice(), invoice("S-2"), invoice("S-2")], by=fi, at=timezone.now(), today=TODAY)
    entry = TrailEntry.objects.get(verb="invoice.post_many")
    assert (entry.by, entry.particulars) == (fi, {"posted": 2, "unchanged": 1})


def test_a_hundred_rows_cost_as_many_queries_as_two() -> None:
    def cost(count: int) -> int:
        rows = [invoice(f"N{count}-{n}", settled_on=date(2026, 11, 1)) for n in range(count)]
        money = [receipt(f"R{count}-{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            post(*rows)
            take(*money)
        return len(queries)

    cost(1)  # opens the account
    assert cost(2) == cost(100)
