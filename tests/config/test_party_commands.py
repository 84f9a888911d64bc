"""Related parties, letters and evidence on the command line: each step, its refusals, and who sees whom."""

from pathlib import Path
from typing import Any

import pytest

from shouxin.config import cli
from shouxin.customers import mails
from shouxin.customers.models import Agent, GroupTie, Mail, PersonTie
from shouxin.lib import documents
from shouxin.office import clock, policies
from shouxin.office.models import Attachment, TrailEntry
from tests.commands import told
from tests.people import CAST, SOUTH, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


@pytest.mark.clause("B1.2")
def test_a_group_persons_and_an_agent_from_the_command_line(capsys: Any) -> None:
    acme()
    acme(code="C002", name="艾克米集团有限公司")
    told(capsys, "parties", "tie", "C001", "--parent", "C002", "--kind", "subsidiary", "--percent", "60", "--by", "bo")
    assert GroupTie.objects.get().percent == 60
    assert cli.run(["parties", "tie", "C002", "--parent", "C001", "--by", "bo"]) == 2, "a ring"
    told(capsys, "parties", "person", "C001", "王伟", "controller", "--note", "licence", "--by", "bo")
    made = PersonTie.objects.filter(role="controller").get()
    rows = told(
        capsys, "parties", "agent", "C001", "李敏", "--matter", "sign_contract", "--amount", "50000", "--sealed",
        "--since", "2026-01-01", "--until", "2027-01-01", "--scope", "contracts", "--id-number", "", "--original",
        "--by", "ann",
    )  # fmt: skip
    assert [row["what"] for row in rows] == ["tie", "person", "agent"] and rows[1]["id"] == made.pk
    agent = Agent.objects.get()
    assert told(capsys, "parties", "may", str(agent.pk), "sign_contract", "--amount", "50000.01", code=1)
    told(capsys, "parties", "revoke", str(agent.pk), "--reason", "called", "--by", "ann")
    agent.refresh_from_db()
    assert agent.status == "revoked"
    assert told(capsys, "parties", "may", str(agent.pk), "sign_contract", code=1)[0]["code"]


@pytest.mark.parametrize(
    "words",
    [
        ("parties", "show", "C002", "--by", "ann"),
        ("parties", "show", "NOBODY"),
        ("parties", "tie", "C001", "--parent", "C002", "--by", "fi"),
        ("parties", "tie", "C001", "--parent", "C002", "--percent", "half", "--by", "bo"),
        ("parties", "tie", "C001", "--parent", "C002", "--since", "soon", "--by", "bo"),
        ("parties", "agent", "C001", "李敏", "--matter", "marry", "--by", "ann"),
        ("parties", "person", "C001", "王伟", "friend", "--note", "x", "--by", "bo"),
        ("parties", "may", "999", "sign_contract"),
        ("letters", "list", "C002", "--by", "ann"),
        ("letters", "paper", "999", "x.pdf"),
        ("evidence", "list", "C002", "--by", "ann"),
        ("evidence", "fetch", "999", "x.pdf", "--by", "bo"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_two(words: tuple[str, ...], capsys: Any) -> None:
    acme()
    acme(code="C002", name="深圳海纳贸易有限公司", department=SOUTH, salesperson=member("di"))
    assert cli.run(list(words)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("shouxin:") and "\n" not in said
    assert not GroupTie.objects.exists() and not Agent.objects.exists() and not PersonTie.objects.exists()


@pytest.mark.clause("B2.3")
def test_letters_are_listed_printed_sent_again_and_handed_over(capsys: Any, tmp_path: Path) -> None:
    customer = acme(email="ap@acme.example")
    content = documents.paper("授信回复函", [documents.text("同意")], house="本公司", language="zh-hans", head=[])
    call = {"by": member("bo"), "at": clock.now()}
    mails.write(kind="credit_reply", about="line:1", to="", subject="回复", body="同意", customer=customer,
                paper=content, paper_name="reply", **call)  # fmt: skip
    letter = Mail.objects.get()
    assert told(capsys, "letters", "list", "C001")[0]["subject"] == "回复"
    for ending in ("pdf", "docx"):
        file = tmp_path / f"letter.{ending}"
        assert cli.run(["letters", "paper", str(letter.pk), str(file)]) == 0
        assert file.read_bytes()[:2] in (b"%P", b"PK")
    assert cli.run(["letters", "paper", str(letter.pk), str(tmp_path / "x.txt")]) == 2
    capsys.readouterr()
    assert told(capsys, "letters", "resend", str(letter.pk), "--by", "bo")[0]["status"] == "waiting"
    Mail.objects.update(status="no_address")
    assert (
        told(capsys, "letters", "hand-over", str(letter.pk), "EMS 1234567890123", "--by", "bo")[0]["status"]
        != "waiting"
    )


@pytest.mark.clause("B1.4")
def test_a_file_is_kept_once_listed_and_fetched_with_a_trace(capsys: Any, tmp_path: Path) -> None:
    acme()
    paper, empty = tmp_path / "合同.txt", tmp_path / "leer.txt"
    paper.write_text("保证金合同", encoding="utf-8")
    empty.touch()
    for _again in range(2):
        [row] = told(capsys, "evidence", "keep", "C001", str(paper), "--note", "contract", "--by", "bo")
    assert Attachment.objects.count() == 1 and row["name"] == "合同.txt"
    assert cli.run(["evidence", "keep", "C001", str(empty), "--by", "bo"]) == 2
    capsys.readouterr()
    assert told(capsys, "evidence", "list", "C001")[0]["note"] == "contract"
    out = tmp_path / "out.txt"
    assert cli.run(["evidence", "fetch", str(row["id"]), str(out), "--by", "fi"]) == 0
    assert out.read_text("utf-8") == "保证金合同"
    assert TrailEntry.objects.filter(verb="view_attachment", by=member("fi")).exists()
