"""One line in the log for every request, under a number the caller is given too. No address, no particulars."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("shouxin.request")

NUMBER = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET = frozenset({"alive", "ready", "metrics"})


class Followed:
    """Gives each request a number (the caller's `X-Request-ID` where it is a plain one) and logs how it ended.

    The view's name stands for the address, so that no customer's code, search word or token reaches the log (I-24).
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        number = given if NUMBER.fullmatch(given) else secrets.token_hex(8)
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=number):
            response = self.answer(request)
            view = request.resolver_match.view_name if request.resolver_match else "none"
            if view not in QUIET:
                self._tell(request, response, view, time.perf_counter() - began)
        response.headers["X-Request-ID"] = number
        return response

    def _tell(self, request: HttpRequest, response: HttpResponse, view: str, seconds: float) -> None:
        # Only a person the request has asked about already: the log never costs a query of its own.
        person = request.__dict__.get("_cached_user") or request.__dict__.get("auth")
        log.info(
            "answered",
            view=view,
            method=request.method,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            person=getattr(person, "pk", None),
        )
