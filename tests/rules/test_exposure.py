"""Value moves and is conserved: reserved, undelivered, unbilled, receivable, paid."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.exposure import Bucket, Exposure, Movement, OrderValue, bill, cancel, deliver, replay, unbill

amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**7), places=2)


def follow(value: OrderValue, movements: tuple[Movement, ...]) -> OrderValue:
    """The order's value after the movements, as the reservation row keeps it."""
    for movement in movements:
        if movement.source is None:
            continue
        names = {Bucket.RECEIVABLE: "billed", None: "released"}
        left, arrived = (names.get(end, str(end)) for end in (movement.source, movement.target))
        value = replace(value, **{left: getattr(value, left) - movement.amount})
        value = replace(value, **{arrived: getattr(value, arrived) + movement.amount})
    return value


def worth(value: OrderValue) -> Decimal:
    return sum((getattr(value, field.name) for field in fields(value)), Decimal(0))


@pytest.mark.clause("A6")
def test_an_order_walks_from_promise_to_payment() -> None:
    hundred = Decimal(100)
    steps = [
        Movement(None, Bucket.RESERVED, hundred),
        Movement(Bucket.RESERVED, Bucket.UNBILLED, hundred),
        Movement(Bucket.UNBILLED, Bucket.RECEIVABLE, hundred),
        Movement(Bucket.RECEIVABLE, None, hundred),
    ]
    assert [replay(steps[:n]).total for n in range(5)] == [0, 100, 100, 100, 0]


def test_deposits_lower_the_total_and_unapplied_cash_lowers_the_receivable() -> None:
    exposure = replay([Movement(None, Bucket.DEPOSITS, Decimal(30)), Movement(Bucket.RECEIVABLE, None, Decimal(20))])
    assert (exposure.receivable, exposure.total) == (Decimal(-20), Decimal(-50))


@pytest.mark.parametrize("movement", [("reserved", "reserved", 1), (None, "reserved", 0), (None, "reserved", -1)])
def test_what_does_not_move_is_no_movement(movement: tuple[str | None, str, int]) -> None:
    with pytest.raises(ValueError, match="no movement"):
        Movement(movement[0], Bucket(movement[1]), Decimal(movement[2]))  # type: ignore[arg-type]


@pytest.mark.invariant("I-5")
@given(amounts, amounts, amounts, amounts)
def test_whatever_is_done_the_parts_add_up(reserved: Decimal, first: Decimal, second: Decimal, third: Decimal) -> None:
    value = OrderValue(reserved=reserved)
    for verb, amount in ((deliver, first), (bill, second), (cancel, third)):
        value = follow(value, verb(value, amount))
        assert worth(value) == reserved
        assert all(getattr(value, field.name) >= 0 for field in fields(value))


@given(amounts, amounts)
def test_a_bill_brings_its_whole_amount_into_the_receivable(reserved: Decimal, billed: Decimal) -> None:
    start = Exposure(reserved=reserved)
    end = start
    for movement in bill(OrderValue(reserved=reserved), billed):
        end = end.after(movement)
    assert end.receivable == billed
    assert end.total == max(reserved, billed)


@given(amounts, amounts)
def test_delivered_goods_cannot_be_cancelled(reserved: Decimal, delivered: Decimal) -> None:
    value = OrderValue(reserved=reserved)
    value = follow(value, deliver(value, delivered))
    cancelled = follow(value, cancel(value, reserved))
    assert cancelled.unbilled == value.unbilled


def test_exposures_add_up_bucket_by_bucket_and_each_is_converted_and_rounded_once() -> None:
    dollars = Exposure(reserved=Decimal("0.05"), receivable=Decimal("0.05"), deposits=Decimal("0.01"))
    yuan = dollars.converted(Decimal("7.1"))
    assert (yuan.reserved, yuan.receivable, yuan.deposits) == (Decimal("0.36"), Decimal("0.36"), Decimal("0.07"))
    both = sum([yuan, Exposure(reserved=Decimal("1.00"))], Exposure())
    assert (both.reserved, both.total) == (Decimal("1.36"), Decimal("1.65"))


def test_what_is_open_is_neither_billed_nor_released() -> None:
    parts = {"reserved": 1, "undelivered": 2, "unbilled": 4, "billed": 8, "released": 16}
    assert OrderValue(**{name: Decimal(amount) for name, amount in parts.items()}).open == 7


STAGED = OrderValue(reserved=Decimal(10), undelivered=Decimal(20), unbilled=Decimal(30))
MOVED = {
    deliver: [(Bucket.RESERVED, Bucket.UNBILLED, "10"), (Bucket.UNDELIVERED, Bucket.UNBILLED, "15")],
    bill: [(Bucket.UNBILLED, Bucket.RECEIVABLE, "25")],
    cancel: [(Bucket.RESERVED, None, "10"), (Bucket.UNDELIVERED, None, "15")],
}
MORE = {
    deliver: [(Bucket.RESERVED, Bucket.UNBILLED, "10"), (Bucket.UNDELIVERED, Bucket.UNBILLED, "20")],
    bill: [(Bucket.UNBILLED, Bucket.RECEIVABLE, "30"), (Bucket.UNDELIVERED, Bucket.RECEIVABLE, "20"),
           (Bucket.RESERVED, Bucket.RECEIVABLE, "10"), (None, Bucket.RECEIVABLE, "0.50")],
    cancel: [(Bucket.RESERVED, None, "10"), (Bucket.UNDELIVERED, None, "20")],
}  # fmt: skip


@pytest.mark.parametrize("verb", MOVED, ids=lambda verb: verb.__name__)
def test_stages_are_taken_in_their_order_and_no_further_than_they_reach(verb: Any) -> None:
    for amount, expected in (("25", MOVED[verb]), ("60.50", MORE[verb])):
        found = verb(STAGED, Decimal(amount))
        assert [(each.source, each.target, each.amount) for each in found] == [
            (source, target, Decimal(part)) for source, target, part in expected
        ]


@pytest.mark.invariant("I-5")
@given(amounts, amounts, amounts)
def test_an_invoice_taken_back_gives_the_order_what_it_took(reserved: Decimal, out: Decimal, amount: Decimal) -> None:
    value = OrderValue(reserved=reserved)
    value = follow(value, deliver(value, out))
    billing = bill(value, amount)
    billed = follow(value, billing)
    back = unbill(billing, billed.billed)
    after = follow(billed, back)
    assert (after.unbilled, after.reserved + after.undelivered, after.billed) == (
        value.unbilled, value.reserved, Decimal(0),
    )  # fmt: skip
    assert unbill(billing, Decimal(0)) == ()
