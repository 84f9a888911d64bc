"""Credit decisions on orders, and the holds that wait for a person. A decision is never edited (I-13)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import Reservation, money
from shouxin.customers.models import Customer
from shouxin.office.models import APPEND_ONLY, Person


class CreditDecision(models.Model):
    """May this order ship on credit? The outcome, all reasons, and everything it was decided from (I-12)."""

    OUTCOMES = [("approve", _("Approve")), ("hold", _("Hold")), ("decline", _("Decline"))]
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="decisions", db_index=False)
    customer_code = models.CharField(max_length=40)
    source_system = models.CharField(max_length=40, default="", blank=True)
    order_no = models.CharField(max_length=80)
    amount = money()
    currency = models.CharField(max_length=3)
    line_currency = models.CharField(max_length=3, help_text="the currency amounts in reasons and room are in")
    reserve = models.BooleanField(default=True)
    outcome = models.CharField(max_length=8, choices=OUTCOMES)
    reasons = models.JSONField()
    request = models.JSONField()
    facts = models.JSONField()
    available_before = money(null=True)
    available_after = money(null=True)
    reservation = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="decision")
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")
    policy_version = models.PositiveIntegerField()
    as_of = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        triggers = APPEND_ONLY
        indexes = [
            models.Index(fields=["customer", "-id"], name="decision_customer"),
            models.Index(fields=["source_system", "order_no", "-id"], name="decision_order"),
        ]


class Hold(models.Model):
    """An order waits for a person. A release says why, up to what amount and until what day (I-19)."""

    STATUSES = [
        ("open", _("On hold")),
        ("released", _("Released")),
        ("rejected", _("Rejected")),
        ("cured", _("Cured")),
        ("superseded", _("Superseded")),
    ]
    decision = models.OneToOneField(CreditDecision, models.PROTECT, related_name="hold")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="holds")
    status = models.CharField(max_length=10, choices=STATUSES, default="open")
    opened_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)
    up_to_amount = money(null=True)
    until = models.DateField(null=True)
    released_decision = models.OneToOneField(CreditDecision, models.PROTECT, null=True, related_name="released_hold")

    class Meta:
        indexes = [
            models.Index(fields=["-id"], condition=Q(status="open"), name="hold_open"),
            models.Index(fields=["opened_at", "id"], condition=Q(status="open"), name="hold_oldest"),
        ]

    def __str__(self) -> str:
        return self.decision.order_no


class LiveOrder(models.Model):
    """The one live decision of an order: the lock that lets a later check supersede and never add (I-11)."""

    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+", db_index=False)
    source_system = models.CharField(max_length=40, default="")
    order_no = models.CharField(max_length=80)
    decision = models.ForeignKey(CreditDecision, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_system", "order_no"], name="one_live_decision")]
