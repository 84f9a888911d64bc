"""What stands in the columns of a file: each different word, how often, and what it is taken as."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.utils.translation import gettext as _

from shouxin.rules.text import Unreadable

from . import cells as reading
from .check import Batch, BoundColumn, Checker
from .delimited import Record
from .faults import message, shown
from .workbook import ErrorCell

WORDS_MAX = 1_000
COUNTED_MAX = 20_000
"""The words of a column that are told, the commonest first, and those told apart while counting."""


@dataclass(frozen=True)
class Word:
    """A word of a column: in how many rows it stands, and what it is taken as, or why it cannot be taken.

    `translated`: the mapping says what it is taken as; otherwise it is taken as it stands.
    """

    text: str
    rows: int
    taken: str
    fault: str
    translated: bool


@dataclass(frozen=True)
class Words:
    """The words of one column, the commonest first; `different` counts them all, but not `is_exact` where too many."""

    words: tuple[Word, ...]
    different: int
    is_exact: bool
    blank_rows: int

    @property
    def unread(self) -> int:
        """How many of the words told cannot be taken."""
        return sum(bool(word.fault) for word in self.words)

    @property
    def translated(self) -> int:
        """How many of the words told the mapping translates."""
        return sum(word.translated for word in self.words)


@dataclass(frozen=True)
class Census:
    """What a walk through every row found: column's key -> its words, and the rows each filter leaves out."""

    columns: dict[str, Words]
    left_out: Counter[int]
    rows: int


def take(batches: Iterable[Sequence[Record]], checker: Checker) -> Census:
    """Count the words of every column bound to the file, over the rows of data no filter leaves out."""
    counting = [_Counting(column) for column in checker.columns if not column.bound.fill.constant]
    left_out: Counter[int] = Counter()
    rows = 0
    for records in batches:
        batch = Batch.empty()
        kept = [row for _number, row in checker.data_rows(records, batch)]
        left_out += batch.left_out
        rows += len(kept)
        across = list(zip_longest(*kept))
        for each in counting:
            each.add(kept, across)
    return Census({each.column.column.key: each.told() for each in counting}, left_out, rows)


class _Counting:
    """The words of one column so far. A cell is counted as it came; spellings that are one word meet at the end."""

    def __init__(self, column: BoundColumn) -> None:
        self.column = column
        self.counted: Counter[tuple[type, Any]] = Counter()
        self.is_exact = True

    def add(self, rows: Sequence[list[object]], across: Sequence[Sequence[object]]) -> None:
        cells = self.column.cells(rows, across)
        found = Counter(zip(map(type, cells), cells, strict=True))
        if len(self.counted) < COUNTED_MAX:
            self.counted += found
            return
        known = {key: count for key, count in found.items() if key in self.counted}
        self.is_exact = self.is_exact and len(known) == len(found)
        self.counted.update(known)

    def told(self) -> Words:
        rows: Counter[str] = Counter()
        samples: dict[str, object] = {}
        for (_kind, cell), count in self.counted.items():
            text = "" if cell is None else reading.text_of(cell).strip()
            rows[text] += count
            samples.setdefault(text, cell)
        blank = rows.pop("", 0)
        commonest = sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))[:WORDS_MAX]
        words = tuple(self._word(text, count, samples[text]) for text, count in commonest)
        return Words(words, len(rows), self.is_exact, blank)

    def _word(self, text: str, rows: int, cell: object) -> Word:
        value = self.column.value(cell)
        translated = text in self.column.bound.fill.values and not isinstance(cell, ErrorCell)
        if isinstance(value, Unreadable):
            code, params = reading.reason(value, cell, self.column.column, self.column.order)
            return Word(text, rows, "", message(code, params), translated)
        return Word(text, rows, as_text(value), "", translated)


def as_text(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:,.2f}" if isinstance(value, Decimal) else shown(value)
