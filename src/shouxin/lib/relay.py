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

PIECES_MAX = 64
PIECE_BYTES = 65536
LAST_SECONDS = 2.0


class Relay:
    """Takes whatever comes out of one descriptor and writes it to another; what finds no room is counted and lost."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self.pieces: queue.Queue[bytes] = queue.Queue(PIECES_MAX)
        self.lost = 0
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self._take, self._give)]
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """Return when everything has been passed on, or nobody has taken it for a moment."""
        for thread in self.threads:
            thread.join(LAST_SECONDS)

    def _take(self) -> None:
        while piece := os.read(self.source, PIECE_BYTES):
            try:
                self.pieces.put_nowait(piece)
            except queue.Full:
                self.lost += len(piece)
        os.close(self.source)
        with contextlib.suppress(queue.Full):
            self.pieces.put(b"", timeout=LAST_SECONDS)

    def _give(self) -> None:
        while piece := self.pieces.get():
            self._write(piece)
            if self.lost and self.pieces.empty():
                told, self.lost = self.lost, 0
                line = {"event": "part of the log was lost: nobody took it", "bytes": told, "level": "warning"}
                self._write(json.dumps(line).encode() + b"\n")
        os.close(self.target)

    def _write(self, piece: bytes) -> None:
        while piece:
            try:
                piece = piece[os.write(self.target, piece) :]
            except OSError:  # the disk is full, or the reader is gone
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
