"""What is filled in about applications, by us and by outsiders: Django forms made from the boxes of the paper forms."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.credit import form_links, particulars
from shouxin.credit.applications import Wanted
from shouxin.credit.forms import Day
from shouxin.credit.models import Application, LineRequest, Opinion, Reference
from shouxin.credit.particulars import Box
from shouxin.lib.fields import AmountField
from shouxin.office import attachments
from shouxin.rules.currencies import CURRENCIES

BEFORE = "box_"
"""Goes before the names of boxes, so that none of them meets a field of its own."""


def field_of(box: Box) -> forms.Field:
    """The form field of a box."""
    made: dict[str, Any] = {"label": box.label, "required": False}
    if box.kind == "tick":
        return forms.BooleanField(**made)
    if box.kind == "choice":
        return forms.ChoiceField(choices=[("", "—"), *box.choices], **made)
    if box.kind == "day":
        return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}), **made)
    if box.kind == "lines":
        widget = forms.Textarea(attrs={"rows": 3})
        return forms.CharField(max_length=particulars.LENGTH_MAX["lines"], widget=widget, **made)
    attrs = {"inputmode": "decimal"} if box.kind in ("amount", "number") else {}
    return forms.CharField(max_length=particulars.LENGTH_MAX["line"], widget=forms.TextInput(attrs=attrs), **made)


class BoxForm(forms.Form):
    """A form of boxes; what was filled in comes back by box."""

    boxes: tuple[Box, ...] = ()

    def __init__(self, *args: Any, boxes: Iterable[Box] = (), filled: Mapping[str, str] = {}, **kwargs: Any) -> None:
        self.boxes = tuple(boxes)
        initial = {f"{BEFORE}{key}": value for key, value in filled.items()} | kwargs.pop("initial", {})
        super().__init__(*args, initial=initial, **kwargs)
        for box in self.boxes:
            self.fields[f"{BEFORE}{box.key}"] = field_of(box)

    def given(self) -> dict[str, Any]:
        """Box -> what stands in it."""
        return {box.key: self.cleaned_data.get(f"{BEFORE}{box.key}") for box in self.boxes}


class ApplicationForm(BoxForm):
    """The application form. `outside`: as the customer sees it, for one kind of request."""

    request_type = forms.ChoiceField(label=_("Kind of request"), choices=LineRequest.KINDS)
    requested_limit = AmountField(label=_("Limit asked for"), least=0)
    currency = forms.ChoiceField(label=_("Currency"))
    requested_term_days = forms.IntegerField(label=_("Term asked for, in days"), min_value=0, max_value=3660)
    requested_until = forms.DateField(label=_("Last day (temporary limit)"), required=False, widget=Day())
    reason = forms.CharField(label=_("Reason"), max_length=1000, required=False,
                             widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip

    def __init__(self, *args: Any, outside: str = "", **kwargs: Any) -> None:
        hidden = particulars.OWN_OFFICE if outside else frozenset()
        super().__init__(*args, boxes=[box for box in particulars.APPLICATION if box.key not in hidden], **kwargs)
        self.fields["currency"].choices = [(code, code) for code in CURRENCIES]
        if outside:
            del self.fields["request_type"]
            if outside != "temporary":
                del self.fields["requested_until"]
            self.fields["files"] = attachments.EvidenceFiles(label=_("Papers: licence, statements, power of attorney"))
        self.outside = outside

    def wanted(self) -> Wanted:
        """What was filled in, as the verb takes it."""
        given = self.cleaned_data
        names = ("requested_limit", "requested_term_days", "currency", "reason")
        kind = self.outside or given["request_type"]
        return Wanted(request_type=kind, requested_until=given.get("requested_until"), details=self.given(),
                      **{name: given[name] for name in names})  # fmt: skip


class PublicForm(forms.Form):
    """What every form for outsiders carries: the box people do not see, and when it was opened."""

    website = forms.CharField(required=False, label=_("Leave this empty"), widget=forms.TextInput(
        attrs={"autocomplete": "off", "tabindex": "-1"}))  # fmt: skip
    opened = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={form_links.STAMP: form_links.stamp()}, **kwargs)


class DecisionForm(forms.Form):
    """What the signer grants; begins from what was asked for and suggested, whichever is less."""

    limit = AmountField(label=_("Limit granted"), least=0, required=False)
    term_days = forms.IntegerField(label=_("Term in days"), min_value=0, max_value=3660, required=False)
    effective_from = forms.DateField(label=_("From"), required=False, widget=Day())
    effective_to = forms.DateField(label=_("Until"), required=False, widget=Day())
    conditions = forms.CharField(label=_("Conditions (the customer reads them)"), max_length=1000, required=False,
                                 widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip
    reason = forms.CharField(label=_("Reason (kept in the file)"), max_length=1000, required=False,
                             widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip


class OpinionForm(forms.Form):
    """One's opinion."""

    verdict = forms.ChoiceField(label=_("Opinion"), choices=Opinion.VERDICTS)
    reason = forms.CharField(label=_("Text"), max_length=1000, required=False,
                             widget=forms.Textarea(attrs={"rows": 3}))  # fmt: skip


class DeclineForm(forms.Form):
    """Why it is declined: for the file, and what the customer reads."""

    category = forms.ChoiceField(label=_("Kind of reason (the customer reads it)"), choices=Application.CATEGORIES)
    reason = forms.CharField(label=_("Reason (kept in the file)"), max_length=1000,
                             widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip
    said = forms.CharField(label=_("To the customer, besides"), max_length=1000, required=False,
                           widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip


class ReturnForm(forms.Form):
    """What is to be completed."""

    reason = forms.CharField(label=_("What is to be completed"), max_length=1000,
                             widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip
    tell_customer = forms.BooleanField(label=_("Ask the customer by letter too"), required=False)


class ToForm(forms.Form):
    """To whom a turn is handed, or who is asked as well."""

    to = forms.ChoiceField(label=_("Whom"))
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)

    def __init__(self, *args: Any, people: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = list(people)


class ReasonForm(forms.Form):
    """A word on a step that needs no more."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, required=False,
                             widget=forms.Textarea(attrs={"rows": 2}))  # fmt: skip


class ReferenceForm(forms.Form):
    """Whom to ask for a reference."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Reference.KINDS)
    name = forms.CharField(label=_("Whom to ask"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), max_length=254)


class InviteForm(forms.Form):
    """A link for the customer to fill in the form itself."""

    request_type = forms.ChoiceField(label=_("Kind of request"), choices=LineRequest.KINDS)
    email = forms.EmailField(label=_("Send it to (empty: only show the link)"), required=False, max_length=254)
