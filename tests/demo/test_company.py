"""The demo company: the same every time, valid codes, and alive when it is loaded."""

from datetime import date

import pytest

from shouxin.collection.models import Day, Notice
from shouxin.credit.models import Line, Rating
from shouxin.customers.models import Customer, Fact
from shouxin.demo import company, load
from shouxin.office.models import Attachment
from shouxin.orders.models import CreditDecision
from shouxin.receivables.models import Invoice
from shouxin.rules.ids import check_uscc

TODAY = date(2026, 11, 24)


def test_the_same_day_makes_the_same_company_with_valid_codes() -> None:
    first, again = company.make(TODAY), company.make(TODAY)
    assert first == again
    assert len({each.fields["uscc"] for each in first}) == len({each.fields["name"] for each in first}) == 300
    assert all(check_uscc(str(each.fields["uscc"])).ok for each in first)


def test_every_paper_adds_up_and_lies_in_the_past() -> None:
    for each in company.make(TODAY, 60):
        for paper in (*each.invoices, *each.credit_notes):
            assert sum(amount for _, amount in paper.instalments) == paper.amount
            assert paper.dated_on < TODAY
            assert paper.paid_on is None or paper.dated_on <= paper.paid_on < TODAY


@pytest.mark.django_db
def test_loading_once_fills_every_room_and_twice_changes_nothing() -> None:
    assert load.load_once(today=TODAY, customers=60)
    counts = [model.objects.count() for model in (Customer, Invoice, Line, Rating, CreditDecision)]
    assert min(counts) >= 20
    assert set(CreditDecision.objects.values_list("outcome", flat=True)) == {"approve", "hold"}
    assert Day.objects.filter(status="done").count() == load.ROUNDS
    assert {each["company"]["name"] for each in Notice.objects.values_list("letter", flat=True)} == {
        "江南示范机电有限公司"
    }
    assert Fact.objects.filter(key="note", mark=None).count() == 4 and Fact.objects.filter(key="revenue").count() > 20
    assert Attachment.objects.filter(about__startswith="fact:").exists()
    assert not load.load_once(today=TODAY, customers=60)
    assert counts == [model.objects.count() for model in (Customer, Invoice, Line, Rating, CreditDecision)]
