"""Files of real companies, taken over with the map files that ship with the product."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount
from shouxin.customers.models import Customer, OtherName
from shouxin.lib import statements
from shouxin.lib.imports import kinds, mapfile, run
from shouxin.lib.imports.kinds import Conditions
from shouxin.office import policies, posts
from shouxin.receivables.models import Instalment, Invoice, Match
from tests.conftest import superuser
from tests.people import TODAY
from tests.shared_data import shared_data

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

Take = Callable[..., run.Result]


@pytest.fixture
def take(db: None, tmp_path: Path) -> Take:
    """Take a real file over with one of the example maps, as the command line does."""
    policies.ensure()

    def take(kind: str, example: str, *parts: str, **options: Any) -> run.Result:
        found = kinds.get(kind)
        conditions = Conditions(by=posts.system(), at=timezone.now(), today=TODAY, currency="CNY")
        mapping = mapfile.load(EXAMPLES / example, found)
        return run.take_over(
            shared_data(*parts), found, mapping, conditions, errors_path=tmp_path / "errors.xlsx", **options
        )

    return take


@pytest.mark.invariant("I-25")
def test_the_open_ledger_of_a_company_in_two_currencies(take: Take) -> None:
    taken = take("invoices", "highradius-open.yaml", "ar_highradius", "open_items_with_original_columns.csv")

    assert (taken.tally.rows, taken.tally.accepted, taken.tally.refused) == (9700, 9700, 0)
    assert Invoice.objects.count() == 9700
    assert Customer.objects.count() == 526, "664 codes, of which 138 are others with leading zeros"
    assert OtherName.objects.count() == 2074 - 526
    assert {
        row["currency"]: row["total"]
        for row in CreditAccount.objects.values("currency").annotate(total=Sum("receivable"))
    } == {"USD": Decimal("275113716.83"), "CAD": Decimal("44471009.08")}
    assert taken.tally.sums["CAD"]["accepted"] == taken.tally.sums["CAD"]["read"] == Decimal("44471009.08")

    again = take("invoices", "highradius-open.yaml", "ar_highradius", "open_items_with_original_columns.csv")

    assert (again.tally.accepted, again.tally.unchanged, again.tally.refused) == (0, 9700, 0)
    assert Invoice.objects.count() == 9700
    assert OtherName.objects.count() == 2074 - 526


def test_the_closed_ledger_becomes_a_payment_record(take: Take) -> None:
    taken = take("invoices", "highradius-closed.yaml", "ar_highradius", "closed_32000_RECONSTRUCTED.csv")

    assert (taken.tally.accepted, taken.tally.refused) == (32000, 0)
    assert not Instalment.objects.filter(settled_on=None).exists()
    assert Match.objects.count() == 32000
    assert CreditAccount.objects.aggregate(total=Sum("receivable"))["total"] == 0
    first = Instalment.objects.get(invoice__doc_no="H100043965-1")
    assert (first.due_on, first.settled_on, first.amount) == (date(2019, 1, 2), date(2019, 1, 3), Decimal("16635.40"))


def test_customers_meet_across_files_although_one_writes_leading_zeros(take: Take) -> None:
    taken = take("customers", "highradius-customers.yaml", "ar_highradius", "customers_DERIVED.csv")
    assert (taken.tally.accepted, taken.tally.refused) == (1036, 0)
    assert Customer.objects.get(code="200706844").name == "200706844"

    take("invoices", "highradius-open.yaml", "ar_highradius", "open_items_with_original_columns.csv")

    assert Customer.objects.count() == 1036, "no customer twice"
    assert Customer.objects.get(code="200706844").name.startswith("WINC")


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_a_vacuum_on_the_way_misleads_no_whole_import(
    take: Take, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that nobody has committed are none to a vacuum; the accounts are locked by their indexes all the same."""
    if not guarded:
        monkeypatch.setattr(statements, "count_on_indexes", lambda: None)

    def vacuum(done: int, _rows: int) -> None:
        if done <= 2000:
            with superuser(connection) as free:
                free.execute("VACUUM customers_customer, credit_creditaccount")

    options = {"atomic": True, "progress": vacuum}
    taken = take("invoices", "highradius-open.yaml", "ar_highradius", "open_items_with_original_columns.csv", **options)

    assert taken.tally.accepted == 9700
    everybody = "{" + ",".join(map(str, Customer.objects.values_list("pk", flat=True))) + "}"
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + exposure.LOCK, [everybody, everybody])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert ("Seq Scan" not in plan) is guarded, plan


def test_american_dates_and_codes_with_zeros(take: Take) -> None:
    taken = take("invoices", "ibm.yaml", "ar_ibm_late_payment", "WA_Fn-UseC_-Accounts-Receivable.csv")

    assert (taken.tally.accepted, taken.tally.refused) == (2466, 0)
    invoice = Invoice.objects.get(doc_no="0000611365")
    assert (invoice.customer.code, invoice.dated_on, invoice.due_on) == (
        "0379-NEVHP",
        date(2013, 1, 2),
        date(2013, 2, 1),
    )
    assert invoice.instalments.get().settled_on == date(2013, 1, 15)
