"""What a file is, told by its bytes: neither its name nor the browser's word is believed.

Only kinds that people keep as evidence are known: scans, photos, office papers without macros, plain text.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from PIL import Image, ImageOps, UnidentifiedImageError

PACKED_MAX = 200 * 1024 * 1024
"""What an office paper may unpack to."""
PIXELS_MAX = 150_000_000
TEXT_PROBE = 64 * 1024
_HIDDEN = {*map(chr, range(32)), "\x7f", *"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"}
NAME_LENGTH_MAX = 120


@dataclass(frozen=True)
class Kind:
    """A kind of file that is kept: its content type, the endings it goes by, whether browsers show it in a page."""

    name: str
    content_type: str
    endings: tuple[str, ...]
    shown: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument."
KINDS = {
    kind.name: kind
    for kind in (
        Kind("pdf", "application/pdf", (".pdf",), shown=True),
        Kind("jpeg", "image/jpeg", (".jpg", ".jpeg", ".jfif"), shown=True),
        Kind("png", "image/png", (".png",), shown=True),
        Kind("webp", "image/webp", (".webp",), shown=True),
        Kind("docx", f"{_OFFICE}wordprocessingml.document", (".docx",)),
        Kind("xlsx", f"{_OFFICE}spreadsheetml.sheet", (".xlsx",)),
        Kind("text", "text/plain; charset=utf-8", (".txt", ".csv", ".md", ".log")),
    )
}
PHOTOS = frozenset({"jpeg", "png", "webp"})
ACCEPT = ",".join(ending for kind in KINDS.values() for ending in kind.endings)
"""What a form's file field offers to choose from."""


class Unfit(Exception):
    """The file cannot be kept; `code`: empty, heic, old_office, macros, damaged, packed, pixels, unknown, disguised."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def kind_of(content: bytes) -> Kind:
    """What these bytes are. Raises Unfit for what is empty, damaged, dangerous or of no kind that is kept."""
    if not content.strip(b"\x00 \t\r\n"):
        raise Unfit("empty")
    if content[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"}:
        raise Unfit("heic")
    if b"%PDF-" in content[:1024]:
        return KINDS["pdf"]
    if content.startswith(b"PK\x03\x04"):
        return KINDS[_package(content)]
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unfit("old_office")
    for mark, name in ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png")):
        if content.startswith(mark):
            return KINDS[name]
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return KINDS["webp"]
    if _is_text(content):
        return KINDS["text"]
    raise Unfit("unknown")


def _package(content: bytes) -> str:
    """Which office paper a ZIP is; sizes as its directory says, which only bounds what honest files unpack to."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Unfit("damaged") from error
    names = {entry.filename.casefold() for entry in entries}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise Unfit("macros")
    if sum(entry.file_size for entry in entries) > PACKED_MAX:
        raise Unfit("packed")
    for part, name in (("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx")):
        if part in names and "[content_types].xml" in names:
            return name
    raise Unfit("unknown")


def _is_text(content: bytes) -> bool:
    probe = content[:TEXT_PROBE]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decodes(probe[: len(probe) // 2 * 2], "utf-16")
    if any(byte < 9 or 13 < byte < 32 for byte in probe):
        return False
    return any(_decodes(probe, code) for code in ("utf-8-sig", "gb18030"))


def _decodes(probe: bytes, code: str) -> bool:
    """Whether the bytes are text in this code; a sign cut through at the end of the probe does not count."""
    try:
        probe.decode(code)
    except UnicodeDecodeError as error:
        return error.start >= len(probe) - 4 and len(probe) == TEXT_PROBE
    return True


def photo_without_traces(content: bytes, kind: Kind, edge_max: int) -> bytes:
    """The photo upright, at most so many pixels along its longer edge, without place, device and comments (EXIF).

    Raises Unfit for a picture that is damaged or larger than any camera's.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[kind.name.upper()]) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise Unfit("pixels")
            picture.load()
            return _written(ImageOps.exif_transpose(picture), kind, edge_max)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Unfit("damaged") from error


def _written(picture: Image.Image, kind: Kind, edge_max: int) -> bytes:
    if kind.name == "jpeg" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    picture.thumbnail((edge_max, edge_max))
    picture.info.clear()
    kept = io.BytesIO()
    options = {"quality": 85} if kind.name in ("jpeg", "webp") else {"optimize": True}
    picture.save(kept, kind.name.upper(), **options)
    return kept.getvalue()


def clean_name(name: str, kind: Kind) -> str:
    """The file's own name, without folders and hidden signs, with an ending that says what it is.

    Raises Unfit("disguised") where the ending names another kind; a name without an ending is given one.
    """
    bare = PureWindowsPath(PurePosixPath(name).name).name
    bare = "".join(sign for sign in bare if sign not in _HIDDEN).strip(" .")
    path = PurePosixPath(bare or "file")
    ending = path.suffix.casefold()
    if ending not in ("", *kind.endings):
        raise Unfit("disguised")
    return f"{path.stem[:NAME_LENGTH_MAX]}{ending or kind.endings[0]}"
