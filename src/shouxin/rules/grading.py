"""From points to a grade, one step down for late payment, and the way back up (clauses B2.1, B2.3, B2.5; domain 1.3).

Every step is listed with the grade before and after it, so that a page can show how the grade came about. Codes only:
the pages hold the words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from .policy import DowngradeStep, Grade, Policy, worst
from .scorecard import ScoreSheet, Value

Why = Mapping[str, Value | int]
DemandedStanding = Literal["watched", "stopped", "cash_only"]


@dataclass(frozen=True)
class Step:
    """One step on the way to a grade; equal grades before and after: it applied and changed nothing.

    Codes: `score` (why: points, score_min), `cap` and `veto` (trigger, fact, value), `new_customer` (paid_invoices,
    paid_invoices_min), `upgrade_waits` (clean_months, clean_months_min).
    """

    code: str
    before: Grade | None
    after: Grade
    why: Why


@dataclass(frozen=True)
class Grading:
    """A grade with every step that led to it, in order; `change` compares it with the previous grade."""

    grade: Grade
    steps: tuple[Step, ...]
    change: Literal["first", "raised", "kept", "lowered"]


def grade(
    policy: Policy,
    sheet: ScoreSheet,
    *,
    paid_invoices: int,
    previous: Grade | None = None,
    clean_months: int | None = None,
) -> Grading:
    """The grade a score sheet gives: the band of its points, then caps, vetoes, the cap for new customers.

    `paid_invoices` are the invoices the customer has ever paid. With `previous` and `clean_months` (whole months
    without a late payment) a rise above the previous grade waits until the policy's clean months are full; without
    `clean_months` a rise is the reviewer's business and is only shown as the change.
    """
    steps = [_score_step(policy, sheet)]
    for code, best, why in _bounds(policy, sheet, paid_invoices, previous, clean_months):
        before = steps[-1].after
        steps.append(Step(code, before, worst(before, best), why))
    return Grading(steps[-1].after, tuple(steps), _change(previous, steps[-1].after))


def _score_step(policy: Policy, sheet: ScoreSheet) -> Step:
    band = policy.grade_for(sheet.points)
    return Step("score", None, band, {"points": sheet.points, "score_min": policy.grades[band].score_min})


def _bounds(
    policy: Policy, sheet: ScoreSheet, paid_invoices: int, previous: Grade | None, clean_months: int | None
) -> Iterator[tuple[str, Grade, Why]]:
    """What holds the grade down, as (code, best grade left, why): caps, then vetoes, then what concerns the record."""
    for fired in sorted(sheet.fired, key=lambda fired: fired.grade is Grade.D):
        code = "veto" if fired.grade is Grade.D else "cap"
        yield code, fired.grade, {"trigger": fired.trigger, "fact": fired.fact, "value": fired.value}
    paid_min = policy.new_customer.paid_invoices_min
    if paid_invoices < paid_min:
        why: Why = {"paid_invoices": paid_invoices, "paid_invoices_min": paid_min}
        yield "new_customer", policy.new_customer.grade_max, why
    if previous is not None and clean_months is not None and not may_upgrade(policy, clean_months):
        why = {"clean_months": clean_months, "clean_months_min": policy.downgrade.upgrade_clean_months}
        yield "upgrade_waits", previous, why


def _change(previous: Grade | None, now: Grade) -> Literal["first", "raised", "kept", "lowered"]:
    if previous is None:
        return "first"
    return "lowered" if now.worse_than(previous) else "raised" if previous.worse_than(now) else "kept"


def may_upgrade(policy: Policy, clean_months: int) -> bool:
    """Whether the customer has paid on time for long enough, in whole months, to be proposed a better grade."""
    return clean_months >= policy.downgrade.upgrade_clean_months


@dataclass(frozen=True)
class Episode:
    """The ladder's memory of one stretch of being overdue, kept from day to day so that no rung bites twice.

    `baseline` is the grade at its start; `rung_days` the `overdue_days_min` of the highest rung applied, 0 for none;
    `late_count_applied` that the present set of late payments has already cost a grade. That set outlives the
    episode: when a new one is begun, carry the mark over from the last.
    """

    baseline: Grade
    rung_days: int = 0
    late_count_applied: bool = False


@dataclass(frozen=True)
class Reason:
    """Why a downgrade came out as it did.

    Codes: `rung_reached` (why: overdue_days, overdue_days_min), `late_payments` (late_payments, late_payments_count),
    `residue` (overdue_amount, amount_min: too small to cost a grade).
    """

    code: str
    why: Why


@dataclass(frozen=True)
class Downgrade:
    """What late payment does to a customer today.

    `rung_fired` is the `overdue_days_min` of the highest rung newly reached, None when none was. `standing` and
    `no_increase` are what today's rung demands, so they fall away with the debt; the grade does not come back by
    itself. `episode` is what to remember for tomorrow.
    """

    grade: Grade
    rung_fired: int | None
    standing: DemandedStanding | None
    no_increase: bool
    reasons: tuple[Reason, ...]
    episode: Episode


def downgrade(
    policy: Policy,
    current: Grade,
    *,
    max_overdue_days: int,
    overdue_amount: Decimal,
    late_payments: int,
    episode: Episode,
) -> Downgrade:
    """The grade after today's look at the debt, by the policy's ladder (clause B2.5).

    `max_overdue_days` is the age past due of the oldest overdue item, `overdue_amount` the sum overdue in the company's
    currency, both without contested parts; `late_payments` the late payments within the policy's window of months.

    The ladder counts from the grade at the start of the episode, never from yesterday's result: run daily, it ends
    where one call on the last day ends. It never raises. A grade a person has set meanwhile stands until the next rung.
    """
    counted = max_overdue_days > 0 and overdue_amount >= policy.downgrade.amount_min
    rung = _rung_at(policy, max_overdue_days) if counted else None
    reached = rung.overdue_days_min if rung else 0
    fires = reached > episode.rung_days
    late_fires = late_payments >= policy.downgrade.late_payments_count and not episode.late_count_applied
    after = _remember(policy, episode, max(reached, episode.rung_days), late_payments, late_fires)
    lowered = worst(current, _ladder_grade(policy, after)) if fires or late_fires else current
    return Downgrade(
        grade=lowered,
        rung_fired=reached if fires else None,
        standing=rung.standing if rung else None,
        no_increase=rung.no_increase if rung else False,
        reasons=tuple(_reasons(policy, max_overdue_days, overdue_amount, late_payments, rung, late_fires)),
        # All paid: the next stretch begins from the grade it finds.
        episode=after if counted else Episode(lowered, 0, after.late_count_applied),
    )


def _rung_at(policy: Policy, overdue_days: int) -> DowngradeStep | None:
    reached = [rung for rung in policy.downgrade.ladder if rung.overdue_days_min <= overdue_days]
    return max(reached, key=lambda rung: rung.overdue_days_min, default=None)


def _remember(policy: Policy, episode: Episode, rung_days: int, late_payments: int, late_fires: bool) -> Episode:
    """The episode after today. Late payments lower the baseline, so that it does not matter which came first."""
    steps = policy.downgrade.late_payments_steps if late_fires else 0
    applied = late_payments >= policy.downgrade.late_payments_count
    return replace(episode, baseline=episode.baseline.down(steps), rung_days=rung_days, late_count_applied=applied)


def _ladder_grade(policy: Policy, episode: Episode) -> Grade:
    """The grade after every rung up to the highest applied, passed in order from the baseline."""
    result = episode.baseline
    for rung in sorted(policy.downgrade.ladder, key=lambda rung: rung.overdue_days_min):
        if rung.overdue_days_min <= episode.rung_days:
            result = result.down(rung.steps)
            result = worst(result, rung.to) if rung.to else result
    return result


def _reasons(
    policy: Policy,
    overdue_days: int,
    overdue_amount: Decimal,
    late_payments: int,
    rung: DowngradeStep | None,
    late_fires: bool,
) -> Iterator[Reason]:
    rules = policy.downgrade
    if rung:
        yield Reason("rung_reached", {"overdue_days": overdue_days, "overdue_days_min": rung.overdue_days_min})
    elif overdue_days > 0 and overdue_amount < rules.amount_min:
        yield Reason("residue", {"overdue_amount": overdue_amount, "amount_min": rules.amount_min})
    if late_fires:
        why: Why = {"late_payments": late_payments, "late_payments_count": rules.late_payments_count}
        yield Reason("late_payments", why)
