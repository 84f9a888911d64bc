"""`shouxin blacklist …`: the cases, proposing one, and a step on it in somebody's name."""

from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="The blacklist: list, propose, act.")
app.add_typer(group, name="blacklist")

Reason = Annotated[str, typer.Option(help="Why; it is kept with the case.")]


@group.command("list")
def list_cases(
    status: Annotated[str, typer.Option(help="proposed, stopped, listed, appealed, upheld, leaving, lifted …")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The cases of customers in sight, the latest first."""
    rows = _seen(terminal.person(by)).order_by("-pk")
    found = rows.filter(status=status) if status else rows
    terminal.print_json_or_table([_row(each) for each in found], as_json=as_json)


@group.command()
def propose(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    ground: Annotated[str, typer.Option(help="A ground of the policy, such as malicious_default.")],
    why: Annotated[str, typer.Option(help="What happened.")],
    evidence: Annotated[str, typer.Option(help="Papers, judgments, files: what each is and where it lies.")],
    by: terminal.Who,
    whole_group: Annotated[bool, typer.Option("--whole-group", help="The head is listed with it.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Propose a customer for the blacklist; it binds once somebody else has signed."""
    from shouxin.customers import blacklist, registry
    from shouxin.office import policies

    call = terminal.acting(by)
    with terminal.refusals():
        found = registry.visible_customer(customer, by=call["by"], on=call["on"])
        asked = blacklist.Proposal(ground, why, evidence, whole_group=whole_group)
        made = blacklist.propose(found, asked, edition=policies.in_force(call["on"]), **call)
    terminal.print_json_or_table([_row(made)], as_json=as_json)


@group.command()
def act(
    case: Annotated[int, typer.Argument(help="The case's number.")],
    verb: Annotated[str, typer.Argument(help="stop, approve, decline, withdraw, appeal, uphold, allow, readmit, …")],
    by: terminal.Who,
    reason: Reason = "",
    standing: Annotated[str, typer.Option(help="allow, readmit: where it is to stand afterwards.")] = "cash_only",
    conditions: Annotated[str, typer.Option(help="allow, readmit: on which conditions.")] = "",
    months: Annotated[int, typer.Option(help="extend: for how long.")] = 12,
    as_json: terminal.AsJson = False,
) -> None:
    """One step on a case: sign or decline it, hear an appeal, propose the way back."""
    from shouxin.customers import parties_api
    from shouxin.office import sight

    call = terminal.acting(by)
    given = {"reason": reason, "kind": standing, "conditions": conditions, "months": months}
    with terminal.refusals():
        found = sight.get_visible(_seen(call["by"]), call["by"], case, on=call["on"])
        done = parties_api.act(found, verb, given, version=found.version, call=call)
    terminal.print_json_or_table([_row(done)], as_json=as_json)


def _seen(person: Any) -> Any:
    from shouxin.customers.models import BlacklistCase
    from shouxin.office import sight

    return sight.visible(BlacklistCase.objects.select_related("customer"), person, on=terminal.day(None))


def _row(case: Any) -> dict[str, Any]:
    shown = ("ground", "status", "listed_on", "objection_until", "review_on")
    return {"id": case.pk, "customer": case.customer.code, **{name: getattr(case, name) for name in shown}}
