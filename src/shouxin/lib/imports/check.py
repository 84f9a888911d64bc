"""Turn the rows of a file into values, column by column, and say of every cell that cannot be read why."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from shouxin.rules.days import Order, guess_order
from shouxin.rules.text import Unreadable

from . import cells as reading
from . import headings
from .delimited import BAD_QUOTING, Record
from .faults import CellFault, shown
from .kinds import Column, Conditions, Kind, Row
from .mapping import Bound, Layout, Mapping
from .workbook import ErrorCell

_REMEMBERED_MAX = 200_000
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
    """What became of some rows: readable ones, faults of the others, and what was no row of data at all."""

    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[Record, list[CellFault]]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    repeated_headings: list[int] = field(default_factory=list)
    left_out: int = 0

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
    spellings: dict[str, set[str]] = {bound.key: set() for bound in dates if not given[bound.key]}
    open_dates = [(bound.index, spellings[bound.key]) for bound in dates if not given[bound.key]]
    last, count = layout.heading.last_row, 0
    for number, row in records:
        if number <= last:
            continue
        count += 1
        for index, seen in open_dates:
            if index < len(row):  # type: ignore[operator]
                cell = row[index]  # type: ignore[index]
                if cell.__class__ is str and len(seen) < _REMEMBERED_MAX:
                    seen.add(cell)  # type: ignore[arg-type]
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
            _BoundColumn(kind.column(bound.key), bound, mapping, orders.get(bound.key)) for bound in layout.bound
        ]
        self.absent = {column.key: None for column in kind.columns if layout.of(column.key) is None}
        self.key = [key for key in kind.key if layout.of(key) is not None]

    def check(self, records: Sequence[Record]) -> Batch:
        """The rows read, refused, or left aside; every fault of a row is named, not only its first."""
        batch = Batch()
        kept = [record for record in records if self._is_data(record, batch)]
        faults: dict[int, list[CellFault]] = {}
        table = {column.bound.key: column.read(kept, faults) for column in self.columns}
        keys = tuple(table)
        for (number, cells), values in zip(kept, _across(table.values(), len(kept)), strict=True):
            row = Row(number, cells, {**self.absent, **dict(zip(keys, values, strict=True))})
            if number not in faults:
                self._check_row(row, faults)
            if number in faults:
                batch.refused.append(((number, cells), faults[number]))
            else:
                batch.rows.append(row)
        return batch

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
        if self.layout.where and not self._is_wanted(row):
            batch.left_out += 1
            return False
        return True

    def _repeats_heading(self, row: Sequence[object]) -> bool:
        return all(
            str(cell).strip() in text for cell, text in zip(row, self.texts, strict=False) if cell not in (None, "")
        )

    def _is_ragged(self, row: Sequence[object]) -> bool:
        return len(row) < self.width or any(str(cell).strip() for cell in row[self.width :])

    def _is_wanted(self, row: Sequence[object]) -> bool:
        return all(
            (reading.text_of(row[index]).strip() if index < len(row) and row[index] is not None else "") in words
            for index, words in self.layout.where
        )

    def _check_row(self, row: Row, faults: dict[int, list[CellFault]]) -> None:
        values = row.values
        if self.kind.needs_currency and not values.get("currency"):
            values["currency"] = self.conditions.currency or None
            if not values["currency"]:
                faults[row.number] = [CellFault(row.number, "currency", "", "", "no_currency")]
                return
        for group in self.kind.one_of:
            if not any(values.get(key) is not None for key in group):
                faults[row.number] = [CellFault(row.number, group[0], self._heading(group[0]), "", "required")]
                return
        refused = [
            CellFault(
                row.number,
                each.column,
                self._heading(each.column),
                shown(values.get(each.column)),
                each.code,
                each.params,
            )
            for each in self.kind.check(values)
        ]
        if not refused and self.key:
            refused = self._duplicate(row)
        if refused:
            faults[row.number] = refused

    def _duplicate(self, row: Row) -> list[CellFault]:
        key = tuple(row.values[key] for key in self.key)
        if all(part is None for part in key):
            return []
        first = self.seen.setdefault(hash(key), row.number)
        if first == row.number:
            return []
        names = ", ".join(self._heading(key) for key in self.key)
        params = {"keys": names, "row": first}
        return [CellFault(row.number, self.key[-1], self._heading(self.key[-1]), shown(key[-1]), "duplicate", params)]

    def _heading(self, key: str) -> str:
        bound = self.layout.of(key) if key else None
        return bound.heading if bound else ""


def _across(columns: Collection[Sequence[Any]], count: int) -> Iterable[tuple[Any, ...]]:
    """The columns read row by row; rows without any value where no column is bound."""
    return zip(*columns, strict=True) if columns else repeat((), count)


class _BoundColumn:
    """One column with its reader; where values repeat, each is read once and remembered."""

    def __init__(self, column: Column, bound: Bound, mapping: Mapping, order: Order | None) -> None:
        self.column, self.bound = column, bound
        self.order = order
        self.blank = frozenset((*mapping.blank, *bound.fill.blank))
        self.reader = reading.reader_for(column, bound, order)
        self.remembers = column.type in _REMEMBERED_TYPES
        self.known: dict[object, object] = {}
        self.troubled = False

    def read(self, records: Sequence[Record], faults: dict[int, list[CellFault]]) -> list[Any]:
        """The column's value in each row, None where blank or refused."""
        cells = self._cells(records)
        values = self._repeating(cells) if self.remembers else None
        if values is None:
            values = [self._value(cell) for cell in cells]
        if self.troubled:
            self._refuse_unreadable(values, cells, records, faults)
        if self.column.required and None in values:
            self._refuse_blank(values, records, faults)
        return values

    def _cells(self, records: Sequence[Record]) -> list[object]:
        index, constant = self.bound.index, self.bound.fill.constant
        if index is not None:
            return [row[index] if index < len(row) else None for _number, row in records]
        if constant:
            return [constant] * len(records)
        return [self._filled(row) for _number, row in records]

    def _repeating(self, cells: Sequence[object]) -> list[Any] | None:
        """Each different cell read once; None where types mix, for 1, 1.0 and True are one key of a dict."""
        if len(set(map(type, cells)) - {type(None)}) > 1:
            return None
        if len(self.known) > _REMEMBERED_MAX:
            self.known.clear()
        known = self.known
        for cell in set(cells) - known.keys():
            known[cell] = self._value(cell)
        return [known[cell] for cell in cells]

    def _value(self, cell: Any) -> object:
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
        self,
        values: list[Any],
        cells: Sequence[object],
        records: Sequence[Record],
        faults: dict[int, list[CellFault]],
    ) -> None:
        for place, value in enumerate(values):
            if isinstance(value, Unreadable):
                self._refuse(records[place][0], cells[place], value, faults)
                values[place] = _REFUSED

    def _refuse_blank(
        self, values: Sequence[Any], records: Sequence[Record], faults: dict[int, list[CellFault]]
    ) -> None:
        for (number, _row), value in zip(records, values, strict=True):
            if value is None:
                self._refuse(number, "", _BLANK, faults)

    def _refuse(self, number: int, cell: object, error: Unreadable, faults: dict[int, list[CellFault]]) -> None:
        params: dict[str, Any] = {"text": shown(cell)}
        if error.code == "too_long":
            params |= {"length": len(str(cell)), "length_max": self.column.length_max}
        elif error.code == "order_contradicted":
            params |= {"order": self.order or ""}
        elif error.code == "not_a_choice":
            params |= {"choices": ", ".join(dict.fromkeys(self.column.choices.values()))}
        code = _CURRENCY_CODES.get(error.code, error.code) if self.column.type == "currency" else error.code
        heading = self.bound.heading or headings.label_of(self.column)
        fault = CellFault(number, self.column.key, heading, shown(cell), code, params)
        faults.setdefault(number, []).append(fault)


_CURRENCY_CODES = {"ambiguous": "ambiguous_currency", "unknown": "unknown_currency", "blank": "required"}
_BLANK = Unreadable("required", "")
_REFUSED = object()
"""Stands for a value that could not be read, in a row that goes no further."""
