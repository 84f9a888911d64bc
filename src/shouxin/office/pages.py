"""The frame of every page: who looks, on which day, and what is shown where something is refused."""

import functools
from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import Error
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from . import trail
from .door import BUSY, RETRY_SECONDS, acting
from .refusals import BadForm, CannotDecide, Refusal

__all__ = ["acting", "blame", "moment", "page", "refused"]

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page for whoever has signed in; a refusal becomes a page that says why, with the status it has everywhere.

    403 duty, 404 sight, 409 moved, 422 form, 503 cannot decide. The line that a refusal leaves in the trail is written
    here, after the refused transaction is over.
    """

    @functools.wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(request, refusal)
        except Error as error:
            if getattr(error.__cause__, "sqlstate", None) not in BUSY:
                raise
            return refused(request, CannotDecide(_("Others are writing the same thing just now."), code="busy"))

    return login_required(framed)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The page that says what was not done, why, and what would cure it."""
    trail.keep(refusal)
    told = {"refusal": refusal, "errors": refusal.errors, "back": request.headers.get("Referer", "/")}
    answer = render(request, "office/refused.html", told, status=refusal.status)
    if refusal.status == 503:
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


def moment(request: HttpRequest) -> dict[str, Any]:
    """Who acts, on which day, at which moment, under the names of verbs that know the day as `today`."""
    who = acting(request)
    return {"by": who["by"], "today": who["on"], "at": who["at"]}


def blame(form: BaseForm, refusal: BadForm, fields: Collection[str] | None = None) -> None:
    """Write the faults that a verb found to the form's own fields; what names no field of it stands at its head."""
    known = form.fields if fields is None else fields
    for field, message in refusal.errors:
        form.add_error(field if field in known else None, message)
