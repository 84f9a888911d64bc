"""What the database holds as evidence that a clause is lived: how many records of a kind, and the newest one's day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shouxin.collection.models import Day, Notice, Task
from shouxin.credit.models import Application, Line, LineRequest, Posting, Rating, Reservation, Security
from shouxin.customers.facts import NOTE
from shouxin.customers.models import Customer, Fact, Mail, Standing
from shouxin.lib.models import ImportRun
from shouxin.office.models import Appointment, PolicyVersion, TrailEntry
from shouxin.orders.models import CreditDecision, Hold
from shouxin.receivables.models import Invoice, Match, ProofRun, Receipt
from shouxin.reviews.models import Campaign, Review

from .models import Digest
from .regulation import Word

COUNTED_UP_TO = 10_000
"""Records are counted so far; what is more is said to be more, so that the page stays quick over millions."""


@dataclass(frozen=True)
class Kind:
    """A kind of record that is evidence. `when`: the column that dates it."""

    label: Word
    rows: Callable[[], QuerySet[Any]]
    when: str = "at"


@dataclass(frozen=True)
class Found:
    """How many there are (`more`: at least so many) and the business day of the newest."""

    label: Word
    count: int
    more: bool
    newest: date | None


KINDS: dict[str, Kind] = {
    "appointments": Kind(_("Appointments"), Appointment.objects.all, "since"),
    "applications": Kind(_("Applications"), Application.objects.all, "requested_at"),
    "blocked_decisions": Kind(
        _("Orders not approved"), lambda: CreditDecision.objects.filter(outcome__in=["hold", "decline"])
    ),
    "campaigns": Kind(_("Years reviewed"), Campaign.objects.all, "opened_at"),
    "customers": Kind(_("Customers"), Customer.objects.all, "created_at"),
    "days": Kind(_("Daily runs"), Day.objects.all, "as_of"),
    "decisions": Kind(_("Order checks"), CreditDecision.objects.all),
    "digests": Kind(_("Digests"), Digest.objects.all, "made_at"),
    "downgrades": Kind(_("Downgrades"), lambda: Line.objects.filter(cause="downgrade")),
    "facts": Kind(_("Facts"), Fact.objects.all, "collected_at"),
    "imports": Kind(_("Imports"), ImportRun.objects.all, "created_at"),
    "invoices": Kind(_("Invoices"), Invoice.objects.all),
    "line_requests": Kind(_("Line requests"), LineRequest.objects.all, "requested_at"),
    "lines": Kind(_("Lines"), Line.objects.all),
    "matches": Kind(_("Matches"), Match.objects.all),
    "notes": Kind(_("Notes"), lambda: Fact.objects.filter(key=NOTE), "collected_at"),
    "notices": Kind(_("Notices"), Notice.objects.all, "day__as_of"),
    "overrides": Kind(_("Releases"), lambda: Hold.objects.filter(status="released"), "decided_at"),
    "policies": Kind(_("Policy versions"), PolicyVersion.objects.all, "put_at"),
    "postings": Kind(_("Postings"), Posting.objects.all),
    "proofs": Kind(_("Proofs"), ProofRun.objects.all),
    "ratings": Kind(_("Ratings"), Rating.objects.all),
    "receipts": Kind(_("Receipts"), Receipt.objects.all),
    "refusals": Kind(_("Acts refused"), lambda: TrailEntry.objects.filter(verb="refuse")),
    "replies": Kind(_("Letters by e-mail"), lambda: Mail.objects.filter(kind="credit_reply"), "written_at"),
    "reservations": Kind(_("Reservations"), Reservation.objects.all, "made_on"),
    "reversals": Kind(_("Reversals"), lambda: Invoice.objects.exclude(reverses=None)),
    "reviews": Kind(_("Reviews of customers"), Review.objects.all, "made_at"),
    "securities": Kind(_("Securities"), Security.objects.all, "proposed_at"),
    "standings": Kind(_("Standings set"), Standing.objects.all),
    "tasks": Kind(_("Tasks"), Task.objects.all, "made_on"),
    "trail": Kind(_("Trail lines"), TrailEntry.objects.all),
}


def found(key: str) -> Found:
    """The evidence of one kind today, in two queries that stay cheap however many records there are."""
    kind = KINDS[key]
    rows = kind.rows().order_by("-pk")
    count = rows[: COUNTED_UP_TO + 1].count()
    newest = rows.values_list(kind.when, flat=True).first()
    return Found(kind.label, min(count, COUNTED_UP_TO), count > COUNTED_UP_TO, _day(newest))


def _day(value: Any) -> date | None:
    return timezone.localdate(value, timezone.get_default_timezone()) if isinstance(value, datetime) else value
