"""Credit checks, reservations and holds over the API: the contract other programs rely on."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from shouxin.credit.models import CreditAccount, Line
from shouxin.customers.models import Customer
from shouxin.office import clock, posts
from shouxin.office.models import Person
from shouxin.receivables import proof
from tests.api import Caller
from tests.people import acme

pytestmark = pytest.mark.django_db
CHECK = {"customer": "C001", "order_no": "SO-1", "amount": "600.00"}


@pytest.fixture
def customer() -> Customer:
    today = clock.today()
    customer = acme()
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=Decimal(1000), currency="CNY", term_days=30,
        since=today, until=today + timedelta(days=99), why="t", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    return customer


@pytest.mark.clause("A11")
def test_the_answer_has_everything_the_contract_names(customer: Customer, bo: Person) -> None:
    answer = Caller(bo).post("/credit-checks", CHECK)
    assert answer.status_code == 201
    assert answer.data["outcome"] == "approve"
    assert (answer.data["available_before"], answer.data["available_after"]) == ("1000.00", "400.00")
    held = Caller(bo).post("/credit-checks", CHECK | {"order_no": "SO-2"}).data
    reason = held["reasons"][0]
    assert (held["outcome"], reason["code"], reason["measured"], reason["allowed"]) == (
        "hold", "limit_exceeded", "1200.00", "1000.00",
    )  # fmt: skip
    assert "200.00 CNY" in reason["cure"]
    assert Caller(bo).get(f"/credit-checks/{held['id']}").data == held


def test_reasons_come_in_the_callers_language(customer: Customer, bo: Person) -> None:
    body = CHECK | {"amount": "1000.01"}
    assert "额度" in Caller(bo, language="zh").post("/credit-checks", body).data["reasons"][0]["message"]
    assert "limit" in Caller(bo, language="en").post("/credit-checks", body).data["reasons"][0]["message"]


@pytest.mark.parametrize("amount", [600, 600.0, "6e2", "NaN", "１２", "1.234", "", "1 000", None])
def test_an_amount_is_a_text_of_ascii_digits(customer: Customer, bo: Person, amount: object) -> None:
    answer = Caller(bo).post("/credit-checks", CHECK | {"amount": amount})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "amount")


@pytest.mark.invariant("I-10")
def test_the_same_key_gives_the_same_answer_and_another_body_a_conflict(customer: Customer, bo: Person) -> None:
    caller = Caller(bo)
    first = caller.post("/credit-checks", CHECK, key="k1")
    again = caller.post("/credit-checks", CHECK, key="k1")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert caller.post("/credit-checks", CHECK | {"amount": "1.00"}, key="k1").status_code == 409


@pytest.mark.invariant("I-33")
def test_a_customer_out_of_sight_is_as_unknown_as_one_that_does_not_exist(customer: Customer, di: Person) -> None:
    foreign = Caller(di).post("/credit-checks", CHECK).data
    missing = Caller(di).post("/credit-checks", CHECK | {"customer": "C999", "order_no": "SO-3"}).data
    assert [reason["code"] for reason in foreign["reasons"]] == ["unknown_customer"]
    assert foreign["reasons"] == missing["reasons"]
    assert (foreign["outcome"], foreign["available_before"]) == (missing["outcome"], None)


@pytest.mark.parametrize("name", ["ed", "sy", "ar"])
def test_who_takes_no_part_in_business_asks_nothing(
    customer: Customer, name: str, request: pytest.FixtureRequest
) -> None:
    assert Caller(request.getfixturevalue(name)).post("/credit-checks", CHECK).status_code == 403


def test_a_batch_answers_in_order_and_keeps_faults_apart(customer: Customer, bo: Person) -> None:
    bad, unknown = {"customer": "C001"}, CHECK | {"customer": "X", "order_no": "SO-8"}
    answer = Caller(bo).post("/credit-checks/batch", {"checks": [CHECK, bad, unknown, CHECK | {"order_no": "SO-9"}]})
    found = [each.get("outcome", each.get("status")) for each in answer.data["items"]]
    assert found == ["approve", 422, "decline", "hold"]
    assert {error["field"] for error in answer.data["items"][1]["errors"]} == {"order_no", "amount"}


def test_an_amount_beyond_the_books_is_named_in_its_place_and_spoils_none_of_its_neighbours(
    customer: Customer, bo: Person
) -> None:
    Line.objects.create(
        customer=customer, grade="B", limit_kind="unlimited", currency="CNY", term_days=30, since=clock.today(),
        why="t", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    amounts = ["1.00", "9999999999999.99", "1.00"]
    body = [CHECK | {"order_no": f"SO-{n}", "amount": amount} for n, amount in enumerate(amounts)]
    items = Caller(bo).post("/credit-checks/batch", {"checks": body}).data["items"]
    assert [each.get("outcome", each.get("status")) for each in items] == ["approve", 422, "approve"]
    assert [error["field"] for error in items[1]["errors"]] == ["amount"]
    for key in ("", "k1"):
        alone = Caller(bo).post("/credit-checks", body[1], key=key)
        assert (alone.status_code, [each["field"] for each in alone.data["errors"]]) == (422, ["amount"])


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param('{"customer": "C001", "order_no": "A\\u0000", "amount": "1.00"}', id="NUL"),
        pytest.param('{"customer": "C001", "order_no": "A", "amount": "1.00", "source_system": "\\ud800"}', id="half"),
        pytest.param('{"customer": "C001", "order_no": "A", "amount": "1.00", "\\ud800": 1}', id="half in a key"),
        pytest.param('{"customer": "C001", "order_no": "A", "amount": "1.00", "discount": {"\\u0000": 1}}', id="deep"),
        pytest.param("[" * 450 + "]" * 450, id="nested"),
        pytest.param("7", id="a number"),
        pytest.param("null", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param('{"customer": true, "order_no": "A", "amount": "1.00"}', id="true is nobody"),
        pytest.param('{"customer": 1.0, "order_no": "A", "amount": "1.00"}', id="1.0 is nobody"),
    ],
)
def test_what_cannot_be_read_spoils_none_of_its_neighbours(customer: Customer, bo: Person, bad: str) -> None:
    answer = Caller(bo).post("/credit-checks/batch", f'{{"checks": [{json.dumps(CHECK)}, {bad}]}}')
    assert answer.status_code == 200
    assert [each.get("outcome", each.get("status")) for each in answer.data["items"]] == ["approve", 422]
    assert answer.data["items"][1]["errors"][0]["message"]


@pytest.mark.parametrize("body", ['{"checks": [], "\\ud800": 1}', '{"checks": "\\u0000"}', '"\\ud800"'])
def test_what_stands_beside_the_orders_of_a_batch_must_be_readable(customer: Customer, bo: Person, body: str) -> None:
    assert Caller(bo).post("/credit-checks/batch", body).status_code in (400, 422)


@pytest.mark.parametrize("customer_named", [True, 1.0, None, [], {}])
def test_a_customer_is_named_by_a_code_or_an_id(customer: Customer, bo: Person, customer_named: object) -> None:
    answer = Caller(bo).post("/credit-checks", CHECK | {"customer": customer_named})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "customer")


def test_an_order_asked_in_a_currency_without_a_rate_stands_in_nobodys_way(
    customer: Customer, ann: Person, cy: Person
) -> None:
    """It opens an account, which stays empty: the customer's other orders are released as before."""
    hold = Caller(ann).post("/credit-checks", CHECK | {"amount": "5000.00"}).data["hold"]
    for odd in ({"reserve": False}, {"order_no": "SO-X"}):
        answer = Caller(ann).post("/credit-checks", CHECK | {"currency": "XTS"} | odd)
        assert [reason["code"] for reason in answer.data["reasons"]] == ["currency_unknown"]
    assert Caller(cy).post(f"/holds/{hold}/release", {"reason": "年度框架合同"}).data["outcome"] == "approve"
    assert Caller(cy).get(f"/customers/{customer.pk}/credit").data["missing_rate"] is None


def test_a_reservation_is_delivered_billed_and_found_by_number(customer: Customer, fi: Person) -> None:
    caller = Caller(fi)
    number = caller.post("/credit-checks", CHECK).data["reservation"]
    delivered = caller.post(f"/reservations/{number}/deliver", {"amount": "200.00"}).data
    assert (delivered["reserved"], delivered["unbilled"]) == ("400.00", "200.00")
    for day in ("9999-12-31", "0001-01-01"):
        refused = caller.post(f"/reservations/{number}/bill", {"dated_on": day})
        assert refused.status_code == 422 and refused.data["errors"][0]["field"] == "dated_on"
    billed = caller.post(f"/reservations/{number}/bill", {}).data
    assert (billed["billed"], billed["unbilled"]) == ("200.00", "0.00")
    assert caller.get(f"/reservations/{billed['number']}").data == billed
    assert caller.post(f"/reservations/{number}/deliver", {"amount": "400.01"}).status_code == 409
    assert caller.post(f"/reservations/{number}/cancel", {}).data["released"] == "400.00"


@pytest.mark.invariant("I-14", "I-19")
def test_a_hold_is_released_by_somebody_else_with_authority(
    customer: Customer, ann: Person, cy: Person, vi: Person
) -> None:
    hold = Caller(ann).post("/credit-checks", CHECK | {"amount": "5000.00"}).data["hold"]
    path, body = f"/holds/{hold}/release", {"reason": "年度框架合同"}
    assert Caller(ann).post(path, body).status_code == 403
    assert Caller(cy).post(path, {"reason": " "}).status_code == 422
    released = Caller(cy).post(path, body)
    assert (released.status_code, released.data["outcome"]) == (200, "approve")
    assert {reason["severity"] for reason in released.data["reasons"]} == {"released"}
    assert Caller(vi).post(path, body).status_code == 409
    # At delivery the order is checked again: the release still covers it, up to its amount.
    assert Caller(ann).post("/credit-checks", CHECK | {"amount": "5000.00"}).data["outcome"] == "approve"
    assert Caller(ann).post("/credit-checks", CHECK | {"amount": "5000.01"}).data["outcome"] == "hold"


@pytest.mark.invariant("I-15")
def test_nobody_releases_beyond_her_authority(customer: Customer, ann: Person, cy: Person, vi: Person) -> None:
    hold = Caller(ann).post("/credit-checks", CHECK | {"amount": "100000.01"}).data["hold"]
    path, body = f"/holds/{hold}/release", {"reason": "大单"}
    refused = Caller(cy).post(path, body)
    assert (refused.status_code, refused.data["code"]) == (403, "no_post")
    assert Caller(vi).post(path, body).status_code == 200


def test_a_past_check_comes_out_the_same(customer: Customer, bo: Person) -> None:
    number = Caller(bo).post("/credit-checks", CHECK).data["id"]
    assert Caller(bo).post(f"/credit-checks/{number}/replay").data["same"] is True


@pytest.mark.invariant("I-11")
@pytest.mark.parametrize("number", ["Ｋ1", "K1\u200b", " K1 ", "\ufeffK\u00ad1", "K1\u202c"], ids=ascii)
def test_one_order_in_whatever_spelling_is_one_order(customer: Customer, bo: Person, number: str) -> None:
    Caller(bo).post("/credit-checks", CHECK | {"order_no": "K1"})
    again = Caller(bo).post("/credit-checks", CHECK | {"order_no": number})
    assert (again.status_code, again.data["order_no"], again.data["outcome"]) == (201, "K1", "approve")
    assert Caller(bo).get("/customers/C001/credit").data["exposure"]["reserved"] == "600.00"
    assert len(Caller(bo).get("/credit-checks", order_no=number).data["items"]) == 2


def test_capitals_of_an_order_number_are_significant(customer: Customer, bo: Person) -> None:
    answers = [
        Caller(bo).post("/credit-checks", CHECK | {"order_no": each, "amount": "300.00"}) for each in ("K1", "k1")
    ]
    assert [each.data["order_no"] for each in answers] == ["K1", "k1"]
    assert Caller(bo).get("/customers/C001/credit").data["exposure"]["reserved"] == "600.00"


@pytest.mark.parametrize("number", ["\u200b", "K\x00", "K\x1b1"], ids=ascii)
def test_a_number_nobody_can_see_or_keep_is_refused(customer: Customer, bo: Person, number: str) -> None:
    answer = Caller(bo).post("/credit-checks", CHECK | {"order_no": number})
    assert answer.status_code in (400, 422)
    assert {each["field"] for each in answer.data["errors"]} <= {"order_no"}, (
        "a NUL is refused before any field is read"
    )
    assert not Caller(bo).get("/credit-checks").data["items"]


def test_the_invoice_of_an_order_finds_it_in_whatever_spelling(customer: Customer, bo: Person, fi: Person) -> None:
    Caller(bo).post("/credit-checks", CHECK | {"order_no": "K1"})
    bill = {"customer": "C001", "doc_no": "R1", "amount": "600.00", "order_no": "Ｋ1\u200b"}
    assert Caller(fi).post("/invoices", bill).data["order_no"] == "K1"
    assert Caller(bo).get("/customers/C001/credit").data["exposure"]["reserved"] == "0.00"


@pytest.mark.invariant("I-1", "I-5", "I-11")
@pytest.mark.parametrize("delivered", [True, False], ids=["goods out", "billed ahead"])
def test_an_invoice_taken_back_leaves_no_room_for_another_order(
    customer: Customer, fi: Person, delivered: bool
) -> None:
    caller, whole = Caller(fi), CHECK | {"amount": "1000.00"}
    number = caller.post("/credit-checks", whole).data["reservation"]
    if delivered:
        caller.post(f"/reservations/{number}/deliver", {})
    caller.post(f"/reservations/{number}/bill", {"invoice_no": "S-1"})
    bill = caller.get("/invoices").data["items"][0]
    caller.post(f"/invoices/{bill['id']}/reverse", {"reason": "wrong address"})

    order = caller.get(f"/reservations/{number}").data
    assert (order["billed"], order["unbilled" if delivered else "undelivered"]) == ("0.00", "1000.00")
    assert proof.run(by=posts.system(), at=clock.now(), on=clock.today()).difference == 0
    assert caller.post("/credit-checks", whole | {"order_no": "SO-2"}).data["outcome"] == "hold"
    again = caller.post("/credit-checks", whole).data
    assert (again["outcome"], again["available_after"]) == ("approve", "0.00")
    assert caller.post("/credit-checks", whole | {"order_no": "SO-2"}).data["outcome"] == "hold"


@pytest.mark.invariant("I-1", "I-11")
def test_goods_credited_are_measured_again_when_the_order_is_asked_about_again(customer: Customer, fi: Person) -> None:
    caller, whole = Caller(fi), CHECK | {"amount": "1000.00"}
    number = caller.post("/credit-checks", whole).data["reservation"]
    caller.post(f"/reservations/{number}/bill", {"invoice_no": "S-1"})
    caller.post("/invoices", {"customer": "C001", "doc_no": "G-1", "amount": "-400.00", "order_no": "SO-1"})
    assert caller.get(f"/reservations/{number}").data["billed"] == "600.00"
    assert proof.run(by=posts.system(), at=clock.now(), on=clock.today()).difference == 0
    assert caller.post("/credit-checks", CHECK | {"order_no": "SO-2", "amount": "400.00"}).data["outcome"] == "approve"
    assert caller.post("/credit-checks", whole).data["outcome"] == "hold", "the 400 taken back are asked for anew"


@pytest.mark.invariant("I-1", "I-11")
def test_an_order_of_two_reservations_takes_both_back_whatever_its_invoice_is_called(
    customer: Customer, fi: Person
) -> None:
    caller, order = Caller(fi), CHECK | {"amount": "100.00"}
    first = caller.post("/credit-checks", order).data["reservation"]
    caller.post(f"/reservations/{first}/deliver", {"amount": "1.00"})
    second = caller.post("/credit-checks", order).data["reservation"]
    bill = {"customer": "C001", "doc_no": "Z" * 72, "amount": "100.00", "order_no": "SO-1"}
    pk = caller.post("/invoices", bill).data["id"]
    caller.post(f"/invoices/{pk}/reverse", {"reason": "wrong"})

    held = [caller.get(f"/reservations/{number}").data for number in (first, second)]
    assert [(each["unbilled"], each["undelivered"], each["billed"]) for each in held] == [
        ("1.00", "0.00", "0.00"), ("0.00", "99.00", "0.00"),
    ]  # fmt: skip
    assert caller.post("/credit-checks", order).data["available_after"] == "900.00"


@pytest.mark.invariant("I-1", "I-11")
def test_what_a_reversal_gives_back_to_an_earlier_reservation_is_asked_for_once(customer: Customer, fi: Person) -> None:
    caller, order = Caller(fi), CHECK | {"amount": "100.00"}
    caller.post("/credit-checks", order)
    bill = caller.post("/invoices", {"customer": "C001", "doc_no": "S-1", "amount": "60.00", "order_no": "SO-1"}).data
    caller.post("/credit-checks", order)
    caller.post(f"/invoices/{bill['id']}/reverse", {"reason": "wrong"})
    again = caller.post("/credit-checks", order).data
    assert (again["available_before"], again["available_after"]) == ("1000.00", "900.00")
    assert CreditAccount.objects.get().reserved + CreditAccount.objects.get().undelivered == 100


@pytest.mark.invariant("I-11")
def test_a_credit_note_is_taken_off_the_order_of_its_own_source(customer: Customer, fi: Person) -> None:
    caller = Caller(fi)
    numbers = [
        caller.post("/credit-checks", CHECK | {"amount": "100.00", "source_system": source}).data["reservation"]
        for source in ("a", "b")
    ]
    for number in numbers:
        caller.post(f"/reservations/{number}/bill", {})
    back = {"customer": "C001", "doc_no": "G-1", "amount": "-100.00", "order_no": "SO-1", "source_system": "a"}
    assert caller.post("/invoices", back).status_code == 201
    assert [caller.get(f"/reservations/{number}").data["billed"] for number in numbers] == ["0.00", "100.00"]
