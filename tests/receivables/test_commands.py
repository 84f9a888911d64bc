"""`shouxin aging` and `shouxin proof`: what they print, and their exit codes."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shouxin.config import cli, terminal
from shouxin.credit.models import CreditAccount
from shouxin.office import clock

from .test_bulk import invoice, post, receipt, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(capsys: Any) -> Any:
    """Run a command: (exit code, what it printed, what it complained)."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(list(words))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def books() -> None:
    day = clock.today() - timedelta(days=40)
    post(invoice(dated_on=day, instalments=((1, day, Decimal("1000.00")),)))
    take(receipt(amount="400.00", received_on=clock.today()))


def test_aging_as_json(said: Any, books: None) -> None:
    code, out, _complaint = said("aging", "--json")
    [total] = json.loads(out)["totals"]
    assert (code, total["total"], total["buckets"][2]) == (0, "600.00", "600.00")
    past = json.loads(said("aging", "--json", "--as-of", str(clock.today() - timedelta(days=1)), "--by", "sales")[1])
    assert past["totals"][0]["total"] == "1000.00"


def test_aging_as_a_table(said: Any, books: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.console, "_width", 120)
    code, out, _complaint = said("aging", "--basis", "invoice")
    assert code == 0 and "600.00" in out


@pytest.mark.parametrize(
    "words", [("--by", "colour"), ("--basis", "moon"), ("--as-of", "yesterday"), ("--as-of", "2999-01-01")]
)
def test_bad_usage_is_one_line_and_exit_code_2(said: Any, words: tuple[str, ...]) -> None:
    code, out, complaint = said("aging", *words)
    assert (code, out, complaint.count("\n")) == (2, "", 1)


@pytest.mark.invariant("I-4")
def test_proof_is_0_on_honest_books_and_1_on_tampered_ones(said: Any, books: None) -> None:
    code, out, _complaint = said("proof", "--json")
    assert (code, json.loads(out)["difference"]) == (0, "0.00")
    CreditAccount.objects.update(receivable=0)
    code, out, _complaint = said("proof", "--json")
    [difference] = json.loads(out)["differences"]
    assert (code, difference["journal"], difference["balance"]) == (1, "600.00", "0.00")
    assert said("proof")[0] == 1


def test_a_day_before_anything_is_empty(said: Any, books: None) -> None:
    code, out, _complaint = said("aging", "--json", "--as-of", date(2020, 1, 1).isoformat())
    assert (code, json.loads(out)["rows"]) == (0, [])


@pytest.mark.invariant("I-7")
def test_a_parked_account_is_opened_again_by_a_person_once_the_books_agree(said: Any, books: None, cy: Any) -> None:
    account = CreditAccount.objects.get()
    true = account.receivable
    CreditAccount.objects.update(receivable=0)
    assert said("proof", "--json")[0] == terminal.NO
    words = ("unpark", account.customer.code, "--reason", "a posting made by hand was taken back")
    assert said(*words, "--by", "cy")[0] == terminal.BAD, "the difference is still there"
    CreditAccount.objects.update(receivable=true)
    assert said(*words)[0] == terminal.BAD, "the house itself is nobody"
    assert said(*words, "--by", "cy")[0] == 0
    assert not CreditAccount.objects.exclude(parked="").exists()
    code, _out, complaint = said(*words, "--by", "cy")
    assert code == terminal.BAD and account.customer.code in complaint
