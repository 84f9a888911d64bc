"""`shouxin figures`: DSO and its family, overdue ratio, collection effectiveness, turnover, limit utilisation."""

from typing import Annotated

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def figures(
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The business day; default today.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """The figures by which receivables are judged, per currency, with their formulas and inputs."""
    from django.db.models import Q

    from shouxin.office import clock
    from shouxin.records import figures as ledgers
    from shouxin.records import words
    from shouxin.records.api import report

    day = terminal.day(as_of)
    if day > clock.today():
        terminal.fail(f"{day} has not come yet")
    found = report(day, ledgers.ledgers(Q(), as_of=day))
    if as_json:
        terminal.print_json(found)
        return
    for each in found["currencies"]:
        rows = [_row(figure, words) for figure in each["figures"]]
        columns = {"figure": "", "value": "", "unit": "", "formula": "", "inputs": ""}
        terminal.print_json_or_table(rows, as_json=False, columns=columns, title=f"{each['currency']} · {day}")


def _row(figure: dict, words: object) -> dict:  # type: ignore[type-arg]
    why = figure["why_none"]
    inputs = [f"{words.INPUTS[name]} {value}" for name, value in figure["inputs"].items()]  # type: ignore[attr-defined]
    return {
        "figure": words.NAMES[figure["key"]],  # type: ignore[attr-defined]
        "value": figure["value"] if why is None else words.WHY_NONE[why],  # type: ignore[attr-defined]
        "unit": words.UNITS[figure["unit"]],  # type: ignore[attr-defined]
        "formula": words.FORMULAS[figure["key"]],  # type: ignore[attr-defined]
        "inputs": inputs,
    }
