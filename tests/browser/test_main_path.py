"""The main path as people walk it: files handed in, a rating, a line signed, orders checked, one held and released."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Page, expect

from shouxin.credit.models import Line, Reservation
from shouxin.lib.models import ImportRun
from shouxin.office import clock, policies
from shouxin.office.imports import runs
from tests.people import member

from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long walk with Acme"
CUSTOMER = "上海艾克米机械有限公司"
CHINESE = {
    "sign in": "登录",
    "score sheet": "评分明细",
    "own request": "该额度由您本人申请，须由他人签批",
    "signed": "已批准",
    "in force": "生效中",
    "reserved": "可以发货，额度已预占",
    "held": "冻结",
    "why": "加上本单，该客户将占用 150,000.00 CNY，超过授信额度 90,000.00 CNY。",
    "cure": "将额度调增至 150,000.00 CNY，或增加临时额度",
    "released": "已放行：订单 SO-2 已预占额度。",
}
ENGLISH = {
    "sign in": "Sign in",
    "score sheet": "Score sheet",
    "own request": "You asked for this line yourself",
    "signed": "Approved",
    "in force": "In force",
    "reserved": "May ship: reserved",
    "held": "On hold",
    "why": "With this order the customer would owe 150,000.00 CNY; its limit is 90,000.00 CNY.",
    "cure": "raise the limit to 150,000.00 CNY, or add a temporary limit",
    "released": "Released: order SO-2 is reserved.",
}


def customers_file(folder: Path) -> Path:
    """Two customers, as accounting programs write them."""
    path = folder / "往来单位.csv"
    rows = [
        "客户编码,客户名称,地区,业务员,部门",
        f"C001,{CUSTOMER},上海,Ann,华东",
        "C002,苏州贝塔电子有限公司,苏州,Ann,华东",
    ]
    path.write_bytes("\r\n".join(rows).encode("gb18030"))
    return path


def invoices_file(folder: Path) -> Path:
    """50,000.00 that Acme owes, and an amount with a tenth of a cent."""
    today = clock.today()
    dated, due = today - timedelta(days=20), today + timedelta(days=10)
    rows = [
        "客户编码,单据编号,单据日期,到期日,应收金额,币种",
        f"C001,F-1,{dated},{due},20000.00,人民币",
        f"C001,F-2,{dated},{due},30000.00,人民币",
        f"C002,F-3,{dated},{due},1.234,人民币",
    ]
    path = folder / "应收明细.csv"
    path.write_bytes("\r\n".join(rows).encode("gb18030"))
    return path


def hand_in(page: Page, kind: str, file: Path) -> ImportRun:
    """Upload a file; the page then shows its columns and the preview."""
    page.locator(".side a[href='/imports/']").click()
    page.locator("select[name=kind]").first.select_option(kind)
    page.locator("input[name=file]").first.set_input_files(file)
    page.locator("form.form-card .btn-primary").click()
    expect(page.locator("button[name=start]")).to_be_visible()
    return ImportRun.objects.latest("pk")


def take_over(page: Page, run: ImportRun) -> None:
    """Press the button and do the worker's part; the page finds out by itself that the file is done."""
    page.locator("button[name=start]").click()
    expect(page.locator(".progress-box")).to_be_visible()
    runs.perform(run.pk, at=clock.now(), today=clock.today())
    expect(page.locator(".figure-card").first).to_be_visible(timeout=15_000)


def check(page: Page, order: str, amount: str) -> None:
    """Ask the credit-check desk whether the order may ship, and reserve it."""
    page.locator(".side a[href='/orders/check/']").click()
    page.locator("#id_customer").fill("C001")
    page.locator("#id_order_no").fill(order)
    page.locator("#id_amount").fill(amount)
    page.locator("button[value=reserve]").click()


def said(text: str, language: str) -> str:
    """A string of the pages as the catalogue has it."""
    with translation.override(language):
        return gettext(text)


@pytest.fixture
def sign_in(visit: Any) -> Callable[[str, str, str], Page]:
    """Let one of the cast in as people come in: name, password, button."""

    def sign_in(who: str, language: str, button: str) -> Page:
        person = member(who)
        person.set_password(PASSWORD)
        person.save()
        page: Page = visit("/", language=language)
        page.locator("input[name=login]").first.fill(who)
        page.locator("input[name=password]").first.fill(PASSWORD)
        page.locator(".door-box > form").get_by_role("button", name=button).click()
        expect(page.locator(".side")).to_be_visible()
        return page

    return sign_in


@pytest.mark.clause("B2.1", "A11")
@pytest.mark.parametrize(("language", "words"), [("zh-hans", CHINESE), ("en", ENGLISH)], ids=["chinese", "english"])
def test_from_two_files_to_a_released_order(
    sign_in: Callable[[str, str, str], Page], tmp_path: Path, language: str, words: dict[str, str]
) -> None:
    policies.ensure()
    member("ann")

    # Bo registers customers from a file, and hands the open invoices in; one of them is faulty.
    bo = sign_in("bo", language, words["sign in"])
    take_over(bo, hand_in(bo, "customers", customers_file(tmp_path)))
    run = hand_in(bo, "invoices", invoices_file(tmp_path))
    expect(bo.get_by_role("heading", name=said("Preview", language), exact=True)).to_be_visible()
    expect(bo.locator("td.has-fault")).to_contain_text("1.234")
    expect(bo.locator("td.has-fault .field-error")).to_have_text(
        said("The amount has more than two decimals.", language)
    )
    picture(bo, f"path-{language}-preview")
    take_over(bo, run)
    with bo.expect_download() as download:
        bo.get_by_role("link", name=said("Refused rows (.xlsx)", language)).click()
    assert download.value.suggested_filename == "应收明细.csv.errors.xlsx"
    run.refresh_from_db()
    assert (run.accepted, run.refused) == (2, 1)
    picture(bo, f"path-{language}-result")

    # Bo opens the file, rates the customer, and asks for a line, which she cannot sign herself.
    bo.locator(".side a[href='/customers/']").click()
    bo.get_by_role("link", name=CUSTOMER).click()
    bo.locator("form[action*='/credit/rate/'] button").click()
    expect(bo.get_by_role("heading", name=words["score sheet"])).to_be_visible()
    picture(bo, f"path-{language}-rating")
    bo.locator(".toolbar a[href$='/ask']").click()
    bo.locator("[name=grade]").select_option("B")
    bo.locator("[name=limit_kind]").select_option("amount")
    bo.locator("[name=limit]").fill("90000")
    bo.locator("[name=term_days]").fill("30")
    bo.locator("[name=reason]").fill("春季旺季")
    bo.locator("form.form-card .btn-primary").click()
    expect(bo.locator(".credit-why-not").first).to_contain_text(words["own request"])
    picture(bo, f"path-{language}-asked")

    # The legal representative signs it: a customer nothing is known of gets more than the rating suggests.
    le = sign_in("le", language, words["sign in"])
    le.goto(bo.url)
    le.locator("[data-open=approve]").click()
    le.locator("#approve .box-foot .btn-primary").click()
    expect(le.locator(".state", has_text=words["signed"]).first).to_be_visible()
    assert Line.objects.get().limit == 90000

    # An order within the line ships; the next one is held, and the page says why and what would cure it.
    check(bo, "SO-1", "30,000.00")
    expect(bo.locator(".verdict h2")).to_contain_text(words["reserved"])
    check(bo, "SO-2", "7万")
    expect(bo.locator(".verdict h2")).to_contain_text(words["held"])
    expect(bo.locator(".reasons")).to_contain_text(words["why"])
    expect(bo.locator(".reasons")).to_contain_text(words["cure"])
    picture(bo, f"path-{language}-held")
    assert Reservation.objects.get().order_no == "SO-1"

    # A third person releases the hold, with a reason.
    bo.locator(".verdict a[href*='/holds/']").click()
    vi = sign_in("vi", language, words["sign in"])
    vi.goto(bo.url)
    picture(vi, f"path-{language}-hold")
    vi.locator("[name=reason]").last.fill("老客户，货款周五到账")
    vi.locator("form[action$='/release'] .btn-primary").click()
    expect(vi.get_by_text(words["released"])).to_be_visible()
    assert sorted(Reservation.objects.values_list("order_no", "reserved")) == [("SO-1", 30000), ("SO-2", 70000)]

    # What the customer owes and holds stands in its file.
    bo.locator(".side a[href='/customers/']").click()
    bo.get_by_role("link", name=CUSTOMER).click()
    expect(bo.locator(".exposure").first).to_contain_text("150,000.00")
    expect(bo.locator("main")).to_contain_text("90,000.00")
    picture(bo, f"path-{language}-file")
