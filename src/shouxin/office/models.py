"""People and their posts, the policy versions, the trail, idempotency keys."""

import uuid
from decimal import Decimal

import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.lib.sealed import SealedField
from shouxin.rules.policy import Post

from . import scopes

POST_LABELS = {
    Post.CREDIT_MANAGER: _("Credit manager"),
    Post.CREDIT_ADMINISTRATOR: _("Credit administrator"),
    Post.SALES: _("Sales"),
    Post.FINANCE: _("Finance"),
    Post.ARCHIVIST: _("Archivist"),
    Post.VICE_PRESIDENT: _("Vice-president"),
    Post.LEGAL_REPRESENTATIVE: _("Legal representative"),
    Post.AUDITOR: _("Auditor"),
    Post.SYSTEM_MANAGER: _("System manager"),
    Post.SECURITY_MANAGER: _("Security manager"),
}
POST_CHOICES = [(post.value, label) for post, label in POST_LABELS.items()]

APPEND_ONLY = [
    pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
    pgtrigger.Trigger(
        name="never_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate table %', TG_TABLE_NAME;",
    ),
]
"""Rows that stand for ever: no change, no deletion, no TRUNCATE, whoever asks (I-13, I-21)."""


class Person(AbstractUser):
    """Someone who signs in. What she may do follows from the posts she holds today, never from Django groups."""

    name = models.CharField(_("name"), max_length=80, blank=True)
    department = models.CharField(_("department"), max_length=80, blank=True)
    telephone = SealedField(_("telephone"), max_length=40, blank=True)
    password_given = models.BooleanField(default=False, db_default=False)
    """Somebody else chose her password, who therefore knows it."""

    def __str__(self) -> str:
        return self.name or self.username


class Appointment(models.Model):
    """A person holds a post from a day on, until a day (clause C2). `amount_max` narrows the post's authority."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="appointments")
    post = models.CharField(_("post"), max_length=24, choices=POST_CHOICES)
    amount_max = models.DecimalField(_("authority"), max_digits=15, decimal_places=2, null=True, blank=True)
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True)
    appointed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "post"], condition=Q(until=None), name="one_open_appointment")
        ]


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 digest is kept, the token itself is shown once."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="api_tokens")
    label = models.CharField(max_length=80, blank=True)
    scope = models.CharField(max_length=200, default="all", db_default="all", help_text="names, parted by blanks")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    @property
    def scopes_said(self) -> list[str]:
        """What it may be used for, in words."""
        return scopes.said(self.scope)


class PolicyVersion(models.Model):
    """One edition of the policy, in force from a day until a later one begins. Never changed (clause C3.2)."""

    number = models.PositiveIntegerField(unique=True)
    since = models.DateField(_("in force from"))
    text = models.TextField()
    why = models.CharField(_("reason"), max_length=500, blank=True)
    put_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    put_at = models.DateTimeField()

    class Meta:
        ordering = ["-since", "-number"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"v{self.number}"


class PolicyDraft(models.Model):
    """What a person has written of the next policy, against an edition; hers alone, and gone once it is put."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="policy_draft")
    base = models.PositiveIntegerField()
    text = models.TextField()
    version = models.PositiveIntegerField()
    changed_at = models.DateTimeField()


ANNOUNCE = """
    INSERT INTO office_delivery (hook_id, entry_id, event, key, status, attempts, next_at, fault, created_at)
    SELECT hook.id, line.id, split_part(watch, ' ', 1), gen_random_uuid(), 'waiting', 0, now(), '', now()
    FROM office_webhook hook CROSS JOIN LATERAL unnest(hook.watches) watch
    JOIN new_lines line ON split_part(line.about, ':', 1) || '/' || line.verb = split_part(watch, ' ', 2)
    WHERE hook.state = 'active';
    RETURN NULL;
"""
"""What a line of the trail means to the hooks that wait for it, in the act's own transaction."""


class TrailEntry(models.Model):
    """One act: who did which verb to what, when, with what particulars. Written in the act's own transaction."""

    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    by_name = models.CharField(max_length=80)
    verb = models.CharField(max_length=60)
    about = models.CharField(max_length=60, help_text="kind:id of the thing acted upon, such as customer:12")
    label = models.CharField(max_length=200, blank=True)
    customer_id = models.BigIntegerField(null=True)
    particulars = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="announce", level=pgtrigger.Statement, when=pgtrigger.After, operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_lines"), func=ANNOUNCE,
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["about", "-id"], name="trail_about"),
            models.Index(fields=["customer_id", "-id"], name="trail_customer"),
            models.Index(fields=["by", "-id"], name="trail_by"),
        ]


class Webhook(models.Model):
    """An address that is told of events: signed with a secret that rests sealed, in the sight of its owner."""

    STATES = [
        ("proposed", _("Waits for its owner")),
        ("active", _("At work")),
        ("paused", _("Paused")),
        ("stopped", _("Stopped after failures")),
    ]
    url = models.CharField(_("address"), max_length=500)
    secret = SealedField(max_length=100)
    events = ArrayField(models.CharField(max_length=40))
    watches = ArrayField(models.CharField(max_length=120), help_text="what the trigger looks for: event kind/verb")
    label = models.CharField(max_length=80, blank=True)
    owner = models.ForeignKey(Person, models.PROTECT, related_name="webhooks")
    made_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=STATES, default="active")
    failures = models.PositiveIntegerField(default=0, help_text="failed tries in a row")
    why_stopped = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()


class Delivery(models.Model):
    """One event for one hook, from the moment it happened until it was told, given up or out of sight."""

    STATUSES = [
        ("waiting", pgettext_lazy("mail", "Waiting")),
        ("sent", _("Sent")),
        ("failed", _("Failed")),
        ("dropped", _("Out of sight")),
    ]
    hook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    entry = models.ForeignKey(TrailEntry, models.PROTECT, null=True, related_name="+")
    event = models.CharField(max_length=40)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=8, choices=STATUSES, default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    answered = models.PositiveSmallIntegerField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=Q(status="waiting"), name="delivery_waiting"),
            models.Index(fields=["hook", "-id"], name="delivery_hook"),
        ]

    @property
    def message_id(self) -> str:
        """Its `webhook-id`: the same on every try."""
        return f"msg_{self.key.hex}"


class ExportedCustomers(models.Model):
    """Which customers stood in a file that left the house, beside the line of the trail that tells of the file."""

    entry = models.OneToOneField(TrailEntry, models.PROTECT, primary_key=True, related_name="exported")
    at = models.DateTimeField(db_index=True)
    customers = ArrayField(models.BigIntegerField())

    class Meta:
        triggers = APPEND_ONLY


class TrailLink(models.Model):
    """An entry's place in the chain: its strand, its number there without gaps, and the hash over all before it.

    Written by the database itself at commit (migration 0005), never by the application; docs/en/trail.md tells how.
    """

    pk = models.CompositePrimaryKey("strand", "seq")
    strand = models.SmallIntegerField()
    seq = models.BigIntegerField()
    entry = models.OneToOneField(TrailEntry, models.DO_NOTHING, related_name="link", db_constraint=False)
    hash = models.BinaryField()

    class Meta:
        triggers = APPEND_ONLY


class TrailSeal(models.Model):
    """One sealing, at the end of one transaction: where the strand stood then. Kept apart, so that a cut tail shows."""

    pk = models.CompositePrimaryKey("strand", "seq")
    strand = models.SmallIntegerField()
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    entries = models.PositiveIntegerField()
    at = models.DateTimeField(help_text="by the database's clock")

    class Meta:
        triggers = APPEND_ONLY


class IdempotencyKey(models.Model):
    """A caller's key with the answer it got: same key and body, same answer for ever (I-10)."""

    caller = models.ForeignKey(Person, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    path = models.CharField(max_length=300)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = SealedField(long=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_key")]


class ExchangeRate(models.Model):
    """One unit of `currency` in the company's currency from a day on, with its source. Rows are never edited."""

    currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    since = models.DateField()
    source = models.CharField(max_length=120)
    put_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    put_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(rate__gt=Decimal(0)), name="rate_is_positive")]
        indexes = [models.Index(fields=["currency", "-since", "-id"], name="rate_latest")]
        triggers = APPEND_ONLY


class SignInVersion(models.Model):
    """One edition of the rules of the door, in force from the moment it was put until the next. Never changed."""

    number = models.PositiveIntegerField(unique=True)
    rules = models.JSONField()
    why = models.CharField(_("reason"), max_length=500)
    put_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    put_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        triggers = APPEND_ONLY


class Knock(models.Model):
    """How many tries at the door from one place (an address, a known browser) were wrong since a moment."""

    digest = models.CharField(max_length=64, unique=True)
    tries = models.PositiveIntegerField()
    began_at = models.DateTimeField()


class PasswordUsed(models.Model):
    """The digest of a password somebody has had, and when it was set: its age, and what may not come back."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="passwords_used")
    digest = models.CharField(max_length=128)
    set_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="password_latest")]


class Attachment(models.Model):
    """A file kept as evidence about a thing (`about`: kind:id), mostly of a customer. Its bytes rest sealed elsewhere.

    `digest` is the SHA-256 of what was handed in, `kept_digest` of what is kept: photos are kept without their traces.
    """

    about = models.CharField(max_length=60)
    customer = models.ForeignKey("customers.Customer", models.PROTECT, null=True, related_name="attachments")
    name = models.CharField(_("file name"), max_length=200)
    kind = models.CharField(max_length=8)
    size = models.PositiveIntegerField(help_text="bytes kept")
    digest = models.CharField(max_length=64)
    kept_digest = models.CharField(max_length=64)
    note = models.CharField(_("remark"), max_length=300, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["about", "id"], name="attachment_about"),
            models.Index(fields=["customer", "id"], name="attachment_customer"),
            models.Index(fields=["digest"], name="attachment_digest"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.name


class AttachmentContent(models.Model):
    """The bytes of an attachment, in BASE64, sealed; erased when the person they tell of must be forgotten."""

    attachment = models.OneToOneField(Attachment, models.PROTECT, related_name="content")
    bytes = SealedField(long=True, heavy=True)


from .privacy_models import DataSharing as DataSharing  # noqa: E402
from .privacy_models import DataSharingVersion as DataSharingVersion  # noqa: E402
from .privacy_models import ImpactAssessment as ImpactAssessment  # noqa: E402
