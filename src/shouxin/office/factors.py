"""Showing a second factor, at sign-in and in sudo mode: wrong ones are written down and lock the name, as passwords do.

Allauth's forms check the code or the passkey. Around each check stands the lock of `office.locks`: one count per name
in the database, for passwords and factors together, so that neither a restart nor another browser begins it anew.
"""

from collections.abc import Callable
from typing import TypeVar

from allauth.core import context
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkeys
from django.core.exceptions import ValidationError
from django.db import transaction

from . import knocks, locks, sign_in
from .models import Person

SECOND_FACTOR, PASSKEY = "second_factor", "passkey"
"""What failed, in the words of the trail; a passkey is the one that stands for password and factor."""

Found = TypeVar("Found")


def checked(person: Person, check: Callable[[], Found], *, again: bool = False) -> Found:
    """What `check` finds in the factor that `person` shows; raises its ValidationError once the failure is kept.

    A locked name is refused whatever is shown. `again`: somebody who is in proves anew who she is; coming in ends the
    count by itself. Guesses sent at once are checked one after the other. Raises SlowedDown at a slowed address.
    """
    knocks.admit(context.request, person.get_username())
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        found = _tried(person, check)
        if isinstance(found, ValidationError):
            locks.failed(context.request, person.get_username(), what=SECOND_FACTOR)
        elif again:
            sign_in.reopen(person)
    if isinstance(found, ValidationError):
        raise found
    knocks.forgive(context.request)
    return found


def _tried(person: Person, check: Callable[[], Found]) -> Found | ValidationError:
    if locks.is_locked(context.request, person.get_username()):
        return locks.refusal()
    try:
        return check()
    except ValidationError as error:
        return error


class Code(codes.AuthenticateForm):
    """A code of the app or a recovery code, on the way in."""

    def clean_code(self) -> str:
        """The code, where it is right."""
        return checked(self.user, super().clean_code)


class CodeAgain(codes.ReauthenticateForm):
    """The same of somebody who is in."""

    def clean_code(self) -> str:
        """The code, where it is right."""
        return checked(self.user, super().clean_code, again=True)


class Key(passkeys.AuthenticateWebAuthnForm):
    """A passkey as the second factor, on the way in."""

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered."""
        return checked(self.user, super().clean_credential)


class KeyAgain(passkeys.ReauthenticateWebAuthnForm):
    """The same of somebody who is in."""

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered."""
        return checked(self.user, super().clean_credential, again=True)


class KeyAlone(passkeys.LoginWebAuthnForm):
    """A passkey instead of name and password. Who shows a wrong one has said no name, and none is locked by it."""

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered, of a person whose name is not locked."""
        knocks.admit(context.request, None)
        try:
            found = super().clean_credential()
        except ValidationError:
            locks.failed(context.request, None, what=PASSKEY)
            raise
        if locks.is_locked(context.request, found.user.get_username()):
            locks.failed(context.request, found.user.get_username(), what=PASSKEY)
            raise locks.refusal()
        knocks.forgive(context.request)
        return found
