"""Securities on pages (B2.1): the register, proposing one, approving and ending it; what the line is without it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.office import attachments, policies, posts, sight, trail, trail_words
from shouxin.office.models import Person, TrailEntry
from shouxin.office.pages import acting, blame, moment, page, require_duty, status_of, typed, version_of
from shouxin.office.refusals import BadForm, Moved, Refusal
from shouxin.rules import securities as rule

from . import securities
from .models import Security
from .securities_api import move
from .security_forms import SecurityForm

STATUS_COLOURS = {"proposed": "amber", "active": "green", "declined": "red", "void": "red", "expired": "grey"}


def status(row: Security) -> tuple[Any, str]:
    """(word, colour) of a security's status."""
    return row.get_status_display(), STATUS_COLOURS.get(row.status, "grey")  # type: ignore[attr-defined]


def _address(row: Security) -> str:
    return reverse("credit:security", args=[row.pk])


COLUMNS = (
    Column("document", gettext_lazy("Document"), link=_address, sort="document"),
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", link=_address),
    Column("kind", gettext_lazy("Kind of security"), value=lambda row: row.get_kind_display(), sort="kind"),
    Column("value", gettext_lazy("Value of the security"), "amount", "value", "value", currency="currency"),
    Column("provider", gettext_lazy("Given by")),
    Column("status", gettext_lazy("Status"), "status", status),
    Column("since", gettext_lazy("From"), "date", sort="since"),
    Column("until", gettext_lazy("Until"), "date", sort="until"),
    Column("claim_until", gettext_lazy("Claim from the guarantor by"), "date", securities.claim_until),
    Column("subject", gettext_lazy("What it is"), hidden=True),
    Column("registration_no", gettext_lazy("Registration number"), hidden=True),
)
ASKS = (
    Ask("q", gettext_lazy("Customer"), where=search.of_customer),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(Security.STATUSES)),
    Ask("kind", gettext_lazy("Kind of security"), "select", "kind", tuple(Security.KINDS)),
)


@page
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """The register of securities, those about to run out under a tab of their own."""
    call = acting(request)
    rows = _rows(request)
    soon = securities.ending(policy=policies.in_force(call["on"]).policy, on=call["on"]).values_list("pk", flat=True)
    ending = rows.filter(pk__in=list(soon))
    which = request.GET.get("which") == "ending"
    listing = Listing(
        request, ending if which else rows, COLUMNS, (*ASKS, Ask("which", "", "hidden")), key="securities"
    )
    if listing.wants_export:
        return listing.export()
    address = reverse("credit:securities")
    tabs = [
        {"label": _("All"), "address": address, "current": not which, "count": None},
        {"label": _("Running out"), "address": f"{address}?which=ending", "current": which, "count": ending.count()},
    ]
    return render(request, "credit/securities.html", {"listing": listing, "tabs": tabs})


def _rows(request: HttpRequest) -> Any:
    call = acting(request)
    return sight.visible(Security, call["by"], on=call["on"]).select_related("customer", "proposed_by", "decided_by")


@page
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a security of a customer; `replaces` begins with the terms of one in force."""
    call = moment(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["today"])
    require_duty(request, *rule.ASKERS, verb="security.propose", about=customer)
    replaces = _replaced(request, customer)
    form = SecurityForm(
        request.POST or None, request.FILES or None, initial=_initial(customer, replaces, call["today"])
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _propose(customer, form, replaces, call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Entered. It counts once somebody else has approved it."))
            return redirect("credit:security", made.pk)
    told = {"form": form, "customer": customer, "replaces": replaces, "policy": policies.in_force(call["today"]).policy}
    return render(request, "credit/security_form.html", told, status=status_of(form))


@transaction.atomic
def _propose(customer: Customer, form: SecurityForm, replaces: Security | None, call: Mapping[str, Any]) -> Security:
    """The proposal with its paper, both or neither."""
    made = securities.propose(customer, form.terms(), reason=form.cleaned_data["reason"], replaces=replaces, **call)
    if upload := form.cleaned_data["file"]:
        securities.keep_paper(made, upload, **call)
    return made


@page
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the contract, the certificate, the policy with the security. A refusal is shown on its page."""
    call = moment(request)
    found = sight.get_visible(_rows(request), call["by"], pk, on=call["today"])
    try:
        upload = request.FILES.get("file")
        if upload is None:
            raise BadForm([("file", _("Choose a file."))])
        note = typed(request, "note", most=200)
        securities.keep_paper(found, upload, note=note, **call)
    except Refusal as refusal:
        trail.keep(refusal)
        return _detail(request, found, refusal)
    messages.success(request, _("Kept."))
    return redirect("credit:security", pk)


def _replaced(request: HttpRequest, customer: Customer) -> Security | None:
    replaced = whole(request.GET.get("replaces"))
    return None if replaced is None else customer.securities.filter(pk=replaced, status="active").first()


def _initial(customer: Customer, replaces: Security | None, today: Any) -> dict[str, Any]:
    if replaces is None:
        return {"currency": customer.currency, "since": today, "prior_claims": "0.00"}
    return {name: getattr(replaces, name) for name in SecurityForm.base_fields if name not in ("reason", "file")} | {
        "since": today
    }


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One security: its terms, what the line is with and without it, what was done so far."""
    call = acting(request)
    return _detail(request, sight.get_visible(_rows(request), call["by"], pk, on=call["on"]))


@page
@require_POST
def take_step(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Approve, decline, withdraw, give back, declare worthless. A refusal is shown on the page, with its cure."""
    call = moment(request)
    found = sight.get_visible(_rows(request), call["by"], pk, on=call["today"])
    reason = typed(request)
    try:
        move(found, verb, version=version_of(request), reason=reason, call=call)
    except Refusal as refusal:
        trail.keep(refusal)
        return _detail(request, sight.get_visible(_rows(request), call["by"], pk, on=call["today"]), refusal)
    messages.success(request, DONE[verb])
    return redirect("credit:security", pk)


DONE = {
    "approve": gettext_lazy("Approved. It counts from its first day on."),
    "decline": gettext_lazy("Declined."),
    "withdraw": gettext_lazy("Withdrawn."),
    "release": gettext_lazy("Given back. It counts no more."),
    "void": gettext_lazy("Recorded as worthless. It counts no more."),
}


def _history(found: Security) -> list[TrailEntry]:
    """What was done with it, each line with its `words`."""
    rows = list(TrailEntry.objects.filter(about=trail.name_of(found)).select_related("by").order_by("id"))
    for row in rows:
        row.words = capfirst(trail_words.verb(row))  # type: ignore[attr-defined]
    return rows


def _asks(by: Person, today: date) -> bool:
    return bool(posts.posts_of(by, on=today) & set(rule.ASKERS))


def _detail(request: HttpRequest, found: Security, refusal: Refusal | None = None) -> HttpResponse:
    call = moment(request)
    edition = policies.in_force(call["today"])
    reach = securities.reaches([found], policy=edition.policy, on=call["today"])[found.pk]
    who = {"edition": edition, "by": call["by"], "today": call["today"]}
    verbs = securities.verbs_for(found, reach, **who)
    barred = found.status == "proposed" and "approve" not in verbs and not reach.missing
    told = {
        "found": found,
        "customer": found.customer,
        "status": status(found),
        "share": edition.policy.securities.shares[found.kind],  # type: ignore[index]
        "claim_until": securities.claim_until(found),
        "claim_lost": (day := securities.claim_until(found)) is not None and day < call["today"],
        "reach": reach,
        "verbs": verbs,
        "may_replace": found.status == "active" and _asks(call["by"], call["today"]),
        "why_not": [securities.WORDS[code] for code in securities.why_not(found, reach, **who)] if barred else [],
        "history": _history(found),
        "attachments": attachments.listed(found, by=call["by"], on=call["today"]),
        "may_attach": bool(posts.posts_of(call["by"], on=call["today"]) & set(securities.KEEPERS)),
        "refusal": refusal,
    }
    return render(request, "credit/security.html", told, status=refusal.status if refusal else 200)
