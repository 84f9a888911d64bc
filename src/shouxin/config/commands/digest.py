"""`shouxin digest`: tell each department of the periods that are over, or look at the running one."""

from typing import Annotated

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def digest(
    department: Annotated[str, typer.Option(help="With --preview: which department; default all.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Print the running period; send nothing.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Make what is due for every department, missed periods first, and put it into the outbox."""
    from shouxin.lib import documents
    from shouxin.office import clock, policies, posts
    from shouxin.records import digests
    from shouxin.rules import digest as rule

    today = clock.today()
    if preview:
        policy = policies.in_force(today).policy
        content = digests.paper(department, rule.period_of(policy, today), policy=policy)
        if as_json:
            terminal.print_json(content)
        else:
            terminal.console.print(documents.plain(content), markup=False, highlight=False)
        return
    made = digests.make_due(today=today, at=clock.now(), by=posts.system())
    rows = [{"department": each.department or "*", "from": each.first, "until": each.last} for each in made]
    terminal.print_json_or_table(rows, as_json=as_json, columns={"department": "", "from": "", "until": ""})
