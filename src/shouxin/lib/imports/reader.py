"""Open a file by what it is and read its rows: one face for texts and workbooks."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shouxin.lib import spool

from . import delimited, detect, workbook
from .delimited import Record
from .faults import FileFault
from .workbook import SheetLimits


@dataclass(frozen=True)
class Limits:
    """What is taken at all: bytes of the file, and what a workbook may cost."""

    file_bytes: int = 2 << 30
    sheet: SheetLimits = field(default_factory=SheetLimits)


UPLOAD = Limits(50 << 20, SheetLimits(unpacked_bytes=1 << 30, memory_bytes=2 << 30, seconds=90))
"""For what comes through the web; the command line takes more."""


@dataclass(frozen=True)
class Source:
    """An opened file: what it is, how it is written, and its rows, readable as often as wanted."""

    path: Path
    form: str
    digest: str
    encoding: str
    delimiter: str
    sheet: str
    sheets: tuple[str, ...]
    _rows: Callable[[], Iterator[Record]]

    def rows(self) -> Iterator[Record]:
        """Every row that is not blank: its number in the file from 1, and its cells."""
        return self._rows()


@contextmanager
def opened(
    path: Path, *, encoding: str = "", delimiter: str = "", sheet: str = "", limits: Limits | None = None
) -> Iterator[Source]:
    """The file as a Source; what was spooled of it is gone afterwards.

    `encoding`, `delimiter` and `sheet` are recognised when empty. Raises FileFault; nothing else for a bad file.
    """
    limits = limits or Limits()
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise FileFault("too_large", {"size": size, "size_max": limits.file_bytes})
    form = detect.form_of(path)
    if form == "text":
        yield _text(path, encoding, delimiter)
        return
    with tempfile.TemporaryDirectory(dir=spool.folder()) as folder:
        target = Path(folder) / "rows"
        answer = workbook.spool(path, target, form, sheet, limits.sheet)
        yield Source(
            path, form, digest_of(path), "", "", answer["sheet"], tuple(answer["sheets"]), lambda: workbook.rows(target)
        )


def _text(path: Path, encoding: str, delimiter: str) -> Source:
    if encoding:
        detect.check_encoding(path, encoding)
    else:
        encoding = detect.encoding_of(path)
    delimiter = delimiter or delimited.sniff_delimiter(path, encoding)
    return Source(
        path, "text", digest_of(path), encoding, delimiter, "", (), lambda: delimited.rows(path, encoding, delimiter)
    )


def digest_of(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
