"""An order asked about again: what was delivered counts once, for whom it was delivered to; the order stays his."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shouxin.credit.models import CreditAccount, Reservation
from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import clock, idempotency, policies, posts
from shouxin.office.models import IdempotencyKey, Person, TrailEntry
from shouxin.office.refusals import BadForm, CannotDecide, Moved, NotYourDuty
from shouxin.orders import checks, fulfilment, holds, lane
from shouxin.orders.checks import CheckRequest, Moment, Question
from shouxin.orders.models import CreditDecision, Hold, LiveOrder
from shouxin.receivables import invoices
from shouxin.receivables.models import Invoice
from shouxin.rules.policy import Post
from tests.api import Caller
from tests.people import SOUTH, TODAY, acme, member

from .test_checks import ask, decide, journal_agrees, line, reserved

pytestmark = pytest.mark.django_db
D = Decimal


def others() -> Customer:
    """Di's customer, whom Ann does not see, with a line."""
    found = acme(code="C002", name="深圳乙贸易有限公司", salesperson=member("di"), department=SOUTH)
    line(found)
    return found


def deliver(decision: CreditDecision, amount: str) -> None:
    assert decision.reservation_id
    row = Reservation.objects.get(pk=decision.reservation_id)
    fulfilment.deliver(row, D(amount), by=member("bo"), today=TODAY, at=clock.now())


def owed(customer: Customer) -> tuple[Decimal, Decimal]:
    """(reserved, delivered and not billed) on the customer's accounts."""
    unbilled = sum((each.unbilled for each in CreditAccount.objects.filter(customer=customer)), D(0))
    return reserved(customer), unbilled


@pytest.mark.invariant("I-5", "I-11")
def test_what_was_delivered_counts_once_however_often_the_order_is_asked_about() -> None:
    line(acme())
    deliver(decide(ask(600))[0], "200")
    for _time in range(3):
        assert decide(ask(600))[0].outcome == "approve"
        assert (owed(acme()), journal_agrees()) == ((400, 200), True)
    assert decide(ask(1000))[0].outcome == "approve"
    assert owed(acme()) == (800, 200)
    assert decide(ask(1000.01))[0].outcome == "hold"
    assert decide(ask(200))[0].outcome == "approve", "all of it has left; nothing is to be reserved"
    assert owed(acme()) == (0, 200)
    assert decide(ask(300))[0].outcome == "approve"
    assert owed(acme()) == (100, 200)


@pytest.mark.invariant("I-1")
def test_what_one_customer_received_makes_no_room_for_another() -> None:
    line(acme())
    other = others()
    deliver(decide(ask(900))[0], "900")
    assert decide(ask(1100, customer=other.code))[0].outcome == "hold"
    assert decide(ask(1000, customer=other.code))[0].outcome == "approve"
    assert (owed(acme()), owed(other)) == ((0, 900), (1000, 0))


@pytest.mark.invariant("I-19")
def test_a_release_is_used_up_by_what_was_delivered_under_it() -> None:
    line(acme(), 100)
    held = decide(ask(300))[0]
    moment = {"edition": policies.in_force(TODAY), "by": member("vi"), "today": TODAY, "at": clock.now()}
    released = holds.release(held.hold, reason="trial order", up_to_amount=D(300), **moment)
    deliver(released, "300")
    assert decide(ask(300))[0].outcome == "approve"
    assert decide(ask(600))[0].outcome == "hold", "three hundred more were never released"


def moment(name: str) -> dict[str, Any]:
    return {"edition": policies.in_force(TODAY), "by": member(name), "today": TODAY, "at": clock.now()}


@pytest.mark.invariant("I-16", "I-17")
def test_the_hold_of_an_order_that_was_asked_about_again_is_over() -> None:
    line(acme(), 100)
    first, last = decide(ask(300))[0], decide(ask(400))[0]
    for verb, more in ((holds.recheck, {}), (holds.release, {"reason": "x", "up_to_amount": D(300)})):
        with pytest.raises(Moved):
            verb(first.hold, **more, **moment("vi"))  # type: ignore[operator]
    assert [Hold.objects.get(decision=each).status for each in (first, last)] == ["superseded", "open"]


@pytest.mark.clause("A11")
def test_a_release_says_why_and_is_of_an_order_that_has_a_number() -> None:
    line(acme(), 100)
    held, nameless = decide(ask(300))[0], decide(ask(300, ""))[0]
    with pytest.raises(BadForm):
        holds.release(held.hold, reason=" ", up_to_amount=D(300), **moment("vi"))
    with pytest.raises(Moved) as refused:
        holds.release(nameless.hold, reason="trial order", up_to_amount=D(300), **moment("vi"))
    assert refused.value.code == "order_unnamed"
    assert holds.release(held.hold, reason="trial order", up_to_amount=D(300), **moment("vi")).outcome == "approve"


@pytest.mark.invariant("I-15")
def test_nobody_releases_her_own_order_without_a_number() -> None:
    line(acme(), 100)
    held = hers(ask(300, ""), by=member("vi"))[0]
    with pytest.raises(NotYourDuty):
        holds.release(held.hold, reason="trial order", up_to_amount=D(300), **moment("vi"))  # type: ignore[union-attr]


def released(amount: object, order: str, up_to: object, **more: Any) -> CreditDecision:
    held = decide(ask(amount, order, **more))[0]
    return holds.release(held.hold, reason="trial order", up_to_amount=D(str(up_to)), **moment("vi"))


@pytest.mark.invariant("I-12", "I-19")
@pytest.mark.clause("B2.5")
def test_a_release_overrules_what_was_before_the_signer_and_nothing_that_came_up_later() -> None:
    line(acme(), 1000)
    assert released(100, "SO-1", 5000, term_days=60).outcome == "approve"
    assert decide(ask(900, "SO-1", term_days=60))[0].outcome == "approve", "as she saw it"
    beyond = decide(ask(1500, "SO-1", term_days=60))[0]
    assert (beyond.outcome, held_for(beyond)) == ("hold", ["limit_exceeded"])
    longer = decide(ask(100, "SO-1", term_days=365))[0]
    assert (longer.outcome, held_for(longer)) == ("hold", ["terms_loosened"])
    standing.set_standing(acme(), "stopped", why="late", by=member("cy"), on=TODAY, at=clock.now())
    stopped = decide(ask(100, "SO-1", term_days=60))[0]
    assert (stopped.outcome, held_for(stopped)) == ("hold", ["stopped"])


def held_for(decision: CreditDecision) -> list[str]:
    return [reason["code"] for reason in decision.reasons if reason["severity"] == "hold"]


@pytest.mark.invariant("I-5", "I-19")
def test_a_release_serves_nobody_twice_whatever_is_credited_and_reversed() -> None:
    line(acme(), 100)
    order = released(1000, "SO-1", 1000).reservation
    assert order is not None
    who = {"by": posts.system(), "today": TODAY, "at": clock.now()}
    fulfilment.bill(order, None, invoice_no="F-1", **who)
    note = invoices.issue(acme(), doc_no="G-1", amount=D(-1000), order_no="SO-1", dated_on=TODAY, **who)
    assert owed(acme()) == (0, 0) and decide(ask(1000, "SO-1"))[0].outcome == "hold"
    invoices.reverse(note, why="by mistake", **who)
    assert decide(ask(1000, "SO-1"))[0].outcome == "hold"


@pytest.mark.invariant("I-15", "I-19")
def test_releases_of_several_orders_add_up_against_the_authority_of_who_signs() -> None:
    line(acme(), 100)
    table = policies.in_force(TODAY).policy.approval.authority
    half = next(row.amount_max or D(0) for row in table if row.post == Post.CREDIT_MANAGER) * 6 / 10
    first, second = decide(ask(200, "SO-1"))[0], decide(ask(200, "SO-2"))[0]
    holds.release(first.hold, reason="trial order", up_to_amount=half, **moment("cy"))
    with pytest.raises(NotYourDuty):
        holds.release(second.hold, reason="trial order", up_to_amount=half, **moment("cy"))
    assert holds.release(second.hold, reason="trial", up_to_amount=D(200), **moment("cy")).outcome == "approve"


def test_a_number_of_an_invoice_that_exists_bills_nothing_twice() -> None:
    line(acme())
    order = decide(ask(900))[0].reservation
    assert order is not None
    who = {"by": posts.system(), "today": TODAY, "at": clock.now()}
    fulfilment.deliver(order, D(500), **who)
    fulfilment.bill(order, D(300), invoice_no="F-1", **who)
    for amount in (D(300), D(100)):
        with pytest.raises(Moved) as refused:
            fulfilment.bill(order, amount, invoice_no="F-1", **who)
        assert refused.value.code == "duplicate"
    assert Invoice.objects.count() == 1 and owed(acme()) == (400, 200)


@pytest.mark.invariant("I-7")
def test_a_lane_that_is_full_approves_nobody(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    policies.ensure()

    def full(_question: object) -> None:
        raise lane.TakesTooLong

    monkeypatch.setattr(lane.LANE, "ask", full)
    with pytest.raises(CannotDecide) as refused:
        lane.check(ask(1), by=None)
    assert refused.value.code == "busy" and not CreditDecision.objects.exists()


def hers(*requests: CheckRequest, by: Person) -> list[CreditDecision | Moved]:
    moment = Moment(policies.in_force(TODAY), TODAY, clock.now())
    return checks.answer([Question(each, by) for each in requests], moment)


@pytest.mark.invariant("I-33")
def test_an_order_of_a_customer_out_of_sight_is_not_taken_over(ann: Person) -> None:
    line(acme())
    other = others()
    mine = decide(ask(500, "SO-9", other.code))[0]
    refused, decided = hers(ask(100, "SO-9"), ask(100, "SO-8"), by=ann)
    assert isinstance(refused, Moved) and refused.code == "order_elsewhere"
    assert isinstance(decided, CreditDecision) and decided.outcome == "approve"
    assert (reserved(other), reserved(acme())) == (500, 100)
    assert LiveOrder.objects.get(order_no="SO-9").decision == mine
    assert isinstance(hers(ask(100, "SO-9", reserve=False), by=ann)[0], CreditDecision), "asking takes nothing"
    assert decide(ask(100, "SO-9"))[0].supersedes == mine, "who sees both may move it"


@pytest.mark.invariant("I-22", "I-33")
def test_over_the_api_it_is_refused_alone_and_leaves_a_trace(ann: Person, the_day: None) -> None:
    line(acme())
    decide(ask(500, "SO-9", others().code))
    caller = Caller(ann)
    one = {"customer": "C001", "order_no": "SO-9", "amount": "100.00"}
    for _time in range(2):
        answer = caller.post("/credit-checks", one, key="k1")
        assert (answer.status_code, answer.data["code"]) == (409, "order_elsewhere")
    assert not IdempotencyKey.objects.filter(key="k1").exists()
    items = caller.post("/credit-checks/batch", {"checks": [one, {**one, "order_no": "SO-7"}]}).data["items"]
    assert [each.get("status") or each["outcome"] for each in items] == [409, "approve"]
    assert TrailEntry.objects.filter(verb="refuse", particulars__code="order_elsewhere", by=ann).count() == 3


def test_a_refusal_under_a_key_leaves_the_others_of_its_batch_to_be_asked_alone(ann: Person) -> None:
    line(acme())
    decide(ask(500, "SO-9", others().code))
    waiting = [
        lane.Waiting(ask(1, order), ann, lane.Once(idempotency.claim(ann, order, path="/", body=b"{}"), _told))
        for order in ("SO-9", "SO-8")
    ]
    with pytest.raises(Moved):
        lane._decide(waiting)
    assert isinstance(lane._decide(waiting[1:])[0], lane.Told)


def _told(decision: CreditDecision) -> idempotency.Answer:
    return idempotency.Answer(201, decision.outcome)


def test_a_system_that_asks_again_after_the_day_of_shipping_is_answered(bo: Person, the_day: None) -> None:
    line(acme())
    late = {"customer": "C001", "order_no": "SO-1", "amount": "100.00", "ship_on": str(TODAY - timedelta(days=1))}
    assert Caller(bo).post("/credit-checks", late).data["outcome"] == "approve"


@pytest.mark.invariant("I-34")
def test_a_reservation_is_not_made_to_last_for_ever(bo: Person, the_day: None) -> None:
    line(acme())
    caller, one = Caller(bo), {"customer": "C001", "order_no": "SO-1", "amount": "100.00"}
    far = {**one, "ship_on": "9999-12-31"}
    refused = caller.post("/credit-checks", far)
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "ship_on")
    items = caller.post("/credit-checks/batch", {"checks": [far, one]}).data["items"]
    assert [each.get("status") or each["outcome"] for each in items] == [422, "approve"]
    extended = caller.post(f"/reservations/{items[1]['reservation']}/extend", {"until": "9999-12-31"})
    assert (extended.status_code, extended.data["errors"][0]["field"]) == (422, "until")
