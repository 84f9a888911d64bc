"""Which debts a payment settles: Civil Code art. 560, and 561 within one debt."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.allocation import Debt, Parts, Share, allocate, within_debt

PAID_ON = date(2026, 6, 30)
AMOUNTS = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)
DEBTS = st.lists(
    st.builds(
        Debt,
        key=st.text("abcdefgh", min_size=8, max_size=8),
        due_on=st.dates(date(2026, 6, 28), date(2026, 7, 2)),
        open=AMOUNTS,
        secured=st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]),
        burden=st.sampled_from([Decimal(0), Decimal("0.05")]),
        named=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda debt: debt.key,
)


def debt(key, amount, due="2026-03-01", **more):
    return Debt(key, date.fromisoformat(due), Decimal(amount), **more)


def received(payment, *debts):
    """What each debt receives, in the order served."""
    return [(share.key, share.amount) for share in allocate(Decimal(payment), debts, paid_on=PAID_ON).shares]


def test_equal_due_dates_share_in_proportion():
    shares, left = allocate(
        Decimal(70000),
        [debt("c", 50000, "2026-04-01"), debt("a", 40000), debt("b", 60000)],
        paid_on=PAID_ON,
    )
    assert shares == (Share("a", Decimal(28000), "due"), Share("b", Decimal(42000), "due")) and left == 0


def test_cents_are_shared_by_largest_remainder():
    assert received("0.05", debt("a", "1.00"), debt("b", "1.00"), debt("c", "1.00")) == [
        ("a", Decimal("0.02")),
        ("b", Decimal("0.02")),
        ("c", Decimal("0.01")),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"due": "2026-12-31", "named": True}, {}, id="named by the debtor, though not due"),
        pytest.param({"due": "2026-06-30", "secured": Decimal(1)}, {"due": "2026-07-01"}, id="due, though secured"),
        pytest.param({"due": "2026-05-01"}, {"secured": Decimal("0.5")}, id="less secured, though due later"),
        pytest.param({"due": "2026-05-01", "burden": Decimal("0.1")}, {}, id="heavier burden, though due later"),
        pytest.param({"due": "2026-02-28"}, {}, id="due earlier"),
    ],
)
def test_the_order_of_article_560(first, second):
    assert received(50, debt("later", 100, **second), debt("first", 100, **first)) == [("first", Decimal(50))]


def test_what_is_left_of_named_invoices_follows_the_law_and_says_so():
    debts = [debt("old", 100, "2025-01-01"), debt("named", 30, named=True), debt("ahead", 50, "2026-12-31")]
    shares, left = allocate(Decimal(200), debts, paid_on=PAID_ON)
    assert [(share.key, share.amount, share.why) for share in shares] == [
        ("named", Decimal(30), "named"),
        ("old", Decimal(100), "due"),
        ("ahead", Decimal(50), "not_due"),
    ]
    assert left == Decimal(20)


@given(AMOUNTS, DEBTS)
def test_shares_and_the_rest_add_up_and_nothing_is_paid_twice(payment, debts):
    shares, left = allocate(payment, debts, paid_on=PAID_ON)
    opened = {debt.key: debt.open for debt in debts}
    assert sum(share.amount for share in shares) + left == payment
    assert all(0 < share.amount <= opened[share.key] for share in shares)
    assert left == max(Decimal(0), payment - sum(opened.values()))
    assert len({share.key for share in shares}) == len(shares)


@given(AMOUNTS, AMOUNTS, DEBTS)
def test_a_larger_payment_takes_nothing_from_any_debt_but_a_rounding_cent(payment, more, debts):
    less = {share.key: share.amount for share in allocate(payment, debts, paid_on=PAID_ON).shares}
    most = {share.key: share.amount for share in allocate(payment + more, debts, paid_on=PAID_ON).shares}
    assert all(most.get(key, 0) >= amount - Decimal("0.01") for key, amount in less.items())


@given(AMOUNTS, DEBTS)
def test_a_lower_rank_is_served_only_after_the_higher_is_paid_in_full(payment, debts):
    paid = dict.fromkeys(["named", "due", "not_due"], Decimal(0))
    for share in allocate(payment, debts, paid_on=PAID_ON).shares:
        paid[share.why] += share.amount
    named = sum(debt.open for debt in debts if debt.named)
    due = sum(debt.open for debt in debts if not debt.named and debt.due_on <= PAID_ON)
    assert paid["named"] == min(payment, named)
    assert paid["due"] == min(payment - paid["named"], due)


@pytest.mark.parametrize(("payment", "amount"), [(-1, 100), (1, -100)])
def test_negative_amounts_are_refused(payment, amount):
    with pytest.raises(ValueError, match=r"^a payment and the debts it settles cannot be negative$"):
        allocate(Decimal(payment), [debt("a", amount)], paid_on=PAID_ON)


OWED = Parts(costs=Decimal(3000), interest=Decimal("11656.85"), principal=Decimal(500000))


def test_within_one_debt_costs_then_interest_then_principal():
    paid, still_open, left = within_debt(Decimal(100000), OWED)
    assert paid == (Decimal(3000), Decimal("11656.85"), Decimal("85343.15"))
    assert still_open == (0, 0, Decimal("414656.85")) and left == 0


def test_an_agreed_order_leaves_interest_claimed_standing():
    paid, still_open, _ = within_debt(Decimal(100000), OWED, order=("principal", "interest", "costs"))
    assert paid.principal == Decimal(100000) and still_open.interest == Decimal("11656.85")


@given(AMOUNTS, st.builds(Parts, AMOUNTS, AMOUNTS, AMOUNTS))
def test_parts_add_up(payment, owed):
    paid, still_open, left = within_debt(payment, owed)
    assert sum(paid) + left == payment and [sum(pair) for pair in zip(paid, still_open, strict=True)] == list(owed)
    assert min(still_open) >= 0 and (left == 0 or sum(still_open) == 0)


def test_a_negative_part_is_refused():
    with pytest.raises(ValueError, match=r"^a payment and the parts it settles cannot be negative$"):
        within_debt(Decimal(1), Parts(Decimal(-1), Decimal(0), Decimal(0)))
