"""Headings: found among titles, joined over rows, recognised in both languages, chosen by a mapping."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from shouxin.lib.imports import headings, kinds, mapfile
from shouxin.lib.imports.faults import FileFault

from .handing import GOOD, KIND, SHEET_HEADING, csv_text, look, sheet_file, text_file


def _headed(folder: Path, heading: str, row: str = "7,8,2025-03-01,5") -> Any:
    return look(text_file(folder, f"{heading}\r\n{row}\r\n"))


@pytest.mark.parametrize(
    "heading",
    [
        pytest.param("客户编码,单据编号,单据日期,应收金额", id="the usual words"),
        pytest.param("往来单位编码,发票号,日期,价税合计", id="another house's words"),
        pytest.param(" 客户编码 ,单据 编号,单据日期：,*应收金额", id="blanks and marks"),
        pytest.param("Customer Code,Invoice No.,Invoice Date,Amount", id="English"),
        pytest.param("CUSTOMER_CODE,doc_no,INVOICE-DATE,amount", id="English of programs"),
        pytest.param("客户编码（必填）,单据编号,单据日期,应收金额（元）", id="remarks in brackets"),
    ],
)
def test_headings_are_recognised_whatever_their_dress(tmp_path: Path, heading: str) -> None:
    found = _headed(tmp_path, heading)

    assert found.layout.missing == ()
    assert found.tally.accepted == 1


@pytest.mark.parametrize("kind", kinds.names())
def test_every_column_of_every_kind_knows_its_own_key_and_no_heading_means_two(kind: str) -> None:
    found = kinds.get(kind)
    known = headings.aliases(found)
    for column in found.columns:
        assert known[headings.plain(column.key)][0] == column.key
        for alias in column.aliases:
            assert known[headings.plain(alias)][0] == column.key, f"{kind}: {alias}"


REQUIRED = [(kind.name, column.key) for kind in kinds.all_kinds() for column in kind.columns if column.required]
CELLS = {"amount": "5", "days": "5", "share": "5", "date": "2025-03-01", "currency": "CNY", "bool": "是"}


@pytest.mark.parametrize(("kind", "missing"), REQUIRED)
def test_a_file_without_a_column_it_must_have_is_looked_at_and_the_column_named(
    tmp_path: Path, kind: str, missing: str
) -> None:
    found = kinds.get(kind)
    there = [column for column in found.columns if column.key != missing]
    cells = [next(iter(column.choices), CELLS.get(column.type, "7")) for column in there]
    rows = (",".join(column.key for column in there), ",".join(cells))

    assert missing in look(text_file(tmp_path, "\r\n".join(rows)), kind=found).layout.missing


def test_titles_and_blank_rows_above_the_heading_are_passed_over(tmp_path: Path) -> None:
    rows = [
        ("2025年应收账款明细表",),
        (),
        ("单位：元", None, "制表人：张三"),
        SHEET_HEADING,
        ("7", "甲", "8", "2025-03-01", None, 5, "CNY"),
    ]

    found = look(sheet_file(tmp_path, rows))

    assert (found.layout.heading.first_row, found.layout.heading.last_row) == (4, 4)
    assert found.tally.accepted == 1


def test_a_heading_of_three_rows_with_merged_cells_is_joined(tmp_path: Path) -> None:
    rows = [
        ("往来单位编码", "发票号", "日期", "借方", None, None, "贷方", None),
        (None, None, None, "发生", None, "未结", "发生", None),
        (None, None, None, "金额", "本币", "金额", "金额", "本币"),
        ("7", "8", "2025-03-01", 5, 5, 3, 0, 0),
    ]

    def draw(book: Any, sheet: Any) -> None:
        sheet.merge_range("D1:F1", "借方")
        sheet.merge_range("A1:A3", "往来单位编码")

    found = look(sheet_file(tmp_path, rows, draw=draw))

    assert found.layout.heading.texts[3:6] == ("借方-发生-金额", "借方-发生-本币", "借方-未结-金额")
    assert {bound.key: bound.index for bound in found.layout.bound} == {
        "code": 0,
        "no": 1,
        "day": 2,
        "amount": 3,
        "left": 5,
    }
    assert found.tally.accepted == 1


def test_the_credit_side_is_never_taken_for_the_amount(tmp_path: Path) -> None:
    rows = [
        ("往来单位编码", "发票号", "日期", "贷方", None),
        (None, None, None, "金额", "本币"),
        ("7", "8", "2025-03-01", 5, 5),
    ]

    assert "amount" in look(sheet_file(tmp_path, rows)).layout.missing


def test_a_unit_in_the_heading_multiplies(tmp_path: Path) -> None:
    found = look(text_file(tmp_path, "客户编码,单据编号,日期,金额(万元)\r\n7,8,2025-03-01,1.25\r\n"))

    assert found.tally.sums["CNY"]["read"] == 12500


def test_likeness_is_only_a_suggestion(tmp_path: Path) -> None:
    found = _headed(tmp_path, "客户编码,单据编号,单据日期,应收金額")

    assert "amount" in found.layout.missing
    assert ("amount", 3) in found.layout.suggestions


def test_a_heading_over_two_columns_must_be_named_by_its_letter(tmp_path: Path) -> None:
    path = text_file(tmp_path, "客户编码,单据编号,日期,金额,金额\r\n7,8,2025-03-01,5,6\r\n")

    with pytest.raises(FileFault) as refused:
        look(path)
    assert (refused.value.code, refused.value.params["letter"]) == ("heading_twice", "=D")
    assert look(path, {"columns": {"amount": "=E"}}).tally.sums["CNY"]["read"] == 6


def test_an_amount_in_the_companys_own_currency_leaves_the_currency_column_out(tmp_path: Path) -> None:
    text = "客户编码,单据编号,日期,本币金额,币种\r\n7,8,2025-03-01,5,USD\r\n"

    found = look(text_file(tmp_path, text), {"columns": {"amount": "本币金额"}})

    assert list(found.tally.sums) == ["CNY"]
    assert len(found.layout.notes) == 1


def test_totals_repeated_headings_and_blank_rows_are_told_apart_from_data(tmp_path: Path) -> None:
    totals = ("小计,,,,,1200.00,", "合 计,,,,,9,", "总计：,,,,,2400.00,", "Total,,,,,2400.00,", "华东 小计,,,,,9,")
    again = GOOD.replace("0001", "0002")
    text = csv_text(GOOD, totals[0], "", ",".join(SHEET_HEADING), totals[1], again, *totals[2:])

    found = look(text_file(tmp_path, text))

    assert (found.tally.rows, found.tally.accepted) == (2, 2)
    assert found.tally.total_rows == [3, 6, 8, 9, 10]
    assert found.tally.repeated_headings == 1


def test_a_customer_whose_name_ends_like_a_total_is_no_total(tmp_path: Path) -> None:
    found = look(text_file(tmp_path, csv_text("小计有限公司,甲,1,2025-03-01,,5,CNY")))

    assert (found.tally.accepted, found.tally.total_rows_count) == (1, 0)


# --- mapping -------------------------------------------------------------------------------------

MAP = """
kind: papers
currency: USD
source_system: sap
where:
  状态: [未结, 1]
columns:
  code: {column: 编号, strip_zeros: true}
  no: {template: "H{编号}-{序}"}
  day: {column: 何时, order: dmy}
  amount: {column: 多少, unit: 万元}
  remark: {constant: 期初}
skip: [due]
"""


def test_a_map_file_says_everything(tmp_path: Path) -> None:
    rows = ("007,1,01/02/2025,1.5,未结,x", "008,2,01/02/2025,1.5,已结,x", "009,3,01/02/2025,2,1,x")
    text = csv_text(*rows, heading="编号,序,何时,多少,状态,到期日")
    mapping = mapfile.loads(MAP, KIND).as_json()

    found = look(text_file(tmp_path, text), mapping)

    assert (found.tally.accepted, found.tally.left_out.total()) == (2, 1)
    assert found.tally.sums == {"USD": {"read": 35000}}


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        pytest.param("columns:\n  code: A\n  nonsense: B\n", 3, "nonsense", id="unknown column"),
        pytest.param("colums:\n  code: A\n", 1, "colums", id="misspelt key"),
        pytest.param("columns:\n  code: {column: A, constant: B}\n", 2, "exactly one", id="two ways at once"),
        pytest.param("columns:\n  day:\n    column: A\n    order: ydm\n", 4, "ymd, dmy, mdy", id="order of nobody"),
        pytest.param("columns:\n  amount: {column: A, unit: 7}\n", 2, "万元", id="unit that is no power of ten"),
        pytest.param("currency: XXX\n", 1, "currency", id="unknown currency"),
        pytest.param("unknown_customers: maybe\n", 1, "create, refuse", id="unknown word"),
        pytest.param("kind: orders\n", 1, "orders", id="another kind's map"),
        pytest.param("columns: [1, 2]\n", 1, "keys", id="a list for keys"),
        pytest.param("a: b: c\n", 1, "", id="no YAML"),
        pytest.param("columns:\n  code: A\n  code: B\n", 3, "code", id="a key twice"),
    ],
)
def test_a_faulty_map_file_is_refused_with_its_line_and_key(text: str, line: int, word: str) -> None:
    with translation.override("en"), pytest.raises(FileFault) as refused:
        mapfile.loads(text, KIND, "map.yaml")

    assert refused.value.code == "mapping"
    assert refused.value.params["where"].startswith(f"map.yaml:{line}")
    assert word in str(refused.value.params)


def test_a_mapping_survives_being_kept_as_json() -> None:
    mapping = mapfile.loads(MAP, KIND)

    assert mapfile.loads(__import__("json").dumps(mapping.as_json()), KIND) == mapping


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(FileFault) as refused:
        look(text_file(tmp_path, csv_text(GOOD)), {"columns": {"code": "客户号"}})

    assert refused.value.code == "no_such_column"
    assert "客户编码" in refused.value.params["found"]
