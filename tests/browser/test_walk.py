"""The walk on a real ledger, by browser alone: files with their maps, ageing, ratings, lines, checks, round, proof.

Twelve customers of the ledger, whole: what is cut away is other customers, never a paper of theirs.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.collection import jobs
from shouxin.collection.models import CustomerDay, Notice
from shouxin.credit.models import Line, Rating
from shouxin.lib.models import ImportRun
from shouxin.office import policies
from shouxin.receivables.models import Invoice
from tests.journeys.test_highradius import BEFORE, DAY, EXAMPLES
from tests.shared_data import shared_data

from .test_kit import picture
from .test_main_path import sign_in, take_over

__all__ = ["sign_in"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAID_UP, LATE = "100000582", "100000222"
"""One with a line of 2,000 yuan who owes nothing on the day, one with a line whose oldest debt is 55 days late."""
CUSTOMERS = 12
FILES = (
    ("customers", "customers_DERIVED.csv", "highradius-customers.yaml", "cust_number_nozeros"),
    ("invoices", "closed_32000_RECONSTRUCTED.csv", "highradius-closed.yaml", "cust_number"),
    ("invoices", "open_items_with_original_columns.csv", "highradius-open.yaml", "cust_number"),
)


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of one file of the ledger."""
    with shared_data("ar_highradius", name).open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three files, cut down to two customers known by name and ten who have a history and an ordinary debt."""
    opened = [row["cust_number"].lstrip("0") for row in rows_of(FILES[2][1])]
    paid = {row["cust_number"].lstrip("0") for row in rows_of(FILES[1][1])}
    ranked = sorted(paid & set(opened), key=lambda code: (opened.count(code), code))
    others = [code for code in ranked[len(ranked) // 2 :] if code != LATE]
    chosen = {PAID_UP, LATE, *others[: CUSTOMERS - 2]}
    folder = tmp_path_factory.mktemp("ledger")
    for _kind, name, _map, code in FILES:
        rows = [row for row in rows_of(name) if row[code].lstrip("0") in chosen]
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def hand_in(page: Page, kind: str, file: Path, mapping: Path | None = None) -> ImportRun:
    """Upload a file with its map; wait for the preview, start it, and see it done."""
    page.locator(".side a[href='/imports/']").click()
    page.locator("select[name=kind]").first.select_option(kind)
    page.locator("input[name=file]").first.set_input_files(file)
    if mapping:
        page.locator("input[name=map_file]").set_input_files(mapping)
    page.locator("form.form-card .btn-primary").click()
    expect(page.locator("button[name=start]")).to_be_visible()
    run = ImportRun.objects.latest("pk")
    take_over(page, run)
    run.refresh_from_db()
    return run


def enter_rate(page: Page, currency: str, rate: str) -> None:
    """What one unit is worth, from before the ledger begins."""
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/office/policy/rates/")
    field = page.locator("input[name=rate]")
    if not field.is_visible():
        page.locator("details.fold > summary").click()
    page.locator("[name=currency]").first.fill(currency)
    field.fill(rate)
    page.locator("[name=since]").fill("2019-01-01")
    page.locator("[name=source]").fill("central bank")
    page.locator("details.fold .btn-primary").click()
    expect(page.locator(".ledger tbody").get_by_text(currency, exact=True)).to_be_visible()


def ask(page: Page, code: str, amount: str) -> str:
    """Ask the desk as of the day; answers the codes of its reasons."""
    page.locator(".side a[href='/orders/check/']").click()
    page.locator("#id_customer").fill(code)
    page.locator("#id_amount").fill(amount)
    page.locator("#id_as_of").fill(DAY)
    page.locator("button[value=ask]").click()
    expect(page.locator("#answer .verdict")).to_contain_text(amount)
    return " ".join(page.locator(".verdict .reason code").all_inner_texts())


@pytest.mark.clause("A6", "B2.1", "C3.5", "C3.6")
def test_the_walk_by_browser_alone(
    sign_in: Callable[[str, str, str], Page],
    ledger: Path,
    tmp_path: Path,
) -> None:
    policies.ensure()
    cy = sign_in("cy", "en", "Sign in")
    for currency, rate in (("USD", "7.10"), ("CAD", "5.08")):
        enter_rate(cy, currency, rate)

    # The files, each with its map; the open items once more.
    for kind, name, mapping, _code in FILES:
        run = hand_in(cy, kind, ledger / name, EXAMPLES / mapping)
        assert (run.state, run.accepted, run.refused) == ("done", run.rows, 0)
        assert run.rows > 0
    before = Invoice.objects.count()
    again = hand_in(cy, "invoices", ledger / FILES[2][1], EXAMPLES / FILES[2][2])
    assert (again.accepted, again.unchanged, Invoice.objects.count()) == (0, again.rows, before)

    # How old it is on the day, tied to the ledger, down to the items.
    cy.goto(cy.url.split("/imports")[0] + f"/receivables/aging/?as_of={DAY}&currency=USD")
    expect(cy.locator(".tie")).to_contain_text("Ties to the ledger")
    picture(cy, "walk-aging")

    # Everybody rated before the trouble; the lines suggested come as a file, and who may sign them hands it in.
    cy.goto(cy.url.split("/receivables")[0] + "/credit/rate/")
    cy.locator("#as-of").fill(BEFORE)
    cy.locator("#as-of ~ .btn-primary").click()
    with cy.expect_download() as download:
        cy.get_by_role("link", name="Suggested lines (.csv)").click()
    suggested = tmp_path / "lines.csv"
    download.value.save_as(suggested)
    assert Rating.objects.count() == CUSTOMERS
    le = sign_in("le", "en", "Sign in")
    assert hand_in(le, "lines", suggested).accepted == CUSTOMERS == Line.objects.count()

    # May it ship, as of the day? What holds it is told by its code.
    assert ask(cy, PAID_UP, "100.00") == ""
    assert ask(cy, PAID_UP, "1,000.00") == "limit_exceeded"
    assert "overdue_days" in ask(cy, LATE, "100.00")
    picture(cy, "walk-check")

    # The round of the day, by the button and the worker; then the proof.
    cy.locator(".side a[href='/collection/round/']").click()
    cy.locator("details > summary", has_text="Run an earlier day").click()
    cy.locator("#as-of").fill(DAY)
    cy.get_by_role("button", name="Run the day").click()
    expect(cy.locator(".progress-box")).to_be_visible()
    job = ProcrastinateJob.objects.get(task_name=jobs.run_day.name)
    ProcrastinateJob.objects.filter(pk=job.pk).delete()
    jobs.run_day(**job.args)
    expect(cy.locator(".steps-bar")).to_be_visible(timeout=15_000)
    assert CustomerDay.objects.filter(day__as_of=DAY).exists()
    assert Notice.objects.exists()
    cy.locator(".side a[href='/receivables/proof/']").click()
    cy.locator("main .btn-primary").click()
    expect(cy.locator(".figure-card .figure-value").first).to_have_text("0.00")
    picture(cy, "walk-proof")
