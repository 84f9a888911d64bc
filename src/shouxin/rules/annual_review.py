"""A year of behaviour -> keep, raise, lower: what the annual review proposes for one customer, and why (B2.4).

A worse grade or a smaller limit is proposed as soon as the rating calls for it. A better one has to be earned: a whole
year with us, paid on time, nothing overdue at the year's end, and a line that was needed. A proposal changes nothing;
it is approved by a person within authority, like any other line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from .line import Limit, reach
from .money import round_down_to
from .policy import Discount, Grade, Policy

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
BLACKLISTED = "blacklisted"
Action = Literal["keep", "raise", "lower"]
Measure = Decimal | int | str | None


@dataclass(frozen=True)
class Terms:
    """What a customer is, or would be, trusted with."""

    grade: Grade
    limit: Limit
    term_days: int
    discount: Discount | None = None


@dataclass(frozen=True)
class Year:
    """One customer's year. Amounts in the line's currency.

    `held`: the line in force. `rated`: what the rating of the last day suggests; None where it could not be rated.
    `peak_use` and `mean_use` are of what counted against the line; `times_over` counts the days it was exceeded.
    `on_time_share` is by amount, a fraction of one, None where nothing fell due. `months`: whole months since the first
    invoice. `overdue` is on the last day, without what is contested.
    """

    held: Terms
    rated: Terms | None
    standing: str = "good"
    months: int = 0
    sales: Decimal = ZERO
    sales_before: Decimal = ZERO
    peak_use: Decimal = ZERO
    mean_use: Decimal = ZERO
    times_over: int = 0
    on_time_share: Decimal | None = None
    max_days_late: int = 0
    overdue: Decimal = ZERO


@dataclass(frozen=True)
class Reason:
    """One thing the proposal rests on: what was measured, and what the policy allows or wants."""

    code: str
    measured: Measure = None
    allowed: Measure = None


@dataclass(frozen=True)
class Proposal:
    """What is proposed for the coming year; `lacking` says what better terms still need."""

    action: Action
    terms: Terms
    reasons: tuple[Reason, ...]
    lacking: tuple[Reason, ...]


def propose(policy: Policy, year: Year) -> Proposal:
    """The proposal for one customer."""
    lacking = tuple(_lacking(policy, year))
    grade = _grade(year, earned=not lacking)
    limit, why = _limit(policy, year, grade, earned=not lacking)
    terms = Terms(grade, limit, *_payment(policy, year.held, grade))
    reasons = (*_moved(year, grade), *why, *_risks(policy, year))
    return Proposal(_action(year.held, terms), terms, reasons, lacking)


def _lacking(policy: Policy, year: Year) -> Iterator[Reason]:
    """Every condition of better terms that is not met."""
    rule = policy.annual_review
    if year.rated is None:
        yield Reason("not_rated")
    if year.standing != "good":
        yield Reason("standing", year.standing, "good")
    if year.months < rule.raise_months_min:
        yield Reason("too_new", year.months, rule.raise_months_min)
    if year.on_time_share is None or year.on_time_share < rule.raise_on_time_min:
        yield Reason("not_on_time", year.on_time_share, rule.raise_on_time_min)
    if year.overdue > 0:
        yield Reason("overdue", year.overdue, ZERO)


def _grade(year: Year, *, earned: bool) -> Grade:
    """The rating's grade where it is worse; one grade better at most where that is earned. Blacklisted: the worst."""
    held = year.held.grade
    if year.standing == BLACKLISTED:
        return Grade.D
    if year.rated is None or year.rated.grade == held:
        return held
    if year.rated.grade.worse_than(held):
        return year.rated.grade
    grades = list(Grade)
    return grades[grades.index(held) - 1] if earned else held


def _limit(policy: Policy, year: Year, grade: Grade, *, earned: bool) -> tuple[Limit, tuple[Reason, ...]]:
    """The limit that goes with the grade. No number is invented where none is held."""
    held = year.held.limit
    if year.standing == BLACKLISTED:
        return Limit.none(), (Reason("blacklisted"),)
    if held.kind == "unset" or year.rated is None:
        return held, ()
    if year.rated.limit.kind == "none" and grade == year.rated.grade:
        return year.rated.limit, () if held.kind == "none" else (Reason("no_credit", held.amount, ZERO),)
    suggested, amount = year.rated.limit.amount, held.amount
    if held.kind == "unlimited" and suggested is not None and grade.worse_than(year.held.grade):
        return Limit.of(suggested), (Reason("unlimited_ended", None, suggested),)
    if suggested is None or amount is None:
        return held, ()
    if suggested < amount:
        return _above_rating(policy, year, amount, suggested, earned=earned)
    return _by_use(policy, year, amount, suggested, earned=earned)


def _above_rating(
    policy: Policy, year: Year, held: Decimal, suggested: Decimal, *, earned: bool
) -> tuple[Limit, tuple[Reason, ...]]:
    """The rating's limit where it is less; a customer who has earned its line keeps as much of it as it needed."""
    kept = max(suggested, _needed(policy, year.peak_use, held)) if earned else suggested
    if kept < held:
        return Limit.of(kept), (Reason("limit_above_rating", held, suggested),)
    return Limit.of(held), (Reason("needed_above_rating", held, suggested),)


def _needed(policy: Policy, amount: Decimal, held: Decimal) -> Decimal:
    """An amount as a limit, rounded up to the policy's step, never more than what is held."""
    step = policy.limits.round_down_to or CENT
    down = round_down_to(amount, step)
    return min(held, down if down == amount else down + step)


def _by_use(
    policy: Policy, year: Year, held: Decimal, suggested: Decimal, *, earned: bool
) -> tuple[Limit, tuple[Reason, ...]]:
    """A line that is hardly used is cut to what was needed and room on top; one that was needed is raised by a step."""
    rule = policy.annual_review
    if year.peak_use < held * rule.unused_below:
        needed = _needed(policy, year.peak_use * rule.unused_room, held)
        if needed < held:
            return Limit.of(needed), (Reason("hardly_used", year.peak_use, held),)
    if earned and suggested > held and year.peak_use >= held * rule.raise_use_min:
        raised = round_down_to(min(suggested, held * (1 + rule.raise_step_max)), policy.limits.round_down_to or CENT)
        if raised > held:
            return Limit.of(raised), (Reason("needed", year.peak_use, held),)
    return Limit.of(held), ()


def _payment(policy: Policy, held: Terms, grade: Grade) -> tuple[int, Discount | None]:
    """Term and discount: those held, as long as the grade bears them; under a worse one no better than it has."""
    of_grade = policy.grades[grade]
    if not grade.worse_than(held.grade):
        return min(held.term_days, of_grade.term_days_max), held.discount
    less = held.discount and of_grade.discount and min(held.discount, of_grade.discount, key=lambda each: each.percent)
    return min(held.term_days, of_grade.term_days), less


def _moved(year: Year, grade: Grade) -> Iterator[Reason]:
    if grade != year.held.grade:
        worse = grade.worse_than(year.held.grade)
        yield Reason("grade_worse" if worse else "grade_better", grade, year.held.grade)


def _risks(policy: Policy, year: Year) -> Iterator[Reason]:
    """What a reader has to know whatever is proposed."""
    rule = policy.annual_review
    if year.times_over:
        yield Reason("limit_was_exceeded", year.times_over, 0)
    if year.max_days_late > policy.grades[year.held.grade].overdue_days_max:
        yield Reason("paid_very_late", year.max_days_late, policy.grades[year.held.grade].overdue_days_max)
    if year.sales_before > 0 and year.sales < year.sales_before * (1 - rule.sales_fall_warned):
        yield Reason("sales_fell", year.sales, year.sales_before)


def _action(held: Terms, terms: Terms) -> Action:
    """Lower where anything is less than before; a limit cut beside a better grade is a lower one: it costs trust."""
    if terms == held:
        return "keep"
    less = (
        terms.grade.worse_than(held.grade)
        or reach(terms.limit) < reach(held.limit)
        or terms.term_days < held.term_days
        or terms.discount != held.discount
    )
    return "lower" if less else "raise"


# --- the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GradeTotal:
    """All customers of a grade on the last day, in the company's currency; `grade` is "" for lines that have none.

    `unrated`: whom nothing could be said of. `aged`: what is overdue for more than a year.
    """

    grade: str
    customers: int
    unrated: int = 0
    owed: Decimal = ZERO
    overdue: Decimal = ZERO
    sales: Decimal = ZERO
    aged: Decimal = ZERO

    @property
    def overdue_share(self) -> Decimal | None:
        """Overdue to owed; None where nothing is owed."""
        return self.overdue / self.owed if self.owed > 0 else None


def advise(policy: Policy, totals: Iterable[GradeTotal]) -> tuple[Reason, ...]:
    """What the year says of the policy itself, for those who write it."""
    totals = sorted((each for each in totals if each.grade), key=lambda each: each.grade)
    return (*_separation(totals), *_overdue_warned(policy, totals), *_unrated_warned(policy, totals))


def _separation(totals: list[GradeTotal]) -> Iterator[Reason]:
    """A better grade that owes more of it late than the next one says nothing about paying."""
    owing = [each for each in totals if each.overdue_share is not None]
    for better, worse in pairwise(owing):
        if (better.overdue_share or ZERO) > (worse.overdue_share or ZERO):
            yield Reason("grades_do_not_separate", better.grade, worse.grade)


def _overdue_warned(policy: Policy, totals: Iterable[GradeTotal]) -> Iterator[Reason]:
    for each in totals:
        share = each.overdue_share
        if share is not None and share > policy.annual_review.overdue_share_warned:
            yield Reason("grade_overdue", f"{each.grade} {share:.2%}", policy.annual_review.overdue_share_warned)


def _unrated_warned(policy: Policy, totals: list[GradeTotal]) -> Iterator[Reason]:
    customers, unrated = sum(each.customers for each in totals), sum(each.unrated for each in totals)
    if customers and Decimal(unrated) / customers > policy.annual_review.unrated_share_warned:
        yield Reason("many_unrated", unrated, customers)
