"""The register: who may write what, what cannot be, who may be the same company, what the trail keeps."""

from datetime import timedelta
from typing import Any

import pytest

from shouxin.customers import registry
from shouxin.customers.models import Customer
from shouxin.office import clock
from shouxin.office.models import Person, TrailEntry
from shouxin.rules import ids
from tests.api import Caller
from tests.people import EAST, SOUTH, TODAY, acme, member

pytestmark = pytest.mark.django_db
GOOD_CODE = ids.uscc_for("9", "1", "310115", "MA1K3CUM")
WRONG_CODE = GOOD_CODE[:-1] + ("A" if GOOD_CODE[-1] != "A" else "B")


def act(by: Person) -> dict[str, Any]:
    """by, on, at of a verb."""
    return {"by": by, "on": TODAY, "at": clock.now()}


def faults(answer: Any) -> set[str]:
    """The fields a 422 blames."""
    assert answer.status_code == 422, answer.data
    return {each["field"] for each in answer.data["errors"]}


@pytest.mark.clause("B2.2")
def test_the_credit_sheet_is_kept(bo: Person) -> None:
    sheet = {
        "name": "重庆华联机械有限公司", "uscc": f" {GOOD_CODE.lower()} ", "legal_representative": "张三",
        "registered_capital": "5000000", "address": "重庆市渝中区", "telephone": "13812345678", "industry": "C",
        "credit_standard": "注册资金不低于100万元", "salesperson": "ann", "department": EAST,
    }  # fmt: skip
    member("ann")
    made = Caller(bo).post("/customers", sheet).data
    kept = {"uscc": GOOD_CODE, "registered_capital": "5000000.00", "salesperson": "ann", "currency": "CNY"}
    assert {name: made[name] for name in kept} == kept
    assert (made["code"], made["standing"], made["version"]) == ("C000001", "good", 1)


def test_the_next_number_steps_over_codes_that_came_another_way(bo: Person) -> None:
    acme(code="C000001")
    assert Caller(bo).post("/customers", {"name": "新客户"}).data["code"] == "C000002"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": " "}, "name", id="blank name"),
        pytest.param({"name": "……"}, "name", id="a name of dots"),
        pytest.param({"uscc": WRONG_CODE}, "uscc", id="wrong check character"),
        pytest.param({"uscc": "123"}, "uscc", id="too short a code"),
        pytest.param({"currency": "XXX"}, "currency", id="no such currency"),
        pytest.param({"industry": "Z"}, "industry", id="no such industry"),
        pytest.param({"registered_capital": "-1"}, "registered_capital", id="negative capital"),
        pytest.param({"founded_on": "2999-01-01"}, "founded_on", id="founded tomorrow"),
        pytest.param({"founded_on": "1.1.2020"}, "founded_on", id="no date"),
        pytest.param({"email": "x@"}, "email", id="no address"),
        pytest.param({"salesperson": "nobody"}, "salesperson", id="nobody"),
        pytest.param({"salesperson": "system"}, "salesperson", id="the built-in person"),
        pytest.param({"group_head": 999}, "group_head", id="no such head"),
        pytest.param({"code": "a b"}, "code", id="a code with a blank"),
        pytest.param({"bank_account": "1" * 41}, "bank_account", id="too long"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(bo: Person, changes: dict[str, Any], field: str) -> None:
    assert field in faults(Caller(bo).post("/customers", {"name": "新客户"} | changes))
    assert not Customer.objects.exists()


@pytest.mark.invariant("I-34")
@pytest.mark.parametrize("field", ["id", "version", "search_keys", "standing", "created_at", "grade"])
def test_read_only_fields_are_refused(bo: Person, field: str) -> None:
    assert faults(Caller(bo).patch(f"/customers/{acme().pk}", {field: 1})) == {field}


def test_a_code_that_fails_is_taken_with_a_reason_from_the_credit_office(bo: Person, ann: Person) -> None:
    new = {"name": "新客户", "uscc": WRONG_CODE, "uscc_confirmed": "营业执照原件如此"}
    assert faults(Caller(ann).post("/customers", new)) == {"uscc_confirmed"}
    assert Caller(bo).post("/customers", new).data["uscc_confirmed"] == "营业执照原件如此"


def test_a_reason_is_for_the_code_it_was_given_for(bo: Person) -> None:
    customer = acme()
    Customer.objects.filter(pk=customer.pk).update(uscc=WRONG_CODE, uscc_confirmed="seen")
    customer.refresh_from_db()
    other = WRONG_CODE[:-1] + ("C" if GOOD_CODE[-1] != "C" else "D")
    assert faults(Caller(bo).patch(f"/customers/{customer.pk}", {"uscc": other})) == {"uscc"}
    registry.confirm_uscc(customer, "seen again", **act(bo))
    assert Customer.objects.get().uscc_confirmed == "seen again"


def test_the_same_credit_code_twice_is_refused(bo: Person) -> None:
    Caller(bo).post("/customers", {"name": "甲公司", "uscc": GOOD_CODE})
    assert faults(Caller(bo).post("/customers", {"name": "乙公司", "uscc": GOOD_CODE})) == {"uscc"}


def test_who_may_be_the_same_company_is_told(bo: Person) -> None:
    acme()
    acme(code="C2", name="上海宏达贸易有限公司")
    told = Caller(bo).post("/customers", {"name": "艾克米机械（上海）股份有限公司"}).data["doubles"]
    assert [(each["code"], each["likeness"]) for each in told] == [("C001", 100)]


@pytest.mark.invariant("I-33")
def test_a_double_out_of_sight_is_not_told(di: Person) -> None:
    acme()
    assert Caller(di).post("/customers", {"name": "上海艾克米机械有限公司"}).data["doubles"] == []


def test_doubles_need_one_query(bo: Person, django_assert_num_queries: Any) -> None:
    from django.db.models import Q

    for number in range(5):
        acme(code=f"D{number}", name=f"上海艾克米机械{number}有限公司")
    with django_assert_num_queries(1):
        assert len(registry.doubles("上海艾克米机械有限公司", seen_by=Q())) == 5


# --- whose field it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "status"), [("ann", 201), ("bo", 201), ("cy", 201), ("vi", 403), ("fi", 403), ("ed", 403), ("sy", 403)]
)
def test_who_registers(caller: str, status: int) -> None:
    assert Caller(member(caller)).post("/customers", {"name": "新客户"}).status_code == status


@pytest.mark.invariant("I-14")
def test_sales_register_only_their_own(ann: Person, di: Person) -> None:
    mine = Caller(ann).post("/customers", {"name": "新客户"}).data
    assert (mine["salesperson"], mine["department"]) == ("ann", EAST)
    assert faults(Caller(ann).post("/customers", {"name": "别家", "salesperson": "di"})) == {"salesperson"}
    assert faults(Caller(ann).post("/customers", {"name": "别家", "department": SOUTH})) == {"department"}


@pytest.mark.parametrize(
    ("field", "value", "may"),
    [
        ("telephone", "13900000000", {"ann", "bo", "cy"}),
        ("bank_account", "6222000000000000", {"fi", "bo", "cy"}),
        ("name", "上海新名机械有限公司", {"bo", "cy"}),
        ("salesperson", "di", {"bo", "cy"}),
        ("credit_standard", "more", {"bo", "cy"}),
    ],
)
@pytest.mark.parametrize("caller", ["ann", "bo", "cy", "fi", "vi", "ed"])
def test_whose_field_it_is(caller: str, field: str, value: str, may: set[str]) -> None:
    member("di")
    customer = acme()
    answer = Caller(member(caller)).patch(f"/customers/{customer.pk}", {field: value})
    assert (answer.status_code == 200) is (caller in may)
    assert answer.status_code in (200, 403)


@pytest.mark.invariant("I-16")
def test_of_two_who_saw_the_same_version_the_second_is_told(bo: Person, cy: Person) -> None:
    path = f"/customers/{acme().pk}"
    seen = Caller(bo).get(path)["ETag"]
    assert Caller(bo).patch(path, {"region": "沪"}, If_Match=seen).data["version"] == 2
    assert Caller(cy).patch(path, {"region": "渝"}, If_Match=seen).status_code == 409
    assert faults(Caller(cy).patch(path, {"region": "渝"}, If_Match="abc")) == {"If-Match"}
    assert Customer.objects.get().region == "沪"


@pytest.mark.invariant("I-22")
def test_each_change_has_one_line_from_what_to_what(bo: Person) -> None:
    customer = acme()
    registry.change(customer, region="沪", contact="李四", **act(bo))
    registry.change(customer, region="沪", **act(bo))
    line = TrailEntry.objects.get(verb="change_customer")
    assert line.particulars["changes"] == {"region": ["", "沪"], "contact": ["", "李四"]}
    assert (line.customer_id, line.about, customer.version) == (customer.pk, f"customer:{customer.pk}", 2)


@pytest.mark.invariant("I-24")
def test_no_account_or_telephone_in_lists_or_trail(bo: Person) -> None:
    customer = acme()
    registry.change(customer, telephone="13812345678", bank_account="6222000012341234", **act(bo))
    shown = Caller(bo).get(f"/customers/{customer.pk}").data
    assert (shown["telephone"], shown["bank_account"]) == ("138****5678", "****1234")
    assert "13812345678" not in str(Caller(bo).get("/customers").data)
    kept = str(list(TrailEntry.objects.values_list("particulars", flat=True)))
    assert "6222000012341234" not in kept and "13812345678" not in kept


@pytest.mark.clause("A13")
def test_reading_them_in_full_leaves_a_line_with_the_reason(fi: Person, ann: Person, ed: Person) -> None:
    path = f"/customers/{acme(telephone='13812345678', bank_account='6222000012341234').pk}/unmask"
    assert Caller(fi).post(path, {"reason": "退款"}).data["bank_account"] == "6222000012341234"
    hers = Caller(ann).post(path, {"reason": "致电"}).data
    assert {name: value for name, value in hers.items() if value is not None} == {"telephone": "13812345678"}
    assert Caller(ed).post(path, {"reason": "好奇"}).status_code == 403
    assert faults(Caller(fi).post(path, {"reason": ""})) == {"reason"}
    assert list(TrailEntry.objects.filter(verb="unmask").values_list("by__username", "particulars__why")) == [
        ("ann", "致电"), ("fi", "退款")
    ]  # fmt: skip


def test_a_group_is_a_tree_of_any_depth_and_never_a_ring(bo: Person) -> None:
    head, child, other = (acme(code=code) for code in ("H", "M", "O"))
    assert Caller(bo).patch(f"/customers/{child.pk}", {"group_head": "H"}).data["group_head"] == head.pk
    assert Caller(bo).patch(f"/customers/{other.pk}", {"group_head": child.pk}).data["group_head"] == head.pk
    for customer, wrong in ((head, other), (head, child), (other, other)):
        assert faults(Caller(bo).patch(f"/customers/{customer.pk}", {"group_head": wrong.pk})) == {"group_head"}
    assert Caller(bo).patch(f"/customers/{child.pk}", {"group_head": None}).data["group_head"] is None
    other.refresh_from_db()
    assert other.group_head == child, "the tie to its parent stays; the parent heads the group now"


def test_a_customer_is_asked_by_id_or_code(bo: Person) -> None:
    customer = acme(code="K-7")
    assert Caller(bo).get("/customers/K-7").data["id"] == customer.pk
    assert Caller(bo).get(f"/customers/{customer.pk}").data["code"] == "K-7"
    assert Caller(bo).get("/customers/K-8").status_code == 404


def test_a_list_takes_the_same_queries_for_one_and_for_many(bo: Person, django_assert_max_num_queries: Any) -> None:
    head = acme(code="H")
    for number in range(30):
        acme(code=f"M{number}", group_head=head, salesperson=member("ann"))
    caller = Caller(bo)
    caller.get("/customers", limit=1)
    with django_assert_max_num_queries(6):  # session, person, posts, customers, policy, standings
        assert len(caller.get("/customers", limit=50).data["items"]) == 31


def test_filters_narrow(bo: Person) -> None:
    acme(code="A", industry="C", customer_since=TODAY - timedelta(9))
    acme(code="B", industry="F", department=SOUTH)
    for query, codes in (({"industry": "C"}, ["A"]), ({"department": SOUTH}, ["B"]), ({"code": "B"}, ["B"]),
                         ({"salesperson": "ann"}, ["B", "A"]), ({"q": "艾克米", "industry": "F"}, ["B"])):  # fmt: skip
        assert [each["code"] for each in Caller(bo).get("/customers", **query).data["items"]] == codes


@pytest.mark.parametrize(
    "code", ["c0023", "С0023", "Ｃ0023", "C0023\u200b", "C 23", "客户1", "C\u00e9", "x" * 41], ids=ascii
)
def test_no_two_codes_look_alike(bo: Person, code: str) -> None:
    acme(code="C0023")
    assert faults(Caller(bo).post("/customers", {"name": "新客户", "code": code})) == {"code"}
    assert Customer.objects.count() == 1


def test_a_code_is_kept_in_half_width(bo: Person) -> None:
    assert Caller(bo).post("/customers", {"name": "新客户", "code": "Ｄ-０1\ufeff"}).data["code"] == "D-01"


def test_older_codes_stay_as_they_are_and_can_be_changed(bo: Person) -> None:
    acme(code="C0023")
    old = acme(code="ｃ0023")
    changed = Caller(bo).patch(f"/customers/{old.pk}", {"contact": "王五"})
    assert (changed.status_code, changed.data["code"]) == (200, "ｃ0023")


@pytest.mark.parametrize("name", ["\u200b甲\u200b方公司\ufeff", "\u202e甲方\u2066公司", "甲\u00ad方公司"], ids=ascii)
def test_what_nobody_sees_is_no_part_of_a_name(bo: Person, name: str) -> None:
    made = Caller(bo).post("/customers", {"name": name, "short_name": name}).data
    assert (made["name"], made["short_name"]) == ("甲方公司", "甲方公司")
    registry.add_name(Customer.objects.get(), "乙\u200b方", source="contract", **act(bo))
    assert [each.name for each in Customer.objects.get().other_names.all()] == ["乙方"]
    assert faults(Caller(bo).post("/customers", {"name": "\u200b\ufeff"})) == {"name"}
