"""The statistics of granted credit on the page and over the API (C3.4)."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from ninja import Query, Router
from pydantic import BaseModel

from shouxin.lib.api import Amount, Body
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import posts, sight
from shouxin.office.door import acting
from shouxin.office.pages import page

from . import granted
from .granted import By

router = Router(tags=["reports"])
TABS: dict[By, Any] = {
    "grade": _("By grade"),
    "industry": _("By industry"),
    "region": _("By region"),
    "sales": _("By salesperson"),
}
COLUMNS = (
    Column("group", _("Group"), value=lambda row: row.name),
    Column("customers", _("Customers"), "number"),
    Column("limit", _("Granted"), "amount", currency="currency", total="limit"),
    Column("used", _("Used"), "amount", currency="currency", total="used"),
    Column("share", _("Share used"), "percent"),
    Column("unlimited", _("Without bound"), "number"),
    Column("expired", _("Run out"), "number"),
)


class GrantedAsked(Body):
    """By what the lines are grouped."""

    by: By = "grade"


class GrantedGroupOut(BaseModel):
    """One group in one currency; `share` is used of limit as text, null where no amount is granted."""

    key: str
    currency: str
    customers: int
    limit: Amount
    used: Amount
    share: str | None
    unlimited: int
    expired: int


class GrantedOut(BaseModel):
    """The groups of the lines in force today."""

    by: By
    groups: list[GrantedGroupOut]


@router.get("/reports/granted", response=GrantedOut)
def get_granted(request: HttpRequest, asked: Query[GrantedAsked]) -> dict[str, Any]:
    """What was granted and what of it is used, by grade, industry, region or salesperson."""
    found = _groups(request, asked.by)
    names = ("key", "currency", "customers", "limit", "used", "unlimited", "expired")
    rows = [{name: getattr(each, name) for name in names} for each in found]
    shares = [None if each.share is None else f"{each.share:.4f}" for each in found]
    return {"by": asked.by, "groups": [row | {"share": share} for row, share in zip(rows, shares, strict=True)]}


def _groups(request: HttpRequest, by: By) -> list[granted.Group]:
    who = acting(request)
    posts.require(who["by"], *sight.LOOKERS, on=who["on"], about="figures", verb="read_granted", at=who["at"])
    return granted.groups(by, seen_by=who["by"], on=who["on"])


@page
@require_GET
def granted_page(request: HttpRequest) -> HttpResponse:
    """Granted limits and their use, group by group."""
    asked = request.GET.get("by", "grade")
    by: By = next((each for each in TABS if each == asked), "grade")
    language = get_language() or "zh"
    rows = [replace(each, name=each.label(by, language)) for each in _groups(request, by)]
    listing = Listing(request, rows, COLUMNS, (Ask("by", "", "hidden"),), key="granted")
    if listing.wants_export:
        return listing.export()
    address = reverse("records:granted")
    tabs = [{"label": label, "address": f"{address}?by={each}", "current": each == by, "count": None}
            for each, label in TABS.items()]  # fmt: skip
    return render(request, "records/granted.html", {"listing": listing, "tabs": tabs})
