"""Whatever is done to the papers, in any order: balance, journal, papers and report agree, on every day."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shouxin.office.refusals import Refusal
from shouxin.receivables import aging, invoices, owed, proof, receipts
from shouxin.receivables.models import Instalment, Invoice, Match, Receipt
from tests.people import TODAY, acme

DAY = timedelta(days=1)
Numbers = tuple[int, int, int]
DONE: Counter[str] = Counter()


class Books:
    """Acme's ledger, moved by three numbers a step: each verb reads from them which paper, how much, what day."""

    def __init__(self) -> None:
        self.customer, self.number, self.today = acme(), 0, TODAY

    def acts(self) -> dict[str, Any]:
        return {"today": self.today, "at": timezone.now(), "by": None}

    def new(self, numbers: Numbers) -> dict[str, Any]:
        """Number, amount, currency of a paper; one in four is negative, one in five in dollars."""
        first, second, third = numbers
        self.number += 1
        amount = Decimal(first + 1) / 100 * (-1 if second % 4 == 0 else 1)
        return {"doc_no": f"N{self.number}", "amount": amount, "currency": "USD" if third % 5 == 0 else "CNY"}

    def issue(self, numbers: Numbers) -> None:
        day = TODAY - (numbers[1] % 90) * DAY
        due = day + (numbers[2] % 60) * DAY if numbers[2] % 7 else None
        invoices.issue(self.customer, dated_on=day, due_on=due, **self.new(numbers), **self.acts())

    def issue_in_two(self, numbers: Numbers) -> None:
        day, paper = TODAY - (numbers[1] % 90) * DAY, self.new(numbers)
        first = (paper["amount"] / 2).quantize(Decimal("0.01"))
        if first and first != paper["amount"]:
            parts = ((1, day, first), (2, day + 30 * DAY, paper["amount"] - first))
            invoices.issue(self.customer, dated_on=day, instalments=parts, **paper, **self.acts())

    def take(self, numbers: Numbers) -> None:
        day = TODAY - (numbers[2] % 90) * DAY
        receipts.take(self.customer, received_on=day, match=bool(numbers[0] % 3), **self.new(numbers), **self.acts())

    def match_all(self, numbers: Numbers) -> None:
        receipts.match_all(self.customer, **self.acts())

    def contest(self, numbers: Numbers) -> None:
        invoice = self.invoice(numbers[0])
        share = (abs(invoice.amount) * (numbers[1] % 120) / 100).quantize(Decimal("0.01"))
        invoices.contest(invoice, why="x", amount=share, **self.acts())

    def settle_contest(self, numbers: Numbers) -> None:
        contested = Invoice.objects.filter(instalments__contests__settled_on=None, instalments__contests__isnull=False)
        outcome = ("upheld", "rejected", "withdrawn")[numbers[1] % 3]
        invoices.settle_contest(contested.first() or self.invoice(0), outcome=outcome, **self.acts())

    def apply_credit(self, numbers: Numbers) -> None:
        notes = Invoice.objects.filter(amount__lt=0).order_by("pk")
        invoices.apply_credit(notes[numbers[0] % max(1, notes.count())], **self.acts())

    def reverse_invoice(self, numbers: Numbers) -> None:
        invoices.reverse(self.invoice(numbers[0]), why="x", **self.acts())

    def match(self, numbers: Numbers) -> None:
        receipts.match(self.receipt(numbers[0]), **self.acts())

    def match_by_hand(self, numbers: Numbers) -> None:
        money = Receipt.objects.filter(amount__gt=F("applied")).order_by("pk")
        receipt = money[numbers[0] % max(1, money.count())]
        parts = Instalment.objects.filter(amount__gt=F("settled"), invoice__account=receipt.account_id).order_by("pk")
        part = parts[numbers[1] % max(1, parts.count())]
        most = min(part.amount - part.settled, receipt.amount - receipt.applied)
        amount = (most * (numbers[2] % 110) / 100).quantize(Decimal("0.01"))
        receipts.match(receipt, pairs=[(part.pk, amount)], **self.acts())

    def unmatch(self, numbers: Numbers) -> None:
        matched = Receipt.objects.exclude(applied=0).order_by("pk")
        receipts.unmatch(matched[numbers[0] % max(1, matched.count())], **self.acts())

    def reverse_receipt(self, numbers: Numbers) -> None:
        receipts.reverse(self.receipt(numbers[0]), why="x", **self.acts())

    def days_pass(self, numbers: Numbers) -> None:
        self.today += (1 + numbers[0] % 20) * DAY

    def invoice(self, number: int) -> Invoice:
        return Invoice.objects.order_by("pk")[number % Invoice.objects.count()]

    def receipt(self, number: int) -> Receipt:
        return Receipt.objects.order_by("pk")[number % Receipt.objects.count()]

    def do(self, verb: str, numbers: Numbers) -> None:
        """One step; a refused one must leave everything as it was, which the checks will say."""
        step: Callable[[Numbers], None] = getattr(self, verb)
        try:
            with transaction.atomic():
                step(numbers)
        except (Refusal, IndexError):
            return
        DONE[verb] += 1


VERBS = [
    "issue",
    "issue_in_two",
    "take",
    "match_all",
    "contest",
    "settle_contest",
    "apply_credit",
    "reverse_invoice",
    "match",
    "match_by_hand",
    "unmatch",
    "reverse_receipt",
    "days_pass",
]
RARE = {"apply_credit", "match_by_hand", "unmatch"}
"""Verbs for which a walk's papers may offer nothing; they have tests of their own."""
numbers = st.tuples(*[st.integers(0, 100_000)] * 3)
steps = st.lists(st.tuples(st.sampled_from(VERBS), numbers), min_size=15, max_size=25)
beginning = st.tuples(numbers, numbers, numbers, numbers)


def agree(books: Books) -> None:
    """Balance, journal, papers; the report and the ledger on days past and present; the order check's fast answer."""
    assert proof.differences() == []
    for day in (TODAY - 45 * DAY, TODAY, books.today):
        assert aging.report(as_of=day, up_to=(30, 60), seen_by=None, today=books.today).ties, day
    nothing_applied_twice()
    _days, amounts = owed.overdue_of([books.customer.pk], today=books.today).get(books.customer.pk, (0, {}))
    assert amounts == overdue_by_the_rule(books)


def nothing_applied_twice() -> None:
    """On no day is more of a receipt applied, or more of an instalment settled, than there is."""
    matches = list(Match.objects.all())
    for day in sorted({match.on for match in matches}):
        until = [match for match in matches if match.on <= day]
        for receipt in Receipt.objects.all():
            applied = total(m.amount for m in until if m.receipt_id == receipt.pk)
            assert min(0, receipt.amount) <= applied <= max(0, receipt.amount), (day, receipt.doc_no)
        for part in Instalment.objects.all():
            settled = total(m.amount for m in until if m.instalment_id == part.pk)
            settled -= total(m.amount for m in until if m.credit_id == part.pk)
            assert min(0, part.amount) <= settled <= max(0, part.amount), (day, part.pk)


def overdue_by_the_rule(books: Books) -> dict[str, Decimal]:
    """Currency -> overdue, from the open items; a repayment is no paper that falls due."""
    papers = set(Invoice.objects.values_list("doc_no", flat=True))
    overdue: Counter[str] = Counter()
    for item in owed.open_items([books.customer.pk], as_of=books.today):
        if item.document in papers and item.overdue_days(books.today) > 0:
            overdue[item.currency] += item.uncontested  # type: ignore[assignment]
    return {currency: Decimal(amount) for currency, amount in overdue.items() if amount}


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


@pytest.mark.invariant("I-3")
@pytest.mark.invariant("I-4")
@pytest.mark.clause("A10")
@pytest.mark.django_db
def test_value_is_conserved_whatever_is_done() -> None:
    DONE.clear()

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )
    @given(beginning, steps)
    def walk(first: tuple[Numbers, ...], then: list[tuple[str, Numbers]]) -> None:
        with transaction.atomic():
            books = Books()
            for verb, each in zip(("issue", "issue_in_two", "take", "take"), first, strict=True):
                books.do(verb, each)
            for verb, each in then:
                books.do(verb, each)
                if verb in ("unmatch", "reverse_invoice", "reverse_receipt"):
                    books.do("match_all", each)
            agree(books)
            transaction.set_rollback(True)

    walk()
    missed = set(VERBS) - set(DONE) - RARE
    assert not missed, f"the walk never did {missed}"


@pytest.mark.django_db
def test_money_that_is_freed_is_not_spent_on_the_days_before() -> None:
    books = Books()
    acts = books.acts()
    common: dict[str, Any] = {"currency": "CNY", **acts}
    day = TODAY - 30 * DAY
    for number in ("A", "B"):
        invoices.issue(books.customer, doc_no=number, amount=Decimal(100), dated_on=day, due_on=day, **common)
    paid = date(2026, 11, 1)
    money = receipts.take(books.customer, doc_no="R", amount=Decimal(100), received_on=paid, names=("A",), **common)
    receipts.unmatch(money, **acts)
    other = Instalment.objects.get(invoice__doc_no="B")
    receipts.match(money, pairs=[(other.pk, Decimal(100))], **acts)
    agree(books)
