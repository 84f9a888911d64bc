"""What is wrong with a credit policy although it can be read: gaps, rules that never fire, settings without effect.

`Policy` itself refuses a book that cannot be used. Here are the faults that a company finds too late: it believes a
rule protects it, and the rule can never bite. Nothing here changes an answer; the list is shown before a policy is
put in force. Codes and paths only: the pages hold the words.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from .policy import Addition, Band, CardItem, DowngradeStep, Grade, GradeTerms, Policy, Post, Question, Trigger
from .scorecard import FACTS, NUMBER, YES_NO

Known = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Fault:
    """One thing to mend: the code, the path of the setting as in the YAML (list items by number from 0), the values."""

    code: str
    path: str
    params: Mapping[str, object] = field(default_factory=dict)


CODES = (
    "key_twice",
    "weights_not_100",
    "group_weight_differs",
    "fact_not_fed",
    "answers_do_not_fit",
    "bands_mixed",
    "bands_not_ascending",
    "bands_not_closed",
    "band_never_reached",
    "points_above_max",
    "points_max_never_reached",
    "unknown_points_above_max",
    "trigger_without_effect",
    "trigger_conditions_contradict",
    "grade_out_of_reach",
    "term_above_max",
    "discount_without_term",
    "discount_after_term",
    "worse_grade_better_terms",
    "setting_ignored",
    "no_method",
    "method_twice",
    "rounds_to_nothing",
    "rung_not_ascending",
    "rung_without_effect",
    "standing_eases",
    "ladder_never_lowers",
    "stage_not_ascending",
    "stage_within_quiet_days",
    "evidence_without_notice",
    "authority_not_ascending",
    "authority_shadowed",
    "post_twice",
    "post_may_not_approve",
    "post_without_authority",
    "nobody_unbounded",
    "splits_not_added",
    "no_rule_holds",
    "never_fires",
    "tolerance_too_wide",
    "temporary_outlives_line",
    "notice_before_line",
    "buckets_not_ascending",
    "rest_day_and_workday",
    "date_twice",
)
"""Every code a fault can have."""


def faults(policy: Policy, known: Known = FACTS) -> tuple[Fault, ...]:
    """All faults of a policy, in the order of its chapters; empty for a sound one.

    `known` are the facts somebody feeds, with the answers each can have.
    """
    return tuple(fault for check in CHECKS for fault in check(policy, known))


# --- scorecard and triggers ----------------------------------------------------------------------


def _scorecard(policy: Policy, known: Known) -> Iterator[Fault]:
    weights = sum((group.weight for group in policy.scorecard), Decimal(0))
    if weights != 100:
        yield Fault("weights_not_100", "scorecard", {"sum": weights})
    yield from _repeated([group.key for group in policy.scorecard], "key_twice", "scorecard")
    for group in policy.scorecard:
        path = f"scorecard.{group.key}"
        points = sum((question.points_max for question in group.questions), Decimal(0))
        if points != group.weight:
            yield Fault("group_weight_differs", f"{path}.weight", {"weight": group.weight, "sum": points})
        yield from _repeated([question.key for question in group.questions], "key_twice", path)
        for question in group.questions:
            yield from _question(question, f"{path}.{question.key}", known)


def _question(question: Question, path: str, known: Known) -> Iterator[Fault]:
    yield from _scale(question, path, known)
    yield from _points(question, path)


def _scale(asked: Question | CardItem, path: str, known: Known) -> Iterator[Fault]:
    """Whether the bands of a question fit the fact it reads, without gaps."""
    words = [band for band in asked.bands if band.value is not None]
    if words and (len(words) < len(asked.bands) or any(band.up_to is not None for band in words)):
        yield Fault("bands_mixed", f"{path}.bands")
    elif words:
        yield from _word_bands(words, path, known.get(asked.fact, ()))
    else:
        yield from _bounds([band.up_to for band in asked.bands], f"{path}.bands")
    if asked.fact not in known:
        yield Fault("fact_not_fed", f"{path}.fact", {"fact": asked.fact})
    elif not _answers_fit(words, known[asked.fact]):
        yield Fault("answers_do_not_fit", f"{path}.bands", {"fact": asked.fact, "answers": known[asked.fact]})


def _bounds(bounds: Sequence[Decimal | None], path: str) -> Iterator[Fault]:
    """A scale of upper bounds: rising, and closed by one open end, which is the last."""
    closed = [bound for bound in bounds if bound is not None]
    if any(upper <= lower for lower, upper in pairwise(closed)):
        yield Fault("bands_not_ascending", path, {"bounds": tuple(closed)})
    if None not in bounds:
        yield Fault("bands_not_closed", path, {"last": closed[-1] if closed else None})
    elif (first_open := list(bounds).index(None)) < len(bounds) - 1:
        yield Fault("band_never_reached", f"{path}.{first_open + 1}")


def _word_bands(bands: Sequence[Band | Addition], path: str, answers: tuple[str, ...]) -> Iterator[Fault]:
    """A list of words: each once, and one for every answer the fact can have."""
    words = [_word(band) for band in bands]
    yield from _repeated(words, "band_never_reached", f"{path}.bands")
    missing = tuple(answer for answer in answers if answer not in words)
    if missing and answers != NUMBER:
        yield Fault("bands_not_closed", f"{path}.bands", {"missing": missing})


def _word(band: Band | Addition) -> str:
    return str(band.value).lower() if isinstance(band.value, bool) else str(band.value)


def _answers_fit(words: Sequence[Band | Addition], answers: tuple[str, ...]) -> bool:
    """Whether bands ask for what the fact can say: true and false are not the words "true" and "false"."""
    if not words or answers == NUMBER:
        return not words and answers == NUMBER
    return all(_word(band) in answers and isinstance(band.value, bool) == (answers == YES_NO) for band in words)


def _points(question: Question, path: str) -> Iterator[Fault]:
    best = max(band.points for band in question.bands)
    if best > question.points_max:
        yield Fault("points_above_max", f"{path}.bands", {"points": best, "points_max": question.points_max})
    if best < question.points_max:
        yield Fault("points_max_never_reached", path, {"points": best, "points_max": question.points_max})
    if question.unknown_points > question.points_max:
        params = {"points": question.unknown_points, "points_max": question.points_max}
        yield Fault("unknown_points_above_max", f"{path}.unknown_points", params)


def _triggers(policy: Policy, known: Known) -> Iterator[Fault]:
    yield from _repeated([trigger.key for trigger in policy.triggers], "key_twice", "triggers")
    for trigger in policy.triggers:
        path = f"triggers.{trigger.key}"
        if trigger.grade is Grade.A:
            yield Fault("trigger_without_effect", f"{path}.grade")
        if sum((trigger.more_than is not None, trigger.equals is not None, trigger.missing)) > 1:
            yield Fault("trigger_conditions_contradict", path)
        if trigger.fact not in known:
            yield Fault("fact_not_fed", f"{path}.fact", {"fact": trigger.fact})
        elif not _trigger_fits(trigger, known[trigger.fact]):
            yield Fault("answers_do_not_fit", path, {"fact": trigger.fact, "answers": known[trigger.fact]})


def _trigger_fits(trigger: Trigger, answers: tuple[str, ...]) -> bool:
    if trigger.missing:
        return True
    if trigger.more_than is not None:
        return answers == NUMBER
    return answers == YES_NO if trigger.equals is None else answers != YES_NO and trigger.equals in answers


# --- grades and limits ---------------------------------------------------------------------------


def _grades(policy: Policy, known: Known) -> Iterator[Fault]:
    attainable = sum((max(b.points for b in q.bands) for g in policy.scorecard for q in g.questions), Decimal(0))
    for grade, terms in policy.grades.items():
        path = f"grades.{grade}"
        if terms.score_min > attainable:
            yield Fault("grade_out_of_reach", f"{path}.score_min", {"points": attainable})
        yield from _terms(grade, terms, path)
    for (_, better), (grade, worse) in pairwise(policy.grades.items()):
        yield from _no_better(better, worse, f"grades.{grade}")


def _terms(grade: Grade, terms: GradeTerms, path: str) -> Iterator[Fault]:
    if terms.term_days > terms.term_days_max:
        params = {"term_days": terms.term_days, "term_days_max": terms.term_days_max}
        yield Fault("term_above_max", f"{path}.term_days", params)
    if terms.discount and not terms.term_days:
        yield Fault("discount_without_term", f"{path}.discount")
    elif terms.discount and terms.discount.days >= terms.term_days:
        params = {"days": terms.discount.days, "term_days": terms.term_days}
        yield Fault("discount_after_term", f"{path}.discount", params)
    gives_nothing = grade is Grade.D or terms.limit_max == 0
    if gives_nothing and terms.limit_coefficient:
        yield Fault("setting_ignored", f"{path}.limit_coefficient")
    if grade is Grade.D and terms.limit_max != 0:
        yield Fault("setting_ignored", f"{path}.limit_max")


def _no_better(better: GradeTerms, worse: GradeTerms, path: str) -> Iterator[Fault]:
    """A worse grade must not get more; where no cap is set, the cap is taken as without bound."""
    for name in ("limit_coefficient", "limit_max", "term_days", "term_days_max", "overdue_days_max", "document_max"):
        more, less = getattr(better, name), getattr(worse, name)
        if more is not None and (less is None or less > more):
            yield Fault("worse_grade_better_terms", f"{path}.{name}", {"better": more, "worse": less})


def _limits(policy: Policy, known: Known) -> Iterator[Fault]:
    if not policy.limits.use:
        yield Fault("no_method", "limits.use")
    yield from _repeated(policy.limits.use, "method_twice", "limits.use")
    yield from _bounds([bound for bound, _ in policy.limits.working_assets], "limits.working_assets")
    yield from _repeated([item.key for item in policy.limits.net_worth_card], "key_twice", "limits.net_worth_card")
    for item in policy.limits.net_worth_card:
        yield from _scale(item, f"limits.net_worth_card.{item.key}", known)
    if "net_worth_card" in policy.limits.use and not policy.limits.net_worth_card:
        yield Fault("setting_ignored", "limits.use")
    caps = {f"grades.{grade}.limit_max": terms.limit_max for grade, terms in policy.grades.items()}
    caps |= {
        "new_customer.limit_max": policy.new_customer.limit_max,
        "limits.concentration_max": policy.limits.concentration_max,
    }
    for path, cap in caps.items():
        if cap and cap < policy.limits.round_down_to:
            yield Fault("rounds_to_nothing", path, {"cap": cap, "round_down_to": policy.limits.round_down_to})


def _new_customer(policy: Policy, known: Known) -> Iterator[Fault]:
    rules = policy.new_customer
    cap = policy.grades[rules.grade_max].limit_max
    if rules.paid_invoices_min == 0:
        yield Fault("setting_ignored", "new_customer.grade_max", {"paid_invoices_min": 0})
    elif cap is not None and rules.limit_max > cap:
        yield Fault("setting_ignored", "new_customer.limit_max", {"limit_max": rules.limit_max, "cap": cap})


# --- downgrade and dunning -----------------------------------------------------------------------

_STANDINGS = (None, "watched", "stopped", "cash_only")


def _downgrade(policy: Policy, known: Known) -> Iterator[Fault]:
    ladder = policy.downgrade.ladder
    if not any(rung.steps or rung.to for rung in ladder):
        yield Fault("ladder_never_lowers", "downgrade.ladder")
    if ladder and not _has_effect(None, ladder[0]):
        yield Fault("rung_without_effect", "downgrade.ladder.0")
    for number, (before, rung) in enumerate(pairwise(ladder), start=1):
        yield from _rung(before, rung, f"downgrade.ladder.{number}")
    if policy.downgrade.late_payments_steps == 0:
        yield Fault("setting_ignored", "downgrade.late_payments_count")


def _rung(before: DowngradeStep, rung: DowngradeStep, path: str) -> Iterator[Fault]:
    if rung.overdue_days_min <= before.overdue_days_min:
        params = {"before": before.overdue_days_min, "overdue_days_min": rung.overdue_days_min}
        yield Fault("rung_not_ascending", path, params)
    if not _has_effect(before, rung):
        yield Fault("rung_without_effect", path)
    if _STANDINGS.index(rung.standing) < _STANDINGS.index(before.standing) or before.no_increase > rung.no_increase:
        yield Fault("standing_eases", path, {"before": before.standing, "standing": rung.standing})


def _has_effect(before: DowngradeStep | None, rung: DowngradeStep) -> bool:
    """Whether a rung changes anything against the one before: below D there is nothing to fall to."""
    lowers = bool(rung.steps or rung.to) and not (before is not None and before.to is Grade.D)
    earlier = (before.standing, before.no_increase) if before else (None, False)
    return lowers or (rung.standing, rung.no_increase) != earlier


def _dunning(policy: Policy, known: Known) -> Iterator[Fault]:
    stages = policy.dunning.stages
    for number, (before, stage) in enumerate(pairwise(stages), start=1):
        gap = stage.overdue_days_min - before.overdue_days_min
        if stage.stage <= before.stage or gap <= 0:
            yield Fault("stage_not_ascending", f"dunning.stages.{number}", {"before": before.overdue_days_min})
        elif before.notice and stage.notice and gap < policy.dunning.quiet_days:
            params = {"gap": gap, "quiet_days": policy.dunning.quiet_days}
            yield Fault("stage_within_quiet_days", f"dunning.stages.{number}", params)
    for number, stage in enumerate(stages):
        if stage.evidence and not stage.notice:
            yield Fault("evidence_without_notice", f"dunning.stages.{number}.evidence")
        if stage.deadline_days and not stage.notice:
            yield Fault("setting_ignored", f"dunning.stages.{number}.deadline_days")


# --- authority -----------------------------------------------------------------------------------

_NEVER_APPROVE = (Post.SALES, Post.AUDITOR, Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.ARCHIVIST)
"""Who sells, checks, files or runs the machine takes no credit decision (I-14, I-20b)."""


def _approval(policy: Policy, known: Known) -> Iterator[Fault]:
    table = policy.approval.authority
    posts = [row.post for row in table]
    yield from _authority_order([row.amount_max for row in table])
    yield from _repeated(posts, "post_twice", "approval.authority")
    if all(row.amount_max is not None for row in table):
        yield Fault("nobody_unbounded", "approval.authority")
    for number, post in enumerate(posts):
        if post in _NEVER_APPROVE:
            yield Fault("post_may_not_approve", f"approval.authority.{number}", {"post": post})
    for path, post in _deciders(policy):
        if post not in posts:
            yield Fault("post_without_authority", path, {"post": post})
    if policy.approval.split_days == 0:
        yield Fault("splits_not_added", "approval.split_days")


def _authority_order(amounts: Sequence[Decimal | None]) -> Iterator[Fault]:
    for number, (lower, higher) in enumerate(pairwise(amounts), start=1):
        if lower is None:
            yield Fault("authority_shadowed", f"approval.authority.{number}")
        elif higher is not None and higher <= lower:
            yield Fault("authority_not_ascending", f"approval.authority.{number}", {"before": lower, "amount": higher})


def _deciders(policy: Policy) -> Iterator[tuple[str, Post]]:
    yield "approval.grade_d_by", policy.approval.grade_d_by
    yield "approval.unlimited_by", policy.approval.unlimited_by
    yield "approval.over_suggestion_by", policy.approval.over_suggestion_by
    for grade, terms in policy.grades.items():
        yield f"grades.{grade}.exceptions_by", terms.exceptions_by


# --- order check ---------------------------------------------------------------------------------

_DAYS_NEVER = 3660
"""The largest number of days the book can hold: a threshold set to it is switched off."""


def _order_check(policy: Policy, known: Known) -> Iterator[Fault]:
    rules = policy.order_check
    for grade in policy.grades:
        if not any(_holds_late_payer(policy, grade)):
            yield Fault("no_rule_holds", f"grades.{grade}", {"grade": grade})
    if not _dunning_can_hold(policy):
        yield Fault("never_fires", "order_check.dunning_stage_max", {"dunning_stage_max": rules.dunning_stage_max})
    if rules.watch_share > 1:
        yield Fault("never_fires", "order_check.watch_share", {"watch_share": rules.watch_share})
    if rules.release_tolerance >= 1:
        params = {"release_tolerance": rules.release_tolerance}
        yield Fault("tolerance_too_wide", "order_check.release_tolerance", params)


def _holds_late_payer(policy: Policy, grade: Grade) -> Iterator[bool]:
    """One answer per rule that could keep goods from a customer of this grade who does not pay."""
    rules = policy.order_check
    yield _bites(policy, "overdue_days", grade) and policy.grades[grade].overdue_days_max < _DAYS_NEVER
    yield _bites(policy, "overdue_amount", grade) and rules.overdue_amount_max is not None
    yield _bites(policy, "dunning_level", grade) and _dunning_can_hold(policy)
    # Standings hold by themselves, but only if the ladder or the dunning procedure ever demands one.
    yield any(rung.standing in ("stopped", "cash_only") or rung.to is Grade.D for rung in policy.downgrade.ladder)
    yield any(stage.standing == "stopped" for stage in policy.dunning.stages)
    yield policy.grades[grade].limit_max == 0


def _bites(policy: Policy, code: str, grade: Grade) -> bool:
    return policy.severity(code, grade) != "warn"


def _dunning_can_hold(policy: Policy) -> bool:
    return policy.order_check.dunning_stage_max < max(stage.stage for stage in policy.dunning.stages)


# --- lines, ageing, calendar ---------------------------------------------------------------------


def _lines(policy: Policy, known: Known) -> Iterator[Fault]:
    if policy.approval.temporary_days_max > policy.lines.months * 31:
        yield Fault("temporary_outlives_line", "approval.temporary_days_max", {"months": policy.lines.months})
    for number, days in enumerate(policy.lines.expiry_notice_days):
        if days >= policy.lines.months * 28:
            yield Fault("notice_before_line", f"lines.expiry_notice_days.{number}", {"days": days})


def _aging(policy: Policy, known: Known) -> Iterator[Fault]:
    if any(upper <= lower for lower, upper in pairwise(policy.aging.up_to)):
        yield Fault("buckets_not_ascending", "aging.up_to", {"up_to": policy.aging.up_to})


def _calendar(policy: Policy, known: Known) -> Iterator[Fault]:
    calendar = policy.calendar
    for day in sorted(set(calendar.holidays) & set(calendar.workdays)):
        yield Fault("rest_day_and_workday", "calendar", {"day": day})
    yield from _repeated(calendar.holidays, "date_twice", "calendar.holidays")
    yield from _repeated(calendar.workdays, "date_twice", "calendar.workdays")


def _repeated(values: Sequence[object], code: str, path: str) -> Iterator[Fault]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Fault(code, path, {"value": value})


Check = Callable[[Policy, Known], Iterator[Fault]]

CHECKS: tuple[Check, ...] = (
    _grades,
    _scorecard,
    _triggers,
    _limits,
    _new_customer,
    _lines,
    _downgrade,
    _aging,
    _dunning,
    _approval,
    _order_check,
    _calendar,
)
"""The checks in the order of the policy's chapters."""
