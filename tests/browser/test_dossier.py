"""A journey through the dossier: a note from the road becomes a fact, is verified, leaves scoring; the credit sheet."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shouxin.customers import facts
from shouxin.customers.models import Fact
from shouxin.office import clock, policies
from shouxin.office.models import Attachment
from tests.people import CAST, acme, member

from .conftest import PHONE
from .test_securities import session, text

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def photo(folder: Path) -> Path:
    kept = io.BytesIO()
    Image.new("RGB", (320, 240), "grey").save(kept, "JPEG")
    path = folder / "notice.jpg"
    path.write_bytes(kept.getvalue())
    return path


def known() -> dict[str, Any]:
    found = facts.latest([acme().pk], clock.today())[acme().pk]
    return {key: fact.value for key, fact in found.items() if key != facts.NOTE}


def save(page: Any, form: str = "form.form-card") -> None:
    page.locator(f"{form} .btn-primary").first.click()
    page.wait_for_load_state()


@pytest.mark.clause("A7", "B1.4", "B2.2", "B2.6")
@pytest.mark.parametrize(
    ("language", "handed_in", "unverified", "genuine", "repaired"),
    [("zh-hans", "已记录", "未核实", "属实", "已修复"), ("en", "Noted", "not verified", "Genuine", "Repaired")],
)
def test_from_a_note_on_the_road_to_the_credit_sheet(
    visit: Any, tmp_path: Path, language: str, handed_in: str, unverified: str, genuine: str, repaired: str
) -> None:
    page = visit(f"/customers/notes/new?customer={acme().pk}", size=PHONE, session=session("ann"), language=language)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.fill("[name=note]", "门口贴有法院公告 <b>执行</b>")
    page.set_input_files("[name=evidence]", photo(tmp_path))
    save(page)
    note = Fact.objects.get(key="note")
    assert handed_in in page.inner_text("body") and Attachment.objects.get(about=f"fact:{note.pk}").kind == "jpeg"

    office = visit("/customers/inbox/", session=session("bo"), language=language)
    assert "门口贴有法院公告 <b>执行</b>" in text(office)
    office.goto(office.url.split("/customers")[0] + f"/customers/{acme().pk}/facts/new?from={note.pk}")
    office.select_option("[name=key]", "judgment_debtor")
    office.fill("[name=value]", "yes")
    office.select_option("[name=source]", "registry")
    save(office)
    fact = Fact.objects.get(key="judgment_debtor")
    assert fact.value is True and known() == {"judgment_debtor": True}

    second = visit(f"/customers/facts/{fact.pk}/", session=session("cy"), language=language)
    assert unverified in text(second)
    second.select_option("[name=method]", "online")
    second.locator("form[action$=verify] .btn-primary").click()
    second.wait_for_load_state()
    assert genuine in text(second)
    second.select_option("[name=kind]", "repaired")
    second.fill("[name=reason]", "已履行完毕")
    second.locator("form[action$=mark] .btn-primary").click()
    second.wait_for_load_state()
    assert repaired in text(second) and known() == {}

    years = visit(f"/customers/{acme().pk}/statements", session=session("bo"), language=language)
    years.fill("[name=as_of]", "2025-12-31")
    figures = {"total_assets": "9000", "current_assets": "5000", "total_liabilities": "4000",
               "current_liabilities": "2500", "net_worth": "5000", "revenue": "12000"}  # fmt: skip
    for name, value in figures.items():
        years.fill(f"[name={name}]", value)
    save(years)
    assert "2.0000" in text(years), "the current ratio"
    for ending, first in (("pdf", b"%PDF"), ("docx", b"PK")):
        with years.expect_download() as got:
            years.evaluate(f"location.href = '/customers/{acme().pk}/sheet.{ending}'")
        assert Path(got.value.path()).read_bytes().startswith(first)
