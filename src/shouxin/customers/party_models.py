"""Related parties: ties of groups, persons behind customers, agents with their powers, cases of the blacklist."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.lib.sealed import BlindIndexField, SealedField
from shouxin.office.models import APPEND_ONLY, Person

CUSTOMER = "customers.Customer"


class GroupTie(models.Model):
    """Beneath whom a customer hangs from a day on; the latest row of the day holds. No parent: nobody."""

    KINDS = [
        ("subsidiary", _("Subsidiary")),
        ("branch", _("Branch")),
        ("controlled", _("Controlled by contract or persons")),
        ("affiliate", _("Affiliate, not controlled")),
    ]
    customer = models.ForeignKey(CUSTOMER, models.PROTECT, related_name="ties")
    parent = models.ForeignKey(CUSTOMER, models.PROTECT, null=True, related_name="ties_beneath")
    kind = models.CharField(_("kind of tie"), max_length=10, choices=KINDS, blank=True)
    percent = models.DecimalField(_("share of the capital, %"), max_digits=5, decimal_places=2, null=True, blank=True)
    since = models.DateField(_("from"))
    why = models.CharField(_("reason"), max_length=500, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer", "-since", "-id"], name="group_tie_latest")]
        triggers = APPEND_ONLY


class RelatedPerson(models.Model):
    """A natural person behind customers: the same row wherever the identity number is the same."""

    name = models.CharField(_("name"), max_length=80)
    id_number = SealedField(_("identity number"), max_length=18, blank=True)
    id_number_index = BlindIndexField(source="id_number", like="customers.customer.id_number")
    note = models.CharField(_("how identified"), max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["name"], name="related_person_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["id_number_index"], condition=~Q(id_number_index=""), name="one_person_per_id_number"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PersonTie(models.Model):
    """What a person is to a customer, from a day until one; an open end is a tie that holds."""

    ROLES = [
        ("legal_representative", _("Legal representative")),
        ("controller", _("Actual controller")),
        ("shareholder", _("Shareholder")),
        ("director", _("Director or supervisor")),
        ("partner", _("Partner")),
    ]
    customer = models.ForeignKey(CUSTOMER, models.PROTECT, related_name="person_ties")
    person = models.ForeignKey(RelatedPerson, models.PROTECT, related_name="ties")
    role = models.CharField(pgettext_lazy("person", "role"), max_length=20, choices=ROLES)
    percent = models.DecimalField(_("share of the capital, %"), max_digits=5, decimal_places=2, null=True, blank=True)
    since = models.DateField(_("from"))
    until = models.DateField(_("until"), null=True, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "person", "role"], condition=Q(until=None), name="one_open_person_tie"
            )
        ]
        indexes = [models.Index(fields=["person"], name="person_tie_person")]


class Agent(models.Model):
    """Somebody who signs for a customer, with the power of attorney in hand (B1.2). A longer power is another row."""

    MATTERS = [
        ("negotiate", _("Negotiate")),
        ("sign_contract", _("Sign contracts")),
        ("place_order", _("Place orders")),
        ("take_delivery", _("Take delivery")),
        ("confirm_debt", _("Confirm balances")),
        ("receive_money", _("Receive money")),
    ]
    STATUSES = [("recorded", _("On record")), ("revoked", _("Revoked"))]
    customer = models.ForeignKey(CUSTOMER, models.PROTECT, related_name="agents")
    name = models.CharField(_("agent"), max_length=80)
    id_number = SealedField(_("identity number"), max_length=18, blank=True)
    id_number_index = BlindIndexField(source="id_number")
    telephone = SealedField(_("telephone"), max_length=40, blank=True)
    matters = ArrayField(models.CharField(max_length=20, choices=MATTERS), verbose_name=_("matters"))
    scope = models.CharField(_("scope of the power"), max_length=300, blank=True)
    since = models.DateField(_("from"), null=True, blank=True)
    until = models.DateField(_("until"), null=True, blank=True)
    amount_max = models.DecimalField(_("up to the amount"), max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    sealed = models.BooleanField(_("signed or sealed by the principal"), default=False)
    original_seen = models.BooleanField(_("original and identity card seen"), default=False)
    evidence = models.CharField(_("where the power is kept"), max_length=300, blank=True)
    status = models.CharField(max_length=10, choices=STATUSES, default="recorded")
    revoked_on = models.DateField(null=True)
    revoked_why = models.CharField(max_length=300, blank=True)
    recorded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="agent_customer"),
            models.Index(fields=["until"], condition=Q(status="recorded"), name="agent_until"),
        ]

    def __str__(self) -> str:
        return self.name


class BlacklistCase(models.Model):
    """A proposal to blacklist a customer and what became of it: signature, notice, appeal, way back (B2.5, B3.1)."""

    STATUSES = [
        ("proposed", _("Proposed")),
        ("stopped", _("Proposed, customer suspended at once")),
        ("listed", _("On the blacklist")),
        ("appealed", _("On the blacklist, appeal heard")),
        ("upheld", _("On the blacklist, upheld")),
        ("leaving", _("On the blacklist, lifting proposed")),
        ("declined", _("Declined")),
        ("withdrawn", _("Withdrawn")),
        ("lifted", _("Lifted")),
    ]
    customer = models.ForeignKey(CUSTOMER, models.PROTECT, related_name="blacklist_cases")
    status = models.CharField(max_length=10, choices=STATUSES, default="proposed")
    version = models.PositiveIntegerField(default=1)
    ground = models.CharField(_("ground"), max_length=40)
    why = models.CharField(_("what happened"), max_length=1000)
    evidence = models.CharField(_("evidence"), max_length=1000)
    whole_group = models.BooleanField(_("the whole group"), default=False)
    persons = models.ManyToManyField(RelatedPerson, related_name="cases", blank=True)
    stood = models.CharField(max_length=12, blank=True, help_text="the standing before the suspension at once")
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, blank=True)
    listed_on = models.DateField(null=True)
    objection_until = models.DateField(null=True)
    review_on = models.DateField(null=True)
    appeal = models.CharField(max_length=2000, blank=True)
    appealed_on = models.DateField(null=True)
    appeal_decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    appeal_reason = models.CharField(max_length=1000, blank=True)
    policy_version = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["status", "-id"], name="blacklist_case_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=~Q(status__in=["declined", "withdrawn", "lifted"]),
                name="one_open_blacklist_case",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
