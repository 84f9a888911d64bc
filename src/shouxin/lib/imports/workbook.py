"""Spreadsheets, parsed by a child process and read back from its spool as often as needed."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .delimited import Record
from .faults import FileFault
from .sheet import MARK

_MARKED = json.dumps(MARK)[1:-1]
AT_ONCE = 4
"""Workbooks one process has parsed at the same time; the threads it answers with are four times as many."""
WAIT_SECONDS = 10
_turns = threading.BoundedSemaphore(AT_ONCE)
_SOURCE_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class SheetLimits:
    """How much a workbook may cost before it is refused; the area is rows times columns of its filled corner."""

    unpacked_bytes: int = 2 << 30
    area: int = 30_000_000
    columns: int = 2_000
    memory_bytes: int = 3 << 30
    seconds: int = 180
    spool_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A cell that shows an error such as #DIV/0!, or a formula that was never computed ("formula")."""

    text: str

    def __str__(self) -> str:
        return self.text


def spool(path: Path, target: Path, form: str, sheet: str, limits: SheetLimits) -> dict[str, Any]:
    """Let the child write the sheet's rows to the target; its answer. Raises FileFault."""
    options = {"form": form, "sheet": sheet} | limits.__dict__
    book = _rightly_named(path, target.with_name(f"book.{form}"))
    command = [sys.executable, "-m", "shouxin.lib.imports.sheet", str(book), str(target), json.dumps(options)]
    roots = [str(_SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(roots), "PYTHONUTF8": "1"}
    heavy = FileFault("too_heavy", {"seconds": limits.seconds, "memory": limits.memory_bytes >> 20})
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise FileFault("busy")
    try:
        child = subprocess.run(command, capture_output=True, timeout=limits.seconds + 10, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise heavy from None
    finally:
        _turns.release()
    if child.returncode or not child.stdout:
        raise heavy if child.returncode < 0 else FileFault("broken_workbook", {"detail": "parser"})
    answer: dict[str, Any] = json.loads(child.stdout)
    if answer.get("fault") == "too_heavy":
        raise heavy
    if "fault" in answer:
        raise FileFault(answer["fault"], answer["params"])
    return answer


def _rightly_named(path: Path, name: Path) -> Path:
    """The file under a name that says what it is: the parser goes by names, we do not."""
    try:
        name.symlink_to(path.resolve())
    except OSError:  # a system without links
        shutil.copyfile(path, name)
    return name


def rows(target: Path) -> Iterator[Record]:
    """The spooled rows: number in the sheet and cells as str, int, float, bool, date, datetime, ErrorCell or None."""
    with target.open(encoding="utf-8") as file:
        for line in file:
            if _MARKED not in line:
                yield from map(tuple, json.loads(line))
                continue
            for number, cells in json.loads(line):
                yield number, [_cell(c) if c.__class__ is str and c[:1] == MARK else c for c in cells]


def _cell(text: str) -> object:
    kind, body = text[1], text[2:]
    if kind == "d":
        return date.fromisoformat(body)
    return datetime.fromisoformat(body) if kind == "t" else ErrorCell(body)
