"""Corrections of the register as people write them down: field -> text, read into what the register keeps."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

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


def named(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts by the fields' names, where a field is called by its name or by its label in a language of the house.

    Raises BadForm with every word that is no field of the sheet.
    """
    known = _words()
    errors = [
        ("changes", _("“%(word)s” is no field that can be corrected; there are: %(fields)s.")
         % {"word": word, "fields": _("; ").join(str(label(name)) for name in sorted(registry.FIELDS))})
        for word in texts if word.strip().lower() not in known
    ]  # fmt: skip
    if errors:
        raise BadForm(errors)
    return {known[word.strip().lower()]: text for word, text in texts.items()}


def _words() -> dict[str, str]:
    found = {name: name for name in registry.FIELDS}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found |= {str(label(name)).lower(): name for name in registry.FIELDS}
    return found


def label(name: str) -> Any:
    """What pages call a field of the sheet."""
    return Customer._meta.get_field(name).verbose_name  # type: ignore[union-attr]


def shown(customer: Customer, texts: Mapping[str, str], *, before: bool) -> list[str]:
    """Each field with its value to be, and the one it has `before`; what is masked elsewhere is masked here."""
    found = []
    for name, text in texts.items():
        old, new = _written(customer, name), _yes_or_no_word(name, text.strip())
        was, becomes = (registry.masked_text(customer, name, each) or "—" for each in (old, new))
        told = f"{was} → {becomes}" if before else becomes
        if before and was == becomes and old != new:
            told = f"{told} {_('(differs in what is masked)')}"
        found.append(f"{label(name)}: {told}")
    return found


def _written(customer: Customer, name: str) -> str:
    """A field as people write it down: people by user name, customers by code."""
    value = getattr(customer, name)
    if isinstance(value, bool):
        return _word(value)
    if isinstance(value, Person | Customer):
        return value.username if isinstance(value, Person) else value.code
    return "" if value is None else str(value)


def _yes_or_no_word(name: str, text: str) -> str:
    return _word(YES_OR_NO[text.lower()]) if READERS.get(name) is _yes_or_no else text


def _word(value: bool) -> str:
    return str(_("yes") if value else _("no"))


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
