"""What people fill in: an invoice, a receipt, a dispute and its end."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.lib.fields import AmountField, OrderNoField, day_field
from shouxin.rules.currencies import CURRENCIES

from .models import Contest

ZERO = Decimal(0)


class PaperForm(forms.Form):
    """What an invoice and a receipt have in common."""

    customer = forms.CharField(label=_("Customer"), max_length=200, help_text=_("Code, name, or part of the name."))
    doc_no = forms.CharField(label=_("Document number"), max_length=80)
    amount = AmountField(label=_("Amount"))
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Left out: the customer's own.")
    )

    def clean_currency(self) -> str:
        """Three letters that are a currency, or nothing."""
        currency: str = self.cleaned_data["currency"].upper()
        if currency and currency not in CURRENCIES:
            raise forms.ValidationError(_("This currency is not known; use its three letters, such as USD."))
        return currency


class InvoiceForm(PaperForm):
    """An invoice, or a credit note, whose amount is written without its sign."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[("invoice", _("Invoice")), ("credit_note", _("Credit note"))])
    dated_on = day_field(_("Document date"))
    due_on = day_field(_("Due date"), required=False, help_text=_("Left out: by the term of the customer's line."))
    order_no = OrderNoField(label=_("Order number"), required=False)
    contract_no = forms.CharField(label=_("Contract number"), max_length=80, required=False)
    description = forms.CharField(label=_("Description"), max_length=200, required=False)
    field_order = ("customer", "kind", "doc_no", "dated_on", "amount", "currency", "due_on")

    @property
    def signed(self) -> Decimal:
        """The amount with its sign: a credit note is negative."""
        amount: Decimal = self.cleaned_data["amount"]
        return -amount if self.cleaned_data["kind"] == "credit_note" else amount


class ReceiptForm(PaperForm):
    """Money that came in, and which papers the payer named."""

    received_on = day_field(_("Received on"))
    payer = forms.CharField(label=_("Payer"), max_length=200, required=False)
    names = forms.CharField(
        label=_("Papers named by the payer"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Document numbers, separated by commas or lines; they are settled first (Civil Code art. 560)."),
    )
    match = forms.BooleanField(label=_("Settle open papers at once"), required=False, initial=True)
    field_order = ("customer", "doc_no", "received_on", "amount", "currency", "payer", "names", "match")

    def clean_names(self) -> list[str]:
        """The document numbers, in the order written."""
        text: str = self.cleaned_data["names"]
        for separator in "，、;；\n\r\t":
            text = text.replace(separator, ",")
        return list(dict.fromkeys(name.strip()[:80] for name in text.split(",") if name.strip()))


class ContestForm(forms.Form):
    """What part the customer disputes."""

    amount = AmountField(label=_("Disputed amount"), required=False, help_text=_("Left out: all that is open."))


class SettleContestForm(forms.Form):
    """How the dispute ended."""

    outcome = forms.ChoiceField(label=_("Outcome of the dispute"), choices=Contest.OUTCOMES, widget=forms.RadioSelect)


def pairs_from(data: Any, fields: dict[str, int]) -> tuple[list[tuple[int, Decimal]], dict[str, str]]:
    """(instalment id, amount) for every filled field of the matching table, and what was wrong, by field."""
    pairs, faults = list[tuple[int, Decimal]](), dict[str, str]()
    reader = AmountField(required=False)
    for name, instalment in fields.items():
        text = data.get(name, "").strip()
        if not text.strip("0.,"):
            continue
        try:
            pairs.append((instalment, reader.clean(text)))
        except forms.ValidationError as fault:
            faults[name] = " ".join(fault.messages)
    return pairs, faults
