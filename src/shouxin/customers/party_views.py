"""Pages of related parties: a tie, a person, an agent."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.office import attachments, policies, posts, sight
from shouxin.office.pages import acting, page, require_duty, typed
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules import agency
from shouxin.rules import blacklist as rules

from . import agents, blacklist, groups, persons, registry
from .blacklist_views import case_status
from .models import Agent, Customer, PersonTie
from .party_forms import AgentForm, PersonForm, SigningForm, TieForm
from .party_pages import customer_of, file_of, filled, keep_about, keep_with, may_attach
from .standing import Bite

STATES: dict[str, tuple[Any, str]] = {
    "valid": (gettext_lazy("Valid"), "green"),
    "expiring": (gettext_lazy("Ends soon"), "amber"),
    "not_begun": (gettext_lazy("Not begun"), "blue"),
    "incomplete": (gettext_lazy("Elements missing"), "red"),
    "expired": (gettext_lazy("Expired"), "red"),
    "revoked": (gettext_lazy("Revoked"), "grey"),
}
ELEMENTS: dict[str, Any] = {
    "agent": gettext_lazy("Agent"),
    "matters": gettext_lazy("Matters"),
    "scope": gettext_lazy("Scope of the power"),
    "period": gettext_lazy("Period of authority"),
    "seal": gettext_lazy("Signature or seal of the principal"),
}


@page
@require_http_methods(["GET", "POST"])
def add_tie(request: HttpRequest, pk: int) -> HttpResponse:
    """Hang the customer beneath a parent, or let it leave its group."""
    call, customer = acting(request), customer_of(request, pk)
    require_duty(request, *groups.KEEPERS, verb="tie", about=customer)

    def save(given: dict[str, Any]) -> None:
        parent = None
        if given["parent"]:
            try:
                parent = registry.visible_customer(given["parent"], by=call["by"], on=call["on"])
            except NotVisible:
                raise BadForm([("parent", NotVisible.message)]) from None
        new = groups.NewTie(parent, given["kind"], given["percent"], given["why"], given["since"])
        groups.tie(customer, new, **call)

    return filled(request, TieForm(request.POST or None), customer, _("Tie to a parent"), save, _("The tie is kept."))


@page
@require_http_methods(["GET", "POST"])
def add_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody stands behind the customer."""
    call, customer = acting(request), customer_of(request, pk)
    require_duty(request, *persons.KEEPERS, verb="add_person_tie", about=customer)
    start = {"name": customer.legal_representative, "role": "legal_representative"} if "rep" in request.GET else {}
    form = PersonForm(request.POST or None, initial=start)

    def save(given: dict[str, Any]) -> None:
        persons.add(customer, **given, **call)

    return filled(request, form, customer, _("A person behind the customer"), save, _("The person is on record."))


@page
@require_POST
def end_person(request: HttpRequest, pk: int) -> HttpResponse:
    """The person stands behind the customer no longer."""
    call = acting(request)
    row = persons.end(sight.get_visible(PersonTie, call["by"], pk, on=call["on"]), **call)
    messages.success(request, _("Done."))
    return redirect(file_of(row.customer))


# --- agents --------------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def add_agent(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a power of attorney into the file."""
    call, customer = acting(request), customer_of(request, pk)
    require_duty(request, *agents.RECORDERS, verb="record_agent", about=customer)

    def save(given: dict[str, Any]) -> None:
        upload = given.pop("file")
        with transaction.atomic():
            made = agents.record(customer, agents.NewAgent(**given | {"matters": tuple(given["matters"])}), **call)
            keep_about(upload, made, customer, call)

    done = _("The power of attorney is on record.")
    form = AgentForm(request.POST or None, request.FILES or None)
    return filled(request, form, customer, _("New power of attorney"), save, done)


@page
@require_GET
def agent(request: HttpRequest, pk: int) -> HttpResponse:
    """An agent: the five elements, the state of the power, and the check whether he may sign something."""
    call = acting(request)
    found = sight.get_visible(Agent.objects.select_related("customer", "recorded_by"), call["by"], pk, on=call["on"])
    asked = "matter" in request.GET
    form = SigningForm(request.GET if asked else None)
    told: dict[str, Any] = {"agent": found, "customer": found.customer, "form": form}
    if asked and form.is_valid():
        given = form.cleaned_data
        currency = found.currency or found.customer.currency
        act = agency.Act(given["matter"], given["on"] or call["on"], given["amount"], currency)
        told |= {"answered": True, "reasons": [agents.told(each) for each in agents.reasons(found, act, on=call["on"])]}
    lacks = agency.missing(agents.power_of(found))
    told |= {
        "state": _state(found, call),
        "elements": [(label, name not in lacks) for name, label in ELEMENTS.items()],
        "masked": agents.masked(found),
        "attachments": attachments.listed(found, by=call["by"], on=call["on"]),
        "matters": [label for name, label in Agent.MATTERS if name in found.matters],
        "may_attach": may_attach(call, agents.RECORDERS),
        "may_revoke": agents.may_revoke(found, call["by"], call["on"]),
    }
    return render(request, "customers/agent.html", told)


@page
@require_POST
def attach_to_agent(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the power itself, or another paper, with the agent."""
    call = acting(request)
    found = sight.get_visible(Agent.objects.select_related("customer"), call["by"], pk, on=call["on"])
    keep_with(request, found)
    return redirect("customers:agent", pk)


@page
@require_POST
def revoke_agent(request: HttpRequest, pk: int) -> HttpResponse:
    """The principal has taken the power back."""
    call = acting(request)
    found = sight.get_visible(Agent.objects.select_related("customer"), call["by"], pk, on=call["on"])
    agents.revoke(found, why=typed(request, most=500), **call)
    messages.success(request, _("The power is revoked."))
    return redirect("customers:agent", pk)


def _state(found: Agent, call: dict[str, Any]) -> tuple[Any, str]:
    days = policies.in_force(call["on"]).policy.parties.agent_warning_days
    return STATES[agents.state_of(found, on=call["on"], warning_days=days)]


def party_lists(customer: Customer, bite: Bite, call: dict[str, Any]) -> dict[str, Any]:
    """What the file's tab shows beside the tree: persons, where else they are, agents, cases, and what may be done."""
    held = posts.posts_of(call["by"], on=call["on"])
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    behind = persons.behind(customer)
    elsewhere = persons.elsewhere(customer, behind, seen_by=seen_by, on=call["on"])
    return {
        "behind": [(row, persons.masked(row.person)) for row in behind],
        "elsewhere": elsewhere,
        "alarming": [each for each in elsewhere if each.standing in ("blacklisted", "suspended")],
        "unnamed": bool(customer.legal_representative)
        and not any(row.role == "legal_representative" for row in behind),
        "bite": bite,
        "agents": [(each, _state(each, call)) for each in agents.of(customer)],
        "cases": [(each, case_status(each)) for each in blacklist.cases_of(customer)],
        "may_tie": bool(held & set(groups.KEEPERS)),
        "may_record": bool(held & set(agents.RECORDERS)),
        "may_propose": bool(held & set(rules.PROPOSERS)),
    }
