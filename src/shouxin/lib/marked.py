"""Values of fields that a link or a cursor carries as texts, read again."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field

EXPONENT_MAX = 60
"""No number of ours is beyond ten to this power, nor as near to nothing."""


def value_of(field: "Field[Any, Any]", text: str) -> Any:
    """The field's value that the text says. Raises ValueError for a text that can be none of its values."""
    try:
        value = field.to_python(text)
        if isinstance(value, datetime) and value.tzinfo:
            value = value.astimezone(UTC)  # the database knows no offset of a whole day
    except (ValidationError, ArithmeticError) as error:
        raise ValueError(str(error)) from error
    if not _can_be_kept(value):
        raise ValueError(f"not a value of {field}")
    return value


def _can_be_kept(value: Any) -> bool:
    """Whether the database could hold it: it compares nothing with what it cannot read."""
    match value:
        case str():
            return "\x00" not in value and value == value.encode(errors="ignore").decode()
        case Decimal():
            return value.is_finite() and abs(value.adjusted()) <= EXPONENT_MAX
        case int():
            return abs(value) < 2**63
        case datetime():
            return value.tzinfo is not None
        case _:
            return value is not None
