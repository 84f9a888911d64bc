"""What people send wrongly before a deal: each gets a clear answer on the page and over the API, and nothing is lost.

A forged code, an empty or disguised file, a photo of 40 MB, a formula in a name, a link that has expired, the same
application twice.
"""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shouxin.credit import form_links
from shouxin.credit.models import Application, FormLink
from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.office import clock, policies
from shouxin.office.models import Attachment
from tests.api import Caller
from tests.people import CAST, TODAY, acme, member

from .applying import brought_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day"), pytest.mark.clause("B2.3")]
FORMULA = '=HYPERLINK("http://evil.example","点我")有限公司'
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)
    acme()


def browser(name: str) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("91310115MA1K3CUM7X", "uscc", id="a wrong check sign"),
        pytest.param("91310115MA1K3CUM7I", "uscc", id="a letter no code has"),
        pytest.param("9131", "uscc", id="too short"),
        pytest.param("９１３１０１１５MA1K3CUM70' OR 1=1", "uscc", id="no code at all"),
    ],
)
def test_a_forged_credit_code_is_named_and_the_rest_stays(code: str, says: str) -> None:
    fields = {"name": "伪造信用代码有限公司", "currency": "CNY", "uscc": code}
    told = Caller(member("bo")).post("/customers", fields)
    assert told.status_code == 422 and told.data["errors"][0]["field"] == says and told.data["errors"][0]["message"]
    page = browser("bo").post("/customers/new", fields)
    assert page.status_code in (200, 422) and "伪造信用代码有限公司" in page.content.decode()
    assert not Customer.objects.filter(name__startswith="伪造").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("leer.pdf", b"", "empty", id="0 bytes"),
        pytest.param("photo.jpg", b"MZ\x90\x00" * 50, "kind", id="a programme named as a photo"),
        pytest.param("licence.png", PDF, "another", id="a paper named as a photo"),
        pytest.param("foto.jpg", b"\xff\xd8\xff" + b"0" * 41_000_000, "MB", id="a photo of 40 MB"),
    ],
)
def test_a_file_that_is_not_kept_says_why_and_what_would_do(name: str, content: bytes, says: str) -> None:
    def upload() -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content)

    bo = browser("bo")
    told = bo.post(f"/api/v1/customers/{acme().code}/attachments", {"file": upload(), "note": "licence"})
    assert told.status_code == 422 and says in told.content.decode()
    found = brought_to("submitted")
    page = bo.post(f"/credit/applications/{found.pk}/attachments", {"file": upload(), "note": "licence"})
    assert page.status_code == 422 and says in page.content.decode()
    assert not Attachment.objects.exists()


def test_a_formula_in_a_name_stays_a_name_everywhere() -> None:
    bo = Caller(member("bo"))
    made = bo.post("/customers", {"name": FORMULA, "currency": "CNY"})
    assert made.status_code == 201 and made.data["name"] == FORMULA
    exported = browser("bo").get("/customers/", {"export": "csv"}).getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row if "HYPERLINK" in cell]
    assert cells and not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)
    sheet = browser("bo").get(f"/customers/{made.data['id']}/sheet.docx").content
    assert sheet[:2] == b"PK" and documents.clean(FORMULA) == FORMULA
    page = browser("bo").get(f"/customers/{made.data['id']}/").content.decode()
    assert 'href="http://evil.example"' not in page


def test_an_expired_link_says_so_and_whom_to_ask() -> None:
    made = form_links.make("application", acme(), days=1, by=member("ann"), today=TODAY - timedelta(days=9),
                           at=clock.now(), request_type="new")  # fmt: skip
    answer = Client(headers={"Accept-Language": "en"}).get(f"/credit/form/{made.token}")
    text = answer.content.decode()
    assert answer.status_code == 410 and "expired" in text and "Ask your contact" in text


def test_the_same_application_twice_names_the_first() -> None:
    body = {"customer": "C001", "request_type": "new", "requested_limit": "5000.00", "requested_term_days": 30}
    ann = Caller(member("ann"))
    first = ann.post("/applications", body | {"reason": "season"})
    assert first.status_code == 201
    again = ann.post("/applications", body | {"reason": "season"})
    assert again.status_code == 409 and first.data["number"] in again.content.decode()
    form = {"request_type": "new", "requested_limit": "5000", "currency": "CNY", "requested_term_days": "30",
            "reason": "换季备货"}  # fmt: skip
    page = browser("ann").post(f"/credit/customers/{acme().pk}/apply", form)
    text = page.content.decode()
    assert page.status_code in (409, 422) and first.data["number"] in text and "换季备货" in text
    assert Application.objects.count() == 1


def test_what_is_no_application_at_all_names_every_field() -> None:
    ann: Any = Caller(member("ann"))
    told = ann.post("/applications", {"customer": "C001", "request_type": "gift", "requested_limit": "-1",
                                      "requested_term_days": 99999, "colour": "red"})  # fmt: skip
    named = {each["field"] for each in told.data["errors"]}
    assert told.status_code == 422 and {"request_type", "requested_term_days"} <= {
        name.split(".")[-1] for name in named
    }
    assert not Application.objects.exists()


@pytest.mark.parametrize("page", ["change", "investigation"])
def test_what_was_typed_stays_when_the_paper_has_moved_meanwhile(page: str) -> None:
    found = brought_to("draft" if page == "change" else "accepted")
    by = "ann" if page == "change" else "bo"
    form = {"request_type": "new", "requested_limit": "5000", "currency": "CNY", "requested_term_days": "30",
            "reason": "写了半小时", "version": str(found.version + 7), "box_findings": "写了半小时",
            "box_premises": "写了半小时", "box_remarks": "写了半小时", "box_consent": "on"}  # fmt: skip
    answer = browser(by).post(f"/credit/applications/{found.pk}/{page}", form)
    assert answer.status_code == 409 and "写了半小时" in answer.content.decode()


TYPED = "我写了半小时的意见"


@pytest.mark.parametrize(
    ("verb", "sent"),
    [
        pytest.param("opine", {"verdict": "agree", "reason": TYPED, "version": "9999"}, id="an old version"),
        pytest.param("opine", {"verdict": "", "reason": TYPED}, id="no verdict"),
        pytest.param("opine", {"verdict": "agree", "reason": TYPED + "长" * 1000}, id="too long"),
        pytest.param("return", {"reason": TYPED, "said": "", "version": "9999"}, id="returned in an old version"),
        pytest.param("decline", {"reason": TYPED, "version": "9999"}, id="declined in an old version"),
    ],
)
def test_what_was_written_is_told_back_whatever_refuses_it(verb: str, sent: dict[str, str]) -> None:
    found = brought_to("assessed")
    answer = browser("bo").post(f"/credit/applications/{found.pk}/{verb}", sent)
    assert answer.status_code in (403, 409, 422) and TYPED in answer.content.decode()


def test_a_note_too_long_is_named_and_never_cut() -> None:
    found = brought_to("submitted")
    sent = {"file": SimpleUploadedFile("a.pdf", PDF), "note": TYPED + "长" * 200}
    answer = browser("bo").post(f"/credit/applications/{found.pk}/attachments", sent)
    assert answer.status_code == 422 and TYPED in answer.content.decode()
    assert not Attachment.objects.exists()


def test_a_link_goes_to_no_address_that_is_none() -> None:
    answer = Caller(member("bo")).post("/customers/C001/form-links", {"request_type": "new", "email": "nobody"})
    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "email"
    assert not FormLink.objects.exists()


def test_a_sign_no_text_holds_in_an_address_finds_nobody() -> None:
    assert browser("cy").get("/orders/check/customers/%00").status_code == 404
