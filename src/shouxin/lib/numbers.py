"""Whole numbers as somebody typed them, or as a link or a form carries them."""


def whole(text: str | None, digits: int = 18) -> int | None:
    """The number that at most so many of the digits 0 to 9 say; None for anything else. 18 always fit a bigint."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= digits else None
