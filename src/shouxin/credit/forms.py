"""What is filled in to ask for a line, and to sign or decline it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.lib.fields import AmountField
from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade

from . import line_requests
from .models import GRADE_CHOICES, LimitKind

FIELD_NAMES = {"effective_from": "since", "effective_to": "until"}
"""Names under which a verb's faults come, where the form's own differ."""


class Day(forms.DateInput):
    """A date as the browser's own field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LineForm(forms.Form):
    """The terms asked for. A limit is one of four things; the amount belongs to one of them alone."""

    grade = forms.ChoiceField(label=_("Grade"), choices=[("", "—"), *GRADE_CHOICES], required=False)
    limit_kind = forms.ChoiceField(label=_("Kind of limit"), choices=LimitKind.choices)
    limit = AmountField(label=_("Limit"), least=0, required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    term_days = forms.IntegerField(label=_("Term in days"), min_value=0, max_value=3660)
    discount_percent = forms.DecimalField(label=_("Discount %"), required=False, max_digits=5, decimal_places=2,
                                          min_value=0, max_value=Decimal("99.99"))  # fmt: skip
    discount_days = forms.IntegerField(label=_("Discount days"), required=False, min_value=0, max_value=366)
    since = forms.DateField(label=_("From"), widget=Day(), required=False)
    until = forms.DateField(label=_("Until"), widget=Day(), required=False,
                            help_text=_("Empty: for the policy's usual time."))  # fmt: skip
    temporary = forms.BooleanField(label=_("Temporary, on top of the line"), required=False)
    pool = forms.BooleanField(label=_("Shared by the whole group"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in CURRENCIES]

    def clean(self) -> dict[str, Any]:
        """An amount where, and only where, the kind is an amount."""
        given: dict[str, Any] = super().clean() or {}
        amount = given.get("limit")
        if given.get("limit_kind") == "amount" and amount is None and "limit" not in self.errors:
            self.add_error("limit", _("Say how much."))
        if given.get("limit_kind") != "amount" and amount:
            self.add_error("limit", line_requests.CONTRADICTION)
        return given

    def terms(self) -> line_requests.LineTerms:
        """What was filled in, as the verb takes it."""
        given = self.cleaned_data
        kind = given["limit_kind"]
        return line_requests.LineTerms(
            limit=Limit("amount", given["limit"]) if kind == "amount" else Limit(kind),
            currency=given["currency"],
            term_days=given["term_days"],
            grade=Grade(given["grade"]) if given["grade"] else None,
            discount_percent=given["discount_percent"] or None,
            discount_days=given["discount_days"] if given["discount_percent"] else None,
            since=given["since"],
            until=given["until"],
            temporary=given["temporary"],
            pool=given["pool"],
        )
