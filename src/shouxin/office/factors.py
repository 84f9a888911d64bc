"""Showing a second factor, at sign-in and in sudo mode: wrong ones are written down and lock the name, as passwords do.

A code opens one thing once, however long its time still runs, and a sign-in begun with a password that has been changed
since is not ended with a factor.

Allauth's forms check the code or the passkey. Around each check stands the lock of `office.locks`: one count per name
in the database, for passwords and factors together, so that neither a restart nor another browser begins it anew.
"""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from . import knocks, locks, sign_in
from .models import Person

SECOND_FACTOR, PASSKEY = "second_factor", "passkey"
"""What failed, in the words of the trail; a passkey is the one that stands for password and factor."""

FIRST_STEP = "first_step"
"""In the session: whose password was shown, and a digest of it."""
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error)
"""What the library raises over a credential that no browser would send."""

Found = TypeVar("Found")


def begun(request: HttpRequest, person: Person) -> None:
    """Remember with which password she has begun to come in."""
    request.session[FIRST_STEP] = [person.pk, person.get_session_auth_hash()]


def checked(person: Person, check: Callable[[], Found], *, again: bool = False) -> Found:
    """What `check` finds in the factor that `person` shows; raises its ValidationError once the failure is kept.

    A locked name is refused whatever is shown. `again`: somebody who is in proves anew who she is; coming in ends the
    count by itself. Guesses sent at once are checked one after the other. Raises SlowedDown at a slowed address.
    """
    knocks.admit(context.request, person.get_username())
    with transaction.atomic():
        fresh = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        found = _tried(fresh, check, again)
        if isinstance(found, ValidationError):
            locks.failed(context.request, person.get_username(), what=SECOND_FACTOR)
        elif again:
            sign_in.reopen(person)
    if isinstance(found, ValidationError):
        raise found
    knocks.forgive(context.request)
    return found


def _tried(person: Person, check: Callable[[], Found], again: bool) -> Found | ValidationError:
    if locks.is_locked(context.request, person.get_username()):
        return locks.refusal()
    if not again and _password_changed(person):
        return ValidationError(_("The password was changed after this sign-in began. Sign in again."))
    try:
        return check()
    except ValidationError as error:
        return error
    except MALFORMED:
        return _wrong()


def _password_changed(person: Person) -> bool:
    who, shown = context.request.session.get(FIRST_STEP, (None, ""))
    return bool(who == person.pk and shown != person.get_session_auth_hash())


def _wrong() -> ValidationError:
    error: ValidationError = get_adapter().validation_error("incorrect_code")
    return error


def spend(authenticator: Authenticator, code: str) -> None:
    """Take the code's step of time: neither it nor an earlier one opens anything again (RFC 6238, 5.2).

    The code has been found right; should its time have run out since, the earliest step still open is taken. The caller
    holds the person's row. Raises ValidationError for a step that is taken already.
    """
    secret, steps = decrypt(authenticator.data["secret"]), list(totp.yield_hotp_counters_from_time())
    right = (each for each in steps if compare_user_code(actual=code, expected=_code_of(secret, each)))
    step = next(right, steps[0])
    if step <= authenticator.data.get("last_step", 0):
        raise _wrong()
    authenticator.data["last_step"] = step
    authenticator.save(update_fields=["data"])


def _code_of(secret: str, step: int) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, step))


def _once(form: Any, check: Callable[[], str]) -> str:
    code = check()
    if form.authenticator.type == Authenticator.Type.TOTP:
        spend(form.authenticator, code)
    return code


class NewCode(ActivateTOTPView):
    """Setting up the app: the code that shows it works is spent with it."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Keep the new factor."""
        answer: HttpResponse = super().form_valid(form)
        found = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        spend(found, form.cleaned_data["code"])
        return answer


class Credential(forms.JSONField):
    """What the browser says of a passkey; what is no such thing is a wrong one, and is not shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """The value the text stands for."""
        try:
            return super().to_python(value)
        except MALFORMED:
            raise _wrong() from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing of what was sent: the browser fills it anew."""
        return initial


class Code(codes.AuthenticateForm):
    """A code of the app or a recovery code, on the way in."""

    def clean_code(self) -> str:
        """The code, where it is right."""
        return checked(self.user, partial(_once, self, super().clean_code))


class CodeAgain(codes.ReauthenticateForm):
    """The same of somebody who is in."""

    def clean_code(self) -> str:
        """The code, where it is right."""
        return checked(self.user, partial(_once, self, super().clean_code), again=True)


class Key(passkeys.AuthenticateWebAuthnForm):
    """A passkey as the second factor, on the way in."""

    credential = Credential()

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered."""
        return checked(self.user, super().clean_credential)


class KeyAgain(passkeys.ReauthenticateWebAuthnForm):
    """The same of somebody who is in."""

    credential = Credential()

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered."""
        return checked(self.user, super().clean_credential, again=True)


class KeyAlone(passkeys.LoginWebAuthnForm):
    """A passkey instead of name and password. Who shows a wrong one has said no name, and none is locked by it."""

    credential = Credential()

    def clean_credential(self) -> Authenticator:
        """The authenticator that answered, of a person whose name is not locked."""
        knocks.admit(context.request, None)
        try:
            found = super().clean_credential()
        except (ValidationError, *MALFORMED) as error:
            locks.failed(context.request, None, what=PASSKEY)
            raise error if isinstance(error, ValidationError) else _wrong() from None
        if locks.is_locked(context.request, found.user.get_username()):
            locks.failed(context.request, found.user.get_username(), what=PASSKEY)
            raise locks.refusal()
        knocks.forgive(context.request)
        return found


class NewKey(passkeys.AddWebAuthnForm):
    """A passkey of her own, added."""

    credential = Credential()

    def clean(self) -> dict[str, Any]:
        """The form's values, where the passkey is one."""
        try:
            found: dict[str, Any] = super().clean()
        except MALFORMED:
            raise _wrong() from None
        return found
