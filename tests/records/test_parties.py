"""The drawn group with its pool and the counterparty's checklist, as the API and the file show them."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shouxin.credit.models import CreditAccount, Line
from shouxin.customers import agents, blacklist, facts, groups
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.models import Attachment
from tests.api import Caller
from tests.people import TODAY, acme, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book(the_day: None, db: None) -> None:
    """The shipped policy is in force."""
    policies.ensure()


def act(by: str = "bo") -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def family() -> list[Customer]:
    """A head with a pool of 1000; a subsidiary, its branch owing 300, and an affiliate that owes 500 of its own."""
    rows = [acme(code=code, name=f"{code}公司") for code in ("H", "S", "B", "A")]
    head, subsidiary, branch, affiliate = rows
    groups.tie(subsidiary, groups.NewTie(head, "subsidiary", Decimal(80)), **act())
    groups.tie(branch, groups.NewTie(subsidiary, "branch"), **act())
    groups.tie(affiliate, groups.NewTie(head, "affiliate", Decimal(20)), **act())
    CreditAccount.objects.create(customer=branch, currency="CNY", receivable=Decimal(300))
    CreditAccount.objects.create(customer=affiliate, currency="CNY", receivable=Decimal(500))
    Line.objects.create(
        customer=head, grade="B", limit_kind="amount", limit=Decimal(1000), currency="CNY", term_days=30, pool=True,
        since=TODAY, why="x", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    return rows


@pytest.mark.invariant("I-6")
def test_the_group_is_drawn_with_what_each_owes_and_the_pool_counts_those_it_binds() -> None:
    rows = family()
    told = Caller(member("bo")).get(f"/customers/{rows[2].pk}/group").data
    assert [(each["code"], each["depth"], each["in_pool"], each["exposure"]) for each in told["members"]] == [
        ("H", 0, True, "0.00"), ("S", 1, True, "0.00"), ("B", 2, True, "300.00"), ("A", 1, False, "500.00")
    ]  # fmt: skip
    assert (told["head"], told["pool"], told["used"], told["room"]) == (rows[0].pk, "1000.00", "300.00", "700.00")
    earlier = Caller(member("bo")).get(f"/customers/{rows[2].pk}/group", as_of="2026-11-23").data
    assert [each["code"] for each in earlier["members"]] == ["B"]


def test_who_is_out_of_sight_is_drawn_without_a_name() -> None:
    rows = family()
    Customer.objects.filter(pk=rows[1].pk).update(department="华南", salesperson=member("di"))
    told = Caller(member("ann")).get(f"/customers/{rows[2].pk}/group").data
    assert [(each["code"], each["name"]) for each in told["members"]][1] == ("", "")
    assert [each["parent"] for each in told["members"]][2] is None


def test_the_tab_draws_the_tree_the_warning_and_the_empty_states(client: Client) -> None:
    rows = family()
    client.force_login(member("bo"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/customers/{rows[2].pk}/?tab=parties").content.decode()
    assert page.count("group-node") == 4
    assert page.count("<ul") == page.count("</ul>")
    assert len(re.findall("<li[ >]", page)) == page.count("</li>")
    alone = client.get(f"/customers/{acme(code='Z').pk}/?tab=parties", headers={"Accept-Language": "en"})
    assert "Belongs to no group" in alone.content.decode()


@pytest.mark.clause("B1.1", "B1.3")
def test_the_checklist_reads_what_is_known_and_says_what_would_cure_the_rest(client: Client) -> None:
    customer = acme(uscc="91350100M000100Y43")
    path = f"/customers/{customer.pk}/counterparty-check"
    told = Caller(member("bo")).get(path).data
    outcomes = {each["key"]: each["outcome"] for each in told["items"]}
    assert (told["outcome"], outcomes["code"], outcomes["registration"]) == ("unknown", "pass", "unknown")
    assert all(each["cure"] for each in told["items"] if each["outcome"] != "pass")
    known = {"registration_status": "in_business", "licence_until": "长期", "scope_covers": True, "lawsuits": 0,
             "abnormal_operation": False, "dishonest_debtor": False, "serious_offender": True}  # fmt: skip
    for key, value in known.items():
        facts.add(customer, key, value, source="registry", as_of=TODAY, **act())
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=Decimal(1000), currency="CNY", term_days=30,
        since=TODAY, why="x", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    told = Caller(member("bo")).get(path, amount="1000.01").data
    wrong = {each["key"]: each["outcome"] for each in told["items"] if each["outcome"] != "pass"}
    assert wrong == {"serious": "fail", "room": "fail", "deliveries": "unknown"}
    assert told["outcome"] == "fail"
    for ending, start in (("pdf", b"%PDF"), ("docx", b"PK")):
        client.force_login(member("ann"), backend="django.contrib.auth.backends.ModelBackend")
        answer = client.get(f"/customers/{customer.pk}/counterparty.{ending}")
        assert b"".join(answer.streaming_content).startswith(start)
    assert Caller(member("ann")).get(f"{path}.exe").status_code == 404


@pytest.mark.clause("B1.2", "B3.1")
def test_the_scan_of_a_power_and_of_a_proposal_is_kept_with_it_and_a_disguised_one_keeps_nothing(
    client: Client,
) -> None:
    customer = acme()
    client.force_login(member("bo"), backend="django.contrib.auth.backends.ModelBackend")
    power = {"name": "王五", "matters": "place_order"}
    proposal = {"ground": "fraud", "why": "goods gone", "evidence": "report"}
    for path, form in (
        (f"/customers/{customer.pk}/agents/new", power),
        (f"/customers/{customer.pk}/blacklist", proposal),
    ):
        bad = SimpleUploadedFile("scan.pdf", b"MZ this is a program")
        assert client.post(path, form | {"file": bad}).status_code == 422
        assert (customer.agents.count(), customer.blacklist_cases.count()) == (int("blacklist" in path), 0)
        good = SimpleUploadedFile("scan.txt", f"seen at {path}".encode())
        assert client.post(path, form | {"file": good}).status_code == 302
    assert "scan.txt" in client.get(f"/customers/agents/{customer.agents.get().pk}/").content.decode()
    assert "scan.txt" in client.get(f"/customers/blacklist/{customer.blacklist_cases.get().pk}/").content.decode()


@pytest.mark.clause("B1.2")
def test_the_power_itself_is_kept_with_the_agent_later_and_a_judgment_with_the_case() -> None:
    customer = acme()
    agent = agents.record(customer, agents.NewAgent("李敏", ("sign_contract",)), **act("ann"))
    proposal = blacklist.Proposal("malicious_default", "fraud", "judgment")
    case = blacklist.propose(customer, proposal, edition=policies.in_force(TODAY), **act("bo"))
    for address, page in (
        (f"/agents/{agent.pk}/attachments", f"/customers/agents/{agent.pk}/"),
        (f"/blacklist-cases/{case.pk}/attachments", f"/customers/blacklist/{case.pk}/"),
    ):
        bo = Client(headers={"Accept-Language": "en"})
        bo.force_login(member("bo"), backend="django.contrib.auth.backends.ModelBackend")
        sent = bo.post(f"/api/v1{address}", {"file": SimpleUploadedFile("scan.txt", address.encode()), "note": "paper"})
        assert sent.status_code == 201, sent.content
        shown = bo.post(f"{page}attachments", {"file": SimpleUploadedFile("later.txt", page.encode())}, follow=True)
        assert "scan.txt" in shown.content.decode() and "later.txt" in shown.content.decode()
        bad = bo.post(f"{page}attachments", {"file": SimpleUploadedFile("leer.pdf", b"")}, follow=True)
        assert "empty" in bad.content.decode()
        assert "Choose a file" in bo.post(f"{page}attachments", follow=True).content.decode()
    assert Attachment.objects.filter(customer=customer).count() == 4
