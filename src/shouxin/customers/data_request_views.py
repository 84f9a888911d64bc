"""The page of what natural persons ask about their data: take it down, and decide as the second person."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from shouxin.lib import sheets
from shouxin.office import posts
from shouxin.office.pages import acting, blame, page, typed
from shouxin.office.refusals import BadForm, NotVisible

from . import corrections, data_requests
from .models import DataRequest

COLOURS = {"asked": "amber", "done": "green", "declined": "red", "withdrawn": "grey"}
WORDS = {"confirm": gettext_lazy("Confirm"), "decline": gettext_lazy("Decline"), "withdraw": gettext_lazy("Withdraw")}
SHOWN_MAX = 200
COLON = re.compile("[:：]")


class RequestForm(forms.Form):
    """What is asked for, by whom. Corrections are written one a line, `field: value`."""

    customer = forms.CharField(label=gettext_lazy("Customer code"), max_length=40)
    kind = forms.ChoiceField(label=gettext_lazy("What is asked for"), choices=DataRequest.KINDS)
    why = forms.CharField(
        label=gettext_lazy("In the person's words"), max_length=500, widget=forms.Textarea({"rows": 2})
    )
    about = forms.CharField(label=gettext_lazy("Decision to be looked at"), max_length=60, required=False,
                            help_text=gettext_lazy("Such as credit-decision:12; for a review."))  # fmt: skip
    changes = forms.CharField(
        label=gettext_lazy("To be corrected"), required=False, widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("One a line, field and value, such as telephone: 13800138000."),
    )  # fmt: skip

    def clean_changes(self) -> dict[str, str]:
        """Field -> value."""
        lines = [COLON.split(line, 1) for line in self.cleaned_data["changes"].splitlines() if line.strip()]
        return {name.strip(): "".join(value).strip() for name, *value in lines}


@page
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """The requests she may read, and a new one."""
    call = acting(request)
    held = posts.posts_of(call["by"], on=call["on"])
    form = RequestForm(request.POST or None, initial={key: request.GET.get(key, "") for key in ("customer", "kind",
                                                                                                 "about")})  # fmt: skip
    if request.method == "POST":
        posts.require(
            call["by"],
            *data_requests.ASKERS,
            on=call["on"],
            about="data-request:",
            verb="data_request.ask",
            at=call["at"],
        )
    if request.method == "POST" and form.is_valid():
        try:
            _ask(form.cleaned_data, call)
        except BadForm as refusal:
            blame(form, _of_the_form(refusal))
        except NotVisible as refusal:
            form.add_error("customer", str(refusal))
        else:
            messages.success(request, _("Taken down. A second person has to decide."))
            return redirect("customers:data_requests")
    rows = data_requests.seen_by(call["by"], call["on"]).order_by("-pk")[:SHOWN_MAX]
    told = {"rows": [_row(each, call) for each in rows], "form": form, "asker": bool(held & set(data_requests.ASKERS))}
    return render(request, "customers/data_requests.html", told, status=422 if form.errors else 200)


@page
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Confirm, decline, withdraw; or fetch the copy that two people have agreed to."""
    call = acting(request)
    asked = data_requests.get(pk, by=call["by"], on=call["on"])
    if verb == "copy":
        text = data_requests.copy_of(asked, **call)
        return sheets.attachment([text.encode()], f"personal-data-{asked.customer_id}.json", "application/json")
    if request.method != "POST":
        raise NotVisible
    data_requests.decide(asked, verb, answer=typed(request, most=data_requests.ANSWER_MAX), **call)
    messages.success(request, _("Done."))
    return redirect("customers:data_requests")


def _ask(given: dict[str, Any], call: dict[str, Any]) -> None:
    customer = data_requests.customer_for(given["customer"], given["kind"], by=call["by"], on=call["on"])
    rest = {name: given[name] for name in ("why", "changes", "about")}
    data_requests.ask(customer, given["kind"], **rest, **call)


def _of_the_form(refusal: BadForm) -> BadForm:
    """The refusal with the fields to be corrected named by their labels, in the form's one field for them."""
    pairs = [(*field.partition("."), message) for field, message in refusal.errors]
    return BadForm(
        [(field, f"{corrections.label(name)}: {said}" if name else said) for field, _dot, name, said in pairs]
    )


def _row(asked: DataRequest, call: dict[str, Any]) -> dict[str, Any]:
    verbs = data_requests.verbs_for(asked, call["by"], call["on"])
    return {
        "asked": asked,
        "corrected": data_requests.corrected(asked),
        "status": (asked.get_status_display(), COLOURS[asked.status]),
        "verbs": [(verb, WORDS[verb], f"{verb}-{asked.pk}") for verb in verbs],
        "copy": asked.kind == "copy" and asked.status == "done",
    }
