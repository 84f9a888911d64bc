"""The pages on which files are handed in: upload, columns and preview, progress, result."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib import sheets
from shouxin.lib.imports import kinds, mapfile
from shouxin.lib.imports import mapping as mappings
from shouxin.lib.imports.faults import CellFault, FileFault
from shouxin.lib.imports.filters import Filter
from shouxin.lib.imports.mapping import MappingFault
from shouxin.lib.imports.run import Preview
from shouxin.lib.lists import Column, Listing
from shouxin.lib.models import ImportRun
from shouxin.lib.questions import Ask
from shouxin.office import posts
from shouxin.office.pages import acting, blame, moment, page
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import runs, words
from .api import XLSX
from .forms import UNITS, Conditions, Upload, choices_of, filter_rows, raw_mapping

COLOURS = {"uploaded": "blue", "waiting": "blue", "running": "blue", "done": "green", "failed": "red"}


def _state(run: ImportRun) -> tuple[Any, str]:
    if run.state == "done" and run.refused:
        return _("Done, rows refused"), "orange"
    return run.get_state_display(), COLOURS[run.state]


def _kind_label(run: ImportRun) -> Any:
    return kinds.get(run.kind).label if run.kind in kinds.names() else run.kind


HISTORY = (
    Column("file_name", _("File"), link=lambda run: reverse("imports:run", args=[run.pk])),
    Column("kind", _("What it holds"), value=_kind_label, sort="kind"),
    Column("state", _("Status"), "status", value=_state),
    Column("rows", _("Rows"), "number", sort="rows"),
    Column("accepted", _("Taken over"), "number", sort="accepted"),
    Column("unchanged", _("Unchanged"), "number", sort="unchanged"),
    Column("refused", _("Refused"), "number", sort="refused"),
    Column("by", _("By"), value="by"),
    Column("created_at", _("At"), "moment", sort="created_at"),
)
ASKS = (
    Ask("file", _("File"), where="file_name__icontains"),
    Ask(
        "kind",
        _("What it holds"),
        "select",
        where="kind",
        choices=lambda: [(k.name, k.label) for k in kinds.all_kinds()],
    ),
    Ask("state", _("Status"), "select", where="state", choices=ImportRun.STATES),
)


@page
@require_http_methods(["GET", "POST"])
def history(request: HttpRequest) -> HttpResponse:
    """What was handed in, and the form to hand something in."""
    by = acting(request)["by"]
    allowed = [kind for kind in kinds.all_kinds() if kind.may(by)]
    if request.method == "POST" and not allowed:
        raise posts.not_your_duty(by, about="import", verb="import.receive")
    upload = Upload(request.POST or None, request.FILES or None, allowed=allowed, initial=_asked_kind(request))
    if request.method == "POST" and upload.is_valid():
        found = upload.cleaned_data
        try:
            kind = runs.kind_for(found["kind"], by)
            run = runs.receive(found["file"], kind, by=by, at=acting(request)["at"], mapping=found["mapping"])
            return redirect("imports:run", run.pk)
        except BadForm as refusal:
            blame(upload, refusal)
    rows = runs.seen_by(by).select_related("by")
    listing = Listing(request, rows, HISTORY, ASKS, key="imports", title=_("Files handed in"))
    if listing.wants_export:
        return listing.export()  # type: ignore[return-value]
    told = {"listing": listing, "form": upload if allowed else None}
    return render(request, "imports/history.html", told, status=422 if upload.errors else 200)


def _asked_kind(request: HttpRequest) -> dict[str, str]:
    """What the address asks for; customers are the first thing anybody hands in."""
    return {"kind": request.GET.get("kind", "customers")}


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """A run where it stands: its columns and preview, its progress, or its result."""
    run = runs.get(pk, acting(request)["by"])
    return _columns(request, run) if run.state == "uploaded" else _result(request, run)


@page
@require_POST
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the columns chosen; with `start`, hand the run to the worker."""
    by = acting(request)["by"]
    run = runs.get(pk, by)
    kind = runs.kind_for(run.kind, by)
    form = Conditions(request.POST, sheets=(request.POST.get("sheet", ""), ""), form="")
    valid = form.is_valid()
    raw = raw_mapping(runs.mapping_of(run), kind, request.POST, form)
    if not valid:
        return _columns(request, run, raw=raw, form=form, status=422)
    try:
        runs.choose(run, raw, form.options())
    except FileFault as fault:
        return _columns(request, run, raw=raw, form=form, fault=fault, status=422)
    if "start" in request.POST:
        preview = _preview(request, run)
        if isinstance(preview, FileFault) or preview.layout.missing:
            return _columns(request, run, preview=preview, status=422)
        runs.start(run, by=by, at=acting(request)["at"])
    if (key := request.POST.get("words", "")) in _keys(kind):
        return redirect("imports:words", pk, key)
    return redirect("imports:run", pk)


@page
@require_http_methods(["GET", "POST"])
def column_words(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """The words of one column, each with what it is taken as; what is written is kept with the mapping."""
    by = acting(request)["by"]
    run = runs.get(pk, by)
    kind = runs.kind_for(run.kind, by)
    if key not in _keys(kind):
        raise NotVisible
    preview = _preview(request, run) if run.state == "uploaded" else None
    if not isinstance(preview, Preview) or key not in preview.census.columns:
        if request.method == "POST":
            raise Moved
        return redirect("imports:run", pk)
    counted, fill = preview.census.columns[key], preview.layout.of(key).fill  # type: ignore[union-attr]
    lines = words.lines_of(counted, fill.values)
    pages = Paginator(lines, words.PAGE_ROWS)
    part = pages.get_page(request.GET.get("page"))
    told = {"run": run, "counted": counted, "pages": part, "fill": fill, "heading": preview.layout.of(key).heading}  # type: ignore[union-attr]
    if request.method == "GET":
        told |= words.context(kind.column(key), part.object_list, [])
        return render(request, "imports/words.html", told)
    edited = words.edit(request.POST, lines, fill.values, kind.column(key), fill)
    if not edited.refused:
        try:
            runs.translate(run, key, edited.values)
        except FileFault as fault:
            edited.fault = str(fault)
    if edited.refused:
        told |= words.context(kind.column(key), edited.lines, edited.added) | {"edited": edited}
        return render(request, "imports/words.html", told, status=422)
    if "more" in request.POST:
        return redirect(f"{reverse('imports:words', args=[pk, key])}?page={part.number}")
    return redirect("imports:run", pk)


@page
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; once it is done the whole page is asked for anew."""
    run = runs.get(pk, acting(request)["by"])
    answer = render(request, "imports/progress.html", {"run": run, **_progress(run)})
    if run.state in ("done", "failed"):
        answer["HX-Refresh"] = "true"
    return answer


@page
@require_GET
def errors(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The refused rows with their reasons."""
    run = runs.get(pk, acting(request)["by"])
    name = f"{run.file_name}.errors.xlsx"
    return sheets.attachment(runs.errors_content(run), name, XLSX)


@page
@require_GET
def map_file(request: HttpRequest, pk: int) -> HttpResponse:
    """How the file is read, as a map file for the next one of its sort."""
    run = runs.get(pk, acting(request)["by"])
    kind = runs.kind_for(run.kind, acting(request)["by"])
    content = mapfile.dumps(mappings.read(runs.mapping_of(run), kind), kind)
    return sheets.attachment([content.encode()], f"{run.kind}.map.yaml", "application/yaml")


# --- parts ---------------------------------------------------------------------------------------


def _preview(request: HttpRequest, run: ImportRun) -> Preview | FileFault:
    who = moment(request)
    try:
        return runs.look(run, at=who["at"], today=who["today"])
    except FileFault as fault:
        return fault


def _keys(kind: kinds.Kind) -> set[str]:
    """The keys of its columns."""
    return {column.key for column in kind.columns}


def _columns(
    request: HttpRequest,
    run: ImportRun,
    *,
    raw: dict[str, Any] | None = None,
    preview: Preview | FileFault | None = None,
    form: Conditions | None = None,
    fault: FileFault | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of the columns. `raw`: the mapping as it was typed, where it was refused: all of it is shown again."""
    kind = kinds.get(run.kind)
    if raw is None:
        raw = runs.mapping_of(run)
    else:
        run.mapping = _readable(raw, kind, fault, run.mapping)
    preview = preview or _preview(request, run)
    if isinstance(preview, MappingFault) and preview.path[:1] == ("leave_out",):
        fault, run.mapping = fault or preview, _without(raw, "leave_out")
        preview = _preview(request, run)
    told: dict[str, Any] = {"run": run, "kind": kind, "units": UNITS}
    if isinstance(preview, FileFault):
        source, fault, read = None, fault or preview, None
    else:
        source, read = preview.source, preview
        told |= _shown(preview, kind)
    initial = run.mapping | run.options | {key: run.mapping.get(key) for key in ("date_order", "currency")}
    initial |= {key: run.mapping[key] for key in ("unknown_customers", "source_system") if run.mapping.get(key)}
    initial["atomic"] = "1" if run.options.get("atomic") else ""
    told["form"] = form or Conditions(
        initial=initial, sheets=source.sheets if source else (), form=source.form if source else ""
    )
    if isinstance(fault, MappingFault) and form is not None and fault.path == ("currency",):
        form.add_error("currency", fault.params["detail"])
    told |= {"fault": fault, "filters": filter_rows(raw, read, fault)}
    return render(request, "imports/columns.html", told, status=status)


def _without(raw: dict[str, Any], key: str | int) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name != key}


def _readable(
    raw: dict[str, Any], kind: kinds.Kind, fault: FileFault | None, otherwise: dict[str, Any]
) -> dict[str, Any]:
    """What was typed, without the part that is at fault: enough to show the file by."""
    path = fault.path if isinstance(fault, MappingFault) else ()
    for part in (raw, _without(raw, path[0]) if path else raw):
        try:
            return mappings.read(part, kind).as_json()
        except MappingFault:
            continue
    return otherwise


def _shown(preview: Preview, kind: kinds.Kind) -> dict[str, Any]:
    """The preview as the template lays it out: a row's cells with the faults that belong to each."""
    heading = preview.layout.heading
    width = heading.width
    rows = [_laid_out(heading.texts, width, row) for row in preview.rows]
    missing = [" / ".join(str(kind.column(key).label) for key in group.split("|")) for group in preview.layout.missing]
    return {
        "source": preview.source,
        "heads": [text or "" for text in heading.texts[:width]],
        "preview_rows": rows,
        "choices": choices_of(kind, preview),
        "missing": missing,
        "notes": preview.layout.notes,
        "tally": preview.tally,
        "sums": preview.tally.as_json()["sums"],
        "faults": preview.faults[:50],
        "complete": preview.complete,
        "total_rows": preview.total_rows,
        "left_out": preview.census.left_out.total(),
        "nothing_left": not preview.census.rows and preview.census.left_out.total() > 0,
    }


def _laid_out(
    texts: Sequence[str], width: int, row: tuple[int, list[object], list[CellFault]]
) -> tuple[int, list[tuple[str, str]], list[str]]:
    """Row number, its cells each with the fault that is about it, and the faults that are about no cell shown."""
    number, cells, faults = row
    said = {fault.heading: str(fault) for fault in faults if fault.heading}
    padded = [*cells, *[None] * (width - len(cells))]
    shown = [
        ("" if cell is None else str(cell)[:80], said.get(text, "") if text else "")
        for text, cell in zip(texts, padded, strict=False)
    ]
    return number, shown, [str(fault) for fault in faults if fault.heading not in texts or not fault.heading]


def _progress(run: ImportRun) -> dict[str, Any]:
    state = {"waiting": "queued", "running": "running"}.get(run.state, run.state)
    return {"progress_state": state, "done": run.done_rows, "total": run.rows}


def _result(request: HttpRequest, run: ImportRun) -> HttpResponse:
    told = {
        "run": run,
        "kind_label": _kind_label(run),
        "fault": runs.fault_text(run),
        "faults": runs.faults_of(run),
        "written": run.totals.get("written", True),
        "sums": run.totals.get("sums", {}),
        "skipped": run.totals.get("skipped", {}),
        "filters": Filter.told(run.totals.get("skipped", {}).get("filters", [])),
    }
    return render(request, "imports/result.html", told | _progress(run))
