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

from shouxin.lib.numbers import whole
from shouxin.rules.currencies import read_currency
from shouxin.rules.text import Unreadable

from . import cells, filters, headings
from .faults import FileFault, message
from .filters import Filter
from .headings import Heading
from .kinds import Column, Kind

ORDERS = ("ymd", "dmy", "mdy")
_UNIT_WORDS = {"元": 1, "千元": 1000, "万": 10**4, "万元": 10**4, "亿": 10**8, "亿元": 10**8}
_HOLE = re.compile(r"\{([^{}]+)\}")
_HOME_AMOUNT = "本币"
VALUES_MAX = 5_000
FILTERS_MAX = 50
WORDS_MAX = 1_000
WORD_LENGTH_MAX = 300
"""How much a mapping may say: words translated per column, filters, words of a filter, characters of such a word."""


@dataclass(frozen=True)
class Fill:
    """How one column of the kind is filled: from a column of the file, a constant, or a template of several.

    `column`: a heading, or a letter such as C behind `=`; `template`: text with {heading} in it; with none of the
    three, the column that is recognised. `order` of
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

    @property
    def is_placed(self) -> bool:
        """Whether it says where the text comes from, rather than only how that is read."""
        return bool(self.column or self.constant or self.template)


@dataclass(frozen=True)
class Mapping:
    """Everything a mapping may say; all of it may be left out.

    `leave_out`: the filters, of which the first that fits leaves a row out; `where: {heading: words}` of a map file is
    short for "leave out unless it is one of the words".
    """

    columns: dict[str, Fill] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    leave_out: tuple[Filter, ...] = ()
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
        if self.leave_out:
            found["leave_out"] = [each.as_json() for each in self.leave_out]
        return found


Way = tuple[str | int, ...]
"""The keys, and places in lists from 0, that lead to a part of a mapping."""


class MappingFault(FileFault):
    """A mapping refused: `path` is the way to the key, for whoever knows its line; people count lists from 1."""

    def __init__(self, path: Way, detail: str) -> None:
        steps = (str(step + 1) if isinstance(step, int) else step[:60] for step in path)
        super().__init__("mapping", {"where": ".".join(steps).replace("\0", "�") or "-", "detail": detail})
        self.path = path


# --- reading -------------------------------------------------------------------------------------


def read(raw: object, kind: Kind) -> Mapping:
    """The mapping written as plain JSON or YAML values. Raises MappingFault with the way to the wrong key."""
    table = _table(raw or {}, ())
    _refuse_unknown(table, [*Mapping.__dataclass_fields__, "where", "kind"], ())
    if table.get("kind") not in (None, kind.name):
        raise MappingFault(("kind",), _("It is a mapping for {kind}.").format(kind=table["kind"]))
    keys = [column.key for column in kind.columns]
    columns = _table(table.get("columns") or {}, ("columns",))
    _refuse_unknown(columns, keys, ("columns",))
    skip = _words(table.get("skip"), ("skip",))
    for key in skip:
        _refuse_unknown({key: None}, keys, ("skip",))
    return Mapping(
        columns={key: _fill(value, kind.column(key), ("columns", key)) for key, value in columns.items()},
        skip=skip,
        leave_out=(*_where(table), *_leave_out(table)),
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


def _fill(raw: object, column: Column, path: Way) -> Fill:
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        return Fill(column=str(raw))
    table = _table(raw, path)
    _refuse_unknown(table, list(Fill.__dataclass_fields__), path)
    ways = sum(bool(table.get(way) or table.get(way) == 0) for way in ("column", "constant", "template"))
    if ways > 1 or not any(value or value == 0 for value in table.values()):
        raise MappingFault(path, _("Name exactly one of column, constant and template."))
    fill = Fill(
        column=_word(table, "column", path),
        constant=_word(table, "constant", path),
        template=_word(table, "template", path),
        order=_one_of(table, "order", ORDERS, path),
        unit=_unit(table.get("unit"), (*path, "unit")),
        strip_decimal=_truth(table.get("strip_decimal"), (*path, "strip_decimal")),
        strip_zeros=_truth(table.get("strip_zeros"), (*path, "strip_zeros")),
        values=_values(table.get("values"), (*path, "values")),
        blank=_words(table.get("blank"), (*path, "blank")),
    )
    _refuse_wrong_values(fill, column, (*path, "values"))
    return fill


def _values(raw: object, path: Way) -> dict[str, str]:
    """The words of the file with what each is taken as."""
    table = _table(raw or {}, path)
    if len(table) > VALUES_MAX:
        raise MappingFault(path, _("At most {most} words; here are {count}.").format(most=VALUES_MAX, count=len(table)))
    found: dict[str, str] = {}
    for word, value in table.items():
        way, source, taken = (*path, word), word.strip(), _plain_word(value, (*path, word)).strip()
        _refuse_long(source, way)
        if not source:
            raise MappingFault(way, _("Write the word that stands in the file."))
        if not taken:
            raise MappingFault(way, _("Write what it is taken as. A word that means nothing belongs under “blank”."))
        if source in found:
            raise MappingFault(way, _("The word “{word}” is there twice.").format(word=source[:60]))
        found[source] = taken
    return found


def _refuse_wrong_values(fill: Fill, column: Column, path: Way) -> None:
    """What a word is taken as must be something the column's cells may say."""
    for word, taken in fill.values.items():
        if fault := wrong_value(taken, column, fill):
            raise MappingFault((*path, word), fault)


def value_of(taken: str, column: Column, fill: Fill) -> object:
    """The value a cell of the column has that says so. Raises Unreadable."""
    bound = Bound(column.key, None, fill, fill.unit or 1, 1.0, "")
    return cells.reader_for(column, bound, fill.order or None)(taken)  # type: ignore[arg-type]


def wrong_value(taken: str, column: Column, fill: Fill) -> str:
    """Why a word cannot be taken as that in this column; empty where it can."""
    try:
        value_of(taken, column, fill)
    except Unreadable as error:
        code, params = cells.reason(error, taken, column, fill.order or None)  # type: ignore[arg-type]
        return _("“{taken}” is not allowed here: {reason}").format(taken=taken[:60], reason=message(code, params))
    return ""


def _where(table: AbstractMapping[str, Any]) -> list[Filter]:
    found = []
    for heading, raw in _table(table.get("where") or {}, ("where",)).items():
        words = _words(raw, ("where", heading))
        _refuse_words("is_not", words, ("where", heading))
        found.append(Filter(heading, "is_not", words))
    return found


def _leave_out(table: AbstractMapping[str, Any]) -> list[Filter]:
    raw = table.get("leave_out") or []
    if not isinstance(raw, list | tuple):
        raise MappingFault(("leave_out",), _("Here belongs a list of filters."))
    if len(raw) > FILTERS_MAX:
        raise MappingFault(("leave_out",), _("At most {most} filters.").format(most=FILTERS_MAX))
    return [_filter(each, ("leave_out", place)) for place, each in enumerate(raw)]


def _filter(raw: object, path: Way) -> Filter:
    table = _table(raw, path)
    _refuse_unknown(table, ["column", "comparison", "value"], path)
    column = _word(table, "column", path).strip()
    comparison = _one_of(table, "comparison", list(filters.COMPARISONS), path) or "is"
    words = tuple(filter(None, (word.strip() for word in _words(table.get("value"), (*path, "value")))))
    if not column:
        raise MappingFault((*path, "column"), _("Name the column."))
    _refuse_words(comparison, words, (*path, "value"))
    return Filter(column, comparison, words)


def _refuse_words(comparison: str, words: Sequence[str], path: Way) -> None:
    if comparison in filters.WORDLESS:
        if words:
            raise MappingFault(path, _("This comparison takes no value."))
        return
    if not words:
        raise MappingFault(path, _("Write the value to compare with."))
    if len(words) > WORDS_MAX:
        raise MappingFault(path, _("At most {most} words; here are {count}.").format(most=WORDS_MAX, count=len(words)))
    for word in words:
        _refuse_long(word, path)
    if comparison in filters.AMOUNTS and (len(words) > 1 or filters.amount(words[0]) is None):
        raise MappingFault(path, _("Here belongs one amount."))
    if comparison in filters.DAYS and (len(words) > 1 or filters.day(words[0]) is None):
        raise MappingFault(path, _("Here belongs one day, such as 2025-03-01."))


def _refuse_long(word: str, path: Way) -> None:
    if len(word) > WORD_LENGTH_MAX:
        raise MappingFault(path, _("At most {most} characters.").format(most=WORD_LENGTH_MAX))


def _table(raw: object, path: Way) -> dict[str, Any]:
    if not isinstance(raw, AbstractMapping):
        raise MappingFault(path, _("Here belong keys with values."))
    return {_plain_word(key, path): value for key, value in raw.items()}


def _refuse_unknown(table: AbstractMapping[str, Any], known: Sequence[str], path: Way) -> None:
    for key in table:
        if key not in known:
            raise MappingFault(
                (*path, key), _("There is no such key. Known are: {known}.").format(known=", ".join(known))
            )


def _plain_word(value: object, path: Way) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal | date):
        raise MappingFault(path, _("Here belongs one word."))
    text = str(value)
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise MappingFault(path, _("Here stands a sign that no text holds."))
    return text


def _word(table: AbstractMapping[str, Any], key: str, path: Way = ()) -> str:
    value = table.get(key)
    return "" if value is None else _plain_word(value, (*path, key))


def _words(raw: object, path: Way) -> tuple[str, ...]:
    if raw is None:
        return ()
    if isinstance(raw, list | tuple):
        return tuple(_plain_word(value, path) for value in raw)
    return (_plain_word(raw, path),)


def _one_of(table: AbstractMapping[str, Any], key: str, known: Sequence[str], path: Way = ()) -> str:
    value = _word(table, key, path)
    if value and value not in known:
        raise MappingFault((*path, key), _("Possible are: {known}.").format(known=", ".join(known)))
    return value


def _truth(raw: object, path: Way) -> bool:
    if raw in (None, True, False):
        return bool(raw)
    raise MappingFault(path, _("Possible are: {known}.").format(known="true, false"))


def _count(raw: object, path: Way) -> int:
    if raw is None:
        return 0
    if isinstance(raw, str):
        raw = whole(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= 1_000_000:
        raise MappingFault(path, _("Here belongs a whole number."))
    return raw


def _unit(raw: object, path: Way) -> int:
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
    """A file's headings with what was made of them; `suggestions` are columns by likeness, not used.

    `filtered`: the column each filter of the mapping looks at, in their order.
    """

    heading: Heading
    bound: tuple[Bound, ...]
    filtered: tuple[int, ...]
    suggestions: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    def of(self, key: str) -> Bound | None:
        """What fills that column, if anything."""
        return next((bound for bound in self.bound if bound.key == key), None)


def bind(mapping: Mapping, kind: Kind, heading: Heading) -> Layout:
    """The mapping laid over the headings of a file. Raises FileFault for columns that are not there or twice."""
    bound = [_bind_given(key, fill, heading) for key, fill in mapping.columns.items() if fill.is_placed]
    given = {each.key for each in bound}
    taken = frozenset(each.index for each in bound if each.index is not None)
    found = headings.recognise(heading.texts, kind, taken)
    for each in found:
        if each.key in given or each.key in mapping.skip or each.confidence < headings.TAIL:
            continue
        text = heading.texts[each.index]
        if headings.twice(heading.texts, each.index):
            raise _twice(text, each.index)
        fill = mapping.columns.get(each.key, Fill())
        unit = fill.unit or headings.unit_of(text)[1]
        bound.append(Bound(each.key, each.index, fill, unit, each.confidence, text))
    bound, notes = _without_foreign_currency(bound, given, kind)
    keys = {each.key for each in bound}
    return Layout(
        heading=heading,
        bound=tuple(bound),
        filtered=tuple(_filtered(place, each, heading) for place, each in enumerate(mapping.leave_out)),
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


def _filtered(place: int, wanted: Filter, heading: Heading) -> int:
    """The column a filter looks at. Raises MappingFault, so that whoever edits filters sees which one is wrong."""
    try:
        return _index(wanted.column, heading)
    except FileFault as fault:
        raise MappingFault(("leave_out", place, "column"), str(fault)) from None


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
