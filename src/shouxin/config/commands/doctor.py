"""`shouxin doctor`: is this installation fit, and if not, what mends it?"""

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def doctor(as_json: terminal.AsJson = False) -> None:
    """Check the installation and say how to mend what is wrong; exit code 1 if something is."""
    from shouxin.config.doctor import examine

    found = examine()
    columns = {"check": "检查 check", "ok": "✓", "seen": "所见 seen", "mend": "如何修复 how to mend"}
    terminal.print_json_or_table([finding.as_row() for finding in found], as_json=as_json, columns=columns)
    if not all(finding.ok for finding in found):
        raise typer.Exit(terminal.NO)
