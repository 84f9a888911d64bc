"""`shouxin user …`, `shouxin token …`: who may sign in, which post she holds, with which token programs act as her."""

import secrets
import sys
from decimal import Decimal
from typing import Annotated, Any

import typer
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from shouxin.config import terminal
from shouxin.lib.api import AMOUNT

app = typer.Typer()
user = typer.Typer(no_args_is_help=True, help="People: add, appoint, disable, list.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens of the API.")
app.add_typer(user, name="user")
app.add_typer(token, name="token")

GENERATED_BYTES = 12
PostName = Annotated[str, typer.Option("--post", metavar="POST", help="One of the posts, such as credit-manager.")]
Authority = Annotated[
    str, typer.Option(metavar="AMOUNT", help="Narrows the post's authority, in the company's currency.")
]


@user.command()
def add(
    name: str,
    post: PostName = "",
    department: Annotated[str, typer.Option(help="Sales see their department's customers.")] = "",
    authority: Authority = "",
    full_name: Annotated[str, typer.Option(help="The name shown; default: the sign-in name.")] = "",
    email: str = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Add somebody who may sign in, with a post. Without --password-stdin a password is made and printed once."""
    from shouxin.office import posts

    call, held, bound = terminal.acting(by), _post(post), _amount(authority)
    password = _read_password(name) if password_stdin else secrets.token_urlsafe(GENERATED_BYTES)
    with transaction.atomic():
        person = posts.add_person(
            name, password=password, name=full_name or name, department=department, email=email, **call
        )
        if held:
            posts.appoint(person, held, since=call["on"], amount_max=bound, **call)
    told: dict[str, Any] = {"user": name, "post": post or None, "department": department, "authority": bound}
    terminal.print_json_or_table([told if password_stdin else told | {"password": password}], as_json=as_json)


@user.command()
def appoint(
    name: str,
    post: Annotated[str, typer.Option("--post", metavar="POST")],
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day; default: today.")] = "",
    authority: Authority = "",
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Give somebody a post from a day on."""
    from shouxin.office import posts

    held = _post(post)
    posts.appoint(_person(name), held, since=terminal.day(since), amount_max=_amount(authority), **terminal.acting(by))


@user.command()
def dismiss(
    name: str, post: Annotated[str, typer.Option("--post", metavar="POST")], by: terminal.By = terminal.SYSTEM
) -> None:
    """Take a post from somebody, from today."""
    from shouxin.office import posts

    posts.end_appointment(_person(name), _post(post), **terminal.acting(by))


@user.command()
def disable(name: str, by: terminal.By = terminal.SYSTEM) -> None:
    """Nothing of hers works from the next request on: session, tokens, posts."""
    from shouxin.office import posts

    posts.disable_person(_person(name), **terminal.acting(by))


@user.command("list")
def list_people(as_json: terminal.AsJson = False) -> None:
    """Everybody, with the posts held today."""
    from shouxin.office import clock, posts
    from shouxin.office.models import Person

    people = list(Person.objects.exclude(username=posts.SYSTEM).order_by("username"))
    held = posts.posts_of_many(people, on=clock.today())
    rows = [
        {
            "user": each.username,
            "name": each.name,
            "posts": sorted(held[each.pk]),
            "department": each.department,
            "active": each.is_active,
        }
        for each in people
    ]
    terminal.print_json_or_table(rows, as_json=as_json)


@token.command("create")
def create_token(
    name: Annotated[str, typer.Argument(metavar="USER")],
    label: Annotated[str, typer.Option(help="What the token is for.")] = "",
    scope: Annotated[
        list[str],
        typer.Option(
            help="read, decide (reading, and what an order system sends), customers:read, customers:write, holds:read, "
            "holds:write, line-requests:read, line-requests:write or all; several: give it several times."
        ),
    ] = ("all",),
    days: Annotated[
        int | None, typer.Option(help="How long it works; default: as long as the sign-in rules let.")
    ] = None,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """A token that acts as this person. It is printed once, on stdout."""
    from shouxin.office import tokens

    call = terminal.acting(by)
    row, text = tokens.create(
        _person(name), by=call["by"], at=call["at"], label=label, scope=" ".join(scope), days=days
    )
    if as_json:
        terminal.print_json({"id": row.pk, "user": name, "token": text})
    else:
        print(text)


def _person(name: str) -> Any:
    from shouxin.office import posts
    from shouxin.office.models import Person

    found = Person.objects.filter(username=name).exclude(username=posts.SYSTEM).first()
    return found or terminal.fail(_("there is nobody called %(name)s") % {"name": name})


def _post(name: str) -> Any:
    from shouxin.rules.policy import Post

    if not name:
        return None
    try:
        return Post(name)
    except ValueError:
        known = ", ".join(post.value for post in Post)
        terminal.fail(_("there is no post %(name)s; the posts are: %(known)s") % {"name": name, "known": known})


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    if not AMOUNT.fullmatch(text) or text.startswith("-"):
        terminal.fail(_("%(text)s is not an amount such as 100000.00") % {"text": text})
    return Decimal(text)


def _read_password(name: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    try:
        validate_password(password)
    except ValidationError as error:
        terminal.fail(" ".join(error.messages))
    return password
