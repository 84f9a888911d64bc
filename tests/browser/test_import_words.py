"""A real ledger handed in: its words translated and its rows left out on the page, on a desk and on a phone."""

import csv
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shouxin.lib.models import ImportRun
from shouxin.office import clock, policies
from shouxin.office.imports import runs
from shouxin.receivables.models import Invoice
from tests.shared_data import shared_data

from .conftest import PHONE, WIDE, session
from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _fits(page: Page, size: tuple[int, int]) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize(
    ("size", "language"),
    [pytest.param(WIDE, "zh-hans", id="wide, Chinese"), pytest.param(PHONE, "en", id="phone, English")],
)
def test_a_real_ledger_has_its_words_translated_and_its_rows_left_out(
    visit: Any, size: tuple[int, int], language: str
) -> None:
    policies.ensure()
    ledger = shared_data("ar_highradius", "open_items_with_original_columns.csv")
    with ledger.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if row["business_code"] == "CA02" and Decimal(row["total_open_amount"]) >= 1000]
    assert kept and {row["document type"] for row in kept} == {"RV"}, "the ledger has what this test is about"

    page = visit("/imports/", size, language, session("cy"))
    name = f"import-{language}-{size[0]}"
    page.locator("select[name=kind]").first.select_option("invoices")
    page.locator("input[name=file]").first.set_input_files(ledger)
    page.locator("form.form-card .btn-primary").click()
    page.locator("select[name='column:customer_code']").select_option(label="C · cust_number")
    page.locator("select[name='column:customer_name']").select_option(label="D · name_customer")
    page.locator("select[name='column:doc_no']").select_option(label="F · doc_id")
    page.locator("input[name='strip_decimal:doc_no']").check()
    page.locator("select[name='column:doc_date']").select_option(label="O · baseline_create_date")
    page.locator("select[name='column:amount']").select_option(label="N · total_open_amount")
    page.locator("select[name='column:kind']").select_option(label="L · document type")
    page.locator("select[name=unknown_customers]").select_option("create")
    page.locator("select[name=filter_column]").last.select_option(label="B · business_code")
    page.locator("select[name=filter_comparison]").last.select_option("is_not")
    page.locator("textarea[name=filter_value]").last.fill("CA02")
    page.locator("button[name=look]").click()

    expect(page.locator("select[name=filter_column]")).to_have_count(2)
    page.locator("select[name=filter_column]").last.select_option(label="N · total_open_amount")
    page.locator("select[name=filter_comparison]").last.select_option("below")
    page.locator("textarea[name=filter_value]").last.fill("1,000.00")
    page.locator("button[name=look]").click()
    expect(page.locator(".import-filters tbody tr")).to_have_count(3)
    elsewhere = sum(row["business_code"] != "CA02" for row in rows)
    told = page.locator(".import-filters tbody tr td.num").all_inner_texts()
    assert told[:2] == [str(elsewhere), str(len(rows) - elsewhere - len(kept))]
    _fits(page, size)
    picture(page, f"{name}-columns")

    button = page.locator("button[name=words][value=kind]")
    page.locator("details.import-words", has=button).locator("summary").click()
    button.click()
    expect(page.locator(".import-values tbody tr").first).to_contain_text("RV")
    page.locator("tr", has=page.locator("input[name=word][value=RV]")).locator("select").select_option("opening")
    page.locator("input[name=new_word]").first.fill("ZZ")
    _fits(page, size)
    page.locator("button[name=done]").click()
    expect(page.locator(".import-values .field-error").last).to_be_visible()
    assert page.locator("input[name=new_word]").first.input_value() == "ZZ", "what was typed is there to be mended"
    visit.wrongs.clear()  # a browser logs every answer of 422
    picture(page, f"{name}-words")
    page.locator("select[name=new_taken]").first.select_option("credit_note")
    page.locator("button[name=done]").click()

    expect(page.locator("button[name=start]")).to_be_visible()
    page.locator("button[name=start]").click()
    expect(page.locator(".progress-box")).to_be_visible()
    run = ImportRun.objects.get()
    runs.perform(run.pk, at=clock.now(), today=clock.today())
    expect(page.locator(".figure-card").first).to_be_visible(timeout=15_000)

    run.refresh_from_db()
    assert (run.accepted, run.refused) == (len(kept), 0)
    assert set(Invoice.objects.values_list("kind", flat=True)) == {"opening"}
    assert page.locator(".list-card td.num").first.inner_text().strip() == str(elsewhere)
    _fits(page, size)
    picture(page, f"{name}-result")
