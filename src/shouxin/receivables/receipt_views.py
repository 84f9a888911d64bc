"""Receipts on pages: the list, taking money in, and matching it with what it pays."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.office import sight
from shouxin.office.pages import acting, blame, moment, page, require_duty, typed
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import posting, receipts
from .forms import ReceiptForm, pairs_from
from .models import Invoice, Receipt
from .views import customer_of, file_of, tabs


def rows_for(request: HttpRequest) -> QuerySet[Receipt]:
    """The receipts she may see, with what is not applied of each."""
    who = acting(request)
    rows = sight.visible(Receipt, who["by"], on=who["on"]).select_related("customer", "reversed_by", "reverses", "by")
    return rows.annotate(unapplied=F("amount") - F("applied"))


def state_of(receipt: Any) -> tuple[Any, str]:
    """(word, colour): reversed, applied, partly applied, unapplied."""
    if receipt.reverses_id or hasattr(receipt, "reversed_by"):
        return _("Reversed"), "grey"
    if receipt.applied == receipt.amount:
        return _("Applied"), "green"
    return (_("Partly applied"), "amber") if receipt.applied else (_("Unapplied"), "amber")


def address_of(row: Receipt) -> str:
    return reverse("receivables:receipt", args=[row.pk])


def _columns(*, summed: bool) -> tuple[Column, ...]:
    total = {"amount": "amount", "unapplied": "unapplied"} if summed else {}
    return (
        Column("doc_no", gettext_lazy("Receipt"), link=address_of),
        Column("customer", gettext_lazy("Customer"), value="customer.name", link=file_of),
        Column("received_on", gettext_lazy("Received on"), "date", sort="received_on"),
        Column("amount", gettext_lazy("Amount"), "amount", sort="amount", dear=True, currency="currency",
               total=total.get("amount")),
        Column("unapplied", gettext_lazy("Unapplied"), "amount", sort="unapplied", dear=True, currency="currency",
               total=total.get("unapplied")),
        Column("currency", gettext_lazy("Currency"), hidden=True),
        Column("state", gettext_lazy("Status"), "status", state_of),
        Column("payer", gettext_lazy("Payer")),
        Column("source_system", gettext_lazy("Source system"), hidden=True),
    )  # fmt: skip


ASKS = (
    Ask("q", gettext_lazy("Customer"), where=search.of_customer),
    Ask("doc_no", gettext_lazy("Receipt"), where="doc_no__icontains"),
    Ask("unapplied", gettext_lazy("With unapplied money"), "check", lambda rows, _value: receipts.unapplied(rows)),
    Ask("since", gettext_lazy("Received from"), "date", "received_on__gte"),
    Ask("until", gettext_lazy("Received until"), "date", "received_on__lte"),
    Ask("payer", gettext_lazy("Payer"), where="payer__icontains"),
    Ask("currency", gettext_lazy("Currency"), where="currency"),
)


@page
@require_GET
def receipt_list(request: HttpRequest) -> HttpResponse:
    """Every receipt she may see, newest first."""
    who = acting(request)
    one_currency = bool(request.GET.get("q")) and bool(request.GET.get("currency"))
    listing = Listing(request, rows_for(request), _columns(summed=one_currency), ASKS, key="receipts")
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "tabs": tabs("receipts"), "may_post": posting.may(who["by"], on=who["on"])}
    return render(request, "receivables/receipts.html", told)


@page
@require_http_methods(["GET", "POST"])
def new_receipt(request: HttpRequest) -> HttpResponse:
    """Take money in; what it settles can be chosen on the next page."""
    call = moment(request)
    posting.require(call["by"], on=call["today"], verb="take", at=call["at"], about="receipt:")
    initial = {"received_on": call["today"], "customer": request.GET.get("customer")}
    form = ReceiptForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and (customer := _payer_of(request, form)):
        given = {name: value for name, value in form.cleaned_data.items() if name != "customer"}
        try:
            found = receipts.take(customer, **given, **call)
        except BadForm as refusal:
            blame(form, refusal)
        except Moved as refusal:
            form.add_error("doc_no", str(refusal))
        else:
            messages.success(request, _("%(doc_no)s is posted.") % {"doc_no": found.doc_no})
            return redirect("receivables:receipt", found.pk)
    return render(request, "receivables/new_receipt.html", {"form": form}, status=422 if form.errors else 200)


def _payer_of(request: HttpRequest, form: ReceiptForm) -> Customer | None:
    """The customer meant, where it has every paper named; else the form says what is wrong.

    A paper that is posted later may be named all the same, by whoever settles nothing yet.
    """
    customer, names = customer_of(request, form), form.cleaned_data["names"]
    if customer is None or not form.cleaned_data["match"]:
        return customer
    known = set(Invoice.objects.filter(customer=customer, doc_no__in=names).values_list("doc_no", flat=True))
    if unknown := [name for name in names if name not in known]:
        told = {"names": ", ".join(unknown)}
        form.add_error(
            "names", _("Not among the customer's papers: %(names)s. Post them first, or settle later.") % told
        )
        return None
    return customer


# --- one receipt, and what it pays ---------------------------------------------------------------


def _visible(request: HttpRequest, number: int) -> Any:
    who = acting(request)
    rows = rows_for(request).prefetch_related("matches__instalment__invoice")
    return sight.get_visible(rows, who["by"], number, on=who["on"])


@page
@require_GET
def receipt(request: HttpRequest, number: int) -> HttpResponse:
    """One receipt: what it settled, and beside it what it could settle, as art. 560 proposes."""
    return _page(request, _visible(request, number))


def _page(request: HttpRequest, found: Any, faults: dict[str, str] | None = None, told: str = "") -> HttpResponse:
    who = acting(request)
    verbs = receipts.verbs_for(found, who["by"], who["on"])
    shown = {
        "receipt": found,
        "state": state_of(found),
        "matches": sorted(receipts.standing_matches(found), key=lambda match: (match.on, match.instalment_id)),
        "facts": _facts(found),
        "verbs": verbs,
        "claims": _claims(request, found, who["on"], faults or {}) if "match" in verbs and found.amount > 0 else [],
        "fault": told,
    }
    return render(request, "receivables/receipt.html", shown, status=422 if faults or told else 200)


def _claims(request: HttpRequest, found: Receipt, today: date, faults: dict[str, str]) -> list[dict[str, Any]]:
    """The open claims with the proposed (or just typed) amount of each."""
    claims, shares = receipts.proposal(found)
    typed = request.POST if request.method == "POST" else {}
    return [
        {
            "claim": claim,
            "field": (name := f"pair-{claim.instalment_id}"),
            "value": typed.get(name, "") if typed else shares.get(claim.instalment_id, ""),
            "days": (today - claim.falls_due_on).days,
            "named": claim.doc_no in found.names,
            "fault": faults.get(name, ""),
        }
        for claim in claims
    ]


def _facts(found: Receipt) -> list[dict[str, Any]]:
    rows = [
        (_("Received on"), found.received_on.isoformat()),
        (_("Payer"), found.payer),
        (_("Papers named by the payer"), ", ".join(found.names)),
        (_("Source system"), found.source_system),
        (_("Posted by"), found.by),
    ]
    return [{"label": label, "value": value} for label, value in rows if value]


DONE = {
    "match": gettext_lazy("The receipt is matched; exposure is unchanged by that."),
    "unmatch": gettext_lazy("The matches are undone from today on."),
    "reverse": gettext_lazy("The receipt is reversed; what it had settled is open again."),
}


@page
@require_POST
def act(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Match, undo the matches, or reverse."""
    if verb not in DONE:
        raise NotVisible
    found, call = _visible(request, number), moment(request)
    if verb == "match":
        if refused := _match(request, found, call):
            return refused
    elif verb == "unmatch":
        receipts.unmatch(found, **call)
    else:
        receipts.reverse(found, why=typed(request, most=500), **call)
    messages.success(request, str(DONE[verb]))
    return redirect("receivables:receipt", number)


def _match(request: HttpRequest, found: Receipt, call: dict[str, Any]) -> HttpResponse | None:
    """Match by the amounts typed (a repayment: as the rule says); the page again where they cannot be."""
    require_duty(request, *posting.MAY_POST, verb="match", about=found)
    if found.amount < 0:
        receipts.match(found, **call)
        return None
    named = {name: whole(name.removeprefix("pair-")) for name in request.POST if name.startswith("pair-")}
    fields = {name: pk for name, pk in named.items() if pk is not None}
    pairs, faults = pairs_from(request.POST, fields)
    if faults:
        return _page(request, found, faults)
    if not pairs:
        return _page(request, found, told=_("Write an amount beside at least one paper."))
    try:
        receipts.match(found, pairs=pairs, **call)
    except BadForm as refusal:
        return _page(request, found, told=str(refusal).removeprefix("pairs: "))
    return None
