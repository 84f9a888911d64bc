"""A large file is read in flat memory: what is kept grows by a few bytes a row, not by the row."""

import subprocess
import sys
from pathlib import Path

import pytest

from .handing import SHEET_HEADING, sheet_file

ROOT = Path(__file__).resolve().parents[2]
READ = """
import resource, sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_I18N=False, HOME=Path(sys.argv[1]).parent)
from tests.imports.handing import look
found = look(Path(sys.argv[1]))
print(found.tally.accepted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
REMARK = "备注" * 40


def _row(number: int) -> tuple[str, ...]:
    return (
        f"C{number % 500:05d}",
        f"客户{number % 500}",
        f"INV{number:08d}",
        "2026-01-05",
        "2026-02-04",
        "100.00",
        "CNY",
        REMARK,
    )


def _csv(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join((*SHEET_HEADING, "摘要")) + "\n")
        file.writelines(",".join(_row(number)) + "\n" for number in range(rows))
    return path


def _xlsx(folder: Path, rows: int) -> Path:
    table = [(*SHEET_HEADING, "摘要"), *map(_row, range(rows))]
    return sheet_file(folder, table, f"{rows}.xlsx", constant_memory=True)


def _megabytes(path: Path) -> tuple[int, int]:
    """Rows read and the most memory the reading process had."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": ""},
    )
    rows, megabytes = done.stdout.split()
    return int(rows), int(megabytes)


@pytest.mark.parametrize("make", [_csv, _xlsx])
def test_ten_times_the_rows_take_little_more_memory(make: object, tmp_path: Path) -> None:
    _few, small = _megabytes(make(tmp_path, 10_000))  # type: ignore[operator]
    many, large = _megabytes(make(tmp_path, 100_000))  # type: ignore[operator]

    assert many == 100_000
    assert large - small < 40, f"{small} MB for 10,000 rows, {large} MB for 100,000"
