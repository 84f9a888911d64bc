"""A year's campaign and the review of each customer in it. What a review proposes is a line request (decision 0006)."""

from decimal import Decimal
from functools import cached_property

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.credit.models import GRADE_CHOICES, Line, LineRequest, Rating, money
from shouxin.customers.models import Customer
from shouxin.office.models import Person

from .found import FOUND, Found

REMARK_MAX, SUMMARY_MAX = 2000, 4000


class Campaign(models.Model):
    """The annual review of a year: every customer who had a line on its last day (B2.4).

    `effective_from`: the day from which what is approved holds. `portfolio`: the report of the whole, kept as the
    campaign was closed. `total`: how many customers it is about.
    """

    STATUSES = [("open", pgettext_lazy("campaign", "Under way")), ("closed", pgettext_lazy("campaign", "Closed"))]
    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    first = models.DateField(_("from"))
    last = models.DateField(_("until"))
    effective_from = models.DateField(_("effective from"))
    status = models.CharField(_("status"), max_length=8, choices=STATUSES, default="open")
    version = models.PositiveIntegerField(default=1)
    total = models.PositiveIntegerField(default=0)
    policy_version = models.PositiveIntegerField()
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    summary = models.CharField(_("summary"), max_length=SUMMARY_MAX, blank=True)
    portfolio = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(first__lt=models.F("last")), name="campaign_has_days")]

    def __str__(self) -> str:
        return str(self.year)


class Review(models.Model):
    """One customer's year: what was found (`facts`), what is proposed (`request`), the words of the credit office.

    Amounts ending in `worth` are in the company's currency, so that they can be added up. `line` is the one that held
    on the last day; `fault` says why nothing could be proposed.
    """

    ACTIONS = [
        ("keep", pgettext_lazy("annual review", "Keep")),
        ("raise", pgettext_lazy("annual review", "Raise")),
        ("lower", pgettext_lazy("annual review", "Lower")),
    ]
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="reviews", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="annual_reviews")
    line = models.ForeignKey(Line, models.PROTECT, related_name="+", db_index=False)
    rating = models.ForeignKey(Rating, models.PROTECT, null=True, related_name="+", db_index=False)
    request = models.OneToOneField(LineRequest, models.PROTECT, null=True, related_name="review")
    action = models.CharField(_("proposal"), max_length=5, choices=ACTIONS)
    grade_before = models.CharField(max_length=1, choices=GRADE_CHOICES, blank=True)
    grade_after = models.CharField(max_length=1, choices=GRADE_CHOICES, blank=True)
    sales_worth = money(default=Decimal(0))
    owed_worth = money(default=Decimal(0))
    overdue_worth = money(default=Decimal(0))
    aged_worth = money(default=Decimal(0), help_text="what is overdue for more than a year")
    facts = models.JSONField()
    remark = models.CharField(_("assessment"), max_length=REMARK_MAX, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "customer"], name="customer_once_a_campaign")]
        indexes = [
            models.Index(fields=["campaign", "action", "id"], name="review_action"),
            models.Index(fields=["campaign", "-sales_worth", "id"], name="review_largest"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}-{self.customer_id}"

    @cached_property
    def found(self) -> Found:
        """The facts as they were found, with their types."""
        return FOUND.validate_python(self.facts)
