"""Applications for credit from the form to the reply: their edits, opinions, links for outsiders, references (B2.3)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.customers.models import Customer
from shouxin.lib.sealed import SealedField
from shouxin.office.models import APPEND_ONLY, POST_CHOICES, Person

from .models import GRADE_CHOICES, LimitKind, LineRequest, Rating, money

REQUEST_KINDS = LineRequest.KINDS


class Application(models.Model):
    """An application for credit, from the form to the reply (B2.3). What it grants is a line request and its line.

    What the assessment said (`score`, `grade`, `suggested_*`) is frozen here; `due_on` is kept for the list's order.
    """

    STATUSES = [
        ("draft", pgettext_lazy("application", "Draft")),
        ("submitted", _("Handed in")),
        ("accepted", _("Accepted for review")),
        ("investigated", _("Investigated")),
        ("assessed", _("Assessed")),
        ("returned", _("Returned for completion")),
        ("approved", _("Approved")),
        ("declined", _("Declined")),
        ("withdrawn", _("Withdrawn")),
    ]
    SOURCES = [("office", _("Entered by us")), ("link", _("Filled in by the customer"))]
    CATEGORIES = [
        ("incomplete", _("Papers incomplete")),
        ("too_young", _("Too short in business")),
        ("payment_record", _("Payment record")),
        ("external", _("Information from public sources")),
        ("capacity", _("Financial capacity")),
        ("other", _("Other reasons")),
    ]
    number = models.CharField(max_length=24, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="applications")
    request_type = models.CharField(_("kind of request"), max_length=10, choices=REQUEST_KINDS)
    source = models.CharField(max_length=8, choices=SOURCES, default="office")
    status = models.CharField(_("status"), max_length=12, choices=STATUSES, default="draft")
    version = models.PositiveIntegerField(default=1)
    turn = models.PositiveIntegerField(default=1, help_text="counts the times it was handed in; opinions belong to one")
    requested_limit = money(verbose_name=_("limit asked for"))
    currency = models.CharField(_("currency"), max_length=3)
    requested_term_days = models.PositiveSmallIntegerField(_("term asked for, in days"))
    requested_until = models.DateField(_("last day asked for"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    details = SealedField(long=True, default="{}", help_text="the form's other boxes, as JSON")
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    editors = models.ManyToManyField(Person, related_name="+")
    submitted_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    accepted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    investigation = SealedField(long=True, default="{}", help_text="the investigation form's boxes, as JSON")
    investigated_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    investigated_on = models.DateField(null=True)
    rating = models.ForeignKey(Rating, models.PROTECT, null=True, related_name="applications")
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    grade = models.CharField(max_length=1, blank=True, choices=GRADE_CHOICES)
    suggested_kind = models.CharField(max_length=10, blank=True, choices=LimitKind.choices)
    suggested_limit = money(null=True)
    suggested_term_days = models.PositiveSmallIntegerField(null=True)
    assessed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    assessed_on = models.DateField(null=True)
    grade_confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    grade_confirmed_why = models.CharField(max_length=500, blank=True)
    excused = models.CharField(max_length=1000, blank=True, help_text="why it went on although items were missing")
    line_request = models.OneToOneField(LineRequest, models.PROTECT, null=True, related_name="application")
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(
        max_length=1000, blank=True, help_text="for the file; the customer never sees it"
    )
    category = models.CharField(max_length=16, blank=True, choices=CATEGORIES)
    said = models.CharField(max_length=1000, blank=True, help_text="what the customer is told besides the category")
    conditions = models.CharField(max_length=1000, blank=True)
    policy_version = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "request_type"],
                condition=Q(status__in=["draft", "returned", "submitted", "accepted", "investigated", "assessed"]),
                name="one_open_application",
            ),
            models.CheckConstraint(condition=Q(requested_limit__gte=0), name="application_asks_no_less_than_nothing"),
        ]
        indexes = [models.Index(fields=["status", "due_on", "id"], name="application_due")]

    def __str__(self) -> str:
        return self.number


class ApplicationEdit(models.Model):
    """One change of an application's or investigation's boxes: field -> [old, new], by whom, when. Never changed."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="edits")
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    changes = SealedField(long=True)

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY


class Opinion(models.Model):
    """One post's opinion on an application, in its turn. Never changed; a paper handed in anew gets new ones."""

    VERDICTS = [
        ("agree", _("Agrees")),
        ("conditional", _("Agrees under conditions")),
        ("disagree", _("Disagrees")),
    ]
    application = models.ForeignKey(Application, models.PROTECT, related_name="opinions")
    turn = models.PositiveIntegerField()
    post = models.CharField(max_length=24, choices=POST_CHOICES, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    verdict = models.CharField(max_length=12, choices=VERDICTS)
    text = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "turn", "post"], condition=~Q(post=""), name="one_opinion_per_post"
            ),
            models.UniqueConstraint(fields=["application", "turn", "by"], name="one_opinion_per_person"),
        ]
        triggers = APPEND_ONLY


class Handover(models.Model):
    """A turn given to another (`delegate`), or one more person asked for an opinion (`countersign`). Never changed."""

    KINDS = [("delegate", _("Handed over")), ("countersign", _("Asked as well"))]
    application = models.ForeignKey(Application, models.PROTECT, related_name="handovers")
    turn = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=KINDS)
    post = models.CharField(max_length=24, choices=POST_CHOICES, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    to = models.ForeignKey(Person, models.PROTECT, related_name="handed_over")
    why = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY


class FormLink(models.Model):
    """A link by which somebody outside fills in a form once, without an account; only its digest is kept."""

    KINDS = [("application", _("Application form")), ("reference", _("Reference"))]
    kind = models.CharField(max_length=12, choices=KINDS)
    digest = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="form_links")
    request_type = models.CharField(max_length=10, blank=True, choices=REQUEST_KINDS)
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="form_links")
    made_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_on = models.DateField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class FormTry(models.Model):
    """How often one place knocked at the public forms within an hour; of the place only a digest is kept."""

    place = models.CharField(max_length=64)
    hour = models.DateTimeField()
    tries = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "hour"], name="form_try_once")]


class Reference(models.Model):
    """A bank or a supplier asked what it knows of the customer. What it answers is confidential and rests sealed."""

    KINDS = [("bank", _("Bank")), ("trade", _("Supplier or other creditor"))]
    STATUSES = [("asked", _("Asked")), ("answered", _("Answered"))]
    application = models.ForeignKey(Application, models.PROTECT, related_name="references")
    link = models.OneToOneField(FormLink, models.PROTECT, related_name="reference")
    kind = models.CharField(max_length=8, choices=KINDS)
    name = models.CharField(_("whom to ask"), max_length=200)
    email = SealedField(_("e-mail"), max_length=254)
    status = models.CharField(max_length=10, choices=STATUSES, default="asked")
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = SealedField(long=True, blank=True, help_text="the answers as JSON")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
