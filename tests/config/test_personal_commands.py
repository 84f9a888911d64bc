"""What natural persons ask about their data, on the command line: two people, a file for its owner alone (A13)."""

import json
from pathlib import Path
from typing import Any

import pytest

from shouxin.config import cli
from shouxin.customers.models import Customer, DataRequest
from shouxin.office import policies
from shouxin.office.models import TrailEntry
from tests.commands import told
from tests.people import CAST, SOUTH, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)
    acme(code="P1", name="李伟", natural_person=True, telephone="13812345678")
    acme()


@pytest.mark.clause("A13")
def test_a_correction_is_taken_down_by_one_and_confirmed_by_another(capsys: Any) -> None:
    words = ("--why", "本人来函", "--change", "telephone=13900000000", "--by", "ann")
    asked = told(capsys, "personal", "ask", "P1", "correct", *words)[0]
    number = str(asked["id"])
    assert (asked["status"], asked["verbs"]) == ("asked", ["withdraw"])
    assert cli.run(["personal", "step", number, "confirm", "--answer", "好", "--by", "ann"]) == 2
    capsys.readouterr()
    done = told(capsys, "personal", "step", number, "confirm", "--answer", "同意", "--by", "cy")[0]
    assert (done["status"], done["decided_by"]) == ("done", "cy")
    assert Customer.objects.get(code="P1").telephone == "13900000000"
    assert told(capsys, "personal", "requests", "--by", "ann") == told(
        capsys, "personal", "requests", number, "--by", "ann"
    )
    assert told(capsys, "personal", "requests", "--by", "di") == []


@pytest.mark.clause("A13")
def test_the_copy_is_written_once_two_have_agreed_and_over_nothing(capsys: Any, tmp_path: Path) -> None:
    number = str(told(capsys, "personal", "ask", "P1", "copy", "--why", "x", "--by", "ann")[0]["id"])
    file = tmp_path / "copy.json"
    copy = ["personal", "copy", number, str(file), "--by", "bo"]
    assert cli.run(copy) == 2 and not file.exists()
    told(capsys, "personal", "step", number, "confirm", "--answer", "同意", "--by", "cy")
    assert cli.run(copy) == 0
    assert json.loads(file.read_text())["customers.Customer"][0]["telephone"] == "13812345678"
    assert file.stat().st_mode & 0o777 == 0o600
    assert TrailEntry.objects.filter(verb="export_personal_data").count() == 1
    assert cli.run(copy) == 2 and "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "C001", "copy", "--why", "x", "--by", "ann"),
        ("ask", "P1", "gift", "--why", "x", "--by", "ann"),
        ("ask", "P1", "copy", "--why", " ", "--by", "ann"),
        ("ask", "P1", "correct", "--why", "x", "--by", "ann"),
        ("ask", "P1", "correct", "--why", "x", "--change", "telephone", "--by", "ann"),
        ("ask", "P1", "correct", "--why", "x", "--change", "grade=A", "--by", "ann"),
        ("ask", "P1", "copy", "--why", "x", "--by", "fi"),
        ("ask", "P2", "copy", "--why", "x", "--by", "ann"),
        ("ask", "P9", "delete", "--why", "x", "--by", "cy"),
        ("ask", "P1", "copy", "--why", "x", "--by", "nobody"),
        ("step", "99", "confirm", "--answer", "x", "--by", "cy"),
        ("requests", "99", "--by", "cy"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line_and_code_two(words: tuple[str, ...], capsys: Any) -> None:
    acme(code="P2", name="王海", natural_person=True, department=SOUTH, salesperson=member("di"))
    assert cli.run(["personal", *words]) == 2
    said = capsys.readouterr().err.strip()
    assert said and "Traceback" not in said
    assert not DataRequest.objects.exists()
