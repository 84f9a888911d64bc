"""Who comes in by an account from outside: only people entered here, found by name or address, never made."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from . import clock, posts, trail
from .models import Person


class OutsideAdapter(DefaultSocialAccountAdapter):
    """Connects the account the first time it is seen; whoever is unknown here is told so."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never: people are entered by the system manager."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the person. Raises ImmediateHttpResponse with the refusal where there is none."""
        if sociallogin.is_existing or request.user.is_authenticated:
            return
        app = sociallogin.account.get_provider(request).app
        word = app.settings.get("match", "none")
        found = _person(word, sociallogin)
        if found is None:
            raise ImmediateHttpResponse(_unknown(request, word))
        sociallogin.connect(request, found)


def watch() -> None:
    """Listen, once per process: whichever way an account comes or goes, it leaves a line in the trail (I-22)."""
    social_account_added.connect(_connected, dispatch_uid="trail")
    social_account_removed.connect(_disconnected, dispatch_uid="trail")


def _connected(sender: Any, sociallogin: SocialLogin, **_rest: Any) -> None:
    _record("connect_sign_in", sociallogin.account)


def _disconnected(sender: Any, socialaccount: SocialAccount, **_rest: Any) -> None:
    _record("disconnect_sign_in", socialaccount)


def _record(verb: str, account: SocialAccount) -> None:
    provider = str(account.get_provider().app.name)
    trail.record(verb, about=account.user, by=account.user, at=clock.now(), provider=provider)


def _person(word: str, sociallogin: SocialLogin) -> Person | None:
    """The one active person whose name or address the provider vouches for; None for nobody or for several."""
    said: Any = getattr(sociallogin.user, word, "") if word in ("username", "email") else ""
    if word == "email" and not any(each.verified for each in sociallogin.email_addresses if each.email == said):
        return None
    if not said or said == posts.SYSTEM:
        return None
    rows = list(Person.objects.filter(**{f"{word}__iexact": said}, is_active=True)[:2])
    return rows[0] if len(rows) == 1 else None


def _unknown(request: HttpRequest, word: str) -> HttpResponse:
    why = _("This account is not connected to anybody here. Ask the system manager to enter you under the same name.")
    if word == "none":
        why = _("This account is not connected yet. Sign in with your password once and connect it under “my account”.")
    told = {"title": _("Not known here"), "why": why, "status": 403}
    return HttpResponse(render_to_string("lib/refused.html", told, request), status=403)
