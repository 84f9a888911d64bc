"""The pages of webhooks: what is told where, and what became of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.office import posts, sudo
from shouxin.office.models import Webhook
from shouxin.office.pages import acting, blame, page, require_duty
from shouxin.office.refusals import BadForm

from . import events, hooks
from .forms import HookForm

COLOURS = {"active": "green", "proposed": "amber", "paused": "grey", "stopped": "red"}
DELIVERY_COLOURS = {"waiting": "blue", "sent": "green", "failed": "red", "dropped": "grey"}
SHOWN_MAX = 100
_DONE = gettext_lazy("Done.")
VERBS = {"test": gettext_lazy("A test is on its way."), "accept": _DONE, "pause": _DONE, "resume": _DONE, "renew": "",
         "remove": gettext_lazy("Removed.")}  # fmt: skip
"""Verb -> what is said once it is done; a new secret speaks for itself."""


@page
@never_cache
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """All hooks she may see; the keepers make new ones. The secret of a new one is shown on this answer alone."""
    call = acting(request)
    form = HookForm(request.POST or None, initial=sudo.kept(request, dict.fromkeys(HookForm.base_fields)))
    made = None
    if request.method == "POST":
        require_duty(request, *hooks.KEEPERS, verb="webhook.create", about="webhook:")
        sudo.require(request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = hooks.create(given["url"], given["events"], label=given["label"], owner=given["owner"], **call)
        except BadForm as refusal:
            blame(form, refusal)
    if made is not None:
        return _shown(request, made, secret=made.secret)
    found = [(each, state_of(each)) for each in hooks.seen_by(call["by"], call["on"]).order_by("-pk")]
    told = {"found": found, "form": form, "keeper": _is_keeper(call), "events": events.LABELS.items()}
    return render(request, "webhooks/list.html", told, status=422 if form.errors else 200)


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One hook with its deliveries."""
    call = acting(request)
    return _shown(request, hooks.get(pk, by=call["by"], on=call["on"]))


@page
@never_cache
@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Test, accept, pause, resume, renew the secret, remove."""
    call = acting(request)
    hook = hooks.get(pk, by=call["by"], on=call["on"])
    if verb not in VERBS:
        raise hooks.NotVisible
    if _is_keeper(call) or hook.owner_id == call["by"].pk:
        sudo.require(request, back=reverse("webhooks:show", args=[pk]))
    if verb == "renew":
        hook = hooks.renew_secret(hook, **call)
        return _shown(request, hook, secret=hook.secret)
    steps: dict[str, Any] = {
        "test": lambda: hooks.test(hook, **call),
        "accept": lambda: hooks.accept(hook, seen=_agreed(request), **call),
        "pause": lambda: hooks.change(hook, state="paused", **call),
        "resume": lambda: hooks.change(hook, state="active", **call),
        "remove": lambda: hooks.remove(hook, **call),
    }
    steps[verb]()
    messages.success(request, VERBS[verb])
    return redirect("webhooks:list") if verb == "remove" else redirect("webhooks:show", pk)


def _agreed(request: HttpRequest) -> tuple[str, list[str]]:
    """The address and events that stood on the page she accepts from."""
    return request.POST.get("url", ""), request.POST.getlist("events")


def _shown(request: HttpRequest, hook: Webhook, secret: str = "") -> HttpResponse:
    call = acting(request)
    rows = hook.deliveries.order_by("-pk")[:SHOWN_MAX]
    told = {
        "hook": hook,
        "state": state_of(hook),
        "secret": secret,
        "told": [events.LABELS[each] for each in hook.events],
        "deliveries": [(row, (row.get_status_display(), DELIVERY_COLOURS[row.status])) for row in rows],
        "keeper": _is_keeper(call),
        "mine": hook.owner_id == call["by"].pk,
    }
    return render(request, "webhooks/show.html", told)


def state_of(hook: Webhook) -> tuple[str, str]:
    """The state in words, with its colour."""
    return str(hook.get_state_display()), COLOURS[hook.state]


def _is_keeper(call: dict[str, Any]) -> bool:
    return bool(posts.posts_of(call["by"], on=call["on"]) & set(hooks.KEEPERS))
