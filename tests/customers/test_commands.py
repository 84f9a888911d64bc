"""The dossier and the blacklist on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shouxin.config import cli
from shouxin.customers.models import Fact
from shouxin.office import policies
from shouxin.office.models import Attachment, TrailEntry
from tests.people import CAST, acme, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def office(db: None, the_day: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)
    acme()


def run(*words: str) -> Any:
    told = CliRunner().invoke(cli.assemble(), [*words, "--json"])
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def refused(*words: str) -> int:
    return CliRunner().invoke(cli.assemble(), list(words)).exit_code


@pytest.mark.clause("A7", "B1.4")
def test_a_fact_is_noted_with_its_paper_verified_by_another_and_marked(tmp_path: Path) -> None:
    paper = tmp_path / "notice.pdf"
    paper.write_bytes(b"%PDF-1.7\n%%EOF\n")
    [made] = run("facts", "add", "C001", "judgment_debtor", "是", "--source", "registry", "--evidence", str(paper),
                 "--by", "ann")  # fmt: skip
    assert made["value"] is True and Attachment.objects.get(about=f"fact:{made['id']}").name == "notice.pdf"
    assert refused("facts", "verify", str(made["id"]), "online", "genuine", "--by", "ann") == 2
    [seen] = run("facts", "verify", str(made["id"]), "online", "genuine", "--by", "bo")
    assert seen["state"] == "genuine"
    [ended] = run("facts", "mark", str(made["id"]), "repaired", "--reason", "paid", "--by", "bo")
    assert ended["state"] == "repaired" and run("facts", "list", "C001")[0]["id"] == made["id"]


def test_what_cannot_be_noted_is_told_in_one_line_and_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "fake.pdf").write_bytes(b"MZ\x90")
    wrong = ("facts", "add", "C001", "lawsuits", "1", "--by", "ann", "--evidence", str(tmp_path / "fake.pdf"))
    assert refused(*wrong) == 2
    assert refused("facts", "add", "C001", "judgment_debtor", "perhaps", "--by", "ann") == 2
    assert refused("facts", "add", "NOBODY", "lawsuits", "1", "--by", "ann") == 2
    assert not Fact.objects.exists()


@pytest.mark.clause("B2.5")
def test_a_case_from_the_proposal_to_the_way_back() -> None:
    [case] = run("blacklist", "propose", "C001", "--ground", "malicious_default", "--why", "三次承诺均未履行",
                 "--evidence", "对账函", "--by", "fi")  # fmt: skip
    number = str(case["id"])
    assert refused("blacklist", "act", number, "approve", "--reason", "yes", "--by", "fi") == 2
    assert TrailEntry.objects.filter(about=f"blacklist-case:{number}").exists()
    assert run("blacklist", "act", number, "approve", "--reason", "yes", "--by", "vi")[0]["status"] == "listed"
    assert [each["id"] for each in run("blacklist", "list", "--status", "listed")] == [case["id"]]
    assert run("blacklist", "act", number, "appeal", "--reason", "paid", "--by", "ann")[0]["status"] == "appealed"
    assert run("blacklist", "act", number, "allow", "--reason", "seen", "--by", "cy")[0]["status"] == "leaving"
    assert refused("blacklist", "act", number, "bless", "--by", "cy") == 2
