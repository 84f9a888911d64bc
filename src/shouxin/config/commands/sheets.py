"""`shouxin sheet`: the customer credit sheet as a PDF or Word file."""

from pathlib import Path
from typing import Annotated

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def sheet(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    file: Annotated[Path, typer.Argument(help="Where to write it; ends in .pdf or .docx.")],
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Write the customer credit sheet (客户信用表单) with the history of every field."""
    from shouxin.customers import registry
    from shouxin.lib import documents
    from shouxin.office import clock, disclosures
    from shouxin.records import credit_sheet

    face = documents.FACES.get(file.suffix.lstrip("."))
    if face is None:
        terminal.fail("the file's name must end in .pdf or .docx")
    person, today = terminal.person(by), terminal.day(None)
    found = registry.visible_customer(customer, by=person, on=today)
    disclosures.record_view(found, by=person, at=clock.now(), verb="view_sheet")
    file.write_bytes(face[0](credit_sheet.paper(found, on=today)))
    print(file)
