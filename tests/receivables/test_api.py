"""Invoices, receipts, journal, ageing and proof over the API: the contract other programs rely on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount, Line
from shouxin.customers.models import Customer
from shouxin.office import clock
from shouxin.office.models import Person
from shouxin.receivables.models import Invoice, ProofRun, Receipt
from tests.api import Caller
from tests.people import SOUTH, acme

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
D = Decimal
INVOICE = {"customer": "C001", "doc_no": "S-1", "amount": "1000.00"}
RECEIPT = {"customer": "C001", "doc_no": "B-1", "amount": "400.00"}


@pytest.fixture
def customer() -> Customer:
    return acme()


@pytest.fixture
def books(customer: Customer, fi: Person) -> Caller:
    """Fi at the API."""
    return Caller(fi)


def days(back: int) -> str:
    return (clock.today() - timedelta(days=back)).isoformat()


def test_an_invoice_answers_everything_about_itself(books: Caller) -> None:
    parts = [
        {"number": 1, "due_on": days(5), "amount": "600.00"},
        {"number": 2, "due_on": days(-9), "amount": "400.00"},
    ]
    answer = books.post("/invoices", INVOICE | {"dated_on": days(40), "instalments": parts, "order_no": "SO-1"})
    assert answer.status_code == 201
    assert (answer.data["open"], answer.data["due_on"], answer.data["kind"]) == ("1000.00", days(-9), "invoice")
    assert [part["open"] for part in answer.data["instalments"]] == ["600.00", "400.00"]
    assert answer.data["verbs"] == ["contest", "reverse"]
    assert books.get(f"/invoices/{answer.data['id']}").data == answer.data


@pytest.mark.invariant("I-10")
def test_the_same_paper_twice_is_one_and_another_under_its_number_a_conflict(books: Caller) -> None:
    first = books.post("/invoices", INVOICE)
    assert books.post("/invoices", INVOICE).data == first.data
    assert books.post("/invoices", INVOICE | {"amount": "999.00"}).status_code == 409
    money = books.post("/receipts", RECEIPT)
    assert books.post("/receipts", RECEIPT).data["id"] == money.data["id"]
    assert books.post("/receipts", RECEIPT | {"amount": "401.00"}).status_code == 409
    assert (Invoice.objects.count(), Receipt.objects.count()) == (1, 1)


@pytest.mark.invariant("I-31")
@pytest.mark.parametrize("amount", [600, 600.0, "6e2", "NaN", "１２", "1.234", "", "0", "0.00", None])
@pytest.mark.parametrize("path", ["/invoices", "/receipts"])
def test_an_amount_is_a_text_of_ascii_digits_and_not_nothing(books: Caller, path: str, amount: object) -> None:
    answer = books.post(path, INVOICE | {"amount": amount})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "amount")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dated_on": days(-1)}, "dated_on"),
        ({"kind": "credit_note"}, "amount"),
        ({"currency": "rmb"}, "currency"),
        ({"instalments": [{"number": 1, "amount": "1.00"}]}, "instalments"),
        ({"due_on": days(0), "term": {"n": 30}}, "due_on"),
        ({"term": {"method": "fixed_day", "n": 40}}, "term"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_refused_by_field(books: Caller, changes: dict[str, Any], field: str) -> None:
    answer = books.post("/invoices", INVOICE | changes)
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, field)
    assert Invoice.objects.count() == 0


def test_it_falls_due_by_the_term_given_else_by_the_lines(books: Caller, customer: Customer) -> None:
    dated = {"dated_on": "2026-03-10"}
    term = {"base": "month_end", "method": "eom_days", "n": 30}
    assert books.post("/invoices", INVOICE | dated | {"term": term}).data["due_on"] == "2026-04-30"
    assert books.post("/invoices", INVOICE | dated | {"doc_no": "S-2"}).data["due_on"] is None
    Line.objects.create(
        customer=customer, grade="B", limit_kind="none", currency="CNY", term_days=30, since=clock.today(), why="t",
        cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    assert books.post("/invoices", INVOICE | {"doc_no": "S-3"}).data["due_on"] == days(-30)


@pytest.mark.clause("C3.5")
def test_a_receipt_settles_and_can_be_unmatched_and_matched_by_hand(books: Caller) -> None:
    invoice = books.post("/invoices", INVOICE | {"dated_on": days(40), "due_on": days(10)}).data["id"]
    money = books.post("/receipts", RECEIPT).data
    assert (money["unapplied"], [(m["doc_no"], m["amount"]) for m in money["matches"]]) == ("0.00", [("S-1", "400.00")])
    assert money["verbs"] == ["unmatch", "reverse"]
    assert books.get(f"/invoices/{invoice}").data["open"] == "600.00"
    path = f"/receipts/{money['id']}"
    assert books.post(f"{path}/unmatch").data["unapplied"] == "400.00"
    assert books.get("/receipts", unapplied="true").data["items"][0]["id"] == money["id"]
    too_much = books.post(f"{path}/match", {"pairs": [{"invoice": invoice, "amount": "400.01"}]})
    assert too_much.status_code == 422
    matched = books.post(f"{path}/match", {"pairs": [{"invoice": invoice, "amount": "150.00"}]}).data
    assert [(m["amount"], m["on"]) for m in matched["matches"]] == [("150.00", days(0))]
    assert books.post("/customers/C001/match").data == {"amount": "250.00", "matches": 1}
    assert books.post(f"{path}/match").status_code == 409


@pytest.mark.clause("A10")
def test_reversals_over_the_api(books: Caller) -> None:
    invoice = books.post("/invoices", INVOICE).data["id"]
    money = books.post("/receipts", RECEIPT).data["id"]
    bounced = books.post(f"/receipts/{money}/reverse", {"reason": "bounced"}).data
    assert bounced["reversed_by"] and bounced["verbs"] == []
    cancelled = books.post(f"/invoices/{invoice}/reverse", {"reason": "wrong price"}).data
    assert (cancelled["open"], cancelled["verbs"]) == ("0.00", [])
    assert books.post(f"/invoices/{invoice}/reverse", {"reason": "again"}).status_code == 409
    assert books.get("/reports/aging").data["totals"] == []


@pytest.mark.clause("C3.5")
def test_disputes_over_the_api(books: Caller) -> None:
    invoice = books.post("/invoices", INVOICE | {"dated_on": days(40), "due_on": days(10)}).data["id"]
    contested = books.post(f"/invoices/{invoice}/contest", {"reason": "short", "amount": "300.00"}).data
    assert (contested["contested"], contested["verbs"]) == ("300.00", ["settle_contest", "reverse"])
    assert [each["id"] for each in books.get("/invoices", state="contested").data["items"]] == [invoice]
    assert [each["id"] for each in books.get("/invoices", state="overdue").data["items"]] == [invoice]
    settled = books.post(f"/invoices/{invoice}/settle_contest", {"outcome": "rejected"}).data
    assert settled["contested"] == "0.00"


def test_a_credit_note_is_applied(books: Caller) -> None:
    books.post("/invoices", INVOICE)
    note = books.post("/invoices", INVOICE | {"doc_no": "CN", "amount": "-250.00"}).data
    assert (note["kind"], note["verbs"]) == ("credit_note", ["apply", "reverse"])
    assert books.post(f"/invoices/{note['id']}/apply").data["open"] == "0.00"
    assert books.get("/invoices", state="open").data["items"][0]["open"] == "750.00"


@pytest.mark.invariant("I-3")
def test_the_journal_adds_up_to_the_balances(books: Caller, customer: Customer) -> None:
    account = exposure.open_accounts([(customer.pk, "CNY")])[customer.pk, "CNY"]
    books.post("/invoices", INVOICE)
    books.post("/receipts", RECEIPT)
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        found = books.get("/customers/C001/journal", limit=1, **cursor).data
        items += found["items"]
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}
    assert [(each["bucket"], each["amount"], each["document"]) for each in items] == [
        ("receivable", "1000.00", "invoice:S-1"),
        ("receivable", "-400.00", "receipt:B-1"),
    ]
    assert CreditAccount.objects.get(pk=account).receivable == sum(D(each["amount"]) for each in items)


@pytest.mark.clause("C3.5")
def test_the_ageing_over_the_api(books: Caller) -> None:
    books.post("/invoices", INVOICE | {"dated_on": days(60), "due_on": days(31)})
    books.post("/receipts", RECEIPT)
    report = books.get("/reports/aging").data
    [total] = report["totals"]
    assert (total["buckets"][2], total["total"], total["oldest_overdue_days"]) == ("600.00", "600.00", 31)
    assert report["ties"] and report["ledger"] == [{"currency": "CNY", "amount": "600.00"}]
    assert books.get("/reports/aging", as_of=days(1)).data["totals"][0]["total"] == "1000.00"
    assert books.get("/reports/aging", basis="invoice", by="industry").data["totals"][0]["buckets"][2] == "600.00"
    assert books.get("/reports/aging", as_of=days(-1)).status_code == 422
    assert books.get("/reports/aging", by="colour").status_code == 422


@pytest.mark.invariant("I-4")
def test_the_proof_over_the_api(books: Caller, customer: Customer, fi: Person) -> None:
    books.post("/invoices", INVOICE)
    assert books.get("/reports/exposure-proof").data["differences"] == []
    CreditAccount.objects.update(receivable=D("1.00"))
    found = books.get("/reports/exposure-proof").data
    assert (found["difference"], found["differences"][0]["papers"]) == ("999.00", "1000.00")
    assert not CreditAccount.objects.exclude(parked="").exists()
    kept = books.post("/reports/exposure-proof", key="p1").data
    assert kept["differences"] == found["differences"] and kept["by"] == "fi"
    assert books.post("/reports/exposure-proof", key="p1").data == kept
    assert ProofRun.objects.count() == 1
    account = CreditAccount.objects.exclude(parked="").get()
    path = f"/credit-accounts/{account.pk}/unpark"
    assert books.post(path, {"reason": "mended"}).status_code == 409
    CreditAccount.objects.update(receivable=D("1000.00"))
    assert books.post(path, {"reason": "mended"}).data["parked"] == ""


@pytest.mark.clause("C4.5")
@pytest.mark.invariant("I-33")
def test_sales_read_their_own_and_write_nothing(books: Caller, ann: Person, di: Person) -> None:
    invoice = books.post("/invoices", INVOICE).data["id"]
    money = books.post("/receipts", RECEIPT | {"match": False}).data["id"]
    acme(code="C002", name="乙", salesperson=di, department=SOUTH)
    books.post("/invoices", INVOICE | {"customer": "C002"})
    mine, theirs = Caller(ann), Caller(di)
    assert mine.get(f"/invoices/{invoice}").data["verbs"] == []
    assert mine.post("/invoices", INVOICE | {"doc_no": "S-9"}).status_code == 403
    assert mine.post(f"/receipts/{money}/match").status_code == 403
    assert theirs.get(f"/invoices/{invoice}").status_code == 404
    assert theirs.post(f"/receipts/{money}/match").status_code == 404
    assert theirs.post("/invoices", INVOICE).status_code == 404
    assert theirs.get("/customers/C001/journal").status_code == 404
    assert [each["customer"] for each in theirs.get("/invoices").data["items"]] == ["C002"]
    assert [row["total"] for row in theirs.get("/reports/aging").data["rows"]] == ["1000.00"]
    assert theirs.get("/receipts").data["items"] == []


def test_a_list_costs_the_same_for_many(books: Caller, django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert books.get("/invoices").status_code == books.get("/receipts").status_code == 200
        return len(queries)

    books.post("/invoices", INVOICE)
    books.post("/receipts", RECEIPT)
    few = cost()
    for n in range(2, 12):
        books.post("/invoices", INVOICE | {"doc_no": f"S-{n}"})
        books.post("/receipts", RECEIPT | {"doc_no": f"B-{n}"})
    assert cost() == few


@pytest.mark.parametrize("last", ["9999-12-31", "2199-12-31"])
@pytest.mark.parametrize("changes", [{}, {"term": {"n": 30}}], ids=["by the line", "by a term"])
def test_a_day_no_paper_is_of_is_refused_in_words(
    books: Caller, customer: Customer, changes: dict[str, Any], last: str
) -> None:
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=D(1000), currency="CNY", term_days=30,
        since=clock.today(), until="9999-12-31", why="t", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    for day in (last, "0001-01-01", "1899-12-31"):
        answer = books.post("/invoices", INVOICE | changes | {"dated_on": day})
        assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "dated_on", (day, answer.data)
    answer = books.post("/receipts", RECEIPT | {"received_on": "0001-01-01"})
    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "received_on"
    assert not Invoice.objects.exists() and not Receipt.objects.exists()


def test_a_paper_is_not_due_before_its_own_day(books: Caller) -> None:
    answer = books.post("/invoices", INVOICE | {"dated_on": days(5), "due_on": days(6)})
    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "due_on"
    assert books.post("/invoices", INVOICE | {"dated_on": days(5), "due_on": days(5)}).status_code == 201
