"""Files over the API: handed in, taken over by the worker, the refused rows fetched."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import BaseModel, Field

from shouxin.lib import sheets
from shouxin.lib.api import Page, Paging, done_anew, page
from shouxin.lib.imports import kinds, mapfile
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.kinds import Kind
from shouxin.lib.imports.mapping import Mapping
from shouxin.lib.models import ImportRun
from shouxin.office.door import acting
from shouxin.office.pages import moment
from shouxin.office.refusals import BadForm

from . import runs

router = Router(tags=["imports"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CellOut(BaseModel):
    """A cell (or, without a column, a row) that was refused, and why."""

    row: int
    column: str
    heading: str
    value: str
    code: str
    message: str


class WordOut(BaseModel):
    """A word of a column: in how many rows it stands and what it is taken as, or why it cannot be taken."""

    text: str
    rows: int
    taken: str
    fault: str
    translated: bool = Field(description="the mapping says what it is taken as")


class ColumnWordsOut(BaseModel):
    """A column of the file taken for one of ours, with its commonest words (at most 1,000 of `different`)."""

    column: str
    heading: str
    confidence: float
    different: int
    blank_rows: int
    words: list[WordOut]


class FilterOut(BaseModel):
    """A filter of the mapping and the rows it is the first to leave out."""

    column: str
    comparison: str
    value: list[str] = Field(default_factory=list)
    rows: int


class LookOut(BaseModel):
    """A file as it would be taken over: every row was read, nothing was kept."""

    rows: int
    readable: int
    refused: int
    left_out: int
    columns: list[ColumnWordsOut]
    filters: list[FilterOut]
    missing: list[str] = Field(description="keys of needed columns that were not recognised; a|b: one of the two")
    notes: list[str]
    totals: dict[str, Any]
    errors: list[CellOut] = Field(description="the first cells that would be refused")


class RunOut(BaseModel):
    """A file on its way in. `progress` is between 0 and 1; `totals.sums` has the amounts per currency."""

    id: int
    kind: str
    file_name: str
    digest: str
    state: Literal["uploaded", "waiting", "running", "done", "failed"]
    rows: int
    accepted: int
    unchanged: int
    refused: int
    progress: float
    mapping: dict[str, Any] = Field(description="how the file is read, as a map file says it")
    written: bool = Field(description="false where the whole file was given back because rows were refused")
    totals: dict[str, Any]
    fault: str = Field(description="why the file as a whole failed; empty where it did not")
    errors: list[CellOut] = Field(description="the first refused cells; errors.xlsx has all rows")


def shown(run: ImportRun) -> dict[str, Any]:
    """The run as callers see it."""
    finished = run.state in ("done", "failed")
    totals = dict(run.totals)
    return {
        **{name: getattr(run, name) for name in ("id", "kind", "file_name", "digest", "state")},
        **{name: getattr(run, name) for name in ("rows", "accepted", "unchanged", "refused")},
        "progress": 1.0 if finished else round(run.done_rows / run.rows, 4) if run.rows else 0.0,
        "written": bool(totals.pop("written", False)),
        "totals": totals,
        "mapping": runs.mapping_of(run) if run.kind in kinds.names() else run.mapping,
        "fault": runs.fault_text(run),
        "errors": runs.faults_of(run),
    }


@router.get("/imports", response=Page[RunOut])
def list_runs(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The files handed in, the newest first."""
    found = page(runs.seen_by(acting(request)["by"]), paging)
    return {"items": [shown(run) for run in found["items"]], "next": found["next"]}


@router.get("/imports/{int:run_id}", response=RunOut)
def get_run(request: HttpRequest, run_id: int) -> dict[str, Any]:
    """How far a file is, and what became of it."""
    return shown(runs.get(run_id, acting(request)["by"]))


@router.get("/imports/{int:run_id}/errors.xlsx")
def get_errors(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """The refused rows as they came, with the reasons, ready to be corrected and handed in again."""
    run = runs.get(run_id, acting(request)["by"])
    return sheets.attachment(runs.errors_content(run), "errors.xlsx", XLSX)


# Behind the ids: an address with a number is a run, never a kind.
@router.post("/imports/{kind}", response={202: RunOut})
def hand_in(
    request: HttpRequest,
    kind: str,
    file: File[UploadedFile],
    map: Annotated[str, Form(max_length=mapfile.BYTES_MAX, description="the mapping as YAML or JSON")] = "",
    atomic: Annotated[bool, Form(description="the whole file or nothing")] = False,
    unknown_customers: Annotated[Literal["create", "refuse"], Form()] = "refuse",
    source_system: Annotated[str, Form(max_length=40)] = "",
    currency: Annotated[str, Form(max_length=3)] = "",
) -> Status:
    """Hand in a file (CSV, XLS, XLSX); the answer names the run to be asked about."""
    who = acting(request)
    found = runs.kind_for(kind, who["by"])
    options = runs.Options(atomic, unknown_customers, source_system, currency)
    run = runs.receive(file, found, by=who["by"], at=who["at"], mapping=_mapping(map, found), options=options)
    runs.start(run, by=who["by"], at=who["at"])
    return Status(202, shown(run))


@router.post("/imports/{kind}/look", response=LookOut)
@done_anew
def look(
    request: HttpRequest,
    kind: str,
    file: File[UploadedFile],
    map: Annotated[str, Form(max_length=mapfile.BYTES_MAX, description="the mapping as YAML or JSON")] = "",
    source_system: Annotated[str, Form(max_length=40)] = "",
    currency: Annotated[str, Form(max_length=3)] = "",
) -> dict[str, Any]:
    """Look at a file before it is handed in: its columns, their words, what filters leave out, what is refused."""
    who = moment(request)
    found = runs.kind_for(kind, who["by"])
    options = runs.Options(source_system=source_system, currency=currency)
    mapping = _mapping(map, found) or Mapping()
    try:
        preview = runs.look_at(file, found, mapping, options, **who)
    except FileFault as fault:
        raise BadForm([("map" if fault.code == "mapping" else "file", str(fault))]) from None
    tally = preview.tally.as_json()
    return {
        "rows": tally["rows"],
        "readable": tally["accepted"],
        "refused": tally["refused"],
        "left_out": tally["skipped"]["left_out"],
        "columns": preview.columns_as_json(),
        "filters": tally["skipped"]["filters"],
        "missing": list(preview.layout.missing),
        "notes": list(preview.layout.notes),
        "totals": {"sums": tally["sums"], "skipped": tally["skipped"]},
        "errors": [fault.as_json() for fault in preview.faults[: runs.FAULTS_KEPT]],
    }


def _mapping(text: str, kind: Kind) -> Mapping | None:
    if not text.strip():
        return None
    try:
        return mapfile.loads(text, kind, "map")
    except FileFault as fault:
        raise BadForm([("map", str(fault))]) from None
