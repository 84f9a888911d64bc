"""What the verbs on single papers share: who may, under which locks, and how a refused row is told to a person."""

import itertools
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure
from shouxin.customers import registry
from shouxin.customers.models import Customer
from shouxin.office import posts
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.exposure import Bucket, Movement
from shouxin.rules.policy import Post

from .papers import DOC_NO_MAX, Outcome

MAY_POST = (Post.FINANCE, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
"""Who may put papers into the books; sales may not (separation of duties)."""

REVERSED = _("%(doc_no)s has been reversed already, or is a reversal.")

FIELDS = {
    "no_doc_no": "doc_no",
    "long_source": "source_system",
    "bad_text": "",
    "bad_amount": "amount",
    "bad_currency": "currency",
    "bad_kind": "kind",
    "credit_sign": "amount",
    "instalments": "instalments",
    "instalment_numbers": "instalments",
    "instalment_signs": "instalments",
    "unknown_customer": "customer",
    "due_before_document": "due_on",
}
"""The field of a form that a refusal's code is about."""


def require(by: Person | None, *, on: date, verb: str, at: datetime, about: models.Model | str) -> None:
    """Raises NotYourDuty where a person who is not the house itself holds none of the posts that keep the books."""
    if by is not None and not posts.is_system(by):
        posts.require(by, *MAY_POST, on=on, about=about, verb=verb, at=at)


def may(by: Person, *, on: date) -> bool:
    """Whether the person keeps the books on that day."""
    return posts.is_system(by) or bool(posts.posts_of(by, on=on) & set(MAY_POST))


def customer_for(reference: str | int, *, by: Person, on: date) -> Customer:
    """The customer a paper is posted on, by id or code. Raises NotVisible.

    Whoever keeps the books finds the restricted too: what is owed is still billed and paid (PIPL art. 47).
    """
    return registry.stored_customer(reference) if may(by, on=on) else registry.visible_customer(reference, by=by, on=on)


def accepted(outcome: Outcome) -> int:
    """The id of the paper posted (or posted before); raises Moved for a number in use, BadForm for a faulty row."""
    if outcome.id is not None:
        return outcome.id
    if (field := outcome.params.get("field", FIELDS.get(outcome.code))) is not None:
        raise BadForm([(field, outcome.message)])
    cure = _("Look at the paper posted under it, or give another number.") if outcome.code == "number_taken" else None
    raise Moved(outcome.message, code=outcome.code, cure=cure)


def refuse_later_than(today: date, **days: date | None) -> None:
    """Raises BadForm for every day given that lies after today: the books do not hold what has not happened."""
    later = [(name, _("This day lies in the future.")) for name, day in days.items() if day and day > today]
    if later:
        raise BadForm(later)


def post(account: int, amount: Decimal, document: str, *, today: date, at: datetime, by: Person | None) -> None:
    """Put a signed amount into (negative: out of) `receivable`; the account is locked."""
    exposure.post([exposure.Entry(account, into_receivable(amount), document)], on=today, at=at, by=by)


def into_receivable(amount: Decimal) -> Movement:
    """The movement of a paper of this signed amount: positive enters `receivable`, negative leaves it."""
    if amount > 0:
        return Movement(None, Bucket.RECEIVABLE, amount)
    return Movement(Bucket.RECEIVABLE, None, -amount)


def reversal_number(doc_no: str, used: QuerySet[Any]) -> str:
    """The number of the paper that reverses another one: the first free of -R, -R2, -R3 and on.

    `used`: the papers among which it must be the only one; their customer is locked.
    """
    endings = itertools.chain(["-R"], (f"-R{n}" for n in itertools.count(2)))
    numbers = (f"{doc_no[: DOC_NO_MAX - len(ending)]}{ending}" for ending in endings)
    return next(number for number in numbers if not used.filter(doc_no=number).exists())
