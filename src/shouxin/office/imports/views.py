"""The pages on which files are handed in: upload, columns and preview, progress, result."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib import sheets
from shouxin.lib.imports import kinds
from shouxin.lib.imports.faults import CellFault, FileFault
from shouxin.lib.imports.run import Preview
from shouxin.lib.lists import Ask, Column, Listing
from shouxin.lib.models import ImportRun
from shouxin.office import posts
from shouxin.office.pages import acting, blame, moment, page
from shouxin.office.refusals import BadForm

from . import runs
from .api import XLSX
from .forms import UNITS, Conditions, Upload, choices_of, raw_mapping

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
    if not form.is_valid():
        return _columns(request, run, form=form, status=422)
    try:
        runs.choose(run, raw_mapping(run, kind, request.POST, form), form.options())
    except FileFault as fault:
        return _columns(request, run, fault=fault, status=422)
    if "start" in request.POST:
        preview = _preview(request, run)
        if isinstance(preview, FileFault) or preview.layout.missing:
            return _columns(request, run, preview=preview, status=422)
        runs.start(run, by=by, at=acting(request)["at"])
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


# --- parts ---------------------------------------------------------------------------------------


def _preview(request: HttpRequest, run: ImportRun) -> Preview | FileFault:
    who = moment(request)
    try:
        return runs.look(run, at=who["at"], today=who["today"])
    except FileFault as fault:
        return fault


def _columns(
    request: HttpRequest,
    run: ImportRun,
    *,
    preview: Preview | FileFault | None = None,
    form: Conditions | None = None,
    fault: FileFault | None = None,
    status: int = 200,
) -> HttpResponse:
    kind = kinds.get(run.kind)
    preview = preview or _preview(request, run)
    told: dict[str, Any] = {"run": run, "kind": kind, "units": UNITS}
    if isinstance(preview, FileFault):
        source, fault = None, fault or preview
    else:
        source = preview.source
        told |= _shown(preview, kind)
    initial = run.mapping | run.options | {key: run.mapping.get(key) for key in ("date_order", "currency")}
    initial |= {key: run.mapping[key] for key in ("unknown_customers", "source_system") if run.mapping.get(key)}
    initial["atomic"] = "1" if run.options.get("atomic") else ""
    told["form"] = form or Conditions(
        initial=initial, sheets=source.sheets if source else (), form=source.form if source else ""
    )
    told["fault"] = fault
    return render(request, "imports/columns.html", told, status=status)


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
        "choices": choices_of(kind, preview.layout),
        "missing": missing,
        "notes": preview.layout.notes,
        "tally": preview.tally,
        "sums": preview.tally.as_json()["sums"],
        "faults": preview.faults[:50],
        "complete": preview.complete,
        "total_rows": preview.total_rows,
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
    }
    return render(request, "imports/result.html", told | _progress(run))
