"""The trail's chain: where it stands, and whether every entry is as it was written (I-21). docs/en/trail.md tells how.

The database links the entries itself as each transaction commits (migration 0005). Here the chain is only read, and
recomputed from the entries' columns without any of the database's functions.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from .checkpoints import Checkpoint, Place

FINDINGS_MAX = 100
PAGE_ROWS = 5000

TEXTS = {
    "altered": _("The entry or its link is not as it was written: the hash does not match."),
    "deleted": _("The entry is gone; its link still stands."),
    "inserted": _("The entry has no link: it was not written by way of the product."),
    "gap": _("Links are missing before this number."),
    "seal": _("The strand does not have the hash it had when it was sealed here."),
    "cut": _("The strand ends before the place where it was sealed last: its tail is gone."),
    "unsealed": _("The strand goes on after the place where it was sealed last."),
    "rewritten": _("The strand has another hash than when the checkpoint was made: it was written anew."),
    "checkpoint_ahead": _("The strand ends before the place the checkpoint saw: its tail is gone."),
    "checkpoint_forged": _("The checkpoint is not signed by this installation, or was changed afterwards."),
}
"""What can be wrong, in words."""

HEADS = """
WITH RECURSIVE strands (strand) AS (
    (SELECT strand FROM office_traillink ORDER BY strand LIMIT 1)
    UNION ALL
    SELECT (SELECT link.strand FROM office_traillink AS link WHERE link.strand > strands.strand
        ORDER BY link.strand LIMIT 1) FROM strands WHERE strands.strand IS NOT NULL
)
SELECT last.strand, last.seq, last.hash FROM strands CROSS JOIN LATERAL (
    SELECT * FROM office_traillink AS link WHERE link.strand = strands.strand ORDER BY link.seq DESC LIMIT 1
) AS last ORDER BY last.strand
"""
SEALED = f"""
SELECT seal.strand, max(seal.seq), max(coalesce(head.seq, 0)) FROM office_trailseal AS seal
LEFT JOIN ({HEADS}) AS head ON head.strand = seal.strand GROUP BY seal.strand
"""
LINKS = """
SELECT link.seq, link.hash, link.entry_id, seal.hash, seal.entries, entry.id,
    to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.by_id, entry.by_name, entry.verb,
    entry.about, entry.label, entry.customer_id, entry.particulars::text
FROM office_traillink AS link
LEFT JOIN office_trailentry AS entry ON entry.id = link.entry_id
LEFT JOIN office_trailseal AS seal ON seal.strand = link.strand AND seal.seq = link.seq
WHERE link.strand = %s AND link.seq > %s AND link.seq <= %s ORDER BY link.seq LIMIT %s
"""
UNLINKED = """
SELECT entry.id FROM office_trailentry AS entry
WHERE NOT EXISTS (SELECT FROM office_traillink AS link WHERE link.entry_id = entry.id) ORDER BY entry.id
"""


@dataclass(frozen=True)
class Head:
    """Where the whole chain stands: how many entries, and the last place of each strand."""

    entries: int
    places: tuple[Place, ...]

    @property
    def hash(self) -> str:
        """One hash over all strands, in hex: SHA-256 over a line `strand seq hash` for each."""
        lines = "".join(f"{place.strand} {place.seq} {place.hash}\n" for place in self.places)
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its code (a key of TEXTS), where."""

    code: str
    strand: int | None = None
    seq: int | None = None
    entry: int | None = None

    @property
    def text(self) -> str:
        """What it means, in the current language."""
        return str(TEXTS[self.code])


@dataclass
class Verdict:
    """What a verification found. `findings` holds the first hundred, `wrong` counts all."""

    head: Head
    checkpoints: int
    findings: list[Finding] = field(default_factory=list)
    wrong: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    def add(self, *args: Any) -> None:
        """Note one thing that is wrong."""
        self.wrong += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(*args))


def head() -> Head:
    """Where the chain stands now."""
    places = tuple(Place(strand, seq, bytes(hash).hex()) for strand, seq, hash in _rows(HEADS))
    return Head(sum(place.seq for place in places), places)


def verify(checkpoints: Sequence[Checkpoint] = (), *, walked: Callable[[int], None] = lambda entries: None) -> Verdict:
    """Recompute the whole chain in pages, with flat memory; entries written meanwhile are left to the next time.

    `walked` is told the number of entries of each page. Without a checkpoint a chain rewritten from some entry to its
    end, seals included, cannot be told from a true one.
    """
    verdict = Verdict(head(), len(checkpoints))
    ends = {place.strand: place.seq for place in verdict.head.places}
    _compare(checkpoints, ends, verdict)
    _look_for_cuts(ends, verdict)
    expected = {(place.strand, place.seq): place.hash for each in checkpoints if each.ours for place in each.places}
    for place in verdict.head.places:
        _walk(place, expected, verdict, walked)
    for (entry,) in _rows(UNLINKED):
        verdict.add("inserted", None, None, entry)
    return verdict


def canonical(columns: Sequence[Any]) -> bytes:
    """What is hashed of an entry, from its nine columns as the LINKS query has them: a JSON array in UTF-8."""
    *plain, particulars = columns
    return f"{json.dumps(plain, ensure_ascii=False)[:-1]}, {particulars}]".encode()


def genesis(strand: int) -> bytes:
    """The hash before a strand's first entry."""
    return hashlib.sha256(f"shouxin trail strand {strand}".encode()).digest()


def _compare(checkpoints: Sequence[Checkpoint], ends: dict[int, int], verdict: Verdict) -> None:
    for each in checkpoints:
        if not each.ours:
            verdict.add("checkpoint_forged")
        for place in each.places:
            if each.ours and place.seq > ends.get(place.strand, 0):
                verdict.add("checkpoint_ahead", place.strand, place.seq)


def _look_for_cuts(ends: dict[int, int], verdict: Verdict) -> None:
    """The seals are a record kept apart from the links: one that lies beyond the last link tells of a cut."""
    sealed = {strand: (last, end) for strand, last, end in _rows(SEALED)}
    for strand, (last, end) in sealed.items():
        if last > end:
            verdict.add("cut", strand, end)
    for strand, end in ends.items():
        if sealed.get(strand, (0, 0))[0] < end:
            verdict.add("unsealed", strand, end)


def _walk(end: Place, expected: dict[tuple[int, int], str], verdict: Verdict, walked: Callable[[int], None]) -> None:
    """One strand from its beginning. After a wrong link it goes on from what is stored: one fault is one finding."""
    before, last, sealed = genesis(end.strand), 0, 0
    for seq, stored, entry, seal, sealed_entries, *columns in _links(end, walked):
        stored = bytes(stored)
        if seq != last + 1:
            verdict.add("gap", end.strand, seq, entry)
        elif columns[0] is None:
            verdict.add("deleted", end.strand, seq, entry)
        elif hashlib.sha256(before + canonical(columns)).digest() != stored:
            verdict.add("altered", end.strand, seq, entry)
        if expected.get((end.strand, seq), stored.hex()) != stored.hex():
            verdict.add("rewritten", end.strand, seq)
        if seal is not None:
            if bytes(seal) != stored or sealed_entries != seq - sealed:
                verdict.add("seal", end.strand, seq)
            sealed = seq
        before, last = stored, seq


def _links(end: Place, walked: Callable[[int], None]) -> Iterator[tuple[Any, ...]]:
    last = 0
    while rows := list(_rows(LINKS, [end.strand, last, end.seq, PAGE_ROWS])):
        yield from rows
        last = rows[-1][0]
        walked(len(rows))


def _rows(statement: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        yield from cursor
