"""The recommended list and the opportunities over the API (A8, C3.7); for internal use alone."""

from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from shouxin.lib.api import Amount, IsoDay
from shouxin.office import posts
from shouxin.office.door import acting

from . import market
from .market_views import INTERNAL, READERS, found

router = Router(tags=["reports"])


class RecommendedOut(BaseModel):
    """A unit of the list, with why. `available` is the room in its line, null: without bound or line."""

    customer: int
    code: str
    name: str
    grade: str
    months: int
    clean_months: int | None
    paid_invoices: int
    available: Amount | None
    currency: str
    salesperson: str | None
    why: list[str]


class ChanceOut(BaseModel):
    """An opportunity: unused room, a grade in reach, or a quiet customer like good payers."""

    kind: Literal["headroom", "upgrade", "alike"]
    customer: int
    code: str
    name: str
    grade: str
    amount: Amount | None
    currency: str
    salesperson: str | None
    words: str


class RecommendedList(BaseModel):
    """The list of a day; `use` says that it stays within the house."""

    as_of: IsoDay
    use: str
    items: list[RecommendedOut]


class ChanceList(BaseModel):
    """The opportunities of a day; `use` says that they stay within the house."""

    as_of: IsoDay
    use: str
    items: list[ChanceOut]


@router.get("/reports/recommended", response=RecommendedList, summary="Units with good records, each with why")
def read_recommended(request: HttpRequest) -> dict[str, Any]:
    """The customers the caller may see that meet every condition of the policy (A8)."""
    who = acting(request)
    posts.require(who["by"], *READERS, on=who["on"], about="recommended", verb="read_recommended", at=who["at"])
    units, _policy = found(request)
    return {
        "as_of": who["on"],
        "use": str(INTERNAL),
        "items": [recommended_row(each) for each in market.recommended(units)],
    }


@router.get("/reports/opportunities", response=ChanceList, summary="Where sales may find more business")
def read_opportunities(request: HttpRequest) -> dict[str, Any]:
    """Unused room, upgrade candidates and look-alikes among the customers the caller may see (C3.7)."""
    who = acting(request)
    posts.require(who["by"], *READERS, on=who["on"], about="opportunities", verb="read_opportunities", at=who["at"])
    units, _policy = found(request)
    return {"as_of": who["on"], "use": str(INTERNAL), "items": [chance_row(each) for each in market.chances(units)]}


def recommended_row(unit: market.Unit) -> dict[str, Any]:
    """A unit of the list as it is told outside the pages."""
    record = unit.record
    return _who(unit) | {
        "months": record.months,
        "clean_months": record.clean_months,
        "paid_invoices": record.paid_invoices,
        "available": unit.room,
        "why": market.reason_words(unit.policy, record),
    }


def chance_row(each: market.Chance) -> dict[str, Any]:
    """An opportunity as it is told outside the pages."""
    amount: Decimal | None = each.amount
    return _who(each.unit) | {"kind": each.kind, "amount": amount, "words": each.words}


def _who(unit: market.Unit) -> dict[str, Any]:
    customer = unit.customer
    return {
        "customer": customer.pk,
        "code": customer.code,
        "name": customer.name,
        "grade": unit.grade,
        "currency": unit.currency,
        "salesperson": customer.salesperson.username if customer.salesperson else None,
    }
