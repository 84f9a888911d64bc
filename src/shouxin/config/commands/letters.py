"""`shouxin letters …` and `shouxin evidence …`: what was written to a customer, what is kept about it as a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
letters = typer.Typer(no_args_is_help=True, help="Letters to customers: list, paper, resend, hand-over.")
evidence = typer.Typer(no_args_is_help=True, help="Files kept as evidence: list, keep, fetch.")
app.add_typer(letters, name="letters")
app.add_typer(evidence, name="evidence")

Code = Annotated[str, typer.Argument(help="The customer's code.")]
Letter = Annotated[int, typer.Argument(help="The letter's number.")]
SHOWN = ("id", "kind", "subject", "status", "written_at", "sent_at", "fault")


@letters.command("list")
def list_letters(customer: Code, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Every letter written to the customer, the latest first, with what became of it."""
    found, _call = terminal.customer(customer, by)
    rows = found.mails.filter(paper__isnull=False).order_by("-pk")
    terminal.print_json_or_table([_letter_row(row) for row in rows], as_json=as_json)


@letters.command()
def paper(
    letter: Letter,
    to: Annotated[Path, typer.Argument(help="The file to write, ending in .pdf or .docx.")],
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """The letter on paper, as it was written."""
    from shouxin.lib import documents

    row, _call = _letter(letter, by)
    face = documents.FACES.get(to.suffix.removeprefix("."))
    if face is None:
        terminal.fail(f"{to}: name it .pdf or .docx")
    to.write_bytes(face[0](row.paper))


@letters.command()
def resend(
    letter: Letter,
    by: terminal.Who,
    to: Annotated[str, typer.Option(help="The address; default the customer's.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Send a letter again."""
    from shouxin.customers import mails
    from shouxin.office import clock

    row, call = _letter(letter, by)
    with terminal.refusals():
        done = mails.resend(row, to=to or row.customer.email, **call, at=clock.now())
    terminal.print_json_or_table([_letter_row(done)], as_json=as_json)


@letters.command("hand-over")
def hand_over(
    letter: Letter,
    how: Annotated[str, typer.Argument(help="How it went on paper: by whom, when, which receipt.")],
    by: terminal.Who,
    as_json: terminal.AsJson = False,
) -> None:
    """Say how a letter went on paper."""
    from shouxin.customers import mails
    from shouxin.office import clock

    row, call = _letter(letter, by)
    with terminal.refusals():
        done = mails.hand_over(row, how=how, **call, at=clock.now())
    terminal.print_json_or_table([_letter_row(done)], as_json=as_json)


@evidence.command("list")
def list_files(customer: Code, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Every file kept about the customer; `same_under`: other customers with the same file."""
    from shouxin.customers import evidence as files
    from shouxin.office import attachments

    found, call = terminal.customer(customer, by)
    rows = attachments.flagged(files.of(found).order_by("-pk"), **call)
    terminal.print_json_or_table([_file_row(row) for row in rows], as_json=as_json)


@evidence.command()
def keep(
    customer: Code,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="PDF, photo, .docx, .xlsx or text.")],
    by: terminal.Who,
    note: Annotated[str, typer.Option(help="What it shows.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Keep a file as evidence about the customer; the same file twice is kept once."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from shouxin.customers import evidence as files
    from shouxin.office import attachments, clock

    found, call = terminal.customer(customer, by)
    with terminal.refusals():
        row = files.keep(found, SimpleUploadedFile(file.name, file.read_bytes()), note=note, **call, at=clock.now())
    terminal.print_json_or_table([_file_row(each) for each in attachments.flagged([row], **call)], as_json=as_json)


@evidence.command()
def fetch(
    number: Annotated[int, typer.Argument(help="The file's number.")],
    to: Annotated[Path, typer.Argument(help="Where to write it.")],
    by: terminal.Who,
) -> None:
    """Write the file out; that it was fetched is recorded."""
    from shouxin.office import attachments, clock

    call = {"by": terminal.person(by), "on": terminal.day(None)}
    with terminal.refusals():
        row = attachments.get(number, **call)
        to.write_bytes(attachments.read(row, by=call["by"], at=clock.now()))


def _letter(number: int, by: str) -> tuple[Any, dict[str, Any]]:
    from shouxin.customers.models import Mail

    rows = Mail.objects.filter(paper__isnull=False, customer__restricted_on=None).select_related("customer")
    return terminal.seen(rows, number, by)


def _letter_row(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in SHOWN}


def _file_row(row: Any) -> dict[str, Any]:
    names = ("id", "about", "name", "size", "digest", "note", "at")
    twins = [twin.name or "—" for twin in row.twins]
    return {name: getattr(row, name) for name in names} | {"same_under": ", ".join(twins)}
