"""Who may sign in how: the password, its age, the second factor, how long a session lasts, when the door shuts.

Two profiles ship. `asvs` follows OWASP ASVS 5.0 (6.2.5, 6.2.10: length and a list of known passwords, no composition
rules, no periodic change). `dengbao` follows GB/T 22239-2019 8.1.4.1 (complexity and periodic change). A company takes
one of them and may make it stricter or milder in every number.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .policy import Frozen, Post

Profile = Literal["asvs", "dengbao"]

PASSWORD_LENGTH_MAX = 128


class SignInRules(Frozen):
    """The rules of the door. `None` and 0 mean: not asked for."""

    profile: Profile = "asvs"
    password_length_min: Annotated[int, Field(ge=8, le=64)] = 12
    password_classes_min: Annotated[int, Field(ge=1, le=4)] = 1
    password_days_max: Annotated[int, Field(ge=1, le=3660)] | None = None
    password_history: Annotated[int, Field(ge=0, le=24)] = 0
    second_factor_posts: tuple[Post, ...] = ()
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
    failures_max: Annotated[int, Field(ge=2, le=20)] = 5
    address_failures_max: Annotated[int, Field(ge=5, le=10_000)] = 30
    lock_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    sudo_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    sudo_export_rows: Annotated[int, Field(ge=0, le=10_000_000)] = 1000
    token_days_max: Annotated[int, Field(ge=1, le=3660)] | None = 365


PROFILES: dict[str, SignInRules] = {
    "asvs": SignInRules(),
    "dengbao": SignInRules(
        profile="dengbao",
        password_length_min=8,
        password_classes_min=3,
        password_days_max=90,
        password_history=5,
        second_factor_posts=(Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER),
    ),
}
"""The shipped profiles."""


def classes_of(password: str) -> int:
    """How many of four classes a password uses: small letters, capitals, digits, anything else."""
    found = {
        "lower" if each.islower() else "upper" if each.isupper() else "digit" if each.isdigit() else "other"
        for each in password
    }
    return len(found)


def password_faults(password: str, rules: SignInRules) -> tuple[str, ...]:
    """Codes of what is wrong with a new password: too_short, too_long, too_plain."""
    found = {
        "too_short": len(password) < rules.password_length_min,
        "too_long": len(password) > PASSWORD_LENGTH_MAX,
        "too_plain": classes_of(password) < rules.password_classes_min,
    }
    return tuple(code for code, wrong in found.items() if wrong)


def password_expired(rules: SignInRules, changed_on: date, today: date) -> bool:
    """Whether a password set on a day has to be changed today: on day `password_days_max` it still holds."""
    return rules.password_days_max is not None and (today - changed_on).days > rules.password_days_max


def session_over(rules: SignInRules, *, began: float, seen: float, now: float) -> bool:
    """Whether a session has ended, by idleness or by age; moments in seconds. A clock set back ends nothing (I-30)."""
    return now - seen > rules.idle_minutes * 60 or now - began > rules.session_hours * 3600


def proof_fresh(rules: SignInRules, *, proved: float, now: float) -> bool:
    """Whether who proved herself at a moment may do what asks for a fresh proof; moments in seconds."""
    return now - proved <= rules.sudo_minutes * 60


def second_factor_asked(rules: SignInRules, posts: frozenset[Post]) -> bool:
    """Whether a holder of these posts needs a second factor."""
    return not posts.isdisjoint(rules.second_factor_posts)
