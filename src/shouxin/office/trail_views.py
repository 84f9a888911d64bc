"""The audit trail on the page: who did what to what, when; as far as the reader may see."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from shouxin.lib.lists import Ask, Column, Listing

from . import trail_words
from .pages import acting, page

COLUMNS = (
    Column("at", _("When"), "moment"),
    Column("by_name", _("Who"), value=lambda row: row.by_name or "—"),
    Column("verb", _("Did what"), value=trail_words.verb),
    Column("about", _("To what"), value=trail_words.thing, link=trail_words.address),
    Column("particulars", _("Particulars"), value=trail_words.particulars),
    Column("number", _("Line no."), "number", value="pk", sort="pk", hidden=True),
    Column("code", _("Verb's code"), value="verb", hidden=True),
)


def _customer(rows: Any, text: str) -> Any:
    return rows.filter(customer_id=int(text)) if text.isdecimal() and len(text) < 19 else rows.none()


ASKS = (
    Ask("who", _("Who"), where="by_name__icontains"),
    Ask("verb", _("Did what"), "select", "verb", tuple(trail_words.VERBS.items())),
    Ask("since", _("From"), "date", "at__date__gte"),
    Ask("until", _("Until"), "date", "at__date__lte"),
    Ask("label", _("Name of the thing"), where="label__icontains"),
    Ask("about", _("Thing, such as hold:12"), where="about"),
    Ask("customer", _("Customer's number"), where=_customer),
)


@page
@require_GET
def trail(request: HttpRequest) -> HttpResponse:
    """The lines she may see, newest first, with their export."""
    who = acting(request)
    rows = trail_words.seen_by(who["by"], on=who["on"])
    listing = Listing(request, rows, COLUMNS, ASKS, key="trail")
    return listing.export() if listing.wants_export else render(request, "office/trail.html", {"listing": listing})
