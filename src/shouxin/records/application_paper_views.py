"""What goes with an application: its paper forms, its evidence, references, the customer's link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.credit import form_links, references
from shouxin.credit.models import Reference
from shouxin.customers.models import Customer
from shouxin.office import attachments, policies, posts, sight, trail
from shouxin.office.pages import acting, blame, moment, page, refused_form, require_duty, typed
from shouxin.office.refusals import BadForm, Refusal
from shouxin.rules import application as rules

from .application_api import form_file
from .application_forms import InviteForm, ReferenceForm
from .application_views import detail, rows_seen
from .outside_api import address_of


@page
@require_GET
def form(request: HttpRequest, pk: int, name: str, ending: str) -> HttpResponse:
    """One of the paper forms as PDF or Word."""
    call = acting(request)
    return form_file(request, sight.get_visible(rows_seen(request), call["by"], pk, on=call["on"]), name, ending)


@page
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a photo of the visit, a licence, a statement with the application."""
    call = acting(request)
    found = sight.get_visible(rows_seen(request), call["by"], pk, on=call["on"])
    posts.require(call["by"], *rules.SPEAKERS, on=call["on"], about=found, verb="attach", at=call["at"])
    try:
        upload = request.FILES.get("file")
        if upload is None:
            raise BadForm([("file", _("Choose a file."))])
        attachments.attach(upload, about=found, customer=found.customer, by=call["by"], at=call["at"],
                           note=typed(request, "note", most=200), field="file")  # fmt: skip
    except Refusal as refusal:
        trail.keep(refusal)
        return detail(request, found, refusal)
    messages.success(request, _("Kept."))
    return redirect("credit:application", pk)


@page
@require_POST
def ask_reference(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a bank or a supplier by mail."""
    call = moment(request)
    found = sight.get_visible(rows_seen(request), call["by"], pk, on=call["today"])
    form = ReferenceForm(request.POST)
    try:
        if not form.is_valid():
            raise refused_form(form)
        address, edition = address_of(request, "credit:reference_form"), policies.in_force(call["today"])
        references.ask(found, **form.cleaned_data, address=address, edition=edition, **call)
    except Refusal as refusal:
        trail.keep(refusal)
        return detail(request, found, refusal, reference=form)
    messages.success(request, _("Asked by mail."))
    return redirect("credit:application", pk)


@page
@require_POST
def remind_reference(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a referee who has not answered again."""
    call = moment(request)
    rows = Reference.objects.select_related("application")
    found = sight.get_visible(rows, call["by"], pk, on=call["today"], path="application__customer")
    address, edition = address_of(request, "credit:reference_form"), policies.in_force(call["today"])
    references.remind(found, address=address, edition=edition, **call)
    messages.success(request, _("Asked by mail."))
    return redirect("credit:application", found.application_id)


@page
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """A link by which the customer fills in the form itself."""
    call = moment(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["today"])
    require_duty(request, *rules.APPLICANTS, verb="form_link.make", about=customer)
    form, made, address = InviteForm(request.POST or None), None, address_of(request, "credit:application_form")
    if request.method == "POST" and form.is_valid():
        given, edition = form.cleaned_data, policies.in_force(call["today"])
        try:
            made = form_links.invite(customer, given["request_type"], address=address, to=given["email"],
                                     edition=edition, **call)  # fmt: skip
        except BadForm as refusal:
            blame(form, refusal)
    told = {"form": form, "customer": customer, "made": made, "address": address(made.token) if made else ""}
    return render(request, "records/invite.html", told, status=422 if form.errors else 200)
