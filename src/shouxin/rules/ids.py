"""Numbers that name companies, people and accounts: check digits, building valid ones, and masking.

A check digit catches a slip of the pen, nothing more: a number that passes may still belong to nobody.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shouxin.rules.text import half_width

Problem = Literal["length", "alphabet", "department", "date", "check_digit"]


@dataclass(frozen=True)
class CodeCheck:
    """What is wrong with a code, first problem first; `problem` is None for a good one.

    `normalised`: the code as it should be stored; `expected_check`: the right check character, known as
    soon as the rest of the code is well formed; `warning`: a doubt that does not make the code wrong.
    """

    normalised: str
    problem: Problem | None = None
    expected_check: str | None = None
    warning: Literal["organisation_code"] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.problem is None


def normalise(code: str) -> str:
    """The code as registers print it: ASCII, upper case, without the spaces and hyphens of printed groups."""
    return re.sub(r"[\s-]", "", half_width(code)).translate(_UPPER)


# str.upper() would turn the foreign letters ı and ſ into I and S: only ASCII letters are raised.
_UPPER = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


def _check(code: str, shape: str, length: int, expected: Callable[[str], str]) -> CodeCheck:
    """Length, then alphabet, then the check character, which every one of these codes carries at its end."""
    normalised = normalise(code)
    if len(normalised) != length:
        return CodeCheck(normalised, "length")
    body, given = normalised[:-1], normalised[-1]
    if not re.fullmatch(shape, body + "0"):  # every check alphabet has a 0
        return CodeCheck(normalised, "alphabet")
    check = expected(body)
    if given == check:
        return CodeCheck(normalised, None, check)
    return CodeCheck(normalised, "check_digit" if re.fullmatch(shape, normalised) else "alphabet", check)


def _weighted_sum(body: str, alphabet: str, weights: tuple[int, ...]) -> int:
    return sum(alphabet.index(letter) * weight for letter, weight in zip(body, weights, strict=True))


# --- 统一社会信用代码, the unified social credit code (GB 32100-2015) ---------------------------

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I O S V Z
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_USCC_SHAPE = f"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}"

DEPARTMENTS: dict[str, tuple[str, str]] = {
    "1": ("机构编制", "Public institutions"),
    "2": ("外交", "Foreign affairs"),
    "3": ("司法行政", "Justice"),
    "4": ("文化", "Culture"),
    "5": ("民政", "Civil affairs"),
    "6": ("旅游", "Tourism"),
    "7": ("宗教", "Religious affairs"),
    "8": ("工会", "Trade unions"),
    "9": ("市场监管", "Market regulation"),
    "A": ("军委改革编制", "Military reform and establishment"),
    "N": ("农业", "Agriculture"),
    "Y": ("其他", "Other"),
}
"""The registering departments, the code's first character, as (Chinese, English)."""


def check_uscc(code: str) -> CodeCheck:
    """Whether the text is a unified social credit code: 18 characters, the last a check character modulo 31.

    Characters 9 to 17 normally are an organisation code of their own; where they are not, the answer
    carries the warning `organisation_code`, since GB 32100 does not promise it.
    """
    found = _check(code, _USCC_SHAPE, 18, uscc_check)
    normalised = found.normalised
    if found.expected_check is None:
        return found
    doubt = organisation_check(normalised[8:16]) != normalised[16]
    problem = found.problem if normalised[0] in DEPARTMENTS else "department"
    return CodeCheck(normalised, problem, found.expected_check, "organisation_code" if doubt else None)


def uscc_check(body: str) -> str:
    """The 18th character for the first 17 of a unified social credit code; ValueError for any other letter."""
    return _USCC_ALPHABET[-_weighted_sum(body, _USCC_ALPHABET, _USCC_WEIGHTS) % 31]


def uscc_for(department: str, kind: str, division: str, body: str) -> str:
    """The code of a made-up organisation, both check characters computed, for demonstrations and tests.

    `department` and `kind`: one character each (9 and 1: a company); `division`: 6 digits (110105);
    `body`: the 8 characters of the organisation code. Raises ValueError if they do not make a valid code.
    """
    first = f"{department}{kind}{division}{body}{organisation_check(body)}"
    code = first + uscc_check(first)
    if check_uscc(code) != CodeCheck(code, None, code[-1]):
        raise ValueError(f"no unified social credit code: {code}")
    return code


# --- 组织机构代码, the organisation code (GB 11714-1997) ------------------------------------------

_BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def check_organisation_code(code: str) -> CodeCheck:
    """Whether the text is an organisation code: 8 characters and a check character, printed XXXXXXXX-X."""
    return _check(code, "[0-9A-Z]{8}[0-9X]", 9, organisation_check)


def organisation_check(body: str) -> str:
    """The 9th character for the first 8 of an organisation code (letters count 10 to 35); ValueError if malformed."""
    value = -_weighted_sum(body, _BASE_36, _ORGANISATION_WEIGHTS) % 11
    return "X" if value == 10 else str(value)


# --- 工商注册号, the registration number before 2015 (ISO 7064 MOD 11,10) ------------------------


def check_registration_number(number: str) -> CodeCheck:
    """Whether the text is a registration number of 15 digits, as old ledgers still hold them."""
    return _check(number, "[0-9]{15}", 15, registration_check)


def registration_check(body: str) -> str:
    """The last digit of a registration number whose first digits are given."""
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


# --- 公民身份号码, the citizen's number (GB 11643-1999) -------------------------------------------

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_citizen_number(number: str) -> CodeCheck:
    """Whether the text is a citizen's number of 18 characters with a real date of birth.

    The 15-digit numbers of before 1999 are refused by their length: they carry no check digit.
    """
    found = _check(number, "[0-9]{17}[0-9X]", 18, citizen_check)
    if found.expected_check and not _is_date(found.normalised[6:14]):
        return CodeCheck(found.normalised, "date", found.expected_check)
    return found


def citizen_check(body: str) -> str:
    """The 18th character for the first 17 digits of a citizen's number; ValueError if malformed."""
    return "10X98765432"[_weighted_sum(body, "0123456789", _CITIZEN_WEIGHTS) % 11]


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


# --- bank cards (ISO/IEC 7812, Luhn) -------------------------------------------------------------


def check_bank_card(number: str) -> CodeCheck:
    """Whether the text is a bank card number of 12 to 19 digits. A company's account number has no check digit."""
    length = min(max(len(normalise(number)), 12), 19)
    return _check(number, "[0-9]+", length, luhn_check)


def luhn_check(body: str) -> str:
    """The last digit of a card number whose first digits are given: every other digit doubled, from the right."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-2])
    return str(-(doubled + sum(map(int, body[-2::-2]))) % 10)


# --- masking -------------------------------------------------------------------------------------

_TWO_CHARACTER_SURNAME = re.compile(
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|夏侯|端木|南宫|西门|独孤|轩辕|闻人|"
    "太史|申屠|淳于|单于|澹台|公冶|宗政|濮阳|拓跋|百里|呼延|东郭|钟离|赫连|司空|鲜于|仲孙|公羊|万俟|第五"
)
_HIDDEN_MIN = 4


def mask_phone(phone: str) -> str:
    """138****5678: the first three and last four digits; a number too short to hide four is hidden whole."""
    return _mask(re.sub(r"^\+86", "", normalise(phone)), 3, 4)


def mask_citizen_number(number: str) -> str:
    """110105********002X: the division and the last four characters, without the date of birth."""
    return _mask(normalise(number), 6, 4)


def mask_bank_account(account: str) -> str:
    """****1234: the last four characters, the length hidden too."""
    return "****" + _mask(normalise(account), 0, 4).lstrip("*")


def mask_name(name: str) -> str:
    """张* or 欧阳*: a person's surname, or the first letter of a foreign name; one character alone is hidden."""
    name = name.strip()
    if len(name) < 2:
        return "*"
    surname = _TWO_CHARACTER_SURNAME.match(name) if len(name) > 2 else None
    return (surname[0] if surname else name[0]) + "*"


def mask_email(address: str) -> str:
    """l***@example.com: the first letter and the domain."""
    name, at, domain = address.strip().rpartition("@")
    return f"{name[:1]}***@{domain}" if at and len(name) > 1 else f"***{at}{domain}" if at else "***"


def mask_address(address: str) -> str:
    """上海市静安区***: a person's address down to the district, at most its first six characters."""
    address = address.strip()
    district = re.match(r".{1,5}?[区县旗]|.{1,5}?市", address)
    return (district[0] if district else address[: min(6, len(address) // 3)]) + "***"


def _mask(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden < _HIDDEN_MIN:
        return "*" * _HIDDEN_MIN
    return text[:head] + "*" * hidden + text[-tail:]
