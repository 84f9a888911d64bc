"""Checks that come one at a time and are decided together: as if each had been decided alone."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shouxin.credit.models import CreditAccount, Reservation
from shouxin.office import clock, idempotency, policies
from shouxin.office.idempotency import Answer
from shouxin.office.models import IdempotencyKey, Person, TrailEntry
from shouxin.orders import checks, lane
from shouxin.orders.checks import CheckRequest
from shouxin.orders.models import CreditDecision
from tests.orders.test_checks import ask, codes, decide, journal_agrees, line, reserved
from tests.people import acme, member

CALLERS = 16


@pytest.fixture
def together(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of the batches that were decided; the lane waits long enough that all callers are in one."""
    policies.ensure()
    sizes: list[int] = []
    decided = lane._decide

    def counted(questions: Any) -> Any:
        sizes.append(len(questions))
        return decided(questions)

    one = lane.Lane(counted, mark=lane._mark, rest=lane._rest, servers=1, gather_seconds=1.0)
    one._crowd = CALLERS
    monkeypatch.setattr(lane, "LANE", one)
    yield sizes
    connection.close()


def all_at_once(*calls: Any) -> list[Any]:
    """What each call answers or raises, all made at once, each in a thread of its own."""

    def run(call: Any) -> Any:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def checking(request: CheckRequest, by: Person | None = None) -> Any:
    return lambda: lane.check(request, by=by)


@pytest.mark.invariant("I-1", "I-2", "I-12")
def test_decided_together_as_if_one_after_the_other(together: list[int]) -> None:
    line(acme(), 1000, since=clock.today())
    bo, cy = member("bo"), member("cy")
    calls = [checking(ask(100, f"SO-{n}"), bo if n % 2 else cy) for n in range(CALLERS)]
    decisions = all_at_once(*calls)
    assert max(together) > 1
    assert Counter(each.outcome for each in decisions) == {"approve": 10, "hold": 6}
    assert [each.order_no for each in decisions] == [f"SO-{n}" for n in range(CALLERS)]
    assert [each.by_id for each in decisions] == [bo.pk if n % 2 else cy.pk for n in range(CALLERS)]
    assert (reserved(acme()), journal_agrees()) == (1000, True)
    for kept in CreditDecision.objects.all():
        assert checks.replay(kept, edition=policies.at(kept.policy_version)).same
    assert TrailEntry.objects.filter(verb__startswith="check.").count() == CALLERS


@pytest.mark.invariant("I-7", "I-9")
def test_a_poisonous_request_leaves_its_neighbours_approved(together: list[int]) -> None:
    line(acme(), 10**6, since=clock.today())
    poison = [
        ask(1, "unknown", "nobody"),
        ask(1, "money", currency="XXX"),
        ask(1, "nul\x00"),  # the database cannot keep it
        CheckRequest("C001", Decimal(10) ** 20, "too large for its column"),
    ]
    good = [ask(1, f"SO-{n}") for n in range(CALLERS - len(poison))]
    unknown, money, nul, large, *rest = all_at_once(*map(checking, poison + good))
    assert max(together) > len(good)
    assert (unknown.outcome, codes(money)) == ("decline", ["currency_unknown"])
    assert isinstance(nul, Exception)
    assert isinstance(large, Exception)
    assert [each.outcome for each in rest] == ["approve"] * len(good)
    assert (reserved(acme()), journal_agrees()) == (len(good), True)


@pytest.mark.invariant("I-10", "I-9")
def test_one_key_has_one_effect_however_often_it_comes_at_once(together: list[int]) -> None:
    line(acme(), 10**6, since=clock.today())
    bo, cy = member("bo"), member("cy")

    def once(by: Person, key: str, number: int, body: bytes = b"{}") -> Any:
        claim = idempotency.claim(by, key, path="/x", body=body)
        told = lane.Once(claim, lambda decision: Answer(201, f"decision {decision.pk}"))
        return lambda: lane.check_once(ask(1, f"SO-{number}"), by=by, once=told)

    calls = [once(bo, "same", 1) for _ in range(8)] + [once(cy, "same", 2), once(bo, "other", 3)]
    *same, hers, other = all_at_once(*calls)
    assert len({told.answer for told in same}) == 1
    assert sum(not told.before for told in same) == 1
    assert len({same[0].answer, hers.answer, other.answer}) == 3
    assert CreditDecision.objects.count() == IdempotencyKey.objects.count() == 3
    assert (reserved(acme()), journal_agrees()) == (3, True)
    (refused,) = all_at_once(once(bo, "same", 9, b'{"another": "body"}'))
    assert (refused.code, CreditDecision.objects.count()) == ("idempotency_key_reused", 3)


@pytest.mark.invariant("I-7", "I-9")
def test_a_batch_that_dies_in_the_middle_leaves_nothing_and_approves_nobody(
    together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    line(acme(), 10**6, since=clock.today())
    real, broken = checks._write, [True]

    def dies(*args: Any) -> Any:
        rows = real(*args)
        if broken[0]:
            raise OperationalError("the database went away")
        return rows

    monkeypatch.setattr(checks, "_write", dies)
    answers = all_at_once(*[checking(ask(1, f"SO-{n}")) for n in range(CALLERS)])
    assert max(together) > 1
    assert {type(each) for each in answers} == {OperationalError}
    assert (CreditDecision.objects.count(), Reservation.objects.count(), reserved(acme())) == (0, 0, 0)
    broken[0] = False
    assert lane.check(ask(1), by=None).outcome == "approve"


requests = st.lists(
    st.builds(
        lambda order, customer, amount, reserve, prepaid: CheckRequest(
            f"C00{customer}", Decimal(amount), f"SO-{order}", reserve=reserve, prepaid=prepaid
        ),
        st.integers(1, 4), st.integers(1, 3), st.integers(-200, 900), st.booleans(), st.booleans(),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


def told(decisions: list[CreditDecision]) -> list[Any]:
    """What was decided, without the numbers the rows happen to have."""
    return [(each.outcome, each.reasons, each.facts, each.available_before, each.available_after) for each in decisions]


def after() -> list[Any]:
    """What the decisions have left on the accounts and on the orders."""
    accounts = CreditAccount.objects.order_by("customer", "currency").values_list("customer", "reserved")
    held = Reservation.objects.filter(reserved__gt=0).order_by("source_system", "order_no", "reserved")
    return [list(accounts), list(held.values_list("order_no", "account__customer", "reserved"))]


@pytest.mark.django_db
@pytest.mark.invariant("I-1", "I-11")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests)
def test_a_list_is_decided_as_its_requests_one_by_one(asked: list[CheckRequest]) -> None:
    outcomes = []
    for way in ("together", "one by one"):
        with transaction.atomic():
            head = acme()
            for customer in (head, acme(code="C002", name="二厂", group_head=head)):
                line(customer, 1000)
            line(head, 1500, pool=True)
            decisions = decide(*asked) if way == "together" else [decide(each)[0] for each in asked]
            outcomes.append((told(decisions), [row[1] for row in after()[0]], [row[::2] for row in after()[1]]))
            assert journal_agrees()
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]
