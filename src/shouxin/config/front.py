"""The front: a request is taken in whole before one of the few threads works on it, and told back at the caller's pace.

Whoever sends a body slowly, or never, waits on the event loop and holds no thread: pages, decisions and `/healthz` go
on meanwhile. What does not come in time is cut (408), what is too large is refused (413), and an address that has too
much waiting is told to come again (503). Between the two ends stands Django's own WSGI application, as it is.

The time of a body is `SHOUXIN_BODY_SECONDS` and a second more for every RATE bytes that have come, so that a large file
on a slow line arrives. A slow reader holds no thread either: what is told in pieces waits in a temporary file.

A large body is taken in only from somebody: who has not signed in is told so before anything is sent. For a form that
whoever has its address may open, it is taken in where that form would be shown: what a link that is used, expired or
forged answers, it answers first.
"""

import asyncio
import io
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import structlog
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from shouxin.config import answers, metrics
from shouxin.config.answers import Answer, Gone, Headers, Message, Receive, Send, hung_up, send_pieces, send_whole
from shouxin.config.requests import NUMBER
from shouxin.lib.api import problem

log = structlog.get_logger("shouxin.front")

BODY_MAX = 64 << 20
"""Bytes of the largest body: files of 50 MB are taken (`imports.reader.UPLOAD`, evidence), with room for the form."""
IN_MEMORY = 128 << 10
"""Bytes of a body up to which no temporary file is made."""
LARGE_MAX, SMALL_MAX = 512 << 20, 128 << 20
"""Bytes of all bodies together that are on their way in: of those larger than IN_MEMORY, and of the others."""
SHARE_MAX = 256 << 20
"""Bytes of the large bodies of one address."""
RATE = 10_000
"""Bytes a second a body must keep up with once its first time is over."""
AT_ONCE = 1.0
"""Seconds after which a body counts as waiting; those that come with their request never do."""
WAITING_MAX = 64
"""Waiting bodies of one address."""
RETRY_SECONDS = 5

WHY = {
    408: gettext_noop("The request did not arrive in time. Nothing was changed; please try again."),
    413: gettext_noop("The request is too large. Nothing was changed; send less at a time."),
    503: gettext_noop("Too many requests are still on their way. Nothing was changed; please try again."),
}
ADMITTED = (HTTPStatus.OK, HTTPStatus.FORBIDDEN)
"""What a door answers somebody: a token may be too narrow for the question and is known all the same."""
CODES = {408: "too_slow", 413: "too_large", 503: "too_many_waiting"}


class Cut(Exception):
    """A request that is waited for no longer. Its text is the status it is answered with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TurnedAway(Exception):
    """A body that its door does not let in. Its argument is what the door answers: status, headers, text."""


@dataclass
class Caller:
    """Who sends what: the address as the last trusted proxy saw it, and how much has come of the body."""

    address: str
    headers: dict[str, str]
    size: int = 0
    crowded: bool = False

    @property
    def announced(self) -> int:
        """Bytes the body is said to have; 0 where nothing is said."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def has_body(self) -> bool:
        """Whether anything follows the headers of a request of HTTP/1."""
        return bool(self.announced or "transfer-encoding" in self.headers)

    @property
    def is_large(self) -> bool:
        """Whether more has come than is kept in memory."""
        return self.size > IN_MEMORY


@dataclass
class Held:
    """Bytes of bodies on their way in: small ones together, large ones by the address they come from."""

    small: int = 0
    large: Counter[str] = field(default_factory=Counter)

    def add(self, caller: Caller, came: int) -> bool:
        """Count what has come; whether there is room for it. What large bodies take is never taken from small ones."""
        self.release(caller)
        caller.size += came
        if not caller.is_large:
            self.small += caller.size
            return self.small <= SMALL_MAX
        self.large[caller.address] += caller.size
        return self.large[caller.address] <= SHARE_MAX and self.large.total() <= LARGE_MAX

    def release(self, caller: Caller) -> None:
        """Count a body no longer."""
        if not caller.is_large:
            self.small -= caller.size
            return
        self.large[caller.address] -= caller.size
        if not self.large[caller.address]:
            del self.large[caller.address]


class Front:
    """An ASGI application that runs a WSGI one in `threads` threads, each request once its body is there.

    `seconds`: the time a body has; `proxies`: how many trusted ones stand before us; `doors`: how addresses begin ->
    the one that says whether a large body may come, "" where the address itself says it; the first that fits counts.
    """

    def __init__(
        self, application: Callable[..., Iterable[bytes]], *, threads: int, seconds: float, proxies: int,
        doors: dict[str, str],
    ):  # fmt: skip
        self.application = application
        self.seconds, self.proxies, self.doors = seconds, proxies, doors
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.waiting: Counter[str] = Counter()
        self.held = Held()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Take in the request, have it worked on, tell the answer."""
        headers = joined(scope["headers"])
        caller = Caller(address_of(scope, headers, self.proxies), headers)
        began = time.monotonic()
        try:
            body = await self._taken_in(scope, caller, receive)
        except TurnedAway as turned_away:
            await send_whole(send, *turned_away.args[0])
            await _let_read(scope, receive)
        except Cut as cut:
            _tell_of(cut, caller, time.monotonic() - began)
            await send_whole(send, *refusal(cut.status, environ_of(scope, caller, None)))
            await _let_read(scope, receive)
        except Gone:
            metrics.BODIES_CUT.labels("gone").inc()
        else:
            await self._answer(environ_of(scope, caller, body), receive, send)

    async def _taken_in(self, scope: Message, caller: Caller, receive: Receive) -> IO[bytes] | None:
        """The body, None where there is none; raises Cut, TurnedAway, and Gone where the caller hangs up halfway."""
        if not caller.has_body and scope["http_version"] != "2":
            return None
        if caller.announced > BODY_MAX:
            raise Cut(413)
        if caller.announced > IN_MEMORY:
            await self._ask_at_the_door(scope, caller)
        body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the thread that reads it closes it
        try:
            await self._fill(body, scope, caller, receive)
        except BaseException:
            body.close()
            raise
        finally:
            self.held.release(caller)
        body.seek(0)
        return body

    async def _ask_at_the_door(self, scope: Message, caller: Caller) -> None:
        """Raise TurnedAway with what the door before an address answers, where it does not admit the caller."""
        environ = environ_of(scope, caller, None) | {"REQUEST_METHOD": "GET", "CONTENT_TYPE": "", "QUERY_STRING": ""}
        path = environ["PATH_INFO"]
        environ["PATH_INFO"] = next((door for start, door in self.doors.items() if path.startswith(start)), "") or path
        answer = Answer(asyncio.get_running_loop())
        self.pool.submit(self._work, environ, answer)
        whole = await answer.begun
        answer.forget()
        if whole is None or answer.status in ADMITTED:
            return
        log.warning("body refused", address=caller.address, status=answer.status, announced=caller.announced or None)
        closing = [] if scope["http_version"] == "2" else [("Connection", "close")]
        raise TurnedAway((answer.status, [*answer.headers, *closing], whole))

    async def _fill(self, body: IO[bytes], scope: Message, caller: Caller, receive: Receive) -> None:
        """Write down what comes. What keeps up is waited for; what stops for the first time of a body is cut."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.seconds
        try:
            async with asyncio.timeout_at(until) as patience:
                with self._counted(caller, patience):
                    while await self._piece(body, scope, caller, receive):
                        if not caller.crowded:
                            patience.reschedule(min(until + caller.size / RATE, loop.time() + self.seconds))
        except TimeoutError:
            raise Cut(503 if caller.crowded else 408) from None

    async def _piece(self, body: IO[bytes], scope: Message, caller: Caller, receive: Receive) -> bool:
        """Add what has come; whether more follows. What was not announced as large asks once it is."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        was_large = caller.is_large
        room = self.held.add(caller, len(message["body"]))
        if caller.size > BODY_MAX:
            raise Cut(413)
        if not room:
            raise Cut(503)
        if not caller.is_large:
            body.write(message["body"])
        else:
            if not was_large and caller.announced <= IN_MEMORY:
                await self._ask_at_the_door(scope, caller)
            await asyncio.to_thread(body.write, message["body"])  # a slow disk keeps nobody else waiting
        return bool(message["more_body"])

    @contextmanager
    def _counted(self, caller: Caller, patience: asyncio.Timeout) -> Iterator[None]:
        """Count what is still waiting after AT_ONCE with its address, and give up where that has too many."""
        loop, counted = asyncio.get_running_loop(), []

        def count() -> None:
            self.waiting[caller.address] += 1
            counted.append(True)
            if self.waiting[caller.address] > WAITING_MAX:
                caller.crowded = True
                patience.reschedule(loop.time())

        timer = loop.call_later(AT_ONCE, count)
        try:
            yield
        finally:
            timer.cancel()
            self.waiting[caller.address] -= len(counted)
            if not self.waiting[caller.address]:
                del self.waiting[caller.address]

    async def _answer(self, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        answer = Answer(asyncio.get_running_loop())
        self.pool.submit(self._work, environ, answer)
        whole = await answer.begun
        if whole is not None:
            await send_whole(send, answer.status, answer.headers, whole)
            return
        watch = asyncio.ensure_future(hung_up(answer, receive))
        try:
            await send_pieces(answer, send)
        except TimeoutError:
            log.warning("a reader was too slow", seconds=answers.READER_SECONDS)
        finally:
            watch.cancel()
            answer.forget()

    def _work(self, environ: dict[str, Any], answer: "Answer") -> None:
        """In a thread: what is told in one piece is told when it is whole, anything else as it comes."""
        try:
            found = self.application(environ, answer.start)
            try:
                if getattr(found, "streaming", True):
                    answer.begin(None)
                    for piece in found:
                        answer.add(piece)
                else:
                    whole = b"".join(found)
            finally:
                if close := getattr(found, "close", None):
                    close()  # in this thread, so that its connection to the database goes back
            if answer.streams:
                answer.end()
            else:
                answer.begin(whole)
        except Gone:
            pass
        except BaseException as error:
            log.exception("an answer broke off")
            answer.fail(error)
        finally:
            answer.let_go()
            environ["wsgi.input"].close()


async def _let_read(scope: Message, receive: Receive) -> None:
    """Throw away what still comes for a moment: HTTP/2 would break off, with what is sent, the answer being read."""
    if scope["http_version"] != "2":
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(AT_ONCE):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass


def joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, those that come twice as one. Names with `_` are left out: they pass for those with `-`."""
    found: dict[str, str] = {}
    for name, value in raw:
        if b"_" in name:
            continue
        key, text = name.decode("latin-1"), value.decode("latin-1")
        between = "; " if key == "cookie" else ","
        found[key] = f"{found[key]}{between}{text}" if key in found else text
    return found


def address_of(scope: Message, headers: dict[str, str], proxies: int) -> str:
    """Where the request comes from, as the outermost of our trusted proxies saw it."""
    passed = [each.strip() for each in headers.get("x-forwarded-for", "").split(",")] if proxies else []
    return passed[-proxies] if proxies and len(passed) >= proxies else str(scope["client"][0])


def environ_of(scope: Message, caller: Caller, body: IO[bytes] | None) -> dict[str, Any]:
    """The request as PEP 3333 has it. The length is that of what has come, also where none was announced."""
    found = {
        f"HTTP_{name.upper().replace('-', '_')}": text
        for name, text in caller.headers.items()
        if name not in ("content-length", "content-type")
    }
    return found | {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "CONTENT_TYPE": caller.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(caller.size) if body else "",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body or io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def refusal(status: int, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """Status, headers and text for a request that was not taken in, in the caller's language. Ends the connection."""
    request = WSGIRequest(environ)
    with translation.override(translation.get_language_from_request(request)):
        why = gettext(WHY[status])
    answer = HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
    if request.path.startswith("/api/"):
        answer = problem(status, HTTPStatus(status).phrase, code=CODES[status], detail=why)
    given = request.headers.get("X-Request-ID", "")
    answer["X-Request-ID"] = given if NUMBER.fullmatch(given) else secrets.token_hex(8)
    answer["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer["Retry-After"] = str(RETRY_SECONDS)
    if environ["SERVER_PROTOCOL"] != "HTTP/2":
        answer["Connection"] = "close"
    return status, list(answer.items()), answer.content


def _tell_of(cut: Cut, caller: Caller, seconds: float) -> None:
    metrics.BODIES_CUT.labels(str(cut.status)).inc()
    told = {"status": cut.status, "bytes": caller.size, "announced": caller.announced or None}
    log.warning("body cut", address=caller.address, seconds=round(seconds, 1), **told)
