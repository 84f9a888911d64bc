"""The group's tree and the counterparty's checklist over the API."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel

from shouxin.customers import registry
from shouxin.customers.models import Customer
from shouxin.lib import documents, sheets
from shouxin.lib.api import Amount, IsoDay
from shouxin.office import policies, sight
from shouxin.office.door import acting
from shouxin.office.refusals import NotVisible

from . import parties
from .credit_file import CreditFile

router = Router(tags=["related parties"])


class MemberOut(BaseModel):
    """A member of the tree. `customer` null: out of the caller's sight. `share`: the top's through the whole chain."""

    customer: int | None
    code: str
    name: str
    parent: int | None
    depth: int
    kind: str
    percent: Decimal | None
    share: Decimal | None
    in_pool: bool
    standing: str
    exposure: Amount | None
    currency: str


class GroupOut(BaseModel):
    """A group on a day. `pool` null: none, or without bound, as `pool_kind` says."""

    head: int
    as_of: IsoDay
    pool: Amount | None
    pool_kind: str
    currency: str
    used: Amount
    room: Amount | None
    missing_rate: str
    members: list[MemberOut]


class GroupAsked(BaseModel):
    """Which day's ties; today's where left out."""

    as_of: IsoDay | None = None


class CheckAsked(BaseModel):
    """For which amount, in the currency of the line; left out: for none in particular."""

    amount: Amount | None = None


class ItemOut(BaseModel):
    """One item of the checklist."""

    key: str
    clause: str
    name: str
    outcome: str
    measured: str
    cure: str


class ChecklistOut(BaseModel):
    """The checklist of B1.1 and B1.3 with the worst of its outcomes: pass, fail, unknown."""

    customer: int
    as_of: IsoDay
    outcome: str
    items: list[ItemOut]


@router.get("/customers/{reference}/group", response=GroupOut)
def get_group(request: HttpRequest, reference: str, asked: Query[GroupAsked]) -> dict[str, Any]:
    """The customer's group as a tree with exposures, and the use of its pool."""
    call = acting(request)
    on = asked.as_of or call["on"]
    if asked.as_of:
        policies.refuse_before_first(on)
    found = parties.group_of(
        _seen(request, reference),
        seen_by=sight.customers_seen_by(call["by"], call["on"]),
        policy=policies.in_force(call["on"]).policy,
        on=on,
    )
    seen = {each.customer.pk for each in found.members if each.customer}
    return {
        "head": found.head,
        "as_of": on,
        "pool": found.pool.amount,
        "pool_kind": found.pool.kind,
        "currency": found.currency,
        "used": found.used,
        "room": found.room.bound,
        "missing_rate": found.missing,
        "members": [_member(each, seen) for each in found.members],
    }


@router.get("/customers/{reference}/counterparty-check", response=ChecklistOut)
def get_checklist(request: HttpRequest, reference: str, asked: Query[CheckAsked]) -> dict[str, Any]:
    """Legal standing (B1.1) and ability to perform (B1.3): pass, fail or unknown, each with what would cure it."""
    customer = _seen(request, reference)
    found = _checklist(request, customer, asked.amount)
    rows = [{name: each[name] for name in ItemOut.model_fields} for each in parties.shown(found)]
    return {"customer": customer.pk, "as_of": found.on, "outcome": found.verdict, "items": rows}


@router.get("/customers/{reference}/counterparty-check.{ending}")
def get_checklist_file(request: HttpRequest, reference: str, ending: str, asked: Query[CheckAsked]) -> HttpResponse:
    """The checklist to print: PDF or Word."""
    customer = _seen(request, reference)
    return checklist_file(customer, _checklist(request, customer, asked.amount), ending)


def checklist_file(customer: Customer, found: parties.Checklist, ending: str) -> HttpResponse:
    """The checklist in this form. Raises NotVisible for a form there is not."""
    if ending not in documents.FACES:
        raise NotVisible
    make, media = documents.FACES[ending]
    content = parties.checklist_paper(customer, found)
    return sheets.attachment([make(content)], f"counterparty-{customer.code}.{ending}", media)


def _checklist(request: HttpRequest, customer: Customer, amount: Decimal | None) -> parties.Checklist:
    on = acting(request)["on"]
    return parties.checklist(CreditFile(customer, policies.in_force(on).policy, on), needed=amount)


def _seen(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])


def _member(member: parties.Member, seen: set[int]) -> dict[str, Any]:
    node, customer, position = member.node, member.customer, member.position
    return {
        "customer": customer.pk if customer else None,
        "code": customer.code if customer else "",
        "name": customer.name if customer else "",
        "parent": node.tie.parent if node.tie and customer and node.tie.parent in seen else None,
        "depth": node.depth,
        "kind": node.tie.kind if node.tie else "",
        "percent": node.tie.percent if node.tie else None,
        "share": node.share,
        "in_pool": node.bound,
        "standing": position.standing if position else "",
        "exposure": position.used if position else None,
        "currency": position.currency if position else "",
    }
