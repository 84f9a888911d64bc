"""What can be wrong with a file, a row or a cell: a code, its particulars, and the sentence people read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FILE_FAULTS: dict[str, Any] = {
    "empty": _("The file holds no rows."),
    "too_large": _("The file has {size} bytes; the most that is taken is {size_max}. Split it."),
    "not_a_table": _("This is no table but {found}. Save it as CSV or XLSX and send that."),
    "encrypted": _("The workbook is protected by a password. Save it without one."),
    "broken_workbook": _("The workbook is damaged and cannot be read ({detail}). Open it and save it anew as XLSX."),
    "unpacks_too_large": _("The workbook unpacks to more than {size_max} bytes, far more than it can need."),
    "too_many_cells": _("The sheet spans {rows} rows by {columns} columns up to {cell}. Delete what stands outside."),
    "markup": _("The workbook holds document type declarations, which no spreadsheet program writes."),
    "busy": _("Other workbooks are being read at this moment. Hand it in again in a minute."),
    "too_heavy": _("Reading the workbook took more than {seconds} seconds or {memory} MB of memory. Split it."),
    "no_such_sheet": _("There is no sheet “{sheet}”. The sheets are: {sheets}."),
    "encoding": _("Line {line} is not valid {encoding}. Save the file as UTF-8, or name its encoding in the mapping."),
    "unknown_encoding": _("There is no encoding “{encoding}”. Known are utf-8, gb18030, utf-16, big5 and others."),
    "nul": _("Line {line} holds a NUL character. The file is damaged or is no text."),
    "open_quote": _("The quotation mark opened in line {line} is never closed."),
    "field_too_long": _("Row {row} has a cell of more than {length_max} characters."),
    "line_too_long": _("Line {line} has more than {length_max} characters. Is this a table at all?"),
    "no_heading": _("No row of headings was found among the first {rows} rows. Name it by heading_row in the mapping."),
    "columns_missing": _("These columns are needed and were not recognised: {columns}. Found were: {found}."),
    "no_such_column": _("The mapping names the column “{heading}”, which the file does not have. Found were: {found}."),
    "heading_twice": _(
        "The heading “{heading}” stands over several columns. Name one by its letter, such as “{letter}”."
    ),
    "mapping": _("The mapping is wrong at {where}: {detail}"),
    "unwritable": _("The folder of {path} cannot be written to, and the refused rows have to go there."),
    "changed": _("The file is not the one that was looked at."),
    "abandoned": _("Nobody began this import, and the file was cleared away."),
    "unexpected": _("The import stopped by an internal fault ({detail}). Nothing of the current batch was written."),
}

CELL_FAULTS: dict[str, Any] = {
    # rows
    "ragged": _("The row has {cells} cells, the heading has {columns}. Is a separator inside a text not quoted?"),
    "bad_quoting": _("A quotation mark stands inside a cell without being doubled."),
    "duplicate": _("The same {keys} as in row {row}."),
    # any cell
    "required": _("The cell is empty and must not be."),
    "error_cell": _("The cell shows an error ({text})."),
    "formula_without_value": _("The formula was never computed. Open the workbook, save it and send it again."),
    "too_long": _("The text has {length} characters; at most {length_max} fit."),
    "control_characters": _("The text holds invisible control characters or line breaks."),
    "precision_lost": _(
        "The number was shortened by a spreadsheet; its last digits are lost. Format the column as text."
    ),
    "decimal_code": _(
        "The code reads {text}: it went through a number. Map the column with strip_decimal, or correct it."
    ),
    "became_a_date": _("The spreadsheet turned this code into a date. Format the column as text and enter it anew."),
    # amounts
    "not_an_amount": _("This is no amount."),
    "too_many_decimals": _("The amount has more than two decimals."),
    "too_large_amount": _("The amount has more than 13 digits before the point."),
    "bad_grouping": _("The thousands separators stand in the wrong places."),
    "two_signs": _("Two marks say that the amount is negative."),
    "negative": _("The amount must not be negative."),
    "zero": _("The amount must not be zero."),
    # dates
    "not_a_date": _("This is no date."),
    "no_such_day": _("There is no such day in the calendar."),
    "ambiguous": _("Day and month can be read both ways. Name the order of the column (dmy or mdy)."),
    "order_contradicted": _("The date does not fit the order of the column ({order})."),
    "two_digit_year": _("The year has two digits. Write four."),
    "not_gregorian": _("Only dates of the Gregorian calendar are read."),
    "excel_leap_day": _("This is 29 February 1900 of the spreadsheet, a day that never was."),
    "out_of_range": _("The year lies outside 1900 to 2199."),
    # others
    "not_a_number": _("This is no whole number."),
    "not_a_share": _("This is no percentage between 0 and 100."),
    "share_unclear": _("{text} may be a formatted percentage or a plain number. Write it with a % sign."),
    "not_a_choice": _("Not known here. Possible are: {choices}."),
    "not_yes_or_no": _("Neither yes nor no."),
    "unknown_currency": _("This currency is not known."),
    "ambiguous_currency": _("A bare $ does not say which dollar."),
    "no_currency": _("No currency is given, and the mapping names none."),
    "not_stored": _("The row could not be stored: {detail}"),
}


@dataclass
class FileFault(Exception):
    """The file as a whole cannot be taken; nothing of it is. `code` is a key of FILE_FAULTS."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return message(self.code, self.params)


@dataclass(frozen=True, slots=True)
class CellFault:
    """One cell refused: row number in the file, the column's heading, what stood there, why.

    `column` is the canonical key of the column, `heading` what the file calls it; both are empty when
    the row as a whole is refused.
    """

    row: int
    column: str
    heading: str
    value: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return message(self.code, self.params)

    def as_json(self) -> dict[str, Any]:
        """For the page and the API: everything, with the sentence in the reader's language."""
        return {
            "row": self.row,
            "column": self.column,
            "heading": self.heading,
            "value": self.value,
            "code": self.code,
            "params": dict(self.params),
            "message": str(self),
        }


_BUSINESS: dict[str, Any] = {}


def register_messages(messages: Mapping[str, Any]) -> None:
    """Add the sentences of a package's own codes, so that its writers can refuse rows in words people read."""
    _BUSINESS.update(messages)


def message(code: str, params: Mapping[str, Any]) -> str:
    """The sentence for a code in the language now active; the bare code with its particulars if none is known."""
    known = FILE_FAULTS.get(code) or CELL_FAULTS.get(code) or _BUSINESS.get(code)
    if known is None:
        return gettext("Refused ({code}).").format(code=code)
    text = str(known)
    try:  # the business writes its sentences as refusals do, with %(name)s
        return text % params if "%(" in text else text.format(**params)
    except (KeyError, IndexError, ValueError, TypeError):
        return text


def shown(value: object) -> str:
    """What stood in a cell, short enough for a message or a log."""
    text = "" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
