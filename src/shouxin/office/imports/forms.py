"""What a person fills in to hand a file in, and to choose how it is read."""

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from shouxin.lib.imports import filters, headings, mapfile
from shouxin.lib.imports.census import Words
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.kinds import Column, Kind
from shouxin.lib.imports.mapping import Bound, Layout, Mapping, MappingFault, letters_of
from shouxin.lib.imports.run import Preview

from .runs import Options

KEPT = "keep"
ORDERS = [("", _("As the column shows")), ("ymd", "2025-03-01"), ("dmy", "01/03/2025"), ("mdy", "03/01/2025")]
UNITS = [("", _("As the heading says")), ("1", _("yuan")), ("1000", _("thousand")), ("10000", _("ten thousand"))]
ENCODINGS = [
    ("", _("Recognised")),
    ("utf-8", "UTF-8"),
    ("gb18030", "GB18030 / GBK"),
    ("big5", "Big5"),
    ("utf-16", "UTF-16"),
]
UNKNOWN = [("refuse", _("Refuse their rows")), ("create", _("Register them"))]


class Upload(forms.Form):
    """A file to hand in, what it holds, and a map file where there is one."""

    kind = forms.ChoiceField(label=_("What it holds"))
    file = forms.FileField(label=_("File"), help_text=_("CSV, XLS or XLSX, at most 50 MB"), allow_empty_file=True)
    map_file = forms.FileField(label=_("Map file"), required=False, help_text=_("YAML; usually not needed"))

    def __init__(self, *args: Any, allowed: list[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed = {kind.name: kind for kind in allowed}
        self.fields["kind"].choices = [(kind.name, kind.label) for kind in allowed]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The map file is read against the kind chosen."""
        found = super().clean() or {}
        kind, given = self.allowed.get(found.get("kind", "")), found.get("map_file")
        found["mapping"] = self._mapping(given, kind) if given and kind else None
        return found

    def _mapping(self, given: Any, kind: Kind) -> Mapping | None:
        try:
            if given.size > mapfile.BYTES_MAX:
                raise FileFault("too_large", {"size": given.size, "size_max": mapfile.BYTES_MAX})
            return mapfile.loads(given.read().decode("utf-8-sig"), kind, given.name[:60])
        except (FileFault, UnicodeDecodeError) as fault:
            self.add_error("map_file", str(fault))
            return None


class Conditions(forms.Form):
    """How the file is read and taken over, beside its columns."""

    unknown_customers = forms.ChoiceField(label=_("Unknown customers"), choices=UNKNOWN)
    atomic = forms.ChoiceField(
        label=_("If rows are refused"),
        choices=[("", _("Take the good rows over")), ("1", _("Take nothing over"))],
        required=False,
    )
    source_system = forms.CharField(label=_("Source system"), max_length=40, required=False)
    currency = forms.CharField(label=_("Currency where none is named"), max_length=3, required=False)
    date_order = forms.ChoiceField(label=_("Order of dates"), choices=ORDERS, required=False)
    heading_row = forms.IntegerField(label=_("Row of headings"), min_value=1, max_value=1_000_000, required=False)
    encoding = forms.ChoiceField(label=_("Encoding"), choices=ENCODINGS, required=False)
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)

    def __init__(self, *args: Any, sheets: tuple[str, ...], form: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if form == "text" or len(sheets) < 2:
            del self.fields["sheet"]
        else:
            self.fields["sheet"].choices = [("", _("The first with rows")), *((name, name) for name in sheets)]  # type: ignore[attr-defined]
        if form not in ("text", ""):
            del self.fields["encoding"]

    def options(self) -> Options:
        """The options of the run."""
        found = self.cleaned_data
        return Options(bool(found["atomic"]), found["unknown_customers"], found["source_system"], "")


@dataclass(frozen=True)
class Choice:
    """One column of the kind with what may fill it. `choices`: (value, label, chosen)."""

    column: Column
    needed: bool
    choices: list[tuple[str, str, bool]]
    fill: Any
    confidence: float
    suggested: str
    words: Words | None

    @property
    def name(self) -> str:
        """The name of its select."""
        return f"column:{self.column.key}"


def choices_of(kind: Kind, preview: Preview) -> list[Choice]:
    """The columns of the kind, the needed ones first, each with the file's headings to choose from."""
    layout = preview.layout
    one_of = {key for group in kind.one_of for key in group}
    found = []
    suggested = dict(layout.suggestions)
    for column in kind.columns:
        bound = layout.of(column.key)
        index = suggested.get(column.key)
        found.append(
            Choice(
                column,
                column.required or column.key in one_of,
                list(_headings(layout, bound)),
                bound.fill if bound else None,
                bound.confidence if bound else 0,
                layout.heading.texts[index] if index is not None and bound is None else "",
                preview.census.columns.get(column.key),
            )
        )
    return sorted(found, key=lambda choice: not choice.needed)


def _headings(layout: Layout, bound: Bound | None) -> Any:
    yield "", _("– not in the file –"), bound is None
    if bound is not None and bound.index is None:
        yield KEPT, bound.fill.constant or bound.fill.template, True
    for index, text in enumerate(layout.heading.texts):
        letter = letters_of(index)
        yield f"={letter}", f"{letter} · {text}" if text else letter, bound is not None and bound.index == index


@dataclass(frozen=True)
class FilterRow:
    """A filter as the page shows it. `rows`: how many it leaves out, None where that is not known."""

    column: str
    comparison: str
    value: str
    columns: list[tuple[str, str]]
    rows: int | None = None
    error: str = ""
    error_at: str = ""

    @property
    def comparisons(self) -> list[tuple[str, Any]]:
        """What a column can be compared by."""
        return list(filters.COMPARISONS.items())

    @property
    def lines(self) -> int:
        """How many lines its words take."""
        return min(max(self.value.count("\n") + 1, 1), 6)


def filter_rows(
    raw: AbstractMapping[str, Any], preview: Preview | None, fault: FileFault | None = None
) -> list[FilterRow]:
    """The filters of a mapping as it was written, faulty or not, and one more to be filled in."""
    heads = _named(preview.layout) if preview else []
    rows = [_filter_row(place, each, heads, preview, fault) for place, each in enumerate(raw.get("leave_out", []))]
    return [*rows, FilterRow("", "is", "", heads)]


def _filter_row(
    place: int, each: AbstractMapping[str, Any], heads: list[tuple[str, str]], preview: Preview | None, fault: Any
) -> FilterRow:
    name = each.get("column", "")
    counted = preview.census.left_out[place] if preview and preview.layout.filtered else None
    columns = heads if not name or name in dict(heads) else [*heads, (name, name)]
    path = fault.path if isinstance(fault, MappingFault) else ()
    error, at = (fault.params["detail"], path[-1]) if path[:2] == ("leave_out", place) else ("", "")
    words = each.get("value") or []
    return FilterRow(name, each.get("comparison", "is"), "\n".join(words), columns, counted, error, str(at))


def _named(layout: Layout) -> list[tuple[str, str]]:
    """The file's columns to choose from: by heading, so that a filter can be read; by letter where that names none."""
    plain = [headings.plain(text) for text in layout.heading.texts]
    found = []
    for index, text in enumerate(layout.heading.texts):
        letter = letters_of(index)
        unique = plain[index] and plain.count(plain[index]) == 1 and not text.startswith("=")
        found.append((text if unique else f"={letter}", f"{letter} · {text}" if text else letter))
    return found


def raw_mapping(
    before: AbstractMapping[str, Any], kind: Kind, given: QueryDict, conditions: Conditions
) -> dict[str, Any]:
    """The mapping as chosen on the page; what the page does not show of the one before is kept.

    Once another row, sheet or encoding is named, the columns are recognised anew; what is said of their words stays.
    """
    raw = dict(before)
    chosen = conditions.cleaned_data
    frame = ("heading_row", "sheet", "encoding")
    moved = any((chosen[name] or "") != (raw.get(name) or "") for name in frame if name in chosen)
    for name in (*frame, "date_order", "currency"):
        raw[name] = chosen.get(name) or None
    for name in ("unknown_customers", "source_system"):
        raw.pop(name, None)  # the form's own fields say it
    raw["leave_out"] = filters_given(given) if "filter_column" in given else raw.get("leave_out", [])
    old = raw.pop("columns", {})
    if moved:
        raw["columns"] = {key: kept for key, fill in old.items() if (kept := _kept(fill))}
        raw.pop("skip", None)
        return raw
    columns, skip = {}, []
    for column in kind.columns:
        value = given.get(f"column:{column.key}", "")
        if not value:
            skip.append(column.key)
            columns[column.key] = _kept(old.get(column.key, {}))
        elif value == KEPT:
            columns[column.key] = old.get(column.key, {})
        else:
            columns[column.key] = _fill(column, value, old.get(column.key, {}), given)
    raw["columns"] = {key: fill for key, fill in columns.items() if fill}
    raw["skip"] = skip
    return raw


def filters_given(given: QueryDict) -> list[dict[str, Any]]:
    """The filters as they were typed, without those taken away and those nothing was typed into."""
    dropped = set(given.getlist("filter_drop"))
    names = ("filter_column", "filter_comparison", "filter_value")
    rows = zip_longest(*(given.getlist(name) for name in names), fillvalue="")
    return [
        {"column": column, "comparison": comparison, "value": [word for word in value.splitlines() if word.strip()]}
        for place, (column, comparison, value) in enumerate(rows)
        if str(place) not in dropped and (column or value.strip())
    ]


def _kept(fill: AbstractMapping[str, Any]) -> dict[str, Any]:
    """What a mapping says of a column's words, whichever column of the file it is."""
    return {name: fill[name] for name in ("values", "blank", "order") if fill.get(name)}


def _fill(
    column: Column, value: str, old: AbstractMapping[str, Any], given: AbstractMapping[str, str]
) -> dict[str, Any]:
    fill: dict[str, Any] = {"column": value} | _kept(old)
    if column.type == "code":
        for name in ("strip_decimal", "strip_zeros"):
            if given.get(f"{name}:{column.key}"):
                fill[name] = True
    if column.type == "amount" and given.get(f"unit:{column.key}"):
        fill["unit"] = given[f"unit:{column.key}"]
    return fill
