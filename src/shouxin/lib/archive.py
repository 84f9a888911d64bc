"""An archive of files that is whole or refused: a plain tar with a manifest as its last member and a digest behind it.

`tar tf` reads it. The last 65 bytes are the SHA-256 of everything before them, in hexadecimal, and a line's end: one
byte changed, lost or added anywhere is noticed before anything is believed. Encrypted, the same archive is put into an
age file (https://age-encryption.org/v1) for a recipient whose key need not be on this machine.
"""

import contextlib
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyrage

MANIFEST = "manifest.json"
TRAILER = 65
CHUNK = 1 << 20
AGE = b"age-encryption.org/v1"


class ArchiveError(ValueError):
    """The archive cannot be written, or is not to be believed; the message says why."""


@dataclass(frozen=True)
class Member:
    """A file on its way into an archive, under a name of its own there."""

    name: str
    path: Path


@dataclass
class _Hashed(io.RawIOBase):
    """What is written here goes on to `target` and into the digest."""

    target: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)

    def writable(self) -> bool:
        return True

    def write(self, some: Any) -> int:
        self.digest.update(some)
        self.target.write(some)
        return len(some)


def write(target: Path, members: Iterable[Member], manifest: dict[str, Any], *, recipient: str = "") -> dict[str, Any]:
    """Write the archive, for its owner alone, and read it back; answers the manifest with the digest of every member.

    It appears under its name when it is whole, checked and on the disk, and not before. Raises ArchiveError, OSError.
    """
    draft = target.with_name(f".{target.name}.partial")
    draft.unlink(missing_ok=True)
    try:
        with open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
            written = _written(out, members, manifest, recipient)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(target)
        _sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    return written


def _written(out: BinaryIO, members: Iterable[Member], manifest: dict[str, Any], recipient: str) -> dict[str, Any]:
    if not recipient:
        full = _pack(out, members, manifest)
        _check(out)
        return full
    once = pyrage.x25519.Identity.generate()  # known to nobody after this call: only to read back what was written
    with _pipe() as (source, sink), _writer(sink, members, manifest) as packed:
        pyrage.encrypt_io(source, out, [_recipient(recipient), once.to_public()])
    out.seek(0)
    with _pipe() as (source, sink), _reader(source) as read, sink:
        pyrage.decrypt_io(out, sink, [once])
    if read[0] != packed[0]["digest"]:
        raise ArchiveError("what was written cannot be read back as it was")
    return packed[0]["manifest"]


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise ArchiveError(f"{text!r} is not a recipient such as age1…") from error


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    source, sink = os.pipe()
    with open(source, "rb") as reading, open(sink, "wb") as writing:
        yield reading, writing


@contextlib.contextmanager
def _writer(sink: BinaryIO, members: Iterable[Member], manifest: dict[str, Any]) -> Iterator[list[Any]]:
    """Pack into the pipe from a thread, while the caller reads the other end."""
    found: list[Any] = []
    failed: list[BaseException] = []

    def pack() -> None:
        try:
            with sink:
                hashed = _Hashed(sink)
                found.append({"manifest": _pack(hashed, members, manifest), "digest": hashed.digest.hexdigest()})
        except BaseException as error:
            failed.append(error)

    with _thread(pack):
        yield found
    if failed:
        raise failed[0]


@contextlib.contextmanager
def _reader(source: BinaryIO) -> Iterator[list[str]]:
    """The digest of all that comes out of the pipe, taken in a thread while the caller writes the other end."""
    found: list[str] = []

    def read() -> None:
        found.append(hashlib.file_digest(source, "sha256").hexdigest())

    with _thread(read):
        yield found


@contextlib.contextmanager
def _thread(work: Any) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _pack(out: Any, members: Iterable[Member], manifest: dict[str, Any]) -> dict[str, Any]:
    hashed = _Hashed(out)
    digests: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=hashed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            digests[member.name] = _add(tar, member)
        full = {**manifest, "members": digests}
        text = json.dumps(full, ensure_ascii=False, indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
    out.write(f"{hashed.digest.hexdigest()}\n".encode())
    return full


def _add(tar: tarfile.TarFile, member: Member) -> dict[str, Any]:
    with open(member.path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        reading = _Reading(file)
        tar.addfile(_entry(member.name, size), reading)  # type: ignore[arg-type]
    return {"size": size, "sha256": reading.digest.hexdigest()}


@dataclass
class _Reading:
    """What is read through here goes into the digest."""

    source: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)

    def read(self, size: int) -> bytes:
        some = self.source.read(size)
        self.digest.update(some)
        return some


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- reading -------------------------------------------------------------------------------------


def unpack(path: Path, into: Path, *, identity: Path | None = None) -> dict[str, Any]:
    """Lay the members down below `into`, an empty folder; answers the manifest. Raises ArchiveError, OSError.

    Nothing is answered unless every byte is as it was written.
    """
    with open(path, "rb") as file:
        encrypted = file.read(len(AGE)) == AGE
        file.seek(0)
        if not encrypted:
            return _check(file, into)
        plain = into / ".plain"
        with open(os.open(plain, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as opened:
            _decrypt(file, opened, identity)
            manifest = _check(opened, into)
        plain.unlink()
        return manifest


def _decrypt(source: BinaryIO, target: BinaryIO, identity: Path | None) -> None:
    if identity is None:
        raise ArchiveError("it is encrypted: name the file of its key with --identity")
    lines = [line for line in identity.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-")]
    if not lines:
        raise ArchiveError(f"{identity} holds no key (AGE-SECRET-KEY-…)")
    try:
        pyrage.decrypt_io(source, target, [pyrage.x25519.Identity.from_str(line) for line in lines])
    except (pyrage.DecryptError, pyrage.IdentityError, OSError) as error:
        raise ArchiveError(f"it cannot be decrypted: another key is needed, or it is damaged ({error})") from error


def _check(file: BinaryIO, into: Path | None = None) -> dict[str, Any]:
    """Every byte against the digest, every member against the manifest, laid down below `into` where that is given."""
    _check_digest(file)
    file.seek(0)
    seen: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for entry in tar:
                if entry.name == MANIFEST:
                    manifest = json.load(tar.extractfile(entry) or io.BytesIO())
                else:
                    seen[entry.name] = _take_out(tar, entry, into)
    except (tarfile.TarError, ValueError) as error:
        raise ArchiveError(f"it cannot be read ({error})") from error
    if seen != manifest.get("members"):
        raise ArchiveError("its members are not those of its manifest")
    return manifest


def _check_digest(file: BinaryIO) -> None:
    left = file.seek(0, os.SEEK_END) - TRAILER
    if left <= 0:
        raise ArchiveError("it is no archive of this product, or cut short")
    file.seek(0)
    digest = hashlib.sha256()
    while left:
        some = file.read(min(CHUNK, left))
        digest.update(some)
        left -= len(some)
    if file.read() != f"{digest.hexdigest()}\n".encode():
        raise ArchiveError("it is damaged: its digest is not that of its content")


def _take_out(tar: tarfile.TarFile, entry: tarfile.TarInfo, into: Path | None) -> dict[str, Any]:
    name = PurePosixPath(entry.name)
    source = tar.extractfile(entry) if entry.isreg() else None
    if source is None or name.is_absolute() or ".." in name.parts:
        raise ArchiveError(f"it holds something that is no plain file: {entry.name}")
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(_laid_down(into / name)) if into else None
        while some := source.read(CHUNK):
            digest.update(some)
            if out:
                out.write(some)
    return {"size": entry.size, "sha256": digest.hexdigest()}


def _laid_down(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def new_identity(path: Path) -> str:
    """A new key in a file of its owner's alone; answers the recipient it opens archives for. Never overwrites."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"# public key: {recipient}\n{identity}\n")
    return recipient
