"""The restore drill at size: a whole portfolio backed up while it is open, and made an installation again elsewhere.

Subjects are `shouxin backup` and `shouxin restore` as a person runs them, each with everything they prove: every byte
read back, rows and digests of every table, the head and the chain of the trail, the books to the cent. The anchors are
bare `pg_dump` of the same database and bare `pg_restore` of that dump into an empty one. Told are seconds; the goal for
300,000 customers and a million open items is ten minutes.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import portfolio

GOAL_SECONDS = 600.0


@dataclass(frozen=True)
class Drilled:
    """What a backup or a restore took in seconds, against its anchor; how much it was, and whether it came out whole.

    `ratio` is the median of the runs' own ratios.
    """

    name: str
    value: float
    unit: str
    anchor: float
    ratio: float
    goal: float
    rows: int
    megabytes: float
    whole: bool
    runs: list[float]


def run(on_step: Callable[[], None], *, size: portfolio.Size, runs: int = 1) -> list[Drilled]:
    """Anchor and subject in turn; the books are made first where the database is empty."""
    from shouxin.customers.models import Customer
    from shouxin.office import clock

    if not Customer.objects.exists():
        portfolio.build(size, today=clock.today(), at=clock.now(), on_step=lambda _told: on_step())
    turns = [_turn(on_step) for _ in range(runs)]
    return [_drilled(name, [each[name] for each in turns]) for name in ("backup", "restore")]


def _turn(on_step: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """One backup and one restore of it, each behind its anchor."""
    with tempfile.TemporaryDirectory(prefix="shouxin-drill-") as folder:
        there = Path(folder)
        bare, backup = there / "bare.dump", there / "whole.bak"
        dumped = _timed("benched", Path(os.environ["SHOUXIN_HOME"]), "dump", str(bare))
        made = _timed("product", Path(os.environ["SHOUXIN_HOME"]), "backup", str(backup), "--json")
        on_step()
        taken = _timed("benched", there / "anchor", "restore", str(bare))
        shutil.rmtree(there / "anchor")
        restored = _timed("product", there / "second", "restore", str(backup), "--json")
        on_step()
    sizes = {"rows": made["told"]["rows"], "megabytes": made["told"]["bytes"] / 1e6}
    return {
        "backup": {"anchor": dumped["seconds"], "seconds": made["seconds"], "whole": True} | sizes,
        "restore": {"anchor": taken["seconds"], "seconds": restored["seconds"], "whole": restored["told"]["whole"]}
        | sizes,
    }


def _timed(whose: str, home: Path, *words: str) -> dict[str, Any]:
    """Run a command in a home, from the start of its process to its end; seconds, and what it told."""
    module = "shouxin.config.cli" if whose == "product" else str(__name__)
    inside = {**os.environ, "SHOUXIN_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, *words], env=inside, capture_output=True, text=True)
    took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return {"seconds": took, "told": json.loads(done.stdout)[0]}


def _drilled(name: str, turns: list[dict[str, Any]]) -> Drilled:
    middle = statistics.median
    return Drilled(
        name, middle(each["seconds"] for each in turns), "s", middle(each["anchor"] for each in turns),
        middle(each["seconds"] / each["anchor"] for each in turns), GOAL_SECONDS, turns[0]["rows"],
        turns[0]["megabytes"], all(each["whole"] for each in turns), [each["seconds"] for each in turns],
    )  # fmt: skip


def _bare(verb: str, dump: str) -> None:
    """The anchors: PostgreSQL's own programs on the database of this home, and nothing else."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouxin.config.settings")
    django.setup()
    from shouxin.config import programs
    from shouxin.lib.database import roles

    with roles.as_owner():
        if verb == "dump":
            programs.run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        else:
            words = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
            programs.run("pg_restore", *words, dump)
    print(json.dumps([{}]))


if __name__ == "__main__":
    _bare(*sys.argv[1:])
