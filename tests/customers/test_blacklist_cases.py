"""The blacklist's due process: whole table, who may, letters, and that every check point obeys at once (I-20)."""

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client

from shouxin.credit import line_requests
from shouxin.credit.models import Line, LineRequest, Reservation
from shouxin.customers import (
    agents,
    blacklist,
    blacklist_letters,
    data_requests,
    groups,
    parties_api,
    persons,
    registry,
    standing,
)
from shouxin.customers.models import BlacklistCase, Customer, Mail, StandingRelease
from shouxin.lib.imports import kinds, mapping, run
from shouxin.lib.imports.kinds import Conditions
from shouxin.office import clock, policies, posts
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from shouxin.orders import checks, fulfilment, holds
from shouxin.orders.models import Hold
from shouxin.rules import agency
from shouxin.rules import blacklist as rules
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.api import Caller
from tests.people import CAST, TODAY, acme, member

pytestmark = pytest.mark.django_db
ID, OTHER_ID = "11010519491231002X", "440524188001010014"
STEP = {"reason": "because", "kind": "watched", "conditions": "cash first", "months": 12}


@pytest.fixture(autouse=True)
def book(the_day: None, db: None) -> None:
    """The shipped policy is in force."""
    policies.ensure()


@pytest.fixture
def take(tmp_path: Path) -> Callable[[str, str], run.Result]:
    """Take a file over as the house itself."""

    def taken(kind: str, text: str) -> run.Result:
        found = kinds.get(kind)
        conditions = Conditions(at=clock.now(), today=TODAY, currency="CNY", by=posts.system())
        path = tmp_path / f"{kind}.csv"
        path.write_text(text, "utf-8")
        return run.take_over(path, found, mapping.read(None, found), conditions, errors_path=tmp_path / "errors.xlsx")

    return taken


def act(by: str) -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def moment(by: str) -> dict[str, Any]:
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def edition() -> Any:
    return policies.in_force(TODAY)


def proposed(customer: Customer | None = None, **changes: Any) -> BlacklistCase:
    """Fi proposes."""
    asked = blacklist.Proposal(**{"ground": "fraud", "why": "goods gone", "evidence": "police report"} | changes)
    return blacklist.propose(customer or acme(), asked, edition=edition(), **act("fi"))


def step(case: BlacklistCase, verb: str, by: str, **given: Any) -> BlacklistCase:
    case.refresh_from_db()
    return parties_api.act(case, verb, STEP | given, version=case.version, call=act(by))


def listed(customer: Customer | None = None, **changes: Any) -> BlacklistCase:
    """Fi proposes, Cy signs."""
    return step(proposed(customer, **changes), "approve", "cy")


def stands(customer: Customer) -> str:
    return standing.effective([customer], TODAY)[customer.pk]


def trusted(customer: Customer) -> Customer:
    """With a line of 50,000."""
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=Decimal(50000), currency="CNY", term_days=30,
        since=TODAY, why="x", cause="request", policy_version=1, at=clock.now(),
    )  # fmt: skip
    return customer


def order(customer: Customer, number: str, amount: int = 100, by: str = "bo") -> Any:
    asked = checks.CheckRequest(customer.code, Decimal(amount), number)
    return checks.decide([asked], edition=edition(), **moment(by))[0]


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.invariant("I-14", "I-20")
@pytest.mark.clause("B3.1")
@pytest.mark.parametrize("verb", [verb for verb in rules.FLOW.verbs if verb not in ("lift", "keep")])
@pytest.mark.parametrize("status", rules.FLOW.statuses)
def test_every_verb_in_every_status_for_every_post(verb: str, status: str) -> None:
    case = proposed()
    approver = member("cy")
    for caller in CAST:
        BlacklistCase.objects.filter(pk=case.pk).update(status=status, approved_by=approver, listed_on=TODAY)
        case.refresh_from_db()
        found = rules.FLOW.step(verb, status)
        duty = {post for each in rules.FLOW.steps if each.verb == verb for post in each.duty}
        may = CAST[caller][0] in duty and not blacklist.why_not(case, verb, member(caller))
        before = BlacklistCase.objects.values().get(pk=case.pk)
        if may and found:
            assert step(case, verb, caller).status == found.target, caller
            StandingRelease.objects.all().delete()
        else:
            with pytest.raises(Moved if may else NotYourDuty):
                step(case, verb, caller)
            assert BlacklistCase.objects.values().get(pk=case.pk) == before, f"a refusal to {caller} changes nothing"


@pytest.mark.clause("B2.5", "B3.1")
def test_a_case_from_proposal_to_re_admission_over_the_api() -> None:
    customer = acme(email="owner@example.com")
    path = f"/customers/{customer.pk}/blacklist-cases"
    body = {"ground": "malicious_default", "why": "能付不付", "evidence": "（2026）沪01民初1号", "persons": []}
    made = Caller(member("ann")).post(path, body)
    assert (made.status_code, made.data["status"], stands(customer)) == (201, "proposed", "good")
    case = f"/blacklist-cases/{made.data['id']}"
    assert Caller(member("ann")).post(f"{case}/approve", {}).status_code == 403
    signed = Caller(member("cy")).post(f"{case}/approve", {}).data
    assert (signed["status"], signed["objection_until"], signed["review_on"]) == ("listed", "2026-12-09", "2028-11-24")
    assert stands(customer) == "blacklisted"
    letter = Mail.objects.get()
    assert (letter.kind, letter.to, letter.status) == ("blacklist_notice", "owner@example.com", "waiting")
    assert "2026-12-09" in letter.body
    assert "恶意拖欠" in letter.body
    assert Caller(member("ann")).post(f"{case}/appeal", {"reason": "款已付"}).data["status"] == "appealed"
    assert stands(customer) == "blacklisted", "an objection suspends nothing"
    assert Caller(member("cy")).post(f"{case}/allow", {"reason": "x"}).status_code == 403, "she signed the listing"
    heard = Caller(member("vi")).post(f"{case}/allow", {"reason": "款已收到", "standing": "cash_only"}).data
    assert (heard["status"], stands(customer)) == ("leaving", "blacklisted")
    assert Caller(member("vi")).post(f"/standing-releases/{heard['release']}/confirm").status_code == 403
    assert Caller(member("le")).post(f"/standing-releases/{heard['release']}/confirm").status_code == 200
    assert stands(customer) == "cash_only"
    assert Caller(member("cy")).get(case).data["status"] == "lifted"
    assert Mail.objects.latest("pk").kind == "blacklist_lifted"
    assert Caller(member("ann")).post(path, body).status_code == 201, "a new case can be opened"


def test_the_notice_is_the_same_as_pdf_and_word() -> None:
    case = listed()
    for ending, start in (("pdf", b"%PDF"), ("docx", b"PK")):
        answer = parties_api.letter_file(case, ending)
        assert b"".join(answer.streaming_content).startswith(start)  # type: ignore[attr-defined]
    assert Mail.objects.get().status == "no_address", "without an address it waits to be handed over"
    english = blacklist_letters.paper(case, "notice", edition=edition(), on=TODAY, language="en")
    assert english["title"] == "Notice of blacklisting"


@pytest.mark.clause("B3.1")
def test_an_emergency_stop_bites_at_once_and_falls_with_the_proposal() -> None:
    customer = trusted(acme())
    standing.set_standing(customer, "watched", why="late", **act("bo"))
    case = step(proposed(customer), "stop", "vi")
    assert (stands(customer), order(customer, "SO-1").outcome) == ("suspended", "decline")
    step(case, "decline", "le")
    assert stands(customer) == "watched"


def test_an_objection_after_its_days_is_too_late_and_a_stale_look_changes_nothing() -> None:
    case = listed()
    case.objection_until = TODAY.replace(day=1)
    case.save()
    with pytest.raises(Moved) as refusal:
        step(case, "appeal", "ann")
    assert refusal.value.code == "too_late"
    with pytest.raises(Moved) as refusal:
        blacklist.extend(case, version=case.version - 1, reason="x", months=6, **act("vi"))
    assert refusal.value.code == "version_seen"


def test_a_proposal_needs_ground_and_evidence_and_there_is_one_case_at_a_time() -> None:
    with pytest.raises(BadForm) as refusal:
        proposed(ground="dislike", evidence=" ", why="")
    assert {name for name, _text in refusal.value.errors} == {"ground", "why", "evidence"}
    case = proposed()
    with pytest.raises(Moved) as twice:
        proposed()
    assert "that case" in str(twice.value.cure)
    client = Client()
    client.force_login(member("fi"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/customers/{case.customer_id}/blacklist").content.decode()
    assert f'href="/customers/blacklist/{case.pk}/"' in page


@pytest.mark.invariant("I-20")
def test_the_old_way_of_lifting_closes_the_case_with_it() -> None:
    customer = acme()
    case = listed(customer)
    standing.set_standing(customer, "good", why="paid", **act("vi"))
    case.refresh_from_db()
    assert case.status == "leaving"
    standing.set_standing(customer, "good", why="agreed", **act("le"))
    case.refresh_from_db()
    assert (case.status, stands(customer)) == ("lifted", "good")


@pytest.mark.invariant("I-20")
def test_a_declined_lifting_leaves_the_listing_standing() -> None:
    case = step(listed(), "readmit", "vi")
    standing.decide_release(StandingRelease.objects.get(), "decline", **act("le"))
    case.refresh_from_db()
    assert (case.status, stands(case.customer)) == ("upheld", "blacklisted")


# --- whom it binds -------------------------------------------------------------------------------


@pytest.mark.invariant("I-20")
def test_a_listing_of_the_whole_group_binds_head_sisters_and_whoever_joins_later() -> None:
    head, middle, leaf, sister, newcomer = (acme(code=code) for code in ("H", "M", "L", "S", "N"))
    for child, parent in ((middle, head), (leaf, middle), (sister, head)):
        groups.tie(child, groups.NewTie(parent), **act("bo"))
    leaf.refresh_from_db()
    case = listed(leaf, whole_group=True)
    groups.tie(newcomer, groups.NewTie(sister), **act("bo"))
    assert {stands(each) for each in (head, middle, leaf, sister, newcomer)} == {"blacklisted"}
    step(case, "readmit", "vi")
    standing.decide_release(StandingRelease.objects.get(), "confirm", **act("le"))
    after = {each.code: stands(each) for each in (head, middle, leaf, sister, newcomer)}
    assert after == {"H": "watched", "M": "good", "L": "watched", "S": "good", "N": "good"}


@pytest.mark.invariant("I-20")
def test_a_blacklisted_parent_halfway_up_binds_what_hangs_beneath_it_and_not_the_head() -> None:
    head, middle, leaf = (acme(code=code) for code in ("H", "M", "L"))
    groups.tie(middle, groups.NewTie(head), **act("bo"))
    groups.tie(leaf, groups.NewTie(middle), **act("bo"))
    standing.set_standing(middle, "blacklisted", why="fraud", **act("cy"))
    assert [stands(each) for each in (head, middle, leaf)] == ["good", "blacklisted", "blacklisted"]
    for attempt in (lambda: groups.tie(leaf, groups.NewTie(None), **act("bo")),
                    lambda: registry.change(leaf, group_head=None, **act("cy"))):  # fmt: skip
        with pytest.raises(BadForm):
            attempt()


@pytest.mark.clause("B2.5")
@pytest.mark.invariant("I-20")
def test_a_listed_controller_is_caught_at_a_new_customer() -> None:
    first, second = acme(), trusted(acme(code="NEW", name="新壳贸易有限公司"))
    persons.add(first, "钱七", "controller", id_number=ID, **act("bo"))
    case = listed(first, persons=(blacklist.Named("钱七"),))
    assert order(second, "SO-1").outcome == "approve"
    tied = persons.add(second, "钱七", "controller", id_number=ID, **act("bo"))
    assert (stands(second), order(second, "SO-2").outcome) == ("blacklisted", "decline")
    with pytest.raises(Moved):
        persons.end(tied, **act("bo"))
    found = persons.elsewhere(second, persons.behind(second), seen_by=Q(), on=TODAY)
    assert [(each.customer, each.standing, each.sure) for each in found] == [(first, "blacklisted", True)]
    step(case, "readmit", "vi")
    standing.decide_release(StandingRelease.objects.get(), "confirm", **act("le"))
    assert stands(second) == "good"
    assert persons.end(tied, **act("bo")).until == TODAY


@pytest.mark.clause("B2.5")
def test_a_namesake_waits_until_the_credit_office_says_who_he_is() -> None:
    listed(acme(legal_representative="张伟"), persons=(blacklist.Named("张伟"),))
    new = trusted(registry.create(name="另一家有限公司", currency="CNY", legal_representative="张伟", **act("bo")))
    assert (stands(new), order(new, "SO-1").outcome) == ("suspended", "decline")
    persons.add(new, "张伟", "legal_representative", id_number=OTHER_ID, **act("bo"))
    assert (stands(new), order(new, "SO-2").outcome) == ("good", "approve")


def test_a_listed_person_who_is_a_customer_herself_is_bound() -> None:
    person = acme(code="P", natural_person=True)
    registry.change(person, id_number=ID, version=person.version, **act("bo"))
    first = acme()
    persons.add(first, "钱七", "controller", id_number=ID, **act("bo"))
    listed(first, persons=(blacklist.Named("钱七"),))
    assert stands(person) == "blacklisted"


# --- every check point ---------------------------------------------------------------------------


def _ask_line(customer: Customer) -> object:
    terms = line_requests.LineTerms(Limit.of(Decimal(60000)), "CNY", 30, Grade.B)
    return line_requests.ask(customer, terms, reason="more", edition=edition(), **moment("ann"))


@pytest.mark.clause("B2.5")
@pytest.mark.invariant("I-20")
def test_every_check_point_obeys_from_the_same_second(take: Any) -> None:
    customer = trusted(acme())
    reservation = Reservation.objects.get(pk=order(customer, "SO-1").reservation_id)
    order(customer, "SO-2", 90000)
    hold = Hold.objects.get()
    request = _ask_line(customer)
    assert isinstance(request, LineRequest)
    agent = agents.record(
        customer,
        agents.NewAgent("王五", ("place_order",), scope="all", since=TODAY, until=TODAY, sealed=True,
                        original_seen=True),
        **act("bo"),
    )  # fmt: skip
    doing = agency.Act("place_order", TODAY)
    agents.require(agent, customer, doing, on=TODAY)  # the control: before the listing it passes

    listed(customer)

    paths = {
        "release of a hold": lambda: holds.release(hold, reason="x", edition=edition(), **moment("le")),
        "delivery": lambda: fulfilment.deliver(reservation, Decimal(1), **moment("bo")),
        "extension": lambda: fulfilment.extend(reservation, TODAY, **moment("vi")),
        "a new line": lambda: _ask_line(customer),
        "signing a line": lambda: line_requests.approve(
            request, version=request.version, edition=edition(), **moment("vi")
        ),
        "an agent's signature": lambda: agents.require(agent, customer, doing, on=TODAY),
    }
    for name, attempt in paths.items():
        with pytest.raises(Moved):
            attempt()
            pytest.fail(f"{name} went round the blacklist")
    again = order(customer, "SO-3")
    assert (again.outcome, again.reasons[0]["code"]) == ("decline", "blacklisted")
    assert holds.recheck(hold, edition=edition(), **moment("bo")).outcome == "decline"
    lines = take("lines", "客户编码,额度,账期,等级,生效日期\nC001,70000,30,B,2027-01-01\n")
    orders = take("orders", "客户编码,订单号,金额,币种\nC001,SO-9,10,CNY\n")
    assert [[fault.code for fault in each.faults] for each in (lines, orders)] == [["blacklisted"], ["blacklisted"]]


@pytest.mark.invariant("I-20")
@pytest.mark.django_db(transaction=True)
def test_no_check_begun_after_the_signature_passes_while_both_run() -> None:
    policies.ensure()
    customer = trusted(acme())
    case = proposed(customer)
    member("cy")
    gate, signed = threading.Barrier(2), threading.Event()
    told: list[tuple[bool, str]] = []

    def checking() -> None:
        try:
            gate.wait()
            for number in range(40):
                after = signed.is_set()
                told.append((after, order(customer, f"SO-{number}", 1).outcome))
                if after and len([each for each in told if each[0]]) > 5:
                    break
        finally:
            connection.close()

    def signing() -> None:
        try:
            gate.wait()
            step(case, "approve", "cy")
            signed.set()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for run in (checking, signing)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    later = [outcome for after, outcome in told if after]
    assert later
    assert set(later) == {"decline"}
    kept = Reservation.objects.order_by("pk").first()
    if kept is not None:
        with pytest.raises(Moved):
            fulfilment.deliver(kept, Decimal(1), **moment("bo"))


@pytest.mark.invariant("I-17")
@pytest.mark.django_db(transaction=True)
def test_two_who_sign_and_decline_at_the_same_moment_do_one_of_both() -> None:
    policies.ensure()
    case = proposed()
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def press(verb: str, by: Person) -> None:
        mine = BlacklistCase.objects.get(pk=case.pk)
        gate.wait()
        try:
            call = {"by": by, "on": TODAY, "at": clock.now()}
            parties_api.act(mine, verb, STEP, version=mine.version, call=call)
            outcomes.append(verb)
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    pairs = [("approve", member("cy")), ("decline", member("vi"))]
    threads = [threading.Thread(target=press, args=pair) for pair in pairs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) in (["approve", "version_seen"], ["decline", "version_seen"])


# --- erasure -------------------------------------------------------------------------------------


@pytest.mark.clause("A13")
@pytest.mark.invariant("I-20")
def test_of_a_deleted_person_the_blacklist_keeps_only_what_knows_her_again(monkeypatch: pytest.MonkeyPatch) -> None:
    person = acme(natural_person=True, name="孙八", legal_representative="孙八", contact="孙八")
    registry.change(person, id_number=ID, telephone="13800138000", version=person.version, **act("bo"))
    listed(person)
    asked = data_requests.ask(person, "delete", why="delete me", **act("bo"))
    monkeypatch.setattr(data_requests, "kept_until", lambda customer, on: on)  # the years of the law have passed
    done = data_requests.decide(asked, "confirm", answer="Done.", **act("le"))
    person.refresh_from_db()
    assert (person.name, person.telephone, person.contact, person.legal_representative) == (f"#{person.pk}", "", "", "")
    assert person.id_number == ID
    assert "47" in data_requests.DataRequest.objects.get(pk=done.pk).answer
    with pytest.raises(BadForm):
        registry.create(name="孙八", currency="CNY", natural_person=True, id_number=ID, **act("bo"))
    standing.set_standing(person, "good", why="paid", **act("vi"))
    standing.set_standing(person, "good", why="agreed", **act("le"))
    person.refresh_from_db()
    assert (person.id_number, person.id_number_index) == ("", ""), "it goes with the listing"
