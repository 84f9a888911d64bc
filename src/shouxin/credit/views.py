"""Line requests on pages: what waits for whom, asking, changing, signing the version seen (B2.1)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import policies, sight, trail
from shouxin.office.models import POST_LABELS, TrailEntry
from shouxin.office.pages import acting, blame, moment, page, require_duty, status_of, typed, version_of
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, NotVisible, Refusal
from shouxin.rules.authority import Needs

from . import grade_reviews, line_requests, lines, signatures
from .forms import FIELD_NAMES, LineForm
from .models import REQUEST_COLOURS, Line, LineRequest, Rating

WHY = {
    "amount": gettext_lazy("the total limit decides who signs"),
    "unlimited": gettext_lazy("a limit without bound"),
    "grade_d": gettext_lazy("grade D with credit"),
    "over_suggestion": gettext_lazy("more than the rating suggests"),
    "exception": gettext_lazy("an exception reserved by the policy"),
    "nobody": gettext_lazy("nobody has authority enough"),
}


def status(row: LineRequest) -> tuple[Any, str]:
    """(word, colour) of a request's status."""
    return row.get_status_display(), REQUEST_COLOURS[row.status]  # type: ignore[attr-defined]


def _address(row: LineRequest) -> str:
    return reverse("credit:line_request", args=[row.pk])


def _asked(row: LineRequest) -> Any:
    """The amount asked for; the other three kinds stand in their own column."""
    return row.limit if row.limit_kind == "amount" else None


def _kind(row: LineRequest) -> tuple[Any, str]:
    return ("", "grey") if row.limit_kind == "amount" else (row.get_limit_kind_display(), "grey")  # type: ignore[attr-defined]


def _signer(row: Any) -> str:
    """The lowest post that suffices, put beside the row by the list."""
    post = row.needed.post if row.status == "open" else None
    return str(POST_LABELS[post]) if post else ""


COLUMNS = (
    Column("number", gettext_lazy("Request"), value=lambda row: f"#{row.pk}", sort="pk", link=_address),
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", link=_address),
    Column("kind", gettext_lazy("Kind of request"), value=lambda row: row.get_kind_display()),
    Column("grade", gettext_lazy("Grade"), "grade"),
    Column("limit", gettext_lazy("Limit asked for"), "amount", _asked, "limit", currency="currency"),
    Column("limit_kind", gettext_lazy("Kind of limit"), "status", _kind),
    Column("term", gettext_lazy("Term in days"), "number", "term_days"),
    Column("status", gettext_lazy("Status"), "status", status),
    Column("signer", gettext_lazy("Signed by, at least"), value=_signer),
    Column("requested_by", gettext_lazy("Asked by")),
    Column("requested_at", gettext_lazy("Asked at"), "moment", sort="requested_at"),
    Column("decided_by", gettext_lazy("Decided by")),
    Column("reason", gettext_lazy("Reason"), hidden=True),
)
ASKS = (
    Ask("q", gettext_lazy("Customer"), where=search.of_customer),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(LineRequest.STATUSES), default="open"),
    Ask("kind", gettext_lazy("Kind of request"), "select", "kind", tuple(LineRequest.KINDS)),
)


class RequestList(Listing):
    """A `Listing` of requests; whose signature each needs is measured for the rows shown, all at once."""

    edition: Edition
    today: date

    @property
    def body(self) -> Any:
        """The rows with `.needed`."""
        needed = signatures.needs_of(self.rows, edition=self.edition, today=self.today)
        for row in self.rows:
            row.needed = needed[row.pk]
        return super().body


@page
@require_GET
def line_request_list(request: HttpRequest) -> HttpResponse:
    """Line requests: those that wait for my signature, those of annual reviews that do, or all."""
    call = moment(request)
    edition = policies.in_force(call["today"])
    rows, whose = _rows(request), request.GET.get("whose")
    mine = waiting_for(call, edition, rows.filter(review=None))
    if whose == "me":
        rows = rows.filter(pk__in=mine)
    elif whose == "reviews":
        rows = rows.filter(pk__in=waiting_for(call, edition, rows.exclude(review=None)))
    columns = COLUMNS if not request.GET.get("export") else tuple(c for c in COLUMNS if c.name != "signer")
    listing = RequestList(request, rows, columns, (*ASKS, Ask("whose", "", "hidden")), key="line-requests")
    listing.edition, listing.today = edition, call["today"]
    if listing.wants_export:
        return listing.export()
    return render(request, "credit/line_requests.html", {"listing": listing, "tabs": _tabs(request, len(mine))})


def _tabs(request: HttpRequest, mine: int) -> list[dict[str, Any]]:
    """Those of annual reviews are signed together on their year's page, so they are counted apart."""
    address, whose = reverse("credit:line_requests"), request.GET.get("whose")
    own, reviews = f"{address}?whose=me", f"{address}?whose=reviews"
    return [
        {"label": _("All"), "address": address, "current": whose not in ("me", "reviews"), "count": None},
        {"label": _("Waiting for me"), "address": own, "current": whose == "me", "count": mine},
        {"label": _("Of annual reviews"), "address": reviews, "current": whose == "reviews", "count": None},
    ]


def waiting_for(call: Mapping[str, Any], edition: Edition, rows: Any, at_most: int = 500) -> list[int]:
    """The open requests this person may sign; the oldest five hundred are looked at."""
    found = list(rows.filter(status="open").order_by("pk")[:at_most])
    needed = signatures.needs_of(found, edition=edition, today=call["today"])
    return [
        each.pk for each in found if not signatures.why_not(each, needed[each.pk], by=call["by"], today=call["today"])
    ]


def _rows(request: HttpRequest) -> Any:
    call = acting(request)
    rows = sight.visible(LineRequest, call["by"], on=call["on"])
    return rows.select_related("customer", "requested_by", "decided_by").prefetch_related("editors")


# --- asking --------------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a line, beginning from what the latest rating suggests; what holds now stands beside it."""
    call = moment(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["today"])
    edition = policies.in_force(call["today"])
    current = lines.in_force([pk], on=call["today"])[pk]
    rating = Rating.objects.filter(customer=customer).select_related("review").order_by("-pk").first()
    require_duty(request, *line_requests.ASKERS, verb="line_request.ask", about=customer)
    form = LineForm(request.POST or None, initial=prefilled(customer, current, rating, edition, call["today"]))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            asked = line_requests.ask(customer, form.terms(), reason=reason, edition=edition, **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal, named=_named)
        else:
            messages.success(request, _("Asked for. It waits for a signature."))
            return redirect("credit:line_request", asked.pk)
    told = {"form": form, "customer": customer, "current": current, "rating": rating, "policy": edition.policy}
    told["asked"] = LineRequest.objects.filter(customer=customer, status="open").select_related("requested_by")[:5]
    return render(request, "credit/ask.html", told, status=status_of(form))


def prefilled(
    customer: Customer, current: lines.InForce, rating: Rating | None, edition: Edition, today: date
) -> dict[str, Any]:
    """The form as it first stands: the rating's suggestion, else the line in force, else an empty sheet."""
    if rating and (graded := grade_reviews.bites(rating)):
        discount = edition.policy.grades[graded.grade].discount  # type: ignore[index]
        gives = graded.limit_kind in ("amount", "unlimited")
        terms: dict[str, Any] = {
            "grade": graded.grade,
            "limit_kind": graded.limit_kind,
            "limit": graded.limit,
            "currency": graded.currency,
            "term_days": graded.term_days,
            "discount_percent": discount.percent if discount and gives else None,
            "discount_days": discount.days if discount and gives else None,
        }
    elif current.line:
        names = ("grade", "limit_kind", "limit", "currency", "term_days", "discount_percent", "discount_days")
        terms = {name: getattr(current.line, name) for name in names}
    else:
        terms = {"limit_kind": "amount", "currency": customer.currency, "term_days": 0}
    return {**terms, "since": today}


@page
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other terms on a waiting request; whoever saw the old version has to look again (I-16)."""
    call = moment(request)
    found = sight.get_visible(_rows(request), call["by"], pk, on=call["today"])
    edition = policies.in_force(call["today"])
    names = ("grade", "limit_kind", "limit", "currency", "term_days", "discount_percent", "discount_days", "since",
             "until", "temporary", "pool", "reason")  # fmt: skip
    require_duty(request, *line_requests.ASKERS, verb="change", about=found)
    form = LineForm(request.POST or None, initial={name: getattr(found, name) for name in names})
    if request.method == "POST" and form.is_valid():
        version, reason = version_of(request), form.cleaned_data["reason"]
        try:
            line_requests.change(found, form.terms(), reason=reason, version=version, edition=edition, **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal, named=_named)
        else:
            messages.success(request, _("Changed. Whoever signs has to look at this version."))
            return redirect("credit:line_request", pk)
    current = lines.in_force([found.customer_id], on=call["today"])[found.customer_id]
    told = {"form": form, "customer": found.customer, "current": current, "found": found, "policy": edition.policy,
            "rating": None, "version": request.POST.get("version") or found.version}  # fmt: skip
    return render(request, "credit/ask.html", told, status=status_of(form))


def _named(field: str) -> str:
    return FIELD_NAMES.get(field, field)


# --- one request ---------------------------------------------------------------------------------


@page
@require_GET
def line_request(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: old and new side by side, who may sign and why, what was done so far."""
    call = acting(request)
    return _detail(request, sight.get_visible(_rows(request), call["by"], pk, on=call["on"]))


@page
@require_POST
def move(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Approve, decline or withdraw the version seen. A refusal is shown on the request itself, with its cure."""
    call = moment(request)
    found = sight.get_visible(_rows(request), call["by"], pk, on=call["today"])
    try:
        _moved(found, verb, request, call)
    except Refusal as refusal:
        trail.keep(refusal)
        fresh = sight.get_visible(_rows(request), call["by"], pk, on=call["today"])
        return _detail(request, fresh, refusal)
    messages.success(request, DONE[verb])
    return redirect("credit:line_request", pk)


def _moved(found: LineRequest, verb: str, request: HttpRequest, call: Mapping[str, Any]) -> None:
    version, reason = version_of(request), typed(request)
    edition = policies.in_force(call["today"])
    if verb == "approve":
        line_requests.approve(found, version=version, reason=reason, edition=edition, **call)
    elif verb == "decline":
        line_requests.decline(found, version=version, reason=reason, edition=edition, **call)
    elif verb == "withdraw":
        line_requests.withdraw(line_requests.seen(found, version), reason=reason, **call)
    else:
        raise NotVisible


DONE = {
    "approve": gettext_lazy("Approved. The line holds from its first day on."),
    "decline": gettext_lazy("Declined. The applicant reads the reason."),
    "withdraw": gettext_lazy("Withdrawn."),
}


def _detail(request: HttpRequest, found: LineRequest, refusal: Refusal | None = None) -> HttpResponse:
    call = moment(request)
    edition = policies.in_force(call["today"])
    needed = signatures.needs_of([found], edition=edition, today=call["today"])[found.pk]
    opened = found.status == "open"
    reasons = signatures.why_not(found, needed, by=call["by"], today=call["today"]) if opened else ()
    before = _before(found, call["today"])
    told = {
        "found": found,
        "customer": found.customer,
        "status": status(found),
        "compared": compared(before, found),
        "needs": _needs(needed),
        "company_currency": edition.policy.company.currency,
        "verbs": line_requests.verbs_for(found, needed, by=call["by"], today=call["today"]),
        "why_not": [signatures.WORDS[code] for code in reasons],
        "steps": steps(found, needed),
        "suggested": found.suggested,
        "suggested_limit": Decimal(found.suggested["limit"]) if found.suggested.get("limit") else None,
        "over": "over_suggestion" in needed.why,
        "history": TrailEntry.objects.filter(about=trail.name_of(found)).select_related("by").order_by("id"),
        "refusal": refusal,
        "line": Line.objects.filter(request=found).first(),
    }
    return render(request, "credit/line_request.html", told, status=refusal.status if refusal else 200)


def _before(found: LineRequest, today: date) -> Line | None:
    """The line the request would replace: the one in force, or for a decided request the one before its own."""
    rows = Line.objects.filter(customer=found.customer_id, temporary=False, pool=found.pool)
    if found.decided_at:
        return rows.filter(at__lt=found.decided_at).order_by("-since", "-pk").first()
    return rows.filter(since__lte=today).order_by("-since", "-pk").first()


def compared(before: Line | None, found: LineRequest) -> list[dict[str, Any]]:
    """Old → new, term by term; `changed` where they differ. A temporary limit stands on top of the line."""
    asked = lines.label(found)  # type: ignore[arg-type]
    rows = [
        (_("Grade"), before.grade if before else "", found.grade),
        (_("Limit"), lines.label(before), f"+ {asked}" if found.temporary else asked),
        (_("Term in days"), before.term_days if before else "", found.term_days),
        (_("Discount"), _discount(before), _discount(found)),
        (_("From"), before.since.isoformat() if before else "", found.since.isoformat()),
        (_("Until"), _until(before), _until(found)),
    ]
    return [{"label": label, "old": old, "new": new, "changed": str(old) != str(new)} for label, old, new in rows]


def _discount(terms: Any) -> str:
    if terms is None or not terms.discount_percent:
        return ""
    return _("%(percent)s %% within %(days)s days") % {
        "percent": f"{terms.discount_percent.normalize():f}",
        "days": terms.discount_days or 0,
    }


def _until(terms: Any) -> str:
    if terms is None:
        return ""
    return terms.until.isoformat() if terms.until else _("open")


def _needs(needed: Needs) -> dict[str, Any]:
    """Whose signature it takes, in words."""
    return {
        "posts": [POST_LABELS[post] for post in needed.posts],
        "lowest": POST_LABELS[needed.post] if needed.post else "",
        "amount": needed.amount.bound,
        "unlimited": needed.amount.kind == "unlimited",
        "why": [WHY[code] for code in needed.why],
    }


def steps(found: LineRequest, needed: Needs) -> list[dict[str, Any]]:
    """Asked for, signed, in force: where the request stands."""
    lowest = str(POST_LABELS[needed.post]) if needed.post else ""
    asked = {"label": _("Asked for"), "state": "done", "by": found.requested_by, "at": found.requested_at}
    if found.status == "open":
        signing = {"label": _("Signature"), "state": "current", "hint": lowest}
    else:
        state = "done" if found.status == "approved" else "stopped"
        label = found.get_status_display()  # type: ignore[attr-defined]
        signing = {"label": label, "state": state, "by": found.decided_by, "at": found.decided_at}
    in_force = {"label": _("Line in force"), "state": "done" if found.status == "approved" else "waiting",
                "hint": found.since.isoformat()}  # fmt: skip
    return [asked, signing, in_force]
