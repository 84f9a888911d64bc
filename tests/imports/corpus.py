"""The bad-input corpus: hostile and odd files made by code, each with the class it must fall into (T13).

A file is accepted whole, refused as a whole with a code, or some of its rows are refused, each with its codes.
Most files hold a good row and one more; so a file in which the good row suffers is seen too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlwt

from shouxin.lib.imports import zipscan

from .handing import SHEET_HEADING, bytes_file, inline, raw_workbook, sheet_file, sheet_row, text_file, zipped

Make = Callable[[Path], Path]
HEADING = ",".join(SHEET_HEADING)
GOOD = {
    "code": "C001",
    "name": "上海艾克米机械有限公司",
    "no": "G1",
    "day": "2025-03-01",
    "due": "2025-04-30",
    "amount": "1200.00",
    "currency": "CNY",
}
OTHER = GOOD | {"no": "H1"}
LINE = ",".join(GOOD.values())
TABLE = f"{HEADING}\r\n{LINE}\r\n{','.join(OTHER.values())}\r\n"
PLACES = tuple(GOOD)


@dataclass(frozen=True)
class Case:
    """One file and its class: `file` refused with that code; or `rows` refused, row number to code; or accepted.

    `accepted` is how many rows must be taken. `mapping` is what the person would have said.
    """

    name: str
    make: Make
    file: str = ""
    rows: Mapping[int, str] = field(default_factory=dict)
    accepted: int = 2
    mapping: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expected(self) -> dict[str, Any]:
        """The class as `outcome_of` tells it."""
        if self.file:
            return {"file": self.file}
        return {"accepted": self.accepted, "rows": dict(self.rows)}


def corpus() -> list[Case]:
    """Every case, by name."""
    return [*_encodings(), *_shapes(), *_cells(), *_sheets(), *_disguises()]


# --- texts ---------------------------------------------------------------------------------------


def _text(text: str = TABLE, encoding: str = "utf-8") -> Make:
    return lambda folder: text_file(folder, text, encoding)


def _bytes(content: bytes, name: str = "file.csv") -> Make:
    return lambda folder: bytes_file(folder, content, name)


def _encodings() -> Iterator[Case]:
    for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield Case(f"encoding {encoding}", _text(encoding=encoding))
    rare = TABLE.replace("艾克米", "𠮷㐂䶮")
    yield Case("encoding gb18030 of four bytes", _text(rare, "gb18030"))
    yield Case("encoding utf-8 beyond the basic plane", _text(rare))
    traditional = "客戶編碼,單據編號,單據日期,應收金額\r\n1,2,2025-03-01,5\r\n"
    yield Case("encoding big5, read as something else", _text(traditional, "big5"), file="columns_missing")
    said = {
        "columns": {"customer_code": "客戶編碼", "doc_no": "單據編號", "doc_date": "單據日期", "amount": "應收金額"}
    }
    yield Case("encoding big5, named", _text(traditional, "big5"), accepted=1, mapping={"encoding": "big5"} | said)
    half = "中".encode()[:2]
    yield Case("utf-8 cut within a character", _bytes(TABLE.encode()[:-5] + half), file="encoding")
    yield Case("utf-8 with a broken byte", _bytes(TABLE.encode() + b"C001,\xff\xfe,1\r\n"), file="encoding")
    yield Case("utf-8 with an overlong slash", _bytes(TABLE.encode() + b"C001,\xc0\xaf,1\r\n"), file="encoding")
    yield Case("utf-8 with a surrogate", _bytes(TABLE.encode() + b"C001,\xed\xa0\x80,1\r\n"), file="encoding")
    yield Case("gb18030 cut within a character", _bytes(TABLE.encode("gb18030") + b"\x81"), file="encoding")
    yield Case("neither utf-8 nor gb18030", _bytes(b"a,b\r\n\xff\xff\xff,1\r\n"), file="encoding")
    yield Case("utf-16 of an odd number of bytes", _bytes(TABLE.encode("utf-16") + b"\x41"), file="encoding")
    yield Case("utf-16 with half a pair", _bytes(TABLE.encode("utf-16") + b"\x00\xd8"), file="encoding")
    yield Case("utf-8 and utf-16 in one file", _bytes(TABLE.encode() + TABLE.encode("utf-16-le")), file="encoding")
    yield Case("a mark amid the text", _text(TABLE.replace("上海", "\ufeff上海")))


def _shapes() -> Iterator[Case]:
    for name, end in (("unix", "\n"), ("old mac", "\r")):
        yield Case(f"line ends of {name}", _text(TABLE.replace("\r\n", end)))
    yield Case("line ends of three kinds", _text(TABLE.replace("\r\n", "\r", 1).replace("\r\n", "\n", 1)))
    yield Case("no line end at the end", _text(TABLE.rstrip()))
    yield Case("blank lines between", _text(TABLE.replace("\r\n", "\r\n\r\n , ,\r\n")))
    for sign in (";", "\t", "|"):
        yield Case(f"separator {sign!r}", _text(TABLE.replace(",", sign)))
    quoted = '"' + TABLE.replace(",", '","').replace("\r\n", '"\r\n"')[:-1]
    yield Case("every cell quoted", _text(quoted))
    yield Case("empty", _bytes(b""), file="empty")
    yield Case("only a mark", _bytes(b"\xef\xbb\xbf"), file="empty")
    yield Case("only blank lines", _bytes(b"\r\n \r\n,,,\r\n"), file="empty")
    yield Case("only the heading", _text(HEADING + "\r\n"), accepted=0)
    yield Case("NUL", _bytes(TABLE.encode().replace(b"1200", b"12\x0000")), file="nul")
    yield Case("NUL at the very end", _bytes(TABLE.encode() + b"\0"), file="nul")
    yield Case("only NULs", _bytes(b"\0" * 4096), file="nul")
    yield Case("quotation mark never closed", _text(TABLE + 'C001,"never,H2,2025-03-01,,5,CNY\r\n'), file="open_quote")
    long = TABLE + 'C001,"' + f"{LINE}\r\n" * 5000
    yield Case("quotation mark never closed, far from the end", _text(long), file="open_quote")
    yield Case("stray quotation mark", _text(TABLE + 'C001,"a"b,H2,2025-03-01,,5,CNY\r\n'), rows={4: "bad_quoting"})
    yield Case("row too short", _text(TABLE + "C001,a,H2,2025-03-01\r\n"), rows={4: "ragged"})
    yield Case("row too long", _text(TABLE + f"{LINE},surplus\r\n"), rows={4: "ragged"})
    yield Case(
        "row with empty cells too many", _text(TABLE + f"{','.join((OTHER | {'no': 'H2'}).values())},,\r\n"), accepted=3
    )
    yield Case(
        "cell of ten megabytes",
        _text(TABLE + f"C001,{'长' * 3_500_000},H2,2025-03-01,,5,CNY\r\n"),
        file="line_too_long",
    )
    yield Case(
        "cell of two hundred thousand characters",
        _text(TABLE + f"C001,{'长' * 200_000},H2,2025-03-01,,5,CNY\r\n"),
        file="field_too_long",
    )
    yield Case("ten megabytes without a line end", _bytes(b"x" * (10 << 20)), file="line_too_long")
    yield Case(
        "ten megabytes of separators", _bytes(HEADING.encode() + b"\r\n" + b"," * (10 << 20)), file="line_too_long"
    )
    yield Case("heading missing", _text(f"{LINE}\r\n{LINE}\r\n"), file="no_heading")
    yield Case("a needed column missing", _text(TABLE.replace("单据编号", "别的")), file="columns_missing")
    yield Case("heading twice", _text(TABLE.replace("到期日", "单据编号")), file="heading_twice")
    yield Case("heading again amid the rows", _text(f"{TABLE}{HEADING}\r\n"))
    yield Case("sums at the end", _text(f"{TABLE}合计,,,,,2400.00,\r\n"))
    yield Case("the same row twice", _text(f"{TABLE}{LINE}\r\n"), rows={4: "duplicate"})
    yield Case("an encoding that is none", _text(), file="unknown_encoding", mapping={"encoding": "zlib"})
    yield Case("another encoding than named", _text(encoding="gb18030"), file="encoding", mapping={"encoding": "utf-8"})


# --- cells ---------------------------------------------------------------------------------------

AMOUNTS = {
    "NaN": "not_an_amount",
    "nan": "not_an_amount",
    "Infinity": "not_an_amount",
    "-Infinity": "not_an_amount",
    "inf": "not_an_amount",
    "sNaN": "not_an_amount",
    "1e309": "precision_lost",
    "1E5": "precision_lost",
    "1.23457E+12": "precision_lost",
    "１２３": "",
    "１，２３４．５０": "",
    "١٢٣": "not_an_amount",
    "१२३": "not_an_amount",
    "1.234": "too_many_decimals",
    "1.230": "too_many_decimals",
    "0.001": "too_many_decimals",
    "壹万元": "not_an_amount",
    "一万": "not_an_amount",
    "1,23,4": "bad_grouping",
    "1,2345": "bad_grouping",
    "1.234,50": "bad_grouping",
    "(1,234.50)": "",
    "1234.50-": "",
    "-1234.50-": "two_signs",
    "(-5)": "two_signs",
    "¥1,200": "",
    "￥1,200.00": "",
    "$5": "",
    "€5": "not_an_amount",
    "3.2万元": "",
    "0": "zero",
    "0.00": "zero",
    "-0.00": "zero",
    "": "required",
    "   ": "required",
    "-": "required",
    "12 34": "not_an_amount",
    "9999999990000.00": "",
    "10000000000000.00": "too_large_amount",
    "1" * 400: "not_an_amount",
    "0x1F": "not_an_amount",
    "1_000": "not_an_amount",
    "=1+1": "not_an_amount",
    "#DIV/0!": "not_an_amount",
    "--5": "two_signs",
    "+5": "",
    "5贷": "",
    "1/2": "not_an_amount",
    "null": "not_an_amount",
}

DAYS = {
    "0000-00-00": "no_such_day",
    "2025-02-29": "no_such_day",
    "2024-02-29": "",
    "2025-02-30": "no_such_day",
    "1900-01-00": "no_such_day",
    "2025-13-01": "no_such_day",
    "20250301": "",
    "2025/3/1": "",
    "2025.3.1": "",
    "2025年3月1日": "",
    "01/02/2025": "ambiguous",
    "2025-03-01T23:30:00Z": "",
    "2025-03-01 10:11:12": "",
    "民国114年3月1日": "not_gregorian",
    "令和7年3月1日": "not_a_date",
    "60": "not_a_date",
    "45000": "",
    "45000.75": "",
    "0": "not_a_date",
    "-1": "not_a_date",
    "99999999": "no_such_day",
    "25-03-01": "two_digit_year",
    "1899-12-31": "out_of_range",
    "2200-01-01": "out_of_range",
    "9999-12-31": "out_of_range",
    "soon": "not_a_date",
    "２０２５－０３－０１": "",
    "٢٠٢٥-٠٣-٠١": "not_a_date",
    "2025-3": "not_a_date",
    "2025-03-01T25:00": "no_such_day",
    "": "required",
    "=TODAY()": "not_a_date",
    "1" * 400: "not_a_date",
}

NAMES = {
    "Cyrillic А": "Аcme",
    "zero-width blank": "上海\u200b艾克米",
    "mark inside": "上海\ufeff艾克米",
    "ideographic blank": "\u3000上海\u3000艾克米\u3000",
    "brackets of either width": "艾克米（上海）有限公司(甲)",
    "decomposed": "Cafe\u0301",
    "traditional": "上海艾克米機械有限公司",
    "script": "<script>alert(1)</script>",
    "template": "{{7*7}}",
    "format": "{0.__class__.__mro__}",
    "percent": "%(x)s %s %00",
    "formula": "=cmd|' /C calc'!A0",
    "at": "@SUM(A1)",
    "plus": "+1+1",
    "minus": "-1+1",
    "SQL": "'; DROP TABLE x; --",
    "path": "../../etc/passwd",
    "backslash": "a\\b\\N\\.",
    "emoji": "公司👨‍👩‍👧",
    "RLO": "abc\u202egpj.exe",
    "%00": "%00",
    "comma and quote": '"a,""b"""',
}

BAD_NAMES = {
    "5,000 characters": ("长" * 5000, "too_long"),
    "line break": ('"a\r\nX-Header: 1"', "control_characters"),
    "bell": ("a\x07b", "control_characters"),
    "escape": ("\x1b[31mred", "control_characters"),
    "delete": ("a\x7fb", "control_characters"),
    "C1": ("a\x85b", "control_characters"),
}

CODES = {
    "000123": "",
    "1234567890123456789": "",
    "1.23E+18": "precision_lost",
    "1.0": "decimal_code",
    "ＡＢ１２": "",
    "A B": "",
    "x" * 81: "too_long",
    "=1": "",
    "-": "",
    "'0012": "",
    "": "required",
    "\u200b": "required",
    "a\tb": "",
    "2025-03-01": "",
}

CURRENCIES = {
    "cny": "",
    "RMB": "",
    "人民币": "",
    "¥": "",
    "￥": "",
    "ＣＮＹ": "",
    "usd": "",
    "XXX": "unknown_currency",
    "$": "ambiguous_currency",
    "": "",
    "Bitcoin": "unknown_currency",
    "CN": "unknown_currency",
    "C\u200bNY": "unknown_currency",
    "СNY": "unknown_currency",
    "9": "unknown_currency",
}


def _with(quoted: bool = True, **cells: str) -> Make:
    """The good row and one with these cells."""
    row = OTHER | {key: f'"{value}"' if quoted and value else value for key, value in cells.items()}
    return _text(f"{HEADING}\r\n{LINE}\r\n{','.join(row.values())}\r\n")


def _cell_case(name: str, make: Make, code: str) -> Case:
    return Case(name, make, rows={3: code} if code else {}, accepted=1 if code else 2)


def _cells() -> Iterator[Case]:
    for text, code in AMOUNTS.items():
        yield _cell_case(f"amount {text[:20]!r}", _with(amount=text), code)
    for text, code in DAYS.items():
        yield _cell_case(f"day {text[:20]!r}", _with(day=text, due=""), code)
    for text, code in CURRENCIES.items():
        yield _cell_case(f"currency {text!r}", _with(currency=text), code)
    for text, code in CODES.items():
        yield _cell_case(f"number {text[:20]!r}", _with(no=text), code)
    for name, text in NAMES.items():
        yield Case(f"name with {name}", _with(quoted=not text.startswith('"'), name=text))
    for name, (text, code) in BAD_NAMES.items():
        yield _cell_case(f"name with {name}", _with(quoted=not text.startswith('"'), name=text), code)
    yield _cell_case("due before the document", _with(due="2025-02-28"), "due_before_document")
    yield _cell_case("no customer at all", _with(code="", name=""), "required")


# --- workbooks -----------------------------------------------------------------------------------

ROWS = sheet_row(1, *SHEET_HEADING) + sheet_row(2, *GOOD.values())
LAUGHS = '<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")


def _raw(body: str = ROWS, **options: Any) -> Make:
    return lambda folder: raw_workbook(folder, body, **options)


def _third(**cells: str) -> Make:
    """A workbook whose third row holds these cells as XML, at the places of a good row."""
    parts = [
        cells.get(key) or (inline(f"{chr(65 + at)}3", OTHER[key]) if key not in cells else "")
        for at, key in enumerate(PLACES)
    ]
    return _raw(f'{ROWS}<row r="3">{"".join(parts)}</row>')


def _number(column: str, value: str, attributes: str = "") -> str:
    return f'<c r="{column}3"{attributes}><v>{value}</v></c>'


def _mended(folder: Path, change: Callable[[bytearray], None]) -> Path:
    content = bytearray(raw_workbook(folder, ROWS).read_bytes())
    change(content)
    return bytes_file(folder, bytes(content), "changed.xlsx")


def _lock(content: bytearray) -> None:
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(mark, start + 4)


def _spoil(content: bytearray) -> None:
    at = content.find(b"xl/worksheets/sheet1.xml") + 40
    content[at : at + 60] = b"\xff" * 60


def _lie(content: bytearray) -> None:
    """The directory says that the bomb unpacks to a hundred bytes."""
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        length = int.from_bytes(content[start + 28 : start + 30], "little")
        if content[start + 46 : start + 46 + length] == b"xl/media/zeros.bin":
            content[start + 24 : start + 28] = (100).to_bytes(4, "little")
        start = content.find(b"PK\x01\x02", start + 4)


def _lying_bomb(folder: Path) -> Path:
    content = bytearray(_raw(extra=BOMB)(folder).read_bytes())
    _lie(content)
    return bytes_file(folder, bytes(content), "lying.xlsx")


def _two_million(folder: Path) -> Path:
    cells = "".join(
        f'<c r="{zipscan.column_letters(column)}%d"/>'.replace("/>", "><v>1</v></c>") for column in range(1, 201)
    )
    return raw_workbook(folder, "".join(f'<row r="{n}">{cells.replace("%d", str(n))}</row>' for n in range(1, 10_001)))


BOMB = {"xl/media/zeros.bin": b"\0" * (200 << 20)}
UNUSUAL = "<row r='3'><c t='n' r='{}'><v>1</v></c></row>"
FAR = '<row r="{row}"><c r="{cell}"><v>1</v></c></row>'


def _sheets() -> Iterator[Case]:
    for text, code in (("1.234", "too_many_decimals"), ("1200.1", ""), ("1E5", "")):
        yield _cell_case(f"number cell {text}", _third(amount=_number("F", text)), code)
    yield _cell_case("number cell of float noise", _third(amount=_number("F", "0.30000000000000004")), "")
    yield _cell_case("error cell", _third(amount=_number("F", "#DIV/0!", ' t="e"')), "error_cell")
    yield _cell_case("error cell of another kind", _third(no=_number("C", "#REF!", ' t="e"')), "error_cell")
    never = '<c r="F3"><f>SUM(1,2)</f></c>'
    yield _cell_case("formula never computed", _third(amount=never), "formula_without_value")
    yield _cell_case("formula with its value", _third(amount='<c r="F3"><f>SUM(1,2)</f><v>3</v></c>'), "")
    yield _cell_case("formula with a hostile text", _third(name='<c r="B3" t="str"><f>1</f><v>=cmd|calc</v></c>'), "")
    for serial, code in (
        ("60", "excel_leap_day"),
        ("45000", ""),
        ("45000.75", ""),
        ("0", "no_such_day"),
        ("-5", "not_a_date"),
    ):
        yield _cell_case(f"serial {serial} for a day", _third(day=_number("D", serial), due=""), code)
    yield _cell_case("long number shortened", _third(no=_number("C", "1.2345678901234567E+18")), "precision_lost")
    yield _cell_case("truth for an amount", _third(amount=_number("F", "1", ' t="b"')), "not_an_amount")
    yield Case("shared text that is not there", _third(name=_number("B", "99", ' t="s"')), file="broken_workbook")
    yield Case("every tag prefixed", _raw(re.sub(r"<(/?)(\w)", r"<\1x:\2", ROWS), prefix="x:"), accepted=1)
    yield Case("blank cells to the last column", _raw(ROWS + '<row r="3"><c r="XFD3" s="0"/></row>'), accepted=1)
    yield Case("200 MB in 200 kB", _raw(extra=BOMB), file="unpacks_too_large")
    yield Case("200 MB in 200 kB, the directory lying", _lying_bomb, file="unpacks_too_large")
    yield Case("two million cells in a small file", _two_million, file="no_heading")
    yield Case("A1 and XFD1048576", _raw(ROWS + FAR.format(row=1048576, cell="XFD1048576")), file="too_many_cells")
    yield Case("A1 and ZZ100000", _raw(ROWS + FAR.format(row=100000, cell="ZZ100000")), file="too_many_cells")
    shuffled = '<row r="100000"><c s="0" r="ZZ100000"><v>1</v></c></row>'
    yield Case("A1 and ZZ100000, unusually written", _raw(ROWS + shuffled), file="too_many_cells")
    lower = '<row r="1048576"><c r="xfd1048576"><v>1</v></c></row>'
    yield Case("a far cell in small letters", _raw(ROWS + lower), file="too_many_cells")
    yield Case("a far cell in a near row", _raw(ROWS + FAR.format(row=3, cell="XFD1048576")), file="too_many_cells")
    for place in ("A1048577", "A4294967295", "A99999999999", "XFE3", "AAAAAAAA3", f"A{'9' * 5000}"):
        beyond = f'<row r="3"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'
        yield Case(f"a cell at {place[:13]}", _raw(ROWS + beyond), file="broken_workbook")
        yield Case(
            f"a cell at {place[:13]}, unusually written", _raw(ROWS + UNUSUAL.format(place)), file="broken_workbook"
        )
    yield Case("billion laughs", _raw(head=LAUGHS), file="markup")
    yield Case("outside entity", _raw(head=XXE), file="markup")
    yield Case("entities in the sheet", _raw(extra={"xl/worksheets/sheet2.xml": LAUGHS.encode()}), file="markup")
    yield Case("zip slip", _raw(extra={"../../etc/cron.d/x": b"1"}), file="broken_workbook")
    yield Case("zip slip from the root", _raw(extra={"/etc/cron.d/x": b"1"}), file="broken_workbook")
    yield Case("zip slip by backslashes", _raw(extra={"..\\..\\x": b"1"}), file="broken_workbook")
    yield Case("six thousand entries", _raw(extra={f"x/{n}": b"" for n in range(6000)}), file="broken_workbook")
    yield Case("sheet that is no XML", _raw(extra={"xl/worksheets/sheet1.xml": b"\0\1\2" * 99}), file="broken_workbook")
    yield Case(
        "sheet that ends amid a tag",
        _raw(extra={"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}),
        file="broken_workbook",
    )
    yield Case("workbook without its sheet", _raw(extra={"xl/workbook.xml": b"<workbook/>"}), file="empty")
    yield Case("broken bytes", lambda folder: _mended(folder, _spoil), file="broken_workbook")
    yield Case(
        "cut in half",
        lambda folder: _mended(folder, lambda c: c.__delitem__(slice(len(c) // 2, None))),
        file="broken_workbook",
    )
    yield Case("a password within the ZIP", lambda folder: _mended(folder, _lock), file="encrypted")
    yield Case("no sheet with rows", lambda folder: sheet_file(folder, []), file="empty")
    yield Case("a hundred sheets", _hundred_sheets, accepted=1)


def _hundred_sheets(folder: Path) -> Path:
    def draw(book: Any, _sheet: Any) -> None:
        for _ in range(99):
            book.add_worksheet()

    return sheet_file(folder, [SHEET_HEADING, tuple(GOOD.values())], draw=draw)


# --- disguises -----------------------------------------------------------------------------------


def _xls(folder: Path, name: str = "file.xls") -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("账")
    for number, row in enumerate((SHEET_HEADING, GOOD.values(), OTHER.values())):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.save(str(folder / name))
    return folder / name


def _named(name: str, make: Make) -> Make:
    return lambda folder: make(folder).rename(folder / name)


def _disguises() -> Iterator[Case]:
    html = b"<html><table><tr><td>1</td></tr></table></html>"
    encrypted = OLE2 + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 900
    yield Case("XLS", _xls)
    yield Case("XLS named xlsx", lambda folder: _xls(folder, "file.xlsx"))
    yield Case("XLSX named csv", _named("file.csv", _raw()), accepted=1)
    yield Case("text named xlsx", _named("file.xlsx", _text()))
    yield Case("page named xls", _bytes(html, "file.xls"), file="not_a_table")
    yield Case("page behind a mark", _bytes(b"\xef\xbb\xbf  <!DOCTYPE HTML>" + html), file="not_a_table")
    yield Case("picture as SVG", _bytes(b"<svg onload='alert(1)'/>", "file.png"), file="not_a_table")
    yield Case("XML", _bytes(b"<?xml version='1.0'?><a/>", "file.xlsx"), file="not_a_table")
    yield Case("program named pdf", _bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 500, "file.pdf"), file="not_a_table")
    yield Case("program of Windows", _bytes(b"MZ\x90\0" + b"\0" * 500, "file.csv"), file="not_a_table")
    yield Case("PDF that is also a table", _bytes(b"%PDF-1.7\n" + TABLE.encode()), file="not_a_table")
    yield Case(
        "PDF that is also a ZIP", _bytes(b"%PDF-1.7\n" + zipped(**{"xl/workbook.xml": b"1"})), file="not_a_table"
    )
    yield Case("picture PNG", _bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 500), file="not_a_table")
    yield Case("picture JPEG", _bytes(b"\xff\xd8\xff\xe0" + b"\0" * 500), file="not_a_table")
    yield Case("gzip", _bytes(b"\x1f\x8b\x08" + b"\0" * 50, "file.csv.gz"), file="not_a_table")
    yield Case("RTF", _bytes(b"{\\rtf1 hello}"), file="not_a_table")
    yield Case("SQLite", _bytes(b"SQLite format 3\0" + b"\0" * 500), file="not_a_table")
    yield Case("ZIP of something else", _bytes(zipped(**{"readme.txt": b"hello"}), "file.xlsx"), file="not_a_table")
    yield Case("ZIP within a ZIP", _bytes(zipped(**{"a.zip": zipped(a=b"1")}), "file.xlsx"), file="not_a_table")
    yield Case("empty ZIP", _bytes(zipped(), "file.xlsx"), file="not_a_table")
    yield Case("Word file", _bytes(zipped(**{"word/document.xml": b"<w/>"}), "file.xlsx"), file="not_a_table")
    yield Case("binary workbook", _bytes(zipped(**{"xl/workbook.bin": b"1"}), "file.xlsb"), file="not_a_table")
    yield Case("OpenDocument", _bytes(zipped(**{"content.xml": b"<x/>"}), "file.ods"), file="not_a_table")
    yield Case("password around the workbook", _bytes(encrypted, "file.xlsx"), file="encrypted")
    yield Case("OLE2 without a workbook", _bytes(OLE2 + b"\0" * 2000, "file.xls"), file="broken_workbook")
    yield Case("OLE2 and nothing more", _bytes(OLE2, "file.xls"), file="broken_workbook")
    yield Case("JSON", _bytes(b'[{"a": 1}, {"b": 2}]'), file="columns_missing")
