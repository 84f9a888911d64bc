"""Credit checks one at a time, decided many at a time: callers that ask together share one lock, one look, one commit.

What is shared is the trip to the database, never the answer: every caller gets the decision on her own request, or the
error of her own request. Several processes may do this on one database; between them the accounts' row locks hold.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.lib.lane import Lane, TakesTooLong
from shouxin.office import clock, idempotency, policies
from shouxin.office.idempotency import Answer, Claim
from shouxin.office.models import Person
from shouxin.office.refusals import CannotDecide, Moved, Refusal

from . import checks
from .checks import CheckRequest, Moment, Question
from .models import CreditDecision


@dataclass(frozen=True)
class Once:
    """A caller's key, and how her answer is told: kept with the decision, in the same commit (I-9, I-10)."""

    claim: Claim
    told: Callable[[CreditDecision], Answer]


@dataclass(frozen=True)
class Waiting(Question):
    """A question in the lane."""

    once: Once | None = None


@dataclass(frozen=True)
class Told:
    """What a caller with a key is answered, and whether she was answered so before."""

    answer: Answer
    before: bool


def check(request: CheckRequest, *, by: Person | None) -> CreditDecision:
    """The decision on one request as of now, committed. Raises what `checks.decide` raises, CannotDecide when late."""
    decision = _ask(Waiting(request, by))
    assert isinstance(decision, CreditDecision)
    return decision


def check_once(request: CheckRequest, *, by: Person, once: Once) -> Told:
    """The same under a caller's key. Raises Moved where the key stands for another request."""
    told = _ask(Waiting(request, by, once))
    assert isinstance(told, Told)
    return told


def _ask(question: Waiting) -> CreditDecision | Told:
    if connection.in_atomic_block:  # a transaction of the caller's own is shared with nobody
        answer = _decide([question])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
    connection.close()  # whoever waits holds none that the lane's servers may need
    try:
        return LANE.ask(question)
    except TakesTooLong:
        raise CannotDecide(_("Too many orders are being checked at this moment."), code="busy") from None


def _decide(questions: Sequence[Waiting]) -> list[CreditDecision | Told | Refusal]:
    today = clock.today()
    moment = Moment(policies.in_force(today), today, clock.now())
    if not any(question.once for question in questions):
        return [*checks.answer(questions, moment)]
    with transaction.atomic():
        return _decide_once(questions, moment)


def _decide_once(questions: Sequence[Waiting], moment: Moment) -> list[CreditDecision | Told | Refusal]:
    """Keys first: what was answered before is answered again, and only the others are decided.

    A refusal among them is raised, so that no key is kept for it: the lane then asks each alone.
    """
    onces = [question.once for question in questions if question.once]
    known = idempotency.begin_many([once.claim for once in onces], at=moment.at)
    before = dict(zip(map(id, onces), known, strict=True))
    fresh = [question for question in questions if before.get(id(question.once)) is None]
    decided = iter(checks.all_decided(checks.answer(fresh, moment) if fresh else []))
    answers = [_told(question.once, before.get(id(question.once)), decided) for question in questions]
    idempotency.finish_many(
        [
            (question.once.claim, told.answer)
            for question, told in zip(questions, answers, strict=True)
            if question.once and isinstance(told, Told) and not told.before
        ]
    )
    return answers


def _told(
    once: Once | None, before: Answer | Moved | None, decided: Iterator[CreditDecision]
) -> CreditDecision | Told | Refusal:
    """What one question of the batch is answered; only one that is not answered yet takes the next decision."""
    if isinstance(before, Answer):
        return Told(before, before=True)
    if before:
        return before
    decision = next(decided)
    return Told(once.told(decision), before=False) if once else decision


def _mark(question: Waiting) -> Hashable:
    """Two requests under one key are never decided together: the second is answered what the first was."""
    return question.once and question.once.claim.place


def _rest() -> None:
    """Give the connection back: it may be broken, or others may need it."""
    connection.close()


LANE: Lane[Waiting, CreditDecision | Told] = Lane(_decide, mark=_mark, rest=_rest)
"""One for the process."""
