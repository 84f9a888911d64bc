"""What people fill in: the question at the desk, a release, a step of a reservation."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.lib.fields import AmountField, OrderNoField, day_field
from shouxin.rules.currencies import CURRENCIES

from .checks import CheckRequest


class CheckForm(forms.Form):
    """May this order ship on credit?"""

    customer = forms.CharField(label=_("Customer"), max_length=200)
    order_no = OrderNoField(label=_("Order number"), required=False)
    amount = AmountField(label=_("Amount"))
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Left out: the customer's own.")
    )
    ship_on = day_field(_("Ships on"), required=False)
    term_days = forms.IntegerField(
        label=_("Term in days"),
        min_value=0,
        max_value=3660,
        required=False,
        help_text=_("Left out: as the line says."),
    )
    as_of = day_field(_("As of"), required=False, help_text=_("Left out: today. Of another day one may only ask."))
    prepaid = forms.BooleanField(label=_("Paid before delivery"), required=False)

    def clean_currency(self) -> str:
        """Three letters that are a currency, or nothing."""
        currency: str = self.cleaned_data["currency"].upper()
        if currency and currency not in CURRENCIES:
            raise forms.ValidationError(_("This currency is not known; use its three letters, such as USD."))
        return currency

    def request(self, code: str, *, reserve: bool) -> CheckRequest:
        """The question as the check takes it; `code` is the customer's."""
        asked = self.cleaned_data
        names = ("amount", "order_no", "prepaid", "ship_on", "term_days")
        known = {name: asked[name] for name in names}
        return CheckRequest(code, currency=asked["currency"] or None, reserve=reserve, **known)


class ReleaseForm(forms.Form):
    """Why the hold is overruled, up to what amount, until what day."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is kept in the register of overrides with your name."),
    )
    up_to_amount = AmountField(
        label=_("Up to the amount"), required=False, help_text=_("The order may come back as large as this.")
    )
    until = day_field(_("Until"), required=False)


class RejectForm(forms.Form):
    """Why the order is refused."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class PartForm(forms.Form):
    """The whole, or a part of it."""

    amount = AmountField(label=_("Amount"), required=False, help_text=_("Left out: the whole."))


class BillForm(PartForm):
    """The invoice that bills it."""

    invoice_no = forms.CharField(
        label=_("Invoice number"), max_length=80, required=False, help_text=_("Left out: follows the order's number.")
    )
    dated_on = day_field(_("Invoice date"), required=False)
    due_on = day_field(_("Due date"), required=False, help_text=_("Left out: by the term of the line."))


class ExtendForm(forms.Form):
    """Until which day it is to live."""

    until = day_field(_("Until"))
