"""The words of one column of a file, and what each is taken as: the page on which a mapping's values are edited."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from shouxin.lib.imports.census import Word, Words
from shouxin.lib.imports.kinds import Column
from shouxin.lib.imports.mapping import VALUES_MAX, WORD_LENGTH_MAX, Fill, value_of, wrong_value

PAGE_ROWS = 100
NEW_ROWS = 3


@dataclass(frozen=True)
class Line:
    """A word of the file with what it is to be taken as (empty: as it stands).

    `found` is None for a word that only the mapping knows. `error_at`: which of the two it is about.
    """

    word: str
    taken: str
    found: Word | None = None
    error: str = ""
    error_at: str = ""


@dataclass
class Edited:
    """The values of one column as they were typed. `values`: what remains where nothing is wrong."""

    lines: list[Line]
    added: list[Line]
    values: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def refused(self) -> bool:
        """Whether something typed cannot be taken."""
        return bool(self.fault) or any(line.error for line in (*self.lines, *self.added))


def lines_of(words: Words, values: dict[str, str]) -> list[Line]:
    """Every word told of the file, the commonest first, then those that only the mapping knows."""
    known = {word.text for word in words.words}
    found = [Line(word.text, values.get(word.text, ""), word) for word in words.words]
    return found + [Line(word, taken) for word, taken in values.items() if word not in known]


def options_of(column: Column) -> list[tuple[str, str]]:
    """What a word can be taken as, with its name: of columns that know only so much. Empty: anything may be written."""
    if column.type == "bool":
        return [("yes", _("yes")), ("no", _("no"))]
    if column.type != "choice":
        return []
    names: dict[str, list[str]] = {}
    for word, value in column.choices.items():
        names.setdefault(value, []).append(word)
    return [(value, _named(value, words)) for value, words in names.items()]


def _named(value: str, words: Sequence[str]) -> str:
    said = [word for word in words if word != value][:2]
    return f"{value} ({', '.join(said)})" if said else value


def chosen(taken: str, column: Column) -> str:
    """The option that says the same as the mapping: 发票 is taken as invoice."""
    if not taken or wrong_value(taken, column, Fill()):
        return taken
    value = value_of(taken, column, Fill())
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def edit(given: QueryDict, shown: Sequence[Line], values: dict[str, str], column: Column, fill: Fill) -> Edited:
    """What was typed laid over the values there are; each line told what is wrong with it.

    A listed word without a value is taken as it stands again; a word that the page did not list keeps its value.
    """
    by_word = {_posted(line.word): line for line in shown}
    typed = zip_longest(given.getlist("word"), given.getlist("taken"), fillvalue="")
    lines = [_checked(replace(by_word.get(_posted(word), Line(word, "")), taken=taken.strip()), column, fill)
             for word, taken in typed]  # fmt: skip
    kept = dict(values)
    for line in lines:
        kept.pop(line.word, None)
        if line.taken:
            kept[line.word] = line.taken
    added = []
    for word, taken in zip_longest(given.getlist("new_word"), given.getlist("new_taken"), fillvalue=""):
        if not word.strip() and not taken.strip():
            continue
        line = _checked_new(Line(word.strip(), taken.strip()), kept, column, fill)
        added.append(line)
        if not line.error:
            kept[line.word] = line.taken
    edited = Edited(lines, added, kept)
    if len(kept) > VALUES_MAX:
        edited.fault = _("At most {most} words; here are {count}.").format(most=VALUES_MAX, count=len(kept))
    return edited


def _posted(word: str) -> str:
    """A word as it is compared with what a browser sends, which writes line breaks in its own way."""
    return "\n".join(word.splitlines())


def _checked_new(line: Line, kept: dict[str, str], column: Column, fill: Fill) -> Line:
    if not line.word:
        return replace(line, error=_("Write the word that stands in the file."), error_at="word")
    if not line.taken:
        return replace(line, error=_("Write what it is taken as."), error_at="taken")
    if line.word in kept:
        told = _("The word “{word}” is there twice.").format(word=line.word[:60])
        return replace(line, error=told, error_at="word")
    return _checked(line, column, fill)


def _checked(line: Line, column: Column, fill: Fill) -> Line:
    for name, text in (("word", line.word), ("taken", line.taken)):
        if "\0" in text:
            return replace(line, error=_("Here stands a sign that no text holds."), error_at=name)
    if line.taken and not line.word:
        return replace(line, error=_("Write the word that stands in the file."), error_at="word")
    if len(line.word) > WORD_LENGTH_MAX:
        told = _("At most {most} characters.").format(most=WORD_LENGTH_MAX)
        return replace(line, error=told, error_at="word")
    why = wrong_value(line.taken, column, fill) if line.taken else ""
    return replace(line, error=why, error_at="taken") if why else line


def context(column: Column, page: Any, added: Sequence[Line]) -> dict[str, Any]:
    """What the template needs of a page of lines."""
    options = options_of(column)
    blank = [Line("", "")] * (NEW_ROWS if not added else 1)
    return {
        "column": column,
        "options": options,
        "lines": [(line, chosen(line.taken, column) if options else line.taken) for line in page],
        "added": [(line, line.taken) for line in (*added, *blank)],
    }
