"""A bare application behind the front, for what no page of the product does: it says what reached it.

`/echo` and `/quick` tell what came, with length and digest of the body, which streams have ended, and how many bytes of
large bodies are on their way; `/steps?n`
streams n pieces, each a while after the other; `/flood?n` n of 64 kB at once; `/breaks?2` breaks off after one.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from shouxin.config import answers, front  # noqa: E402 - Django first

ended: list[str] = []


def pieces(path: str, count: int) -> Iterator[bytes]:
    try:
        for number in range(count):
            if path == "/steps":
                time.sleep(0.3)
            if path == "/breaks" and number:
                raise ValueError(path)
            yield f"{number};".encode() if path == "/steps" else bytes(65536)
    finally:
        ended.append(path)


def application(environ: dict[str, Any], start: Callable[..., None]) -> Any:
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/door" and "HTTP_COOKIE" not in environ:
        start("302 Found", [("Location", "/sign-in")])
        return Whole([b""])
    if path == "/door" and environ["HTTP_COOKIE"] == "narrow":
        start("403 Forbidden", [])
        return Whole([b""])
    start("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    if path == "/form/used":
        start("410 Gone", [("Content-Type", "text/plain")])
        return Whole([b"used"])
    if path in ("/steps", "/flood", "/breaks"):
        return pieces(path, int(query))
    if path == "/broken":
        raise ValueError
    body = environ["wsgi.input"].read()
    told = {
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "length": environ["CONTENT_LENGTH"],
        "got": len(body),
        "digest": hashlib.sha256(body).hexdigest(),
        "cookie": environ.get("HTTP_COOKIE", ""),
        "forwarded": environ.get("HTTP_X_FORWARDED_FOR", ""),
        "ended": ended,
        "held": served.held.large.total(),
    }
    return Whole([json.dumps(told).encode()])


class Whole(list[bytes]):
    """An answer in one piece, as Django's is."""

    streaming = False


answers.READER_SECONDS = float(os.environ.get("PROBE_READER_SECONDS", "60"))
answers.UNREAD_MAX = 32 << 20
front.LARGE_MAX = int(os.environ.get("PROBE_LARGE_MAX", front.LARGE_MAX))
front.SHARE_MAX = int(os.environ.get("PROBE_SHARE_MAX", front.SHARE_MAX))
front.WAITING_MAX = int(os.environ.get("PROBE_WAITING_MAX", "64"))
served = front.Front(
    application,
    threads=2,
    seconds=float(os.environ.get("PROBE_SECONDS", "2")),
    proxies=int(os.environ.get("PROBE_PROXIES", "0")),
    doors={"/form/": "", "/desk": "/door"},
)
