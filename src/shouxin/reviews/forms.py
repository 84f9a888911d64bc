"""What is filled in for the annual review: which year to open, the assessment of a customer, the summary of a year."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.credit.forms import Day

from .models import REMARK_MAX, SUMMARY_MAX


class YearForm(forms.Form):
    """The year to review."""

    year = forms.IntegerField(label=_("Year"), min_value=1900, max_value=9999)
    last = forms.DateField(label=_("Last day looked at"), widget=Day(), required=False,
                           help_text=_("Empty: the year's last day, or today while it runs."))  # fmt: skip
    effective_from = forms.DateField(
        label=_("Effective from"),
        widget=Day(),
        required=False,
        help_text=_("From when what is approved holds. Empty: the day after."),
    )


class AssessmentForm(forms.Form):
    """The assessment of one customer, in words."""

    remark = forms.CharField(label=pgettext_lazy("annual review", "Assessment"), max_length=REMARK_MAX, required=False,
                             widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput(), min_value=1, max_value=10**9)


class ClosingForm(forms.Form):
    """The summary that stands in the report of the whole year."""

    summary = forms.CharField(label=_("Summary"), max_length=SUMMARY_MAX, required=False,
                              widget=forms.Textarea(attrs={"rows": 5}))  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput(), min_value=1, max_value=10**9)


class DecisionForm(forms.Form):
    """Why a proposal is signed or declined, and the version of the paper that was seen."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, required=False)
    version = forms.IntegerField(min_value=1, max_value=10**9)
