"""To whom personal data are given, and what is thought through beforehand: pages, API, command line (PIPL)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from shouxin.config import cli
from shouxin.customers import data_requests
from shouxin.office import clock, policies
from shouxin.office.models import DataSharing, DataSharingVersion, ImpactAssessment, Person, TrailEntry
from shouxin.office.privacy import assessments, forms, sharings
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.receivables import ratings
from tests.api import Caller
from tests.people import TODAY, acme
from tests.rules.test_privacy import BUREAU, GRADING

pytestmark = [pytest.mark.django_db, pytest.mark.clause("A13")]
ENTRY = {
    "recipient": "百行征信有限公司", "kind": "credit_bureau", "contact": "400-000-0000", "purpose": "查询信用记录",
    "role": "provided", "persons": ["customer"], "fields": ["customers.Customer.name", "customers.Customer.id_number"],
    "manner": "interface", "basis": "consent", "consent": "申请表第三栏签字", "agreement": "HT-2026-11",
    "since": "2026-01-01",
}  # fmt: skip
PAPER = {
    "title": "自然人客户自动评级", "occasions": ["automated"], "processing": "p", "necessity": "n", "impact": "i",
    "risk": "medium", "measures": "m", "fits": True, "conclusion": "go", "opinion": "o", "assessed_on": "2026-11-20",
}  # fmt: skip


@pytest.fixture(autouse=True)
def house(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    policies.ensure()


def act(person: Person) -> dict[str, Any]:
    return {"by": person, "on": TODAY, "at": timezone.now()}


def entered(by: Person, **changed: Any) -> DataSharing:
    return sharings.enter(replace(BUREAU, **changed), **act(by))


def written(by: Person, before: ImpactAssessment | None = None, **changed: Any) -> ImpactAssessment:
    return assessments.write(replace(GRADING, **changed), before=before, **act(by))


def browser(person: Person) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- the sharing register --------------------------------------------------------------------------


def test_a_correction_leaves_the_old_wording_and_an_end_leaves_all(bo: Person, cy: Person) -> None:
    caller = Caller(bo)
    made = caller.post("/data-sharings", ENTRY).data
    assert (made["state"], made["entered_by"], made["verbs"]) == ("running", "bo", ["correct", "end"])
    path = f"/data-sharings/{made['id']}"
    scan = {"file": SimpleUploadedFile("agreement.txt", b"agreed"), "note": "HT-2026-11"}
    kept = browser(bo).post(f"/api/v1{path}/attachments", scan)
    assert (kept.status_code, kept.json()["note"]) == (201, "HT-2026-11")
    corrected = caller.post(f"{path}/correct", ENTRY | {"purpose": "年审查询", "reason": "新合同"}).data
    assert corrected["purpose"] == "年审查询"
    ended = Caller(cy).post(f"{path}/end", {"reason": "合同到期"}).data
    assert (ended["state"], ended["ended_by"], ended["ended_why"], ended["verbs"]) == ("ended", "cy", "合同到期", [])
    assert caller.post(f"{path}/correct", ENTRY | {"purpose": "x", "reason": "y"}).status_code == 409
    wordings = DataSharingVersion.objects.order_by("number").values_list("number", "wording__purpose", "why")
    assert list(wordings) == [(1, "查询信用记录", ""), (2, "年审查询", "新合同")]
    verbs = TrailEntry.objects.filter(about=f"data-sharing:{made['id']}").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["enter_sharing", "attach", "correct_sharing", "end_sharing"]


def test_nobody_corrects_what_another_has_corrected_meanwhile(bo: Person) -> None:
    row = entered(bo)
    seen = row.version
    sharings.correct(row, replace(BUREAU, purpose="a"), why="w", version=seen, **act(bo))
    stale = DataSharing.objects.get()
    with pytest.raises(Moved):
        sharings.end(stale, why="w", version=seen, **act(bo))


def test_a_wording_cannot_be_changed_nor_an_entry_deleted(bo: Person) -> None:
    row = entered(bo)
    for change in (
        lambda: DataSharingVersion.objects.update(why="x"), lambda: DataSharingVersion.objects.all().delete(),
        lambda: DataSharing.objects.filter(pk=row.pk)._raw_delete("default"),
    ):  # fmt: skip
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()


def test_everything_an_entry_lacks_is_named_at_once(bo: Person) -> None:
    sent = ENTRY | {"basis": "13-2", "purpose": " ", "fields": ["nothing.Of.ours"], "kind": "circus"}
    answer = Caller(bo).post("/data-sharings", sent)
    assert answer.status_code == 422
    assert {each["field"] for each in answer.data["errors"]} == {"basis", "purpose", "fields", "kind"}
    assert not DataSharing.objects.exists()


def test_a_correction_that_changes_nothing_is_none(bo: Person) -> None:
    row = entered(bo)
    with pytest.raises(BadForm):
        sharings.correct(row, sharings.terms_of(row), why="w", version=row.version, **act(bo))
    assert DataSharingVersion.objects.count() == 1


def test_whose_duty_the_register_is(bo: Person, ann: Person, fi: Person, ed: Person) -> None:
    entered(bo)
    assert Caller(ed).get("/data-sharings").data["items"][0]["verbs"] == []
    assert [Caller(each).get("/data-sharings").status_code for each in (ann, fi)] == [403, 403]
    assert [Caller(each).post("/data-sharings", ENTRY).status_code for each in (ann, fi, ed)] == [403, 403, 403]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param({}, True, id="running"),
        pytest.param({"since": TODAY - timedelta(900), "until": TODAY}, True, id="its last day is that of her coming"),
        pytest.param(
            {"since": TODAY - timedelta(900), "until": TODAY - timedelta(1)}, False, id="over before she came"
        ),
        pytest.param({"persons": ("staff",)}, False, id="data of others"),
    ],
)
def test_a_person_is_told_to_whom_her_data_were_given(
    ann: Person, cy: Person, bo: Person, changed: dict[str, Any], told: bool
) -> None:
    entered(bo, **changed)
    person = acme(code="P1", name="李伟", natural_person=True)
    type(person).objects.filter(pk=person.pk).update(created_at=datetime(2026, 11, 24, 4, tzinfo=UTC))
    person.refresh_from_db()
    asked = data_requests.ask(person, "copy", why="本人来函", **act(ann))
    data_requests.decide(asked, "confirm", answer="同意", **act(cy))
    copy = json.loads(data_requests.copy_of(asked.__class__.objects.get(), **act(bo)))
    assert [each["recipient"] for each in copy["given_to"]] == (["百行征信"] if told else [])
    if told:
        assert copy["given_to"][0]["contact"] == "400-000-0000" and copy["given_to"][0]["fields"]


def test_the_pages_of_the_register(bo: Person, ed: Person) -> None:
    client = browser(bo)
    form = ENTRY | {"until": "", "file": SimpleUploadedFile("agreement.txt", b"agreed")}
    assert client.post("/office/personal-data/sharings/new", form | {"basis": "13-2"}).status_code == 422
    form["file"] = SimpleUploadedFile("agreement.txt", b"agreed")
    made = client.post("/office/personal-data/sharings/new", form)
    pk = DataSharing.objects.get().pk
    assert made["Location"] == f"/office/personal-data/sharings/{pk}/"
    shown = client.get(made["Location"]).content.decode()
    assert "百行征信有限公司" in shown and "agreement.txt" in shown
    change = ENTRY | {"purpose": "年审", "reason": "新合同", "version": "1"}
    assert client.post(f"/office/personal-data/sharings/{pk}/correct", change).status_code == 302
    assert client.post(f"/office/personal-data/sharings/{pk}/correct", change | {"purpose": "b"}).status_code == 409
    assert "<del>查询信用记录</del>" in client.get(made["Location"]).content.decode()
    assert "百行征信有限公司" in browser(ed).get("/office/personal-data/sharings/").content.decode()
    assert "年审" in browser(ed).get("/office/personal-data/").content.decode()
    assert browser(ed).get("/office/personal-data/sharings/?export=xlsx").status_code == 200
    end = {"reason": "到期", "version": str(DataSharing.objects.get().version)}
    for wrong in ({"reason": ""}, {"version": ""}):
        assert client.post(f"/office/personal-data/sharings/{pk}/end", end | wrong).status_code == 422
    assert DataSharing.objects.get().status == "running"
    client.post(f"/office/personal-data/sharings/{pk}/end", end)
    assert DataSharing.objects.get().ended_by == bo


# --- impact assessments ----------------------------------------------------------------------------


def test_one_writes_and_another_reviews(bo: Person, cy: Person, vi: Person) -> None:
    row = written(cy)
    assert (row.status, row.next_review_on) == ("written", TODAY.replace(year=2027))
    with pytest.raises(NotYourDuty) as refused:
        assessments.review(row, **act(cy))
    assert refused.value.code == "second_person"
    with pytest.raises(NotYourDuty):
        assessments.review(row, **act(bo))
    assert assessments.review(row, note="agreed", **act(vi)).status == "in_force"


def test_a_version_stays_in_force_until_the_next_is_reviewed(bo: Person, cy: Person) -> None:
    first = assessments.review(written(bo), **act(cy))
    second = written(bo, before=first, risk="low")
    first.refresh_from_db()
    assert (first.status, second.number, second.series) == ("in_force", 2, first.series)
    with pytest.raises(Moved) as later:
        written(bo, before=first)
    assert later.value.code == "later_version"
    assessments.send_back(second, note="say more", **act(cy))
    third = written(bo, before=second)
    assessments.review(third, **act(cy))
    statuses = ImpactAssessment.objects.order_by("number").values_list("status", "ended_on")
    assert list(statuses) == [("replaced", TODAY), ("replaced", TODAY), ("in_force", None)]


def test_what_was_written_is_never_changed(bo: Person) -> None:
    row = written(bo)
    for change in (
        lambda: ImpactAssessment.objects.filter(pk=row.pk).update(risk="low"),
        lambda: ImpactAssessment.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()


def test_it_is_kept_for_three_years_and_then_disposed_of(bo: Person, cy: Person, vi: Person) -> None:
    row, guard = assessments.review(written(bo), **act(cy)), policies.in_force(TODAY).policy.personal_data
    assert "dispose" not in assessments.verbs_for(row, vi, TODAY, guard)
    assessments.close(row, note="over", **act(bo))
    for years, day in ((3, -1), (3, 0)):
        on = TODAY.replace(year=TODAY.year + years) + timedelta(day)
        if day < 0:
            with pytest.raises(Moved) as refused:
                assessments.dispose(row, by=vi, on=on, at=timezone.now())
            assert refused.value.code == "kept_by_law"
        else:
            assert "dispose" in assessments.verbs_for(row, vi, on, guard)
            assessments.dispose(row, by=vi, on=on, at=timezone.now())
    assert not ImpactAssessment.objects.exists()
    assert TrailEntry.objects.get(verb="dispose_assessment").particulars["title"] == "Grading"


def codes() -> list[str]:
    return [each.code for each in assessments.findings(TODAY)]


def test_what_is_shared_or_graded_without_an_assessment_is_told(bo: Person, cy: Person, ann: Person) -> None:
    assert codes() == []
    row = entered(bo)
    person = acme(code="P1", name="王芳", natural_person=True)
    ratings.rate([person.pk], as_of=TODAY, edition=policies.in_force(TODAY), **act(bo))
    assert codes() == ["sharing_unassessed", "grading_unassessed"]
    told = browser(bo).get("/").context["privacy"]
    assert [each["address"] for each in told] == [
        f"/office/personal-data/sharings/{row.pk}/", "/office/personal-data/assessments/new?occasions=automated",
    ]  # fmt: skip
    assert browser(ann).get("/").context["privacy"] == []
    assert len(browser(cy).get("/office/personal-data/").context["findings"]) == 2
    assert "findings" not in browser(ann).get("/office/personal-data/").context
    paper = written(bo, occasions=("automated", "sharing"), covers=(row.pk,))
    assert codes() == ["sharing_unassessed", "grading_unassessed"], "nobody has reviewed it yet"
    assessments.review(paper, **act(cy))
    assert codes() == []
    later = paper.next_review_on
    assert [each.code for each in assessments.findings(later)] == ["review_due"]
    assert [each.code for each in assessments.findings(later + timedelta(1))] == ["review_overdue"]
    sharings.end(row, why="over", version=row.version, **act(bo))
    assessments.close(paper, note="over", **act(bo))
    assert codes() == ["grading_unassessed"]


def test_the_pages_of_an_assessment(bo: Person, cy: Person, ann: Person) -> None:
    row = entered(bo)
    client = browser(bo)
    assert client.get("/office/personal-data/assessments/new?occasions=sharing").status_code == 200
    form = PAPER | {"occasions": ["sharing"], "covers": [row.pk], "fits": "on"}
    assert client.post("/office/personal-data/assessments/new", form | {"occasions": []}).status_code == 422
    made = client.post("/office/personal-data/assessments/new", form)
    pk = ImpactAssessment.objects.get().pk
    assert made["Location"] == f"/office/personal-data/assessments/{pk}/"
    assert client.post(f"{made['Location']}review", {"reason": ""}).status_code == 403
    assert browser(cy).post(f"{made['Location']}review", {"reason": "同意"}).status_code == 302
    for ending, begins in (("pdf", b"%PDF"), ("docx", b"PK")):
        assert client.get(f"{made['Location']}?form={ending}").content.startswith(begins)
    assert client.get(f"{made['Location']}next").context["form"]["title"].value() == PAPER["title"]
    assert client.post(f"{made['Location']}next", form | {"risk": "high"}).status_code == 302
    assert ImpactAssessment.objects.get(number=2).risk == "high"
    assert browser(ann).get("/office/personal-data/assessments/").status_code == 403
    assert client.get("/office/personal-data/assessments/?export=xlsx").status_code == 200


def test_assessments_over_the_api(bo: Person, cy: Person) -> None:
    made = Caller(bo).post("/impact-assessments", PAPER).data
    assert (made["status"], made["verbs"], made["next_review_on"]) == ("written", [], "2027-11-20")
    path = f"/impact-assessments/{made['id']}"
    assert Caller(cy).get(path).data["verbs"] == ["review", "send_back"]
    assert Caller(cy).post(f"{path}/send_back", {}).status_code == 422
    assert Caller(cy).post(f"{path}/review", {"reason": "ok"}).data["reviewed_by"] == "cy"
    assert Caller(cy).post(f"{path}/shred", {}).status_code == 404
    assert Caller(bo).post(f"{path}/versions", PAPER | {"risk": "high"}).data["number"] == 2
    assert Caller(bo).client.get(f"/api/v1{path}/paper.pdf").content.startswith(b"%PDF")
    assert Caller(bo).post("/impact-assessments", PAPER | {"covers": [987]}).status_code == 422
    assert Caller(bo).get("/impact-assessments/findings").data == []


def test_on_the_command_line(bo: Person, cy: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry, paper = tmp_path / "entry.json", tmp_path / "paper.yaml"
    entry.write_text(json.dumps(ENTRY), "utf-8")
    assert cli.run(["personal", "share", str(entry), "--by", "bo", "--json"]) == 0
    pk = json.loads(capsys.readouterr().out)[0]["id"]
    assert cli.run(["personal", "findings", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["code"] == "sharing_unassessed"
    sheet = PAPER | {"occasions": ["sharing"], "covers": [pk]}
    lines = [f"{name}: {json.dumps(value)}" for name, value in sheet.items()]
    paper.write_text("\n".join(lines).replace('"2026-11-20"', "2026-11-20"), "utf-8")
    assert cli.run(["personal", "assess", str(paper), "--by", "bo", "--json"]) == 0
    number = json.loads(capsys.readouterr().out)[0]["id"]
    assert cli.run(["personal", "assessment-step", str(number), "review", "--by", "cy"]) == 0
    assert cli.run(["personal", "findings"]) == 0
    out = tmp_path / "pia.pdf"
    assert cli.run(["personal", "assessment-paper", str(number), str(out)]) == 0 and out.read_bytes()[:4] == b"%PDF"
    assert cli.run(["personal", "assessment-paper", str(number), str(out)]) == 2, "nothing is written over"
    entry.write_text(json.dumps(ENTRY | {"purpose": "年审"}), "utf-8")
    changed = ["personal", "share", str(entry), "--correct", str(pk), "--reason", "新合同", "--by", "bo"]
    assert cli.run(changed) == 0
    assert cli.run(["personal", "end-sharing", str(pk), "--reason", "到期", "--by", "bo"]) == 0
    capsys.readouterr()
    assert cli.run(["personal", "sharings", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "ended"
    assert cli.run(["personal", "assessments", str(number), "--json"]) == 0
    entry.write_text("[]", "utf-8")
    assert cli.run(["personal", "share", str(entry), "--by", "bo"]) == 2
    entry.write_text(json.dumps(ENTRY | {"colour": "red"}), "utf-8")
    assert cli.run(["personal", "share", str(entry), "--by", "bo"]) == 2
    assert "colour" in capsys.readouterr().err


def test_an_entry_whose_last_day_is_near_is_told_before_it_is_over(bo: Person) -> None:
    row = entered(bo, until=TODAY + timedelta(4))
    told = {each["code"]: each for each in assessments.told(assessments.findings(TODAY))}["sharing_ends"]
    assert (told["about"], told["day"], told["grave"]) == (row.pk, TODAY + timedelta(4), False)
    assert row.recipient in told["text"]
    assert "sharing_ends" not in {each.code for each in assessments.findings(TODAY - timedelta(40))}


def test_the_form_names_no_field_by_its_code(bo: Person) -> None:
    words = [word for _path, word in forms.SharingForm().fields["fields"].choices]
    assert len(set(words)) == len(words) and not [word for word in words if "." in word]


def test_an_entry_past_its_last_day_is_told_at_home_until_it_is_ended(bo: Person) -> None:
    row = entered(bo, until=TODAY)
    tomorrow = TODAY + timedelta(1)
    assert "sharing_past" not in codes()
    [told] = assessments.told(assessments.findings(tomorrow))
    assert (told["code"], told["about"], told["day"]) == ("sharing_past", row.pk, TODAY)
    assert row.recipient in told["text"] and told["cure"] and told["grave"]
    sharings.end(row, why="到期", version=row.version, **act(bo) | {"on": tomorrow})
    assert assessments.findings(tomorrow) == []
