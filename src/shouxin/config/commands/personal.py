"""`shouxin keys …`, `shouxin personal …`: the keys of what rests sealed; which personal data are kept; who saw whom."""

from dataclasses import asdict
from typing import Annotated

import typer
from django.conf import settings
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Keys of what rests encrypted: show, new, rotate.")
personal = typer.Typer(no_args_is_help=True, help="Personal data: the catalogue, who saw a customer, clearing away.")
app.add_typer(keys, name="keys")
app.add_typer(personal, name="personal")

COLUMNS = {"field": _("Field"), "what": _("What"), "purpose": _("Purpose"), "basis": _("Legal basis"),
           "retention": _("Kept"), "sensitive": _("Sensitive"), "masked": _("Masked as"),
           "encrypted": _("Encrypted")}  # fmt: skip


@keys.command()
def show(as_json: terminal.AsJson = False) -> None:
    """How many values each key has sealed, column by column; a key itself is never shown."""
    from shouxin.lib import sealed

    rows = [
        {"column": column.purpose, "key": key or "–", "values": count}
        for column in sealed.columns()
        for key, count in sorted(sealed.counts(column).items())
    ]
    terminal.print_json_or_table(rows, as_json=as_json)


@keys.command()
def new() -> None:
    """Print a fresh set of keys for SHOUXIN_DATA_KEYS; nothing is kept."""
    from shouxin.lib import vault

    print(vault.made().as_text(","))


@keys.command()
def rotate(
    forget_old: Annotated[
        bool, typer.Option(help="Remove keys with which nothing is sealed any more; older backups need them.")
    ] = False,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Bring in a new key and seal everything with it anew, while the house runs.

    Keys given by SHOUXIN_DATA_KEYS are changed there: append the new one, restart, then rotate.
    """
    from shouxin.lib import sealed
    from shouxin.office import clock, trail

    person, vault = terminal.person(by), settings.VAULT
    if not vault.given:
        vault.keep(vault.keys.with_new())
    done = {}
    with terminal.progress(as_json=as_json) as progress:
        for column in sealed.columns():
            task = progress.add_task(column.purpose, total=None)
            done[column.purpose] = 0
            for count in sealed.seal_anew(column):
                done[column.purpose] += count
                progress.advance(task, count)
    if forget_old and not vault.given and not any(set(sealed.counts(each)) - {vault.keys.current} for each in
                                                  sealed.columns()):  # fmt: skip
        vault.keep(vault.keys.only_current())
    trail.record("rotate_keys", about="office", by=person, at=clock.now(), key=vault.keys.current, sealed=done)
    terminal.print_json_or_table(
        [{"column": column, "key": vault.keys.current, "sealed": count} for column, count in done.items()],
        as_json=as_json,
    )


@personal.command()
def catalogue(as_json: terminal.AsJson = False) -> None:
    """Every personal field: what for, on which ground, how long, how guarded."""
    from shouxin.office import personal as table

    terminal.print_json_or_table(list(table.catalogue()), as_json=as_json, columns=COLUMNS)


@personal.command("who-saw")
def who_saw(
    customer: str,
    since: Annotated[str, typer.Option("--from", metavar="DATE")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Both days included; default: today.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Who saw, unmasked or exported a customer's data between two days."""
    from shouxin.customers import registry
    from shouxin.office import clock, disclosures

    person, today = terminal.person(by), clock.today()
    found = registry.visible_customer(customer, by=person, on=today)
    rows = disclosures.asked(found, terminal.day(since), terminal.day(until), by=person, on=today, at=clock.now())
    terminal.print_json_or_table([asdict(each) for each in rows], as_json=as_json)


@personal.command("clear-away")
def clear_away(as_json: terminal.AsJson = False) -> None:
    """Clear away now what has been finished for the policy's hours; the worker does it every hour."""
    from shouxin.office import cleanup, clock, policies

    hours = policies.in_force(clock.today()).policy.personal_data.purge_hours
    terminal.print_json_or_table([cleanup.purge(at=clock.now(), hours=hours)], as_json=as_json)
