"""Who may see which customers, and everything that hangs on a customer. What is out of sight does not exist (I-33)."""

import functools
import operator
import time
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

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

WORKED_ON = frozenset(
    {
        "collection.Notice",
        "collection.Task",
        "credit.Application",
        "credit.GradeReview",
        "credit.LineRequest",
        "orders.Hold",
    }
)
"""Papers that ask for work: they rest, out of everybody's sight, while their customer is restricted (PIPL art. 47).
What stands in the books is shown on, so that every sum stays whole."""

MANY = 2_000
"""For a reader of more customers, by name or by department, a list is walked in its order; for one of fewer, its rows
are found by their customers."""
MANY_SECONDS = 600

_BIGINT_MAX = 2**63 - 1

Row = TypeVar("Row", bound=models.Model)


def customers_seen_by(person: Person, on: date, path: str = "") -> Q:
    """The condition on customers a person may see that day; `path` leads to the customer (`"account__customer__"`)."""
    if not is_partial(person, on):
        return Q() if sees_all(person, on) else Q(pk__in=())
    return _any_of(Q(**{f"{path}{field}": value}) for field, value in _hers(person).items())


def rows_seen_by(person: Person, on: date, customer: str = "customer") -> Q:
    """The same condition on the rows of a list; `customer` leads from a row to its customer or the customer's key.

    Of a reader of many customers each way to them is a question of its own, which the database answers from an index
    alone: once for all her customers where it walks many rows, row by row where it walks few.
    """
    if not is_partial(person, on):
        return customers_seen_by(person, on)
    if not _sees_many(person):
        return Q(**{f"{customer}__in": _customers().filter(customers_seen_by(person, on)).values("pk")})
    ways = (_customers().filter(pk=OuterRef(customer), **{field: value}) for field, value in _hers(person).items())
    return _any_of(Q(Exists(way)) for way in ways)


def some_customer(person: Person, on: date) -> bool:
    """Whether there is any customer she may see; each way is asked by itself, for an index to answer."""
    if not is_partial(person, on):
        return sees_all(person, on) and _customers().exists()
    return any(_customers().filter(**{field: value}).exists() for field, value in _hers(person).items())


def restricted() -> models.QuerySet[Any]:
    """The ids of the customers whose data are restricted."""
    return _customers().filter(restricted_on__isnull=False).values("pk")


def sees_customer(person: Person, pk: int, on: date) -> bool:
    """Whether the customer with this id is within her sight, and its data are not restricted."""
    return sees_every(person, [pk], on)


def sees_every(person: Person, references: Collection[int | str], on: date, *, though_restricted: bool = False) -> bool:
    """Whether every customer of these ids (numbers) and codes (texts) is there and within her sight.

    One whose data are restricted is not, unless `though_restricted`.
    """
    if not references:
        return True
    seen = _customers().filter(customers_seen_by(person, on))
    seen = seen if though_restricted else seen.filter(restricted_on=None)
    ids = [each for each in references if isinstance(each, int)]
    codes = [each for each in references if isinstance(each, str)]
    found = seen.filter(Q(pk__in=ids) | Q(code__in=codes)).values_list("pk", "code")
    return {*references} <= {each for row in found for each in row}


def is_partial(person: Person, on: date) -> bool:
    """Whether she sees customers, but not all."""
    return not sees_all(person, on) and Post.SALES in posts.posts_of(person, on=on)


def _hers(person: Person) -> dict[str, Any]:
    """By what a customer may be hers: the one or the other."""
    return {"salesperson": person} | ({"department": person.department} if person.department else {})


def _any_of(ways: Iterable[Q]) -> Q:
    return functools.reduce(operator.or_, ways)


def _sees_many(person: Person) -> bool:
    """Whether more than MANY customers are hers, or were some minutes ago: only the time a list takes hangs on it."""
    return _asked_many(person.pk, person.department, int(time.monotonic() // MANY_SECONDS))


@functools.lru_cache(maxsize=10_000)
def _asked_many(salesperson: int, department: str, _turn: int) -> bool:
    own, departments = _customers().filter(salesperson=salesperson), _customers().filter(department=department)
    asked = (own, departments) if department else (own,)
    return any(each.order_by()[MANY : MANY + 1].exists() for each in asked)


def forget() -> None:
    """Ask anew how many customers each reader sees."""
    _asked_many.cache_clear()


def _customers() -> models.QuerySet[Any]:
    """The office stands below the customers and is told of them by name alone."""
    return apps.get_model("customers", "Customer")._default_manager.all()


def sees_all(person: Person, on: date) -> bool:
    """Whether every customer is within her sight."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=on) & SEE_ALL)


def sees_business(person: Person, on: date) -> bool:
    """Whether she sees any customer at all: everybody with a business post does."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=on) & LOOKERS)


def visible(
    rows: type[Row] | models.QuerySet[Row], person: Person, *, on: date, path: str = "customer"
) -> models.QuerySet[Row]:
    """Of these rows those that belong to customers the person may see; `path` leads from a row to its customer.

    Customers themselves need none.
    """
    found = rows._default_manager.all() if isinstance(rows, type) else rows
    if found.model._meta.label == "customers.Customer":  # restricted: stored, and used for nothing (PIPL art. 47)
        return found.filter(customers_seen_by(person, on), restricted_on=None)
    found = found.filter(rows_seen_by(person, on, path))
    return found.exclude(**{f"{path}__in": restricted()}) if found.model._meta.label in WORKED_ON else found


def get_visible(
    rows: type[Row] | models.QuerySet[Row], person: Person, pk: int, *, on: date, path: str = "customer"
) -> Row:
    """The row with this id, where the person may see it; NotVisible otherwise, whether or not it exists."""
    found = visible(rows, person, on=on, path=path).filter(pk=pk).first() if 0 <= pk <= _BIGINT_MAX else None
    if found is None:
        raise NotVisible
    return found
