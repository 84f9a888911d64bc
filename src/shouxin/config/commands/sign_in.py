"""`shouxin sign-in …`: the rules of the door; and help for somebody who cannot come in."""

from typing import Annotated, Any

import typer
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="How people prove who they are, and how long a session lasts.")
app.add_typer(group, name="sign-in")


@group.command()
def show(as_json: terminal.AsJson = False) -> None:
    """The sign-in rules in force."""
    from shouxin.office import sign_in

    found = {"edition": sign_in.number(), **sign_in.rules().model_dump(mode="json")}
    if as_json:
        terminal.print_json(found)
        return
    terminal.print_json_or_table([{"rule": name, "value": value} for name, value in found.items()], as_json=False)


@group.command()
def put(
    rules: Annotated[list[str] | None, typer.Argument(metavar="RULE=VALUE…", help="Such as idle_minutes=15.")] = None,
    profile: Annotated[str, typer.Option(help="asvs or dengbao: where the rules not named come from.")] = "asvs",
    why: Annotated[str, typer.Option(help="The reason, kept with the edition.")] = "",
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Put a new edition of the sign-in rules in force, from the next request on."""
    from shouxin.office import clock, sign_in

    changes = {"profile": profile, **dict(_pair(each) for each in rules or [])}
    made = sign_in.put(changes, why=why, by=terminal.person(by), on=clock.today(), at=clock.now())
    terminal.console.print(f"v{made.number}")


def _pair(text: str) -> tuple[str, Any]:
    """`second_factor_posts=a,b` is a list, an empty value is “not asked for”."""
    name, sign, value = text.partition("=")
    if not sign:
        terminal.fail(_("%(text)s is not RULE=VALUE") % {"text": text})
    if name == "second_factor_posts":
        return name, [each for each in value.split(",") if each]
    return name, value or None


@group.command("reset-factor")
def reset_factor(name: str, by: terminal.By = terminal.SYSTEM) -> None:
    """Remove somebody's second factor and recovery codes: for a lost telephone or key."""
    from shouxin.office import clock, sign_in

    sign_in.reset_second_factor(terminal.person(name), by=terminal.person(by), on=clock.today(), at=clock.now())


@group.command("set-password")
def set_password(name: str, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """A new password for somebody who has forgotten hers; printed once, her sessions end."""
    from shouxin.office import clock, sign_in

    made = sign_in.set_password(terminal.person(name), by=terminal.person(by), on=clock.today(), at=clock.now())
    terminal.print_json_or_table([{"user": name, "password": made}], as_json=as_json)
