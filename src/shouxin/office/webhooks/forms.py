"""What is filled in for a hook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shouxin.office.models import Person

from . import events

NO_SUCH_OWNER = _("Nobody signs in with this name.")


class HookForm(forms.Form):
    """Where to tell what, in whose sight."""

    url = forms.CharField(label=_("Address"), max_length=500, help_text=_("https://…, reachable from the internet."))
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=[(name, label) for name, label in events.LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    label = forms.CharField(label=_("What for"), max_length=80, required=False)
    owner = forms.CharField(
        label=_("In whose sight"), max_length=150, required=False,
        help_text=_("Sign-in name of the person whose customers are told of; she has to accept it. Empty: yourself."),
    )  # fmt: skip

    def clean_owner(self) -> Person | None:
        """The person of this name."""
        name = self.cleaned_data["owner"].strip()
        found = Person.objects.filter(username=name, is_active=True).first() if name else None
        if name and found is None:
            raise forms.ValidationError(NO_SUCH_OWNER)
        return found
