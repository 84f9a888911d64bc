"""How often somebody was wrong at the door from one network address, and who is let by although it is slowed down.

A name is locked by `office.locks`, wherever the tries come from. Here many names tried from one address are slowed
down: `address_failures_max` wrong tries in `lock_minutes`, then nothing is judged until those minutes are over. Whoever
has come in from this browser before carries a cookie that says so (OWASP: device cookies) and has an allowance of her
own, so that strangers behind her address do not shut her out. The counts lie in the database: no restart and no second
server begins them anew.
"""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from axes.helpers import get_client_ip_address
from django.conf import settings
from django.core import signing
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from . import clock, sign_in, trail
from .models import Knock
from .refusals import Refusal

SALT = "shouxin.known-browser"
COOKIE = ("__Host-" if settings.SESSION_COOKIE_SECURE else "") + "known-"
KNOWN_DAYS = 180
"""So long after the last sign-in a browser is known."""
IPV6_PREFIX = 64
"""Whoever has one address of IPv6 has as many as this: they count as one."""
DOOR = "door:"

log = structlog.get_logger("shouxin.door")


class SlowedDown(Refusal):
    """Too many wrong tries from this address or browser; nothing is judged until the moment said. Status 429."""

    code = "slowed_down"
    status = 429
    message = _("There were too many failed sign-ins from your network address.")
    cure = _("Try again after %(until)s.")


@dataclass(frozen=True)
class Place:
    """Where tries come from. `counted`: what the count hangs on; `most` wrong ones are allowed."""

    kind: str
    counted: str
    most: int

    @property
    def digest(self) -> str:
        """The key of the count; tells nobody the address."""
        return salted_hmac(SALT, f"{self.kind}:{self.counted}", algorithm="sha256").hexdigest()


def admit(request: HttpRequest, username: str | None) -> None:
    """Count one try from here before it is judged; `forgive` takes it back where it was right. Raises SlowedDown.

    None for `username` where none was said (a passkey): any browser that knows somebody will do.
    """
    if request.user.is_authenticated:
        return  # who is in has a name, and that is locked
    known = _browser(request, username)
    if known and _count(known)[0] <= known.most:
        request._knocked = known  # type: ignore[attr-defined]
        return
    here = _address(request)
    tries, began = _count(here)
    if tries > here.most:
        raise _slowed(request, here, tries, began + _window())
    request._knocked = here  # type: ignore[attr-defined]


def forgive(request: HttpRequest) -> None:
    """What was shown was right: the try does not count."""
    place: Place | None = getattr(request, "_knocked", None)
    if place:
        with connection.cursor() as cursor:
            cursor.execute(_FORGIVE, [place.digest])
        request._knocked = None  # type: ignore[attr-defined]


def welcome(request: HttpRequest, username: str) -> None:
    """She is in: her browser will be known."""
    request._known_as = username  # type: ignore[attr-defined]


class KnownBrowsers:
    """Gives the cookie to a browser from which somebody has come in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, with the cookie where she has just come in."""
        answer = self.get_response(request)
        username: str | None = getattr(request, "_known_as", None)
        if username is not None:
            answer.set_cookie(
                _cookie(username), signing.dumps([_mark(username), secrets.token_urlsafe(12)], salt=SALT),
                max_age=KNOWN_DAYS * 86400, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
            )  # fmt: skip
        return answer


def purge(before: datetime) -> int:
    """Forget counts that began before; answers how many."""
    return Knock.objects.filter(began_at__lt=before).delete()[0]


# --- where a try comes from ----------------------------------------------------------------------


def _address(request: HttpRequest) -> Place:
    return Place("address", _network(get_client_ip_address(request) or ""), sign_in.rules().address_failures_max)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{found}/{IPV6_PREFIX}", strict=False)) if found.version == 6 else str(found)


def _browser(request: HttpRequest, username: str | None) -> Place | None:
    """The browser this is, where somebody (of this name) has come in from it before and its cookie was not made up."""
    names = [_cookie(username)] if username else [name for name in request.COOKIES if name.startswith(COOKIE)]
    for name in names:
        try:
            mark, number = signing.loads(request.COOKIES.get(name, ""), salt=SALT, max_age=KNOWN_DAYS * 86400)
        except (signing.BadSignature, ValueError, TypeError):
            continue
        if name == COOKIE + mark[:_MARKED]:
            return Place("browser", number, sign_in.rules().failures_max)
    return None


_MARKED = 12


def _mark(username: str) -> str:
    return salted_hmac(SALT, username, algorithm="sha256").hexdigest()


def _cookie(username: str) -> str:
    return COOKIE + _mark(username)[:_MARKED]


# --- the counts ----------------------------------------------------------------------------------

_COUNT = """
INSERT INTO office_knock AS k (digest, tries, began_at) VALUES (%(digest)s, 1, %(now)s)
ON CONFLICT (digest) DO UPDATE SET
  tries = CASE WHEN k.began_at <= %(over)s THEN 1 ELSE k.tries + 1 END,
  began_at = CASE WHEN k.began_at <= %(over)s THEN %(now)s ELSE k.began_at END
RETURNING tries, began_at
"""
"""One statement, so that of many tries at once each has a number of its own."""
_FORGIVE = "UPDATE office_knock SET tries = tries - 1 WHERE digest = %s AND tries > 0"


def _window() -> timedelta:
    return timedelta(minutes=sign_in.rules().lock_minutes)


def _count(place: Place) -> tuple[int, datetime]:
    """(how many tries in these minutes, this one among them; when the minutes began)."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"digest": place.digest, "now": now, "over": now - _window()})
        tries, began = cursor.fetchone()
    return tries, began


def _slowed(request: HttpRequest, place: Place, tries: int, until: datetime) -> SlowedDown:
    """The refusal. The first one leaves a line in the trail; all leave one in the log: a flood fills no trail."""
    now, address = clock.now(), get_client_ip_address(request)
    local = timezone.localtime(until, timezone.get_default_timezone())
    refusal = SlowedDown(until=f"{local:%H:%M:%S}")
    refusal.retry_after = max(1, round((until - now).total_seconds()))
    refused = tries - place.most
    if refused == 1:
        refusal.trail_line = trail.line(
            "sign_in.slow", about=DOOR, by=None, at=now, address=address, failures=place.most, until=until
        )
    log.warning("address slowed down", address=address, refused=refused, until=until.isoformat())
    return refusal
