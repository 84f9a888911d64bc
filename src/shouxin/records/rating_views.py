"""Rating from the pages: one customer, those ticked in the list, or everybody, with progress (B2.3, C3.4)."""

import csv
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Case, F, Value, When
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.credit import grade_reviews
from shouxin.credit.models import Rating
from shouxin.customers.models import Customer
from shouxin.lib.numbers import whole
from shouxin.office import policies, posts, sight, sudo
from shouxin.office.pages import acting, page, past_day, require_duty
from shouxin.office.refusals import BadForm
from shouxin.receivables import ratings

from . import labels
from .roster import Roster

AT_ONCE_MAX = 2000
"""More than this are rated in steps of so many, so that the page can show how far it is."""


@page
@require_POST
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Rate one customer now."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    _tell(request, _rated(request, [customer.pk]))
    return redirect(f"{reverse('customers:file', args=[pk])}?tab=rating")


@page
@require_POST
def rate_selected(request: HttpRequest) -> HttpResponse:
    """Rate the customers ticked in the list, or all that answer its questions."""
    require_duty(request, *ratings.RATERS, verb="rate", about="rating")
    call = acting(request)
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    if request.POST.get("everything"):
        ids = _matching(request, seen_by)
    else:
        chosen = [pk for pk in map(whole, request.POST.getlist("selected")) if pk is not None]
        ids = list(Customer.objects.filter(seen_by, pk__in=chosen).values_list("pk", flat=True))
    if not ids:
        raise BadForm([("", _("No customer is ticked."))])
    if len(ids) > AT_ONCE_MAX:
        raise BadForm([("", _("Rate at most %(n)s at once, or everybody from the rating page.") % {"n": AT_ONCE_MAX})])
    _tell(request, _rated(request, ids))
    return redirect(f"{reverse('customers:list')}?{request.POST.get('query', '')}")


def _matching(request: HttpRequest, seen_by: Any) -> list[int]:
    """Everybody who answers the questions of the list the batch bar stood under."""
    call = acting(request)
    asked = request
    asked.GET = QueryDict(request.POST.get("query", ""))  # type: ignore[assignment]
    listing = Roster(asked, seen_by, policy=policies.in_force(call["on"]).policy, on=call["on"])
    return list(listing.matching.order_by("pk").values_list("pk", flat=True)[: AT_ONCE_MAX + 1])


@page
@require_http_methods(["GET", "POST"])
def rate_everybody(request: HttpRequest) -> HttpResponse:
    """Rate everybody she may see as of a day, some hundred per step; each step is committed, and calls the next."""
    call = acting(request)
    posts.require(call["by"], *ratings.RATERS, on=call["on"], about="rating", verb="rate", at=call["at"])
    if request.method == "POST":
        return _step(request)
    waiting = grade_reviews.waiting().filter(customer__in=_everybody(request).order_by().values("pk")).count()
    told = {"total": _everybody(request).count(), "grades": _grades(request), "today": call["on"], "waiting": waiting}
    return render(request, "records/rate_everybody.html", told)


@page
@require_GET
def lines_file(request: HttpRequest) -> HttpResponse:
    """The lines suggested by the ratings of a day, as a file that the import of lines takes."""
    call = acting(request)
    posts.require(call["by"], *ratings.RATERS, on=call["on"], about="rating", verb="rate", at=call["at"])
    as_of = past_day(request.GET.get("as_of", ""), call["on"])
    rows = Rating.objects.filter(customer__in=_everybody(request).order_by().values("pk"), as_of=as_of)
    latest = rows.order_by("customer", "-pk").distinct("customer").select_related("customer", "review")
    sudo.require_for_rows(request, latest.count)
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="lines-{as_of}.csv"'
    months = policies.in_force(as_of).policy.lines.months
    csv.writer(answer).writerows([ratings.LINES_HEADING, *ratings.suggested_lines(latest, months=months)])
    return answer


def _everybody(request: HttpRequest) -> Any:
    call = acting(request)
    return sight.visible(Customer, call["by"], on=call["on"]).order_by("pk")


def _step(request: HttpRequest) -> HttpResponse:
    """One step: the customers after the last one rated."""
    as_of = past_day(request.POST.get("as_of", ""), acting(request)["on"])
    last = whole(request.POST.get("last")) or 0
    done = whole(request.POST.get("done")) or 0
    ids = list(_everybody(request).filter(pk__gt=last).values_list("pk", flat=True)[: ratings.CHUNK])
    found = _rated(request, ids, as_of) if ids else ratings.Ratings()
    left_out = (whole(request.POST.get("left_out")) or 0) + len(found.unmeasured)
    total = max(whole(request.POST.get("total")) or 0, done + len(ids))
    going = len(ids) == ratings.CHUNK
    told = {
        "as_of": as_of,
        "last": ids[-1] if ids else last,
        "done": done + len(ids),
        "total": total if going else done + len(ids),
        "left_out": left_out,
        "going": going,
        "grades": [] if going else _grades(request),
    }
    return render(request, "records/rate_step.html", told)


def _rated(request: HttpRequest, ids: Iterable[int], as_of: date | None = None) -> ratings.Ratings:
    call = acting(request)
    day = as_of or call["on"]
    return ratings.rate(ids, as_of=day, edition=policies.in_force(day), keep=True, **call)


def _tell(request: HttpRequest, found: ratings.Ratings) -> None:
    n = len(found.kept)
    if n:
        messages.success(request, ngettext("%(n)s customer rated.", "%(n)s customers rated.", n) % {"n": n})
    if found.unmeasured:
        codes = ", ".join(sorted({code for each in found.unmeasured.values() for code in each}))
        text = _("%(n)s not rated: no exchange rate for %(codes)s.") % {"n": len(found.unmeasured), "codes": codes}
        messages.warning(request, text)


def _grades(request: HttpRequest) -> list[dict[str, Any]]:
    """How many customers stand in each grade by their latest rating; a grade nobody has confirmed yet is none."""
    seen = _everybody(request).order_by().values("pk")
    latest = Rating.objects.filter(customer__in=seen).order_by("customer", "-pk").distinct("customer")
    counted: dict[str, int] = {}
    waits = Case(
        When(review=None, then=F("grade")), When(review__status="confirmed", then=F("review__grade")), default=Value("")
    )
    for grade in latest.annotate(usable=waits).values_list("usable", flat=True):
        counted[grade] = counted.get(grade, 0) + 1
    policy = policies.in_force(acting(request)["on"]).policy
    return [
        {"grade": grade, "meaning": labels.said(terms.meaning), "count": counted.get(grade, 0)}
        for grade, terms in policy.grades.items()
    ]
