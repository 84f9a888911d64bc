"""The receivables pages: lists, papers, matching by hand, ageing down to the items, the proof; who sees what."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.credit.models import CreditAccount
from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.office import clock
from shouxin.receivables.models import Contest, Instalment, Invoice, ProofRun, Receipt
from tests.people import CAST, SOUTH, acme, member

from .test_bulk import invoice, post, receipt, take

pytestmark = pytest.mark.django_db
SIGN_IN = "django.contrib.auth.backends.ModelBackend"
D = Decimal
LISTS = ["/receivables/invoices/", "/receivables/receipts/", "/receivables/aging/", "/receivables/aging/items"]


def browser(who: str, language: str = "en") -> Client:
    """A browser in which one of the cast has signed in."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(who), backend=SIGN_IN)
    return client


def late(number: str = "S-1", days: int = 40, **changes: Any) -> Invoice:
    """An invoice that fell due so many days before today."""
    due = clock.today() - timedelta(days=days)
    amount = D(changes.pop("amount", "1000.00"))
    fields = {"dated_on": due - timedelta(days=30), "instalments": ((1, due, amount),)} | changes
    post(invoice(number, str(amount), **fields))
    return Invoice.objects.get(doc_no=number)


def money(number: str = "B-1", amount: str = "400.00", *, match: bool = False, **changes: Any) -> Receipt:
    """A receipt of today's."""
    take(receipt(number, amount, **{"received_on": clock.today()} | changes), match=match)
    return Receipt.objects.get(doc_no=number)


def part(paper: Invoice) -> Instalment:
    return paper.instalments.get()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("address", LISTS)
def test_every_list_opens_and_goes_out_as_a_file(address: str, language: str) -> None:
    late()
    late("CN", amount="-20.00", contested=D(0))
    money()
    client = browser("fi", language)
    assert client.get(address).status_code == 200
    for kind in ("xlsx", "csv"):
        answer = client.get(address, {"export": kind})
        assert answer.status_code == 200
        assert kind in answer["Content-Disposition"]
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("who", CAST)
def test_pages_open_for_whom_they_are(who: str) -> None:
    paper, cash = late(), money()
    client = browser(who)
    keeps, audits = who in ("fi", "bo", "cy"), who not in ("ann", "di", "sy", "se", "ar")
    sees = who not in ("di", "sy", "se")
    assert client.get("/receivables/invoices/").status_code == 200
    assert client.get(f"/receivables/invoices/{paper.pk}/").status_code == (200 if sees else 404)
    assert client.get(f"/receivables/receipts/{cash.pk}/").status_code == (200 if sees else 404)
    assert client.get("/receivables/aging/").status_code == (403 if who in ("sy", "se") else 200)
    assert client.get("/receivables/invoices/new").status_code == (200 if keeps else 403)
    assert client.get("/receivables/receipts/new").status_code == (200 if keeps else 403)
    assert client.get("/receivables/proof/").status_code == (200 if audits else 403)
    assert client.post("/receivables/proof/run").status_code == (302 if audits else 403)


@pytest.mark.invariant("I-33")
def test_sales_sees_the_papers_of_her_own_customers_only() -> None:
    theirs = acme(code="C002", name="乙公司", salesperson=member("di"), department=SOUTH)
    late("OURS-1")
    late("THEIRS-1", customer_id=theirs.pk)
    for who, seen, hidden in (("ann", "OURS-1", "THEIRS-1"), ("di", "THEIRS-1", "OURS-1")):
        for address in ("/receivables/invoices/", "/receivables/aging/items?by=customer&bucket=all"):
            page = browser(who).get(address + (f"&key={theirs.pk}" if "items" in address and who == "di" else ""))
            if "items" not in address or who == "di":
                assert seen in page.content.decode()
            assert hidden not in page.content.decode()
    assert "THEIRS-1" not in browser("ann").get(f"{LISTS[3]}?by=customer&key={theirs.pk}").content.decode()


def test_the_list_is_narrowed() -> None:
    search.reindex() if hasattr(search, "reindex") else None
    late("LATE")
    late("SOON", days=-5)
    late("PAID", settled_on=clock.today())
    late("ARGUED", contested=D("1000.00"))
    client = browser("fi")

    def found(**query: str) -> set[str]:
        text = client.get("/receivables/invoices/", query).content.decode()
        return {number for number in ("LATE", "SOON", "PAID", "ARGUED") if f">{number}<" in text}

    assert found() == {"LATE", "SOON", "PAID", "ARGUED"}
    assert found(state="open") == {"LATE", "SOON", "ARGUED"}
    assert found(state="overdue") == {"LATE"}
    assert found(state="contested") == {"ARGUED"}
    assert found(state="settled") == {"PAID"}
    assert found(doc_no="ARG") == {"ARGUED"}
    assert found(due_until=clock.today().isoformat()) == {"LATE", "PAID", "ARGUED"}
    assert found(currency="USD") == set()


def test_an_invoice_is_issued_by_hand_and_mistakes_are_named() -> None:
    acme()
    form = {"customer": "C001", "kind": "credit_note", "doc_no": "CN-1", "dated_on": "2026-03-01", "amount": "1,000.50"}
    client = browser("fi")
    wrong = client.post("/receivables/invoices/new", form | {"amount": "much", "customer": "nobody at all"})
    assert wrong.status_code == 422
    assert {"amount"} <= set(wrong.context["form"].errors)
    assert client.post("/receivables/invoices/new", form | {"customer": "C999"}).status_code == 422
    assert client.post("/receivables/invoices/new", form | {"dated_on": "2999-01-01"}).status_code == 422
    assert Invoice.objects.count() == 0
    assert client.post("/receivables/invoices/new", form).status_code == 302
    paper = Invoice.objects.get()
    assert (paper.amount, paper.kind) == (D("-1000.50"), "credit_note")
    assert client.post("/receivables/invoices/new", form | {"amount": "2"}).status_code == 422


def test_an_invoice_without_a_due_day_says_from_when_it_counts() -> None:
    said = "Without a due date it counts from the document date."
    paper = late("OPEN", instalments=())
    assert said in browser("fi").get(f"/receivables/invoices/{paper.pk}/").content.decode()
    assert said not in browser("fi").get(f"/receivables/invoices/{late().pk}/").content.decode()


@pytest.mark.clause("C3.5")
def test_a_dispute_on_the_page() -> None:
    paper, client = late(), browser("fi")
    address = f"/receivables/invoices/{paper.pk}/"
    refused = client.post(f"{address}contest", {"amount": "x", "reason": "short of 12 pieces"})
    assert refused.status_code == 422 and "short of 12 pieces</textarea>" in refused.content.decode()
    assert client.post(f"{address}contest", {"amount": "300", "reason": "short"}).status_code == 302
    assert part(paper).contested == D("300.00")
    assert client.post(f"{address}contest", {"reason": "more"}).status_code == 409
    assert "checked" not in client.get(address).content.decode(), "how it ends is not said for her"
    assert client.post(f"{address}settle_contest", {"outcome": "rejected"}).status_code == 422
    assert client.post(f"{address}settle_contest", {"reason": "counted again"}).status_code == 422
    assert client.post(f"{address}settle_contest", {"outcome": "rejected", "reason": "counted"}).status_code == 302
    assert Contest.objects.get().outcome == "rejected"
    shown = client.get(address).content.decode()
    assert shown.index("The claim stands") < shown.index("counted")


@pytest.mark.clause("A10")
def test_reversal_on_the_page_wants_a_reason() -> None:
    paper, client = late(), browser("fi")
    address = f"/receivables/invoices/{paper.pk}/"
    assert client.post(f"{address}reverse", {"reason": " "}).status_code == 422
    assert client.post(f"{address}reverse", {"reason": "twice"}).status_code == 302
    assert client.post(f"{address}reverse", {"reason": "again"}).status_code == 409
    assert client.post(f"{address}burn").status_code == 404
    shown = client.get(address).content.decode()
    assert "S-1-R" in shown and "twice" in shown
    assert browser("ann").post(f"{address}reverse", {"reason": "x"}).status_code == 403


@pytest.mark.clause("C3.5")
def test_the_matching_page_proposes_and_takes_what_a_person_writes() -> None:
    early, soon = late("EARLY", days=50), late("SOON", days=-5)
    cash, client = money(amount="1200.00"), browser("fi")
    address = f"/receivables/receipts/{cash.pk}/"
    proposed = {row["claim"].doc_no: row["value"] for row in client.get(address).context["claims"]}
    assert proposed == {"EARLY": D("1000.00"), "SOON": D("200.00")}
    fields = [f"pair-{part(paper).pk}" for paper in (early, soon)]
    wrong = client.post(f"{address}match", {fields[0]: "many", fields[1]: "1"})
    assert wrong.status_code == 422 and wrong.context["claims"][0]["fault"]
    assert client.post(f"{address}match", {fields[0]: "1000.01"}).status_code == 422
    assert client.post(f"{address}match", {fields[0]: "0", fields[1]: ""}).status_code == 422
    assert Receipt.objects.get().applied == 0
    assert client.post(f"{address}match", {fields[0]: "100", fields[1]: "900.50"}).status_code == 302
    assert (part(early).settled, part(soon).settled) == (D("100.00"), D("900.50"))
    assert client.post(f"{address}unmatch").status_code == 302
    assert part(early).settled == 0
    assert client.post(f"{address}reverse", {"reason": "bounced"}).status_code == 302
    assert client.get(address).context["verbs"] == []


def test_money_is_taken_in_by_hand() -> None:
    paper, client = late("A"), browser("fi")
    late("B", days=60)
    form = {
        "customer": "C001",
        "doc_no": "B-9",
        "received_on": "2026-10-01",
        "amount": "500",
        "names": "A；Z",
        "match": "on",
    }
    refused = client.post("/receivables/receipts/new", form)
    assert (refused.status_code, Receipt.objects.count()) == (422, 0)
    assert "Not among the customer" in str(refused.context["form"].errors["names"])
    assert client.post("/receivables/receipts/new", form | {"names": "A"}).status_code == 302
    assert (Receipt.objects.get().names, part(paper).settled) == (["A"], D("500.00"))
    later = {name: value for name, value in form.items() if name != "match"} | {"doc_no": "B-10"}
    assert client.post("/receivables/receipts/new", later).status_code == 302, "named before it is posted"
    form["names"] = "A"
    assert client.post("/receivables/receipts/new", form | {"amount": "501"}).status_code == 422


@pytest.mark.clause("C3.5")
def test_the_ageing_page_leads_from_bucket_to_customers_to_items() -> None:
    late(days=40)
    client = browser("fi")
    report = client.get("/receivables/aging/")
    assert report.context["total"].buckets[2] == D("1000.00")
    bucket = next(row for row in report.context["buckets"] if row["amount"])
    customers = client.get(bucket["address"])
    [row] = customers.context["listing"].rows
    assert (row["customer_id"], row["amount"], row["days"]) == (acme().pk, D("1000.00"), 40)
    column = customers.context["listing"].columns[0]
    [item] = client.get(column.link(row)).context["listing"].rows
    assert (item["document"], item["days"]) == ("S-1", 40)


def test_the_ageing_page_switches_basis_day_group_and_currency() -> None:
    late(days=40)
    late("U", days=3, currency="USD", amount="7.00")
    client = browser("fi")
    assert client.get("/receivables/aging/", {"basis": "invoice"}).context["total"].buckets[3] == D("1000.00")
    before = (clock.today() - timedelta(days=200)).isoformat()
    assert client.get("/receivables/aging/", {"as_of": before}).context["total"] is None
    assert client.get("/receivables/aging/", {"currency": "USD"}).context["total"].total == D("7.00")
    for by in ("grade", "industry", "sales"):
        assert len(client.get("/receivables/aging/", {"by": by}).context["listing"].rows) == 1
    for fault in ({"as_of": "2999-01-01"}, {"as_of": "soon"}):
        assert client.get("/receivables/aging/", fault).status_code == 422
    for odd in ({"by": "colour"}, {"basis": "moon"}, {"currency": "☃"}, {"currency": "C\0Y"}, {"bucket": "99999999"},
                {"by": "industry", "key": "\0"}, {"by": "grade", "key": "\0"}):  # fmt: skip
        for address in LISTS[2:]:
            assert client.get(address, odd).status_code == 200


@pytest.mark.invariant("I-33")
@pytest.mark.parametrize("by", ["customer", "sales"])
def test_the_items_behind_a_figure_name_nobody_out_of_sight(by: str) -> None:
    late()
    foreign = acme(code="C9", name="南方的客户", department=SOUTH, salesperson=member("di"))
    address, keys = "/receivables/aging/items", {"customer": foreign.pk, "sales": member("di").pk}
    own = {"customer": Customer.objects.get(code="C001").pk, "sales": member("ann").pk}
    for key in (keys[by], 999999999, "²", "1" * 5000, "" if by == "customer" else "x"):
        assert browser("ann").get(address, {"by": by, "key": key}).status_code == 404
    assert browser("ann").get(address, {"by": by, "key": own[by]}).status_code == 200
    assert browser("fi").get(address, {"by": by, "key": keys[by]}).status_code == 200


@pytest.mark.invariant("I-4")
def test_the_proof_page_shows_differences_and_lets_a_person_unpark() -> None:
    late()
    CreditAccount.objects.update(receivable=D("5.00"))
    client = browser("cy")
    assert "has not run" in client.get("/receivables/proof/").content.decode()
    client.post("/receivables/proof/run")
    page = client.get("/receivables/proof/")
    assert page.context["differences"][0]["journal"] == "1000.00"
    account = CreditAccount.objects.get()
    assert account.parked
    address = f"/receivables/proof/{account.pk}/unpark"
    assert client.post(address, {"reason": "mended"}).status_code == 409
    CreditAccount.objects.update(receivable=D("1000.00"))
    assert browser("ed").post(address, {"reason": "x"}).status_code == 403
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "mended"}).status_code == 302
    assert not CreditAccount.objects.get().parked
    assert ProofRun.objects.count() == 1


@pytest.mark.parametrize("address", LISTS)
def test_a_page_costs_the_same_for_many(address: str) -> None:
    client = browser("fi")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    late("N-0")
    money("R-0", "1.00")
    cost()
    few = cost()
    for n in range(1, 15):
        late(f"N-{n}")
        money(f"R-{n}", "1.00")
    assert cost() == few <= 20


def test_dates_and_due_dates_are_shown_as_written() -> None:
    paper = late(dated_on=date(2026, 1, 2), instalments=())
    assert "2026-01-02" in browser("fi").get(f"/receivables/invoices/{paper.pk}/").content.decode()
