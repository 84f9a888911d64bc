"""What to do about a late debt (clause C3.6): the stage a customer is in, whether a letter goes out, what it entails.

The oldest claim leads. Contested amounts are left out; open credits and money not yet applied cover the oldest claims
first, and a residue up to the policy's `amount_min` leads nothing. An *episode* begins when something is overdue and
ends when nothing is. Inside it the stage never falls, and the letter of each stage is sent once.
The decision is recomputed from facts every day: a payment needs no path of its own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from .aging import OpenItem
from .policy import DunningStage, Policy, Post

ZERO = Decimal(0)

DUNNING_REASONS = (
    "contested_left_out",
    "credits_cover",
    "no_due_date",
    "nothing_due",
    "below_amount_min",
    "before_first_stage",
    "due_soon",
    "stage_by_days",
    "stage_kept",
    "letter",
    "no_letter",
    "already_sent",
    "quiet",
)
"""Why a round decides as it does, in the order they are listed."""


@dataclass(frozen=True, slots=True)
class DunningFacts:
    """What a round knows of one customer in one currency. Amounts are not negative, except `unapplied`.

    `oldest_overdue_days` is the age of the leading claim; negative: days until the next instalment falls due; None:
    nothing is open. `overdue_amount` and `due_soon_amount` are without their contested parts. `unapplied` is the open
    credit, 0 or below. `due_soon_on` are the due dates ahead that no reminder was sent for. `episode_stage` is the
    highest stage of the running episode, `last_stage` the stage of the last letter sent in it (None: none).
    `last_notice_on` is the day of the last letter of all. `undated` counts items without a due date.
    """

    oldest_overdue_days: int | None
    overdue_amount: Decimal
    due_soon_amount: Decimal = ZERO
    contested_amount: Decimal = ZERO
    unapplied: Decimal = ZERO
    last_stage: int | None = None
    last_notice_on: date | None = None
    episode_stage: int | None = None
    due_soon_on: tuple[date, ...] = ()
    undated: int = 0

    @property
    def claim(self) -> Decimal:
        """What may be demanded now: the uncontested overdue amount less open credits, at least 0."""
        return max(ZERO, self.overdue_amount + self.unapplied)

    @property
    def claim_soon(self) -> Decimal:
        """The same with what falls due soon."""
        return max(ZERO, self.overdue_amount + self.due_soon_amount + self.unapplied)


@dataclass(frozen=True, slots=True)
class DunningDecision:
    """What the round does for one customer on one day, with its reasons.

    `running`: something is overdue, the episode runs and stands at `stage`; when it is false the episode is over.
    `advanced`: the stage is higher than before, so its owner has something new to do. `notice`: a letter goes out, with
    `deadline` for payment; `evidence`: it is meant to interrupt the limitation period. `standing` is what the stage
    does to the customer's standing.
    `reminded` are the due dates a reminder before the due date speaks of, to be remembered.
    """

    stage: int | None
    claim: Decimal
    running: bool = False
    advanced: bool = False
    notice: bool = False
    evidence: bool = False
    deadline: date | None = None
    standing: Literal["watched", "stopped"] | None = None
    owner: Post | None = None
    reminded: tuple[date, ...] = ()
    reasons: tuple[str, ...] = ()


def stage_at(policy: Policy, overdue_days: int) -> DunningStage | None:
    """The stage of the policy for an age in days (negative: before the due date); None earlier than the first."""
    reached = [stage for stage in policy.dunning.stages if stage.overdue_days_min <= overdue_days]
    return max(reached, key=lambda stage: stage.overdue_days_min, default=None)


def stage_of(policy: Policy, *, items: Iterable[OpenItem], as_of: date) -> int | None:
    """The stage a customer's open items are in by their days alone, whatever was sent before; None: nothing to do."""
    return decide(policy, facts_of(policy, items=items, as_of=as_of), today=as_of).stage


def facts_of(
    policy: Policy,
    *,
    items: Iterable[OpenItem],
    as_of: date,
    reminded: Collection[date] = (),
    last_stage: int | None = None,
    last_notice_on: date | None = None,
    episode_stage: int | None = None,
) -> DunningFacts:
    """The facts of one customer's open items on a day; `reminded` are the due dates a reminder was sent for.

    Raises ValueError for items in several currencies: claims are not added up across them.
    """
    items = [item for item in items if item.dated_on <= as_of]
    if len({item.currency for item in items}) > 1:
        raise ValueError("items in several currencies: ask for one currency at a time")
    soon = _due_soon(policy, items, as_of)
    unapplied = sum((item.amount for item in items if item.amount < 0), ZERO)
    return DunningFacts(
        oldest_overdue_days=_leading_days(policy, items, as_of, -unapplied),
        overdue_amount=sum((item.uncontested for item in items if item.overdue_days(as_of) > 0), ZERO),
        due_soon_amount=sum((item.uncontested for item in soon), ZERO),
        contested_amount=sum((item.contested_part for item in items), ZERO),
        unapplied=unapplied,
        last_stage=last_stage,
        last_notice_on=last_notice_on,
        episode_stage=episode_stage,
        due_soon_on=tuple(sorted({item.falls_due_on for item in soon} - set(reminded))),
        undated=sum(item.due_on is None and item.amount > 0 for item in items),
    )


def _leading_days(policy: Policy, items: Sequence[OpenItem], as_of: date, credit: Decimal) -> int | None:
    """The age of the leading claim: of the oldest that credits and the residue allowed do not cover.

    Without one, the (negative or zero) days of the next instalment, counted to its due date.
    """
    claims = sorted((item for item in items if item.uncontested), key=lambda item: item.falls_due_on)
    covered = credit + policy.dunning.amount_min
    for item in claims:
        covered -= item.uncontested
        if covered < 0 or item.overdue_days(as_of) <= 0:
            return item.overdue_days(as_of)
    return None


def _due_soon(policy: Policy, items: Iterable[OpenItem], as_of: date) -> list[OpenItem]:
    """The uncontested instalments ahead that the policy's first stage already speaks of."""
    ahead = [item for item in items if item.uncontested and item.falls_due_on > as_of]
    return [item for item in ahead if stage_at(policy, item.overdue_days(as_of))]


def decide(policy: Policy, facts: DunningFacts, *, today: date) -> DunningDecision:
    """The round's decision for one customer: nothing, a reminder before the due date, or a stage of the procedure.

    Asked again on the same day with what it decided recorded, it keeps the stage and sends nothing.
    """
    days = facts.oldest_overdue_days
    if days is not None and days > 0 and facts.claim > policy.dunning.amount_min:
        return _pursue(policy, facts, days, today)
    if facts.due_soon_amount and facts.claim_soon > policy.dunning.amount_min:
        return _remind(policy, facts, today)
    owed = facts.overdue_amount + facts.due_soon_amount
    return DunningDecision(None, facts.claim, reasons=(*_noted(facts), "below_amount_min" if owed else "nothing_due"))


def _pursue(policy: Policy, facts: DunningFacts, days: int, today: date) -> DunningDecision:
    """Something is overdue: the stage by days, or the one the episode has reached if that is higher."""
    page = _reached(policy, facts, days)
    if page is None:
        return DunningDecision(None, facts.claim, running=True, reasons=(*_noted(facts), "before_first_stage"))
    by_days = stage_at(policy, days)
    letter = _letter(policy, page, by_days, facts, today)
    sent = letter == "letter"
    return DunningDecision(
        stage=page.stage,
        claim=facts.claim,
        running=True,
        advanced=facts.episode_stage is None or page.stage > facts.episode_stage,
        notice=sent,
        evidence=sent and page.evidence,
        deadline=today + timedelta(days=page.deadline_days) if sent and page.deadline_days else None,
        standing=page.standing,
        owner=page.owner,
        reasons=(*_noted(facts), "stage_by_days" if page == by_days else "stage_kept", letter),
    )


def _reached(policy: Policy, facts: DunningFacts, days: int) -> DunningStage | None:
    """The further of two stages: by days, and the one the episode stands at. Stages are ordered by their days."""
    pages = [page for page in policy.dunning.stages if page.stage == facts.episode_stage]
    if by_days := stage_at(policy, days):
        pages.append(by_days)
    return max(pages, key=lambda page: page.overdue_days_min, default=None)


def _letter(policy: Policy, page: DunningStage, by_days: DunningStage | None, facts: DunningFacts, today: date) -> str:
    """Whether the stage's letter goes out today ("letter"), or why it does not."""
    if not page.notice or page.overdue_days_min < 0:
        return "no_letter"  # the reminder before the due date is no letter about something overdue
    if facts.last_stage is not None and facts.last_stage >= page.stage:
        return "already_sent"
    if page != by_days:
        return "no_letter"  # the debt that reached this stage is paid; its letter would be too harsh for the rest
    return "quiet" if _quiet(policy, facts, today) else "letter"


def _remind(policy: Policy, facts: DunningFacts, today: date) -> DunningDecision:
    """Nothing is overdue, something falls due soon: a friendly reminder, once for each due date."""
    page = stage_at(policy, -1)
    if page is None:
        return DunningDecision(None, facts.claim, reasons=(*_noted(facts), "before_first_stage"))
    letter = _reminder(policy, page, facts, today)
    return DunningDecision(
        stage=page.stage,
        claim=facts.claim,
        notice=letter == "letter",
        owner=page.owner,
        reminded=facts.due_soon_on if letter == "letter" else (),
        reasons=(*_noted(facts), "due_soon", letter),
    )


def _reminder(policy: Policy, page: DunningStage, facts: DunningFacts, today: date) -> str:
    if not page.notice:
        return "no_letter"
    if not facts.due_soon_on:
        return "already_sent"
    return "quiet" if _quiet(policy, facts, today) else "letter"


def _quiet(policy: Policy, facts: DunningFacts, today: date) -> bool:
    """Whether the last letter, of whatever stage, is too recent for another."""
    last = facts.last_notice_on
    return last is not None and (today - last).days < policy.dunning.quiet_days


def _noted(facts: DunningFacts) -> tuple[str, ...]:
    """What was left out of the claim or taken off it, so that the letter and the page can say so."""
    found = {
        "contested_left_out": facts.contested_amount > 0,
        "credits_cover": facts.unapplied < 0,
        "no_due_date": facts.undated > 0,
    }
    return tuple(code for code, holds in found.items() if holds)
