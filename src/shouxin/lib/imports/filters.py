"""Which rows of a file are left out: a column, a comparison, and the words it is compared with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.rules.days import Order, read_date
from shouxin.rules.money import AmountError, read_amount
from shouxin.rules.text import Unreadable

from .cells import text_of
from .workbook import ErrorCell

COMPARISONS: dict[str, Any] = {
    "is": pgettext_lazy("a filter's comparison", "is"),
    "is_not": pgettext_lazy("a filter's comparison", "is not"),
    "contains": _("contains"),
    "contains_not": _("does not contain"),
    "begins_with": _("begins with"),
    "empty": pgettext_lazy("a filter's comparison", "is empty"),
    "not_empty": _("is not empty"),
    "below": _("is an amount below"),
    "above": _("is an amount above"),
    "before": _("is a day before"),
    "after": _("is a day after"),
}
WORDLESS = frozenset(["empty", "not_empty"])
AMOUNTS = frozenset(["below", "above"])
DAYS = frozenset(["before", "after"])

Test = Callable[[object], bool]
"""Takes a cell as it was read, says whether its row is left out."""


@dataclass(frozen=True)
class Filter:
    """Rows are left out in which `column` compares so with one of the words (with none of them: is_not, contains_not).

    `column`: a heading, or a letter behind `=`. Words are compared as they stand, but for blanks around and doubled
    between. A cell that is no amount or no day is never below, above, before or after: its row stays.
    """

    column: str
    comparison: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The filter as a sentence, in the reader's language."""
        return " ".join(filter(None, (self.column, str(COMPARISONS[self.comparison]), " / ".join(self.words))))

    @classmethod
    def told(cls, kept: Iterable[dict[str, Any]]) -> list[tuple[str, int]]:
        """Kept filters with their `rows` as sentences, each with how many rows it left out."""
        return [
            (str(cls(each["column"], each["comparison"], tuple(each.get("value", ())))), each["rows"]) for each in kept
        ]

    def as_json(self) -> dict[str, Any]:
        """The filter as a mapping writes it."""
        found: dict[str, Any] = {"column": self.column, "comparison": self.comparison}
        return found | ({"value": list(self.words)} if self.words else {})


def plain(cell: object) -> str:
    """The cell as it is compared: as text, without blanks around it, those between made one."""
    return "" if cell is None else " ".join(text_of(cell).split())


def tester(wanted: Filter, order: Order | None) -> Test:
    """The filter as a question about one cell. `order`: how a date with its year last is read in that column."""
    if wanted.comparison in AMOUNTS:
        return _amount_tester(wanted)
    if wanted.comparison in DAYS:
        return _day_tester(wanted, order)
    words = tuple(plain(word) for word in wanted.words)
    among = frozenset(words)
    tests: dict[str, Test] = {
        "is": lambda cell: plain(cell) in among,
        "is_not": lambda cell: plain(cell) not in among,
        "contains": lambda cell: any(word in plain(cell) for word in words),
        "contains_not": lambda cell: not any(word in plain(cell) for word in words),
        "begins_with": lambda cell: plain(cell).startswith(words),
        "empty": lambda cell: not plain(cell),
        "not_empty": lambda cell: bool(plain(cell)),
    }
    return tests[wanted.comparison]


def amount(cell: object) -> Decimal | None:
    """The amount a cell says, None where it says none."""
    try:
        return None if isinstance(cell, ErrorCell) else read_amount(cell)
    except AmountError:
        return None


def day(cell: object, order: Order | None = None) -> date | None:
    """The day a cell says, None where it says none or could mean two."""
    try:
        return None if isinstance(cell, ErrorCell) else read_date(cell, order=order)
    except Unreadable:
        return None


def _amount_tester(wanted: Filter) -> Test:
    bound = amount(wanted.words[0])
    below = wanted.comparison == "below"

    def test(cell: object) -> bool:
        found = amount(cell)
        return found is not None and bound is not None and (found < bound if below else found > bound)

    return test


def _day_tester(wanted: Filter, order: Order | None) -> Test:
    bound = day(wanted.words[0])
    before = wanted.comparison == "before"

    def test(cell: object) -> bool:
        found = day(cell, order)
        return found is not None and bound is not None and (found < bound if before else found > bound)

    return test
