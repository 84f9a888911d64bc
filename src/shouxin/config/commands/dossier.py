"""`shouxin facts …`: what is known of a customer; noting a fact with its paper, verifying it, ending its part."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="The dossier: list, add, verify, mark.")
app.add_typer(group, name="facts")

Number = Annotated[int, typer.Argument(help="The fact's number.")]
Paper = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The file it stands on.")]
Remark = Annotated[str, typer.Option(help="A remark.")]


@group.command("list")
def list_facts(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The latest fact of each kind with its source, day, and how far it can be trusted."""
    from shouxin.customers import registry
    from shouxin.records import credit_file

    person, today = terminal.person(by), terminal.day(None)
    with terminal.refusals():
        found = registry.visible_customer(customer, by=person, on=today)
    terminal.print_json_or_table([_row(each) for each in credit_file.latest_facts(found)], as_json=as_json)


@group.command()
def add(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    key: Annotated[str, typer.Argument(help="Which fact, such as lawsuits or bank_reference.")],
    value: Annotated[str, typer.Argument(help="A number, a word, yes or no.")],
    by: terminal.Who,
    source: Annotated[str, typer.Option(help="registry, gazette, award, penalty, media, visit, bureau, …")] = "visit",
    as_of: Annotated[str, typer.Option(metavar="DATE", help="The day it held; today where left out.")] = "",
    note: Remark = "",
    evidence: Paper = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Note something learnt, with its source and day, and the paper it stands on."""
    from shouxin.customers import facts, registry
    from shouxin.office import clock

    call = _call(by)
    with terminal.refusals():
        found = registry.visible_customer(customer, by=call["by"], on=call["on"])
        made = facts.add(found, key, facts.typed(key, value), source=source, as_of=terminal.day(as_of or None),
                         note=note, evidence=_upload(evidence), **call, at=clock.now())  # fmt: skip
    terminal.print_json_or_table([_row(made)], as_json=as_json)


@group.command()
def verify(
    fact: Number,
    method: Annotated[str, typer.Argument(help="issuer, on_site or online.")],
    result: Annotated[str, typer.Argument(help="genuine, doubtful or forged.")],
    by: terminal.Who,
    note: Remark = "",
    evidence: Paper = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Say how a fact was verified, and with which result; never one's own."""
    from shouxin.customers import dossier
    from shouxin.office import clock

    call = _call(by)
    with terminal.refusals():
        row = dossier.get(fact, **call)
        dossier.verify(row, method, result, checked_on=call["on"], note=note, evidence=_upload(evidence), **call,
                       at=clock.now())  # fmt: skip
        terminal.print_json_or_table([_row(dossier.get(fact, **call))], as_json=as_json)


@group.command()
def mark(
    fact: Number,
    kind: Annotated[str, typer.Argument(help="expired, repaired or wrong; a quick note: dismissed.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the fact.")],
    by: terminal.Who,
    as_json: terminal.AsJson = False,
) -> None:
    """Take a fact out of scoring; never one's own."""
    from shouxin.customers import dossier
    from shouxin.office import clock

    call = _call(by)
    with terminal.refusals():
        dossier.mark(dossier.get(fact, **call), kind, reason, **call, at=clock.now())
        terminal.print_json_or_table([_row(dossier.get(fact, **call))], as_json=as_json)


def _call(by: str) -> dict[str, Any]:
    return {"by": terminal.person(by), "on": terminal.day(None)}


def _upload(path: Path | None) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(path.name, path.read_bytes()) if path else None


def _row(row: Any) -> dict[str, Any]:
    from shouxin.customers import facts

    value, until = facts.told(row)
    last = max(row.checks.all(), key=lambda each: each.pk, default=None)
    mark = getattr(row, "mark", None)
    state = mark.kind if mark else last.result if last else "not_verified"
    return {"id": row.pk, "key": row.key, "value": value, "source": row.source, "as_of": row.as_of, "until": until,
            "subject": row.subject, "by": row.collected_by.username if row.collected_by else "", "state": state,
            "note": row.note}  # fmt: skip
