"""The main job on a real ledger, by command line: from a company's files to "may it ship" and to a downgrade.

The ledger: 1,036 customers, 32,000 closed invoices as paid history, 9,700 open items in two currencies, as of
2020-05-22. The walk-through in the docs repeats these steps and states these numbers.
"""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shouxin.collection.models import CustomerDay, Notice
from shouxin.config import cli
from shouxin.credit.models import Line
from shouxin.receivables.models import Invoice
from tests.shared_data import shared_data

EXAMPLES = Path(__file__).parents[2] / "examples"
BEFORE, DAY = "2020-03-01", "2020-05-22"
pytestmark = pytest.mark.django_db


class Shell:
    """Runs `shouxin …` and reads the JSON it prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: object, code: int = 0) -> Any:
        self.capsys.readouterr()
        assert cli.run([str(word) for word in words]) == code, self.capsys.readouterr().err
        printed = self.capsys.readouterr().out
        return json.loads(printed) if printed.startswith(("{", "[")) else printed


@pytest.fixture
def shouxin(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.mark.clause("A6", "B2.1", "B2.5", "C3.4", "C3.5", "C3.6")
@pytest.mark.invariant("I-4", "I-25")
def test_from_the_files_to_the_decision_and_the_downgrade(shouxin: Shell, tmp_path: Path) -> None:
    ledger = shared_data("ar_highradius")
    for currency, rate in (("USD", "7.10"), ("CAD", "5.08")):
        shouxin("fx", "put", currency, rate, "--from", "2019-01-01", "--source", "walk-through")

    # 1. The files, each once and once more.
    files = (
        ("customers", "customers_DERIVED.csv", "highradius-customers.yaml", 1036),
        ("invoices", "closed_32000_RECONSTRUCTED.csv", "highradius-closed.yaml", 32000),
        ("invoices", "open_items_with_original_columns.csv", "highradius-open.yaml", 9700),
    )
    for kind, name, mapping, rows in files:
        taken = shouxin("import", kind, ledger / name, "--map", EXAMPLES / mapping, "--json")
        assert (taken["accepted"], taken["refused"]) == (rows, 0)
    again = shouxin("import", "invoices", ledger / files[2][1], "--map", EXAMPLES / files[2][2], "--json")
    assert (again["accepted"], again["unchanged"]) == (0, 9700)
    assert Invoice.objects.count() == 41700

    # 2. What is owed, how old, by currency.
    aging = {row["currency"]: row for row in shouxin("aging", "--as-of", DAY, "--json")["totals"]}
    assert (aging["USD"]["total"], aging["CAD"]["total"]) == ("275113716.83", "44471009.08")
    assert (aging["USD"]["overdue"], aging["CAD"]["overdue"]) == ("264984842.28", "43839339.52")

    # 3. Everybody rated before the trouble, with a suggested line; the suggestions signed by importing them.
    lines = tmp_path / "lines.csv"
    rated = shouxin("rate", "--as-of", BEFORE, "--lines-to", lines, "--json")
    grades = Counter(each["grading"]["grade"] for each in rated)
    assert grades == {"C": 339, "D": 697}
    assert shouxin("import", "lines", lines, "--json")["refused"] == 0
    assert Line.objects.count() == 1036

    # 4. May it ship? One passes, one is over the limit, one meets overdue debt.
    passes, overdue = good_and_overdue()
    limit = passes.limit
    assert limit is not None
    ok = shouxin("check", passes.customer.code, "1000.00", "--currency", "CNY", "--as-of", DAY, "--json")
    assert ok["outcome"] == "approve"
    over = shouxin("check", passes.customer.code, limit + 1, "--currency", "CNY", "--as-of", DAY, "--json", code=1)
    assert [reason["code"] for reason in over["reasons"]] == ["limit_exceeded"]
    held = shouxin("check", overdue.customer.code, "1.00", "--currency", "CNY", "--as-of", DAY, "--json", code=1)
    assert "overdue_days" in [reason["code"] for reason in held["reasons"]]

    # 5. The daily run: notices, downgrades; running it twice changes nothing; the proof at 0.00.
    shouxin("day", "--as-of", DAY, "--json")
    notices, downgraded = Notice.objects.count(), Line.objects.filter(cause="downgrade").count()
    assert (notices, downgraded) == (514, 121)
    state = list(CustomerDay.objects.order_by("pk").values())
    shouxin("day", "--as-of", DAY, "--json")
    assert (Notice.objects.count(), list(CustomerDay.objects.order_by("pk").values())) == (notices, state)
    assert Decimal(shouxin("proof", "--json")["difference"]) == 0


def good_and_overdue() -> tuple[Line, Line]:
    """A line with room and no debt, and one of a customer that owes since long."""
    with_credit = Line.objects.filter(limit_kind="amount").select_related("customer").order_by("-limit")
    owing = Invoice.objects.filter(instalments__settled=0)
    late = set(owing.filter(instalments__due_on__lt=date(2020, 4, 22)).values_list("customer", flat=True))
    debtors = set(owing.values_list("customer", flat=True))
    good = next(line for line in with_credit if line.customer_id not in debtors)
    worst = next(line for line in with_credit if line.customer_id in late)
    assert good.since == date.fromisoformat(BEFORE)
    return good, worst
