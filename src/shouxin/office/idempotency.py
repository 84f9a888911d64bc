"""The same key and body give the same answer, for ever (I-10). Both calls belong into the caller's own transaction.

`begin` claims the key; a second call with the same key waits on the row until the first has committed or given up.
An act that is refused or fails rolls the claim back with everything else: only what was done is remembered.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from shouxin.lib.statements import array, send

from .models import IdempotencyKey, Person
from .refusals import BadForm, Moved

KEY_LENGTH = 255


@dataclass(frozen=True)
class Answer:
    """What was answered the first time."""

    status: int
    text: str


@dataclass(frozen=True)
class Claim:
    """What a caller's key stands for: the path and the meaning of the body. Raises BadForm for an unusable key."""

    caller_id: int
    key: str
    path: str
    digest: str

    def __post_init__(self) -> None:
        if not self.key.isascii() or not self.key.isprintable() or not 0 < len(self.key) <= KEY_LENGTH:
            raise BadForm([("Idempotency-Key", _("The key must have 1 to 255 printable ASCII characters."))])

    @property
    def place(self) -> tuple[int, str]:
        """Where the key stands. Keys are claimed in this order, so that two batches never wait in a ring."""
        return self.caller_id, self.key


def claim(caller: Person, key: str, *, path: str, body: bytes) -> Claim:
    """The claim of a request on its key, not yet made."""
    return Claim(caller.pk, key, path[:300], body_digest(path, body))


def begin(caller: Person, key: str, *, path: str, body: bytes, at: datetime) -> Answer | None:
    """None where the key is new and now claimed, else the first answer. Must be called inside a transaction.

    Raises Moved where the key stands for another request, BadForm for an unusable key.
    """
    known = begin_many([claim(caller, key, path=path, body=body)], at=at)[0]
    if isinstance(known, Moved):
        raise known
    return known


def begin_many(claims: Sequence[Claim], *, at: datetime) -> list[Answer | Moved | None]:
    """The same for several callers at once, each key given once: None, the first answer, or the refusal, for each."""
    rows = [
        (claim.caller_id, claim.key, claim.path, claim.digest)
        for claim in sorted(claims, key=lambda claim: claim.place)
    ]
    callers, keys, paths, digests = map(array, zip(*rows, strict=True))
    new = {(row[0], row[1]) for row in send(_BEGIN, at, callers, keys, paths, digests).fetchall()}
    known = [each for each in claims if each.place not in new]
    remembered = _remembered(known) if known else {}
    return [None if each.place in new else remembered[each.place] for each in claims]


_BEGIN = (
    f"INSERT INTO {IdempotencyKey._meta.db_table} (answer, at, caller_id, key, path, body_digest) "
    "SELECT '', %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) "
    "ON CONFLICT (caller_id, key) DO NOTHING RETURNING caller_id, key"
)


def finish(caller: Person, key: str, *, status: int, text: str) -> None:
    """Remember the answer, in the transaction that began with the key."""
    _finish([(caller.pk, key)], [Answer(status, text)])


def finish_many(answers: Sequence[tuple[Claim, Answer]]) -> None:
    """Remember several answers, each to its claim."""
    if answers:
        _finish([claim.place for claim, _answer in answers], [answer for _claim, answer in answers])


_SEALED = IdempotencyKey._meta.get_field("answer")
_FINISH = (
    f"UPDATE {IdempotencyKey._meta.db_table} AS k SET status = v.status, answer = v.answer "
    "FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::text[]) AS v(caller_id, key, status, answer) "
    "WHERE k.caller_id = v.caller_id AND k.key = v.key"
)


def _finish(places: Sequence[tuple[int, str]], answers: Sequence[Answer]) -> None:
    callers, keys = map(array, zip(*places, strict=True))
    sealed = array(_SEALED.get_prep_value(each.text) for each in answers)
    send(_FINISH, callers, keys, array(each.status for each in answers), sealed)


def without(answer: Answer, secrets: Sequence[str]) -> Answer:
    """The answer with null in the place of these fields."""
    if not secrets:
        return answer
    told = json.loads(answer.text)
    return Answer(answer.status, json.dumps(told | dict.fromkeys(secrets), ensure_ascii=False))


def body_digest(path: str, body: bytes) -> str:
    """What makes two requests the same: path and meaning of the body, not its blanks or the order of its keys."""
    try:
        # Decimal keeps 1.0 and 1.00 apart, as two texts that were sent differently.
        meaning = json.dumps(json.loads(body, parse_float=Decimal), sort_keys=True, default=str).encode()
    except (ValueError, RecursionError):  # no JSON, or nested beyond reading: whoever reads the body says so
        meaning = body
    return hashlib.sha256(path.encode() + b"\0" + meaning).hexdigest()


def _remembered(claims: Sequence[Claim]) -> dict[tuple[int, str], Answer | Moved]:
    """What the keys stand for already. A statement of its own: it sees what `begin` has waited for."""
    rows = IdempotencyKey.objects.filter(
        caller__in={each.caller_id for each in claims}, key__in={each.key for each in claims}
    )
    by_place = {(row.caller_id, row.key): row for row in rows}
    return {each.place: _answer(by_place[each.place], each) for each in claims}


def _answer(row: IdempotencyKey, claim: Claim) -> Answer | Moved:
    if row.body_digest != claim.digest:
        return Moved(
            _("This Idempotency-Key was used for another request."),
            code="idempotency_key_reused",
            cure=_("Take a new key for a new request."),
        )
    if row.status is None:  # begun and committed without an answer: only a caller that forgot `finish` does this
        return Moved(_("The first request with this key is still running."), code="idempotency_key_running")
    return Answer(row.status, row.answer)
