"""Two parts of the customer's file: related parties with the drawn group, and the check of the counterparty."""

from datetime import date
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from shouxin.customers import groups, party_views
from shouxin.customers.models import Customer
from shouxin.office import policies, sight
from shouxin.office.pages import acting, page, past_day

from . import labels, parties, parties_api
from .positions import Position


def related(request: HttpRequest, customer: Customer, position: Position) -> dict[str, Any]:
    """The group as it was tied on a day with what each member owes now, persons, agents, cases."""
    call = acting(request)
    on = past_day(request.GET.get("as_of", ""), call["on"])
    group = parties.group_of(
        customer,
        seen_by=sight.customers_seen_by(call["by"], call["on"]),
        policy=policies.in_force(call["on"]).policy,
        on=on,
    )
    return party_views.party_lists(customer, call) | {
        "group": group,
        "drawn": _drawn(group.members),
        "group_day": on,
        "ties": groups.history(customer),
    }


def _drawn(members: list[parties.Member]) -> list[tuple[parties.Member, Any, SafeString]]:
    """Each member with its standing where it is not good, and the marks that close or open branches behind it."""
    depths = [member.node.depth for member in members] + [0]
    marks = ["<ul>" if after > here else "</li>" + "</ul></li>" * (here - after) for here, after in pairwise(depths)]
    return [(member, _state(member), mark_safe(mark)) for member, mark in zip(members, marks, strict=True)]


def _state(member: parties.Member) -> Any:
    found = member.position
    return labels.standing_status(found.standing) if found and found.standing != "good" else None


def counterparty(request: HttpRequest, customer: Customer, position: Position) -> dict[str, Any]:
    """The checklist of B1.1 and B1.3."""
    found = _checklist(customer, acting(request)["on"])
    word, colour = parties.OUTCOMES[found.verdict]
    return {"items": parties.shown(found), "verdict": (str(word), colour)}


@page
@require_GET
def counterparty_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The checklist to print, as PDF or Word."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    return parties_api.checklist_file(customer, _checklist(customer, call["on"]), ending)


def _checklist(customer: Customer, on: date) -> parties.Checklist:
    return parties.checklist(customer, policy=policies.in_force(on).policy, on=on)
