"""A paper's life as a table: verb, from, to, whose duty. The same table guards, labels, tests and draws."""

from collections.abc import Iterable
from dataclasses import dataclass

from .policy import Post


@dataclass(frozen=True)
class Step:
    """One row: `verb` moves a paper from any of `sources` to `target`; only a holder of one of `duty` may do it."""

    verb: str
    sources: frozenset[str]
    target: str
    duty: frozenset[Post]


@dataclass(frozen=True)
class Flow:
    """All steps of one kind of paper. A verb that is not in the table cannot be done.

    `rests`: no person moves such a paper while its customer is restricted (PIPL art. 47).
    """

    name: str
    start: str
    steps: tuple[Step, ...]
    rests: bool = True

    def step(self, verb: str, status: str) -> Step | None:
        """The step `verb` makes from `status`, or None where the table has no such row."""
        return next((step for step in self.steps if step.verb == verb and status in step.sources), None)

    def verbs_from(self, status: str) -> tuple[str, ...]:
        """What can be done at all with a paper in this status, in the table's order."""
        return tuple(step.verb for step in self.steps if status in step.sources)

    @property
    def verbs(self) -> tuple[str, ...]:
        """Every verb of the table, once."""
        return tuple(dict.fromkeys(step.verb for step in self.steps))

    @property
    def statuses(self) -> tuple[str, ...]:
        """Every status of the table, the starting one first."""
        found = [status for step in self.steps for status in (*sorted(step.sources), step.target)]
        return tuple(dict.fromkeys([self.start, *found]))


def step(verb: str, sources: str, target: str, *duty: Post) -> Step:
    """A row written short: sources are words separated by blanks."""
    return Step(verb, frozenset(sources.split()), target, frozenset(duty))


def flow(name: str, start: str, steps: Iterable[Step], *, rests: bool = True) -> Flow:
    """A table from its rows."""
    return Flow(name, start, tuple(steps), rests)
