"""The restore: a backup becomes an installation, wholly or not at all, and stays paused until a person lets it go on.

Nothing is touched before every byte of the archive is proved. The database is replaced in one transaction, in which the
pause is marked too; then the files take their place. Counts, digests and the head of the trail are compared with the
manifest before anything is written; then the database is brought to this release, the trail's chain verified and the
proof run.
"""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from shouxin.config import backup, fingerprint, migrating, programs
from shouxin.lib import archive
from shouxin.lib.database import roles
from shouxin.office import chain, clock, posts, trail
from shouxin.receivables import proof

ANEW = "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
PAUSE = (
    "\nINSERT INTO public.lib_once (name, at) VALUES ('paused', now())"
    " ON CONFLICT (name) DO UPDATE SET at = excluded.at;\n"
)
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
)
"""Sessions of anybody. The owner of the tables is not shown what kind a session of another role is, only whose."""

TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('public')"


class RestoreError(RuntimeError):
    """Nothing was restored, and nothing changed; the message says why."""


@dataclass(frozen=True)
class Restored:
    """What was found after a restore, beside what the manifest says."""

    manifest: dict[str, Any]
    unlike: list[str]
    trail_head: dict[str, Any]
    trail_faults: int
    accounts: int
    differences: int

    @property
    def whole(self) -> bool:
        """Whether everything is as it was, and the books agree."""
        alike = not self.unlike and self.trail_head == self.manifest["trail_head"]
        return alike and not self.trail_faults and not self.differences

    def as_row(self) -> dict[str, Any]:
        """What a person wants to know of it."""
        tables = self.manifest["tables"]
        return {
            "of": self.manifest["at"],
            "product": self.manifest["product"],
            "tables": len(tables),
            "rows": sum(each["rows"] for each in tables.values()),
            "unlike": self.unlike,
            "trail_head": self.trail_head["id"],
            "trail_faults": self.trail_faults,
            "accounts": self.accounts,
            "differences": self.differences,
            "whole": self.whole,
        }


def check(source: Path, *, identity: Path | None = None) -> dict[str, Any]:
    """The manifest of a backup every byte of which is as it was written; changes nothing. Raises RestoreError."""
    with backup.work_folder() as folder:
        return _opened(source, folder, identity)


def restore(source: Path, *, replace: bool = False, identity: Path | None = None, at: datetime) -> Restored:
    """Make this installation the one in the backup, paused. Raises RestoreError before anything has changed.

    `replace`: what is here now is given up. Without it only an empty installation takes a backup in.
    """
    with backup.work_folder() as folder:
        manifest = _opened(source, folder, identity)
        migrating.let_go()
        with roles.as_owner():
            with programs.connect() as ours:
                _refuse_company(ours)
                if not replace:
                    _refuse_what_is_here(ours)
                _restore_database(folder, manifest)
                _restore_files(folder / backup.FILES, settings.HOME)
            return _compared(source, manifest, at=at)


def _opened(source: Path, folder: Path, identity: Path | None) -> dict[str, Any]:
    try:
        manifest = archive.unpack(source, folder, identity=identity)
    except (archive.ArchiveError, OSError) as error:
        raise RestoreError(f"{source} cannot be restored: {error}") from error
    if manifest.get("format") != backup.FORMAT or not (folder / backup.DATABASE).exists():
        raise RestoreError(f"{source} is no backup of this product, or of a later release of it.")
    unknown = sorted(set(manifest["migrations"]) - _known_migrations())
    if unknown:
        raise RestoreError(f"{source} was made by a later release ({manifest['product']}): install that one first.")
    return manifest


def _known_migrations() -> set[str]:
    loader = MigrationLoader(None)
    replaced = {f"{app}.{name}" for each in loader.disk_migrations.values() for app, name in each.replaces}
    return {f"{app}.{name}" for app, name in loader.disk_migrations} | replaced


def _refuse_company(ours: psycopg.Connection) -> None:
    """Alone with the database; servers that start from now on wait for the lock until we are done."""
    (locked,) = ours.execute("SELECT pg_try_advisory_lock(%s)", [migrating.LOCK]).fetchone() or (False,)
    (others,) = ours.execute(OTHERS).fetchone() or (0,)
    if others or not locked:
        raise RestoreError(
            f"{others} other connections use the database: stop every server on it first, here and elsewhere."
        )


def _refuse_what_is_here(ours: psycopg.Connection) -> None:
    files = [path.name for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    tables = ours.execute(TABLES).fetchall()
    if tables or files:
        raise RestoreError(
            f"this installation is not empty ({len(tables)} tables, {len(files)} files): "
            "restore into a new SHOUXIN_HOME or an empty database, or give up what is here with --replace."
        )


def _restore_database(folder: Path, manifest: dict[str, Any]) -> None:
    """Out with the old schema, in with the new, the pause marked: one transaction, or nothing."""
    if manifest["server"] > programs.major():
        raise RestoreError(
            f"the backup is of PostgreSQL {manifest['server']}, and {programs.major()} is the latest known here."
        )
    script, before, after = folder / "restore.sql", folder / "before.sql", folder / "after.sql"
    before.write_text(ANEW)
    after.write_text(PAUSE)
    try:
        _write_script(folder / backup.DATABASE, script)
        files = [f"--file={path}" for path in (before, script, after)]
        programs.run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *files)
    except programs.ProgramFailed as error:
        raise RestoreError(f"the database was left as it was: {error}") from error
    finally:
        script.unlink(missing_ok=True)


def _write_script(dump: Path, script: Path) -> None:
    """The dump as statements, without the schema itself: a dump names it only where a restore has made it."""
    contents = dump.with_suffix(".list")
    programs.run_on_file("pg_restore", "--list", f"--file={contents}", str(dump))
    kept = [line for line in contents.read_text().splitlines(keepends=True) if " SCHEMA - public " not in line]
    contents.write_text("".join(kept))
    programs.run_on_file(
        "pg_restore", "--no-owner", "--no-privileges", f"--use-list={contents}", f"--file={script}", str(dump)
    )


def _restore_files(source: Path, home: Path) -> None:
    """Each thing of the archive takes the place of its like below the home; what is only here stays."""
    for new in sorted(source.glob("*")):
        old = home / new.name
        aside = home / f".replaced-{new.name}"
        shutil.rmtree(aside, ignore_errors=True)
        if old.exists():
            old.rename(aside)
        new.rename(old)
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink(missing_ok=True)


def _compared(source: Path, manifest: dict[str, Any], *, at: datetime) -> Restored:
    """Compare, bring to this release, prove, and leave a line."""
    with fingerprint.one_moment():
        unlike = fingerprint.unlike(manifest["tables"], fingerprint.take())
    head = backup.trail_head()
    migrating.bring_up()
    house = posts.system()
    accounts, differences = proof.measure(by=house, at=at, on=clock.today())
    restored = Restored(manifest, unlike, head, chain.verify().wrong, accounts, len(differences))
    trail.record(
        "installation.restore", about="installation:", by=house, at=at, file=source.name, of=manifest["at"],
        rows=restored.as_row()["rows"], unlike=unlike, differences=len(differences),
    )  # fmt: skip
    return restored
