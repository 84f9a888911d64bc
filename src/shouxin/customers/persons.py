"""Persons behind customers: legal representative, controller and others, the same row wherever the person is the same.

A person is the same where the identity number is. Where none is known, a name alone proves nothing: it is told as a
namesake and, where somebody of that name is listed, the customer waits until the credit office has said who it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from shouxin.lib import sealed
from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules import blacklist, ids
from shouxin.rules.policy import Post

from . import standing
from .models import BlacklistCase, Customer, PersonTie, RelatedPerson

KEEPERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
ROLES = frozenset(dict(PersonTie.ROLES))
LEADING = ("legal_representative", "controller")
"""The roles through which a listed person binds the customer."""


@dataclass(frozen=True)
class Elsewhere:
    """Another customer the same person is behind. `sure` False: only the name is the same."""

    customer: Customer
    person: str
    role: str
    standing: str
    sure: bool


def identified(name: str, id_number: str = "", *, note: str = "", at: datetime) -> RelatedPerson:
    """The person with this identity number, or a new one. Raises BadForm for a number that cannot be."""
    name, number = " ".join(name.split()), ids.normalise(id_number)
    if not 0 < len(name) <= 80:
        raise BadForm([("name", _("must have 1 to 80 characters"))])
    if number and not ids.check_citizen_number(number).ok:
        raise BadForm([("id_number", _("is not an identity number: 18 characters, the last a check character"))])
    if number:
        mark = sealed.marks(RelatedPerson, {"id_number": number})["id_number_index"]
        known = RelatedPerson.objects.filter(id_number_index=mark).first()
        if known is not None:
            return known
    return RelatedPerson.objects.create(name=name, id_number=number, note=fitting(note, 300, "note"), created_at=at)


@transaction.atomic
def add(
    customer: Customer, name: str, role: str, *, id_number: str = "", note: str = "", percent: Decimal | None = None,
    since: date | None = None, by: Person, on: date, at: datetime,
) -> PersonTie:  # fmt: skip
    """Somebody stands behind the customer. A legal representative identified here takes the former one's place.

    Without an identity number `note` says how he was identified. Raises NotYourDuty, BadForm, Moved where known.
    """
    posts.require(by, *KEEPERS, on=on, about=customer, verb="add_person_tie", at=at)
    errors: list[tuple[str, Any]] = []
    if role not in ROLES:
        errors.append(("role", _("is not a role")))
    if percent is not None and not 0 < percent <= 100:
        errors.append(("percent", _("must be above 0 and at most 100")))
    if (since or on) > on:
        errors.append(("since", _("cannot be in the future")))
    if not id_number.strip() and not note.strip():
        errors.append(("id_number", _("Give the identity number, or say how the person was identified.")))
    if errors:
        raise BadForm(errors)
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    person = identified(name, id_number, note=note, at=at)
    if customer.person_ties.filter(person=person, role=role, until=None).exists():
        raise Moved(_("This person is on record in this role already."), code="known_person", cure="")
    if role == "legal_representative":
        _follow(customer, person, on)
    row = PersonTie.objects.create(
        customer=customer, person=person, role=role, percent=percent, since=since or on, by=by, at=at
    )
    trail.record("add_person_tie", about=customer, by=by, at=at, name=person.name, role=role, percent=percent)
    return row


def _follow(customer: Customer, person: RelatedPerson, on: date) -> None:
    """A company has one legal representative: the former tie ends, unless the blacklist holds it fast."""
    former = customer.person_ties.filter(role="legal_representative", until=None)
    if listed(former.values_list("person", flat=True)):
        raise BadForm([("role", standing.HELD_FAST)])
    former.update(until=on)
    if person.name != customer.legal_representative:
        Customer.objects.filter(pk=customer.pk).update(legal_representative=person.name)
        customer.legal_representative = person.name


@transaction.atomic
def end(row: PersonTie, *, by: Person, on: date, at: datetime) -> PersonTie:
    """The person stands behind the customer no longer. A listed person's tie holds until the listing is lifted."""
    posts.require(by, *KEEPERS, on=on, about=row.customer, verb="end_person_tie", at=at)
    fresh = PersonTie.objects.select_for_update(of=("self",)).select_related("person", "customer").get(pk=row.pk)
    if fresh.until is not None:
        raise Moved(_("This tie has ended already."), code="ended")
    if fresh.role in LEADING and listed([fresh.person_id]):
        raise Moved(standing.HELD_FAST, code="held_fast", cure="")
    fresh.until = on
    fresh.save(update_fields=["until"])
    trail.record("end_person_tie", about=fresh.customer, by=by, at=at, name=fresh.person.name, role=fresh.role)
    return fresh


def listed(people: Iterable[int]) -> set[int]:
    """Which of these persons are on the blacklist: named in a case that bites."""
    cases = BlacklistCase.objects.filter(status__in=blacklist.BITES, persons=OuterRef("pk"))
    return set(RelatedPerson.objects.filter(Exists(cases), pk__in=set(people)).values_list("pk", flat=True))


def behind(customer: Customer) -> list[PersonTie]:
    """Who stands behind the customer now, in the order of roles; `listed` says whether the blacklist names him."""
    rows = list(customer.person_ties.filter(until=None).select_related("person"))
    named = listed([row.person_id for row in rows])
    for row in rows:
        row.listed = row.person_id in named  # type: ignore[attr-defined]
    order = [role for role, _label in PersonTie.ROLES]
    return sorted(rows, key=lambda row: (order.index(row.role), row.pk))


def elsewhere(customer: Customer, behind: Iterable[PersonTie], *, seen_by: Q, on: date) -> list[Elsewhere]:
    """Other customers with the same persons `behind` them, of those she may see and none restricted: the listed first.

    The legal representative's bare name is looked for too; it is told as a namesake.
    """
    mine = [row.person_id for row in behind]
    rows = PersonTie.objects.filter(person__in=mine, until=None).exclude(customer=customer).select_related("person")
    told = Customer.objects.filter(seen_by, restricted_on=None)
    seen = {each.pk: each for each in told.filter(pk__in=[row.customer_id for row in rows])}
    found = [(seen[row.customer_id], row.person.name, row.get_role_display(), True)
             for row in rows if row.customer_id in seen]  # fmt: skip
    if customer.legal_representative:
        sure = {each.pk for each, *_rest in found}
        namesakes = told.filter(legal_representative=customer.legal_representative)
        role = dict(PersonTie.ROLES)["legal_representative"]
        found += [(each, each.legal_representative, str(role), False)
                  for each in namesakes.exclude(pk__in={customer.pk, *sure})[:20]]  # fmt: skip
    stands = standing.effective([each for each, *_rest in found], on)
    places = [Elsewhere(each, name, role, stands[each.pk], sure) for each, name, role, sure in found]
    return sorted(places, key=lambda each: (-standing.SEVERITY[each.standing], not each.sure, each.customer.pk))


def masked(person: RelatedPerson) -> str:
    """The identity number as it is shown: nobody reads it in full (PIPL art. 51)."""
    return ids.mask_citizen_number(person.id_number) if person.id_number else ""


def may_keep(by: Person, on: date) -> bool:
    """Whether the persons behind customers are hers to write."""
    return bool(posts.posts_of(by, on=on) & set(KEEPERS))
