"""The rules of the door on a page, and what is done for somebody who cannot come in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from shouxin.rules.sign_in import PROFILES, SignInRules

from . import posts, sign_in, sudo
from .models import POST_CHOICES, Person, SignInVersion
from .pages import acting, blame, page
from .refusals import BadForm, NotVisible

PROFILE_CHOICES = [
    ("asvs", gettext_lazy("OWASP ASVS: long passwords, changed when there is a reason")),
    ("dengbao", gettext_lazy("等保 2.0: complex passwords, changed periodically")),
]


class RulesForm(forms.Form):
    """Every rule of the door; an empty number is “not asked for”."""

    profile = forms.ChoiceField(label=gettext_lazy("Profile"), choices=PROFILE_CHOICES)
    password_length_min = forms.IntegerField(label=gettext_lazy("Least length of a password"))
    password_classes_min = forms.IntegerField(
        label=gettext_lazy("Kinds of signs in a password"),
        help_text=gettext_lazy("Of small letters, capitals, digits, other signs: 1 to 4."),
    )
    password_days_max = forms.IntegerField(
        label=gettext_lazy("Days until a password must be changed"), required=False,
        help_text=gettext_lazy("Empty: never."),
    )  # fmt: skip
    password_history = forms.IntegerField(label=gettext_lazy("Last passwords that may not come back"))
    second_factor_posts = forms.MultipleChoiceField(
        label=gettext_lazy("Posts that need a second factor"), choices=POST_CHOICES, required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("An authenticator app or a passkey; neither a token nor a new password goes round it."),
    )  # fmt: skip
    idle_minutes = forms.IntegerField(label=gettext_lazy("Minutes without a click that end a session"))
    session_hours = forms.IntegerField(label=gettext_lazy("Hours after which every session ends"))
    failures_max = forms.IntegerField(label=gettext_lazy("Wrong passwords or codes that lock a name"))
    address_failures_max = forms.IntegerField(
        label=gettext_lazy("Wrong sign-ins that slow a network address down"),
        help_text=gettext_lazy("Whoever has signed in from the same browser before is not held up by strangers."),
    )
    lock_minutes = forms.IntegerField(label=gettext_lazy("Minutes a name stays locked, or an address slowed down"))
    sudo_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes until somebody proves anew who she is"),
        help_text=gettext_lazy("Before people, posts, policy, these rules, tokens or a blacklisting are changed."),
    )
    sudo_export_rows = forms.IntegerField(label=gettext_lazy("Rows of a file that leave without such a proof"))
    token_days_max = forms.IntegerField(
        label=gettext_lazy("Days a token works at most"), required=False,
        help_text=gettext_lazy("Empty: they never expire."),
    )  # fmt: skip
    why = forms.CharField(label=gettext_lazy("Reason"), max_length=500)
    seen = forms.IntegerField(widget=forms.HiddenInput)


@page
@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """Read the rules and their editions; whoever keeps the door puts a new one."""
    who = acting(request)
    posts.require(who["by"], *sign_in.READERS, on=who["on"], about="sign-in", verb="read_sign_in_rules")
    may_put = posts.is_guardian(who["by"], on=who["on"])
    if request.method == "POST":
        posts.require_guardian(who["by"], on=who["on"], about="sign-in", verb="put_sign_in_rules", at=who["at"])
    if may_put:
        sudo.require(request)
    initial = sudo.kept(request, _initial(sign_in.rules(), sign_in.number()))
    form = RulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _put(form, who):
        messages.success(request, _("The rules are in force from now on."))
        return redirect("office:sign_in_rules")
    told = {
        "form": form,
        "may_put": may_put,
        "profiles": {name: each.model_dump(mode="json") for name, each in PROFILES.items()},
        "versions": SignInVersion.objects.select_related("put_by")[:50],
    }
    return render(request, "office/sign_in_rules.html", told, status=422 if form.errors else 200)


def _initial(asked: SignInRules, seen: int) -> dict[str, Any]:
    return {**asked.model_dump(mode="json"), "seen": seen}


def _put(form: RulesForm, who: dict[str, Any]) -> bool:
    given = dict(form.cleaned_data)
    why, seen = given.pop("why"), given.pop("seen")
    try:
        sign_in.put(given, why=why, seen=seen, **who)
    except BadForm as refusal:
        blame(form, refusal)
        return False
    return True


@page
@require_POST
def reset_second_factor(request: HttpRequest, number: int) -> HttpResponse:
    """She has lost her telephone or key."""
    sign_in.reset_second_factor(_person(request, number), **acting(request))
    messages.success(request, _("Her second factor is gone; where her post asks for one she sets up a new one."))
    return redirect("office:person", number)


@page
@require_POST
def set_password(request: HttpRequest, number: int) -> HttpResponse:
    """She has forgotten her password: a new one, shown this once."""
    found = _person(request, number)
    password = sign_in.set_password(found, **acting(request))
    answer = render(request, "office/password_set.html", {"found": found, "password": password})
    answer["Cache-Control"] = "no-store"
    return answer


def _person(request: HttpRequest, number: int) -> Person:
    who = acting(request)
    posts.require_guardian(who["by"], on=who["on"], about=f"person:{number}", verb="change_person", at=who["at"])
    found = Person.objects.exclude(username=posts.SYSTEM).filter(pk=number, is_active=True).first()
    if found is None:
        raise NotVisible
    sudo.require(request, back=reverse("office:person", args=[number]))
    return found
