"""What is filled in for the sharing register and for an impact assessment."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.office import personal
from shouxin.office.attachments import EvidenceField
from shouxin.office.models import DataSharing, ImpactAssessment
from shouxin.rules.privacy import AssessmentTerms, SharingTerms

from . import assessments


class Day(forms.DateInput):
    """A date as the browser's own field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _long(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


KEPT_IN = ("office.Idempotency", "office.Trail", "office.DataSharing", "lib.")
"""Where data are kept for the house's own running: nobody gives them away from there."""


PLACES = {
    "customers.Customer": _("of the customer"),
    "customers.Fact": _("when noted"),
    "customers.FactCheck": _("when verified"),
    "customers.FactMark": _("when taken out of scoring"),
    "customers.RelatedPerson": _("of persons behind the customer"),
    "customers.Agent": _("of the customer's agent"),
    "customers.Mail": _("letters of the credit office"),
    "collection.Notice": _("dunning letters"),
    "office.Person": _("of our staff"),
}
"""Where a field is kept, in words, for those that are called the same."""


def _fields() -> list[tuple[str, str]]:
    """The fields of the catalogue that can be given, told with their place where another has the same words."""
    given = [field for field in personal.FIELDS if field.name != "password" and not field.model.startswith(KEPT_IN)]
    words = [str(field.what) for field in given]
    return [
        (field.path, word if words.count(word) == 1 else f"{word} ({PLACES.get(field.model, field.path)})")
        for field, word in zip(given, words, strict=True)
    ]


class SharingForm(forms.Form):
    """An entry of the sharing register."""

    recipient = forms.CharField(label=_("Recipient"), max_length=200, help_text=_("Its full name."))
    kind = forms.ChoiceField(label=_("Kind of recipient"), choices=DataSharing.KINDS)
    contact = forms.CharField(
        label=_("Contact of the recipient"), max_length=200, help_text=_("Where a person can reach it about her data.")
    )
    purpose = forms.CharField(label=_("Purpose"), max_length=500, widget=_long(2))
    role = forms.ChoiceField(label=_("Role of the recipient"), choices=DataSharing.ROLES)
    persons = forms.MultipleChoiceField(
        label=_("Of whom"), choices=DataSharing.PERSONS, widget=forms.CheckboxSelectMultiple
    )
    fields = forms.MultipleChoiceField(
        label=_("Which data"), choices=_fields, widget=forms.CheckboxSelectMultiple,
        help_text=_("No more than the purpose needs (art. 6)."),
    )  # fmt: skip
    manner = forms.ChoiceField(label=_("Manner"), choices=DataSharing.MANNERS)
    basis = forms.ChoiceField(label=_("Legal basis"), choices=DataSharing.BASES)
    consent = forms.CharField(
        label=_("How the consent is obtained"), max_length=500, required=False, widget=_long(2),
        help_text=_("On which paper, and where it is kept."),
    )  # fmt: skip
    agreement = forms.CharField(
        label=_("Agreement"), max_length=200, required=False, help_text=_("Number and day of the contract.")
    )
    file = EvidenceField()
    since = forms.DateField(label=_("From"), widget=Day())
    until = forms.DateField(label=_("Until"), widget=Day(), required=False)

    def terms(self) -> SharingTerms:
        """What was filled in, as the rule reads it."""
        given = {name: self.cleaned_data[name] for name in SharingTerms.__dataclass_fields__}
        return SharingTerms(**given | {name: tuple(given[name]) for name in ("persons", "fields")})


class CorrectionForm(SharingForm):
    """A new wording of an entry."""

    file = None  # type: ignore[assignment]
    reason = forms.CharField(label=_("Why it is corrected"), max_length=500)


class AssessmentForm(forms.Form):
    """An impact assessment; art. 56 names what it has to say."""

    title = forms.CharField(label=_("What is assessed"), max_length=200)
    occasions = forms.MultipleChoiceField(
        label=_("Occasion"), choices=ImpactAssessment.OCCASIONS, widget=forms.CheckboxSelectMultiple
    )
    covers = forms.TypedMultipleChoiceField(
        label=_("Entries of the sharing register it covers"), coerce=int, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    processing = forms.CharField(
        label=_("What is processed"),
        widget=_long(),
        max_length=assessments.TEXT_MAX,
        help_text=_("Which data, of whom, how, how long."),
    )
    necessity = forms.CharField(
        label=_("Why it is lawful and needed"), widget=_long(), max_length=assessments.TEXT_MAX,
        help_text=_("Whether purpose and manner are lawful, legitimate and necessary (art. 56(1))."),
    )  # fmt: skip
    impact = forms.CharField(
        label=_("Effect on the rights of persons"), widget=_long(), max_length=assessments.TEXT_MAX,
        help_text=_("What could happen to them, and how likely it is (art. 56(2))."),
    )  # fmt: skip
    risk = forms.ChoiceField(label=_("Risk"), choices=ImpactAssessment.RISKS)
    measures = forms.CharField(label=_("Protective measures"), widget=_long(), max_length=assessments.TEXT_MAX)
    fits = forms.BooleanField(
        label=_("The measures are lawful, effective and match the risk (art. 56(3))"), required=False
    )
    conclusion = forms.ChoiceField(label=_("Conclusion"), choices=ImpactAssessment.CONCLUSIONS)
    opinion = forms.CharField(label=_("Opinion"), widget=_long(2), max_length=assessments.TEXT_MAX)
    assessed_on = forms.DateField(label=_("Assessed on"), widget=Day())
    next_review_on = forms.DateField(
        label=_("Look again by"), widget=Day(), required=False, help_text=_("Empty: as the policy says.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        entries = DataSharing.objects.filter(status="running").order_by("pk")
        self.fields["covers"].choices = [  # type: ignore[attr-defined]
            (each.pk, f"#{each.pk} {each.recipient}: {each.purpose}") for each in entries
        ]

    def terms(self) -> AssessmentTerms:
        """What was filled in, as the rule reads it."""
        given = {name: self.cleaned_data[name] for name in AssessmentTerms.__dataclass_fields__}
        return AssessmentTerms(**given | {name: tuple(given[name]) for name in ("occasions", "covers")})


def begun(row: DataSharing | ImpactAssessment) -> dict[str, Any]:
    """What a form begins with for the next wording of a row."""
    kind = SharingTerms if isinstance(row, DataSharing) else AssessmentTerms
    return {name: getattr(row, name) for name in kind.__dataclass_fields__}
