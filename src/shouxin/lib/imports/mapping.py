"""Which column of a file fills which column of a kind, and how: given, recognised, or both.

A mapping is written by hand (MAP.yaml, see docs/en/imports.md), edited on the page, or empty: then the
headings decide. What it names wins; what it does not name is recognised, unless `skip` holds it.
"""

import re
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from shouxin.rules.currencies import read_currency
from shouxin.rules.text import Unreadable

from . import headings
from .faults import FileFault
from .headings import Heading
from .kinds import Kind

ORDERS = ("ymd", "dmy", "mdy")
_UNIT_WORDS = {"元": 1, "千元": 1000, "万": 10**4, "万元": 10**4, "亿": 10**8, "亿元": 10**8}
_HOLE = re.compile(r"\{([^{}]+)\}")
_HOME_AMOUNT = "本币"


@dataclass(frozen=True)
class Fill:
    """How one column of the kind is filled: from a column of the file, a constant, or a template of several.

    `column`: a heading, or a letter such as C behind `=`; `template`: text with {heading} in it. `order` of
    dates; `unit` of amounts (0: as the heading says); `strip_decimal` takes .0 off codes that went through a
    number, `strip_zeros` the zeros before them; `values` translates the file's words; `blank` lists words
    that mean nothing.
    """

    column: str = ""
    constant: str = ""
    template: str = ""
    order: str = ""
    unit: int = 0
    strip_decimal: bool = False
    strip_zeros: bool = False
    values: dict[str, str] = field(default_factory=dict)
    blank: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """Everything a mapping may say; all of it may be left out."""

    columns: dict[str, Fill] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    blank: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    heading_row: int = 0
    date_order: str = ""
    currency: str = ""
    source_system: str = ""
    unknown_customers: str = ""

    def as_json(self) -> dict[str, Any]:
        """The mapping in the shape `read` takes, without what says nothing."""
        found = {key: value for key, value in asdict(self).items() if value}
        if self.columns:
            found["columns"] = {
                key: {name: value for name, value in asdict(fill).items() if value}
                for key, fill in self.columns.items()
            }
        return found


class MappingFault(FileFault):
    """A mapping refused: `path` is the way to the key, for whoever knows its line."""

    def __init__(self, path: Sequence[str], detail: str) -> None:
        super().__init__("mapping", {"where": ".".join(path) or "-", "detail": detail})
        self.path = tuple(path)


# --- reading -------------------------------------------------------------------------------------


def read(raw: object, kind: Kind) -> Mapping:
    """The mapping written as plain JSON or YAML values. Raises MappingFault with the way to the wrong key."""
    table = _table(raw or {}, ())
    _refuse_unknown(table, [*Mapping.__dataclass_fields__, "kind"], ())
    if table.get("kind") not in (None, kind.name):
        raise MappingFault(("kind",), _("It is a mapping for {kind}.").format(kind=table["kind"]))
    keys = [column.key for column in kind.columns]
    columns = _table(table.get("columns") or {}, ("columns",))
    _refuse_unknown(columns, keys, ("columns",))
    skip = _words(table.get("skip"), ("skip",))
    for key in skip:
        _refuse_unknown({key: None}, keys, ("skip",))
    where = _table(table.get("where") or {}, ("where",))
    return Mapping(
        columns={key: _fill(value, ("columns", key)) for key, value in columns.items()},
        skip=skip,
        where={heading: _words(value, ("where", heading)) for heading, value in where.items()},
        blank=_words(table.get("blank"), ("blank",)),
        encoding=_word(table, "encoding"),
        delimiter=_delimiter(table),
        sheet=_word(table, "sheet"),
        heading_row=_count(table.get("heading_row"), ("heading_row",)),
        date_order=_one_of(table, "date_order", ORDERS),
        currency=_currency(table),
        source_system=_word(table, "source_system")[:40],
        unknown_customers=_one_of(table, "unknown_customers", ("create", "refuse")),
    )


def _fill(raw: object, path: tuple[str, ...]) -> Fill:
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        return Fill(column=str(raw))
    table = _table(raw, path)
    _refuse_unknown(table, list(Fill.__dataclass_fields__), path)
    if sum(bool(table.get(way) or table.get(way) == 0) for way in ("column", "constant", "template")) != 1:
        raise MappingFault(path, _("Name exactly one of column, constant and template."))
    values = _table(table.get("values") or {}, (*path, "values"))
    return Fill(
        column=_word(table, "column", path),
        constant=_word(table, "constant", path),
        template=_word(table, "template", path),
        order=_one_of(table, "order", ORDERS, path),
        unit=_unit(table.get("unit"), (*path, "unit")),
        strip_decimal=_truth(table.get("strip_decimal"), (*path, "strip_decimal")),
        strip_zeros=_truth(table.get("strip_zeros"), (*path, "strip_zeros")),
        values={word: _plain_word(value, (*path, "values", word)) for word, value in values.items()},
        blank=_words(table.get("blank"), (*path, "blank")),
    )


def _table(raw: object, path: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(raw, AbstractMapping):
        raise MappingFault(path, _("Here belong keys with values."))
    return {_plain_word(key, path): value for key, value in raw.items()}


def _refuse_unknown(table: AbstractMapping[str, Any], known: Sequence[str], path: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise MappingFault(
                (*path, key), _("There is no such key. Known are: {known}.").format(known=", ".join(known))
            )


def _plain_word(value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal | date):
        return str(value)
    raise MappingFault(path, _("Here belongs one word."))


def _word(table: AbstractMapping[str, Any], key: str, path: tuple[str, ...] = ()) -> str:
    value = table.get(key)
    return "" if value is None else _plain_word(value, (*path, key))


def _words(raw: object, path: tuple[str, ...]) -> tuple[str, ...]:
    if raw is None:
        return ()
    if isinstance(raw, list | tuple):
        return tuple(_plain_word(value, path) for value in raw)
    return (_plain_word(raw, path),)


def _one_of(table: AbstractMapping[str, Any], key: str, known: Sequence[str], path: tuple[str, ...] = ()) -> str:
    value = _word(table, key, path)
    if value and value not in known:
        raise MappingFault((*path, key), _("Possible are: {known}.").format(known=", ".join(known)))
    return value


def _truth(raw: object, path: tuple[str, ...]) -> bool:
    if raw in (None, True, False):
        return bool(raw)
    raise MappingFault(path, _("Possible are: {known}.").format(known="true, false"))


def _count(raw: object, path: tuple[str, ...]) -> int:
    if raw is None:
        return 0
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= 1_000_000:
        raise MappingFault(path, _("Here belongs a whole number."))
    return raw


def _unit(raw: object, path: tuple[str, ...]) -> int:
    unit = _UNIT_WORDS.get(str(raw)) or _count(raw, path)
    if unit and str(unit).strip("0") != "1":
        raise MappingFault(path, _("Possible are: {known}.").format(known="元, 千元, 万元, 亿元, 1, 1000, 10000"))
    return unit


def _delimiter(table: AbstractMapping[str, Any]) -> str:
    value = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(d := _word(table, "delimiter"), d)
    if len(value) > 1 or (value in '"\r\n' and value):
        raise MappingFault(("delimiter",), _("Here belongs one character, or tab."))
    return value


def _currency(table: AbstractMapping[str, Any]) -> str:
    value = _word(table, "currency")
    try:
        return read_currency(value) if value else ""
    except Unreadable:
        raise MappingFault(("currency",), _("This currency is not known.")) from None


# --- binding to a file ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """A column of the kind bound to the file: where its text comes from and how sure that is.

    `parts` of a template are texts and column numbers in turn.
    """

    key: str
    index: int | None
    fill: Fill
    unit: int
    confidence: float
    heading: str
    parts: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Layout:
    """A file's headings with what was made of them; `suggestions` are columns by likeness, not used."""

    heading: Heading
    bound: tuple[Bound, ...]
    where: tuple[tuple[int, frozenset[str]], ...]
    suggestions: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    def of(self, key: str) -> Bound | None:
        """What fills that column, if anything."""
        return next((bound for bound in self.bound if bound.key == key), None)


def bind(mapping: Mapping, kind: Kind, heading: Heading) -> Layout:
    """The mapping laid over the headings of a file. Raises FileFault for columns that are not there or twice."""
    bound = [_bind_given(key, fill, heading) for key, fill in mapping.columns.items()]
    given = {each.key for each in bound}
    taken = frozenset(each.index for each in bound if each.index is not None)
    found = headings.recognise(heading.texts, kind, taken)
    for each in found:
        if each.key in given or each.key in mapping.skip or each.confidence < headings.TAIL:
            continue
        text = heading.texts[each.index]
        if headings.twice(heading.texts, each.index):
            raise _twice(text, each.index)
        bound.append(Bound(each.key, each.index, Fill(), headings.unit_of(text)[1], each.confidence, text))
    bound, notes = _without_foreign_currency(bound, given, kind)
    keys = {each.key for each in bound}
    return Layout(
        heading=heading,
        bound=tuple(bound),
        where=tuple((_index(name, heading), frozenset(words)) for name, words in mapping.where.items()),
        suggestions=tuple((each.key, each.index) for each in found if each.confidence < headings.TAIL),
        missing=_missing(kind, keys),
        notes=tuple(notes),
    )


def require(layout: Layout, kind: Kind) -> None:
    """Raises FileFault `columns_missing` where a needed column is bound to nothing."""
    if layout.missing:
        labels = [
            " / ".join(headings.label_of(kind.column(key)) for key in group.split("|")) for group in layout.missing
        ]
        raise FileFault("columns_missing", {"columns": ", ".join(labels), "found": _found(layout.heading)})


def _missing(kind: Kind, keys: set[str]) -> tuple[str, ...]:
    single = [column.key for column in kind.columns if column.required and column.key not in keys]
    return (*single, *("|".join(group) for group in kind.one_of if not keys.intersection(group)))


def _bind_given(key: str, fill: Fill, heading: Heading) -> Bound:
    if fill.constant:
        return Bound(key, None, fill, fill.unit or 1, 1.0, "")
    if fill.template:
        pieces = _HOLE.split(fill.template)
        parts = tuple(_index(piece, heading) if place % 2 else piece for place, piece in enumerate(pieces))
        return Bound(key, None, fill, fill.unit or 1, 1.0, fill.template, parts)
    index = _index(fill.column, heading)
    text = heading.texts[index] if index < len(heading.texts) else ""
    return Bound(key, index, fill, fill.unit or headings.unit_of(text)[1], 1.0, text or fill.column)


def _index(name: str, heading: Heading) -> int:
    """The column of that heading, or of that letter behind an equals sign."""
    if re.fullmatch(r"=[A-Za-z]{1,3}", name):
        number = 0
        for letter in name[1:].upper():
            number = number * 26 + ord(letter) - 64
        return number - 1
    texts = [" ".join(text.split()) for text in heading.texts]
    wanted = " ".join(name.split())
    indexes = [i for i, text in enumerate(texts) if text == wanted]
    indexes = indexes or [i for i, text in enumerate(texts) if text and headings.plain(text) == headings.plain(wanted)]
    if not indexes:
        raise FileFault("no_such_column", {"heading": name[:60], "found": _found(heading)})
    if len(indexes) > 1:
        raise _twice(name, indexes[0])
    return indexes[0]


def _twice(text: str, index: int) -> FileFault:
    return FileFault("heading_twice", {"heading": text[:60], "letter": "=" + letters_of(index)})


def letters_of(index: int) -> str:
    """Column 0 is A, 26 is AA."""
    letters, number = "", index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _found(heading: Heading) -> str:
    return ", ".join(text for text in heading.texts if text)[:400]


def _without_foreign_currency(bound: list[Bound], given: set[str], kind: Kind) -> tuple[list[Bound], list[str]]:
    """An amount headed 本币 (home currency) does not belong to the currency column beside it."""
    amount = next((each for each in bound if each.key == kind.sums), None)
    if amount is None or _HOME_AMOUNT not in amount.heading or "currency" in given:
        return bound, []
    kept = [each for each in bound if each.key != "currency"]
    note = _("“{heading}” is in the company's own currency: the currency column is left out.")
    return kept, [note.format(heading=amount.heading)] if len(kept) < len(bound) else []
