"""Audits of the trail: verify the chain against what was kept outside the database, note the result, keep the head."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from . import chain, checkpoints, trail
from .models import Person, TrailEntry

ABOUT = "trail:"


def verify(
    *,
    by: Person | None,
    at: datetime,
    given: Iterable[checkpoints.Checkpoint] = (),
    walked: Callable[[int], None] = lambda entries: None,
) -> chain.Verdict:
    """Verify the whole chain against `given` and the home folder's own checkpoints; a line tells of the result (A13).

    Raises checkpoints.Unreadable for a damaged file among the home's own.
    """
    verdict = chain.verify([*given, *checkpoints.kept()], walked=walked)
    told = {"whole": verdict.whole, "entries": verdict.head.entries, "head": verdict.head.hash, "wrong": verdict.wrong}
    trail.record("trail.verify", about=ABOUT, by=by, at=at, **told)
    return verdict


def checkpoint(*, by: Person | None, at: datetime, path: Path | None = None) -> Path:
    """Keep the head of the chain outside the database: in the file, or in the home folder. FileExistsError, OSError."""
    head = chain.head()
    kept = {"entries": head.entries, "places": head.places, "at": at}
    if path is None:
        path = checkpoints.keep(**kept)
    else:
        checkpoints.write(path, **kept)
    trail.record("trail.checkpoint", about=ABOUT, by=by, at=at, entries=head.entries, head=head.hash, file=path.name)
    return path


def last() -> TrailEntry | None:
    """The line of the last verification."""
    return TrailEntry.objects.filter(about=ABOUT, verb="trail.verify").order_by("-id").first()


def as_row(verdict: chain.Verdict) -> dict[str, Any]:
    """What the API and the command answer."""
    return {
        "whole": verdict.whole,
        "entries": verdict.head.entries,
        "head": verdict.head.hash,
        "strands": [{"strand": each.strand, "seq": each.seq, "hash": each.hash} for each in verdict.head.places],
        "checkpoints": verdict.checkpoints,
        "wrong": verdict.wrong,
        "findings": [
            {"code": each.code, "strand": each.strand, "seq": each.seq, "entry": each.entry, "message": each.text}
            for each in verdict.findings
        ],
    }
