"""Dunning letters as they were written, and the outbox through which they leave the house (clause C3.6).

A letter waits until the mail server takes it, under one Message-ID for ever: a second sending after a crash is the same
message to every reader (I-26). Without a mail server letters wait; each can be printed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from shouxin.lib import letters as papers
from shouxin.lib import numbering
from shouxin.lib.copying import copy_new
from shouxin.office import mail, moves, pause, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import Moved, fitting
from shouxin.receivables.models import Episode
from shouxin.rules import ids
from shouxin.rules.daily import Letter, Verdict
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import letters
from .facts import Known
from .models import Day, Notice

SENDERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
TEMPLATE = "collection/letter.typ"
SIGN_FIRST = gettext_noop("A lawyer has to sign this letter before it leaves.")
OVERTAKEN = gettext_noop("A later letter to this customer has taken its place.")
PER_RUN_MAX = 500

OUTBOX: Flow = flow(
    "notice",
    "waiting",
    [
        step("hold", "waiting", "held", *SENDERS),
        step("release", "held", "waiting", *SENDERS),
        step("retry", "failed", "waiting", *SENDERS),
        step("readdress", "no_address", "waiting", *SENDERS),
        step("hand_over", "waiting held failed no_address", "sent", *SENDERS),
    ],
)
"""What people do with a letter. `hand_over`: it went on paper (post, courier, in person)."""


@dataclass(frozen=True)
class Due:
    """A letter the run has decided on: to whom, what, in which episode (None: before the due date)."""

    known: Known
    verdict: Verdict
    letter: Letter
    episode: Episode | None


def write(due: Sequence[Due], *, day: Day, edition: Edition, contacts: Mapping[str, Person]) -> int:
    """Number and compose the letters and put them into the outbox, in the caller's transaction; answers how many."""
    if not due:
        return 0
    numbers = numbering.take(f"信函〔{day.as_of.year}〕第", len(due), digits=3)
    rows = [_row(each, f"{number}号", day, edition, contacts) for each, number in zip(due, numbers, strict=True)]
    copy_new(rows)
    return len(rows)


def _row(due: Due, number: str, day: Day, edition: Edition, contacts: Mapping[str, Person]) -> Notice:
    customer = due.known.customer
    parts = letters.compose(
        edition.policy,
        due.letter,
        to=letters.Addressee(customer.name, customer.code, customer.address, customer.contact, due.known.language),
        contact=_contact(due, contacts),
        items=due.known.items,
        overdue_days=due.verdict.overdue_days,
        number=number,
        today=day.as_of,
    )
    held = parts["tone"] == "lawyer"
    return Notice(
        number=number,
        customer=customer,
        episode=due.episode,
        day=day,
        stage=due.letter.stage,
        language=parts["language"],
        subject=letters.subject(parts),
        body=letters.plain(parts),
        items=[row for ledger in parts["ledgers"] for row in ledger["items"]],
        claimed={currency: letters.money(amount) for currency, amount in due.letter.claims.items()},
        letter=parts,
        deadline=due.letter.deadline,
        to=customer.email,
        status="held" if held else "waiting" if customer.email else "no_address",
        fault=SIGN_FIRST if held else "",
    )


def _contact(due: Due, contacts: Mapping[str, Person]) -> letters.Contact:
    """The salesperson while sales look after it, then whoever holds the post that owns the stage."""
    own = due.known.customer.salesperson
    person = own if due.verdict.owner is Post.SALES and own else contacts.get(str(due.verdict.owner), own)
    return letters.Contact(person.name or person.username, person.telephone) if person else letters.Contact()


def pdf(notice: Notice) -> bytes:
    """The letter on paper, from the parts kept with it: the same bytes for ever."""
    return papers.pdf(TEMPLATE, notice.letter)


def message_id(notice: Notice) -> str:
    """The letter's own Message-ID: it never changes, so that a repeated sending is recognised as one message."""
    return mail.message_id("notice", notice.pk)


# --- what people do with a letter ----------------------------------------------------------------


def hold(notice: Notice, *, by: Person, on: date, at: datetime, why: str = "") -> Notice:
    """Keep a waiting letter back."""
    return moves.move(notice, OUTBOX, "hold", by=by, on=on, at=at, fault=fitting(why, 300))


def release(notice: Notice, *, by: Person, on: date, at: datetime) -> Notice:
    """Let a letter that was held back, or could not be sent, go; to the customer's present address."""
    verb = {"failed": "retry", "no_address": "readdress"}.get(notice.status, "release")
    to = notice.customer.email
    if not to:
        raise Moved(
            _("The customer has no e-mail address."),
            code="no_address",
            cure=_("Enter the address with the customer, or print the letter and record that it was handed over."),
        )
    told = {"to": ids.mask_email(to)}
    return moves.move(notice, OUTBOX, verb, by=by, on=on, at=at, fault="", to=to, particulars=told)


def hand_over(notice: Notice, *, by: Person, on: date, at: datetime, how: str) -> Notice:
    """The letter went on paper: `how` it went (courier number, who took it) is kept as evidence of delivery."""
    return moves.move(
        notice, OUTBOX, "hand_over", by=by, on=on, at=at, sent_at=at, fault="", particulars={"how": fitting(how, 500)}
    )


# --- the outbox ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """What became of a run through the outbox. `fault`: why it stopped early, empty where it did not."""

    sent: int = 0
    failed: int = 0
    overtaken: int = 0
    fault: str = ""


def fault_text(notice: Notice) -> str:
    """Why the letter is not on its way, in the reader's language; what a mail server said stays as it was said."""
    return gettext(notice.fault) if notice.fault in (SIGN_FIRST, OVERTAKEN) else notice.fault


def send_waiting(
    *, by: Person | None, at: datetime, limit: int = PER_RUN_MAX, connection: BaseEmailBackend | None = None
) -> Sent:
    """Send what waits, oldest first, each in its own transaction. Stops at the first fault of the server itself.

    A letter is sent before it is marked: a crash in between sends it again, under the same Message-ID.
    Several senders may run at once; none takes a letter another has in hand.
    """
    if pause.since():
        return Sent(fault=str(pause.Paused.message))
    if not mail.configured() and connection is None:
        return Sent(fault=str(_("No mail server is configured.")))
    overtaken = _hold_overtaken(by=by, at=at)
    connection = connection or get_connection()
    sent = failed = 0
    for _turn in range(limit):
        outcome, fault = _send_next(connection, by=by, at=at)
        if outcome == "away":
            return Sent(sent, failed, overtaken, fault)
        if outcome == "empty":
            break
        sent += outcome == "sent"
        failed += outcome == "failed"
    connection.close()
    return Sent(sent, failed, overtaken)


@transaction.atomic
def _send_next(connection: BaseEmailBackend, *, by: Person | None, at: datetime) -> tuple[str, str]:
    """Send one letter: (sent, failed, empty or away; the fault)."""
    waiting = Notice.objects.filter(status="waiting", customer__restricted_on=None).order_by("pk")
    notice = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if notice is None:
        return "empty", ""
    found = mail.deliver(_message(notice, connection))
    if found.outcome == "away":
        Notice.objects.filter(pk=notice.pk).update(fault=found.fault[:300])  # it goes on waiting and says why
        return "away", found.fault
    if found.outcome == "failed":
        return _settle(notice, "failed", by=by, at=at, fault=found.fault)
    return _settle(notice, "sent", by=by, at=at, sent_at=at)


def _message(notice: Notice, connection: BaseEmailBackend) -> EmailMessage:
    message = EmailMessage(
        subject=notice.subject,
        body=notice.body,
        to=[notice.to],
        headers={"Message-ID": message_id(notice)},
        connection=connection,
    )
    message.attach(f"{notice.number}.pdf", pdf(notice), "application/pdf")
    return message


def _settle(
    notice: Notice, status: str, *, by: Person | None, at: datetime, fault: str = "", sent_at: datetime | None = None
) -> tuple[str, str]:
    Notice.objects.filter(pk=notice.pk).update(status=status, fault=fault[:300], sent_at=sent_at)
    trail.record(
        f"notice.{status}", about=notice, by=by, at=at, label=notice.number, customer=notice.customer_id,
        to=ids.mask_email(notice.to), message_id=message_id(notice), fault=fault,
    )  # fmt: skip
    return status, fault


@transaction.atomic
def _hold_overtaken(*, by: Person | None, at: datetime) -> int:
    """Hold back letters still waiting when a later letter of the same kind to the same customer waits behind them:
    after days were caught up, nobody gets two at once, the milder one with a deadline that has passed."""
    waiting = Notice.objects.filter(status="waiting").order_by("pk").select_for_update(skip_locked=True)
    newest: dict[int, Notice] = {}
    old: list[Notice] = []
    for notice in waiting.defer("body", "letter", "items"):
        before = newest.get(notice.customer_id)
        if before is not None and before.episode_id is not None:
            old.append(before)
        newest[notice.customer_id] = notice
    Notice.objects.filter(pk__in=[each.pk for each in old]).update(status="held", fault=OVERTAKEN)
    trail.record_many(_held_lines(old, by=by, at=at))
    return len(old)


def _held_lines(notices: Iterable[Notice], *, by: Person | None, at: datetime) -> Iterable[trail.TrailEntry]:
    for notice in notices:
        yield trail.line("notice.held", about=notice, by=by, at=at, label=notice.number, why=OVERTAKEN)
