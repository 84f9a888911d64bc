"""Trees of groups, powers of attorney, the counterparty's checklist, the blacklist's table: rules as such."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules import agency, blacklist, counterparty, groups

HALF = Decimal(50)
DAY = date(2026, 11, 24)
ties = st.lists(
    st.builds(
        groups.Tie,
        child=st.integers(1, 12),
        parent=st.integers(1, 12),
        kind=st.sampled_from(groups.KINDS),
        percent=st.none() | st.integers(1, 100).map(Decimal),
    ),
    max_size=20,
)


def grown(wanted: list[groups.Tie]) -> dict[int, groups.Tie]:
    """The ties as the house would take them: one parent each, no ring."""
    found: dict[int, groups.Tie] = {}
    for tie in wanted:
        if not groups.closes_ring(tie.child, tie.parent, found):
            found[tie.child] = tie
    return found


@given(ties)
def test_nobody_is_ever_its_own_parent_and_each_is_drawn_once(wanted: list[groups.Tie]) -> None:
    found = grown(wanted)
    assert all(child not in up for child, up in groups.parents(found.values(), HALF).items())
    tops = {tie.parent for tie in found.values()} - set(found)
    drawn = [node.customer for top in tops for node in groups.tree(top, found.values(), HALF)]
    assert sorted(drawn) == sorted(set(found) | tops)


@given(ties)
def test_the_head_of_a_member_has_no_parent_that_binds_it(wanted: list[groups.Tie]) -> None:
    up = groups.parents(grown(wanted).values(), HALF)
    assert all(not up.get(above[-1]) for above in up.values() if above)


@given(ties)
def test_a_ring_in_the_rows_ends_the_walk(wanted: list[groups.Tie]) -> None:
    anything = {tie.child: tie for tie in wanted}
    assert all(len(set(groups.above(child, anything))) <= 12 for child in anything)


@pytest.mark.parametrize(
    ("tie", "bound"),
    [
        (groups.Tie(1, 2, "branch"), True),
        (groups.Tie(1, 2, "controlled", Decimal(10)), True),
        (groups.Tie(1, 2, "subsidiary", Decimal(50)), True),
        (groups.Tie(1, 2, "subsidiary", Decimal("49.99")), False),
        (groups.Tie(1, 2, "subsidiary"), True),
        (groups.Tie(1, 2, "affiliate", Decimal(90)), False),
    ],
)
def test_what_binds(tie: groups.Tie, bound: bool) -> None:
    assert groups.binds(tie, HALF) is bound


@given(ties)
def test_a_ring_in_the_rows_is_drawn_once(wanted: list[groups.Tie]) -> None:
    drawn = [node.customer for node in groups.tree(1, wanted, HALF)]
    assert drawn[0] == 1 and len(drawn) == len(set(drawn))


def test_the_share_goes_through_the_chain() -> None:
    chain = [groups.Tie(2, 1, "subsidiary", Decimal(80)), groups.Tie(3, 2, "branch"),
             groups.Tie(4, 3, "subsidiary", Decimal(40)), groups.Tie(5, 4, "controlled")]  # fmt: skip
    drawn = groups.tree(1, chain, HALF)
    assert [(node.customer, node.depth, node.share, node.bound) for node in drawn] == [
        (1, 0, 100, True), (2, 1, 80, True), (3, 2, 80, True), (4, 3, 32, False), (5, 4, None, False)
    ]  # fmt: skip


# --- agency --------------------------------------------------------------------------------------

POWER = agency.Power("王五", frozenset({"place_order"}), "轴承", DAY - timedelta(10), DAY, True, Decimal(1000), "CNY")
ORDER = agency.Act("place_order", DAY, Decimal(1000), "CNY")


def codes(power: agency.Power, act: agency.Act = ORDER) -> list[str]:
    return [reason.code for reason in agency.may_sign(power, act)]


@pytest.mark.clause("B1.2")
@pytest.mark.parametrize(
    ("changes", "act", "wanted"),
    [
        pytest.param({}, ORDER, [], id="exactly the amount, on the last day"),
        pytest.param({}, replace(ORDER, amount=Decimal("1000.01")), ["beyond_amount"], id="one cent more"),
        pytest.param({}, replace(ORDER, on=DAY + timedelta(1)), ["expired"], id="one day too late"),
        pytest.param({}, replace(ORDER, on=DAY - timedelta(11)), ["not_begun"], id="one day too early"),
        pytest.param({}, replace(ORDER, currency="USD"), ["other_currency"], id="another currency"),
        pytest.param({}, replace(ORDER, matter="sign_contract"), ["other_matter"], id="another matter"),
        pytest.param({"revoked_on": DAY}, ORDER, ["revoked"], id="revoked today"),
        pytest.param({"revoked_on": DAY + timedelta(1)}, ORDER, [], id="revoked tomorrow"),
        pytest.param({"amount_max": None}, replace(ORDER, amount=Decimal(10**9)), [], id="no bound"),
        pytest.param({"principal_stands": "blacklisted"}, ORDER, ["principal_blacklisted"], id="blacklisted"),
        pytest.param(
            {"agent": " ", "matters": frozenset(), "scope": "", "until": None, "sealed": False},
            ORDER,
            ["lacks_agent", "lacks_matters", "lacks_scope", "lacks_period", "lacks_seal", "other_matter"],
            id="an empty paper: every reason is listed",
        ),
    ],
)
def test_what_an_agent_may_sign(changes: dict, act: agency.Act, wanted: list[str]) -> None:  # type: ignore[type-arg]
    assert codes(replace(POWER, **changes), act) == wanted


@given(st.integers(1, 10**6).map(Decimal), st.integers(0, 10**6).map(Decimal), st.integers(-30, 30))
def test_nothing_beyond_amount_or_period_is_ever_signed(bound: Decimal, amount: Decimal, days: int) -> None:
    act = replace(ORDER, amount=amount, on=DAY + timedelta(days))
    may = not codes(replace(POWER, amount_max=bound), act)
    assert may == (amount <= bound and POWER.since <= act.on <= POWER.until)  # type: ignore[operator]


# --- the checklist -------------------------------------------------------------------------------

GOOD = counterparty.Facts(
    on=DAY, code_problem="", registration="in_business", licence_until=DAY, licence_checked_on=DAY - timedelta(180),
    scope_covers=True, abnormal=False, dishonest=False, serious_offender=False, dissolved=False, grade="C",
    has_line=True, line_until=DAY, available=Decimal(100), needed=Decimal(100), overdue_days=30, delivered=1,
    cancelled=1, lawsuits=3, judgment_debtor=False,
)  # fmt: skip
FAULTS = {
    "code": {"code_problem": "check_digit"}, "registration": {"registration": "revoked"},
    "licence": {"licence_until": DAY - timedelta(1)}, "scope": {"scope_covers": False},
    "fresh": {"licence_checked_on": DAY - timedelta(181)}, "abnormal": {"abnormal": True},
    "dishonest": {"dishonest": True}, "serious": {"serious_offender": True}, "blacklist": {"persons_listed": ("张三",)},
    "grade": {"grade": "D"}, "room": {"available": Decimal("99.99")}, "overdue": {"overdue_days": 31},
    "deliveries": {"cancelled": 2}, "litigation": {"lawsuits": 4},
}  # fmt: skip
UNKNOWN = {
    "code": {"code_problem": None}, "registration": {"registration": None}, "licence": {"licence_until": None},
    "scope": {"scope_covers": None}, "fresh": {"licence_checked_on": None}, "abnormal": {"abnormal": None},
    "dishonest": {"dishonest": None}, "serious": {"serious_offender": None}, "grade": {"grade": None},
    "room": {"has_line": False}, "deliveries": {"delivered": 0, "cancelled": 0}, "litigation": {"lawsuits": None},
}  # fmt: skip


def fallen(facts: counterparty.Facts) -> dict[str, str]:
    """What does not pass."""
    items = counterparty.check(facts, counterparty.Bounds())
    return {item.key: item.outcome for item in items if item.outcome != "pass"}


@pytest.mark.clause("B1.1", "B1.3")
def test_a_counterparty_at_every_bound_passes_and_every_item_can_fail_alone() -> None:
    assert fallen(GOOD) == {}
    assert {key: fallen(replace(GOOD, **change)) for key, change in FAULTS.items()} == {
        key: {key: "fail"} for key in FAULTS
    }
    assert set(FAULTS) == {key for key, _clause, _rule in counterparty.CHECKS}


@pytest.mark.clause("B1.1", "B1.3")
@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"dissolved": True}, "registration"),
        ({"dissolved": True, "registration": None}, "registration"),
        ({"line_until": DAY - timedelta(1)}, "room"),
        ({"judgment_debtor": True}, "litigation"),
        ({"judgment_debtor": True, "lawsuits": None}, "litigation"),
        ({"standing": "suspended"}, "blacklist"),
    ],
)
def test_what_is_certain_fails_whatever_else_is_known(change: dict[str, object], fails: str) -> None:
    facts = replace(GOOD, **change)  # type: ignore[arg-type]
    assert fallen(facts) == {fails: "fail"}
    assert counterparty.verdict(counterparty.check(facts, counterparty.Bounds())) == "fail"


@pytest.mark.clause("B1.1", "B1.3")
@pytest.mark.parametrize("key", UNKNOWN)
def test_nothing_unknown_passes_and_each_says_what_would_cure_it(key: str) -> None:
    items = counterparty.check(replace(GOOD, **UNKNOWN[key]), counterparty.Bounds())
    assert [(item.key, item.outcome, item.cure) for item in items if item.outcome != "pass"] == [
        (key, "unknown", f"{key}_unknown")
    ]
    assert counterparty.verdict(items) == "unknown"


# --- the blacklist's table -----------------------------------------------------------------------


@pytest.mark.invariant("I-20")
def test_a_listing_ends_only_by_a_proposal_to_lift_that_a_second_confirms() -> None:
    into_lifted = {step.verb: step.sources for step in blacklist.FLOW.steps if step.target == "lifted"}
    assert into_lifted == {"lift": frozenset({"leaving"})}
    leaving = {step.verb for step in blacklist.FLOW.steps if step.sources & set(blacklist.BITES)}
    assert leaving == {"appeal", "uphold", "allow", "extend", "readmit", "lift", "keep"}
    assert not {step.target for step in blacklist.FLOW.steps if step.verb in leaving} & {"declined", "withdrawn"}


@pytest.mark.invariant("I-14")
@pytest.mark.parametrize("verb", blacklist.FLOW.verbs)
def test_nobody_judges_her_own_proposal(verb: str) -> None:
    barred = blacklist.barred(verb, by=1, proposer=1, approver=2, salesperson=3)
    assert bool(barred) == (verb in ("approve", "decline", "uphold", "allow"))
    assert bool(blacklist.barred(verb, by=2, proposer=1, approver=2, salesperson=3)) == (
        verb in ("uphold", "allow", "withdraw")
    )
