"""Is the house alive, is it ready, and what it answers while the database is away."""

import errno
import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg_pool import PoolTimeout

from shouxin.config import migrating

AWAY = (OperationalError, InterfaceError, PoolTimeout)
FULL = (errno.ENOSPC, errno.EDQUOT)
RETRY_SECONDS = 2


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; says nothing about the database."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and has all migrations of this release, else 503 with the reason."""
    try:
        waiting = migrating.waiting()
    except (DatabaseError, InterfaceError, PoolTimeout):
        return _not_ready("database")
    return _not_ready("migrations") if waiting else JsonResponse({"status": "ready"})


def _not_ready(why: str) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return JsonResponse({"status": "not ready", "why": why}, status=503, headers=headers)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what cannot be read. Django's own page looks for a CSRF token in it, and fails at that again.

    A session that could not be written because the database went away meanwhile comes here too, as one that somebody
    has ended: that is answered as the database being away.
    """
    cause: BaseException | None = exception
    while cause is not None:
        if isinstance(cause, AWAY):
            return _last_answer(request, cause)
        cause = cause.__context__
    return HttpResponse(render_to_string("400.html"), status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """The last resort. Database away or busy, or disk full: 503 with Retry-After; anything else is our fault, 500."""
    return _last_answer(request, sys.exc_info()[1])


def _last_answer(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    full = isinstance(error, OSError) and error.errno in FULL
    away = full or isinstance(error, AWAY)
    status = 503 if away else 500
    headers = {"Retry-After": str(RETRY_SECONDS)} if away else {}
    title, why = _full() if full else _away() if away else _fault()
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": why}
        return JsonResponse(problem, status=status, headers=headers, content_type="application/problem+json")
    told = {"title": title, "why": why, "status": status, "again": request.get_full_path() if away else ""}
    return HttpResponse(render_to_string("lib/refused.html", told), status=status, headers=headers)


def _away() -> tuple[str, str]:
    return _("Busy for a moment"), _("The database did not answer in time. Nothing was changed; please try again.")


def _full() -> tuple[str, str]:
    return _("The disk is full"), _("The server has no room left. Nothing was changed; please tell whoever runs it.")


def _fault() -> tuple[str, str]:
    return _("Something went wrong"), _("The fault has been logged. Nothing was changed.")
