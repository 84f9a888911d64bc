"""Applications on pages: what waits and until when, one application in full, its verbs (B2.3)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.credit import (
    application_papers,
    applications,
    decisions,
    lines,
    opinions,
    particulars,
    references,
)
from shouxin.credit.models import Application, Line, LineRequest
from shouxin.customers import mails, search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import attachments, policies, posts, sight, trail
from shouxin.office.models import POST_LABELS, Person, TrailEntry
from shouxin.office.pages import acting, blame, moment, page, refused_form, require_duty, status_of, version_of
from shouxin.office.refusals import BadForm, CannotDecide, Moved, Refusal
from shouxin.office.trail_words import VERBS
from shouxin.rules import application as rules

from . import application_verbs, letter_views
from .application_forms import (
    BEFORE,
    ApplicationForm,
    BoxForm,
    DecisionForm,
    DeclineForm,
    OpinionForm,
    ReasonForm,
    ReferenceForm,
    ReturnForm,
    ToForm,
)
from .application_verbs import Said

COLOURS = {"draft": "grey", "submitted": "blue", "accepted": "blue", "investigated": "blue", "assessed": "amber",
           "returned": "purple", "approved": "green", "declined": "red", "withdrawn": "grey"}  # fmt: skip
ROWS_MAX = 300
"""So many open applications are looked through for whose turn they are."""


def status(row: Application) -> tuple[Any, str]:
    """(word, colour) of an application's status."""
    return row.get_status_display(), COLOURS[row.status]  # type: ignore[attr-defined]


def _address(row: Application) -> str:
    return reverse("credit:application", args=[row.pk])


def _due(row: Any) -> Any:
    return row.due_on if row.status in rules.PENDING.split() else None


COLUMNS = (
    Column("number", gettext_lazy("Application"), value="number", sort="number", link=_address),
    Column("customer", gettext_lazy("Customer"), "text", "customer.name", link=_address),
    Column("kind", gettext_lazy("Kind of request"), value=lambda row: row.get_request_type_display()),
    Column("limit", gettext_lazy("Limit asked for"), "amount", "requested_limit", "requested_limit",
           currency="currency"),
    Column("status", gettext_lazy("Status"), "status", status),
    Column("due_on", gettext_lazy("Due on"), "date", _due, "due_on"),
    Column("grade", gettext_lazy("Grade"), "grade"),
    Column("requested_by", gettext_lazy("Applied by")),
    Column("requested_at", gettext_lazy("Applied at"), "moment", sort="requested_at"),
    Column("decided_by", gettext_lazy("Decided by"), hidden=True),
    Column("reason", gettext_lazy("Reason"), hidden=True),
)  # fmt: skip
ASKS = (
    Ask("q", gettext_lazy("Customer"), where=search.of_customer),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(Application.STATUSES)),
    Ask("kind", gettext_lazy("Kind of request"), "select", "request_type", tuple(LineRequest.KINDS)),
    Ask("whose", "", "hidden"),
)


def rows_seen(request: HttpRequest) -> Any:
    call = acting(request)
    rows = sight.visible(Application, call["by"], on=call["on"])
    return rows.select_related("customer", "requested_by", "decided_by", "rating", "line_request")


@page
@require_GET
def application_list(request: HttpRequest) -> HttpResponse:
    """Applications: those that wait for me, those late, or all."""
    call, rows = moment(request), rows_seen(request)
    mine = waiting_for(request, rows)
    pending = rows.filter(status__in=rules.PENDING.split())
    late = pending.filter(due_on__lt=call["today"])
    whose = request.GET.get("whose", "")
    shown = {"me": rows.filter(pk__in=mine), "late": late}.get(whose, rows)
    listing = Listing(request, shown, COLUMNS, ASKS, key="applications", order="-requested_at")
    if listing.wants_export:
        return listing.export()
    address = reverse("credit:applications")
    tabs = [
        {"label": _("All"), "address": address, "current": whose not in ("me", "late"), "count": None},
        {"label": _("Waiting for me"), "address": f"{address}?whose=me", "current": whose == "me", "count": len(mine)},
        {"label": _("Late"), "address": f"{address}?whose=late", "current": whose == "late", "count": late.count()},
    ]
    return render(request, "records/applications.html", {"listing": listing, "tabs": tabs})


def waiting_for(request: HttpRequest, rows: Any) -> list[int]:
    """The applications in which the next step is hers: to accept, investigate, assess, speak, sign, or complete."""
    call = moment(request)
    by, today = call["by"], call["today"]
    held = posts.posts_of(by, on=today)
    office = bool(held & set(rules.OFFICE))
    found = list(rows.filter(requested_by=by, status="returned").values_list("pk", flat=True))
    if office:
        found += rows.filter(status__in=("submitted", "accepted", "investigated")).values_list("pk", flat=True)
    edition = policies.in_force(today)
    for each in rows.filter(status="assessed").order_by(F("due_on").asc(nulls_last=True), "pk")[:ROWS_MAX]:
        if {"opine", "approve"} & set(opinions.verbs_for(each, edition=edition, by=by, today=today)):
            found.append(each.pk)
    return found


# --- writing -------------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply for credit for a customer; it is put down as a draft, or handed in at once."""
    call = moment(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["today"])
    require_duty(request, *rules.APPLICANTS, verb="application.create", about=customer)
    current = lines.in_force([pk], on=call["today"])[pk]
    form = ApplicationForm(request.POST or None, initial=_prefilled(customer, current))
    if request.method == "POST" and form.is_valid():
        edition = policies.in_force(call["today"])
        try:
            made = applications.create(customer, form.wanted(), edition=edition, **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal, named=_box)
        else:
            messages.success(request, _("Put down as a draft. Look it over and hand it in."))
            return redirect("credit:application", made.pk)
    told = {"form": form, "customer": customer, "current": current, "found": None}
    return render(request, "records/application_form.html", told, status=status_of(form))


def _prefilled(customer: Customer, current: lines.InForce) -> dict[str, Any]:
    """What the registry knows already."""
    names = ("contact", "telephone", "email", "bank", "bank_account")
    boxes = {f"{BEFORE}{name}": getattr(customer, name) for name in ("contact",)}
    boxes |= {f"{BEFORE}{name}": "" for name in names if name != "contact"}
    return boxes | {
        "request_type": "raise" if current.line else "new",
        "currency": current.line.currency if current.line else customer.currency,
        "requested_term_days": current.line.term_days if current.line else 30,
    }


@page
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other contents of a draft or returned application."""
    call = moment(request)
    found = sight.get_visible(rows_seen(request), call["by"], pk, on=call["today"])
    require_duty(request, *rules.APPLICANTS, verb="change", about=found)
    initial = {name: getattr(found, name) for name in applications.COLUMNS}
    form = ApplicationForm(request.POST or None, initial=initial, filled=particulars.filled(found.details))
    if request.method == "POST" and form.is_valid():
        try:
            applications.change(found, form.wanted(), version=version_of(request), **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal, named=_box)
        else:
            messages.success(request, _("Changed."))
            return redirect("credit:application", pk)
    told = {"form": form, "customer": found.customer, "found": found,
            "current": lines.in_force([found.customer_id], on=call["today"])[found.customer_id],
            "version": request.POST.get("version") or found.version}  # fmt: skip
    return render(request, "records/application_form.html", told, status=status_of(form))


@page
@require_http_methods(["GET", "POST"])
def investigate(request: HttpRequest, pk: int) -> HttpResponse:
    """The investigation form (domain 4.2); what was written before stands in it."""
    call = moment(request)
    found = sight.get_visible(rows_seen(request), call["by"], pk, on=call["today"])
    require_duty(request, *rules.OFFICE, verb="investigate", about=found)
    before = particulars.filled(found.investigation)
    form = BoxForm(request.POST or None, boxes=particulars.INVESTIGATION, filled=before)
    if request.method == "POST" and form.is_valid():
        try:
            applications.investigate(found, form.given(), version=version_of(request), **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal, named=_box)
        else:
            messages.success(request, _("The investigation is kept."))
            return redirect("credit:application", pk)
    told = {"form": form, "customer": found.customer, "found": found,
            "version": request.POST.get("version") or found.version}  # fmt: skip
    return render(request, "records/investigation_form.html", told, status=status_of(form))


def _box(field: str) -> str:
    """Faults of boxes come as details.box or findings.box."""
    return f"{BEFORE}{field.partition('.')[2]}" if "." in field else field


# --- one application -----------------------------------------------------------------------------

FORMS: Mapping[str, Any] = {
    "submit": ReasonForm, "accept": ReasonForm, "assess": None, "confirm_grade": ReasonForm, "opine": OpinionForm,
    "delegate": ToForm, "countersign": ToForm, "approve": DecisionForm, "decline": DeclineForm, "return": ReturnForm,
    "withdraw": ReasonForm,
}  # fmt: skip
BUTTONS: Mapping[str, tuple[Any, str, str]] = {
    "submit": (gettext_lazy("Hand in"), "primary", "send"),
    "accept": (gettext_lazy("Accept for review"), "primary", "check"),
    "assess": (gettext_lazy("Rate and assess"), "primary", "calculator"),
    "confirm_grade": (gettext_lazy("Confirm the grade"), "primary", "user-check"),
    "opine": (gettext_lazy("Give my opinion"), "primary", "message"),
    "approve": (gettext_lazy("Approve"), "primary", "signature"),
    "countersign": (gettext_lazy("Ask one more"), "", "user-plus"),
    "delegate": (gettext_lazy("Hand over"), "", "arrow-right"),
    "return": (gettext_lazy("Return"), "", "arrow-back-up"),
    "decline": (gettext_lazy("Decline"), "danger", "x"),
    "withdraw": (gettext_lazy("Withdraw"), "", "trash"),
}
"""Verb -> (label, colour, icon), in the order of the buttons."""
DONE = {
    "submit": gettext_lazy("Handed in; the clock runs."),
    "accept": gettext_lazy("Accepted for review."),
    "assess": gettext_lazy("Rated; the suggestion is kept with the application."),
    "confirm_grade": gettext_lazy("The grade is confirmed."),
    "opine": gettext_lazy("Your opinion is kept."),
    "approve": gettext_lazy("Approved. The line holds from its first day on, and the reply is written."),
    "countersign": gettext_lazy("Asked as well."),
    "delegate": gettext_lazy("Handed over."),
    "return": gettext_lazy("Returned for completion."),
    "decline": gettext_lazy("Declined, and the reply is written."),
    "withdraw": gettext_lazy("Withdrawn."),
}


@page
@require_GET
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """One application: where it stands, by when, what is missing, what was found, said and decided, and its letters."""
    call = acting(request)
    return detail(request, sight.get_visible(rows_seen(request), call["by"], pk, on=call["on"]))


@page
@require_POST
def move(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One step with the version seen. A refusal is shown on the application itself, with its cure."""
    call = moment(request)
    found = sight.get_visible(rows_seen(request), call["by"], pk, on=call["today"])
    try:
        _moved(request, found, verb, call)
    except Refusal as refusal:
        trail.keep(refusal)
        fresh = sight.get_visible(rows_seen(request), call["by"], pk, on=call["today"])
        return detail(request, fresh, refusal)
    messages.success(request, DONE[verb])
    return redirect("credit:application", pk)


def _moved(request: HttpRequest, found: Application, verb: str, call: Mapping[str, Any]) -> None:
    application_verbs.require(found, verb, **call)
    made = FORMS.get(verb, ReasonForm)
    said: dict[str, Any] = {}
    if made is not None:
        people = _people(found) if made is ToForm else ()
        form = ToForm(request.POST, people=people) if made is ToForm else made(request.POST)
        if not form.is_valid():
            raise refused_form(form)
        said = {name: value for name, value in form.cleaned_data.items() if value is not None}
    edition = policies.in_force(call["today"])
    version = version_of(request)
    application_verbs.act(found, verb, Said(**said), given=said, version=version, edition=edition, **call)


def _people(found: Application) -> list[tuple[str, str]]:
    """Who could be handed a turn or asked as well."""
    rows = Person.objects.filter(is_active=True, appointments__post__in=rules.SPEAKERS).distinct().order_by("name")
    return [(each.username, f"{each} ({each.username})") for each in rows.exclude(pk=found.requested_by_id)]


def detail(
    request: HttpRequest, found: Application, refusal: Refusal | None = None, *, reference: Any = None
) -> HttpResponse:
    """The page of an application. `reference`: the form that asks a referee, where it is sent back."""
    call = moment(request)
    by, today = call["by"], call["today"]
    edition = policies.in_force(today)
    verbs = opinions.verbs_for(found, edition=edition, by=by, today=today)
    lacking = applications.missing(found, policy=edition.policy, today=today)
    told = {
        "found": found,
        "customer": found.customer,
        "status": status(found),
        "verbs": verbs,
        "actions": _actions(found, verbs),
        "clock": applications.clock_of(found, policy=edition.policy, today=today),
        "missing": [applications.ITEMS[item] for item in lacking],
        "steps": steps(found),
        "asked": _asked(found),
        "details": [
            {"label": label, "value": text or "—"}
            for label, text in particulars.shown(particulars.APPLICATION, particulars.filled(found.details))
            if text
        ],
        "investigation": [
            {"label": label, "value": text}
            for label, text in particulars.shown(particulars.INVESTIGATION, particulars.filled(found.investigation))
            if text
        ],
        "line": Line.objects.filter(request=found.line_request_id).first() if found.line_request_id else None,
        "paper_forms": [(name, title) for name, (title, _blocks) in application_papers.FORMS.items()],
        "history": list(application_papers.history(found)),
        "events": _events(found),
        "letters": [letter_views.told(each) for each in decisions.letters(found)],
        "attached": attachments.listed(found, by=by, on=today),
        "may_attach": bool(posts.posts_of(by, on=today) & set(rules.SPEAKERS)),
        "may_mail": bool(posts.posts_of(by, on=today) & set(mails.SENDERS)),
        "refusal": refusal,
        **_round(found, edition, today),
        **_references(found, by, today, reference),
    }
    return render(request, "records/application.html", told, status=refusal.status if refusal else 200)


def _actions(found: Application, verbs: list[str]) -> list[dict[str, Any]]:
    """The buttons with their dialogs."""
    made = []
    for verb, (label, colour, icon) in BUTTONS.items():
        if verb in verbs:
            form = FORMS[verb]
            extra = None
            if form is ToForm:
                extra = ToForm(people=_people(found), prefix=None, auto_id=f"{verb}_%s")
            elif form is DecisionForm:
                extra = DecisionForm(initial=_proposed(found), auto_id=f"{verb}_%s")
            elif form is not None:
                extra = form(auto_id=f"{verb}_%s")
            made.append({"verb": verb, "label": label, "colour": colour, "icon": icon, "form": extra,
                         "address": reverse("credit:application_move", args=[found.pk, verb]),
                         "hidden": [("version", found.version)]})  # fmt: skip
    return made


def _proposed(found: Application) -> dict[str, Any]:
    """What the signer's form begins with: what was asked for, or what was suggested where that is less."""
    limit = found.requested_limit
    if found.request_type not in ("temporary", "lower") and found.suggested_kind in ("amount", "none"):
        limit = min(limit, found.suggested_limit or lines.ZERO)
    days = [found.requested_term_days, found.suggested_term_days]
    term = min(each for each in days if each is not None)
    return {"limit": limit, "term_days": term, "effective_to": found.requested_until}


def _asked(found: Application) -> list[dict[str, Any]]:
    return [
        {"label": _("Kind of request"), "value": found.get_request_type_display()},  # type: ignore[attr-defined]
        {"label": _("Limit asked for"), "value": f"{found.requested_limit:,.2f} {found.currency}"},
        {"label": _("Term in days"), "value": found.requested_term_days},
        *([{"label": _("Until"), "value": found.requested_until}] if found.requested_until else []),
        {"label": _("Reason"), "value": found.reason or "—"},
        {"label": _("Where it came from"), "value": found.get_source_display()},  # type: ignore[attr-defined]
    ]


def _round(found: Application, edition: Any, today: Any) -> dict[str, Any]:
    """The opinions given, who is still to speak, who signs in the end."""
    given = [each for each in found.opinions.select_related("by", "on_behalf_of") if each.turn == found.turn]
    told: dict[str, Any] = {
        "opinions": [_opinion(each) for each in given],
        "waiting": [],
        "signers": [],
        "asked_too": [],
    }
    if found.status != "assessed":
        return told
    try:
        state = opinions.round_of(found, edition=edition, today=today)
    except CannotDecide as refusal:
        return told | {"no_rate": str(refusal)}
    return told | {
        "waiting": [POST_LABELS[post] for post in state.waiting],
        "signers": [POST_LABELS[post] for post in state.needs.posts],
        "asked_too": [str(each.to) for each in state.asked],
        "total": state.needs.amount.bound,
        "company_currency": edition.policy.company.currency,
    }


def _opinion(each: Any) -> dict[str, Any]:
    colours = {"agree": "green", "conditional": "amber", "disagree": "red"}
    post = POST_LABELS[each.post] if each.post else _("asked as well")
    lent = _("for %(person)s") % {"person": each.on_behalf_of} if each.on_behalf_of else ""
    return {"post": post, "verdict": each.get_verdict_display(), "colour": colours[each.verdict], "text": each.text,
            "by": each.by, "at": each.at, "lent": lent}  # fmt: skip


def _references(found: Application, by: Person, today: Any, form: Any = None) -> dict[str, Any]:
    may_read = references.may_read(by, today)
    rows = [
        {"kind": each.get_kind_display(), "name": each.name, "status": each.get_status_display(),  # type: ignore[attr-defined]
         "answer": application_papers.told_reference(each.answer) if may_read else "", "answered": bool(each.answer),
         "asked_on": each.link.made_at, "until": each.link.expires_on,
         "remind": each.pk if references.may_remind(each, by, today) else None}
        for each in found.references.select_related("link", "application")
    ]  # fmt: skip
    may_ask = bool(posts.posts_of(by, on=today) & set(references.ASKERS)) and found.status in rules.OPEN
    return {"references": rows, "may_read": may_read, "reference_form": (form or ReferenceForm()) if may_ask else None}


def _events(found: Application) -> list[dict[str, Any]]:
    rows = TrailEntry.objects.filter(about=trail.name_of(found)).select_related("by").order_by("id")
    return [
        {"at": each.at, "title": VERBS.get(each.verb, each.verb), "by": each.by_name,
         "text": each.particulars.get("why") or "", "colour": "blue", "address": ""}
        for each in rows
    ]  # fmt: skip


ORDER = ("submitted", "accepted", "investigated", "assessed")


def steps(found: Application) -> list[dict[str, Any]]:
    """Applied for, accepted, investigated, assessed, decided: where it stands."""
    done = {"draft": 0, "returned": 0, "submitted": 1, "accepted": 2, "investigated": 3, "assessed": 4}
    reached = done.get(found.status, 5)
    names = [
        (_("Handed in"), found.requested_by, found.submitted_on),
        (_("Accepted for review"), found.accepted_by, None),
        (_("Investigated"), found.investigated_by, found.investigated_on),
        (_("Assessed"), found.assessed_by, found.assessed_on),
    ]
    ended = found.status in ("approved", "declined", "withdrawn")
    made = [
        {"label": label, "state": _state(place, reached, bool(by) if ended else True),
         "hint": " ".join(str(each) for each in (by, on) if each and place < reached)}
        for place, (label, by, on) in enumerate(names)
    ]  # fmt: skip
    state = "done" if found.status == "approved" else "stopped" if ended else "current" if reached == 4 else "todo"
    label = found.get_status_display() if ended else _("Opinions and signature")  # type: ignore[attr-defined]
    return [*made, {"label": label, "state": state, "by": found.decided_by, "at": found.decided_at}]


def _state(place: int, reached: int, was: bool) -> str:
    if place < reached:
        return "done" if was else "todo"
    return "current" if place == reached else "todo"
