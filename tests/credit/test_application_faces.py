"""Applications over the API and by links for outsiders: customers and referees without account, real mail."""

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from shouxin.credit import form_links
from shouxin.credit.models import Application, FormLink, FormTry, Line
from shouxin.customers import mails
from shouxin.customers.models import Customer, Mail
from shouxin.lib import documents
from shouxin.office import clock, policies, posts
from shouxin.office.models import Attachment, TrailEntry
from shouxin.records import public_views
from tests import smtp
from tests.people import CAST, acme, member
from tests.smtp import Sink

from .applying import DETAILS, FINDINGS, brought_to

pytestmark = pytest.mark.django_db
SIGN_IN = "django.contrib.auth.backends.ModelBackend"
FORM = {
    "requested_limit": "80000", "currency": "CNY", "requested_term_days": "15", "reason": "旺季备货",
    "box_contact": "王芳", "box_email": "ap@acme.example", "box_main_products": "=cmd|' /C calc'!A0",
    "box_expected_purchases": "1200000", "box_consent": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with smtp.running(settings) as found:
        yield found


def browser(name: str) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member(name), backend=SIGN_IN)
    return client


def call(name: str, path: str, body: Any = None, method: str = "POST") -> Any:
    sent = json.dumps(body) if body is not None else ""
    return browser(name).generic(method, f"/api/v1{path}", sent, content_type="application/json")


def delivered(sink: Sink) -> Any:
    """The last letter the server took."""
    assert mails.send_waiting(by=posts.system(), at=clock.now()).fault == ""
    return sink.taken[-1]


def address_in(mail: Any) -> str:
    text = mail.get_body(("plain",)).get_content()
    return re.search(r"/credit/(?:form|reference)/\S+", text)[0]  # type: ignore[index]


def opened(client: Client, address: str) -> dict[str, str]:
    page = client.get(address)
    assert page.status_code == 200 and page["Cache-Control"]
    stamp = re.search(rb'name="opened" value="([^"]+)"', page.content)
    return {"opened": stamp[1].decode(), "website": ""}  # type: ignore[index]


def sent_later(client: Client, address: str, form: Any, seconds: int = 10, **more: str) -> Any:
    """Filled in for a while, then sent."""
    guard = opened(client, address)
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
        return client.post(address, {**form, **guard, **more})


# --- the API -------------------------------------------------------------------------------------


@pytest.mark.clause("B2.3")
def test_the_whole_way_over_the_api(sink: Sink) -> None:
    customer = acme()
    made = call("ann", "/applications", {"customer": customer.code, "request_type": "new", "requested_limit": "0.01",
                                         "requested_term_days": 0, "reason": "season"})  # fmt: skip
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["status"], told["verbs"], told["clock"]) == ("draft", ["change", "submit", "withdraw"], None)
    assert "consent" in told["missing"] and made["ETag"] == '"1"'
    pk = told["id"]
    assert call("ann", "/applications", {"customer": customer.pk, "request_type": "new", "requested_limit": "5.00",
                                         "requested_term_days": 1, "reason": ""}).status_code == 409  # fmt: skip
    changed = call("ann", f"/applications/{pk}", {"details": {"contact": "王芳", "telephone": "13800001234",
                   "email": "ap@acme.example", "sales_opinion": "好"}}, "PATCH")  # fmt: skip
    assert changed.json()["details"]["telephone"] == "…1234"
    for name, verb, body in (("ann", "submit", None), ("bo", "accept", {}), ("bo", "investigate", {"reason": "sound"}),
                             ("bo", "assess", None)):  # fmt: skip
        answer = call(name, f"/applications/{pk}/{verb}", body)
        assert answer.status_code == 200, (verb, answer.content)
    told = answer.json()
    assert told["score"] and told["grade"] and told["suggested"]["limit"] is not None
    assert told["clock"]["left"] == 10 and not told["clock"]["late"]
    assert call("fi", f"/applications/{pk}/opine", {}).status_code == 409, "not her turn"
    assert call("fi", f"/applications/{pk}/approve", {}).status_code == 403
    for name in ("bo", "fi", "cy", "vi"):
        if "opine" in call(name, f"/applications/{pk}", None, "GET").json()["verbs"]:
            assert call(name, f"/applications/{pk}/opine", {"verdict": "agree", "reason": "ok"}).status_code == 200
    signer = next(
        n for n in ("cy", "vi", "le") if "approve" in call(n, f"/applications/{pk}", None, "GET").json()["verbs"]
    )
    assert call(signer, f"/applications/{pk}/approve", {"limit": "0.02", "reason": "r"}).status_code == 422
    assert call(signer, f"/applications/{pk}/approve", {"verdict": "agree"}).status_code == 422, (
        "approve reads no verdict"
    )
    answer = call(signer, f"/applications/{pk}/approve", {"reason": "old friend"})
    if answer.status_code == 422:  # grade D gives no credit at all
        assert answer.json()["errors"]
        assert call(signer, f"/applications/{pk}/decline", {"reason": "grade D"}).json()["status"] == "declined"
    mail = delivered(sink)
    assert mail["To"] == "ap@acme.example"
    letter = Mail.objects.get(kind="credit_reply")
    assert next(mail.iter_attachments()).get_content() == documents.pdf(letter.paper)
    for ending in ("pdf", "docx"):
        assert (
            browser("ann").get(f"/api/v1/applications/{pk}/letter.{ending}").content
            == documents.FACES[ending][0](letter.paper)
            or ending == "docx"
        )
        for form in ("application", "investigation", "approval"):
            assert browser("ann").get(f"/api/v1/applications/{pk}/forms/{form}.{ending}").status_code == 200
    listed = call("ann", "/applications?limit=1", None, "GET").json()["items"]
    assert listed[0]["id"] == pk and call("di", f"/applications/{pk}", None, "GET").status_code == 404


def test_an_approval_binds_to_the_version_seen() -> None:
    found = brought_to("submitted")
    seen = browser("bo").generic("POST", f"/api/v1/applications/{found.pk}/accept", "{}", "application/json",
                                 headers={"If-Match": '"1"'})  # fmt: skip
    assert seen.status_code == 409


# --- the customer's own form ---------------------------------------------------------------------


@pytest.mark.clause("B2.3")
def test_a_customer_applies_by_its_link_once(sink: Sink) -> None:
    made = call("ann", f"/customers/{acme().code}/form-links", {"request_type": "new", "email": "ap@acme.example"})
    assert made.status_code == 201
    address = address_in(delivered(sink))
    assert made.json()["address"].endswith(address)
    stranger = Client(headers={"Accept-Language": "en"})
    shown = stranger.get(address).content.decode()
    assert 'name="requested_term_days" value="30"' in shown and "choose the files again" not in shown
    assert policies.in_force(clock.today()).policy.company.name.en in shown, "who asks is said"
    answer = sent_later(stranger, address, FORM)
    found = Application.objects.get()
    assert answer.status_code == 200 and found.number in answer.content.decode()
    assert (found.status, found.source, found.requested_by) == ("submitted", "link", member("ann"))
    for method in (stranger.get, stranger.post):
        again = method(address)
        assert again.status_code == 410 and found.number in again.content.decode()
    assert Application.objects.count() == 1


def _link(days: int = 0) -> str:
    made = form_links.make("application", acme(), days=days, by=member("ann"), today=clock.today(), at=clock.now(),
                           request_type="new")  # fmt: skip
    return f"/credit/form/{made.token}"


@pytest.mark.parametrize(
    ("form", "seconds", "more", "status"),
    [
        pytest.param(FORM, 10, {"website": "http://spam"}, 422, id="the box people do not see"),
        pytest.param(FORM, 1, {}, 422, id="quicker than one can read"),
        pytest.param(FORM, 10, {"opened": "form:1:forged"}, 422, id="a forged stamp"),
        pytest.param(FORM | {"box_consent": ""}, 10, {}, 422, id="without permission"),
        pytest.param(FORM | {"requested_limit": "-5"}, 10, {}, 422, id="less than nothing"),
        pytest.param(FORM | {"box_expected_purchases": "viel"}, 10, {}, 422, id="no amount"),
        pytest.param(FORM | {"box_contact": "x" * 500}, 10, {}, 422, id="too long"),
    ],
)
def test_what_is_refused_loses_nothing(form: Any, seconds: int, more: dict[str, str], status: int) -> None:
    address, client = _link(), Client(headers={"Accept-Language": "en"})
    answer = sent_later(client, address, form, seconds, **more)
    assert answer.status_code == status
    assert "旺季备货" in answer.content.decode(), "what was filled in is still there"
    assert not Application.objects.exists() and FormLink.objects.get().used_at is None
    assert sent_later(client, address, FORM).status_code == 200, "and can be sent again"


LICENCE = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def paper(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.mark.clause("B2.3")
def test_a_customer_hands_in_its_papers_with_the_form() -> None:
    files = [paper("执照.pdf", LICENCE), paper("=cmd.txt", "报表".encode())]
    answer = sent_later(Client(headers={"Accept-Language": "en"}), _link(), FORM | {"files": files})
    assert answer.status_code == 200
    found = Application.objects.get()
    kept = Attachment.objects.filter(about=f"application:{found.pk}").order_by("pk")
    assert [(each.name, each.by, each.customer_id) for each in kept] == [
        ("执照.pdf", None, found.customer_id), ("=cmd.txt", None, found.customer_id),
    ]  # fmt: skip
    assert "执照.pdf" in browser("bo").get(f"/credit/applications/{found.pk}/").content.decode()
    line = TrailEntry.objects.get(verb="form_link.use")
    assert line.particulars["files"] == 2


@pytest.mark.parametrize(
    ("files", "named"),
    [
        pytest.param([("leer.pdf", b"")], "leer.pdf", id="0 bytes"),
        pytest.param([("a.pdf", LICENCE), ("photo.jpg", b"MZ\x90\x00" * 50)], "photo.jpg", id="a disguised programme"),
        pytest.param([("foto.jpg", b"\xff\xd8\xff" + b"0" * 41_000_000)], "foto.jpg", id="40 MB"),
        pytest.param([(f"{n}.pdf", LICENCE + bytes([n])) for n in range(7)], "At most 6", id="too many"),
    ],
)  # fmt: skip
def test_a_paper_that_is_not_kept_is_named_and_nothing_is_lost(files: Any, named: str) -> None:
    address, client = _link(), Client(headers={"Accept-Language": "en"})
    answer = sent_later(client, address, FORM | {"files": [paper(*each) for each in files]})
    text = answer.content.decode()
    assert answer.status_code == 422 and named in text and "旺季备货" in text and "choose the files again" in text
    assert not Application.objects.exists() and not Attachment.objects.exists()
    assert sent_later(client, address, FORM).status_code == 200


def test_a_forged_an_expired_and_a_used_link_are_told_apart_from_nothing() -> None:
    client = Client(headers={"Accept-Language": "en"})
    address = _link()
    assert client.get(address[:-2] + "xx").status_code == 404
    assert client.get(address.replace("/form/", "/reference/")).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        late = client.get(address)
    assert late.status_code == 410 and "expired" in late.content.decode()


def test_a_link_is_over_when_its_maker_sees_the_customer_no_more() -> None:
    client, address, di = Client(headers={"Accept-Language": "en"}), _link(), member("di")
    assert client.get(address).status_code == 200
    Customer.objects.update(salesperson=di, department=di.department)
    assert client.get(address).status_code == 410
    assert client.post(address, FORM).status_code == 410 and not Application.objects.exists()


def test_too_many_tries_are_told_to_wait() -> None:
    address, client = _link(), Client(headers={"Accept-Language": "en"})
    most = policies.in_force(clock.today()).policy.applications.public_forms.tries_per_hour
    codes = [client.post(address, {"website": "x"}).status_code for _turn in range(most + 1)]
    assert codes == [422] * most + [429]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_tries_are_counted_together_however_many_servers_hear_them(
    guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = 8
    start = threading.Barrier(callers)
    if not guarded:  # read, then write: two who read together count as one

        def counted(place: str) -> int:
            row, _new = FormTry.objects.get_or_create(place=place, hour=clock.now().replace(minute=0, second=0,
                                                      microsecond=0), defaults={"tries": 0})  # fmt: skip
            start.wait()
            FormTry.objects.filter(pk=row.pk).update(tries=row.tries + 1)
            return row.tries + 1

        monkeypatch.setattr(form_links, "_counted", counted)

    def knock(_caller: int) -> int:
        try:
            if guarded:
                start.wait()
            return form_links._counted("192.0.2.7")
        finally:
            connection.close()

    with ThreadPoolExecutor(callers) as pool:
        told = sorted(pool.map(knock, range(callers)))
    assert (told == list(range(1, callers + 1))) is guarded


def test_the_same_application_twice_gets_a_clear_answer() -> None:
    first = brought_to("draft")
    answer = sent_later(Client(headers={"Accept-Language": "en"}), _link(), FORM)
    assert answer.status_code == 409 and first.number in answer.content.decode()
    assert "旺季备货" in answer.content.decode()


def test_the_public_page_shows_nothing_of_ours() -> None:
    found = brought_to("assessed")
    page = Client().get(_link()).content.decode()
    for ours in (found.number, "75.50", "合作多年", "客户集中", "sales_opinion"):
        assert ours not in page
    assert public_views.application_form.__name__ == "application_form"


# --- references ----------------------------------------------------------------------------------

SECRET = "经常拖欠本行贷款"


def test_what_a_referee_writes_reaches_the_office_and_no_letter(sink: Sink) -> None:
    found = brought_to("accepted")
    asked = call(
        "bo", f"/applications/{found.pk}/references", {"kind": "bank", "name": "工行", "email": "b@bank.example"}
    )
    assert asked.status_code == 201 and asked.json()["answer"] is None
    address = address_in(delivered(sink))
    client = Client(headers={"Accept-Language": "en"})
    assert sent_later(client, address, {"box_payment": "over_30", "box_remarks": SECRET}).status_code == 200
    assert client.get(address).status_code == 410
    told = {name: call(name, f"/applications/{found.pk}", None, "GET").content.decode() for name in ("ann", "bo", "cy")}
    assert SECRET not in told["ann"] and SECRET in told["bo"] and SECRET in told["cy"]
    assert SECRET not in browser("ann").get(f"/credit/applications/{found.pk}/").content.decode()
    found.refresh_from_db()
    decline = call("cy", f"/applications/{found.pk}/decline", {"category": "external", "reason": SECRET})
    assert decline.status_code == 200
    letter = Mail.objects.get(kind="credit_reply")
    assert SECRET not in letter.body and SECRET not in json.dumps(letter.paper, ensure_ascii=False)
    assert "工行" not in letter.body


def test_a_referee_who_is_silent_is_asked_again_by_a_new_link(sink: Sink) -> None:
    found = brought_to("accepted")
    body = {"kind": "bank", "name": "工行", "email": "b@bank.example"}
    asked = call("bo", f"/applications/{found.pk}/references", body).json()
    old = address_in(delivered(sink))
    again = f"/references/{asked['id']}/remind"
    assert call("bo", again).json()["code"] == "asked_today"
    assert call("ann", again).status_code == 403 and call("di", again).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert call("bo", again).status_code == 200
        new = address_in(delivered(sink))
        client = Client(headers={"Accept-Language": "en"})
        assert new != old and client.get(old).status_code == 410
        assert sent_later(client, new, {"box_payment": "over_30"}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=5)):
        assert call("bo", again).json()["code"] == "answered"


def test_nobody_is_asked_without_the_customers_permission() -> None:
    found = brought_to("accepted", details=DETAILS | {"consent": False})
    body = {"kind": "bank", "name": "工行", "email": "b@bank.example"}
    assert call("bo", f"/applications/{found.pk}/references", body).status_code == 409
    assert not Mail.objects.exists() and not Line.objects.exists() and FINDINGS


# --- the command line ----------------------------------------------------------------------------


def test_the_command_line_lists_shows_and_acts(capsys: pytest.CaptureFixture[str]) -> None:
    from shouxin.config import cli

    found = brought_to("submitted")
    assert cli.run(["applications", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["number"] == found.number
    assert cli.run(["applications", "act", found.number, "accept", "--by", "fi"]) == 2, "not among her duties"
    assert cli.run(["applications", "act", found.number, "accept", "--limit", "1.00", "--by", "bo"]) == 2
    assert cli.run(["applications", "act", found.number, "accept", "--by", "bo"]) == 0
    capsys.readouterr()
    assert cli.run(["applications", "show", found.number, "--json", "--by", "bo"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "accepted" and "investigate" in told["verbs"]
    assert cli.run(["applications", "show", "SQ0", "--by", "bo"]) == 2
