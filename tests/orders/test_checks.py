"""The order check on the real database: reserve, supersede, release, replay; one bad request spoils nobody."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shouxin.credit import exposure, reservations
from shouxin.credit.models import CreditAccount, Line, Reservation
from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import clock, policies, posts, rates
from shouxin.office.refusals import BadForm, Moved, Refusal
from shouxin.orders import checks, fulfilment, holds
from shouxin.orders.checks import CheckRequest
from shouxin.orders.models import CreditDecision, Hold
from shouxin.receivables import bulk
from shouxin.receivables.models import Invoice
from shouxin.receivables.papers import InvoiceRow
from tests import houses
from tests.people import TODAY, acme, member

pytestmark = pytest.mark.django_db


def line(customer: Customer, limit: object = 1000, **changes: Any) -> Line:
    """A line of grade B in force since ten days; `limit` None is unlimited."""
    fields: dict[str, Any] = {
        "customer": customer, "grade": "B", "limit_kind": "amount" if limit is not None else "unlimited",
        "limit": limit, "currency": "CNY", "term_days": 30, "since": TODAY - timedelta(days=10),
        "until": TODAY + timedelta(days=300), "why": "test", "cause": "request", "policy_version": 1, "at": clock.now(),
    }  # fmt: skip
    return Line.objects.create(**{**fields, **changes})


def decide(*requests: CheckRequest, today: Any = TODAY) -> list[CreditDecision]:
    return checks.decide(requests, edition=policies.in_force(today), today=today, at=clock.now(), by=member("bo"))


def ask(amount: object, order: str = "SO-1", customer: str = "C001", **more: Any) -> CheckRequest:
    return CheckRequest(customer, Decimal(str(amount)), order, **more)


def codes(decision: CreditDecision) -> list[str]:
    return [reason["code"] for reason in decision.reasons]


def reserved(customer: Customer) -> Decimal:
    return sum((account.reserved for account in CreditAccount.objects.filter(customer=customer)), Decimal(0))


def journal_agrees() -> bool:
    totals = exposure.journal_totals()
    return all(
        totals.get(account.pk, exposure.Exposure()) == exposure.exposure_of(account)
        for account in CreditAccount.objects.all()
    )


@pytest.mark.clause("A11", "B2.1")
def test_an_order_that_fits_is_reserved_with_a_number_and_a_last_day() -> None:
    line(acme())
    decision = decide(ask(600))[0]
    assert (decision.outcome, decision.available_before, decision.available_after) == ("approve", 1000, 400)
    assert decision.reservation is not None
    assert decision.reservation.number.startswith("R")
    assert decision.reservation.expires_on == TODAY + timedelta(days=30)
    assert (reserved(acme()), journal_agrees()) == (600, True)


@pytest.mark.invariant("I-11")
def test_its_statements_are_planned_once_for_a_connection_and_by_keys() -> None:
    line(acme())
    for order in ("SO-1", "SO-2"):
        decide(ask(100, order))
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("off",)
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        planned = cursor.fetchone()
        decide(ask(100, "SO-3"))
        cursor.execute("SELECT count(*), max(generic_plans) FROM pg_prepared_statements")
        again, used = cursor.fetchone()
    assert again == planned[0] > 15 and used > 1


def test_a_second_check_of_an_order_replaces_the_first_and_adds_nothing() -> None:
    line(acme())
    first, second = decide(ask(600))[0], decide(ask(1000))[0]
    assert (second.outcome, second.supersedes, reserved(acme())) == ("approve", first, 1000)
    assert decide(ask(1000.01))[0].outcome == "hold"
    assert (reserved(acme()), journal_agrees()) == (0, True)


def test_the_same_order_twice_in_one_batch_counts_once() -> None:
    line(acme())
    first, second = decide(ask(600), ask(700))
    assert (first.outcome, second.outcome, second.supersedes, reserved(acme())) == ("approve", "approve", first, 700)


def test_asking_only_changes_nothing_and_sees_its_own_order_once() -> None:
    line(acme())
    decide(ask(600))
    asked = decide(ask(1000, reserve=False))[0]
    assert (asked.outcome, asked.reservation, asked.supersedes, reserved(acme())) == ("approve", None, None, 600)
    assert decide(ask(500, "SO-2", reserve=False))[0].outcome == "hold"
    assert not Hold.objects.exists()


def test_in_a_batch_one_that_cannot_pass_spoils_none_of_its_neighbours() -> None:
    line(acme())
    outcomes = [each.outcome for each in decide(ask(600), ask(600, "SO-2"), ask(1, "SO-3", "nobody"), ask(400, "SO-4"))]
    assert outcomes == ["approve", "hold", "decline", "approve"]
    assert reserved(acme()) == 1000


MOST = "9999999999999.99"


def answered(*requests: CheckRequest) -> list[CreditDecision | Refusal]:
    moment = checks.Moment(policies.in_force(TODAY), TODAY, clock.now())
    return checks.answer([checks.Question(each, member("bo")) for each in requests], moment)


def test_an_amount_that_no_account_could_hold_is_refused_alone_and_the_order_stands_as_it_stood() -> None:
    line(acme(), None)
    decide(ask(5))
    first, refused, other = answered(ask(1, "SO-2"), ask(MOST), ask(2, "SO-3"))
    assert isinstance(refused, BadForm) and [field for field, _message in refused.errors] == ["amount"]
    assert isinstance(first, CreditDecision) and isinstance(other, CreditDecision)
    assert (first.outcome, other.outcome, reserved(acme())) == ("approve", "approve", 8)
    assert Reservation.objects.get(order_no="SO-1").reserved == 5 and journal_agrees()


def test_the_most_there_is_can_be_reserved_once() -> None:
    line(acme(), None)
    most, refused = answered(ask(MOST), ask("0.01", "SO-2"))
    assert isinstance(most, CreditDecision) and isinstance(refused, BadForm)
    assert reserved(acme()) == Decimal(MOST) and journal_agrees()


@pytest.mark.parametrize("reserve", [True, False])
def test_where_the_room_of_the_line_is_more_than_can_be_written_the_answer_is_refused(reserve: bool) -> None:
    line(acme(), MOST)
    line(acme(), 1, temporary=True)
    line(acme(code="C2"))
    refused, other = answered(ask(1, reserve=reserve), ask(1, "SO-2", "C2"))
    assert isinstance(refused, BadForm) and isinstance(other, CreditDecision) and other.outcome == "approve"


def test_prepaid_orders_pass_and_reserve_nothing() -> None:
    line(acme(), 1)
    decision = decide(ask(5000, prepaid=True))[0]
    assert (decision.outcome, decision.reservation, reserved(acme())) == ("approve", None, 0)


def test_without_a_line_the_answer_says_what_to_do() -> None:
    acme()
    decision = decide(ask(1))[0]
    assert (decision.outcome, codes(decision)) == ("hold", ["no_line"])
    assert decision.reasons[0]["cures"][0]["code"] == "request_line"


def test_overdue_debt_holds_the_order_until_it_is_paid() -> None:
    customer = acme()
    line(customer, 100000)
    due = TODAY - timedelta(days=40)
    row = InvoiceRow(customer.pk, "", "F-1", "invoice", due, ((1, due, Decimal(500)),), Decimal(500), "CNY")
    bulk.post_invoices([row], by=posts.system(), at=clock.now(), today=TODAY)
    held = decide(ask(100))[0]
    assert (held.outcome, codes(held)) == ("hold", ["overdue_days"])
    assert held.reasons[0]["measured"] == 40
    bulk.post_receipts(
        [bulk.ReceiptRow(customer.pk, "", "K-1", TODAY, Decimal(500), "CNY")],
        by=posts.system(),
        at=clock.now(),
        today=TODAY,
    )
    again = holds.recheck(held.hold, edition=policies.in_force(TODAY), by=member("bo"), today=TODAY, at=clock.now())
    assert again.outcome == "approve"
    assert Hold.objects.get(decision=held).status == "cured"


@pytest.mark.invariant("I-6")
def test_the_group_shares_one_pool() -> None:
    head = acme()
    sister = acme(code="C002", name="艾克米二厂", group_head=head)
    line(head)
    line(sister)
    line(head, 1500, pool=True)
    assert decide(ask(900))[0].outcome == "approve"
    decision = decide(ask(700, "SO-2", "C002"))[0]
    assert (decision.outcome, codes(decision)) == ("hold", ["group_limit_exceeded"])
    assert decide(ask(600, "SO-2", "C002"))[0].outcome == "approve"


@pytest.mark.invariant("I-7")
def test_an_order_in_a_currency_without_a_rate_is_held_and_measured_once_there_is_one() -> None:
    line(acme(), 1000)
    assert codes(decide(ask(100, currency="USD"))[0]) == ["currency_unknown"]
    rates.put("USD", Decimal("7.2"), since=TODAY, source="test", by=posts.system(), on=TODAY, at=clock.now())
    assert decide(ask(138, currency="USD"))[0].outcome == "approve"
    decision = decide(ask(1, "SO-2", currency="USD"))[0]
    assert codes(decision) == ["limit_exceeded"]
    assert decision.reasons[0]["measured"] == "1000.80"


def test_a_reservation_past_its_day_lets_go_by_itself() -> None:
    line(acme())
    decide(ask(1000, expires_in_days=3))
    assert decide(ask(1, "SO-2"), today=TODAY + timedelta(days=3))[0].outcome == "hold"
    assert decide(ask(1000, "SO-2"), today=TODAY + timedelta(days=4))[0].outcome == "approve"
    assert (reserved(acme()), journal_agrees()) == (1000, True)


@pytest.mark.invariant("I-12")
def test_a_past_decision_is_recomputed_from_what_was_known_then() -> None:
    customer = acme()
    line(customer)
    decision = decide(ask(2000))[0]
    line(customer, 10**6, since=TODAY)
    decision.refresh_from_db()
    assert checks.replay(decision, edition=policies.at(decision.policy_version)).same
    assert decide(ask(2000))[0].outcome == "approve"


@pytest.mark.invariant("I-20")
@pytest.mark.clause("B2.5")
def test_the_blacklist_of_the_head_binds_the_group_and_no_path_releases() -> None:
    head = acme()
    sister = acme(code="C002", name="艾克米二厂", group_head=head)
    line(sister)
    standing.set_standing(head, "blacklisted", why="欺诈", by=member("vi"), on=TODAY, at=clock.now())
    decision = decide(ask(1, "SO-2", "C002", prepaid=True))[0]
    assert (decision.outcome, codes(decision)) == ("decline", ["blacklisted"])
    assert not Hold.objects.filter(decision=decision).exists()


class TestTheWalkOfAnOrder:
    """Reserve, deliver in part, bill in part, cancel the rest: value is conserved at every step (I-5)."""

    @pytest.fixture
    def order(self) -> Reservation:
        line(acme())
        reservation = decide(ask(900))[0].reservation
        assert reservation is not None
        return reservation

    def moment(self) -> dict[str, Any]:
        return {"by": member("fi"), "today": TODAY, "at": clock.now()}

    def buckets(self) -> list[Decimal]:
        account = CreditAccount.objects.get(customer=acme())
        return [account.reserved, account.unbilled, account.receivable]

    @pytest.mark.clause("A6", "A10")
    def test_in_parts(self, order: Reservation) -> None:
        fulfilment.deliver(order, Decimal(500), **self.moment())
        assert self.buckets() == [400, 500, 0]
        fulfilment.bill(order, Decimal(300), **self.moment())
        assert self.buckets() == [400, 200, 300]
        fulfilment.cancel(order, None, **self.moment())
        assert self.buckets() == [0, 200, 300]
        fulfilment.bill(order, None, **self.moment())
        assert (self.buckets(), journal_agrees()) == ([0, 0, 500], True)
        assert Invoice.objects.filter(order_no="SO-1").count() == 2

    def test_no_more_can_be_delivered_or_billed_than_there_is(self, order: Reservation) -> None:
        for verb in (fulfilment.deliver, fulfilment.bill, fulfilment.cancel):
            with pytest.raises(Moved):
                verb(order, Decimal("900.01"), **self.moment())
        assert self.buckets() == [900, 0, 0]

    def test_an_invoice_from_elsewhere_that_names_the_order_takes_its_value_out(self, order: Reservation) -> None:
        bulk.post_invoices([self.paper("F-9", 700)], by=posts.system(), at=clock.now(), today=TODAY)
        assert (self.buckets(), journal_agrees()) == ([200, 0, 700], True)

    def test_a_bill_or_a_credit_note_takes_no_more_than_it_says_off_an_order_in_two_parts(
        self, order: Reservation
    ) -> None:
        fulfilment.deliver(order, Decimal(500), **self.moment())
        assert decide(ask(900))[0].reservation != order
        bulk.post_invoices([self.paper("F-1", 300)], by=posts.system(), at=clock.now(), today=TODAY)
        assert (self.buckets(), journal_agrees()) == ([400, 200, 300], True)
        bulk.post_invoices([self.paper("F-2", 600)], by=posts.system(), at=clock.now(), today=TODAY)
        rows = Reservation.objects.filter(order_no="SO-1").order_by("pk")
        assert [row.billed for row in rows] == [500, 400]
        bulk.post_invoices([self.paper("G-1", 100, "credit_note")], by=posts.system(), at=clock.now(), today=TODAY)
        assert [row.billed for row in rows.all()] == [500, 300]
        assert (self.buckets(), journal_agrees()) == ([0, 0, 800], True)

    def paper(self, number: str, amount: int, kind: str = "invoice") -> InvoiceRow:
        sign = -1 if kind == "credit_note" else 1
        parts = ((1, TODAY, Decimal(sign * amount)),)
        return InvoiceRow(
            acme().pk, "", number, kind, TODAY, parts, Decimal(sign * amount), "CNY", order_no="SO-1"
        )  # fmt: skip

    def test_a_check_after_partial_delivery_asks_only_for_the_rest(self, order: Reservation) -> None:
        fulfilment.deliver(order, Decimal(500), **self.moment())
        assert decide(ask(1000))[0].outcome == "approve"
        assert self.buckets() == [500, 500, 0]


def test_an_order_without_a_number_is_reserved_and_never_asked_about_again() -> None:
    line(acme())
    first, second = decide(ask(100, ""))[0], decide(ask(100, ""))[0]
    assert (first.outcome, second.outcome, second.supersedes_id) == ("approve", "approve", None)
    assert reserved(acme()) == 200


def test_the_sources_of_orders_are_those_of_each_on_its_own_account() -> None:
    second = acme(code="C002", name="第二家")
    line(acme()), line(second)
    decide(ask(1, "SO-1", source_system="erp"), ask(1, "SO-2", "C002"), ask(1, "SO-2", source_system="shop"))
    one, two = (CreditAccount.objects.get(customer=each).pk for each in (acme(), second))
    asked = {(one, "SO-1"), (two, "SO-2")}
    assert reservations.sources(asked, reservations.OPEN) == {(one, "SO-1"): ["erp"], (two, "SO-2"): [""]}


def test_nothing_to_post_writes_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        exposure.post([], on=TODAY, at=clock.now(), by=None)
    assert not queries


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-5", "I-17")
def test_delivery_racing_cancellation_has_exactly_one_winner() -> None:
    policies.ensure()
    line(acme(), 2000)  # room for all twenty, whoever wins
    member("fi")
    for round_number in range(20):
        reservation = decide(ask(100, f"SO-{round_number}"))[0].reservation
        assert reservation is not None
        start = threading.Barrier(2)

        def run(verb: Any, row: Reservation = reservation, start: threading.Barrier = start) -> str:
            try:
                start.wait()
                verb(row, None, by=member("fi"), today=TODAY, at=clock.now())
                return "won"
            except Moved:
                return "lost"
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert Counter(pool.map(run, (fulfilment.deliver, fulfilment.cancel))) == {"won": 1, "lost": 1}
    assert journal_agrees()


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-1")
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_who_waits_for_an_account_to_be_opened_holds_none(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody opens the second account and locks the first, while a batch on both is decided."""
    policies.ensure()
    first, second = acme(), acme(code="C002", name="第二家")
    line(first), line(second)
    decide(ask(100))  # the first account is there
    if not guarded:  # as it was: the account is opened while others are held

        def under(questions: Any, named: Any, moment: Any) -> Any:
            try:
                return plain(questions, named, moment)
            except checks.Unopened as found:
                exposure.open_accounts(found.accounts)
                return plain(questions, named, moment)

        plain = checks._under_locks
        monkeypatch.setattr(checks, "_under_locks", under)

    stuck: list[OperationalError] = []

    def batch() -> None:
        try:
            decide(ask(100, "SO-2"), ask(100, "SO-3", customer="C002"))
        except OperationalError as error:
            stuck.append(error)
        finally:
            connection.close()

    deciding = threading.Thread(target=batch)
    try:
        with transaction.atomic():
            exposure.open_accounts([(second.pk, "CNY")])
            deciding.start()
            assert houses.soon(waits_for_a_lock, 20)
            exposure.lock([first.pk])
    except OperationalError as error:
        stuck.append(error)
    deciding.join()
    assert bool(stuck) is not guarded
    assert (reserved(first), reserved(second)) == (200, 100) or stuck


def waits_for_a_lock() -> bool:
    """Whether somebody waits now: a transaction sees the activity of its first look until it is told to look again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
