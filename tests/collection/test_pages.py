"""The collection pages: the round and its days, the work list, letters; in both languages, by duty and sight."""

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.collection import jobs, reasons, rounds
from shouxin.collection.models import Day, Notice, Task
from shouxin.office import clock
from shouxin.office.models import Person
from shouxin.rules import dunning
from tests.people import CAST, TODAY, acme, member

from .world import after, another, line, owe, run

pytestmark = pytest.mark.django_db
SIGN_IN = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def on_this_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock says today."""
    monkeypatch.setattr(clock, "today", lambda: TODAY)


def browser(who: str, language: str = "en") -> Client:
    """A browser in which one of the cast has signed in."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(who), backend=SIGN_IN)
    return client


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return str(answer.content.decode())


@pytest.mark.clause("C4.2")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_day_shows_what_was_done_and_why(language: str) -> None:
    line("B")
    owe("10000.00")
    run(after(31))
    text = shown(browser("cy", language).get(f"/collection/days/{after(31)}/"))
    assert "B → C" in text
    assert acme().name in text
    words = {"en": "31 days overdue: the ladder", "zh-hans": "逾期 31 天，适用降级阶梯 31 天档"}
    assert words[language] in text
    assert {"en": "adds up to the ledger", "zh-hans": "与总账一致"}[language] in text
    assert "10,000.00" in text


def test_every_reason_has_words() -> None:
    ladder = {"rung_reached", "late_payments", "residue"}
    own = {"episode_began", "episode_ended", "standing_worsened", "standing_lifted", "standing_of_people"}
    assert set(reasons.WORDS) == {*dunning.DUNNING_REASONS, *ladder, *own}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("address", ["/collection/round/", "/collection/tasks/", "/collection/notices/"])
def test_the_lists_open_and_go_out_to_excel(address: str, language: str) -> None:
    owe("10000.00")
    run(after(3))
    client = browser("cy", language)
    shown(client.get(address))
    assert client.get(address + "?export=xlsx").status_code == 200
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("who", sorted(CAST))
def test_who_sees_the_round(who: str) -> None:
    run(after(3))
    expected = 403 if CAST[who][0] in ("sales", "system-manager", "security-manager") else 200
    for address in ("/collection/round/", f"/collection/days/{after(3)}/", "/collection/round/progress"):
        assert browser(who).get(address).status_code == expected


def test_days_that_never_were() -> None:
    assert browser("cy").get("/collection/days/2026-04-09/").status_code == 404
    assert browser("cy").get("/collection/days/yesterday/").status_code == 404


def test_the_button_hands_the_day_to_the_worker() -> None:
    client = browser("bo")
    assert "Run today" in shown(client.get("/collection/round/"))
    assert client.post("/collection/round/run").status_code == 302
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args["as_of"], job.args["by"]) == ("collection.run_day", "2026-11-24", member("bo").pk)
    assert client.post("/collection/round/run").status_code == 302
    assert ProcrastinateJob.objects.count() == 1
    assert 'hx-get="/collection/round/progress"' in shown(client.get("/collection/round/"))
    jobs.run_day(**job.args)
    day = Day.objects.get()
    assert (day.as_of, day.status, day.by) == (TODAY, "done", member("bo"))


def test_an_earlier_day_is_run_from_the_page() -> None:
    client = browser("cy")
    assert client.post("/collection/round/run", {"as_of": "2020-05-22"}).status_code == 302
    assert ProcrastinateJob.objects.get().args["as_of"] == "2020-05-22"
    for wrong in ("2026-11-25", "22 May"):
        assert client.post("/collection/round/run", {"as_of": wrong}).status_code == 422


def test_who_may_not_press_the_button() -> None:
    assert "Run today" not in shown(browser("ed").get("/collection/round/"))
    for who in ("ed", "ann", "fi", "sy"):
        assert browser(who).post("/collection/round/run").status_code == 403
    assert ProcrastinateJob.objects.count() == 0


def test_progress_tells_when_the_run_is_over() -> None:
    answer = browser("cy").get("/collection/round/progress")
    assert answer["HX-Redirect"] == "/collection/round/"


def test_a_long_gap_is_told_and_can_be_left_behind() -> None:
    run(date(2026, 10, 1))
    client = browser("cy")
    assert "53 days missed" in shown(client.get("/collection/round/"))
    assert client.post("/collection/round/run").status_code == 409
    assert client.post("/collection/round/run", {"anew": "1"}).status_code == 302
    assert ProcrastinateJob.objects.get().args["start"] == "2026-11-24"


def test_a_customer_left_out_is_named() -> None:
    gamma = another("C003", currency="USD")
    owe("200.00", "S-3", customer=gamma, currency="USD")
    run(after(3))
    text = shown(browser("cy").get(f"/collection/days/{after(3)}/"))
    assert "There is no exchange rate for USD." in text or "没有 USD 的汇率。" in text
    assert gamma.name in text


# --- work list -----------------------------------------------------------------------------------


@pytest.mark.clause("C3.6")
def test_the_work_list_is_her_own_and_ranked() -> None:
    owe("1000.00", "S-1", customer=another("C101"))
    owe("90000.00", "S-2", customer=another("C102"))
    run(after(3))
    text = shown(browser("ann").get("/collection/tasks/"))
    assert text.index("客户C102") < text.index("客户C101")
    assert "客户C102" not in shown(browser("di").get("/collection/tasks/"))
    assert "客户C102" not in shown(browser("bo").get("/collection/tasks/"))
    assert "客户C102" in shown(browser("bo").get("/collection/tasks/?whose=all"))


def test_a_task_is_settled_with_a_word_on_it() -> None:
    owe("1000.00")
    run(after(3))
    task = Task.objects.get()
    client = browser("ann")
    text = shown(client.get(f"/collection/tasks/{task.pk}/"))
    assert "Call the customer" in text and "信函〔2026〕第001号" in text
    refused = client.post(f"/collection/tasks/{task.pk}/done", {"reason": ""})
    assert refused.status_code == 422 and "<b>Result</b>" in refused.text
    assert browser("di").post(f"/collection/tasks/{task.pk}/done", {"reason": "x"}).status_code == 404
    assert browser("ed").post(f"/collection/tasks/{task.pk}/done", {"reason": "x"}).status_code == 403
    assert client.post(f"/collection/tasks/{task.pk}/burn", {"reason": "x"}).status_code == 404
    assert client.post(f"/collection/tasks/{task.pk}/done", {"reason": "pays on Friday"}).status_code == 302
    assert "pays on Friday" in shown(client.get(f"/collection/tasks/{task.pk}/"))


# --- letters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_letter_is_shown_as_it_was_written(language: str) -> None:
    customer = another("C900")
    customer.name = "<script>alert(1)</script>有限公司"
    customer.save()
    owe("10000.00", customer=customer)
    run(after(3))
    notice = Notice.objects.get()
    text = shown(browser("ann", language).get(f"/collection/notices/{notice.pk}/"))
    assert "<script>alert" not in text
    for paragraph in notice.letter["paragraphs"]:
        assert paragraph in text
    assert "壹万元整" in text
    paper = browser("ann").get(f"/collection/notices/{notice.pk}.pdf")
    assert (paper["Content-Type"], paper.content[:4]) == ("application/pdf", b"%PDF")


def test_letters_move_by_those_whose_duty_it_is() -> None:
    acme(email="ap@acme.example")
    owe("10000.00")
    run(after(3))
    pk = Notice.objects.get().pk
    assert "Hold back" not in shown(browser("ann").get(f"/collection/notices/{pk}/"))
    assert browser("ann").post(f"/collection/notices/{pk}/hold", {"reason": "x"}).status_code == 403
    bo = browser("bo")
    assert "Hold back" in shown(bo.get(f"/collection/notices/{pk}/"))
    assert bo.post(f"/collection/notices/{pk}/hold", {"reason": "they called"}).status_code == 302
    assert "they called" in shown(bo.get(f"/collection/notices/{pk}/"))
    assert bo.post(f"/collection/notices/{pk}/hold", {"reason": "x"}).status_code == 409
    assert bo.post(f"/collection/notices/{pk}/release").status_code == 302
    assert bo.post(f"/collection/notices/{pk}/hand_over", {"reason": "SF123"}).status_code == 302
    assert Notice.objects.get().status == "sent"
    assert bo.post(f"/collection/notices/{pk}/burn").status_code == 404


def test_letters_of_others_customers_do_not_exist() -> None:
    owe("10000.00")
    run(after(3))
    pk = Notice.objects.get().pk
    for address in (f"/collection/notices/{pk}/", f"/collection/notices/{pk}.pdf"):
        assert browser("di").get(address).status_code == 404
    assert "信函" not in shown(browser("di").get("/collection/notices/"))


@pytest.mark.parametrize(
    "address", ["/collection/tasks/?whose=all", "/collection/notices/", "/collection/days/2026-04-03/"]
)
def test_a_list_costs_the_same_for_many(address: str, cy: Person) -> None:
    owe("1000.00")
    run(after(3))
    client = browser("cy")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(12):
        owe("1000.00", f"T-{number}", customer=another(f"X{number:03d}"))
    _run_again(after(3))
    with CaptureQueriesContext(connection) as many:
        shown(client.get(address))
    assert len(many) <= len(few) + 1


def _run_again(as_of: date) -> None:
    """The customers that came later, on the same day."""
    Day.objects.filter(as_of=as_of).update(status="running")
    run(as_of)
    assert Day.objects.get(as_of=as_of).counts["letters"] == 13


# --- by the clock --------------------------------------------------------------------------------


def test_the_morning_asks_for_todays_run_once() -> None:
    import time_machine

    with time_machine.travel("2026-11-23T17:30:00Z", tick=False):  # half past one in the company's zone
        jobs.morning(timestamp=0)
        assert ProcrastinateJob.objects.count() == 0
    with time_machine.travel("2026-11-23T18:35:00Z", tick=False):
        jobs.morning(timestamp=0)
        assert ProcrastinateJob.objects.count() == 0, "the first round is a person's"
        run(date(2026, 11, 23))
        jobs.morning(timestamp=0)
        jobs.morning(timestamp=0)
        job = ProcrastinateJob.objects.get()
        assert (job.task_name, job.args["as_of"]) == ("collection.run_day", "2026-11-24")
    jobs.run_day(as_of="2026-11-24")
    assert Day.objects.get(as_of=TODAY).status == "done"
    waiting = set(ProcrastinateJob.objects.values_list("task_name", flat=True))
    assert waiting == {"collection.run_day", "collection.send"}


def test_a_run_that_is_refused_is_told_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    run(after(10))
    jobs.run_day(as_of=after(9).isoformat())
    assert "refused" in caplog.text
    assert Day.objects.count() == 1
    assert rounds.days_to_run(after(11)) == [after(11)]


@pytest.mark.parametrize(
    ("language", "said", "unsaid"), [("en", "60 days overdue", "逾期"), ("zh-hans", "逾期", "days overdue")]
)
def test_the_file_tells_a_downgrade_in_the_readers_language(language: str, said: str, unsaid: str) -> None:
    line("B")
    owe()
    run(after(60))
    client = Client(headers={"Accept-Language": language})
    client.force_login(member("bo"), backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(reverse("customers:file", args=[acme().pk]), {"tab": "line"}).content.decode()
    told = re.findall(r'<td class="wrap">([^<]*)</td>', shown)
    assert any(said in each for each in told)
    assert not any(unsaid in each for each in told)
