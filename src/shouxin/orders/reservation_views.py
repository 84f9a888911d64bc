"""Reservations: where the value of each order stands, and what becomes of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.credit.models import Posting, Reservation
from shouxin.customers import search
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.lib.templatetags.shouxin import bucket_labels
from shouxin.office import posts, sight
from shouxin.office.models import Person
from shouxin.office.pages import acting, blame, moment, page, status_of
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import evidence, fulfilment
from .forms import BillForm, ExtendForm, PartForm
from .models import CreditDecision

PATH = "account__customer"
STAGES = {
    "reserved": gettext_lazy("Reserved"),
    "undelivered": gettext_lazy("Undelivered"),
    "unbilled": gettext_lazy("Delivered, not billed"),
    "billed": gettext_lazy("Billed"),
    "released": pgettext_lazy("value of an order", "Released"),
}


def _rows(request: HttpRequest) -> Any:
    who = acting(request)
    rows = Reservation.objects.select_related("account__customer")
    return sight.visible(rows, who["by"], on=who["on"], path=PATH)


def _address(row: Reservation) -> str:
    return reverse("orders:reservation", args=[row.pk])


def _order(row: Reservation) -> str:
    """The order's number; a long one leaves the other columns their room."""
    return format_html('<span class="order-no" title="{0}">{0}</span>', row.order_no)


def status(row: Reservation) -> tuple[Any, str]:
    """Where most of the order's life is now, as label and colour."""
    if row.reserved or row.undelivered:
        return gettext_lazy("Reserved"), "amber"
    if row.unbilled:
        return gettext_lazy("To be billed"), "blue"
    return (gettext_lazy("Billed"), "green") if row.billed else (gettext_lazy("Fallen away"), "grey")


def _of_stage(rows: Any, stage: str) -> Any:
    return rows.filter(**{f"{stage}__gt": 0})


COLUMNS = (
    Column("number", gettext_lazy("Number"), sort="number", link=_address, drawer=True),
    Column(
        "customer",
        gettext_lazy("Customer"),
        value="account.customer",
        link=lambda row: evidence.customer_address(row.account),
    ),
    Column("order_no", gettext_lazy("Order"), "html", value=_order, plain=lambda row: row.order_no),
    Column("amount", gettext_lazy("Amount"), "amount", sort="amount", dear=True, currency="account.currency"),
    Column("status", gettext_lazy("Status"), "status", value=status),
    *[
        Column(name, label, "amount", sort=name, dear=True, currency="account.currency")
        for name, label in STAGES.items()
    ],
    Column("expires_on", gettext_lazy("Lives until"), "date", sort="expires_on", dear=True),
    Column("made_on", gettext_lazy("Made on"), "date", sort="made_on", dear=True, hidden=True),
)
ASKS = (
    Ask(
        "customer",
        gettext_lazy("Customer"),
        where=lambda rows, text: search.of_customer(rows, text, "account__customer"),
    ),
    Ask("order_no", gettext_lazy("Order number"), where="order_no__icontains"),
    Ask("stage", gettext_lazy("Something in"), "select", _of_stage, tuple(STAGES.items())),
    Ask("until", gettext_lazy("Lives until"), "date", "expires_on__lte"),
)


@page
@require_GET
def reservations(request: HttpRequest) -> HttpResponse:
    """The reservations of customers she may see, newest first."""
    listing = Listing(request, _rows(request), COLUMNS, ASKS, key="reservations")
    if listing.wants_export:
        return listing.export()
    return render(request, "orders/reservations.html", {"listing": listing})


# --- one reservation -----------------------------------------------------------------------------


@page
@require_GET
def reservation(request: HttpRequest, number: int) -> HttpResponse:
    """One reservation: where its value stands, and what she may do with it."""
    return _page(request, _reservation(request, number))


def _reservation(request: HttpRequest, number: int) -> Reservation:
    who = acting(request)
    return sight.get_visible(Reservation.objects.select_related("account__customer"), who["by"], number,
                             on=who["on"], path=PATH)  # fmt: skip


def _page(request: HttpRequest, row: Reservation, verb: str = "", form: Any = None) -> HttpResponse:
    who = acting(request)
    kept = Posting.objects.filter(account=row.account_id, document__endswith=f":{row.number}").select_related("by")
    told = {
        "row": row,
        "status": status(row),
        "stages": _stages(row),
        "decision": CreditDecision.objects.filter(pk=row.decision_id).first(),
        "steps": [_step(name, row, verb, form) for name in _verbs(row, who["by"], who["on"])],
        "movements": [_movement(each) for each in kept.order_by("pk")[:100]],
    }
    return render(request, "orders/reservation.html", told, status=200 if form is None else status_of(form))


def _movement(posting: Posting) -> dict[str, Any]:
    """A posting with its buckets in words; nothing is the world outside the account."""
    labels = bucket_labels()
    return {"posting": posting, "source": labels.get(posting.source), "target": labels.get(posting.target)}


def _stages(row: Reservation) -> list[dict[str, Any]]:
    """The stages with their amounts, and where each begins and how long it is in percent of the order."""
    found, begins = [], 0
    for name, label in STAGES.items():
        amount = getattr(row, name)
        share = amount * 100 / row.amount if row.amount else 0
        found.append({"name": name, "label": label, "amount": amount, "x": f"{begins:.2f}%", "width": f"{share:.2f}%"})
        begins += share
    return found


VERBS: dict[str, tuple[Any, Any, str, Any]] = {
    "deliver": (fulfilment.SHIPPERS, PartForm, "truck-delivery", gettext_lazy("Deliver")),
    "bill": (fulfilment.BILLERS, BillForm, "receipt", gettext_lazy("Bill")),
    "extend": (fulfilment.EXTENDERS, ExtendForm, "calendar-time", gettext_lazy("Extend")),
    "cancel": (fulfilment.SHIPPERS, PartForm, "x", gettext_lazy("Cancel the order")),
}
"""Whose duty each step is, what it asks, its drawing and its label."""


def _verbs(row: Reservation, by: Person, on: Any) -> list[str]:
    """The steps she may take that still find something to move."""
    held = posts.posts_of(by, on=on)
    left = {
        "deliver": row.reserved + row.undelivered,
        "cancel": row.reserved + row.undelivered,
        "bill": row.reserved + row.undelivered + row.unbilled,
        "extend": row.reserved,
    }
    return [verb for verb, (duty, *_rest) in VERBS.items() if left[verb] > 0 and held & set(duty)]


def _step(name: str, row: Reservation, verb: str, form: Any) -> dict[str, Any]:
    _duty, kind, icon, label = VERBS[name]
    shown = form if name == verb else kind(auto_id=f"id_{name}_%s")
    address = reverse("orders:step", args=[row.pk, name])
    colour = "danger" if name == "cancel" else ""
    return {"name": name, "form": shown, "icon": icon, "label": label, "address": address, "colour": colour}


DONE = {
    "deliver": gettext_lazy("The goods have left; what was delivered waits to be billed."),
    "bill": gettext_lazy("The invoice is posted."),
    "extend": gettext_lazy("The reservation lives longer."),
    "cancel": gettext_lazy("What had not been delivered is released."),
}


@page
@require_POST
def step(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Deliver, bill, extend or cancel, the whole or a part."""
    if verb not in VERBS:
        raise NotVisible
    row, who = _reservation(request, number), acting(request)
    form = VERBS[verb][1](request.POST, auto_id=f"id_{verb}_%s")
    if not form.is_valid():
        return _page(request, row, verb, form)
    try:
        getattr(fulfilment, verb)(row, **form.cleaned_data, **moment(request))
    except (BadForm, Moved) as refusal:
        fresh = _reservation(request, number)
        if verb not in _verbs(fresh, who["by"], who["on"]):
            raise  # the form is no longer there to be corrected
        blame(form, refusal, named=lambda field: "invoice_no" if field == "doc_no" else field)
        return _page(request, fresh, verb, form)
    messages.success(request, str(DONE[verb]))
    return redirect("orders:reservation", number)
