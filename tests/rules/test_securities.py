"""How far securities raise a line, and the guarantee periods of the Civil Code."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import securities as rule
from shouxin.rules.line import Limit
from shouxin.rules.policy import SECURITY_KINDS, Grade, Policy
from shouxin.rules.securities import Security
from tests.book import book

pytestmark = pytest.mark.clause("B2.1")
D = Decimal
WORTH = {"CNY": D(1), "USD": D("7.1200")}
amounts = st.decimals(min_value=0, max_value=D("9999999999.99"), places=2)
held = st.builds(Security, st.sampled_from(SECURITY_KINDS), amounts, st.sampled_from(["CNY", "USD", "XAU"]))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return book()


def cover(policy: Policy, *securities: Security, limit: object = 100000, **more: object) -> rule.Cover:
    given = {"worth": WORTH.get, **more}
    return rule.cover(policy, securities, Limit.of(D(str(limit))), Grade.B, **given)  # type: ignore[arg-type]


def test_each_kind_counts_with_its_share(policy: Policy) -> None:
    assert cover(policy, Security("mortgage", D("50000.01"), "CNY")).amount == D("30000.00")
    assert cover(policy, Security("general_guarantee", D(50000), "CNY")).amount == D(10000)
    assert cover(policy, Security("deposit", D(1000), "USD")).amount == D("7120.00")


def test_together_they_raise_no_further_than_the_cap(policy: Policy) -> None:
    found = cover(policy, Security("deposit", D(80000), "CNY"), Security("bank_guarantee", D(50000), "CNY"))
    assert (found.amount, found.counted, found.capped) == (D(100000), D(130000), True)
    capped = policy.model_copy(update={"securities": policy.securities.model_copy(update={"raise_max": D(5000)})})
    assert cover(capped, Security("deposit", D(80000), "CNY")).amount == D(5000)


def test_a_currency_without_a_rate_counts_for_nothing_and_is_named(policy: Policy) -> None:
    found = cover(policy, Security("deposit", D(10), "XAU"), Security("deposit", D(7), "CNY"))
    assert (found.amount, found.missing) == (D(7), ("XAU",))


def test_a_deposit_the_journal_sets_off_is_not_counted_again(policy: Policy) -> None:
    deposit, insurance = Security("deposit", D(1000), "CNY"), Security("insurance", D(1000), "CNY")
    assert cover(policy, deposit, insurance, deposits_held=D(400)).amount == D(1400)
    assert cover(policy, deposit, insurance, deposits_held=D(5000)).amount == D(800)


@pytest.mark.parametrize("limit", [Limit.unset(), Limit.none(), Limit.unlimited()], ids=lambda limit: limit.kind)
def test_only_an_amount_is_raised(policy: Policy, limit: Limit) -> None:
    deposit = Security("deposit", D(1000), "CNY")
    assert rule.cover(policy, [deposit], limit, Grade.B, worth=WORTH.get) == rule.NO_COVER
    assert rule.raised(limit, D(0), D(1000)) == limit


def test_a_grade_the_policy_leaves_out_is_not_raised(policy: Policy) -> None:
    deposit = Security("deposit", D(1000), "CNY")
    for grade in (Grade.D, None):
        assert rule.cover(policy, [deposit], Limit.of(D(10)), grade, worth=WORTH.get) == rule.NO_COVER


@given(st.lists(held, max_size=6), amounts, amounts)
def test_never_above_cap_nor_value_nor_below_zero(
    securities: list[Security], limit: Decimal, deposits: Decimal
) -> None:
    policy = book()
    base = Limit.of(limit)
    found = rule.cover(policy, securities, base, Grade.A, worth=WORTH.get, deposits_held=deposits)
    value = sum((rule.convert(each.value, WORTH[each.currency]) for each in securities if each.currency in WORTH), D(0))
    assert 0 <= found.amount <= min(value, limit * policy.securities.raise_share_max)
    total = rule.raised(base, D(0), found.amount)
    assert (total.bound or D(0)) == (base.bound or D(0)) + (found.amount if base.kind == "amount" else 0)


@given(st.lists(held, min_size=1, max_size=6), amounts)
def test_taking_one_away_never_raises(securities: list[Security], limit: Decimal) -> None:
    policy = book()
    more = rule.cover(policy, securities, Limit.of(limit), Grade.B, worth=WORTH.get)
    less = rule.cover(policy, securities[1:], Limit.of(limit), Grade.B, worth=WORTH.get)
    assert less.amount <= more.amount


@pytest.mark.parametrize(
    ("due", "agreed", "last"),
    [
        pytest.param(date(2025, 8, 31), None, date(2026, 2, 28), id="none agreed: six months (art. 692)"),
        pytest.param(date(2025, 8, 31), date(2026, 8, 31), date(2026, 8, 31), id="as agreed"),
        pytest.param(date(2025, 8, 31), date(2025, 8, 31), date(2026, 2, 28), id="ends with the debt: none agreed"),
        pytest.param(date(2025, 8, 31), date(2025, 5, 1), date(2026, 2, 28), id="ends before the debt: none agreed"),
        pytest.param(date(2025, 3, 31), None, date(2025, 9, 30), id="no corresponding day"),
        pytest.param(date(2023, 8, 29), None, date(2024, 2, 29), id="leap year"),
    ],
)
def test_the_guarantee_period(due: date, agreed: date | None, last: date) -> None:
    assert rule.claim_until(due, agreed) == last
    assert not rule.claim_lost(due, agreed, last)
    assert rule.claim_lost(due, agreed, date.fromordinal(last.toordinal() + 1))
