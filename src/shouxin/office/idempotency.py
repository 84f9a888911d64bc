"""The same key and body give the same answer, for ever (I-10). Both calls belong into the caller's own transaction.

`begin` claims the key; a second call with the same key waits on the row until the first has committed or given up.
An act that is refused or fails rolls the claim back with everything else: only what was done is remembered.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext_lazy as _

from .models import IdempotencyKey, Person
from .refusals import BadForm, Moved

KEY_LENGTH = 255


@dataclass(frozen=True)
class Answer:
    """What was answered the first time."""

    status: int
    text: str


def begin(caller: Person, key: str, *, path: str, body: bytes, at: datetime) -> Answer | None:
    """None where the key is new and now claimed, else the first answer. Must be called inside a transaction.

    Raises Moved where the key stands for another request, BadForm for an unusable key.
    """
    if not key.isascii() or not key.isprintable() or not 0 < len(key) <= KEY_LENGTH:
        raise BadForm([("Idempotency-Key", _("The key must have 1 to 255 printable ASCII characters."))])
    claim = [caller.pk, key, path[:300], body_digest(path, body), at]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {IdempotencyKey._meta.db_table} (caller_id, key, path, body_digest, answer, at) "
            "VALUES (%s, %s, %s, %s, '', %s) ON CONFLICT (caller_id, key) DO NOTHING",
            claim,
        )
        if cursor.rowcount:
            return None
    return _remembered(caller, key, claim[3])


def finish(caller: Person, key: str, *, status: int, text: str) -> None:
    """Remember the answer, in the transaction that began with the key."""
    IdempotencyKey.objects.filter(caller=caller, key=key).update(status=status, answer=text)


def body_digest(path: str, body: bytes) -> str:
    """What makes two requests the same: path and meaning of the body, not its blanks or the order of its keys."""
    try:
        # Decimal keeps 1.0 and 1.00 apart, as two texts that were sent differently.
        meaning = json.dumps(json.loads(body, parse_float=Decimal), sort_keys=True, default=str).encode()
    except ValueError:
        meaning = body
    return hashlib.sha256(path.encode() + b"\0" + meaning).hexdigest()


def _remembered(caller: Person, key: str, digest: str) -> Answer:
    row = IdempotencyKey.objects.get(caller=caller, key=key)
    if row.body_digest != digest:
        raise Moved(
            _("This Idempotency-Key was used for another request."),
            code="idempotency_key_reused",
            cure=_("Take a new key for a new request."),
        )
    if row.status is None:  # begun and committed without an answer: only a caller that forgot `finish` does this
        raise Moved(_("The first request with this key is still running."), code="idempotency_key_running")
    return Answer(row.status, row.answer)
