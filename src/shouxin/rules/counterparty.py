"""Is this the party it says it is, and can it perform? The checks before a deal: standing (B1.1) and ability (B1.3).

Each item passes, fails, or is not known; what would cure it is a code. Nothing unknown ever passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

Outcome = Literal["pass", "fail", "unknown"]
LIVING = ("in_business", "moved")
"""Registration statuses under which a company can promise anything (domain 2.4)."""
REGISTRATIONS = ("in_business", "moved", "deregistered", "revoked", "cancelled", "closed", "suspended", "other")


@dataclass(frozen=True)
class Facts:
    """What is known on the day. None: nobody has looked. Amounts in the currency of the line."""

    on: date
    natural_person: bool = False
    code_problem: str | None = None
    registration: str | None = None
    licence_until: date | None = None
    licence_checked_on: date | None = None
    scope_covers: bool | None = None
    abnormal: bool | None = None
    dishonest: bool | None = None
    serious_offender: bool | None = None
    dissolved: bool | None = None
    standing: str = "good"
    persons_listed: tuple[str, ...] = ()
    grade: str | None = None
    line_until: date | None = None
    has_line: bool = False
    available: Decimal | None = None
    needed: Decimal | None = None
    overdue_days: int = 0
    delivered: int = 0
    cancelled: int = 0
    lawsuits: int | None = None
    judgment_debtor: bool | None = None


@dataclass(frozen=True)
class Bounds:
    """The policy's bounds: how fresh a look at the register must be, what is tolerated."""

    fresh_days: int = 180
    lawsuits_max: int = 3
    overdue_days_max: int = 30
    grade_worst: str = "C"


@dataclass(frozen=True)
class Item:
    """One line of the checklist: clause, outcome, what was measured, the code of what would cure it."""

    key: str
    clause: str
    outcome: Outcome
    measured: str = ""
    cure: str = ""


def check(facts: Facts, bounds: Bounds) -> tuple[Item, ...]:
    """The whole checklist, in the order of the form."""
    return tuple(_item(key, clause, rule, facts, bounds) for key, clause, rule in CHECKS)


def verdict(items: tuple[Item, ...]) -> Outcome:
    """The worst of them: one failure fails, one unknown leaves it unknown."""
    outcomes = {item.outcome for item in items}
    return "fail" if "fail" in outcomes else "unknown" if "unknown" in outcomes else "pass"


Answer = tuple[Outcome, str]
Rule = Callable[[Facts, Bounds], Answer]


def _item(key: str, clause: str, rule: Rule, facts: Facts, bounds: Bounds) -> Item:
    outcome, measured = rule(facts, bounds)
    return Item(key, clause, outcome, measured, "" if outcome == "pass" else f"{key}_{outcome}")


def _code(facts: Facts, _bounds: Bounds) -> Answer:
    if facts.code_problem is None:
        return "unknown", ""
    return ("pass", "") if facts.code_problem == "" else ("fail", facts.code_problem)


def _registration(facts: Facts, _bounds: Bounds) -> Answer:
    if facts.dissolved:
        return "fail", "dissolved"
    if facts.registration is None:
        return "unknown", ""
    return "pass" if facts.registration in LIVING else "fail", facts.registration


def _licence(facts: Facts, _bounds: Bounds) -> Answer:
    """A licence without an end is written as the last day a date can have."""
    if facts.licence_until is None:
        return "unknown", ""
    return "pass" if facts.licence_until >= facts.on else "fail", facts.licence_until.isoformat()


def _scope(facts: Facts, _bounds: Bounds) -> Answer:
    return _said(facts.scope_covers, good=True)


def _fresh(facts: Facts, bounds: Bounds) -> Answer:
    if facts.licence_checked_on is None:
        return "unknown", ""
    old = facts.on - facts.licence_checked_on > timedelta(days=bounds.fresh_days)
    return "fail" if old else "pass", facts.licence_checked_on.isoformat()


def _said(value: bool | None, *, good: bool) -> Answer:
    return ("unknown", "") if value is None else ("pass" if value is good else "fail", "")


def _blacklist(facts: Facts, _bounds: Bounds) -> Answer:
    bad = facts.standing in ("blacklisted", "suspended") or facts.persons_listed
    return "fail" if bad else "pass", ", ".join(facts.persons_listed) or facts.standing


def _grade(facts: Facts, bounds: Bounds) -> Answer:
    if facts.grade is None:
        return "unknown", ""
    return "pass" if facts.grade <= bounds.grade_worst else "fail", facts.grade


def _room(facts: Facts, _bounds: Bounds) -> Answer:
    if not facts.has_line or facts.available is None:
        return "unknown", ""
    if facts.line_until is not None and facts.line_until < facts.on:
        return "fail", facts.line_until.isoformat()
    return "pass" if facts.available >= (facts.needed or Decimal(0)) else "fail", f"{facts.available:,.2f}"


def _overdue(facts: Facts, bounds: Bounds) -> Answer:
    return "pass" if facts.overdue_days <= bounds.overdue_days_max else "fail", str(facts.overdue_days)


def _deliveries(facts: Facts, _bounds: Bounds) -> Answer:
    """No order ever delivered to: nothing is known. More orders fell through than were carried out: it fails."""
    if not facts.delivered + facts.cancelled:
        return "unknown", ""
    return "pass" if facts.delivered >= facts.cancelled else "fail", f"{facts.delivered} / {facts.cancelled}"


def _litigation(facts: Facts, bounds: Bounds) -> Answer:
    if facts.judgment_debtor:
        return "fail", "judgment_debtor"
    if facts.lawsuits is None:
        return "unknown", ""
    return "pass" if facts.lawsuits <= bounds.lawsuits_max else "fail", str(facts.lawsuits)


CHECKS: tuple[tuple[str, str, Rule], ...] = (
    ("code", "B1.1", _code),
    ("registration", "B1.1", _registration),
    ("licence", "B1.1", _licence),
    ("scope", "B1.1", _scope),
    ("fresh", "B1.1", _fresh),
    ("abnormal", "B1.1", lambda facts, _bounds: _said(facts.abnormal, good=False)),
    ("dishonest", "B1.1", lambda facts, _bounds: _said(facts.dishonest, good=False)),
    ("serious", "B1.1", lambda facts, _bounds: _said(facts.serious_offender, good=False)),
    ("blacklist", "B1.1", _blacklist),
    ("grade", "B1.3", _grade),
    ("room", "B1.3", _room),
    ("overdue", "B1.3", _overdue),
    ("deliveries", "B1.3", _deliveries),
    ("litigation", "B1.3", _litigation),
)
"""The checklist: key, clause, rule."""
