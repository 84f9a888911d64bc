"""`shouxin bench NAME`: what is measured, against its anchor in the same run, in a home that is thrown away."""

import dataclasses
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
BENCHES = ("checks", "import", "pages", "rating", "restore")
INSIDE = "SHOUXIN_BENCH"


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="checks: credit decisions; import: files of invoices; pages, rating, restore: "
            "a portfolio looked at, rated, backed up and restored."
        ),
    ] = "checks",
    accounts: Annotated[int, typer.Option(min=100, help="How many credit accounts.")] = 10_000,
    customers: Annotated[int, typer.Option(min=1000, help="pages, rating, restore: how many customers.")] = 100_000,
    items: Annotated[int, typer.Option(min=1000, help="pages, rating, restore: how many open items.")] = 1_000_000,
    runs: Annotated[int, typer.Option(min=1)] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of each measurement.")] = 3.0,
    as_json: terminal.AsJson = False,
) -> None:
    """Measure; never touches the installation's own data."""
    if name not in BENCHES:
        terminal.fail(f"no bench {name}; there is: {', '.join(BENCHES)}")
    if not os.environ.get(INSIDE):
        raise typer.Exit(_in_a_home_of_its_own())
    if name in ("pages", "rating", "restore"):
        _portfolio(name, customers, items, runs, as_json=as_json)
    else:
        _measure(name, accounts, runs, seconds, as_json=as_json)


def _in_a_home_of_its_own() -> int:
    """The same command again, with an embedded database in a folder that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="shouxin-bench-") as home:
        inside = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        inside |= {"SHOUXIN_HOME": home, INSIDE: "1"}
        return subprocess.call([sys.executable, "-m", "shouxin.config.cli", *sys.argv[1:]], env=inside)


def _module(name: str) -> Any:
    """A module of the benches: in the package where it is installed, beside `src` in the source tree."""
    if importlib.util.find_spec("shouxin.benches"):
        return importlib.import_module(f"shouxin.benches.{name}")
    sys.path.insert(0, str(Path(__file__).parents[4]))
    return importlib.import_module(f"benches.{name}")


def _portfolio(name: str, customers: int, items: int, runs: int, *, as_json: bool) -> None:
    from shouxin.config import migrating
    from shouxin.lib.database import roles

    measure, subject, portfolio = (_module(each) for each in ("measure", name, "portfolio"))
    migrating.bring_up()
    with roles.as_owner(), terminal.progress(as_json=as_json) as bar:  # loading drops and builds indexes
        task = bar.add_task("bench", total=None)
        size = portfolio.Size(customers, items)
        shown = subject.run(lambda: bar.advance(task), size=size, runs=runs * 6 if name == "pages" else runs)
    rows = [{k: round(v, 1) if isinstance(v, float) else v for k, v in dataclasses.asdict(s).items()} for s in shown]
    terminal.print_json_or_table(rows, as_json=as_json, columns={k: k for k in rows[0] if k != "runs"})
    if not as_json:
        terminal.console.print(measure.machine() | dataclasses.asdict(size))


def _measure(name: str, accounts: int, runs: int, seconds: float, *, as_json: bool) -> None:
    from shouxin.config import migrating
    from shouxin.lib.database import roles

    checks, imports, measure = map(_module, ("checks", "imports", "measure"))
    migrating.bring_up()
    with roles.as_owner(), terminal.progress(as_json=as_json) as bar:  # the anchors have tables of their own
        task = bar.add_task("bench", total=imports.steps(runs) if name == "import" else runs * checks.SUBJECTS)

        def step() -> None:
            bar.advance(task)

        results: Sequence[Any]
        if name == "import":
            results = imports.run(step, runs=runs)
        else:
            results = checks.run(step, accounts=accounts, runs=runs, seconds=seconds)
    rows = [dataclasses.asdict(result) for result in results]
    if as_json:
        terminal.print_json(rows)
        return
    shown = [{**row, **{key: round(row[key], 2) for key in ("value", "anchor", "ratio")}} for row in rows]
    terminal.print_json_or_table(
        shown, as_json=False, columns={k: k for k in ("name", "value", "unit", "anchor", "ratio")}
    )
    terminal.console.print(measure.machine())
