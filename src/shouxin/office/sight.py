"""Who may see which customers, and everything that hangs on a customer. What is out of sight does not exist (I-33)."""

from datetime import date
from typing import TypeVar

from django.db import models
from django.db.models import Q

from shouxin.rules.policy import Post

from . import posts
from .models import Person
from .refusals import NotVisible

SEE_ALL = frozenset(
    {
        Post.CREDIT_MANAGER,
        Post.CREDIT_ADMINISTRATOR,
        Post.FINANCE,
        Post.VICE_PRESIDENT,
        Post.LEGAL_REPRESENTATIVE,
        Post.AUDITOR,
        Post.ARCHIVIST,
    }
)
"""Posts that see every customer. Sales see their own and their department's; who runs or guards the machine, none."""

LOOKERS = SEE_ALL | {Post.SALES}
"""Posts that see any customer at all."""

_BIGINT_MAX = 2**63 - 1

Row = TypeVar("Row", bound=models.Model)


def customers_seen_by(person: Person, on: date, path: str = "") -> Q:
    """The condition on customers a person may see that day; `path` leads to the customer (`"account__customer__"`)."""
    if sees_all(person, on):
        return Q()
    if Post.SALES not in posts.posts_of(person, on=on):
        return Q(pk__in=())
    own = Q(**{f"{path}salesperson": person})
    return own | Q(**{f"{path}department": person.department}) if person.department else own


def sees_all(person: Person, on: date) -> bool:
    """Whether every customer is within her sight."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=on) & SEE_ALL)


def sees_business(person: Person, on: date) -> bool:
    """Whether she sees any customer at all: everybody with a business post does."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=on) & LOOKERS)


def visible(
    rows: type[Row] | models.QuerySet[Row], person: Person, *, on: date, path: str | None = None
) -> models.QuerySet[Row]:
    """Of these rows those that belong to customers the person may see.

    `path` leads from a row to its customer; left out it is "" for customers themselves and "customer__" for others.
    """
    found = rows._default_manager.all() if isinstance(rows, type) else rows
    if path is None:
        path = "" if found.model._meta.label == "customers.Customer" else "customer__"
    if found.model._meta.label == "customers.Customer":
        found = found.filter(restricted_on=None)  # stored, and used for nothing (PIPL art. 47)
    return found.filter(customers_seen_by(person, on, path))


def get_visible(
    rows: type[Row] | models.QuerySet[Row], person: Person, pk: int, *, on: date, path: str | None = None
) -> Row:
    """The row with this id, where the person may see it; NotVisible otherwise, whether or not it exists."""
    found = visible(rows, person, on=on, path=path).filter(pk=pk).first() if 0 <= pk <= _BIGINT_MAX else None
    if found is None:
        raise NotVisible
    return found
