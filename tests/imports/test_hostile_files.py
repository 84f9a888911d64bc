"""Hostile and odd files: each is read right, or refused as a whole with its reason, and never harms the process."""

import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import xlwt

from shouxin.lib.imports import zipscan
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.reader import Limits
from shouxin.lib.imports.workbook import SheetLimits

from .handing import (
    GOOD,
    SHEET_HEADING,
    bytes_file,
    csv_text,
    inline,
    look,
    raw_workbook,
    sheet_file,
    sheet_row,
    text_file,
    zipped,
)  # fmt: skip

Make = Callable[[Path], Path]
TABLE = csv_text(GOOD)
SHEET_GOOD = ("0012", "上海艾克米机械有限公司", "0001", "2025-03-01", "2025-04-30", 1200, "CNY")
ROWS_OF_XML = sheet_row(1, *SHEET_HEADING) + sheet_row(2, "0012", "A", "0001", "2025-03-01", "2025-04-30", "12", "CNY")


def _text(encoding: str, text: str = TABLE) -> Make:
    return lambda folder: text_file(folder, text, encoding)


def _bytes(content: bytes) -> Make:
    return lambda folder: bytes_file(folder, content)


def _named(name: str, make: Make) -> Make:
    return lambda folder: make(folder).rename(folder / name)


def _xls(folder: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("账")
    for number, row in enumerate((SHEET_HEADING, SHEET_GOOD)):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.save(str(folder / "file.xls"))
    return folder / "file.xls"


def _xlsx(folder: Path) -> Path:
    return sheet_file(folder, [SHEET_HEADING, SHEET_GOOD])


FOUR_BYTES = csv_text(GOOD.replace("艾克米", "𠮷㐂䶮"))


def _prefixed(xml: str) -> str:
    return re.sub(r"<(/?)(\w)", r"<\1x:\2", xml)


READ: dict[str, tuple[Make, str]] = {
    "UTF-8": (_text("utf-8"), "utf-8"),
    "UTF-8 with its mark": (_text("utf-8-sig"), "utf-8-sig"),
    "GBK": (_text("gbk"), "gb18030"),
    "GB18030 with characters of four bytes": (_text("gb18030", FOUR_BYTES), "gb18030"),
    "UTF-16 with its mark": (_text("utf-16"), "utf-16"),
    "UTF-16 little-endian without a mark": (_text("utf-16-le"), "utf-16-le"),
    "UTF-16 big-endian without a mark": (_text("utf-16-be"), "utf-16-be"),
    "UTF-32 with its mark": (_text("utf-32"), "utf-32"),
    "line ends of Unix": (_text("utf-8", TABLE.replace("\r\n", "\n")), "utf-8"),
    "line ends of old Macs": (_text("utf-8", TABLE.replace("\r\n", "\r")), "utf-8"),
    "line ends of three kinds": (_text("utf-8", TABLE.replace("\r\n", "\r", 1)), "utf-8"),
    "no line end at the end": (_text("utf-8", TABLE.rstrip()), "utf-8"),
    "semicolons": (_text("utf-8", TABLE.replace(",", ";")), "utf-8"),
    "tabs": (_text("utf-8", TABLE.replace(",", "\t")), "utf-8"),
    "strokes": (_text("utf-8", TABLE.replace(",", "|")), "utf-8"),
    "every cell quoted": (_text("utf-8", '"' + TABLE.replace(",", '","').replace("\r\n", '"\r\n"')[:-1]), "utf-8"),
    "a text named xlsx": (_named("file.xlsx", _text("utf-8")), "utf-8"),
    "XLSX": (_xlsx, ""),
    "XLSX named csv": (_named("file.csv", _xlsx), ""),
    "XLS": (_xls, ""),
    "XLS named xlsx": (_named("file.xlsx", _xls), ""),
    "a sheet with a name space before every tag": (
        lambda folder: raw_workbook(folder, _prefixed(ROWS_OF_XML), prefix="x:"),
        "",
    ),
    "blank formatted cells to the last column": (
        lambda folder: raw_workbook(folder, ROWS_OF_XML + '<row r="3"><c r="XFD3" s="0"/></row>'),
        "",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_is_read(name: str, tmp_path: Path) -> None:
    make, encoding = READ[name]

    found = look(make(tmp_path))

    assert found.source.encoding == encoding
    assert found.faults == []
    assert (found.tally.rows, found.tally.accepted) == (1, 1)
    assert [column.key for column in found.layout.bound] == ["code", "name", "no", "day", "due", "amount", "currency"]


def _quoted_bomb(folder: Path) -> Path:
    return text_file(folder, TABLE + '0012,"never closed,0002,2025-03-01,,5,CNY\r\n' + GOOD * 10)


def _long_cell(folder: Path) -> Path:
    return text_file(folder, TABLE + f"0012,{'长' * 3_500_000},0002,2025-03-01,,5,CNY\r\n")


def _open_quote_and_long(folder: Path) -> Path:
    return text_file(folder, TABLE + '0012,"' + (GOOD + "\r\n") * 3000)


def _encrypted_zip(folder: Path) -> Path:
    path = raw_workbook(folder, ROWS_OF_XML)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(mark, start + 4)
    return bytes_file(folder, bytes(content), "locked.xlsx")


def _bomb(folder: Path) -> Path:
    return raw_workbook(folder, ROWS_OF_XML, extra={"xl/media/zeros.bin": b"\0" * (200 << 20)})


def _lying_directory(folder: Path) -> Path:
    """The directory says the bomb unpacks to 100 bytes."""
    path = _bomb(folder)
    content = bytearray(path.read_bytes())
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        length = int.from_bytes(content[start + 28 : start + 30], "little")
        if content[start + 46 : start + 46 + length] == b"xl/media/zeros.bin":
            content[start + 24 : start + 28] = (100).to_bytes(4, "little")
        start = content.find(b"PK\x01\x02", start + 4)
    return bytes_file(folder, bytes(content), "lying.xlsx")


def _truncated(folder: Path) -> Path:
    content = _xlsx(folder).read_bytes()
    return bytes_file(folder, content[: len(content) // 2], "cut.xlsx")


def _corrupt(folder: Path) -> Path:
    content = bytearray(_xlsx(folder).read_bytes())
    at = content.find(b"xl/worksheets/sheet1.xml") + 40
    content[at : at + 60] = b"\xff" * 60
    return bytes_file(folder, bytes(content), "corrupt.xlsx")


def _far_corner(folder: Path) -> Path:
    return raw_workbook(folder, sheet_row(1, "a") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def _far_cell_shuffled(folder: Path) -> Path:
    """The attribute order and name space no pattern expects."""
    return raw_workbook(folder, sheet_row(1, "a") + '<row r="100000"><c s="0" r="ZZ100000"><v>1</v></c></row>')


def _many_cells(folder: Path) -> Path:
    row = "".join(f'<c r="{zipscan.column_letters(i)}%d"><v>1</v></c>' for i in range(1, 201))
    body = "".join(f'<row r="{n}">{row.replace("%d", str(n))}</row>' for n in range(1, 10_001))
    return raw_workbook(folder, body)


LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'

REFUSED: dict[str, tuple[Make, str]] = {
    "empty": (_bytes(b""), "empty"),
    "only blank lines": (_bytes(b"\r\n \r\n,,,\r\n"), "empty"),
    "PDF": (_bytes(b"%PDF-1.7\n" + TABLE.encode()), "not_a_table"),
    "program": (_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 500), "not_a_table"),
    "picture": (_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 500), "not_a_table"),
    "page named xls": (_bytes(b"<html><table><tr><td>1</td></tr></table></html>"), "not_a_table"),
    "page behind a mark": (_bytes(b"\xef\xbb\xbf  <!DOCTYPE HTML><html></html>"), "not_a_table"),
    "picture as SVG": (_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not_a_table"),
    "gzip": (_bytes(b"\x1f\x8b\x08" + b"\0" * 50), "not_a_table"),
    "ZIP of something else": (_bytes(zipped(**{"readme.txt": b"hello"})), "not_a_table"),
    "Word file": (_bytes(zipped(**{"word/document.xml": b"<w/>"})), "not_a_table"),
    "binary workbook": (_bytes(zipped(**{"xl/workbook.bin": b"1"})), "not_a_table"),
    "OpenDocument": (_bytes(zipped(**{"content.xml": b"<x/>"})), "not_a_table"),
    "zip slip": (
        lambda folder: raw_workbook(folder, ROWS_OF_XML, extra={"../../etc/cron.d/x": b"1"}),
        "broken_workbook",
    ),
    "NUL in a text": (_bytes(TABLE.encode().replace(b"1200", b"12\x0000")), "nul"),
    "UTF-8 cut within a character": (_bytes(TABLE.encode()[:-5] + "中".encode()[:2]), "encoding"),
    "UTF-8 with one broken byte": (_bytes(TABLE.encode() + b"0012,\xff\xfe,1\r\n"), "encoding"),
    "GB18030 cut within a character": (_bytes(TABLE.encode("gb18030") + b"\x81"), "encoding"),
    "neither UTF-8 nor GB18030": (_bytes(b"a,b\r\n\xff\xff\xff,1\r\n"), "encoding"),
    "quotation mark never closed": (_quoted_bomb, "open_quote"),
    "quotation mark never closed, far from the end": (_open_quote_and_long, "open_quote"),
    "cell of ten megabytes": (_long_cell, "line_too_long"),
    "password around a workbook": (
        _bytes(bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 900),
        "encrypted",
    ),
    "password within the ZIP": (_encrypted_zip, "encrypted"),
    "OLE2 without a workbook": (_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 2000), "broken_workbook"),
    "workbook cut in half": (_truncated, "broken_workbook"),
    "workbook with broken bytes": (_corrupt, "broken_workbook"),
    "billion laughs": (lambda folder: raw_workbook(folder, ROWS_OF_XML, head=LAUGHS), "markup"),
    "outside entity": (lambda folder: raw_workbook(folder, ROWS_OF_XML, head=XXE), "markup"),
    "200 MB in 200 kB": (_bomb, "unpacks_too_large"),
    "200 MB in 200 kB, the directory lying": (_lying_directory, "unpacks_too_large"),
    "cells at A1 and XFD1048576": (_far_corner, "too_many_cells"),
    "cells at A1 and ZZ100000, unusually written": (_far_cell_shuffled, "too_many_cells"),
    "no sheet with rows": (lambda folder: sheet_file(folder, []), "empty"),
    "no headings": (_text("utf-8", "1,2,3\r\n4,5,6\r\n"), "no_heading"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.invariant("I-25")
def test_is_refused_as_a_whole(name: str, tmp_path: Path) -> None:
    make, code = REFUSED[name]
    path = make(tmp_path)
    began = time.monotonic()

    with pytest.raises(FileFault) as refused:
        look(path)

    assert refused.value.code == code
    assert "{" not in str(refused.value), "the sentence has all its particulars"
    assert time.monotonic() - began < 20


def test_two_million_cells_in_a_small_file_are_bounded_by_their_own_size(tmp_path: Path) -> None:
    path = _many_cells(tmp_path)
    assert path.stat().st_size < 6_000_000

    with pytest.raises(FileFault) as refused:
        look(path, limits=Limits(sheet=SheetLimits(area=1_000_000)))

    assert refused.value.code == "too_many_cells"


def test_a_workbook_that_needs_more_memory_than_allowed_harms_only_the_child(tmp_path: Path) -> None:
    path = _many_cells(tmp_path)

    with pytest.raises(FileFault) as refused:
        look(path, limits=Limits(sheet=SheetLimits(memory_bytes=64 << 20)))

    assert refused.value.code in ("too_heavy", "broken_workbook")


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path: Path) -> None:
    with pytest.raises(FileFault) as refused:
        look(text_file(tmp_path, TABLE), limits=Limits(file_bytes=10))

    assert refused.value.code == "too_large"


def test_the_line_of_a_fault_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFault) as refused:
        look(_quoted_bomb(tmp_path))
    assert refused.value.params["line"] == 3

    with pytest.raises(FileFault) as refused:
        look(bytes_file(tmp_path, TABLE.encode() + b"0012,\xff\xfe,1\r\n"))
    assert refused.value.params == {"line": 3, "encoding": "UTF-8"}


def test_big5_reads_as_something_else_until_the_mapping_names_it(tmp_path: Path) -> None:
    path = text_file(tmp_path, "客戶編碼,單據編號,日期,金額\r\n1,2,2025-03-01,5\r\n", "big5")

    assert "客戶編碼" not in look(path).layout.heading.texts
    named = look(path, {"encoding": "big5", "columns": {"code": "客戶編碼", "no": "單據編號", "amount": "金額"}})
    assert named.tally.accepted == 1


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    for encoding in ("klingon", "zlib"):
        with pytest.raises(FileFault) as refused:
            look(text_file(tmp_path, TABLE), {"encoding": encoding})
        assert refused.value.code == "unknown_encoding"


def test_the_inflater_stops_at_the_limit_not_at_the_end(tmp_path: Path) -> None:
    path = _bomb(tmp_path)
    assert len(zlib.compress(b"\0" * (200 << 20))) < 300_000

    with pytest.raises(zipscan.Refused) as refused:
        zipscan.scan(path, zipscan.Limits(unpacked_bytes=1 << 20, area=1000, columns=10))

    assert refused.value.code == "unpacks_too_large"


def test_cells_without_references_are_counted_on(tmp_path: Path) -> None:
    path = raw_workbook(tmp_path, '<row r="1"><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>')

    extent = zipscan.scan(path, zipscan.Limits(1 << 20, 1000, 100))["xl/worksheets/sheet1.xml"]

    assert (extent.row_first, extent.row_last, extent.column_first, extent.column_last) == (1, 2, 1, 2)


def test_errors_and_formulas_never_computed_are_seen(tmp_path: Path) -> None:
    cells = (
        inline("A2", "0012") + inline("C2", "0001") + inline("D2", "2025-03-01")
        + '<c r="F2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    )  # fmt: skip
    never = (
        inline("A3", "0012") + inline("C3", "0002") + inline("D3", "2025-03-01")
        + '<c r="F3"><f>SUM(1,2)</f><v></v></c>'
    )  # fmt: skip
    body = sheet_row(1, *SHEET_HEADING) + f'<row r="2">{cells}</row><row r="3">{never}</row>'

    found = look(raw_workbook(tmp_path, body))

    assert [(fault.row, fault.heading, fault.code) for fault in found.faults] == [
        (2, "应收金额", "error_cell"),
        (3, "应收金额", "formula_without_value"),
    ]
