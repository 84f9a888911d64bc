"""`shouxin webhook …`: who is told what."""

import typer

from shouxin.config import terminal

app = typer.Typer()
webhook = typer.Typer(no_args_is_help=True, help="Webhooks: list.")
app.add_typer(webhook, name="webhook")


@webhook.command("list")
def show(by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Every webhook with its owner, state, events and what waits; never a secret."""
    from django.db.models import Count, Q

    from shouxin.office import clock
    from shouxin.office.webhooks import hooks

    rows = hooks.seen_by(terminal.person(by), clock.today()).annotate(
        waiting=Count("deliveries", filter=Q(deliveries__status="waiting"))
    )
    terminal.print_json_or_table(
        [
            {"id": each.pk, "url": each.url, "state": each.state, "owner": each.owner.username, "events": each.events,
             "waiting": each.waiting, "failures": each.failures}
            for each in rows.order_by("pk")
        ],
        as_json=as_json,
    )  # fmt: skip
