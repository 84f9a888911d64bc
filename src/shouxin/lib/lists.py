"""Lists: what to ask, what to show, in which order, page by page, and out to Excel. Everything works by links alone.

A page says what its columns and questions are; `Listing` reads the rest from the request's query string:

    listing = Listing(request, invoices_seen_by(request.user), COLUMNS, ASKS, key="invoices", order="-due_on")
    return listing.export() if listing.wants_export else render(request, "…/invoices.html", {"listing": listing})

Pages of a queryset are found by where the last one ended (keyset), so that the thousandth costs what the first does.
What would read every row is bounded: rows are counted up to COUNT_MAX, and a longer list is summed only when asked.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F, Func, Q, QuerySet, Sum, Value
from django.dispatch import Signal
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shouxin.lib import sheets
from shouxin.lib.templatetags import shouxin as parts

SIZES = (20, 50, 100)
SIZE_MAX = 200
COUNT_MAX = 10_000
"""How far rows are counted for the pager; beyond it the pager says "10,000+", and sums are drawn on request."""
NUMERIC = frozenset({"amount", "number", "percent"})

Text = str | Promise
Cell = Any

leaves = Signal()
"""A list is about to leave the house as a file (`listing`, `request`): what listens may refuse it by raising."""


@dataclass(frozen=True)
class Column:
    """One column. `value`: attribute path ("customer.name") or function of the row, by default `name` itself.

    Kinds: text, amount, number, percent, date, moment, grade, status (its value is a pair (label, colour)), html (a
    safe string; exported as what `plain` gives). `sort`: the field (path with __) rows are ordered by, None for a
    column that cannot be ordered. `total`: the field whose sum stands in the 合计 row. `currency`: attribute path of
    the amount's currency. `link`: function of the row giving an address, or "" for none. `drawer`: open the link beside
    the list. `hidden`: shown only when the reader asks for it in the column settings. `dear`: no index gives its order,
    so that a list of more than COUNT_MAX rows is not ordered by it until it is narrowed.
    """

    name: str
    label: Text
    kind: str = "text"
    value: str | Callable[[Any], Any] | None = None
    sort: str | None = None
    total: str | None = None
    currency: str = ""
    link: Callable[[Any], str] | None = None
    drawer: bool = False
    hidden: bool = False
    dear: bool = False
    plain: Callable[[Any], Any] | None = None

    @property
    def numeric(self) -> bool:
        """Whether its cells stand on the right."""
        return self.kind in NUMERIC

    def read(self, row: Any) -> Cell:
        """The bare value of a row's cell."""
        if callable(self.value):
            return self.value(row)
        return follow(row, self.value or self.name)

    def cell(self, row: Any) -> SafeString | str:
        """The cell as it stands on the page."""
        shown = self._shown(row, self.read(row))
        address = self.link(row) if self.link else ""
        if not address:
            return shown
        return format_html('<a href="{}"{}>{}</a>', address, SafeString(" data-drawer" if self.drawer else ""), shown)

    def bare(self, row: Any) -> Cell:
        """The cell as it is exported: number, date or text."""
        value = self.plain(row) if self.plain else self.read(row)
        return value[0] if self.kind == "status" and isinstance(value, tuple) else value

    def _shown(self, row: Any, value: Cell) -> SafeString | str:
        if self.kind == "status":
            label, colour = value if isinstance(value, tuple) else (value, "grey")
            return parts.status(label, colour) if label else parts.NOTHING
        if self.kind == "amount":
            return parts.amount(value, follow(row, self.currency) if self.currency else "")
        if show := SHOWN.get(self.kind):
            return show(value)
        return parts.NOTHING if value is None or value == "" else conditional_escape(value)


SHOWN: Mapping[str, Callable[[Any], SafeString | str]] = {
    "number": lambda value: parts.grouped(value, 0),
    "percent": parts.percent,
    "date": parts.day,
    "moment": parts.moment,
    "grade": parts.grade,
}


@dataclass(frozen=True)
class Ask:
    """One question of the query form. Kinds: text, select, date, amount, check, hidden.

    `where`: a lookup ("name__icontains", "due_on__gte") or a function (rows, value) -> rows. `choices`: pairs or a
    function giving pairs. An answer that cannot be understood is named under its field and narrows nothing.
    """

    name: str
    label: Text
    kind: str = "text"
    where: str | Callable[[Any, Any], Any] = ""
    choices: Iterable[tuple[Any, Text]] | Callable[[], Iterable[tuple[Any, Text]]] = ()
    default: str = ""
    placeholder: Text = ""


@dataclass(frozen=True)
class Asked:
    """A question with the answer given. `error`: why the answer cannot be used, "" where it can."""

    ask: Ask
    answer: str
    error: str = ""
    value: Any = None

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen) for a select, an empty one first."""
        given = self.ask.choices() if callable(self.ask.choices) else self.ask.choices
        return [("", _("All"), not self.answer)] + [(str(v), str(label), str(v) == self.answer) for v, label in given]


@dataclass(frozen=True)
class Batch:
    """A button of the batch bar: posts `selected` (keys) or `everything=1` to `address`. `colour`: Tabler's word."""

    label: Text
    address: str
    icon: str = ""
    colour: str = ""


class Listing:
    """A list as one request wants to see it. `rows` is a queryset (keyset pages) or a sequence (offset pages).

    `asks_open`: how many questions stand in the first line; the others unfold. `key` names the list for remembered
    columns and for the exported file. `batch` adds check boxes. `size`: rows of a page unless the reader asks for more.
    """

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet[Any] | Sequence[Any],
        columns: Sequence[Column],
        asks: Sequence[Ask] = (),
        *,
        key: str = "list",
        order: str = "-pk",
        batch: Sequence[Batch] = (),
        size: int = SIZES[0],
        asks_open: int = 4,
        title: Text = "",
    ) -> None:
        self.request, self.query = request, request.GET
        self.columns, self.key, self.batch, self.title = tuple(columns), key, tuple(batch), title
        self.asked = tuple(_asked(ask, self.query) for ask in asks)
        self.asks_open = asks_open
        self.size = _bounded(self.query.get("size"), size)
        self._order = order
        self._all = rows

    # what was asked

    @property
    def first_asks(self) -> tuple[Asked, ...]:
        """The questions always in sight."""
        return self.asked[: self.asks_open]

    @property
    def more_asks(self) -> tuple[Asked, ...]:
        """The questions that unfold."""
        return self.asked[self.asks_open :]

    @property
    def more_open(self) -> bool:
        """Whether one of the folded questions has an answer."""
        return any(asked.answer for asked in self.more_asks)

    @property
    def asks(self) -> bool:
        """Whether there is a question to be seen; hidden ones only travel along."""
        return any(asked.ask.kind != "hidden" for asked in self.asked)

    @property
    def has_amounts(self) -> bool:
        """Whether a column holds money, so that the unit can be chosen."""
        return any(column.kind == "amount" for column in self.columns)

    @property
    def narrowed(self) -> bool:
        """Whether the reader asked for less than everything."""
        return any(asked.answer and asked.answer != asked.ask.default for asked in self.asked)

    @cached_property
    def _answering(self) -> Any:
        """Every row that answers the questions, in no order yet."""
        rows = self._all
        for asked in self.asked:
            if asked.value is not None:
                rows = _narrowed(rows, asked)
        return rows

    @cached_property
    def order(self) -> str:
        """The field rows are ordered by, "-" before it for downwards: the one asked for where it can be had."""
        wanted = self.query.get("sort") or ""
        column = next((each for each in self.columns if each.sort and each.sort == wanted.removeprefix("-")), None)
        return wanted if column and self._can_order(column) else self._order

    def _can_order(self, column: Column) -> bool:
        return bool(column.sort) and not (column.dear and self.too_long)

    @cached_property
    def matching(self) -> Any:
        """Every row that answers the questions, in order; not yet cut into pages."""
        rows = self._answering
        if not isinstance(rows, QuerySet):
            return self._sorted(rows)
        return rows.order_by(
            *_ordering(self._sort_field, down=self.order.startswith("-"), nulls=_nullable(rows, self._sort_field))
        )

    # the page

    @cached_property
    def page(self) -> "Page":
        """The rows of this page, with where the pages before and after it are."""
        if isinstance(self._all, QuerySet):
            return _keyset_page(self.matching, self._sort_field, self.order.startswith("-"), self.query, self.size)
        return _offset_page(self.matching, self.query, self.size)

    @property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return self.page.rows

    @cached_property
    def count(self) -> int:
        """How many rows match, counted up to COUNT_MAX + 1."""
        if isinstance(self._all, QuerySet):
            return self._answering.order_by().values("pk")[: COUNT_MAX + 1].count()
        return len(self._answering)

    @property
    def too_long(self) -> bool:
        """Whether more rows match than are counted, summed and ordered freely; never so of a list of values."""
        return isinstance(self._all, QuerySet) and self.count > COUNT_MAX

    @property
    def counted(self) -> str:
        """The number of matching rows for people: "1,234", or "100,000+" where there are more."""
        return f"{COUNT_MAX:,}+" if self.count > COUNT_MAX else f"{self.count:,}"

    @property
    def totals_address(self) -> str:
        """Where the sums of a list too long to be summed with every page are drawn; "" where they stand already."""
        if self.query.get("totals") or not self.too_long or not any(column.total for column in self.columns):
            return ""
        return self.at(totals=1)

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The sums of the 合计 row by column name, over every matching row; none while they wait to be asked for."""
        summed = {column.name: column.total for column in self.columns if column.total}
        if not summed or self.totals_address:
            return {}
        if isinstance(self._all, QuerySet):
            found = self.matching.order_by().aggregate(**{f"sum_{name}": Sum(path) for name, path in summed.items()})
            return {name: found[f"sum_{name}"] or Decimal(0) for name in summed}
        return {name: _sum(follow(row, path) for row in self.matching) for name, path in summed.items()}

    # what the template draws

    @property
    def heads(self) -> list[dict[str, Any]]:
        """The column heads with their order links."""
        return [self._head(column) for column in self.columns]

    @property
    def body(self) -> list[tuple[Any, list[tuple[Column, SafeString | str]]]]:
        """(row, [(column, cell)]) of this page."""
        return [(row, [(column, column.cell(row)) for column in self.columns]) for row in self.rows]

    @property
    def total_cells(self) -> list[tuple[Column, SafeString | str]]:
        """The 合计 row; empty where no column is summed, or the sums wait to be asked for."""
        sums = self.totals
        if not sums:
            return []
        return [(c, _total_cell(c, sums[c.name]) if c.name in sums else "") for c in self.columns]

    @property
    def sizes(self) -> list[tuple[int, str, bool]]:
        """(size, address, chosen) of the pager."""
        return [(size, self.at(size=size, after=None, before=None, start=None), size == self.size) for size in SIZES]

    @property
    def reset_address(self) -> str:
        """This list without any question answered."""
        return self.request.path

    @property
    def xlsx_address(self) -> str:
        """Every matching row as an Excel workbook."""
        return self.at(export="xlsx", after=None, before=None, start=None)

    @property
    def csv_address(self) -> str:
        """Every matching row as CSV."""
        return self.at(export="csv", after=None, before=None, start=None)

    @property
    def first_address(self) -> str:
        """The first page."""
        return self.at(after=None, before=None, start=None)

    @property
    def previous_address(self) -> str:
        """The page before, "" on the first one."""
        return self.at(**self.page.previous) if self.page.previous else ""

    @property
    def next_address(self) -> str:
        """The page after, "" on the last one."""
        return self.at(**self.page.next) if self.page.next else ""

    @property
    def kept(self) -> list[tuple[str, str]]:
        """(name, value) of what the query form must carry on: order and page size."""
        return [(name, self.query[name]) for name in ("sort", "size") if self.query.get(name)]

    def at(self, **changes: Any) -> str:
        """This list with some parameters changed."""
        query = self.query.copy()
        query.pop("export", None)
        return parts.changed_query(query, **changes)

    # out of the house

    @property
    def wants_export(self) -> bool:
        """Whether the request asks for a file in place of a page."""
        return self.query.get("export") in ("xlsx", "csv")

    def export(self) -> HttpResponseBase:
        """Every matching row, all columns, as the file the request asks for; `leaves` is told before."""
        leaves.send(type(self), listing=self, request=self.request)
        return self._file()

    def _file(self) -> HttpResponseBase:
        rows = self.matching.iterator(2000) if isinstance(self._all, QuerySet) else iter(self.matching)
        name = f"{self.key}-{timezone.localdate():%Y%m%d}"
        written = sheets.to_csv if self.query.get("export") == "csv" else sheets.to_xlsx
        return written(self.columns, rows, name)

    # inside

    @property
    def _sort_field(self) -> str:
        return self.order.lstrip("-")

    def _sorted(self, rows: Sequence[Any]) -> list[Any]:
        path = self._sort_field.replace("__", ".")
        if path == "pk":
            return list(rows)
        known = [row for row in rows if follow(row, path) is not None]
        unknown = [row for row in rows if follow(row, path) is None]
        return sorted(known, key=lambda row: follow(row, path), reverse=self.order.startswith("-")) + unknown

    def _head(self, column: Column) -> dict[str, Any]:
        if not self._can_order(column):
            return {"column": column, "address": "", "direction": ""}
        mine = self._sort_field == column.sort
        down = mine and self.order.startswith("-")
        turned = column.sort if down or (not mine and not column.numeric) else f"-{column.sort}"
        address = self.at(sort=turned, after=None, before=None, start=None)
        return {
            "column": column,
            "address": address,
            "direction": ("descending" if down else "ascending") if mine else "",
        }


@dataclass(frozen=True)
class Page:
    """Rows of one page; `start`: the number of its first row, from 1 (0 where it is unknown)."""

    rows: list[Any]
    start: int
    previous: dict[str, Any]
    next: dict[str, Any]

    @property
    def end(self) -> int:
        """The number of its last row."""
        return self.start + len(self.rows) - 1


def follow(row: Any, path: str) -> Any:
    """The value at an attribute path such as "customer.name" (or __ for .), None where a link is missing."""
    for name in path.replace("__", ".").split("."):
        row = row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)
        if row is None:
            return None
    return row


def begins(field: str) -> Callable[[Any, str], Any]:
    """A number or its beginning, as typed or in capitals: a question an index can answer."""

    def narrowed(rows: Any, text: str) -> Any:
        return rows.filter(Q(**{f"{field}__startswith": text}) | Q(**{f"{field}__startswith": text.upper()}))

    return narrowed


# --- asking --------------------------------------------------------------------------------------


def _asked(ask: Ask, query: Mapping[str, str]) -> Asked:
    answer = str(query.get(ask.name, ask.default)).replace("\x00", "").strip()
    if not answer:
        return Asked(ask, "")
    try:
        return Asked(ask, answer, value=_understood(ask, answer))
    except ValueError as mistake:
        return Asked(ask, answer, error=str(mistake))


def _understood(ask: Ask, answer: str) -> Any:
    if ask.kind == "date":
        try:
            return date.fromisoformat(answer)
        except ValueError:
            raise ValueError(_("Write the date as 2026-03-09.")) from None
    if ask.kind == "amount":
        number = parts.as_decimal(answer.replace(",", "").replace("，", ""))
        if number is None or abs(number) >= Decimal(10) ** 15:
            raise ValueError(_("Write an amount in figures."))
        return number
    if ask.kind == "select" and answer not in {value for value, _label, _chosen in Asked(ask, answer).choices}:
        raise ValueError(_("This is not one of the choices."))
    return answer[:200]


def _narrowed(rows: Any, asked: Asked) -> Any:
    where, value = asked.ask.where, asked.value
    if callable(where):
        return where(rows, value)
    if not where:
        return rows
    if isinstance(rows, QuerySet):
        return rows.filter(**{where: value})
    return [row for row in rows if _answers(follow(row, where.split("__")[0]), where, value)]


def _answers(found: Any, where: str, value: Any) -> bool:
    """The few lookups a list without a database understands."""
    if found is None:
        return False
    lookup = where.rpartition("__")[2]
    if lookup == "icontains":
        return str(value).lower() in str(found).lower()
    if lookup == "gte":
        return bool(found >= value)
    if lookup == "lte":
        return bool(found <= value)
    return str(found) == str(value)


def _bounded(asked: str | None, default: int) -> int:
    told = _count(asked)
    return default if told is None else min(max(told, 1), SIZE_MAX)


def _count(text: str | None) -> int | None:
    """A number as it stands in a link; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


# --- pages ---------------------------------------------------------------------------------------


def _keyset_page(rows: QuerySet[Any], by: str, down: bool, query: Mapping[str, str], size: int) -> Page:
    mark = _mark(rows, by, query.get("before") or query.get("after"))
    back = bool(query.get("before")) and mark is not None
    found = _read(_stretches(rows, by, down), by, mark, forward=not back, down=down, count=size + 1)
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    start = _start(query, mark)
    has_previous, has_next = (more, True) if back else (mark is not None, more)
    if not found:
        return Page([], 0, {}, {})
    first, last = write_mark(found[0], by), write_mark(found[-1], by)
    return Page(
        found,
        start,
        {"before": first, "after": None, "start": max(start - size, 1)} if has_previous else {},
        {"after": last, "before": None, "start": start + len(found)} if has_next else {},
    )


def _stretches(rows: QuerySet[Any], by: str, down: bool) -> list[QuerySet[Any]]:
    """The list as up to two stretches, each in an order an index can give: rows with a value, then those without."""
    if not _nullable(rows, by):
        return [rows.order_by(*_ordering(by, down=down, nulls=False))]
    known = rows.filter(**{f"{by}__isnull": False}).order_by(*_ordering(by, down=down, nulls=False))
    return [known, rows.filter(**{f"{by}__isnull": True}).order_by("-pk" if down else "pk")]


def _ordering(by: str, *, down: bool, nulls: bool) -> list[Any]:
    """The order (by, key), rows without a value last."""
    key = "-pk" if down else "pk"
    if by == "pk":
        return [key]
    if not nulls:
        return [f"-{by}" if down else by, key]
    return [F(by).desc(nulls_last=True) if down else F(by).asc(nulls_last=True), key]


def _nullable(rows: QuerySet[Any], path: str) -> bool:
    """Whether the field at the path may be without a value; of an annotation it is not known, so it may."""
    if path == "pk":
        return False
    model: Any = rows.model
    try:
        for link in path.split("__"):
            field = model._meta.get_field(link)
            if field.null:
                return True
            model = field.related_model
    except (FieldDoesNotExist, AttributeError):
        return True
    return False


def _read(
    stretches: list[QuerySet[Any]], by: str, mark: "Mark | None", *, forward: bool, down: bool, count: int
) -> list[Any]:
    """So many rows from the mark on, forward or (nearest first) backward, over the end of a stretch if need be."""
    at = 0 if mark is None or mark[0] is not None else len(stretches) - 1
    whole = stretches[at + 1 :] if forward else list(reversed(stretches[:at]))
    begun = stretches[at] if mark is None else _beyond(stretches[at], by, mark, greater=forward != down)
    found: list[Any] = []
    for rows in (begun, *whole):
        found += (rows if forward else rows.reverse())[: count - len(found)]
        if len(found) == count:
            break
    return found


def _beyond(rows: QuerySet[Any], by: str, mark: "Mark", *, greater: bool) -> QuerySet[Any]:
    """The rows of a stretch after (or before) the marked one, in a form an index on (by, key) can start from."""
    value, key = mark
    if by == "pk" or value is None:
        return rows.filter(**{f"pk__{'gt' if greater else 'lt'}": key})
    here, there = _Pair(F(by), F("pk")), _Pair(Value(value), Value(key))
    found = rows.filter(
        Func(here, there, template="%(expressions)s", arg_joiner=" > " if greater else " < ", output_field=BOOLEAN)
    )
    # of a joined table's value an index knows only the value itself
    return found.filter(**{f"{by}__{'gte' if greater else 'lte'}": value}) if "__" in by else found


BOOLEAN = models.BooleanField()


class _Pair(Func):
    """(a, b), compared by a, then b."""

    template = "(%(expressions)s)"
    output_field = BOOLEAN


Mark = tuple[Any, Any]


def _mark(rows: QuerySet[Any], by: str, text: str | None) -> Mark | None:
    """The row a page begins beside, from its link; None for the first page and for a link that fits no row here."""
    mark = _read_mark(text)
    if mark is None or mark[0] is None or by == "pk":
        return mark
    try:
        return _field_value(rows.model, by, mark[0]), mark[1]
    except (ValidationError, ValueError):
        return None


def _field_value(model: type[models.Model], path: str, text: Any) -> Any:
    """The marked value as its field reads it; annotations keep the text, which PostgreSQL compares by their type."""
    *links, last = path.split("__")
    try:
        for link in links:
            model = model._meta.get_field(link).related_model  # type: ignore[assignment]
        return model._meta.get_field(last).to_python(text)
    except (FieldDoesNotExist, AttributeError):
        number = parts.as_decimal(text)
        return text if number is None else number


def write_mark(row: Any, by: str) -> str:
    """The row as a link names it: a page ordered `by` begins beside it."""
    value = None if by == "pk" else follow(row, by)
    told = value.isoformat() if isinstance(value, (date, datetime)) else None if value is None else str(value)
    return base64.urlsafe_b64encode(json.dumps([told, row.pk]).encode()).decode().rstrip("=")


def _read_mark(text: str | None) -> tuple[Any, Any] | None:
    """The mark in a link; None for a first page, and for one that somebody has tampered with."""
    if not text or len(text) > 2000:
        return None
    try:
        value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error):
        return None
    sound = (value is None or (isinstance(value, str) and "\x00" not in value)) and type(key) is int
    return (value, key) if sound and abs(key) < 2**63 else None


def _start(query: Mapping[str, str], mark: tuple[Any, Any] | None) -> int:
    return max(_count(query.get("start")) or 1, 1) if mark else 1


def _offset_page(rows: Sequence[Any], query: Mapping[str, str], size: int) -> Page:
    start = max(_count(query.get("start")) or 1, 1)
    found = list(islice(rows, start - 1, start - 1 + size))
    previous = {"start": max(start - size, 1)} if start > 1 else {}
    return Page(found, start if found else 0, previous, {"start": start + size} if start - 1 + size < len(rows) else {})


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value or Decimal(0) for value in values), Decimal(0))


def _total_cell(column: Column, value: Any) -> SafeString | str:
    return parts.amount(value) if column.kind == "amount" else parts.grouped(value, 0)
