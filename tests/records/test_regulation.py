"""The regulation counted: the catalogue says what is true of pages, tests and records."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shouxin.lib.marks import marked_tests
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.records import coverage, evidence
from shouxin.records.regulation import CLAUSES, PAGES, State
from tests.api import Caller
from tests.people import CAST, member
from tests.records import seed

IDS = [
    "A1",
    "A2",
    "A3",
    "A4",
    "A5",
    "A6",
    "A7",
    "A8",
    "A9",
    "A10",
    "A11",
    "A12",
    "A13",
    "B1.0",
    "B1.1",
    "B1.2",
    "B1.3",
    "B1.4",
    "B2.1",
    "B2.2",
    "B2.3",
    "B2.4",
    "B2.5",
    "B2.6",
    "B3.1",
    "B3.2",
    "B4.1",
    "B4.2",
    "B4.3",
    "C1",
    "C2",
    "C3.1",
    "C3.2",
    "C3.3",
    "C3.4",
    "C3.5",
    "C3.6",
    "C3.7",
    "C4.1",
    "C4.2",
    "C4.3",
    "C4.4",
    "C4.5",
]


def page_of(person: Person, language: str = "en") -> Any:
    client = Client(headers={"Accept-Language": language})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse("regulation"))


def test_every_clause_of_the_regulation_is_in_the_catalogue_once() -> None:
    assert [clause.id for clause in CLAUSES] == IDS
    assert len(IDS) == 43


def test_every_mark_names_a_clause() -> None:
    assert set(coverage.clause_tests()) <= set(IDS)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_what_is_said_of_a_clause_is_true(clause: Any) -> None:
    assert all(reverse(name) for name in clause.places)
    assert set(clause.places) <= set(PAGES)
    assert set(clause.evidence) <= set(evidence.KINDS)
    if clause.state == State.NOT_YET:
        assert clause.lacks, "what is not there yet is said"
        assert not clause.answer and not clause.evidence
    else:
        assert clause.answer and clause.evidence
        assert coverage.clause_tests().get(clause.id), "no test is marked with this clause"


def test_marks_are_found_on_functions_classes_and_files(tmp_path: Any) -> None:
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        'pytestmark = [pytest.mark.clause("A1")]\n'
        '@pytest.mark.clause("B2.5", "A6")\ndef test_a(): ...\n'
        '@pytest.mark.clause("C2")\nclass TestB:\n    def test_b(self): ...\n    def help(self): ...\n'
        "def helper(): ...\n"
    )
    found = marked_tests(tmp_path)
    assert {clause: [name for _file, name in tests] for clause, tests in found.items()} == {
        "A1": ["test_a", "test_b"], "B2.5": ["test_a"], "A6": ["test_a"], "C2": ["test_b"]
    }  # fmt: skip


@pytest.mark.django_db
def test_evidence_is_counted_and_dated() -> None:
    assert evidence.found("invoices").count == 0
    assert evidence.found("invoices").newest is None
    policies.ensure()
    seed.trading()
    for key in evidence.KINDS:
        found = evidence.found(key)
        assert (found.newest is None) == (found.count == 0)
    assert evidence.found("invoices").count > 0


@pytest.mark.django_db
def test_more_than_the_page_counts_is_said_to_be_more(monkeypatch: pytest.MonkeyPatch) -> None:
    policies.ensure()
    seed.trading()
    monkeypatch.setattr(evidence, "COUNTED_UP_TO", 1)
    found = evidence.found("invoices")
    assert (found.count, found.more) == (1, True)


@pytest.mark.invariant("I-33")
@pytest.mark.django_db
@pytest.mark.parametrize("name", CAST)
def test_everybody_reads_it_and_only_who_sees_all_reads_the_evidence(name: str) -> None:
    policies.ensure()
    seed.trading()
    answer = page_of(member(name))
    assert answer.status_code == 200
    assert ('class="evidence"' in answer.content.decode()) == (name not in ("ann", "di", "sy", "se"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", CAST)
def test_it_links_only_what_the_reader_may_open(name: str) -> None:
    policies.ensure()
    seed.trading()
    client = Client()
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    links = set(re.findall(r'<a class="btn btn-sm" href="([^"]+)"', client.get(reverse("regulation")).content.decode()))
    assert links and {link: status for link in links if (status := client.get(link).status_code) != 200} == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "word"), [("en", "not yet"), ("zh-hans", "尚未")])
def test_the_page_names_what_is_not_there_yet(language: str, word: str, ed: Person) -> None:
    shown = page_of(ed, language).content.decode()
    assert word in shown
    assert all(f'id="{clause}"' in shown for clause in IDS)


@pytest.mark.django_db
def test_the_clauses_over_the_api(ed: Person, ann: Person) -> None:
    items = Caller(ed).get("/reports/clauses").json()["items"]
    assert [each["id"] for each in items] == IDS
    ladder = items[IDS.index("B2.5")]
    assert ladder["state"] == "works" and ladder["tests"] and ladder["evidence"]
    assert all(not each["evidence"] for each in Caller(ann).get("/reports/clauses").json()["items"])
