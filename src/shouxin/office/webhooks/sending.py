"""The outbox of webhooks: what waits is signed and sent, tried again with growing pauses, and remembered.

A delivery is lent for a few minutes while it is sent, so that no lock is held over the network; after a crash it is
sent again under the same `webhook-id`. Signatures and headers are those of Standard Webhooks.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F

from shouxin.lib import outgoing
from shouxin.office import clock, pause, posts, sight, trail, trail_sight
from shouxin.office.models import Delivery, Person, Webhook

from . import events

PAUSES = tuple(timedelta(seconds=each) for each in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000))
"""How long it waits after the first, second, … failure; after the last the delivery has failed for good."""
LENT = timedelta(minutes=5)
PER_RUN_MAX = 500
GONE = 410

log = structlog.get_logger("shouxin.webhooks")


@dataclass(frozen=True)
class Sent:
    """What became of a run through the outbox."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0


def send_waiting(*, limit: int = PER_RUN_MAX) -> Sent:
    """Send what is due, oldest first, until nothing is. Of several senders none takes what another has."""
    counts = {"sent": 0, "failed": 0, "dropped": 0}
    if pause.since() is not None:
        return Sent()
    for _turn in range(limit):
        delivery = _borrow(clock.now())
        if delivery is None:
            break
        counts[_send_or_fail(delivery, on=clock.today())] += 1
    return Sent(**counts)


def signed(hook: Webhook, delivery: Delivery, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks: id, moment, and HMAC-SHA256 over both and the body."""
    moment = str(int(at.timestamp()))
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    text = f"{delivery.message_id}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {"webhook-id": delivery.message_id, "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}",
            "Content-Type": "application/json"}  # fmt: skip


def _borrow(at: datetime) -> Delivery | None:
    """The next delivery that is due, ours for a few minutes."""
    with transaction.atomic():
        due = Delivery.objects.filter(status="waiting", next_at__lte=at, hook__state="active").order_by("next_at", "id")
        delivery = due.select_for_update(skip_locked=True, of=("self",)).select_related("hook__owner", "entry").first()
        if delivery is not None:
            delivery.attempts += 1
            Delivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts, next_at=at + LENT)
    return delivery


def _send_or_fail(delivery: Delivery, *, on: date) -> str:
    """The same; whatever goes wrong with one delivery keeps none of the others waiting."""
    try:
        return _send(delivery, on=on)
    except OperationalError:  # the database is away: nothing could be remembered
        raise
    except Exception as error:
        log.exception("webhook could not be sent", hook=delivery.hook_id, delivery=delivery.pk)
        _failed(delivery, None, type(error).__name__, clock.now())
        return "failed"


def _send(delivery: Delivery, *, on: date) -> str:
    """Sent, failed or dropped: the word for the count."""
    hook = delivery.hook
    if not in_sight(delivery, hook.owner, on):
        Delivery.objects.filter(pk=delivery.pk).update(status="dropped", fault="out of the owner's sight")
        return "dropped"
    at = clock.now()
    told = events.payload(delivery.event, delivery.entry, at=delivery.created_at.isoformat())
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    status, fault = _posted(hook, body, signed(hook, delivery, body, at))
    if status is not None and 200 <= status < 300:
        done: dict[str, Any] = {"status": "sent", "answered": status, "sent_at": at, "fault": ""}
        Delivery.objects.filter(pk=delivery.pk).update(**done)
        Webhook.objects.filter(pk=hook.pk).exclude(failures=0).update(failures=0)
        return "sent"
    _failed(delivery, status, fault or f"HTTP {status}", at)
    return "failed"


def _posted(hook: Webhook, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
    """(status, fault); the address is looked at anew each time."""
    try:
        return outgoing.post(outgoing.target(hook.url, networks=settings.WEBHOOK_NETWORKS), body, headers), ""
    except (outgoing.NotAllowed, outgoing.Unreachable) as error:
        return None, str(error)


def _failed(delivery: Delivery, status: int | None, fault: str, at: datetime) -> None:
    """Wait longer, or give it up; too many failures in a row stop the hook, and so does 410 Gone."""
    last = delivery.attempts > len(PAUSES)
    wait = PAUSES[min(delivery.attempts, len(PAUSES)) - 1]
    changed = {"status": "failed"} if last else {"next_at": at + wait}
    Delivery.objects.filter(pk=delivery.pk).update(answered=status, fault=fault[:300], **changed)
    hooks = Webhook.objects.filter(pk=delivery.hook_id)
    hooks.update(failures=F("failures") + 1)
    failures = hooks.values_list("failures", flat=True).get()
    log.warning("webhook not delivered", hook=delivery.hook_id, delivery=delivery.pk, answered=status)
    if status == GONE or failures >= settings.WEBHOOK_FAILURES:
        _stop(delivery.hook, "410" if status == GONE else str(failures), at)


@transaction.atomic
def _stop(hook: Webhook, why: str, at: datetime) -> None:
    if Webhook.objects.filter(pk=hook.pk, state="active").update(state="stopped", why_stopped=why):
        trail.record("webhook.stop", about=hook, by=posts.system(), at=at, failures=why)


def in_sight(delivery: Delivery, owner: Person, on: date) -> bool:
    """Whether the owner may see what would be told, now: by her posts and customers of today, not of the day it
    happened; her own act on a customer she has lost is told no more.

    Of a customer whose data are restricted or erased nothing is told, nor later: what leaves the house cannot be
    called back (PIPL art. 47), and once the restriction is lifted the receiver reads how things stand.
    """
    entry = delivery.entry
    if entry is None:
        return True
    held = posts.posts_of(owner, on=on)
    if entry.customer_id is None:
        return bool(held & sight.SEE_ALL)
    if not sight.sees_customer(owner, entry.customer_id, on):
        return False
    return bool(held) and trail_sight.seen_by(owner, on=on).filter(pk=entry.pk).exists()
