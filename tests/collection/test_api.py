"""The daily run, letters and tasks over the API: contract, duties, sight."""

import json
from datetime import timedelta

import pytest

from shouxin.collection.models import Day, Notice, Task
from shouxin.office import clock
from shouxin.office.models import Person
from tests.api import Caller
from tests.people import acme

from .world import after, owe, run

pytestmark = pytest.mark.django_db
TOMORROW = (clock.today() + timedelta(days=1)).isoformat()


@pytest.mark.clause("C3.5")
def test_a_day_over_the_api(cy: Person) -> None:
    owe("10000.00")
    caller = Caller(cy)
    answer = caller.post("/days", {"as_of": "2026-04-03"})
    assert answer.status_code == 200
    assert (answer.data["status"], answer.data["counts"]["letters"]) == ("done", 1)
    assert answer.data["aging"]["CNY"]["total"] == "10000.00"
    assert answer.data["proof"] == {"difference": "0.00", "accounts": 1}
    again = caller.post("/days", {"as_of": "2026-04-03"})
    assert again.data == answer.data
    assert caller.get("/days/2026-04-03").data == answer.data
    assert caller.get("/days").data["items"] == [answer.data]
    assert caller.get("/days/2026-04-04").status_code == 404
    assert caller.post("/days", {"as_of": "2026-04-02"}).status_code == 409


def test_the_same_key_gives_the_same_answer_and_no_other(cy: Person) -> None:
    caller = Caller(cy)
    first = caller.post("/days", {"as_of": "2026-04-03"}, key="k1")
    again = caller.post("/days", {"as_of": "2026-04-03"}, key="k1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data
    assert caller.post("/days", {"as_of": "2026-04-04"}, key="k1").status_code == 409
    assert Day.objects.count() == 1


def test_who_may_run_and_who_may_read(ann: Person, ed: Person, sy: Person) -> None:
    assert Caller(ann).post("/days", {"as_of": "2026-04-03"}).status_code == 403
    assert Day.objects.count() == 0
    run(after(3))
    assert Caller(ed).get("/days/2026-04-03").status_code == 200
    assert Caller(ann).get("/days/2026-04-03").status_code == 403
    assert Caller(sy).get("/days/2026-04-03").status_code == 403
    assert Caller().get("/days/2026-04-03").status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"as_of": "3 April"}, {"as_of": "2026-04-03", "by": "x"}, {"as_of": "2062-01-01"}, {"as_of": TOMORROW}]
)
def test_a_body_that_cannot_be_read(body: dict[str, str], cy: Person) -> None:
    assert Caller(cy).post("/days", body).status_code == 422


def test_letters_are_seen_by_those_who_see_the_customer(ann: Person, di: Person, bo: Person) -> None:
    owe("10000.00")
    run(after(3))
    pk = Notice.objects.get().pk
    assert [each["id"] for each in Caller(ann).get("/notices", customer="C001").data["items"]] == [pk]
    assert Caller(di).get("/notices").data["items"] == []
    assert Caller(di).get(f"/notices/{pk}").status_code == 404
    answer = Caller(ann).client.get(f"/api/v1/notices/{pk}.pdf")
    assert (answer["Content-Type"], answer.content[:4]) == ("application/pdf", b"%PDF")
    assert Caller(ann).post(f"/notices/{pk}/hand_over", {"reason": "by hand"}).status_code == 403
    moved = Caller(bo).post(f"/notices/{pk}/hand_over", {"reason": "by hand"})
    assert (moved.status_code, moved.data["status"]) == (200, "sent")
    assert Caller(bo).post(f"/notices/{pk}/hold", {}).status_code == 409


@pytest.mark.clause("C3.6")
def test_the_work_list_is_ranked_by_the_money_at_stake(ann: Person, di: Person, bo: Person, cy: Person) -> None:
    owe("1000.00", "S-1", customer=acme(code="C101", name="小"))
    owe("90000.00", "S-2", customer=acme(code="C102", name="大"))
    owe("5000.00", "S-3", customer=acme(code="C103", name="中"))
    run(after(3))
    mine = Caller(ann).get("/tasks", mine="true").data["items"]
    assert [(each["customer"], each["amount"]) for each in mine] == [
        ("C102", "90000.00"), ("C103", "5000.00"), ("C101", "1000.00"),
    ]  # fmt: skip
    assert Caller(di).get("/tasks", mine="true").data["items"] == []
    assert Caller(bo).get("/tasks", mine="true").data["items"] == [], "these are for sales"
    assert len(Caller(bo).get("/tasks", status="open").data["items"]) == 3
    pk = mine[0]["id"]
    assert Caller(di).post(f"/tasks/{pk}/done", {"reason": "x"}).status_code == 404
    assert Caller(ann).post(f"/tasks/{pk}/done", {"reason": " "}).status_code == 422
    done = Caller(ann).post(f"/tasks/{pk}/done", {"reason": "pays on Friday"})
    assert (done.status_code, done.data["status"], done.data["result"]) == (200, "done", "pays on Friday")
    assert Caller(cy).post(f"/tasks/{pk}/drop", {"reason": "x"}).status_code == 409
    assert Task.objects.get(pk=pk).done_by == ann


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    from shouxin.config import cli

    owe("10000.00")
    assert cli.run(["day", "--as-of", "2026-04-03", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["letters"] == 1
    assert told["aging"]["CNY"]["ties"] is True
    assert cli.run(["day", "--as-of", "2026-04-03"]) == 0
    assert "10000.00" in capsys.readouterr().out
    assert cli.run(["day", "--as-of", "2026-04-01"]) == 2
    assert "2026-04-03" in capsys.readouterr().err
    assert cli.run(["day", "--as-of", "yesterday"]) == 2
    owe("500.00", "S-2", currency="USD")
    assert cli.run(["day", "--as-of", "2026-04-04", "--json"]) == 1, "a customer had to be left out"
