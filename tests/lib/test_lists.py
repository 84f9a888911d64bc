"""Lists: every row once whatever the order, questions understood or named, totals over everything, files safe."""

import base64
import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.dispatch import Signal
from django.http import HttpRequest
from django.test import RequestFactory
from python_calamine import CalamineWorkbook

from shouxin.customers.models import Customer
from shouxin.lib import lists
from shouxin.lib.lists import SIZE_MAX, Column, Listing
from shouxin.lib.questions import Ask
from shouxin.lib.sheets import guarded
from shouxin.office.models import Person
from tests.people import acme

COLUMNS = [
    Column("code", "Code", sort="code"),
    Column("name", "Name", sort="name"),
    Column("paid_in_capital", "Capital", "amount", sort="paid_in_capital", total="paid_in_capital"),
    Column("founded_on", "Founded", "date", sort="founded_on"),
]
ASKS = [
    Ask("name", "Name", where="name__icontains"),
    Ask("least", "At least", "amount", where="paid_in_capital__gte"),
    Ask("since", "Since", "date", where="founded_on__gte"),
    Ask("department", "Department", "select", where="department", choices=[("east", "East"), ("west", "West")]),
]


def asking(query: str = "", reader: int | None = None) -> HttpRequest:
    request = RequestFactory().get(f"/customers/{query}")
    request.user = Person(pk=reader) if reader else AnonymousUser()
    return request


def listing(query: str = "", rows: Any = None, reader: int | None = None, **options: Any) -> Listing:
    """The list of customers as this query string asks for it."""
    request = asking(query, reader)
    return Listing(request, Customer.objects.all() if rows is None else rows, COLUMNS, ASKS, order="code", **options)


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list alone, without the house that records what leaves it."""
    monkeypatch.setattr(lists, "leaves", Signal())


@pytest.fixture
def customers(db: Any) -> list[Customer]:
    """Thirteen customers; of some the capital or the founding day is unknown, several share both."""
    return [
        acme(
            code=f"C{at:03d}",
            name=f"公司{at % 4}",
            paid_in_capital=None if at % 5 == 0 else Decimal(at % 3 * 1000),
            founded_on=None if at % 4 == 0 else date(2010 + at % 2, 1, 1),
        )
        for at in range(13)
    ]


@pytest.mark.parametrize("order", [sign + c.sort for c in COLUMNS for sign in ("", "-") if c.sort])
def test_every_row_stands_on_one_page_in_both_directions(customers: list[Customer], order: str) -> None:
    page = listing(f"?sort={order}&size=4")
    whole = [row.pk for row in page.matching]
    forward = [row.pk for row in page.rows]
    while page.next_address:
        page = listing(page.next_address)
        forward += [row.pk for row in page.rows]
        assert page.page.end == len(forward)
    assert forward == whole
    backward = [row.pk for row in page.rows]
    while page.previous_address:
        page = listing(page.previous_address)
        backward = [row.pk for row in page.rows] + backward
    assert backward == whole


def test_the_last_page_has_no_next_and_the_first_no_previous(customers: list[Customer]) -> None:
    first = listing("?size=10")
    assert not first.previous_address
    last = listing(first.next_address)
    assert not last.next_address and len(last.rows) == 3
    assert not listing(last.previous_address).previous_address


@pytest.mark.parametrize("mark", ["x", "!!!!", "W10", "eyJhIjoxfQ", "WyIxIiwgIjIiXQ", "A" * 3000], ids=str)
def test_a_mark_somebody_tampered_with_shows_the_first_page(customers: list[Customer], mark: str) -> None:
    assert [row.code for row in listing(f"?size=2&after={mark}").rows] == ["C000", "C001"]


def mark_of(value: Any, key: int = 5) -> str:
    """A mark as a link has it, whatever it says."""
    return base64.urlsafe_b64encode(json.dumps([value, key]).encode()).decode().rstrip("=")


def test_a_mark_nested_deeper_than_can_be_read_shows_the_first_page(customers: list[Customer]) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 1490).decode().rstrip("=")
    assert [row.code for row in listing(f"?size=2&after={deep}").rows] == ["C000", "C001"]


NO_VALUES = [
    ("code", "\ud800"),
    ("code", "a\x00"),
    ("paid_in_capital", "1E+999999999"),
    ("paid_in_capital", "1E-999999999"),
    ("paid_in_capital", "NaN"),
    ("paid_in_capital", "true"),
    ("worth", "true"),
    ("worth", "1E+999999999"),
    ("founded_on", "9999-99-99"),
    ("created_at", "yesterday"),
    ("created_at", "2026-01-01T00:00:00"),
    ("natural_person", "perhaps"),
    ("created_at", "0001-01-01T00:00:00+23:59"),
    ("created_at", "9999-12-31T23:59:59-23:59"),
    ("version", "9" * 400),
    ("salesperson__username", "\ud800"),
]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(("field", "value"), NO_VALUES, ids=str)
def test_a_mark_that_can_be_no_value_of_the_order_shows_the_first_page(
    customers: list[Customer], field: str, value: str, sign: str
) -> None:
    rows = Customer.objects.annotate(worth=F("paid_in_capital") * 2)

    def shown(query: str) -> list[int]:
        page = Listing(asking(query), rows, [Column(field, field, sort=field)], order="pk")
        return [row.pk for row in page.rows]

    first = shown(f"?size=2&sort={sign}{field}")
    assert first == shown(f"?size=2&sort={sign}{field}&after={mark_of(value)}")
    assert first == shown(f"?size=2&sort={sign}{field}&before={mark_of(value)}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("founded_on", "0001-01-01"),
        ("founded_on", "9999-12-31"),
        ("created_at", "0001-01-01T00:00:00+00:00"),
        ("created_at", "9999-12-31T23:59:59+23:59"),
        ("version", str(2**63 - 1)),
        ("paid_in_capital", "9" * 30),
        ("worth", "-1e-12"),
        ("natural_person", "True"),
    ],
)
def test_a_mark_at_the_edge_of_what_can_be_is_looked_for(customers: list[Customer], field: str, value: str) -> None:
    rows = Customer.objects.annotate(worth=F("paid_in_capital") * 2)
    for sign in ("", "-"):
        query = f"?sort={sign}{field}&after={mark_of(value)}"
        page = Listing(asking(query), rows, [Column(field, field, sort=field)], order="pk").page
        assert page.previous or not page.rows, "this is not the first page"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("50", 50), ("0", 1), ("100000", SIZE_MAX), ("-5", 20), ("many", 20), ("٣", 20), ("9" * 40, 20)],
    ids=str,
)
def test_the_size_of_a_page_is_bounded(asked: str, given: int) -> None:
    assert listing(f"?size={asked}", rows=[]).size == given


def test_an_order_that_is_no_column_is_not_taken() -> None:
    assert listing("?sort=password", rows=[]).order == "code"


def test_a_head_turns_the_order_round() -> None:
    heads = {head["column"].name: head for head in listing("?sort=-name&after=x&start=5", rows=[]).heads}
    assert heads["name"]["direction"] == "descending"
    assert heads["name"]["address"] == "?sort=name"
    assert heads["code"]["address"] == "?sort=code"
    assert heads["paid_in_capital"]["address"] == "?sort=-paid_in_capital"


def test_questions_narrow_the_list_and_its_totals(customers: list[Customer]) -> None:
    page = listing("?name=公司1&least=1,000")
    assert {row.code for row in page.rows} == {"C001"}
    assert page.totals == {"paid_in_capital": Decimal("1000.00")}
    assert page.counted == "1" and page.narrowed


def test_totals_are_of_all_pages(customers: list[Customer]) -> None:
    page = listing("?size=2")
    assert page.totals["paid_in_capital"] == sum(c.paid_in_capital or 0 for c in customers)
    assert "9,000.00" in page.total_cells
    assert [row.count("<td") for _row, row in page.body] == [page.total_cells.count("<td")] * 2


@pytest.mark.parametrize("wrong", ["least=ten", "since=31.12.2026", "department=north", "least=1e99", "least=NaN"])
def test_an_answer_that_cannot_be_understood_is_named_and_narrows_nothing(
    customers: list[Customer], wrong: str
) -> None:
    page = listing(f"?{wrong}")
    assert [asked.ask.name for asked in page.asked if asked.error] == [wrong.split("=")[0]]
    assert page.count == 13


def test_a_page_costs_three_questions_to_the_database(
    customers: list[Customer], django_assert_num_queries: Any
) -> None:
    page = listing("?size=5&sort=-founded_on")
    with django_assert_num_queries(3):
        assert page.body and page.total_cells and page.counted


def test_a_list_of_values_is_asked_ordered_and_paged_alike() -> None:
    rows = [
        {"code": str(at), "name": "甲" if at % 2 else "乙", "paid_in_capital": None if at == 3 else at}
        for at in range(7)
    ]
    page = listing("?name=甲&sort=-paid_in_capital&size=2", rows=rows)
    assert [row["code"] for row in page.rows] == ["5", "1"]
    assert [row["code"] for row in listing(page.next_address, rows=rows).rows] == ["3"]
    assert page.totals == {"paid_in_capital": 6}


# --- files ---------------------------------------------------------------------------------------

NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", " =1+1", "\u3000=1"]


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_no_text_becomes_a_formula(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["上海", "1-2", "a=b", "", "12"], ids=ascii)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert guarded(text) == text


def rows_with(text: str) -> list[dict[str, Any]]:
    """One row whose name is the text."""
    return [
        {
            "code": "91350100M000100Y43",
            "name": text,
            "paid_in_capital": Decimal("-1234.50"),
            "founded_on": date(2026, 3, 9),
        }
    ]


def test_csv_guards_texts_and_leaves_numbers_numbers() -> None:
    answer = listing("?export=csv", rows=rows_with("=cmd|'/c calc'!A1"), key="kunden").export()
    text = b"".join(answer.streaming_content).decode("utf-8")  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")
    head, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head == ["Code", "Name", "Capital", "Founded"]
    assert row == ["91350100M000100Y43", "'=cmd|'/c calc'!A1", "-1234.50", "2026-03-09"]
    assert answer["Content-Disposition"].startswith('attachment; filename="kunden-')


def test_excel_keeps_texts_texts_and_numbers_numbers() -> None:
    answer = listing("?export=xlsx", rows=rows_with('=HYPERLINK("http://x","y")')).export()
    held = io.BytesIO(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert CalamineWorkbook.from_filelike(held).get_sheet_by_index(0).to_python() == [
        ["Code", "Name", "Capital", "Founded"],
        ["91350100M000100Y43", '=HYPERLINK("http://x","y")', -1234.5, date(2026, 3, 9)],
    ]
    held.seek(0)
    assert b"<f>" not in zipfile.ZipFile(held).read("xl/worksheets/sheet1.xml")


def test_an_export_holds_every_matching_row(customers: list[Customer]) -> None:
    answer = listing("?export=csv&size=2&name=公司1").export()
    assert len(b"".join(answer.streaming_content).splitlines()) == 1 + 3  # type: ignore[attr-defined]


# --- long lists ----------------------------------------------------------------------------------


def test_a_long_list_is_counted_so_far_and_summed_when_asked(
    customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNT_MAX", 10)
    page = listing("?size=5")
    assert page.counted == "10+" and page.totals == {} and not page.total_cells
    asked = listing(page.totals_address)
    assert asked.totals["paid_in_capital"] == sum(c.paid_in_capital or 0 for c in customers)
    assert listing("?name=公司1").totals and not listing("?name=公司1").totals_address


def test_a_long_list_is_not_counted_again_for_the_same_reader_and_questions(
    customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNT_MAX", 10)
    assert listing("?size=5", reader=1).counted == "10+"
    Customer.objects.filter(pk__in=[each.pk for each in customers[6:]]).delete()
    assert listing("?size=5&sort=-code", reader=1).counted == "10+", "it passes for long for a while"
    for query, reader in (("?size=5", 2), ("?size=5&name=公司", 1)):
        assert listing(query, reader=reader).counted == "6"
    assert listing("?size=50", reader=1).counted == "6", "whoever sees them all sees how many they are"


def test_who_sees_a_part_has_less_counted(customers: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNT_MAX_OF_PART", 10)
    for sees_part, counted in ((False, f"{len(customers)}"), (True, "10+")):
        request = asking()
        request.sees_part = lambda told=sees_part: told  # type: ignore[attr-defined]
        assert Listing(request, Customer.objects.all(), COLUMNS, ASKS, order="code").counted == counted


def test_a_long_list_is_ordered_only_by_what_an_index_gives(
    customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    dear = [replace(column, dear=column.name == "founded_on") for column in COLUMNS]
    monkeypatch.setattr(lists, "COUNT_MAX", 10)
    request = asking("?sort=-founded_on")
    long = Listing(request, Customer.objects.all(), dear, ASKS, order="code")
    assert long.order == "code" and not {h["column"].name: h for h in long.heads}["founded_on"]["address"]
    request = asking("?sort=-founded_on&name=公司1")
    assert Listing(request, Customer.objects.all(), dear, ASKS, order="code").order == "-founded_on"
