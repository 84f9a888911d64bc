"""The daily run (clauses C3.5, C3.6; I-26, I-27): a day at a time, missed days first, each customer once a day.

A day is a row. Its customers are taken in batches; a batch is one transaction, and the row it leaves for each customer
is the proof that it was done. A run that is killed goes on where it stopped. A customer that cannot be finished is left
out, named in the day's faults and on the work list, and tried again by the next run; until then no later day is run
for it. Nothing here reads the clock: the day and the moment are arguments.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from django.db import Error, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, reservations, securities
from shouxin.credit.models import Reservation
from shouxin.office import pause, policies, posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Refusal
from shouxin.receivables import aging, owed, proof
from shouxin.rules import aging as aging_rule
from shouxin.rules import daily
from shouxin.rules.policy import Policy, Post

from . import effects, facts, worklist
from .models import CustomerDay, Day

logger = logging.getLogger("shouxin.collection")

BATCH = 500
LOCK = 0x5348_4441
"""The advisory lock that keeps two runs apart."""
MAY_RUN = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)

Progress = Callable[[str, int, int], None]
"""Told the step, how many customers are done and how many there are."""


TRIAL_DAYS_AHEAD_MAX = 366
"""How far ahead whoever keeps the machine may run a house on trial."""
UNFINISHED_DAYS_MAX = 366
"""How far back a day that was not finished for a customer keeps her from being run."""
FAR_AHEAD = _("This day is more than a year ahead: no earlier day could be run after it.")


class AlreadyRunning(Refusal):
    """Another process is at it. Status 409."""

    code = "day_running"
    message = _("The daily run is at work already.")
    cure = _("Wait until it has finished, then look at its result.")


class DayPassed(Refusal):
    """A later day has been run: an earlier one can no longer be run after it (I-27). Status 409."""

    code = "day_passed"
    message = _("%(day)s cannot be run any more: the run has got to %(last)s already.")
    cure = _("Ask the ageing for what was owed on that day.")


class GapTooLong(Refusal):
    """More days were missed than the policy lets the run make up for. Status 409."""

    code = "gap_too_long"
    message = _(
        "The last run was for %(last)s; the %(days)s days missed since are more than the %(max)s to be caught up."
    )
    cure = _("Start anew from a day you name: the days before it are left out for good.")


def refuse_far_ahead(as_of: date, today: date) -> None:
    """Raises BadForm for a day more than a year ahead of today."""
    if (as_of - today).days > TRIAL_DAYS_AHEAD_MAX:
        raise BadForm([("as_of", FAR_AHEAD)])


def run(*, as_of: date, by: Person, at: datetime, start: date | None = None, progress: Progress | None = None) -> Day:
    """Run the day, after every day missed since the last one; a day that is done is answered as it stands.

    `start` begins anew from a day, leaving out what was missed before it; the day rows show it. Raises NotYourDuty,
    AlreadyRunning, DayPassed, GapTooLong. Must not be called inside a transaction: each batch commits by itself.
    """
    if not posts.is_system(by):
        posts.require(by, *MAY_RUN, on=timezone.localdate(at), about=f"day:{as_of}", verb="run_day", at=at)
    pause.refuse()
    if start and start > as_of:
        raise BadForm([("from", _("A run cannot begin after its own day."))])
    with _alone():
        for day in days_to_run(as_of, start):
            _run_day(day, by=by, at=at, progress=progress or (lambda step, done, total: None))
    return Day.objects.get(as_of=as_of)


@contextmanager
def _alone() -> Iterator[None]:
    """One run at a time on one database, whichever process; the lock falls with the connection of one that dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def is_running() -> bool:
    """Whether some process is at the daily run now."""
    held = (
        "SELECT 1 FROM pg_locks AS held JOIN pg_database AS here ON here.oid = held.database "
        "WHERE held.locktype = 'advisory' AND held.classid = 0 AND held.objid = %s "
        "AND here.datname = current_database()"
    )
    with connection.cursor() as cursor:
        cursor.execute(held, [LOCK])
        return cursor.fetchone() is not None


def days_to_run(as_of: date, start: date | None = None) -> list[date]:
    """The days a run would do, in order: those left unfinished, those missed, the day itself; none where all is done.

    Raises DayPassed, GapTooLong.
    """
    known = dict(Day.objects.order_by("as_of").values_list("as_of", "status"))
    last = max(known, default=None)
    if last and as_of < last and as_of not in known:
        raise DayPassed(day=as_of, last=last)
    first = start or (last + timedelta(days=1) if last else as_of)
    if not start and last:
        _refuse_long_gap(last, as_of)
    missed = [first + timedelta(days=n) for n in range((as_of - first).days + 1)]
    wanted = {day for day in missed if day not in known} | {
        day for day, status in known.items() if status != "done" and day <= as_of and (start is None or day >= start)
    }
    return sorted(wanted)


def _refuse_long_gap(last: date, as_of: date) -> None:
    most, missed = policies.in_force(as_of).policy.dunning.catch_up_days_max, (as_of - last).days - 1
    if missed > most:
        raise GapTooLong(last=last, days=missed, max=most)


def _run_day(as_of: date, *, by: Person, at: datetime, progress: Progress) -> None:
    edition = policies.in_force(as_of)
    day, _new = Day.objects.get_or_create(
        as_of=as_of, defaults={"started_at": at, "by": by, "policy_version": edition.number}
    )
    context = effects.Run(day, edition, posts.system(), at, facts.contacts(edition.policy, on=as_of))
    expired = _expire_reservations(as_of, at=at, by=context.house)
    ended = securities.expire(today=as_of, at=at, by=context.house)
    _tally(day, Counter(reservations_expired=expired, securities_expired=ended))
    faults = _run_customers(context, progress)
    progress("aging", 0, 1)
    aged = snapshot(as_of=as_of, policy=edition.policy)
    progress("proof", 0, 1)
    proved = proof.run(by=context.house, at=at, on=as_of)
    _close(context, faults, aged, {"difference": f"{proved.difference:.2f}", "accounts": proved.accounts}, by)


def _tally(day: Day, counts: Counter[str]) -> None:
    """Add what was done to what the day had done before, also in a run of it that broke off."""
    day.counts = {name: day.counts.get(name, 0) + counts[name] for name in {**day.counts, **counts}}
    day.save(update_fields=["counts"])


@transaction.atomic
def _close(
    context: effects.Run, faults: list[dict[str, Any]], aged: dict[str, Any], proved: dict[str, Any], by: Person
) -> None:
    """The day is over."""
    day = context.day
    day.aging, day.faults, day.proof = aged, faults, proved
    day.status, day.finished_at = ("failed" if faults else "done"), context.at
    day.save()
    told = {**day.counts, **{f"proof_{name}": value for name, value in proved.items()}}
    trail.record(
        "day.run", about=day, by=by, at=context.at, label=day.as_of.isoformat(), status=day.status,
        policy_version=day.policy_version, left_out=len(faults), **told,
    )  # fmt: skip


# --- customers -----------------------------------------------------------------------------------


def _run_customers(context: effects.Run, progress: Progress) -> list[dict[str, Any]]:
    """Everybody the day concerns and who was not done yet, in batches; answers who had to be left out."""
    wanted, faults = _who(context)
    day = context.day
    day.counts = day.counts | {"concerned": day.counts.get("customers", 0) + len(wanted)}
    day.save(update_fields=["counts"])
    for begin in range(0, len(wanted), BATCH):
        faults += _run_batch(wanted[begin : begin + BATCH], context)
        progress("customers", min(begin + BATCH, len(wanted)), len(wanted))
    return faults


def _who(context: effects.Run) -> tuple[list[int], list[dict[str, Any]]]:
    """Whom to run today, and the faults of those for whom an earlier day is not closed yet (I-27)."""
    day = context.day
    done = set(CustomerDay.objects.filter(day=day).values_list("customer", flat=True))
    blocked = _blocked(day)
    again = {fault["customer"] for fault in day.faults}
    concerned = again or facts.concerned(as_of=day.as_of, policy=context.edition.policy)
    wanted = sorted(set(concerned) - done - blocked.keys())
    waiting = sorted(set(concerned) & blocked.keys() - done)
    return wanted, [_fault(pk, blocked[pk]) for pk in waiting]


def _blocked(day: Day) -> dict[int, str]:
    """Customers an earlier day could not be finished for: customer id -> why."""
    first = day.as_of - timedelta(days=UNFINISHED_DAYS_MAX)
    rows = Day.objects.filter(as_of__lt=day.as_of, as_of__gte=first, status="failed").values_list("as_of", "faults")
    return {
        fault["customer"]: say("%(day)s is not finished for this customer: %(why)s")
        % {"day": as_of.isoformat(), "why": fault["why"].split("\n")[0]}
        for as_of, faults in rows.order_by("-as_of")
        for fault in faults
    }


def _run_batch(customers: Sequence[int], context: effects.Run) -> list[dict[str, Any]]:
    """One transaction for all; where that fails, one for each, so that a broken customer stops nobody else."""
    faults = []
    error = _tried(customers, context)
    if error is not None:
        logger.warning("a batch of %s customers goes one by one: %s", len(customers), type(error).__name__)
        for customer in customers:
            error = _tried([customer], context)
            if error is not None:
                logger.error("left out customer %s on %s", customer, context.day.as_of, exc_info=error)
                faults.append(_left_out(customer, error, context))
    return faults


def _tried(customers: Sequence[int], context: effects.Run) -> Exception | None:
    """Do these customers; answers what went wrong with them. A database that is gone is nobody's fault and raises."""
    try:
        _do(customers, context)
    except Exception as error:  # whatever is wrong with one customer, the others are served
        if isinstance(error, Error) and not connection.is_usable():
            raise
        context.day.refresh_from_db(fields=["counts"])
        return error
    return None


@transaction.atomic
def _do(customers: Collection[int], context: effects.Run) -> None:
    """Load, ask, write."""
    known = facts.load(customers, as_of=context.day.as_of, edition=context.edition)
    outcomes = [effects.Outcome(each, _ask(each, context)) for each in known.values()]
    _tally(context.day, effects.write(outcomes, context))


def _ask(known: facts.Known, context: effects.Run) -> daily.Verdict:
    return daily.decide(context.edition.policy, known.facts, today=context.day.as_of)


def _left_out(customer: int, error: Exception, context: effects.Run) -> dict[str, Any]:
    fault = _fault(customer, _told(error))
    with transaction.atomic():
        worklist.broken(customer, as_of=context.day.as_of, why=fault["why"])
    return fault


def _fault(customer: int, why: str) -> dict[str, Any]:
    return {"customer": customer, "why": why[:300]}


def _told(error: Exception) -> str:
    """What is wrong, for the person who will look at it."""
    if isinstance(error, daily.NoRate):
        return say("There is no exchange rate for %(currency)s.") % {"currency": error.args[0]}
    if isinstance(error, Refusal):
        return str(error)
    return f"{type(error).__name__}: {error}"


# --- the rest of the day -------------------------------------------------------------------------


def _expire_reservations(as_of: date, *, at: datetime, by: Person) -> int:
    """Reservations past their day let go of what is still reserved, customer by customer in batches."""
    due = Reservation.objects.filter(expires_on__lt=as_of, reserved__gt=0)
    customers = sorted(set(due.values_list("account__customer", flat=True)))
    expired = 0
    for begin in range(0, len(customers), BATCH):
        with transaction.atomic():
            locked = exposure.lock(customers[begin : begin + BATCH])
            expired += reservations.expire(list(locked), today=as_of, at=at, by=by)
    return expired


def snapshot(*, as_of: date, policy: Policy) -> dict[str, Any]:
    """The ageing at the close of the day per currency: buckets, unapplied, total, and whether it ties to the ledger."""
    up_to = policy.aging.up_to
    counted = list(owed.open_by_due_day(as_of=as_of))
    sheets = aging_rule.age((item for item, _count in counted), up_to=up_to, as_of=as_of)
    items = Counter[str]()
    for item, count in counted:
        items[item.currency] += count
    ledger = aging.ledger(None, as_of=as_of)
    return {
        currency: {
            "up_to": list(up_to),
            "buckets": [f"{amount:.2f}" for amount in sheet.buckets],
            "unapplied": f"{sheet.unapplied:.2f}",
            "total": f"{sheet.total:.2f}",
            "overdue": f"{sheet.overdue:.2f}",
            "contested": f"{sheet.contested:.2f}",
            "items": items[currency],
            "ledger": f"{ledger.get(currency, 0):.2f}",
            "ties": sheet.total == ledger.get(currency, 0),
        }
        for currency, sheet in sheets.items()
    }
