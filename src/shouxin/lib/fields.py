"""Fields of forms that people fill in everywhere: amounts as they are written, days from the browser's calendar."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.rules.money import AmountError, read_amount


class AmountField(forms.CharField):
    """An amount above zero as people write it: 12,000 or 1.2万; answers a Decimal with two decimals."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "num"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for what is no amount, or is not above zero."""
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = read_amount(text)
        except AmountError:
            raise forms.ValidationError(_("Write an amount such as 12,000.00.")) from None
        if amount is None or amount <= 0 or amount >= Decimal(10) ** 13:
            raise forms.ValidationError(_("The amount must be above 0 and below ten trillion."))
        return amount


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day chosen in the browser's own calendar."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)
