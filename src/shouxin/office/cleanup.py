"""Clearing away what is finished: uploads, workbooks of refused rows, what a crash left, sessions (剩余信息保护)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from shouxin.lib import spool
from shouxin.lib.models import ImportRun

from . import knocks, posts, trail
from .imports import runs

CLEAR_HOURS = 1
"""After so many hours a file in the clear is no longer being read by anybody: it was left by a crash."""
ABANDONED_TIMES = 7
"""An upload nobody began is kept so many times longer than one that is finished."""

log = structlog.get_logger("shouxin.cleanup")


def purge(*, at: datetime, hours: int) -> dict[str, int]:
    """Remove what has been finished for so many hours; answers how many of each, and leaves one line if any.

    Doing it twice changes nothing. A file that cannot be removed is named in the log and met again the next time.
    """
    done = {
        "files": _finished_runs(at - timedelta(hours=hours)),
        "abandoned": _abandoned_runs(at - timedelta(hours=hours * ABANDONED_TIMES)),
        "leftovers": sum(map(_removed, _leftovers(at, hours))),
        "sessions": _sessions(),
        "knocks": knocks.purge(at - timedelta(hours=hours)),
    }
    if any(done.values()):
        trail.record("purge", about="office", by=posts.system(), at=at, **done)
    log.info("cleared away", **done)
    return done


def _finished_runs(before: datetime) -> int:
    """The files and the refused cells of runs that ended before; counts and totals of the run stay."""
    count = 0
    for run in ImportRun.objects.filter(finished_at__lt=before).exclude(path="", errors_path="", errors=[]):
        _forget_files(run)
        ImportRun.objects.filter(pk=run.pk).update(path="", errors_path="", errors=[])
        count += 1
    return count


@transaction.atomic
def _abandoned_runs(before: datetime) -> int:
    rows = list(ImportRun.objects.select_for_update(skip_locked=True).filter(state="uploaded", created_at__lt=before))
    for run in rows:
        _forget_files(run)
        fault = {"code": "abandoned", "params": {}}
        ImportRun.objects.filter(pk=run.pk).update(state="failed", fault=fault, path="", finished_at=before)
    return len(rows)


def _forget_files(run: ImportRun) -> None:
    for name in filter(None, (run.path, run.errors_path)):
        _removed(Path(settings.MEDIA_ROOT) / name)


def _leftovers(at: datetime, hours: int) -> Iterator[Path]:
    """Files in the clear that nobody here reads, and files of the import folder that belong to no run."""
    yield from _older(spool.left(), at - timedelta(hours=CLEAR_HOURS))
    known = {path for pair in ImportRun.objects.values_list("path", "errors_path") for path in pair}
    folder = Path(settings.MEDIA_ROOT) / runs.PREFIX
    strangers = (path for path in folder.glob("*") if str(path.relative_to(settings.MEDIA_ROOT)) not in known)
    yield from _older(strangers, at - timedelta(hours=hours))


def _older(paths: Iterator[Path], before: datetime) -> Iterator[Path]:
    for path in paths:
        try:
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                yield path
        except OSError:  # somebody else has removed it, or it is not ours to look at
            continue


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("a file could not be cleared away", file=path.name, why=type(error).__name__)
        return False
    return True


def _sessions() -> int:
    before = Session.objects.count()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return max(0, before - Session.objects.count())
