"""What is filled in about related parties: a tie, a person, a power of attorney, a proposal to blacklist."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.lib.fields import AmountField

from .forms import Day
from .models import Agent, Customer, GroupTie, PersonTie, StandingKind


class TieForm(forms.Form):
    """Beneath whom the customer hangs."""

    parent = forms.CharField(
        label=_("Code of the parent"),
        max_length=40,
        required=False,
        help_text=_("Leave empty: the customer leaves its group."),
    )
    kind = forms.ChoiceField(label=_("Kind of tie"), choices=GroupTie.KINDS)
    percent = forms.DecimalField(
        label=_("Share of the capital, %"),
        max_digits=5,
        decimal_places=2,
        required=False,
        help_text=_("What the parent holds; empty where it is not known."),
    )
    since = forms.DateField(label=_("From"), widget=Day(), required=False)
    why = forms.CharField(label=_("Source or reason"), max_length=300, required=False)


class PersonForm(forms.Form):
    """Somebody behind the customer."""

    name = forms.CharField(label=_("Name"), max_length=80)
    role = forms.ChoiceField(label=pgettext_lazy("person", "Role"), choices=PersonTie.ROLES)
    id_number = forms.CharField(
        label=_("Identity number"),
        max_length=18,
        required=False,
        help_text=_("Kept encrypted, shown masked; it tells namesakes apart."),
    )
    note = forms.CharField(
        label=_("How identified"),
        max_length=300,
        required=False,
        help_text=_("Needed where the identity number is not known."),
    )
    percent = forms.DecimalField(label=_("Share of the capital, %"), max_digits=5, decimal_places=2, required=False)
    since = forms.DateField(label=_("From"), widget=Day(), required=False)


class AgentForm(forms.Form):
    """A power of attorney with its five elements."""

    name = forms.CharField(label=_("Agent"), max_length=80)
    id_number = forms.CharField(label=_("Identity number"), max_length=18, required=False)
    telephone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    matters = forms.MultipleChoiceField(
        label=_("Matters"), choices=Agent.MATTERS, widget=forms.CheckboxSelectMultiple, required=False
    )
    scope = forms.CharField(
        label=_("Scope of the power"),
        max_length=300,
        required=False,
        help_text=_("In the words of the paper: which goods, which contract, which limits."),
    )
    since = forms.DateField(label=_("From"), widget=Day(), required=False)
    until = forms.DateField(label=_("Until"), widget=Day(), required=False)
    amount_max = AmountField(
        label=_("Up to the amount"),
        least=0,
        required=False,
        help_text=_("Empty: the paper names no bound."),
    )
    sealed = forms.BooleanField(label=_("Signed or sealed by the principal"), required=False)
    original_seen = forms.BooleanField(label=_("Original and identity card seen"), required=False)
    evidence = forms.CharField(label=_("Where the power is kept"), max_length=300, required=False)
    file = forms.FileField(label=_("Evidence file"), required=False, help_text=_("The scan of the paper."))


class SigningForm(forms.Form):
    """What the agent is about to sign."""

    matter = forms.ChoiceField(label=_("Matter"), choices=Agent.MATTERS)
    amount = AmountField(label=_("Amount"), least=0, required=False)
    on = forms.DateField(label=_("On"), widget=Day(), required=False)


class ProposalForm(forms.Form):
    """A proposal to blacklist a customer."""

    ground = forms.ChoiceField(label=_("Ground"))
    why = forms.CharField(label=_("What happened"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Papers, judgments, files: what each is and where it lies."),
    )
    file = forms.FileField(label=_("Evidence file"), required=False)
    whole_group = forms.BooleanField(
        label=_("The whole group"),
        required=False,
        help_text=_("The head is listed with it, and binds everybody beneath."),
    )
    persons = forms.MultipleChoiceField(
        label=_("Persons listed with it"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Whatever they lead or control is bound, now and later."),
    )

    def __init__(self, *args: Any, grounds: list[tuple[str, str]], customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = grounds
        names = {
            row.person.name: str(row.get_role_display())
            for row in customer.person_ties.filter(until=None).select_related("person")
        }
        if customer.legal_representative:
            role = str(dict(PersonTie.ROLES)["legal_representative"])
            names.setdefault(customer.legal_representative, role)
        self.fields["persons"].choices = [(name, f"{name} · {role}") for name, role in names.items()]
        if not names:
            del self.fields["persons"]
        if not customer.group_head_id and not customer.members.exists():
            del self.fields["whole_group"]


class ReturnForm(forms.Form):
    """Where the customer is to stand after the lifting, and on which conditions."""

    standing = forms.ChoiceField(
        label=_("Standing afterwards"),
        choices=[(kind, label) for kind, label in StandingKind.choices if kind != "blacklisted"],
        initial="cash_only",
    )
    conditions = forms.CharField(
        label=_("Conditions"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class ExtendForm(forms.Form):
    """For how long the listing is kept before it is looked at again."""

    months = forms.IntegerField(label=_("Months"), min_value=1, max_value=120, initial=12)
