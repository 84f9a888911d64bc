"""What is filled in to enter a security."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.lib.fields import AmountField
from shouxin.office.attachments import EvidenceField
from shouxin.rules.currencies import CURRENCIES

from .forms import Day
from .models import Security
from .securities import SecurityTerms


class SecurityForm(forms.Form):
    """The terms of a security. What cannot stand the verb says, field by field."""

    kind = forms.ChoiceField(label=_("Kind of security"), choices=Security.KINDS)
    value = AmountField(label=_("Value of the security"), least=0)
    currency = forms.ChoiceField(label=_("Currency"))
    prior_claims = AmountField(
        label=_("Claims before ours"), least=0, required=False, help_text=_("What others get from it before us.")
    )
    provider = forms.CharField(label=_("Given by"), max_length=200, help_text=_("Guarantor, owner, bank or insurer."))
    subject = forms.CharField(label=_("What it is"), max_length=300)
    document = forms.CharField(label=_("Document"), max_length=80, help_text=_("Number of the contract or policy."))
    registration_no = forms.CharField(label=_("Registration number"), max_length=80, required=False)
    rank = forms.IntegerField(label=_("Rank"), required=False, min_value=1, max_value=99)
    since = forms.DateField(label=_("From"), widget=Day())
    until = forms.DateField(
        label=_("Until"), widget=Day(), required=False, help_text=_("The last day on which it counts.")
    )
    debt_due_on = forms.DateField(label=_("Guaranteed debt due on"), widget=Day(), required=False)
    agreed_until = forms.DateField(
        label=_("Guarantee period agreed until"), widget=Day(), required=False,
        help_text=_("Empty: six months from the due day (Civil Code art. 692)."),
    )  # fmt: skip
    file = EvidenceField(label=_("Contract or certificate"))
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in CURRENCIES]

    def terms(self) -> SecurityTerms:
        """What was filled in, as the verb takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("reason", "file")}
        return SecurityTerms(**given | {"prior_claims": given["prior_claims"] or 0})
