"""May this order ship? The worked table of domain 1.2, every reason, and what must hold for any numbers at all."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import order_check
from shouxin.rules.line import Limit
from shouxin.rules.order_check import Asked, Facts, check
from shouxin.rules.policy import REASON_CODES, Discount, Grade, Policy

BOOK = Path(order_check.__file__).parent / "policy.yaml"
POLICY = Policy.model_validate(yaml.safe_load(BOOK.read_text("utf-8")))
TODAY = date(2026, 11, 23)
GOOD = Facts(grade=Grade.B, limit=Limit.of(Decimal(500000)), term_days=30, line_until=date(2027, 6, 30))


def decide(amount: str, facts: Facts = GOOD, **asked: object) -> order_check.Decision:
    return check(POLICY, Asked(Decimal(amount), **asked), facts, today=TODAY)  # type: ignore[arg-type]


def codes(decision: order_check.Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


@pytest.mark.clause("A11")
@pytest.mark.invariant("I-1")
@pytest.mark.parametrize(
    ("exposure", "amount", "outcome"),
    [
        pytest.param("430000", "100000", "approve", id="fits with the temporary limit"),
        pytest.param("430000", "120000.01", "hold", id="one cent over"),
        pytest.param("0", "550000", "approve", id="equal passes"),
    ],
)
def test_the_worked_table(exposure: str, amount: str, outcome: str) -> None:
    facts = replace(GOOD, temporary=Decimal(50000), exposure=Decimal(exposure))
    assert decide(amount, facts).outcome == outcome


def test_an_order_of_one_is_held_when_an_item_is_95_days_overdue() -> None:
    decision = decide("1", replace(GOOD, overdue_days=95, overdue_amount=Decimal(10000), exposure=Decimal(10000)))
    assert decision.outcome == "hold"
    assert codes(decision) == ["overdue_days"]
    assert decision.reasons[0].measured == 95
    assert [cure.code for cure in decision.reasons[0].cures] == ["pay_overdue"]


BREACHES = {
    "blacklisted": {"standing": "blacklisted"},
    "suspended": {"standing": "suspended"},
    "stopped": {"standing": "stopped"},
    "cash_only": {"standing": "cash_only"},
    "no_line": {"limit": Limit.unset(), "line_until": None},
    "line_expired": {"line_until": TODAY - timedelta(days=1)},
    "limit_exceeded": {"exposure": Decimal(500000)},
    "group_limit_exceeded": {"group_limit": Limit.of(Decimal(10)), "group_exposure": Decimal(10)},
    "overdue_days": {"overdue_days": 16, "overdue_amount": Decimal(500)},
    "dunning_level": {"dunning_stage": 3},
    "review_overdue": {"review_due_on": TODAY - timedelta(days=31)},
    "contract_stopped": {"contract_stopped": "HT-1"},
    "unknown_customer": {"known": False},
    "currency_unknown": {"missing_rate": "USD"},
    "proof_failed": {"parked": "difference 0.01"},
}


@pytest.mark.parametrize(("code", "change"), BREACHES.items(), ids=BREACHES.keys())
def test_each_breach_is_named_and_never_approved(code: str, change: dict[str, object]) -> None:
    decision = decide("100", replace(GOOD, **change))  # type: ignore[arg-type]
    assert code in codes(decision)
    assert decision.outcome == POLICY.severity(code, Grade.B)
    assert decision.outcome in ("hold", "decline")


def test_an_overdue_sum_a_large_document_and_looser_terms_are_named() -> None:
    book = POLICY.model_copy(update={"order_check": POLICY.order_check.model_copy(update={"overdue_amount_max": 100})})
    facts = replace(GOOD, grade=Grade.C, overdue_amount=Decimal(101), limit=Limit.of(Decimal(10**7)))
    decision = check(book, Asked(Decimal(600000), term_days=31), facts, today=TODAY)
    assert codes(decision) == ["overdue_amount", "document_too_large", "terms_loosened"]


def test_a_larger_cash_discount_than_the_line_grants_is_named_with_what_is_granted() -> None:
    two, three = Discount(percent=Decimal("2.00"), days=10), Discount(percent=Decimal("3.50"), days=10)
    [reason] = decide("1", replace(GOOD, discount=two), discount=three).reasons
    assert (reason.code, reason.measured, reason.allowed) == ("terms_loosened", "3.5/10", "2/10")
    assert [(cure.code, cure.value) for cure in reason.cures] == [("discount_to", "2/10")]
    assert decide("1", discount=two).reasons[0].allowed == "0"
    assert not decide("1", replace(GOOD, discount=two), discount=two).reasons


def test_every_published_code_has_a_check_in_the_published_order() -> None:
    assert tuple(code for code, _ in order_check.CHECKS) == REASON_CODES


def test_all_reasons_are_listed_in_order() -> None:
    facts = replace(GOOD, standing="stopped", exposure=Decimal(500000), overdue_days=40, overdue_amount=Decimal(9))
    assert codes(decide("1", facts)) == ["stopped", "limit_exceeded", "overdue_days"]


class TestFourKindsOfLimit:
    """Not set, none, an amount, unlimited: four answers (Tryton's None and 0, both asserted)."""

    def test_not_set_means_nobody_has_decided(self) -> None:
        assert codes(decide("1", Facts())) == ["no_line"]

    def test_none_means_cash(self) -> None:
        decision = decide("1", replace(GOOD, limit=Limit.none()))
        assert codes(decision) == ["cash_only", "limit_exceeded"]
        assert decision.available_before == 0

    def test_a_temporary_limit_gives_room_even_on_none(self) -> None:
        assert decide("10", replace(GOOD, limit=Limit.none(), temporary=Decimal(10))).outcome == "approve"

    def test_a_temporary_limit_without_a_line_is_all_there_is(self) -> None:
        facts = Facts(temporary=Decimal(50000))
        assert [decide(amount, facts).outcome for amount in ("50000", "50000.01")] == ["approve", "hold"]

    def test_a_cap_of_nothing_is_a_cap(self) -> None:
        assert "document_too_large" in codes(decide("50", replace(GOOD, grade=Grade.D, limit=Limit.of(Decimal(100)))))

    def test_unlimited_holds_anything(self) -> None:
        decision = decide("9999999999999", replace(GOOD, limit=Limit.unlimited(), exposure=Decimal(10**12)))
        assert (decision.outcome, decision.available_before) == ("approve", None)


@pytest.mark.parametrize("asked", [{"prepaid": True}, {}], ids=["prepaid", "lowers risk"])
def test_what_carries_no_risk_is_never_held_for_credit(asked: dict[str, object]) -> None:
    facts = replace(
        GOOD, standing="cash_only", exposure=Decimal(10**9), overdue_days=400, overdue_amount=Decimal(10**6)
    )
    assert decide("100" if asked else "-100", facts, **asked).outcome == "approve"


@pytest.mark.invariant("I-20")
@pytest.mark.clause("B2.5")
def test_a_blacklisted_customer_gets_nothing_by_any_path() -> None:
    facts = replace(GOOD, standing="blacklisted")
    assert decide("100", facts, prepaid=True).outcome == "decline"
    assert decide("100", order_check.with_release(facts, Decimal(10**9))).outcome == "decline"


@pytest.mark.invariant("I-19")
def test_a_release_covers_its_amount_and_not_a_cent_more() -> None:
    facts = order_check.with_release(replace(GOOD, exposure=Decimal(500000)), Decimal("100.00"))
    assert decide("100", facts).outcome == "approve"
    assert [reason.severity for reason in decide("100", facts).reasons] == ["released"]
    assert decide("100.01", facts).outcome == "hold"


@pytest.mark.invariant("I-7")
def test_without_a_rate_no_amount_is_judged_and_nothing_approved() -> None:
    facts = order_check.with_release(replace(GOOD, missing_rate="CAD", exposure=Decimal(10**9)), Decimal(10**9))
    assert (decide("1", facts).outcome, codes(decide("1", facts))) == ("hold", ["currency_unknown"])


amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**9), places=2)


@given(limit=amounts, exposure=amounts, amount=amounts)
def test_approved_means_it_fits_and_it_fits_means_approved(limit: Decimal, exposure: Decimal, amount: Decimal) -> None:
    decision = check(POLICY, Asked(amount), replace(GOOD, limit=Limit.of(limit), exposure=exposure), today=TODAY)
    assert (decision.outcome == "approve") == (exposure + amount <= limit)


@given(limit=amounts, exposure=amounts, amount=amounts)
def test_each_cure_cures(limit: Decimal, exposure: Decimal, amount: Decimal) -> None:
    facts = replace(GOOD, limit=Limit.of(limit), exposure=exposure)
    for reason in check(POLICY, Asked(amount), facts, today=TODAY).reasons:
        for cure in reason.cures:
            assert isinstance(cure.value, Decimal)
            cured = {
                "pay": (Asked(amount), replace(facts, exposure=exposure - cure.value)),
                "reduce_to": (Asked(cure.value), facts),
                "raise_line": (Asked(amount), replace(facts, limit=Limit.of(cure.value))),
            }[cure.code]
            assert check(POLICY, *cured, today=TODAY).outcome == "approve"


@given(amount=amounts, more=amounts, exposure=amounts)
def test_a_larger_order_never_fares_better(amount: Decimal, more: Decimal, exposure: Decimal) -> None:
    rank = {"approve": 0, "hold": 1, "decline": 2}
    facts = replace(GOOD, exposure=exposure)
    small, large = decide(str(amount), facts), decide(str(amount + more), facts)
    assert rank[small.outcome] <= rank[large.outcome]
