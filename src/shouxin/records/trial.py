"""A policy tried on real customers beside the one in force: how the grades spread, who moves and why (B2.1)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from shouxin.customers.models import Customer
from shouxin.receivables import ratings
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Policy
from shouxin.rules.regrading import Cause, Regrading

from . import labels

SHOWN = 50
CAUSES_SHOWN = 3


@dataclass
class Trial:
    """How many customers were tried; their grades before and after; the moves; the sum of the limits."""

    tried: int = 0
    before: Counter[Grade] = field(default_factory=Counter)
    after: Counter[Grade] = field(default_factory=Counter)
    moves: Counter[tuple[Grade, Grade]] = field(default_factory=Counter)
    limits: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    top: list[tuple[Customer, Regrading]] = field(default_factory=list)

    @property
    def raised(self) -> int:
        """How many would have a better grade."""
        return sum(count for (old, new), count in self.moves.items() if old.worse_than(new))

    @property
    def lowered(self) -> int:
        """How many would have a worse grade."""
        return sum(count for (old, new), count in self.moves.items() if new.worse_than(old))


def run(customers: Iterable[int], *, as_of: date, old: Policy, new: Policy) -> Trial:
    """Rate each customer by both policies; only the furthest movers are remembered one by one."""
    found = Trial()
    for customer, each in ratings.what_if(customers, as_of=as_of, old=old, new=new):
        found.tried += 1
        found.before[each.grades[0]] += 1
        found.after[each.grades[1]] += 1
        found.limits = tuple(  # type: ignore[assignment]
            total + (limit.amount or Decimal(0)) for total, limit in zip(found.limits, each.limits, strict=True)
        )
        if each.moves:
            found.moves[each.grades] += 1
        if each.moves or each.limits[0] != each.limits[1]:
            found.top.append((customer, each))
            if len(found.top) > 4 * SHOWN:
                found.top = _furthest(found.top)
    found.top = _furthest(found.top)
    return found


def _furthest(rows: list[tuple[Customer, Regrading]]) -> list[tuple[Customer, Regrading]]:
    return sorted(rows, key=lambda row: _distance(row[1]), reverse=True)[:SHOWN]


def _distance(each: Regrading) -> tuple[int, Decimal]:
    """Whole grades first, then money."""
    old, new = (list(Grade).index(grade) for grade in each.grades)
    amounts = [limit.amount or Decimal(0) for limit in each.limits]
    return abs(old - new), abs(amounts[0] - amounts[1])


def drawing(found: Trial) -> dict[str, Any]:
    """The grades before and after, as bars."""
    grades = list(Grade)
    return {
        "labels": [grade.value for grade in grades],
        "series": [
            {"name": _("in force"), "values": [found.before[grade] for grade in grades]},
            {"name": _("draft"), "values": [found.after[grade] for grade in grades]},
        ],
        "unit": "count",
    }


def told(found: Trial, old: Policy, new: Policy) -> list[dict[str, Any]]:
    """The furthest movers with the reasons in words."""
    words = _words(old) | _words(new)
    return [
        {"customer": customer, "each": each, "why": [_said(cause, words) for cause in each.causes[:CAUSES_SHOWN]]}
        for customer, each in found.top
    ]


def _words(policy: Policy) -> dict[str, str]:
    questions = {q.key: labels.said(q.text) for group in policy.scorecard for q in group.questions}
    return {each.key: labels.said(each.text) for each in policy.triggers} | questions


def _said(cause: Cause, words: dict[str, str]) -> str:
    name = words.get(cause.key) or labels.label(labels.STEPS, cause.key)
    if cause.kind == "step":
        return (_("now holds: %(name)s") if cause.after else _("no longer holds: %(name)s")) % {"name": name}
    if cause.kind == "bound":
        name = _("grade %(grade)s begins at") % {"grade": cause.key}
    if cause.kind == "binding":
        return _("limit set by: %(name)s") % {
            "name": labels.METHODS.get(cause.key) or labels.label(labels.CAPS, cause.key)
        }
    return f"{name}: {_point(cause.before)} → {_point(cause.after)}"


def _point(points: Decimal | None) -> str:
    return "—" if points is None else format(points.normalize(), "f")


def rows(found: Trial, old: Policy, new: Policy) -> list[dict[str, Any]]:
    """The furthest movers, as the command line prints them."""
    return [
        {
            "customer": row["customer"].code,
            "grade": " → ".join(grade.value for grade in row["each"].grades),
            "points": " → ".join(map(str, row["each"].points)),
            "limit": " → ".join(_amount(limit) for limit in row["each"].limits),
            "why": "; ".join(row["why"]),
        }
        for row in told(found, old, new)
    ]


def _amount(limit: Limit) -> str:
    return limit.kind if limit.amount is None else f"{limit.amount:.2f}"


def summary(found: Trial) -> dict[str, Any]:
    """The trial in figures: how many, the grades before and after, the sums of the limits."""
    return {
        "customers": found.tried,
        "raised": found.raised,
        "lowered": found.lowered,
        "before": {grade.value: found.before[grade] for grade in Grade},
        "after": {grade.value: found.after[grade] for grade in Grade},
        "limits_before": f"{found.limits[0]:.2f}",
        "limits_after": f"{found.limits[1]:.2f}",
    }
