"""What another policy would make of the same customer: from which grade and limit to which, and why (B2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .line import Limit
from .policy import Grade, Policy
from .rating import Rated


@dataclass(frozen=True)
class Cause:
    """One thing that differs: a `question` (points before and after, None: not asked), or something of no points.

    `step`: the `key` is its code or the trigger's; it was applied before (`before` 1) or is now (`after` 1).
    `bound`: from how many points the grade (`key`) begins. `binding`: the method or cap (`key`) that sets the limit.
    """

    kind: str
    key: str
    before: Decimal | None
    after: Decimal | None

    @property
    def weight(self) -> Decimal:
        """How many points it moved; what holds the grade counts more than any question, the limit less."""
        if self.kind != "question":
            return {"step": Decimal(1000), "bound": Decimal(500)}.get(self.kind, Decimal(0))
        return abs((self.after or Decimal(0)) - (self.before or Decimal(0)))


@dataclass(frozen=True)
class Regrading:
    """A customer under the old policy and under the new, with what differs, the weightiest first."""

    points: tuple[Decimal, Decimal]
    grades: tuple[Grade, Grade]
    limits: tuple[Limit, Limit]
    causes: tuple[Cause, ...]

    @property
    def moves(self) -> bool:
        """Whether the grade differs."""
        return self.grades[0] != self.grades[1]


def regrading(old: Policy, new: Policy, before: Rated, after: Rated) -> Regrading:
    """The ratings of one customer by two policies, compared."""
    found = (_questions(before, after), _steps(before, after), _bounds(old, new, after), _binding(before, after))
    causes = sorted((cause for kind in found for cause in kind), key=lambda cause: -cause.weight)
    return Regrading(
        points=(before.sheet.points, after.sheet.points),
        grades=(before.grading.grade, after.grading.grade),
        limits=(before.suggestion.limit, after.suggestion.limit),
        causes=tuple(causes),
    )


def _questions(before: Rated, after: Rated) -> Iterator[Cause]:
    old, new = ({answer.question: answer.points for answer in rated.sheet.answers} for rated in (before, after))
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield Cause("question", key, old.get(key), new.get(key))


def _steps(before: Rated, after: Rated) -> Iterator[Cause]:
    old, new = (_holding(rated) for rated in (before, after))
    for key in dict.fromkeys([*old, *new]):
        if (key in old) != (key in new):
            yield Cause("step", key, Decimal(key in old), Decimal(key in new))


def _bounds(old: Policy, new: Policy, after: Rated) -> Iterator[Cause]:
    """The bound of the grade the points give, where the other policy's bounds would give another."""
    grade = new.grade_for(after.sheet.points)
    if grade is not old.grade_for(after.sheet.points):
        yield Cause("bound", grade.value, old.grades[grade].score_min, new.grades[grade].score_min)


def _binding(before: Rated, after: Rated) -> Iterator[Cause]:
    if before.suggestion.binding != after.suggestion.binding:
        yield Cause("binding", after.suggestion.binding, None, None)


def _holding(rated: Rated) -> list[str]:
    """What holds the grade down after the points, by trigger or code, whether or not something else holds it lower."""
    return [str(step.why.get("trigger", step.code)) for step in rated.grading.steps if step.code != "score"]
