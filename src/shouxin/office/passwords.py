"""The password validator Django asks: the rules in force, words of the house, and passwords used before."""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shouxin.rules import sign_in as rule

from . import clock, policies, sign_in
from .models import PasswordUsed, Person
from .refusals import TOO_LONG

FAULTS: dict[str, str | Promise] = {
    "too_short": gettext_lazy("At least %(length)s characters."),
    "too_long": TOO_LONG,
    "too_plain": gettext_lazy("Use at least %(classes)s of: small letters, capitals, digits, other signs."),
}
HOUSE_WORDS = ("shouxin", "授信", "守信")
WORD_LENGTH_MIN = 4


class RulesOfTheDoor:
    """Named in AUTH_PASSWORD_VALIDATORS. Each fault is said; nothing is cut off or normalised."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError with everything that is wrong."""
        asked = sign_in.rules()
        numbers = {"length": asked.password_length_min, "most": rule.PASSWORD_LENGTH_MAX,
                   "classes": asked.password_classes_min}  # fmt: skip
        faults = [str(FAULTS[code]) % numbers for code in rule.password_faults(password, asked)]
        if _is_house_word(password):
            faults.append(_("Not the company's or the product's name with a little added."))
        if _used_before(password, user, asked.password_history):
            faults.append(_("Not one of your last %(count)s passwords.") % {"count": asked.password_history})
        if faults:
            raise ValidationError(faults)

    def password_changed(self, password: str, user: Any = None) -> None:
        """Remember the digest and the moment; called by Django when a person with a new password is saved."""
        if isinstance(user, Person) and user.pk:
            PasswordUsed.objects.create(person=user, digest=user.password, set_at=clock.now())

    def get_help_text(self) -> str:
        """What the form says beforehand."""
        asked = sign_in.rules()
        told = _("At least %(length)s characters; a few words are easy to remember.") % {
            "length": asked.password_length_min
        }
        if asked.password_classes_min > 1:
            told += " " + str(FAULTS["too_plain"]) % {"classes": asked.password_classes_min}
        return told


def _is_house_word(password: str) -> bool:
    """Whether what is left without the names of house and product is too little to be a password of its own."""
    company = policies.in_force(clock.today()).policy.company.name
    rest = password.lower()
    for word in (*HOUSE_WORDS, company.zh.lower(), *company.en.lower().split()):
        if len(word) >= WORD_LENGTH_MIN or not word.isascii():
            rest = rest.replace(word, "")
    return len(rest) < len(password) and len(rest) < sign_in.rules().password_length_min // 2


def _used_before(password: str, user: Any, history: int) -> bool:
    if not history or not isinstance(user, Person) or not user.pk:
        return False
    rows = PasswordUsed.objects.filter(person=user).order_by("-id").values_list("digest", flat=True)[:history]
    return any(check_password(password, digest) for digest in rows)
