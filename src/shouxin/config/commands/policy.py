"""`shouxin policy …`, `shouxin fx …`: the policy as YAML, and the exchange rates."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()
policy = typer.Typer(no_args_is_help=True, help="The credit policy as YAML: show, check, put in force.")
fx = typer.Typer(no_args_is_help=True, help="Exchange rates.")
app.add_typer(policy, name="policy")
app.add_typer(fx, name="fx")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


@policy.command()
def show(
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="The policy in force on this day.")] = "",
    number: Annotated[int | None, typer.Option(min=1, help="This version instead.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Print the policy in force as YAML, ready to be edited and put."""
    from shouxin.office import policies
    from shouxin.office.models import PolicyVersion

    edition = policies.at(number) if number else policies.in_force(terminal.day(as_of))
    row = PolicyVersion.objects.get(number=edition.number)
    if as_json:
        terminal.print_json(
            {"number": row.number, "since": row.since, "policy": edition.policy.model_dump(mode="json")}
        )
    else:
        print(row.text, end="")


@policy.command()
def check(file: File, as_json: terminal.AsJson = False) -> None:
    """Look for faults: 0 none, 1 readable but with rules that never bite or gaps, 2 no usable policy."""
    from shouxin.office import policies

    try:
        found = policies.check(_text(file), str(file))
    except policies.PolicyFaults as error:
        _tell(error.faults, as_json=as_json)
        raise typer.Exit(terminal.BAD) from None
    _tell(found, as_json=as_json)
    if found:
        raise typer.Exit(terminal.NO)


@policy.command()
def whatif(
    file: File,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="As known on this day; default today.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Rate every customer by the policy in force and by this one: the grades before and after, who moves and why."""
    from shouxin.customers.models import Customer
    from shouxin.office import policies, sight
    from shouxin.records import trial

    text, day, person = _text(file), terminal.day(as_of), terminal.person(by)
    try:
        new = policies.parse(text, str(file))
    except policies.PolicyFaults as error:
        _tell(error.faults, as_json=as_json)
        raise typer.Exit(terminal.BAD) from None
    old = policies.in_force(day).policy
    ids = Customer.objects.filter(sight.customers_seen_by(person, day)).values_list("pk", flat=True)
    found = trial.run(ids, as_of=day, old=old, new=new)
    if as_json:
        terminal.print_json(trial.summary(found) | {"movers": trial.rows(found, old, new)})
        return
    terminal.print_json_or_table(trial.rows(found, old, new), as_json=False)
    terminal.print_json_or_table([trial.summary(found)], as_json=False)


@policy.command()
def put(
    file: File,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day in force, today at the earliest.")],
    why: Annotated[str, typer.Option(help="The reason, for the record.")] = "",
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """Put a new version in force from a day; prints what changes against the version it follows."""
    from shouxin.office import clock, policies

    text, day = _text(file), terminal.day(since)
    try:
        before = policies.in_force(day)
        edition = policies.put(
            text, since=day, by=terminal.person(by), on=clock.today(), at=clock.now(), why=why, name=str(file)
        )
    except policies.PolicyFaults as error:
        _tell(error.faults, as_json=as_json)
        raise typer.Exit(terminal.BAD) from None
    changes = policies.compare(before.policy, edition.policy)
    rows = [{"path": each.path, "old": each.old, "new": each.new} for each in changes]
    if as_json:
        terminal.print_json({"number": edition.number, "since": edition.since, "changes": rows})
    else:
        title = _("Version %(number)s, in force from %(since)s") % {"number": edition.number, "since": edition.since}
        terminal.print_json_or_table(rows, as_json=False, title=title, columns=_headings())


@fx.command("put")
def put_rate(
    currency: str,
    rate: Annotated[str, typer.Argument(help="One unit in the company's currency, such as 7.1205.")],
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day; default: today.")] = "",
    source: Annotated[str, typer.Option(help="Who says so, such as the central bank's notice.")] = "",
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Keep an exchange rate from a day on."""
    from shouxin.office import clock, rates

    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,8})?", rate):
        terminal.fail(_("%(text)s is not a rate such as 7.1205") % {"text": rate})
    call = {"by": terminal.person(by), "on": clock.today(), "at": clock.now()}
    rates.put(currency.upper(), Decimal(rate), since=terminal.day(since), source=source, **call)


@fx.command("show")
def show_rates(
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE")] = "", as_json: terminal.AsJson = False
) -> None:
    """The rates in force on a day."""
    from shouxin.office import policies, rates
    from shouxin.rules.currencies import CURRENCIES

    day = terminal.day(as_of)
    found = rates.rates(CURRENCIES, on=day, company_currency=policies.in_force(day).policy.company.currency)
    rows = [
        {"currency": code, "rate": format(each.rate.normalize(), "f"), "since": each.since, "source": each.source}
        for code, each in sorted(found.items())
    ]
    terminal.print_json_or_table(rows, as_json=as_json)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        terminal.fail(_("%(file)s is not a UTF-8 text") % {"file": file})


def _tell(faults: Any, *, as_json: bool) -> None:
    """One line per fault: file, line, key path, what is wrong."""
    if as_json:
        terminal.print_json(
            [{"file": each.file, "line": each.line, "path": each.path, "message": each.message} for each in faults]
        )
    else:
        for each in faults:
            print(each)


def _headings() -> dict[str, object]:
    return {"path": _("Setting"), "old": _("Before"), "new": _("From now on")}
