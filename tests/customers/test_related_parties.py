"""Ties with their history, persons and agents in the file, columns of imports."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client

from shouxin.customers import agents, groups, persons
from shouxin.customers.models import Customer, GroupTie, PersonTie, RelatedPerson
from shouxin.lib.imports import kinds, mapping, run
from shouxin.lib.imports.kinds import Conditions
from shouxin.office import clock, policies, posts
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules import agency
from tests.api import Caller
from tests.people import TODAY, acme, member

pytestmark = pytest.mark.django_db
ID, OTHER_ID = "11010519491231002X", "440524188001010014"


@pytest.fixture(autouse=True)
def book(the_day: None, db: None) -> None:
    """The shipped policy is in force."""
    policies.ensure()


def act(by: str = "bo", on: date = TODAY) -> dict[str, Any]:
    return {"by": member(by), "on": on, "at": clock.now()}


def hang(child: Customer, parent: Customer | None, *, on: date = TODAY, **more: Any) -> None:
    groups.tie(child, groups.NewTie(parent, **more), **act(on=on))


def test_heads_and_parents_follow_the_ties_of_a_whole_branch() -> None:
    a, b, c, d = (acme(code=code) for code in "ABCD")
    hang(d, c)
    hang(c, b)
    hang(b, a, kind="subsidiary", percent=Decimal(60))
    rows = {each.code: (each.parents, each.group_head_id) for each in Customer.objects.filter(code__in="ABCD")}
    assert rows == {"A": ([], None), "B": ([a.pk], a.pk), "C": ([b.pk, a.pk], a.pk), "D": ([c.pk, b.pk, a.pk], a.pk)}
    hang(b, a, kind="affiliate", percent=Decimal(20))
    d.refresh_from_db()
    assert (d.parents, d.group_head_id) == ([c.pk, b.pk], b.pk), "what no longer binds leaves pool and blacklist"
    with pytest.raises(BadForm):
        hang(a, d)


def test_who_was_in_the_pool_is_known_for_any_day() -> None:
    head, first, second = (acme(code=code) for code in ("H", "F", "S"))
    hang(first, head, on=TODAY - timedelta(days=30))
    hang(second, head, on=TODAY - timedelta(days=10))
    hang(first, None, on=TODAY - timedelta(days=5))
    days = {-31: [], -30: [first], -10: [first, second], -5: [second], 0: [second]}
    for back, wanted in days.items():
        found = groups.members_of(head.pk, TODAY + timedelta(days=back))
        assert found == [head.pk, *(each.pk for each in wanted)], back
    assert [row.parent for row in groups.history(first)] == [None, head]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"percent": Decimal(0)}, "percent"),
        ({"percent": Decimal("100.01")}, "percent"),
        ({"kind": "friend"}, "kind"),
        ({"since": TODAY + timedelta(days=1)}, "since"),
    ],
)
def test_a_tie_that_cannot_be_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refusal:
        hang(acme(), acme(code="P"), **given)
    assert {name for name, _text in refusal.value.errors} == {field}


@pytest.mark.invariant("I-6")
@pytest.mark.django_db(transaction=True)
def test_two_halves_of_a_ring_never_both_come_to_stand() -> None:
    policies.ensure()
    a, b = acme(code="A"), acme(code="B")
    outcomes: list[str] = []
    gate = threading.Barrier(2)
    moment = act()

    def hung(child: Customer, parent: Customer) -> None:
        try:
            gate.wait()
            groups.tie(child, groups.NewTie(parent), **moment)
            outcomes.append("tied")
        except BadForm:
            outcomes.append("ring")
        finally:
            connection.close()

    threads = [threading.Thread(target=hung, args=pair) for pair in ((a, b), (b, a))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["ring", "tied"]
    assert GroupTie.objects.count() == 1


def test_a_file_ties_a_tree_of_any_depth_refuses_a_ring_and_changes_nothing_twice(tmp_path: Path) -> None:
    heading = "客户编码,客户名称,母公司编码,关联关系,持股比例"
    rows = ["G3,孙公司,G2,子公司,80%", "G2,子公司,G1,子公司,51%", "G1,集团公司,,,", "R1,甲,R2,,", "R2,乙,R1,,",
            "X1,丙,G9,,"]  # fmt: skip
    found = kinds.get("customers")
    path = tmp_path / "c.csv"
    path.write_text("\n".join([heading, *rows]), "utf-8")

    def taken() -> tuple[int, int, list[str]]:
        conditions = Conditions(at=clock.now(), today=TODAY, currency="CNY", by=posts.system())
        result = run.take_over(path, found, mapping.read(None, found), conditions, errors_path=tmp_path / "e.xlsx")
        return result.tally.accepted, result.tally.unchanged, sorted(fault.code for fault in result.faults)

    assert taken() == (3, 0, ["ring", "unknown_head", "unknown_head"])
    one, two, three = (Customer.objects.get(code=code) for code in ("G1", "G2", "G3"))
    assert (three.parents, three.group_head) == ([two.pk, one.pk], one)
    assert groups.history(two)[0].percent == 51
    assert TrailEntry.objects.filter(verb="tie").count() == 2
    assert taken()[:2] == (0, 3)


def test_the_policy_may_change_what_binds_and_heads_are_written_anew() -> None:
    head, child = acme(code="H"), acme(code="M")
    hang(child, head, kind="subsidiary", percent=Decimal(40))
    assert groups.members_of(head.pk, TODAY) == [head.pk]
    text = policies.shipped().replace("pool_percent_min: 50", "pool_percent_min: 40")
    policies.put(text, since=TODAY, why="control from 40 %", **act("cy"))
    assert (groups.renew(TODAY), groups.renew(TODAY)) == (1, 0)
    child.refresh_from_db()
    assert child.group_head == head


# --- persons -------------------------------------------------------------------------------------


def test_the_same_number_is_the_same_person_and_is_never_shown_or_kept_in_the_clear() -> None:
    first, second = acme(), acme(code="C2")
    for customer, spelling in ((first, "钱七"), (second, "钱 七")):
        persons.add(customer, spelling, "controller", id_number=ID.lower(), **act())
    assert RelatedPerson.objects.count() == 1
    told = Caller(member("bo")).get(f"/customers/{first.pk}/persons").data
    assert told["items"][0]["id_number"] not in (ID, "")
    assert [each["code"] for each in told["elsewhere"]] == ["C2"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number FROM customers_relatedperson")
        assert ID not in cursor.fetchone()[0]
    assert not TrailEntry.objects.filter(particulars__icontains=ID).exists()


def test_a_name_alone_is_told_as_a_namesake_and_sales_see_only_their_own() -> None:
    first = acme(legal_representative="张伟")
    acme(code="C2", legal_representative="张伟", department="华南", salesperson=member("di"))
    found = persons.elsewhere(first, persons.behind(first), seen_by=Q(), on=TODAY)
    assert [(each.customer.code, each.sure) for each in found] == [("C2", False)]
    assert Caller(member("ann")).get(f"/customers/{first.pk}/persons").data["elsewhere"] == []


@pytest.mark.clause("A13")
def test_a_restricted_head_is_named_to_nobody_and_nobody_is_hung_beneath_it() -> None:
    head = acme(code="P1", name="李伟明经营部", natural_person=True, bank_account="6222000012341234")
    member_of = acme(code="C2", name="华东分店", bank_account="6222000012341234", legal_representative="李伟明")
    persons.add(head, "李伟明", "controller", id_number=ID, **act())
    persons.add(member_of, "李伟明", "controller", id_number=ID, **act())
    hang(member_of, head)
    Customer.objects.filter(pk=head.pk).update(restricted_on=TODAY)
    client = Client()
    client.force_login(member("bo"), backend="django.contrib.auth.backends.ModelBackend")
    for page in ("?tab=overview", "?tab=parties"):
        assert "经营部" not in client.get(f"/customers/{member_of.pk}/{page}").content.decode()
    form = client.get(f"/customers/{member_of.pk}/edit")
    assert form.status_code == 200 and 'value="P1"' not in form.content.decode()
    changed = {"name": "华东新店", "currency": "CNY", "group_head": "", "version": member_of.version}
    assert client.post(f"/customers/{member_of.pk}/edit", changed).status_code == 302
    member_of.refresh_from_db()
    assert (member_of.name, member_of.group_head_id) == ("华东新店", head.pk), "an untouched head stays"
    caller = Caller(member("bo"))
    assert caller.get(f"/customers/{member_of.pk}/persons").data["elsewhere"] == []
    other = acme(code="C3", name="华南分店")
    for path, body in (("/ties", {"parent": "P1"}), ("/ties", {"parent": head.pk})):
        assert caller.post(f"/customers/{other.pk}{path}", body).status_code == 422
    assert (
        caller.patch(f"/customers/{other.pk}", {"group_head": "P1"}, If_Match=f'"{other.version}"').status_code == 422
    )
    registered = caller.post("/customers", {"name": "李伟明经营部二店"})
    assert registered.status_code == 201 and registered.data["doubles"] == []
    assert other.ties.count() == 0


def test_a_new_legal_representative_takes_the_former_ones_place() -> None:
    customer = acme(legal_representative="张伟")
    persons.add(customer, "张伟", "legal_representative", id_number=ID, **act())
    persons.add(customer, "李娜", "legal_representative", id_number=OTHER_ID, **act())
    customer.refresh_from_db()
    assert customer.legal_representative == "李娜"
    assert [row.person.name for row in persons.behind(customer)] == ["李娜"]
    assert PersonTie.objects.get(person__name="张伟").until == TODAY


@pytest.mark.parametrize("number", ["110105194912310021", "123", ""])
def test_a_person_without_a_number_that_can_be_or_a_word_on_who_he_is_is_refused(number: str) -> None:
    with pytest.raises(BadForm):
        persons.add(acme(), "张伟", "controller", id_number=number, **act())


# --- agents --------------------------------------------------------------------------------------

POWER = {"name": "王五", "matters": ["place_order"], "scope": "轴承", "since": "2026-11-01", "until": "2026-12-31",
         "amount_max": "1000.00", "sealed": True, "original_seen": True, "id_number": ID}  # fmt: skip


@pytest.mark.clause("B1.2")
def test_an_agent_signs_within_the_power_and_nothing_outside_it() -> None:
    customer, bo = acme(), Caller(member("bo"))
    agent = bo.post(f"/customers/{customer.pk}/agents", POWER).data
    assert (agent["state"], agent["lacks"], agent["currency"]) == ("valid", [], "CNY")
    assert agent["id_number"] != ID
    check = f"/agents/{agent['id']}/check"
    assert bo.post(check, {"matter": "place_order", "amount": "1000.00"}).data == {"may": True, "reasons": []}
    refused = bo.post(check, {"matter": "sign_contract", "amount": "1000.01", "on": "2027-01-01"}).data
    assert [each["code"] for each in refused["reasons"]] == ["expired", "other_matter", "beyond_amount"]
    found = customer.agents.get()
    act_ = agency.Act("place_order", TODAY, Decimal(1), "CNY")
    agents.require(found, customer, act_, on=TODAY)
    with pytest.raises(Moved) as refusal:
        agents.require(found, acme(code="C2"), act_, on=TODAY)
    assert refusal.value.code == "agent_not_authorised"
    assert bo.post(f"/agents/{agent['id']}/revoke", {"reason": "我" * 301}).status_code == 422, "nothing is cut"
    assert bo.post(f"/agents/{agent['id']}/revoke", {"reason": "letter of today"}).data["state"] == "revoked"
    assert bo.post(check, {"matter": "place_order"}).data["may"] is False
    assert bo.post(f"/agents/{agent['id']}/revoke", {"reason": "again"}).status_code == 409


@pytest.mark.clause("B1.2")
@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"until": "2026-11-23"}, "expired"),
        ({"until": "2026-12-24"}, "expiring"),
        ({"until": "2026-12-25"}, "valid"),
        ({"since": "2026-11-25"}, "not_begun"),
        ({"sealed": False}, "incomplete"),
        ({"original_seen": False}, "incomplete"),
        ({"scope": ""}, "incomplete"),
    ],
)
def test_the_state_of_a_power(changes: dict[str, Any], state: str) -> None:
    made = Caller(member("ann")).post(f"/customers/{acme().pk}/agents", POWER | changes)
    assert made.data["state"] == state


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"matters": ["marry"]}, "matters"),
        ({"until": "2026-10-01"}, "until"),
        ({"amount_max": "0.00"}, "amount_max"),
        ({"id_number": "1"}, "id_number"),
        ({"currency": "XXQ"}, "currency"),
    ],
)
def test_what_no_power_can_say_is_refused(changes: dict[str, Any], field: str) -> None:
    answer = Caller(member("bo")).post(f"/customers/{acme().pk}/agents", POWER | changes)
    assert answer.status_code == 422
    assert field in {each["field"] for each in answer.data["errors"]}


def test_powers_that_end_soon_are_found() -> None:
    customer, bo = acme(), Caller(member("bo"))
    for until in ("2026-11-20", "2026-12-01", "2027-06-01"):
        bo.post(f"/customers/{customer.pk}/agents", POWER | {"until": until})
    found = agents.expiring(customer.agents.all(), on=TODAY, days=30)
    assert [each.until.isoformat() for each in found if each.until] == ["2026-11-20", "2026-12-01"]
