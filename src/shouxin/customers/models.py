"""The registry: identity (B2.2), other names, standing with its history, facts with source and date."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from shouxin.lib.sealed import BlindIndexField, SealedField
from shouxin.office.models import APPEND_ONLY, Person
from shouxin.rules.industries import INDUSTRIES


class Customer(models.Model):
    """A company or person we sell to: the fields of the customer credit sheet (B2.2) and who looks after it."""

    code = models.CharField(_("customer code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=80, blank=True)
    uscc = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    uscc_confirmed = models.CharField(_("confirmed although the code fails"), max_length=300, blank=True)
    natural_person = models.BooleanField(_("natural person or sole trader"), default=False)
    id_number = SealedField(_("identity number"), max_length=18, blank=True)
    id_number_index = BlindIndexField(source="id_number")
    legal_representative = models.CharField(_("legal representative"), max_length=80, blank=True)
    registered_capital = models.DecimalField(
        _("registered capital"), max_digits=17, decimal_places=2, null=True, blank=True
    )
    paid_in_capital = models.DecimalField(_("paid-in capital"), max_digits=17, decimal_places=2, null=True, blank=True)
    founded_on = models.DateField(_("founded on"), null=True, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True)
    telephone = SealedField(_("telephone"), max_length=40, blank=True)
    email = SealedField(_("e-mail for letters"), max_length=254, blank=True)
    contact = models.CharField(_("contact"), max_length=80, blank=True)
    bank = models.CharField(_("bank"), max_length=120, blank=True)
    bank_account = SealedField(_("bank account"), max_length=40, blank=True)
    bank_account_index = BlindIndexField(source="bank_account")
    industry = models.CharField(
        _("industry"), max_length=1, blank=True, choices=[(k, zh) for k, (zh, _en) in INDUSTRIES.items()]
    )
    credit_standard = models.CharField(_("credit standard"), max_length=300, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    salesperson = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="customers", verbose_name=_("salesperson")
    )
    department = models.CharField(_("department"), max_length=80, blank=True)
    group_head = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("group head")
    )
    parents = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        editable=False,
        help_text="who stands above it by ties that bind, nearest first, kept for the order check; from `ties`",
    )
    customer_since = models.DateField(_("customer since"), null=True, blank=True)
    restricted_on = models.DateField(null=True, editable=False, help_text="stored since, and used for nothing")
    search_keys = ArrayField(models.CharField(max_length=40), default=list, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uscc"], condition=~Q(uscc=""), name="one_customer_per_uscc")]
        indexes = [
            GinIndex(fields=["search_keys"], name="customer_search"),
            models.Index(fields=["salesperson", "id"], name="customer_salesperson"),
            models.Index(fields=["id_number_index"], condition=~Q(id_number_index=""), name="customer_id_number"),
            models.Index(fields=["bank_account_index"], condition=~Q(bank_account_index=""), name="customer_account"),
            models.Index(fields=["department", "id"], name="customer_department"),
            models.Index(fields=["department", "salesperson"], name="customer_sellers"),
            models.Index(fields=["name", "id"], name="customer_name"),
            models.Index(Upper("code"), name="customer_code_capitals"),
            models.Index(fields=["customer_since", "id"], name="customer_since"),
            # Counts read it alone.
            models.Index(fields=["id"], condition=Q(restricted_on=None), name="customer_listed"),
            models.Index(fields=["id"], condition=~Q(restricted_on=None), name="customer_restricted"),
        ]

    def __str__(self) -> str:
        return self.name


class OtherName(models.Model):
    """Another spelling under which papers name the customer: a former name, or one met in an import."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="other_names")
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=40)
    since = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="other_name_once")]
        indexes = [models.Index(fields=["name"], name="other_name")]


class StandingKind(models.TextChoices):
    """Where a customer stands with us; everything but good and watched bites at the order check."""

    GOOD = "good", _("Good")
    WATCHED = "watched", _("Watched")
    STOPPED = "stopped", _("Supply stopped")
    CASH_ONLY = "cash_only", _("Cash only")
    SUSPENDED = "suspended", _("Suspended")
    BLACKLISTED = "blacklisted", _("Blacklisted")


class Standing(models.Model):
    """A standing from a moment on, with why and by whom. The latest row is the one that holds (B2.5, B3.1)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="standings")
    standing = models.CharField(max_length=12, choices=StandingKind.choices)
    since = models.DateField()
    why = models.CharField(max_length=500)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    policy_version = models.PositiveIntegerField(null=True)
    case = models.ForeignKey("customers.BlacklistCase", models.PROTECT, null=True, related_name="standings")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer", "-id"], name="standing_latest")]
        triggers = APPEND_ONLY


class StandingRelease(models.Model):
    """A proposal to lift a blacklisting; it takes a second person (I-20)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="standing_releases")
    standing = models.CharField(max_length=12, choices=StandingKind.choices)
    why = models.CharField(max_length=500)
    conditions = models.CharField(
        max_length=1000, blank=True, db_default="", help_text="on which the customer comes back"
    )
    case = models.ForeignKey("customers.BlacklistCase", models.PROTECT, null=True, related_name="releases")
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    status = models.CharField(max_length=12, default="proposed")
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)


class DataRequest(models.Model):
    """What a natural person asked for about her data; it takes two people (PIPL art. 24, 44 to 47)."""

    KINDS = [
        ("copy", _("A copy of her data")),
        ("correct", _("Correction")),
        ("restrict", _("Restriction: stored, used for nothing")),
        ("lift", _("End of a restriction")),
        ("delete", _("Deletion")),
        ("review", _("A person's look at a refusal")),
    ]
    STATUSES = [
        ("asked", _("Waits for a second person")),
        ("done", _("Done")),
        ("declined", _("Declined")),
        ("withdrawn", _("Withdrawn")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="data_requests")
    kind = models.CharField(max_length=10, choices=KINDS)
    why = models.CharField(max_length=500)
    changes = SealedField(long=True, blank=True, help_text="the fields to be corrected, as JSON")
    about = models.CharField(max_length=60, blank=True, help_text="kind:id of the decision to be looked at again")
    status = models.CharField(max_length=10, choices=STATUSES, default="asked")
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "-id"], name="data_request_status")]


class Fact(models.Model):
    """Something known about a customer: what, from which kind of source, as of when, found by whom (A7)."""

    SOURCES = [
        ("registry", _("Public registry")),
        ("gazette", _("Gazette or notice")),
        ("award", _("Award notice")),
        ("penalty", _("Penalty notice")),
        ("media", _("Media")),
        ("feedback", _("Feedback from others")),
        ("visit", _("Visit")),
        ("bureau", _("Credit bureau")),
        ("statement", _("Financial statement")),
        ("customer", _("The customer itself")),
        ("import", _("Import")),
    ]
    SUBJECTS = [
        ("registration", _("Registration")),
        ("qualification", _("Qualification")),
        ("reputation", _("Reputation")),
        ("finance", _("Finance")),
        ("operations", _("Operations")),
        ("banks", _("Banks")),
        ("litigation", _("Courts and penalties")),
        ("tax", _("Tax")),
        ("payment", _("Payment to others")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="facts")
    key = models.CharField(max_length=40)
    value = models.JSONField(help_text="amounts and ratios as text, so that no float touches them")
    source = models.CharField(max_length=12, choices=SOURCES)
    as_of = models.DateField()
    subject = models.CharField(max_length=16, choices=SUBJECTS, blank=True, db_default="")
    particulars = models.JSONField(default=dict, db_default={}, help_text="what the public list says, field by field")
    queried_on = models.DateField(null=True, help_text="the day the source was looked at")
    note = models.CharField(max_length=500, blank=True)
    collected_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    collected_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer", "key", "-as_of", "-id"], name="fact_latest")]
        triggers = APPEND_ONLY


class FactCheck(models.Model):
    """How a fact or its paper was verified: with the issuer, on site or online, by whom, with which result (B1.4)."""

    METHODS = [("issuer", _("With the issuer")), ("on_site", _("On site")), ("online", _("Online"))]
    RESULTS = [("genuine", _("Genuine")), ("doubtful", _("Doubtful")), ("forged", _("Forged"))]
    fact = models.ForeignKey(Fact, models.PROTECT, related_name="checks")
    method = models.CharField(max_length=8, choices=METHODS)
    result = models.CharField(max_length=8, choices=RESULTS)
    checked_on = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        triggers = APPEND_ONLY


class FactMark(models.Model):
    """What ends a fact's part in scoring, or deals with a note: once, with a reason, by somebody else than found it.

    A repaired or expired fact leaves the question unknown; one noted wrongly lets the earlier fact count again.
    """

    KINDS = [
        ("expired", _("Expired")),
        ("repaired", _("Repaired")),
        ("wrong", _("Noted wrongly")),
        ("forged", _("Forged")),
        ("used", _("Turned into a fact")),
        ("dismissed", _("Dismissed")),
    ]
    fact = models.OneToOneField(Fact, models.PROTECT, related_name="mark")
    kind = models.CharField(max_length=10, choices=KINDS)
    why = models.CharField(max_length=500)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        triggers = APPEND_ONLY


class Mail(models.Model):
    """A letter by e-mail as it was written: it leaves the house once, under one Message-ID, and says what became of it.

    Dunning letters have an outbox of their own (`collection.Notice`).
    """

    STATUSES = [
        ("waiting", _("Waiting to be sent")),
        ("sent", _("Sent")),
        ("failed", _("Could not be sent")),
        ("no_address", _("No e-mail address")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="mails")
    kind = models.CharField(max_length=24, help_text="what it is: credit_reply, reference_request, ...")
    about = models.CharField(max_length=60, help_text="kind:id of the paper it belongs to")
    to = SealedField(max_length=254, blank=True)
    language = models.CharField(max_length=8, default="zh-hans")
    subject = models.CharField(max_length=200)
    body = SealedField(long=True)
    paper = models.JSONField(null=True, help_text="the paper that goes with it, for `lib.documents`")
    paper_name = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=10, choices=STATUSES, default="waiting")
    sent_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    written_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["about"], name="mail_about"),
            models.Index(fields=["id"], condition=Q(status="waiting"), name="mail_waiting"),
        ]

    def __str__(self) -> str:
        return self.subject


from .party_models import Agent, BlacklistCase, GroupTie, PersonTie, RelatedPerson  # noqa: E402

__all__ = [
    "Agent", "BlacklistCase", "Customer", "DataRequest", "Fact", "GroupTie", "Mail", "OtherName", "PersonTie",
    "RelatedPerson", "Standing", "StandingKind", "StandingRelease",
]  # fmt: skip
