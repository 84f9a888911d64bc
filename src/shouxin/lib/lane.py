"""A lane: callers who come one at a time are served together, so that many share one trip to the database.

A few servers, threads of this process, wait for questions. A question that comes alone is served at once; those that
come while the servers are busy queue up and are served together. After a crowd a server looks up for a moment, since
those who have just been answered tend to come again. Nothing is shared between processes: what must hold between them,
the database holds.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger("shouxin.lane")

Q = TypeVar("Q")
A = TypeVar("A")

IDLE_SECONDS = 1.0


class TakesTooLong(Exception):
    """The answer did not come in time. Whether anything was done is not known."""


class _Ticket(Generic[Q, A]):
    """A caller's question while it waits; the gate opens when it has been answered, or has to be asked alone."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.gate = threading.Lock()
        self.gate.acquire()
        self.alone = False
        self.answer: A | Exception | None = None


class Lane(Generic[Q, A]):
    """`serve` answers questions together, one answer for each; an exception in its place is raised to its asker.

    Where `serve` itself raises, each of its askers asks again, alone and in her own thread: one question that cannot be
    served spoils none of its neighbours. Questions with the same `mark` (other than None) are never served together.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[Q]], Sequence[A | Exception]],
        *,
        mark: Callable[[Q], Hashable] = lambda question: None,
        rest: Callable[[], None] = lambda: None,
        servers: int = 2,
        together_max: int = 100,
        gather_seconds: float = 0.001,
        seconds_max: float = 10.0,
    ) -> None:
        """`servers`: how many batches may be under way; while one waits for the database another is made ready.

        `gather_seconds`: how long a server waits at most for a crowd as large as the last one. `rest` is called by a
        server that has had nothing to do for a while, or has failed: to give back what it holds.
        """
        self._serve, self._mark, self._rest = serve, mark, rest
        self._servers, self._together_max = servers, together_max
        self._gather_seconds, self._seconds_max = gather_seconds, seconds_max
        self._guard = threading.Lock()
        self._waiting = threading.Condition(self._guard)
        self._queue: deque[_Ticket[Q, A]] = deque()
        self._started = self._crowd = 0

    def ask(self, question: Q) -> A:
        """The answer to one question. Raises what serving it raised, or TakesTooLong."""
        ticket: _Ticket[Q, A] = _Ticket(question)
        with self._guard:
            self._queue.append(ticket)
            self._start()
            self._waiting.notify()
        if not ticket.gate.acquire(timeout=self._seconds_max):
            with self._guard:
                if ticket in self._queue:
                    self._queue.remove(ticket)
            raise TakesTooLong
        answer = self._serve([question])[0] if ticket.alone else ticket.answer
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]

    def _start(self) -> None:
        """Bring up the servers with the first question, so that a process that asks nothing has none."""
        while self._started < self._servers:
            self._started += 1
            threading.Thread(target=self._run, name=f"lane-{self._started}", daemon=True).start()

    def _run(self) -> None:
        while True:
            batch = self._take()
            if not (batch and self._answer(batch)):
                self._rested()

    def _answer(self, batch: Sequence[_Ticket[Q, A]]) -> bool:
        """Serve the batch and open every gate of it, whatever happens; answers whether it went well."""
        try:
            answers = self._serve([ticket.question for ticket in batch])
            for ticket, answer in zip(batch, answers, strict=True):
                ticket.answer = answer
            return True
        except Exception as error:
            batch[0].answer = error
            for ticket in batch:
                ticket.alone = len(batch) > 1
            return False
        finally:
            for ticket in batch:
                ticket.gate.release()

    def _rested(self) -> None:
        """Give back what a server holds. Where that fails it is said, and the server goes on."""
        try:
            self._rest()
        except Exception:
            log.exception("a server of the lane could not give back what it holds")

    def _take(self) -> list[_Ticket[Q, A]]:
        """The questions to serve next: the first that waits and those behind it that may go together.

        Nothing where nobody has come for a while.
        """
        with self._guard:
            if not self._queue and not self._waiting.wait_for(lambda: self._queue, IDLE_SECONDS):
                self._crowd = 0
                return []
            self._gather()
            batch: list[_Ticket[Q, A]] = []
            marks: set[Hashable] = set()
            left: deque[_Ticket[Q, A]] = deque()
            while self._queue and len(batch) < self._together_max:
                ticket = self._queue.popleft()
                mark = self._mark(ticket.question)
                (left if mark is not None and mark in marks else batch).append(ticket)
                marks.add(mark)
            self._queue.extendleft(reversed(left))
            self._crowd = len(batch)
            return batch

    def _gather(self) -> None:
        until = time.monotonic() + self._gather_seconds
        while len(self._queue) < self._crowd and (left := until - time.monotonic()) > 0:
            self._waiting.wait(left)
