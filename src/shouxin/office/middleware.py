"""Around every page: no cache keeps what somebody signed in has read, and a refusal is told with its cure."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from . import sudo, trail
from .refusals import Refusal


def led(request: HttpRequest, address: str) -> HttpResponse:
    """The way to another page, by its name or address; htmx follows no redirect of ours by itself."""
    answer = redirect(address)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": answer["Location"]})
    return answer


def came_from(request: HttpRequest) -> str:
    """The page of ours on which the form stood that was sent; empty where none, another house's, or this very one."""
    address = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours and address != request.build_absolute_uri() else ""


class NothingKept:
    """No browser and no proxy keeps what was shown to somebody signed in; signing out clears what the browser has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, with what is to become of its copies."""
        inside = "_auth_user_id" in request.session
        answer = self.get_response(request)
        if inside or "Authorization" in request.headers:
            answer.headers.setdefault("Cache-Control", "no-store")
        if inside and "_auth_user_id" not in request.session:
            answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer


class RefusalsShown:
    """Answers a refusal raised by a view with its own status and words. The API's door answers its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do on the way in or out."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Only refusals; the transaction they ended is over by now."""
        if not isinstance(exception, Refusal):
            return None
        if isinstance(exception, sudo.Unproved):
            return led(request, sudo.way(request, exception))
        trail.keep(exception)
        answer = self._told(request, exception)
        if exception.retry_after is not None:
            answer["Retry-After"] = str(exception.retry_after)
        return answer

    def _told(self, request: HttpRequest, refusal: Refusal) -> HttpResponse:
        """On a page of the house, or to somebody outside on one that shows nothing of it."""
        if request.user.is_authenticated:
            told = {"refusal": refusal, "back": came_from(request)}
            return render(request, "office/refusal.html", told, status=refusal.status)
        told = {"title": refusal, "cure": refusal.cure_text, "status": refusal.status, "code": refusal.code}
        return render(request, "lib/refused.html", told, status=refusal.status)
