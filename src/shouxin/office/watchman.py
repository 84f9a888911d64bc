"""What stands behind the door: ends sessions that are over, and leads people to what they must see to first."""

from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shouxin.lib.api import problem
from shouxin.rules.sign_in import session_over

from . import clock, sign_in
from .middleware import led

BEGAN, SEEN = "began", "seen"
SEEN_SECONDS = 60.0
"""How often the moment last seen is written down: a session is not saved anew for every click."""
OPEN = ("/accounts/", "/language/", "/static/", "/healthz", "/readyz", "/metrics")
"""Where somebody may go who has something to see to first: the door itself and what it is made of."""
LED_TO = {"second_factor": "mfa_index", "password_expired": "account_change_password",
          "password_given": "account_change_password"}  # fmt: skip


class Watchman:
    """Asked at each request of a signed-in person; a token is watched by the API's own door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The page, or the way to what must be seen to first."""
        if "_auth_user_id" not in request.session:
            return self.get_response(request)
        if self._over(request):
            logout(request)
            messages.info(request, _("You were signed out because nothing happened for a while."))
            return self._led(request, "account_login", _("The session has ended. Sign in again."), 401)
        if not request.path.startswith(OPEN):
            stopped = self._stopped(request)
            if stopped:
                why = sign_in.OBSTACLES[stopped]
                messages.warning(request, why)
                return self._led(request, LED_TO[stopped], why, 403)
        return self.get_response(request)

    def _stopped(self, request: HttpRequest) -> str:
        if not request.user.is_authenticated:
            return ""
        methods = {each["method"] for each in get_authentication_records(request, request.user)}
        return sign_in.obstacle(request.user, today=clock.today(), by_password="password" in methods)

    def _over(self, request: HttpRequest) -> bool:
        now = clock.now().timestamp()
        began, seen = request.session.get(BEGAN, now), request.session.get(SEEN, now)
        if session_over(sign_in.rules(), began=began, seen=seen, now=now):
            return True
        if BEGAN not in request.session or abs(now - seen) > SEEN_SECONDS:
            request.session[BEGAN], request.session[SEEN] = began, now
        return False

    def _led(self, request: HttpRequest, name: str, why: str | Promise, status: int) -> HttpResponse:
        """A page leads there; the API says so."""
        if request.path.startswith("/api/"):
            return problem(status, str(why), code=name)
        return led(request, name)
