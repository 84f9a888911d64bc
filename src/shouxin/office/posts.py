"""People, the posts they hold from day to day, and the duties that follow (clauses C2, C4)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from shouxin.rules.policy import Post

from . import clock, trail
from .models import POST_LABELS, Appointment, Person
from .refusals import BadForm, Moved, NotYourDuty

SYSTEM = "system"
"""The built-in person in whose name jobs and the command line act: no password, no posts."""

USERNAME = re.compile(r"[A-Za-z0-9._@-]{1,150}")
"""With what somebody may sign in: no two names may look alike. @ for those whom the company's directory calls so."""

APART = frozenset({Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.AUDITOR})
"""Posts that go with no other: who runs the machine, gives the posts or audits both decides no business (I-20b)."""

READERS = (Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.AUDITOR, Post.CREDIT_MANAGER)
"""Who may read the list of people with their posts."""


@dataclass(frozen=True)
class Held:
    """A post held on a day; `amount_max`: the personal bound of its authority, None for the post's own."""

    post: Post
    amount_max: Decimal | None


def posts_of(person: Person | AnonymousUser, *, on: date) -> frozenset[Post]:
    """The posts a person holds on a day; none for one who is disabled (I-18).

    One query, remembered on this instance alone: a request loads its own person, so the next request asks anew.
    """
    return frozenset(held.post for held in _held(person, on))


def posts_of_many(people: Iterable[Person], *, on: date) -> dict[int, frozenset[Post]]:
    """Person id -> the posts held on the day, for a list of people in one query."""
    found: dict[int, set[Post]] = {person.pk: set() for person in people}
    rows = _in_force(on).filter(person__in=found, person__is_active=True)
    for person, post in rows.values_list("person", "post"):
        found[person].add(Post(post))
    return {person: frozenset(held) for person, held in found.items()}


def authority_of(person: Person, on: date) -> tuple[tuple[Post, Decimal | None], ...]:
    """Her posts on a day, each with the personal bound of its authority (None: as the policy gives to the post)."""
    return tuple((held.post, held.amount_max) for held in _held(person, on))


def require(
    person: Person | AnonymousUser,
    *posts: Post,
    on: date,
    about: models.Model | str = "office",
    verb: str = "",
    at: datetime | None = None,
) -> frozenset[Post]:
    """Which of these posts she holds on the day; raises NotYourDuty where it is none of them.

    The refusal carries its own trail line; the face that catches it writes the line (`trail.keep`) after the rollback.
    """
    held = posts_of(person, on=on) & set(posts)
    if not held:
        raise not_your_duty(person, posts, about=about, verb=verb, at=at)
    return held


def not_your_duty(
    person: Person | AnonymousUser,
    posts: Iterable[Post] = (),
    *,
    about: models.Model | str = "office",
    verb: str = "",
    at: datetime | None = None,
    **reason: object,
) -> NotYourDuty:
    """The refusal to raise, with the line it leaves in the trail. `reason`: message, code, cure of the refusal."""
    duty = sorted(post.value for post in posts)
    refusal = NotYourDuty(**reason)  # type: ignore[arg-type]
    if duty and "cure" not in reason:
        refusal.cure = _("It is the duty of: %(posts)s.")
        refusal.params |= {"posts": _Names(duty)}
    by = person if isinstance(person, Person) else None
    refusal.trail_line = trail.line(
        "refuse", about=about, by=by, at=at or clock.now(), asked=verb, code=refusal.code, duty=duty
    )
    return refusal


class _Names(list):  # type: ignore[type-arg]
    """Posts that print in the language of whoever reads the refusal."""

    def __str__(self) -> str:
        return ", ".join(str(POST_LABELS[Post(name)]) for name in self)


def system() -> Person:
    """The built-in person for jobs and the command line; created where it is missing."""
    person, created = Person.objects.get_or_create(username=SYSTEM, defaults={"name": SYSTEM, "is_active": True})
    if created:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person


def is_system(person: Person | AnonymousUser) -> bool:
    """Whether this is the built-in person, who can never sign in."""
    return person.username == SYSTEM


def holders(post: Post, *, on: date) -> list[Person]:
    """Everybody who holds the post on the day, in the order of their names."""
    held = _in_force(on).filter(post=post)
    return list(Person.objects.filter(is_active=True, appointments__in=held).distinct().order_by("name", "username"))


def held(*, on: date, but: Iterable[int | None] = ()) -> set[Post]:
    """The posts that somebody active holds on the day, other than the people `but` (ids)."""
    rows = _in_force(on).filter(person__is_active=True).exclude(person__in=[pk for pk in but if pk is not None])
    return {Post(post) for post in rows.order_by().values_list("post", flat=True).distinct()}


# --- verbs ---------------------------------------------------------------------------------------


@transaction.atomic
def add_person(
    username: str,
    *,
    by: Person,
    on: date,
    at: datetime,
    password: str | None = None,
    name: str = "",
    department: str = "",
    telephone: str = "",
    email: str = "",
    password_given: bool = False,
) -> Person:
    """Somebody new who may sign in (without a password: only by token or single sign-on), holding no post yet.

    `password_given`: whoever enters her chose the password, which she changes before anything else.
    Raises BadForm for a name in use, NotYourDuty unless the system manager asks.
    """
    if not is_system(by):
        require(by, Post.SYSTEM_MANAGER, on=on, about="person:", verb="add_person", at=at)
    username = username.strip()
    if not USERNAME.fullmatch(username):
        raise BadForm([("username", _("must be letters (A to Z), digits, points, hyphens, underscores or @"))])
    if Person.objects.filter(username__iexact=username).exists():
        raise BadForm([("username", _("Somebody signs in with this name already."))])
    person = Person(username=username, name=name, department=department, telephone=telephone, email=email,
                    password_given=password_given)  # fmt: skip
    person.set_password(password)
    person.save()
    trail.record("add_person", about=person, by=by, at=at, username=username, department=department)
    return person


@transaction.atomic
def appoint(
    person: Person,
    post: Post,
    *,
    since: date,
    by: Person,
    on: date,
    at: datetime,
    amount_max: Decimal | None = None,
) -> Appointment:
    """She holds the post from a day on; appointments to the same post end where the new one begins.

    Raises NotYourDuty (only the security manager appoints, and nobody appoints herself) and BadForm where the post
    may not go together with one she holds, or for a day gone by: who held what then is history. Whoever keeps the
    machine may enter what was so before the house moved in.
    """
    require_guardian(by, on=on, about=person, verb="appoint", at=at, herself=person)
    if since < on and not is_system(by):
        raise BadForm([("since", _("Today at the earliest: who held what before is history."))])
    if not Person.objects.select_for_update().get(pk=person.pk).is_active:
        raise Moved(_("This person is disabled: she is given no post."))
    if amount_max is not None and amount_max < 0:
        raise BadForm([("amount_max", _("must be an amount from 0 upwards"))])
    others = {Post(each.post) for each in _lasting(person, max(since, on))} - {post}
    if others and ({post} | others) & APART:
        raise BadForm([("post", _("System manager, security manager and auditor go together with no other post."))])
    _end_lasting(person, post, on=since)
    appointment = Appointment.objects.create(
        person=person, post=post, amount_max=amount_max, since=since, appointed_by=by
    )
    trail.record("appoint", about=person, by=by, at=at, post=post, since=since, amount_max=amount_max)
    _forget(person)
    return appointment


@transaction.atomic
def end_appointment(person: Person, post: Post, *, on: date, by: Person, at: datetime) -> None:
    """She holds the post no longer, from `on` itself, nor later. Raises Moved where she does not hold it."""
    require_guardian(by, on=on, about=person, verb="end_appointment", at=at, herself=person)
    if not _end_lasting(person, post, on=on):
        raise Moved(_("This person does not hold the post."))
    trail.record("end_appointment", about=person, by=by, at=at, post=post, until=on)
    _forget(person)


@transaction.atomic
def disable_person(person: Person, *, on: date, by: Person, at: datetime) -> None:
    """Nothing of hers works from the next request on: session, tokens, posts (I-18). Her past stays."""
    require_guardian(by, on=on, about=person, verb="disable_person", at=at, herself=person)
    if is_system(person):
        raise BadForm([("username", _("The built-in person cannot be disabled."))])
    if not Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        raise Moved(_("This person is disabled already."))
    person.is_active = False
    trail.record("disable_person", about=person, by=by, at=at)
    _forget(person)


def guardians(*, on: date) -> tuple[Post, ...]:
    """Whose duty posts, authority and closed accounts are (I-20b): the security manager's.

    While nobody holds that post, as in a company of five or on the first day, the system manager stands in for her.
    """
    held = _in_force(on).filter(post=Post.SECURITY_MANAGER, person__is_active=True).exists()
    return (Post.SECURITY_MANAGER,) if held else (Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER)


def is_guardian(person: Person, *, on: date) -> bool:
    """Whether posts and closed accounts are her duty on the day."""
    return bool(posts_of(person, on=on) & set(guardians(on=on)))


def require_guardian(
    by: Person, *, on: date, about: models.Model | str, verb: str, at: datetime, herself: Person | None = None
) -> None:
    """Only a guardian (or the command line) acts here, and never on her own entry. Raises NotYourDuty."""
    if is_system(by):
        return
    require(by, *guardians(on=on), on=on, about=about, verb=verb, at=at)
    if herself is not None and herself.pk == by.pk:
        raise not_your_duty(
            by, about=about, verb=verb, at=at, code="own_posts", cure=_("Ask a second security manager.")
        )


def _in_force(on: date) -> models.QuerySet[Appointment]:
    """Appointments in force on a day; the day an appointment ends is its first day without force."""
    return Appointment.objects.filter(Q(until=None) | Q(until__gt=on), since__lte=on)


def _held(person: Person | AnonymousUser, on: date) -> tuple[Held, ...]:
    if person.pk is None or not person.is_active:
        return ()
    known = person.__dict__.setdefault("_held_on", {})
    if on not in known:
        rows = _in_force(on).filter(person=person.pk, person__is_active=True).order_by("post")
        known[on] = tuple(Held(Post(post), bound) for post, bound in rows.values_list("post", "amount_max"))
    return known[on]


def _forget(person: Person) -> None:
    person.__dict__.pop("_held_on", None)


def _lasting(person: Person, on: date) -> models.QuerySet[Appointment]:
    """Her appointments beyond the day: in force, or still to begin."""
    return Appointment.objects.filter(Q(until=None) | Q(until__gt=_not_before(on)), person=person)


def _end_lasting(person: Person, post: Post, *, on: date) -> int:
    """End what lasts beyond the day; what would only begin later never does."""
    return _lasting(person, on).filter(post=post).update(until=_not_before(on))


def _not_before(on: date) -> Greatest:
    """The day, or the appointment's first where that is later."""
    return Greatest(F("since"), Value(on, models.DateField()))
