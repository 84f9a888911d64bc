"""Cells: every spelling of §6.2 is read, everything doubtful is refused with its row, its column and the reason."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from shouxin.lib.imports import faults

from .handing import GOOD, SHEET_HEADING, csv_text, look, sheet_file, text_file

HEADING = "客户编码,客户名称,单据编号,日期,到期日,金额,币种,争议,折扣率,摘要"
ROW = {
    "客户编码": "0012", "客户名称": "甲", "单据编号": "0001", "日期": "2025-03-01", "到期日": "",
    "金额": "1200.00", "币种": "CNY",
    "争议": "", "折扣率": "", "摘要": "",
}  # fmt: skip


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _one(folder: Path, mapping: dict[str, Any] | None = None, **cells: str) -> Any:
    row = ROW | cells
    text = HEADING + "\r\n" + ",".join(_quoted(row[name]) for name in HEADING.split(",")) + "\r\n"
    return look(text_file(folder, text), mapping)


REFUSED_TEXTS: list[tuple[str, str, str]] = [
    # amounts
    ("金额", "NaN", "not_an_amount"),
    ("金额", "Infinity", "not_an_amount"),
    ("金额", "-inf", "not_an_amount"),
    ("金额", "1e309", "precision_lost"),
    ("金额", "1E5", "precision_lost"),
    ("金额", "1.23457E+12", "precision_lost"),
    ("金额", "١٢٣", "not_an_amount"),
    ("金额", "12.345", "too_many_decimals"),
    ("金额", "壹万元", "not_an_amount"),
    ("金额", "1,23,4", "bad_grouping"),
    ("金额", "12345678901234", "too_large_amount"),
    ("金额", "(-5)", "two_signs"),
    ("金额", "0.00", "zero"),
    ("金额", "", "required"),
    ("金额", "-", "required"),
    ("金额", "5 000", "not_an_amount"),
    ("金额", "=1+1", "not_an_amount"),
    # dates
    ("日期", "0000-00-00", "no_such_day"),
    ("日期", "2025-02-29", "no_such_day"),
    ("日期", "2025-02-30", "no_such_day"),
    ("日期", "60", "not_a_date"),
    ("日期", "01/02/2025", "ambiguous"),
    ("日期", "1/2/25", "two_digit_year"),
    ("日期", "民国114年3月1日", "not_gregorian"),
    ("日期", "1899-12-31", "out_of_range"),
    ("日期", "soon", "not_a_date"),
    ("日期", "", "required"),
    ("到期日", "2025-13-01", "no_such_day"),
    # codes
    ("单据编号", "1.23E+18", "precision_lost"),
    ("单据编号", "1930571429.0", "decimal_code"),
    ("单据编号", "", "required"),
    ("单据编号", "n" * 41, "too_long"),
    ("单据编号", "1\x07", "control_characters"),
    ("客户编码", "甲\r\n乙", "control_characters"),
    # names
    ("客户名称", "n" * 61, "too_long"),
    ("客户名称", "A\r\nX-Injected: 1", "control_characters"),
    ("摘要", "字" * 5001, "too_long"),
    # words
    ("币种", "XXX", "unknown_currency"),
    ("币种", "$", "ambiguous_currency"),
    ("争议", "perhaps", "not_yes_or_no"),
    ("折扣率", "120", "not_a_share"),
    ("折扣率", "two", "not_a_share"),
]


@pytest.mark.parametrize(("column", "text", "code"), REFUSED_TEXTS)
def test_a_cell_is_refused(tmp_path: Path, column: str, text: str, code: str) -> None:
    found = _one(tmp_path, **{column: text})

    assert [(fault.row, fault.heading, fault.code) for fault in found.faults] == [(2, column, code)]
    for language in ("zh-hans", "en"):
        with translation.override(language):
            assert "{" not in str(found.faults[0])
    assert found.tally.accepted == 0


READ_TEXTS: list[tuple[str, str]] = [
    ("金额", "１２３"),
    ("金额", "￥1,234.50"),
    ("金额", "(1,234.50)"),
    ("金额", "1234.50-"),
    ("金额", "500(贷)"),
    ("金额", "3.2万元"),
    ("金额", " 12 "),
    ("金额", "-0.01"),
    ("日期", "2025-3-1"),
    ("日期", "2025/3/1"),
    ("日期", "2025.03.01"),
    ("日期", "20250301"),
    ("日期", "2025年3月1日"),
    ("日期", "45717"),
    ("日期", "45000.75"),
    ("日期", "30/03/2025"),
    ("日期", "2025-02-28T23:30:00Z"),
    ("日期", "1900-01-01"),
    ("单据编号", "000123"),
    ("单据编号", "914403001922038216"),
    ("单据编号", "25312000000123456789"),
    ("单据编号", "ＡＢ１２"),
    ("客户名称", "А (Cyrillic)"),
    ("客户名称", "<script>alert(1)</script>"),
    ("客户名称", "{{7*7}}"),
    ("客户名称", "{0.__class__.__init__}"),
    ("客户名称", "=cmd|' /C calc'!A0"),
    ("客户名称", "@SUM(A1)"),
    ("客户名称", "%00"),
    ("客户名称", "甲　乙"),
    ("摘要", "第一行\r\n第二行"),
    ("币种", "cny"),
    ("币种", "RMB"),
    ("币种", "￥"),
    ("币种", "人民币"),
    ("币种", ""),
    ("币种", "美元"),
    ("争议", "是"),
    ("争议", "No"),
    ("争议", "√"),
    ("折扣率", "2%"),
    ("折扣率", "2.5"),
]


@pytest.mark.parametrize(("column", "text"), READ_TEXTS)
def test_a_cell_is_read(tmp_path: Path, column: str, text: str) -> None:
    found = _one(tmp_path, **{column: text})

    assert found.faults == []
    assert found.tally.accepted == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("(1,234.50)", "-1234.50"),
        ("1234.50-", "-1234.50"),
        ("500(贷)", "-500.00"),
        ("3.2万元", "32000.00"),
        ("１２３", "123.00"),
        ("1200", "1200.00"),
        ("1200.5", "1200.50"),
        ("-0.10", "-0.10"),
    ],
)
@pytest.mark.invariant("I-31")
def test_amounts_are_exact_and_keep_their_sign(tmp_path: Path, text: str, read: str) -> None:
    assert str(_one(tmp_path, 金额=text).tally.sums["CNY"]["read"]) == read


def test_two_names_that_look_alike_become_equal_or_stay_two(tmp_path: Path) -> None:
    from shouxin.rules.text import clean

    assert clean("甲\u200b乙\ufeff") == "甲乙"
    assert clean("\u202e甲") == "甲"
    assert clean("é") == clean("e\u0301")
    assert clean("A") != clean("А")


def test_one_date_of_a_column_decides_for_the_others(tmp_path: Path) -> None:
    rows = "7,1,01/02/2025,5\r\n7,2,25/02/2025,5\r\n"
    found = look(text_file(tmp_path, "客户编码,单据编号,日期,金额\r\n" + rows))

    assert found.orders["day"] == "dmy"
    assert found.tally.accepted == 2


def test_a_date_against_the_order_of_its_column_is_refused(tmp_path: Path) -> None:
    found = _one(tmp_path, {"date_order": "dmy"}, 日期="1/26/2013")

    assert found.faults[0].code == "order_contradicted"
    assert "dmy" in str(found.faults[0])


def test_options_of_the_mapping_mend_codes(tmp_path: Path) -> None:
    columns = {"no": {"column": "单据编号", "strip_decimal": True}, "code": {"column": "客户编码", "strip_zeros": True}}

    assert _one(tmp_path, {"columns": columns}, 单据编号="1930571429.0", 客户编码="0200706844").tally.accepted == 1
    lost = _one(tmp_path, {"columns": columns}, 单据编号="12345678901234567890.0")
    assert lost.faults[0].code == "precision_lost"


# --- spreadsheets --------------------------------------------------------------------------------


def _sheet(folder: Path, *row: Any, **options: Any) -> Any:
    return look(sheet_file(folder, [SHEET_HEADING, row], **options))


def test_a_sheets_own_types_are_read(tmp_path: Path) -> None:
    found = _sheet(tmp_path, 12, "甲", 1001, date(2025, 3, 1), datetime(2025, 4, 30, 18, 0), 0.1 + 0.2, "CNY")  # noqa: DTZ001 - a sheet knows no zone

    assert found.faults == []
    assert str(found.tally.sums["CNY"]["read"]) == "0.30"


def test_the_1904_calendar_of_old_macs(tmp_path: Path) -> None:
    found = _sheet(tmp_path, "1", "甲", "2", date(2025, 3, 1), None, 5, "CNY", date_1904=True)

    assert found.rows[0][1][3] == date(2025, 3, 1)


@pytest.mark.parametrize(
    ("cell", "column", "code"),
    [
        pytest.param(12345678901234567890, 2, "precision_lost", id="20 digits as a number"),
        pytest.param(1e15, 2, "precision_lost", id="16 digits as a number"),
        pytest.param(date(2025, 1, 2), 2, "became_a_date", id="a code that became a date"),
        pytest.param(60, 3, "excel_leap_day", id="the day that never was"),
        pytest.param(1234.567, 5, "too_many_decimals", id="three decimals"),
        pytest.param(True, 5, "not_an_amount", id="true for an amount"),
    ],
)
def test_a_sheets_cell_is_refused(tmp_path: Path, cell: Any, column: int, code: str) -> None:
    row: list[Any] = ["1", "甲", "2", date(2025, 3, 1), None, 5, "CNY"]
    row[column] = cell

    assert [fault.code for fault in _sheet(tmp_path, *row).faults] == [code]


def test_digits_of_a_code_held_as_a_number_come_back_whole(tmp_path: Path) -> None:
    row = ("1", "甲", 999999999999999, date(2025, 3, 1), None, 5, "CNY")

    assert _sheet(tmp_path, *row).tally.accepted == 1


def test_a_formatted_percentage_is_doubtful(tmp_path: Path) -> None:
    rows = [("客户编码", "单据编号", "日期", "金额", "折扣率"), ("1", "2", "2025-03-01", 5, 0.02)]

    assert look(sheet_file(tmp_path, rows)).faults[0].code == "share_unclear"


# --- rows ----------------------------------------------------------------------------------------


def test_ragged_rows_are_faults_of_their_own_and_spoil_no_neighbour(tmp_path: Path) -> None:
    text = csv_text(
        GOOD, "0012,甲,0002,2025-03-01", "0012,甲,乙,0003,2025-03-01,,5,CNY", "0012,甲,0004,2025-03-01,,5,CNY,,"
    )

    found = look(text_file(tmp_path, text))

    assert [(fault.row, fault.code) for fault in found.faults] == [(3, "ragged"), (4, "ragged")]
    assert found.tally.accepted == 2, "blank cells behind the last heading are no fault"


def test_a_quotation_mark_within_a_cell_is_a_fault_of_its_row(tmp_path: Path) -> None:
    found = look(text_file(tmp_path, csv_text('0012,"甲"乙,0002,2025-03-01,,5,CNY', GOOD)))

    assert [(fault.row, fault.code) for fault in found.faults] == [(2, "bad_quoting")]
    assert found.tally.accepted == 1


def test_a_second_row_of_the_same_paper_is_named_with_the_first(tmp_path: Path) -> None:
    found = look(text_file(tmp_path, csv_text(GOOD, GOOD.replace("0001", "0002"), GOOD)))

    assert [(fault.row, fault.code, fault.params["row"]) for fault in found.faults] == [(4, "duplicate", 2)]


def test_all_faults_of_a_row_are_named(tmp_path: Path) -> None:
    found = _one(tmp_path, 金额="x", 日期="y", 币种="z")

    assert {fault.code for fault in found.faults} == {"not_an_amount", "not_a_date", "unknown_currency"}


def test_every_sentence_is_filled_whatever_a_cell_holds() -> None:
    fault = faults.CellFault(1, "a", "b", "c", "error_cell", {"text": "{0.__class__} %(x)s"})

    assert "{0.__class__}" in str(fault)
