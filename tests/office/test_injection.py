"""What comes in as text goes out as text: lists and searches, files, letters, mail, logs, error pages (T16, I-24)."""

import csv
import io
import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import BadHeaderError, EmailMessage
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from python_calamine import CalamineWorkbook

from shouxin.collection import letters
from shouxin.collection.notices import TEMPLATE
from shouxin.config import logs
from shouxin.customers.models import Customer
from shouxin.lib import letters as papers
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.rules.aging import OpenItem
from shouxin.rules.daily import Letter
from tests.api import Caller
from tests.people import TODAY, acme

FORMULAS = [f"{sign}cmd|' /C calc'!A0" for sign in "=+-@＝＋－＠"] + ["\t=1+1", "\r=1+1", "\n=1+1", "  =1+1"]
SQL = ["'", '"; -- \\ %_', "' OR 1=1 --", "'; DROP TABLE customers_customer; --", "\0", "%s {0} 😀"]
FIELDS = ["password", "-salesperson__password", "id;--", "name'"]


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FORMULAS)
def test_a_name_that_would_be_a_formula_leaves_as_text(cy: Person, text: str) -> None:
    Customer.objects.filter(pk=acme().pk).update(name=text)
    client = browser(cy)
    plain = b"".join(client.get("/customers/", {"export": "csv"}).streaming_content).decode()
    assert plain.startswith("\ufeff")
    cells = list(csv.reader(io.StringIO(plain[1:])))
    shown = [cell for row in cells for cell in row if text.strip() in cell]
    assert shown and all(cell.startswith("'") for cell in shown), shown
    book = b"".join(client.get("/customers/", {"export": "xlsx"}).streaming_content)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert [cell for row in rows for cell in row if isinstance(cell, str) and text.strip() in cell]
    assert b"<f>" not in book


# --- lists, searches, orders ---------------------------------------------------------------------


def listed() -> list[str]:
    """Every page of ours without parameters."""

    def walk(resolver: URLResolver, prefix: str) -> list[str]:
        found: list[str] = []
        for each in resolver.url_patterns:
            address = prefix + str(each.pattern)
            if isinstance(each, URLResolver):
                found += walk(each, address) if not address.startswith(("api", "accounts", "language")) else []
            elif isinstance(each, URLPattern) and "<" not in address and "(" not in address and "^" not in address:
                found.append("/" + address)
        return found

    return [each for each in walk(get_resolver(), "") if each not in ("/metrics", "/healthz", "/readyz")]


@pytest.mark.parametrize("text", SQL)
def test_no_filter_of_a_page_is_read_as_sql(cy: Person, text: str) -> None:
    acme()
    client = browser(cy)
    client.raise_request_exception = False
    names = ("q", "customer", "name", "who", "label", "about", "document", "order_no", "code", "since", "until",
             "amount", "stage", "status", "sort", "after", "start", "size", "department", "post", "verb")  # fmt: skip
    for address in listed():
        answer = client.get(address, dict.fromkeys(names, text))
        assert answer.status_code < 500, (address, text)
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("field", FIELDS)
def test_no_list_is_ordered_by_what_is_no_column_of_it(cy: Person, field: str) -> None:
    acme()
    client = browser(cy)
    for address in listed():
        answer = client.get(address, {"sort": field, "order": field, "salesperson__password__startswith": "a"})
        assert answer.status_code < 500, address


@pytest.mark.parametrize("text", SQL)
def test_no_query_of_the_api_is_read_as_sql(cy: Person, text: str) -> None:
    acme()
    caller = Caller(cy)
    for path, names in {
        "/customers": ("q", "code", "uscc", "industry", "salesperson", "department", "cursor"),
        "/trail": ("about", "verb", "by", "cursor"),
        "/credit-checks": ("customer", "order_no", "cursor"),
        "/holds": ("cursor",),
    }.items():
        for name in names:
            assert caller.get(path, **{name: text}).status_code < 500, (path, name)
    assert caller.get("/customers", salesperson__password__startswith="a").status_code == 422


# --- letters and mail ----------------------------------------------------------------------------

TEMPLATES = [
    "{{7*7}}", "{x.__class__.__mro__}", "%(x)s", "{% include '/etc/passwd' %}", "{% debug %}", "${7*7}", "#{7*7}",
    '#panic("run")', ']#panic("run")[', '#read("/etc/passwd")', "\\u{41}", "$ x $", "<label>", "@ref", "{0}", "{" * 50,
]  # fmt: skip


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_name_in_a_letter_stays_text(db: None, text: str) -> None:
    item = OpenItem("1", text, 1, TODAY, TODAY, Decimal(100), "CNY")
    parts = letters.compose(
        policies.in_force(TODAY).policy,
        Letter(stage=2, claims={"CNY": Decimal(100)}, deadline=TODAY, evidence=False, soon=False),
        to=letters.Addressee(text, text, text, text, "zh-hans"),
        contact=letters.Contact(text, text),
        items=[item],
        overdue_days=30,
        number=text,
        today=TODAY,
    )
    assert text in letters.plain(parts) and "49" not in letters.subject(parts)
    assert papers.pdf(TEMPLATE, parts).startswith(b"%PDF")


@pytest.mark.parametrize("bad", ["a@b.example\r\nBcc: x@evil.example", "a@b.example\nSubject: x", "a@b.example\rX: y"])
def test_a_mail_header_cannot_be_broken_into(bo: Person, bad: str) -> None:
    answer = Caller(bo).post("/customers", {"name": "甲", "email": bad})
    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "email"
    with pytest.raises(BadHeaderError):
        EmailMessage("subject", "body", to=[bad]).message()
    with pytest.raises(BadHeaderError):
        EmailMessage(bad, "body", to=["a@b.example"]).message()


# --- logs and error pages ------------------------------------------------------------------------

PRIVATE = {"number": "6222021234567890123", "id": "11010519491231002X", "phone": "13812345678", "mail": "li@p.example"}


def logged(capsys: pytest.CaptureFixture[str], say: Any) -> str:
    """What stands on stderr after something was logged."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.configure("INFO")
        say(logging.getLogger("shouxin.test"))
        return capsys.readouterr().err
    finally:
        root.handlers[:] = before
        root.setLevel(level)


@pytest.mark.invariant("I-24")
@pytest.mark.parametrize("forged", ["x\nERROR forged", "x\r\nforged", "\x1b[31mred", "a\u2028b", "\u202egnp.exe", "\0"])
def test_a_name_cannot_forge_a_second_line(capsys: pytest.CaptureFixture[str], forged: str) -> None:
    said = logged(capsys, lambda log: log.warning("sign-in of %s", forged))
    assert len(said.strip().split("\n")) == 1
    kept = json.loads(said)["event"]
    assert not [sign for sign in kept if ord(sign) < 32 or sign in "\x7f\u2028\u202e"]


@pytest.mark.invariant("I-24")
def test_no_number_address_or_secret_stands_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def say(log: logging.Logger) -> None:
        log.warning("%s", PRIVATE)
        log.warning("with extras", extra={"password": "hunter2-hunter2", "api_token": "tok_abc"})
        try:
            raise ValueError(f"Key (bank_account)=({PRIVATE['number']}) exists, ask {PRIVATE['mail']}")
        except ValueError:
            log.exception("failed for %s", PRIVATE["phone"])

    said = logged(capsys, say)
    assert said.count("\n") == 3
    for secret in (*PRIVATE.values(), "hunter2-hunter2", "tok_abc"):
        assert secret not in said


@pytest.mark.invariant("I-24")
def test_an_error_page_tells_nothing_of_what_went_wrong(cy: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from shouxin.records import customer_views

    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError(f"account {PRIVATE['number']}")

    monkeypatch.setattr(customer_views.credit_file, "position_of", broken)
    client = browser(cy)
    client.raise_request_exception = False
    answer = client.get(f"/customers/{acme().pk}/")
    assert answer.status_code == 500
    shown = answer.content.decode()
    assert PRIVATE["number"] not in shown and "RuntimeError" not in shown and "Traceback" not in shown
