"""What is owed on any day: true as of that day, uncontested overdue, the history of payments."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shouxin.receivables import owed
from shouxin.receivables.models import Contest
from shouxin.rules.aging import OpenItem
from shouxin.rules.payment_record import Settled
from tests.people import TODAY, acme

from .test_bulk import invoice, post, receipt, take

pytestmark = pytest.mark.django_db
D = Decimal


def opened(as_of: date) -> list[tuple[str, Decimal, Decimal]]:
    """Document, open amount and contested amount of Acme's open items."""
    items = owed.open_items([acme().pk], as_of=as_of)
    assert list(owed.open_items(None, as_of=as_of)) == list(owed.open_items([acme().pk], as_of=as_of))
    return sorted((item.document, item.amount, item.contested) for item in items)


def test_an_item_says_all_about_itself() -> None:
    post(invoice())
    [item] = owed.open_items(None, as_of=TODAY)
    due, dated = date(2026, 10, 31), date(2026, 10, 1)
    assert item == OpenItem(str(acme().pk), "S-1", 1, due, dated, D("1000.00"), "CNY", D(0))


@pytest.mark.clause("C3.5")
def test_the_past_knows_no_later_receipt_invoice_or_match() -> None:
    later = date(2026, 11, 5)
    post(invoice("A"), invoice("B", dated_on=later, instalments=((1, later, D("1000.00")),)))
    take(receipt(amount="1500.00", received_on=date(2026, 11, 10)))
    assert opened(date(2026, 9, 30)) == []
    assert opened(date(2026, 11, 4)) == [("A", D("1000.00"), D(0))]
    assert opened(date(2026, 11, 9)) == [("A", D("1000.00"), D(0)), ("B", D("1000.00"), D(0))]
    assert sum(amount for _doc, amount, _contested in opened(date(2026, 11, 10))) == D("500.00")


def test_money_before_the_invoice_is_unapplied_until_then() -> None:
    take(receipt(amount="300.00", received_on=date(2026, 9, 20)), match=False)
    post(invoice())
    take(receipt("B-2", "700.00", received_on=date(2026, 11, 10)))
    assert opened(date(2026, 9, 30)) == [("B-1", D("-300.00"), D(0))]
    assert opened(TODAY) == [("B-1", D("-300.00"), D(0)), ("S-1", D("300.00"), D(0))]


def test_credit_notes_are_negative_items() -> None:
    post(invoice("CN", "-250.00"))
    assert opened(TODAY) == [("CN", D("-250.00"), D(0))]


def test_money_paid_back_leaves_the_rest() -> None:
    take(receipt("B-1", "800.00"), receipt("B-2", "-300.00", received_on=date(2026, 11, 12)))
    assert opened(date(2026, 11, 11)) == [("B-1", D("-800.00"), D(0))]
    assert opened(TODAY) == [("B-1", D("-500.00"), D(0))]


def test_a_dispute_counts_while_it_lasts() -> None:
    post(invoice(contested=D("400.00")))
    Contest.objects.update(since=date(2026, 11, 1), settled_on=date(2026, 11, 20), outcome="rejected")
    assert [contested for *_rest, contested in opened(date(2026, 10, 31))] == [D(0)]
    assert [contested for *_rest, contested in opened(date(2026, 11, 1))] == [D("400.00")]
    assert [contested for *_rest, contested in opened(date(2026, 11, 20))] == [D(0)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 10, 31), {}, id="on the due day"),
        pytest.param(date(2026, 11, 1), {"CNY": D("600.00")}, id="one day late"),
    ],
)
def test_overdue_is_uncontested_and_past_due(day: date, expected: dict[str, Decimal]) -> None:
    post(
        invoice(contested=D("400.00")),
        invoice("CN", "-5.00"),
        invoice("LATER", dated_on=date(2027, 1, 1), instalments=()),
    )
    found = owed.overdue_of([acme().pk], today=day)
    assert found == ({acme().pk: (1, expected)} if expected else {})


def test_overdue_without_a_due_day_counts_from_the_document() -> None:
    post(invoice(instalments=()), invoice("U", "7.00", currency="USD"))
    assert owed.overdue_of([acme().pk], today=date(2026, 11, 2)) == {
        acme().pk: (32, {"CNY": D("1000.00"), "USD": D("7.00")})
    }


def test_overdue_is_one_query() -> None:
    customer = acme().pk
    post(invoice())
    with CaptureQueriesContext(connection) as queries:
        owed.overdue_of([customer], today=TODAY)
    assert len(queries) == 1


def test_the_history_of_payments() -> None:
    post(invoice("A"), invoice("B", settled=D("100.00")), invoice("U", "10.00", currency="USD"))
    take(receipt(amount="1200.00", names=("A",)))
    history = owed.settled_history([acme().pk], as_of=TODAY, rates={"CNY": D(1)})[acme().pk]
    due, paid, dated = date(2026, 10, 31), date(2026, 11, 10), date(2026, 10, 1)
    assert sorted(history.settled, key=lambda row: row.document) == [
        Settled(due, paid, D("1000.00"), "A", dated),
        Settled(due, paid, D("200.00"), "B", dated),
    ]
    assert [(item.document, item.amount) for item in history.open_items] == [("B", D("700.00"))]
    assert sum(row.amount for row in history.receipts) == D("1300.00")
    assert history.missing_rates == {"USD"}


def test_foreign_amounts_are_converted_once() -> None:
    post(invoice("U", "10.01", currency="USD", contested=D("1.00")))
    history = owed.settled_history([acme().pk], as_of=TODAY, rates={"USD": D("7.125")})[acme().pk]
    assert [(item.amount, item.contested) for item in history.open_items] == [(D("71.32"), D("7.13"))]
    assert history.invoices[0].amount == D("71.32")


@pytest.mark.parametrize(("outcome", "excused"), [("", True), ("upheld", True), ("rejected", False)])
def test_a_dispute_excuses_the_delay_unless_it_was_rejected(outcome: str, excused: bool) -> None:
    post(invoice(contested=D("400.00")))
    take(receipt(amount="600.00"))
    if outcome:
        Contest.objects.update(settled_on=TODAY, outcome=outcome)
    [row] = owed.settled_history([acme().pk], as_of=TODAY, rates={"CNY": D(1)})[acme().pk].settled
    assert (row.amount, row.contested) == (D("600.00"), excused)


def test_the_history_of_many_costs_no_more_queries() -> None:
    others = [acme(code=f"C{n}", name=f"甲{n}", created_at=timezone.now()) for n in range(2, 12)]
    post(*[invoice(customer_id=other.pk) for other in others])
    with CaptureQueriesContext(connection) as one:
        owed.settled_history([others[0].pk], as_of=TODAY, rates={"CNY": D(1)})
    with CaptureQueriesContext(connection) as many:
        owed.settled_history([other.pk for other in others], as_of=TODAY, rates={"CNY": D(1)})
    assert len(one) == len(many)
