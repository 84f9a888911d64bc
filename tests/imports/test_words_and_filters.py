"""The words of a file and the rows left out: on the page, told before and after, the same over API and command."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from shouxin.config import cli
from shouxin.lib import spool
from shouxin.lib.imports import mapfile
from shouxin.lib.imports import mapping as mappings
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.models import ImportRun
from shouxin.office import clock, policies
from shouxin.office.imports import runs, words
from shouxin.office.models import Person
from shouxin.receivables.models import Invoice
from tests.people import TODAY, acme
from tests.shared_data import shared_data

from .handing import KIND, look, text_file

HEADING = "客户编码,单据编号,单据日期,应收金额,单据类型,争议,状态"
ROWS = (
    "C001,1,2026-01-05,100.00,RV,Y,未结",
    "C001,2,2026-01-05,200.00,RV,N,未结",
    "C001,3,2026-01-05,300.00,赊销,N,已结",
    "C001,4,2026-01-05,400.00,作废单,N,未结",
    "C001,5,2026-01-05,500.00,RV,N,作废",
)
TABLE = "\r\n".join((HEADING, *ROWS, "")).encode()
COLUMNS = {"column:customer_code": "=A", "column:doc_no": "=B", "column:doc_date": "=C", "column:amount": "=D",
           "column:kind": "=E", "column:contested": "=F", "unknown_customers": "refuse"}  # fmt: skip


@pytest.fixture(autouse=True)
def house(request: pytest.FixtureRequest) -> None:
    """A policy in force, and Acme; not for what needs no database."""
    if "fi" in request.fixturenames or "shell" in request.fixturenames:
        request.getfixturevalue("db")
        policies.ensure()
        acme()


@pytest.fixture
def client(fi: Person) -> Client:
    """Fi, signed in."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(fi, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def run(client: Client) -> ImportRun:
    """The table handed in."""
    client.post("/imports/", {"kind": "invoices", "file": SimpleUploadedFile("t.csv", TABLE)})
    return ImportRun.objects.get()


class _Fields(HTMLParser):
    """What a form would send as it stands, and the texts of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.cells: list[str] = []
        self._select = self._area = ""
        self._chosen: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "select":
            self._select, self._chosen = found.get("name", ""), None
        elif tag == "option" and self._select and ("selected" in found or self._chosen is None):
            self._chosen = found.get("value", "")
        elif tag == "textarea":
            self._area = found.get("name", "")
            self.fields.append((self._area, ""))
        elif tag == "input" and "name" in found and (found.get("type") != "checkbox" or "checked" in found):
            self.fields.append((found["name"], found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            self.fields.append((self._select, self._chosen or ""))
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[-1] = (self._area, data)
        elif data.strip():
            self.cells.append(data.strip())


def _page(answer: Any) -> _Fields:
    found = _Fields()
    found.feed(answer.content.decode())
    return found


def _values(page: _Fields, name: str) -> list[str]:
    return [value for field, value in page.fields if field == name]


def _filters(*filters: tuple[str, str, str]) -> dict[str, list[str]]:
    names = ("filter_column", "filter_comparison", "filter_value")
    return {name: [each[place] for each in filters] for place, name in enumerate(names)}


def _done(run: ImportRun) -> ImportRun:
    runs.perform(run.pk, at=clock.now(), today=TODAY)
    run.refresh_from_db()
    return run


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.invariant("I-25")
def test_words_are_translated_and_rows_left_out_on_the_page_and_told_before_and_after(
    client: Client, run: ImportRun
) -> None:
    first = _page(client.get(f"/imports/{run.pk}/"))
    assert {"RV", "3", "赊销", "invoice"} <= set(first.cells), "each word with its rows and what it is taken as"

    to_words = client.post(f"/imports/{run.pk}/columns", COLUMNS | {"words": "kind"})
    assert to_words["Location"] == f"/imports/{run.pk}/words/kind"
    shown = _page(client.get(to_words["Location"]))
    assert _values(shown, "word") == ["RV", "作废单", "赊销"], "the commonest first"
    typed = {"word": ["RV", "作废单", "赊销"], "taken": ["", "", "invoice"],
             "new_word": ["ZZ", ""], "new_taken": ["credit_note", ""]}  # fmt: skip
    assert client.post(to_words["Location"], typed).status_code == 302
    run.refresh_from_db()
    assert run.mapping["columns"]["kind"]["values"] == {"赊销": "invoice", "ZZ": "credit_note"}

    filters = _filters(("状态", "is", "作废"), ("单据类型", "begins_with", "作废\nX"), ("", "is", ""))
    assert client.post(f"/imports/{run.pk}/columns", COLUMNS | filters).status_code == 302
    before = client.get(f"/imports/{run.pk}/")
    assert _values(_page(before), "filter_column") == ["状态", "单据类型", ""]
    assert _values(_page(before), "filter_value") == ["作废", "作废\nX", ""]
    assert before.context["left_out"] == 2
    assert [row.rows for row in before.context["filters"]] == [1, 1, None]
    assert before.context["tally"].accepted == 3

    assert client.post(f"/imports/{run.pk}/columns", COLUMNS | filters | {"start": "1"}).status_code == 302
    _done(run)
    assert (run.accepted, run.refused) == (3, 0)
    assert set(Invoice.objects.values_list("doc_no", flat=True)) == {"1", "2", "3"}
    assert [each["rows"] for each in run.totals["skipped"]["filters"]] == [1, 1]
    after = client.get(f"/imports/{run.pk}/")
    assert after.context["filters"][1][1] == 1 and "作废 / X" in after.context["filters"][1][0]


def test_a_page_sent_as_it_stands_changes_nothing(client: Client, run: ImportRun) -> None:
    filters = _filters(("状态", "is", "作废"), ("=E", "is", "Z"))
    client.post(f"/imports/{run.pk}/columns", COLUMNS | filters)
    client.post(f"/imports/{run.pk}/words/kind", {"word": ["赊销"], "taken": ["invoice"]})
    run.refresh_from_db()
    before = run.mapping

    for address in (f"/imports/{run.pk}/", f"/imports/{run.pk}/words/kind", f"/imports/{run.pk}/words/doc_no"):
        sent: dict[str, list[str]] = {}
        for name, value in _page(client.get(address)).fields:
            sent.setdefault(name, []).append(value)
        target = f"{address}columns" if address.endswith(f"{run.pk}/") else address
        assert client.post(target, sent).status_code == 302
        run.refresh_from_db()
        assert run.mapping == before, address


def test_a_value_and_a_filter_are_taken_away_again(client: Client, run: ImportRun) -> None:
    filters = _filters(("状态", "is", "作废"), ("状态", "is", "已结"))
    client.post(f"/imports/{run.pk}/columns", COLUMNS | filters)
    client.post(f"/imports/{run.pk}/words/kind", {"word": ["赊销", "RV"], "taken": ["invoice", "invoice"]})

    client.post(f"/imports/{run.pk}/columns", COLUMNS | filters | {"filter_drop": ["0"]})
    client.post(f"/imports/{run.pk}/words/kind", {"word": ["赊销"], "taken": [""]})

    run.refresh_from_db()
    assert run.mapping["leave_out"] == [{"column": "状态", "comparison": "is", "value": ["已结"]}]
    assert run.mapping["columns"]["kind"]["values"] == {"RV": "invoice"}, "what was not on the page stays"


@pytest.mark.parametrize(
    ("filters", "at"),
    [
        pytest.param([("状态", "is", "作废"), ("状态", "is", " ")], (1, "value"), id="no value"),
        pytest.param([("", "is", "作废")], (0, "column"), id="no column"),
        pytest.param([("状态", "sounds_like", "作废")], (0, "comparison"), id="no such comparison"),
        pytest.param([("状态", "empty", "作废")], (0, "value"), id="a value for nothing"),
        pytest.param([("应收金额", "below", "much")], (0, "value"), id="no amount"),
        pytest.param([("应收金额", "below", "1\n2")], (0, "value"), id="two amounts"),
        pytest.param([("单据日期", "before", "01/02/2025")], (0, "value"), id="a day read two ways"),
        pytest.param([("状态", "is", "作\0废")], (0, "value"), id="NUL"),
        pytest.param([("状态", "is", "x" * 301)], (0, "value"), id="a word of 301 characters"),
        pytest.param([("状态", "is", "\n".join(map(str, range(10_000))))], (0, "value"), id="ten thousand words"),
    ],
)
def test_a_faulty_filter_is_told_at_its_row_and_field_and_nothing_typed_is_lost(
    client: Client, run: ImportRun, filters: list[tuple[str, str, str]], at: tuple[int, str]
) -> None:
    typed = COLUMNS | _filters(*filters) | {"column:due_date": "=C"}
    answer = client.post(f"/imports/{run.pk}/columns", typed | {"start": "1"})

    assert answer.status_code == 422
    rows = answer.context["filters"]
    assert [(place, row.error_at) for place, row in enumerate(rows) if row.error] == [at]
    assert [(row.column, row.comparison) for row in rows[:-1]] == [each[:2] for each in filters]
    assert rows[at[0]].value.split("\n") == [word for word in filters[at[0]][2].split("\n") if word.strip()] or [""]
    chosen = {choice.column.key: choice.fill for choice in answer.context["choices"]}
    assert chosen["due_date"].column == "=C", "the columns chosen beside it are shown as chosen"
    run.refresh_from_db()
    assert (run.state, run.mapping) == ("uploaded", {})


def test_a_filter_over_a_column_that_is_not_there_is_told_at_its_row_and_can_be_taken_away(
    client: Client, run: ImportRun
) -> None:
    filters = _filters(("状态", "is", "作废"), ("nonsense", "is", "1"))
    answer = client.post(f"/imports/{run.pk}/columns", COLUMNS | filters | {"start": "1"})

    assert answer.status_code == 422
    assert [(row.column, row.error_at) for row in answer.context["filters"] if row.error] == [("nonsense", "column")]
    assert answer.context["choices"], "the rest of the page is there"
    answer = client.post(f"/imports/{run.pk}/columns", COLUMNS | filters | {"filter_drop": ["1"], "start": "1"})
    assert answer.status_code == 302
    assert _done(run).accepted == 2, "赊销 and 作废单 are no types"


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        pytest.param({"word": ["RV"], "taken": ["nonsense"]}, [("lines", "taken")], id="a value that is not allowed"),
        pytest.param({"new_word": ["A", "B"], "new_taken": ["invoice", "no"]}, [("added", "taken")], id="in a new row"),
        pytest.param({"new_word": ["A"], "new_taken": [""]}, [("added", "taken")], id="a word without a value"),
        pytest.param({"new_word": [" "], "new_taken": ["invoice"]}, [("added", "word")], id="a value without a word"),
        pytest.param({"new_word": ["A", "A "], "new_taken": ["invoice"] * 2}, [("added", "word")], id="a word twice"),
        pytest.param(
            {"word": ["RV"], "taken": ["invoice"], "new_word": ["RV"], "new_taken": ["opening"]},
            [("added", "word")],
            id="a listed word again",
        ),
        pytest.param({"word": [], "taken": ["invoice"]}, [("lines", "word")], id="a value whose word was not sent"),
        pytest.param({"new_word": ["A\0"], "new_taken": ["invoice"]}, [("added", "word")], id="NUL"),
        pytest.param({"new_word": ["A"], "new_taken": ["inv\0oice"]}, [("added", "taken")], id="NUL in the value"),
        pytest.param({"new_word": ["A" * 301], "new_taken": ["invoice"]}, [("added", "word")], id="a word too long"),
        pytest.param(
            {"word": ["RV"], "taken": ["x"], "new_word": ["A"], "new_taken": ["y"]},
            [("lines", "taken"), ("added", "taken")],
            id="every fault is told",
        ),
    ],
)
def test_a_faulty_value_is_told_at_its_row_and_field_and_nothing_typed_is_lost(
    client: Client, run: ImportRun, typed: dict[str, list[str]], at: list[tuple[str, str]]
) -> None:
    client.post(f"/imports/{run.pk}/columns", COLUMNS)
    run.refresh_from_db()
    before = run.mapping

    answer = client.post(f"/imports/{run.pk}/words/kind", typed)

    assert answer.status_code == 422
    edited = answer.context["edited"]
    told = [(where, line.error_at) for where in ("lines", "added") for line in getattr(edited, where) if line.error]
    assert told == at
    sent = [value.strip() for name in ("taken", "new_taken") for value in typed.get(name, [])]
    assert [line.taken for line in (*edited.lines, *edited.added)] == sent
    run.refresh_from_db()
    assert run.mapping == before


def test_ten_thousand_values_are_refused_in_words(client: Client, run: ImportRun, monkeypatch: Any) -> None:
    many = {f"w{number}": "invoice" for number in range(10_000)}
    with translation.override("en"), pytest.raises(FileFault, match="At most 5000 words; here are 10000"):
        mappings.read({"columns": {"kind": {"column": "=E", "values": many}}}, runs.kind_for("invoices", run.by))
    assert client.post(f"/imports/{run.pk}/words/kind", {"new_word": list(many)}).status_code == 400

    monkeypatch.setattr(words, "VALUES_MAX", 2)
    typed = {"new_word": ["a", "b", "c"], "new_taken": ["invoice"] * 3}
    answer = client.post(f"/imports/{run.pk}/words/kind", typed)
    assert answer.status_code == 422 and answer.context["edited"].fault


def test_a_column_with_very_many_words_is_shown_page_by_page_and_saved_page_by_page(client: Client, fi: Person) -> None:
    table = "客户编码,单据编号,单据日期,应收金额\r\n" + "".join(f"C001,{n:05d},2026-01-05,1\r\n" for n in range(1500))
    client.post("/imports/", {"kind": "invoices", "file": SimpleUploadedFile("t.csv", table.encode())})
    address = f"/imports/{ImportRun.objects.get().pk}/words/doc_no"

    shown = client.get(f"{address}?page=2")

    assert shown.context["counted"].different == 1500
    listed = _values(_page(shown), "word")
    assert len(listed) == words.PAGE_ROWS and listed[0] == "00100"
    client.post(f"{address}?page=2", {"word": listed, "taken": ["A1", *[""] * 99], "more": "1"})
    client.post(f"{address}?page=1", {"word": ["00001"], "taken": ["A2"]})
    values = ImportRun.objects.get().mapping["columns"]["doc_no"]["values"]
    assert values == {"00100": "A1", "00001": "A2"}


def test_words_of_no_column_of_a_run_begun_and_of_someone_elses_are_not_shown(
    client: Client, run: ImportRun, ann: Person
) -> None:
    address = f"/imports/{run.pk}/words"
    assert client.get(f"{address}/nonsense").status_code == 404
    assert client.get(f"{address}/due_date").status_code == 302, "no column of the file is taken for it"
    stranger = Client()
    stranger.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(f"{address}/kind").status_code == 404
    ImportRun.objects.update(state="waiting")
    assert client.get(f"{address}/kind").status_code == 302
    assert client.post(f"{address}/kind", {"word": ["RV"], "taken": ["opening"]}).status_code == 409


def test_what_words_are_taken_as_survives_another_row_of_headings(client: Client, run: ImportRun) -> None:
    client.post(f"/imports/{run.pk}/columns", COLUMNS | _filters(("状态", "is", "作废")))
    client.post(f"/imports/{run.pk}/words/kind", {"word": ["赊销"], "taken": ["invoice"]})

    client.post(f"/imports/{run.pk}/columns", COLUMNS | _filters(("状态", "is", "作废")) | {"heading_row": "1"})

    run.refresh_from_db()
    assert run.mapping["columns"] == {"kind": {"values": {"赊销": "invoice"}}}
    shown = client.get(f"/imports/{run.pk}/")
    assert shown.context["tally"].accepted == 3 and shown.context["left_out"] == 1


def test_an_unknown_currency_keeps_what_was_chosen_beside_it(client: Client, run: ImportRun) -> None:
    typed = COLUMNS | {"currency": "QQQ", "column:due_date": "=C"} | _filters(("状态", "is", "作废"))

    answer = client.post(f"/imports/{run.pk}/columns", typed)

    assert answer.status_code == 422 and answer.context["form"].errors["currency"]
    assert answer.context["filters"][0].value == "作废"
    assert {each.column.key: each.fill for each in answer.context["choices"]}["due_date"].column == "=C"


def test_filters_that_leave_nothing_are_told(client: Client, run: ImportRun) -> None:
    client.post(f"/imports/{run.pk}/columns", COLUMNS | _filters(("客户编码", "is", "C001")))

    shown = client.get(f"/imports/{run.pk}/")

    assert shown.context["nothing_left"] and shown.context["left_out"] == 5


# --- filters, one by one ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comparison", "value", "left_out"),
    [
        pytest.param("is", ["b"], {2}, id="is"),
        pytest.param("is", ["b", "ab c"], {2, 3}, id="is one of several, doubled blanks made one"),
        pytest.param("is_not", ["b", ""], {1, 3, 4, 5}, id="is not; an empty cell is no word either"),
        pytest.param("contains", ["b"], {2, 3}, id="contains"),
        pytest.param("contains_not", ["b"], {1, 4, 5}, id="does not contain"),
        pytest.param("begins_with", ["a"], {1, 3}, id="begins with"),
        pytest.param("empty", None, {4}, id="empty"),
        pytest.param("not_empty", None, {1, 2, 3, 5}, id="not empty"),
    ],
)
def test_a_filter_leaves_out_what_it_says(
    tmp_path: Path, comparison: str, value: list[str] | None, left_out: set[int]
) -> None:
    remarks = ("a", "b", "ab  c", " ", "B")
    rows = "".join(f"7,{n},2025-03-01,{n},{remark}\r\n" for n, remark in enumerate(remarks, 1))
    path = text_file(tmp_path, f"客户编码,单据编号,日期,金额,摘要\r\n{rows}")

    found = look(path, {"leave_out": [{"column": "摘要", "comparison": comparison, "value": value}]})

    kept = {int(row[1][1]) for row in found.rows}  # type: ignore[call-overload]
    assert kept == {1, 2, 3, 4, 5} - left_out
    assert found.tally.left_out == {0: len(left_out)}
    assert found.tally.as_json()["skipped"]["filters"][0]["rows"] == len(left_out)


@pytest.mark.parametrize(
    ("column", "comparison", "value", "left_out"),
    [
        pytest.param("金额", "below", "0", {2}, id="below; a cell that is no amount stays to be refused"),
        pytest.param("金额", "above", "1,000.00", {3}, id="above, not at"),
        pytest.param("日期", "before", "2025-03-01", {2}, id="before, not on"),
        pytest.param("日期", "after", "2025年3月1日", {3}, id="after; a cell that is no day stays"),
    ],
)
def test_a_filter_compares_amounts_and_days_in_the_columns_own_order(
    tmp_path: Path, column: str, comparison: str, value: str, left_out: set[int]
) -> None:
    cells = (("01/03/2025", "1000"), ("28/02/2025", "(5.00)"), ("02/03/2025", "￥1000.01"), ("soon", "much"))
    rows = "".join(f"7,{n},{day},{amount}\r\n" for n, (day, amount) in enumerate(cells, 1))
    path = text_file(tmp_path, f"客户编码,单据编号,日期,金额\r\n{rows}".replace("￥1000.01", '"￥1,000.01"'))

    found = look(path, {"leave_out": [{"column": column, "comparison": comparison, "value": value}]})

    assert found.tally.left_out == {0: 1}
    assert {1, 2, 3, 4} - {int(row[1][1]) for row in found.rows} == left_out  # type: ignore[call-overload]


def test_a_row_counts_for_the_first_filter_that_leaves_it_out(tmp_path: Path) -> None:
    path = text_file(tmp_path, "客户编码,单据编号,日期,金额\r\n7,1,2025-03-01,1\r\n7,2,2025-03-01,2\r\n")
    filters = [{"column": "单据编号", "value": "1"}, {"column": "=A", "comparison": "is", "value": ["7"]}]

    assert look(path, {"leave_out": filters}).tally.left_out == {0: 1, 1: 1}


def test_words_are_counted_over_the_whole_file_when_only_its_first_rows_are_checked(tmp_path: Path) -> None:
    rows = "".join(f"7,{n},2025-03-01,1,{'USD' if n % 3 else '美金'}\r\n" for n in range(3000))
    path = text_file(tmp_path, f"客户编码,单据编号,日期,金额,币种\r\n{rows}")
    filters = [{"column": "单据编号", "comparison": "is", "value": "2999"}]

    found = look(path, {"leave_out": filters}, rows_max=10)

    assert not found.complete and found.census.left_out == {0: 1}
    told = {word.text: (word.rows, word.taken, bool(word.fault)) for word in found.census.columns["currency"].words}
    assert told["USD"] == (1999, "USD", False) and told["美金"][0] == 1000
    assert found.census.columns["no"].different == 2999


def test_so_many_words_that_they_are_not_all_told_apart_are_counted_and_said_to_be_more(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from shouxin.lib.imports import census, run

    monkeypatch.setattr(census, "COUNTED_MAX", 100)
    monkeypatch.setattr(run, "BATCH_ROWS", 150)
    rows = "".join(f"7,{n},2025-03-01,1\r\n" for n in range(1000))

    found = look(text_file(tmp_path, f"客户编码,单据编号,日期,金额\r\n{rows}")).census.columns

    assert not found["no"].is_exact and found["no"].different < 1000
    assert found["code"].is_exact and found["code"].words[0].rows == 1000


# --- map files, API, command ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        pytest.param("leave_out: {column: A}\n", 1, "list", id="no list"),
        pytest.param(
            "leave_out:\n  - {column: A, value: x}\n  - {comparison: is, value: x}\n", 3, "2.column", id="row"
        ),
        pytest.param("leave_out:\n  - {column: A, comparison: like, value: x}\n", 2, "begins_with", id="comparison"),
        pytest.param("leave_out:\n  - {colum: A, value: x}\n", 2, "colum", id="misspelt"),
        pytest.param("where: {状态: []}\n", 1, "状态", id="where without a word"),
        pytest.param("columns:\n  currency:\n    values: {美金: QQ}\n", 3, "QQ", id="a value that is not allowed"),
        pytest.param("columns:\n  disputed:\n    values: {坏: maybe}\n", 3, "maybe", id="neither yes nor no"),
        pytest.param("columns:\n  amount:\n    values: {无: ''}\n", 3, "blank", id="an empty value"),
        pytest.param("columns:\n  code:\n    values: {A: x, ' A': y}\n", 3, "twice", id="a word twice"),
        pytest.param("columns:\n  code: {}\n", 2, "exactly one", id="nothing said"),
    ],
)
def test_a_map_file_is_refused_with_line_key_and_reason(text: str, line: int, word: str) -> None:
    with translation.override("en"), pytest.raises(FileFault) as refused:
        mapfile.loads(text, KIND, "map.yaml")

    assert refused.value.params["where"].startswith(f"map.yaml:{line}")
    assert word in str(refused.value.params)


def test_values_alone_help_a_column_that_is_recognised(tmp_path: Path) -> None:
    path = text_file(tmp_path, "客户编码,单据编号,日期,金额(万元),币种\r\n7,1,2025-03-01,1.5,美金\r\n")

    found = look(path, {"columns": {"currency": {"values": {"美金": "USD"}}, "amount": {"blank": ["无"]}}})

    assert found.tally.sums == {"USD": {"read": 15000}}


Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run `shouxin …`; answers exit code, stdout and stderr."""

    def shell(*said: Any) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in said])
        out, err = capfd.readouterr()
        return code, out, err

    return shell


MAP = """
columns:
  kind: {values: {赊销: invoice}}
leave_out:
  - {column: 状态, value: 作废}
  - {column: 单据类型, comparison: is, value: [作废单]}
"""


def test_the_command_tells_words_and_filters_and_writes_nothing(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TABLE)

    code, out, _err = shell("import", "invoices", path, "--words", "--json")

    told = json.loads(out)
    assert code == 1 and not Invoice.objects.exists() and not ImportRun.objects.exists()
    kind = next(each for each in told["columns"] if each["column"] == "kind")
    assert [(word["text"], word["rows"], word["taken"]) for word in kind["words"]] == [
        ("RV", 3, "invoice"),
        ("作废单", 1, ""),
        ("赊销", 1, ""),
    ]
    (tmp_path / "m.yaml").write_text(MAP, encoding="utf-8")
    code, out, _err = shell("import", "invoices", path, "--map", tmp_path / "m.yaml", "--words")
    assert code == 0 and "赊销" in out and "作废单" in out


def test_the_command_says_how_many_rows_each_filter_left_out(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TABLE)
    (tmp_path / "m.yaml").write_text(MAP, encoding="utf-8")

    code, out, _err = shell("import", "invoices", path, "--map", tmp_path / "m.yaml", "--json")

    told = json.loads(out)
    assert (code, told["accepted"]) == (0, 3)
    assert [each["rows"] for each in told["skipped"]["filters"]] == [1, 1]
    _code, out, _err = shell("import", "invoices", path, "--map", tmp_path / "m.yaml")
    assert "作废单" in out


def test_the_api_looks_at_a_file_and_keeps_nothing(client: Client, fi: Person) -> None:
    def ask(kind: str = "invoices", content: bytes = TABLE, **fields: str) -> Any:
        return client.post(f"/api/v1/imports/{kind}/look", {"file": SimpleUploadedFile("t.csv", content), **fields})

    answer = ask(map=MAP)

    told = answer.json()
    assert answer.status_code == 200
    assert (told["rows"], told["readable"], told["refused"], told["left_out"]) == (3, 3, 0, 2)
    assert [(each["column"], each["rows"]) for each in told["filters"]] == [("状态", 1), ("单据类型", 1)]
    kind = next(each for each in told["columns"] if each["column"] == "kind")
    assert kind["words"][1] == {"text": "赊销", "rows": 1, "taken": "invoice", "fault": "", "translated": True}
    assert not ImportRun.objects.exists()
    assert not list(spool.folder().glob("*")), "the file is gone"
    assert ask(map="leave_out: [{column: nonsense, value: x}]").status_code == 422
    assert ask(map='{"columns": {"kind": {"values": {"a": "b\\u0000"}}}}').status_code == 422
    assert ask(content=b"%PDF-1.7").status_code == 422
    assert ask(kind="lines").status_code == 403
    assert ask(kind="nonsense").status_code == 404


def test_the_mapping_edited_on_the_page_can_be_fetched_and_used_again(client: Client, run: ImportRun) -> None:
    client.post(f"/imports/{run.pk}/columns", COLUMNS | _filters(("状态", "is", "作废"), ("单据类型", "is", "007\n1")))
    client.post(f"/imports/{run.pk}/words/kind", {"word": ["赊销"], "taken": ["invoice"]})

    answer = client.get(f"/imports/{run.pk}/map.yaml")

    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    run.refresh_from_db()
    kind = runs.kind_for("invoices", run.by)
    assert mapfile.loads(b"".join(answer).decode(), kind) == mappings.read(run.mapping, kind)
    assert client.get(f"/api/v1/imports/{run.pk}").json()["mapping"] == run.mapping


def test_a_real_ledger_has_its_words_counted(tmp_path: Path) -> None:
    from shouxin.lib.imports import kinds
    from shouxin.lib.imports import run as imports

    from .handing import CONDITIONS

    kind = kinds.get("invoices")
    path = shared_data("ar_highradius", "open_items_with_original_columns.csv")
    filters = [{"column": "isOpen", "comparison": "is_not", "value": "1"}, {"column": "business_code", "value": "CA02"}]

    found = imports.look(path, kind, mappings.read({"leave_out": filters}, kind), CONDITIONS, rows_max=100)

    currencies = {word.text: word.rows for word in found.census.columns["currency"].words}
    assert currencies.keys() <= {"USD", "CAD"} and sum(currencies.values()) == found.census.rows
    assert found.census.rows + found.census.left_out.total() == found.total_rows
