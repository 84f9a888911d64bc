"""What is said on stderr, passed on by threads: whoever reads it late, or not at all, stops nobody who speaks.

A pipe holds 64 KiB. Where its reader stands still (a stuck log collector, Ctrl-S on a terminal), the next line would
wait for ever, and with it whatever should have been done after saying it. A full disk is the same with an error.
"""

import contextlib
import json
import os
import queue
import threading
from collections.abc import Iterator

ROOM_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 65536
LAST_SECONDS = 5.0


class Relay:
    """Takes whatever comes out of one descriptor and writes it to another; what finds no room is counted and lost."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self.pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.held, self.lost, self.counting = 0, 0, threading.Lock()
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self._take, self._give)]
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """Return when everything has been passed on, or nobody has taken it for a moment."""
        for thread in self.threads:
            thread.join(LAST_SECONDS)

    def _take(self) -> None:
        while piece := os.read(self.source, PIECE_BYTES):
            if self._finds_room(len(piece)):
                self.pieces.put(piece)
        os.close(self.source)
        self.pieces.put(b"")

    def _finds_room(self, size: int) -> bool:
        with self.counting:
            if self.held + size > ROOM_BYTES:
                self.lost += size
                return False
            self.held += size
            return True

    def _give(self) -> None:
        while piece := self.pieces.get():
            self._write(piece)
            with self.counting:
                self.held -= len(piece)
            if self.pieces.empty():
                self._tell_of_loss()
        self._tell_of_loss()
        os.close(self.target)

    def _tell_of_loss(self) -> None:
        with self.counting:
            told, self.lost = self.lost, 0
        if told:
            line = {"event": "part of the log was lost: nobody took it", "bytes": told, "level": "warning"}
            self._write(json.dumps(line).encode() + b"\n")

    def _write(self, piece: bytes) -> None:
        while piece:
            try:
                piece = piece[os.write(self.target, piece) :]
            except OSError:  # the disk is full, or the reader is gone
                with self.counting:
                    self.lost += len(piece)
                return


@contextlib.contextmanager
def passed_on(descriptor: int = 2) -> Iterator[None]:
    """Within the block nothing that this process or its children write there has to wait for its reader."""
    outside = os.dup(descriptor)
    source, entrance = os.pipe()
    os.dup2(entrance, descriptor)
    os.close(entrance)
    relay = Relay(source, outside)
    try:
        yield
    finally:
        os.dup2(outside, descriptor)
        relay.finish()
