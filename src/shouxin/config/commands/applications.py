"""`shouxin applications`: what waits and until when, one application in full, and a step on it."""

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Credit applications: list, show, act.")
app.add_typer(group, name="applications")

Boxes = Annotated[
    list[str] | None, typer.Option("--box", metavar="KEY=VALUE", help="A box of the form, as often as needed.")
]
Number = Annotated[str, typer.Argument(help="The application's number, such as SQ202600001.")]


@group.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only those in this status, such as assessed.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only those past their day.")] = False,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The applications, the earliest due first. Exit code 1 with --late where some are late."""
    from shouxin.rules.application import PENDING

    rows, today = _seen(by), terminal.day(None)
    if status:
        rows = rows.filter(status=status)
    if late:
        rows = rows.filter(due_on__lt=today, status__in=PENDING.split())
    found = [
        {"number": each.number, "customer": each.customer.name, "request_type": each.request_type,
         "requested_limit": each.requested_limit, "currency": each.currency, "status": each.status,
         "due_on": each.due_on, "grade": each.grade or None}
        for each in rows.order_by("due_on", "pk")
    ]  # fmt: skip
    terminal.print_json_or_table(found, as_json=as_json)
    raise typer.Exit(terminal.NO if late and found else 0)


@group.command()
def show(number: Number, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """One application: its clock, what is missing, opinions, letters, and what may be done now."""
    told = _told(number, by)
    if as_json:
        terminal.print_json(told)
        return
    rows = [{"field": name, "value": _text(value)} for name, value in told.items()]
    terminal.print_json_or_table(rows, as_json=False)


@group.command()
def create(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    kind: Annotated[str, typer.Argument(help="new, raise, lower, temporary or renewal.")],
    limit: Annotated[str, typer.Argument(help="The limit asked for, such as 80000.00.")],
    term_days: Annotated[int, typer.Argument(min=0, max=3660, help="The term asked for, in days.")],
    by: terminal.Who,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day of a temporary limit.")] = "",
    boxes: Boxes = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Put an application down as a draft; `act … submit` hands it in."""
    from shouxin.credit import applications
    from shouxin.credit.models import LineRequest
    from shouxin.office import clock, policies

    found, call = terminal.customer(customer, by)
    if kind not in dict(LineRequest.KINDS):
        terminal.fail(f"no such kind: {kind}; known: {', '.join(dict(LineRequest.KINDS))}")
    wanted = applications.Wanted(
        request_type=kind, requested_limit=terminal.amount(limit), requested_term_days=term_days,
        currency=found.currency, requested_until=terminal.day(until) if until else None, reason=reason,
        details=_boxes(boxes),
    )  # fmt: skip
    with terminal.refusals():
        made = applications.create(
            found, wanted, by=call["by"], today=call["on"], at=clock.now(), edition=policies.in_force(call["on"])
        )
    show(made.number, by=by, as_json=as_json)


@group.command()
def invite(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    kind: Annotated[str, typer.Argument(help="new, raise, lower, temporary or renewal.")],
    address: Annotated[str, typer.Option(help="How outsiders reach this house, such as https://credit.example.com.")],
    by: terminal.Who,
    email: Annotated[str, typer.Option(help="Send the link here; empty: print it alone.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """A link by which the customer fills in the form itself, once, without an account."""
    from django.urls import reverse

    from shouxin.credit import form_links
    from shouxin.office import clock, policies

    found, call = terminal.customer(customer, by)

    def full(token: str) -> str:
        return address.rstrip("/") + reverse("credit:application_form", args=[token])

    with terminal.refusals():
        made = form_links.invite(found, kind, address=full, to=email, edition=policies.in_force(call["on"]),
                                 by=call["by"], today=call["on"], at=clock.now())  # fmt: skip
    told = [{"address": full(made.token), "expires_on": made.link.expires_on}]
    terminal.print_json_or_table(told, as_json=as_json)


@group.command()
def act(
    number: Number,
    verb: Annotated[str, typer.Argument(help="submit, accept, investigate, assess, opine, approve, decline, …")],
    reason: Annotated[str | None, typer.Option(help="Why; what the step has to say.")] = None,
    limit: Annotated[str | None, typer.Option(help="approve: the limit granted, such as 80000.00.")] = None,
    verdict: Annotated[str | None, typer.Option(help="opine: agree, conditional or disagree.")] = None,
    to: Annotated[str | None, typer.Option(help="delegate, countersign: the sign-in name.")] = None,
    category: Annotated[str | None, typer.Option(help="decline: the kind of reason the customer reads.")] = None,
    boxes: Boxes = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Do one step in somebody's name (--by), with her duties and authority."""
    from shouxin.office import clock, policies
    from shouxin.records import application_verbs

    given: dict[str, Any] = {"reason": reason, "limit": limit, "verdict": verdict, "to": to, "category": category}
    given = {name: value for name, value in given.items() if value is not None}
    if limit is not None:
        given["limit"] = terminal.amount(limit)
    if boxes:
        given["findings"] = _boxes(boxes)
    today = terminal.day(None)
    call = {"edition": policies.in_force(today), "by": terminal.person(by), "today": today, "at": clock.now()}
    application_verbs.act(_found(number, by), verb, application_verbs.Said(**given), given=given, **call)
    told = _told(number, by)
    if as_json:
        terminal.print_json(told)
    else:
        terminal.console.print(f"{told['number']}  {told['status']}")


def _boxes(given: list[str] | None) -> dict[str, str]:
    """KEY=VALUE words as boxes."""
    told = {}
    for word in given or ():
        key, sign, value = word.partition("=")
        if not sign:
            terminal.fail(f"{word}: write a box as KEY=VALUE")
        told[key] = value
    return told


def _seen(by: str) -> Any:
    from shouxin.credit.models import Application
    from shouxin.office import sight

    return sight.visible(Application, terminal.person(by), on=terminal.day(None)).select_related("customer")


def _found(number: str, by: str) -> Any:
    found = _seen(by).select_related("requested_by").filter(number=number).first()
    return found or terminal.fail(f"no application {number}")


def _told(number: str, by: str) -> dict[str, Any]:
    from shouxin.office import policies
    from shouxin.records.application_api import application_row

    today = terminal.day(None)
    row = application_row(_found(number, by), edition=policies.in_force(today), by=terminal.person(by), today=today)
    return json.loads(json.dumps(row, default=_text, ensure_ascii=False))  # type: ignore[no-any-return]


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return f"{value:.2f}" if isinstance(value, Decimal) else "–" if value is None else str(value)
