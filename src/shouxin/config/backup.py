"""The backup: the whole installation as of one moment, in one file, read back before it counts.

In it: the database (pg_dump's own format), the files and the keys of the home, and a manifest: the release, the
migrations, of each table the rows and their digest, the head of the trail, the digest of every file. Not in it: the
embedded server's own folder and passwords, which belong to a machine, and what can be made anew (cache, logs).

Files are read after the database: whatever the database names was written before it was named, so none is missing.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from shouxin import __version__
from shouxin.config import fingerprint, migrating, programs
from shouxin.lib import archive, spool
from shouxin.lib.models import Once
from shouxin.office import chain, trail
from shouxin.office.models import Person, TrailEntry

FORMAT = 1
DATABASE = "database.dump"
FILES = "files/"
MARK = "backup"
CHAINED = "office.0005_trail_chain"
NOT_KEPT = ("postgres", "cache", "figures", "backups", "fault.log", spool.NAME)
"""Beginnings of names directly below the home that are left out."""


class BackupError(RuntimeError):
    """No backup was made; the message says why."""


@dataclass(frozen=True)
class Made:
    """A backup as it was written."""

    path: Path
    size: int
    manifest: dict[str, Any]

    def as_row(self) -> dict[str, Any]:
        """What a person wants to know of it."""
        tables = self.manifest["tables"]
        return {
            "file": str(self.path),
            "bytes": self.size,
            "at": self.manifest["at"],
            "files": len(self.manifest["members"]) - 1,
            "tables": len(tables),
            "rows": sum(each["rows"] for each in tables.values()),
            "trail_head": self.manifest["trail_head"],
        }


def make(target: Path, *, recipient: str = "", by: Person, at: datetime) -> Made:
    """Back the installation up into a new file, while it works; leaves a line in the trail.

    Raises BackupError, ArchiveError, OSError; then there is no file of that name.
    """
    target = target.absolute()
    if target.exists():
        raise BackupError(f"{target} exists already: backups are never overwritten.")
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}.")
    if programs.server_major() > programs.major():
        raise BackupError(
            f"the server is PostgreSQL {programs.server_major()}; {programs.major()} is the latest known here."
        )
    if migrating.pending():
        raise BackupError("the database is not of this release: run `shouxin migrate` first.")
    with work_folder() as folder:
        manifest = _dump(folder / DATABASE, at)
        members = [archive.Member(DATABASE, folder / DATABASE), *_files(settings.HOME, target)]
        written = archive.write(target, members, manifest, recipient=recipient)
    made = Made(target, target.stat().st_size, written)
    _remember(made, by=by, at=at)
    return made


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder of our own below the home, where nobody else reads; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".backup-", dir=settings.HOME))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dump(path: Path, at: datetime) -> dict[str, Any]:
    """The database of one moment into the file; answers what the manifest says of it."""
    with fingerprint.one_moment() as snapshot:
        programs.run(
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={path}"
        )
        return {
            "format": FORMAT,
            "product": __version__,
            "at": at.isoformat(),
            "server": programs.server_major(),
            "migrations": _migrations(),
            "tables": fingerprint.take(),
            "trail_head": trail_head(),
        }


def _migrations() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def trail_head() -> dict[str, Any]:
    """The last line of the trail and, of a release that has the chain, the hash over all of it."""
    last = TrailEntry.objects.order_by("-id").values("id", "at").first()
    place = {"id": last["id"], "at": last["at"].isoformat()} if last else {"id": 0, "at": ""}
    return place | ({"hash": chain.head().hash} if CHAINED in _migrations() else {})


def _files(home: Path, target: Path) -> Iterator[archive.Member]:
    """Every file of the home that cannot be made anew."""
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if _kept(name) and path.is_file() and not path.is_symlink() and path != target:
            yield archive.Member(FILES + name.as_posix(), path)


def _kept(name: Path) -> bool:
    return not name.parts[0].startswith((".", *NOT_KEPT)) and not name.name.endswith(".partial")


@transaction.atomic
def _remember(made: Made, *, by: Person, at: datetime) -> None:
    Once.objects.update_or_create(name=MARK, defaults={"at": at})
    row = made.as_row()
    trail.record(
        "installation.backup", about="installation:", by=by, at=at, file=made.path.name, bytes=made.size,
        rows=row["rows"], trail_head=row["trail_head"]["id"],
    )  # fmt: skip


def last() -> datetime | None:
    """When the last backup was made, or None where none ever was."""
    return Once.objects.filter(name=MARK).values_list("at", flat=True).first()
