"""Files in the clear while they are read: uploads, imports and what was read of a workbook, below the home.

Each process has a folder of its own there, which nobody else on the machine may open. What a dead process left is
removed at the next start and, whoever left it, by the hourly clearing away; no backup takes it along.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

NAME = "spool"


def folder() -> Path:
    """This process's own folder, made at first use."""
    own = _all() / f"{socket.gethostname()}-{os.getpid()}"
    for path in (own.parent, own):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return own


def left() -> Iterator[Path]:
    """The files of every process but those that live on this machine: dead ones, and those of other machines."""
    for each in _all().glob("*"):
        if not _is_alive(each):
            yield from (path for path in each.rglob("*") if path.is_file())


def empty() -> None:
    """Remove what dead processes of this machine left; other machines look after their own."""
    for old in _all().glob(f"{socket.gethostname()}-*"):
        if not _is_alive(old):
            shutil.rmtree(old, ignore_errors=True)


def _is_alive(of: Path) -> bool:
    """Whether the process whose folder it is runs on this machine."""
    host, _dash, pid = of.name.rpartition("-")
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:  # there is one, and it is somebody else's
        pass
    return host == socket.gethostname()


def _all() -> Path:
    return Path(settings.HOME) / NAME


class Spooled(TemporaryUploadedFile):
    """An upload that lies in the spool."""

    def __init__(self, name: str, content_type: str, size: int, charset: str, content_type_extra: Any = None) -> None:
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder())  # noqa: SIM115 - closed with the request
        UploadedFile.__init__(self, file, name, content_type, size, charset, content_type_extra)


class SpoolUploads(TemporaryFileUploadHandler):
    """Takes uploads in that are too large for memory."""

    def new_file(self, *given: Any, **named: Any) -> None:
        """Begin a file."""
        FileUploadHandler.new_file(self, *given, **named)
        self.file = Spooled(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)
