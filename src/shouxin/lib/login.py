"""The door: no sign-up, and a calm answer to somebody who has tried too often."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


class Adapter(DefaultAccountAdapter):
    """People are entered by the system manager; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """429: too many wrong passwords for this name from this address; it opens again by itself."""
    why = _("Too many wrong passwords. Wait fifteen minutes, or ask the system manager to reset yours.")
    return HttpResponse(
        render_to_string("lib/refused.html", {"title": _("Sign-in is paused"), "why": why, "status": 429}, request),
        status=429,
        headers={"Retry-After": "900"},
    )
