"""What the daily run decides for one customer: dunning, downgrade and standing put together (clauses B2.5, C3.5, C3.6).

Dunning is asked once per currency, because claims are never added up across currencies; the ladder is asked once, with
amounts in the company's currency. The further stage leads. Everything is recomputed from facts, so that a day missed
and caught up ends where a day run on time ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from . import dunning, grading
from .aging import OpenItem
from .dunning import DunningDecision
from .grading import Downgrade
from .money import convert
from .policy import Grade, Policy, Post

ZERO = Decimal(0)
SEVERITY = ("good", "watched", "stopped", "cash_only", "suspended", "blacklisted")
"""Standings from best to worst."""


class NoRate(LookupError):
    """An amount cannot be put into the company's currency: the currency's rate is not known. `args[0]` names it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What an episode remembers: the stage reached, the grade it began with (None: there was no graded line), the
    highest rung applied, and whether the present set of late payments has cost a grade already."""

    stage: int | None = None
    baseline: Grade | None = None
    rung_days: int = 0
    late_count_applied: bool = False


@dataclass(frozen=True, slots=True)
class Letters:
    """What was written before: the highest stage in the running episode, the day of the last letter of all, and the
    due dates reminders have spoken of."""

    last_stage: int | None = None
    last_on: date | None = None
    reminded: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """The standing that holds, whether the daily run set it, and the last one that people set (good: none yet)."""

    now: str = "good"
    by_round: bool = True
    by_people: str = "good"


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Everything true about one customer at the close of a day. `rates`: one unit in the company's currency.

    `episode` is None while none runs; `late_mark` is then what the last one remembered of late payments.
    `late_payments` are those of the policy's months up to today, `late_payments_before` up to yesterday.
    """

    items: tuple[OpenItem, ...] = ()
    rates: Mapping[str, Decimal] | None = None
    grade: Grade | None = None
    standing: Held = Held()
    episode: Memory | None = None
    late_mark: bool = False
    letters: Letters = Letters()
    late_payments: int = 0
    late_payments_before: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the day came out as it did: a code of `dunning` or `grading`, or of this module; `why` holds the values.

    Own codes: `episode_began`, `episode_ended`, `standing_worsened`, `standing_lifted`, `standing_of_people`.
    """

    code: str
    why: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to be written: its stage, the deadline, the currencies it speaks of with the amount claimed in each.

    `soon`: it reminds of what falls due soon; otherwise it speaks of what is overdue and of nothing else. `warned`:
    a letter about the same debt went before it; a letter must not claim so where none did.
    """

    stage: int
    claims: Mapping[str, Decimal]
    deadline: date | None
    evidence: bool
    soon: bool
    warned: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the day does to one customer.

    `running`: an episode runs after today. `stage` is the stage today (also a reminder's), `owner` the post whose turn
    it is, `advanced` that the stage is new. `at_stake` is the overdue claim in the company's currency. `memory` is to
    be remembered whether the episode goes on or ends. `grade` and `standing` are those after today.
    """

    running: bool
    stage: int | None
    overdue_days: int | None
    at_stake: Decimal
    owner: Post | None
    advanced: bool
    letter: Letter | None
    memory: Memory
    rung_fired: int | None
    grade: Grade | None
    standing: str
    reasons: tuple[Reason, ...]


def decide(policy: Policy, facts: CustomerFacts, *, today: date) -> Verdict:
    """The day's verdict for one customer. Raises NoRate where an overdue amount has no rate."""
    found = {currency: _dun(policy, facts, items, today) for currency, items in _by_currency(facts.items).items()}
    running = {currency: pair for currency, pair in found.items() if pair[1].running}
    lead = _lead(policy, [decision for _facts, decision in (running or found).values()])
    days = max((told.oldest_overdue_days or 0 for told, _ in running.values()), default=None)
    at_stake = sum((_converted(facts, decision.claim, currency) for currency, (_, decision) in running.items()), ZERO)
    lowered = _ladder(policy, facts, days or 0, at_stake, running=bool(running))
    advanced = any(decision.advanced for _, decision in running.values())
    standing, told = _standing(policy, facts.standing, _demanded(running, lowered), fresh=_fresh(lowered, advanced))
    return Verdict(
        running=bool(running),
        stage=lead.stage if lead else None,
        overdue_days=days if running else _days_ahead(found),
        at_stake=at_stake,
        owner=lead.owner if lead else None,
        advanced=advanced,
        letter=_letter(facts, lead, running or found),
        memory=_memory(facts, lead if running else None, lowered),
        rung_fired=lowered.rung_fired if lowered else None,
        grade=lowered.grade if lowered and facts.grade else facts.grade,
        standing=standing,
        reasons=(*_episode_reasons(facts, bool(running)), *_dunning_reasons(found), *_ladder_reasons(lowered), *told),
    )


Told = tuple[dunning.DunningFacts, DunningDecision]


def _by_currency(items: Iterable[OpenItem]) -> dict[str, list[OpenItem]]:
    found: dict[str, list[OpenItem]] = {}
    for item in items:
        found.setdefault(item.currency, []).append(item)
    return dict(sorted(found.items()))


def _dun(policy: Policy, facts: CustomerFacts, items: Sequence[OpenItem], today: date) -> Told:
    told = dunning.facts_of(
        policy,
        items=items,
        as_of=today,
        reminded=facts.letters.reminded,
        last_stage=facts.letters.last_stage,
        last_notice_on=facts.letters.last_on,
        episode_stage=facts.episode.stage if facts.episode else None,
    )
    return told, dunning.decide(policy, told, today=today)


def _lead(policy: Policy, decisions: Iterable[DunningDecision]) -> DunningDecision | None:
    """The decision of the furthest stage; among equals one that writes a letter."""
    begins = {page.stage: page.overdue_days_min for page in policy.dunning.stages}
    staged = [decision for decision in decisions if decision.stage is not None]
    return max(staged, key=lambda each: (begins[each.stage or 0], each.notice), default=None)


def _letter(facts: CustomerFacts, lead: DunningDecision | None, spoken_of: Mapping[str, Told]) -> Letter | None:
    """One letter for all currencies in which something is claimed, at the stage of the lead."""
    if lead is None or not lead.notice or lead.stage is None:
        return None
    claims = {
        currency: decision.claim if decision.running else told.claim_soon
        for currency, (told, decision) in spoken_of.items()
        if decision.stage is not None
    }
    warned = facts.letters.last_stage is not None
    return Letter(lead.stage, claims, lead.deadline, lead.evidence, soon=not lead.running, warned=warned)


def _converted(facts: CustomerFacts, amount: Decimal, currency: str) -> Decimal:
    rate = (facts.rates or {}).get(currency)
    if rate is None:
        raise NoRate(currency)
    return convert(amount, rate)


def _days_ahead(found: Mapping[str, Told]) -> int | None:
    """Nothing is overdue: the (zero or negative) days of the next instalment, None where nothing is open."""
    days = [told.oldest_overdue_days for told, _ in found.values() if told.oldest_overdue_days is not None]
    return max(days, default=None)


def _ladder(
    policy: Policy, facts: CustomerFacts, overdue_days: int, overdue: Decimal, *, running: bool
) -> Downgrade | None:
    """The ladder's answer; it is asked while an episode runs or ends, and on the day a late payment comes in."""
    if not (running or facts.episode or facts.late_payments > facts.late_payments_before):
        return None
    known = facts.episode or Memory(late_count_applied=facts.late_mark)
    # A set of late payments that had fallen apart by yesterday is a new one today.
    mark = known.late_count_applied and facts.late_payments_before >= policy.downgrade.late_payments_count
    # Without a graded line there is no grade to lower: the ladder is asked for the standing alone.
    current = facts.grade or Grade.D
    return grading.downgrade(
        policy,
        current,
        max_overdue_days=overdue_days,
        overdue_amount=overdue,
        late_payments=facts.late_payments,
        episode=grading.Episode(known.baseline or current, known.rung_days, mark),
    )


def _memory(facts: CustomerFacts, lead: DunningDecision | None, lowered: Downgrade | None) -> Memory:
    """What the episode remembers after today; without an answer of the ladder, what was known before."""
    if lowered is None:
        return facts.episode or Memory(late_count_applied=facts.late_mark)
    kept = lowered.episode
    stage = lead.stage if lead else facts.episode.stage if facts.episode else None
    return Memory(stage, kept.baseline if facts.grade else None, kept.rung_days, kept.late_count_applied)


def worse(first: str, second: str) -> str:
    """The worse of two standings."""
    return max(first, second, key=SEVERITY.index)


def _demanded(running: Mapping[str, Told], lowered: Downgrade | None) -> str:
    """What stage and rung demand of the standing today."""
    demands: list[str | None] = [decision.standing for _, decision in running.values()]
    demands.append(lowered.standing if lowered else None)
    return max((each for each in demands if each), key=SEVERITY.index, default="good")


def _fresh(lowered: Downgrade | None, advanced: bool) -> bool:
    """Whether today is a day on which a stage or a rung was newly reached."""
    return advanced or bool(lowered and lowered.rung_fired is not None)


def _standing(policy: Policy, held: Held, demanded: str, *, fresh: bool) -> tuple[str, tuple[Reason, ...]]:
    """The standing after today. What people set is left alone until a further stage or rung demands worse;
    what the run set follows the debt, up and (where the policy says so) down, to what people had set before."""
    if not held.by_round:
        stays = worse(held.now, demanded) == held.now
        target = held.now if stays or not fresh else demanded
        why = () if stays or fresh else (Reason("standing_of_people", {"standing": held.now, "demanded": demanded}),)
        return target, (*why, *_moved(held.now, target))
    target = worse(held.by_people, demanded)
    if not policy.downgrade.lift_standing:
        target = worse(held.now, target)
    return target, _moved(held.now, target)


def _moved(before: str, after: str) -> tuple[Reason, ...]:
    if before == after:
        return ()
    code = "standing_worsened" if worse(before, after) == after else "standing_lifted"
    return (Reason(code, {"before": before, "after": after}),)


def _episode_reasons(facts: CustomerFacts, running: bool) -> tuple[Reason, ...]:
    if running == bool(facts.episode):
        return ()
    return (Reason("episode_began" if running else "episode_ended", {}),)


def _dunning_reasons(found: Mapping[str, Told]) -> tuple[Reason, ...]:
    return tuple(
        Reason(code, {"currency": currency, "claim": decision.claim, "stage": decision.stage})
        for currency, (_, decision) in found.items()
        for code in decision.reasons
    )


def _ladder_reasons(lowered: Downgrade | None) -> tuple[Reason, ...]:
    return tuple(Reason(each.code, dict(each.why)) for each in lowered.reasons) if lowered else ()
