"""Orders that wait for a person: the list, one hold with its release, and the register of overrides."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.customers import search
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import moves, policies, sight
from shouxin.office.models import POST_LABELS
from shouxin.office.pages import acting, blame, moment, page
from shouxin.office.refusals import BadForm, CannotDecide
from shouxin.rules.money import round_half_up

from . import evidence, holds
from .forms import RejectForm, ReleaseForm
from .models import CreditDecision, Hold
from .views import shown


def _rows(request: HttpRequest) -> Any:
    who = acting(request)
    rows = sight.visible(Hold, who["by"], on=who["on"])
    return rows.select_related("customer", "decision__by", "decided_by", "released_decision")


def _address(row: Hold) -> str:
    return reverse("orders:hold", args=[row.pk])


def _age(today: date) -> Any:
    return lambda row: (today - row.decision.as_of).days


def _name(row: Hold) -> str:
    return row.customer.name if row.customer else row.decision.customer_code.removeprefix("?")


def _of_reason(rows: Any, code: str) -> Any:
    return rows.filter(decision__reasons__contains=[{"code": code}])


def _columns(today: date) -> tuple[Column, ...]:
    chips, names = (lambda row: evidence.chips(row.decision)), (lambda row: evidence.reason_names(row.decision))
    currency = "decision.currency"
    return (
        Column("order", gettext_lazy("Order"), value="decision.order_no", link=_address, drawer=True),
        Column("customer", gettext_lazy("Customer"), value=_name, link=evidence.customer_address),
        Column("amount", gettext_lazy("Amount"), "amount", "decision.amount", "decision__amount", currency=currency),
        Column("status", gettext_lazy("Status"), "status", evidence.hold_status),
        Column("reasons", gettext_lazy("Reasons"), "html", chips, plain=names),
        Column("age", gettext_lazy("Days waiting"), "number", _age(today), "opened_at"),
        Column("asked_by", gettext_lazy("Asked by"), value="decision.by"),
        Column("opened_at", gettext_lazy("Since"), "moment", sort="opened_at", hidden=True),
    )


ASKS = (
    Ask("customer", gettext_lazy("Customer"), where=search.of_customer),
    Ask("order_no", gettext_lazy("Order number"), where="decision__order_no__icontains"),
    Ask("reason", gettext_lazy("Reason"), "select", _of_reason, tuple(evidence.REASON_LABELS.items())),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(Hold.STATUSES), default="open"),
)


@page
@require_GET
def hold_list(request: HttpRequest) -> HttpResponse:
    """Orders on hold, the open ones unless she asks for others; oldest first."""
    columns = _columns(acting(request)["on"])
    listing = Listing(request, _rows(request), columns, ASKS, key="holds", order="opened_at")
    return listing.export() if listing.wants_export else render(request, "orders/holds.html", {"listing": listing})


OVERRIDE_COLUMNS = (
    Column(
        "decided_at", gettext_lazy("Released at"), "moment", sort="decided_at", dear=True, link=_address, drawer=True
    ),
    Column("customer", gettext_lazy("Customer"), value=_name),
    Column("order", gettext_lazy("Order"), value="decision.order_no"),
    Column(
        "amount", gettext_lazy("Amount"), "amount", "decision.amount", "decision__amount", currency="decision.currency"
    ),
    Column(
        "up_to", gettext_lazy("Released up to"), "amount", "up_to_amount", "up_to_amount", currency="decision.currency"
    ),
    Column("until", gettext_lazy("Until"), "date", sort="until", dear=True),
    Column("decided_by", gettext_lazy("Released by")),
    Column("asked_by", gettext_lazy("Asked by"), value="decision.by"),
    Column("reason", gettext_lazy("Why")),
    Column(
        "reasons",
        gettext_lazy("Overruled"),
        "html",
        lambda row: evidence.chips(row.decision),
        plain=lambda row: evidence.reason_names(row.decision),
    ),
)
OVERRIDE_ASKS = (
    Ask("customer", gettext_lazy("Customer"), where=search.of_customer),
    Ask("who", gettext_lazy("Released by"), where="decided_by__name__icontains"),
    Ask("since", gettext_lazy("From"), "date", "decided_at__date__gte"),
    Ask("until", gettext_lazy("Until"), "date", "decided_at__date__lte"),
)


@page
@require_GET
def overrides(request: HttpRequest) -> HttpResponse:
    """The register: who released which order, why, up to what amount (I-19)."""
    rows = _rows(request).filter(status="released")
    listing = Listing(request, rows, OVERRIDE_COLUMNS, OVERRIDE_ASKS, key="overrides", order="-decided_at")
    return listing.export() if listing.wants_export else render(request, "orders/overrides.html", {"listing": listing})


# --- one hold ------------------------------------------------------------------------------------


def _hold(request: HttpRequest, number: int) -> Hold:
    who = acting(request)
    rows = _rows(request).select_related("customer", "decision__by", "decision__customer", "decision__reservation",
                                         "decision__superseded_by", "decided_by", "released_decision")  # fmt: skip
    return sight.get_visible(rows, who["by"], number, on=who["on"])


@page
@require_GET
def hold(request: HttpRequest, number: int) -> HttpResponse:
    """One hold: why, who may release it, and what she may do about it."""
    return _hold_page(request, _hold(request, number))


def _hold_page(request: HttpRequest, found: Hold, **forms: Any) -> HttpResponse:
    who, edition = acting(request), policies.in_force(acting(request)["on"])
    verbs = moves.verbs_for(found, holds.FLOW, who["by"], who["on"])
    signing = _signing(found, edition, who) if found.status == "open" else {}
    release = forms.get("release") or ReleaseForm(initial=_proposed(found, edition, who["on"]))
    told = shown(found.decision) | {
        "hold": found,
        "on_hold_page": True,
        "status": evidence.hold_status(found),
        "verbs": verbs,
        "release": release,
        "reject": forms.get("reject") or RejectForm(),
        "facts": evidence.facts_of(found.decision),
        "superseded_by": getattr(found.decision, "superseded_by", None),
        **signing,
    }
    faulty = any(form.errors for form in forms.values())
    return render(request, "orders/hold.html", told, status=422 if faulty else 200)


def _proposed(found: Hold, edition: policies.Edition, today: date) -> dict[str, Any]:
    """Up to the order's own amount with the policy's tolerance, for as long as the policy lets a release live."""
    check = edition.policy.order_check
    up_to = round_half_up(found.decision.amount * (1 + check.release_tolerance))
    return {"up_to_amount": f"{up_to:,.2f}", "until": today + timedelta(days=check.release_days)}


def _signing(found: Hold, edition: policies.Edition, who: dict[str, Any]) -> dict[str, Any]:
    """Who may release the hold, what the customer would owe then, and why she who looks may not."""
    try:
        up_to = Decimal(found.decision.amount)
        needed = holds.signers(found, up_to=up_to, edition=edition, today=who["on"])
    except CannotDecide as refusal:
        return {"undecidable": str(refusal), "why_not": [], "signers": []}
    codes = holds.why_not(found, needed, by=who["by"], today=who["on"])
    return {
        "signers": [POST_LABELS[post] for post in needed.posts],
        "owed_with": needed.amount.bound or Decimal(0),
        "company_currency": edition.policy.company.currency,
        "why_not": list(dict.fromkeys(str(holds.WORDS[code]) for code in codes)),
    }


@page
@require_POST
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Overrule the hold; the order is checked again and reserved."""
    found, form = _hold(request, number), ReleaseForm(request.POST)
    if form.is_valid():
        try:
            edition = policies.in_force(acting(request)["on"])
            made = holds.release(found, edition=edition, **form.cleaned_data, **moment(request))
        except BadForm as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Released: order %(order)s is reserved.") % {"order": made.order_no})
            return redirect("orders:decision", made.pk)
    return _hold_page(request, found, release=form)


@page
@require_POST
def reject(request: HttpRequest, number: int) -> HttpResponse:
    """Say no to the order."""
    found, form = _hold(request, number), RejectForm(request.POST)
    if not form.is_valid():
        return _hold_page(request, found, reject=form)
    holds.reject(found, reason=form.cleaned_data["reason"], **moment(request))
    messages.success(request, _("Rejected: the order stays blocked."))
    return redirect("orders:hold", number)


@page
@require_POST
def recheck(request: HttpRequest, number: int) -> HttpResponse:
    """Ask again as of today."""
    edition = policies.in_force(acting(request)["on"])
    again: CreditDecision = holds.recheck(_hold(request, number), edition=edition, **moment(request))
    if again.outcome == "approve":
        messages.success(request, _("The cause is cured: the order may ship and is reserved."))
    else:
        messages.warning(request, _("Checked again: the order is still blocked."))
    return redirect("orders:decision", again.pk)
