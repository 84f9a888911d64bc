"""What natural persons may ask for, and two people decide (PIPL art. 24, 44 to 47)."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import get_connection
from django.test import Client
from django.utils import timezone, translation

from shouxin.collection import facts as debts
from shouxin.collection import notices
from shouxin.collection.models import Day, Notice, Task
from shouxin.credit import applications, line_requests
from shouxin.customers import data_requests, dossier, facts, persons, registry, search
from shouxin.customers.models import Customer, DataRequest
from shouxin.office import policies, trail
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import Moved
from shouxin.receivables import ratings
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.api import Caller
from tests.credit.applying import DETAILS, applied, wanted
from tests.people import TODAY, acme, member


def act(person: Person) -> dict[str, Any]:
    return {"by": person, "on": TODAY, "at": timezone.now()}


def li_wei() -> Customer:
    return acme(code="P1", name="李伟", natural_person=True, telephone="13812345678", bank_account="6222000012341234")


def asked(kind: str, by: Person, second: Person, **options: Any) -> DataRequest:
    """Taken down by one, confirmed by the other."""
    customer = options.pop("customer", None) or li_wei()
    made = data_requests.ask(customer, kind, why="本人来函", **options, **act(by))
    return data_requests.decide(made, "confirm", answer="同意", **act(second))


@pytest.mark.clause("A13")
@pytest.mark.parametrize("head", ["cy", "vi", "le"])
def test_a_correction_takes_two_and_is_then_written(ann: Person, head: str) -> None:
    request = asked("correct", ann, member(head), changes={"telephone": "13900000000"})
    assert Customer.objects.get(code="P1").telephone == "13900000000"
    assert (request.status, request.decided_by) == ("done", member(head))
    kept = json.dumps(list(TrailEntry.objects.values_list("particulars", flat=True)))
    assert "13900000000" not in kept


@pytest.mark.parametrize("kind", ["copy", "restrict", "delete", "review"])
def test_nobody_decides_what_she_took_down_herself(cy: Person, kind: str) -> None:
    path = "/data-requests"
    made = Caller(cy).post(path, {"customer": li_wei().pk, "kind": kind, "why": "x"}).data
    assert Caller(cy).post(f"{path}/{made['id']}/confirm", {"answer": "x"}).status_code == 403
    assert DataRequest.objects.get().status == "asked"


def test_who_decides(ann: Person, bo: Person, fi: Person, ed: Person, vi: Person, di: Person) -> None:
    made = Caller(ann).post("/data-requests", {"customer": li_wei().pk, "kind": "copy", "why": "x"}).data
    verb = f"/data-requests/{made['id']}/confirm"
    statuses = {each.username: Caller(each).post(verb, {"answer": "x"}).status_code for each in (bo, fi, ed, di, vi)}
    assert statuses == {"bo": 403, "fi": 404, "ed": 403, "di": 404, "vi": 200}


def test_a_copy_is_whole_recorded_and_only_for_two(ann: Person, cy: Person, bo: Person) -> None:
    registry.add_name(li_wei(), "小李", source="visit", **act(bo))
    made = data_requests.ask(li_wei(), "copy", why="本人来函", **act(ann))
    path = f"/data-requests/{made.pk}/copy.json"
    assert Caller(cy).get(path).status_code == 409
    data_requests.decide(made, "confirm", answer="同意", **act(cy))
    told = Caller(bo).client.get(f"/api/v1{path}")
    found = json.loads(b"".join(told.streaming_content))
    assert found["customers.Customer"][0]["telephone"] == "13812345678"
    assert found["customers.OtherName"] == [{"name": "小李"}]
    assert TrailEntry.objects.get(verb="export_personal_data").by == bo
    assert Caller(ann).get(path).status_code == 403


def test_what_was_overwritten_and_what_hangs_on_other_papers_is_in_the_copy(
    ann: Person, bo: Person, cy: Person
) -> None:
    policies.ensure()
    customer = li_wei()
    application = applied(customer=customer, details=DETAILS | {"telephone": "13912345678"})
    applications.change(
        application, wanted(details=DETAILS | {"telephone": "13912345679"}), version=application.version, by=ann,
        today=TODAY, at=timezone.now(),
    )  # fmt: skip
    known = facts.add(customer, "employees", 3, source="visit", as_of=TODAY, **act(bo))
    dossier.verify(known, "on_site", "genuine", checked_on=TODAY, note="与财务王芳通话", **act(cy))
    for behind, name in ((customer, "王五"), (acme(code="C9"), "赵六")):
        persons.add(behind, name, "controller", note="身份证原件", **act(bo))
    text = data_requests.copy_of(asked("copy", ann, cy, customer=customer), **act(cy))
    for kept in ("13912345678", "13912345679", "与财务王芳通话", "王五"):
        assert kept in text
    assert "赵六" not in text, "it stands behind another customer"


@pytest.mark.clause("A13")
def test_a_restricted_person_vanishes_from_search_letters_rating_and_checks(ann: Person, cy: Person) -> None:
    customer = li_wei()
    search.recompute(Customer.objects.all())
    edition = policies.in_force(TODAY)
    rated = {"as_of": TODAY, "edition": edition, "keep": False, **act(cy)}
    assert search.find("李伟", data_requests.models.Q()).exists() and ratings.rate([customer.pk], **rated).rated
    asked("restrict", ann, cy, customer=customer)
    assert not search.find("李伟", data_requests.models.Q()).exists()
    assert not ratings.rate([customer.pk], **rated).rated
    assert customer.pk not in debts.concerned(as_of=TODAY, policy=edition.policy)
    caller = Caller(cy)
    assert caller.get(f"/customers/{customer.pk}").status_code == 404
    assert caller.get("/customers").data["items"] == []
    check = caller.post("/credit-checks", {"customer": "P1", "order_no": "S1", "amount": "1.00"}).data
    assert check["outcome"] != "approve" and check["reasons"][0]["code"] == "unknown_customer"
    asked("lift", cy, member("vi"), customer=customer)
    assert caller.get(f"/customers/{customer.pk}").status_code == 200


@pytest.mark.clause("A13")
def test_what_waits_about_a_restricted_person_rests_out_of_sight(ann: Person, cy: Person, ed: Person) -> None:
    customer, edition = li_wei(), policies.in_force(TODAY)
    applied(customer=customer)
    terms = line_requests.LineTerms(Limit.of(Decimal(1000)), "CNY", 30, Grade.B)
    signed = {"edition": edition, "today": TODAY, "at": timezone.now()}
    request = line_requests.ask(customer, terms, reason="旺季备货", by=ann, **signed)
    day = Day.objects.create(as_of=TODAY, started_at=timezone.now(), policy_version=1)
    notice = Notice.objects.create(
        number="N1", customer=customer, day=day, stage=1, subject="催款函", body="…", to="a@b.cn"
    )
    Task.objects.create(customer=customer, kind="call", post="sales", due_on=TODAY, made_on=TODAY)
    lists = ("/applications", "/line-requests", "/notices", "/tasks")
    assert [len(Caller(cy).get(path).data["items"]) for path in lists] == [1, 1, 1, 1]
    asked("restrict", ann, cy, customer=customer)
    assert [Caller(cy).get(path).data["items"] for path in lists] == [[], [], [], []]
    assert Caller(cy).post(f"/line-requests/{request.pk}/approve", {}).status_code == 404
    for rests in (
        lambda: line_requests.approve(request, version=request.version, by=member("vi"), **signed),
        lambda: notices.hand_over(Notice.objects.get(), how="EMS", **act(cy)),
    ):
        with pytest.raises(Moved) as refused:
            rests()
        assert refused.value.code == "restricted" and refused.value.cure_text
    assert notices.send_waiting(by=cy, at=timezone.now(), connection=get_connection()) == notices.Sent()
    asked("lift", cy, data_requests_head(), customer=customer)
    assert [len(Caller(cy).get(path).data["items"]) for path in lists] == [1, 1, 1, 1]
    notice.refresh_from_db()
    assert notice.status == "waiting"


def test_the_trail_of_a_restricted_person_is_read_by_the_auditor_alone(
    ann: Person, bo: Person, cy: Person, fi: Person, ed: Person
) -> None:
    registry.change(li_wei(), contact="王芳", **act(cy))
    pk = TrailEntry.objects.get(verb="change_customer").customer_id

    def read(reader: Person) -> set[str]:
        client = Client()
        client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
        pages = [client.get("/office/trail/", asks).content.decode()
                 for asks in ({"customer": pk}, {"about": f"customer:{pk}"}, {"label": "李伟"})]  # fmt: skip
        told = Caller(reader).get("/trail", customer=pk).data["items"]
        assert {f"/customers/{pk}/" in page for page in pages} == {"change_customer" in {each["verb"] for each in told}}
        return {each["verb"] for each in told}

    requests = {"data_request.ask", "confirm"}
    assert all({"change_customer"} <= read(each) for each in (ann, bo, cy, fi, ed))
    asked("restrict", ann, cy)
    assert {"change_customer", *requests} <= read(ed)
    assert read(cy) == read(bo) == requests and read(ann) == {"data_request.ask"} and read(fi) == set()
    asked("lift", cy, member("vi"))
    assert {"change_customer"} <= read(fi)


def test_what_a_restricted_person_owes_stays_in_the_books(ann: Person, cy: Person, fi: Person) -> None:
    customer, sold = li_wei(), {"doc_no": "S1", "dated_on": "2026-11-01", "amount": "300.00", "currency": "CNY"}
    issued = Caller(fi).post("/invoices", sold | {"customer": "P1", "source_system": "ERP"})
    assert issued.status_code == 201, issued.content
    before = Caller(fi).get("/reports/aging").data
    asked("restrict", ann, cy, customer=customer)
    assert Caller(fi).get("/reports/aging").data | {"at": before["at"]} == before
    assert [each["doc_no"] for each in Caller(fi).get("/invoices").data["items"]] == ["S1"]


def test_the_books_of_a_restricted_person_go_on_for_whoever_keeps_them(ann: Person, cy: Person, fi: Person) -> None:
    asked("restrict", ann, cy)
    sold = {"customer": "P1", "doc_no": "S1", "dated_on": "2026-11-01", "amount": "300.00", "currency": "CNY"}
    paid = {"customer": "P1", "doc_no": "B1", "received_on": "2026-11-02", "amount": "100.00"}
    assert Caller(fi).post("/invoices", sold, key="k1").status_code == 201
    assert Caller(fi).post("/receipts", paid | {"match": False}, key="k2").status_code == 201
    assert Caller(fi).post("/receipts", paid | {"match": False}, key="k2")["Idempotency-Replayed"] == "true"
    assert Caller(fi).post("/customers/P1/match").data == {"amount": "100.00", "matches": 1}
    assert Caller(ann).post("/receipts", paid | {"doc_no": "B2"}).status_code == 404
    client = Client()
    client.force_login(fi, backend="django.contrib.auth.backends.ModelBackend")
    typed = {"customer": "P1", "doc_no": "B3", "received_on": "2026-11-03", "amount": "50.00", "currency": "CNY"}
    assert client.post("/receivables/receipts/new", typed).status_code == 302
    assert Caller(fi).get("/customers/P1").status_code == 404


def test_a_restricted_person_may_still_have_a_copy(ann: Person, cy: Person, vi: Person) -> None:
    asked("restrict", ann, cy)
    wish = {"customer": "P1", "kind": "copy", "why": "本人来函"}
    made = Caller(vi).post("/data-requests", wish).data
    assert Caller(cy).post(f"/data-requests/{made['id']}/confirm", {"answer": "同意"}).status_code == 200
    told = Caller(cy).client.get(f"/api/v1/data-requests/{made['id']}/copy.json")
    assert json.loads(b"".join(told.streaming_content))["customers.Customer"][0]["telephone"] == "13812345678"
    assert Caller(ann).post("/data-requests", wish).status_code == 404


def data_requests_head() -> Person:
    return member("vi")


def test_deletion_waits_for_the_law_and_then_erases(ann: Person, cy: Person) -> None:
    customer = li_wei()
    trail.record("line.begin", about="line:1", customer=customer, by=cy, at=timezone.now() - timedelta(days=365 * 2))
    made = data_requests.ask(customer, "delete", why="本人来函", **act(ann))
    with pytest.raises(Moved) as refused:
        data_requests.decide(made, "confirm", answer="同意", **act(cy))
    assert refused.value.code == "kept_by_law" and DataRequest.objects.get().status == "asked"
    later = {"by": cy, "on": TODAY + timedelta(days=365 * 9), "at": timezone.now()}
    data_requests.decide(made, "confirm", answer="同意", **later)
    gone = Customer.objects.get(pk=customer.pk)
    assert (gone.name, gone.telephone, gone.bank_account, gone.bank_account_index) == (f"#{gone.pk}", "", "", "")
    assert gone.restricted_on and not gone.search_keys


def test_one_that_never_did_business_goes_at_once(ann: Person, cy: Person) -> None:
    asked("delete", ann, cy)
    assert Customer.objects.get(code="P1").telephone == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"kind": "correct"}, "changes", id="a correction of nothing"),
        pytest.param({"kind": "copy", "changes": {"telephone": "1"}}, "changes", id="a copy that changes"),
        pytest.param({"kind": "correct", "changes": {"restricted_on": "1"}}, "changes", id="no field of the sheet"),
        pytest.param({"kind": "copy", "why": " "}, "why", id="no words"),
    ],
)
def test_what_is_no_request(cy: Person, body: dict[str, Any], field: str) -> None:
    answer = Caller(cy).post("/data-requests", {"customer": li_wei().pk, "why": "x"} | body)
    assert answer.status_code == 422 and field in [each["field"] for each in answer.data["errors"]]


CORRECTED = [
    ("registered_capital", "1,005.50", Decimal("1005.50")),
    ("registered_capital", "", None),
    ("founded_on", "2020-03-01", date(2020, 3, 1)),
    ("customer_since", "2021年5月6日", date(2021, 5, 6)),
    ("natural_person", "no", False),
    ("currency", "USD", "USD"),
]


@pytest.mark.parametrize(("field", "text", "kept"), CORRECTED)
def test_a_correction_of_any_field_is_written_as_what_it_is(
    ann: Person, cy: Person, field: str, text: str, kept: Any
) -> None:
    asked("correct", ann, cy, changes={field: text})
    assert getattr(Customer.objects.get(code="P1"), field) == kept


def test_a_correction_names_people_by_user_name_and_customers_by_code(bo: Person, cy: Person, di: Person) -> None:
    head = acme()
    asked("correct", bo, cy, changes={"salesperson": "di", "group_head": head.code})
    corrected = Customer.objects.get(code="P1")
    assert (corrected.salesperson, corrected.group_head) == (di, head)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("registered_capital", "1.005"),
        ("registered_capital", "-1"),
        ("paid_in_capital", "much"),
        ("paid_in_capital", "1" * 400),
        ("founded_on", "2020-02-30"),
        ("founded_on", "2199-01-01"),
        ("customer_since", "yesterday"),
        ("natural_person", "perhaps"),
        ("natural_person", ""),
        ("salesperson", "nobody"),
        ("group_head", "none"),
        ("group_head", "P1"),
        ("group_head", "9" * 18),
        ("name", ""),
        ("currency", "ZZZ"),
        ("telephone", "1" * 41),
        ("email", "nowhere"),
        ("uscc", "1"),
    ],
)
def test_what_a_field_cannot_be_is_refused_when_it_is_asked_for(bo: Person, field: str, text: str) -> None:
    body = {"customer": li_wei().pk, "kind": "correct", "why": "x", "changes": {field: text}}
    answer = Caller(bo).post("/data-requests", body)
    assert answer.status_code == 422 and [each["field"] for each in answer.data["errors"]] == [f"changes.{field}"]
    assert not DataRequest.objects.exists()


def test_a_correction_that_has_become_impossible_is_refused_when_it_is_confirmed(ann: Person, cy: Person) -> None:
    member("di")
    made = data_requests.ask(li_wei(), "correct", why="x", changes={"salesperson": "di"}, **act(ann))
    Person.objects.filter(username="di").update(is_active=False)
    answer = Caller(cy).post(f"/data-requests/{made.pk}/confirm", {"answer": "x"})
    assert answer.status_code == 422 and [each["field"] for each in answer.data["errors"]] == ["salesperson"]
    assert DataRequest.objects.get().status == "asked"


def test_the_page_names_the_field_that_cannot_be(ann: Person) -> None:
    li_wei()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    typed = {"customer": "P1", "kind": "correct", "why": "x", "changes": "natural_person: perhaps"}
    refused = client.post("/customers/data-requests/", typed)
    assert refused.status_code == 422 and "natural person or sole trader: must be yes or no" in refused.content.decode()


def test_a_company_is_no_natural_person(cy: Person) -> None:
    assert Caller(cy).post("/data-requests", {"customer": acme().pk, "kind": "copy", "why": "x"}).status_code == 422


def test_a_persons_look_at_a_refusal(ann: Person, cy: Person) -> None:
    customer = li_wei()
    check = Caller(cy).post("/credit-checks", {"customer": "P1", "order_no": "S1", "amount": "1.00"}).data
    assert check["outcome"] != "approve" and all(reason["message"] for reason in check["reasons"])
    about = f"credit-decision:{check['id']}"
    body = {"customer": customer.pk, "kind": "review", "why": "请人工复核", "about": about}
    made = Caller(ann).post("/data-requests", body).data
    assert Caller(ann).post("/data-requests", body).status_code == 409
    done = Caller(cy).post(f"/data-requests/{made['id']}/confirm", {"answer": "核实后放行"}).data
    assert (done["status"], done["answer"], done["about"]) == ("done", "核实后放行", about)


@pytest.mark.parametrize(
    "about", [pytest.param("credit-decision:99999", id="none"), pytest.param("other", id="another customer's")]
)
def test_a_review_names_a_decision_about_the_customer(ann: Person, cy: Person, about: str) -> None:
    customer = li_wei()
    acme()
    checks = [
        Caller(cy).post("/credit-checks", {"customer": code, "order_no": f"S-{code}", "amount": "1.00"}).data
        for code in ("P1", "C001")
    ]
    about = about if about != "other" else f"credit-decision:{checks[1]['id']}"
    body = {"customer": customer.pk, "kind": "review", "why": "请人工复核", "about": about}
    refused = Caller(ann).post("/data-requests", body)
    assert refused.status_code == 422 and not DataRequest.objects.exists()
    [error] = refused.data["errors"]
    assert error["field"] == "about" and f"credit-decision:{checks[0]['id']} (S-P1" in error["message"]


@pytest.mark.parametrize("word", ["telephone", "电话", "Telephone"])
@pytest.mark.parametrize("colon", [":", "："])
def test_a_field_is_named_by_its_label_too(ann: Person, word: str, colon: str) -> None:
    li_wei()
    typed = {"customer": "P1", "kind": "correct", "why": "换号", "changes": f"{word}{colon} 13900000000"}
    assert page_of(ann).post("/customers/data-requests/", typed).status_code == 302
    assert json.loads(DataRequest.objects.get().changes) == {"telephone": "13900000000"}


def test_a_word_that_names_no_field_is_told_with_those_that_do(ann: Person) -> None:
    li_wei()
    typed = {"customer": "P1", "kind": "correct", "why": "换号", "changes": "手机号码: 13900000000"}
    told = page_of(ann).post("/customers/data-requests/", typed)
    assert told.status_code == 422 and "“手机号码”" in told.content.decode() and "电话；" in told.content.decode()


def test_the_second_person_sees_what_a_correction_writes_masked_as_elsewhere(ann: Person, cy: Person) -> None:
    changes = {"telephone": "13912340000", "name": "李玮", "natural_person": "no"}
    made = data_requests.ask(li_wei(), "correct", why="本人来函", changes=changes, **act(ann))
    told = page_of(cy).get("/customers/data-requests/").content.decode()
    for sentence in ("电话: 138****5678 → 139****0000", "名称: 李伟 → 李玮", "是 → 否"):
        assert told.count(sentence) == 3, "in the row and in both questions"
    assert "13912340000" not in told
    over_the_api = Caller(cy).get(f"/data-requests/{made.pk}").data["corrected"]
    assert "telephone: 138****5678 → 139****0000" in over_the_api and "13912340000" not in str(over_the_api)
    data_requests.decide(made, "confirm", answer="同意", **act(cy))
    assert "电话: 139****0000" in page_of(cy).get("/customers/data-requests/").content.decode()


def test_a_change_of_what_is_masked_is_told(ann: Person) -> None:
    made = data_requests.ask(li_wei(), "correct", why="x", changes={"telephone": "13800005678"}, **act(ann))
    with translation.override("zh-hans"):
        [told] = data_requests.corrected(made)
    assert told == "电话: 138****5678 → 138****5678 （差别在遮蔽的部分）"


def test_the_home_page_tells_whoever_may_be_the_second_person(ann: Person, cy: Person, vi: Person, bo: Person) -> None:
    data_requests.ask(li_wei(), "copy", why="本人来函", **act(cy))
    assert [data_requests.waiting_for(each, TODAY) for each in (ann, bo, cy, vi)] == [0, 0, 0, 1]
    assert "/customers/data-requests/" in page_of(vi).get("/").content.decode().partition("<main")[2]


def page_of(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page(ann: Person, cy: Person) -> None:
    li_wei()
    client = Client()
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    asked_for = {"customer": "P1", "kind": "correct", "why": "换号", "changes": "telephone: 13900000000"}
    assert client.post("/customers/data-requests/", asked_for).status_code == 302
    assert client.post("/customers/data-requests/", {"customer": "none", "kind": "copy", "why": "x"}).status_code == 422
    pk = DataRequest.objects.get().pk
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    assert "换号" in client.get("/customers/data-requests/").content.decode()
    assert client.post(f"/customers/data-requests/{pk}/confirm", {"reason": "已改"}).status_code == 302
    assert Customer.objects.get(code="P1").telephone == "13900000000"
