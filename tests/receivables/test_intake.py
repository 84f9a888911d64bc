"""Plain papers by the block enter the same books as papers read one by one, and are found there again (I-3, I-25)."""

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from shouxin.credit.models import CreditAccount, Posting, Reservation
from shouxin.lib.imports import kinds, run
from shouxin.lib.imports.kinds import Conditions
from shouxin.lib.imports.mapping import Mapping
from shouxin.office import policies, posts
from shouxin.office.models import TrailEntry
from shouxin.receivables import bulk, plain, proof
from shouxin.receivables.models import Contest, Instalment, Invoice, Match, Receipt
from tests.people import TODAY, acme

pytestmark = pytest.mark.django_db(transaction=True)

HEADING = (
    "customer code,doc no,kind,document date,due date,amount,open amount,settled,settled on,currency,disputed,"
    "instalment,order no,description"
)
LONG = "INV" + "7" * 77


@pytest.fixture(autouse=True)
def house() -> None:
    policies.ensure()
    acme()
    acme(code="C002", name="another")


def _row(chance: random.Random, number: int) -> str:
    """A row as ledgers have them: mostly plain, some paid, some disputed, some that must be refused."""
    dated = date(2026, 1, 1) + timedelta(chance.randrange(200))
    amount = chance.choice(["100.00", "0.01", "-30.00", "9999999999999.99", "12.34"])
    doc_no = chance.choice(
        [f"N{number}", f"N{number}", f"N{number}", f"N{number // 2}", f"R{number % 9}", f"{LONG[:-5]}{number:05d}"]
    )
    open_part, settled, on = chance.choice(
        [("", "", ""), ("", "", ""), ("0.01", "", ""), ("", "0.01", ""), ("", "", "2026-08-01"), ("5", "1", "")]
    )
    cells = [
        chance.choice(["C001", "C002", "C009"]), doc_no, chance.choice(["", "发票", "红字发票", "期初"]),
        dated.isoformat(), chance.choice(["", (dated + timedelta(30)).isoformat(), "2025-12-31"]), amount, open_part,
        settled, on, chance.choice(["CNY", "CNY", "USD", ""]), chance.choice(["", "", "", "是"]),
        chance.choice(["", "1", "2", "40000"]), chance.choice(["", "", "SO-1"]), chance.choice(["", "a\\b", "文字"]),
    ]  # fmt: skip
    return ",".join(cells)


def _file(folder: Path, seed: int, rows: int = 120) -> Path:
    chance = random.Random(seed)
    path = folder / f"{seed}.csv"
    path.write_text("\n".join([HEADING, *(_row(chance, number) for number in range(rows))]), encoding="utf-8")
    return path


def _take(path: Path) -> run.Result:
    conditions = Conditions(by=posts.system(), at=timezone.now(), today=TODAY, currency="CNY", source_system="u8")
    errors = path.with_suffix(".errors.xlsx")
    return run.take_over(path, kinds.get("invoices"), Mapping(), conditions, errors_path=errors)


def _books() -> dict[str, Counter[Any]]:
    """Everything a delivery leaves behind, without the ids and moments that differ between any two."""
    paper, part = ("customer__code", "source_system", "doc_no"), "instalment__invoice__doc_no"
    kept: dict[str, Any] = {
        "invoices": Invoice.objects.values_list(
            *paper, "account__currency", "kind", "dated_on", "due_on", "amount", "order_no", "description", "by"
        ),
        "instalments": Instalment.objects.values_list(
            "invoice__doc_no", "customer__code", "number", "due_on", "amount", "settled", "contested", "settled_on"
        ),
        "receipts": Receipt.objects.values_list(
            *paper, "received_on", "amount", "currency", "payer", "names__0", "applied", "by"
        ),
        "matches": Match.objects.values_list(part, "receipt__doc_no", "amount", "on", "by"),
        "contests": Contest.objects.values_list(part, "amount", "since"),
        "postings": Posting.objects.values_list(
            "account__customer__code", "account__currency", "source", "target", "amount", "document", "on", "by"
        ),
        "balances": CreditAccount.objects.values_list("customer__code", "currency", *CreditAccount.BUCKETS),
    }
    return {name: Counter(rows) for name, rows in kept.items()}


def _answers(result: run.Result) -> Any:
    return result.tally.as_json(), [(fault.row, fault.code, dict(fault.params)) for fault in result.faults]


class _Back(Exception):
    pass


def _tried(path: Path) -> tuple[Any, dict[str, Counter[Any]]]:
    """What a delivery would answer and leave behind; it is taken back."""
    found: list[Any] = []
    try:
        with transaction.atomic():
            answers = _answers(_take(path))
            found = [answers, _books()]
            raise _Back
    except _Back:
        return found[0], found[1]


@pytest.mark.invariant("I-3")
@pytest.mark.parametrize("seed", range(8))
def test_by_the_block_and_one_by_one_leave_the_same_books(seed: int, tmp_path: Path, monkeypatch: Any) -> None:
    path = _file(tmp_path, seed)
    fast = _tried(path)
    assert fast[0][0]["accepted"] > 10 and fast[0][0]["refused"] > 10

    monkeypatch.setattr(plain, "papers_of", lambda rows, found: ({}, []))
    slow = _tried(path)

    assert fast == slow


@pytest.mark.invariant("I-25")
@pytest.mark.parametrize("seed", range(3))
def test_a_second_delivery_of_anything_changes_nothing(seed: int, tmp_path: Path) -> None:
    path = _file(tmp_path, seed)
    first = _take(path)
    before, lines = _books(), TrailEntry.objects.count()

    again = _take(path)

    assert again.tally.accepted == 0 and again.tally.unchanged >= first.tally.accepted
    assert _books() == before and TrailEntry.objects.count() == lines
    assert proof.differences() == []


@pytest.mark.invariant("I-25")
def test_a_changed_day_a_changed_part_and_a_larger_payment_are_refused(tmp_path: Path) -> None:
    rows = [f"C001,N{number},,2026-01-05,2026-02-04,100,,,,CNY,,,," for number in range(6)]
    path = tmp_path / "one.csv"
    path.write_text("\n".join([HEADING, *rows]), encoding="utf-8")
    assert _take(path).tally.accepted == 6
    rows[0] = rows[0].replace("2026-02-04", "2026-02-05")
    rows[1] = rows[1].replace("100,,,,", "100,,40,,")
    rows[2] = rows[2].replace(",,2026-01-05", ",,2026-01-06")
    rows[3] = rows[3].replace("CNY,,,,", "CNY,,2,,")
    path.write_text("\n".join([HEADING, *rows]), encoding="utf-8")

    found = _take(path)

    assert (found.tally.accepted, found.tally.unchanged) == (0, 2)
    assert [(fault.row, fault.code) for fault in found.faults] == [
        (2, "number_taken"), (3, "settled_more"), (4, "number_taken"), (5, "number_taken"),
    ]  # fmt: skip
    assert proof.differences() == []


@pytest.mark.invariant("I-5")
def test_papers_that_bill_an_open_order_are_left_to_those_who_can(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("客户编码,订单号,未发货金额\nC001,SO-1,300\n", encoding="utf-8")
    conditions = Conditions(by=posts.system(), at=timezone.now(), today=TODAY, currency="CNY")
    run.take_over(orders, kinds.get("orders"), Mapping(), conditions, errors_path=tmp_path / "e.xlsx")
    path = tmp_path / "one.csv"
    rows = ["C001,N1,,2026-01-05,,100,,,,CNY,,,SO-1,", "C001,N2,,2026-01-05,,10,,,,CNY,,,SO-2,"]
    path.write_text("\n".join([HEADING, *rows, rows[1].replace("N2", "N3")]), encoding="utf-8")

    assert _take(path).tally.accepted == 3

    account = CreditAccount.objects.get()
    assert (account.undelivered, account.receivable) == (200, 120)
    assert Reservation.objects.get().billed == 100


def test_the_numbers_of_derived_receipts_are_those_of_the_rows(tmp_path: Path) -> None:
    rows = [f"C001,{LONG},,2026-01-05,,100,,,2026-03-01,CNY,,,,", "C001,S,,2026-01-05,,100,,40,,CNY,,,,"]
    path = tmp_path / "one.csv"
    path.write_text("\n".join([HEADING, *rows]), encoding="utf-8")
    _take(path)

    for invoice, on in ((LONG, date(2026, 3, 1)), ("S", None)):
        row = bulk.InvoiceRow(0, "u8", invoice, "invoice", TODAY, (), bulk.ZERO, "CNY", settled_on=on)
        assert Receipt.objects.filter(doc_no=bulk.settlement_doc_no(row)).count() == 1
