"""A run: a file received, looked at, its columns chosen, taken over by the worker, its refused rows given back."""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.lib import spool
from shouxin.lib.imports import faults, kinds, reader
from shouxin.lib.imports import mapping as mappings
from shouxin.lib.imports import run as imports
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.kinds import Conditions, Kind
from shouxin.lib.imports.mapping import Mapping
from shouxin.lib.jobs import enqueue
from shouxin.lib.models import ImportRun
from shouxin.lib.sealed import vault
from shouxin.office import policies, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, NotVisible, NotYourDuty, Refusal

log = logging.getLogger("shouxin.imports")

FAULTS_KEPT = 100
LOOKED_ROWS = 20_000
PREFIX = "imports"


@dataclass(frozen=True)
class Options:
    """How a run is taken over, as the person chose. `atomic`: the whole file or nothing."""

    atomic: bool = False
    unknown_customers: Literal["create", "refuse"] = "refuse"
    source_system: str = ""
    currency: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the run's record."""
        return dict(self.__dict__)


def kind_for(name: str, by: Person) -> Kind:
    """The kind, where the person may import it. Raises NotVisible for an unknown one, NotYourDuty otherwise."""
    if name not in kinds.names():
        raise NotVisible
    kind = kinds.get(name)
    if not kind.may(by):
        raise NotYourDuty(_("Importing files of this kind is not among your duties."))
    return kind


def seen_by(person: Person) -> QuerySet[ImportRun]:
    """The runs she may see: of the kinds she may import; those she handed in herself go with the post (I-18)."""
    return ImportRun.objects.filter(kind__in=[kind.name for kind in kinds.all_kinds() if kind.may(person)])


def get(pk: int, by: Person) -> ImportRun:
    """One run she may see. Raises NotVisible."""
    found = seen_by(by).select_related("by").filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


# --- verbs ---------------------------------------------------------------------------------------


def receive(
    upload: UploadedFile,
    kind: Kind,
    *,
    by: Person,
    at: datetime,
    mapping: Mapping | None = None,
    options: Options | None = None,
) -> ImportRun:
    """Keep an uploaded file and begin a run. Raises BadForm for one that is too large or empty."""
    _refuse_size(upload)
    path, digest = _keep(upload)
    try:
        with transaction.atomic():
            found = ImportRun.objects.create(
                kind=kind.name,
                file_name=Path(upload.name or "file").name[:200],
                digest=digest,
                path=str(path.relative_to(settings.MEDIA_ROOT)),
                mapping=mapping.as_json() if mapping else {},
                options=(options or Options()).as_json(),
                by=by,
                created_at=at,
            )
            trail.record(
                "import.receive", about=found, by=by, at=at, label=found.file_name, kind=kind.name, digest=found.digest
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return found


def look(run: ImportRun, *, at: datetime, today: date) -> imports.Preview:
    """The file as it would be taken over now. Raises FileFault."""
    kind = kinds.get(run.kind)
    options = Options(**run.options)
    with opened(run) as path:
        return imports.look(
            path,
            kind,
            mappings.read(run.mapping, kind),
            _conditions(run, options, at=at, today=today),
            rows_max=LOOKED_ROWS,
            limits=reader.UPLOAD,
        )


def look_at(
    upload: UploadedFile, kind: Kind, mapping: Mapping, options: Options, *, by: Person, at: datetime, today: date
) -> imports.Preview:
    """A file as it would be taken over, every row of it; nothing is kept. Raises FileFault, BadForm."""
    _refuse_size(upload)
    path, _digest = _keep(upload)
    asked = ImportRun(kind=kind.name, by=by)
    try:
        with vault().opened(path, spool.folder()) as clear:
            conditions = _conditions(asked, options, at=at, today=today)
            return imports.look(clear, kind, mapping, conditions, limits=reader.UPLOAD)
    finally:
        path.unlink(missing_ok=True)


def mapping_of(run: ImportRun) -> dict[str, Any]:
    """The run's mapping as it is written today; as it stands where it cannot be read any more."""
    try:
        return mappings.read(run.mapping, kinds.get(run.kind)).as_json()
    except FileFault:
        return dict(run.mapping)


def choose(run: ImportRun, raw_mapping: AbstractMapping[str, Any], options: Options) -> None:
    """Keep the columns and options chosen. Raises MappingFault, and Moved once the run has begun."""
    mapping = mappings.read(raw_mapping, kinds.get(run.kind))
    changed = ImportRun.objects.filter(pk=run.pk, state="uploaded").update(
        mapping=mapping.as_json(), options=options.as_json()
    )
    if not changed:
        raise Moved
    run.mapping, run.options = mapping.as_json(), options.as_json()


def translate(run: ImportRun, key: str, values: AbstractMapping[str, str]) -> None:
    """Keep what the words of a column are taken as. Raises MappingFault, and Moved once the run has begun."""
    raw = mapping_of(run)
    columns = dict(raw.get("columns", {}))
    columns[key] = {name: value for name, value in columns.get(key, {}).items() if name != "values"}
    if values:
        columns[key]["values"] = dict(values)
    raw["columns"] = {name: fill for name, fill in columns.items() if fill}
    choose(run, raw, Options(**run.options))


@transaction.atomic
def start(run: ImportRun, *, by: Person, at: datetime) -> None:
    """Hand the run to the worker, once. Raises Moved where it has begun, NotYourDuty where she may not."""
    from shouxin.office.jobs import take_over_file

    kind_for(run.kind, by)
    if not ImportRun.objects.filter(pk=run.pk, state="uploaded").update(state="waiting", by=by):
        raise Moved
    run.state = "waiting"
    trail.record("import.start", about=run, by=by, at=at, label=run.file_name, **run.options)
    enqueue(take_over_file, in_turn=PREFIX, run_id=run.pk)


def perform(run_id: int, *, at: datetime, today: date) -> None:
    """Take the file over. Done again after a crash it goes on: what is written already counts as unchanged."""
    begun = ImportRun.objects.filter(pk=run_id, state__in=("waiting", "running"))
    run = begun.select_related("by").first()
    if run is None:
        return
    again, run.state = run.state == "running", "running"
    begun.update(state=run.state)
    path = path_of(run)
    errors = path.with_suffix(".errors.xlsx")
    try:
        kind = kind_for(run.kind, run.by)
        options = Options(**run.options)
        with _Progress(run_id) as progress, opened(run) as clear:
            clear_errors = clear.with_suffix(".errors.xlsx")
            result = imports.take_over(
                clear,
                kind,
                mappings.read(run.mapping, kind),
                _conditions(run, options, at=at, today=today, again=again),
                errors_path=clear_errors,
                atomic=options.atomic,
                progress=progress,
                limits=reader.UPLOAD,
                digest=run.digest,
            )
            result.errors_path = _sealed(clear_errors, errors)
        write_result(run, result, at=at)
    except FileFault as fault:
        _fail(run, {"code": fault.code, "params": trail.as_text(fault.params)}, at=at)
    except Refusal as refusal:
        trail.keep(refusal)
        _fail(run, {"code": refusal.code, "message": str(refusal)}, at=at)
    except Exception as error:
        log.exception("import run %s failed", run_id)
        _fail(run, {"code": "unexpected", "params": {"detail": type(error).__name__}}, at=at)
    path.unlink(missing_ok=True)


def write_result(run: ImportRun, result: imports.Result, *, at: datetime) -> None:
    """Keep what became of the file: counts, totals, first faults, where the refused rows are."""
    tally = result.tally
    errors = result.errors_path
    inside = errors is not None and errors.is_relative_to(settings.MEDIA_ROOT)
    run.state = "done"
    run.rows = run.done_rows = tally.rows
    run.accepted, run.unchanged, run.refused = tally.accepted, tally.unchanged, tally.refused
    run.totals = tally.as_json() | {"written": result.written}
    run.errors = [_kept_fault(fault) for fault in result.faults[:FAULTS_KEPT]]
    run.errors_path = str(errors.relative_to(settings.MEDIA_ROOT)) if errors and inside else ""
    run.finished_at = at
    run.save()


def keep_done(
    path: Path, kind: Kind, mapping: Mapping, options: Options, result: imports.Result, *, by: Person, at: datetime
) -> ImportRun:
    """The record of a run the command line has done; its files stay where they are."""
    run = ImportRun(
        kind=kind.name,
        file_name=path.name[:200],
        digest=result.source.digest,
        mapping=mapping.as_json(),
        options=options.as_json(),
        by=by,
        created_at=at,
    )
    write_result(run, result, at=at)
    return run


# --- questions -----------------------------------------------------------------------------------


def path_of(run: ImportRun) -> Path:
    """Where the run's file is kept."""
    return Path(settings.MEDIA_ROOT) / run.path


def errors_of(run: ImportRun) -> Path:
    """The workbook of refused rows. Raises NotVisible where there is none (any more)."""
    path = Path(settings.MEDIA_ROOT) / run.errors_path
    if not run.errors_path or not path.is_file():
        raise NotVisible
    return path


def opened(run: ImportRun) -> AbstractContextManager[Path]:
    """The run's file in the clear, for as long as the block lasts; at rest it is sealed."""
    return vault().opened(path_of(run), spool.folder())


def errors_content(run: ImportRun) -> Iterator[bytes]:
    """The workbook of refused rows, in the clear. Raises NotVisible where there is none (any more)."""
    return vault().open_file(errors_of(run))


def _sealed(clear: Path, path: Path) -> Path | None:
    """Move a file from the clear to its sealed place; None where there is none."""
    if not clear.exists():
        return None
    path.unlink(missing_ok=True)
    vault().seal_file(vault().open_file(clear), path)
    clear.unlink()
    return path


def fault_text(run: ImportRun) -> str:
    """Why the whole file failed, in the reader's language; empty where it did not."""
    fault = run.fault
    return (fault.get("message") or faults.message(fault["code"], fault.get("params", {}))) if fault else ""


def faults_of(run: ImportRun) -> list[dict[str, Any]]:
    """The first refused cells with their sentences in the reader's language."""
    return [fault | {"message": faults.message(fault["code"], fault["params"])} for fault in run.errors]


def _kept_fault(fault: faults.CellFault) -> dict[str, Any]:
    return {
        "row": fault.row,
        "column": fault.column,
        "heading": fault.heading,
        "value": fault.value,
        "code": fault.code,
        "params": trail.as_text(fault.params),
    }


def _fail(run: ImportRun, fault: dict[str, Any], *, at: datetime) -> None:
    ImportRun.objects.filter(pk=run.pk).update(state="failed", fault=fault, finished_at=at)


def _conditions(run: ImportRun, options: Options, *, at: datetime, today: date, again: bool = False) -> Conditions:
    return Conditions(
        by=run.by,
        at=at,
        today=today,
        currency=options.currency or policies.in_force(today).policy.company.currency,
        source_system=options.source_system,
        unknown_customers=options.unknown_customers,
        run_id=run.pk,
        again=again,
    )


def _refuse_size(upload: UploadedFile) -> None:
    if not upload.size:
        raise BadForm([("file", faults.message("empty", {}))])
    if upload.size > reader.UPLOAD.file_bytes:
        sizes = {"size": upload.size, "size_max": reader.UPLOAD.file_bytes}
        raise BadForm([("file", faults.message("too_large", sizes))])


def _keep(upload: UploadedFile) -> tuple[Path, str]:
    """The upload sealed in a file of our own naming, and its digest; its own name is never part of a path."""
    folder = Path(settings.MEDIA_ROOT) / PREFIX
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{secrets.token_hex(16)}.upload"
    digest = hashlib.sha256()
    vault().seal_file(_digested(upload.chunks(), digest), path)
    return path, digest.hexdigest()


def _digested(chunks: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


class _Progress:
    """Writes how far a run is over a connection of its own: the run's transaction would hide it until its end."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.beside: Any = None

    def __enter__(self) -> "_Progress":
        self.beside = connections["default"].copy()
        return self

    def __exit__(self, *_error: object) -> None:
        self.beside.close()

    def __call__(self, done: int, rows: int) -> None:
        table = ImportRun._meta.db_table
        with self.beside.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET done_rows = %s, rows = %s WHERE id = %s", [done, rows, self.run_id])
