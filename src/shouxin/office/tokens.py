"""Bearer tokens of the API. A token acts as its person; it is shown once, afterwards only its digest is known.

What it may do is what its person may, narrowed by its scopes (`scopes`): one or several, parted by blanks.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import posts, scopes, sign_in, trail
from .models import ApiToken, Person
from .refusals import BadForm, Moved, NotYourDuty

PREFIX = "shouxin_"
DAYS_MAX = 3660
CURE = _("It takes a token of the scope %(scope)s; its scope is %(own)s.")


def create(
    person: Person,
    *,
    by: Person,
    at: datetime,
    label: str = "",
    scope: str = scopes.ALL,
    days: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again.

    It works for so many days, or until `expires_at`, or as long as the sign-in rules let a token work; raises BadForm
    where that is longer than they let it, Moved for somebody who is disabled.
    Only she herself (or the command line) makes one: a manager who could make tokens for others could act
    as anybody (I-20b).
    """
    if by.pk != person.pk and not posts.is_system(by):
        raise posts.not_your_duty(
            by, about=person, verb="create_token", at=at, cure=_("Everybody makes her own tokens.")
        )
    if not person.is_active:
        raise Moved(_("%(name)s is disabled: no token opens anything for her."), code="disabled", cure="",
                    name=person.username)  # fmt: skip
    named = scopes.parted(scope)
    if not named or not set(named) <= set(scopes.NAMES):
        raise BadForm([("scope", _("There is no such scope."))])
    scope = " ".join(named)
    until = _until(at, days, expires_at)
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person, label=label, scope=scope, digest=digest(text), created_at=at, expires_at=until
        )
        told = {"token": token.pk, "token_label": label, "scope": scope, "until": until}
        trail.record("create_token", about=person, by=by, at=at, **told)
    return token, text


def _until(at: datetime, days: int | None, expires_at: datetime | None) -> datetime | None:
    most = sign_in.rules().token_days_max
    last = None if most is None else at + timedelta(days=most)
    if days is not None and not 1 <= days <= (most or DAYS_MAX):
        raise BadForm([("days", _("From 1 to %(days)s days.") % {"days": most or DAYS_MAX})])
    asked = expires_at if days is None else at + timedelta(days=days)
    if asked and asked <= at:
        raise BadForm([("expires_at", _("This moment has passed."))])
    if asked and asked > (last or at + timedelta(days=DAYS_MAX)):
        raise BadForm([("expires_at", _("At most %(days)s days from now.") % {"days": most or DAYS_MAX})])
    return asked or last


def person_of(text: str, *, on: date, at: datetime, opened_by: Sequence[str] = scopes.NAMES) -> Person | None:
    """Whose token this is; None where it is unknown, revoked, expired, or its person is disabled.

    Raises NotYourDuty (`token_scope`) where none of its scopes is among `opened_by`, whose first it names.
    """
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
    token = ApiToken.objects.filter(live, digest=digest(text), person__is_active=True).select_related("person").first()
    if token is None:
        return None
    if set(token.scope.split()).isdisjoint(opened_by):
        lacks = {"scope": opened_by[0], "own": token.scope}
        raise NotYourDuty(_("This token may not do this."), code="token_scope", cure=CURE, **lacks)
    if token.last_used_on != on:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=on)
    return token.person


@transaction.atomic
def revoke(token: ApiToken, *, by: Person, on: date, at: datetime) -> None:
    """The token works no longer. Her own, or anybody's where a guardian asks. Raises Moved if it is done."""
    if by.pk != token.person_id:
        posts.require_guardian(by, on=on, about=token.person, verb="revoke_token", at=at)
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        raise Moved(_("This token has been revoked already."))
    trail.record("revoke_token", about=token.person, by=by, at=at, token=token.pk)


def digest(text: str) -> str:
    """What is kept of a token. It is long and random, so a plain SHA-256 cannot be guessed backwards."""
    return hashlib.sha256(text.encode()).hexdigest()
