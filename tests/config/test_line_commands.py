"""Lines and applications on the command line: asked for by one, signed by another, in the version seen (B2.1, B2.3)."""

from typing import Any

import pytest
from django.test import Client

from shouxin.config import cli
from shouxin.credit.models import Application, Line, LineRequest
from shouxin.office import policies
from tests.commands import told
from tests.people import CAST, SOUTH, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)
    acme()


@pytest.mark.clause("B2.1")
def test_a_line_is_asked_for_and_signed_by_command(capsys: Any) -> None:
    asked = told(capsys, "lines", "ask", "C001", "60000", "--grade", "B", "--reason", "season", "--by", "ann")[0]
    assert (asked["status"], asked["signed_by"], asked["version"]) == ("open", "credit-manager", 1)
    number = str(asked["id"])
    assert cli.run(["lines", "step", number, "approve", "--version", "1", "--by", "ann"]) == 2
    assert cli.run(["lines", "step", number, "approve", "--version", "2", "--by", "cy"]) == 2
    capsys.readouterr()
    assert told(capsys, "lines", "step", number, "approve", "--version", "1", "--by", "cy")[0]["status"] == "approved"
    assert told(capsys, "lines", "show", "C001")[0]["limit"] == "60,000.00 CNY"
    more = told(capsys, "lines", "ask", "C001", "none", "--reason", "late", "--by", "bo")[0]
    assert told(capsys, "lines", "requests", "--customer", "C001")[0]["id"] == more["id"]
    told(capsys, "lines", "step", str(more["id"]), "withdraw", "--version", "1", "--by", "bo")
    assert Line.objects.count() == 1 and told(capsys, "lines", "requests") == []


@pytest.mark.parametrize(
    "words",
    [
        ("lines", "ask", "C001", "much", "--reason", "x", "--by", "ann"),
        ("lines", "ask", "C001", "-5", "--reason", "x", "--by", "ann"),
        ("lines", "ask", "C001", "500", "--grade", "E", "--reason", "x", "--by", "ann"),
        ("lines", "ask", "C001", "500", "--grade", "D", "--reason", "x", "--by", "ann"),
        ("lines", "ask", "C001", "500", "--grade", "B", "--reason", " ", "--by", "ann"),
        ("lines", "ask", "C001", "500", "--grade", "B", "--reason", "x", "--since", "soon", "--by", "ann"),
        ("lines", "ask", "C002", "500", "--grade", "B", "--reason", "x", "--by", "ann"),
        ("lines", "ask", "C001", "500", "--grade", "B", "--reason", "x", "--by", "nobody"),
        ("lines", "step", "99", "approve", "--version", "1", "--by", "cy"),
        ("applications", "create", "C001", "gift", "500", "30", "--by", "ann"),
        ("applications", "create", "C001", "new", "much", "30", "--by", "ann"),
        ("applications", "create", "C002", "new", "500", "30", "--by", "ann"),
        ("applications", "create", "C001", "new", "500", "30", "--box", "contact", "--by", "ann"),
        ("applications", "create", "C001", "new", "500", "30", "--box", "no_such_box=1", "--by", "ann"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line_and_code_two(words: tuple[str, ...], capsys: Any) -> None:
    acme(code="C002", name="深圳海纳贸易有限公司", department=SOUTH, salesperson=member("di"))
    assert cli.run(list(words)) == 2
    said = capsys.readouterr().err.strip()
    assert said and "Traceback" not in said
    assert not LineRequest.objects.exists() and not Application.objects.exists()


@pytest.mark.clause("B2.3")
def test_an_application_is_put_down_and_a_link_made_by_command(capsys: Any) -> None:
    made = told(capsys, "applications", "create", "C001", "new", "80000", "30", "--reason", "season", "--box",
                "contact=王芳", "--box", "consent=yes", "--by", "ann")  # fmt: skip
    found = Application.objects.get()
    assert made["number"] == found.number and made["status"] == "draft" and found.requested_limit == 80000
    told(capsys, "applications", "act", found.number, "withdraw", "--reason", "twice", "--by", "ann")
    link = told(capsys, "applications", "invite", "C001", "new", "--address", "https://credit.example.com/", "--by",
                "ann")[0]  # fmt: skip
    assert link["address"].startswith("https://credit.example.com/credit/form/")
    assert Client().get(link["address"].removeprefix("https://credit.example.com")).status_code == 200
