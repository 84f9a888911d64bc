"""The door of the API: who comes in, what is refused how, and the same key answered once."""

import base64
import json
import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from shouxin.customers.models import Customer
from shouxin.office import clock, tokens
from shouxin.office.models import IdempotencyKey, TrailEntry
from tests.api import Caller
from tests.people import TODAY, acme, member

pytestmark = pytest.mark.django_db

NEW = {"name": "重庆华联机械有限公司"}


def test_nobody_comes_in_without_a_name() -> None:
    answer = Caller().get("/customers")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_opens_the_door_until_it_is_revoked(cy: Any) -> None:
    token, text = tokens.create(cy, by=cy, at=clock.now())
    assert Caller(token=text).get("/me").data["posts"] == ["credit-manager"]
    tokens.revoke(token, by=cy, on=TODAY, at=clock.now())
    assert Caller(token=text).get("/me").status_code == 401


def test_a_wrong_token_is_not_replaced_by_a_session(cy: Any) -> None:
    caller = Caller(cy)
    caller.headers["Authorization"] = "Bearer nonsense"
    assert caller.get("/me").status_code == 401


def test_a_session_writes_only_with_its_csrf_token(cy: Any) -> None:
    caller = Caller(cy)
    caller.client.handler.enforce_csrf_checks = True
    answer = caller.post("/customers", NEW)
    assert (answer.status_code, answer.data["code"]) == (403, "csrf")
    assert answer.data["cure"], "it says what to send"
    assert not Customer.objects.exists()


UTF_16 = "application/x-www-form-urlencoded; charset=utf-16"


@pytest.mark.parametrize(
    ("guarded", "cookie", "status"),
    [(False, "", 400), (True, "a" * 32, 400), (True, "", 403)],
    ids=["by the view", "by the guard against forged forms", "without its cookie"],
)
@pytest.mark.parametrize("address", ["/accounts/login/", "/language/setlang/", "/customers/new"])
def test_a_form_in_another_character_set_is_refused_by_every_page(
    cy: Any, address: str, guarded: bool, cookie: str, status: int
) -> None:
    client = Client() if address == "/accounts/login/" else Caller(cy).client
    client.handler.enforce_csrf_checks = guarded
    if cookie:
        client.cookies["csrftoken"] = cookie
    assert client.post(address, b"login=ann", content_type=UTF_16).status_code == status


@pytest.mark.parametrize("address", ["/api/v1/holds/1/recheck", "/api/v1/customers"])
def test_and_by_the_api_in_its_own_words(cy: Any, address: str) -> None:
    caller = Caller(token=tokens.create(cy, by=cy, at=clock.now())[1])
    answer = caller.client.post(address, b"a=b", content_type=UTF_16, headers=caller.headers)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.invariant("I-34")
def test_unknown_fields_and_misspelt_filters_are_refused(cy: Any) -> None:
    answer = Caller(cy).post("/customers", NEW | {"grade": "A"})
    assert (answer.status_code, answer.data["errors"]) == (422, [{"field": "grade", "message": "is not known here"}])
    assert Caller(cy).get("/customers", indusrty="C").data["errors"][0]["field"] == "indusrty"


@pytest.mark.invariant("I-31")
@pytest.mark.parametrize(
    "amount", [1200, 1200.5, "1e3", "NaN", "１２", "1,200.00", "1.234", " 1", "12345678901234", "٣"]
)
def test_an_amount_is_a_plain_text(cy: Any, amount: Any) -> None:
    answer = Caller(cy).post("/customers", NEW | {"registered_capital": amount})
    assert answer.status_code == 422
    assert answer.data["errors"] == [
        {"field": "registered_capital", "message": 'must be an amount as text, such as "1200.00"'}
    ]


def test_an_amount_comes_back_with_two_decimals(cy: Any) -> None:
    assert Caller(cy).post("/customers", NEW | {"registered_capital": "1200"}).data["registered_capital"] == "1200.00"


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ('{"name": NaN}', 400), ('{"name":"a","name":"b"}', 400), ('{"name":"a\\u0000b"}', 400),
     ('{"name":"\\ud800"}', 400), (b"\xff", 400), ("[" * 100_000, 400), ("[]", 422), ("", 422)],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_a_clear_refusal(cy: Any, body: Any, status: int) -> None:
    assert Caller(cy).post("/customers", body).status_code == status
    assert not Customer.objects.exists()


def test_problems_speak_the_language_asked_for(cy: Any) -> None:
    assert Caller(cy, language="en").get("/customers/7").data["title"].startswith("There is no such thing")
    assert Caller(cy, language="zh").get("/customers/7").data["title"].startswith("没有")


@pytest.mark.parametrize(("method", "path", "status"), [("get", "/nothing", 404), ("patch", "/customers", 405)])
def test_wrong_addresses_are_problems_too(cy: Any, method: str, path: str, status: int) -> None:
    arguments: tuple[Any, ...] = ({},) if method == "patch" else ()
    assert getattr(Caller(cy), method)(path, *arguments).status_code == status


@pytest.mark.invariant("I-7")
def test_a_database_that_is_away_is_503(cy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(cy)

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("shouxin.customers.registry.create", away)
    answer = caller.post("/customers", NEW)
    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (503, "database_away", "5")


def test_our_own_fault_tells_nothing_of_our_insides(cy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouxin.customers.registry.create", lambda **_k: 1 / 0)
    answer = Caller(cy).post("/customers", NEW)
    assert answer.status_code == 500
    assert "division" not in answer.content.decode()


@pytest.mark.invariant("I-22")
def test_a_refused_duty_leaves_a_line_though_all_else_is_rolled_back(ed: Any) -> None:
    assert Caller(ed).post("/customers", NEW).status_code == 403
    line = TrailEntry.objects.get(verb="refuse")
    assert (line.by, line.particulars["asked"]) == (ed, "register")


def test_pages_follow_one_another_without_gap(cy: Any) -> None:
    for number in range(5):
        acme(code=f"P{number}", salesperson=None)
    first = Caller(cy).get("/customers", limit=2).data
    second = Caller(cy).get("/customers", limit=2, cursor=first["next"]).data
    third = Caller(cy).get("/customers", limit=2, cursor=second["next"]).data
    codes = [each["code"] for answer in (first, second, third) for each in answer["items"]]
    assert codes == ["P4", "P3", "P2", "P1", "P0"]
    assert third["next"] is None


@pytest.mark.parametrize("query", [{"limit": 201}, {"limit": 0}, {"cursor": "nonsense"}, {"cursor": "W10"}])
def test_a_page_that_cannot_be_is_refused(cy: Any, query: dict[str, Any]) -> None:
    assert Caller(cy).get("/customers", **query).status_code == 422


@pytest.mark.parametrize("values", [["1E+999999999", "5"], ["NaN", "5"], ["1", "\ud800"], [[], {}]], ids=str)
def test_a_cursor_that_can_be_no_row_of_the_list_is_refused(cy: Any, values: list[Any]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    assert Caller(cy).get("/tasks", mine="true", cursor=cursor).status_code == 422


def test_the_description_and_its_page_need_nothing_from_outside(client: Any) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert {"/api/v1/customers", "/api/v1/customers/{reference}/standing"} <= set(schema["paths"])
    page = client.get("/api/v1/docs").content.decode()
    assert "/api/v1/customers" in page
    assert "<script" not in page and "http" not in page


# --- the same key, the same answer ---------------------------------------------------------------


@pytest.mark.invariant("I-10")
def test_the_same_key_and_body_answer_the_same_for_ever(cy: Any) -> None:
    first = Caller(cy).post("/customers", NEW, key="k1")
    again = Caller(cy).post("/customers", '{ "name" : "重庆华联机械有限公司" }', key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert Customer.objects.count() == 1


@pytest.mark.invariant("I-10")
def test_another_body_or_address_under_the_key_is_409(cy: Any) -> None:
    Caller(cy).post("/customers", NEW, key="k1")
    assert Caller(cy).post("/customers", {"name": "别家公司"}, key="k1").data["code"] == "idempotency_key_reused"
    assert Caller(cy).post("/tokens", NEW, key="k1").status_code == 409
    assert Customer.objects.count() == 1


@pytest.mark.invariant("I-10")
def test_another_callers_key_is_another_key(cy: Any, bo: Any) -> None:
    assert Caller(cy).post("/customers", NEW, key="k1").status_code == 201
    assert Caller(bo).post("/customers", NEW, key="k1").status_code == 201
    assert Customer.objects.count() == 2


@pytest.mark.invariant("I-10")
def test_what_was_refused_is_not_remembered(cy: Any) -> None:
    assert Caller(cy).post("/customers", {"name": ""}, key="k1").status_code == 422
    assert not IdempotencyKey.objects.exists()
    assert Caller(cy).post("/customers", NEW, key="k1").status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "钥匙"])
def test_a_key_that_cannot_be_kept_is_refused(cy: Any, key: str) -> None:
    assert Caller(cy).post("/customers", NEW, key=key.encode().decode("latin-1")).status_code == 422


@pytest.mark.invariant("I-10")
@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_acts_once() -> None:
    _token, text = tokens.create(member("cy"), by=member("cy"), at=clock.now())
    answers: list[Any] = []
    gate = threading.Barrier(6)

    def call() -> None:
        gate.wait()
        try:
            answers.append(Caller(token=text).post("/customers", NEW, key="k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Customer.objects.count() == 1


UNMASK = {"reason": "回访"}


@pytest.mark.invariant("I-10", "I-33")
def test_what_was_unmasked_is_never_told_again_by_its_key(ann: Any, di: Any) -> None:
    customer = acme(telephone="13912345678")
    path, before = f"/customers/{customer.pk}/unmask", TrailEntry.objects.filter(verb="unmask")
    for _time in range(2):
        assert Caller(ann).post(path, UNMASK, key="k1").data["telephone"] == "13912345678"
    assert before.count() == 2, "each look has its line"
    assert not IdempotencyKey.objects.exists()
    Customer.objects.update(salesperson=di, department=di.department)
    assert Caller(ann).post(path, UNMASK, key="k1").status_code == 404
    assert before.count() == 2


@pytest.mark.invariant("I-10", "I-33")
def test_an_answer_about_a_customer_out_of_sight_is_not_given_again(ann: Any, di: Any) -> None:
    customer = acme()
    acts = {
        f"/customers/{customer.pk}/names": {"name": "艾克米"},
        f"/customers/{customer.code}/form-links": {"request_type": "new"},
        "/applications": {
            "customer": customer.code, "request_type": "new", "requested_limit": "80000.00", "currency": "CNY",
            "requested_term_days": 30, "reason": "旺季备货", "details": {"contact": "王芳"},
        },
    }  # fmt: skip
    for path, body in acts.items():
        assert Caller(ann).post(path, body, key=path).status_code in (200, 201)
        assert Caller(ann).post(path, body, key=path)["Idempotency-Replayed"] == "true"
    Customer.objects.update(salesperson=di, department=di.department)
    assert [Caller(ann).post(path, body, key=path).status_code for path, body in acts.items()] == [404, 404, 404]


LI_WEI = {"code": "P1", "name": "李伟", "natural_person": True, "telephone": "13812345678", "contact": "王芳"}


@pytest.mark.clause("A13")
@pytest.mark.invariant("I-10", "I-33")
@pytest.mark.parametrize("kind", ["restrict", "delete"])
def test_a_registration_is_not_told_again_once_the_person_is_restricted_or_erased(bo: Any, cy: Any, kind: str) -> None:
    first = Caller(bo).post("/customers", LI_WEI, key="k1")
    assert Caller(bo).post("/customers", LI_WEI, key="k1").content == first.content
    likeness = Caller(cy).post("/customers", {"name": "李伟", "code": "P2"}, key="k2")
    assert [each["code"] for each in likeness.data["doubles"]] == ["P1"]
    asked = Caller(bo).post("/data-requests", {"customer": "P1", "kind": kind, "why": "x"}).data
    confirm = f"/data-requests/{asked['id']}/confirm"
    for _time in range(2):
        assert Caller(cy).post(confirm, {"answer": "x"}, key="k3").status_code == 200
    assert Caller(bo).post("/customers", LI_WEI, key="k1").status_code == 404
    assert Caller(cy).post("/customers", {"name": "李伟", "code": "P2"}, key="k2").status_code == 404


@pytest.mark.clause("A13")
def test_erasing_a_person_empties_the_answers_kept_about_it_and_no_others(bo: Any, cy: Any) -> None:
    made = Caller(bo).post("/customers", LI_WEI, key="k1").data
    Caller(bo).post("/customers/P1/names", {"name": "小李"}, key="k2")
    Caller(bo).post(f"/customers/{made['id']}/names", {"name": "老李"}, key="k3")
    Caller(bo).post("/customers", NEW, key="k4")
    asked = Caller(bo).post("/data-requests", {"customer": "P1", "kind": "delete", "why": "x"}).data
    assert Caller(cy).post(f"/data-requests/{asked['id']}/confirm", {"answer": "x"}).status_code == 200
    kept = {row.key: row.answer for row in IdempotencyKey.objects.all()}
    assert {key for key, answer in kept.items() if not answer} == {"k1", "k2", "k3"}
    assert Caller(bo).post("/customers", NEW, key="k4").status_code == 201


CHECK = {"customer": "C001", "order_no": "S1", "amount": "1.00"}
UNKNOWN = {"customer": "nobody", "order_no": "S2", "amount": "1.00"}


@pytest.mark.invariant("I-10", "I-33")
@pytest.mark.parametrize(
    ("path", "body"), [("/credit-checks", CHECK), ("/credit-checks/batch", {"checks": [UNKNOWN, CHECK]})]
)
def test_a_check_of_a_customer_lost_since_is_not_told_again(ann: Any, di: Any, path: str, body: Any) -> None:
    acme()
    first = Caller(ann).post(path, body, key="k1")
    assert Caller(ann).post(path, body, key="k1").content == first.content
    Customer.objects.update(salesperson=di, department=di.department)
    assert Caller(ann).post(path, body, key="k1").status_code == 404


@pytest.mark.invariant("I-10", "I-33")
@pytest.mark.parametrize(
    ("path", "body"), [("/credit-checks", CHECK), ("/credit-checks/batch", {"checks": [UNKNOWN, CHECK]})]
)
def test_a_check_of_a_customer_never_seen_is_told_again(ann: Any, di: Any, path: str, body: Any) -> None:
    acme(salesperson=di, department=di.department)
    first, again = (Caller(ann).post(path, body, key="k1") for _time in range(2))
    assert first.content == again.content and again["Idempotency-Replayed"] == "true"


@pytest.mark.invariant("I-10")
@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [("/tokens", {"label": "ERP"}, "token"),
     ("/webhooks", {"url": "https://1.1.1.1/hook", "events": ["standing.changed"]}, "secret"),
     ("/customers/C001/form-links", {"request_type": "new"}, "address")],
)  # fmt: skip
def test_a_secret_is_told_once_and_made_once(ann: Any, cy: Any, path: str, body: Any, secret: str) -> None:
    acme()
    who = cy if path == "/webhooks" else ann
    first, again = (Caller(who).post(path, body, key="k1") for _time in range(2))
    assert first.status_code == 201 and first.data[secret], first.content
    assert again.status_code == 201 and again["Idempotency-Replayed"] == "true"
    assert again.data == first.data | {secret: None}
    assert first.data[secret] not in IdempotencyKey.objects.get().answer
