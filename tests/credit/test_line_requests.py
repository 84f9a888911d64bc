"""A line is asked for by one and signed by another, in the version she saw: verbs, statuses, people, at the API."""

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from shouxin.credit import line_requests, lines, signatures
from shouxin.credit.models import Line, LineRequest
from shouxin.customers.models import Customer
from shouxin.lib import statements
from shouxin.office import clock, policies, posts, tokens
from shouxin.office.models import ExchangeRate, Person, TrailEntry
from shouxin.office.refusals import BadForm, CannotDecide, Moved, NotYourDuty, Refusal
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post
from tests.api import Caller
from tests.people import acme, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def now() -> dict[str, Any]:
    return {"today": clock.today(), "at": timezone.now()}


def terms(amount: str = "90000", **changes: Any) -> line_requests.LineTerms:
    fields: dict[str, Any] = {"limit": Limit.of(Decimal(amount)), "currency": "CNY", "term_days": 30, "grade": Grade.B}
    return line_requests.LineTerms(**fields | changes)


def asked_by(person: Person, customer: Customer | None = None, **changes: Any) -> LineRequest:
    return line_requests.ask(
        customer or acme(), terms(**changes), reason="spring season", edition=edition(), by=person, **now()
    )


def edition() -> policies.Edition:
    return policies.in_force(clock.today())


def approved(request: LineRequest, by: Person, version: int | None = None) -> Line:
    seen = request.version if version is None else version
    return line_requests.approve(request, version=seen, edition=edition(), by=by, **now())


@pytest.mark.clause("B2.1")
def test_a_line_begins_when_somebody_else_has_signed_it(ann: Person, cy: Person) -> None:
    line = approved(asked_by(ann), cy)
    assert (line.limit, line.grade, line.requested_by, line.approved_by) == (Decimal(90000), "B", ann, cy)
    assert TrailEntry.objects.filter(verb="line.begin", customer_id=line.customer_id).count() == 1


@pytest.mark.invariant("I-14")
@pytest.mark.parametrize(
    ("asker", "signer", "code"),
    [
        pytest.param("cy", "cy", "own_application", id="her own request"),
        pytest.param("ann", "ann", "own_application", id="sales signs nothing"),
        pytest.param("ann", "bo", "no_post", id="the administrator investigates, others sign"),
    ],
)
def test_who_may_not_sign(asker: str, signer: str, code: str, db: None) -> None:
    request = asked_by(member(asker))
    with pytest.raises(NotYourDuty) as refused:
        approved(request, member(signer))
    assert refused.value.code == code and not Line.objects.exists()


@pytest.mark.invariant("I-14")
def test_the_owning_salesperson_does_not_sign_even_as_manager(bo: Person, cy: Person) -> None:
    request = asked_by(bo, acme(code="C9", salesperson=cy))
    with pytest.raises(NotYourDuty) as refused:
        approved(request, cy)
    assert refused.value.code == "own_customer"


@pytest.mark.invariant("I-14")
def test_who_changed_a_request_does_not_sign_it(ann: Person, cy: Person, vi: Person) -> None:
    request = asked_by(ann)
    changed = line_requests.change(request, terms("80000"), reason="less", version=1, edition=edition(), by=cy, **now())
    with pytest.raises(NotYourDuty) as refused:
        approved(changed, cy)
    assert refused.value.code == "own_edit"
    assert approved(changed, vi).limit == 80000


@pytest.mark.clause("C2")
@pytest.mark.invariant("I-15")
@pytest.mark.parametrize(
    ("amount", "signer", "passes"),
    [
        pytest.param("100000", "cy", True, id="equal is within authority"),
        pytest.param("100000.01", "cy", False, id="one cent beyond"),
        pytest.param("100000.01", "vi", True, id="the next post holds it"),
        pytest.param("1000000.01", "vi", False, id="beyond the vice-president"),
        pytest.param("1000000.01", "le", True, id="the legal representative has no bound"),
    ],
)
def test_authority_by_amount(amount: str, signer: str, passes: bool, ann: Person) -> None:
    request, signer_person = asked_by(ann, amount=amount), member(signer)
    if passes:
        assert approved(request, signer_person).limit == Decimal(amount)
    else:
        with pytest.raises(NotYourDuty):
            approved(request, signer_person)


@pytest.mark.invariant("I-15")
def test_authority_is_measured_in_the_companys_currency(ann: Person, cy: Person) -> None:
    request = asked_by(ann, amount="90000", currency="USD")
    with pytest.raises(CannotDecide):
        approved(request, cy)
    rate = ExchangeRate(
        currency="USD", rate=Decimal("7.1"), since=date(2020, 1, 1), source="test", put_at=timezone.now()
    )
    rate.save()
    with pytest.raises(NotYourDuty):
        approved(request, cy)


@pytest.mark.invariant("I-15")
@pytest.mark.parametrize(
    ("days", "adds_up"), [pytest.param(0, True, id="on the last day"), pytest.param(1, False, id="one day too late")]
)
def test_requests_cut_into_pieces_add_up(days: int, adds_up: bool, ann: Person, cy: Person) -> None:
    """A temporary limit signed within the policy's days and not yet begun stands beside what is asked for now."""
    before = timezone.now() - timedelta(days=edition().policy.approval.split_days + days)
    Line.objects.create(
        customer=acme(), grade="B", limit_kind="amount", limit=Decimal("50000.01"), currency="CNY", term_days=30,
        since=clock.today() + timedelta(5), until=clock.today() + timedelta(9), temporary=True, why="t",
        cause="request", policy_version=1, at=before,
    )  # fmt: skip
    request = asked_by(ann, amount="50000", until=clock.today() + timedelta(4))
    if adds_up:
        with pytest.raises(NotYourDuty) as refused:
            approved(request, cy)
        assert refused.value.code == "no_post"
        approved(request, member("vi"))
    else:
        approved(request, cy)


def begun(amount: str, *, since: int, **changes: Any) -> Line:
    """A line of Acme's, signed, that begins in so many days."""
    return Line.objects.create(
        customer=acme(), grade="B", limit_kind="amount", limit=Decimal(amount), currency="CNY", term_days=30,
        since=clock.today() + timedelta(since), why="t", cause="request", policy_version=1,
        at=timezone.now() - timedelta(days=400), **changes,
    )  # fmt: skip


@pytest.mark.invariant("I-15")
@pytest.mark.parametrize(
    ("until", "signer"), [pytest.param(9, "vi", id="they meet"), pytest.param(4, "cy", id="it is over before")]
)
def test_a_temporary_limit_stands_on_the_line_that_holds_then(until: int, signer: str, ann: Person, cy: Person) -> None:
    begun("1000", since=-10)
    begun("77000", since=5)
    request = asked_by(ann, amount="99000", temporary=True, until=clock.today() + timedelta(until))
    if signer != "cy":
        with pytest.raises(NotYourDuty):
            approved(request, cy)
    assert approved(request, member(signer)).limit == 99000


@pytest.mark.invariant("I-15")
def test_a_line_is_measured_with_the_temporary_limits_it_will_meet(ann: Person, cy: Person) -> None:
    begun("60000", since=90, until=clock.today() + timedelta(99), temporary=True)
    with pytest.raises(NotYourDuty):
        approved(asked_by(ann, amount="50000"), cy)


@pytest.fixture
def dollars(db: None) -> None:
    ExchangeRate.objects.create(
        currency="USD", rate=Decimal("7"), since=date(2020, 1, 1), source="test", put_at=timezone.now()
    )


@pytest.mark.invariant("I-15")
def test_a_temporary_limit_and_the_lines_it_meets_are_in_one_currency(ann: Person, cy: Person, dollars: None) -> None:
    begun("1000", since=-10)
    season = {"amount": "90000", "temporary": True, "until": clock.today() + timedelta(40)}
    first = asked_by(ann, **season)
    foreign = asked_by(ann, amount="100", currency="USD", since=clock.today() + timedelta(1))
    approved(foreign, cy)
    for refused in (lambda: approved(first, cy), lambda: asked_by(ann, **season)):
        with pytest.raises(BadForm, match="currency"):
            refused()


@pytest.mark.invariant("I-15")
def test_a_line_stays_in_the_currency_of_its_temporary_limits_until_they_end(ann: Person, dollars: None) -> None:
    begun("1000", since=-10)
    begun("500", since=0, temporary=True, until=clock.today() + timedelta(40))
    with pytest.raises(BadForm, match="currency"):
        asked_by(ann, amount="100", currency="USD")
    assert asked_by(ann, amount="100", currency="USD", since=clock.today() + timedelta(41)).status == "open"


def test_a_temporary_limit_in_another_currency_than_the_line_counts_for_nothing(dollars: None) -> None:
    customer = begun("1000", since=-10).customer
    begun("500", since=0, temporary=True, until=clock.today() + timedelta(40))
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=Decimal(100), currency="USD", term_days=30,
        since=clock.today(), why="t", cause="import", policy_version=1, at=timezone.now(),
    )  # fmt: skip
    assert lines.in_force([customer.pk], on=clock.today())[customer.pk].temporary_limit == 0
    with statements.pipeline():
        trusts = lines.ask_trusts([customer.pk], on=clock.today())
    [trust] = trusts.read().values()
    assert (trust.currency, trust.temporary) == ("USD", 0)


@pytest.mark.invariant("I-15")
def test_limits_in_two_currencies_are_compared_by_what_they_are_worth(ann: Person, dollars: None) -> None:
    begun("40000", since=-10)
    request = asked_by(ann, amount="13000", currency="USD")
    request.suggested = {"limit": "21000", "currency": "CNY"}
    request.save()
    needed = signatures.needs(request, edition=edition(), today=clock.today())
    assert request.kind == "raise" and "over_suggestion" in needed.why
    assert asked_by(ann, amount="5000", currency="USD").kind == "lower"


def held(days: int) -> lines.InForce:
    """What Acme is trusted with so many days from today, by the rows; the order check's own question must agree."""
    on, customer = clock.today() + timedelta(days), acme().pk
    found = lines.in_force([customer], on=on)[customer]
    with statements.pipeline():
        trusts = lines.ask_trusts([customer], on=on)
    trust = trusts.read().get(customer, lines.NOTHING)
    assert (trust.limit, trust.temporary) == (found.limit, found.temporary_limit)
    return found


@pytest.mark.clause("B2.4", "B2.5")
@pytest.mark.parametrize("how", ["signed", "downgraded"])
def test_what_was_planned_in_better_days_does_not_undo_a_cut(how: str, ann: Person, cy: Person) -> None:
    held_now = begun("50000", since=-10, until=clock.today() + timedelta(30))
    plan = approved(asked_by(ann, amount="80000", since=clock.today() + timedelta(31)), cy)
    assert held(31).limit == Limit.of(Decimal(80000))
    if how == "signed":
        approved(asked_by(ann, grade=Grade.D, limit=Limit.none(), term_days=0), cy)
    else:
        lines.downgrade(held_now, Grade.D, why="late", edition=edition(), today=clock.today(), at=timezone.now(), by=cy)
    assert [held(day).limit.kind for day in (0, 30, 31, 300)] == ["none"] * 4
    assert held(31).grade == Grade.D
    told = TrailEntry.objects.get(verb="line.overtake")
    assert told.particulars["since"] == plan.since.isoformat()
    later = approved(asked_by(ann, amount="20000", since=clock.today() + timedelta(40)), cy)
    assert held(40).line == later, "what is signed after the cut comes"


@pytest.mark.clause("B2.4")
def test_a_smaller_line_signed_later_stands_in_for_the_larger_one_planned_and_a_larger_one_leaves_it(
    ann: Person, cy: Person
) -> None:
    begun("10000", since=-10)
    approved(asked_by(ann, amount="30000", since=clock.today() + timedelta(9)), cy)
    approved(asked_by(ann, amount="50000"), cy)
    assert (held(0).limit.amount, held(9).limit.amount) == (50000, 30000), "what is planned takes away: it comes"
    approved(asked_by(ann, amount="20000"), cy)
    assert (held(0).limit.amount, held(9).limit.amount) == (20000, 20000)


@pytest.mark.clause("B2.1", "B2.5")
@pytest.mark.parametrize("begins", [0, 5])
def test_a_cut_ends_temporary_limits_signed_before_it_whenever_they_begin(begins: int, ann: Person, cy: Person) -> None:
    begun("1000", since=-10)
    season = {"temporary": True, "until": clock.today() + timedelta(40)}
    approved(asked_by(ann, amount="20000", since=clock.today() + timedelta(begins), **season), cy)
    assert held(begins).temporary_limit == 20000
    approved(asked_by(ann, limit=Limit.none(), term_days=0), cy)
    assert held(begins).temporary_limit == 0
    approved(asked_by(ann, amount="500", since=clock.today() + timedelta(begins), **season), cy)
    assert held(begins).temporary_limit == 500, "a decision of its own, signed after the cut"


@pytest.mark.invariant("I-15")
def test_a_pool_has_no_temporary_limit(ann: Person) -> None:
    with pytest.raises(BadForm, match="temporary"):
        asked_by(ann, amount="39000", temporary=True, pool=True, until=clock.today() + timedelta(40))


@pytest.mark.invariant("I-15", "I-16")
def test_what_lowered_a_line_when_it_was_asked_for_may_raise_the_one_that_holds_now(ann: Person, cy: Person) -> None:
    begun("90000", since=-10)
    stale = asked_by(ann, amount="89000")
    stale.suggested = {"limit": "35000"}
    stale.save()

    def why() -> tuple[str, ...]:
        return signatures.needs(stale, edition=edition(), today=clock.today()).why

    assert (stale.kind, why()) == ("lower", ("amount",))
    approved(asked_by(ann, amount="1000"), cy)
    assert why() == ("amount", "over_suggestion")
    with pytest.raises(NotYourDuty):
        approved(stale, cy)


@pytest.mark.invariant("I-16")
def test_a_signature_binds_to_the_version_seen(ann: Person, bo: Person, cy: Person) -> None:
    request = asked_by(ann)
    line_requests.change(request, terms("95000"), reason="more", version=1, edition=edition(), by=bo, **now())
    with pytest.raises(Moved) as stale:
        approved(request, cy, version=1)
    assert stale.value.code == "version_seen"
    assert approved(request, cy, version=2).limit == 95000


VERBS = {
    "approve": lambda r, by: approved(r, by),
    "decline": lambda r, by: line_requests.decline(
        r, version=r.version, reason="no statements", edition=edition(), by=by, **now()
    ),
    "withdraw": lambda r, by: line_requests.withdraw(r, by=by, **now()),
    "change": lambda r, by: line_requests.change(
        r, terms("50000"), reason="less", version=r.version, edition=edition(), by=by, **now()
    ),
}


@pytest.mark.invariant("I-17")
@pytest.mark.parametrize("verb", line_requests.FLOW.verbs)
@pytest.mark.parametrize("status", line_requests.FLOW.statuses)
def test_every_verb_from_every_status(verb: str, status: str, vi: Person, cy: Person) -> None:
    request = asked_by(cy)
    if status != "open":
        VERBS[{"approved": "approve", "declined": "decline", "withdrawn": "withdraw"}[status]](
            request, cy if status == "withdrawn" else vi
        )
        request = LineRequest.objects.get(pk=request.pk)
    by = cy if verb == "withdraw" else vi
    step = line_requests.FLOW.step(verb, status)
    if step is None:
        with pytest.raises(Moved):
            VERBS[verb](request, by)
        assert LineRequest.objects.get(pk=request.pk).status == status
    else:
        VERBS[verb](request, by)
        assert LineRequest.objects.get(pk=request.pk).status == step.target


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-17")
def test_two_who_sign_at_once_make_one_line(ann: Person, vi: Person, le: Person) -> None:
    policies.ensure()
    request, answers, gate = asked_by(ann), [], threading.Barrier(2)

    def sign(by: Person) -> None:
        try:
            gate.wait(10)
            answers.append(approved(LineRequest.objects.get(pk=request.pk), by, version=1))
        except Refusal as refusal:
            answers.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sign, args=(by,)) for by in (vi, le)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(type(each).__name__ for each in answers) == ["Line", "Moved"]
    assert Line.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-17")
def test_of_a_signature_and_a_refusal_at_once_one_wins(ann: Person, vi: Person, le: Person) -> None:
    policies.ensure()
    for turn in range(20):
        request, answers, gate = asked_by(ann, acme(code=f"R{turn}")), {}, threading.Barrier(2)

        def decide(verb: str, by: Person, of: LineRequest = request, to: Any = answers, gate: Any = gate) -> None:
            mine = LineRequest.objects.get(pk=of.pk)
            try:
                gate.wait(10)
                VERBS[verb](mine, by)
                to[verb] = "won"
            except Refusal as refusal:
                to[verb] = type(refusal).__name__
            finally:
                connections.close_all()

        threads = [threading.Thread(target=decide, args=each) for each in (("approve", vi), ("decline", le))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(answers.values()) == ["Moved", "won"]
        request.refresh_from_db()
        assert (
            request.status
            == {"approve": "approved", "decline": "declined"}[min(answers, key=lambda v: answers[v] != "won")]
        )
        assert Line.objects.filter(request=request).exists() == (request.status == "approved")


@pytest.mark.invariant("I-18")
@pytest.mark.parametrize("by_token", [False, True])
def test_what_is_taken_from_a_signer_counts_on_her_next_request(
    by_token: bool, ann: Person, cy: Person, se: Person
) -> None:
    token = tokens.create(cy, by=cy, at=timezone.now())[1]
    caller = Caller(token=token) if by_token else Caller(cy)
    first, second, third = (asked_by(ann, acme(code=f"T{turn}"), amount="20000") for turn in range(3))
    who = {"by": se, "on": clock.today(), "at": timezone.now()}

    def sign(request: LineRequest) -> int:
        return int(caller.post(f"/line-requests/{request.pk}/approve", {}, If_Match="1").status_code)

    assert sign(first) == 200
    posts.appoint(cy, Post.CREDIT_MANAGER, since=clock.today(), amount_max=Decimal(19999), **who)
    assert sign(second) == 403
    posts.appoint(cy, Post.CREDIT_MANAGER, since=clock.today(), amount_max=Decimal(20000), **who)
    assert sign(second) == 200
    posts.end_appointment(cy, Post.CREDIT_MANAGER, **who)
    assert sign(third) in (403, 404)
    assert LineRequest.objects.get(pk=third.pk).status == "open"


@pytest.mark.clause("B2.1")
def test_terms_the_policy_does_not_allow_are_all_named(ann: Person) -> None:
    with pytest.raises(BadForm) as refused:
        line_requests.ask(
            acme(),
            terms(term_days=46, since=date(2020, 1, 1)),
            reason=" ",
            edition=edition(),
            by=ann,
            **now(),
        )
    assert {field for field, _text in refused.value.errors} == {"reason", "term_days", "effective_from"}


@pytest.mark.parametrize("since", ["9999-12-31", "9999-06-01", "2199-01-01"])
def test_a_line_does_not_begin_more_than_a_year_ahead(since: str, ann: Person) -> None:
    asked = {"limit": "90000.00", "currency": "CNY", "term_days": 30, "grade": "B", "reason": "spring season"}
    answer = Caller(ann).post(f"/customers/{acme().pk}/lines", asked | {"effective_from": since})
    assert answer.status_code == 422 and [each["field"] for each in answer.data["errors"]] == ["effective_from"]
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    typed = {
        "limit_kind": "amount",
        "limit": "90000",
        "currency": "CNY",
        "term_days": "30",
        "grade": "B",
        "since": since,
    }
    page = client.post(f"/credit/customers/{acme().pk}/ask", typed | {"reason": "spring season"})
    assert page.status_code == 422 and "At most 366 days ahead." in page.content.decode()
    assert not LineRequest.objects.exists()


def test_who_asks_is_told_of_the_request_that_waits_already(ann: Person) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/credit/customers/{acme().pk}/ask"
    assert "waits for a signature already" not in client.get(address).content.decode()
    waiting = asked_by(ann)
    page = client.get(address).content.decode()
    assert "waits for a signature already" in page and f'href="/credit/line-requests/{waiting.pk}/"' in page


def test_a_line_may_begin_a_year_ahead(ann: Person) -> None:
    ahead = clock.today() + timedelta(days=edition().policy.lines.ahead_days_max)
    assert asked_by(ann, since=ahead).since == ahead


# --- over the API --------------------------------------------------------------------------------


def body(**changes: Any) -> dict[str, Any]:
    return {"grade": "B", "limit": "90000.00", "term_days": 30, "reason": "spring season"} | changes


@pytest.mark.clause("B2.1")
def test_ask_and_sign_over_the_api(ann: Person, cy: Person) -> None:
    customer = acme()
    asked = Caller(ann).post(f"/customers/{customer.pk}/lines", body())
    assert asked.status_code == 201, asked.data
    assert (asked.data["status"], asked.data["version"], asked.data["needs"]["post"]) == ("open", 1, "credit-manager")
    assert asked.data["verbs"] == ["change", "withdraw"] and asked["ETag"] == '"1"'
    done = Caller(cy).post(f"/line-requests/{asked.data['id']}/approve", {"reason": "ok"}, If_Match='"1"')
    assert (done.status_code, done.data["status"]) == (200, "approved"), done.data
    lines = Caller(ann).get(f"/customers/{customer.pk}/lines").data["items"]
    assert [(each["limit"], each["in_force"], each["id"]) for each in lines] == [("90000.00", True, done.data["line"])]


@pytest.mark.parametrize(
    ("given", "kind", "limit"),
    [
        pytest.param({"limit": "0"}, "none", "0.00", id="nought is no credit"),
        pytest.param({"limit": "0.00"}, "none", "0.00", id="nought with cents"),
        pytest.param({"limit": None}, "unset", None, id="null is not set"),
        pytest.param({"limit": None, "limit_kind": "unlimited"}, "unlimited", None, id="unlimited is its own value"),
        pytest.param({"limit": "12.50"}, "amount", "12.50", id="an amount"),
    ],
)
def test_the_four_limits_over_the_api(given: dict[str, Any], kind: str, limit: str | None, ann: Person) -> None:
    asked = Caller(ann).post(f"/customers/{acme().pk}/lines", body(**given))
    assert (asked.status_code, asked.data.get("limit_kind"), asked.data.get("limit")) == (201, kind, limit), asked.data


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"limit": 90000}, "limit", id="a number"),
        pytest.param({"limit": "1e5"}, "limit", id="an exponent"),
        pytest.param({"limit": "１００"}, "limit", id="full-width digits"),
        pytest.param({"limit": "-1.00"}, "limit", id="below zero"),
        pytest.param({"limit": "5.00", "limit_kind": "unlimited"}, "limit_kind", id="contradiction"),
        pytest.param({"status": "approved"}, "status", id="a read-only field"),
        pytest.param({"reason": "  "}, "reason", id="no reason"),
    ],
)
def test_bad_bodies_name_the_field(changes: dict[str, Any], field: str, ann: Person) -> None:
    answer = Caller(ann).post(f"/customers/{acme().pk}/lines", body(**changes))
    assert answer.status_code == 422 and field in {each["field"] for each in answer.data["errors"]}, answer.data
    assert not LineRequest.objects.exists()


@pytest.mark.invariant("I-33")
def test_what_is_out_of_sight_does_not_exist(ann: Person, di: Person, sy: Person) -> None:
    request = asked_by(ann)
    for outsider in (di, sy):
        caller = Caller(outsider)
        assert caller.get(f"/line-requests/{request.pk}").status_code == 404
        assert caller.post(f"/line-requests/{request.pk}/approve").status_code == 404
        assert caller.get(f"/customers/{request.customer_id}/lines").status_code == 404
        assert caller.get("/line-requests").data["items"] == []


def test_duty_and_stale_version_over_the_api(ann: Person, bo: Person, cy: Person, ed: Person) -> None:
    request = asked_by(ann)
    path = f"/line-requests/{request.pk}"
    assert Caller(ed).post(f"{path}/approve").status_code == 403
    assert Caller(ann).post(f"{path}/approve").data["code"] == "own_application"
    changed = Caller(bo).patch(path, {"limit": "95000.00", "reason": "more"}, If_Match='"1"')
    assert (changed.status_code, changed.data["version"], changed.data["limit"]) == (200, 2, "95000.00"), changed.data
    assert Caller(cy).post(f"{path}/approve", {}, If_Match='"1"').status_code == 409
    assert Caller(cy).post(f"{path}/explode", {}, If_Match='"2"').status_code == 404
    assert Caller(cy).post(f"{path}/decline", {}, If_Match='"2"').status_code == 422
    assert Caller(cy).post(f"{path}/approve", {}).status_code == 428
    assert Caller(cy).post(f"{path}/approve", {}, If_Match='"2"').status_code == 200


def test_lines_as_of_a_past_day(ann: Person, cy: Person) -> None:
    line = approved(asked_by(ann), cy)
    earlier = Caller(ann).get(f"/customers/{line.customer_id}/lines", as_of="2020-01-01")
    assert earlier.data == {"items": [], "next": None}


def test_needs_of_many_requests_take_a_handful_of_queries(ann: Person, django_assert_max_num_queries: Any) -> None:
    requests = [asked_by(ann, acme(code=f"Q{n}", name=f"客户{n}")) for n in range(12)]
    with django_assert_max_num_queries(5):
        signatures.needs_of(requests, edition=edition(), today=clock.today())


def test_a_request_is_told_in_the_trail(ann: Person) -> None:
    request = asked_by(ann)
    entry = TrailEntry.objects.get(verb="line_request.ask")
    assert (entry.customer_id, entry.particulars["limit"]) == (request.customer_id, "90000")
    assert isinstance(entry.at, datetime)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"reason": " "}, "reason", id="no reason"),
        pytest.param({"grade": None}, "grade", id="a first line without a grade"),
        pytest.param({"grade": Grade.D}, "limit", id="D has no credit"),
        pytest.param({"since": -1}, "effective_from", id="begun already"),
        pytest.param({"since": 367}, "effective_from", id="more than a year ahead"),
        pytest.param({"until": -1}, "effective_to", id="over before it begins"),
        pytest.param({"temporary": True, "limit": Limit.unlimited(), "until": 9}, "limit", id="no amount on top"),
        pytest.param({"temporary": True}, "effective_to", id="on top without an end"),
        pytest.param({"temporary": True, "until": 400}, "effective_to", id="on top for too long"),
    ],
)
def test_terms_that_cannot_stand_are_refused_by_name(changes: dict[str, Any], field: str, ann: Person) -> None:
    days = {name: clock.today() + timedelta(changes[name]) for name in ("since", "until") if name in changes}
    reason = changes.get("reason", "spring season")
    wanted = terms(**{name: value for name, value in (changes | days).items() if name != "reason"})
    with pytest.raises(BadForm) as refused:
        line_requests.ask(acme(), wanted, reason=reason, edition=edition(), by=ann, **now())
    assert field in dict(refused.value.errors) and not LineRequest.objects.exists()
