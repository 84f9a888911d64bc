"""The audit trail on the page: who did what to what, when; as far as the reader may see."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.rules.policy import Post

from . import audits, chain, checkpoints, posts, trail_sight, trail_words
from .models import TrailEntry
from .pages import acting, page
from .refusals import CannotDecide

COLUMNS = (
    Column("at", _("When"), "moment"),
    Column("by_name", _("Who"), value=lambda row: trail_words.actor(row) or "—"),
    Column("verb", _("Did what"), value=trail_words.verb),
    Column("about", _("To what"), value=trail_words.thing, link=trail_words.address),
    Column("particulars", _("Particulars"), value=trail_words.particulars),
    Column("number", _("Line no."), "number", value="pk", sort="pk", hidden=True),
    Column("code", _("Verb's code"), value="verb", hidden=True),
)


def _customer(rows: Any, text: str) -> Any:
    pk = whole(text)
    return rows.none() if pk is None else rows.filter(customer_id=pk)


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
    rows = trail_sight.seen_by(who["by"], on=who["on"])
    listing = Listing(request, rows, COLUMNS, ASKS, key="trail")
    if listing.wants_export:
        return listing.export()
    audit = _audit() if _audits(who) else None
    return render(request, "office/trail.html", {"listing": listing, "audit": audit})


@page
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Recompute the chain now; the page then tells what was found."""
    who = acting(request)
    posts.require(who["by"], Post.AUDITOR, on=who["on"], about=audits.ABOUT, verb="trail.verify", at=who["at"])
    try:
        verdict = audits.verify(by=who["by"], at=who["at"])
    except checkpoints.Unreadable as error:
        raise CannotDecide(str(error), code="checkpoint_unreadable") from error
    return render(request, "office/trail_verdict.html", {"verdict": verdict, "audit": _audit()})


def _audits(who: dict[str, Any]) -> bool:
    return Post.AUDITOR in posts.posts_of(who["by"], on=who["on"])


def _audit() -> list[dict[str, Any]]:
    """How the chain stands: entries, head, when it was last verified, how old the newest checkpoint is."""
    head, last, kept = chain.head(), audits.last(), checkpoints.newest()
    verified = f"{timezone.localtime(last.at):%Y-%m-%d %H:%M} · {_told(last)}" if last else _("never")
    return [
        {"label": _("Entries"), "value": f"{head.entries:,}"},
        {"label": _("Head of the chain"), "value": head.hash},
        {"label": _("Last verified"), "value": verified},
        {"label": _("Newest checkpoint"), "value": _since(kept) if kept else _("none yet")},
    ]


def _told(line: TrailEntry) -> Any:
    return _("whole") if line.particulars["whole"] else _("NOT whole")


def _since(kept: datetime) -> str:
    return _("%(ago)s ago") % {"ago": timesince(kept)}
