"""`shouxin parties …`: who is related to a customer: its group, the persons behind it, its agents."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Related parties: show, tie, person, agent, may, revoke.")
app.add_typer(group, name="parties")

Code = Annotated[str, typer.Argument(help="The customer's code.")]
Day = Annotated[str, typer.Option(metavar="DATE")]
Share = Annotated[str, typer.Option(help="Share of the capital, in percent.")]


@group.command()
def show(customer: Code, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """The ties beneath a parent, the persons behind it, the agents with what their powers lack."""
    from shouxin.customers import agents, groups, persons
    from shouxin.office import sight

    found, call = terminal.customer(customer, by)
    ties = [
        {"what": "tie", "id": row.pk, "name": row.parent.code if row.parent else "", "kind": row.kind,
         "percent": row.percent, "since": row.since}
        for row in groups.history(found)
    ]  # fmt: skip
    behind = [
        {"what": "person", "id": row.pk, "name": row.person.name, "kind": row.role, "percent": row.percent,
         "since": row.since, "until": row.until, "state": "listed" if row.listed else ""}
        for row in persons.behind(found)
    ]  # fmt: skip
    elsewhere = [
        {"what": "elsewhere", "id": each.customer.pk, "name": each.customer.code, "kind": f"{each.person}: {each.role}",
         "state": each.standing if each.sure else f"{each.standing}?"}
        for each in persons.elsewhere(found, persons.behind(found), on=call["on"],
                                      seen_by=sight.customers_seen_by(call["by"], call["on"]))
    ]  # fmt: skip
    signing = [_agent(row, call["on"]) for row in agents.of(found)]
    columns = ("what", "id", "name", "kind", "percent", "since", "until", "state")
    rows = [{name: row.get(name, "") for name in columns} for row in (*ties, *behind, *elsewhere, *signing)]
    terminal.print_json_or_table(rows, as_json=as_json)


@group.command()
def tie(
    customer: Code,
    by: terminal.Who,
    parent: Annotated[str, typer.Option(metavar="CODE", help="Beneath whom; left out: beneath nobody.")] = "",
    kind: Annotated[str, typer.Option(help="subsidiary, branch, controlled or affiliate.")] = "controlled",
    percent: Share = "",
    reason: Annotated[str, typer.Option(help="How we know.")] = "",
    since: Day = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Hang the customer beneath a parent, or beneath nobody; a ring is refused."""
    from shouxin.customers import groups
    from shouxin.office import clock

    found, call = terminal.customer(customer, by)
    above = terminal.customer(parent, by)[0] if parent else None
    with terminal.refusals():
        day = terminal.day(since) if since else None
        new = groups.NewTie(above, kind, _number(percent), reason, day)  # type: ignore[arg-type]
        groups.tie(found, new, **call, at=clock.now())
    show(customer, by=by, as_json=as_json)


@group.command()
def person(
    customer: Code,
    name: Annotated[str, typer.Argument(help="The person's name.")],
    role: Annotated[str, typer.Argument(help="legal_representative, controller, shareholder, director, partner.")],
    by: terminal.Who,
    id_number: Annotated[str, typer.Option(help="The identity number; without one say how he was identified.")] = "",
    note: Annotated[str, typer.Option(help="How he was identified.")] = "",
    percent: Share = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Somebody stands behind the customer; the same identity number is the same person everywhere."""
    from shouxin.customers import persons
    from shouxin.office import clock

    found, call = terminal.customer(customer, by)
    with terminal.refusals():
        persons.add(found, name=name, role=role, id_number=id_number, note=note, percent=_number(percent), since=None,
                    **call, at=clock.now())  # fmt: skip
    show(customer, by=by, as_json=as_json)


@group.command()
def agent(
    customer: Code,
    name: Annotated[str, typer.Argument(help="The agent's name.")],
    matters: Annotated[list[str], typer.Option("--matter", help="sign_contract, place_order, take_delivery, …")],
    by: terminal.Who,
    scope: Annotated[str, typer.Option(help="What the power says in words.")] = "",
    since: Day = "",
    until: Day = "",
    amount: Annotated[str, typer.Option(help="Up to which amount.")] = "",
    id_number: Annotated[str, typer.Option(help="The agent's identity number.")] = "",
    sealed: Annotated[bool, typer.Option("--sealed", help="The principal's seal is on it.")] = False,
    original: Annotated[bool, typer.Option("--original", help="The original was seen.")] = False,
    evidence: Annotated[str, typer.Option(help="Where the power is kept.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Take a power of attorney into the file; what it lacks of the five elements is kept as lacking."""
    from shouxin.customers import agents
    from shouxin.office import clock

    found, call = terminal.customer(customer, by)
    with terminal.refusals():
        new = agents.NewAgent(
            name=name, matters=tuple(matters), scope=scope, since=terminal.day(since) if since else None,
            until=terminal.day(until) if until else None, amount_max=_number(amount), id_number=id_number,
            sealed=sealed, original_seen=original, evidence=evidence,
        )  # fmt: skip
        agents.record(found, new, **call, at=clock.now())
    show(customer, by=by, as_json=as_json)


@group.command()
def may(
    number: Annotated[int, typer.Argument(help="The agent's number.")],
    matter: Annotated[str, typer.Argument(help="sign_contract, place_order, take_delivery, …")],
    amount: Annotated[str, typer.Option(help="For which amount.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """May this agent sign this for the customer today? Exit code 1 with every reason where not."""
    from shouxin.customers import agents
    from shouxin.rules import agency

    row, call = _seen(number, by)
    act = agency.Act(matter, call["on"], _number(amount), row.customer.currency)  # type: ignore[arg-type]
    with terminal.refusals():
        found = agents.reasons(row, act, on=call["on"])
    told = [{"code": each.code, "why": agents.told(each)} for each in found]
    terminal.print_json_or_table(told, as_json=as_json)
    raise typer.Exit(terminal.NO if told else 0)


@group.command()
def revoke(
    number: Annotated[int, typer.Argument(help="The agent's number.")],
    reason: Annotated[str, typer.Option(help="Who took the power back, and how we know.")],
    by: terminal.Who,
    as_json: terminal.AsJson = False,
) -> None:
    """The principal has taken the power back; from today the agent signs nothing."""
    from shouxin.customers import agents
    from shouxin.office import clock

    row, call = _seen(number, by)
    with terminal.refusals():
        agents.revoke(row, why=reason, **call, at=clock.now())
    show(row.customer.code, by=by, as_json=as_json)


def _seen(number: int, by: str) -> tuple[Any, dict[str, Any]]:
    from shouxin.customers.models import Agent

    return terminal.seen(Agent.objects.select_related("customer"), number, by)


def _agent(row: Any, on: Any) -> dict[str, Any]:
    from shouxin.customers import agents
    from shouxin.office import policies
    from shouxin.rules import agency

    days = policies.in_force(on).policy.parties.agent_warning_days
    lacks = agency.missing(agents.power_of(row))
    state = agents.state_of(row, on=on, warning_days=days)
    return {"what": "agent", "id": row.pk, "name": row.name, "kind": ", ".join(row.matters), "since": row.since,
            "until": row.until, "state": f"{state}: {', '.join(lacks)}" if lacks else state}  # fmt: skip


def _number(text: str) -> Decimal | None:
    return terminal.amount(text) if text else None
