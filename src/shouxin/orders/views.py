"""The credit-check desk, and each decision with everything it was taken from."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from shouxin.credit import exposure, lines
from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.lib.templatetags.shouxin import plain_amount
from shouxin.office import policies, sight, trail
from shouxin.office.pages import acting, blame, page
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import asking, checks, evidence, wording
from .forms import CheckForm
from .models import CreditDecision

RECENT = 8
SUGGESTED = 8


@page
@require_http_methods(["GET", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """Ask, or check and reserve; the answer stands beside the form, the checks before it below."""
    form = CheckForm(request.POST if request.method == "POST" else None, initial=_initial(request))
    if request.method == "POST" and (decision := _decided(request, form)):
        return _answered(request, form, decision)
    wanted = whole(request.GET.get("decision"))
    return _desk(request, form, None if wanted is None else visible_decision(request, wanted))


def _desk(request: HttpRequest, form: CheckForm, decision: CreditDecision | None) -> HttpResponse:
    """The desk, or (asked by htmx) its form and its answer alone."""
    told = {"form": form, "recent": _recent(request), "may_ask": _may_ask(request)}
    told |= shown(decision) if decision else {}
    template = "orders/desk_parts.html" if request.method == "POST" and request.htmx else "orders/desk.html"  # type: ignore[attr-defined]
    return render(request, template, told, status=422 if form.errors else 200)


def _initial(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("customer", "order_no", "amount") if name in request.GET}


def _may_ask(request: HttpRequest) -> bool:
    who = acting(request)
    return asking.may_check(who["by"], on=who["on"])


def _decided(request: HttpRequest, form: CheckForm) -> CreditDecision | None:
    """The decision on the form; None where something in it cannot be accepted."""
    who, reserve = acting(request), request.POST.get("act") == "reserve"
    asking.require_checker(who["by"], on=who["on"], at=who["at"])
    if not form.is_valid():
        return None
    code, today = _code(request, form), form.cleaned_data["as_of"] or who["on"]
    if reserve and not form.cleaned_data["order_no"]:
        form.add_error("order_no", _("To reserve, the order needs its number."))
    if today > who["on"] or (reserve and today != who["on"]):
        form.add_error("as_of", _("Reserve as of today; of an earlier day one may only ask."))
    policy = policies.in_force(who["on"]).policy
    if unfit := asking.unfit(form.cleaned_data["ship_on"], policy, today=who["on"], as_of=today):
        form.add_error("ship_on", unfit)
    if form.errors or code is None:
        return None
    asked, edition = form.request(code, reserve=reserve), policies.in_force(today)
    try:
        return checks.decide([asked], edition=edition, today=today, at=who["at"], by=who["by"])[0]
    except Moved as refusal:
        trail.keep(refusal)
        form.add_error("order_no", f"{refusal} {refusal.cure_text}".strip())
    except BadForm as refusal:
        blame(form, refusal)
    return None


def _code(request: HttpRequest, form: CheckForm) -> str | None:
    """The code of the customer meant: its code or id, or part of its name that means no other."""
    who, given = acting(request), form.cleaned_data["customer"].split(" ")[0]
    code = asking.codes_of([given], by=who["by"], on=who["on"])[given]
    if sight.visible(Customer, who["by"], on=who["on"]).filter(code=code).exists():
        return code
    found = list(search.find(form.cleaned_data["customer"], sight.customers_seen_by(who["by"], who["on"]))[:2])
    if len(found) == 1:
        return found[0].code
    form.add_error("customer", _("Several customers are meant; choose one.") if found else _("No such customer."))
    return None


def _answered(request: HttpRequest, form: CheckForm, decision: CreditDecision) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return _desk(request, form, decision)
    return redirect(f"{reverse('orders:desk')}?decision={decision.pk}")


def _recent(request: HttpRequest) -> list[CreditDecision]:
    return list(_decisions(request).order_by("-pk")[:RECENT])


def _decisions(request: HttpRequest) -> Any:
    who = acting(request)
    return sight.visible(CreditDecision, who["by"], on=who["on"]).select_related("customer", "by")


@page
@require_GET
def customers(request: HttpRequest) -> HttpResponse:
    """Whom the typed text may mean: a few customers to choose from."""
    who, text = acting(request), request.GET.get("customer", "")[:200]
    found = search.find(text, sight.customers_seen_by(who["by"], who["on"])).order_by("pk")[:SUGGESTED]
    return render(request, "orders/customers.html", {"found": found})


@page
@require_GET
def customer(request: HttpRequest, code: str) -> HttpResponse:
    """The customer chosen: the field with its code, and how much room its line has."""
    who = acting(request)
    rows = sight.visible(Customer, who["by"], on=who["on"]).filter(code=code.replace("\x00", ""))
    if not (chosen := rows.first()):
        raise NotVisible
    held = lines.in_force([chosen.pk], on=who["on"])[chosen.pk]
    told = {"chosen": chosen, "line": held, "line_label": lines.label(held.line), "room": _room(chosen, held)}
    return render(request, "orders/customer_chosen.html", told)


def _room(chosen: Customer, held: lines.InForce) -> dict[str, Any] | None:
    """What the exposure bar needs; None where the customer owes in another currency than the line's."""
    currency = held.line.currency if held.line else chosen.currency
    owed = exposure.exposures([chosen.pk])[chosen.pk]
    if set(owed) - {currency}:
        return None
    bound = held.limit.bound
    total = bound if bound is None else bound + held.temporary_limit
    unlimited = held.limit.kind == "unlimited"
    return {"exposure": owed.get(currency), "limit": total, "currency": currency, "unlimited": unlimited}


# --- one decision --------------------------------------------------------------------------------


def visible_decision(request: HttpRequest, number: int) -> CreditDecision:
    """The decision, where she may see it: by the customer, or her own question about nobody we know."""
    who = acting(request)
    rows = CreditDecision.objects.select_related("customer", "by", "reservation", "supersedes", "superseded_by", "hold")
    own = rows.filter(pk=number, customer=None, by=who["by"]).first() if number < 2**63 else None
    return own or sight.get_visible(rows, who["by"], number, on=who["on"])


def shown(decision: CreditDecision) -> dict[str, Any]:
    """What the templates say about a decision."""
    told = [_told(reason, decision.line_currency) for reason in decision.reasons]
    return {
        "decision": decision,
        "reasons": [each for each in told if each["severity"] != "released"],
        "overruled": [each for each in told if each["severity"] == "released"],
        "room": evidence.room_of(decision),
        "hold": getattr(decision, "hold", None),
    }


def _told(reason: dict[str, Any], currency: str) -> dict[str, Any]:
    """The reason in words, its amounts grouped as amounts are."""
    told = wording.told(reason, currency)
    if reason["code"] in wording.MONEY:
        told |= {name: plain_amount(told[name]) for name in ("measured", "allowed")}
    return told


@page
@require_GET
def decision(request: HttpRequest, number: int) -> HttpResponse:
    """A decision with everything it was taken from; it is never edited."""
    return _decision_page(request, visible_decision(request, number))


@page
@require_http_methods(["POST"])
def replay(request: HttpRequest, number: int) -> HttpResponse:
    """Recompute the decision from what was known then, and say whether it comes out the same (I-12)."""
    found = visible_decision(request, number)
    again = checks.replay(found, edition=policies.at(found.policy_version))
    return _decision_page(request, found, replay=again)


def _decision_page(request: HttpRequest, found: CreditDecision, **more: Any) -> HttpResponse:
    told = shown(found) | {
        "on_decision_page": True,
        "question": evidence.question_of(found),
        "facts": evidence.facts_of(found),
        "released_hold": getattr(found, "released_hold", None),
    }
    return render(request, "orders/decision.html", told | more)


# --- past decisions ------------------------------------------------------------------------------


def _address(row: CreditDecision) -> str:
    return reverse("orders:decision", args=[row.pk])


def _customer(row: CreditDecision) -> str:
    return row.customer.name if row.customer else row.customer_code.removeprefix("?")


COLUMNS = (
    Column("order_no", gettext_lazy("Order"), value=lambda row: row.order_no or f"#{row.pk}", link=_address),
    Column("customer", gettext_lazy("Customer"), value=_customer, link=evidence.customer_address),
    Column("amount", gettext_lazy("Amount"), "amount", sort="amount", dear=True, currency="currency"),
    Column("outcome", gettext_lazy("Outcome"), "status", value=evidence.outcome, sort="outcome", dear=True),
    Column("reasons", gettext_lazy("Reasons"), "html", value=evidence.chips, plain=evidence.reason_names),
    Column("reserve", gettext_lazy("Kind"), value=lambda row: _("reserve") if row.reserve else _("only ask")),
    Column("as_of", gettext_lazy("Day"), "date", sort="as_of", dear=True),
    Column("by", gettext_lazy("Asked by"), hidden=True),
    Column("policy_version", gettext_lazy("Policy"), value=lambda row: f"v{row.policy_version}", hidden=True),
)
ASKS = (
    Ask("order_no", gettext_lazy("Order number"), where="order_no__icontains"),
    Ask("customer", gettext_lazy("Customer"), where=search.of_customer),
    Ask("outcome", gettext_lazy("Outcome"), "select", "outcome", CreditDecision.OUTCOMES),
    Ask("since", gettext_lazy("From"), "date", "as_of__gte"),
    Ask("until", gettext_lazy("Until"), "date", "as_of__lte"),
)


@page
@require_GET
def decisions(request: HttpRequest) -> HttpResponse:
    """Every check on customers she may see, newest first."""
    listing = Listing(request, _decisions(request), COLUMNS, ASKS, key="checks")
    return listing.export() if listing.wants_export else render(request, "orders/decisions.html", {"listing": listing})
