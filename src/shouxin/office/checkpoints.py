"""Checkpoints of the trail: where its chain stood at a moment, signed, kept outside the database.

Whoever owns the database can rewrite the whole chain, but not what has left the house before: a checkpoint tells the
old chain from a new one. The signature (HMAC-SHA256) is made with a key of the home folder, which the database never
sees; it tells a checkpoint that was changed, or made elsewhere, from one of ours.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from shouxin.lib import secret

KEY_FILE = "trail.key"
FOLDER = "checkpoints"
FORMAT = "shouxin-trail-checkpoint-1"
SIZE_MAX = 100_000


class Unreadable(ValueError):
    """The file is no checkpoint; the message says why."""


@dataclass(frozen=True)
class Place:
    """Where a strand stands: its last number and its hash there, in hex."""

    strand: int
    seq: int
    hash: str


@dataclass(frozen=True)
class Checkpoint:
    """Where every strand stood at a moment; `ours` says whether the signature is this installation's."""

    at: datetime
    entries: int
    places: tuple[Place, ...]
    ours: bool = True


def folder() -> Path:
    """Where the worker keeps the daily checkpoints: in the home folder, outside the database."""
    return Path(settings.HOME) / FOLDER


def write(path: Path, *, entries: int, places: tuple[Place, ...], at: datetime) -> None:
    """Write a signed checkpoint, whole or not at all; an existing file is never replaced (FileExistsError)."""
    told = {
        "format": FORMAT,
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "entries": entries,
        "strands": [{"strand": place.strand, "seq": place.seq, "hash": place.hash} for place in places],
    }
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    secret.write_private(draft, json.dumps(told | {"signature": _signature(told)}, indent=1) + "\n")
    try:
        path.hardlink_to(draft)
    finally:
        draft.unlink()


def read(path: Path) -> Checkpoint:
    """The checkpoint in the file. Raises Unreadable."""
    try:
        if path.stat().st_size > SIZE_MAX:
            raise ValueError(_("it is too large"))
        return _parsed(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(_("%(path)s is no checkpoint of the trail (%(why)s)") % {"path": path, "why": error}) from None


def kept() -> list[Checkpoint]:
    """The checkpoints of the home folder, oldest first. Raises Unreadable for a damaged one."""
    return sorted((read(path) for path in folder().glob("*.json")), key=lambda each: each.at)


def newest() -> datetime | None:
    """When the newest checkpoint of the home folder was made, by its name; None where there is none."""
    names = sorted(path.name.removesuffix(".json") for path in folder().glob("*.json"))
    return datetime.strptime(names[-1][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if names else None


def keep(*, entries: int, places: tuple[Place, ...], at: datetime) -> Path:
    """Add a checkpoint to the home folder; returns its file, named by its moment to the microsecond."""
    folder().mkdir(mode=0o700, exist_ok=True)
    path = folder() / f"{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.json"
    write(path, entries=entries, places=places, at=at)
    return path


def _parsed(told: Mapping[str, Any]) -> Checkpoint:
    if told["format"] != FORMAT:
        raise ValueError(_("its format is not known"))
    unsigned = {name: value for name, value in told.items() if name != "signature"}
    places = tuple(Place(int(each["strand"]), int(each["seq"]), str(each["hash"])) for each in told["strands"])
    ours = hmac.compare_digest(_signature(unsigned), str(told.get("signature", "")))
    return Checkpoint(datetime.fromisoformat(told["at"]), int(told["entries"]), places, ours)


def _signature(told: Mapping[str, Any]) -> str:
    """Over the JSON with sorted keys and no blanks."""
    key = secret.kept(Path(settings.HOME) / KEY_FILE)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
