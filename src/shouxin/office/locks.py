"""How often somebody may be wrong before her name is locked, for how long, and what she is told then."""

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from . import sign_in


def failures_max(request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
    """Wrong passwords and second factors until the name is locked, as the sign-in rules say."""
    return sign_in.rules().failures_max


def lock_time(request: HttpRequest | None = None) -> timedelta:
    """How long a name stays locked."""
    return timedelta(minutes=sign_in.rules().lock_minutes)


def is_locked(request: HttpRequest, username: str) -> bool:
    """Whether the name is locked now. The answer to the request then says so, whatever the view makes of it."""
    locked = not AxesProxyHandler.is_allowed(request, {"username": username})
    if locked:
        request.axes_locked_out = True  # type: ignore[attr-defined]
    return locked


def failed(request: HttpRequest, username: str | None, *, what: str) -> None:
    """Write down that `what` was wrong, and count it at the name if one was said; the last one allowed locks it."""
    credentials = {"username": username, "failed": what}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def refusal() -> ValidationError:
    """What a form says at a locked name; the page that is shown instead says it at length."""
    return ValidationError(_("Sign-in is paused"), code="locked")


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """429: too often wrong under this name; it opens again by itself, and sooner by whoever keeps the door."""
    minutes = sign_in.rules().lock_minutes
    why = _("Too many wrong passwords or codes. Wait %(minutes)s minutes, or ask the system manager for help.")
    return _paused(request, why % {"minutes": minutes}, seconds=minutes * 60)


def too_many(request: HttpRequest) -> HttpResponse:
    """429: more sign-ins from one address in a minute than people could make, whether right or wrong."""
    return _paused(request, _("Too many at once. Try again in a minute."), seconds=60)


def _paused(request: HttpRequest, why: str, *, seconds: int) -> HttpResponse:
    told = {"title": _("Sign-in is paused"), "why": why, "status": 429}
    answer = HttpResponse(render_to_string("lib/refused.html", told, request), status=429)
    answer["Retry-After"] = str(seconds)
    return answer
