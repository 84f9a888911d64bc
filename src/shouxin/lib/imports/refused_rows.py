"""The refused rows as a workbook: as they came, with the reason beside them, ready to be corrected and sent again."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from django.utils.translation import override

from .delimited import Record
from .faults import CellFault
from .headings import Heading

_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
_TEXT_LENGTH_MAX = 32_000


class GivenBack(Exception):
    """Rolls the transaction back without being a fault: a dry run, or a whole file with a refused row."""


class RefusedRows:
    """Writes as rows are refused, in flat memory; no file is made when there are none, nor half a one.

    Texts are written as texts, with the quote prefix where a spreadsheet would take them for formulas.
    """

    def __init__(self, path: Path, heading: Heading, *, heading_row: int = 0, sheet: str = "") -> None:
        self.path, self.heading = path, heading
        self.part = path.with_name(f".{path.name}.part")
        self.row = max(heading_row - 1, 0)
        self.sheet_name = sheet if 0 < len(sheet) <= 31 and not set(sheet) & set("[]:*?/\\") else ""
        self.book: Any = None

    def __enter__(self) -> "RefusedRows":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.book is None:
            return
        self.book.close()
        if error is None or isinstance(error, GivenBack):
            self.part.replace(self.path)
        else:
            self.part.unlink(missing_ok=True)

    def add(self, record: Record, faults: Sequence[CellFault]) -> None:
        """One refused row: its cells, its number in the file, and the reasons in both languages."""
        if self.book is None:
            self._begin()
        number, cells = record
        marked = {fault.heading for fault in faults if fault.heading}
        for column, cell in enumerate(cells):
            wrong = column < len(self.heading.texts) and self.heading.texts[column] in marked
            self._put(column, cell, wrong=wrong)
        self.sheet.write_number(self.row, self.width, number)
        for offset, language in enumerate(("zh-hans", "en"), 1):
            self.sheet.write_string(self.row, self.width + offset, _reasons(faults, language))
        self.row += 1

    def _begin(self) -> None:
        self.book = xlsxwriter.Workbook(str(self.part), {"constant_memory": True, "strings_to_numbers": False})
        self.sheet = self.book.add_worksheet(self.sheet_name or None)
        red = {"bg_color": "#FBE3E4"}
        text, day, moment = {"num_format": "@"}, {"num_format": "yyyy-mm-dd"}, {"num_format": "yyyy-mm-dd hh:mm:ss"}
        self.formats = {
            (name, wrong): self.book.add_format(style | (red if wrong else {}))
            for name, style in (
                ("text", text),
                ("quoted", text | {"quote_prefix": True}),
                ("date", day),
                ("moment", moment),
                ("number", {}),
            )
            for wrong in (False, True)
        }
        bold = self.book.add_format({"bold": True, "num_format": "@"})
        self.width = len(self.heading.texts)
        # One language's words would not match the next reader's; the columns are ignored when sent again.
        names = [*self.heading.texts, "原行号 Row", "原因", "Reason"]
        self.sheet.set_column(self.width + 1, self.width + 2, 48)
        for column, name in enumerate(names):
            self.sheet.write_string(self.row, column, name, bold)
        self.row += 1

    def _put(self, column: int, cell: object, *, wrong: bool) -> None:
        at = (self.row, column)
        if cell is None or cell == "":
            if wrong:
                self.sheet.write_blank(*at, None, self.formats["text", True])
        elif isinstance(cell, bool):
            self.sheet.write_boolean(*at, cell, self.formats["number", wrong])
        elif isinstance(cell, int | float):
            self.sheet.write_number(*at, cell, self.formats["number", wrong])
        elif isinstance(cell, datetime):
            self.sheet.write_datetime(*at, cell, self.formats["moment", wrong])
        elif isinstance(cell, date):
            self.sheet.write_datetime(*at, cell, self.formats["date", wrong])
        else:
            text = str(cell)[:_TEXT_LENGTH_MAX]
            name = "quoted" if text.startswith(_FORMULA_MARKS) else "text"
            self.sheet.write_string(*at, text, self.formats[name, wrong])


def _reasons(faults: Sequence[CellFault], language: str) -> str:
    with override(language):
        said = [f"{fault.heading}: {fault}" if fault.heading else str(fault) for fault in faults]
        return _("; ").join(said)[:_TEXT_LENGTH_MAX]
