"""The trail in words: every verb recorded or asked for has one, and no code, key or raw moment is left to a reader."""

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

import shouxin
from shouxin.office import trail_words
from shouxin.office.models import Person, TrailEntry

SOURCE = Path(shouxin.__file__).parent


def written_verbs() -> dict[str, str]:
    """Every verb that stands in a call: `trail.record("…")`, `step("…")`, `verb="…"`; with the file it stands in."""
    found: dict[str, str] = {}
    for file in SOURCE.rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)):
            first = call.args[:1] if ast.unparse(call.func) in ("trail.record", "trail.line", "step") else []
            named = [keyword.value for keyword in call.keywords if keyword.arg == "verb"]
            texts = [each.value for each in (*first, *named) if isinstance(each, ast.Constant)]
            found |= {text: file.name for text in texts if text}
    return found


def test_every_verb_that_is_recorded_or_refused_has_its_words() -> None:
    found = written_verbs()
    assert len(found) > 100
    assert {verb: file for verb, file in found.items() if verb not in {*trail_words.VERBS, *trail_words.ASKED}} == {}


@pytest.mark.parametrize("kind", ["invoice", "receipt"])
def test_what_one_paper_is_called_when_many_are_posted_has_its_words(kind: str) -> None:
    from shouxin.receivables.bulk import SINGLE

    assert {f"{kind}.{SINGLE[kind]}", f"{kind}.post_many"} <= set(trail_words.VERBS)


def told(about: str, language: str = "en", **particulars: Any) -> str:
    line = TrailEntry(verb="x", about=about, particulars=particulars, at=datetime(2026, 12, 1, 12, 3, tzinfo=UTC))
    with translation.override(language):
        return trail_words.particulars(line)


@pytest.mark.parametrize(
    ("about", "particulars", "shown"),
    [
        ("line-request:1", {"asked": "line_request.approve"}, "asked for: to sign a line request"),
        ("line-request:1", {"code": "no_post"}, "code: takes a higher post"),
        ("application:1", {"was": "submitted"}, "was: Handed in"),
        ("blacklist-case:1", {"ground": "malicious_default"}, "ground: Malicious default: able to pay, refuses"),
        ("customer:1", {"tab": "overview"}, "part of the file: Overview"),
        ("customer:1", {"changes": {"registered_capital": ["5000000.00", None]}},
         "changes: registered capital 5,000,000.00 → —"),
        ("grade-review:1", {"seen_at": "2026-12-01T12:03:03.770116+00:00"}, "seen_at: 2026-12-01 20:03"),
        ("grade-review:1", {"confirmed_at": "2026-12-01T12:03:00+00:00"}, ""),
        ("customer:1", {"code": "C001"}, "code: C001"),
    ],
)  # fmt: skip
def test_codes_are_told_in_words(about: str, particulars: dict[str, Any], shown: str) -> None:
    assert told(about, **particulars) == shown


@pytest.mark.django_db
def test_persons_are_told_by_name_and_whoever_acted_once(ann: Person) -> None:
    assert told("grade-review:1", rated_by=f"person:{ann.pk}") == f"rated_by: {ann}"
    line = TrailEntry(verb="x", about="grade-review:1", by=ann, particulars={"confirmed_by": f"person:{ann.pk}"})
    assert trail_words.particulars(line) == ""


def test_lists_and_the_built_in_person_have_their_words() -> None:
    line = TrailEntry(verb="export", about="list:line-requests", by_name="system")
    with translation.override("en"):
        assert (trail_words.thing(line), trail_words.actor(line)) == ("list Line requests", "System")
