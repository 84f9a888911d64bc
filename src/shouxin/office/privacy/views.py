"""Pages of the sharing register and of the impact assessments."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import models, transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import attachments, policies, trail, trail_words
from shouxin.office.models import DataSharing, ImpactAssessment, TrailEntry
from shouxin.office.pages import acting, blame, page, paper_file, require_duty, status_of, typed, version_of
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.privacy import KEEPERS

from . import assessments, papers, sharings
from .forms import AssessmentForm, CorrectionForm, SharingForm, begun

STATES: dict[str, tuple[Any, str]] = {
    "running": (pgettext_lazy("sharing", "Running"), "green"),
    "to_come": (gettext_lazy("To come"), "blue"),
    "past": (gettext_lazy("Its last day is over"), "amber"),
    "ended": (pgettext_lazy("sharing", "Ended"), "grey"),
}
COLOURS = {"written": "amber", "returned": "red", "in_force": "green", "replaced": "grey", "closed": "grey"}
RISK_COLOURS = {"low": "green", "medium": "amber", "high": "red"}
STEPS: dict[str, tuple[Any, str, str, str, Any]] = {
    "review": (
        gettext_lazy("Put in force"), "check", "primary", "optional",
        gettext_lazy("You have read it and find it right. It takes the place of the version before it."),
    ),
    "send_back": (
        gettext_lazy("Send back"), "arrow-back-up", "", "required", gettext_lazy("Say what is wanting."),
    ),
    "close": (
        gettext_lazy("Close"), "x", "", "required",
        gettext_lazy("The processing is over; the assessment covers nothing any more."),
    ),
    "dispose": (
        gettext_lazy("Dispose of"), "trash", "danger", "optional",
        gettext_lazy("Its time is over: it is deleted, and only its title stays in the trail."),
    ),
}  # fmt: skip
"""Verb -> label, icon, colour, whether a reason is asked for, what it means."""
HISTORY_MAX = 100


# --- the sharing register --------------------------------------------------------------------------


@page
@require_GET
def sharing_list(request: HttpRequest) -> HttpResponse:
    """To whom outside personal data are given."""
    call = acting(request)
    rows = sharings.seen_by(**call)
    columns = [
        Column("recipient", _("Recipient"), sort="recipient",
               link=lambda row: reverse("office:sharing", args=[row.pk])),
        Column("status", _("Status"), "status", lambda row: STATES[sharings.state_of(row, call["on"])]),
        Column("kind", _("Kind of recipient"), value=lambda row: row.get_kind_display()),
        Column("purpose", _("Purpose")),
        Column("persons", _("Of whom"), value=lambda row: ", ".join(sharings.persons_said(row.persons))),
        Column("fields", _("Which data"), value=lambda row: ", ".join(sharings.fields_said(row.fields))),
        Column("role", _("Role of the recipient"), value=lambda row: row.get_role_display(), hidden=True),
        Column("basis", _("Legal basis"), value=lambda row: row.get_basis_display(), hidden=True),
        Column("manner", _("Manner"), value=lambda row: row.get_manner_display(), hidden=True),
        Column("agreement", _("Agreement")),
        Column("since", _("From"), "date", sort="since"),
        Column("until", _("Until"), "date", sort="until"),
        Column("entered_by", _("Entered by"), hidden=True),
        Column("ended_by", _("Ended by"), hidden=True),
    ]  # fmt: skip
    asks = [
        Ask("q", _("Recipient"), where="recipient__icontains"),
        Ask("status", _("Status"), "select", where="status", choices=DataSharing.STATUSES),
        Ask("kind", _("Kind of recipient"), "select", where="kind", choices=DataSharing.KINDS),
    ]
    listing = Listing(request, rows, columns, asks, key="sharings", order="-pk", title=_("Sharing register"))
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "keeper": assessments.is_keeper(call["by"], call["on"])}
    return render(request, "privacy/sharings.html", told)


@page
@require_http_methods(["GET", "POST"])
def sharing_new(request: HttpRequest) -> HttpResponse:
    """A new entry, with the agreement as evidence."""
    call = acting(request)
    require_duty(request, *KEEPERS, verb="enter_sharing", about="data-sharing:")
    form = SharingForm(request.POST or None, request.FILES or None, initial={"since": call["on"]})

    def save() -> models.Model:
        with transaction.atomic():
            made = sharings.enter(form.terms(), **call)
            if upload := form.cleaned_data["file"]:
                sharings.keep_file(made, upload, note="", **call)
        return made

    back = reverse("office:sharings")
    return _filled(request, form, _("New entry of the sharing register"), save, "office:sharing", back)


@page
@require_http_methods(["GET", "POST"])
def sharing_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """A new wording of an entry, in the version she saw."""
    call = acting(request)
    require_duty(request, *KEEPERS, verb="correct_sharing", about="data-sharing:")
    found = sharings.get(pk, **call)
    form = CorrectionForm(request.POST or None, initial=begun(found))

    def save() -> models.Model:
        seen = version_of(request)
        return sharings.correct(found, form.terms(), why=form.cleaned_data["reason"], version=seen, **call)

    back = reverse("office:sharing", args=[pk])
    return _filled(request, form, _("Correct the entry"), save, "office:sharing", back, version=found.version)


@page
@require_GET
def sharing(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry: what it says, its evidence, the assessments that cover it, every wording it had."""
    call = acting(request)
    found = sharings.get(pk, **call)
    told = {
        "found": found,
        "state": STATES[sharings.state_of(found, call["on"])],
        "persons": sharings.persons_said(found.persons),
        "fields": sharings.fields_said(found.fields),
        "verbs": sharings.verbs_for(found, call["by"], call["on"]),
        "keeper": assessments.is_keeper(call["by"], call["on"]),
        "hidden": [("version", found.version)],
        "attachments": attachments.listed(found, by=call["by"], on=call["on"]),
        "covering": ImpactAssessment.objects.filter(covers__contains=[pk]).exclude(status="replaced").order_by("-pk"),
        "findings": [each for each in assessments.told(assessments.findings(call["on"]))
                     if each["about"] == pk and each["code"] in assessments.OF_SHARING],
        "versions": _wordings(found),
        "history": _history(found),
    }  # fmt: skip
    return render(request, "privacy/sharing.html", told)


@page
@require_POST
def sharing_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing more is given from today."""
    call = acting(request)
    found = sharings.get(pk, **call)
    seen = version_of(request)
    return _done(request, lambda: sharings.end(found, why=typed(request), version=seen, **call), "office:sharing", pk)


@page
@require_POST
def sharing_attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the agreement, or another paper, with the entry."""
    call = acting(request)
    found = sharings.get(pk, **call)

    def keep() -> object:
        upload = request.FILES.get("file")
        if upload is None:
            raise BadForm([("file", _("Choose a file."))])
        return sharings.keep_file(found, upload, note=typed(request, "note", most=200), **call)

    return _done(request, keep, "office:sharing", pk)


def _wordings(found: DataSharing) -> list[dict[str, Any]]:
    """Every wording, the latest first, each with what it changed."""
    rows = list(found.versions.select_related("by").order_by("number"))
    told = []
    for before, row in zip([None, *rows], rows, strict=False):
        changed = [
            (str(DataSharing._meta.get_field(name).verbose_name), _worded(name, before.wording[name]),
             _worded(name, value))
            for name, value in row.wording.items()
            if before is not None and value != before.wording[name]
        ]  # fmt: skip
        told.append({"row": row, "changed": changed})
    return told[::-1]


def _worded(name: str, value: Any) -> str:
    if name == "fields":
        return ", ".join(sharings.fields_said(value))
    if name == "persons":
        return ", ".join(sharings.persons_said(value))
    return str(dict(sharings.CHOICES.get(name, ())).get(value, value or "—"))


# --- impact assessments ----------------------------------------------------------------------------


@page
@require_GET
def assessment_list(request: HttpRequest) -> HttpResponse:
    """Every version of every assessment, and what is to be done."""
    call = acting(request)
    rows = assessments.seen_by(**call)
    columns = [
        Column("title", _("What is assessed"), sort="title",
               link=lambda row: reverse("office:assessment", args=[row.pk])),
        Column("number", _("Version"), "number"),
        Column("status", _("Status"), "status", _status),
        Column("occasions", _("Occasion"), value=lambda row: "; ".join(papers.occasions_said(row))),
        Column("risk", _("Risk"), "status", _risk),
        Column("conclusion", _("Conclusion"), value=lambda row: row.get_conclusion_display()),
        Column("written_by", _("Assessed by")),
        Column("assessed_on", _("Assessed on"), "date", sort="assessed_on"),
        Column("reviewed_by", _("Reviewed by")),
        Column("next_review_on", _("Look again by"), "date", sort="next_review_on"),
    ]  # fmt: skip
    asks = [
        Ask("q", _("What is assessed"), where="title__icontains"),
        Ask("status", _("Status"), "select", where="status", choices=ImpactAssessment.STATUSES[:-1]),
        Ask("risk", _("Risk"), "select", where="risk", choices=ImpactAssessment.RISKS),
    ]
    listing = Listing(request, rows, columns, asks, key="assessments", order="-pk", title=_("Impact assessments"))
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "keeper": assessments.is_keeper(call["by"], call["on"]),
            "findings": linked(assessments.told(assessments.findings(call["on"])))}  # fmt: skip
    return render(request, "privacy/assessments.html", told)


def linked(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings, each with the page where it is put right."""
    return [each | {"address": address_of(each)} for each in found]


def address_of(finding: dict[str, Any]) -> str:
    """Where a finding is put right."""
    if finding["code"] == "grading_unassessed":
        return f"{reverse('office:assessment_new')}?occasions=automated"
    name = "office:assessment" if finding["code"].startswith("review") else "office:sharing"
    return reverse(name, args=[finding["about"]])


@page
@require_http_methods(["GET", "POST"])
def assessment_new(request: HttpRequest) -> HttpResponse:
    """A new assessment; `?occasions=` and `?covers=` are what brought her here."""
    call = acting(request)
    require_duty(request, *KEEPERS, verb="write_assessment", about="impact-assessment:")
    start = {"assessed_on": call["on"], "occasions": request.GET.getlist("occasions"),
             "covers": request.GET.getlist("covers")}  # fmt: skip
    form = AssessmentForm(request.POST or None, initial=start)
    title = _("New impact assessment")
    back = reverse("office:assessments")
    return _filled(request, form, title, lambda: assessments.write(form.terms(), **call), "office:assessment", back)


@page
@require_http_methods(["GET", "POST"])
def assessment_revise(request: HttpRequest, pk: int) -> HttpResponse:
    """The next version of an assessment."""
    call = acting(request)
    require_duty(request, *KEEPERS, verb="write_assessment", about="impact-assessment:")
    found = assessments.get(pk, **call)
    start = begun(found) | {"assessed_on": call["on"], "next_review_on": None}
    form = AssessmentForm(request.POST or None, initial=start)

    def save() -> models.Model:
        return assessments.write(form.terms(), before=found, **call)

    back = reverse("office:assessment", args=[pk])
    return _filled(request, form, _("Next version of the assessment"), save, "office:assessment", back)


@page
@require_GET
def assessment(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, to read and to print (`?form=pdf`, `docx`)."""
    call = acting(request)
    found = assessments.get(pk, **call)
    edition = policies.in_force(call["on"])
    guard = edition.policy.personal_data
    printed = paper_file(request, papers.assessment(found, edition), f"impact-assessment-{pk}")
    if printed is not None:
        return printed
    told = {
        "found": found,
        "status": _status(found),
        "risk": _risk(found),
        "occasions": papers.occasions_said(found),
        "covered": DataSharing.objects.filter(pk__in=found.covers).order_by("pk"),
        "parts": [(words, getattr(found, name)) for words, name in papers.PARTS],
        "verbs": [_verb(verb) for verb in assessments.verbs_for(found, call["by"], call["on"], guard)],
        "mine": found.written_by_id == call["by"].pk and found.status == "written",
        "may_write": assessments.may_write(found, call["by"], call["on"]),
        "kept_until": assessments.kept_until(found, guard),
        "findings": [each for each in assessments.told(assessments.findings(call["on"]))
                     if each["about"] == pk and each["code"].startswith("review")],
        "versions": ImpactAssessment.objects.filter(series=found.series).order_by("-number"),
        "history": _history(found),
    }  # fmt: skip
    return render(request, "privacy/assessment.html", told)


@page
@require_POST
def assessment_act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Review, send back, close, dispose of."""
    call = acting(request)
    found = assessments.get(pk, **call)
    gone = verb == "dispose"

    def step() -> object:
        return assessments.act(found, verb, note=typed(request), **call)

    return _done(request, step, "office:assessment", pk, after="office:assessments" if gone else "")


def _status(row: ImpactAssessment) -> tuple[str, str]:
    return str(row.get_status_display()), COLOURS[row.status]


def _risk(row: ImpactAssessment) -> tuple[str, str]:
    return str(row.get_risk_display()), RISK_COLOURS[row.risk]


def _verb(verb: str) -> dict[str, Any]:
    label, icon, colour, reason, means = STEPS[verb]
    return {"verb": verb, "label": label, "icon": icon, "colour": colour, "reason": reason, "text": means}


# --- the frame of both -----------------------------------------------------------------------------


def _filled(
    request: HttpRequest, form: Form, title: str, save: Callable[[], models.Model], page_of: str, back: str,
    version: int | None = None,
) -> HttpResponse:  # fmt: skip
    """The page of a form: shown, saved, or shown again with what is wrong."""
    if request.method == "POST" and form.is_valid():
        try:
            made = save()
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Kept."))
            return redirect(page_of, made.pk)
    told = {"form": form, "title": title, "cancel_address": back, "version": version}
    return render(request, "privacy/form.html", told, status=status_of(form))


def _done(request: HttpRequest, step: Callable[[], object], page_of: str, pk: int, after: str = "") -> HttpResponse:
    """One step from a page; a refusal is shown with what was written by the frame of all pages."""
    step()
    messages.success(request, _("Done."))
    return redirect(after) if after else redirect(page_of, pk)


def _history(about: models.Model) -> list[tuple[Any, TrailEntry]]:
    rows = TrailEntry.objects.filter(about=trail.name_of(about)).order_by("-pk")[:HISTORY_MAX]
    return [(trail_words.verb(entry), entry) for entry in rows]
