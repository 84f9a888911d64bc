"""`shouxin keys …`, `shouxin personal …`: keys of what rests sealed; personal data kept, seen and asked for."""

import os
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from django.conf import settings
from django.utils.translation import gettext as _

from shouxin.config import terminal

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Keys of what rests encrypted: show, new, rotate.")
personal = typer.Typer(no_args_is_help=True, help="Personal data: catalogue, who saw whom, requests, clearing away.")
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


@personal.command()
def requests(
    number: Annotated[int, typer.Argument(help="One of them; without it all, the latest first.")] = 0,
    by: terminal.By = terminal.SYSTEM,
    as_json: terminal.AsJson = False,
) -> None:
    """What natural persons have asked for, and what the caller may do with it now."""
    from shouxin.customers import data_requests

    call = {"by": terminal.person(by), "on": terminal.day(None)}
    with terminal.refusals():
        rows = [data_requests.get(number, **call)] if number else data_requests.seen_by(call["by"], call["on"])
    terminal.print_json_or_table([data_requests.told(each, **call) for each in rows], as_json=as_json)


@personal.command()
def ask(
    customer: Annotated[str, typer.Argument(help="The customer's code.")],
    kind: Annotated[str, typer.Argument(help="copy, correct, restrict, lift, delete or review.")],
    why: Annotated[str, typer.Option(help="In the person's words.")],
    by: terminal.Who,
    change: Annotated[list[str], typer.Option(metavar="FIELD=VALUE", help="What is to be corrected.")] = (),
    about: Annotated[str, typer.Option(help="The decision to be looked at, such as credit-decision:12.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Take down what a natural person asks for; a second person decides."""
    from shouxin.customers import data_requests

    call = terminal.acting(by)
    with terminal.refusals():
        found = data_requests.customer_for(customer, kind, by=call["by"], on=call["on"])
        made = data_requests.ask(found, kind, why=why, changes=dict(map(_change, change)), about=about, **call)
    _print(made, call, as_json)


@personal.command()
def step(
    number: int,
    verb: Annotated[str, typer.Argument(help="confirm, decline or withdraw.")],
    answer: Annotated[str, typer.Option(help="What the person is answered.")],
    by: terminal.Who,
    as_json: terminal.AsJson = False,
) -> None:
    """Confirm or decline as the second person; withdraw as the one who took it down."""
    from shouxin.customers import data_requests

    call = terminal.acting(by)
    with terminal.refusals():
        found = data_requests.get(number, by=call["by"], on=call["on"])
        made = data_requests.decide(found, verb, answer=answer, **call)
    _print(made, call, as_json)


@personal.command()
def copy(
    number: int,
    file: Annotated[Path, typer.Argument(help="Where the copy is written; it must not exist yet.")],
    by: terminal.Who,
) -> None:
    """Write everything personal kept about the customer to a file only its owner reads, once two people have agreed."""
    from shouxin.customers import data_requests

    call = terminal.acting(by)
    with terminal.refusals():
        text = data_requests.copy_of(data_requests.get(number, by=call["by"], on=call["on"]), **call)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        terminal.fail(f"{file}: {error.strerror}")
    print(file)


def _change(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    return (name.strip(), value.strip()) if equals else terminal.fail(f"{text} is not FIELD=VALUE")


def _print(made: Any, call: dict[str, Any], as_json: bool) -> None:
    from shouxin.customers import data_requests

    row = data_requests.told(made, by=call["by"], on=call["on"])
    terminal.print_json_or_table([row], as_json=as_json)


# --- the sharing register and the impact assessments -------------------------------------------------

Number = Annotated[int, typer.Argument(help="One of them; without it all, the latest first.")]
Sheet = Annotated[Path, typer.Argument(help="YAML or JSON with the fields of the API's body.")]
SHARED = {"id": _("No."), "recipient": _("Recipient"), "state": _("Status"), "kind": _("Kind of recipient"),
          "purpose": _("Purpose"), "basis": _("Legal basis"), "since": _("From"), "until": _("Until")}  # fmt: skip
ASSESSED = {"id": _("No."), "title": _("What is assessed"), "number": _("Version"), "status": _("Status"),
            "risk": _("Risk"), "conclusion": _("Conclusion"), "written_by": _("Assessed by"),
            "next_review_on": _("Look again by")}  # fmt: skip


@personal.command("sharings")
def list_sharings(number: Number = 0, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """To whom outside the company personal data are given."""
    from shouxin.office.privacy import api, sharings

    call = terminal.acting(by)
    with terminal.refusals():
        rows = [sharings.get(number, **call)] if number else sharings.seen_by(**call).order_by("-pk")
    told = [api.shared(each, call) for each in rows]
    terminal.print_json_or_table(told, as_json=as_json, columns=SHARED)


@personal.command()
def share(
    file: Sheet,
    by: terminal.Who,
    correct: Annotated[int, typer.Option(help="The entry that gets this wording; without it, a new one.")] = 0,
    reason: Annotated[str, typer.Option(help="Why it is corrected.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Enter in the sharing register to whom what is given; or correct an entry, whose old wording stays."""
    from shouxin.office.privacy import api, sharings

    call = terminal.acting(by)
    terms = api.sharing_terms(_sheet(file, api.NewSharing))
    with terminal.refusals():
        if correct:
            found = sharings.get(correct, **call)
            row = sharings.correct(found, terms, why=reason, version=found.version, **call)
        else:
            row = sharings.enter(terms, **call)
    terminal.print_json_or_table([api.shared(row, call)], as_json=as_json, columns=SHARED)


@personal.command("end-sharing")
def end_sharing(
    number: int,
    reason: Annotated[str, typer.Option(help="Why nothing more is given.")],
    by: terminal.Who,
    as_json: terminal.AsJson = False,
) -> None:
    """Nothing more is given to the recipient from today; the entry stays."""
    from shouxin.office.privacy import api, sharings

    call = terminal.acting(by)
    with terminal.refusals():
        found = sharings.get(number, **call)
        row = sharings.end(found, why=reason, version=found.version, **call)
    terminal.print_json_or_table([api.shared(row, call)], as_json=as_json, columns=SHARED)


@personal.command("assessments")
def list_assessments(number: Number = 0, by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """Impact assessments, every version."""
    from shouxin.office.privacy import api, assessments

    call = terminal.acting(by)
    with terminal.refusals():
        rows = [assessments.get(number, **call)] if number else assessments.seen_by(**call).order_by("-pk")
    told = api.all_assessed(rows, call)
    terminal.print_json_or_table(told, as_json=as_json, columns=ASSESSED)


@personal.command("findings")
def list_findings(by: terminal.By = terminal.SYSTEM, as_json: terminal.AsJson = False) -> None:
    """What is shared or graded without an assessment in force, or to be looked at again; exit code 1 if any is."""
    from shouxin.office.privacy import assessments

    call = terminal.acting(by)
    with terminal.refusals():
        assessments.seen_by(**call)
    found = assessments.told(assessments.findings(call["on"]))
    terminal.print_json_or_table(found, as_json=as_json, columns={"text": _("What is the matter"), "cure": _("Do")})
    if found:
        raise typer.Exit(1)


@personal.command()
def assess(
    file: Sheet,
    by: terminal.Who,
    after: Annotated[int, typer.Option(help="The version it follows; without it, a new assessment.")] = 0,
    as_json: terminal.AsJson = False,
) -> None:
    """Write an impact assessment, or the next version of one; another person reviews it."""
    from shouxin.office.privacy import api, assessments

    call = terminal.acting(by)
    terms = api.assessment_terms(_sheet(file, api.NewAssessment))
    with terminal.refusals():
        before = assessments.get(after, **call) if after else None
        row = assessments.write(terms, before=before, **call)
    terminal.print_json_or_table([api.assessed(row, call)], as_json=as_json, columns=ASSESSED)


@personal.command("assessment-step")
def assessment_step(
    number: int,
    verb: Annotated[str, typer.Argument(help="review, send_back, close or dispose.")],
    by: terminal.Who,
    reason: Annotated[str, typer.Option(help="Needed to send back and to close.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Review or send back as another person; close what is over; dispose of what is kept no longer."""
    from shouxin.office.privacy import api, assessments

    call = terminal.acting(by)
    with terminal.refusals():
        row = assessments.act(assessments.get(number, **call), verb, note=reason, **call)
    terminal.print_json_or_table([api.assessed(row, call)], as_json=as_json, columns=ASSESSED)


@personal.command("assessment-paper")
def assessment_paper(
    number: int,
    file: Annotated[Path, typer.Argument(help="A .pdf or .docx that does not exist yet.")],
    by: terminal.By = terminal.SYSTEM,
) -> None:
    """Write an impact assessment to a file, to print and to keep."""
    from shouxin.lib import documents
    from shouxin.office.privacy import api, assessments

    call, ending = terminal.acting(by), file.suffix.removeprefix(".")
    if ending not in documents.FACES:
        terminal.fail(f"{file}: the name ends in .pdf or .docx")
    with terminal.refusals():
        content, _kind = api.paper_of(assessments.get(number, **call), call, ending)
    try:
        with file.open("xb") as out:
            out.write(content)
    except OSError as error:
        terminal.fail(f"{file}: {error.strerror}")
    print(file)


def _sheet(file: Path, shape: Any) -> Any:
    """What a file says, in the shape of the API's body; fails with each field at fault."""
    import yaml
    from pydantic import ValidationError

    try:
        given = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        terminal.fail(f"{file}: {error.strerror}")
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        terminal.fail(f"{file}: {error}")
    if not isinstance(given, dict):
        terminal.fail(f"{file}: fields with their values are expected")
    try:
        return shape.model_validate({name: _dated(value) for name, value in given.items()})
    except ValidationError as error:
        terminal.fail("; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()))


def _dated(value: Any) -> Any:
    """YAML reads 2026-03-09 as a date; the body has it as text."""
    return value.isoformat() if isinstance(value, date) else value
