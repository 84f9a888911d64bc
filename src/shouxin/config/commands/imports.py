"""`shouxin import`: customers, facts, lines, invoices, receipts and orders from files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()


@app.command("import")
def import_file(
    kind: Annotated[str, typer.Argument(help="customers, facts, lines, invoices, receipts or orders.")],
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8, GB18030, UTF-16), XLS or XLSX.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="MAP.yaml", help="Which column is what; see docs/en/imports.md.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything and roll it back.")] = False,
    atomic: Annotated[bool, typer.Option("--atomic", help="The whole file or nothing; default: row by row.")] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Show the words of every column and what they are taken as; write nothing.")
    ] = False,
    create_customers: Annotated[
        bool, typer.Option("--create-customers", help="Register unknown customers instead of refusing their rows.")
    ] = False,
    source_system: Annotated[str, typer.Option(help="Where the papers come from; part of their natural key.")] = "",
    currency: Annotated[str, typer.Option(help="For rows that name none; default: the company's.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Take a file over. Refused rows go to FILE.errors.xlsx with the reason per cell; the exit code is then 1.

    Importing the same file twice changes nothing.
    """
    from shouxin.lib.imports import kinds, mapfile
    from shouxin.lib.imports.faults import FileFault
    from shouxin.lib.imports.mapping import Mapping

    if kind not in kinds.names():
        known = {"kind": kind, "known": ", ".join(kinds.names())}
        terminal.fail(_("There is no kind %(kind)s. There are: %(known)s.") % known)
    for path in filter(None, (file, map_file)):
        if not path.is_file():
            terminal.fail(_("There is no file %(path)s.") % {"path": path})
    chosen = kinds.get(kind)
    options = {"atomic": atomic, "source_system": source_system, "currency": currency}
    options["unknown_customers"] = "create" if create_customers else "refuse"
    try:
        mapping = mapfile.load(map_file, chosen) if map_file else Mapping()
        if words:
            preview = _look(chosen, file, mapping, options, by=by)
            _print_words(preview, as_json=as_json)
            raise typer.Exit(terminal.NO if preview.tally.refused or preview.layout.missing else 0)
        result, run_id = _take_over(chosen, file, mapping, options, by=by, dry_run=dry_run, as_json=as_json)
    except FileFault as fault:
        terminal.fail(f"{file}: {fault}")
    except OSError as error:
        terminal.fail(f"{error.filename or file}: {error.strerror}")
    _print(result, run_id, dry_run=dry_run, as_json=as_json)
    if result.tally.refused:
        raise typer.Exit(terminal.NO)


def _conditions(kind: Any, options: dict[str, Any], *, by: str) -> tuple[Any, Any]:
    """The conditions of the run, and its options. Raises NotYourDuty."""
    from shouxin.lib.imports.kinds import Conditions
    from shouxin.office import clock, policies
    from shouxin.office.imports import runs

    person, today, now = terminal.person(by), clock.today(), clock.now()
    chosen = runs.Options(**options)
    runs.kind_for(kind.name, person)
    conditions = Conditions(
        by=person,
        at=now,
        today=today,
        currency=chosen.currency or policies.in_force(today).policy.company.currency,
        source_system=chosen.source_system,
        unknown_customers=chosen.unknown_customers,
    )
    return conditions, chosen


def _look(kind: Any, file: Path, mapping: Any, options: dict[str, Any], *, by: str) -> Any:
    """The file as it would be taken over."""
    from shouxin.lib.imports.run import look

    return look(file, kind, mapping, _conditions(kind, options, by=by)[0])


def _take_over(
    kind: Any, file: Path, mapping: Any, options: dict[str, Any], *, by: str, dry_run: bool, as_json: bool
) -> tuple[Any, int | None]:
    """Take the file over under a progress bar, and keep the record of the run."""
    from shouxin.lib.imports.run import take_over
    from shouxin.office.imports import runs

    conditions, chosen = _conditions(kind, options, by=by)
    with terminal.progress(as_json=as_json) as bar:
        task = bar.add_task(str(kind.label), total=None)
        result = take_over(
            file,
            kind,
            mapping,
            conditions,
            errors_path=file.with_name(f"{file.name}.errors.xlsx"),
            atomic=chosen.atomic,
            dry_run=dry_run,
            progress=lambda done, rows: bar.update(task, completed=done, total=rows),
        )
    run = None if dry_run else runs.keep_done(file, kind, mapping, chosen, result, by=conditions.by, at=conditions.at)
    return result, run.pk if run else None


def _counted() -> dict[str, str]:
    """What became of rows and amounts, in the terminal's language."""
    return {"rows": _("Rows"), "accepted": _("Taken over"), "unchanged": _("Unchanged"), "refused": _("Refused")}


def _print(result: Any, run_id: int | None, *, dry_run: bool, as_json: bool) -> None:
    tally = result.tally.as_json()
    errors = str(result.errors_path) if result.errors_path else None
    source, layout = result.source, result.layout
    columns = [
        {"column": b.key, "heading": b.heading or b.fill.constant, "confidence": b.confidence} for b in layout.bound
    ]
    if as_json:
        read_as = {
            "form": source.form,
            "encoding": source.encoding,
            "delimiter": source.delimiter,
            "sheet": source.sheet,
        }
        faults = [fault.as_json() for fault in result.faults]
        written = {"run": run_id, "dry_run": dry_run, "written": result.written, "errors_file": errors}
        terminal.print_json(
            written | tally | {"read_as": read_as, "columns": columns, "notes": layout.notes, "errors": faults}
        )
        return
    say = terminal.console.print
    say("  ".join(f"{each['heading']} → {each['column']}" for each in columns), highlight=False, markup=False)
    for note in layout.notes:
        say(note, markup=False)
    counts = {key: tally[key] for key in ("rows", "accepted", "unchanged", "refused")}
    terminal.print_json_or_table([counts], as_json=False, columns=_counted())
    sums = [{"currency": currency} | states for currency, states in tally["sums"].items()]
    if sums:
        columns_of_sums = {"currency": _("Currency"), "read": _("Read")} | _counted()
        columns_of_sums.pop("rows")
        terminal.print_json_or_table(sums, as_json=False, columns=columns_of_sums)
    if any(tally["skipped"].values()):
        left = tally["skipped"]
        named = {"totals": left["totals"], "headings": left["repeated_headings"], "left": left["left_out"]}
        say(
            _("Left aside: %(totals)s rows of totals, %(headings)s repeated headings, %(left)s by the filters.") % named
        )
    _print_filters(tally["skipped"]["filters"])
    for fault in result.faults[:10]:
        say(f"  {fault.row}  {fault.heading or '–'}  {fault.value!r}: {fault}", markup=False, highlight=False)
    if not result.written:
        whole = _("Nothing was written: with --atomic every row must pass.")
        say(_("Dry run: nothing was written.") if dry_run else whole)
    if errors:
        say(_("Refused rows: %(path)s") % {"path": errors}, markup=False, highlight=False, soft_wrap=True)


WORDS_SHOWN = 20


def _print_words(preview: Any, *, as_json: bool) -> None:
    """The words of every column with what they are taken as, and what the filters leave out."""
    tally = preview.tally.as_json()
    if as_json:
        faults = [fault.as_json() for fault in preview.faults]
        missing = {"missing": preview.layout.missing, "notes": preview.layout.notes}
        terminal.print_json(tally | missing | {"columns": preview.columns_as_json(), "errors": faults})
        return
    say = terminal.console.print
    for column in preview.columns_as_json():
        say(f"{column['heading'] or '–'} → {column['column']}", highlight=False, markup=False)
        rows = [
            {"text": word["text"], "rows": word["rows"], "taken": word["taken"] or word["fault"]}
            for word in column["words"][:WORDS_SHOWN]
        ]
        named = {"text": _("Word of the file"), "rows": _("Rows"), "taken": _("Taken as")}
        if rows:
            terminal.print_json_or_table(rows, as_json=False, columns=named)
        if column["different"] > WORDS_SHOWN:
            say(_("… and %(n)s more words") % {"n": column["different"] - WORDS_SHOWN})
    _print_filters(tally["skipped"]["filters"])


def _print_filters(filters: list[dict[str, Any]]) -> None:
    from shouxin.lib.imports.filters import Filter

    named = {"filter": _("Filter"), "rows": _("Rows left out")}
    rows = [{"filter": told, "rows": count} for told, count in Filter.told(filters)]
    if rows:
        terminal.print_json_or_table(rows, as_json=False, columns=named)
