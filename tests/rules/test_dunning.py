"""The dunning round, customer by customer: which stage, which letter, and why."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.rules import dunning
from shouxin.rules.aging import OpenItem
from shouxin.rules.dunning import DUNNING_REASONS, DunningFacts, decide, facts_of, stage_at, stage_of
from shouxin.rules.policy import Policy, Post

POLICY = Policy.model_validate(yaml.safe_load((Path(dunning.__file__).parent / "policy.yaml").read_text("utf-8")))
TODAY = date(2026, 6, 30)
D = Decimal


def item(overdue_days, amount="1000.00", *, contested="0", document="INV-1", **more):
    """An open item so many days overdue on TODAY (negative: days until it falls due)."""
    due_on = TODAY - timedelta(days=overdue_days)
    known = {"due_on": due_on, "dated_on": min(due_on, TODAY) - timedelta(days=30), "currency": "CNY"} | more
    return OpenItem("acme", document, 1, amount=D(amount), contested=D(contested), **known)


def credit(amount):
    """Money received and not applied yet, or an open credit note."""
    return item(0, f"-{amount}", document="CN-1", due_on=None)


def facts(*items, **history):
    return facts_of(POLICY, items=items, as_of=TODAY, **history)


def decision(*items, **history):
    return decide(POLICY, facts(*items, **history), today=TODAY)


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        pytest.param(-8, None, id="not yet within a week"),
        pytest.param(-7, 0, id="a week ahead"),
        (-1, 0),
        (2, 0),
        (3, 1),
        (29, 1),
        (30, 2),
        (59, 2),
        (60, 3),
        (89, 3),
        (90, 4),
        (119, 4),
        (120, 5),
        (3000, 5),
    ],
)
def test_stages_by_days(days, stage):
    assert stage_of(POLICY, items=[item(days)], as_of=TODAY) == stage


@pytest.mark.clause("C3.6")
def test_a_formal_demand():
    found = decision(item(30), episode_stage=1, last_stage=1, last_notice_on=TODAY - timedelta(days=27))
    assert (found.stage, found.notice, found.evidence, found.advanced) == (2, True, True, True)
    assert found.deadline == date(2026, 7, 10) and found.owner is Post.CREDIT_ADMINISTRATOR and found.standing is None
    assert found.reasons == ("stage_by_days", "letter")


def test_a_customer_met_at_95_days_gets_the_letter_of_that_stage_and_none_of_the_earlier():
    found = decision(item(95))
    assert (found.stage, found.notice, found.standing) == (4, True, "stopped")
    after = decision(item(95), episode_stage=4, last_stage=4, last_notice_on=TODAY)
    assert (after.stage, after.notice, after.reasons) == (4, False, ("stage_by_days", "already_sent"))


def test_legal_action_sends_no_letter_but_is_new_to_its_owner():
    found = decision(item(120), episode_stage=4, last_stage=4, last_notice_on=TODAY - timedelta(days=30))
    assert (found.stage, found.notice, found.advanced) == (5, False, True)
    assert found.owner is Post.LEGAL_REPRESENTATIVE and found.reasons[-1] == "no_letter"


@pytest.mark.parametrize(
    ("days_ago", "letter"), [pytest.param(6, "quiet", id="six days"), pytest.param(7, "letter", id="seven days")]
)
def test_quiet_days_between_letters(days_ago, letter):
    found = decision(item(30), episode_stage=1, last_stage=1, last_notice_on=TODAY - timedelta(days=days_ago))
    assert found.stage == 2 and found.reasons[-1] == letter


def test_a_letter_of_an_earlier_episode_keeps_quiet_but_is_not_this_ones():
    found = decision(item(3), last_notice_on=TODAY - timedelta(days=10))
    assert (found.stage, found.notice, found.advanced) == (1, True, True)


def test_the_stage_does_not_fall_while_something_is_overdue():
    found = decision(item(5), episode_stage=4, last_stage=4, last_notice_on=TODAY - timedelta(days=20))
    assert (found.stage, found.notice, found.advanced) == (4, False, False)
    assert found.reasons == ("stage_kept", "already_sent")


def test_a_letter_that_waited_is_not_sent_once_its_debt_is_paid():
    found = decision(item(5), episode_stage=2, last_stage=1, last_notice_on=TODAY - timedelta(days=20))
    assert (found.stage, found.notice, found.reasons) == (2, False, ("stage_kept", "no_letter"))


def test_cured_is_no_stage():
    cured = decision(item(-30), episode_stage=4, last_stage=4)
    assert cured.stage is None and not cured.running
    assert decision(episode_stage=4, last_stage=4).reasons == ("nothing_due",)


def test_between_due_date_and_first_letter_nothing_is_sent():
    for days, running in ((0, False), (1, True), (2, True)):
        found = decision(item(days))
        assert not found.notice and found.running is running


def test_contested_parts_are_left_out():
    found = decision(item(95, contested="1000.00"), item(5, "500.00", document="INV-2"))
    assert (found.stage, found.claim) == (1, D("500.00")) and "contested_left_out" in found.reasons
    assert decision(item(95, "1000.00", contested="300.00")).claim == D("700.00")


def test_credits_cover_the_oldest_claims_first():
    found = decision(item(95), item(5, "2000.00", document="INV-2"), credit("1000.00"))
    assert (found.stage, found.claim) == (1, D("2000.00")) and "credits_cover" in found.reasons
    assert decision(item(95), credit("1000.00")).stage is None


@pytest.mark.parametrize(
    ("amount", "stage"),
    [pytest.param("100.00", None, id="up to the residue"), pytest.param("100.01", 4, id="one cent more")],
)
def test_a_residue_leads_nothing(amount, stage):
    assert decision(item(95, amount)).stage == stage


def test_an_old_residue_does_not_turn_a_fresh_claim_into_a_lawyers_case():
    for residue in ("0.05", "100.00"):
        assert decision(item(95, residue), item(5, document="INV-2")).stage == 1
    assert decision(item(95, "100.01"), item(5, document="INV-2")).stage == 4


@pytest.mark.parametrize(("amount", "stages"), [("100.00", (None, None)), ("100.01", (4, 0))])
def test_the_residue_is_the_same_for_facts_from_elsewhere(amount, stages):
    overdue, soon = DunningFacts(95, D(amount)), DunningFacts(-3, D(0), D(amount))
    assert tuple(decide(POLICY, known, today=TODAY).stage for known in (overdue, soon)) == stages


def test_a_reminder_once_for_each_due_date():
    first = decision(item(-7))
    assert (first.stage, first.notice, first.owner) == (0, True, Post.SALES)
    assert first.reminded == (date(2026, 7, 7),) and first.deadline is None and not first.advanced
    again = decision(item(-7), reminded=first.reminded)
    assert (again.stage, again.notice, again.reasons) == (0, False, ("due_soon", "already_sent"))
    more = decision(item(-7), item(-3, document="INV-2"), reminded=first.reminded)
    assert more.notice and more.reminded == (date(2026, 7, 3),)


def test_reminders_keep_quiet_too():
    found = decision(item(-7), last_notice_on=TODAY - timedelta(days=6))
    assert not found.notice and found.reasons == ("due_soon", "quiet") and found.reminded == ()


def test_what_credits_cover_is_not_reminded_of():
    assert decision(item(-7), credit("1000.00")).stage is None


def test_an_item_without_due_date_counts_from_its_document_date_and_is_named():
    found = decision(item(0, due_on=None, dated_on=TODAY - timedelta(days=30)))
    assert found.stage == 2 and "no_due_date" in found.reasons


def test_days_to_come_are_negative():
    assert facts(item(-20)).oldest_overdue_days == -20
    assert facts().oldest_overdue_days is None
    assert facts(item(-20), item(4, document="INV-2")).oldest_overdue_days == 4


def test_currencies_are_asked_for_one_at_a_time():
    with pytest.raises(ValueError, match="several currencies"):
        facts(item(5), item(5, currency="USD"))


def test_a_book_that_begins_late_does_nothing_early():
    stages = tuple(stage for stage in POLICY.dunning.stages if stage.stage >= 2)
    late = POLICY.model_copy(update={"dunning": POLICY.dunning.model_copy(update={"stages": stages})})
    assert stage_at(late, 29) is None
    found = decide(late, facts(item(29)), today=TODAY)
    assert found.running and found.stage is None and found.reasons == ("before_first_stage",)
    assert decide(late, facts(item(-5)), today=TODAY).reasons == ("before_first_stage",)


def test_a_reminder_stage_may_be_a_call_without_letter():
    silent = POLICY.dunning.stages[0].model_copy(update={"notice": False})
    book = POLICY.dunning.model_copy(update={"stages": (silent, *POLICY.dunning.stages[1:])})
    found = decide(POLICY.model_copy(update={"dunning": book}), facts(item(-5)), today=TODAY)
    assert (found.stage, found.notice, found.reasons[-1]) == (0, False, "no_letter")


FACTS = st.builds(
    DunningFacts,
    oldest_overdue_days=st.none() | st.integers(-20, 200),
    overdue_amount=st.sampled_from([D(0), D(100), D("100.01"), D(5000)]),
    due_soon_amount=st.sampled_from([D(0), D(100), D(5000)]),
    contested_amount=st.sampled_from([D(0), D(100)]),
    unapplied=st.sampled_from([D(0), D(-50), D(-9000)]),
    last_stage=st.none() | st.integers(1, 5),
    last_notice_on=st.none() | st.dates(TODAY - timedelta(days=40), TODAY),
    episode_stage=st.none() | st.integers(0, 5),
    due_soon_on=st.sampled_from([(), (TODAY + timedelta(days=3),)]),
)


@given(FACTS)
def test_run_twice_on_a_day_it_sends_once(known):
    once = decide(POLICY, known, today=TODAY)
    sent = {"last_stage": once.stage, "last_notice_on": TODAY} if once.notice and not once.reminded else {}
    reminded = {"due_soon_on": (), "last_notice_on": TODAY} if once.reminded else {}
    again = decide(
        POLICY, replace(known, episode_stage=once.stage if once.running else None, **sent, **reminded), today=TODAY
    )
    assert again.stage == once.stage and not again.notice and not again.advanced
    assert (again.standing, again.owner, again.claim) == (once.standing, once.owner, once.claim)


@given(FACTS, st.integers(0, 60))
def test_older_is_never_milder(known, more):
    if known.oldest_overdue_days is None or known.oldest_overdue_days < 1:
        return
    older = replace(known, oldest_overdue_days=known.oldest_overdue_days + more)
    younger_stage, older_stage = (decide(POLICY, found, today=TODAY).stage for found in (known, older))
    assert (younger_stage is None) == (older_stage is None)
    assert younger_stage is None or older_stage >= younger_stage


@given(FACTS)
def test_reasons_are_published_in_their_order(known):
    reasons = decide(POLICY, known, today=TODAY).reasons
    places = [DUNNING_REASONS.index(reason) for reason in reasons]
    assert reasons and places == sorted(places)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 120), st.integers(0, 100), st.sampled_from([50, 500, 5000])), min_size=1, max_size=4
    ),
    st.integers(1, 9),
)
def test_half_a_year_of_rounds(bills, step):
    """Bills fall due and are paid late or never; a round runs every few days and remembers what it did."""
    start = date(2026, 1, 1)
    known = {"reminded": (), "last_stage": None, "last_notice_on": None, "episode_stage": None}
    letters = []
    for today in (start + timedelta(days=n) for n in range(0, 181, step)):
        items = [
            OpenItem("acme", f"INV-{n}", 1, start + timedelta(days=due), start - timedelta(days=30), D(amount), "CNY")
            for n, (due, late, amount) in enumerate(bills)
            if start + timedelta(days=due + late) > today
        ]
        found = decide(POLICY, facts_of(POLICY, items=items, as_of=today, **known), today=today)
        if found.running and known["episode_stage"] is not None:
            assert found.stage >= known["episode_stage"]
        if found.notice:
            assert (
                known["last_notice_on"] is None or (today - known["last_notice_on"]).days >= POLICY.dunning.quiet_days
            )
            assert found.reminded or known["last_stage"] is None or found.stage > known["last_stage"]
            assert not set(found.reminded) & set(known["reminded"])
            letters.append((today, found.stage))
            known |= {"last_notice_on": today, "reminded": (*known["reminded"], *found.reminded)}
        if not found.running:
            known |= {"episode_stage": None, "last_stage": None}
        else:
            known["episode_stage"] = found.stage
            known["last_stage"] = found.stage if found.notice else known["last_stage"]
    assert len(letters) == len(set(letters))
