"""`shouxin clauses`: the regulation clause by clause, with what carries it out, its tests and its evidence today."""

from typing import Annotated

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def clauses(
    clause: Annotated[str | None, typer.Argument(help="One clause, such as B2.5; left out: all.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """How far the regulation is carried out. Exit code 1 where a clause asked about is not there yet."""
    from shouxin.records import api
    from shouxin.records.regulation import STATES, State

    rows = [row for row in api.clauses(with_evidence=True) if clause in (None, row["id"])]
    if not rows:
        terminal.fail(f"no clause {clause}")
    shown = [
        {
            **{name: row[name] for name in ("id", "demand", "lacks")},
            "state": STATES[row["state"]],
            "tests": len(row["tests"]),
            "evidence": sum(each["count"] for each in row["evidence"]),
        }
        for row in rows
    ]
    columns = {name: name for name in ("id", "state", "demand", "lacks", "tests", "evidence")}
    terminal.print_json_or_table(rows if as_json else shown, as_json=as_json, columns=columns)
    if clause and rows[0]["state"] == State.NOT_YET:
        raise typer.Exit(terminal.NO)
