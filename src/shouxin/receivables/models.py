"""Invoices, instalments, receipts, matches, contests, overdue episodes, proof runs. Nothing posted is edited."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import GRADE_CHOICES, CreditAccount, money
from shouxin.customers.models import Customer
from shouxin.office.models import APPEND_ONLY, Person


class Invoice(models.Model):
    """What a customer owes by one paper; a credit note has a negative amount. Corrections are reversals (A10)."""

    KINDS = [
        ("invoice", _("Invoice")),
        ("credit_note", _("Credit note")),
        ("opening", _("Opening item")),
        ("reversal", _("Reversal")),
    ]
    # Papers come by the million: what a composite index leads with, or nobody searches by, has no index of its own.
    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="invoices", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices", db_index=False)
    source_system = models.CharField(_("source system"), max_length=40, default="", blank=True)
    doc_no = models.CharField(_("document number"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS, default="invoice")
    dated_on = models.DateField(_("document date"))
    due_on = models.DateField(_("due date"), null=True, help_text="the last instalment's; null: none was stated")
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    order_no = models.CharField(_("order number"), max_length=80, blank=True)
    contract_no = models.CharField(_("contract number"), max_length=80, blank=True)
    description = models.CharField(max_length=200, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "source_system", "doc_no"], name="invoice_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="invoice_has_amount"),
        ]
        indexes = [
            models.Index(fields=["customer", "-dated_on", "-id"], name="invoice_customer"),
            models.Index(fields=["dated_on", "id"], name="invoice_dated"),
            models.Index(fields=["due_on", "id"], name="invoice_due"),
            models.Index(fields=["doc_no"], name="invoice_number", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["order_no"], name="invoice_order", condition=~Q(order_no="")),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.doc_no


class Instalment(models.Model):
    """A part of an invoice with its own due date. `settled` repeats the sum of its matches, kept for the index.

    `customer` repeats the invoice's, also for the index; the invoice's is the one the database holds to its customer.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="instalments", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    number = models.PositiveSmallIntegerField(default=1)
    due_on = models.DateField(null=True)
    amount = money()
    settled = money(default=Decimal(0))
    contested = money(default=Decimal(0))
    settled_on = models.DateField(null=True, help_text="the day the last of it was settled")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "number"], name="instalment_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, settled__gte=0, settled__lte=F("amount"))
                | Q(amount__lt=0, settled__lte=0, settled__gte=F("amount")),
                name="settled_within_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "due_on"], condition=~Q(settled=F("amount")), name="instalment_open"),
            models.Index(fields=["due_on", "invoice"], condition=~Q(settled=F("amount")), name="instalment_late"),
            models.Index(fields=["customer", "settled_on"], condition=~Q(settled_on=None), name="instalment_settled"),
            models.Index(fields=["invoice"], name="instalment_contested", condition=Q(contested__gt=0)),
        ]


class Receipt(models.Model):
    """Money that came in (or, negative, was paid back). What is not matched is unapplied cash."""

    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="receipts")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="receipts")
    source_system = models.CharField(_("source system"), max_length=40, default="", blank=True)
    doc_no = models.CharField(_("document number"), max_length=80)
    received_on = models.DateField(_("received on"))
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    payer = models.CharField(_("payer"), max_length=200, blank=True)
    names = models.JSONField(default=list, help_text="the document numbers the payer named (Civil Code art. 560)")
    applied = money(default=Decimal(0))
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "source_system", "doc_no"], name="receipt_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="receipt_has_amount"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, applied__gte=0, applied__lte=F("amount"))
                | Q(amount__lt=0, applied__lte=0, applied__gte=F("amount")),
                name="applied_within_receipt",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-received_on", "-id"], name="receipt_customer"),
            models.Index(fields=["received_on", "id"], name="receipt_received"),
            models.Index(fields=["customer"], condition=~Q(applied=F("amount")), name="receipt_unapplied"),
        ]

    def __str__(self) -> str:
        return self.doc_no


class Match(models.Model):
    """An instalment was settled by so much, on a day, by a receipt or by a credit note. A negative row undoes one."""

    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="matches")
    receipt = models.ForeignKey(Receipt, models.PROTECT, null=True, related_name="matches")
    credit = models.ForeignKey(Instalment, models.PROTECT, null=True, related_name="used_by")
    amount = money()
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = APPEND_ONLY
        constraints = [
            models.CheckConstraint(
                condition=Q(receipt__isnull=False, credit__isnull=True) | Q(receipt__isnull=True, credit__isnull=False),
                name="match_has_one_source",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="match_has_amount"),
        ]
        indexes = [models.Index(fields=["on"], name="match_on")]


class Contest(models.Model):
    """The customer disputes part of an instalment: that part rests in dunning and downgrade until it is settled."""

    OUTCOMES = [
        ("upheld", _("The customer is right")),
        ("rejected", _("The claim stands")),
        ("withdrawn", _("Withdrawn")),
    ]
    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="contests")
    amount = money()
    why = models.CharField(max_length=500)
    since = models.DateField()
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    settled_on = models.DateField(null=True)
    outcome = models.CharField(max_length=10, choices=OUTCOMES, blank=True)
    settled_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instalment"], condition=Q(settled_on=None), name="one_open_contest"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="contest_has_amount"),
        ]


class Episode(models.Model):
    """A stretch of being overdue, from the first overdue day until all is paid: the memory of dunning and the ladder.

    A fact about the debt, written by the daily run and read by the order check.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="episodes")
    began_on = models.DateField()
    ended_on = models.DateField(null=True)
    stage = models.PositiveSmallIntegerField(null=True)
    baseline_grade = models.CharField(max_length=1, blank=True, choices=GRADE_CHOICES)
    rung_days = models.PositiveIntegerField(default=0, help_text="overdue_days_min of the last rung applied")
    late_count_applied = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(ended_on=None), name="one_running_episode")
        ]


class ProofRun(models.Model):
    """One run of the proof: balances from the journal, journal from the documents; every difference listed (I-4)."""

    at = models.DateTimeField()
    on = models.DateField()
    accounts = models.PositiveIntegerField()
    difference = money()
    differences = models.JSONField(default=list)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = APPEND_ONLY
