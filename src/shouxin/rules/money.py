"""Amounts of money: reading, rounding, sharing out, and writing in words.

An amount is a `Decimal` in one currency, of at most 13 digits before the point and 2 after it.
No binary float takes part in a calculation: a float from a spreadsheet cell is read once, through
the shortest text that names it, and only if that text is a whole number of cents.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from shouxin.rules.text import Unreadable, half_width

CENT = Decimal("0.01")
AMOUNT_END = Decimal(10) ** 13
"""What every amount stays below: thirteen digits before the point."""

# The default context rounds at 28 digits; amount times rate must be rounded once only, by us.
_EXACT = Context(prec=200)
_FLOAT_NOISE_MAX = Decimal("0.000001")
_TEXT_LENGTH_MAX = 60


class AmountError(Unreadable):
    """A value refused as an amount.

    Codes: `not_an_amount`, `too_many_decimals`, `too_large` (more than 13 digits before the point),
    `bad_grouping` (1,23,4), `precision_lost` (a spreadsheet's 1.23457E+12), `two_signs` ((-5), -5(贷)).
    """


# --- reading -------------------------------------------------------------------------------------

_CONTRACT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")  # [0-9], for \d also matches Arabic-Indic digits

_LEDGER = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])?[¥$]?(?P<inner>[+-])?"
    r"(?P<whole>[0-9,]*)(?:\.(?P<decimals>[0-9]+))?"
    r"(?P<unit>亿元|亿|万元|万|千元|元)?(?P<trailing>-)?(?P<close>\))?(?P<side>\([借贷]\)|[借贷])?"
)
_GROUPED = re.compile(r"[0-9]+|[1-9][0-9]{0,2}(,[0-9]{3})+")
_SPLIT_NUMBER = re.compile(r"[0-9.,]\s+[0-9.,]")  # two columns run together, perhaps: never one number
_BLANK = frozenset(["", "-", "--", "—", "——"])
_UNIT_ZEROS = {"亿元": 8, "亿": 8, "万元": 4, "万": 4, "千元": 3, "元": 0}

_WHY_REFUSED = (
    ("precision_lost", re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")),
    ("too_many_decimals", re.compile(r"[+-]?[0-9]+\.[0-9]{3,}")),
    ("too_large", re.compile(r"[+-]?[0-9]{14,}(\.[0-9]*)?")),
    ("bad_grouping", re.compile(r"[+-]?[0-9.]*,[0-9.,]*")),
)


def parse_amount(text: str) -> Decimal:
    """The amount a program sent us: ASCII digits, at most 13 before the point and 2 after, `-` if negative.

    Returns exactly two decimals, and 0.00 for "-0". Raises AmountError for anything else: no signs,
    spaces, separators or exponents are forgiven, because a program that sends them has a fault.
    """
    if not _CONTRACT.fullmatch(text):
        raise AmountError(_why_refused(text), text)
    return round_half_up(Decimal(text))


def read_amount(value: object, *, unit: int = 1) -> Decimal | None:
    """The amount in a ledger's cell, in the currency's main unit, with two decimals; None if the cell is blank.

    Takes text (￥1,234.50 · １２３ · (1,234.50) · 1234.50- · 500(贷) · 3.2万元), and the int, float or
    Decimal a spreadsheet holds. Credit (贷), parentheses and a minus on either side are negative.
    A lone dash is blank. `unit` is what the column's heading says one stands for (万元: 10000, a power
    of ten); a unit written in the cell itself wins over it.
    Raises AmountError; ValueError if `unit` is not a power of ten.
    """
    zeros = _zeros(unit)
    if value is None:
        return None
    if isinstance(value, str):
        return _read_text(value, zeros)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise AmountError("not_an_amount", repr(value))
    # repr gives the shortest text that names the float: 0.1 + 0.2 is 0.30000000000000004, and its noise is below.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    noise_max = _FLOAT_NOISE_MAX if isinstance(value, float) else Decimal(0)
    return _in_cents(number, zeros, str(number), noise_max)


def _read_text(text: str, zeros: int) -> Decimal | None:
    spaced = half_width(text)
    body = "".join(spaced.split())
    if body in _BLANK:
        return None
    found = _LEDGER.fullmatch(body) if len(body) <= _TEXT_LENGTH_MAX else None
    if found is None or _SPLIT_NUMBER.search(spaced) or bool(found["open"]) != bool(found["close"]):
        raise AmountError(_why_refused(body), text)
    number = _unsigned(found, text)
    if found["unit"]:
        zeros = _UNIT_ZEROS[found["unit"]]
    # Counted as written: 1.230 is refused although it equals 1.23, for in half the world it means 1230.
    if len(found["decimals"] or "") > 2 + zeros:
        raise AmountError("too_many_decimals", text)
    return _in_cents(-number if _is_negative(found, text) else number, zeros, text)


def _unsigned(found: re.Match[str], text: str) -> Decimal:
    whole, decimals = found["whole"], found["decimals"]
    if whole and not _GROUPED.fullmatch(whole):
        raise AmountError("bad_grouping", text)
    if not whole and not decimals:
        raise AmountError("not_an_amount", text)
    return Decimal(f"{whole.replace(',', '') or '0'}.{decimals or '0'}")


def _is_negative(found: re.Match[str], text: str) -> bool:
    """Whether one mark says so; two marks could mean either, so they are refused."""
    credit = "贷" in (found["side"] or "")
    marks = [found["open"], found["sign"], found["inner"], found["trailing"], credit]
    if sum(map(bool, marks)) > 1:
        raise AmountError("two_signs", text)
    return bool(found["open"] or found["trailing"] or credit) or "-" in (found["sign"], found["inner"])


def _in_cents(number: Decimal, zeros: int, text: str, noise_max: Decimal = Decimal(0)) -> Decimal:
    if not number.is_finite():
        raise AmountError("not_an_amount", text)
    if number and number.adjusted() + zeros >= 13:
        raise AmountError("too_large", text)
    amount = number.scaleb(zeros, _EXACT)
    rounded = round_half_up(amount)
    if abs(_EXACT.subtract(amount, rounded)) > noise_max:
        raise AmountError("too_many_decimals", text)
    return rounded


def _zeros(unit: int) -> int:
    zeros = len(str(unit)) - 1
    if unit != 10**zeros:
        raise ValueError(f"unit must be a power of ten, not {unit}")
    return zeros


def _why_refused(text: str) -> str:
    if len(text) > _TEXT_LENGTH_MAX:
        return "not_an_amount"
    return next((code for code, shape in _WHY_REFUSED if shape.fullmatch(text)), "not_an_amount")


# --- rounding and sharing ------------------------------------------------------------------------


def round_half_up(amount: Decimal, places: int = 2) -> Decimal:
    """The amount with that many decimals, a half going away from zero (四舍五入); never a negative zero.

    Raises AmountError `not_an_amount` for NaN and infinities.
    """
    if not amount.is_finite():
        raise AmountError("not_an_amount", str(amount))
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    return rounded or rounded.copy_abs()


def round_down_to(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` (above 0) that is not more than the amount, below zero too (-5 to 10: -10).

    Used to give limits in round figures. Raises ValueError for a step that is not above 0.
    """
    if not step > 0:
        raise ValueError(f"step must be above 0, not {step}")
    # % is exact where / would round at 28 digits and might round up; its sign follows the amount.
    remainder = _EXACT.remainder(amount, step)
    rounded = _EXACT.subtract(amount, remainder + step if remainder < 0 else remainder)
    return rounded or rounded.copy_abs()


def share_out(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The total split by weight into parts of whole cents that add up to it exactly, in the order of the weights.

    Largest remainder: every part is cut to the cent, and the cents left over go one each to the parts
    that lost most, the earlier one first when equal. A negative total gives negative parts.
    Raises ValueError if the total is not whole cents, a weight is negative, or the weights add up to 0.
    """
    if total != round_half_up(total):
        raise ValueError(f"total must be whole cents, not {total}")
    whole = sum(map(Fraction, weights), Fraction())
    if not whole > 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and must add up to more than 0")
    cents = int(total.copy_abs().scaleb(2, _EXACT))
    exact = [cents * Fraction(weight) / whole for weight in weights]
    parts = [int(part) for part in exact]
    by_loss = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_loss[: cents - sum(parts)]:
        parts[index] += 1
    return [round_half_up(Decimal(part).scaleb(-2, _EXACT).copy_sign(total)) for part in parts]


def convert(amount: Decimal, rate: Decimal) -> Decimal:
    """The amount in another currency: times `rate` (units of the other currency for one of ours), half up to cents.

    Rounded once, from the exact product. Raises ValueError for a rate that is not above 0.
    """
    if not (rate.is_finite() and rate > 0):
        raise ValueError(f"rate must be above 0, not {rate}")
    return round_half_up(_EXACT.multiply(amount, rate))


# --- in words ------------------------------------------------------------------------------------

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = (("亿", 8), ("万", 4), ("仟", 3), ("佰", 2), ("拾", 1))


def in_words(amount: Decimal) -> str:
    """金额大写, the amount as cheques, contracts and letters write it, without the prefix 人民币.

    Rounded half up to 分; 负 before a negative amount. Where 支付结算办法附一 leaves a choice we always
    write 整 after 元 or 角, 零 when the 元 digit is 0 and 角 is not, and 零 between groups of four only
    if the lower group is below 1000 (107000.53: 壹拾万柒仟元零伍角叁分).
    """
    cents = int(round_half_up(amount).scaleb(2, _EXACT))
    yuan, rest = divmod(abs(cents), 100)
    words = (_whole_in_words(yuan) + "元" if yuan else "") + _rest_in_words(yuan, *divmod(rest, 10))
    return ("负" if cents < 0 else "") + (words or "零元整")


def _whole_in_words(number: int) -> str:
    if number < 10:
        return _DIGITS[number] if number else ""
    name, zeros = next((name, zeros) for name, zeros in _PLACES if number >= 10**zeros)
    high, low = divmod(number, 10**zeros)
    gap = "零" if 0 < low < 10 ** (zeros - 1) else ""
    return _whole_in_words(high) + name + gap + _whole_in_words(low)


def _rest_in_words(yuan: int, jiao: int, fen: int) -> str:
    if not jiao and not fen:
        return "整" if yuan else ""
    gap = "零" if yuan and (not jiao or yuan % 10 == 0) else ""
    return gap + (_DIGITS[jiao] + "角" if jiao else "") + (_DIGITS[fen] + "分" if fen else "整")


def date_in_words(day: date) -> str:
    """票据日期大写, the date as bills write it, so that no stroke can be added (支付结算办法附一).

    零 goes before months 1, 2 and 10, before days 1 to 10, and before days 20 and 30.
    """
    year = "".join(_DIGITS[int(digit)] for digit in f"{day.year:04d}")
    month = ("零" if day.month in (1, 2, 10) else "") + _whole_in_words(day.month)
    number = ("零" if day.day < 10 or day.day % 10 == 0 else "") + _whole_in_words(day.day)
    return f"{year}年{month}月{number}日"
