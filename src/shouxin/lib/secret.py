"""Secrets the installation makes for itself and keeps in its home folder."""

import contextlib
import os
import secrets
from pathlib import Path


class DamagedSecret(ValueError):
    """The file of a secret does not hold one."""


def kept(path: Path) -> str:
    """The secret kept in the file, made on first use, readable by its owner alone.

    Two processes starting together agree: the file appears whole or not at all, and the first one wins.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        write_private(draft, secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    secret = path.read_text().strip()
    if len(secret) < 32:
        raise DamagedSecret(f"{path} is damaged: restore it from the backup, or remove it to make a new one")
    return secret


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
