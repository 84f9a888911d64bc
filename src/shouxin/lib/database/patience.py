"""A connection that notices when the server has stopped answering, however long a statement may rightly take.

A frozen server, or a way to it that swallows everything, leaves a client waiting for ever: nothing breaks. So whoever
has waited a few seconds asks after the server over a second connection. If that is not answered either, the database is
away: the statement ends with OperationalError, and for a moment everybody else who waits is told so too. A server that
is merely busy answers the question, and the statement may take the time it needs.
"""

import selectors
import threading
import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

WAIT_SECONDS = 3.0
"""So long a statement is waited for before anybody asks, and again between two questions."""
ASK_SECONDS = 2.0
"""So long the server has to say anything at all to somebody who knocks."""
AWAY_SECONDS = 5.0
"""So long one answer serves everybody who has waited for a second."""

_away_until = 0.0
_asking = threading.Lock()


class Connection(psycopg.Connection[Any]):
    """psycopg's own, with limited patience."""

    def wait(self, gen: Any, *more: Any, **options: Any) -> Any:
        """Run a wait of psycopg's; raises OperationalError when the server is away."""
        return super().wait(_watched(gen, self), *more, **options)


def _watched(gen: Any, connection: psycopg.Connection[Any]) -> Generator[Any, Any, Any]:
    """The same wait, looked at whenever nothing has happened for a tenth of a second."""
    began = asked = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            happened = yield wanted
            if not happened:
                asked = _looked(connection, began, asked)
            wanted = gen.send(happened)
    except StopIteration as done:
        return done.value


def _looked(connection: psycopg.Connection[Any], began: float, asked: float) -> float:
    """Ask after the server when it is time; answers when that was last done. Raises OperationalError: it is away."""
    now = time.monotonic()
    known_away = now < _away_until and now - began > 1.0
    if not known_away and now - asked < WAIT_SECONDS:
        return asked
    if known_away or not _answers(connection.info):
        connection.pgconn.finish()  # without a word: nobody listens; what was going on is rolled back there
        raise psycopg.OperationalError("the database server does not answer")
    return time.monotonic()


def _answers(info: psycopg.ConnectionInfo) -> bool:
    """Whether a second connection is answered; one thread asks, the others take its word."""
    global _away_until
    with _asking:
        if time.monotonic() < _away_until:
            return False
        if _hears(info):
            return True
        _away_until = time.monotonic() + AWAY_SECONDS
        return False


def _hears(info: psycopg.ConnectionInfo) -> bool:
    """Knock, and wait for a first byte: the question for a password, or a refusal, is as good as a welcome."""
    place = make_conninfo(host=info.host, hostaddr=info.hostaddr, port=info.port, dbname=info.dbname, user=info.user)
    knocking = pq.PGconn.connect_start(place.encode())
    deadline = time.monotonic() + ASK_SECONDS
    try:
        with selectors.DefaultSelector() as selector:
            while (left := deadline - time.monotonic()) > 0 and knocking.status != pq.ConnStatus.BAD:
                state = knocking.connect_poll()
                if state in (pq.PollingStatus.OK, pq.PollingStatus.FAILED):
                    return state == pq.PollingStatus.OK
                reading = state == pq.PollingStatus.READING
                key = selector.register(knocking.socket, selectors.EVENT_READ if reading else selectors.EVENT_WRITE)
                if selector.select(left) and reading:
                    return True
                selector.unregister(key.fileobj)
        return False
    finally:
        knocking.finish()
