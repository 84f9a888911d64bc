"""As much HTTP/2 over a bare connection as it takes to send a request with a body of unknown length."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE = 0, 1, 3, 4, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def send(port: int, method: str, path: str, size: int, **headers: str) -> tuple[int, bool]:
    """Send as much of `size` bytes as is taken; answers how many were, and whether an answer came on the stream."""
    named = {":method": method, ":scheme": "http", ":authority": "localhost", ":path": path, **headers}
    block = b"".join(b"\0" + b"".join(bytes([len(each)]) + each.encode() for each in pair) for pair in named.items())
    with socket.create_connection(("127.0.0.1", port), 30) as link:
        link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS) + _frame(HEADERS, END_HEADERS, 1, block))
        sent, windows, whole, answered = 0, {0: 65_535, 1: 65_535}, 16_384, False
        while sent < size:
            if part := min(size - sent, whole, *windows.values()):
                link.sendall(_frame(DATA, END_STREAM if sent + part == size else 0, 1, bytes(part)))
                sent += part
                windows = {stream: left - part for stream, left in windows.items()}
                continue
            kind, flags, stream, told = _next(link)
            if kind == WINDOW_UPDATE:
                windows[stream] += struct.unpack("!I", told)[0]
            elif kind == SETTINGS and not flags & ACK:
                wide = dict(struct.unpack("!HI", told[at : at + 6]) for at in range(0, len(told), 6)).get(4, 65_535)
                windows[1] += wide - 65_535
                link.sendall(_frame(SETTINGS, ACK))
            elif kind in (HEADERS, RST_STREAM):
                return sent, kind == HEADERS
        while not answered:
            kind, *_rest = _next(link)
            answered = kind == HEADERS
        return sent, answered


def _frame(kind: int, flags: int = 0, stream: int = 0, content: bytes = b"") -> bytes:
    return struct.pack("!I", len(content))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + content


def _next(link: socket.socket) -> tuple[int, int, int, bytes]:
    head = _exactly(link, 9)
    return head[3], head[4], struct.unpack("!I", head[5:])[0], _exactly(link, int.from_bytes(head[:3], "big"))


def _exactly(link: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = link.recv(size - len(found))
        assert more, "the connection has ended"
        found += more
    return found
