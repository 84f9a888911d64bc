"""The child process that parses a workbook: limited in memory and time, so that a hostile file harms only it.

Run as `python -m shouxin.lib.imports.sheet PATH SPOOL OPTIONS`; OPTIONS is JSON. It writes the chosen
sheet's rows to SPOOL, a batch per line, and one JSON answer to standard output. No Django here.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from . import zipscan

BATCH_ROWS = 1000
MARK = "\0"
"""First character of a cell that is no text: then d and a date, t and a moment, or e and an error."""


def restrict(memory_bytes: int, seconds: int, spool_bytes: int) -> None:
    """Bind this process; where the system has no such limits (Windows), the time-out of the parent remains."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: spool_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS but refuses to set it
            continue


def spool(path: Path, target: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Write the sheet's rows to the target; answers with the sheets' names, the sheet read and its rows."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    troubles_of: dict[str, dict[str, str]] = {}
    if options["form"] == "xlsx":
        limits = zipscan.Limits(options["unpacked_bytes"], options["area"], options["columns"])
        extents = zipscan.scan(path, limits)
        paths = zipscan.sheet_paths(path)
        troubles_of = {name: extents[place].troubles for name, place in paths.items() if place in extents}
    with CalamineWorkbook.from_path(path) as workbook:
        tables = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
        names = [each.name for each in tables if each.visible == SheetVisibleEnum.Visible] or [e.name for e in tables]
        if options["sheet"] and options["sheet"] not in workbook.sheet_names:
            raise zipscan.Refused("no_such_sheet", sheet=options["sheet"][:60], sheets=", ".join(names)[:200])
        for name in [options["sheet"]] if options["sheet"] else names:
            count = _write(workbook.get_sheet_by_name(name), troubles_of.get(name, {}), target)
            if count:
                return {"sheet": name, "sheets": names, "rows": count}
    raise zipscan.Refused("empty")


def _write(sheet: Any, troubles: dict[str, str], target: Path) -> int:
    if sheet.start is None:
        return 0
    count = 0
    with target.open("w", encoding="utf-8") as out:
        for batch in _batches(_rows(sheet, troubles)):
            out.write(json.dumps(batch, ensure_ascii=False, separators=(",", ":")))
            out.write("\n")
            count += len(batch)
    return count


def _batches(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(sheet: Any, troubles: dict[str, str]) -> Iterator[list[Any]]:
    """Each row that is not blank as [its number in the sheet, its cells], cells counted from column A."""
    lead = [None] * sheet.start[1]
    at = _places(troubles)
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = lead + [cell if cell.__class__ is str and cell[:1].isalnum() else _cell(cell) for cell in cells]
        for column, text in at.get(number, ()):
            row.extend([None] * (column + 1 - len(row)))
            row[column] = f"{MARK}e{text}"
        while row and row[-1] is None:
            row.pop()
        if row:
            yield [number, row]


def _places(troubles: dict[str, str]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for reference, text in troubles.items():
        letters = reference.rstrip("0123456789")
        found.setdefault(int(reference[len(letters) :]), []).append((zipscan.column_number(letters) - 1, text))
    return found


def _cell(value: Any) -> Any:
    """A cell as JSON can carry it: text, number, truth, None for blank; dates and times behind the mark."""
    kind = value.__class__
    if kind is str:
        # A text cannot begin with the mark: XML has no NUL. An XLS could, and loses it here.
        return value.lstrip(MARK) if value and not value.isspace() else None
    if kind is float or kind is int:
        return value
    if kind is bool:
        return value
    if kind is datetime:
        return f"{MARK}t{value.isoformat()}"
    if kind is date:
        return f"{MARK}d{value.isoformat()}"
    if kind is time or kind is timedelta:
        return str(value)
    return None


def main() -> int:
    """Answer with what was spooled, or with the fault; a crash leaves no answer and the parent says so."""
    path, target, options = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    restrict(options["memory_bytes"], options["seconds"], options["spool_bytes"])
    try:
        answer = spool(path, target, options)
    except zipscan.Refused as refused:
        answer = {"fault": refused.code, "params": refused.params}
    except MemoryError:
        answer = {"fault": "too_heavy", "params": {}}
    except Exception as error:
        encrypted = error.__class__.__name__ == "PasswordError"
        answer = {"fault": "encrypted" if encrypted else "broken_workbook", "params": {"detail": str(error)[:80]}}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
