"""`shouxin securities …`: the register of securities, proposing one, approving and ending it."""

from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()
securities = typer.Typer(no_args_is_help=True, help="Securities: list, propose, approve, give back.")
app.add_typer(securities, name="securities")

Day = Annotated[str, typer.Option(metavar="DATE")]
SHOWN = ("id", "customer", "kind", "document", "value", "currency", "status", "since", "until", "claim_until")


@securities.command("list")
def list_securities(
    customer: Annotated[str, typer.Option(metavar="CODE", help="Of this customer alone.")] = "",
    status: Annotated[str, typer.Option(help="proposed, active, expired, released, void …")] = "",
    ending: Annotated[bool, typer.Option("--ending", help="Those the policy's days of notice warn of.")] = False,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """The register, the latest first; with --ending those about to run out, the nearest first."""
    from shouxin.credit import securities as register
    from shouxin.credit.models import Security
    from shouxin.office import clock, policies, sight

    person, today = terminal.person(by), clock.today()
    policy = policies.in_force(today).policy
    rows = register.ending(policy=policy, on=today) if ending else Security.objects.order_by("-pk")
    exact = {"customer__code": customer, "status": status}
    asked = {name: value for name, value in exact.items() if value}
    found = sight.visible(rows.select_related("customer"), person, on=today).filter(**asked)
    terminal.print_json_or_table([_row(each) for each in found], as_json=as_json)


@securities.command()
def propose(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    kind: Annotated[str, typer.Argument(help="mortgage, pledge, joint_guarantee, deposit, insurance …")],
    value: Annotated[str, typer.Argument(help="Its value, such as 50000.00.")],
    document: Annotated[str, typer.Option(help="Number of the contract or policy.")],
    provider: Annotated[str, typer.Option(help="Guarantor, owner, bank or insurer.")],
    subject: Annotated[str, typer.Option(help="What it is.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the security.")],
    by: terminal.Who,
    currency: Annotated[str, typer.Option(help="Default: the customer's own.")] = "",
    since: Day = "",
    until: Day = "",
    prior_claims: Annotated[str, typer.Option(help="What others get from it before us.")] = "0",
    as_json: terminal.AsJson = False,
) -> None:
    """Enter a security; it counts once somebody else, within her authority, has approved it."""
    from shouxin.credit import securities as register
    from shouxin.customers import registry
    from shouxin.office import clock
    from shouxin.office.refusals import Refusal

    person, today = terminal.person(by), clock.today()
    try:
        found = registry.visible_customer(customer, by=person, on=today)
        terms = register.SecurityTerms(
            kind=_kind(kind), value=terminal.amount(value), currency=currency or found.currency, provider=provider,
            subject=subject, document=document, since=terminal.day(since),
            until=terminal.day(until) if until else None, prior_claims=terminal.amount(prior_claims),
        )  # fmt: skip
        made = register.propose(found, terms, reason=reason, by=person, today=today, at=clock.now())
    except Refusal as refusal:
        terminal.refused(refusal)
    terminal.print_json_or_table([_row(made)], as_json=as_json)


@securities.command()
def step(
    number: Annotated[int, typer.Argument(help="The security's number.")],
    verb: Annotated[str, typer.Argument(help="approve, decline, withdraw, release or void.")],
    by: terminal.Who,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Approve or decline a proposal, withdraw it, give the security back, declare it worthless."""
    from shouxin.credit.models import Security
    from shouxin.credit.securities_api import move
    from shouxin.office import clock, sight, trail
    from shouxin.office.refusals import Refusal

    person, today = terminal.person(by), clock.today()
    try:
        found = sight.get_visible(Security.objects.select_related("customer"), person, number, on=today)
        move(found, verb, version=None, reason=reason, call={"by": person, "today": today, "at": clock.now()})
    except Refusal as refusal:
        trail.keep(refusal)
        terminal.refused(refusal)
    found.refresh_from_db()
    terminal.print_json_or_table([_row(found)], as_json=as_json)


def _kind(text: str) -> Any:
    from shouxin.credit.models import Security

    kinds = dict(Security.KINDS)
    return text if text in kinds else terminal.fail(f"no such kind of security: {text}; known: {', '.join(kinds)}")


def _row(row: Any) -> dict[str, Any]:
    from shouxin.credit import securities as register

    told = {"customer": row.customer.code, "claim_until": register.claim_until(row)}
    return {name: told[name] if name in told else getattr(row, name) for name in SHOWN}
