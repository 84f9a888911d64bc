"""What a person fills in to hand a file in, and to choose how it is read."""

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.lib.imports import mapfile
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.kinds import Column, Kind
from shouxin.lib.imports.mapping import Bound, Layout, Mapping, letters_of
from shouxin.lib.models import ImportRun

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

    @property
    def name(self) -> str:
        """The name of its select."""
        return f"column:{self.column.key}"


def choices_of(kind: Kind, layout: Layout) -> list[Choice]:
    """The columns of the kind, the needed ones first, each with the file's headings to choose from."""
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


def raw_mapping(run: ImportRun, kind: Kind, given: AbstractMapping[str, str], conditions: Conditions) -> dict[str, Any]:
    """The mapping as chosen on the page; what the page does not show of the old one is kept.

    Once another row, sheet or encoding is named, the columns are recognised anew.
    """
    raw = dict(run.mapping)
    chosen = conditions.cleaned_data
    frame = ("heading_row", "sheet", "encoding")
    moved = any((chosen.get(name) or "") != (raw.get(name) or "") for name in frame)
    for name in (*frame, "date_order", "currency"):
        raw[name] = chosen.get(name) or None
    for name in ("unknown_customers", "source_system"):
        raw.pop(name, None)  # the form's own fields say it
    if moved:
        raw.pop("columns", None)
        raw.pop("skip", None)
        return raw
    old = raw.get("columns", {})
    columns, skip = {}, []
    for column in kind.columns:
        value = given.get(f"column:{column.key}", "")
        if not value:
            skip.append(column.key)
        elif value == KEPT:
            columns[column.key] = old.get(column.key, {})
        else:
            columns[column.key] = _fill(column, value, old.get(column.key, {}), given)
    raw["columns"] = {key: fill for key, fill in columns.items() if fill}
    raw["skip"] = skip
    return raw


def _fill(
    column: Column, value: str, old: AbstractMapping[str, Any], given: AbstractMapping[str, str]
) -> dict[str, Any]:
    kept = {name: old[name] for name in ("values", "blank", "order") if name in old}
    fill: dict[str, Any] = {"column": value} | kept
    if column.type == "code":
        for name in ("strip_decimal", "strip_zeros"):
            if given.get(f"{name}:{column.key}"):
                fill[name] = True
    if column.type == "amount" and given.get(f"unit:{column.key}"):
        fill["unit"] = given[f"unit:{column.key}"]
    return fill
