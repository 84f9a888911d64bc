"""`shouxin backup`, `restore`, `pause`, `resume`: the whole installation in a file, and out of it again."""

from pathlib import Path
from typing import Annotated

import typer

from shouxin.config import terminal

app = typer.Typer()

Identity = Annotated[
    Path | None, typer.Option("--identity", metavar="FILE", help="The key of an encrypted backup (AGE-SECRET-KEY-…).")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the trail.")]


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    recipient: Annotated[
        str,
        typer.Option(envvar="SHOUXIN_BACKUP_RECIPIENT", metavar="age1…", help="Encrypt for the holder of this key."),
    ] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Back up the whole installation into FILE while it works, and read it back: database, files, keys."""
    from shouxin.config import backup as backups
    from shouxin.config.programs import ProgramFailed
    from shouxin.lib.archive import ArchiveError
    from shouxin.office import clock

    try:
        made = backups.make(file, recipient=recipient, by=terminal.person(by), at=clock.now())
    except (backups.BackupError, ProgramFailed, ArchiveError, OSError) as error:
        terminal.fail(error)
    terminal.print_json_or_table([made.as_row()], as_json=as_json)


@app.command("backup-key")
def backup_key(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet; keep it elsewhere.")],
) -> None:
    """Make a key for encrypted backups: the secret goes into FILE, the recipient for --recipient is printed."""
    from shouxin.lib import archive

    try:
        print(archive.new_identity(file))
    except OSError as error:
        terminal.fail(error)


@app.command()
def restore(
    file: Path,
    replace: Annotated[bool, typer.Option("--replace", help="Give up what is in this installation now.")] = False,
    check_only: Annotated[bool, typer.Option("--check", help="Prove every byte of the file, change nothing.")] = False,
    identity: Identity = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Make this installation the one in FILE, paused until `shouxin resume`; exit code 1 if it is not whole."""
    from shouxin.config import restore as restores
    from shouxin.office import clock

    try:
        if check_only:
            found = restores.check(file, identity=identity)
            row = {"of": found["at"], "product": found["product"], "files": len(found["members"]) - 1, "whole": True}
            terminal.print_json_or_table([row], as_json=as_json)
            return
        restored = restores.restore(file, replace=replace, identity=identity, at=clock.now())
    except restores.RestoreError as error:
        terminal.fail(error)
    terminal.print_json_or_table([restored.as_row()], as_json=as_json)
    if not restored.whole:
        raise typer.Exit(terminal.NO)


@app.command()
def pause(reason: Reason, by: terminal.By = terminal.SYSTEM) -> None:
    """No letters, no webhooks, no jobs from now on; pages and decisions go on."""
    from shouxin.office import clock
    from shouxin.office import pause as pauses

    pauses.begin(why=reason, by=terminal.person(by), at=clock.now())


@app.command()
def resume(reason: Reason, by: terminal.By = terminal.SYSTEM) -> None:
    """End the pause, after a restore too: jobs run and letters leave from now on."""
    from shouxin.office import clock
    from shouxin.office import pause as pauses

    pauses.end(why=reason, by=terminal.person(by), at=clock.now())
