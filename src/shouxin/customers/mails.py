"""Letters by e-mail and what became of them: written in the act's own transaction, sent after it, once (I-26).

A letter waits until the mail server takes it, under one Message-ID for ever. Without a mail server letters wait; each
can be printed and handed over, which is recorded too.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.lib.jobs import enqueue
from shouxin.office import mail, moves, pause, trail
from shouxin.office.models import Person
from shouxin.office.refusals import Moved, fitting
from shouxin.rules import ids
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import jobs
from .models import Customer, Mail

SENDERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
PER_RUN_MAX = 500
FLOW: Flow = flow(
    "mail",
    "waiting",
    [
        step("resend", "failed no_address", "waiting", *SENDERS),
        step("hand_over", "waiting failed no_address", "sent", *SENDERS),
    ],
)
"""What people do with a letter. `hand_over`: it went on paper (post, courier, in person)."""


def write(
    *, kind: str, about: str, to: str, subject: str, body: str, by: Person | None, at: datetime,
    customer: Customer | None = None, paper: Paper | None = None, paper_name: str = "", language: str = "zh-hans",
) -> Mail:  # fmt: skip
    """Put a letter into the outbox, in the caller's transaction; the worker sends it once that is committed.

    `about` is the trail's name of the paper it belongs to; `paper` goes with it as PDF. Without an address it waits
    for one (`no_address`).
    """
    letter = Mail.objects.create(
        customer=customer, kind=kind, about=about, to=to, language=language, subject=" ".join(subject.split())[:200],
        body=body, paper=paper, paper_name=paper_name, status="waiting" if to else "no_address", written_by=by,
        written_at=at,
    )  # fmt: skip
    if to:
        enqueue(jobs.send_mails, once="customers.send_mails")
    return letter


def resend(letter: Mail, *, to: str, by: Person, on: date, at: datetime) -> Mail:
    """Let a letter that could not be sent go again, to the address given. Raises Moved without one."""
    if not to:
        raise Moved(_("There is no e-mail address to send it to."), code="no_address",
                    cure=_("Enter the address, or print the letter and record that it was handed over."))  # fmt: skip
    told = {"to": ids.mask_email(to)}
    with transaction.atomic():
        moves.move(letter, FLOW, "resend", by=by, on=on, at=at, fault="", to=to, particulars=told)
        enqueue(jobs.send_mails, once="customers.send_mails")
    return letter


def hand_over(letter: Mail, *, how: str, by: Person, on: date, at: datetime) -> Mail:
    """The letter went on paper: `how` (courier number, who took it) is kept as evidence of delivery."""
    told = {"how": fitting(how, 500, "word")}
    return moves.move(letter, FLOW, "hand_over", by=by, on=on, at=at, sent_at=at, fault="", particulars=told)


# --- the outbox ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """What became of a run through the outbox. `fault`: why it stopped early, empty where it did not."""

    sent: int = 0
    failed: int = 0
    fault: str = ""


def send_waiting(
    *, by: Person | None, at: datetime, limit: int = PER_RUN_MAX, connection: BaseEmailBackend | None = None
) -> Sent:
    """Send what waits, oldest first, each in its own transaction. Stops at the first fault of the server itself.

    A letter is sent before it is marked: a crash in between sends it again, under the same Message-ID.
    """
    if pause.since():
        return Sent(fault=str(pause.Paused.message))
    if not mail.configured() and connection is None:
        return Sent(fault=str(_("No mail server is configured.")))
    connection = connection or get_connection()
    counted = {"sent": 0, "failed": 0}
    for _turn in range(limit):
        found = _send_next(connection, by=by, at=at)
        if found is None:
            break
        if found.outcome == "away":
            return Sent(**counted, fault=found.fault)
        counted[found.outcome] += 1
    connection.close()
    return Sent(**counted)


@transaction.atomic
def _send_next(connection: BaseEmailBackend, *, by: Person | None, at: datetime) -> mail.Delivery | None:
    """Send one letter; None where none waits. Nothing goes to a customer whose data are restricted."""
    waiting = Mail.objects.filter(Q(customer=None) | Q(customer__restricted_on=None), status="waiting").order_by("pk")
    letter = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if letter is None:
        return None
    found = mail.deliver(message(letter, connection))
    rows = Mail.objects.filter(pk=letter.pk)
    if found.outcome == "away":
        rows.update(fault=found.fault[:300])
        return found
    rows.update(status=found.outcome, fault=found.fault[:300], sent_at=at if found.outcome == "sent" else None)
    trail.record(
        f"mail.{found.outcome}", about=letter, by=by, at=at, kind=letter.kind, concerns=letter.about,
        to=ids.mask_email(letter.to), message_id=mail.message_id("mail", letter.pk), fault=found.fault,
    )  # fmt: skip
    return found


def message(letter: Mail, connection: BaseEmailBackend | None = None) -> EmailMessage:
    """The letter as an e-mail, its paper attached as PDF."""
    made = EmailMessage(
        subject=letter.subject,
        body=letter.body,
        to=[letter.to],
        headers={"Message-ID": mail.message_id("mail", letter.pk)},
        connection=connection,
    )
    if letter.paper:
        made.attach(f"{letter.paper_name or letter.kind}.pdf", documents.pdf(letter.paper), "application/pdf")
    return made
