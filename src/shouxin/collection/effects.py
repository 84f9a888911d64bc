"""What the day does to customers, made so: letters, episodes, standings, downgrades, tasks, and the row that proves it.

`write` takes a batch and writes it in a fixed number of statements, all in the caller's transaction; only a downgrade
costs statements of its own, for its line and its letter.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from shouxin.credit import lines
from shouxin.customers import standing
from shouxin.lib.copying import copy_new
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.receivables.models import Episode
from shouxin.rules import aging
from shouxin.rules.daily import Verdict

from . import downgrade_letters, notices, worklist
from .facts import Known
from .models import CustomerDay, Day

ZERO = Decimal(0)


@dataclass(frozen=True)
class Run:
    """The circumstances of a day's run. `house`: the built-in person, in whose name the run acts."""

    day: Day
    edition: Edition
    house: Person
    at: datetime
    contacts: Mapping[str, Person]


@dataclass(frozen=True)
class Outcome:
    """A customer and the day's verdict on it."""

    known: Known
    verdict: Verdict


def write(outcomes: Sequence[Outcome], run: Run) -> Counter[str]:
    """Make the verdicts so, inside the caller's transaction; answers how much of what was done."""
    episodes = _write_episodes(outcomes, run)
    due = [
        notices.Due(each.known, each.verdict, each.verdict.letter, episodes.get(each.known.customer.pk))
        for each in outcomes
        if each.verdict.letter
    ]
    written = notices.write(due, day=run.day, edition=run.edition, contacts=run.contacts)
    moved = _write_standings(outcomes, run)
    lowered = [_downgrade(each, run) for each in outcomes if _is_lowered(each)]
    tasks = [_tasks(each, run) for each in outcomes]
    worklist.write(tasks, as_of=run.day.as_of)
    copy_new([_row(each, run) for each in outcomes])
    _write_trail(outcomes, run)
    return Counter(
        customers=len(outcomes),
        overdue=sum(each.verdict.running for each in outcomes),
        began=sum(each.verdict.running and not each.known.episode for each in outcomes),
        ended=sum(bool(each.known.episode) and not each.verdict.running for each in outcomes),
        letters=written,
        standings=moved,
        downgrades=len(lowered),
        tasks_made=sum(len(each.make) for each in tasks),
        tasks_dropped=sum(len(each.drop) for each in tasks),
    )


def _is_lowered(each: Outcome) -> bool:
    grade = each.known.facts.grade
    return grade is not None and each.verdict.grade is not None and each.verdict.grade.worse_than(grade)


def _downgrade(each: Outcome, run: Run) -> None:
    """A new line under the lower grade, with the ladder's reasons in words, and the letter that tells of it."""
    line, grade = each.known.line, each.verdict.grade
    if line is None or grade is None:
        raise ValueError("a downgrade needs a line and a grade")
    lower = lines.downgrade(
        line, grade, why=why_lowered(each.verdict), edition=run.edition, today=run.day.as_of, at=run.at, by=run.house
    )
    downgrade_letters.write(each.known, each.verdict, line, lower, edition=run.edition, by=run.house, at=run.at)


def why_lowered(verdict: Verdict) -> str:
    """The ladder's reasons as the credit file keeps them, in Chinese."""
    with override("zh-hans"):
        told = [text for reason in verdict.reasons if (text := _ladder_text(reason.code, reason.why))]
        return "；".join(told) or _("Late payment")


def _ladder_text(code: str, why: Mapping[str, object]) -> str:
    if code == "rung_reached":
        return _("%(overdue_days)s days overdue (the ladder's rung from %(overdue_days_min)s days)") % why
    if code == "late_payments":
        return _("%(late_payments)s late payments within the policy's months (rule: %(late_payments_count)s)") % why
    return ""


def _write_episodes(outcomes: Iterable[Outcome], run: Run) -> dict[int, Episode]:
    """Begin, advance and end episodes; answers customer id -> the running one."""
    new, changed = [], []
    for each in outcomes:
        row = each.known.episode
        if row is None and _worth_remembering(each):
            row = Episode(customer=each.known.customer, began_on=run.day.as_of)
            new.append(row)
        elif row is not None:
            changed.append(row)
        if row is not None:
            _remember(row, each.verdict, run)
    Episode.objects.bulk_create(new)
    if changed:
        names = ["stage", "baseline_grade", "rung_days", "late_count_applied", "ended_on"]
        Episode.objects.bulk_update(changed, names, batch_size=1000)
    return {row.customer_id: row for row in (*new, *changed) if row.ended_on is None}


def _worth_remembering(each: Outcome) -> bool:
    """An episode begins; or late payments cost a grade while nothing is overdue: an episode of a single day."""
    return each.verdict.running or (each.verdict.memory.late_count_applied and not each.known.facts.late_mark)


def _remember(row: Episode, verdict: Verdict, run: Run) -> None:
    memory = verdict.memory
    row.stage, row.rung_days, row.late_count_applied = memory.stage, memory.rung_days, memory.late_count_applied
    row.baseline_grade = memory.baseline.value if memory.baseline else ""
    row.ended_on = None if verdict.running else run.day.as_of


def _write_standings(outcomes: Iterable[Outcome], run: Run) -> int:
    wanted = [
        standing.Wanted(each.known.customer.pk, each.verdict.standing, _why_standing(each.verdict))
        for each in outcomes
        if each.verdict.standing != each.known.facts.standing.now
    ]
    if not wanted:
        return 0
    rows = standing.set_standings(wanted, by=run.house, on=run.day.as_of, at=run.at, policy_version=run.edition.number)
    return len(rows)


def _why_standing(verdict: Verdict) -> str:
    with override("zh-hans"):
        if not verdict.running:
            return _("Everything overdue has been paid")
        return _("%(days)s days overdue, dunning stage %(stage)s, %(amount)s at stake") % {
            "days": verdict.overdue_days,
            "stage": "–" if verdict.stage is None else verdict.stage,
            "amount": f"{verdict.at_stake:,.2f}",
        }


def _tasks(each: Outcome, run: Run) -> worklist.Changes:
    wanted = worklist.wishes(each.known, each.verdict, edition=run.edition, as_of=run.day.as_of)
    return worklist.changes(each.known, wanted, as_of=run.day.as_of)


def _row(each: Outcome, run: Run) -> CustomerDay:
    verdict, grade = each.verdict, each.known.facts.grade
    return CustomerDay(
        day=run.day,
        customer=each.known.customer,
        stage=verdict.stage,
        oldest_overdue_days=verdict.overdue_days,
        owed=_owed(each, run),
        grade_before=grade.value if grade else "",
        grade_after=verdict.grade.value if verdict.grade else "",
        standing_after=verdict.standing,
        reasons=[{"code": reason.code, **trail.as_text(reason.why)} for reason in verdict.reasons],
    )


def _owed(each: Outcome, run: Run) -> dict[str, dict[str, str]]:
    aged = aging.age(each.known.items, up_to=run.edition.policy.aging.up_to, as_of=run.day.as_of)
    return {
        currency: {
            "total": f"{sheet.total:.2f}",
            "overdue": f"{sheet.overdue:.2f}",
            "contested": f"{sheet.contested:.2f}",
            "unapplied": f"{sheet.unapplied:.2f}",
        }
        for currency, sheet in aged.items()
    }


def _write_trail(outcomes: Iterable[Outcome], run: Run) -> None:
    """A line for the timeline where dunning moved: begun, a further stage, ended. The rest has lines of its own."""
    lines_of_day = [_line(each, run) for each in outcomes if _moved(each)]
    trail.record_many(lines_of_day)


def _moved(each: Outcome) -> bool:
    return each.verdict.advanced or any(
        reason.code in ("episode_began", "episode_ended") for reason in each.verdict.reasons
    )


def _line(each: Outcome, run: Run) -> Any:
    verdict, customer = each.verdict, each.known.customer
    verb = "dunning.advance" if verdict.running else "dunning.end"
    return trail.line(
        verb, about=customer, by=run.house, at=run.at, on=run.day.as_of, stage=verdict.stage,
        overdue_days=verdict.overdue_days, at_stake=verdict.at_stake,
    )  # fmt: skip
