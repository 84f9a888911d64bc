"""Look through an XLSX before any parser touches it: sizes counted while inflating, cells by their references.

The ZIP directory's own sizes are not believed, and a sheet's declared extent neither: a file of 1.5 kB
with one cell at A1 and one at XFD1048576 makes a parser ask for 550 GB. No Django here: the child imports it.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

CHUNK_BYTES = 1 << 18
ENTRIES_MAX = 5_000
ROW_BYTES_MAX = 16 << 20
ROWS_MAX, COLUMNS_MAX = 1 << 20, 1 << 14
"""The last row and column a workbook can have; parsers count as far as they are told to."""
TROUBLES_MAX = 50_000
# A sheet of one repeated value unpacks about 100 to 1; more than that is a bomb or no spreadsheet program's work.
RATIO_MAX = 250
RATIO_FROM_BYTES = 32 << 20


_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)


class Refused(Exception):
    """The workbook is refused before parsing; `code` and `params` as in faults.FILE_FAULTS."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass
class Extent:
    """What a sheet's filled cells span, and which of them hold an error or a formula never computed."""

    row_first: int = 1 << 30
    row_last: int = 0
    column_first: int = 1 << 30
    column_last: int = 0
    troubles: dict[str, str] = field(default_factory=dict)

    def widen(self, rows: Collection[int], columns: Collection[int]) -> None:
        """Take in filled cells that lie in these rows and columns (at least one each)."""
        self.row_first = min(self.row_first, min(rows))
        self.row_last = max(self.row_last, max(rows))
        self.column_first = min(self.column_first, min(columns))
        self.column_last = max(self.column_last, max(columns))

    @property
    def rows(self) -> int:
        """From the first filled row to the last."""
        return max(self.row_last - self.row_first + 1, 0)

    @property
    def columns(self) -> int:
        """From the first filled column to the last."""
        return max(self.column_last - self.column_first + 1, 0)


def column_number(letters: str) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True)
class Limits:
    """What a workbook may unpack to, and how many cells the rectangle around its filled cells may have."""

    unpacked_bytes: int
    area: int
    columns: int


def scan(path: Path, limits: Limits) -> dict[str, Extent]:
    """The extent of each worksheet by its path in the package. Raises Refused."""
    try:
        with zipfile.ZipFile(path) as package, path.open("rb") as file:
            return _scan(package, file, limits)
    except _BROKEN as error:
        if "Error -4 " in str(error):  # zlib's way to say that memory is short; the file may be sound
            raise MemoryError from None
        raise Refused("broken_workbook", detail=str(error)[:80]) from None


def _scan(package: zipfile.ZipFile, file: BinaryIO, limits: Limits) -> dict[str, Extent]:
    entries = package.infolist()
    names = {entry.filename for entry in entries}
    if len(entries) > ENTRIES_MAX or len(names) != len(entries) or any(_outside(name) for name in names):
        raise Refused("broken_workbook", detail="ZIP entries")
    if "xl/workbook.xml" not in names:
        raise Refused("not_a_table", found=_package_kind(names))
    left = limits.unpacked_bytes
    extents: dict[str, Extent] = {}
    for entry in entries:
        sheet = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml")
        extent = extents.setdefault(entry.filename, Extent()) if sheet else None
        left -= _scan_entry(file, entry, extent, left)
        if extent is None:
            continue
        corner = f"{column_letters(extent.column_last)}{extent.row_last}"
        if extent.row_last > ROWS_MAX or extent.column_last > COLUMNS_MAX:
            raise Refused("broken_workbook", detail=corner[:80])
        if _too_wide(extent, limits):
            raise Refused("too_many_cells", rows=extent.rows, columns=extent.columns, cell=corner)
    return extents


def _scan_entry(file: BinaryIO, entry: zipfile.ZipInfo, extent: Extent | None, left: int) -> int:
    """Inflate one entry, at most `left` bytes of it, its cells into the extent if it is a sheet; the bytes it has."""
    used = 0
    keep = bytearray()
    for chunk in _inflate(file, entry):
        used += len(chunk)
        if used > left or (used > RATIO_FROM_BYTES and used > RATIO_MAX * max(entry.compress_size, 1)):
            raise Refused("unpacks_too_large", size_max=left)
        keep += chunk
        if b"<!DOCTYPE" in keep or b"<!ENTITY" in keep:
            raise Refused("markup")
        _drain(keep, extent)
    if extent is not None:
        _take_cells(extent, bytes(keep))
    return used


def _drain(keep: bytearray, extent: Extent | None) -> None:
    """Take in the rows that are whole; what may be cut in the middle waits for the next chunk."""
    if extent is None:
        del keep[:-16]
        return
    end = keep.rfind(b"row>")
    if end >= 0:
        _take_cells(extent, bytes(keep[: end + 4]))
        del keep[: end + 4]
    elif len(keep) > ROW_BYTES_MAX:
        raise Refused("broken_workbook", detail="row")


def _too_wide(extent: Extent, limits: Limits) -> bool:
    return extent.rows * extent.columns > limits.area or extent.columns > limits.columns


def _outside(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/")


def _package_kind(names: set[str]) -> str:
    if "word/document.xml" in names:
        return "DOCX"
    if "xl/workbook.bin" in names:
        return "XLSB"
    if "ppt/presentation.xml" in names:
        return "PPTX"
    return "ODS" if "content.xml" in names else "ZIP"


def _inflate(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The entry's bytes in small chunks, as many as there really are."""
    if entry.header_offset < 0:
        raise Refused("broken_workbook", detail=entry.filename[:40])
    file.seek(entry.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04" or entry.flag_bits & 1:
        raise Refused("encrypted") if entry.flag_bits & 1 else Refused("broken_workbook", detail=entry.filename[:40])
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    file.seek(name_length + extra_length, 1)
    left = entry.compress_size
    if entry.compress_type == zipfile.ZIP_STORED:
        while left > 0 and (block := file.read(min(CHUNK_BYTES, left))):
            left -= len(block)
            yield block
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise Refused("broken_workbook", detail=f"compression {entry.compress_type}")
    inflater = zlib.decompressobj(-15)
    while left > 0 and (block := file.read(min(CHUNK_BYTES, left))):
        left -= len(block)
        while block:
            yield inflater.decompress(block, CHUNK_BYTES * 4)
            block = inflater.unconsumed_tail
    yield inflater.flush()
    if not inflater.eof:
        raise Refused("broken_workbook", detail=entry.filename[:40])


# --- cells ---------------------------------------------------------------------------------------

_FILLED = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>/]*>')
_BLANK = re.compile(rb'<c r="[A-Z]+[0-9]+"[^>/]*/>')
_LETTERS, _DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)(\s[^>]*?)?(/?)>")
_CELL_REFERENCE = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]+)([0-9]+)\s*["']""")
_ROW_REFERENCE = re.compile(rb"""\sr\s*=\s*["']\s*([0-9]+)\s*["']""")
_FORMULA = rb"<f[^>]*?(?:/>|>[^<]*</f>)"
_ERROR = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*\st="e"[^>]*>(?:' + _FORMULA + rb")?<v>([^<]*)</v>")
_NEVER_COMPUTED = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^>]*)>' + _FORMULA + rb"(?:<v\s*/>|<v></v>)?</c>")


def _take_cells(extent: Extent, part: bytes) -> None:
    found = _FILLED.findall(part)
    cells = part.count(b"<c ") + part.count(b"<c>") + (part.count(b":c ") + part.count(b":c>") if b":c" in part else 0)
    if len(found) == cells or len(found) + len(_BLANK.findall(part)) == cells:
        if found:
            together = b" ".join(found)
            rows = set(together.translate(None, _LETTERS).split())
            columns = set(together.translate(None, _DIGITS).split())
            extent.widen([*map(int, rows)], [column_number(letters.decode()) for letters in columns])
    else:
        _take_unusual(extent, part)
    _take_troubles(extent, part)


def _take_unusual(extent: Extent, part: bytes) -> None:
    """Cells with a name space, in another order of attributes, or placed only by the cells before them."""
    row, column = extent.row_last, 0
    for kind, attributes, empty in _ROW_OR_CELL.findall(part):
        if kind == b"row":
            place = _ROW_REFERENCE.search(attributes)
            row, column = (int(place[1]) if place else row + 1), 0
            continue
        place = _CELL_REFERENCE.search(attributes)
        column = column_number(place[1].decode()) if place else column + 1
        if not empty:
            extent.widen([int(place[2]) if place else row], [column])


def _take_troubles(extent: Extent, part: bytes) -> None:
    if b't="e"' in part:
        for reference, value in _ERROR.findall(part):
            extent.troubles[reference.decode()] = value.decode("utf-8", "replace")[:20]
    if b"<f" in part:
        for reference, attributes in _NEVER_COMPUTED.findall(part):
            if b't="str"' not in attributes:
                extent.troubles[reference.decode()] = "formula"
    if len(extent.troubles) > TROUBLES_MAX:
        raise Refused("broken_workbook", detail=f"more than {TROUBLES_MAX} error cells")


# --- which sheet is which ------------------------------------------------------------------------


def sheet_paths(path: Path) -> dict[str, str]:
    """Each sheet's name with its path in the package. Only after `scan`: sizes and markup are then known."""
    try:
        with zipfile.ZipFile(path) as package:
            workbook = ElementTree.fromstring(package.read("xl/workbook.xml"))
            relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    except (*_BROKEN, ElementTree.ParseError, KeyError, RuntimeError) as error:
        raise Refused("broken_workbook", detail=str(error)[:80]) from None
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    found = {}
    for element in workbook.iter():
        if element.tag.endswith("}sheet"):
            relation = next((value for key, value in element.attrib.items() if key.endswith("}id")), None)
            target = targets.get(relation, "")
            found[element.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found
