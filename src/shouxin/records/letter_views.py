"""Letters to a customer, whatever they are about: as a page, as PDF or Word, how each was delivered."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shouxin.customers import mails
from shouxin.customers.models import Customer, Mail
from shouxin.office import posts, sight, trail_words
from shouxin.office.pages import acting, page, typed
from shouxin.office.refusals import NotVisible

from .application_api import letter_file
from .credit_file import CreditFile

COLOURS = {"waiting": "amber", "sent": "green", "failed": "red", "no_address": "grey"}
SHOWN_MAX = 100


def part(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The letters on the customer's file, the latest first."""
    call = acting(request)
    rows = file.customer.mails.filter(paper__isnull=False).order_by("-pk")[:SHOWN_MAX]
    return {"letters": [told(each) for each in rows], "may_mail": may_mail(call), "shown_max": SHOWN_MAX}


def may_mail(call: dict[str, Any]) -> bool:
    """Whether she may send a letter again or hand it over."""
    return bool(posts.posts_of(call["by"], on=call["on"]) & set(mails.SENDERS))


def told(row: Mail) -> dict[str, Any]:
    """A letter with its delivery in word and colour, and what may be done about it."""
    return {
        "row": row,
        "status": (row.get_status_display(), COLOURS[row.status]),  # type: ignore[attr-defined]
        "verbs": mails.FLOW.verbs_from(row.status),
        "about": trail_words.address_of(row.about),
    }


@page
@require_GET
def show(request: HttpRequest, pk: int, mail: int) -> HttpResponse:
    """A letter as a page."""
    row = _letter(request, pk, mail)
    return render(request, "records/letter.html", {"customer": row.customer, "letter": row, "paper": row.paper})


@page
@require_GET
def paper(request: HttpRequest, pk: int, mail: int, ending: str) -> HttpResponse:
    """The same as PDF or Word, as it was written."""
    return letter_file(_letter(request, pk, mail), ending)


@page
@require_POST
def deliver(request: HttpRequest, pk: int, mail: int, verb: str) -> HttpResponse:
    """Send a letter again, to the address given, or record that it went on paper."""
    call, row = acting(request), _letter(request, pk, mail)
    word = typed(request, "word", most=500)
    if verb == "resend":
        mails.resend(row, to=word or row.customer.email, **call)  # type: ignore[union-attr]
    elif verb == "hand_over":
        mails.hand_over(row, how=word, **call)
    else:
        raise NotVisible
    messages.success(request, _("Kept."))
    back = trail_words.address_of(row.about) if "back" in request.POST else ""
    return redirect(back or f"{reverse('customers:file', args=[pk])}?tab=letters")


def _letter(request: HttpRequest, pk: int, mail: int) -> Mail:
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    found = customer.mails.filter(pk=mail, paper__isnull=False).first() if mail < 2**63 else None
    if found is None:
        raise NotVisible
    return found
