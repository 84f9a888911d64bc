"""Webhooks over the API: make, read, change, test, remove; what became of each delivery."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from shouxin.lib.api import Answer, Body, Page, Paging, page, told_once
from shouxin.office.door import acting
from shouxin.office.models import Delivery, Person, Webhook
from shouxin.office.refusals import BadForm

from . import hooks
from .forms import NO_SUCH_OWNER

router = Router(tags=["webhooks"])

Address = Annotated[str, Field(max_length=500)]
Event = Annotated[str, Field(max_length=40)]
Label = Annotated[str, Field(max_length=80)]


class NewHook(Body):
    """Where to tell what. `owner`: the user in whose sight; left out, the caller."""

    url: Address
    events: Annotated[list[Event], Field(max_length=50)]
    label: Label = ""
    owner: Annotated[str, Field(max_length=150)] = ""


class HookChange(Body):
    """What is to be changed; `secret: "renew"` answers with a new secret, shown this once."""

    url: Address | None = None
    events: Annotated[list[Event], Field(max_length=50)] | None = None
    label: Label | None = None
    state: Literal["active", "paused"] | None = None
    secret: Literal["renew"] | None = None


class Agreed(Body):
    """The address and the events its owner has looked at and agrees to; what is left out, as it stands."""

    url: Address | None = None
    events: Annotated[list[Event], Field(max_length=50)] | None = None


class HookOut(Answer):
    """A hook. `secret` is there only when it has just been made. `state`: proposed, active, paused, stopped."""

    id: int
    url: str
    events: list[str]
    label: str
    owner: str
    state: str
    failures: int
    why_stopped: str
    created_at: datetime
    secret: str | None = None


class DeliveryOut(Answer):
    """One event on its way: waiting, sent, failed, or dropped because it is out of the owner's sight."""

    id: str
    event: str
    status: str
    attempts: int
    next_at: datetime | None
    answered: int | None
    fault: str
    created_at: datetime
    sent_at: datetime | None


@router.post("/webhooks", response={201: HookOut})
@told_once("secret")
def create_webhook(request: HttpRequest, new: NewHook) -> Any:
    """A new webhook; its secret is in this answer and in no other, nor in the one a repeated key is given."""
    owner = None
    if new.owner:
        owner = Person.objects.filter(username=new.owner, is_active=True).first()
        if owner is None:
            raise BadForm([("owner", NO_SUCH_OWNER)])
    hook = hooks.create(new.url, new.events, label=new.label, owner=owner, **acting(request))
    return Status(201, _hook(hook, secret=hook.secret))


@router.get("/webhooks", response=Page[HookOut])
def list_webhooks(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The webhooks the caller may see: keepers and the auditor all, others their own."""
    call = acting(request)
    found = page(hooks.seen_by(call["by"], call["on"]), paging)
    return found | {"items": [_hook(each) for each in found["items"]]}


@router.get("/webhooks/{int:pk}", response=HookOut)
def get_webhook(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One webhook."""
    return _hook(_seen(request, pk))


@router.patch("/webhooks/{int:pk}", response=HookOut)
def change_webhook(request: HttpRequest, pk: int, changed: HookChange) -> dict[str, Any]:
    """Another address, other events, pause, resume, a new secret. For somebody else's it must be accepted again."""
    call, hook = acting(request), _seen(request, pk)
    given = {name: value for name, value in changed.model_dump(exclude_unset=True).items() if value is not None}
    renewed = given.pop("secret", None)
    if given or not renewed:
        hook = hooks.change(hook, **given, **call)
    if renewed:
        hook = hooks.renew_secret(hook, **call)
    return _hook(hook, secret=hook.secret if renewed else None)


@router.delete("/webhooks/{int:pk}", response={204: None})
def remove_webhook(request: HttpRequest, pk: int) -> Any:
    """Nothing more is told there."""
    hooks.remove(_seen(request, pk), **acting(request))
    return HttpResponse(status=204)


@router.post("/webhooks/{int:pk}/accept", response=HookOut)
def accept_webhook(request: HttpRequest, pk: int, agreed: Agreed | None = None) -> dict[str, Any]:
    """Its owner agrees to it, where address and events still are those she sends; without any, as it stands now."""
    hook, said = _seen(request, pk), agreed or Agreed()
    seen = (said.url or hook.url, hook.events if said.events is None else said.events)
    return _hook(hooks.accept(hook, seen=seen, **acting(request)))


@router.post("/webhooks/{int:pk}/test", response={202: DeliveryOut})
def test_webhook(request: HttpRequest, pk: int) -> Any:
    """A test event goes its way; its delivery tells what became of it."""
    return Status(202, _delivery(hooks.test(_seen(request, pk), **acting(request))))


@router.get("/webhooks/{int:pk}/deliveries", response=Page[DeliveryOut])
def list_deliveries(request: HttpRequest, pk: int, paging: Query[Paging]) -> dict[str, Any]:
    """What was told and what waits, the latest first."""
    found = page(Delivery.objects.filter(hook=_seen(request, pk)), paging)
    return found | {"items": [_delivery(each) for each in found["items"]]}


def _seen(request: HttpRequest, pk: int) -> Webhook:
    call = acting(request)
    return hooks.get(pk, by=call["by"], on=call["on"])


def _hook(hook: Webhook, secret: str | None = None) -> dict[str, Any]:
    names = ("id", "url", "events", "label", "state", "failures", "why_stopped", "created_at")
    return {name: getattr(hook, name) for name in names} | {"owner": hook.owner.username, "secret": secret}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    names = ("event", "status", "attempts", "answered", "fault", "created_at", "sent_at")
    due = delivery.next_at if delivery.status == "waiting" else None
    return {name: getattr(delivery, name) for name in names} | {"id": delivery.message_id, "next_at": due}
