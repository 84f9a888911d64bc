"""`shouxin scoring …`: statistical cards fitted to the company's own history, as tables of points."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
scoring = typer.Typer(no_args_is_help=True, help="Statistical cards; grades of natural persons.")
app.add_typer(scoring, name="scoring")

Number = Annotated[int | None, typer.Argument(help="The card's number; default: the latest.")]


@scoring.command()
def fit(
    late_days: Annotated[int, typer.Option(min=0, max=365, help="Bad is who was late by more days than this.")] = 30,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Where history ends; default today.")] = "",
    every_months: Annotated[int, typer.Option(min=1, max=12, help="Months from one day observed to the next.")] = 6,
    keep: Annotated[bool, typer.Option("--keep/--dry-run", help="Keep the card, or only show it.")] = True,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Fit a table of points to who was late within a year of the days observed. Needs the extra `scoring`."""
    from shouxin.office import clock, policies
    from shouxin.receivables import fitted

    person, day = terminal.person(by), terminal.day(until)
    try:
        table, row = fitted.fit(
            until=day, late_days=late_days, edition=policies.in_force(day), by=person, on=clock.today(), at=clock.now(),
            every_months=every_months, keep=keep,
        )  # fmt: skip
    except fitted.CannotFit as refusal:
        terminal.fail(f"{refusal} {refusal.cure_text}")
    _print(table, row.pk if row else None, as_json=as_json)


@scoring.command()
def show(
    number: Number = None,
    yaml_to: Annotated[Path | None, typer.Option("--yaml-to", metavar="FILE", help="Also write it as YAML.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """The table of points with its quality."""
    from shouxin.receivables import fitted

    row = _card(number)
    table = fitted.table_of(row)
    if yaml_to:
        import yaml

        yaml_to.write_text(yaml.safe_dump(row.table, allow_unicode=True, sort_keys=False), encoding="utf-8")
    _print(table, row.pk, as_json=as_json)


@scoring.command()
def compare(
    number: Number = None,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="As known on this day; default today.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The customers of today by the card in force and by the fitted one: crosswise, agreement, drift."""
    from shouxin.customers.models import Customer
    from shouxin.office import policies, sight
    from shouxin.receivables import fitted
    from shouxin.rules.policy import Grade

    row, day, person = _card(number), terminal.day(as_of), terminal.person(by)
    ids = Customer.objects.filter(sight.customers_seen_by(person, day)).values_list("pk", flat=True)
    found = fitted.compare(fitted.table_of(row), ids, as_of=day, policy=policies.in_force(day).policy)
    table = {a.value: {b.value: found.crosswise.get((a, b), 0) for b in Grade} for a in Grade}
    told = {"card": row.pk, "as_of": day, "customers": found.customers, "kappa": _rounded(found.kappa),
            "drift": _rounded(found.drift), "expected_bad": found.expected_bad}  # fmt: skip
    if as_json:
        terminal.print_json(told | {"crosswise": table, "score_counts": found.score_counts})
        return
    terminal.print_json_or_table([told], as_json=False)
    terminal.print_json_or_table([{"in force": grade} | cells for grade, cells in table.items()], as_json=False)


@scoring.command()
def waiting(by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Grades of natural persons that a program proposed and nobody has confirmed yet; they are used nowhere."""
    from shouxin.credit import grade_reviews
    from shouxin.office import clock, sight

    rows = sight.visible(grade_reviews.waiting(), terminal.person(by), on=clock.today())
    told = [
        {"customer": row.customer.code, "name": row.customer.name, "proposed": row.rating.grade,
         "score": row.rating.score, "as_of": row.rating.as_of}
        for row in rows
    ]  # fmt: skip
    terminal.print_json_or_table(told, as_json=as_json)


@scoring.command()
def confirm(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    reason: Annotated[str, typer.Option(help="What you looked at.")],
    by: Annotated[str, typer.Option("--by", envvar="SHOUXIN_USER", metavar="NAME", help="Who confirms it.")],
    grade: Annotated[str, typer.Option(metavar="A|B|C|D", help="Another grade than the proposed one.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Confirm a program's grade of a natural person, or set another (PIPL art. 24); never by who had it rated."""
    from shouxin.credit import grade_reviews
    from shouxin.office import clock, sight
    from shouxin.office.refusals import Refusal
    from shouxin.receivables import grade_reviews as reviewing
    from shouxin.rules.policy import Grade

    if grade not in {"", *Grade}:
        terminal.fail(f"no such grade: {grade}")
    person = terminal.person(by)
    row = sight.visible(grade_reviews.waiting(), person, on=clock.today()).filter(customer__code=customer).first()
    if row is None:
        terminal.fail(f"no grade of {customer} waits")
    chosen = Grade(grade) if grade else None
    try:
        done = reviewing.confirm(row, grade=chosen, reason=reason, by=person, on=clock.today(), at=clock.now())
    except Refusal as refusal:
        terminal.fail(f"{refusal} {refusal.cure_text}")
    told = {"customer": customer, "grade": done.grade, "limit": done.limit, "term_days": done.term_days}
    terminal.print_json_or_table([told], as_json=as_json)


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _card(number: int | None) -> Any:
    from shouxin.credit.models import FittedCard

    row = (FittedCard.objects.filter(pk=number) if number else FittedCard.objects.all()).first()
    if row is None:
        terminal.fail("no card has been fitted yet: shouxin scoring fit" if number is None else f"no card {number}")
    return row


def _print(table: Any, number: int | None, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json({"card": number, **table.model_dump(mode="json")})
        return
    rows = [
        {"fact": each.fact, "up to": "unknown" if b.missing else "above" if b.up_to is None else b.up_to,
         "points": b.points, "woe": b.woe, "observations": b.count, "bad rate": b.bad_rate}
        for each in table.questions
        for b in each.bins
    ]  # fmt: skip
    terminal.print_json_or_table(rows, as_json=False)
    qualities = [("fitted", table.quality), ("in force", table.quality_of_card)]
    terminal.print_json_or_table(
        [{"card": name, **quality.model_dump()} for name, quality in qualities if quality], as_json=False
    )
    summary = {"card": number, "observations": table.observations, "bad": table.bad, "late_days": table.late_days}
    terminal.print_json_or_table([summary], as_json=False)
