"""The forms outsiders fill in by a link, without an account: an application by the customer, an answer by a referee.

Nothing but what the form asks is shown: no grade, no line, no other customer, not who else was asked.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shouxin.credit import form_links, particulars, references
from shouxin.credit.models import FormLink
from shouxin.office import clock, policies, trail
from shouxin.office.refusals import BadForm, Moved, Refusal

from . import labels
from .application_forms import BEFORE, ApplicationForm, BoxForm, PublicForm


@never_cache
@require_http_methods(["GET", "POST"])
def application_form(request: HttpRequest, token: str) -> HttpResponse:
    """The application form as the customer sees it; handed in once."""
    return _answered(request, token, "application")


@never_cache
@require_http_methods(["GET", "POST"])
def reference_form(request: HttpRequest, token: str) -> HttpResponse:
    """The reference form as the bank or supplier sees it; handed in once."""
    return _answered(request, token, "reference")


def _answered(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    today = clock.today()
    try:
        link = form_links.opened(token, kind, today=today)
        return _form(request, link, token)
    except Refusal as refusal:
        trail.keep(refusal)
        return _page(request, {"refusal": refusal}, refusal.status)


def _form(request: HttpRequest, link: FormLink, token: str) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    files = request.FILES if request.method == "POST" else None
    form, guard = _boxes(link, sent, files), PublicForm()
    company = policies.in_force(clock.today()).policy.company
    told = {
        "form": form,
        "guard": guard,
        "link": link,
        "house": labels.said(company.name),
        "customer": link.customer.name,
    }
    if sent is None:
        return _page(request, told, 200)
    try:
        number = _taken(request, link, token, form)
    except (BadForm, Moved, form_links.TooMany) as refusal:
        if isinstance(refusal, BadForm):
            _blame(form, refusal)
        else:
            form.add_error(None, f"{refusal} {refusal.cure_text}")
        return _page(request, told, refusal.status)
    return _page(request, {"done": True, "number": number, "house": labels.said(company.name)}, 200)


def _boxes(link: FormLink, sent: Any, files: Any) -> Any:
    if link.kind == "reference":
        return BoxForm(sent, boxes=particulars.REFERENCE)
    start = {"currency": link.customer.currency, "requested_term_days": 30}
    return ApplicationForm(sent, files, outside=link.request_type, initial=start)


def _taken(request: HttpRequest, link: FormLink, token: str, form: Any) -> str:
    """Take in what was sent; answers the application's number, empty for a reference."""
    today, at = clock.today(), clock.now()
    edition = policies.in_force(today)
    place = f"{request.META.get('REMOTE_ADDR', '')}|{link.digest}"
    form_links.refuse_machines(request.POST, place, policy=edition.policy)
    if not form.is_valid():
        raise BadForm()
    if link.kind == "reference":
        references.answer(token, form.given(), today=today, at=at)
        return ""
    files = form.cleaned_data["files"]
    return form_links.apply(token, form.wanted(), files=files, edition=edition, today=today, at=at).number


def _blame(form: Any, refusal: BadForm) -> None:
    for field, text in refusal.errors:
        key = field.rpartition(".")[2]
        name = f"{BEFORE}{key}" if f"{BEFORE}{key}" in form.fields else key
        form.add_error(name if name in form.fields else None, text)


def _page(request: HttpRequest, told: dict[str, Any], status: int) -> HttpResponse:
    titles = {"reference": _("Credit reference"), "application": _("Credit application")}
    link = told.get("link")
    title = titles[link.kind] if link else _("Form")
    return render(request, "records/public_form.html", told | {"title": title}, status=status)
