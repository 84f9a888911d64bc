"""The verbs on single papers: issue, contest, reverse; take, match, unmatch. Nothing posted is edited."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.receivables import invoices, owed, receipts
from shouxin.receivables.matching import Claim, Pair, Source, chosen
from shouxin.receivables.models import Contest, Instalment, Invoice, Match, Receipt
from tests.people import TODAY, acme

from .test_bulk import balance

pytestmark = pytest.mark.django_db
D = Decimal


def acts(by: Person | None = None) -> dict[str, Any]:
    """Who does it, and when."""
    return {"today": TODAY, "at": timezone.now(), "by": by}


def issue(doc_no: str = "S-1", amount: str = "1000.00", by: Person | None = None, **changes: Any) -> Invoice:
    """An invoice on Acme, due on 31 October."""
    fields: dict[str, Any] = {"dated_on": date(2026, 10, 1), "due_on": date(2026, 10, 31)}
    return invoices.issue(acme(), doc_no=doc_no, amount=D(amount), **fields | changes, **acts(by))


def take(doc_no: str = "B-1", amount: str = "1000.00", by: Person | None = None, **changes: Any) -> Receipt:
    """Money from Acme on 10 November."""
    fields: dict[str, Any] = {"received_on": date(2026, 11, 10)}
    return receipts.take(acme(), doc_no=doc_no, amount=D(amount), **fields | changes, **acts(by))


def settled() -> dict[str, Decimal]:
    """Document -> what of it is settled."""
    return dict(Instalment.objects.values_list("invoice__doc_no", "settled"))


def part(invoice: Invoice) -> Instalment:
    """The invoice's only instalment as it stands now."""
    return invoice.instalments.get()


@pytest.mark.clause("C4.5")
@pytest.mark.parametrize(
    "verb", ["issue", "take", "reverse", "contest", "settle_contest", "match", "unmatch", "match_all"]
)
def test_sales_keep_no_books(verb: str, ann: Person) -> None:
    invoice, money = issue(), take()
    calls: dict[str, Any] = {
        "issue": lambda: issue("S-2", by=ann),
        "take": lambda: take("B-2", by=ann),
        "reverse": lambda: invoices.reverse(invoice, why="x", **acts(ann)),
        "contest": lambda: invoices.contest(invoice, why="x", **acts(ann)),
        "settle_contest": lambda: invoices.settle_contest(invoice, outcome="upheld", **acts(ann)),
        "match": lambda: receipts.match(money, **acts(ann)),
        "unmatch": lambda: receipts.unmatch(money, **acts(ann)),
        "match_all": lambda: receipts.match_all(acme(), **acts(ann)),
    }
    with pytest.raises(NotYourDuty):
        calls[verb]()


def test_issuing_leaves_one_trail_line(fi: Person) -> None:
    invoice = issue(by=fi)
    line = TrailEntry.objects.get(verb="invoice.issue")
    assert (line.by, line.about, line.label) == (fi, f"invoice:{invoice.pk}", "S-1")
    assert (line.customer_id, line.particulars["amount"]) == (acme().pk, "1000.00")


def test_the_same_paper_twice_is_one_paper() -> None:
    assert issue() == issue()
    assert take() == take()
    assert TrailEntry.objects.filter(verb="invoice.issue").count() == 1
    with pytest.raises(Moved, match="S-1"):
        issue(amount="999.00")


def test_the_books_hold_nothing_that_has_not_happened() -> None:
    with pytest.raises(BadForm) as refusal:
        issue(dated_on=date(2026, 11, 25))
    assert [field for field, _text in refusal.value.errors] == ["dated_on"]
    with pytest.raises(BadForm):
        take(received_on=date(2026, 11, 25))


@pytest.mark.clause("A10")
def test_a_reversal_undoes_matches_and_cancels_the_invoice(fi: Person) -> None:
    invoice = issue()
    take(amount="400.00")
    reversal = invoices.reverse(invoice, why="wrong customer", **acts(fi))
    assert (reversal.amount, reversal.kind, reversal.reverses) == (D("-1000.00"), "reversal", invoice)
    assert part(invoice).settled == D("1000.00")
    assert Receipt.objects.get().applied == 0
    assert balance().receivable == D("-400.00")
    assert [(i.document, i.amount) for i in owed.open_items(None, as_of=TODAY)] == [("B-1", D("-400.00"))]
    assert [i.amount for i in owed.open_items(None, as_of=date(2026, 11, 23))] == [D("600.00")]


@pytest.mark.clause("A10")
def test_a_paper_is_reversed_once() -> None:
    reversal = invoices.reverse(issue(), why="twice", **acts())
    for paper in (reversal, Invoice.objects.get(doc_no="S-1")):
        with pytest.raises(Moved):
            invoices.reverse(paper, why="again", **acts())


def test_reversing_a_credit_note_opens_what_it_settled() -> None:
    invoice, note = issue(), issue("CN-1", "-300.00", due_on=None)
    invoices.apply_credit(note, **acts())
    assert part(invoice).settled == D("300.00")
    invoices.reverse(note, why="not agreed", **acts())
    assert part(invoice).settled == 0
    assert balance().receivable == D("1000.00")


def test_a_credit_note_settles_in_the_order_of_article_560() -> None:
    issue("LATE", due_on=date(2026, 11, 30))
    issue("EARLY", "100.00")
    made = invoices.apply_credit(issue("CN-1", "-300.00", due_on=None), **acts())
    assert settled() == {"EARLY": D("100.00"), "LATE": D("200.00"), "CN-1": D("-300.00")}
    assert all(isinstance(pair, Pair) and pair.on == date(2026, 10, 1) for pair in made)
    with pytest.raises(Moved):
        invoices.apply_credit(Invoice.objects.get(doc_no="CN-1"), **acts())
    assert balance().receivable == D("800.00")


@pytest.mark.clause("C3.5")
def test_a_dispute_rests_until_it_is_settled(fi: Person) -> None:
    invoice = issue()
    invoices.contest(invoice, amount=D("400.00"), why="damaged", **acts(fi))
    assert owed.overdue_of([acme().pk], today=TODAY)[acme().pk][1] == {"CNY": D("600.00")}
    with pytest.raises(Moved):
        invoices.contest(invoice, why="again", **acts(fi))
    invoices.settle_contest(invoice, outcome="rejected", **acts(fi))
    assert Contest.objects.get().settled_by == fi
    assert owed.overdue_of([acme().pk], today=TODAY)[acme().pk][1] == {"CNY": D("1000.00")}
    with pytest.raises(Moved):
        invoices.settle_contest(invoice, outcome="rejected", **acts(fi))


def test_a_dispute_of_a_part_begins_with_the_last_instalment() -> None:
    parts = ((1, date(2026, 10, 31), D("600.00")), (2, date(2026, 11, 30), D("400.00")))
    invoice = issue(instalments=parts)
    invoices.contest(invoice, amount=D("500.00"), why="short", **acts())
    assert list(invoice.instalments.order_by("number").values_list("contested", flat=True)) == [
        D("100.00"),
        D("400.00"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"why": " "}, "why"), ({"amount": D("1000.01")}, "amount"), ({"amount": D(0)}, "amount")],
)
def test_a_dispute_needs_a_reason_and_a_possible_amount(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refusal:
        invoices.contest(issue(), **{"why": "x"} | changes, **acts())
    assert [name for name, _text in refusal.value.errors] == [field]


def test_a_person_may_choose_what_a_receipt_settles() -> None:
    first, second = issue("A"), issue("B", due_on=date(2026, 12, 31))
    money = take(amount="700.00", match=False)
    claims, shares = receipts.proposal(money)
    assert [claim.doc_no for claim in claims] == ["A", "B"]
    assert shares == {part(first).pk: D("700.00")}
    receipts.match(money, pairs=[(part(second).pk, D("500.00")), (part(first).pk, D("50.00"))], **acts())
    assert settled() == {"A": D("50.00"), "B": D("500.00")}
    assert Receipt.objects.get().applied == D("550.00")


def test_a_choice_is_served_by_the_first_source_and_only_what_is_left_by_the_next() -> None:
    claim = Claim(7, 1, "S-1", 1, TODAY, None, open=D(500), contested=D(0))
    first, second, third = (Source(1, f"B-{n}", TODAY, D(300), receipt_id=n) for n in (1, 2, 3))
    pairs = chosen([first, second, third], [claim], [(7, D(400))])
    assert [(pair.receipt_id, pair.amount) for pair in pairs] == [(1, 300), (2, 100)]
    assert [first.left, second.left, third.left] == [0, 200, 300]


def test_a_paper_is_named_by_its_invoice_and_with_or_without_its_instalment() -> None:
    invoice = issue()
    parts = receipts.pairs_of(invoice.account_id, [(invoice.pk, None, D("300.00"))])
    assert parts == [(part(invoice).pk, D("300.00"))]
    for wanted in (
        [(invoice.pk, 7, D(1))],
        [(0, None, D(1))],
        [(invoice.pk, None, D("1000.01"))],
        [(invoice.pk, None, D(0))],
    ):
        with pytest.raises(BadForm):
            receipts.pairs_of(invoice.account_id, wanted)


def test_two_instalments_are_filled_the_earliest_first_and_no_further_than_said() -> None:
    invoice = issue(instalments=((1, date(2026, 12, 1), D(400)), (2, date(2026, 12, 31), D(600))))
    first, second = Instalment.objects.filter(invoice=invoice).order_by("number")
    assert receipts.pairs_of(invoice.account_id, [(invoice.pk, None, D(400))]) == [(first.pk, 400)]
    assert receipts.pairs_of(invoice.account_id, [(invoice.pk, None, D(500))]) == [(first.pk, 400), (second.pk, 100)]


@pytest.mark.parametrize("amount", ["0", "-1", "1000.01", "700.01", "0.001", "NaN"])
def test_a_choice_beyond_what_is_open_or_left_is_refused(amount: str) -> None:
    invoice, money = issue(), take(amount="700.00", match=False)
    with pytest.raises(BadForm):
        receipts.match(money, pairs=[(part(invoice).pk, D(amount))], **acts())
    assert Match.objects.count() == 0


def test_what_cannot_be_undone_is_said() -> None:
    invoice, money = issue(), take(match=False)
    with pytest.raises(Moved) as nothing:
        receipts.unmatch(money, **acts())
    assert nothing.value.code == "not_matched"
    with pytest.raises(BadForm):
        receipts.reverse(money, why=" ", **acts())
    invoices.contest(invoice, why="short", **acts())
    with pytest.raises(BadForm):
        invoices.settle_contest(invoice, outcome="forgotten", **acts())
    assert Contest.objects.get().settled_on is None and not Receipt.objects.filter(reverses=money).exists()


def test_papers_of_another_account_cannot_be_chosen() -> None:
    foreign, money = issue("U", currency="USD"), take(match=False)
    with pytest.raises(BadForm):
        receipts.match(money, pairs=[(part(foreign).pk, D("1.00"))], **acts())


def test_unmatching_counts_from_today_and_money_is_never_applied_twice() -> None:
    invoice, money = issue(), take()
    receipts.unmatch(money, **acts())
    assert (part(invoice).settled, part(invoice).settled_on) == (D(0), None)
    assert [i.amount for i in owed.open_items(None, as_of=date(2026, 11, 23))] == []
    assert sorted(i.amount for i in owed.open_items(None, as_of=TODAY)) == [D("-1000.00"), D("1000.00")]
    [pair] = receipts.match(money, **acts())
    assert pair.on == TODAY
    assert part(invoice).settled_on == TODAY
    assert [i.amount for i in owed.open_items(None, as_of=date(2026, 11, 23))] == []


@pytest.mark.clause("A10")
def test_a_bounced_receipt_opens_what_it_paid(fi: Person) -> None:
    invoice, money = issue(), take()
    back = receipts.reverse(money, why="bounced", **acts(fi))
    assert (back.amount, back.reverses) == (D("-1000.00"), money)
    assert part(invoice).settled == 0
    assert balance().receivable == D("1000.00")
    assert [(i.document, i.amount) for i in owed.open_items(None, as_of=TODAY)] == [("S-1", D("1000.00"))]
    with pytest.raises(Moved):
        receipts.match(money, **acts(fi))
    with pytest.raises(Moved):
        receipts.reverse(money, why="again", **acts(fi))


def test_a_repayment_uses_up_a_credit_note() -> None:
    issue("CN-1", "-400.00", due_on=None)
    back = take("B-9", "-400.00")
    receipts.match(back, **acts())
    assert list(owed.open_items(None, as_of=TODAY)) == []
    assert balance().receivable == 0
    receipts.unmatch(back, **acts())
    assert settled() == {"CN-1": D(0)}


def test_matching_all_uses_credit_notes_first_then_money() -> None:
    take(amount="900.00")
    issue("CN-1", "-300.00", due_on=None)
    issue()
    receipts.match_all(acme(), **acts())
    assert settled() == {"S-1": D("1000.00"), "CN-1": D("-300.00")}
    assert Receipt.objects.get().applied == D("700.00")
    assert receipts.match_all(acme(), **acts()) == []


@pytest.mark.clause("A10")
@pytest.mark.parametrize("numbers", [("N2", "N2-R"), ("9" * 78 + "-1", "9" * 78 + "-2"), ("钱" * 79 + "-", "钱" * 80)])
def test_a_paper_is_reversed_although_the_number_of_its_reversal_is_taken(numbers: tuple[str, str]) -> None:
    sold, paid = [issue(each) for each in numbers], [take(each) for each in numbers]
    papers = [invoices.reverse(each, why="x", **acts()).doc_no for each in sold]
    money = [receipts.reverse(each, why="x", **acts()).doc_no for each in paid]
    assert papers == money and len({*papers, *numbers}) == 4
    assert all(len(each) <= 80 for each in papers)
    assert balance().receivable == 0
