"""`shouxin lines …`: the lines a customer had, asking for one, signing what somebody else asked for."""

from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Lines: show, requests, ask, step.")
app.add_typer(group, name="lines")

Code = Annotated[str, typer.Argument(help="The customer's code.")]
Day = Annotated[str, typer.Option(metavar="DATE")]
WORDS = ("none", "unlimited", "unset")


@group.command()
def show(customer: Code, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Every line the customer ever had, the newest first, with why and by whom."""
    from shouxin.credit import lines

    found, _call = terminal.customer(customer, by)
    rows = [
        {"since": row.since, "until": row.until, "grade": row.grade, "limit": lines.label(row),
         "term_days": row.term_days, "temporary": row.temporary, "why": row.why,
         "approved_by": row.approved_by.username if row.approved_by else ""}
        for row in lines.history(found)
    ]  # fmt: skip
    terminal.print_json_or_table(rows, as_json=as_json)


@group.command()
def requests(
    status: Annotated[str, typer.Option(help="open, approved, declined, withdrawn; empty: all.")] = "open",
    customer: Annotated[str, typer.Option(metavar="CODE", help="Of this customer alone.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The requests in sight, the latest first, each with whose signature it needs at least."""
    from shouxin.credit.models import LineRequest
    from shouxin.office import sight

    exact = {"status": status, "customer__code": customer}
    asked = {name: value for name, value in exact.items() if value}
    rows = sight.visible(LineRequest.objects.select_related("customer", "requested_by"), terminal.person(by),
                         on=terminal.day(None)).filter(**asked)  # fmt: skip
    terminal.print_json_or_table(_rows(list(rows.order_by("-pk"))), as_json=as_json)


@group.command()
def ask(
    customer: Code,
    limit: Annotated[str, typer.Argument(help="An amount such as 80000.00, or none, unlimited, unset.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the line.")],
    by: terminal.Who,
    grade: Annotated[str, typer.Option(help="Default: the one of the line in force.")] = "",
    term_days: Annotated[int, typer.Option(min=0, max=3660, help="The term in days.")] = 30,
    currency: Annotated[str, typer.Option(help="Default: the line's or the customer's own.")] = "",
    since: Day = "",
    until: Day = "",
    temporary: Annotated[bool, typer.Option("--temporary", help="On top of the line, for some days.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Ask for a line; it holds once somebody else, within her authority, has signed."""
    from shouxin.credit import line_requests, lines
    from shouxin.office import clock, policies
    from shouxin.rules.line import Limit
    from shouxin.rules.policy import Grade

    found, call = terminal.customer(customer, by)
    if grade and grade not in set(Grade):
        terminal.fail(f"{grade} is no grade; known: {', '.join(Grade)}")
    wanted = Limit(limit) if limit in WORDS else Limit.of(terminal.amount(limit))  # type: ignore[arg-type]
    held = lines.in_force([found.pk], on=call["on"])[found.pk].line
    terms = line_requests.LineTerms(
        wanted, currency or (held.currency if held else found.currency), term_days, Grade(grade) if grade else None,
        since=terminal.day(since) if since else None, until=terminal.day(until) if until else None,
        temporary=temporary,
    )  # fmt: skip
    with terminal.refusals():
        made = line_requests.ask(
            found, terms, reason=reason, edition=policies.in_force(call["on"]), by=call["by"], today=call["on"],
            at=clock.now(),
        )  # fmt: skip
        terminal.print_json_or_table(_rows([made]), as_json=as_json)


@group.command()
def step(
    number: Annotated[int, typer.Argument(help="The request's number.")],
    verb: Annotated[str, typer.Argument(help="approve, decline or withdraw.")],
    version: Annotated[int, typer.Option(help="The version that was seen, as `requests` shows it.")],
    by: terminal.Who,
    reason: Annotated[str, typer.Option(help="Why; the applicant reads it.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Sign or decline what somebody else asked for, in the version seen; withdraw one's own."""
    from shouxin.credit import line_requests
    from shouxin.credit.models import LineRequest
    from shouxin.office import clock, policies

    found, call = terminal.seen(LineRequest.objects.select_related("customer", "requested_by"), number, by)
    told = {"reason": reason, "by": call["by"], "today": call["on"], "at": clock.now()}
    edition = policies.in_force(call["on"])
    with terminal.refusals():
        if verb == "approve":
            line_requests.approve(found, version=version, edition=edition, **told)
        elif verb == "decline":
            line_requests.decline(found, version=version, edition=edition, **told)
        elif verb == "withdraw":
            line_requests.withdraw(line_requests.seen(found, version), **told)
        else:
            terminal.fail(f"no such step: {verb}; known: approve, decline, withdraw")
        terminal.print_json_or_table(_rows([terminal.seen(LineRequest, number, by)[0]]), as_json=as_json)


def _rows(found: list[Any]) -> list[dict[str, Any]]:
    from shouxin.credit import lines, signatures
    from shouxin.office import policies

    today = terminal.day(None)
    with terminal.refusals():
        needed = signatures.needs_of(found, edition=policies.in_force(today), today=today)
    return [
        {"id": row.pk, "customer": row.customer.code, "kind": row.kind, "grade": row.grade, "limit": lines.label(row),
         "term_days": row.term_days, "status": row.status, "version": row.version,
         "signed_by": needed[row.pk].post or "nobody", "asked_by": row.requested_by.username, "reason": row.reason}
        for row in found
    ]  # fmt: skip
