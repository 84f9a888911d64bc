"""Lists: what to ask, what to show, in which order, page by page, and out to Excel. Everything works by links alone.

A page says what its columns and questions are; `Listing` reads the rest from the request's query string:

    listing = Listing(request, invoices_seen_by(request.user), COLUMNS, ASKS, key="invoices", order="-due_on")
    return listing.export() if listing.wants_export else render(request, "…/invoices.html", {"listing": listing})

Pages of a queryset are found by where the last one ended (see `paging`).
What would read every row is bounded: rows are counted up to a bound, and a longer list is summed only when asked.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet, Sum
from django.dispatch import Signal
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shouxin.lib import sheets
from shouxin.lib.numbers import whole
from shouxin.lib.paging import Page, follow, keyset_page, nullable, offset_page, ordering
from shouxin.lib.questions import Ask, Asked, Text, answered, narrowed
from shouxin.lib.templatetags import shouxin as parts

SIZES = (20, 50, 100)
SIZE_MAX = 200
COUNT_MAX = 10_000
"""How far rows are counted for the pager; beyond it the pager says "10,000+", and sums are drawn on request."""
COUNT_MAX_OF_PART = 1_000
"""The same for a reader who sees a part of the house's rows, and for whom many are looked at for each that counts."""
LONG_SECONDS = 600
"""How long a list that had more rows than are counted passes for one that has them still."""
NUMERIC = frozenset({"amount", "number", "percent"})

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
    so that a list of more rows than are counted is not ordered by it until it is narrowed.
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
class Batch:
    """A button of the batch bar: posts `selected` (keys) or `everything=1` to `address`. `colour`: Tabler's word."""

    label: Text
    address: str
    icon: str = ""
    colour: str = ""


class Listing:
    """A list as one request wants to see it. `rows` is a queryset (keyset pages) or a sequence (offset pages).

    `asks_open`: how many questions stand in the first line; the others unfold. `key` names the list for remembered
    columns and for the exported file. `batch` adds check boxes, which send a row's `tick` where it has one (what was
    seen of it), else its key. `size`: rows of a page unless the reader asks for more.
    """

    sum_max: int | None = None
    """Beyond so many rows the sums are drawn on request; None: beyond those that are counted."""
    batch_everything = True
    """Whether the batch bar offers every result beyond the page; not where only what was seen may be signed."""

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
        self.asked = tuple(answered(ask, self.query) for ask in asks)
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
                rows = narrowed(rows, asked)
        return rows

    @cached_property
    def order(self) -> str:
        """The field rows are ordered by, "-" before it for downwards: the one asked for where it can be had."""
        column = self._asked_order
        return self.query["sort"] if column and self._can_order(column) else self._order

    @cached_property
    def _asked_order(self) -> Column | None:
        wanted = (self.query.get("sort") or "").removeprefix("-")
        return next((each for each in self.columns if each.sort and each.sort == wanted), None)

    def _can_order(self, column: Column) -> bool:
        return bool(column.sort) and not (column.dear and self.too_long)

    @cached_property
    def matching(self) -> Any:
        """Every row that answers the questions, in order; not yet cut into pages."""
        rows = self._answering
        if not isinstance(rows, QuerySet):
            return self._sorted(rows)
        return rows.order_by(
            *ordering(self._sort_field, down=self.order.startswith("-"), nulls=nullable(rows, self._sort_field))
        )

    # the page

    @cached_property
    def page(self) -> Page:
        """The rows of this page, with where the pages before and after it are."""
        if isinstance(self._all, QuerySet):
            return keyset_page(self.matching, self._sort_field, self.order.startswith("-"), self.query, self.size)
        return offset_page(self.matching, self.query, self.size)

    @property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return self.page.rows

    @cached_property
    def count_max(self) -> int:
        """How far rows are counted for this reader (`request.sees_part`, where the house knows)."""
        sees_part = getattr(self.request, "sees_part", None)
        return min(COUNT_MAX, COUNT_MAX_OF_PART) if sees_part and sees_part() else COUNT_MAX

    @cached_property
    def count(self) -> int:
        """How many rows match, counted up to `count_max` + 1; not asked for where the first page shows them all, nor
        again within LONG_SECONDS where there were more."""
        if not isinstance(self._all, QuerySet):
            return len(self._answering)
        if self._begins and not self.page.next:
            return len(self.rows)
        if cache.get(self._long_key):
            return self.count_max + 1
        found: int = self._answering.order_by().values("pk")[: self.count_max + 1].count()
        if found > self.count_max:
            cache.set(self._long_key, True, LONG_SECONDS)
        return found

    @property
    def _long_key(self) -> str:
        """This list with these questions before this reader."""
        asked = self.at(after=None, before=None, start=None, size=None, sort=None, totals=None)
        named = repr((self.request.user.pk, self.request.path, asked, self.key, self.count_max))
        return f"{__name__}.long:{hashlib.sha256(named.encode()).hexdigest()}"

    @property
    def _begins(self) -> bool:
        """Whether the first page is wanted, in an order for which nothing must be counted before."""
        dear = self._asked_order is not None and self._asked_order.dear
        return not (dear or self.query.get("after") or self.query.get("before"))

    @property
    def too_long(self) -> bool:
        """Whether more rows match than are counted, summed and ordered freely; never so of a list of values."""
        return isinstance(self._all, QuerySet) and self.count > self.count_max

    @property
    def counted(self) -> str:
        """The number of matching rows for people: "1,234", or "100,000+" where there are more."""
        return f"{self.count_max:,}+" if self.count > self.count_max else f"{self.count:,}"

    @property
    def totals_address(self) -> str:
        """Where the sums of a list too long to be summed with every page are drawn; "" where they stand already."""
        long = isinstance(self._all, QuerySet) and self.count > min(self.sum_max or self.count_max, self.count_max)
        if self.query.get("totals") or not long or not any(column.total for column in self.columns):
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
    def body(self) -> list[tuple[Any, SafeString]]:
        """(row, its cells as they are drawn) of this page. A template would look at each of some hundred cells."""
        return [(row, _drawn((column, column.cell(row)) for column in self.columns)) for row in self.rows]

    @property
    def total_cells(self) -> SafeString | str:
        """The 合计 row; empty where no column is summed, or the sums wait to be asked for."""
        sums = self.totals
        if not sums:
            return ""
        first, *others = self.columns
        told = ((c, _total_cell(c, sums[c.name]) if c.name in sums else "") for c in others)
        return _drawn([(first, _("Total")), *told])

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


def _bounded(asked: str | None, default: int) -> int:
    told = whole(asked, 11)
    return default if told is None else min(max(told, 1), SIZE_MAX)


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value or Decimal(0) for value in values), Decimal(0))


NUM = ' class="num"'


def _drawn(cells: Iterable[tuple[Column, SafeString | str]]) -> SafeString:
    """The cells of one row in their columns; the first one is its head and stays in sight."""
    (first, head), *others = cells
    told = [f'<th scope="row" class="frozen{" num" if first.numeric else ""}">{conditional_escape(head)}</th>']
    told += [f"<td{NUM if column.numeric else ''}>{conditional_escape(cell)}</td>" for column, cell in others]
    return SafeString("".join(told))


def _total_cell(column: Column, value: Any) -> SafeString | str:
    return parts.amount(value) if column.kind == "amount" else parts.grouped(value, 0)
