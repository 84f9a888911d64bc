"""How often somebody may be wrong before her name is locked, for how long, and what she is told then."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from . import sign_in


def failures_max(request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
    """Wrong passwords until the name is locked, as the sign-in rules say."""
    return sign_in.rules().failures_max


def lock_time(request: HttpRequest | None = None) -> timedelta:
    """How long a name stays locked."""
    return timedelta(minutes=sign_in.rules().lock_minutes)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """429: too many wrong passwords for this name; it opens again by itself, and sooner by whoever keeps the door."""
    minutes = sign_in.rules().lock_minutes
    why = _("Too many wrong passwords. Wait %(minutes)s minutes, or ask the system manager for a new one.")
    told = {"title": _("Sign-in is paused"), "why": why % {"minutes": minutes}, "status": 429}
    answer = HttpResponse(render_to_string("lib/refused.html", told, request), status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer
