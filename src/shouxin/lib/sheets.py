"""Rows out of the house: CSV and Excel, with nothing in them that a spreadsheet would carry out."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header

SHEET_ROWS_MAX = 1_000_000
"""Rows of one sheet; Excel itself ends at 1,048,576."""


class SheetColumn(Protocol):
    """What a file needs to know of a column: its head, its kind, and the bare value of a row's cell."""

    @property
    def label(self) -> str | Promise:
        """The head."""

    @property
    def kind(self) -> str:
        """amount and percent are given a number format."""

    def bare(self, row: Any) -> Any:
        """Number, date or text."""


FORMULA_STARTS = frozenset("=+-@\t\r\n\x00＝＋－＠")
"""What makes a spreadsheet take a text for a formula, plain and full-width."""


def guarded(value: Any) -> str:
    """A text that no spreadsheet takes for a formula: one that could be gets a ' in front."""
    text = str(value)
    return f"'{text}" if text[:1] in FORMULA_STARTS or text.lstrip()[:1] in FORMULA_STARTS else text


def attachment(content: Iterable[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    """Bytes to be kept as a file under this name; a browser neither shows nor guesses them."""
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else value
    if isinstance(value, datetime):
        return _local(value).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else guarded(value)


def to_csv(columns: Sequence[SheetColumn], rows: Iterable[Any], name: str) -> StreamingHttpResponse:
    """Rows as CSV in UTF-8 with a mark (Excel reads the Chinese right), streamed."""
    response = StreamingHttpResponse(_csv_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _csv_lines(columns: Sequence[SheetColumn], rows: Iterable[Any]) -> Iterator[str]:
    held = io.StringIO()
    writer = csv.writer(held)
    yield "\ufeff"
    writer.writerow([guarded(column.label) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(column.bare(row)) for column in columns])
        if held.tell() > 65536:
            yield _emptied(held)
    yield _emptied(held)


def _emptied(held: io.StringIO) -> str:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text


def to_xlsx(columns: Sequence[SheetColumn], rows: Iterable[Any], name: str) -> FileResponse:
    """Rows as an Excel workbook: numbers are numbers, dates are dates, everything else is text and never a formula."""
    held = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it when it has been sent
    write_xlsx(held, columns, rows)
    held.seek(0)
    return FileResponse(held, as_attachment=True, filename=f"{name}.xlsx")


def write_xlsx(held: Any, columns: Sequence[SheetColumn], rows: Iterable[Any]) -> None:
    """The workbook into an open file; a new sheet begins after a million rows."""
    book = xlsxwriter.Workbook(held, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "head": book.add_format({"bold": True, "bg_color": "#E9F0F1", "bottom": 1}),
        "amount": book.add_format({"num_format": "#,##0.00"}),
        "percent": book.add_format({"num_format": "0.0%"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    source = iter(rows)
    while True:
        written = _sheet(book, formats, columns, islice(source, SHEET_ROWS_MAX))
        if written < SHEET_ROWS_MAX:
            break
    book.close()


def _sheet(book: Any, formats: Mapping[str, Any], columns: Sequence[SheetColumn], rows: Iterable[Any]) -> int:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 1)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, 26 if at == 0 else 16)
        sheet.write_string(0, at, str(column.label), formats["head"])
    written = 0
    for written, row in enumerate(rows, 1):
        for at, column in enumerate(columns):
            _write_cell(sheet, written, at, column.bare(row), formats, column.kind)
    return written


def _write_cell(sheet: Any, row: int, at: int, value: Any, formats: Mapping[str, Any], kind: str) -> None:
    if value is None or value == "":
        return
    if isinstance(value, datetime):
        sheet.write_datetime(row, at, _local(value).replace(tzinfo=None), formats["moment"])
    elif isinstance(value, date):
        sheet.write_datetime(row, at, datetime.combine(value, datetime.min.time()), formats["date"])
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        sheet.write_number(row, at, value, formats.get(kind))
    else:
        sheet.write_string(row, at, str(value)[:32767])


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value
