"""Where personal data go and what was thought through: the sharing register and the impact assessments."""

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .models import APPEND_ONLY, Person

WORDING = ("series", "number", "title", "occasions", "covers", "processing", "necessity", "impact", "risk", "measures",
           "fits", "conclusion", "opinion", "assessed_on", "next_review_on", "written_by", "written_at")  # fmt: skip


class DataSharing(models.Model):
    """To whom outside the company personal data are given (PIPL art. 21, 23), as the entry reads now.

    Each wording it ever had stands in `versions`.
    """

    STATUSES = [("running", pgettext_lazy("sharing", "Running")), ("ended", pgettext_lazy("sharing", "Ended"))]
    KINDS = [
        ("credit_bureau", _("Credit bureau")),
        ("insurer", _("Credit insurer")),
        ("collection_agency", _("Collection agency")),
        ("law_firm", _("Law firm")),
        ("group_company", _("Group company")),
        ("bank", pgettext_lazy("recipient", "Bank")),
        ("service", _("Provider of services")),
        ("authority", _("Authority or court")),
        ("other", _("Others")),
    ]
    ROLES = [
        ("entrusted", _("Processes for us alone (art. 21)")),
        ("provided", _("Decides herself what the data are for (art. 23)")),
    ]
    MANNERS = [
        ("interface", _("Interface between programs")),
        ("file", _("Encrypted file")),
        ("post", _("Letter or e-mail")),
        ("paper", _("Paper handed over")),
        ("sight", _("A look at our premises")),
    ]
    PERSONS = [
        ("customer", _("Customers who are natural persons")),
        ("representative", _("Legal representatives")),
        ("contact", _("Contacts at customers")),
        ("guarantor", _("Who gives a security")),
        ("agent", _("Agents of customers")),
        ("related", _("Controllers and other persons behind customers")),
        ("staff", _("Our own staff")),
    ]
    BASES = [
        ("consent", _("PIPL art. 13(1), 23: the person's separate consent")),
        ("13-2", _("PIPL art. 13(2): needed to conclude or perform a contract")),
        ("13-3", _("PIPL art. 13(3): needed to fulfil a statutory duty")),
        ("13-6", _("PIPL art. 13(6): made public lawfully, used within reason")),
    ]
    status = models.CharField(max_length=8, choices=STATUSES, default="running")
    version = models.PositiveIntegerField(default=1)
    recipient = models.CharField(_("recipient"), max_length=200)
    kind = models.CharField(_("kind of recipient"), max_length=20, choices=KINDS)
    contact = models.CharField(_("contact of the recipient"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=500)
    role = models.CharField(_("role of the recipient"), max_length=10, choices=ROLES)
    persons = ArrayField(models.CharField(max_length=16), verbose_name=_("of whom"))
    fields = ArrayField(models.CharField(max_length=60), verbose_name=_("which data"))
    manner = models.CharField(_("manner"), max_length=10, choices=MANNERS)
    basis = models.CharField(_("legal basis"), max_length=8, choices=BASES)
    consent = models.CharField(_("how the consent is obtained"), max_length=500, blank=True)
    agreement = models.CharField(_("agreement"), max_length=200, blank=True)
    since = models.DateField(_("from"))
    until = models.DateField(_("until"), null=True, blank=True)
    entered_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    ended_on = models.DateField(null=True)
    ended_why = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "-id"], name="data_sharing_status")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.recipient


class DataSharingVersion(models.Model):
    """One wording of an entry, never changed."""

    sharing = models.ForeignKey(DataSharing, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    wording = models.JSONField()
    why = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sharing", "number"], name="one_wording_a_number")]
        triggers = APPEND_ONLY


class ImpactAssessment(models.Model):
    """One version of a personal-information protection impact assessment (PIPL art. 55, 56).

    Its wording never changes: a new version is a row of the same `series`.
    """

    STATUSES = [
        ("written", _("Waits for a second person")),
        ("returned", _("Sent back")),
        ("in_force", _("In force")),
        ("replaced", _("Replaced")),
        ("closed", pgettext_lazy("assessment", "Closed")),
        ("disposed", _("Disposed of")),
    ]
    OCCASIONS = [
        ("sensitive", _("Sensitive personal data (art. 55(1))")),
        ("automated", _("Automated decisions (art. 55(2))")),
        ("sharing", _("Entrusted or provided to others, or made public (art. 55(3))")),
        ("abroad", _("Provided abroad (art. 55(4))")),
        ("major", _("Other processing with a major effect on persons (art. 55(5))")),
    ]
    RISKS = [("low", _("Low")), ("medium", _("Medium")), ("high", _("High"))]
    CONCLUSIONS = [
        ("go", _("May go on")),
        ("go_with", _("May go on once the measures are in place")),
        ("stop", _("Must not go on")),
    ]
    series = models.UUIDField(default=uuid.uuid4)
    number = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=8, choices=STATUSES, default="written")
    title = models.CharField(_("what is assessed"), max_length=200)
    occasions = ArrayField(models.CharField(max_length=12), verbose_name=_("occasion"))
    covers = ArrayField(models.BigIntegerField(), default=list, verbose_name=_("entries of the sharing register"))
    processing = models.TextField(_("what is processed"))
    necessity = models.TextField(_("why it is lawful and needed"))
    impact = models.TextField(_("effect on the rights of persons"))
    risk = models.CharField(_("risk"), max_length=6, choices=RISKS)
    measures = models.TextField(_("protective measures"))
    fits = models.BooleanField(_("the measures fit the risk"))
    conclusion = models.CharField(_("conclusion"), max_length=8, choices=CONCLUSIONS)
    opinion = models.TextField(_("opinion"))
    assessed_on = models.DateField(_("assessed on"))
    next_review_on = models.DateField(_("look again by"))
    written_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    reviewed_on = models.DateField(null=True)
    review_note = models.CharField(max_length=500, blank=True)
    ended_on = models.DateField(null=True)
    ended_why = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "next_review_on"], name="assessment_status")]
        constraints = [
            models.UniqueConstraint(fields=["series"], condition=Q(status="in_force"), name="one_assessment_in_force"),
            models.UniqueConstraint(fields=["series", "number"], name="one_assessment_a_number"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="wording_stands", operation=pgtrigger.Update, condition=pgtrigger.AnyChange(*WORDING)
            ),
            pgtrigger.Protect(
                name="only_disposed",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.status <> 'disposed'"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"
