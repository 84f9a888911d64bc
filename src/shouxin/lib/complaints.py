"""What pydantic finds wrong, said in the language of whoever filled it in."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

_SAID: dict[str, str | Promise] = {
    "missing": _("is missing"),
    "extra_forbidden": _("is not known here"),
    "none_required": _("must be empty"),
    "string_type": _("must be text"),
    "string_too_short": _("must have at least %(min_length)s characters"),
    "string_too_long": _("must have at most %(max_length)s characters"),
    "string_pattern_mismatch": _("does not have the form it must have (%(pattern)s)"),
    "bool_type": _("must be true or false"),
    "bool_parsing": _("must be true or false"),
    "int_type": _("must be a whole number"),
    "int_parsing": _("must be a whole number"),
    "int_from_float": _("must be a whole number"),
    "int_parsing_size": _("is too large a number"),
    "decimal_type": _("must be a number"),
    "decimal_parsing": _("must be a number"),
    "float_type": _("must be a number"),
    "float_parsing": _("must be a number"),
    "finite_number": _("must be a finite number"),
    "decimal_max_digits": _("must have at most %(max_digits)s digits"),
    "decimal_max_places": _("must have at most %(decimal_places)s decimals"),
    "decimal_whole_digits": _("must have at most %(whole_digits)s digits before the point"),
    "greater_than": _("must be more than %(gt)s"),
    "greater_than_equal": _("must be at least %(ge)s"),
    "less_than": _("must be less than %(lt)s"),
    "less_than_equal": _("must be at most %(le)s"),
    "literal_error": _("must be one of: %(expected)s"),
    "enum": _("must be one of: %(expected)s"),
    "date_type": _("must be a date such as 2026-12-31"),
    "date_parsing": _("must be a date such as 2026-12-31"),
    "date_from_datetime_parsing": _("must be a date such as 2026-12-31"),
    "date_from_datetime_inexact": _("must be a date such as 2026-12-31"),
    "datetime_type": _("must be a date and time such as 2026-12-31T09:00:00+08:00"),
    "datetime_parsing": _("must be a date and time such as 2026-12-31T09:00:00+08:00"),
    "datetime_from_date_parsing": _("must be a date and time such as 2026-12-31T09:00:00+08:00"),
    "list_type": _("must be a list"),
    "tuple_type": _("must be a list"),
    "too_short": _("must have at least %(min_length)s entries"),
    "too_long": _("must have at most %(max_length)s entries"),
    "dict_type": _("must be a group of keys and values"),
    "model_type": _("must be a group of keys and values"),
    "model_attributes_type": _("must be a group of keys and values"),
    "dataclass_type": _("must be a group of keys and values"),
    "json_invalid": _("is not valid JSON"),
    "json_type": _("is not valid JSON"),
    "unreadable": _("holds a character that cannot be kept"),
    "reference": _("must be a code (text) or an id (whole number)"),
    "amount": _('must be an amount as text, such as "1200.00"'),
}


def said(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence without its subject, in the current language.

    The message of a validator of our own is looked up in the catalogue as it stands.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SAID:
        return str(_SAID[kind]) % context
    if kind in ("value_error", "assertion_error"):
        return gettext(str(context.get("error", error["msg"])))
    return gettext(error["msg"])


def field_of(error: Mapping[str, Any]) -> str:
    """Where it is wrong: body keys and places joined by dots, such as `checks.3.amount`."""
    return ".".join(str(part) for part in error["loc"])
