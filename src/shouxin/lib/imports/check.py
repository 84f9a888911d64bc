"""Turn the rows of a file into values, column by column, and say of every cell that cannot be read why."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, islice, zip_longest
from typing import Any

from shouxin.rules.days import Order, guess_order
from shouxin.rules.text import Unreadable

from . import cells as reading
from . import filters, headings
from .delimited import BAD_QUOTING, Record
from .faults import CellFault, shown
from .kinds import Block, Column, Conditions, Kind, Refused, Row
from .mapping import Bound, Layout, Mapping
from .workbook import ErrorCell

Faults = dict[int, list[CellFault]]
"""Row number -> what is wrong with the row."""

_REMEMBERED_MAX = 200_000
_SURVEYED_ROWS = 5_000
_REMEMBERED_TYPES = frozenset(["name", "text", "date", "currency", "choice", "bool", "days", "share"])
_TOTAL = re.compile(
    r"(.*\s)?(本[页月年日期]|当[月年]|期末|期间)?(小计|合计|总计|累计|合计金额)[:：]?"
    r"|((sub|grand)[\s-]?)?totals?(\s*[:：]|\s+(amount|balance))?",
    re.IGNORECASE,
)


def is_total(text: str) -> bool:
    """Whether a row that begins so adds others up: 小计, 合 计, 华东 小计, 本页合计, Grand total."""
    return bool(_TOTAL.fullmatch(text.strip()) or _TOTAL.fullmatch("".join(text.split())))


@dataclass
class Batch:
    """What became of some rows: readable ones, faults of the others, and what was no row of data at all.

    `left_out`: place of a filter in the mapping -> rows it is the first to leave out.
    """

    rows: Block
    refused: list[tuple[Record, list[CellFault]]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    repeated_headings: list[int] = field(default_factory=list)
    left_out: Counter[int] = field(default_factory=Counter)

    @classmethod
    def empty(cls) -> "Batch":
        """Nothing looked at yet."""
        return cls(Block([], [], {}))

    @property
    def count(self) -> int:
        """Rows of data: those to take over and those refused."""
        return len(self.rows) + len(self.refused)


@dataclass
class Survey:
    """What a first walk through the whole file learns: how many rows, and the order of each date column."""

    rows: int
    orders: dict[str, Order | None]


def survey(records: Iterable[Record], layout: Layout, kind: Kind, mapping: Mapping) -> Survey:
    """Walk through all rows once. A fault of the file is raised here, before anything is written."""
    dates = [bound for bound in layout.bound if kind.column(bound.key).type == "date" and bound.index is not None]
    given = {bound.key: bound.fill.order or mapping.date_order for bound in dates}
    spellings: dict[str, set[object]] = {bound.key: set() for bound in dates if not given[bound.key]}
    open_dates = [(bound.index, spellings[bound.key]) for bound in dates if not given[bound.key]]
    last, count = layout.heading.last_row, 0
    below = dropwhile(lambda record: record[0] <= last, records)
    while part := list(islice(below, _SURVEYED_ROWS)):
        count += len(part)
        for index, seen in open_dates:
            if len(seen) < _REMEMBERED_MAX:
                seen.update([row[index] for _number, row in part if index < len(row)])  # type: ignore[index, operator]
    orders: dict[str, Order | None] = {key: order or None for key, order in given.items()}  # type: ignore[misc]
    return Survey(count, orders | {key: guess_order(seen) for key, seen in spellings.items()})


class Checker:
    """Reads the rows of one file under one layout. It remembers the keys seen, to name duplicates by their row."""

    def __init__(
        self,
        kind: Kind,
        layout: Layout,
        mapping: Mapping,
        conditions: Conditions,
        orders: dict[str, Order | None],
        *,
        delimited: bool,
    ) -> None:
        self.kind, self.layout, self.conditions = kind, layout, conditions
        self.delimited = delimited
        self.width = layout.heading.width
        self.texts = layout.heading.texts
        self.words = frozenset(filter(None, self.texts))
        self.seen: dict[int, int] = {}
        self.columns = [
            BoundColumn(kind.column(bound.key), bound, mapping, orders.get(bound.key)) for bound in layout.bound
        ]
        self.absent = [column.key for column in kind.columns if layout.of(column.key) is None]
        self.complete = not any(kind.column(key).required for key in self.absent)
        self.key = [key for key in kind.key if layout.of(key) is not None]
        order_at = {bound.index: orders.get(bound.key) for bound in layout.bound}
        self.filters = [
            (place, index, filters.tester(wanted, order_at.get(index) or mapping.date_order or None))  # type: ignore[arg-type]
            for place, (index, wanted) in enumerate(zip(layout.filtered, mapping.leave_out, strict=True))
        ]

    def check(self, records: Sequence[Record]) -> Batch:
        """The rows read, refused, or left aside; every fault of a row is named, not only its first."""
        batch = Batch.empty()
        kept = self.data_rows(records, batch)
        numbers, cells = [number for number, _row in kept], [row for _number, row in kept]
        faults: Faults = {}
        across = list(zip_longest(*cells))
        columns = {column.bound.key: column.read(numbers, cells, across, faults) for column in self.columns}
        block = Block(numbers, cells, columns | {key: [None] * len(kept) for key in self.absent})
        self._fill_currency(block, faults)
        self._require_one_of(block, faults)
        self._check_between(block, faults)
        self._refuse_duplicates(block, faults)
        batch.rows = block
        if faults:
            batch.refused += [
                (record, faults[number]) for number, record in zip(numbers, kept, strict=True) if number in faults
            ]
            batch.rows = block.chosen([place for place, number in enumerate(numbers) if number not in faults])
        return batch

    def data_rows(self, records: Sequence[Record], batch: Batch) -> list[Record]:
        """The rows of data; what is none goes into the batch. Only those that look odd are looked at one by one."""
        firsts = {row[0] for _number, row in records if row}
        odd = firsts if self.filters else {first for first in firsts if self._is_odd(first)}
        width = self.width if self.delimited else None
        return [
            record
            for record in records
            if ((row := record[1]) and row[0] not in odd and width in (None, len(row))) or self._is_data(record, batch)
        ]

    def _is_odd(self, first: object) -> bool:
        if first.__class__ is not str:
            return first is None or first is BAD_QUOTING
        return not first or first in self.words or "计" in first or "tal" in first.lower()  # type: ignore

    def _is_data(self, record: Record, batch: Batch) -> bool:
        number, row = record
        first = row[0] if row and row[0] not in (None, "") else next((c for c in row if c not in (None, "")), None)
        if first.__class__ is str and ("计" in first or "tal" in first.lower()) and is_total(first):  # type: ignore
            batch.totals.append(number)
            return False
        if first.__class__ is str and first in self.words and self._repeats_heading(row):
            batch.repeated_headings.append(number)
            return False
        if first is BAD_QUOTING:
            batch.refused.append(((number, row[1:]), [CellFault(number, "", "", "", "bad_quoting")]))
            return False
        if self.delimited and len(row) != self.width and self._is_ragged(row):
            params = {"cells": len(row), "columns": self.width}
            batch.refused.append((record, [CellFault(number, "", "", "", "ragged", params)]))
            return False
        place = self._left_out_by(row)
        if place is not None:
            batch.left_out[place] += 1
        return place is None

    def _repeats_heading(self, row: Sequence[object]) -> bool:
        return all(
            str(cell).strip() in text for cell, text in zip(row, self.texts, strict=False) if cell not in (None, "")
        )

    def _is_ragged(self, row: Sequence[object]) -> bool:
        return len(row) < self.width or any(str(cell).strip() for cell in row[self.width :])

    def _left_out_by(self, row: Sequence[object]) -> int | None:
        """The place of the first filter that leaves the row out."""
        width = len(row)
        return next((place for place, index, test in self.filters if test(row[index] if index < width else None)), None)

    def _fill_currency(self, block: Block, faults: Faults) -> None:
        if not self.kind.needs_currency or None not in block.columns["currency"]:
            return
        otherwise = self.conditions.currency or None
        filled = block.columns["currency"] = [each or otherwise for each in block.columns["currency"]]
        for number, currency in zip(block.numbers, filled, strict=True):
            if not currency:
                faults.setdefault(number, [CellFault(number, "currency", "", "", "no_currency")])

    def _require_one_of(self, block: Block, faults: Faults) -> None:
        for group in self.kind.one_of:
            columns = [block.columns[key] for key in group]
            if all(None in column for column in columns):
                fault = (group[0], self._heading(group[0]), "", "required")
                for number, values in zip(block.numbers, zip(*columns, strict=True), strict=True):
                    if not any(value is not None for value in values):
                        faults.setdefault(number, []).append(CellFault(number, *fault))

    def _check_between(self, block: Block, faults: Faults) -> None:
        """Ask the kind about rows whose cells are each readable; what it fills in goes back into the columns.

        While a required column is missing there is nothing to ask: a kind relies on what it requires.
        """
        if not self.kind.check or not self.complete:
            return
        for place in self.kind.doubts(block.columns) if self.kind.doubts else range(len(block)):
            row = block[place]
            if row.number in faults:
                continue
            refused = [self._between(row, each) for each in self.kind.check(row.values)]
            if refused:
                faults[row.number] = refused
            for key, value in row.values.items():
                block.columns[key][place] = value

    def _between(self, row: Row, refused: Refused) -> CellFault:
        column = refused.column
        value = shown(row.values.get(column))
        return CellFault(row.number, column, self._heading(column), value, refused.code, refused.params)

    def _refuse_duplicates(self, block: Block, faults: Faults) -> None:
        if not self.key:
            return
        first_with = self.seen.setdefault
        columns = [block.columns[key] for key in self.key]
        for number, key in zip(block.numbers, zip(*columns, strict=True), strict=True):
            if number not in faults and (first := first_with(hash(key), number)) != number:
                faults |= self._duplicate(number, first, key)

    def _duplicate(self, number: int, first: int, key: Sequence[Any]) -> Faults:
        if all(part is None for part in key):
            return {}
        names = ", ".join(self._heading(key) for key in self.key)
        params = {"keys": names, "row": first}
        heading = self._heading(self.key[-1])
        return {number: [CellFault(number, self.key[-1], heading, shown(key[-1]), "duplicate", params)]}

    def _heading(self, key: str) -> str:
        bound = self.layout.of(key) if key else None
        return bound.heading if bound else ""


class BoundColumn:
    """One column with its reader; where values repeat, each is read once and remembered."""

    def __init__(self, column: Column, bound: Bound, mapping: Mapping, order: Order | None) -> None:
        self.column, self.bound = column, bound
        self.order = order
        self.blank = frozenset((*mapping.blank, *bound.fill.blank))
        self.reader = reading.reader_for(column, bound, order)
        self.plain = None if bound.fill.values else reading.plain_for(column, bound, self.blank)
        self.remembers = column.type in _REMEMBERED_TYPES
        self.known: dict[object, object] = {}
        self.troubled = False

    def read(
        self, numbers: Sequence[int], rows: Sequence[list[object]], across: Sequence[Sequence[object]], faults: Faults
    ) -> list[Any]:
        """The column's value in each row, None where blank or refused; `across` are the rows' cells by column."""
        cells = self.cells(rows, across)
        self.troubled = self.troubled and self.remembers
        values = self._repeating(cells) if self.remembers else None
        if values is None:
            values = self._one_by_one(cells)
        if self.troubled:
            self._refuse_unreadable(values, cells, numbers, faults)
        if self.column.required and None in values:
            self._refuse_blank(values, numbers, faults)
        return values

    def cells(self, rows: Sequence[list[object]], across: Sequence[Sequence[object]]) -> Sequence[object]:
        """What stands in each row; `across` are the rows' cells by column."""
        index, constant = self.bound.index, self.bound.fill.constant
        if index is not None:
            return across[index] if index < len(across) else [None] * len(rows)
        return [constant] * len(rows) if constant else [self._filled(row) for row in rows]

    def _one_by_one(self, cells: Sequence[object]) -> list[Any]:
        """The commonest spelling is taken by one pattern, everything else by the patient reader."""
        if self.plain is None:
            return [self.value(cell) for cell in cells]
        shape, make, value = self.plain.shape, self.plain.make, self.value
        return [make(cell) if cell.__class__ is str and shape(cell) else value(cell) for cell in cells]  # type: ignore

    def _repeating(self, cells: Sequence[object]) -> list[Any] | None:
        """Each different cell read once; None where types mix, for 1, 1.0 and True are one key of a dict."""
        if len(set(map(type, cells)) - {type(None)}) > 1:
            return None
        if len(self.known) > _REMEMBERED_MAX:
            self.known.clear()
        known = self.known
        for cell in set(cells) - known.keys():
            known[cell] = self.value(cell)
        return [known[cell] for cell in cells]

    def value(self, cell: Any) -> object:
        """What the cell says, None for a blank, the Unreadable itself for one that cannot be read."""
        if cell.__class__ is str:
            cell = cell.strip()
        if cell is None or cell == "":
            return None
        try:
            if cell.__class__ is ErrorCell:
                raise reading.trouble_of(cell)
            if self.bound.fill.values:
                cell = self.bound.fill.values.get(reading.text_of(cell), cell)
            return self.reader(cell) if not self.blank or cell not in self.blank else None
        except Unreadable as error:
            self.troubled = True
            return error

    def _filled(self, row: Sequence[object]) -> str | None:
        """The template with its holes filled; None where a hole's cell is blank."""
        parts = []
        for part in self.bound.parts:
            if isinstance(part, int):
                cell = row[part] if part < len(row) else None
                if cell is None or cell == "":
                    return None
                part = reading.text_of(cell).strip()
            parts.append(part)
        return "".join(parts)

    def _refuse_unreadable(
        self, values: list[Any], cells: Sequence[object], numbers: Sequence[int], faults: Faults
    ) -> None:
        for place, value in enumerate(values):
            if isinstance(value, Unreadable):
                self._refuse(numbers[place], cells[place], value, faults)
                values[place] = _REFUSED

    def _refuse_blank(self, values: Sequence[Any], numbers: Sequence[int], faults: Faults) -> None:
        for number, value in zip(numbers, values, strict=True):
            if value is None:
                self._refuse(number, "", _BLANK, faults)

    def _refuse(self, number: int, cell: object, error: Unreadable, faults: Faults) -> None:
        code, params = reading.reason(error, cell, self.column, self.order)
        heading = self.bound.heading or headings.label_of(self.column)
        fault = CellFault(number, self.column.key, heading, shown(cell), code, params)
        faults.setdefault(number, []).append(fault)


_BLANK = Unreadable("required", "")
_REFUSED = object()
"""Stands for a value that could not be read, in a row that goes no further."""
