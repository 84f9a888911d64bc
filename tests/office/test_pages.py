"""The office's pages: the policy as a book, its drafts, rates, the trail, people, one's own account."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.office import clock, policies, trail, trail_sight
from shouxin.office.models import ApiToken, Appointment, ExchangeRate, Person, PolicyVersion, TrailEntry
from tests.people import CAST, TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
SIGN_IN = "django.contrib.auth.backends.ModelBackend"


def browser(who: str, language: str = "en") -> Client:
    """A browser in which one of the cast has signed in."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(who), backend=SIGN_IN)
    return client


EVERYBODYS = ["policy/", "policy/versions/", "policy/versions/1/", "policy/compare/", "policy/draft/", "policy/rates/",
              "trail/", "account/"]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("address", EVERYBODYS)
def test_pages_for_everybody(address: str, language: str) -> None:
    for who in ("ann", "sy", "le"):
        assert browser(who, language).get(f"/office/{address}").status_code == 200
    assert Client().get(f"/office/{address}").status_code == 302


@pytest.mark.clause("C3.2")
def test_the_book_tells_every_chapter_in_both_languages() -> None:
    english, chinese = (browser("ann", language).get("/office/policy/").text for language in ("en", "zh-hans"))
    assert "Years in business" in english and "成立年限" not in english
    assert "成立年限" in chinese and "Years in business" not in chinese
    for chapter in ("grades", "scorecard", "triggers", "limits", "downgrade", "aging", "dunning", "approval",
                    "order_check"):  # fmt: skip
        assert f'id="{chapter}"' in english
    assert "5,000,000" in english


def test_the_yaml_is_given_out_as_it_was_put() -> None:
    answer = browser("ann").get("/office/policy/versions/1/policy.yaml")
    assert answer.text == policies.shipped()
    assert browser("ann").get("/office/policy/versions/99/policy.yaml").status_code == 404
    assert browser("ann").get("/office/policy/versions/99999999999/").status_code == 404


def changed(old: str, new: str) -> str:
    text = policies.shipped()
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


def test_a_draft_that_cannot_be_read_names_the_line() -> None:
    text = changed("score_min: 85", "score_min: lots")
    line = text[: text.index("lots")].count("\n") + 1
    answer = browser("ann").post("/office/policy/draft/", {"text": text, "act": "check"})
    assert answer.status_code == 422
    assert "grades.A.score_min" in answer.text and f'<td class="num">{line}</td>' in answer.text


def test_a_usable_draft_is_told_its_weak_places_and_what_it_changes() -> None:
    text = changed("weight: 15", "weight: 16")
    answer = browser("ann").post("/office/policy/draft/", {"text": text, "act": "check"})
    assert answer.status_code == 200
    assert "101" in answer.text and "scorecard.standing.weight" in answer.text
    assert PolicyVersion.objects.count() == 1


DRAFT = {"since": TODAY.isoformat(), "why": "Longer terms for A", "act": "put", "seen": "1"}


@pytest.mark.clause("C3.2", "C4.2")
@pytest.mark.parametrize(
    ("who", "status"), [("cy", 302), ("vi", 302), ("le", 302), ("bo", 403), ("ann", 403), ("sy", 403)]
)
def test_who_puts_a_policy_in_force(who: str, status: int) -> None:
    upload = SimpleUploadedFile("new.yaml", changed("term_days: 60", "term_days: 75").encode())
    answer = browser(who).post("/office/policy/draft/", DRAFT | {"file": upload})
    assert answer.status_code == status
    assert policies.in_force(TODAY).number == (2 if status == 302 else 1)


@pytest.mark.clause("C4.1")
def test_only_the_legal_representative_changes_authority() -> None:
    draft = DRAFT | {"text": changed("amount_max: 100000}", "amount_max: 900000}")}
    assert browser("cy").post("/office/policy/draft/", draft).status_code == 403
    assert browser("le").post("/office/policy/draft/", draft).status_code == 302


@pytest.mark.parametrize("changes", [{"why": ""}, {"since": ""}, {"since": "2026-11-23"}, {"text": ""}, {"seen": ""}])
def test_a_draft_that_lacks_something_is_not_put(changes: dict[str, str]) -> None:
    draft = DRAFT | {"text": changed("term_days: 60", "term_days: 75")} | changes
    assert browser("cy").post("/office/policy/draft/", draft).status_code == 422
    assert PolicyVersion.objects.count() == 1


@pytest.mark.invariant("I-16")
def test_of_two_who_began_from_one_edition_the_second_looks_again() -> None:
    client = browser("vi")
    assert 'name="seen" value="1"' in client.get("/office/policy/draft/").text
    assert browser("cy").post("/office/policy/draft/", DRAFT | {"text": changed("term_days: 60", "term_days: 75")})
    draft = DRAFT | {"text": changed("sales_months: 12", "sales_months: 6")}
    refused = client.post("/office/policy/draft/", draft)
    assert refused.status_code == 409 and "v2" in refused.text
    checked = client.post("/office/policy/draft/", draft | {"act": "check", "seen": ""})
    assert 'name="seen" value="2"' in checked.text
    assert client.post("/office/policy/draft/", draft | {"seen": "2"}).status_code == 302
    assert policies.in_force(TODAY).number == 3


def test_two_editions_compared() -> None:
    policies.put(changed("term_days: 60", "term_days: 75"), since=TODAY, by=member("cy"), on=TODAY, at=clock.now(),
                 why="x")  # fmt: skip
    answer = browser("ed").get("/office/policy/compare/?old=1&new=2").text
    assert "grades.A.term_days" in answer and "60" in answer and "75" in answer


RATE = {"currency": "usd", "rate": "7.1234", "since": "2026-11-01", "source": "中国人民银行"}


@pytest.mark.parametrize(("who", "status"), [("fi", 302), ("cy", 302), ("bo", 302), ("ann", 403), ("sy", 403)])
def test_who_enters_rates(who: str, status: int) -> None:
    assert browser(who).post("/office/policy/rates/", RATE).status_code == status
    assert [row.rate for row in ExchangeRate.objects.all()] == ([Decimal("7.1234")] if status == 302 else [])


@pytest.mark.parametrize(
    "changes", [{"rate": "0"}, {"rate": "NaN"}, {"rate": "seven"}, {"currency": "ZZZ"}, {"source": " "}]
)
def test_a_bad_rate_is_named(changes: dict[str, str]) -> None:
    assert browser("fi").post("/office/policy/rates/", RATE | changes).status_code == 422
    assert ExchangeRate.objects.count() == 0


# --- the trail -----------------------------------------------------------------------------------


def lines_about_everything() -> None:
    """One line about Acme, one about a customer of another department, one about a person, one about the policy."""
    customers = {"acme": acme(), "other": acme(code="C002", name="Other", salesperson=member("di"), department="华南")}
    for name, customer in customers.items():
        trail.record("register", about=customer, by=member("bo"), at=clock.now(), label=name)
    trail.record("appoint", about=member("vi"), by=member("sy"), at=clock.now(), post="vice-president")
    trail.record("put_policy", about=PolicyVersion.objects.get(), by=member("cy"), at=clock.now())


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("ed", {"register:acme", "register:other", "appoint", "put_policy"}),
        ("cy", {"register:acme", "register:other", "put_policy"}),
        ("ann", {"register:acme", "put_policy"}),
        ("di", {"register:other", "put_policy"}),
        ("sy", {"appoint", "put_policy"}),
        ("bo", {"register:acme", "register:other", "put_policy"}),
    ],
)
def test_who_sees_which_lines(who: str, seen: set[str]) -> None:
    lines_about_everything()
    rows = trail_sight.seen_by(member(who), on=TODAY).filter(verb__in=["register", "appoint", "put_policy"])
    assert {f"{row.verb}:{row.label}" if row.verb == "register" else row.verb for row in rows} == seen


def test_the_trail_speaks_both_languages_and_asks_a_fixed_number_of_questions() -> None:
    lines_about_everything()
    english, chinese = (browser("ed", language).get("/office/trail/").text for language in ("en", "zh-hans"))
    assert "appointed to a post" in english and "Vice-president" in english
    assert "任命" in chinese and "appointed" not in chinese

    def count() -> int:
        client = browser("ed")
        with CaptureQueriesContext(connection) as asked:
            client.get("/office/trail/")
        return len(asked)

    for _each in range(5):
        lines_about_everything()
    few = count()
    for _each in range(5):
        lines_about_everything()
    assert count() == few < 15


def test_the_trail_leaves_as_a_file() -> None:
    lines_about_everything()
    answer: Any = browser("ed").get("/office/trail/?export=csv&verb=appoint")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "Sy" in text and "acme" not in text
    assert TrailEntry.objects.count() >= 4


# --- people --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CAST)
def test_who_reads_the_list_of_people(who: str) -> None:
    expected = 200 if who in ("sy", "se", "ed", "cy") else 403
    assert browser(who).get("/office/people/").status_code == expected
    assert browser(who).get(f"/office/people/{member('vi').pk}/").status_code == expected


NEW = {"username": "newcomer", "name": "New", "department": "华东", "password": "a long Pass-phrase 9"}


def test_a_newcomer_is_added_appointed_and_disabled() -> None:
    client = browser("sy")
    assert client.post("/office/people/add", NEW).status_code == 302
    made = Person.objects.get(username="newcomer")
    assert made.check_password(NEW["password"])
    address = f"/office/people/{made.pk}"
    gone_by = client.post(f"{address}/appoint", {"post": "sales", "since": "2026-11-01"})
    assert gone_by.status_code == 422
    assert client.post(f"{address}/appoint", {"post": "sales", "since": f"{TODAY}"}).status_code == 302
    assert client.get(f"{address}/").text.count("Sales") >= 1
    assert client.post(f"{address}/appoint", {"post": "auditor"}).status_code == 422
    assert client.post(f"{address}/end/sales").status_code == 302
    assert client.post(f"{address}/end/sales").status_code == 409
    assert client.post(f"{address}/disable").status_code == 302
    made.refresh_from_db()
    assert (made.is_active, Appointment.objects.get(person=made).until) == (False, TODAY)


@pytest.mark.parametrize("changes", [{"username": "ann"}, {"username": "a b"}, {"password": "short"}, {"username": ""}])
def test_a_newcomer_that_cannot_be_added(changes: dict[str, str]) -> None:
    member("ann")
    before = Person.objects.count()
    client = browser("sy")
    assert client.post("/office/people/add", NEW | changes).status_code == 422
    assert Person.objects.count() == before + 1  # Sy herself


@pytest.mark.parametrize("who", ["cy", "ed", "le", "ann"])
def test_only_the_system_manager_changes_people(who: str) -> None:
    address = f"/office/people/{member('vi').pk}"
    client = browser(who)
    assert client.post("/office/people/add", NEW).status_code == 403
    assert client.post(f"{address}/appoint", {"post": "sales"}).status_code == 403
    assert client.post(f"{address}/disable").status_code == 403
    assert member("vi").is_active


def test_nobody_appoints_herself() -> None:
    sy = member("sy")
    assert browser("sy").post(f"/office/people/{sy.pk}/appoint", {"post": "credit-manager"}).status_code == 403


def test_the_list_of_people_asks_a_fixed_number_of_questions() -> None:
    def count() -> int:
        client = browser("ed")
        client.get("/office/people/")  # the first call asks what a process remembers, and writes when it was seen
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/office/people/").status_code == 200
        return len(asked)

    few = count()
    for who in CAST:
        member(who)
    assert count() == few < 15


def test_a_token_is_shown_once_works_and_is_revoked() -> None:
    client = browser("ann")
    page = client.post("/office/account/", {"label": "ERP", "scope": "decide"})
    token = page.context["made"]
    assert TrailEntry.objects.get(verb="create_token").about == f"person:{member('ann').pk}"
    assert token in page.text and page["Cache-Control"] == "no-store"
    assert token not in client.get("/office/account/").text
    call = Client(headers={"Authorization": f"Bearer {token}"})
    assert call.get("/api/v1/me").status_code == 200
    pk = ApiToken.objects.get().pk
    assert browser("di").post(f"/office/account/tokens/{pk}/revoke").status_code == 404
    assert client.post(f"/office/account/tokens/{pk}/revoke").status_code == 302
    assert call.get("/api/v1/me").status_code == 401
