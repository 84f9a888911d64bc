"""What is refused names the field, tells back what was written, and leads to where it was written; days are days."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from shouxin.customers import blacklist, data_requests, dossier, facts
from shouxin.lib.complaints import said
from shouxin.office import field_words, policies
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm
from tests.api import Caller
from tests.credit.applying import brought_to
from tests.people import CAST, TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
LONG = "我" * 501


@pytest.fixture(autouse=True)
def _house(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def act(name: str) -> dict[str, Any]:
    return {"by": member(name), "on": TODAY, "at": timezone.now()}


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- forms that are sent back ---------------------------------------------------------------------


def test_a_step_of_a_case_refused_for_a_field_tells_back_everything_written_and_the_way_back() -> None:
    case = blacklist.propose(acme(), blacklist.Proposal("fraud", "goods gone", "police report"),
                             edition=policies.in_force(TODAY), **act("fi"))  # fmt: skip
    blacklist.approve(case, edition=policies.in_force(TODAY), version=case.version, reason="", **act("cy"))
    case.refresh_from_db()
    page = f"/customers/blacklist/{case.pk}/"
    given = {"reason": "paid it all", "conditions": "cash only", "standing": "nonsense", "version": str(case.version)}

    answer = browser("vi").post(f"{page}readmit", given, HTTP_REFERER=f"http://testserver{page}")

    text = answer.content.decode()
    assert answer.status_code == 422 and not case.releases.exists()
    assert "paid it all" in text and "cash only" in text, "whatever was written is told back"
    assert str(field_words.LABELS["standing"]) in text and "<b>standing</b>" not in text
    assert f'href="http://testserver{page}"' in text, "the way back to the case"


@pytest.mark.invariant("I-16")
def test_a_step_of_a_case_without_the_version_seen_is_not_taken_for_one_of_the_latest() -> None:
    case = blacklist.propose(acme(), blacklist.Proposal("fraud", "goods gone", "police report"),
                             edition=policies.in_force(TODAY), **act("fi"))  # fmt: skip
    answer = browser("cy").post(f"/customers/blacklist/{case.pk}/approve", {"reason": "seen"})
    assert answer.status_code == 422 and "seen" in answer.content.decode()
    case.refresh_from_db()
    assert case.status == "proposed"


@pytest.mark.parametrize("where", ["page", "api", "verb"])
def test_an_answer_to_a_person_is_refused_when_too_long_and_never_cut(where: str, ann: Person, cy: Person) -> None:
    customer = acme(code="P1", name="李伟", natural_person=True)
    asked = data_requests.ask(customer, "copy", why="本人来函", **act("ann"))

    if where == "page":
        answer = browser("cy").post(f"/customers/data-requests/{asked.pk}/decline", {"reason": LONG})
        assert answer.status_code == 422 and LONG in answer.content.decode()
    elif where == "api":
        assert Caller(cy).post(f"/data-requests/{asked.pk}/decline", {"answer": LONG}).status_code == 422
    else:
        with pytest.raises(BadForm):
            data_requests.decide(asked, "decline", answer=LONG, **act("cy"))
    asked.refresh_from_db()
    assert (asked.status, asked.answer) == ("asked", "")


def test_the_address_of_a_referee_stays_in_the_form_that_is_sent_back() -> None:
    found = brought_to("accepted")
    given = {"kind": "bank", "name": "工行上海分行", "email": "not an address"}

    answer = browser("bo").post(f"/credit/applications/{found.pk}/references", given)

    text = answer.content.decode()
    assert answer.status_code == 422 and not found.references.exists()
    assert 'value="not an address"' in text and 'value="工行上海分行"' in text


def test_a_refusal_on_an_application_names_the_label_and_not_the_key() -> None:
    found = brought_to("assessed")
    given = {"limit": "much", "term_days": "30", "version": str(found.version)}

    answer = browser("cy").post(f"/credit/applications/{found.pk}/approve", given)

    refusal = answer.context["refusal"]
    assert answer.status_code == 422 and "limit" in dict(refusal.errors)
    label = dict(zip([field for field, _text in refusal.errors], [name for name, _text in refusal.named], strict=True))
    assert label["limit"] != "limit" and refusal.told.startswith(label["limit"])


def test_no_key_of_a_program_is_shown_to_people() -> None:
    assert (field_words.label("version_seen"), str(field_words.label("findings.result"))) == ("", "Result")


def test_every_label_of_a_field_has_its_chinese() -> None:
    with translation.override("en"):
        english = {field: str(field_words.label(field)) for field in field_words.LABELS}
    with translation.override("zh-hans"):
        assert [field for field, label in english.items() if str(field_words.label(field)) == label] == []


@pytest.mark.parametrize(
    ("referer", "leads"),
    [
        pytest.param("http://testserver/customers/1/?tab=facts", True, id="ours"),
        pytest.param("http://evil.example/customers/", False, id="another house's"),
        pytest.param("http://testserver.evil.example/", False, id="a name that begins like ours"),
        pytest.param("javascript:alert(1)", False, id="a script"),
        pytest.param("//evil.example/", False, id="without a scheme"),
        pytest.param("", False, id="none"),
    ],
)
def test_the_refusal_leads_back_to_our_own_page_alone(referer: str, leads: bool) -> None:
    asked = data_requests.ask(acme(code="P1", name="李伟", natural_person=True), "copy", why="x", **act("ann"))

    answer = browser("cy").post(f"/customers/data-requests/{asked.pk}/decline", {"reason": ""}, HTTP_REFERER=referer)

    assert answer.status_code == 422
    assert (f'href="{referer}"' in answer.content.decode() and bool(referer)) is leads
    assert "evil" not in answer.content.decode() and "javascript:" not in answer.content.decode()


def test_a_nul_in_a_form_is_called_what_it_is() -> None:
    answer = browser("bo", "zh-hans").post("/customers/new", {"name": "甲\0乙", "currency": "CNY"})

    errors = " ".join(answer.context["form"].errors["name"])
    assert answer.status_code == 422 and "NUL" in errors and "空字符串" not in errors


def test_that_a_review_is_named_twice_is_said_in_the_language_of_the_caller() -> None:
    error = {"type": "value_error", "msg": "", "ctx": {"error": ValueError("a review is named twice")}}
    with translation.override("zh-hans"):
        assert said(error) != "a review is named twice"
    body = {"reviews": [{"id": 1, "request_version": 1}] * 2}
    answer = Caller(member("cy"), language="zh-hans").post("/annual-reviews/2026/approve", body)
    assert answer.status_code == 422 and "twice" not in str(answer.data["errors"])


# --- days and amounts ------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [0, 1, 1764979200, 20261124, "0", "20261124", "2026-11-24T00:00:00", "2026-02-30"])
def test_a_day_over_the_api_is_a_text_of_year_month_and_day_alone(given: Any) -> None:
    body = {"customer": acme().pk, "doc_no": "R1", "amount": "5.00", "received_on": given}

    answer = Caller(member("fi")).post("/receipts", body)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.data["errors"]] == ["received_on"]


@pytest.mark.parametrize("given", ["0", "1764979200", "2026-11-24T00:00"])
def test_a_day_in_a_question_is_no_timestamp_either(given: str) -> None:
    assert Caller(member("cy")).get("/reports/figures", as_of=given).status_code == 422
    assert Caller(member("cy")).get("/reports/aging", as_of=given).status_code == 422


def test_a_fact_is_not_verified_before_its_own_day() -> None:
    fact = facts.add(acme(), "dishonest_debtor", True, source="gazette", as_of=TODAY, **act("ann"))
    first = {"method": "online", "result": "genuine"}

    answer = Caller(member("bo")).post(f"/facts/{fact.pk}/verify", first | {"checked_on": "0001-01-01"})

    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "checked_on"
    with pytest.raises(BadForm):
        dossier.verify(fact, "online", "genuine", checked_on=TODAY - timedelta(days=1), **act("bo"))
    assert Caller(member("bo")).post(f"/facts/{fact.pk}/verify", first | {"checked_on": f"{TODAY}"}).status_code == 201


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"amount": "-1.00"}, "amount", id="a negative amount"),
        pytest.param({"amount": "1.00", "currency": "QQQ"}, "currency", id="letters that are no currency"),
        pytest.param({"amount": "1.00", "currency": "cny"}, "currency", id="small letters"),
    ],
)
def test_what_an_agent_would_sign_is_an_amount_in_a_currency(given: dict[str, str], field: str) -> None:
    customer, bo = acme(), Caller(member("bo"))
    power = {"name": "王五", "matters": ["place_order"], "scope": "轴承", "since": f"{TODAY}", "sealed": True,
             "original_seen": True, "id_number": "11010519491231002X"}  # fmt: skip
    agent = bo.post(f"/customers/{customer.pk}/agents", power).data

    answer = bo.post(f"/agents/{agent['id']}/check", {"matter": "place_order"} | given)

    assert answer.status_code == 422 and [each["field"] for each in answer.data["errors"]] == [field]
    if field == "amount":
        page = browser("bo").get(f"/customers/agents/{agent['id']}/", {"matter": "place_order", "amount": "-1"})
        assert page.context["form"].errors["amount"]


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31"])
def test_a_day_before_the_first_policy_is_refused_with_the_reason(day: str) -> None:
    customer, cy = acme(), Caller(member("cy"))
    for path in ("/reports/figures", f"/customers/{customer.pk}/group"):
        answer = cy.get(path, as_of=day)
        assert answer.status_code == 422, path
        assert "2000-01-01" in answer.data["errors"][0]["message"]
    figures = browser("cy").get("/records/figures/", {"as_of": day})
    assert figures.status_code == 422 and "2000-01-01" in figures.context["fault"]
    group = browser("cy").get(f"/customers/{customer.pk}/", {"tab": "parties", "as_of": day})
    assert group.status_code == 422
    assert cy.get(f"/customers/{customer.pk}/group", as_of="2000-01-01").status_code == 200
