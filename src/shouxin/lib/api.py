"""What every API module builds on: exact amounts, strict bodies, keyset pages, problems of RFC 9457."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SerializationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from shouxin.lib.marked import value_of
from shouxin.rules.text import Unreadable, one_spelling

AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
"""An amount as text: ASCII digits, up to thirteen before the point and two behind it (I-31)."""


class Number(Decimal):
    """A JSON number with a point, exact. Never an amount: amounts are texts."""


def _amount(value: Any) -> Decimal:
    if isinstance(value, Decimal) and not isinstance(value, Number):
        return value  # our own value on its way out
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return Decimal(value) + 0  # "-0" is 0
    raise PydanticCustomError("amount", 'must be an amount as text, such as "1200.00"')  # translated by complaints


def _amount_out(value: Decimal, info: SerializationInfo) -> Decimal | str:
    """Text in an answer (ninja tells its context, `mode` says JSON); our own code reads a body's Decimal."""
    return format(value, ".2f") if info.context or info.mode == "json" else value


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(_amount_out),
    WithJsonSchema({"type": "string", "pattern": f"^{AMOUNT.pattern}$", "examples": ["1200.00"]}),
]
"""An amount of money beside its currency: a JSON string with two decimals, numbers are refused."""


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> Any:
    """A day as text alone: a number would be taken for seconds since 1970, and a time of day be dropped."""
    if isinstance(value, date):
        return value  # our own value on its way out
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:  # 2026-02-30
        pass
    raise PydanticCustomError("date_type", "must be a date such as 2026-12-31")  # translated by complaints


IsoDay = Annotated[date, BeforeValidator(_day)]
"""A day of the calendar: a JSON string YYYY-MM-DD, nothing else."""


def _one_spelling(value: Any) -> Any:
    try:
        return one_spelling(value) if isinstance(value, str) else value
    except Unreadable:
        raise PydanticCustomError("unreadable", "holds a character that cannot be kept") from None


OneSpelling = BeforeValidator(_one_spelling)
"""Marks a field that names a paper of another system: kept in one spelling at every door (`rules.text`)."""


def _reference(value: Any) -> Any:
    if type(value) not in (int, str):  # not True, not 1.0
        raise PydanticCustomError("reference", "must be a code (text) or an id (whole number)")
    return value


Reference = Annotated[int | str, BeforeValidator(_reference)]
"""Whom a body is about: a code, or an id."""


class Body(BaseModel):
    """What a caller writes. A field that is not known here is refused, never dropped (I-34)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Answer(BaseModel):
    """What a caller reads, from a row of the database or from a dictionary."""

    model_config = ConfigDict(from_attributes=True)


Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """One page of a list; `next` is the cursor of the page that follows, null on the last one."""

    items: list[Item]
    next: str | None


class Paging(Body):
    """Which page of a list: how many entries, and after which cursor."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = Field(default=None, max_length=500)


class BadCursor(ValueError):
    """The cursor is not one of ours, or belongs to another list."""


def page(rows: QuerySet[Any], paging: Paging, order: Sequence[str] = ("-id",)) -> dict[str, Any]:
    """One page of the rows by keyset: as fast on the last page as on the first.

    `order`: columns that are never null, together unique, "-" before those that fall; they must be indexed in this
    order. Raises BadCursor.
    """
    found = rows.order_by(*order)
    if paging.cursor:
        found = found.filter(_after(order, _opened(paging.cursor, order, rows.model)))
    items = list(found[: paging.limit + 1])
    more = len(items) > paging.limit
    items = items[: paging.limit]
    return {"items": items, "next": _cursor(items[-1], order) if more else None}


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """a beyond its value, or a equal and b beyond its value, and so on; plus a bound the index can start from."""
    condition, equal = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name, beyond = column.removeprefix("-"), "lt" if column.startswith("-") else "gt"
        condition |= equal & Q(**{f"{name}__{beyond}": value})
        equal &= Q(**{name: value})
    first = order[0].removeprefix("-")
    return Q(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": values[0]}) & condition


def _cursor(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, column.removeprefix("-")) for column in order]
    text = json.dumps([value.isoformat() if isinstance(value, date) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str, order: Sequence[str], model: type[Model]) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        columns = [
            model._meta.pk if name.lstrip("-") == "pk" else model._meta.get_field(name.lstrip("-")) for name in order
        ]
        return [value_of(column, value) for column, value in zip(columns, values, strict=True)]
    except Exception as error:
        raise BadCursor(_("This cursor does not belong to this list.")) from error


# --- JSON in and out -----------------------------------------------------------------------------


class UnreadableBody(ValueError):
    """The body is no JSON this product accepts; the message says why."""


class ExactParser(Parser):
    """JSON without its traps: no NaN, no key twice, no binary floats, no characters a database cannot keep.

    Those characters are looked for by whoever judges the parts of a body one by one (`PARTS`).
    """

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's value. Raises UnreadableBody."""
        try:
            text = request.body.decode("utf-8")
            value = json.loads(text, parse_float=Number, parse_constant=_refused, object_pairs_hook=_once)
        except RecursionError:
            raise UnreadableBody("nested too deeply") from None
        judged_apart = isinstance(value, dict) and next((part for end, part in PARTS if request.path.endswith(end)), "")
        if re.search(r"\\u(?:0000|[dD])", text) and is_unkept({**value, judged_apart: ()} if judged_apart else value):
            raise UnreadableBody("a character that cannot be kept")
        return value


PARTS = (("/credit-checks/batch", "checks"),)
"""(end of a path, key of a list): bodies of which each entry is judged by itself."""


def is_unkept(value: Any) -> bool:
    """Whether a text in a JSON value, key or value at any depth, holds NUL or half a surrogate pair."""
    left = [value]
    while left:  # a value may be nested as deeply as it could be read
        each = left.pop()
        if isinstance(each, str):
            if "\0" in each or not (each.isascii() or each == each.encode(errors="ignore").decode()):
                return True
        elif isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)):
            left += each
    return False


def _refused(constant: str) -> None:
    raise UnreadableBody(f"{constant} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableBody("a key is given twice")
    return found


class ReadableRenderer(JSONRenderer):
    """JSON in which Chinese stays Chinese."""

    json_dumps_params = {"ensure_ascii": False, "separators": (",", ":")}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """A refusal (RFC 9457). `code` is for programs, the rest for people; `cure` says what would help."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    cure: str = ""
    errors: list[FieldProblem]


def problem(
    status: int,
    title: str,
    *,
    code: str,
    detail: str = "",
    cure: str = "",
    errors: Iterable[tuple[str, str]] = (),
    retry_after: int | None = None,
) -> HttpResponse:
    """An error answer of RFC 9457; `code` is the stable name for programs, everything else is for people."""
    body: dict[str, Any] = {"type": f"urn:shouxin:problem:{code}", "title": title, "status": status}
    body |= {"detail": detail or title, "code": code}
    if cure:
        body["cure"] = cure
    body["errors"] = [{"field": field, "message": message} for field, message in errors]
    answer = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json; charset=utf-8"
    )
    if retry_after is not None:
        answer["Retry-After"] = str(retry_after)
    return answer


def own_transaction(view: Callable[..., Any]) -> Callable[..., Any]:
    """For a write that keeps its own transactions, and answers its Idempotency-Key within them itself."""
    view.own_transaction = True  # type: ignore[attr-defined]
    return view


def done_anew(view: Callable[..., Any]) -> Callable[..., Any]:
    """For a POST that may be done twice, and whose answer holds what is shown for a reason or read in passing.

    Its Idempotency-Key is not heeded: sent again it is done again, with every check and its line in the trail, and
    nothing of the answer is kept.
    """
    view.done_anew = True  # type: ignore[attr-defined]
    return view


def outlives_restriction(view: Callable[..., Any]) -> Callable[..., Any]:
    """For a POST that may be done while the customer's data are restricted: its kept answer is given then, too."""
    view.outlives_restriction = True  # type: ignore[attr-defined]
    return view


def told_once(*secrets: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a POST that makes something whose secret is told once: the fields of the answer that hold it.

    The Idempotency-Key keeps it from being made twice; the answer is kept without these fields, and given again with
    null in their place. Whoever lost the first answer makes another under a new key.
    """

    def marked(view: Callable[..., Any]) -> Callable[..., Any]:
        view.told_once = secrets  # type: ignore[attr-defined]
        return view

    return marked
