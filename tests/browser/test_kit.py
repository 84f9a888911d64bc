"""Every component in a real browser, wide and on a phone, in both languages. TEST_PICTURES=folder keeps pictures."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shouxin.demo import load
from shouxin.lib.models import Once
from shouxin.office import clock
from tests.browser.conftest import PHONE, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.kit"), pytest.mark.django_db(transaction=True)]


def picture(page: Page, name: str) -> None:
    """Keep a picture where TEST_PICTURES says."""
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_kit_fits_its_window(visit: Any, size: tuple[int, int], language: str) -> None:
    page = visit("/_kit/", size, language)
    expect(page.locator(".chart-canvas svg")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    picture(page, f"kit-{language}-{size[0]}")
    assert page.locator("html").get_attribute("lang") == ("en" if language == "en" else "zh-Hans")


def test_nothing_is_left_untranslated_in_the_shell(visit: Any) -> None:
    page = visit("/_kit/")
    shell = (
        page.locator(".side").inner_text()
        + page.locator(".list-bar").inner_text()
        + page.locator(".pager").inner_text()
    )
    assert not re.search(r"[A-Za-z]{3,}", shell)


def test_amounts_switch_to_ten_thousands_and_stay_so(visit: Any) -> None:
    page = visit("/_kit/")
    cell = page.locator("tbody .amount").nth(1)
    before = cell.inner_text()
    page.locator("[data-unit='10000']").first.click()
    assert float(cell.inner_text().replace(",", "")) == pytest.approx(
        float(before.replace(",", "")) / 10_000, abs=0.005
    )
    assert cell.get_attribute("title") == before
    page.reload()
    assert cell.get_attribute("title") == before


def test_amounts_round_as_whole_cents(visit: Any) -> None:
    page = visit("/_kit/")
    shown = page.evaluate(
        """async () => {
             const shell = document.querySelector('script[type=module]').src;
             const { shown } = await import(shell.replace('shell', 'units'));
             const asked = [['9007199254740993.01', '1'], ['-49.99', '10000'], ['-0.5', '1'], ['50', '10000']];
             return asked.map(([amount, unit]) => shown(amount, unit));
           }"""
    )
    assert shown == ["9,007,199,254,740,993.01", "0.00", "−0.50", "0.01"]


def test_rows_are_walked_ticked_and_opened_by_keys(visit: Any) -> None:
    page = visit("/_kit/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator(".batch-count")).to_have_text("已选 1 项")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h1")).to_contain_text("有限公司")
    assert page.url.endswith("/_kit/")
    picture(page, "drawer")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).not_to_be_visible()


def test_a_whole_page_and_all_results_are_ticked(visit: Any) -> None:
    page = visit("/_kit/")
    expect(page.locator("[data-batch]")).not_to_be_visible()
    page.locator("[data-tick-all]").click()
    expect(page.locator(".batch-count")).to_have_text("已选 20 项")
    page.locator("[data-batch-all] input").click()
    expect(page.locator(".batch-count")).to_have_text("已选 57 项")


def test_columns_are_chosen_and_remembered(visit: Any) -> None:
    page = visit("/_kit/")
    page.locator(".columns-menu summary").click()
    page.locator(".columns-menu input").nth(0).uncheck()
    expect(page.locator("th[data-column=code]")).not_to_be_visible()
    page.reload()
    expect(page.locator("th[data-column=code]")).not_to_be_visible()
    expect(page.locator("tbody tr").first.locator("th, td").nth(3)).to_be_visible()


def test_a_customer_is_found_from_the_keyboard(visit: Any) -> None:
    page = visit("/_kit/", language="en")
    page.keyboard.press("/")
    page.keyboard.type("C0002")
    expect(page.locator(".suggestions [role=option]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/_kit/2/")


def test_keys_lead_to_pages_and_are_listed(visit: Any) -> None:
    page = visit("/_kit/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/customers/")


def test_a_reason_is_asked_for(visit: Any) -> None:
    page = visit("/_kit/")
    page.locator("[data-open=release]").click()
    expect(page.locator("#release textarea")).to_be_visible()
    picture(page, "confirm")
    page.locator("#release .box-foot .btn-primary").click()
    expect(page.locator("#release")).to_be_visible()


def test_a_running_job_is_looked_after(visit: Any) -> None:
    page = visit("/_kit/")
    expect(page.locator(".progress-box .state-green")).to_be_visible(timeout=5000)
    assert page.locator(".progress-box").get_attribute("hx-get") is None


def test_a_select_can_be_searched(visit: Any) -> None:
    page = visit("/_kit/")
    expect(page.locator(".ts-wrapper")).to_be_visible()


def test_the_menu_opens_on_a_phone(visit: Any) -> None:
    page = visit("/_kit/", PHONE)
    expect(page.locator(".side")).not_to_be_visible()
    page.locator(".menu-button").click()
    expect(page.locator(".side")).to_be_visible()
    page.wait_for_timeout(250)
    picture(page, "menu")
    page.mouse.click(380, 700)
    expect(page.locator(".side")).not_to_be_visible()


def test_the_page_works_without_scripts(visit: Any) -> None:
    page = visit("/_kit/", java_script_enabled=False)
    expect(page.locator("#release textarea")).to_be_visible()
    expect(page.locator(".batch button").first).to_be_visible()
    page.locator(".pager a[rel=next]").click()
    expect(page.locator(".pager")).to_contain_text("第 21–40 条")
    page.locator("thead a").first.click()
    expect(page.locator("thead th[aria-sort]")).to_have_attribute("aria-sort", "ascending")


def test_a_page_on_paper_has_no_menu_and_repeats_its_heads(visit: Any) -> None:
    page = visit("/_kit/")
    page.emulate_media(media="print")
    expect(page.locator(".side")).not_to_be_visible()
    expect(page.locator(".query")).not_to_be_visible()
    assert page.locator("thead").first.evaluate("e => getComputedStyle(e).display") == "table-header-group"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_door(visit: Any, size: tuple[int, int], language: str) -> None:
    Once.objects.create(name=load.MARK, at=clock.now())
    page = visit("/accounts/login/", size, language)
    expect(page.locator(".demo button").first).to_be_visible()
    picture(page, f"door-{language}-{size[0]}")
    page.locator("input[name=login]").first.fill("nobody")
    page.locator("input[name=password]").first.fill("wrong")
    page.locator(".door-box > form .btn-primary").click()
    expect(page.locator(".form-alert")).to_be_visible()
    picture(page, f"door-refused-{language}-{size[0]}")


def test_the_language_is_switched_at_the_door(visit: Any) -> None:
    page = visit("/accounts/login/")
    page.locator(".language button").click()
    expect(page.locator("h1")).to_have_text("Sign in")
