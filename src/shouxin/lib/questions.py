"""What a list asks its reader: the questions of its form, the answers in a query string, the rows that answer them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from shouxin.lib.paging import follow
from shouxin.lib.templatetags import shouxin as parts

Text = str | Promise


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


def begins(field: str) -> Callable[[Any, str], Any]:
    """A number or its beginning, as typed or in capitals: a question an index can answer."""

    def narrowed(rows: Any, text: str) -> Any:
        return rows.filter(Q(**{f"{field}__startswith": text}) | Q(**{f"{field}__startswith": text.upper()}))

    return narrowed


def answered(ask: Ask, query: Mapping[str, str]) -> Asked:
    """The question with what a query string answers to it."""
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


def narrowed(rows: Any, asked: Asked) -> Any:
    """Of the rows those that answer the question."""
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
