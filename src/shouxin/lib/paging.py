"""Pages of a list: of a queryset by where the last one ended (keyset), of a sequence by how many came before.

By keyset the thousandth page costs what the first does. A link names the row a page begins beside (`write_mark`).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, Func, QuerySet, Value

from shouxin.lib.marked import value_of
from shouxin.lib.numbers import whole

Mark = tuple[Any, Any]
"""(value of the order's field or None, key) of the row a page begins beside."""


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


def keyset_page(rows: QuerySet[Any], by: str, down: bool, query: Mapping[str, str], size: int) -> Page:
    """The page of rows ordered `by` that the query's mark begins, or the first one."""
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
    if not nullable(rows, by):
        return [rows.order_by(*ordering(by, down=down, nulls=False))]
    known = rows.filter(**{f"{by}__isnull": False}).order_by(*ordering(by, down=down, nulls=False))
    return [known, rows.filter(**{f"{by}__isnull": True}).order_by("-pk" if down else "pk")]


def ordering(by: str, *, down: bool, nulls: bool) -> list[Any]:
    """The order (by, key), rows without a value last."""
    key = "-pk" if down else "pk"
    if by == "pk":
        return [key]
    if not nulls:
        return [f"-{by}" if down else by, key]
    return [F(by).desc(nulls_last=True) if down else F(by).asc(nulls_last=True), key]


def nullable(rows: QuerySet[Any], path: str) -> bool:
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
    stretches: list[QuerySet[Any]], by: str, mark: Mark | None, *, forward: bool, down: bool, count: int
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


def _beyond(rows: QuerySet[Any], by: str, mark: Mark, *, greater: bool) -> QuerySet[Any]:
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


def _mark(rows: QuerySet[Any], by: str, text: str | None) -> Mark | None:
    """The row a page begins beside, from its link; None for the first page and for a link that fits no row here."""
    mark = _read_mark(text)
    if mark is None or mark[0] is None or by == "pk":
        return mark
    try:
        return value_of(_field_at(rows, by), mark[0]), mark[1]
    except ValueError:
        return None


def _field_at(rows: QuerySet[Any], path: str) -> Any:
    """The field at the path; of an annotation the field its values are of."""
    if path in rows.query.annotations:
        return rows.query.annotations[path].output_field
    *links, last = path.split("__")
    model: Any = rows.model
    for link in links:
        model = model._meta.get_field(link).related_model
    return model._meta.get_field(last)


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
    except (ValueError, TypeError, RecursionError):
        return None
    sound = (value is None or isinstance(value, str)) and type(key) is int
    return (value, key) if sound and abs(key) < 2**63 else None


def _start(query: Mapping[str, str], mark: tuple[Any, Any] | None) -> int:
    return max(whole(query.get("start"), 11) or 1, 1) if mark else 1


def offset_page(rows: Sequence[Any], query: Mapping[str, str], size: int) -> Page:
    """The page of a sequence that begins at the query's `start`."""
    start = max(whole(query.get("start"), 11) or 1, 1)
    found = list(rows[start - 1 : start - 1 + size])
    previous = {"start": max(start - size, 1)} if start > 1 else {}
    return Page(found, start if found else 0, previous, {"start": start + size} if start - 1 + size < len(rows) else {})
