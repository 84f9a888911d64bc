"""Hooks: who is told what, at which address, in whose sight (I-33).

The system manager keeps them but sees no customer (I-20b): a hook tells what its *owner* may see, and a hook made for
somebody else tells nothing until that person has accepted it.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from shouxin.lib import outgoing
from shouxin.office import posts, trail
from shouxin.office.models import Delivery, Person, Webhook
from shouxin.office.refusals import BadForm, Moved, NotVisible
from shouxin.rules.policy import Post

from . import events

KEEPERS = (Post.SYSTEM_MANAGER, Post.CREDIT_MANAGER)
READERS = (*KEEPERS, Post.AUDITOR)
SECRET_BYTES = 32


@transaction.atomic
def create(
    url: str, told: Sequence[str], *, by: Person, on: date, at: datetime, label: str = "", owner: Person | None = None
) -> Webhook:
    """A new hook; its secret is on the instance, to be shown this once. Raises NotYourDuty and BadForm."""
    posts.require(by, *KEEPERS, on=on, about="webhook:", verb="webhook.create", at=at)
    _check(url, told)
    owner = owner or by
    hook = Webhook.objects.create(
        url=url, events=sorted(set(told)), watches=events.watches(told), label=label, owner=owner, made_by=by,
        created_at=at, secret=fresh_secret(), state="active" if owner.pk == by.pk else "proposed",
    )  # fmt: skip
    trail.record("webhook.create", about=hook, by=by, at=at, host=_host(url), events=hook.events, owner=owner)
    return hook


@transaction.atomic
def change(hook: Webhook, *, by: Person, on: date, at: datetime, **changes: Any) -> Webhook:
    """Another address, other events, another label; or state `active` or `paused`. Raises NotYourDuty, BadForm, Moved.

    A hook that was stopped after failures begins again with none; one that waits for its owner goes on waiting.
    """
    posts.require(by, *KEEPERS, on=on, about=hook, verb="webhook.change", at=at)
    _check(changes.get("url", hook.url), changes.get("events", hook.events))
    hook = _locked(hook)
    if (state := changes.get("state")) is not None:
        if state not in ("active", "paused"):
            raise BadForm([("state", _("must be active or paused"))])
        if hook.state == "proposed":
            raise Moved(_("Its owner has not accepted it yet."), code="not_accepted")
        changes |= {"failures": 0, "why_stopped": ""}
    if "events" in changes:
        changes |= {"events": sorted(set(changes["events"])), "watches": events.watches(changes["events"])}
    told = sorted(set(changes) - {"failures", "why_stopped", "watches"})
    moved_elsewhere = hook.owner_id != by.pk and ("url" in changes or "events" in changes)
    if moved_elsewhere:
        changes["state"] = "proposed"
    Webhook.objects.filter(pk=hook.pk).update(**changes)
    hook.refresh_from_db()
    trail.record("webhook.change", about=hook, by=by, at=at, changed=told, host=_host(hook.url), now=hook.state)
    return hook


@transaction.atomic
def accept(
    hook: Webhook, *, seen: tuple[str, Sequence[str]] | None = None, by: Person, on: date, at: datetime
) -> Webhook:
    """Its owner agrees that what she may see is told there. Raises NotYourDuty for anybody else, Moved twice.

    `seen`: the address and the events she has looked at; raises Moved where they are others by now (I-16).
    """
    if hook.owner_id != by.pk:
        raise posts.not_your_duty(by, about=hook, verb="webhook.accept", at=at, cure=_("Only its owner accepts it."))
    hook = _locked(hook)
    if hook.state != "proposed":
        raise Moved(_("There is nothing to accept."))
    if seen is not None and (seen[0], sorted(seen[1])) != (hook.url, hook.events):
        raise Moved(_("The webhook was changed after you opened it. Look at it again."), code="version_seen")
    hook.state = "active"
    hook.save(update_fields=["state"])
    trail.record("webhook.accept", about=hook, by=by, at=at, host=_host(hook.url), events=hook.events)
    return hook


@transaction.atomic
def renew_secret(hook: Webhook, *, by: Person, on: date, at: datetime) -> Webhook:
    """A new secret, on the instance, to be shown this once; the old one signs nothing any more.

    Whoever renews another's could sign in her name: her hook rests until she has accepted it again.
    """
    posts.require(by, *KEEPERS, on=on, about=hook, verb="webhook.renew_secret", at=at)
    hook = _locked(hook)
    hook.secret = fresh_secret()
    if hook.owner_id != by.pk:
        hook.state = "proposed"
    hook.save(update_fields=["secret", "state"])
    trail.record("webhook.renew_secret", about=hook, by=by, at=at, now=hook.state)
    return hook


@transaction.atomic
def remove(hook: Webhook, *, by: Person, on: date, at: datetime) -> None:
    """Nothing more is told there, what waits neither. Its keepers and its owner may."""
    if hook.owner_id != by.pk:
        posts.require(by, *KEEPERS, on=on, about=hook, verb="webhook.remove", at=at)
    trail.record("webhook.remove", about=hook, by=by, at=at, host=_host(hook.url))
    hook.delete()


@transaction.atomic
def test(hook: Webhook, *, by: Person, on: date, at: datetime) -> Delivery:
    """Put a test event into the outbox; the delivery tells what became of it."""
    posts.require(by, *KEEPERS, on=on, about=hook, verb="webhook.test", at=at)
    if hook.state != "active":
        raise Moved(_("The hook is not at work."), code="not_active")
    trail.record("webhook.test", about=hook, by=by, at=at)
    return Delivery.objects.create(hook=hook, event=events.TEST, created_at=at, next_at=at)


def _locked(hook: Webhook) -> Webhook:
    """The hook as it stands now, kept so until the act is over. Raises NotVisible where it is gone."""
    found = Webhook.objects.select_for_update().filter(pk=hook.pk).first()
    if found is None:
        raise NotVisible
    return found


# --- questions -----------------------------------------------------------------------------------


def seen_by(person: Person, on: date) -> QuerySet[Webhook]:
    """The hooks she may see: keepers and auditor all, everybody her own."""
    everything = posts.is_system(person) or posts.posts_of(person, on=on) & set(READERS)
    rows = Webhook.objects.select_related("owner")
    return rows if everything else rows.filter(Q(owner=person))


def get(pk: int, *, by: Person, on: date) -> Webhook:
    """One of them. Raises NotVisible."""
    found = seen_by(by, on).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def fresh_secret() -> str:
    """As Standard Webhooks writes it: whsec_ and BASE64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _host(url: str) -> str:
    """What the trail keeps of an address: a path may carry a secret."""
    return url.split("/")[2] if url.count("/") >= 2 else ""


def _check(url: str, told: Sequence[str]) -> None:
    faults: list[tuple[str, Any]] = []
    if unknown := sorted(set(told) - set(events.EVENTS)):
        faults.append(("events", _("There is no such event: %(names)s.") % {"names": ", ".join(unknown)}))
    if not told:
        faults.append(("events", _("Choose at least one event.")))
    try:
        outgoing.target(url, networks=settings.WEBHOOK_NETWORKS)
    except outgoing.NotAllowed as refusal:
        faults.append(("url", refusal.args[0]))
    except outgoing.Unreachable:
        faults.append(("url", _("There is no such host.")))
    if faults:
        raise BadForm(faults)
