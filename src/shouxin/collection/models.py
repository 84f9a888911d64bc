"""The daily run and what it leaves behind: notices in the outbox, tasks of the work list."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.credit.models import GRADE_CHOICES, money
from shouxin.customers.models import Customer
from shouxin.lib.sealed import SealedField
from shouxin.office.models import POST_CHOICES, Person
from shouxin.receivables.models import Episode


class Day(models.Model):
    """One business day's run. A day is run once; running it again changes nothing (I-26, I-27)."""

    STATUSES = [("running", _("Running")), ("done", _("Done")), ("failed", _("Done, with customers left out"))]
    as_of = models.DateField(unique=True)
    status = models.CharField(max_length=8, choices=STATUSES, default="running")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    counts = models.JSONField(default=dict)
    aging = models.JSONField(default=dict)
    faults = models.JSONField(default=list, help_text="the customers left out, each with why")
    proof = models.JSONField(default=dict, help_text="what the proof of exposure found: difference, accounts")
    policy_version = models.PositiveIntegerField()

    class Meta:
        ordering = ["-as_of"]


class CustomerDay(models.Model):
    """What the round found and did for one customer on one day; the row is the proof that it was done once."""

    day = models.ForeignKey(Day, models.PROTECT, related_name="customers")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="days")
    stage = models.PositiveSmallIntegerField(null=True)
    oldest_overdue_days = models.IntegerField(null=True)
    owed = models.JSONField(default=dict, help_text="currency -> total, overdue, contested, unapplied as text")
    grade_before = models.CharField(max_length=1, blank=True, choices=GRADE_CHOICES)
    grade_after = models.CharField(max_length=1, blank=True, choices=GRADE_CHOICES)
    standing_after = models.CharField(max_length=12, blank=True)
    reasons = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "customer"], name="customer_once_a_day")]
        indexes = [models.Index(fields=["day", "oldest_overdue_days", "id"], name="customer_day_oldest")]


class Notice(models.Model):
    """A dunning letter as it was written; it leaves the house through the outbox once, under one Message-ID."""

    STATUSES = [
        ("waiting", _("Waiting to be sent")),
        ("sent", _("Sent")),
        ("failed", _("Could not be sent")),
        ("held", _("Held back")),
        ("no_address", _("No e-mail address")),
    ]
    number = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="notices")
    episode = models.ForeignKey(Episode, models.PROTECT, null=True, related_name="notices")
    day = models.ForeignKey(Day, models.PROTECT, related_name="notices")
    stage = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=8, default="zh-hans")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    items = models.JSONField(default=list, help_text="the items claimed: document, due date, open amount, days late")
    claimed = models.JSONField(default=dict, help_text="currency -> amount claimed, as text")
    letter = models.JSONField(default=dict, help_text="the letter's parts as they were written, for paper and page")
    deadline = models.DateField(null=True)
    to = SealedField(max_length=254, blank=True)
    status = models.CharField(max_length=10, choices=STATUSES, default="waiting")
    sent_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "id"], name="notice_status")]


class Task(models.Model):
    """Something a post has to do about a customer: the work list, ranked by the money at stake."""

    STATUSES = [("open", _("To do")), ("done", _("Done")), ("dropped", _("No longer needed"))]
    KINDS = [
        ("call", _("Call the customer")),
        ("visit", _("Visit, statement of account")),
        ("demand", _("Send and follow the formal demand")),
        ("stop", _("Stop supply, approve any release")),
        ("lawyer", _("Lawyer's letter")),
        ("legal", _("Legal action")),
        ("line_expiring", _("Line about to expire")),
        ("review_due", pgettext_lazy("task", "Review due")),
        ("security_ending", _("Security about to end")),
        ("broken", _("The daily run could not finish this customer")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tasks")
    kind = models.CharField(max_length=16, choices=KINDS)
    stage = models.PositiveSmallIntegerField(null=True)
    post = models.CharField(max_length=24, choices=POST_CHOICES)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="tasks")
    amount = money(default=Decimal(0))
    currency = models.CharField(max_length=3, blank=True)
    note = models.CharField(max_length=500, blank=True)
    due_on = models.DateField()
    made_on = models.DateField()
    status = models.CharField(max_length=8, choices=STATUSES, default="open")
    done_on = models.DateField(null=True)
    done_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    result = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind"], condition=Q(status="open"), name="one_open_task")
        ]
        indexes = [
            models.Index(
                fields=["post", "-amount", "id"], condition=Q(status="open", person=None), name="task_of_post"
            ),
            models.Index(fields=["person", "-amount", "id"], condition=Q(status="open"), name="task_of_person"),
            models.Index(fields=["amount", "id"], condition=Q(status="open"), name="task_largest"),
        ]
