"""What is filled in about a customer: the credit sheet (B2.2), facts with source and day (A7), notes, standing."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shouxin.lib.fields import AmountField
from shouxin.office import posts
from shouxin.office.attachments import EvidenceField
from shouxin.office.models import Appointment, Person
from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.industries import INDUSTRIES
from shouxin.rules.policy import Post

from . import registry, subjects
from .models import Customer, Fact, StandingKind

SECTIONS = (
    (_("Identity"), ("code", "name", "short_name", "uscc", "uscc_confirmed", "natural_person", "id_number",
                     "legal_representative", "registered_capital", "paid_in_capital", "founded_on", "industry")),
    (_("How to reach them"), ("contact", "telephone", "email", "address", "region")),
    (_("Bank account"), ("bank", "bank_account")),
    (_("Business with us"), ("currency", "salesperson", "department", "group_head", "customer_since",
                             "credit_standard")),
)  # fmt: skip


class Day(forms.DateInput):
    """A date as the browser's own field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DayText(forms.TextInput):
    """A day that is kept as text."""

    input_type = "date"


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    """Every field of the credit sheet. What a field may hold is the registry's affair; it names the faults."""

    code = forms.CharField(
        label=_("Customer code"), max_length=40, required=False, help_text=_("Leave empty to get the next number.")
    )
    uscc = forms.CharField(label=_("Unified social credit code"), max_length=40, required=False)
    uscc_confirmed = forms.CharField(
        label=_("Confirmed although the check fails: why"),
        max_length=300,
        required=False,
        help_text=_("Only where the licence itself shows this code; the reason is kept."),
    )
    registered_capital = AmountField(label=_("Registered capital"), least=0, required=False)
    paid_in_capital = AmountField(label=_("Paid-in capital"), least=0, required=False)
    industry = forms.ChoiceField(label=_("Industry"), required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    group_head = forms.CharField(
        label=_("Group head"), required=False, max_length=40, help_text=_("Code of the customer that heads the group.")
    )
    seen_doubles = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Customer
        fields = [
            "name", "short_name", "natural_person", "id_number", "legal_representative", "registered_capital",
            "paid_in_capital", "founded_on", "address", "region", "telephone", "email", "contact", "bank",
            "bank_account", "credit_standard", "salesperson", "department", "customer_since",
        ]  # fmt: skip
        widgets = {"founded_on": Day(), "customer_since": Day()}
        help_texts = {"credit_standard": _("The least we ask of this customer before it gets credit.")}

    def __init__(self, *args: Any, currency: str = "CNY", new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = 0 if (get_language() or "").startswith("zh") else 1
        self.fields["industry"].choices = [("", "—"), *((k, f"{k} {v[place]}") for k, v in INDUSTRIES.items())]
        self.fields["currency"].choices = [(each, f"{each} {_name(each, place)}") for each in CURRENCIES]
        self.fields["currency"].initial = self.instance.currency or currency
        self.fields["salesperson"].queryset = sellers()
        for name in ("uscc", "uscc_confirmed", "industry"):
            self.fields[name].initial = getattr(self.instance, name)
        head = self.instance.group_head
        self.fields["group_head"].initial = head.code if head and not head.restricted_on else ""
        if not new:
            del self.fields["code"]
            self._mask()

    def _mask(self) -> None:
        """What is masked stands masked beside an empty field; left empty, it stays as it is."""
        for name, shown in registry.masked(self.instance).items():
            if shown != getattr(self.instance, name):
                self.initial[name] = ""
                self.fields[name].widget.attrs["placeholder"] = shown
                self.fields[name].help_text = _("Leave empty to keep it.")

    def _post_clean(self) -> None:
        """The instance is not touched and not judged here: the registry compares with it and names every fault."""

    @property
    def sections(self) -> list[tuple[Any, list[Any]]]:
        """The fields in the order of the sheet."""
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in SECTIONS]


def _name(code: str, place: int) -> str:
    currency = CURRENCIES[code]
    return currency.en if place else currency.zh


def sellers() -> Any:
    """Everybody who holds the post of sales; the list of a select."""
    held = Appointment.objects.filter(post=Post.SALES, until=None).values("person")
    return Person.objects.filter(pk__in=held, is_active=True).exclude(username=posts.SYSTEM).order_by("name")


class FactForm(forms.Form):
    """Something learnt: what, its value, from which kind of source, as of when."""

    key = forms.ChoiceField(label=_("What"))
    value = forms.CharField(label=_("Value"), max_length=500, required=False,
                            help_text=_("A number, a word, or yes or no. Empty: it no longer counts."))  # fmt: skip
    source = forms.ChoiceField(label=_("Source"), choices=Fact.SOURCES)
    as_of = forms.DateField(label=_("As of"), widget=Day())
    until = forms.DateField(label=_("Counts until"), widget=Day(), required=False)
    subject = forms.ChoiceField(label=_("Subject area"), choices=[("", "—"), *Fact.SUBJECTS], required=False)
    queried_on = forms.DateField(label=_("Source looked at on"), widget=Day(), required=False)
    note = forms.CharField(label=_("Remark"), max_length=500, required=False)
    evidence = EvidenceField()

    def __init__(self, *args: Any, names: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].choices = [(key, str(label)) for key, label in names.items() if key != "note"]
        self.listed = subjects.PARTICULARS.get(self.data.get("key") or self.initial.get("key") or "", ())
        for name in self.listed:
            day = {"widget": DayText()} if name in subjects.DAYS else {}
            self.fields[name] = forms.CharField(label=subjects.WORDS[name], max_length=500, required=False, **day)

    @property
    def given(self) -> dict[str, Any]:
        """As `facts.add` takes it: the fields of the public list together."""
        found = {name: value for name, value in self.cleaned_data.items() if name not in self.listed}
        return found | {"particulars": {name: self.cleaned_data[name] for name in self.listed}}


class NoteForm(forms.Form):
    """A quick note from the road (B2.6): one field."""

    note = forms.CharField(label=_("Note"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class StandingForm(forms.Form):
    """Where the customer is to stand, and why."""

    standing = forms.ChoiceField(label=_("Standing"), choices=StandingKind.choices)
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    malicious = forms.BooleanField(label=_("Malicious default"), required=False)


class UnmaskForm(forms.Form):
    """Why a masked particular must be read."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
                             help_text=_("It is kept in the audit trail with your name."))  # fmt: skip


class PeriodForm(forms.Form):
    """From one day to another, both included."""

    since = forms.DateField(label=_("From"), widget=Day())
    until = forms.DateField(label=_("Until"), widget=Day())

    def clean(self) -> dict[str, Any]:
        """The days in order."""
        given = super().clean() or {}
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            self.add_error("until", _("This is before the first day."))
        return given
