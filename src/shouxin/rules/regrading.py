"""What another policy would make of the same customer: from which grade and limit to which, and why (B2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .line import Limit
from .policy import Grade
from .rating import Rated


@dataclass(frozen=True)
class Cause:
    """One thing that differs: a `question` (points before and after, None: not asked), or a `step` to the grade.

    A step's `key` is its code or the trigger's; it was applied before (`before` 1) or is now (`after` 1).
    """

    kind: str
    key: str
    before: Decimal | None
    after: Decimal | None

    @property
    def weight(self) -> Decimal:
        """How many points it moved; a step counts more than any question."""
        if self.kind == "step":
            return Decimal(1000)
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


def regrading(before: Rated, after: Rated) -> Regrading:
    """The two ratings of one customer, compared."""
    causes = sorted([*_questions(before, after), *_steps(before, after)], key=lambda cause: -cause.weight)
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


def _holding(rated: Rated) -> list[str]:
    """What holds the grade down after the points, by trigger or code, whether or not something else holds it lower."""
    return [str(step.why.get("trigger", step.code)) for step in rated.grading.steps if step.code != "score"]
