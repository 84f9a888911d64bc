"""What a file is, told by its bytes and never by its name; and in which encoding a text is written."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from .faults import FileFault

Form = Literal["text", "xls", "xlsx"]

_HEAD_BYTES = 8192
_CHUNK_BYTES = 1 << 20
_OLE2 = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x05\x06", "ZIP"),
    (b"{\\rtf", "RTF"),
    (b"SQLite format 3", "SQLite"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<table", "HTML"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
)
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def form_of(path: Path) -> Form:
    """Whether the file is a text, an XLS or an XLSX workbook. Raises FileFault if it is something else."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise FileFault("empty")
    if head.startswith(_OLE2):
        return _ole2_form(path)
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    _refuse_foreign(head)
    return "text"


def _ole2_form(path: Path) -> Form:
    """An XLS, unless it is the wrapper office programs put around an encrypted XLSX."""
    if _ENCRYPTED in path.read_bytes():
        raise FileFault("encrypted")
    return "xls"


def _refuse_foreign(head: bytes) -> None:
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise FileFault("not_a_table", {"found": name})
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    for magic, name in _MARKUP:
        if start.startswith(magic):
            raise FileFault("not_a_table", {"found": name})


def encoding_of(path: Path) -> str:
    """The encoding of a text: by its mark, else UTF-16 by its zero bytes, else UTF-8 if valid, else GB18030.

    Big5 cannot be told from GB18030 by its bytes: the preview shows the words, and the mapping may name it.
    Raises FileFault `encoding` with the line, or `nul`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    named = next((name for mark, name in _MARKS if head.startswith(mark)), None) or _wide(head)
    if named:
        check_encoding(path, named)
        return named
    fault = _first_fault(path, "utf-8")
    if fault is None:
        return "utf-8"
    if fault.plainly_utf8 or _first_fault(path, "gb18030"):
        raise FileFault("encoding", {"line": fault.line, "encoding": "UTF-8" if fault.plainly_utf8 else "GB18030"})
    return "gb18030"


def check_encoding(path: Path, encoding: str) -> None:
    """Read the whole text once in that encoding. Raises FileFault `encoding`, `nul` or `unknown_encoding`."""
    fault = _first_fault(path, encoding)
    if fault:
        raise FileFault("encoding", {"line": fault.line, "encoding": encoding.removesuffix("-sig").upper()})


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: its ASCII characters leave zeros in every second place, and only there."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    several = max(4, len(head) // 40)
    if odd >= several and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even >= several and odd == 0 else None


class _Fault:
    """Where decoding first failed, and whether what went before can only have been UTF-8."""

    def __init__(self, line: int, plainly_utf8: bool) -> None:
        self.line = line
        self.plainly_utf8 = plainly_utf8


def _first_fault(path: Path, encoding: str) -> _Fault | None:
    """Decode the file chunk by chunk; None if it is valid throughout. A NUL is a FileFault of its own."""
    decoder = _decoder(encoding)
    line, wide_characters, text = 1, 0, ""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace")
                return _Fault(line + before.count("\n"), _han(before) + wide_characters >= 4)
            if "\0" in text:
                raise FileFault("nul", {"line": line + text[: text.index("\0")].count("\n")})
            line += text.count("\n")
            wide_characters = wide_characters or _han(text)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _Fault(line, wide_characters >= 4)
    return None


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    make: Callable[[str], codecs.IncrementalDecoder]
    try:
        make = codecs.lookup(encoding).incrementaldecoder  # type: ignore[assignment]
        "".encode(encoding)  # refuses codecs that are no text encodings, such as zlib
    except (LookupError, TypeError):
        raise FileFault("unknown_encoding", {"encoding": encoding[:40]}) from None
    return make("strict")


def _han(text: str) -> int:
    """How many of the first characters are Chinese: four in valid UTF-8 are beyond chance in a GB18030 text."""
    return sum("\u4e00" <= character <= "\u9fff" for character in text[:20000])
