"""Fields of forms that people fill in everywhere: amounts as they are written, days from the browser's calendar."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.rules.money import AmountError, read_amount
from shouxin.rules.text import Unreadable, one_spelling


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


class OrderNoField(forms.CharField):
    """The number of an order as every door keeps it: one spelling (`rules.text.one_spelling`), at most 80."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=80, **options)

    def to_python(self, value: Any) -> str:
        """Raises ValidationError for control characters."""
        try:
            return one_spelling(super().to_python(value) or "")
        except Unreadable:
            raise forms.ValidationError(_("holds a character that cannot be kept")) from None


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day chosen in the browser's own calendar."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)
