"""Fields of forms that people fill in everywhere: amounts as they are written, days from the browser's calendar."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from shouxin.rules.money import AMOUNT_END, CENT, AmountError, read_amount
from shouxin.rules.text import Unreadable, one_spelling


class AmountField(forms.CharField):
    """An amount as people write it: 12,000 or 1.2万; answers a Decimal with two decimals, None where nothing stands.

    `least`: the smallest one accepted, a cent unless told; None where it may be negative.
    """

    def __init__(self, *, least: Decimal | int | None = CENT, **options: Any) -> None:
        self.least = least
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "num"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for what is no amount, is less than the least, or too large for any account."""
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = read_amount(text)
        except AmountError as fault:
            large = fault.code == "too_large"
            raise forms.ValidationError(self._bounds if large else _("Write an amount such as 12,000.00.")) from None
        low = -AMOUNT_END if self.least is None else self.least
        if amount is None or amount < low or not -AMOUNT_END < amount < AMOUNT_END:
            raise forms.ValidationError(self._bounds)
        return amount

    @property
    def _bounds(self) -> Any:
        if self.least is None:
            return _("The amount must be below ten trillion.")
        return (
            _("The amount must be above 0 and below ten trillion.")
            if self.least
            else _("The amount must be 0 or more, and below ten trillion.")
        )


class OrderNoField(forms.CharField):
    """The number of an order as every door keeps it: one spelling (`rules.text.one_spelling`), at most 80.

    A browser would cut a longer one without a word, were it told the length; so the field itself refuses it.
    """

    def __init__(self, **options: Any) -> None:
        most = MaxLengthValidator(80, _("At most %(limit_value)s characters."))
        super().__init__(validators=[most], **options)

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
