"""The vault: what is personal or secret rests encrypted, by AES-GCM under keys that lie outside the database.

A sealed text is `sealed/KEY/BASE64`: the id of its key stands with it, so that keys can be changed one after another.
A sealed file is a row of blocks of a mebibyte, each sealed by itself with its place and whether it is the last, so that
no block can be changed, moved, left out or cut off unnoticed.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import secret

KEY_BYTES = 32
NONCE_BYTES = 12
INDEX = "index"
FILE_NAME = "data.key"
PREFIX = "sealed/"
FILE_MARK = b"shouxin-sealed-1\n"
BLOCK_BYTES = 1024 * 1024
_TAG_BYTES = 16
_COUNTER_BYTES = 4
_ID_LENGTH_MAX = 20


class BadKeys(ValueError):
    """The keys as given or kept cannot be used."""


class CannotOpen(ValueError):
    """A sealed text or file does not open: its key is not here, or it has been changed."""


@dataclass(frozen=True)
class Keys:
    """Key id -> key, oldest first; the last one seals. `index` is the key of blind indexes and never changes."""

    by_id: Mapping[str, bytes] = field(repr=False)
    index: bytes = field(repr=False)

    @property
    def current(self) -> str:
        """The id of the key that seals from now on."""
        return next(reversed(self.by_id))  # type: ignore[call-overload, no-any-return]

    def with_new(self) -> "Keys":
        """The same keys and a new one that seals from now on."""
        number = 1 + max(int(known[1:]) for known in self.by_id if known[1:].isdecimal())
        return Keys({**self.by_id, f"k{number}": secrets.token_bytes(KEY_BYTES)}, self.index)

    def only_current(self) -> "Keys":
        """Without the keys that nothing is sealed with any more."""
        return Keys({self.current: self.by_id[self.current]}, self.index)

    def as_text(self, separator: str = "\n") -> str:
        """As `read` takes them; a secret."""
        return separator.join(f"{name}:{_b64(key)}" for name, key in {INDEX: self.index, **self.by_id}.items())


def made() -> Keys:
    """Fresh keys."""
    return Keys({"k1": secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))


def read(text: str) -> Keys:
    """The keys written as `index:BASE64,k1:BASE64,…` (or one a line). Raises BadKeys."""
    found: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        name, colon, written = entry.partition(":")
        if not colon or not name.isascii() or not name.isalnum() or len(name) > _ID_LENGTH_MAX or name in found:
            raise BadKeys("each key is written as ID:BASE64, and no ID twice")
        found[name] = _key(written, name)
    index = found.pop(INDEX, None)
    if index is None or not found:
        raise BadKeys("the key called `index` and at least one other are needed; `shouxin keys new` prints a set")
    return Keys(found, index)


def _key(written: str, name: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(written.encode())
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadKeys(f"the key {name} must be {KEY_BYTES} bytes in BASE64")
    return key


class Vault:
    """Seals and opens with the keys given, or with those kept in a file, which is made on first use."""

    def __init__(self, *, given: str = "", path: Path | None = None) -> None:
        self.given = given
        self.path = path

    @cached_property
    def keys(self) -> Keys:
        """The keys as they are known to this process. Raises BadKeys."""
        return read(self.given or _kept(self.path))  # type: ignore[arg-type]

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        return {name: AESGCM(key) for name, key in self.keys.by_id.items()}

    def forget(self) -> None:
        """Read the keys afresh: another process may have brought in a new one."""
        self.__dict__.pop("keys", None)
        self.__dict__.pop("_ciphers", None)

    def keep(self, keys: Keys) -> None:
        """Write the keys to their file, whole or not at all. Raises BadKeys where they are given from outside."""
        if self.given or self.path is None:
            raise BadKeys("the keys are given by SHOUXIN_DATA_KEYS and are changed there")
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        secret.write_private(draft, keys.as_text())
        os.replace(draft, self.path)
        self.forget()

    # texts

    def seal(self, text: str, purpose: str) -> str:
        """The text sealed for one purpose (table and column); it opens for no other. Empty stays empty."""
        if not text:
            return ""
        nonce = os.urandom(NONCE_BYTES)
        name = self.keys.current
        return f"{PREFIX}{name}/{_b64(nonce + self._ciphers[name].encrypt(nonce, text.encode(), purpose.encode()))}"

    def open(self, kept: str, purpose: str) -> str:
        """The text that was sealed; a text kept before there was a vault is given back as it is. Raises CannotOpen."""
        if not kept.startswith(PREFIX):
            return kept
        name, _slash, written = kept[len(PREFIX) :].partition("/")
        cipher = self._cipher(name)
        try:
            sealed = base64.urlsafe_b64decode(written)
            opened = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"a value of {purpose} does not open: it was changed, or belongs elsewhere") from error
        return opened.decode()

    def index(self, text: str, purpose: str) -> str:
        """A mark that is equal for equal texts of one purpose and tells nothing else. Empty stays empty."""
        if not text:
            return ""
        return hmac.new(self.keys.index, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()

    def _cipher(self, name: str) -> AESGCM:
        if name not in self._ciphers:
            self.forget()
        if name not in self._ciphers:
            raise CannotOpen(f"the key {name} is not here: restore it, or what it has sealed stays closed")
        return self._ciphers[name]

    # files

    def seal_file(self, chunks: Iterable[bytes], path: Path) -> None:
        """Write the bytes sealed into a new file that only its owner may read."""
        name = self.keys.current
        start = os.urandom(NONCE_BYTES - _COUNTER_BYTES)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(FILE_MARK + name.encode() + b"\n" + start)
            for place, (block, last) in enumerate(_blocks(chunks)):
                nonce = start + place.to_bytes(_COUNTER_BYTES, "big")
                file.write(self._ciphers[name].encrypt(nonce, block, b"last" if last else b"more"))

    def open_file(self, path: Path) -> Iterator[bytes]:
        """The bytes of a sealed file, block by block; an unsealed one is read as it is. Raises CannotOpen."""
        with path.open("rb") as file:
            if file.read(len(FILE_MARK)) != FILE_MARK:
                file.seek(0)
                yield from iter(lambda: file.read(BLOCK_BYTES), b"")
                return
            cipher = self._cipher(file.readline(_ID_LENGTH_MAX + 1).decode(errors="replace").strip())
            start = file.read(NONCE_BYTES - _COUNTER_BYTES)
            block, place = file.read(BLOCK_BYTES + _TAG_BYTES), 0
            while True:
                after = file.read(BLOCK_BYTES + _TAG_BYTES)
                nonce = start + place.to_bytes(_COUNTER_BYTES, "big")
                try:
                    yield cipher.decrypt(nonce, block, b"more" if after else b"last")
                except (InvalidTag, ValueError) as error:
                    raise CannotOpen(f"the file {path.name} does not open: it was changed or cut off") from error
                if not after:
                    return
                block, place = after, place + 1

    @contextlib.contextmanager
    def opened(self, path: Path, folder: Path) -> Iterator[Path]:
        """The file in the clear, in a private file of that folder, for as long as the block lasts."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder, suffix=path.suffix)
        clear = Path(name)
        try:
            with open(handle, "wb") as file:
                for block in self.open_file(path):
                    file.write(block)
            yield clear
        finally:
            clear.unlink(missing_ok=True)


def is_sealed(path: Path) -> bool:
    """Whether the file is a sealed one."""
    with path.open("rb") as file:
        return file.read(len(FILE_MARK)) == FILE_MARK


def key_of(kept: str) -> str:
    """The id of the key a text is sealed with; empty for a text in the clear."""
    return kept[len(PREFIX) :].partition("/")[0] if kept.startswith(PREFIX) else ""


def _kept(path: Path) -> str:
    """The file's text; made on first use, and of two processes that make it together the first wins."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        secret.write_private(draft, made().as_text())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def _blocks(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks of a mebibyte, each with whether it is the last; no bytes at all are one empty block."""
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) > BLOCK_BYTES:
            yield held[:BLOCK_BYTES], False
            held = held[BLOCK_BYTES:]
    yield held, True


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
