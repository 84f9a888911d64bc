"""How Acme has paid, as of a day."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import payment_record as module
from shouxin.rules.aging import OpenItem
from shouxin.rules.payment_record import Dated, Month, Settled, by_month, facts, payment_record

TODAY = date(2026, 6, 30)
D = Decimal


def day(text):
    return date.fromisoformat(text)


def paid(late, amount=100, document="INV-1", paid_on="2026-05-20", **more):
    """A payment so many days after its due date."""
    on = day(paid_on)
    due_on = on - timedelta(days=late)
    return Settled(due_on, on, D(amount), document, due_on - timedelta(days=30), **more)


def owed(late, amount=100, document="INV-9", contested=0, **more):
    """An open item so many days overdue on TODAY."""
    due_on = TODAY - timedelta(days=late)
    return OpenItem(
        "acme", document, 1, due_on, min(due_on, TODAY) - timedelta(days=30), D(amount), "CNY", D(contested)
    )


def record(settled=(), open_items=(), *, as_of=TODAY, **more):
    known = {"late_payments_months": 12} | more
    return payment_record(as_of=as_of, settled=settled, open_items=open_items, **known)


def test_shares_by_amount_and_by_count():
    rows = [paid(0, 300, "INV-1"), paid(-5, 100, "INV-2"), paid(10, 100, "INV-3")]
    found = record(rows).punctuality
    assert (found.on_time_share, found.on_time_share_by_count) == (D("0.8000"), D("0.6667"))


def test_the_last_day_is_on_time_and_the_next_is_not():
    assert record([paid(0)]).punctuality.on_time_share == 1
    assert record([paid(1)]).punctuality.on_time_share == 0


def test_days_late_are_weighted_by_amount_and_early_days_do_not_make_up_for_late_ones():
    found = record([paid(10, 100, "INV-1"), paid(50, 300, "INV-2"), paid(-40, 400, "INV-3")]).punctuality
    assert found.mean_days_late == found.days_beyond_terms == D("20.00")
    assert found.days_beyond_terms_signed == D("0.00") and found.max_days_late == 50
    assert record([paid(10, 100, "INV-1"), paid(50, 300, "INV-2")]).punctuality.days_beyond_terms == D("40.00")


def test_who_stops_paying_does_not_keep_a_clean_record():
    found = record([paid(0, 100)], [owed(95, 300)]).punctuality
    assert (found.on_time_share, found.mean_days_late, found.max_days_late) == (D("0.25"), D("71.25"), 95)
    assert found.days_beyond_terms == 0


def test_an_instalment_paid_in_two_parts_is_late_once():
    found = record([paid(0, 50, "INV-1"), paid(8, 50, "INV-1"), paid(9, 1, "INV-1")])
    assert (found.late_payments, found.paid_invoices) == (1, 1)
    assert found.punctuality.on_time_share_by_count == 0


def test_a_partly_paid_invoice_is_not_a_paid_one():
    assert record([paid(0, 50, "INV-1")], [owed(3, 50, "INV-1")]).paid_invoices == 0


def test_contested_amounts_and_delays_are_left_out():
    found = record([paid(0, 100), paid(60, 100, "INV-2", contested=True)], [owed(40, 100, contested=60), owed(-5, 60)])
    assert found.punctuality.max_days_late == 40 and found.late_payments == 0
    assert (found.owing.overdue_amount, found.owing.contested_amount) == (D(40), D(60))
    assert found.owing.overdue_share == D("0.4")


def test_a_wholly_contested_item_is_not_overdue():
    found = record(open_items=[owed(200, 100, contested=100)]).owing
    assert (found.overdue_amount, found.overdue_days, found.overdue_share) == (0, 0, 0)


def test_an_overdue_residue_counts_as_nothing_overdue():
    assert record(open_items=[owed(95, "99.99")], overdue_amount_min=D(100)).owing.overdue_days == 0
    assert record(open_items=[owed(95, "100.00")], overdue_amount_min=D(100)).owing.overdue_days == 95


def test_payments_after_the_day_are_not_made_yet():
    row = paid(40, 100, paid_on="2026-06-20")  # was due on 2026-05-11
    then = record([row], as_of=day("2026-05-31"))
    assert then.paid_invoices == 0 and then.owing.overdue_days == 20 and then.owing.overdue_amount == 100
    assert then.punctuality.on_time_share == 0
    assert record([row], as_of=row.paid_on).owing.open_amount == 0
    assert record([row], as_of=row.paid_on - timedelta(days=1)).owing.open_amount == 100
    before = record([row], as_of=day("2026-04-01"))
    assert before.owing.open_amount == 0  # the invoice was not written yet


@pytest.mark.parametrize(
    ("paid_on", "count"),
    [pytest.param("2025-06-30", 0, id="twelve months ago"), pytest.param("2025-07-01", 1, id="the day after")],
)
def test_late_payments_of_the_last_twelve_months(paid_on, count):
    assert record([paid(1, paid_on=paid_on)]).late_payments == count


def test_business_done():
    invoices = [
        Dated(day("2024-03-31"), D(100), "INV-1"),
        Dated(day("2025-06-30"), D(100), "INV-2"),
        Dated(day("2025-07-01"), D(100), "INV-3"),
        Dated(day("2026-06-30"), D(200), "INV-4"),
        Dated(day("2026-06-30"), D(-50), "CN-1"),
        Dated(day("2026-07-01"), D(999), "INV-5"),
    ]
    trade = record(invoices=invoices, receipts=[Dated(day("2026-05-02"), D(70))], months=2).trade
    assert (trade.months_as_customer, trade.invoices_12_months) == (27, 2)  # 31 March and 27 months is 30 June
    assert trade.sales == (Month(day("2026-06-01"), 30, D(150)), Month(day("2026-05-01"), 31, D(0)))
    assert [month.amount for month in trade.collections] == [0, 70]


@pytest.mark.parametrize(
    ("as_of", "running", "first", "days"),
    [
        pytest.param("2026-06-29", False, "2026-05-01", 31, id="only whole months"),
        pytest.param("2026-06-30", False, "2026-06-01", 30, id="a month is whole on its last day"),
        pytest.param("2026-06-29", True, "2026-06-01", 29, id="the running month with its days so far"),
        pytest.param("2026-03-30", False, "2026-02-01", 28, id="after a short month"),
        pytest.param("2024-02-29", False, "2024-02-01", 29, id="leap year"),
    ],
)
def test_the_newest_month(as_of, running, first, days):
    newest = by_month([], as_of=day(as_of), months=3, running=running)[0]
    assert (newest.first, newest.days) == (day(first), days)


def test_facts_are_those_the_policy_asks_for():
    book = yaml.safe_load((Path(module.__file__).parent / "policy.yaml").read_text("utf-8"))
    asked = {question["fact"] for group in book["scorecard"] for question in group["questions"]}
    asked |= {trigger["fact"] for trigger in book["triggers"]}
    found = facts(record([paid(3)], [owed(91)], invoices=[Dated(day("2026-01-01"), D(1))]))
    assert found.keys() <= asked and all(isinstance(value, Decimal) for value in found.values())
    assert found.keys() >= {"on_time_share", "mean_days_late", "max_days_late", "overdue_share", "overdue_days_now"}


def test_what_is_not_known_is_missing_and_never_zero():
    assert facts(record()) == {"overdue_share": 0, "overdue_days_now": 0, "invoices_12_months": 0}


ROWS = st.lists(
    st.builds(
        paid,
        late=st.integers(-60, 200),
        amount=st.integers(1, 10**6),
        document=st.sampled_from(["INV-1", "INV-2", "INV-3"]),
        paid_on=st.dates(date(2025, 1, 1), date(2026, 12, 31)).map(str),
        contested=st.booleans(),
    ),
    max_size=10,
)
OPEN = st.lists(
    st.builds(owed, late=st.integers(-60, 200), amount=st.integers(1, 10**6), contested=st.integers(0, 10**6)),
    max_size=6,
)


@given(ROWS, OPEN)
def test_figures_stay_within_their_bounds(rows, items):
    found = record(rows, items)
    for share in (found.punctuality.on_time_share, found.punctuality.on_time_share_by_count, found.owing.overdue_share):
        assert share is None or 0 <= share <= 1
    if found.punctuality.mean_days_late is not None:
        assert 0 <= found.punctuality.mean_days_late <= found.punctuality.max_days_late
    assert found.owing.overdue_amount + found.owing.contested_amount <= found.owing.open_amount


@given(ROWS, OPEN)
def test_what_was_paid_later_does_not_matter_then_whoever_looks_back(rows, items):
    as_of = date(2026, 3, 31)
    later = [row for row in rows if row.paid_on > as_of]
    reopened = [
        OpenItem("acme", r.document, 1, r.due_on, r.dated_on, r.amount, "CNY", r.amount * r.contested) for r in later
    ]
    known_then = [row for row in rows if row.paid_on <= as_of]
    assert record(rows, items, as_of=as_of) == record(known_then, items + reopened, as_of=as_of)
