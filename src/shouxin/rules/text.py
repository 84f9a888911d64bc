"""What every reader of foreign text shares: half-width forms, and how a reader refuses.

Ledgers arrive from spreadsheets, bank pages and hand-typed forms, where 全角 (full-width) digits and
signs are as common as ASCII ones. A reader that cannot be sure refuses with a code, never with a guess.
"""

import unicodedata

_SHOWN_LENGTH_MAX = 60

# Zero-width and directional characters: they come with copied text, and make two equal names differ.
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
)

# Only the full-width block and three look-alikes: the wider NFKC folding would also turn ① into 1 and ½ into 1⁄2.
_HALF_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)} | {
    ord("\u3000"): " ",  # ideographic space
    ord("\uffe5"): "\u00a5",  # ￥ -> ¥
    ord("\u2212"): "-",  # minus sign
}


class Unreadable(ValueError):
    """A text that cannot be read as what it should be.

    `code` is for programs (the pages hold its translations); `text` is what was given, cut to 60
    characters so that a hostile field cannot fill a log.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text[:_SHOWN_LENGTH_MAX]
        super().__init__(f"{code}: {self.text!r}")


def half_width(text: str) -> str:
    """The text with full-width letters, digits and signs as ASCII, and ￥ as ¥; nothing else changes."""
    return text.translate(_HALF_WIDTH)


def clean(text: str, *, breaks: bool = False) -> str:
    """The text composed (NFC), without invisible characters, runs of blanks as one.

    Control characters are refused (Unreadable `control_characters`); with `breaks`, line breaks count as blanks.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if "  " in text else text.strip()
    body = unicodedata.normalize("NFC", text.translate(_INVISIBLE)).strip()
    if breaks:
        body = body.replace("\r", " ").replace("\n", " ")
    if any(unicodedata.category(character) == "Cc" and character != "\t" for character in body):
        raise Unreadable("control_characters", body)
    return " ".join(body.split())


def one_spelling(number: str) -> str:
    """A number or code of a paper as every door keeps it: half-width, visible, without blanks around it.

    So K1, Ｋ1 and K1 with a zero-width space are one order. Capitals stay: to some ERP systems k1 is another.
    Raises Unreadable for control characters.
    """
    return clean(number if number.isascii() else half_width(number))


def spellings(number: str) -> set[str]:
    """As what a number may be kept: in its one spelling, or as it is given, from the time before there was one."""
    try:
        return {number, one_spelling(number)}
    except Unreadable:
        return {number}


def visible(text: str) -> str:
    """The text without invisible characters, which make two names differ that look the same."""
    return text if text.isascii() else text.translate(_INVISIBLE)
