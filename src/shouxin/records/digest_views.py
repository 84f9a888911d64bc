"""The departments' digests on pages: those that were told, one of them, and how the running period looks so far."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import policies, sight
from shouxin.office.models import Person
from shouxin.office.pages import acting, page, paper_file, require_duty
from shouxin.office.refusals import NotVisible
from shouxin.rules import digest as rule

from . import digests
from .models import Digest

READERS = tuple(sorted(sight.LOOKERS))


def _address(row: Digest) -> str:
    return reverse("records:digest", args=[row.pk])


COLUMNS = (
    Column("department", gettext_lazy("Department"), value=lambda row: row.department or gettext_lazy("all"),
           link=_address),
    Column("first", gettext_lazy("From"), "date", sort="first"),
    Column("last", gettext_lazy("Until"), "date", sort="last"),
    Column("made_at", gettext_lazy("Made at"), "moment"),
)  # fmt: skip
ASKS = (Ask("department", gettext_lazy("Department"), where="department__icontains"),)


def seen_by(person: Person, on: Any) -> Any:
    """Whoever sees all customers reads every digest; a salesperson those of her department."""
    if sight.sees_all(person, on):
        return Digest.objects.all()
    return Digest.objects.filter(department=person.department).exclude(department="")


@page
@require_GET
def list_digests(request: HttpRequest) -> HttpResponse:
    """The digests told so far."""
    require_duty(request, *READERS, verb="read_digests", about="digests")
    call = acting(request)
    listing = Listing(request, seen_by(call["by"], call["on"]), COLUMNS, ASKS, key="digests", order="-last")
    if listing.wants_export:
        return listing.export()
    return render(request, "records/digests.html", {"listing": listing})


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One digest as it was told; `?form=pdf` or `docx` gives the paper."""
    call = acting(request)
    require_duty(request, *READERS, verb="read_digests", about="digests")
    found = seen_by(call["by"], call["on"]).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return _shown(request, found.paper, found)


@page
@require_GET
def preview(request: HttpRequest) -> HttpResponse:
    """The running period so far: nothing is kept, nothing is sent."""
    call = acting(request)
    require_duty(request, *READERS, verb="read_digests", about="digests")
    policy = policies.in_force(call["on"]).policy
    all_seen = sight.sees_all(call["by"], call["on"])
    department = request.GET.get("department", "").replace("\x00", "")[:60] if all_seen else call["by"].department
    if not department and not all_seen:
        raise NotVisible
    return _shown(request, digests.paper(department, rule.period_of(policy, call["on"]), policy=policy), None)


def _shown(request: HttpRequest, paper: Any, found: Digest | None) -> HttpResponse:
    return paper_file(request, paper, "digest") or render(
        request, "records/digest.html", {"paper": paper, "found": found}
    )
