"""Securities in their register: what they add, who may approve, how they end; and races with the order check."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from django.test import Client
from typer.testing import CliRunner

from shouxin.collection import rounds
from shouxin.collection.models import Task
from shouxin.config import cli
from shouxin.credit import exposure, line_requests, lines, securities, signatures
from shouxin.credit.line_requests import LineTerms
from shouxin.credit.models import CreditAccount, Line, Security
from shouxin.credit.securities import SecurityTerms
from shouxin.office import clock, policies, posts, rates
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from shouxin.orders import checks
from shouxin.orders.checks import CheckRequest
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post
from shouxin.rules.securities import FLOW
from tests.api import Caller
from tests.orders.test_checks import line
from tests.people import CAST, TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.clause("B2.1")]
D = Decimal


@pytest.fixture(autouse=True)
def book(db: None) -> None:
    policies.ensure()


def acts(by: str) -> dict[str, Any]:
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def signing(by: str) -> dict[str, Any]:
    return acts(by) | {"edition": policies.in_force(TODAY)}


def terms(value: object = 1000, kind: Any = "deposit", **changes: Any) -> SecurityTerms:
    given: dict[str, Any] = {
        "kind": kind, "value": D(str(value)), "currency": "CNY", "provider": "王伟", "subject": "保证金",
        "document": "BZJ-1", "since": TODAY, "until": TODAY + timedelta(days=20),
    }  # fmt: skip
    return SecurityTerms(**given | changes)


def proposed(by: str = "bo", **changes: Any) -> Security:
    return securities.propose(acme(), terms(**changes), reason="to carry the season", **acts(by))


def active(**changes: Any) -> Security:
    row = proposed(**changes)
    return securities.approve(row, version=row.version, **signing("cy"))


def ask(amount: object, order: str = "SO-1", *, on: date = TODAY, **more: Any) -> Any:
    wanted = CheckRequest("C001", D(str(amount)), order, **more)
    return checks.decide([wanted], edition=policies.in_force(on), today=on, at=clock.now(), by=member("bo"))[0]


def test_it_raises_the_line_once_somebody_else_has_approved_it() -> None:
    line(acme(), 1000)
    row = proposed(value=400)
    assert ask(1000.01).outcome == "hold"
    row = securities.approve(row, version=row.version, **signing("cy"))
    assert (ask(1400).outcome, ask(1400).available_before) == ("approve", 1400)
    held = ask(1400.01)
    assert held.outcome == "hold"
    assert [reason.get("secured") for reason in held.reasons] == ["400.00"]
    assert checks.replay(held, edition=policies.in_force(TODAY)).same


def test_the_check_asks_no_statement_more_for_it(django_assert_num_queries: Any) -> None:
    """The control is the count without any security: both are the same (performance, K1)."""
    line(acme(), 1000)
    exposure.open_accounts([(acme().pk, "CNY")])
    ask(1, "warm")

    def count() -> int:
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            ask(10, "SO-count", reserve=False)
        return len(seen)

    before = count()
    active(value=400)
    assert count() == before


def test_when_it_ends_the_limit_falls_the_same_day_and_reservations_stay() -> None:
    line(acme(), 1000)
    row = active(value=400)
    assert ask(1300).outcome == "approve"
    after = row.until + timedelta(days=1)  # type: ignore[operator]
    assert ask(1, "SO-2", on=row.until).outcome == "approve"
    assert ask(1, "SO-3", on=after).outcome == "hold"
    assert CreditAccount.objects.get(customer=acme()).reserved == 1301
    assert securities.in_force([acme().pk], on=after).get(acme().pk) is None
    system = posts.system()
    assert securities.expire(today=after, at=clock.now(), by=system) == 1
    assert securities.expire(today=after, at=clock.now(), by=system) == 0
    row.refresh_from_db()
    assert (row.status, row.ended_on) == ("expired", after)
    assert [each.pk for each in securities.in_force([acme().pk], on=TODAY)[acme().pk]] == [row.pk]


def test_it_is_given_back_only_when_nothing_stands_on_it_but_worthless_it_is_at_any_time() -> None:
    line(acme(), 1000)
    row = active(value=400)
    ask(1300)
    with pytest.raises(Moved) as refused:
        securities.release(row, version=row.version, reason="they ask", **signing("cy"))
    assert refused.value.code == "still_needed"
    assert "300.00" in str(refused.value)
    securities.void(row, version=row.version, reason="forged", **acts("bo"))
    assert (CreditAccount.objects.get(customer=acme()).reserved, ask(1, "SO-2").outcome) == (1300, "hold")


def test_given_back_it_counts_no_more() -> None:
    line(acme(), 1000)
    row = active(value=400)
    securities.release(row, version=row.version, reason="paid", **signing("cy"))
    assert ask(1000.01).outcome == "hold"


def test_a_renewal_takes_the_place_of_the_old_one_and_never_counts_beside_it() -> None:
    line(acme(), 1000)
    old = active(value=400)
    later = terms(500, until=TODAY + timedelta(days=400))
    new = securities.propose(acme(), later, reason="renewed", replaces=old, **acts("bo"))
    assert ask(1500, reserve=False).outcome == "hold"
    securities.approve(new, version=new.version, **signing("cy"))
    old.refresh_from_db()
    assert (old.status, ask(1500, reserve=False).outcome, ask(1500.01, reserve=False).outcome) == (
        "replaced", "approve", "hold",
    )  # fmt: skip


def test_the_same_paper_or_registration_counts_once() -> None:
    active()
    with pytest.raises(BadForm) as refused:
        proposed()
    assert [field for field, _text in refused.value.errors] == ["document"]
    other = acme(code="C002", name="苏州恒远贸易有限公司")
    house = terms(9000, "mortgage", document="DY-1", registration_no="沪2026第1号", rank=1)
    first = securities.propose(acme(), house, reason="house", **acts("bo"))
    second = securities.propose(other, house, reason="house", **acts("bo"))
    securities.approve(first, version=1, **signing("cy"))
    with pytest.raises(Moved):
        securities.approve(second, version=1, **signing("cy"))


def test_a_foreign_currency_counts_at_the_rate_of_the_day_and_without_one_not_at_all() -> None:
    line(acme(), 1000)
    active(value=100, currency="USD")
    assert ask(1000.01, reserve=False).outcome == "hold"
    rates.put("USD", D("7"), since=TODAY, source="bank", by=member("fi"), on=TODAY, at=clock.now())
    assert ask(1700, reserve=False).outcome == "approve"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("value", {"value": 0}),
        ("prior_claims", {"prior_claims": D(1000)}),
        ("until", {"until": TODAY - timedelta(days=1), "since": TODAY - timedelta(days=9)}),
        ("until", {"until": TODAY - timedelta(days=1)}),
        ("registration_no", {"kind": "mortgage"}),
        ("debt_due_on", {"debt_due_on": TODAY}),
        ("debt_due_on", {"kind": "joint_guarantee", "agreed_until": TODAY}),
        ("provider", {"provider": " "}),
    ],
)
def test_what_cannot_stand_is_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadForm) as refused:
        proposed(**changes)
    assert field in dict(refused.value.errors)
    assert not Security.objects.exists()


def test_a_guarantee_of_a_debt_until_further_notice_is_claimed_until_the_last_day_there_is(the_day: None) -> None:
    line(acme(), 1000)
    body = {"kind": "joint_guarantee", "value": "500.00", "provider": "担保公司", "subject": "保证合同",
            "document": "DB-1", "debt_due_on": "9999-12-31", "reason": "cover"}  # fmt: skip
    answer = Caller(member("bo")).post("/customers/C001/securities", body)
    assert (answer.status_code, answer.data["claim_until"]) == (201, "9999-12-31")


@pytest.mark.invariant("I-14", "I-15")
def test_nobody_approves_her_own_nor_beyond_her_authority() -> None:
    line(acme(), 90000)
    row = proposed(by="cy", value=5000)
    with pytest.raises(NotYourDuty) as own:
        securities.approve(row, version=1, **signing("cy"))
    large = proposed(value=80000, document="BZJ-2")
    with pytest.raises(NotYourDuty) as small:
        securities.approve(large, version=1, **signing("cy"))
    assert (own.value.code, small.value.code) == ("own_application", "no_post")
    assert securities.approve(large, version=1, **signing("vi")).status == "active"


@pytest.mark.invariant("I-15")
def test_a_line_is_asked_for_with_what_the_securities_add_to_it() -> None:
    line(acme(), 1000)
    active(value=50000)
    terms = LineTerms(Limit.of(D(98000)), "CNY", 30, Grade.B)
    request = line_requests.ask(acme(), terms, reason="season", edition=policies.in_force(TODAY), **acts("bo"))
    needed = signatures.needs(request, edition=policies.in_force(TODAY), today=TODAY)
    assert needed.amount.amount > 100000 and needed.post is Post.VICE_PRESIDENT


@pytest.mark.invariant("I-15")
def test_securities_that_begin_later_are_no_way_round_authority() -> None:
    line(acme(), 90000)
    tomorrow = TODAY + timedelta(days=1)
    first = proposed(value=9000, since=tomorrow)
    second = proposed(value=9000, since=tomorrow, document="BZJ-2")
    assert securities.approve(first, version=1, **signing("cy")).status == "active"
    with pytest.raises(NotYourDuty):
        securities.approve(second, version=1, **signing("cy"))


@pytest.mark.invariant("I-17")
@pytest.mark.parametrize("status", FLOW.statuses)
@pytest.mark.parametrize("verb", ["approve", "decline", "withdraw", "release", "void"])
def test_every_verb_from_every_status_by_every_post(verb: str, status: str) -> None:
    line(acme(), 1000)
    row = proposed(value=10)
    Security.objects.filter(pk=row.pk).update(status=status, began_on=TODAY)
    step = FLOW.step(verb, status)
    duty = {post for each in FLOW.steps if each.verb == verb for post in each.duty}
    for name, (post, _department) in CAST.items():
        row.refresh_from_db()
        with_edition = signing(name) if verb in ("approve", "release") else acts(name)
        call = getattr(securities, verb)
        may = step is not None and post in duty and not (verb == "withdraw" and name != "bo")
        try:
            with transaction.atomic():
                call(row, version=row.version, reason="because", **with_edition)
                assert may, (name, verb, status)
                transaction.set_rollback(True)
        except Refusal as refusal:
            assert not may, (name, verb, status, refusal.code)


def test_terms_are_never_written_over_nor_rows_deleted() -> None:
    row = active()
    for attempt in (
        lambda: Security.objects.filter(pk=row.pk).update(value=99999),
        lambda: Security.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(Error), transaction.atomic():
            attempt()
    assert Security.objects.get().value == 1000


def test_the_daily_run_warns_and_lets_run_out() -> None:
    line(acme(), 1000)
    active(value=400)
    guarantee = active(
        kind="joint_guarantee", document="BZ-7", value=300, until=None, debt_due_on=TODAY - timedelta(days=170)
    )
    rounds.run(as_of=TODAY, by=member("bo"), at=clock.now())
    task = Task.objects.get(kind="security_ending")
    assert task.due_on == securities.claim_until(guarantee)
    assert "BZ-7" in task.note and "BZJ-1" in task.note
    later = TODAY + timedelta(days=21)
    day = rounds.run(as_of=later, start=later, by=member("bo"), at=clock.now())
    assert day.counts["securities_expired"] == 1
    assert Security.objects.get(document="BZJ-1").status == "expired"


def test_over_the_api_and_on_the_file(the_day: None, client: Client) -> None:
    line(acme(), 1000)
    bo, cy = Caller(member("bo")), Caller(member("cy"))
    body = {
        "kind": "insurance", "value": "500.00", "provider": "信保公司", "subject": "出口信用险", "document": "XB-1",
        "until": str(TODAY + timedelta(days=5)), "reason": "cover",
    }  # fmt: skip
    answer = bo.post("/customers/C001/securities", body)
    made = answer.data
    assert (answer.status_code, made["status"], made["verbs"]) == (201, "proposed", ["withdraw"])
    assert bo.post(f"/securities/{made['id']}/approve").status_code == 403
    assert cy.post(f"/securities/{made['id']}/approve").data["status"] == "active"
    credit = bo.get("/customers/C001/credit").data
    assert (credit["security"], credit["available"]) == ("400.00", "1400.00")
    assert [each["id"] for each in bo.get("/securities", status="active").data["items"]] == [made["id"]]
    client.force_login(member("cy"))
    file = f"/customers/{acme().pk}/?tab=line"
    for address in (f"/credit/securities/{made['id']}/", "/credit/securities/?which=ending", file):
        assert "XB-1" in client.get(address).content.decode()


# --- races ---------------------------------------------------------------------------------------


def at_once(*calls: Any) -> list[Any]:
    start = threading.Barrier(len(calls))

    def run(call: Any) -> Any:
        try:
            start.wait()
            return call()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def used_and_limit() -> tuple[Decimal, Decimal]:
    customer = acme()
    held = lines.in_force([customer.pk], on=TODAY)
    found = securities.covers(held, {}, policy=policies.in_force(TODAY).policy, on=TODAY)
    added = found[customer.pk].amount if found else D(0)
    reserved = sum(a.reserved for a in CreditAccount.objects.filter(customer=customer))
    return D(reserved), (held[customer.pk].limit.amount or D(0)) + added


def race(number: int) -> None:
    """Two orders that each need the security's room, and its release: whoever comes first, nothing is oversold."""
    if not Line.objects.exists():
        line(acme(), 1000)
    row = active(value=400, document=f"BZJ-{number}")
    at_once(
        lambda: ask(700, f"SO-{number}-1").outcome,
        lambda: ask(700, f"SO-{number}-2").outcome,
        lambda: securities.release(row, version=row.version, reason="paid", **signing("cy")).status,
    )


def clear() -> None:
    system = posts.system()
    for row in Security.objects.filter(status="active"):
        securities.void(row, version=row.version, reason="next round", by=member("cy"), today=TODAY, at=clock.now())
    from shouxin.credit import reservations
    from shouxin.credit.models import Reservation

    with transaction.atomic():
        exposure.lock([acme().pk])
        live = list(Reservation.objects.filter(reserved__gt=0))
        reservations.release(live, why="cancelled", today=TODAY, at=clock.now(), by=system)


@pytest.mark.invariant("I-1", "I-2")
@pytest.mark.django_db(transaction=True)
def test_checks_and_a_release_at_once_never_oversell() -> None:
    policies.ensure()
    for name in ("bo", "cy"):
        member(name)
    for number in range(12):
        race(number)
        used, limit = used_and_limit()
        assert used <= limit, (number, used, limit)
        clear()


@pytest.mark.invariant("I-1")
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_release_passes_a_check_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the release looks, a check reserves, and the release goes through on what it saw."""
    policies.ensure()
    line(acme(), 1000)
    row = active(value=400)
    plain = securities._refuse_needed

    def looked(*given: Any) -> None:
        plain(*given)
        assert at_once(lambda: ask(1300).outcome) == ["approve"]

    monkeypatch.setattr(securities, "_refuse_needed", looked)
    monkeypatch.setattr(securities.exposure, "lock", lambda customers: {})
    monkeypatch.setattr(securities.exposure, "open_accounts", lambda wanted: {})
    securities.release(row, version=row.version, reason="paid", **signing("cy"))
    used, limit = used_and_limit()
    assert used > limit


@pytest.mark.invariant("I-17")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_one_is_told_that_somebody_was_faster() -> None:
    policies.ensure()
    line(acme(), 1000)
    row = proposed(value=10)
    results = at_once(
        lambda: securities.approve(Security.objects.get(pk=row.pk), version=1, **signing("cy")).status,
        lambda: securities.approve(Security.objects.get(pk=row.pk), version=1, **signing("vi")).status,
    )
    assert sorted(results) == ["active", "moved"]


@pytest.mark.parametrize(("who", "offered"), [("bo", True), ("ann", True), ("fi", False), ("ar", False), ("ed", False)])
def test_to_replace_it_is_offered_to_those_who_may(who: str, offered: bool, the_day: None, client: Client) -> None:
    row = active()
    client.force_login(member(who), backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(f"/credit/securities/{row.pk}/", headers={"Accept-Language": "en"}).content.decode()
    assert ("Renew or replace" in shown) is offered


# --- papers, commands, the home page -------------------------------------------------------------


def test_papers_are_kept_with_it_and_a_bad_one_is_refused_with_its_cure(the_day: None) -> None:
    row = active(value=400)
    api = Caller(member("bo"))
    path = f"/api/v1/securities/{row.pk}/attachments"
    for name in ("one.txt", "again.txt"):
        upload = SimpleUploadedFile(name, "保证金合同".encode())
        assert api.client.post(path, {"file": upload}).status_code == 201
    assert [each["name"] for each in api.get(f"/securities/{row.pk}/attachments").data] == ["one.txt"]
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("cy"))
    page = f"/credit/securities/{row.pk}/attachments"
    empty = client.post(page, {"file": SimpleUploadedFile("empty.pdf", b"")})
    assert empty.status_code == 422 and b"This file is empty" in empty.content
    assert client.post(page, {"file": SimpleUploadedFile("two.txt", b"register")}).status_code == 302
    assert b"two.txt" in client.get(f"/credit/securities/{row.pk}/").content
    client.force_login(member("fi"))
    assert client.post(page, {"file": SimpleUploadedFile("x.txt", b"x")}).status_code == 403


def test_a_paper_that_cannot_be_kept_takes_the_proposal_back(the_day: None) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("bo"))
    given = {"kind": "deposit", "value": "400", "currency": "CNY", "provider": "王伟", "subject": "cash",
             "document": "D-1", "since": TODAY.isoformat(), "reason": "because"}  # fmt: skip
    bad = SimpleUploadedFile("fake.pdf", b"MZ\x90")
    answer = client.post(f"/credit/customers/{acme().pk}/secure", given | {"file": bad})
    assert answer.status_code == 422 and not Security.objects.exists()


def test_on_the_command_line_and_on_the_home_page(the_day: None) -> None:
    line(acme(), 1000)
    for name in ("bo", "cy"):
        member(name)

    def run(*words: str) -> Any:
        told = CliRunner().invoke(cli.assemble(), ["securities", *words, "--json"])
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    [made] = run("propose", "C001", "deposit", "400.00", "--document", "D-1", "--provider", "王伟", "--subject", "cash",
                 "--reason", "season", "--until", (TODAY + timedelta(days=20)).isoformat(), "--by", "bo")  # fmt: skip
    assert made["status"] == "proposed" and run("list", "--ending") == []
    assert run("step", str(made["id"]), "approve", "--by", "cy")[0]["status"] == "active"
    assert [each["document"] for each in run("list", "--ending")] == ["D-1"]
    refused = CliRunner().invoke(cli.assemble(), ["securities", "step", str(made["id"]), "approve", "--by", "cy"])
    assert refused.exit_code == 2
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("bo"))
    home = client.get("/").content.decode()
    assert "Securities that run out" in home and "in 20 days" in home
