"""The ageing on pages: by group and bucket, as of any day, down to the customers and items behind a figure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.office import policies, posts, sight
from shouxin.office.pages import acting, page
from shouxin.rules.aging import Aged, OpenItem

from . import aging
from .wording import bucket_name

BY = (
    ("customer", gettext_lazy("Customer")),
    ("grade", gettext_lazy("Grade")),
    ("industry", gettext_lazy("Industry")),
    ("sales", gettext_lazy("Salesperson")),
)
BASES = (("due", gettext_lazy("Due date")), ("invoice", gettext_lazy("Document date")))
UNAPPLIED = "unapplied"


def _kept(rows: Any, _value: Any) -> Any:
    """The questions of this page are answered before the list gets its rows."""
    return rows


class Question:
    """What a reader asks the ageing: as of which day, by what, counted from which date, in which currency.

    What cannot be understood falls back to today, customers, due dates; `fault` says so.
    """

    def __init__(self, request: HttpRequest) -> None:
        query, who = request.GET, acting(request)
        posts.require(who["by"], *sight.LOOKERS, on=who["on"], about="aging", verb="read_aging")
        self.by_whom, self.today, self.at = who["by"], who["on"], who["at"]
        self.fault = ""
        self.as_of = self._day(query.get("as_of", ""))
        self.by = cast(aging.By, query.get("by") if query.get("by") in aging.BY else "customer")
        self.basis = cast(aging.Basis, query.get("basis") if query.get("basis") in aging.BASES else "due")
        policy = policies.in_force(self.today).policy
        self.up_to = policy.aging.up_to
        self.currency = query.get("currency", "").replace("\0", "")[:3] or policy.company.currency

    def _day(self, text: str) -> date:
        try:
            day = date.fromisoformat(text) if text else self.today
        except ValueError:
            self.fault = _("Write the date as 2026-03-09.")
            return self.today
        if day > self.today:
            self.fault = _("This day has not come yet.")
            return self.today
        return day

    @property
    def asked(self) -> dict[str, Any]:
        """The question as the ageing takes it, of the customers she sees."""
        whose = {"seen_by": self.by_whom, "today": self.today, "at": self.at}
        return {"as_of": self.as_of, "up_to": self.up_to, "by": self.by, "basis": self.basis, **whose}

    def address(self, bucket: int | str, key: str | None = None) -> str:
        """The items behind a figure of the report."""
        asked = {"as_of": self.as_of, "basis": self.basis, "currency": self.currency, "bucket": bucket}
        group = {} if key is None else {"by": self.by, "key": key}
        return f"{reverse('receivables:aging_items')}?{urlencode(asked | group)}"


@page
@require_GET
def report(request: HttpRequest) -> HttpResponse:
    """The ageing as a chart and a table, one currency at a time, every figure a way to its items."""
    question = Question(request)
    told = aging.told(**question.asked)
    shown = _shown(request, question, told.report) if told.report else {"asking": _asking(request, question, ())}
    listing = shown.get("listing")
    if listing and listing.wants_export:
        return cast(HttpResponse, listing.export())
    whole = bool(posts.posts_of(question.by_whom, on=question.today) & sight.SEE_ALL)
    shown |= {"question": question, "told": told, "whole": whole}
    return render(request, "receivables/aging.html", shown, status=422 if question.fault else 200)


def _shown(request: HttpRequest, question: Question, found: aging.Report) -> dict[str, Any]:
    """What a report says in the currency asked for; of the day the report is of."""
    question.as_of = found.as_of
    rows, total = _Shown(found.rows.get(question.currency, ())), found.totals.get(question.currency)
    left_off = found.groups.get(question.currency, 0) - len(rows)
    return {
        "listing": _Groups(request, rows, _columns(found, question), total),
        "asking": _asking(request, question, found.totals),
        "report": found,
        "left_off": f"{left_off:,}" if left_off else "",
        "total": total,
        "chart": _chart(found, total) if total else None,
        "buckets": _shares(found, total, question) if total else [],
        "ledger": found.ledger.get(question.currency, Decimal(0)),
    }


class _Shown(Sequence[dict[str, Any]]):
    """The groups as rows of the list, each made when it is shown."""

    def __init__(self, rows: Sequence[aging.Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        return [_row(row) for row in self._rows[at]] if isinstance(at, slice) else _row(self._rows[at])


class _Groups(Listing):
    """The groups of a currency. They come with the largest total first; the sums are of all, listed or not."""

    def __init__(self, request: HttpRequest, rows: _Shown, columns: Sequence[Column], total: Aged | None) -> None:
        super().__init__(request, rows, columns, key="aging", order="-total")
        self._total = total

    def _sorted(self, rows: Sequence[Any]) -> Any:
        return rows if self.order == "-total" else super()._sorted(list(rows))

    @cached_property
    def totals(self) -> dict[str, Any]:
        sums = _sums(self._total) if self._total else {}
        return {column.name: sums[column.total] for column in self.columns if column.total and sums}


def _asking(request: HttpRequest, question: Question, currencies: Iterable[str]) -> Listing:
    return Listing(request, (), (), _asks(sorted({question.currency, *currencies}), question))


def _row(row: aging.Row) -> dict[str, Any]:
    return {"key": row.key, "label": row.label or _("(none)"), **_sums(row.aged)}


def _sums(aged: Aged) -> dict[str, Any]:
    names = ("total", "overdue", "unapplied", "contested", "oldest_overdue_days", "currency")
    buckets = {f"bucket{n}": amount for n, amount in enumerate(aged.buckets)}
    return buckets | {name: getattr(aged, name) for name in names}


def _columns(found: aging.Report, question: Question) -> list[Column]:
    buckets = [_amount(f"bucket{n}", bucket_name(bucket), n, question) for n, bucket in enumerate(found.buckets)]
    return [
        Column("label", dict(BY)[found.by], link=lambda row: _group_address(row, question), sort="label"),
        Column("total", _("Total"), "amount", sort="total", total="total", currency="currency"),
        Column("overdue", _("Overdue"), "amount", sort="overdue", total="overdue", currency="currency"),
        *buckets,
        _amount("unapplied", _("Unapplied"), UNAPPLIED, question),
        Column("contested", _("Disputed"), "amount", sort="contested", total="contested", currency="currency"),
        Column("oldest", _("Days overdue"), "number", "oldest_overdue_days", sort="oldest_overdue_days"),
    ]


def _group_address(row: dict[str, Any], question: Question) -> str:
    if question.by == "customer":
        return reverse("customers:file", args=[int(row["key"])])
    return question.address("all", row["key"])


def _amount(name: str, label: str, bucket: int | str, question: Question) -> Column:
    """A bucket's column: nothing where it is empty, else a way to its items."""
    return Column(
        name,
        label,
        "amount",
        value=lambda row: row[name] or None,
        sort=name,
        total=name,
        currency="currency",
        link=lambda row: question.address(bucket, row["key"]) if row[name] else "",
    )


def _asks(currencies: Iterable[str], question: Question) -> tuple[Ask, ...]:
    money, day = tuple((each, each) for each in currencies), question.as_of.isoformat()
    return (
        Ask("as_of", gettext_lazy("As of"), "date", _kept, default=day),
        Ask("by", gettext_lazy("Group by"), "select", _kept, BY, default="customer"),
        Ask("basis", gettext_lazy("Age counted from"), "select", _kept, BASES, default="due"),
        Ask("currency", gettext_lazy("Currency"), "select", _kept, money, default=question.currency),
    )


def _chart(found: aging.Report, total: Aged) -> dict[str, Any]:
    return {
        "labels": [bucket_name(bucket) for bucket in found.buckets],
        "series": [{"name": total.currency, "values": list(total.buckets)}],
        "unit": "amount",
        "colours": "ages",
    }


def _shares(found: aging.Report, total: Aged, question: Question) -> list[dict[str, Any]]:
    """The buckets of the total with their shares of what is claimed, each a way to the customers behind it."""
    claimed = total.total - total.unapplied
    rows = [
        {
            "label": bucket_name(bucket),
            "amount": amount,
            "share": amount / claimed if claimed else None,
            "address": question.address(n),
        }
        for n, (bucket, amount) in enumerate(zip(found.buckets, total.buckets, strict=True))
    ]
    if total.unapplied:
        label, address = bucket_name(None), question.address(UNAPPLIED)
        rows.append({"label": label, "amount": total.unapplied, "share": None, "address": address})
    return rows


# --- what stands behind a figure -----------------------------------------------------------------


@page
@require_GET
def items(request: HttpRequest) -> HttpResponse:
    """The items of one customer's bucket; the customers behind that of a group or of the total."""
    question = Question(request)
    bucket, key = request.GET.get("bucket", "all"), request.GET.get("key")
    key = None if key is None else key.replace("\0", "")
    alone = key is not None and question.by == "customer"
    group = _group_label(question, key)
    found = _items(question, bucket, key or "") if alone else _customers(question, bucket, key)
    hidden = [Ask(name, "", "hidden") for name in ("as_of", "by", "basis", "currency", "bucket", "key")]
    shown = ITEM_COLUMNS if alone else _customer_columns(question, bucket)
    listing = Listing(request, found.rows[: aging.ROWS_MAX], shown, hidden, key="aging-items", order="-amount")
    if listing.wants_export:
        return cast(HttpResponse, listing.export())
    back = {"as_of": question.as_of, "by": question.by, "basis": question.basis, "currency": question.currency}
    told = {
        "listing": listing,
        "question": question,
        "bucket": _bucket_label(bucket, question),
        "group": group,
        "back": f"{reverse('receivables:aging')}?{urlencode(back)}",
        "alone": alone,
        "found": found,
        "left_off": len(found.rows) > aging.ROWS_MAX,
    }
    return render(request, "receivables/aging_items.html", told)


@dataclass(frozen=True)
class Found:
    """Rows behind a figure, as of `at`; `waits`: they are worked out for the first time."""

    rows: list[dict[str, Any]]
    at: datetime
    live: bool = True
    waits: bool = False


def _items(question: Question, bucket: str, key: str) -> Found:
    customers = aging.visible_customer(key, seen_by=question.by_whom, today=question.today)
    found = aging.items_in(
        _wanted(bucket), as_of=question.as_of, up_to=question.up_to, basis=question.basis,
        currency=question.currency, customers=customers,
    )  # fmt: skip
    names = aging.labels_of("customer", map(str, customers))
    return Found([_item(each, names, question) for each in found], question.at)


def _customers(question: Question, bucket: str, key: str | None) -> Found:
    told = aging.customers_behind(_wanted(bucket), question.currency, key, **question.asked)
    rows = [
        {"customer_id": pk, "customer": name, "amount": Decimal(amount), "count": count, "days": days,
         "currency": question.currency}
        for pk, name, amount, count, days in told.content or ()
    ]  # fmt: skip
    return Found(rows, told.at, told.live, told.content is None)


def _wanted(bucket: str) -> int | str | None:
    number = whole(bucket, 3)
    return number if number is not None else None if bucket == UNAPPLIED else "all"


def _bucket_label(bucket: str, question: Question) -> str:
    wanted, labels = _wanted(bucket), aging.buckets_of(question.up_to)
    if wanted is None:
        return bucket_name(None)
    if isinstance(wanted, int) and wanted < len(labels):
        return bucket_name(labels[wanted])
    return _("All items")


def _group_label(question: Question, key: str | None) -> str:
    """What the group is called, "" for none. Raises NotVisible for a customer out of sight and a key of nobody's."""
    if key is None:
        return ""
    named = aging.group_named(question.by, key, seen_by=question.by_whom, today=question.today)
    return named or _("(none)")


def _item(item: OpenItem, names: dict[str, str], question: Question) -> dict[str, Any]:
    """An item as a row; days overdue only of what is claimed."""
    days = item.overdue_days(question.as_of) if item.amount > 0 else None
    fields = ("document", "instalment", "due_on", "dated_on", "amount", "currency")
    return {
        "customer_id": int(item.customer),
        "customer": names.get(item.customer, item.customer),
        "days": days,
        "contested": item.contested_part or None,
        **{name: getattr(item, name) for name in fields},
    }


ITEM_COLUMNS = (
    Column("document", gettext_lazy("Document number"), sort="document"),
    Column("customer", gettext_lazy("Customer"), sort="customer",
           link=lambda row: reverse("customers:file", args=[row["customer_id"]])),
    Column("instalment", gettext_lazy("Instalment"), "number"),
    Column("dated_on", gettext_lazy("Document date"), "date", sort="dated_on"),
    Column("due_on", gettext_lazy("Due date"), "date", sort="due_on"),
    Column("days", gettext_lazy("Days overdue"), "number", sort="days"),
    Column("amount", gettext_lazy("Open amount"), "amount", sort="amount", total="amount", currency="currency"),
    Column("contested", gettext_lazy("Disputed"), "amount", sort="contested", currency="currency"),
)  # fmt: skip


def _customer_columns(question: Question, bucket: str) -> tuple[Column, ...]:
    def address(row: dict[str, Any]) -> str:
        asked = {"as_of": question.as_of, "basis": question.basis, "currency": question.currency, "bucket": bucket}
        asked |= {"by": "customer", "key": row["customer_id"]}
        return f"{reverse('receivables:aging_items')}?{urlencode(asked)}"

    return (
        Column("customer", gettext_lazy("Customer"), sort="customer", link=address),
        Column("amount", gettext_lazy("Open amount"), "amount", sort="amount", total="amount", currency="currency"),
        Column("count", gettext_lazy("Items"), "number", sort="count", total="count"),
        Column("days", gettext_lazy("Days overdue"), "number", sort="days"),
    )
