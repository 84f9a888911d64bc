"""The ageing report: bounds, groups, sight, and totals that tie to the ledger on any day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shouxin.credit.models import CreditAccount, Line
from shouxin.office.models import Person
from shouxin.receivables import aging
from shouxin.receivables.aging import Report
from shouxin.receivables.models import Instalment, Receipt
from shouxin.rules.aging import Bucket
from tests.people import SOUTH, TODAY, acme

from .test_bulk import invoice, post, receipt, take

pytestmark = pytest.mark.django_db
D = Decimal
UP_TO = (30, 60, 90)


def report(**changes: Any) -> Report:
    fields: dict[str, Any] = {"as_of": TODAY, "up_to": UP_TO, "seen_by": None, "today": TODAY}
    return aging.report(**fields | changes)


def due(days_ago: int) -> tuple[tuple[int, date, Decimal], ...]:
    """One instalment that fell due so many days ago."""
    return ((1, TODAY - timedelta(days=days_ago), D("1000.00")),)


@pytest.mark.clause("C3.5")
@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        pytest.param(0, 0, id="due today is not overdue"),
        pytest.param(1, 1, id="one day late"),
        pytest.param(30, 1, id="the last day of the first bucket"),
        pytest.param(31, 2, id="the first day of the second"),
        pytest.param(91, 4, id="the open end"),
    ],
)
def test_every_item_lies_in_its_bucket(days: int, bucket: int) -> None:
    post(invoice(dated_on=date(2026, 1, 1), instalments=due(days)))
    aged = report().totals["CNY"]
    assert aged.buckets[bucket] == aged.total == D("1000.00")
    [item] = aging.items_in(bucket, as_of=TODAY, up_to=UP_TO, basis="due", currency="CNY", customers=None)
    assert item.document == "S-1"
    assert aging.items_in(bucket, as_of=TODAY, up_to=UP_TO, basis="due", currency="USD", customers=None) == []


def test_by_invoice_date_the_buckets_count_from_the_paper() -> None:
    post(invoice(dated_on=TODAY - timedelta(days=61), instalments=due(1)))
    assert report(basis="invoice").totals["CNY"].buckets[3] == D("1000.00")
    assert report(basis="invoice").totals["CNY"].oldest_overdue_days == 1


@pytest.mark.clause("C3.5")
def test_a_past_day_ignores_later_receipts_and_ties_to_the_ledger() -> None:
    post(invoice("A"), invoice("B", "500.00"), invoice("U", "70.00", currency="USD"), invoice("CN", "-20.00"))
    take(receipt(amount="1200.00"), receipt("B-2", "900.00", received_on=date(2026, 11, 20)))
    before = report(as_of=date(2026, 11, 9))
    assert (before.totals["CNY"].total, before.totals["CNY"].unapplied) == (D("1480.00"), D("-20.00"))
    assert report(as_of=date(2026, 11, 10)).totals["CNY"].total == D("280.00")
    assert report(as_of=date(2026, 9, 30)).totals == {}
    for day in (date(2026, 9, 30), date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 20), TODAY):
        assert report(as_of=day).ties


@pytest.mark.invariant("I-3")
def test_todays_total_is_what_stands_on_the_accounts() -> None:
    post(invoice("A"), invoice("U", "70.00", currency="USD"), invoice("P", settled_on=date(2026, 11, 1)))
    take(receipt(amount="1234.56"))
    totals = {currency: aged.total for currency, aged in report().totals.items()}
    assert totals == dict(CreditAccount.objects.values_list("currency", "receivable"))


def test_an_item_that_went_missing_shows_in_the_tie() -> None:
    post(invoice())
    Instalment.objects.update(settled=D("1000.00"))
    assert not report().ties


def test_groups_by_customer_grade_industry_and_salesperson() -> None:
    ours = acme(industry="C")
    theirs = acme(code="C002", name="乙", salesperson=None, industry="")
    post(invoice(), invoice(customer_id=theirs.pk, amount="400.00", instalments=()))
    line = Line(customer=ours, grade="B", limit_kind="none", currency="CNY", term_days=30, since=date(2026, 1, 1))
    line.cause, line.why, line.policy_version = "import", "x", 1
    line.at = timezone.now()
    line.save()
    labels = {by: [(row.label, row.aged.total) for row in report(by=by).rows["CNY"]] for by in aging.BY}
    assert labels["customer"] == [(ours.name, D("1000.00")), ("乙", D("400.00"))]
    assert [label for label, _total in labels["grade"]][:1] == ["B"]
    assert [label for label, _total in labels["industry"]][:1] == ["制造业"]
    assert [label for label, _total in labels["sales"]][:1] == ["Ann"]
    assert all(len(rows) == 2 for rows in labels.values())


@pytest.mark.invariant("I-33")
def test_sales_sees_her_own_customers_only(ann: Person, di: Person, sy: Person) -> None:
    theirs = acme(code="C002", name="乙", salesperson=di, department=SOUTH)
    post(invoice(), invoice(customer_id=theirs.pk, amount="400.00", instalments=()))
    assert report(seen_by=ann).totals["CNY"].total == D("1000.00")
    assert report(seen_by=di).totals["CNY"].total == D("400.00")
    assert report(seen_by=di).ties
    assert report(seen_by=sy).totals == {}
    assert report().totals["CNY"].total == D("1400.00")


def test_bucket_ranges_follow_the_policy() -> None:
    assert report().buckets == (Bucket(None, 0), Bucket(1, 30), Bucket(31, 60), Bucket(61, 90), Bucket(91, None))


def test_the_report_costs_the_same_for_many_customers() -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            for by in aging.BY:
                report(by=by)
        return len(queries)

    post(invoice())
    take(receipt(amount="1.00"))
    few = cost()
    others = [acme(code=f"C{n}", name=f"甲{n}") for n in range(2, 22)]
    post(*[invoice(customer_id=other.pk) for other in others])
    assert Receipt.objects.count() == 1
    assert cost() == few
