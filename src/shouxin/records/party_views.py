"""Two parts of the customer's file: related parties with the drawn group, and the check of the counterparty."""

from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from shouxin.customers import groups, party_views
from shouxin.customers.models import Customer, GroupTie
from shouxin.office import policies, sight
from shouxin.office.pages import acting, page, past_day

from . import labels, parties, parties_api
from .credit_file import CreditFile


def related(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The group as it was tied on a day with what each member owes now, persons, agents, cases."""
    call, customer = acting(request), file.customer
    on = past_day(request.GET.get("as_of", ""), call["on"])
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    group = parties.group_of(customer, seen_by=seen_by, policy=file.policy, on=on)
    if on == file.on:
        file.position = group.own
    return party_views.party_lists(customer, file.position.bite, call) | {
        "group": group,
        "drawn": _drawn(group.members),
        "group_day": on,
        "ties": _ties(customer, call),
    }


def _ties(customer: Customer, call: dict[str, Any]) -> list[tuple[GroupTie, bool]]:
    """Every tie it ever had, and whether the reader sees the parent."""
    ties = groups.history(customer)
    parents = {tie.parent_id for tie in ties if tie.parent_id}
    rows = sight.visible(Customer, call["by"], on=call["on"]).filter(pk__in=parents)
    seen = set(rows.values_list("pk", flat=True)) if parents else set()
    return [(tie, tie.parent_id in seen) for tie in ties]


def _drawn(members: list[parties.Member]) -> list[tuple[parties.Member, Any, SafeString]]:
    """Each member with its standing where it is not good, and the marks that close or open branches behind it."""
    depths = [member.node.depth for member in members] + [0]
    marks = ["<ul>" if after > here else "</li>" + "</ul></li>" * (here - after) for here, after in pairwise(depths)]
    return [(member, _state(member), mark_safe(mark)) for member, mark in zip(members, marks, strict=True)]


def _state(member: parties.Member) -> Any:
    found = member.position
    return labels.standing_status(found.standing) if found and found.standing != "good" else None


def counterparty(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The checklist of B1.1 and B1.3."""
    found = parties.checklist(file)
    word, colour = parties.OUTCOMES[found.verdict]
    return {"items": parties.shown(found), "verdict": (str(word), colour)}


@page
@require_GET
def counterparty_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The checklist to print, as PDF or Word."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    file = CreditFile(customer, policies.in_force(call["on"]).policy, call["on"])
    return parties_api.checklist_file(customer, parties.checklist(file), ending)
