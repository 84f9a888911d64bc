"""`shouxin aging` and `shouxin proof`: how old what is owed is; whether balances, journal and papers agree."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from shouxin.config import terminal

app = typer.Typer()

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="As that day closed; default today.")]


@app.command()
def aging(
    as_of: AsOf = None,
    by: Annotated[str, typer.Option("--by", metavar="customer|grade|industry|sales")] = "customer",
    basis: Annotated[str, typer.Option(metavar="due|invoice", help="The date age is counted from.")] = "due",
    person: Annotated[str, typer.Option("--as", metavar="NAME", help="Only what she may see.")] = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """What was open at the close of a day, by age. Exit code 1 where a total does not tie to the ledger."""
    from django.utils.translation import gettext as _

    from shouxin.office import clock, policies
    from shouxin.receivables import aging as reports
    from shouxin.receivables.reports_api import aging_shown

    today = clock.today()
    day = terminal.day(as_of)
    if day > today:
        terminal.fail(_("%(day)s lies in the future") % {"day": day})
    for value, known, option in ((by, reports.BY, "--by"), (basis, reports.BASES, "--basis")):
        if value not in known:
            terminal.fail(_("%(option)s must be one of %(known)s") % {"option": option, "known": ", ".join(known)})
    asked: dict[str, Any] = {"as_of": day, "by": by, "basis": basis, "today": today}
    up_to = policies.in_force(today).policy.aging.up_to
    found = reports.report(up_to=up_to, seen_by=terminal.person(person), rows_max=None, **asked)
    if as_json:
        terminal.print_json(aging_shown(found))
    else:
        _print_aging(found)
    raise typer.Exit(0 if found.ties else terminal.NO)


def _print_aging(found: Any) -> None:
    """A line per group and currency, then the totals; buckets that are empty for everybody are left out."""
    from django.utils.translation import gettext as _

    from shouxin.receivables.wording import bucket_name

    used = [n for n in range(len(found.buckets)) if any(aged.buckets[n] for aged in found.totals.values())]
    columns = {"label": "", "currency": _("Currency"), "total": _("Total")}
    columns |= {str(n): bucket_name(found.buckets[n]) for n in used}
    columns |= {"unapplied": _("Unapplied"), "oldest_overdue_days": _("Days overdue")}
    groups = [(row.label or _("(none)"), row.aged) for row in found.all_rows] + [
        (_("Total"), each) for each in found.totals.values()
    ]
    rows = [_aged_row(label, aged) for label, aged in groups]
    title = _("Ageing as of %(day)s") % {"day": found.as_of}
    terminal.print_json_or_table(rows, as_json=False, columns=columns, title=title)
    if not found.ties:
        terminal.errors.print(_("The totals do not tie to the ledger: %(ledger)s") % {"ledger": found.ledger})


def _aged_row(label: str, aged: Any) -> dict[str, Any]:
    cents = Decimal("0.00")
    row = {"label": label, "currency": aged.currency, "oldest_overdue_days": aged.oldest_overdue_days}
    row |= {"total": aged.total + cents, "unapplied": aged.unapplied + cents}
    return row | {str(n): amount + cents for n, amount in enumerate(aged.buckets)}


@app.command()
def proof(by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Recompute every account from the journal and from the papers; exit code 1 where they differ."""
    from django.utils.translation import gettext as _

    from shouxin.office import clock
    from shouxin.receivables import proof as proofs
    from shouxin.receivables.reports_api import proof_shown

    run = proofs.run(by=terminal.person(by), at=clock.now(), on=clock.today())
    if as_json:
        terminal.print_json(proof_shown(run))
    elif run.differences:
        columns = dict.fromkeys(("account", "customer_name", "currency", "bucket", "balance", "journal", "papers"))
        terminal.print_json_or_table(run.differences, as_json=False, columns={name: name for name in columns})
    else:
        terminal.console.print(_("%(accounts)s accounts, difference 0.00.") % {"accounts": run.accounts})
    raise typer.Exit(terminal.NO if run.differences else 0)


@app.command()
def unpark(
    customer: str,
    reason: Annotated[str, typer.Option("--reason", help="What was found and mended; kept in the trail.")],
    currency: Annotated[str, typer.Option(help="Of which account; default all that are parked.")] = "",
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Decide the orders of a customer's parked accounts again, once nothing differs there any more."""
    from django.utils.translation import gettext as _

    from shouxin.credit.models import CreditAccount
    from shouxin.office import clock
    from shouxin.receivables import proof as proofs

    rows = CreditAccount.objects.exclude(parked="").filter(customer__code=customer)
    accounts = list(rows.filter(currency=currency) if currency else rows)
    if not accounts:
        terminal.fail(_("no parked account of %(customer)s") % {"customer": customer})
    for account in accounts:
        proofs.unpark(account, why=reason, by=terminal.person(by), at=clock.now(), on=clock.today())
