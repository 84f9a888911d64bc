"""What every reader of foreign text shares: half-width forms, and how a reader refuses.

Ledgers arrive from spreadsheets, bank pages and hand-typed forms, where 全角 (full-width) digits and
signs are as common as ASCII ones. A reader that cannot be sure refuses with a code, never with a guess.
"""

_SHOWN_LENGTH_MAX = 60

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
