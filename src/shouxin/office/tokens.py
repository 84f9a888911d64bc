"""Bearer tokens of the API. A token acts as its person; it is shown once, afterwards only its digest is known."""

import hashlib
import secrets
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import posts, trail
from .models import ApiToken, Person
from .refusals import Moved

PREFIX = "shouxin_"


def create(
    person: Person, *, by: Person, at: datetime, label: str = "", expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again.

    Only she herself (or the command line) makes one: a manager who could make tokens for others could act
    as anybody (I-20b).
    """
    if by.pk != person.pk and not posts.is_system(by):
        raise posts.not_your_duty(
            by, about=person, verb="create_token", at=at, cure=_("Everybody makes her own tokens.")
        )
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person, label=label, digest=digest(text), created_at=at, expires_at=expires_at
        )
        trail.record("create_token", about=person, by=by, at=at, token=token.pk, token_label=label)
    return token, text


def person_of(text: str, *, on: date, at: datetime) -> Person | None:
    """Whose token this is; None where it is unknown, revoked, expired, or its person is disabled."""
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
    token = ApiToken.objects.filter(live, digest=digest(text), person__is_active=True).select_related("person").first()
    if token is None:
        return None
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
