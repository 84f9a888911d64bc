"""`shouxin year`: the annual review: open a year, review every customer, approve what is proposed, print the report."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
SHOWN = ("id", "customer", "action", "grade", "proposed", "limit", "proposed_limit", "state", "why")


@app.command()
def year(
    year: Annotated[int, typer.Argument(help="The year, such as 2026.")],
    last: Annotated[
        str, typer.Option(metavar="DATE", help="The last day looked at; default the year's, or today.")
    ] = "",
    effective: Annotated[str, typer.Option(metavar="DATE", help="From when what is approved holds.")] = "",
    customer: Annotated[str, typer.Option(metavar="CODE", help="Show one customer's report.")] = "",
    rows: Annotated[bool, typer.Option("--list", help="List the proposals.")] = False,
    approve: Annotated[
        str, typer.Option(metavar="ACTION", help="Approve all open proposals: keep, raise or lower.")
    ] = "",
    close: Annotated[bool, typer.Option("--close", help="Close the year once every review is decided.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as .pdf or .docx.")] = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Open the year where it is not, review everybody who has not been, and show how it stands.

    Exit code 1 where a batch approval left something unsigned.
    """
    from shouxin.office import clock

    person, today = terminal.person(by), clock.today()
    wanted = {
        "last": terminal.day(last) if last else None,
        "effective_from": terminal.day(effective) if effective else None,
    }
    with terminal.refusals():
        campaign = _reviewed(year, wanted, person, today, as_json=as_json)
        left = _approved(campaign, approve, person, today) if approve else []
        if close:
            from shouxin.reviews import annual

            campaign = annual.close(campaign, by=person, on=today, at=clock.now())
        _show(campaign, customer, rows or bool(left), left, report, person, today, as_json=as_json)
    raise typer.Exit(terminal.NO if left else 0)


def _reviewed(number: int, wanted: dict[str, date | None], person: Any, today: date, *, as_json: bool) -> Any:
    """The campaign, opened where it was not, with everybody reviewed."""
    from shouxin.office import clock
    from shouxin.reviews import annual
    from shouxin.reviews.models import Campaign

    found = Campaign.objects.filter(year=number).first()
    if found is None:
        found = annual.open_year(number, by=person, on=today, at=clock.now(), **wanted)
    if found.status == "open" and annual.may_open(person, today):
        with terminal.progress(as_json=as_json) as bar:
            task = bar.add_task(str(number), total=found.total)
            annual.prepare(
                found, by=person, on=today, at=clock.now(),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
    return found


def _approved(campaign: Any, action: str, person: Any, today: date) -> list[Any]:
    """Sign every open proposal of a kind, some hundred at a time; answers those refused."""
    from shouxin.office import clock
    from shouxin.reviews import annual
    from shouxin.reviews.models import Review
    from shouxin.reviews.views import TICKED_MAX, reviews_of

    if action not in dict(Review.ACTIONS):
        terminal.fail(f"no such proposal: {action}; known: {', '.join(dict(Review.ACTIONS))}")
    rows = list(reviews_of(campaign, person, today).filter(action=action, request__status="open").order_by("pk"))
    left = []
    for begin in range(0, len(rows), TICKED_MAX):
        seen = [(row, row.request.version) for row in rows[begin : begin + TICKED_MAX]]
        outcomes = annual.approve_many(seen, by=person, on=today, at=clock.now())
        left += [each for each in outcomes if each.refusal is not None]
    return left


def _show(
    campaign: Any, customer: str, rows: bool, left: list[Any], report: Path | None, person: Any, today: date, *,
    as_json: bool,
) -> None:  # fmt: skip
    from shouxin.lib import documents
    from shouxin.office import sight
    from shouxin.office.refusals import NotVisible
    from shouxin.reviews import portfolio
    from shouxin.reviews import report as papers
    from shouxin.reviews.review_views import paper_of
    from shouxin.reviews.views import reviews_of

    seen = reviews_of(campaign, person, today)
    one = seen.filter(customer__code=customer).first() if customer else None
    if (customer and one is None) or not sight.sees_business(person, today):
        raise NotVisible
    whole = sight.sees_all(person, today)
    paper = paper_of(one, person, today) if one else papers.portfolio_paper(campaign) if whole else None
    if report and paper:
        _write(report, paper)
    if rows:
        refused = {each.review.pk: str(each.refusal) for each in left}
        found = seen.filter(pk__in=refused) if left else seen
        terminal.print_json_or_table(
            [_row(each, refused.get(each.pk, "")) for each in found.order_by("pk")], as_json=as_json
        )
    elif as_json:
        terminal.print_json(
            paper if one or not whole else portfolio.PORTFOLIO.dump_python(portfolio.of(campaign), mode="json")
        )
    elif paper and not report:
        terminal.console.print(documents.plain(paper), markup=False, highlight=False)


def _write(file: Path, paper: Any) -> None:
    from shouxin.lib import documents

    ending = file.suffix.removeprefix(".")
    if ending not in documents.FACES:
        terminal.fail(f"{file}: name it .pdf or .docx")
    file.write_bytes(documents.FACES[ending][0](paper))
    terminal.console.print(str(file), markup=False, highlight=False)


def _row(row: Any, refused: str) -> dict[str, Any]:
    from shouxin.reviews import words

    found, request = row.found, row.request
    told = {
        "customer": row.customer.code,
        "grade": row.grade_before,
        "proposed": request.grade if request else row.grade_after,
        "limit": words.limit(found.year.held.limit, found.currency),
        "proposed_limit": words.asked_limit(row),
        "state": words.state_of(row),
        "why": refused or " ".join(words.reason(each) for each in found.proposal.reasons) or row.fault,
    }
    return {name: told[name] if name in told else getattr(row, name) for name in SHOWN}
