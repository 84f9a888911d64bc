"""Find the headings of a table and recognise what each column means."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz import process as rapidfuzz_process

from shouxin.rules.text import half_width

from .delimited import Record
from .faults import FileFault
from .kinds import Column, Kind

SEARCHED_ROWS = 15
HEADING_DEPTH_MAX = 3

EXACT, TAIL, SUGGESTED = 1.0, 0.8, 0.5
_SUGGESTED_SCORE_MIN = 74
_UNITS = {"亿元": 10**8, "亿": 10**8, "万元": 10**4, "万": 10**4, "千元": 10**3, "元": 1}
_UNIT = re.compile(r"[(\[【/_-]?\s*(?:单位)?:?\s*(亿元|亿|万元|万|千元|元)\s*[)\]】]?\s*$")
_BRACKETED = re.compile(r"[(\[【][^)\]】]*[)\]】]")
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Heading:
    """The headings of a table: the rows they stand in, and one text per column ('' where there is none)."""

    first_row: int
    last_row: int
    texts: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of columns up to the last one with a heading."""
        return max((index + 1 for index, text in enumerate(self.texts) if text), default=0)


@dataclass(frozen=True)
class Recognised:
    """A column of the file taken for a column of the kind: how sure (1 exact, below 0.6 only a suggestion)."""

    key: str
    index: int
    confidence: float


def plain(text: str) -> str:
    """A heading without width, case, blanks and punctuation, so that spellings meet."""
    return _NOISE.sub("", unicodedata.normalize("NFC", half_width(text)).casefold())


def unit_of(text: str) -> tuple[str, int]:
    """The heading without its unit, and what one stands for: 金额(万元) is 金额 in tens of thousands."""
    body = half_width(text).strip()
    found = _UNIT.search(body)
    if found is None or found.start() == 0 or (found[1] in ("元", "万", "亿") and found[0] == found[1]):
        return body, 1
    return body[: found.start()], _UNITS[found[1]]


# --- finding -------------------------------------------------------------------------------------


def locate(head: Sequence[Record], kind: Kind, heading_row: int = 0) -> Heading:
    """The heading among the first rows of a file: one to three rows, joined, that name most columns.

    `heading_row`: where the mapping says it begins. Raises FileFault `no_heading`.
    """
    starts = [i for i, (number, _cells) in enumerate(head) if not heading_row or number == heading_row]
    candidates = [
        _joined(head[start : start + depth])
        for start in starts[:SEARCHED_ROWS]
        for depth in range(1, HEADING_DEPTH_MAX + 1)
        if start + depth <= len(head) and _may_head(head[start : start + depth])
    ]
    best = max(candidates, key=lambda heading: _score(heading, kind), default=None)
    if best is None or (not heading_row and _score(best, kind) < 2):
        best = candidates[0] if candidates and heading_row else _first_wide(candidates)
    if best is None:
        raise FileFault("no_heading", {"rows": SEARCHED_ROWS})
    return best


def _may_head(rows: Sequence[Record]) -> bool:
    """Headings are texts; a row of numbers or dates is the first row of what follows."""
    for _number, cells in rows:
        filled = [cell for cell in cells if cell not in (None, "")]
        texts = [cell for cell in filled if isinstance(cell, str) and not _is_value(cell)]
        if not texts or len(texts) < 0.7 * len(filled):
            return False
    return True


def _is_value(text: str) -> bool:
    return bool(re.fullmatch(r"[\s\d.,:/()¥$%+-]+", half_width(text)))


def _joined(rows: Sequence[Record]) -> Heading:
    """Upper headings spread over the merged cells to their right, then each column's parts joined by -."""
    width = max(len(cells) for _number, cells in rows)
    table = [[_text(cells[i]) if i < len(cells) else "" for i in range(width)] for _number, cells in rows]
    for level in range(len(table) - 1):
        for i in range(1, width):
            below = any(table[lower][i] for lower in range(level + 1, len(table)))
            if not table[level][i] and below:
                table[level][i] = table[level][i - 1]
    texts = []
    for i in range(width):
        parts = dict.fromkeys(row[i] for row in table if row[i])
        texts.append("-".join(parts))
    return Heading(rows[0][0], rows[-1][0], tuple(texts))


def _text(cell: object) -> str:
    return " ".join(str(cell).split()).lstrip("\ufeff") if cell is not None else ""


def _score(heading: Heading, kind: Kind) -> float:
    """Recognised columns count, needed ones twice; each further row must earn its place."""
    found = {each.key for each in _exact(heading.texts, kind)}
    needed = {column.key for column in kind.columns if column.required} | {k for group in kind.one_of for k in group}
    return len(found) + len(found & needed) - 0.5 * (heading.last_row - heading.first_row)


def _first_wide(candidates: Iterable[Heading]) -> Heading | None:
    """With nothing recognised, the first row of at least two texts is shown, for a person to map."""
    return next((each for each in candidates if sum(map(bool, each.texts)) >= 2), None)


# --- recognising ---------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def aliases(kind: Kind) -> dict[str, tuple[str, int]]:
    """Every known spelling in plain form, with the column it means and its rank there."""
    found: dict[str, tuple[str, int]] = {}
    for column in kind.columns:
        for rank, alias in enumerate((column.key, *column.aliases)):
            found.setdefault(plain(alias), (column.key, rank))
    return found


def recognise(texts: Sequence[str], kind: Kind, taken: frozenset[int] = frozenset()) -> list[Recognised]:
    """At most one column of the file for each column of the kind, the surest first, then suggestions.

    A tail of a joined heading (客户-编码) is enough for texts, never for amounts, where 贷方-金额 must not
    pass for 金额; likeness alone is only ever a suggestion.
    """
    found = _unique([each for each in _exact(texts, kind) if each.index not in taken])
    keys = {each.key for each in found}
    indexes = taken | {each.index for each in found}
    return found + [each for each in _suggestions(texts, kind, indexes) if each.key not in keys]


def _exact(texts: Sequence[str], kind: Kind) -> list[Recognised]:
    known = aliases(kind)
    amounts = {column.key for column in kind.columns if column.type == "amount"}
    ranked = []
    for index, text in enumerate(texts):
        if not text:
            continue
        body, _unit = unit_of(text)
        spellings = [(EXACT, text), (EXACT - 0.05, body), (EXACT - 0.1, _BRACKETED.sub("", half_width(body)))]
        if "-" in text:
            spellings.append((TAIL, text.rsplit("-", 1)[1]))
        for confidence, spelling in spellings:
            key, rank = known.get(plain(spelling), ("", 0))
            if key and not (confidence == TAIL and key in amounts):
                ranked.append((confidence < 0.85, rank, -confidence, index, key))
                break
    return [Recognised(key, index, -confidence) for _tail, _rank, confidence, index, key in sorted(ranked)]


def _unique(found: Iterable[Recognised]) -> list[Recognised]:
    """The best of each; a column of the file serves once."""
    keys: set[str] = set()
    kept = []
    for each in found:
        if each.key not in keys:
            keys.add(each.key)
            kept.append(each)
    return kept


def _suggestions(texts: Sequence[str], kind: Kind, taken: frozenset[int]) -> list[Recognised]:
    known = aliases(kind)
    found = []
    for index, text in enumerate(texts):
        if index in taken or len(plain(text)) < 2:
            continue
        hit = rapidfuzz_process.extractOne(
            plain(text), list(known), scorer=fuzz.ratio, score_cutoff=_SUGGESTED_SCORE_MIN
        )
        if hit:
            found.append(Recognised(known[hit[0]][0], index, SUGGESTED))
    return _unique(found)


def twice(texts: Sequence[str], index: int) -> bool:
    """Whether another column has the same heading."""
    return list(texts).count(texts[index]) > 1


def label_of(column: Column) -> str:
    """The column's name with its key, as lists of missing columns show it."""
    return f"{column.label} ({column.key})"
