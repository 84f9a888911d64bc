"""Files made for a test, and a small kind of file to read them with; no binary file is kept in the repository."""

import codecs
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from shouxin.lib.imports import mapping as mappings
from shouxin.lib.imports import run
from shouxin.lib.imports.kinds import Column, Conditions, Kind, Row, also

KIND = Kind(
    name="papers",
    label="Papers",
    columns=(
        Column("code", "Code", "code", also("客户编码 往来单位编码", "customer code"), required=True, length_max=40),
        Column("name", "Name", "name", also("客户名称 客户", "customer name"), length_max=60),
        Column("no", "Number", "code", also("单据编号 发票号", "invoice no, doc_no"), required=True, length_max=40),
        Column("day", "Day", "date", also("单据日期 日期", "invoice date, date"), required=True),
        Column("due", "Due", "date", also("到期日", "due date")),
        Column(
            "amount",
            "Amount",
            "amount",
            also("应收金额 价税合计 金额 借方-发生-金额", "amount"),
            required=True,
            sign="not_zero",
        ),
        Column("left", "Open", "amount", also("未核销金额 余额 借方-未结-金额", "balance")),
        Column("currency", "Currency", "currency", also("币种", "currency")),
        Column("disputed", "Disputed", "bool", also("争议", "disputed")),
        Column("share", "Share", "share", also("折扣率", "discount")),
        Column("remark", "Remark", "text", also("摘要 备注", "remark"), length_max=5000),
    ),
    writer=lambda conditions: Nobody(),
    may=lambda person: True,
    key=("code", "no"),
    together=("code", "no"),
    sums="amount",
    needs_currency=True,
)
"""Papers with one column of every type; nobody writes them anywhere."""

CONDITIONS = Conditions(by=None, at=datetime(2026, 11, 24, tzinfo=UTC), today=date(2026, 11, 24), currency="CNY")


class Nobody:
    """Accepts every row and keeps none."""

    def write(self, rows: Sequence[Row]) -> list[Any]:
        """Everything is accepted."""
        return ["accepted"] * len(rows)


def look(path: Path, mapping: dict[str, Any] | None = None, kind: Kind = KIND, **options: Any) -> run.Preview:
    """The file as it would be taken."""
    return run.look(path, kind, mappings.read(mapping, kind), CONDITIONS, **options)


def text_file(folder: Path, text: str, encoding: str = "utf-8", name: str = "file.csv") -> Path:
    """A text in an encoding, its line ends as they stand."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def bytes_file(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    """A file with exactly these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


def csv_text(*rows: str, heading: str = "客户编码,客户名称,单据编号,单据日期,到期日,应收金额,币种") -> str:
    """A table with the usual headings."""
    return "\r\n".join((heading, *rows)) + "\r\n"


GOOD = "0012,上海艾克米机械有限公司,0001,2025-03-01,2025-04-30,1200.00,人民币"
"""A row nothing is wrong with."""


def sheet_file(
    folder: Path,
    rows: Iterable[Sequence[Any]],
    name: str = "file.xlsx",
    draw: Callable[[Any, Any], None] | None = None,
    **options: Any,
) -> Path:
    """A workbook with these rows; `draw` adds to its book and sheet whatever else a test wants."""
    path = folder / name
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, **options})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell, day)
            elif isinstance(cell, str):
                sheet.write_string(number, column, cell)
            elif cell is not None:
                sheet.write(number, column, cell)
    if draw:
        draw(book, sheet)
    book.close()
    return path


SHEET_HEADING = ("客户编码", "客户名称", "单据编号", "单据日期", "到期日", "应收金额", "币种")

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def raw_workbook(
    folder: Path, sheet: str, *, extra: dict[str, bytes] | None = None, head: str = "", prefix: str = ""
) -> Path:
    """A workbook whose sheet data is exactly this XML, for what no spreadsheet program would write."""
    opening = f'<{prefix}worksheet xmlns{":" + prefix[:-1] if prefix else ""}="{_MAIN}"><{prefix}sheetData>'
    whole = f"{opening}{sheet}</{prefix}sheetData></{prefix}worksheet>"
    parts = {
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_RELATION}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'.encode(),
        "xl/workbook.xml": f'{head}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'.encode(),
        "xl/worksheets/sheet1.xml": whole.encode(),
    } | (extra or {})
    path = folder / "raw.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return path


def inline(reference: str, text: str) -> str:
    """A cell with a text of its own."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def sheet_row(number: int, *cells: str) -> str:
    """A row of the sheet's XML, its cells as texts from column A on."""
    inside = "".join(inline(f"{chr(65 + column)}{number}", cell) for column, cell in enumerate(cells))
    return f'<row r="{number}">{inside}</row>'


def zipped(**parts: bytes) -> bytes:
    """A ZIP file with these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return out.getvalue()


BOM16 = codecs.BOM_UTF16_LE
