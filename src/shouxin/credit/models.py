"""Credit accounts with their exposure journal, reservations, line requests, lines, ratings."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.customers.models import Customer
from shouxin.lib.sealed import SealedField
from shouxin.office.book import SECURITIES
from shouxin.office.models import APPEND_ONLY, Person


def money(**options: object) -> models.DecimalField:
    """An amount column: two decimals, up to thirteen digits before the point."""
    return models.DecimalField(max_digits=15, decimal_places=2, **options)  # type: ignore[arg-type]


class CreditAccount(models.Model):
    """What stands on one customer's account in one currency: the balance row of the exposure journal.

    Every change of a bucket is one posting, written in the same transaction under this row's lock.
    `receivable` is signed: unapplied receipts and credit notes may carry it below zero.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=3)
    reserved = money(default=Decimal(0))
    undelivered = money(default=Decimal(0))
    unbilled = money(default=Decimal(0))
    receivable = money(default=Decimal(0))
    bills = money(default=Decimal(0))
    deposits = money(default=Decimal(0))
    parked = models.CharField(max_length=300, blank=True, help_text="why decisions wait until a person has looked")

    BUCKETS = ("reserved", "undelivered", "unbilled", "receivable", "bills", "deposits")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency"], name="one_account_per_currency"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, undelivered__gte=0, unbilled__gte=0, bills__gte=0, deposits__gte=0),
                name="buckets_not_negative",
            ),
        ]


class Posting(models.Model):
    """One movement of exposure: an amount enters, leaves, or goes from bucket to bucket (append-only).

    `source` empty means the value comes from outside the account; `target` empty means it leaves it.
    """

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="postings", db_index=False)
    source = models.CharField(max_length=12, blank=True)
    target = models.CharField(max_length=12, blank=True)
    amount = money()
    document = models.CharField(max_length=80, help_text="kind:number of the paper that caused it")
    decision_id = models.BigIntegerField(null=True)
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY
        indexes = [models.Index(fields=["account", "id"], name="posting_account")]
        constraints = [models.CheckConstraint(condition=~Q(source=F("target")), name="posting_moves")]


class Reservation(models.Model):
    """The value of one order on a customer's account: each part stands in exactly one of the stages (I-5)."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="reservations", db_index=False)
    number = models.CharField(max_length=24)
    source_system = models.CharField(max_length=40, default="", blank=True)
    order_no = models.CharField(max_length=80)
    decision_id = models.BigIntegerField(null=True)
    amount = money()
    reserved = money(default=Decimal(0))
    undelivered = money(default=Decimal(0))
    unbilled = money(default=Decimal(0))
    billed = money(default=Decimal(0))
    released = money(default=Decimal(0))
    made_on = models.DateField()
    expires_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="reservation_number"),
            models.CheckConstraint(
                condition=Q(amount=F("reserved") + F("undelivered") + F("unbilled") + F("billed") + F("released")),
                name="reservation_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, undelivered__gte=0, unbilled__gte=0, billed__gte=0, released__gte=0),
                name="reservation_parts_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["order_no"], name="reservation_order"),
            models.Index(fields=["account", "-id"], name="reservation_account"),
            models.Index(fields=["account", "expires_on"], condition=Q(reserved__gt=0), name="reservation_due"),
            models.Index(
                fields=["source_system", "order_no"], condition=Q(decision_id=None), name="reservation_taken_over"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class LimitKind(models.TextChoices):
    """Four different things: nothing decided yet, no credit, credit up to an amount, credit without bound."""

    UNSET = "unset", _("Not set")
    NONE = "none", _("No credit")
    AMOUNT = "amount", _("Up to an amount")
    UNLIMITED = "unlimited", _("Unlimited")


GRADE_CHOICES = [(grade, grade) for grade in "ABCD"]


class Terms(models.Model):
    """What a line and a line request have in common: grade, limit, currency, term, discount, window."""

    grade = models.CharField(_("grade"), max_length=1, blank=True, choices=GRADE_CHOICES)
    limit_kind = models.CharField(_("kind of limit"), max_length=10, choices=LimitKind.choices)
    limit = money(verbose_name=_("limit"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    term_days = models.PositiveSmallIntegerField(_("term in days"))
    discount_percent = models.DecimalField(_("discount %"), max_digits=5, decimal_places=2, null=True, blank=True)
    discount_days = models.PositiveSmallIntegerField(_("discount days"), null=True, blank=True)
    since = models.DateField(_("from"))
    until = models.DateField(_("until"), null=True, blank=True)
    temporary = models.BooleanField(_("temporary, on top of the line"), default=False)
    pool = models.BooleanField(_("shared by the whole group"), default=False)

    class Meta:
        abstract = True


LIMIT_MATCHES_KIND = Q(limit_kind="amount", limit__isnull=False) | (~Q(limit_kind="amount") & Q(limit__isnull=True))


REQUEST_COLOURS = {"open": "amber", "approved": "green", "declined": "red", "withdrawn": "grey"}
"""Status of a line request -> the colour it is shown in."""


class LineRequest(Terms):
    """One person asks for a line; another, within authority, signs the version she saw (B2.1, I-14 to I-17).

    `beside`: the line a review proposed it beside; where another one holds by now, the proposal is an old sight.
    """

    KINDS = [
        ("new", _("New")),
        ("raise", _("Raise")),
        ("lower", _("Lower")),
        ("temporary", _("Temporary")),
        ("renewal", _("Renewal")),
    ]
    STATUSES = [
        ("open", _("Waiting for approval")),
        ("approved", _("Approved")),
        ("declined", _("Declined")),
        ("withdrawn", _("Withdrawn")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="line_requests")
    kind = models.CharField(_("kind of request"), max_length=10, choices=KINDS)
    status = models.CharField(_("status"), max_length=10, choices=STATUSES, default="open")
    reason = models.CharField(_("reason"), max_length=1000)
    version = models.PositiveIntegerField(default=1)
    suggested = models.JSONField(default=dict, blank=True)
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    editors = models.ManyToManyField(Person, related_name="+")
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, blank=True)
    policy_version = models.PositiveIntegerField()
    beside = models.ForeignKey("Line", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=LIMIT_MATCHES_KIND, name="request_limit_matches_kind")]
        indexes = [models.Index(fields=["status", "-id"], name="request_status")]


class Line(Terms):
    """What we trust a customer with from a day on; the latest row that has begun is the one that holds.

    Rows are never changed: a raise, a cut, a downgrade, a renewal each add one, with why and by whom.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="lines")
    why = models.CharField(max_length=1000)
    cause = models.CharField(max_length=20, help_text="request, downgrade, import, ...")
    request = models.OneToOneField(LineRequest, models.PROTECT, null=True, related_name="line")
    requested_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    policy_version = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=LIMIT_MATCHES_KIND, name="line_limit_matches_kind")]
        indexes = [
            models.Index(fields=["customer", "-since", "-id"], name="line_latest"),
            models.Index(fields=["until", "id"], name="line_ending",
                         condition=Q(temporary=False, pool=False, until__isnull=False)),
        ]  # fmt: skip
        triggers = APPEND_ONLY


TERMS_OF_SECURITY = (
    "customer", "kind", "value", "prior_claims", "currency", "subject", "document", "registration_no",
    "rank", "since", "until", "debt_due_on", "agreed_until", "reason", "replaces", "proposed_by", "proposed_at",
)  # fmt: skip


class Security(models.Model):
    """What secures a customer's debts: collateral, guarantee, deposit, credit insurance (B2.1).

    Its terms never change: other terms are a new row that replaces this one, and the database refuses to write over
    them. `began_on` and `ended_on` say when it counted, so any past day can be asked about.
    """

    KINDS = tuple(SECURITIES.items())
    STATUSES = [
        ("proposed", pgettext_lazy("security", "Waiting for approval")),
        ("active", pgettext_lazy("security", "In force")),
        ("declined", pgettext_lazy("security", "Declined")),
        ("withdrawn", pgettext_lazy("security", "Withdrawn")),
        ("released", pgettext_lazy("security", "Released")),
        ("void", pgettext_lazy("security", "Worthless")),
        ("replaced", pgettext_lazy("security", "Replaced")),
        ("expired", pgettext_lazy("security", "Expired")),
    ]
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="securities")
    kind = models.CharField(_("kind of security"), max_length=20, choices=KINDS)
    value = money(verbose_name=_("value"))
    prior_claims = money(verbose_name=_("claims before ours"), default=Decimal(0))
    currency = models.CharField(_("currency"), max_length=3)
    provider = SealedField(_("given by"), max_length=200)
    subject = models.CharField(_("what it is"), max_length=300)
    document = models.CharField(_("document"), max_length=80)
    registration_no = models.CharField(_("registration number"), max_length=80, blank=True)
    rank = models.PositiveSmallIntegerField(_("rank"), null=True, blank=True)
    since = models.DateField(_("from"))
    until = models.DateField(_("until"), null=True, blank=True)
    debt_due_on = models.DateField(_("guaranteed debt due on"), null=True, blank=True)
    agreed_until = models.DateField(_("guarantee period agreed until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=1000)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="replacements")
    status = models.CharField(_("status"), max_length=10, choices=STATUSES, default="proposed")
    version = models.PositiveIntegerField(default=1)
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, blank=True)
    began_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    end_reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], condition=Q(status="active"), name="security_in_force"),
            models.Index(fields=["until"], condition=Q(status="active"), name="security_ending"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(value__gt=0, prior_claims__gte=0), name="security_has_value"),
            models.UniqueConstraint(
                fields=["customer", "kind", "document"], condition=Q(status="active"), name="security_counted_once"
            ),
            models.UniqueConstraint(
                fields=["kind", "registration_no", "rank"],
                condition=Q(status="active") & ~Q(registration_no=""),
                nulls_distinct=False,
                name="registration_counted_once",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="terms_never_change", operation=pgtrigger.Update, condition=pgtrigger.AnyChange(*TERMS_OF_SECURITY)
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.document}"  # type: ignore[attr-defined]


class Rating(models.Model):
    """A score sheet as it was computed: answers, grade steps, suggested line, with the policy it was read from."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ratings")
    as_of = models.DateField()
    score = models.DecimalField(max_digits=5, decimal_places=2)
    coverage = models.DecimalField(max_digits=5, decimal_places=4)
    grade = models.CharField(max_length=1, choices=GRADE_CHOICES)
    limit_kind = models.CharField(max_length=10, choices=LimitKind.choices)
    limit = money(null=True)
    currency = models.CharField(max_length=3)
    term_days = models.PositiveSmallIntegerField()
    sheet = models.JSONField()
    policy_version = models.PositiveIntegerField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer", "-id"], name="rating_latest")]
        triggers = APPEND_ONLY


class GradeReview(models.Model):
    """What becomes of the grade a program gave a natural person: it waits until somebody confirms it or sets another.

    `grade`, limit and term are the ones confirmed; empty while it waits (B2.1, PIPL art. 24).
    """

    STATUSES = [
        ("proposed", pgettext_lazy("grade review", "Waits for a person")),
        ("confirmed", pgettext_lazy("grade review", "Confirmed")),
        ("superseded", pgettext_lazy("grade review", "Rated again")),
    ]
    rating = models.OneToOneField(Rating, models.PROTECT, related_name="review")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="grade_reviews")
    status = models.CharField(_("status"), max_length=10, choices=STATUSES, default="proposed")
    version = models.PositiveIntegerField(default=1)
    grade = models.CharField(_("grade"), max_length=1, choices=GRADE_CHOICES, blank=True)
    limit_kind = models.CharField(max_length=10, choices=LimitKind.choices, blank=True)
    limit = money(null=True)
    term_days = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(status="proposed"), name="one_grade_waits_per_customer"
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | ~Q(grade="") & ~Q(reason="") & Q(confirmed_by__isnull=False),
                name="confirmed_by_somebody_for_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="settled_for_good", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__status="proposed")
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]


class FittedCard(models.Model):
    """A statistical card as a table of points (`rules.points_table`), fitted to the company's history up to a day."""

    as_of = models.DateField()
    late_days = models.PositiveSmallIntegerField()
    table = models.JSONField()
    policy_version = models.PositiveIntegerField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = APPEND_ONLY


class RefusedFit(models.Model):
    """A card that could not be fitted: why, as a code of `receivables.fitted.WHY`, with its numbers. Never changed."""

    as_of = models.DateField()
    late_days = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=20)
    particulars = models.JSONField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = APPEND_ONLY


from .application_models import (  # noqa: E402
    Application,
    ApplicationEdit,
    FormLink,
    FormTry,
    Handover,
    Opinion,
    Reference,
)  # fmt: skip

__all__ = [
    "GRADE_CHOICES", "REQUEST_COLOURS",
    "Application", "ApplicationEdit", "CreditAccount", "FittedCard", "FormLink", "FormTry",
    "GradeReview", "Handover", "LimitKind", "Line", "LineRequest", "Opinion", "Posting", "Rating", "Reference",
    "RefusedFit", "Reservation", "Security", "Terms", "money",
]  # fmt: skip
