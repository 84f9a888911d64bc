"""`shouxin check` and `shouxin rate`: one credit check with all its reasons; score sheet, grade and suggested line."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The business day; default today.")]
SEEN = ("severity", "message", "measured", "allowed", "cure")


@app.command()
def check(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    amount: Annotated[str, typer.Argument(help="The amount, such as 1200.00.")],
    currency: Annotated[str | None, typer.Option(help="Default: the customer's own.")] = None,
    reserve: Annotated[bool, typer.Option("--reserve", help="Reserve the amount; needs --order.")] = False,
    order: Annotated[str, typer.Option("--order", metavar="NUMBER", help="The order's number.")] = "",
    prepaid: Annotated[bool, typer.Option("--prepaid", help="The goods are paid for in advance.")] = False,
    as_of: AsOf = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """May an order of this amount ship on credit? Exit code 0 for approve, 1 for hold or decline."""
    from shouxin.office import clock, policies
    from shouxin.orders import asking, checks
    from shouxin.orders.api import shown
    from shouxin.rules.money import AmountError, parse_amount
    from shouxin.rules.text import Unreadable, one_spelling

    try:
        order = one_spelling(order)
    except Unreadable:
        terminal.fail("the order's number holds a character that cannot be kept")
    if reserve and not order:
        terminal.fail("--reserve needs the order's number: --order NUMBER")
    try:
        wanted = parse_amount(amount)
    except AmountError:
        terminal.fail(f"{amount} is not an amount such as 1200.00")
    person, today = terminal.person(by), terminal.day(as_of)
    asking.require_checker(person, on=today, at=clock.now())
    code = asking.codes_of([customer], by=person, on=today)[customer]
    request = checks.CheckRequest(code, wanted, order, currency, reserve, prepaid)
    edition = policies.in_force(today)
    decision = checks.decide([request], edition=edition, today=today, at=clock.now(), by=person)[0]
    answer = shown(decision)
    _print_check(answer, as_json=as_json)
    raise typer.Exit(0 if decision.outcome == "approve" else terminal.NO)


def _print_check(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        amounts = ("amount", "available_before", "available_after")
        terminal.print_json({**answer, **{name: _text(answer[name]) for name in amounts}})
        return
    room = " → ".join(_text(answer[name]) or "–" for name in ("available_before", "available_after"))
    terminal.console.print(f"[bold]{answer['outcome']}[/bold]  {answer['customer']}  {_text(answer['amount'])} "
                           f"{answer['currency']}  ({room})")  # fmt: skip
    if answer["reasons"]:
        rows = [{"code": reason["code"], **{name: reason[name] for name in SEEN}} for reason in answer["reasons"]]
        terminal.print_json_or_table(rows, as_json=False)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


@app.command()
def rate(
    customer: Annotated[str | None, typer.Argument(help="The customer's code; left out: every customer.")] = None,
    as_of: AsOf = None,
    keep: Annotated[bool, typer.Option("--keep/--dry-run", help="Keep the ratings, or only show them.")] = True,
    lines_to: Annotated[
        Path | None, typer.Option("--lines-to", metavar="FILE", help="Also write the suggested lines, ready to import.")
    ] = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Rate a customer (or all): points per question, grade, suggested line. Exit code 1 where a rate is missing."""
    from shouxin.credit import ratings as kept
    from shouxin.customers.models import Customer
    from shouxin.office import clock, policies, sight
    from shouxin.receivables import ratings

    person, today = terminal.person(by), terminal.day(as_of)
    rows = Customer.objects.filter(sight.customers_seen_by(person, today))
    ids = list((rows.filter(code=customer) if customer else rows).values_list("pk", flat=True))
    if not ids:
        terminal.fail(f"no customer {customer or ''} to rate")
    moment = {"edition": policies.in_force(today), "by": person, "on": today, "at": clock.now()}
    with terminal.progress(as_json=as_json) as bar:
        task = bar.add_task("rate", total=len(ids))
        unmeasured: dict[int, list[str]] = {}
        items = terminal.Items()
        shown: list[dict[str, Any]] = []
        suggested: list[tuple[object, ...]] = []
        for chunk in ratings.rate_in_chunks(ids, as_of=today, keep=keep, **moment):
            unmeasured |= chunk.unmeasured
            if as_json:  # one by one, so that a whole portfolio never stands in memory
                for each in chunk.rated:
                    items.add({"customer": each.customer.code, **kept.shown(each)})
            else:
                shown += _rating_rows(chunk.rated, alone=customer is not None)
            if lines_to:
                suggested += ratings.suggested_lines(chunk.kept, months=moment["edition"].policy.lines.months)
            bar.advance(task, len(chunk.rated) + len(chunk.unmeasured))
    if lines_to:
        _write_lines(lines_to, suggested)
    if as_json:
        items.end()
    else:
        terminal.print_json_or_table(shown, as_json=False)
    for pk, currencies in unmeasured.items():
        terminal.errors.print(f"customer {pk}: no exchange rate for {', '.join(currencies)}")
    raise typer.Exit(terminal.NO if unmeasured else 0)


def _write_lines(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    """The suggestions as a file for `shouxin import lines`."""
    from shouxin.receivables.ratings import LINES_HEADING

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([LINES_HEADING, *rows])


def _method_rows(suggestion: Any) -> list[dict[str, Any]]:
    """The limit methods side by side, with what each was read from, or why it has no amount; then the caps."""
    methods = [
        {
            "method": each.key,
            "amount": each.amount,
            "counts": each.counts,
            "binding": each.key == suggestion.binding,
            "inputs": each.why_not or ", ".join(f"{key} {value}" for key, value in each.inputs.items()),
        }
        for each in suggestion.methods
    ]
    caps = [
        {"method": f"cap: {cap.key}", "amount": cap.amount, "counts": True, "binding": cap.key == suggestion.binding,
         "inputs": ""}
        for cap in suggestion.caps
    ]  # fmt: skip
    return methods + caps


def _rating_rows(rated: list[Any], *, alone: bool) -> list[dict[str, Any]]:
    """Each customer in short; where it is asked about alone, its answers and the methods are printed first."""
    if alone and rated:
        answers = rated[0].rated.sheet.answers
        rows = [{"question": a.question, "value": a.value, "band": a.band, "points": a.points, "of": a.points_max,
                 "source": a.source, "as_of": a.as_of, "known": a.known} for a in answers]  # fmt: skip
        terminal.print_json_or_table(rows, as_json=False)
        terminal.print_json_or_table(_method_rows(rated[0].rated.suggestion), as_json=False)
    return [
        {
            "customer": each.customer.code,
            "score": each.rated.sheet.points,
            "grade": each.rated.grading.grade.value,
            "limit": each.rated.suggestion.limit.bound,
            "kind": each.rated.suggestion.limit.kind,
            "term_days": each.rated.suggestion.term_days,
            "binding": each.rated.suggestion.binding,
        }
        for each in rated
    ]
