"""What all commands share: who acts, how an answer is shown, how a command fails."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import typer
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

NO = 1
BAD = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
By = Annotated[
    str, typer.Option("--by", envvar="SHOUXIN_USER", metavar="NAME", help="The person in whose name this is done.")
]
Who = Annotated[str, typer.Option("--by", envvar="SHOUXIN_USER", metavar="NAME", help="In whose name.")]
SYSTEM = "system"

console = Console()
errors = Console(stderr=True)


def person(name: str) -> Any:
    """The person of this name who may act; `system` is the house itself. Fails where there is none."""
    from shouxin.office import posts
    from shouxin.office.models import Person

    if name == SYSTEM:
        return posts.system()
    found = Person.objects.filter(username=name, is_active=True).first()
    return found or fail(_("there is no active person called %(name)s") % {"name": name})


def day(text: str | None) -> date:
    """The business date a command is asked about: the given one as YYYY-MM-DD, else today's."""
    from shouxin.office import clock

    try:
        return date.fromisoformat(text) if text else clock.today()
    except ValueError:
        fail(_("%(text)s is not a date such as 2026-11-30") % {"text": text})


def acting(by: str) -> dict[str, Any]:
    """Who acts, on which business date, at which moment."""
    from shouxin.office import clock

    return {"by": person(by), "on": clock.today(), "at": clock.now()}


def customer(code: str, by: str) -> tuple[Any, dict[str, Any]]:
    """The customer of this code, where the person of this name may see it, with who acts and on which day."""
    from shouxin.customers import registry

    call = {"by": person(by), "on": day(None)}
    with refusals():
        return registry.visible_customer(code, **call), call


def seen(rows: Any, number: int, by: str) -> tuple[Any, dict[str, Any]]:
    """The row of this number, where the person of this name may see its customer; the rest as `customer`."""
    from shouxin.office import sight

    call = {"by": person(by), "on": day(None)}
    with refusals():
        return sight.get_visible(rows, call["by"], number, on=call["on"]), call


def amount(text: str) -> Decimal:
    """An amount as it was typed; fails where it is none."""
    from shouxin.rules.money import AmountError, parse_amount

    try:
        return parse_amount(text)
    except AmountError:
        fail(f"{text} is not an amount such as 1200.00")


def fail(message: object) -> NoReturn:
    """End the command with exit code 2 and this one line on stderr."""
    print(f"shouxin: {' '.join(str(message).split())}", file=sys.stderr)
    raise typer.Exit(BAD)


def refused(refusal: Any) -> NoReturn:
    """End with exit code 2 and the refusal's words: each field at fault, and what would cure it."""
    told = "; ".join(f"{field}: {text}" for field, text in refusal.errors) or str(refusal)
    fail(f"{told} {refusal.cure_text}".strip())


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal within leaves its line in the trail and ends the command as `refused` says."""
    from shouxin.office import trail
    from shouxin.office.refusals import Refusal

    try:
        yield
    except Refusal as refusal:
        trail.keep(refusal)
        refused(refusal)


def print_json_or_table(
    rows: Iterable[Mapping[str, Any]],
    *,
    as_json: bool,
    columns: Mapping[str, object] | None = None,
    title: str | None = None,
) -> None:
    """Show rows: as JSON with amounts as strings, or as a table of `columns` (key -> heading; default all keys)."""
    rows = list(rows)
    if as_json:
        print_json(rows)
        return
    headings = dict(columns or {key: key for key in (rows[0] if rows else {})})
    table = Table(*[_column(key, heading, rows) for key, heading in headings.items()], title=title)
    for row in rows:
        table.add_row(*[_cell(row.get(key)) for key in headings])
    console.print(table)


def print_json(value: Any) -> None:
    """One JSON document on stdout, in UTF-8, Decimals as strings and dates as YYYY-MM-DD."""
    sys.stdout.write(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2) + "\n")


class Items:
    """One JSON list on stdout whose items are written as they come; the answer of a whole portfolio needs no memory."""

    def __init__(self) -> None:
        self._written = 0

    def add(self, value: Any) -> None:
        """The next item."""
        sys.stdout.write("," if self._written else "[")
        sys.stdout.write("\n" + json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        self._written += 1

    def end(self) -> None:
        """Close the list, which may be empty."""
        sys.stdout.write("\n]\n" if self._written else "[]\n")


def progress(*, as_json: bool = False) -> Progress:
    """A progress bar on stderr; silent where nobody watches."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    return Progress(*columns, console=errors, disable=as_json or not sys.stderr.isatty(), transient=True)


def _column(key: str, heading: object, rows: Sequence[Mapping[str, Any]]) -> Any:
    from rich.table import Column

    numeric = rows and all(isinstance(row.get(key), Decimal | int | float | None) for row in rows)
    return Column(str(heading), justify="right" if numeric else "left")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return str(value) if isinstance(value, str | Promise | date | int | float) else json.dumps(value, default=str)
