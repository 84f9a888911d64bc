"""Rows of a delimited text (CSV, TSV and their cousins), one at a time, in flat memory."""

import csv
from collections.abc import Iterator
from itertools import count as count_from
from itertools import islice
from pathlib import Path
from typing import TextIO

from .faults import FileFault

FIELD_LENGTH_MAX = 100_000
LINE_LENGTH_MAX = 1_000_000
DELIMITERS = (",", "\t", ";", "|")

_SNIFFED_LINES = 30

Record = tuple[int, list[object]]
"""A row: its number in the file, counted from 1, and its cells."""

BAD_QUOTING = object()
"""Stands first in a record whose quotation marks cannot be read; the line as it is follows."""


def rows(path: Path, encoding: str, delimiter: str) -> Iterator[Record]:
    """Every row that is not blank. Raises FileFault for a line too long or a quotation mark that never closes."""
    csv.field_size_limit(FIELD_LENGTH_MAX)
    with path.open(encoding=encoding, newline="", errors="strict") as file:
        lines = _Remembered(file)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        number, before = 0, 0
        while True:
            try:
                for cells in reader:
                    number += 1
                    before = reader.line_num
                    # A first cell that begins with a letter or digit says enough; only the others are looked through.
                    if cells and (cells[0][:1].isalnum() or any(map(str.strip, cells))):
                        yield number, cells  # type: ignore[misc]
            except csv.Error as error:
                number += 1
                _raise_unless_row(error, before, reader.line_num, number)
                before = reader.line_num
                yield number, [BAD_QUOTING, lines.last.rstrip("\r\n")]
            else:
                return


class _Remembered:
    """Lines passed on one by one, the last of them at hand; none is read further than a line may be long."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        read, most = self.file.readline, LINE_LENGTH_MAX
        for count in count_from(1):
            line = self.last = read(most + 1)
            if not line:
                return
            if len(line) > most:
                raise FileFault("line_too_long", {"line": count, "length_max": most})
            yield line


def _raise_unless_row(error: csv.Error, before: int, after: int, number: int) -> None:
    """Turn the reader's error into a fault of the file; a stray mark inside one row is that row's own fault."""
    why = str(error)
    if "unexpected end of data" in why or ("field larger" in why and after - before > 1):
        raise FileFault("open_quote", {"line": before + 1}) from None
    if "field larger" in why:
        raise FileFault("field_too_long", {"row": number, "length_max": FIELD_LENGTH_MAX}) from None


def sniff_delimiter(path: Path, encoding: str) -> str:
    """The separator under which the first rows have the most columns and agree best; a comma if none does."""
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        read = iter(lambda: file.readline(LINE_LENGTH_MAX), "")
        lines = list(islice((line[:20_000] for line in read if line.strip()), _SNIFFED_LINES))
    return max(DELIMITERS, key=lambda delimiter: (_agreement(lines, delimiter), delimiter == ","))


def _agreement(lines: list[str], delimiter: str) -> float:
    """How many rows have the commonest width (above 1), times a little for that width."""
    csv.field_size_limit(FIELD_LENGTH_MAX)
    widths = []
    try:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1]
    except csv.Error:
        return 0
    if not widths:
        return 0
    common = max(set(widths), key=widths.count)
    return widths.count(common) * (1 + common / 1000)
