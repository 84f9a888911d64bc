"""`shouxin trail …`: is the audit trail as it was written; its head, kept outside the database."""

from pathlib import Path
from typing import Annotated

import typer
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()
trail = typer.Typer(no_args_is_help=True, help="The audit trail: verify its chain, keep its head.")
app.add_typer(trail, name="trail")


@trail.command()
def verify(
    checkpoint: Annotated[
        list[Path], typer.Option(metavar="FILE", help="Compare with this checkpoint too; may be given several times.")
    ] = [],  # noqa: B006 - typer reads the default, nobody changes it
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> int:
    """Recompute the whole chain and compare it with every checkpoint at hand. Exit code 1: it is not whole."""
    from shouxin.office import audits, chain, checkpoints, clock

    try:
        given = [checkpoints.read(path) for path in checkpoint]
        with terminal.progress(as_json=as_json) as bar:
            task = bar.add_task(_("Verifying"), total=chain.head().entries)
            walked = lambda entries: bar.advance(task, entries)  # noqa: E731
            verdict = audits.verify(by=terminal.person(by), at=clock.now(), given=given, walked=walked)
    except checkpoints.Unreadable as error:
        terminal.fail(error)
    told = audits.as_row(verdict)
    if as_json:
        terminal.print_json(told)
    else:
        names = ("whole", "entries", "head", "checkpoints", "wrong")
        terminal.print_json_or_table([{name: told[name] for name in names}], as_json=False)
        if told["findings"]:
            terminal.print_json_or_table(told["findings"], as_json=False)
    return 0 if verdict.whole else terminal.NO


@trail.command("checkpoint")
def keep_checkpoint(file: Path, by: terminal.By = terminal.SYSTEM) -> None:
    """Write the head of the chain, signed, into a new file. Keep it where the database's owner cannot reach it."""
    from shouxin.office import audits, clock

    try:
        audits.checkpoint(by=terminal.person(by), at=clock.now(), path=file)
    except OSError as error:
        terminal.fail(_("%(path)s cannot be written (%(why)s)") % {"path": file, "why": error.strerror})
