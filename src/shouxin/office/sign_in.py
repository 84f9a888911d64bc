"""The rules of the door in force, who changes them, and what keeps a signed-in person out until it is done."""

import secrets
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from allauth.mfa.models import Authenticator
from axes.handlers.proxy import AxesProxyHandler
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from shouxin.lib import turns
from shouxin.rules import sign_in
from shouxin.rules.policy import Post
from shouxin.rules.sign_in import PROFILES, SignInRules

from . import posts, trail
from .models import PasswordUsed, Person, SignInVersion
from .refusals import BadForm, Moved, Text

READERS = (Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.AUDITOR)
"""Who reads the rules of the door; whoever guards posts and accounts puts them (`posts.guardians`)."""
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

GENERATED_BYTES = 12
REMEMBERED_SECONDS = 5.0

Obstacle = Literal["", "second_factor", "password_expired", "password_given"]
OBSTACLES: dict[str, Text] = {
    "second_factor": _("Your post asks for a second factor. Set one up to go on."),
    "password_expired": _("Your password is too old. Choose a new one to go on."),
    "password_given": _("Somebody else chose your password. Choose one of your own to go on."),
}


_known: dict[str, tuple[float, SignInRules]] = {}


def rules() -> SignInRules:
    """The rules in force; ASVS as shipped where none were ever put.

    Asked at every request, so each process remembers them for `REMEMBERED_SECONDS`.
    """
    asked_at, known = _known.get("rules", (float("-inf"), PROFILES["asvs"]))
    if time.monotonic() - asked_at > REMEMBERED_SECONDS:
        version = SignInVersion.objects.order_by("-number").first()
        known = SignInRules.model_validate(version.rules) if version else PROFILES["asvs"]
        _known["rules"] = time.monotonic(), known
    return known


def forget() -> None:
    """Ask the database at the next question."""
    _known.clear()


def number() -> int:
    """The number of the edition in force, 0 for the shipped one."""
    return SignInVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0


@transaction.atomic
def put(
    changes: Mapping[str, Any], *, why: str, seen: int | None = None, by: Person, on: date, at: datetime
) -> SignInVersion:
    """A new edition from `changes` to the profile named in them, from now on.

    `seen` is the edition the caller looked at. Raises NotYourDuty, BadForm with each field at fault, Moved where
    somebody was faster.
    """
    if not posts.is_system(by):
        posts.require_guardian(by, on=on, about="sign-in", verb="put_sign_in_rules", at=at)
    new = _read(changes)
    if not why.strip():
        raise BadForm([("why", _("Say why."))])
    turns.take("office.sign_in")
    latest = SignInVersion.objects.order_by("-number").first()
    before = latest.number if latest else 0
    if seen is not None and seen != before:
        raise Moved(_("The rules were changed after you opened them. Look again."), code="version_seen")
    stored = new.model_dump(mode="json")
    version = SignInVersion.objects.create(number=before + 1, rules=stored, why=why.strip(), put_by=by, put_at=at)
    transaction.on_commit(forget)
    trail.record("put_sign_in_rules", about=version, by=by, at=at, label=f"v{version.number}", why=why, **stored)
    return version


def _read(changes: Mapping[str, Any]) -> SignInRules:
    base = PROFILES.get(str(changes.get("profile", "asvs")))
    if base is None:
        raise BadForm([("profile", _("There is no such profile."))])
    try:
        return SignInRules.model_validate({**base.model_dump(), **changes})
    except ValidationError as error:
        raise BadForm([(str(each["loc"][0]), each["msg"]) for each in error.errors()]) from error


def obstacle(person: Person, *, today: date, by_password: bool = False) -> Obstacle:
    """What a person must see to before anything else, by page or by token: a second factor, a new password.

    `by_password`: she came in with her password; one that somebody else chose then does no further.
    """
    asked = rules()
    if by_password and person.password_given:
        return "password_given"
    if _lacks_factor(asked, person, today):
        return "second_factor"
    if asked.password_days_max is None or not person.has_usable_password():
        return ""
    return "password_expired" if sign_in.password_expired(asked, password_set_on(person), today) else ""


def _lacks_factor(asked: SignInRules, person: Person, today: date) -> bool:
    if not asked.second_factor_posts or not sign_in.second_factor_asked(asked, posts.posts_of(person, on=today)):
        return False
    return not Authenticator.objects.filter(user=person, type__in=FACTORS).exists()


def password_set_on(person: Person) -> date:
    """The business day the password was set; the day the person was entered where nothing is known."""
    latest = PasswordUsed.objects.filter(person=person).order_by("-id").values_list("set_at", flat=True).first()
    return timezone.localdate(latest or person.date_joined, timezone.get_default_timezone())


def _require_other(person: Person, verb: str, *, by: Person, on: date, at: datetime) -> None:
    """Who keeps the sign-ins, or the command line; nobody for herself."""
    if posts.is_system(by):
        return
    posts.require_guardian(by, on=on, about=person, verb=verb, at=at)
    if by.pk == person.pk:
        raise posts.not_your_duty(by, about=person, verb=verb, at=at, code="own_sign_in", cure=_("Ask a second one."))


def reopen(person: Person) -> None:
    """Forget how often somebody was wrong under this name: she has shown who she is, or a new beginning was made."""
    AxesProxyHandler.reset_attempts(username=person.get_username())


@transaction.atomic
def reset_second_factor(person: Person, *, by: Person, on: date, at: datetime) -> None:
    """She has lost her telephone: her factors and recovery codes are gone, the next sign-in asks for a new one.

    Raises NotYourDuty (never for oneself) and Moved where there is nothing to reset.
    """
    _require_other(person, "reset_second_factor", by=by, on=on, at=at)
    gone, _rows = Authenticator.objects.filter(user=person).delete()
    if not gone:
        raise Moved(_("This person has no second factor."))
    reopen(person)
    trail.record("reset_second_factor", about=person, by=by, at=at)


@transaction.atomic
def set_password(person: Person, *, by: Person, on: date, at: datetime) -> str:
    """A new password for somebody who has forgotten hers, told once; her sessions end. Not a way round the factor.

    Raises NotYourDuty for whoever keeps no sign-ins, and for oneself.
    """
    _require_other(person, "set_password", by=by, on=on, at=at)
    password = secrets.token_urlsafe(GENERATED_BYTES)
    person.set_password(password)
    person.password_given = True
    person.save(update_fields=["password", "password_given"])
    reopen(person)
    trail.record("set_password", about=person, by=by, at=at)
    return password
