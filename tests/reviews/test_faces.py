"""The annual review on its three faces: pages, API, command line; in both languages; each sees only what she may."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.config import cli
from shouxin.credit import line_requests
from shouxin.credit.models import Line
from shouxin.lib import documents
from shouxin.office import clock, policies
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import NotYourDuty
from shouxin.records import home
from shouxin.reviews import annual, jobs
from shouxin.reviews.models import Campaign, Review
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.api import Caller
from tests.people import SOUTH, TODAY, acme, member

from .world import act, approve, bought, line, office, opened, review_of

pytestmark = [pytest.mark.django_db, pytest.mark.clause("B2.4"), pytest.mark.usefixtures("the_day")]


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    office()


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def two() -> tuple[Any, Any]:
    """Ann's customer in the east and Di's in the south, both with a line."""
    mine, other = acme(), acme(code="C002", name="深圳海纳贸易有限公司", department=SOUTH, salesperson=member("di"))
    for each in (mine, other):
        line(each)
        bought(each, months=4)
    return mine, other


# --- API ------------------------------------------------------------------------------------------


def test_over_the_api_from_opening_to_closing() -> None:
    mine, other = two()
    bo, cy = Caller(member("bo")), Caller(member("cy"))
    opened_now = bo.post("/annual-reviews", {"year": 2026, "effective_from": "2027-01-01"}, key="open-1")
    assert opened_now.status_code == 201 and opened_now.data["working"] is True
    assert (
        bo.post("/annual-reviews", {"year": 2026, "effective_from": "2027-01-01"}, key="open-1").data == opened_now.data
    )
    assert bo.post("/annual-reviews", {"year": 2026}).data["code"] == "year_open"
    jobs.prepare(Campaign.objects.get().pk)

    listed = cy.get("/annual-reviews/2026/reviews", state="open").data["items"]
    assert {each["customer"] for each in listed} == {mine.pk, other.pk}
    assert all(each["reasons"] and each["request_version"] == 1 for each in listed)
    seen = [{"id": each["id"], "request_version": each["request_version"]} for each in listed]
    assert cy.post("/annual-reviews/2026/close").data["code"] == "reviews_open"

    assert Caller(member("ann")).post("/annual-reviews/2026/approve", {"reviews": seen}).status_code == 403
    wrong = [seen[0] | {"request_version": 9}, {"id": 999_999, "request_version": 1}]
    told = cy.post("/annual-reviews/2026/approve", {"reviews": wrong}).data
    assert told["approved"] == 0 and [each["code"] for each in told["items"]] == ["version_seen", "not_found"]
    done = cy.post("/annual-reviews/2026/approve", {"reviews": seen}, key="sign-1").data
    assert done["approved"] == 2
    assert cy.post("/annual-reviews/2026/approve", {"reviews": seen}, key="sign-1").data == done
    assert Line.objects.filter(since="2027-01-01").count() == 2

    report = cy.get("/annual-reviews/2026/report").data
    assert report["reviewed"] == 2 and report["states"] == {"approved": 2}
    closed = cy.post("/annual-reviews/2026/close", {"summary": "kept"}).data
    assert (closed["status"], closed["summary"], closed["undecided"]) == ("closed", "kept", 0)


def test_one_review_is_assessed_renewed_and_declined_over_the_api() -> None:
    two()
    opened()
    pk = review_of().pk
    ann, bo, cy = (Caller(member(name)) for name in ("ann", "bo", "cy"))
    address = f"/annual-reviews/2026/reviews/{pk}"
    assert ann.post(f"{address}/assess", {"remark": "旺季需要"}, If_Match='"1"').data["remark"] == "旺季需要"
    assert bo.post(f"{address}/assess", {"remark": "other"}, If_Match='"1"').data["code"] == "version_seen"
    renewed = bo.post(f"{address}/renew", If_Match='"2"').data
    assert renewed["version"] == 3 and renewed["state"] == "open" and renewed["remark"] == "旺季需要"
    assert cy.post(f"{address}/decline", {"reason": ""}).status_code == 422
    assert cy.post(f"{address}/decline", {"reason": "next year"}).data["state"] == "declined"
    paper = ann.get(f"{address}/report").data
    assert "旺季需要" in json.dumps(paper, ensure_ascii=False)


def test_sales_see_their_own_customers_and_no_sums_of_others() -> None:
    mine, other = two()
    opened()
    ann = Caller(member("ann"))
    assert [each["customer"] for each in ann.get("/annual-reviews/2026/reviews").data["items"]] == [mine.pk]
    assert ann.get("/annual-reviews").data["items"][0]["reviewed"] == 1
    assert ann.get(f"/annual-reviews/2026/reviews/{review_of(other).pk}").status_code == 404
    assert ann.get("/annual-reviews/2026/report").status_code == 403
    page = browser("ann").get("/reviews/2026/").content.decode()
    assert mine.name in page and other.name not in page and "Overdue ratio, undisputed" not in page
    share = "Share of all sales reviewed"
    assert share not in browser("ann").get(f"/reviews/2026/{review_of(mine).pk}/").content.decode()
    assert share in browser("cy").get(f"/reviews/2026/{review_of(mine).pk}/").content.decode()
    assert browser("ann").get(f"/reviews/2026/{review_of(other).pk}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"year": "soon"}, 422),
        ({"year": 2027}, 422),
        ({"year": 2026, "last": "2026-13-01"}, 422),
        ({"year": 2026, "colour": "red"}, 422),
        ({}, 422),
    ],
)
def test_bad_input_is_named_and_nothing_is_opened(body: dict[str, Any], status: int) -> None:
    told = Caller(member("bo")).post("/annual-reviews", body)
    assert told.status_code == status and told.data["errors"]
    assert not Campaign.objects.exists()


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "title"), [("en", "Annual review"), ("zh-hans", "年审")])
def test_the_pages_open_sign_and_tell(language: str, title: str) -> None:
    mine, other = two()
    bo, cy = browser("bo", language), browser("cy", language)
    empty = bo.get("/reviews/").content.decode()
    assert title in empty
    assert bo.post("/reviews/", {"year": "2026"}).headers["Location"] == "/reviews/2026/"
    waiting = bo.get("/reviews/2026/").content.decode()
    assert 'hx-get="/reviews/2026/progress"' in waiting
    jobs.prepare(Campaign.objects.get().pk)
    page = cy.get("/reviews/2026/").content.decode()
    assert mine.name in page and other.name in page and f'value="{review_of(mine).pk}.1"' in page
    assert 'name="everything"' not in page
    ticks = [f"{review_of(each).pk}.1" for each in (mine, other)]
    done = cy.post("/reviews/2026/approve", {"selected": [ticks[0], f"{review_of(other).pk}.7"]}, follow=True)
    assert (
        other.name in done.content.decode()
        and Line.objects.filter(cause="request", approved_by=member("cy")).count() == 1
    )
    decline = {"version": "1", "reason": "明年再看"}
    shown = cy.post(f"/reviews/2026/{review_of(other).pk}/decline", decline, follow=True).content.decode()
    assert "明年再看" in shown
    closed = cy.post("/reviews/2026/close", {"version": "1", "summary": "好年景"}, follow=True).content.decode()
    assert "好年景" in closed and Campaign.objects.get().status == "closed"
    report = cy.get("/reviews/2026/report").content.decode()
    assert "好年景" in report


def test_papers_leave_as_pdf_and_word() -> None:
    two()
    opened()
    cy = browser("cy")
    for address in ("/reviews/2026/report", f"/reviews/2026/{review_of().pk}/"):
        pdf, word = (cy.get(address, {"form": form}) for form in documents.FACES)
        assert pdf.content[:5] == b"%PDF-" and word.content[:2] == b"PK"
        assert "attachment" in pdf["Content-Disposition"]


def test_a_list_leaves_as_a_sheet_and_is_narrowed_by_a_move_of_grade() -> None:
    mine, _other = two()
    opened()
    cy, row = browser("cy"), review_of(mine)
    exported = cy.get("/reviews/2026/", {"export": "csv"}).getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]
    assert mine.name in exported
    after = row.request.grade if row.request else ""
    assert mine.name in cy.get("/reviews/2026/", {"moved": f"B-{after}"}).content.decode()
    for nonsense in ("B-Z", "x", "'-A"):
        assert mine.name not in cy.get("/reviews/2026/", {"moved": nonsense}).content.decode()


@pytest.mark.parametrize("selected", [[], ["x"], ["1"], ["999999.1"], ["999999.1"] * 300])
def test_ticks_that_say_nothing_sign_nothing(selected: list[str]) -> None:
    two()
    opened()
    answer = browser("cy").post("/reviews/2026/approve", {"selected": selected})
    assert answer.status_code in (302, 404, 422)
    assert not Line.objects.filter(approved_by=member("cy")).exists()


@pytest.mark.parametrize("verb", ["assess", "decline", "approve"])
def test_what_was_typed_stays_when_the_review_has_moved(verb: str) -> None:
    line(acme())
    opened()
    by, field = ("bo", "remark") if verb == "assess" else ("cy", "reason")
    answer = browser(by).post(f"/reviews/2026/{review_of().pk}/{verb}", {"version": "9", field: "写了半小时"})
    assert answer.status_code == 409 and "写了半小时" in answer.content.decode()
    assert review_of().remark == "" and review_of().request.status == "open"  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["x" * 1001, "a\x00b"])
def test_a_reason_too_long_or_with_signs_no_paper_holds_is_named_and_never_cut(reason: str) -> None:
    line(acme())
    opened()
    answer = browser("cy").post(f"/reviews/2026/{review_of().pk}/approve", {"version": "1", "reason": reason})
    assert answer.status_code == 422 and review_of().request.status == "open"  # type: ignore[union-attr]
    batch = {"selected": f"{review_of().pk}.1", "reason": reason}
    assert browser("cy").post("/reviews/2026/approve", batch).status_code == 302
    assert review_of().request.decision_reason == ""  # type: ignore[union-attr]


def test_the_summary_stays_when_the_year_cannot_be_closed_and_none_is_cut() -> None:
    line(acme())
    opened()
    answer = browser("cy").post("/reviews/2026/close", {"version": "1", "summary": "写了半小时"})
    assert answer.status_code == 409 and "写了半小时" in answer.content.decode()
    long = Caller(member("cy")).post("/annual-reviews/2026/close", {"summary": "x" * 4001})
    assert long.status_code == 422 and Campaign.objects.get().status == "open"


def test_a_review_named_twice_is_refused_before_anything_is_signed() -> None:
    line(acme())
    opened()
    twice = [{"id": review_of().pk, "request_version": 1}] * 2
    told = Caller(member("cy")).post("/annual-reviews/2026/approve", {"reviews": twice})
    assert told.status_code == 422 and "reviews" in told.content.decode()
    assert review_of().request.status == "open"  # type: ignore[union-attr]


def test_a_closed_year_is_not_resumed() -> None:
    line(acme())
    campaign = opened()
    Campaign.objects.update(status="closed")
    assert browser("bo").post("/reviews/2026/resume").status_code == 409
    assert Caller(member("bo")).post("/annual-reviews/2026/resume").data["code"] == "year_closed"
    assert not jobs.waiting(campaign.pk)


def test_sales_are_told_of_their_own_customers_alone() -> None:
    two()
    jobs.begin(annual.open_year(2026, **act("bo")))
    waiting = browser("ann").get("/reviews/2026/progress").content.decode()
    assert "0 / 1" in waiting and "0 / 2" in browser("cy").get("/reviews/2026/progress").content.decode()
    Campaign.objects.update(summary="vertraulich")
    ann, cy = (Caller(member(name)).get("/annual-reviews/2026").data for name in ("ann", "cy"))
    assert (ann["total"], ann["summary"]) == (1, "") and (cy["total"], cy["summary"]) == (2, "vertraulich")
    assert "vertraulich" not in browser("ann").get("/reviews/2026/").content.decode()
    assert "vertraulich" in browser("cy").get("/reviews/2026/").content.decode()
    heads = {name: browser(name).get("/reviews/").content.decode() for name in ("ann", "cy")}
    assert 'data-column="total"' not in heads["ann"] and 'data-column="total"' in heads["cy"]


@pytest.mark.parametrize("last", ["9999-12-31", "0001-01-01"])
def test_a_last_day_outside_the_year_is_named(last: str) -> None:
    told = Caller(member("cy")).post("/annual-reviews", {"year": 2026, "last": last})
    assert told.status_code == 422 and told.data["errors"][0]["field"] == "last"
    assert browser("cy").post("/reviews/", {"year": "2026", "last": last}).status_code == 422


def test_an_assessment_written_while_another_signs_is_told_back() -> None:
    line(acme())
    opened()
    review = review_of()
    annual.approve_many([(review, 1)], reason="", **act("cy"))
    sent = {"version": str(review_of().version), "remark": "写了半小时"}
    answer = browser("bo").post(f"/reviews/2026/{review.pk}/assess", sent)
    assert answer.status_code == 409 and "写了半小时" in answer.content.decode()


def test_a_year_never_opened_is_nowhere() -> None:
    for address in ("/reviews/2026/", "/reviews/99999999/", "/reviews/2026/1/", "/reviews/2026/report"):
        assert browser("cy").get(address).status_code == 404


def test_the_pages_cost_the_same_queries_for_few_as_for_many() -> None:
    counts: list[dict[str, int]] = []
    for first, last in ((0, 2), (2, 12)):
        for n in range(first, last):
            each = acme(code=f"N{n:03}", name=f"客户{n}有限公司")
            line(each)
        if not counts:
            opened()
        annual.prepare(Campaign.objects.get(), on=TODAY, at=clock.now())
        found = {}
        for address in ("/reviews/", "/reviews/2026/", "/api/v1/annual-reviews/2026/reviews", "/reviews/2026/report"):
            client = browser("cy")
            client.get(address)
            with CaptureQueriesContext(connection) as counted:
                assert client.get(address).status_code == 200
            found[address] = len(counted)
        counts.append(found)
    assert counts[0] == counts[1]


# --- command line ---------------------------------------------------------------------------------


def run(*words: str) -> int:
    return cli.run(["year", *words])


def test_by_command_line(capsys: Any, tmp_path: Path) -> None:
    two()
    assert run("2026", "--by", "bo", "--effective", "2027-01-01", "--json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["reviewed"] == 2 and whole["states"] == {"open": 2}
    assert run("2026", "--by", "cy", "--list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {each["customer"] for each in rows} == {"C001", "C002"}
    assert run("2026", "--by", "bo", "--approve", rows[0]["action"]) == 2  # bo signs nothing
    assert run("2026", "--by", "cy", "--close") == 2
    for action in ("keep", "raise", "lower"):
        assert run("2026", "--by", "cy", "--approve", action) == 0
    assert not Review.objects.exclude(request__status="approved").exists()
    capsys.readouterr()
    assert run("2026", "--by", "cy", "--customer", "C001") == 0
    assert acme().name in capsys.readouterr().out
    file = tmp_path / "年审.pdf"
    assert run("2026", "--by", "cy", "--close", "--report", str(file)) == 0
    assert file.read_bytes()[:5] == b"%PDF-" and Campaign.objects.get().status == "closed"


def test_the_command_tells_what_it_cannot_do(capsys: Any, tmp_path: Path) -> None:
    two()
    opened("cy")
    assert run("2026", "--by", "cy", "--approve", "keep", "--list") in (0, 1)
    Review.objects.update(action="lower")
    assert run("2026", "--by", "cy", "--approve", "lower") == 1  # her own application
    capsys.readouterr()
    assert run("2027", "--by", "bo") == 2
    assert run("2026", "--approve", "everything") == 2
    assert run("2026", "--by", "ann", "--customer", "C002") == 2
    assert run("2026", "--by", "sy", "--list") == 2
    assert run("2026", "--by", "cy", "--report", str(tmp_path / "x.txt")) == 2
    assert "pdf" in capsys.readouterr().err


def test_who_has_not_been_reviewed_is_told_and_the_worker_goes_on() -> None:
    two()
    opened()
    line(acme(code="C009", name="后来授信有限公司"))
    bo = browser("bo")
    assert "1 customer has not been reviewed yet" in bo.get("/reviews/2026/").content.decode()
    assert "not been reviewed" not in browser("ed").get("/reviews/2026/").content.decode()
    assert bo.post("/reviews/2026/resume").status_code == 302
    campaign = Campaign.objects.get()
    assert jobs.waiting(campaign.pk)
    assert Caller(member("bo")).post("/annual-reviews/2026/resume").data["working"] is True
    jobs.prepare(campaign.pk)
    assert Caller(member("bo")).get("/annual-reviews/2026").data["reviewed"] == 3


def test_the_worker_is_shown_at_work_until_all_are_reviewed() -> None:
    two()
    campaign = annual.open_year(2026, **act("bo"))
    assert not jobs.waiting(campaign.pk)
    annual.prepare(campaign, on=TODAY, at=clock.now())
    done = browser("cy").get("/reviews/2026/progress")
    assert done.headers["HX-Redirect"] == "/reviews/2026/"
    approve(review_of())
    assert browser("cy").get("/reviews/2026/", {"state": "approved"}).status_code == 200


def test_lines_of_an_annual_review_are_told_apart_from_those_the_home_page_counts() -> None:
    mine, _other = two()
    opened("bo")
    terms = line_requests.LineTerms(Limit.of(Decimal(60000)), "CNY", 30, Grade.B)
    asked = line_requests.ask(
        mine, terms, reason="旺季", edition=policies.in_force(TODAY), by=member("ann"), today=TODAY, at=clock.now()
    )
    le = browser("le")
    assert home.requests_to_sign(member("le"), TODAY, policies.in_force(TODAY)).count == 1
    shown = {whose: le.get("/credit/line-requests/", {"whose": whose}).context["listing"].matching
             for whose in ("me", "reviews")}  # fmt: skip
    assert [each.pk for each in shown["me"]] == [asked.pk]
    assert {each.pk for each in shown["reviews"]} == set(Review.objects.values_list("request", flat=True))


@pytest.mark.invariant("I-14")
def test_whoever_has_the_worker_go_on_is_named_and_signs_none_of_what_is_asked_for_then() -> None:
    line(acme())
    opened("bo")
    line(acme(code="C009", name="后来授信有限公司"))
    cy = browser("cy")
    page = cy.get("/reviews/2026/").content.decode()
    assert "1 customer has not been reviewed yet" in page and "1 / 2" in page
    told = cy.post("/reviews/2026/resume", follow=True).content.decode()
    assert "1 customer is being reviewed" in told and "1 / 2" in told
    assert "asked for this already" in browser("bo").post("/reviews/2026/resume", follow=True).content.decode()
    [job] = ProcrastinateJob.objects.filter(task_name=jobs.prepare.name)
    jobs.prepare(**job.args)
    newcomer = Review.objects.get(customer__code="C009")
    assert newcomer.request and newcomer.rating and newcomer.request.requested_by == newcomer.rating.by == member("cy")
    assert [each.by for each in TrailEntry.objects.filter(verb="review_year").order_by("pk")] == [
        member("bo"),
        member("cy"),
    ]
    first = Review.objects.get(customer__code="C001")
    assert first.request and first.request.requested_by == member("bo")
    with pytest.raises(NotYourDuty):
        approve(newcomer, "cy")
    approve(newcomer, "vi")
