"""Read one cell as what its column should hold. Each reader takes a raw cell and gives a value or raises Unreadable."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shouxin.rules.currencies import read_currency
from shouxin.rules.days import Order, read_date
from shouxin.rules.money import AmountError, read_amount
from shouxin.rules.text import Unreadable, clean, half_width, one_spelling

from .faults import shown
from .kinds import Column
from .workbook import ErrorCell

if TYPE_CHECKING:  # a mapping's own words are read here too, to refuse what no cell may say
    from .mapping import Bound

Reader = Callable[[object], object]
"""Takes a cell that is not blank; None if what it says is nothing. Raises Unreadable."""

_EXPONENT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?[eE][+]?[0-9]+")
_DECIMAL_CODE = re.compile(r"[0-9]+\.0+")
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?%?")
_SIMPLE_AMOUNT = re.compile(r"-?[0-9]{1,13}\.[0-9]{2}")
# Nothing in these needs mending: no point or exponent, no blanks, no zero (whose sign and place a column may refuse).
_PLAIN_CODE_LENGTH = 24
_PLAIN_CODE = re.compile(rf"[0-9A-Za-z_/#-]{{1,{_PLAIN_CODE_LENGTH}}}")
_PLAIN_AMOUNT = {signed: re.compile(rf"{'-?' * signed}(?!0+\.00)[0-9]{{1,13}}\.[0-9]{{2}}") for signed in (False, True)}
_EXACT_INTEGER_MAX = 10**15  # spreadsheets keep fifteen digits
_YES = frozenset(["yes", "y", "true", "t", "1", "是", "有", "√", "✓", "对", "x"])
_NO = frozenset(["no", "n", "false", "f", "0", "否", "无", "×", "不", ""])


def reader_for(column: Column, bound: "Bound", order: Order | None) -> Reader:
    """How the cells of this column are read, with what the mapping says about it."""
    match column.type:
        case "code":
            return _code_reader(column, bound)
        case "name" | "text":
            breaks = column.type == "text"
            return lambda cell: _bounded(clean(text_of(cell), breaks=breaks), column.length_max)
        case "amount":
            return _amount_reader(column, bound.unit)
        case "date":
            return lambda cell: read_date(cell, order=order)
        case "days":
            return read_whole
        case "share":
            return read_share
        case "currency":
            return lambda cell: read_currency(str(cell))
        case "bool":
            return read_yes_no
        case "choice":
            return lambda cell: _read_choice(cell, column)


@dataclass(frozen=True)
class Plain:
    """The commonest spelling of a column: its shape, and how a text of that shape is read."""

    shape: Callable[[str], object]
    make: Callable[[str], object]


def plain_for(column: Column, bound: "Bound", blank: Collection[str]) -> Plain | None:
    """A shape of which `reader_for` would say the same, only slower; None where words mean nothing or zeros go."""
    if column.type == "amount":
        plain = Plain(_PLAIN_AMOUNT[column.sign in ("any", "not_zero")].fullmatch, Decimal)
        usable = bound.unit == 1
    else:
        plain = Plain(_PLAIN_CODE.fullmatch, str)
        usable = column.type == "code" and not bound.fill.strip_zeros and column.length_max >= _PLAIN_CODE_LENGTH
    return plain if usable and not any(map(plain.shape, (*blank, *column.choices))) else None


# --- texts and codes -----------------------------------------------------------------------------


def text_of(cell: object) -> str:
    """The cell as text: a whole number without its .0, a day as YYYY-MM-DD."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_INTEGER_MAX:
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def _bounded(text: str, length_max: int) -> str | None:
    if len(text) > length_max:
        raise Unreadable("too_long", text)
    return text or None


def _code_reader(column: Column, bound: "Bound") -> Reader:
    strip_decimal, strip_zeros = bound.fill.strip_decimal, bound.fill.strip_zeros
    length_max = column.length_max

    def read(cell: object) -> str | None:
        if cell.__class__ is str:
            text = one_spelling(cell)  # type: ignore[arg-type]
        else:
            text = _code_of_number(cell)
        if "." in text or "e" in text or "E" in text:
            text = _mended(text, strip_decimal)
        if strip_zeros:
            text = text.lstrip("0") or "0"
        if len(text) > length_max:
            raise Unreadable("too_long", text)
        return text or None

    return read


def _code_of_number(cell: object) -> str:
    if isinstance(cell, date | datetime):
        raise Unreadable("became_a_date", str(cell))
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _EXACT_INTEGER_MAX:
        raise Unreadable("precision_lost", str(cell))
    return text_of(cell)


def _mended(text: str, strip_decimal: bool) -> str:
    if _EXPONENT.fullmatch(text) and "." in text:
        raise Unreadable("precision_lost", text)
    if not _DECIMAL_CODE.fullmatch(text):
        return text
    if not strip_decimal:
        raise Unreadable("decimal_code", text)
    whole = text.split(".")[0]
    if len(whole) > 15:
        raise Unreadable("precision_lost", text)
    return whole


# --- amounts, numbers, words ---------------------------------------------------------------------


def _amount_reader(column: Column, unit: int) -> Reader:
    plain = _SIMPLE_AMOUNT.fullmatch
    signed = column.sign != "any"
    words = column.choices

    def read(cell: object) -> Decimal | str | None:
        if words and cell.__class__ is str and cell in words:
            return words[cell]  # type: ignore[index]
        if unit == 1:
            # The commonest spelling by far needs none of read_amount's patience; "-0.00" does.
            text = cell if cell.__class__ is str else f"{cell:.2f}" if cell.__class__ is float else ""
            simple = plain(text) and (cell.__class__ is str or float(text) == cell)  # type: ignore[arg-type]
            amount = Decimal(text) if simple and text != "-0.00" else _amount(cell, 1)  # type: ignore[arg-type]
        else:
            amount = _amount(cell, unit)
        if signed and amount is not None:
            _check_sign(amount, column, cell)
        return amount

    return read


def _amount(cell: object, unit: int) -> Decimal | None:
    try:
        return read_amount(cell, unit=unit)
    except AmountError as error:
        raise Unreadable("too_large_amount" if error.code == "too_large" else error.code, error.text) from None


def _check_sign(amount: Decimal, column: Column, cell: object) -> None:
    if amount < 0 and column.sign in ("positive", "not_negative"):
        raise Unreadable("negative", str(cell))
    if not amount and column.sign in ("positive", "not_zero"):
        raise Unreadable("zero", str(cell))


def read_whole(cell: object) -> int:
    """A whole number of days or the like; 天 and "days" behind it are allowed."""
    text = re.sub(r"\s*(天|日|个月|days?|d)\s*$", "", half_width(text_of(cell)).strip(), flags=re.I)
    text = re.sub(r"^([0-9]+)\.0+$", r"\1", text)
    if not _WHOLE.fullmatch(text):
        raise Unreadable("not_a_number", text)
    return int(text)


def read_share(cell: object) -> Decimal:
    """A percentage: 2, 2% and 2.5 % are what they say. A spreadsheet's 0.02 may be 2 % formatted: refused."""
    text = half_width(text_of(cell)).replace(" ", "")
    if isinstance(cell, float) and 0 < cell < 1:
        raise Unreadable("share_unclear", text)
    if not _PERCENT.fullmatch(text) or Decimal(text.rstrip("%")) > 100:
        raise Unreadable("not_a_share", text)
    return Decimal(text.rstrip("%"))


def read_yes_no(cell: object) -> bool:
    """Yes or no in either language."""
    word = half_width(text_of(cell)).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable("not_yes_or_no", word)


def _read_choice(cell: object, column: Column) -> str:
    word = half_width(text_of(cell)).strip().casefold()
    for spelling, value in column.choices.items():
        if word in (spelling.casefold(), value.casefold()):
            return value
    raise Unreadable("not_a_choice", word)


def trouble_of(cell: ErrorCell) -> Unreadable:
    """Why a cell without a value is refused."""
    return Unreadable("formula_without_value" if cell.text == "formula" else "error_cell", cell.text)


_CURRENCY_CODES = {"ambiguous": "ambiguous_currency", "unknown": "unknown_currency", "blank": "required"}


def reason(error: Unreadable, cell: object, column: Column, order: Order | None) -> tuple[str, dict[str, Any]]:
    """Why the cell was refused: the code of the sentence, and its particulars."""
    params: dict[str, Any] = {"text": shown(cell)}
    if error.code == "too_long":
        params |= {"length": len(str(cell)), "length_max": column.length_max}
    elif error.code == "order_contradicted":
        params |= {"order": order or ""}
    elif error.code == "not_a_choice":
        params |= {"choices": ", ".join(dict.fromkeys(column.choices.values()))}
    return _CURRENCY_CODES.get(error.code, error.code) if column.type == "currency" else error.code, params
