"""Show a file before it is taken over, and take it over: row by row or whole, never twice, never half a file.

`look` and `take_over` walk the same path with the same checks, so the counts and totals shown before are the
ones that come after (I-25).
"""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from django.db import DatabaseError, DataError, IntegrityError, transaction

from shouxin.lib import collector, statements

from . import census, headings, reader
from . import mapping as mappings
from .census import Census
from .check import Batch, Checker, Survey, survey
from .delimited import BAD_QUOTING, Record
from .faults import CellFault, FileFault, shown
from .filters import Filter
from .kinds import Block, Conditions, Kind, Outcome, Refused, Row
from .mapping import Layout, Mapping
from .reader import Limits, Source
from .refused_rows import GivenBack, RefusedRows

log = logging.getLogger(__name__)

BATCH_ROWS = 20_000
PREVIEW_ROWS = 50
FAULTS_SHOWN = 200
NOTED_ROWS = 20

Progress = Callable[[int, int], None]
"""Told the rows done and the rows there are."""

State = Literal["read", "accepted", "unchanged", "refused"]


@dataclass
class Tally:
    """The sum control: rows and amounts per currency, read and by what became of them.

    `left_out`: place of a filter among `filters` -> rows it was the first to leave out.
    """

    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    total_rows: list[int] = field(default_factory=list)
    total_rows_count: int = 0
    repeated_headings: int = 0
    filters: Sequence[Filter] = ()
    left_out: Counter[int] = field(default_factory=Counter)
    sums: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def add_sums(self, rows: Block, states: Sequence[State], column: str) -> None:
        """Count amounts under currency and state; a row without a readable one counts in the rows alone."""
        currencies, amounts = rows.columns.get("currency", [None] * len(rows)), rows.columns[column]
        found: dict[tuple[str | None, State], list[Decimal]] = defaultdict(list)
        for key, amount in zip(zip(currencies, states, strict=True), amounts, strict=True):
            if amount.__class__ is Decimal:
                found[key].append(amount)
        for (currency, state), each in found.items():
            if currency:
                of_currency = self.sums.setdefault(currency, {})
                of_currency[state] = sum(each, of_currency.get(state, Decimal(0)))

    def as_json(self) -> dict[str, Any]:
        """For the run's record, the page and the API; amounts as texts."""
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "skipped": {
                "totals": self.total_rows_count,
                "total_rows": self.total_rows,
                "repeated_headings": self.repeated_headings,
                "left_out": self.left_out.total(),
                "filters": [each.as_json() | {"rows": self.left_out[place]} for place, each in enumerate(self.filters)],
            },
            "sums": {
                currency: {state: f"{amount:.2f}" for state, amount in states.items()}
                for currency, states in sorted(self.sums.items())
            },
        }


@dataclass
class Preview:
    """A file as it would be taken: what it is, its columns, its first rows with their faults, its totals.

    `complete`: whether the totals are of the whole file or only of the rows looked at. `census` is of the whole file.
    """

    source: Source
    layout: Layout
    orders: dict[str, str | None]
    rows: list[tuple[int, list[object], list[CellFault]]]
    faults: list[CellFault]
    tally: Tally
    total_rows: int
    complete: bool
    census: Census

    def columns_as_json(self) -> list[dict[str, Any]]:
        """The columns taken, each with the words of the file and what they are taken as."""
        return [
            {
                "column": bound.key,
                "heading": bound.heading or bound.fill.constant,
                "confidence": bound.confidence,
                "different": words.different if words else 0,
                "blank_rows": words.blank_rows if words else 0,
                "words": [asdict(word) for word in words.words] if words else [],
            }
            for bound in self.layout.bound
            for words in [self.census.columns.get(bound.key)]
        ]


@dataclass
class Result:
    """What became of a file. `written` is false for a dry run and for a whole file given back for its faults."""

    source: Source
    layout: Layout
    tally: Tally
    faults: list[CellFault]
    written: bool
    errors_path: Path | None


# --- looking -------------------------------------------------------------------------------------


@collector.seldom()
def look(
    path: Path,
    kind: Kind,
    mapping: Mapping,
    conditions: Conditions,
    *,
    rows_max: int | None = None,
    limits: Limits | None = None,
) -> Preview:
    """Read and check without the database: columns, first rows, faults, totals. Raises FileFault.

    Missing columns are no fault here: the person at the page is about to name them.
    `rows_max` bounds how many rows are checked; all are read, so a broken file shows here, and what stands in the
    columns and what the filters leave out is counted over the whole file.
    """
    with opened(path, mapping, limits) as source:
        layout, learnt = lay_out(source, kind, mapping)
        checker = _checker(kind, layout, mapping, _with_mapping(conditions, mapping), learnt, source)
        tally, faults, first = (
            Tally(filters=mapping.leave_out),
            list[CellFault](),
            list[tuple[int, list[object], list[CellFault]]](),
        )
        for batch in _batches(_below(source, layout), kind, layout, rows_max):
            found = checker.check(batch)
            _count(tally, found, kind)
            tally.accepted += len(found.rows)
            faults.extend(islice(_faults(found), max(FAULTS_SHOWN - len(faults), 0)))
            if not first:
                first = _first_rows(batch, found)
        complete = rows_max is None or learnt.rows <= rows_max
        counted = census.take(_batches(_below(source, layout), kind, layout), checker)
        return Preview(source, layout, dict(learnt.orders), first, faults, tally, learnt.rows, complete, counted)


def _first_rows(records: Sequence[Record], found: Batch) -> list[tuple[int, list[object], list[CellFault]]]:
    faults = {record[0]: each for record, each in found.refused}
    kept = {row.number for row in found.rows} | set(faults)
    shown_rows = (record for record in records if record[0] in kept)
    return [
        (number, cells[1:] if cells[0] is BAD_QUOTING else cells, faults.get(number, []))
        for number, cells in islice(shown_rows, PREVIEW_ROWS)
    ]


@contextmanager
def opened(path: Path, mapping: Mapping, limits: Limits | None = None) -> Iterator[Source]:
    """The file opened as its mapping says."""
    with reader.opened(
        path, encoding=mapping.encoding, delimiter=mapping.delimiter, sheet=mapping.sheet, limits=limits
    ) as source:
        yield source


def lay_out(source: Source, kind: Kind, mapping: Mapping) -> tuple[Layout, Survey]:
    """Find the heading, bind the columns, walk through the file once. Raises FileFault."""
    wanted = max(headings.SEARCHED_ROWS, 0) + headings.HEADING_DEPTH_MAX
    rows = source.rows()
    if mapping.heading_row:
        rows = (record for record in rows if record[0] >= mapping.heading_row)
    head = [record for record in islice(rows, wanted) if record[1][0] is not BAD_QUOTING]
    if not head:
        raise FileFault("empty")
    heading = headings.locate(head, kind, mapping.heading_row)
    layout = mappings.bind(mapping, kind, heading)
    learnt = survey(source.rows(), layout, kind, mapping)
    return layout, learnt


def _checker(
    kind: Kind, layout: Layout, mapping: Mapping, conditions: Conditions, learnt: Survey, source: Source
) -> Checker:
    return Checker(kind, layout, mapping, conditions, learnt.orders, delimited=source.form == "text")


def _below(source: Source, layout: Layout) -> Iterator[Record]:
    last = layout.heading.last_row
    return (record for record in source.rows() if record[0] > last)


def _batches(
    records: Iterator[Record], kind: Kind, layout: Layout, rows_max: int | None = None
) -> Iterator[list[Record]]:
    """Rows by the thousand; neighbours that belong together are not parted."""
    indexes = [bound.index for bound in layout.bound if bound.key in kind.together and bound.index is not None]
    limited = records if rows_max is None else islice(records, rows_max)
    held: list[Record] = []
    while batch := held + list(islice(limited, max(BATCH_ROWS - len(held), 1))):
        held = []
        following = next(limited, None)
        if following is not None:
            held = [following]
            if indexes:
                held = _pull_apart(batch, following, indexes)
        if not batch:  # one paper larger than a batch: take it as it comes
            batch, held = held, []
        yield batch


def _pull_apart(batch: list[Record], following: Record, indexes: Sequence[int]) -> list[Record]:
    """Move the tail that belongs to the following row out of the batch; answers with what is held for the next."""
    key = _cells(following, indexes)
    tail: list[Record] = []
    while batch and any(key) and _cells(batch[-1], indexes) == key:
        tail.append(batch.pop())
    return [*reversed(tail), following]


def _cells(record: Record, indexes: Sequence[int]) -> tuple[object, ...]:
    return tuple(record[1][index] if index < len(record[1]) else None for index in indexes)


def _count(tally: Tally, found: Batch, kind: Kind) -> None:
    tally.rows += found.count
    tally.refused += len(found.refused)
    tally.total_rows_count += len(found.totals)
    tally.total_rows.extend(found.totals[: max(NOTED_ROWS - len(tally.total_rows), 0)])
    tally.repeated_headings += len(found.repeated_headings)
    tally.left_out += found.left_out
    if kind.sums and len(found.rows):
        tally.add_sums(found.rows, ["read"] * len(found.rows), kind.sums)


def _faults(found: Batch) -> Iterator[CellFault]:
    return chain.from_iterable(faults for _record, faults in found.refused)


# --- taking over ---------------------------------------------------------------------------------


@collector.seldom()
def take_over(
    path: Path,
    kind: Kind,
    mapping: Mapping,
    conditions: Conditions,
    *,
    errors_path: Path,
    atomic: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda done, rows: None,
    limits: Limits | None = None,
    digest: str = "",
) -> Result:
    """Write the good rows and give the refused ones back in a workbook at `errors_path`.

    By default each batch is a transaction of its own and good rows are written whatever stands beside them;
    `atomic`: one transaction, and nothing is written if any row is refused; `dry_run`: everything is done and
    rolled back. A fault of the file as a whole is raised before anything is written. Rows that are there
    already count as unchanged. Raises FileFault.
    """
    if not os.access(errors_path.parent, os.W_OK):
        raise FileFault("unwritable", {"path": errors_path.name})
    with opened(path, mapping, limits) as source:
        if digest and source.digest != digest:
            raise FileFault("changed")
        layout, learnt = lay_out(source, kind, mapping)
        mappings.require(layout, kind)
        conditions = _with_mapping(conditions, mapping)
        result = Result(source, layout, Tally(filters=mapping.leave_out), [], True, None)
        whole = transaction.atomic() if atomic or dry_run else nullcontext()
        refused = RefusedRows(errors_path, layout.heading, heading_row=mapping.heading_row, sheet=mapping.sheet)
        checker = _checker(kind, layout, mapping, conditions, learnt, source)
        taking = _Taking(kind, conditions, checker, result, refused)
        try:
            with refused, whole:
                if atomic or dry_run:
                    statements.count_on_indexes()
                for found in _ahead(map(checker.check, _batches(_below(source, layout), kind, layout))):
                    taking.take(found)
                    progress(result.tally.rows, learnt.rows)
                if dry_run or (atomic and result.tally.refused):
                    raise GivenBack
                if result.tally.accepted or conditions.again:
                    kind.finished(conditions, result.tally.as_json() | {"digest": source.digest, "file": path.name})
        except GivenBack:
            result.written = False
        result.errors_path = errors_path if result.tally.refused else None
        return result


def _with_mapping(conditions: Conditions, mapping: Mapping) -> Conditions:
    """What the mapping says wins over what the caller said."""
    return replace(
        conditions,
        currency=mapping.currency or conditions.currency,
        source_system=mapping.source_system or conditions.source_system,
        unknown_customers=mapping.unknown_customers or conditions.unknown_customers,  # type: ignore[arg-type]
    )


class _Taking:
    """One run through the batches: check, write, count, give back."""

    def __init__(
        self, kind: Kind, conditions: Conditions, checker: Checker, result: Result, refused: RefusedRows
    ) -> None:
        self.kind, self.conditions, self.checker, self.result, self.refused = kind, conditions, checker, result, refused
        self.writer = kind.writer(conditions)

    def take(self, found: Batch) -> None:
        """Write what is readable of a checked batch, count it, give the rest back."""
        tally = self.result.tally
        _count(tally, found, self.kind)
        if rows := found.rows:
            self._settle(rows, self._write(rows), found)
        for record, faults in sorted(found.refused, key=lambda each: each[0][0]):
            self.refused.add(record, faults)
            self.result.faults.extend(faults[: max(FAULTS_SHOWN - len(self.result.faults), 0)])

    def _settle(self, rows: Block, outcomes: Sequence[Outcome], found: Batch) -> None:
        states: list[State] = [each if each.__class__ is str else "refused" for each in outcomes]  # type: ignore[misc]
        tally = self.result.tally
        tally.accepted += states.count("accepted")
        tally.unchanged += states.count("unchanged")
        tally.refused += states.count("refused")
        if self.kind.sums:
            tally.add_sums(rows, states, self.kind.sums)
        for place, outcome in enumerate(outcomes):
            if outcome.__class__ is Refused:
                found.refused.append(((rows.numbers[place], rows.cells[place]), [self._fault(rows[place], outcome)]))

    def _fault(self, row: Row, refused: Refused) -> CellFault:
        bound = self.checker.layout.of(refused.column)
        value = shown(row.values.get(refused.column)) if refused.column else ""
        return CellFault(
            row.number, refused.column, bound.heading if bound else "", value, refused.code, refused.params
        )

    def _write(self, rows: Block) -> list[Outcome]:
        """Write a batch in a transaction of its own; where the database refuses it, halve until the row is found."""
        try:
            with transaction.atomic():
                return list(self.writer.write(rows))
        except (DataError, IntegrityError) as error:
            self.writer = self.kind.writer(self.conditions)
            if len(rows) == 1:
                log.warning("import row %s not stored: %s", rows.numbers[0], error)
                return [Refused("not_stored", {"detail": _first_line(error)})]
            middle = len(rows) // 2
            return self._write(rows[:middle]) + self._write(rows[middle:])


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same, the next one being read and checked while the database writes the one before."""
    with ThreadPoolExecutor(1) as beside:
        following = beside.submit(copy_context().run, next, batches, None)
        while (found := following.result()) is not None:
            following = beside.submit(copy_context().run, next, batches, None)
            yield found


def _first_line(error: DatabaseError) -> str:
    """What the database said, without the values it quotes in the lines after."""
    return str(error).split("\n", 1)[0][:120]


def reason_lines(faults: Iterable[CellFault]) -> list[str]:
    """Faults as lines of text, for a terminal."""
    return [f"{fault.row}: {fault.heading or '-'}: {fault.value!r}: {fault}" for fault in faults]
