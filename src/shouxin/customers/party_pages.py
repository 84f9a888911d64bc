"""The frame of the pages of related parties and of the blacklist: a form about a customer, a file kept with a paper."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from shouxin.office import attachments, posts, sight
from shouxin.office.pages import acting, blame, status_of, typed
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.policy import Post

from . import evidence
from .models import Agent, BlacklistCase, Customer


def file_of(customer: Customer) -> str:
    return f"{reverse('customers:file', args=[customer.pk])}?tab=parties"


def customer_of(request: HttpRequest, pk: int) -> Customer:
    call = acting(request)
    return sight.get_visible(Customer, call["by"], pk, on=call["on"])


def filled(
    request: HttpRequest, form: Form, customer: Customer, title: Any, save: Any, done: Any, **more: Any
) -> HttpResponse:
    """The page of a form about the customer: shown, saved, or shown again with what is wrong; `more` beside it."""
    if request.method == "POST" and form.is_valid():
        try:
            save(form.cleaned_data)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, done)
            return redirect(file_of(customer))
    told = {"form": form, "customer": customer, "title": title, **more}
    return render(request, "customers/party_form.html", told, status=status_of(form))


def keep_about(upload: Any, about: Model, customer: Customer, call: dict[str, Any]) -> None:
    """The file handed in with a paper, as evidence about it."""
    if upload:
        attachments.attach(upload, about=about, customer=customer, by=call["by"], at=call["at"])


def keep_with(request: HttpRequest, paper: Agent | BlacklistCase) -> None:
    """Keep the file that was sent with an agent or a case. Raises BadForm."""
    upload, note = request.FILES.get("file"), typed(request, "note", most=200)
    if upload is None:
        raise BadForm([("file", _("Choose a file."))])
    evidence.keep_with(paper, upload, note=note, **acting(request))
    messages.success(request, _("Kept."))


def may_attach(call: dict[str, Any], duty: Collection[Post]) -> bool:
    """Whether the page shows her the field for a file."""
    return bool(posts.posts_of(call["by"], on=call["on"]) & set(duty))
