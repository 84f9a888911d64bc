"""The proof: balance, journal and papers agree to the cent, or the account is parked until a person has looked."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shouxin.credit import exposure, reservations
from shouxin.credit.models import CreditAccount
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.receivables import proof
from shouxin.receivables.models import Instalment, ProofRun
from tests.people import TODAY, acme

from .test_bulk import invoice, post, receipt, take

pytestmark = pytest.mark.django_db
D = Decimal


def run(by: Person | None = None) -> ProofRun:
    return proof.run(by=by, at=timezone.now(), on=TODAY)


def books() -> CreditAccount:
    """Invoices, a credit note, receipts, a paid history and a reservation on Acme."""
    post(
        invoice("A"), invoice("B", settled_on=date(2026, 10, 20)), invoice("C", "-50.00"), invoice("U", currency="USD")
    )
    take(receipt(amount="300.00"), receipt("B-2", "5000.00"))
    account = CreditAccount.objects.get(customer=acme(), currency="CNY")
    wanted = [reservations.Wanted(account.pk, "erp", "SO-1", D("700.00"), None)]
    reservations.make(wanted, today=TODAY, at=timezone.now(), by=None)
    return account


@pytest.mark.invariant("I-4")
def test_honest_books_leave_no_difference(fi: Person) -> None:
    books()
    kept = run(fi)
    assert (kept.difference, kept.differences, kept.accounts) == (D(0), [], 2)
    assert not CreditAccount.objects.exclude(parked="").exists()
    assert TrailEntry.objects.get(verb="proof.run").by == fi
    assert proof.last() == kept


@pytest.mark.invariant("I-4")
@pytest.mark.parametrize("bucket", ["reserved", "receivable", "bills", "deposits"])
def test_a_tampered_balance_is_found_and_parks_the_account(bucket: str) -> None:
    account = books()
    CreditAccount.objects.filter(pk=account.pk).update(**{bucket: getattr(account, bucket) + D("12345.67")})
    kept = run()
    [difference] = kept.differences
    assert (difference["account"], difference["bucket"]) == (account.pk, bucket)
    assert D(difference["balance"]) - D(difference["journal"]) == kept.difference > 0
    account.refresh_from_db()
    assert account.parked


@pytest.mark.invariant("I-4")
def test_a_paper_that_was_never_posted_is_found() -> None:
    account = books()
    Instalment.objects.filter(invoice__doc_no="A").update(settled=0, settled_on=None)
    [difference] = run().differences
    assert difference["bucket"] == "receivable"
    assert D(difference["balance"]) == D(difference["journal"]) != D(difference["papers"])
    assert CreditAccount.objects.get(pk=account.pk).parked


@pytest.mark.invariant("I-7")
def test_only_a_person_unparks_and_only_once_the_books_agree(cy: Person, ann: Person) -> None:
    account = books()
    CreditAccount.objects.filter(pk=account.pk).update(receivable=0)
    run()
    acts: dict[str, Any] = {"at": timezone.now(), "on": TODAY}
    with pytest.raises(NotYourDuty):
        proof.unpark(account, why="x", by=ann, **acts)
    with pytest.raises(BadForm):
        proof.unpark(account, why=" ", by=cy, **acts)
    with pytest.raises(Moved):
        proof.unpark(account, why="mended", by=cy, **acts)
    receivable = exposure.journal_totals()[account.pk].receivable
    CreditAccount.objects.filter(pk=account.pk).update(receivable=receivable)
    assert run().differences == []
    account.refresh_from_db()
    assert account.parked, "a clean proof alone unparks nothing"
    assert proof.unpark(account, why="mended", by=cy, **acts).parked == ""


def test_sales_do_not_run_the_proof(ann: Person, ed: Person) -> None:
    with pytest.raises(NotYourDuty):
        run(ann)
    run(ed)


def test_the_proof_costs_the_same_for_many_accounts() -> None:
    books()
    with CaptureQueriesContext(connection) as few:
        proof.differences()
    others = [acme(code=f"C{n}", name=f"甲{n}") for n in range(2, 22)]
    post(*[invoice(customer_id=other.pk) for other in others])
    with CaptureQueriesContext(connection) as many:
        assert proof.differences() == []
    assert len(few) == len(many)
