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


HUNDRED, PREPAY = Decimal(100), ("prepay", Decimal(100))
TOLD: dict[str, tuple[object, object, tuple[tuple[str, object], ...]]] = {
    "blacklisted": ("blacklisted", "good", (("appeal", None),)),
    "suspended": ("suspended", "good", (("lift_suspension", None),)),
    "stopped": ("stopped", "good", (("lift_stop", None),)),
    "cash_only": ("cash_only", "prepaid", (PREPAY,)),
    "no_line": (None, None, (("request_line", HUNDRED), PREPAY)),
    "line_expired": (TODAY, TODAY - timedelta(days=1), (("renew_line", None), PREPAY)),
    "limit_exceeded": (Decimal(500100), Decimal(500000), (("pay", HUNDRED), ("raise_line", Decimal(500100)))),
    "group_limit_exceeded": (Decimal(110), Decimal(10), (("pay", HUNDRED), ("raise_line", Decimal(110)))),
    "overdue_days": (16, 15, (("pay_overdue", Decimal(500)),)),
    "dunning_level": (3, 2, (("pay_overdue", Decimal(0)),)),
    "review_overdue": (TODAY, TODAY - timedelta(days=31), (("review", None),)),
    "contract_stopped": ("HT-1", None, (("resume_contract", None),)),
    "unknown_customer": (None, None, (("register", None),)),
    "currency_unknown": ("USD", None, (("put_rate", None),)),
    "proof_failed": ("difference 0.01", None, (("mend_account", None),)),
}
"""Code -> what was measured, what is allowed, what would cure it, for an order of a hundred."""


@pytest.mark.parametrize("code", BREACHES)
def test_each_reason_tells_what_was_measured_what_is_allowed_and_what_cures(code: str) -> None:
    [reason] = decide("100", replace(GOOD, **BREACHES[code])).reasons  # type: ignore[arg-type]
    cures = tuple((cure.code, cure.value) for cure in reason.cures)
    assert (reason.code, (reason.measured, reason.allowed, cures), reason.secured) == (code, TOLD[code], 0)


EDGES = {
    "line_expired": ({"line_until": TODAY}, {"line_until": TODAY - timedelta(days=1)}),
    "limit_exceeded": ({"exposure": Decimal(499900)}, {"exposure": Decimal("499900.01")}),
    "group_limit_exceeded": (
        {"group_limit": Limit.of(Decimal(200)), "group_exposure": HUNDRED},
        {"group_limit": Limit.of(Decimal(200)), "group_exposure": Decimal("100.01")},
    ),
    "overdue_days": (
        {"overdue_days": 15, "overdue_amount": Decimal(500)},
        {"overdue_days": 16, "overdue_amount": Decimal(500)},
    ),
    "dunning_level": ({"dunning_stage": 2}, {"dunning_stage": 3}),
    "review_overdue": ({"review_due_on": TODAY - timedelta(days=30)}, {"review_due_on": TODAY - timedelta(days=31)}),
}


@pytest.mark.parametrize("code", EDGES)
def test_at_the_bound_nothing_fails_and_one_step_beyond_it_does(code: str) -> None:
    at, beyond = EDGES[code]
    assert codes(decide("100", replace(GOOD, **at))) == []  # type: ignore[arg-type]
    assert codes(decide("100", replace(GOOD, **beyond))) == [code]  # type: ignore[arg-type]


def book(**changed: object) -> Policy:
    """The policy with other numbers for the order check."""
    return POLICY.model_copy(update={"order_check": POLICY.order_check.model_copy(update=changed)})


def test_days_of_grace_let_a_line_and_a_review_run_on() -> None:
    late = replace(GOOD, line_until=TODAY - timedelta(days=3), review_due_on=TODAY - timedelta(days=3))
    for days, expected in ((3, []), (2, ["line_expired", "review_overdue"])):
        decision = check(book(line_grace_days=days, review_grace_days=days), Asked(HUNDRED), late, today=TODAY)
        assert codes(decision) == expected
    assert decision.available_before == 0, "nothing is left in a line that has run out"


def test_small_residues_hold_nothing_and_a_sum_is_borne_to_the_cent() -> None:
    rules = book(overdue_amount_min=Decimal(50), overdue_amount_max=Decimal(80))
    for amount, expected in (("50.00", []), ("50.01", ["overdue_days"]), ("80.00", ["overdue_days"]),
                             ("80.01", ["overdue_days", "overdue_amount"])):  # fmt: skip
        facts = replace(GOOD, overdue_days=90, overdue_amount=Decimal(amount))
        reasons = check(rules, Asked(HUNDRED), facts, today=TODAY).reasons
        assert [reason.code for reason in reasons] == expected
    assert (reasons[1].measured, reasons[1].allowed) == (Decimal("80.01"), Decimal(80))
    assert [(cure.code, cure.value) for cure in reasons[1].cures] == [("pay_overdue", Decimal("0.01"))]


def test_without_a_grade_the_strictest_counts_for_days_and_none_for_the_size_of_an_order() -> None:
    facts = replace(GOOD, grade=None, overdue_days=1, overdue_amount=HUNDRED, limit=Limit.of(Decimal(10**9)))
    allowed = POLICY.grades[Grade.D].overdue_days_max
    assert codes(decide("1", replace(facts, overdue_days=allowed))) == []
    assert codes(decide(str(10**8), replace(facts, overdue_days=allowed + 1))) == ["overdue_days"]


def test_a_document_may_be_as_large_as_its_grade_says() -> None:
    most = POLICY.grades[Grade.C].document_max
    assert most
    facts = replace(GOOD, grade=Grade.C, limit=Limit.of(Decimal(10**9)))
    assert codes(decide(str(most), facts)) == []
    [reason] = decide(str(most + 1), facts).reasons
    assert (reason.code, reason.measured, reason.allowed) == ("document_too_large", most + 1, most)
    assert [(cure.code, cure.value) for cure in reason.cures] == [("reduce_to", most), ("prepay", most + 1)]
    grades = POLICY.grades | {Grade.C: POLICY.grades[Grade.C].model_copy(update={"document_max": Decimal(0)})}
    [none] = check(POLICY.model_copy(update={"grades": grades}), Asked(HUNDRED), facts, today=TODAY).reasons
    assert [cure.code for cure in none.cures] == ["prepay"], "an order of nothing is no cure"


def test_no_credit_is_told_as_a_line_of_nothing_unless_a_temporary_limit_stands() -> None:
    none = replace(GOOD, limit=Limit.none())
    assert [(reason.code, reason.measured) for reason in decide("100", none).reasons] == [
        ("cash_only", Decimal(0)),
        ("limit_exceeded", HUNDRED),
    ]
    assert codes(decide("100", replace(none, temporary=HUNDRED))) == []
    unset = replace(GOOD, limit=Limit.unset(), line_until=None)
    assert codes(decide("100", replace(unset, temporary=HUNDRED))) == []
    assert codes(decide("100", replace(unset, line_until=TODAY - timedelta(days=9)))) == ["no_line"]


def test_a_smaller_order_cures_where_there_is_room_to_the_cent() -> None:
    [full] = decide("100", replace(GOOD, exposure=Decimal(500000))).reasons
    [room] = decide("100", replace(GOOD, exposure=Decimal("499999.99"))).reasons
    assert [cure.code for cure in full.cures] == ["pay", "raise_line"]
    assert ("reduce_to", Decimal("0.01")) in [(cure.code, cure.value) for cure in room.cures]


def test_what_securities_add_is_told_with_the_bound_it_raises() -> None:
    facts = replace(GOOD, secured=Decimal(1000), exposure=Decimal(501000))
    [reason] = decide("100", facts).reasons
    assert (reason.code, reason.allowed, reason.secured) == ("limit_exceeded", Decimal(501000), Decimal(1000))
    assert codes(decide("100", replace(facts, exposure=Decimal(500900)))) == []


def test_the_room_left_is_told_before_and_after_and_never_below_zero() -> None:
    def room(amount: str, facts: Facts = GOOD, **asked: object) -> tuple[Decimal | None, Decimal | None]:
        decision = decide(amount, facts, **asked)
        return decision.available_before, decision.available_after

    used = replace(GOOD, exposure=Decimal(499900))
    assert room("100", used) == (HUNDRED, 0)
    assert room("40", used, prepaid=True) == (HUNDRED, HUNDRED)
    assert room("101", used) == (HUNDRED, HUNDRED), "what is held takes nothing"
    assert room("1", replace(GOOD, exposure=Decimal(600000))) == (0, 0)
    assert room("1", replace(GOOD, limit=Limit.unlimited())) == (None, None)
    assert room("1", replace(GOOD, limit=Limit.none())) == (0, 0)
    assert room("1", replace(GOOD, limit=Limit.unset())) == (None, None)
    assert room("1", replace(GOOD, missing_rate="USD")) == (None, None)


def test_an_overdue_sum_a_large_document_and_looser_terms_are_named() -> None:
    facts = replace(GOOD, grade=Grade.C, overdue_amount=Decimal(101), limit=Limit.of(Decimal(10**7)))
    decision = check(book(overdue_amount_max=100), Asked(Decimal(600000), term_days=31), facts, today=TODAY)
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


def test_a_longer_term_is_told_with_both_terms_and_its_cure() -> None:
    (reason,) = decide("1", term_days=31).reasons
    assert (reason.code, reason.measured, reason.allowed) == ("terms_loosened", 31, 30)
    assert reason.cures == (order_check.Cure("term_to", 30),)


def test_a_grade_has_a_severity_of_its_own() -> None:
    over = {"exposure": Decimal(500000), "temporary": Decimal(0)}
    outcomes = {grade: decide("1", replace(GOOD, grade=grade, **over)).outcome for grade in Grade}  # type: ignore[arg-type]
    assert outcomes == {grade: POLICY.severity("limit_exceeded", grade) for grade in Grade}
    assert set(outcomes.values()) == {"hold", "decline"}


def test_an_order_of_nothing_carries_no_risk() -> None:
    assert codes(decide("0", replace(GOOD, exposure=Decimal(600000), overdue_days=99))) == []
    assert codes(decide("0", replace(GOOD, standing="blacklisted"))) == ["blacklisted"]


def test_a_line_that_has_run_out_is_not_told_as_too_small_as_well() -> None:
    facts = replace(GOOD, line_until=TODAY - timedelta(days=99), exposure=Decimal(600000))
    assert codes(decide("1", facts)) == ["line_expired"]


def test_a_missing_rate_hides_only_what_cannot_be_measured() -> None:
    facts = replace(GOOD, missing_rate="USD", exposure=Decimal(600000), overdue_days=99, dunning_stage=3)
    found = codes(decide("1", facts))
    assert {"currency_unknown", "dunning_level"} <= set(found) and "limit_exceeded" not in found
