"""The trail audited from outside the code: command, API, page, worker; and what the door and the command line leave."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from shouxin.config import cli, doctor
from shouxin.office import audits, checkpoints, clock, jobs, sign_in, trail, trail_words
from shouxin.office.models import Person, TrailEntry
from tests.api import Caller
from tests.conftest import superuser

pytestmark = [pytest.mark.clause("A13"), pytest.mark.invariant("I-21")]
own_transactions = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")


def verbs() -> list[str]:
    return list(TrailEntry.objects.order_by("id").values_list("verb", flat=True))


def spoil() -> None:
    with superuser(connection) as intruder:
        intruder.execute(
            "UPDATE office_trailentry SET by_name = '别人' WHERE id = (SELECT min(id) FROM office_trailentry)"
        )


@own_transactions
def test_the_command_says_yes_no_and_what(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trail.record("rate", about="customer:1", by=None, at=clock.now())
    kept = tmp_path / "kept.json"
    assert cli.run(["trail", "checkpoint", str(kept)]) == 0
    assert cli.run(["trail", "checkpoint", str(kept)]) == 2  # what was kept is never replaced
    capsys.readouterr()
    assert cli.run(["trail", "verify", "--checkpoint", str(kept), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["entries"], told["checkpoints"], told["findings"]) == (True, 2, 1, [])
    spoil()
    assert cli.run(["trail", "verify", "--json"]) == 1
    assert [each["code"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["altered"]
    assert cli.run(["trail", "verify"]) == 1
    assert cli.run(["trail", "verify", "--checkpoint", str(tmp_path / "none.json")]) == 2
    assert "Traceback" not in capsys.readouterr().err


@own_transactions
def test_the_api_answers_the_auditor_alone(ed: Person, cy: Person, sy: Person) -> None:
    trail.record("rate", about="customer:1", by=None, at=clock.now())
    answer = Caller(ed).get("/trail/verify")
    assert answer.status_code == 200 and answer.data["whole"] and answer.data["wrong"] == 0
    assert [Caller(person).get("/trail/verify").status_code for person in (cy, sy)] == [403, 403]
    spoil()
    assert Caller(ed).get("/trail/verify").data["findings"][0]["code"] == "altered"


@own_transactions
def test_the_page_tells_the_auditor_how_the_chain_stands(ed: Person, cy: Person) -> None:
    trail.record("rate", about="customer:1", by=None, at=clock.now())
    address, auditor, manager = reverse("office:verify_trail"), Client(), Client()
    auditor.force_login(ed)
    manager.force_login(cy)
    assert address in auditor.get(reverse("office:trail")).content.decode()
    assert address not in manager.get(reverse("office:trail")).content.decode()
    assert manager.post(address).status_code == 403
    assert auditor.post(address).status_code == 200
    spoil()
    assert str(audits.verify(by=ed, at=clock.now()).findings[0].text) in auditor.post(address).content.decode()


@own_transactions
def test_the_worker_keeps_a_checkpoint_only_while_the_trail_is_whole() -> None:
    trail.record("rate", about="customer:1", by=None, at=clock.now())
    jobs.audit_trail(0)
    (kept,) = checkpoints.kept()
    assert kept.ours and kept.entries == 2
    spoil()
    jobs.audit_trail(0)
    assert len(checkpoints.kept()) == 1
    assert TrailEntry.objects.filter(verb="trail.verify", particulars__whole=False).count() == 1


@own_transactions
def test_the_doctor_misses_a_checkpoint_after_two_days(time_machine) -> None:
    trail.record("rate", about="customer:1", by=None, at=clock.now())
    jobs.audit_trail(0)
    assert doctor._checkpoint().ok
    time_machine.move_to(clock.now() + timedelta(days=3))
    assert not doctor._checkpoint().ok and doctor._checkpoint().mend


@pytest.mark.django_db
@pytest.mark.invariant("I-22")
def test_who_comes_in_leaves_and_fails_is_written_down(ann: Person) -> None:
    ann.set_password("a long enough one")
    ann.save()
    visitor = Client(REMOTE_ADDR="192.0.2.7")
    door = "/accounts/login/"
    visitor.post(door, {"login": "ann", "password": "wrong"})
    visitor.post(door, {"login": "hunter2 is my password", "password": "wrong"})
    visitor.post(door, {"login": "ann", "password": "a long enough one"})
    visitor.post("/accounts/logout/")
    assert verbs() == ["sign_in.fail", "sign_in.fail", "sign_in", "sign_out"]
    failed, stranger, came, _left = TrailEntry.objects.order_by("id")
    assert (failed.about, failed.by, failed.particulars) == (f"person:{ann.pk}", None, {"address": "192.0.2.7"})
    assert (stranger.about, came.by) == ("door:", ann)
    assert "hunter2" not in json.dumps(list(TrailEntry.objects.values("label", "particulars")))


@pytest.mark.django_db
@pytest.mark.invariant("I-22")
def test_a_lock_out_is_written_down(ann: Person) -> None:
    visitor = Client()
    for _ in range(sign_in.rules().failures_max + 1):
        visitor.post("/accounts/login/", {"login": "ann", "password": "wrong"})
    assert "sign_in.lock" in verbs()


@own_transactions
@pytest.mark.invariant("I-22")
def test_a_refused_command_leaves_the_line_a_refused_page_leaves(ann: Person, bo: Person) -> None:
    assert cli.run(["user", "disable", "bo", "--by", "ann"]) == 2
    (line,) = TrailEntry.objects.all()
    assert (line.verb, line.by, line.about) == ("refuse", ann, f"person:{bo.pk}")
    assert line.particulars["asked"] == "disable_person" and Person.objects.get(pk=bo.pk).is_active


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["amount", "none", "sales", "1.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted(
    {*trail_words.PARTICULARS, *trail_words.WORDED, *trail_words.AMOUNTS, "post", "duty", "reasons", "names"}
)


@given(st.sampled_from(NAMES), JSON)
def test_every_line_can_be_told_whatever_its_particulars(name: str, value: Any) -> None:
    assert isinstance(trail_words.particulars(TrailEntry(verb="x", particulars={name: value})), str)


def test_a_kind_of_limit_that_was_changed_is_told_in_words() -> None:
    line = TrailEntry(verb="line.downgrade", particulars={"limit_kind": ["amount", "none"]})
    with translation.override("en"):
        assert trail_words.particulars(line).endswith("an amount → no credit")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1234.5", "1,234.50"), ("-3", "-3.00"), ("王经理说下月搬家", "王经理说下月搬家"), ("NaN", "NaN"), ("", "")],
)
def test_a_value_is_told_as_an_amount_where_it_is_one(value: str, shown: str) -> None:
    told = trail_words.particulars(TrailEntry(verb="add_fact", particulars={"value": value}))
    assert told.rpartition(": ")[2] == shown
