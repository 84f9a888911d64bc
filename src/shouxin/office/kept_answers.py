"""Answers kept for an Idempotency-Key are papers about customers: who gets one again, and when one is emptied."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote

from shouxin.lib.numbers import whole

from . import sight
from .idempotency import Answer
from .models import IdempotencyKey, Person
from .refusals import NotVisible

FORGOTTEN = 410
"""The status of an answer that was emptied because the person it told of was erased."""

NOBODY = "unknown_customer"
"""The reason that a check gives where its caller knew of no such customer: it tells nothing about one."""

IMPERSONAL = "/api/v1/credit-checks"
"""Answers below this address are many, and name a customer by code alone."""

_ADDRESS = re.compile(r"/api/v1/customers(?:/([^/?]+))?(?:[/?]|$)")


def require_visible(known: Answer, *, path: str, by: Person, on: date, though_restricted: bool) -> None:
    """Raise NotVisible unless she sees every customer the answer tells of, now.

    `though_restricted`: what was done stands in the books, which go on while the customer's data are restricted.
    """
    if known.status == FORGOTTEN:
        raise NotVisible
    if not sight.sees_every(by, customers_of(path, known.text), on, though_restricted=though_restricted):
        raise NotVisible


def forget(customer: int, code: str, *, since: datetime) -> int:
    """Empty every answer kept since that moment that tells of the customer (PIPL art. 47); how many there were."""
    rows = IdempotencyKey.objects.filter(at__gte=since, status__lt=FORGOTTEN).exclude(path__startswith=IMPERSONAL)
    about = [
        pk
        for pk, path, text in rows.values_list("pk", "path", "answer").iterator()
        if {customer, code} & customers_of(path, text)
    ]
    return IdempotencyKey.objects.filter(pk__in=about).update(status=FORGOTTEN, answer="")


def customers_of(path: str, text: str) -> set[int | str]:
    """The ids (numbers) and codes (texts) of the customers an answer tells of, and of the one in its address."""
    told = json.loads(text) if text else None
    found = set(_named(told))
    if (address := _ADDRESS.search(path)) is None:
        return found
    if address[1] is None:  # a registration: the new customer, and who may be the same
        return found | {each["id"] for each in (told, *told["doubles"])}
    asked = unquote(address[1])
    return found | {asked if (pk := whole(asked)) is None else pk}


def _named(told: Any) -> Iterator[int | str]:
    """What stands under `customer`, at whatever depth."""
    if isinstance(told, dict):
        if isinstance(customer := told.get("customer"), (int, str)) and not _of_nobody(told):
            yield customer
        told = [*told.values()]
    for each in told if isinstance(told, list) else ():
        yield from _named(each)


def _of_nobody(told: dict[str, Any]) -> bool:
    reasons = told.get("reasons")
    return isinstance(reasons, list) and any(isinstance(each, dict) and each.get("code") == NOBODY for each in reasons)
