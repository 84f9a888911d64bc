"""The recommended list, the opportunities, and the letter that recommends a unit within the house (A8, C3.7)."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import policies, sight, trail
from shouxin.office.pages import acting, page, require_duty
from shouxin.office.refusals import NotVisible
from shouxin.rules import market as rule
from shouxin.rules.policy import Policy

from . import market
from .market import Chance, Unit

READERS = tuple(sorted(sight.LOOKERS))
INTERNAL = gettext_lazy("For internal use only: not to be shown or given to anybody outside (征信业管理条例).")
KINDS = {
    "headroom": gettext_lazy("Unused room"),
    "upgrade": gettext_lazy("Upgrade candidate"),
    "alike": gettext_lazy("Like a good payer"),
}


def _file(row: Any) -> str:
    return reverse("customers:file", args=[row.customer.pk])


def _letter(row: Unit) -> str:
    return reverse("records:recommendation", args=[row.customer.pk, "pdf"])


def _named(rows: list[Any], value: str) -> list[Any]:
    return [row for row in rows if value.casefold() in f"{row.customer.code} {row.customer.name}".casefold()]


def _of_seller(rows: list[Any], value: str) -> list[Any]:
    return [row for row in rows if value in str(row.customer.salesperson or "")]


NAMED = Ask("q", gettext_lazy("Customer"), where=_named)
SELLER = Ask("salesperson", gettext_lazy("Salesperson"), where=_of_seller)
RECOMMENDED = (
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", sort="customer__name", link=_file),
    Column("grade", gettext_lazy("Grade"), "grade", sort="grade"),
    Column("letter", gettext_lazy("Letter of recommendation"), value=lambda row: _("Recommend"), link=_letter),
    Column("clean", gettext_lazy("Months without a late payment"), "number", "record.clean_months",
           sort="record__clean_months"),
    Column("months", gettext_lazy("Months as a customer"), "number", "record.months", sort="record__months"),
    Column("room", gettext_lazy("Available"), "amount", "room", sort="room", currency="currency"),
    Column("salesperson", gettext_lazy("Salesperson"), "text", "customer.salesperson"),
    Column("region", gettext_lazy("Region"), "text", "customer.region"),
    Column("why", gettext_lazy("Why")),
    Column("internal", gettext_lazy("Use"), value=lambda row: _("internal only"), hidden=True),
)  # fmt: skip
CHANCES = (
    Column("kind", gettext_lazy("Opportunity"), value=lambda row: KINDS[row.kind], sort="kind"),
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", sort="customer__name", link=_file),
    Column("grade", gettext_lazy("Grade"), "grade", "unit.grade", sort="unit__grade"),
    Column("amount", gettext_lazy("Amount"), "amount", sort="amount", currency="currency"),
    Column("words", gettext_lazy("What to do with it")),
    Column("salesperson", gettext_lazy("Salesperson"), "text", "customer.salesperson"),
    Column("region", gettext_lazy("Region"), "text", "customer.region"),
    Column("internal", gettext_lazy("Use"), value=lambda row: _("internal only"), hidden=True),
)


def _of_kind(rows: list[Chance], value: str) -> list[Chance]:
    return [row for row in rows if row.kind == value]


def found(request: HttpRequest) -> tuple[list[Unit], Policy]:
    """The customers the caller may see, each with its record of today, and the policy in force."""
    call = acting(request)
    policy = policies.in_force(call["on"]).policy
    return market.units(sight.customers_seen_by(call["by"], call["on"]), policy=policy, on=call["on"]), policy


@page
@require_GET
def recommended(request: HttpRequest) -> HttpResponse:
    """The units with good records, each with why; sales see their own."""
    require_duty(request, *READERS, verb="read_recommended", about="recommended")
    units, _policy = found(request)
    rows = market.recommended(units)
    listing = Listing(request, rows, RECOMMENDED, (NAMED, SELLER), key="internal-recommended", order="pk")
    if listing.wants_export:
        return listing.export()
    return render(request, "records/recommended.html", {"listing": listing, "internal": INTERNAL})


@page
@require_GET
def opportunities(request: HttpRequest) -> HttpResponse:
    """Unused room, upgrade candidates, look-alikes of good payers."""
    require_duty(request, *READERS, verb="read_opportunities", about="opportunities")
    units, _policy = found(request)
    kind = Ask("kind", gettext_lazy("Opportunity"), "select", _of_kind, tuple(KINDS.items()))
    listing = Listing(
        request, market.chances(units), CHANCES, (NAMED, kind, SELLER), key="internal-opportunities", order="pk"
    )
    if listing.wants_export:
        return listing.export()
    return render(request, "records/opportunities.html", {"listing": listing, "internal": INTERNAL})


@page
@require_GET
def letter(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The recommendation of one unit on paper, as PDF or Word; only of a unit that is on the list today."""
    call = acting(request)
    require_duty(request, *READERS, verb="recommend", about="recommended")
    if ending not in documents.FACES:
        raise NotVisible
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    policy = policies.in_force(call["on"]).policy
    unit = market.units(Q(pk=customer.pk), policy=policy, on=call["on"])[0]
    if not rule.recommended(policy, unit.record):
        raise NotVisible(_("This unit is not on the recommended list today."), code="not_recommended")
    make, kind = documents.FACES[ending]
    trail.record("recommend", about=customer, by=call["by"], at=call["at"], customer=customer, form=ending)
    answer = HttpResponse(make(paper(unit, by=str(call["by"]), on=call["on"])), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="internal-recommendation-{customer.code}.{ending}"'
    return answer


def paper(unit: Unit, *, by: str, on: Any) -> Paper:
    """The recommendation as a paper: who, the record, why, and that it stays within the house."""
    chinese = (get_language() or "zh").startswith("zh")
    house = unit.policy.company.name.zh if chinese else unit.policy.company.name.en
    room = _("without bound") if unit.room is None else f"{unit.room:,.2f} {unit.currency}"
    return documents.paper(
        _("Recommendation of a unit with a good record"),
        [
            documents.text(_("This unit meets every condition of our recommended list. We recommend to prefer it "
                             "and to help it to trade within its line.")),
            documents.facts([
                (_("Customer"), unit.customer.name), (_("Code"), unit.customer.code), (_("Grade"), unit.grade),
                (_("Available"), room), (_("Region"), unit.customer.region),
                (_("Salesperson"), unit.customer.salesperson),
            ]),
            documents.heading(_("Why")),
            *[documents.text(f"· {words}") for words in market.reason_words(unit.policy, unit.record)],
            documents.note(INTERNAL),
            documents.signature(house, by, on.isoformat()),
        ],
        house=house, language="zh-hans" if chinese else "en", head=[(_("Date"), on.isoformat())],
    )  # fmt: skip
