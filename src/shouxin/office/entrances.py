"""The door: no sign-up, no address of one's own choosing; who came in, who left, who was turned away, and what she
changed of how she comes in leaves a line in the trail (I-22)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import authentication_step_completed, password_changed, password_set
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.helpers import get_client_ip_address
from axes.signals import user_locked_out
from django.contrib.auth import signals
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse

from . import clock, factors, knocks, trail
from .models import Person


class Adapter(DefaultAccountAdapter):
    """People are entered by the system manager; nobody signs up. Wrong passwords are counted where they come from."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        """The person whose password this is. Raises SlowedDown where too many were wrong from here."""
        knocks.admit(request, credentials.get("username"))
        found: Person | None = super().authenticate(request, **credentials)
        if found is not None:
            knocks.forgive(request)
            factors.begun(request, found)
        return found


def watch() -> None:
    """Listen at the door, once per process."""
    signals.user_logged_in.connect(_came_in, dispatch_uid="trail")
    signals.user_logged_out.connect(_left, dispatch_uid="trail")
    signals.user_login_failed.connect(_failed, dispatch_uid="trail")
    user_locked_out.connect(_locked_out, dispatch_uid="trail")
    for chosen in (password_changed, password_set):
        chosen.connect(_chose_her_own, dispatch_uid="password")
    authentication_step_completed.connect(_proved_anew, dispatch_uid="session")


def closed(request: HttpRequest, rest: str = "") -> HttpResponse:
    """No such page, though the library has one.

    Where mail reaches a person is entered for her, or whoever sits at her desk could turn it away. A password is not
    renewed by mail: a colleague who keeps the sign-ins sets it, and no stranger makes the house write to anybody.
    """
    raise Http404


def whole(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the library on which she changes how she comes in: the change and its lines stand together (I-21).

    The library tells of second factors only once they are committed; so what she had is held against what she has.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        with transaction.atomic():
            before = _factors(request)
            found = view(request, *args, **named)
            after = _factors(request)
            came, gone = ({had[pk] for pk in had.keys() - other} for had, other in ((after, before), (before, after)))
            for verb, factors in (("add_second_factor", came), ("reset_second_factor", gone - came)):
                for factor in sorted(factors):
                    _record(verb, request, request.user, factor=factor)
        return found

    return answer


def _factors(request: HttpRequest) -> dict[int, str]:
    return dict(Authenticator.objects.filter(user=request.user.pk).values_list("pk", "type"))


def _came_in(sender: Any, request: HttpRequest, user: Person, **_rest: Any) -> None:
    _record("sign_in", request, user)
    knocks.welcome(request, user.get_username())


def _proved_anew(sender: Any, request: HttpRequest, reauthenticated: bool = False, **_rest: Any) -> None:
    """In sudo mode as at sign-in her session has a new number: whoever knew the old one gains nothing by her proof."""
    if reauthenticated:
        old = request.session.session_key
        request.session.cycle_key()
        UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


def _left(sender: Any, request: HttpRequest, user: Person | None, **_rest: Any) -> None:
    if user is not None:
        _record("sign_out", request, user)


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_rest: Any) -> None:
    told = {"failed": credentials["failed"]} if "failed" in credentials else {}
    _record("sign_in.fail", request, _named(credentials.get("username")), stranger=True, **told)


def _locked_out(sender: Any, request: HttpRequest, username: str | None = None, **_rest: Any) -> None:
    _record("sign_in.lock", request, _named(username), stranger=True)


def _chose_her_own(sender: Any, request: HttpRequest, user: Person, **_rest: Any) -> None:
    Person.objects.filter(pk=user.pk).update(password_given=False)
    _record("set_password", request, user)


def _named(username: Any) -> Person | None:
    """The person of that name. Another name is not written down: it may be a mistyped password (I-24)."""
    return Person.objects.filter(username=username).first() if username else None


def _record(
    verb: str, request: HttpRequest | None, person: Person | None, *, stranger: bool = False, **told: str
) -> None:
    """Whoever fails has not shown who she is: the line is about the person, and by nobody.

    `told`: what was wrong, where it was not the password.
    """
    address = get_client_ip_address(request) if request is not None else None
    by = None if stranger else person
    trail.record(verb, about=person or knocks.DOOR, by=by, at=clock.now(), address=address, **told)
