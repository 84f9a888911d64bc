"""Whatever bytes, texts and numbers come in, the readers answer or raise the one error they promise (T12)."""

import math
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.lib.imports import detect, zipscan
from shouxin.lib.imports.faults import FileFault
from shouxin.rules.currencies import read_currency
from shouxin.rules.days import read_date
from shouxin.rules.ids import check_uscc, normalise
from shouxin.rules.money import parse_amount, read_amount
from shouxin.rules.text import Unreadable

from .handing import GOOD, csv_text, look, raw_workbook, sheet_row

BRIEFLY = settings(max_examples=150, deadline=None)
TABLE = csv_text(GOOD).encode()
SIGNS = st.text(st.sampled_from("0123456789.,-+()eE¥￥$万元亿贷借 /:年月日TZ١２nNaAfFiI\u200b\0%"), max_size=24)
ODD = st.text(max_size=40) | SIGNS
CELLS = ODD | st.floats() | st.integers() | st.booleans() | st.none() | st.dates() | st.datetimes()
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "big5"])


def _looked(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        try:
            found = look(path)
        except FileFault as fault:
            assert str(fault)
        else:
            assert found.tally.rows == found.tally.accepted + found.tally.refused


@BRIEFLY
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    _looked(content)


@BRIEFLY
@given(st.binary(max_size=40), st.integers(0, len(TABLE)))
def test_a_table_with_bytes_put_in(content: bytes, at: int) -> None:
    _looked(TABLE[:at] + content + TABLE[at:])


@BRIEFLY
@given(st.lists(st.lists(ODD, max_size=9), max_size=6), ENCODINGS, st.sampled_from([",", ";", "\t", "|"]))
def test_any_rows_under_a_good_heading(rows: list[list[str]], encoding: str, sign: str) -> None:
    text = "\r\n".join([csv_text(GOOD).replace(",", sign), *(sign.join(row) for row in rows)])
    _looked(text.encode(encoding, "replace"))


@BRIEFLY
@given(st.binary(max_size=300))
def test_the_encoding_of_anything(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            encoding = detect.encoding_of(path)
        except FileFault:
            return
        content.decode(encoding)


@BRIEFLY
@given(st.data())
def test_a_workbook_with_bytes_changed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = raw_workbook(Path(folder), sheet_row(1, "客户编码", "单据编号") + sheet_row(2, "1", "2"))
        content = bytearray(path.read_bytes())
        for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
            content[at] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            zipscan.scan(path, zipscan.Limits(1 << 20, 10_000, 100))
            zipscan.sheet_paths(path)
        except zipscan.Refused as refused:
            assert refused.code


def test_a_directory_that_says_it_begins_later_than_it_does(tmp_path: Path) -> None:
    """Then the entries seem to begin before the file does."""
    path = raw_workbook(tmp_path, sheet_row(1, "客户编码", "单据编号"))
    content = bytearray(path.read_bytes())
    begins = len(content) - 6
    content[begins : begins + 4] = (int.from_bytes(content[begins : begins + 4], "little") + 5).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(zipscan.Refused, match="broken_workbook"):
        zipscan.scan(path, zipscan.Limits(1 << 20, 10_000, 100))


@settings(BRIEFLY, max_examples=600)
@given(CELLS)
def test_amounts(cell: object) -> None:
    try:
        amount = read_amount(cell)
    except Unreadable as error:
        assert error.code
    else:
        assert amount is None or (amount == round(amount, 2) and abs(amount) < Decimal(10**13))
        if isinstance(cell, float) and amount is not None:
            assert math.isclose(float(amount), cell, abs_tol=0.00001)


@settings(BRIEFLY, max_examples=600)
@given(ODD)
def test_amounts_of_programs(text: str) -> None:
    try:
        amount = parse_amount(text)
    except Unreadable:
        return
    assert text.isascii() and amount == Decimal(text)


@settings(BRIEFLY, max_examples=600)
@given(CELLS, st.sampled_from([None, "ymd", "dmy", "mdy"]))
def test_days(cell: object, order: str | None) -> None:
    try:
        day = read_date(cell, order=order)  # type: ignore[arg-type]
    except Unreadable as error:
        assert error.code
    else:
        assert date(1900, 1, 1) <= day <= date(2199, 12, 31)


@settings(BRIEFLY, max_examples=600)
@given(ODD)
def test_codes_and_currencies(text: str) -> None:
    answer = check_uscc(normalise(text))
    assert answer.ok or answer
    try:
        code = read_currency(text)
    except Unreadable:
        return
    assert len(code) == 3 and code.isascii() and code.isupper()
