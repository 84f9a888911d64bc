"""Real web servers on the test database, and callers that reach them over HTTP; for tests of races."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.db import connection

WSGI = "shouxin.config.wsgi:application"


def database_url() -> str:
    """The test database as another process reaches it."""
    found = connection.settings_dict
    place = (
        f"{quote(found['USER'])}:{quote(found['PASSWORD'] or '')}@{quote(str(found['HOST']), safe='')}:{found['PORT']}"
    )
    return f"postgres://{place}/{found['NAME']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(count: int, *, wsgi: str = WSGI) -> Iterator[list[int]]:
    """`count` server processes on one database; answers their ports."""
    ports = [free_port() for _ in range(count)]
    started = [_start(port, wsgi) for port in ports]
    try:
        for port, process in zip(ports, started, strict=True):
            _wait(port, process)
        yield ports
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(15)


def _start(port: int, wsgi: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    words = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "16", "--log-level", "error"]
    return subprocess.Popen([sys.executable, "-m", "granian", *words, "--port", str(port), wsgi], env=environment)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        with contextlib.suppress(OSError):
            if request(port, "GET", "/healthz")[0] == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def request(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One call; answers status and JSON (None where there is none)."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = json.dumps(body) if body is not None else None
    kept = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        link.request(method, path, sent, kept)
        answer = link.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else None
    finally:
        link.close()


def patiently(port: int, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """POST, and again where the answer is "busy" (503, Retry-After): on a loaded machine a lock may time out."""
    for _ in range(20):
        status, answer = request(port, "POST", path, body, **headers)
        if status != 503:
            break
        time.sleep(0.2)
    return status, answer
