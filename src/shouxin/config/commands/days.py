"""`shouxin day`: the daily run: ageing, dunning round, downgrades, alarms, proof. Running twice changes nothing."""

from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def day(
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The business day; default today.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Begin anew here after a long gap.")
    ] = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Run the business day, missed days first. Exit code 1 where customers were left out or the proof failed."""
    from shouxin.collection import rounds
    from shouxin.collection.api import shown_day
    from shouxin.office import clock

    person, wanted, first = terminal.person(by), terminal.day(as_of), terminal.day(start) if start else None
    rounds.refuse_far_ahead(wanted, clock.today())
    with terminal.progress(as_json=as_json) as bar:
        task = bar.add_task("day", total=None)

        def told(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        found = rounds.run(as_of=wanted, start=first, by=person, at=clock.now(), progress=told)
    if as_json:
        terminal.print_json(shown_day(found))
    else:
        _print(found)
    proved = found.proof.get("difference") == "0.00"
    raise typer.Exit(0 if found.status == "done" and proved else terminal.NO)


def _print(found: Any) -> None:
    terminal.console.print(f"[bold]{found.as_of}[/bold]  {found.get_status_display()}  v{found.policy_version}")
    terminal.print_json_or_table([{**found.counts, "proof": found.proof.get("difference")}], as_json=False)
    rows = [{"currency": currency, **sheet} for currency, sheet in found.aging.items()]
    columns = ("currency", "total", "overdue", "contested", "unapplied", "buckets", "ties")
    terminal.print_json_or_table(rows, as_json=False, columns={name: name for name in columns})
    for fault in found.faults:
        terminal.errors.print(f"customer {fault['customer']}: {fault['why']}")
