"""`shouxin recommended`, `shouxin opportunities`: units with good records, and where sales may find more business."""

import typer

from shouxin.config import terminal

app = typer.Typer()


@app.command()
def recommended(as_json: terminal.AsJson = False) -> None:
    """The units on the recommended list today, each with why. For internal use only."""
    from shouxin.records import market
    from shouxin.records.market_api import recommended_row

    rows = [recommended_row(each) for each in market.recommended(_units())]
    columns = {"code": "", "name": "", "grade": "", "clean_months": "", "available": "", "currency": "", "why": ""}
    terminal.print_json_or_table(rows, as_json=as_json, columns=columns, title="recommended · internal use only")


@app.command()
def opportunities(as_json: terminal.AsJson = False) -> None:
    """Unused room, upgrade candidates and look-alikes of good payers. For internal use only."""
    from shouxin.records import market
    from shouxin.records.market_api import chance_row

    rows = [chance_row(each) for each in market.chances(_units())]
    columns = {"kind": "", "code": "", "name": "", "grade": "", "amount": "", "currency": "", "words": ""}
    terminal.print_json_or_table(rows, as_json=as_json, columns=columns, title="opportunities · internal use only")


def _units() -> list:  # type: ignore[type-arg]
    from django.db.models import Q

    from shouxin.office import clock, policies
    from shouxin.records import market

    today = clock.today()
    return market.units(Q(), policy=policies.in_force(today).policy, on=today)
