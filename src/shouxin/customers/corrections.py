"""Corrections of the register as people write them down: field -> text, read into what the register keeps."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules.days import DateError, read_date
from shouxin.rules.money import AmountError, read_amount

from . import registry
from .models import Customer

YES_OR_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}


class _Wrong(Exception):
    """A text that says nothing its field could hold; carries the sentence that says so."""


def read(texts: Mapping[str, str], *, by: Person, on: date) -> dict[str, Any]:
    """The fields as `registry.change` takes them; an empty text empties the field.

    People and customers are named by user name and code, the latter as `by` sees them on the day. The same texts mean
    the same in every language. Raises BadForm with each field that cannot be read.
    """
    found, errors = {}, []
    for name, text in texts.items():
        try:
            found[name] = _read(name, text.strip(), by, on)
        except _Wrong as wrong:
            errors.append((name, wrong.args[0]))
    if errors:
        raise BadForm(errors)
    return found


def _read(name: str, text: str, by: Person, on: date) -> Any:
    if name == "group_head":
        return _head(text, by, on)
    reader = READERS.get(name)
    return reader(text) if reader else text


def _amount(text: str) -> Decimal | None:
    try:
        return read_amount(text)
    except AmountError:
        raise _Wrong(
            _("must be an amount with at most 13 digits before the point and 2 behind it, such as 1200.00")
        ) from None


def _day(text: str) -> date | None:
    try:
        return read_date(text) if text else None
    except DateError:
        raise _Wrong(_("must be a date such as 2026-12-31")) from None


def _yes_or_no(text: str) -> bool:
    if (found := YES_OR_NO.get(text.lower())) is None:
        raise _Wrong(_("must be yes or no"))
    return found


def _salesperson(text: str) -> Person | None:
    if not text:
        return None
    if (found := registry.seller(text)) is None:
        raise _Wrong(registry.NO_SUCH_PERSON)
    return found


def _head(text: str, by: Person, on: date) -> Customer | None:
    try:
        return registry.visible_customer(text, by=by, on=on) if text else None
    except NotVisible:
        raise _Wrong(NotVisible.message) from None


READERS: Mapping[str, Callable[[str], Any]] = {
    "registered_capital": _amount,
    "paid_in_capital": _amount,
    "founded_on": _day,
    "customer_since": _day,
    "natural_person": _yes_or_no,
    "salesperson": _salesperson,
}
"""The fields that are no text, but for the group's head, which depends on who looks."""
