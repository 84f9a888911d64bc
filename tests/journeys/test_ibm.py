"""The sample ledger of 2,466 invoices, cut at a day: paid history before it, open items on it, disputes left alone."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pytest

from shouxin.collection.models import CustomerDay, Notice
from shouxin.receivables.models import Instalment
from tests.journeys.test_highradius import EXAMPLES, Shell, shouxin
from tests.shared_data import shared_data

__all__ = ["shouxin"]
DAY = date(2013, 6, 30)
LEDGER = shared_data("ar_ibm_late_payment", "WA_Fn-UseC_-Accounts-Receivable.csv")
pytestmark = pytest.mark.django_db


def day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a calendar day


def cut(path: Path, rows: Iterable[dict[str, str]], headings: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, headings)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.clause("C3.5", "C3.6")
def test_disputed_items_are_left_out_of_dunning(shouxin: Shell, tmp_path: Path) -> None:
    with (shared_data("ar_ibm_late_payment") / "WA_Fn-UseC_-Accounts-Receivable.csv").open(
        encoding="utf-8-sig"
    ) as file:
        reader = csv.DictReader(file)
        rows, headings = list(reader), list(reader.fieldnames or [])
    assert len(rows) == 2466
    paid = [row for row in rows if day(row["SettledDate"]) <= DAY]
    still = [row for row in rows if day(row["InvoiceDate"]) <= DAY < day(row["SettledDate"])]
    disputed = [row for row in still if row["Disputed"] == "Yes"]
    assert (len(paid), len(still), len(disputed)) == (1846, 84, 27)

    shouxin("fx", "put", "USD", "6.18", "--from", "2012-01-01", "--source", "walk-through")
    for name, part, mapping in (("paid", paid, "ibm.yaml"), ("open", still, "ibm-open.yaml")):
        path = cut(tmp_path / f"{name}.csv", part, headings)
        taken = shouxin("import", "invoices", path, "--map", EXAMPLES / mapping, "--json")
        assert (taken["accepted"], taken["refused"]) == (len(part), 0)
    assert Instalment.objects.filter(contested__gt=0).count() == len(disputed)

    shouxin("day", "--as-of", DAY, "--json")
    told = [item for notice in Notice.objects.all() for item in notice.items]
    numbers = {row["invoiceNumber"] for row in disputed}
    assert {item["claimed"] for item in told if item["document"] in numbers} <= {"0.00"}
    assert {item["document"] for item in told} - numbers
    only_disputes = {row["customerID"] for row in disputed} - {
        row["customerID"] for row in still if row not in disputed
    }
    assert not CustomerDay.objects.filter(customer__code__in=only_disputes, stage__gte=1).exists()
