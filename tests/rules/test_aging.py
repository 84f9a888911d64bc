"""Ageing: bounds of the buckets, the books always add up, nothing is dropped or counted twice."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import aging
from shouxin.rules.aging import Bucket, OpenItem, age, age_by, bucket_labels, bucket_of, open_on
from shouxin.rules.policy import Policy

UP_TO = Policy.model_validate(
    yaml.safe_load((Path(aging.__file__).parent / "policy.yaml").read_text("utf-8"))
).aging.up_to
TODAY = date(2026, 6, 30)
CENTS = st.integers(-(10**11), 10**11).map(lambda cents: Decimal(cents) / 100)
DAYS = st.dates(date(2020, 1, 1), date(2027, 12, 31))


def item(days_overdue=0, amount="100.00", *, customer="acme", document="INV-1", currency="CNY", contested="0", **more):
    """An open item of Acme, so many days overdue on TODAY."""
    due_on = TODAY - timedelta(days=days_overdue)
    known = {"due_on": due_on, "dated_on": min(due_on, TODAY) - timedelta(days=30), "instalment": 1} | more
    return OpenItem(
        customer=customer,
        document=document,
        amount=Decimal(amount),
        currency=currency,
        contested=Decimal(contested),
        **known,
    )


ITEMS = st.lists(
    st.builds(
        OpenItem,
        customer=st.sampled_from(["acme", "bolt", "cog"]),
        document=st.sampled_from(["INV-1", "INV-2", "CN-1"]),
        instalment=st.integers(1, 3),
        due_on=st.none() | DAYS,
        dated_on=DAYS,
        amount=CENTS,
        currency=st.sampled_from(["CNY", "USD"]),
        contested=CENTS.map(abs),
    ),
    max_size=25,
)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        pytest.param(-5, 0, id="not due"),
        pytest.param(0, 0, id="due today is not overdue"),
        (1, 1),
        pytest.param(30, 1, id="closed above"),
        (31, 2),
        (60, 2),
        (61, 3),
        (90, 3),
        (91, 4),
        (180, 4),
        (181, 5),
        (365, 5),
        pytest.param(366, 6, id="one to two years"),
        (730, 6),
        (731, 7),
        (1095, 7),
        pytest.param(1096, 8, id="the last is open"),
    ],
)
def test_bounds_of_the_buckets(days, bucket):
    assert bucket_of(UP_TO, days) == bucket


def test_buckets_are_told_as_ranges_of_days():
    assert bucket_labels((30, 60)) == (Bucket(None, 0), Bucket(1, 30), Bucket(31, 60), Bucket(61, None))


@given(st.integers(-4000, 4000))
def test_a_day_lies_in_the_range_of_its_bucket_alone(days):
    holds = [
        (bucket.lower is None or bucket.lower <= days) and (bucket.upper is None or days <= bucket.upper)
        for bucket in bucket_labels(UP_TO)
    ]
    assert [number for number, held in enumerate(holds) if held] == [bucket_of(UP_TO, days)]


@given(ITEMS, DAYS, st.sampled_from(["due", "invoice"]))
def test_buckets_and_unapplied_money_add_up_to_the_ledger(items, as_of, basis):
    ledger = [item for item in items if item.dated_on <= as_of]
    aged = age(items, up_to=UP_TO, as_of=as_of, basis=basis)
    for currency, found in aged.items():
        mine = [item for item in ledger if item.currency == currency]
        assert sum(found.buckets) + found.unapplied == found.total == sum(item.amount for item in mine)
        assert min(found.buckets) >= 0 >= found.unapplied
        assert found.not_due + found.overdue + found.unapplied == found.total
        assert found.not_due >= 0 and found.overdue >= 0
        assert (found.overdue > 0) == (found.oldest_overdue_days > 0)
        assert 0 <= found.contested <= sum(found.buckets)
        assert found.count == len(mine)
    assert sum(found.count + found.later for found in aged.values()) == len(items)


@given(ITEMS, DAYS)
def test_overdue_is_what_lies_in_the_buckets_past_due(items, as_of):
    for found in age(items, up_to=UP_TO, as_of=as_of).values():
        assert found.overdue == sum(found.buckets[1:]) and found.not_due == found.buckets[0]


@given(ITEMS, DAYS, st.randoms())
def test_groups_add_up_to_the_whole_in_any_order(items, as_of, random):
    whole = age(items, up_to=UP_TO, as_of=as_of)
    random.shuffle(items)
    groups = age_by(items, lambda item: item.customer, up_to=UP_TO, as_of=as_of)
    for currency, found in whole.items():
        parts = [group[currency] for group in groups.values() if currency in group]
        assert [sum(column) for column in zip(*(part.buckets for part in parts), strict=True)] == list(found.buckets)
        assert sum(part.total for part in parts) == found.total
        assert max(part.oldest_overdue_days for part in parts) == found.oldest_overdue_days


def test_each_instalment_ages_on_its_own_due_date():
    aged = age([item(95, "40.00", instalment=1), item(5, "60.00", instalment=2)], up_to=UP_TO, as_of=TODAY)["CNY"]
    assert aged.buckets[4] == Decimal("40.00") and aged.buckets[1] == Decimal("60.00")
    assert aged.oldest_overdue_days == 95


def test_credits_stand_beside_the_buckets_and_are_never_aged():
    aged = age([item(40, "100.00"), item(400, "-30.00", due_on=None)], up_to=UP_TO, as_of=TODAY)["CNY"]
    assert (aged.buckets[2], aged.unapplied, aged.total) == (Decimal("100.00"), Decimal("-30.00"), Decimal("70.00"))
    assert aged.oldest_overdue_days == 40 and aged.fallbacks == 0


def test_an_item_without_due_date_ages_from_its_document_date_and_is_named():
    aged = age([item(due_on=None, dated_on=TODAY - timedelta(days=31))], up_to=UP_TO, as_of=TODAY)["CNY"]
    assert aged.buckets[2] == Decimal("100.00") and aged.fallbacks == 1


def test_currencies_are_never_added_up():
    aged = age([item(1, "10.00"), item(1, "20.00", currency="USD")], up_to=UP_TO, as_of=TODAY)
    assert {currency: found.total for currency, found in aged.items()} == {"CNY": Decimal("10"), "USD": Decimal("20")}


def test_two_bases_two_ages_but_overdue_is_past_due_in_both():
    bill = item(10, dated_on=TODAY - timedelta(days=100))
    by_due, by_invoice = (age([bill], up_to=UP_TO, as_of=TODAY, basis=basis)["CNY"] for basis in ("due", "invoice"))
    assert by_due.buckets[1] == by_invoice.buckets[4] == Decimal("100.00")
    assert by_due.overdue == by_invoice.overdue == Decimal("100.00")
    assert by_due.oldest_overdue_days == by_invoice.oldest_overdue_days == 10


def test_what_is_dated_later_is_left_out_and_counted():
    aged = age([item(5), item(dated_on=TODAY + timedelta(days=1))], up_to=UP_TO, as_of=TODAY)["CNY"]
    assert (aged.count, aged.later, aged.total) == (1, 1, Decimal("100.00"))


@pytest.mark.parametrize(
    ("contested", "part", "rest"),
    [("0", "0", "100"), ("40", "40", "60"), ("100", "100", "0"), pytest.param("140", "100", "0", id="never over")],
)
def test_contested_part(contested, part, rest):
    bill = item(5, contested=contested)
    assert (bill.contested_part, bill.uncontested) == (Decimal(part), Decimal(rest))
    assert age([bill], up_to=UP_TO, as_of=TODAY)["CNY"].contested == Decimal(part)


def test_a_receipt_in_june_does_not_change_the_report_of_may():
    settled = [(date(2026, 5, 31), Decimal("30.00")), (date(2026, 6, 1), Decimal("70.00"))]
    assert open_on(Decimal("100.00"), settled, as_of=date(2026, 5, 31)) == Decimal("70.00")
    assert open_on(Decimal("100.00"), settled, as_of=date(2026, 6, 1)) == 0


def test_an_empty_ledger_has_no_currencies():
    assert age([], up_to=UP_TO, as_of=TODAY) == {}
