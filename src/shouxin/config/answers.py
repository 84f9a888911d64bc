"""Answers: made by a thread, told by the event loop at the caller's pace. What is told in pieces waits in a file."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import IO, Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[str, str]]

READER_SECONDS = 60.0
"""Seconds a caller may take for PIECE bytes of an answer in pieces."""
PIECE = 64 << 10
UNREAD_MAX = 256 << 20
"""Bytes of an answer in pieces that are made ahead of its reader."""


class BrokenOff(Exception):
    """An answer in pieces that could not be made to its end: its caller must not take it for whole."""


class Gone(Exception):
    """The caller has hung up."""


@dataclass
class Answer:
    """What a thread has to tell, and the loop passes on. A piece is written by the one and read by the other.

    The thread waits for the reader only when UNREAD_MAX is ahead of her. Once nobody reads, `add` raises Gone. The loop
    never waits for the thread: a disk that is slow to write keeps nobody from being answered.
    """

    loop: asyncio.AbstractEventLoop
    begun: "asyncio.Future[bytes | None]" = field(init=False)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    lock: threading.Condition = field(default_factory=threading.Condition)
    kept: IO[bytes] | None = None
    holders: int = 2
    made: int = 0
    read: int = 0
    status: int = 500
    headers: Headers = field(default_factory=list)
    ended: bool = False
    streams: bool = False
    broken: bool = False
    gone: bool = False

    def __post_init__(self) -> None:
        self.begun = self.loop.create_future()

    def start(self, status: str, headers: Headers, _error: Any = None) -> None:
        """WSGI's `start_response`."""
        self.status, self.headers = int(status[:3]), headers

    def begin(self, whole: bytes | None) -> None:
        """The whole answer, or None: it follows in pieces."""
        if whole is None:
            self.streams, self.kept = True, tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see `let_go`
        self._on_loop(self._settle, whole)

    def fail(self, error: BaseException) -> None:
        """Nothing more can be told."""
        if self.streams:
            self.broken = True
            self.end()
        else:
            self.status, self.headers = 500, [("Content-Type", "text/plain")]
            self.begin(type(error).__name__.encode())

    def add(self, piece: bytes) -> None:
        """One more piece; raises Gone where nobody wants it."""
        assert self.kept
        with self.lock:
            self.lock.wait_for(lambda: self.gone or self.made - self.read < UNREAD_MAX)
        if self.gone:
            raise Gone
        while piece:
            written = os.pwrite(self.kept.fileno(), piece, self.made)
            self.made, piece = self.made + written, piece[written:]
        self._tell()

    def end(self) -> None:
        """Nothing follows."""
        self.ended = True
        self._tell()

    def take(self) -> bytes:
        """Some of what has been added and not been taken yet."""
        assert self.kept
        piece = os.pread(self.kept.fileno(), min(PIECE, self.made - self.read), self.read)
        with self.lock:
            self.read += len(piece)
            self.lock.notify()
        return piece

    def forget(self) -> None:
        """Nobody reads any more."""
        with self.lock:
            self.gone = True
            self.lock.notify()
        self.let_go()

    def let_go(self) -> None:
        """One of the two, thread and loop, is done with it; the second takes the file away."""
        with self.lock:
            self.holders -= 1
            if self.kept and not self.holders:
                self.kept.close()

    def _tell(self) -> None:
        if not self.news.is_set():  # where it is set the loop has not looked yet, and will see this too
            self._on_loop(self.news.set)

    def _settle(self, whole: bytes | None) -> None:
        if not self.begun.done():  # done: given up while the house closes
            self.begun.set_result(whole)

    def _on_loop(self, call: Callable[..., None], *given: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(call, *given)
        except RuntimeError:  # the loop is closed: the house is closing
            raise Gone from None


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Tell an answer that is there."""
    await send({"type": "http.response.start", "status": status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": body})


async def send_pieces(answer: Answer, send: Send) -> None:
    """Pass on what comes, at the caller's pace; raises TimeoutError where that is none."""
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw(answer.headers)})
    while not answer.gone:
        answer.news.clear()
        ended = answer.ended
        if piece := answer.take():
            async with asyncio.timeout(READER_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        elif ended:
            break
        else:
            await answer.news.wait()
    if answer.broken:
        raise BrokenOff
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def hung_up(answer: Answer, receive: Receive) -> None:
    """Have the answer end where its caller hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    answer.gone = True
    answer.news.set()


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers]
