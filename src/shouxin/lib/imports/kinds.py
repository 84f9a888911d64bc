"""What can be imported: the registry in which each package of the business enters its kinds of file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, overload

ColumnType = Literal["code", "name", "text", "amount", "date", "days", "currency", "share", "bool", "choice"]
Sign = Literal["any", "positive", "not_negative", "not_zero"]


def also(chinese: str, english: str = "") -> tuple[str, ...]:
    """The headings of one column as ledgers write them: Chinese ones between blanks, English ones between commas."""
    return (*chinese.split(), *filter(None, (word.strip() for word in english.split(","))))


@dataclass(frozen=True, eq=False)
class Column:
    """One thing a row can tell: its key, how ledgers head it (best heading first), and what may stand in it.

    `length_max` bounds texts; `sign` bounds amounts; `choices` maps the words of files to the value taken.
    """

    key: str
    label: Any
    type: ColumnType
    aliases: tuple[str, ...] = ()
    required: bool = False
    length_max: int = 200
    sign: Sign = "any"
    choices: Mapping[str, str] = field(default_factory=dict)
    help: Any = ""


@dataclass(frozen=True)
class Conditions:
    """Under what conditions a file is taken over; the same for all its rows.

    `currency` fills where a row names none. `unknown_customers` is create or refuse. `again`: the run was broken off
    before, so what is there already may be its own.
    """

    by: Any
    at: datetime
    today: date
    currency: str = ""
    source_system: str = ""
    unknown_customers: Literal["create", "refuse"] = "refuse"
    run_id: int | None = None
    again: bool = False


@dataclass(slots=True)
class Row:
    """A checked row: its number in the file, its cells as read, and the value of every mapped column."""

    number: int
    cells: list[object]
    values: dict[str, Any]


class Block(Sequence[Row]):
    """Checked rows, held column by column: who wants rows iterates, who is in a hurry takes `columns`.

    `columns` has a list for every column of the kind, whether mapped or not; all lists are as long as `numbers`.
    """

    __slots__ = ("cells", "columns", "numbers")

    def __init__(self, numbers: list[int], cells: list[list[object]], columns: dict[str, list[Any]]) -> None:
        self.numbers, self.cells, self.columns = numbers, cells, columns

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> "Block": ...
    def __getitem__(self, place: int | slice) -> "Row | Block":
        if isinstance(place, slice):
            columns = {key: values[place] for key, values in self.columns.items()}
            return Block(self.numbers[place], self.cells[place], columns)
        return Row(self.numbers[place], self.cells[place], {key: values[place] for key, values in self.columns.items()})

    def __iter__(self) -> Iterator[Row]:
        keys, across = tuple(self.columns), zip(*self.columns.values(), strict=True)
        for number, cells, values in zip(self.numbers, self.cells, across, strict=True):
            yield Row(number, cells, dict(zip(keys, values, strict=True)))

    def chosen(self, places: Sequence[int]) -> "Block":
        """The rows at these places."""
        columns = {key: [values[place] for place in places] for key, values in self.columns.items()}
        return Block([self.numbers[place] for place in places], [self.cells[place] for place in places], columns)


@dataclass(frozen=True, slots=True)
class Refused:
    """A row the business would not take: the code of the sentence, its particulars, the column it is about."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    column: str = ""


Outcome = Literal["accepted", "unchanged"] | Refused


class Writer(Protocol):
    """Takes over checked rows. It is made anew for every run and after every roll-back, so it may remember."""

    def write(self, rows: Block) -> Sequence[Outcome]:
        """Write the rows, set-based, and say for each in their order what became of it.

        Called inside a transaction. A row that is there already with the same content is `unchanged`,
        by its natural key; one that is there with another content is Refused.
        """


RowCheck = Callable[[dict[str, Any]], Iterable[Refused]]
Doubts = Callable[[Mapping[str, Sequence[Any]]], Iterable[int]]


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of file: its columns, what makes a row the same row, and who writes it.

    `one_of`: of each group at least one column must be there. `key`: a second row with the same values
    is refused as a duplicate. `together`: neighbouring rows with the same values reach the writer in one
    call (instalments of one paper). `sums`: the amount column of the sum control. `needs_currency`: every row
    must come to a currency. `check` says what is wrong between the cells of a row and may fill in values;
    `doubts`, told the columns, names the places it has to look at where most rows plainly pass.
    `may`: whether a person may import it. `finished` leaves the trail line.
    """

    name: str
    label: Any
    columns: tuple[Column, ...]
    writer: Callable[[Conditions], Writer]
    may: Callable[[Any], bool]
    key: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    sums: str = ""
    needs_currency: bool = False
    check: RowCheck | None = None
    doubts: Doubts | None = None
    finished: Callable[[Conditions, Mapping[str, Any]], None] = lambda conditions, particulars: None
    help: Any = ""

    def column(self, key: str) -> Column:
        """The column of that key; KeyError if the kind has none."""
        return {column.key: column for column in self.columns}[key]


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Enter a kind; from then on the command line, the API and the page offer it."""
    _KINDS[kind.name] = kind


def get(name: str) -> Kind:
    """The kind of that name. Raises KeyError."""
    return _KINDS[name]


def names() -> tuple[str, ...]:
    """Every registered kind, in the order of registration."""
    return tuple(_KINDS)


def all_kinds() -> tuple[Kind, ...]:
    """Every registered kind, in the order of registration."""
    return tuple(_KINDS.values())


Sums = dict[str, Decimal]
"""Currency to amount."""
