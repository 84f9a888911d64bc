"""The frame of every page: who looks, on which day. Refusals are shown by `middleware.RefusalsShown`."""

import functools
from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import Error, models
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from shouxin.lib import documents
from shouxin.lib.numbers import whole
from shouxin.rules.policy import Post

from . import policies, posts, sight
from .door import BUSY, acting
from .refusals import BadForm, CannotDecide, Moved, fitting

__all__ = [
    "acting", "blame", "moment", "page", "paper_file", "past_day", "refused_form", "require_duty", "status_of", "typed",
    "version_of",
]  # fmt: skip

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page for whoever has signed in. Two who write the same thing at once: one is asked to try again (503)."""

    @functools.wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.sees_part = functools.partial(_sees_part, request)  # type: ignore[attr-defined]
        try:
            return view(request, *args, **kwargs)
        except Error as error:
            if getattr(error.__cause__, "sqlstate", None) not in BUSY:
                raise
            raise CannotDecide(_("Others are writing the same thing just now."), code="busy") from error

    return login_required(framed)


def _sees_part(request: HttpRequest) -> bool:
    """Whether the reader sees some customers only."""
    who = acting(request)
    return not sight.sees_all(who["by"], who["on"])


def moment(request: HttpRequest) -> dict[str, Any]:
    """Who acts, on which day, at which moment, under the names of verbs that know the day as `today`."""
    who = acting(request)
    return {"by": who["by"], "today": who["on"], "at": who["at"]}


def past_day(given: str, today: date, field: str = "as_of") -> date:
    """The day asked about as YYYY-MM-DD, today where none is given.

    Raises BadForm for no date, a day to come, and one before the first policy.
    """
    try:
        day = date.fromisoformat(given) if given else today
    except ValueError:
        raise BadForm([(field, _("Write the date as 2026-03-09."))]) from None
    if day > today:
        raise BadForm([(field, _("This day has not come yet."))])
    if given:
        policies.refuse_before_first(day, field)
    return day


def paper_file(request: HttpRequest, paper: documents.Paper, name: str) -> HttpResponse | None:
    """The paper of a page as a file where one is asked for: `?form=pdf` or `docx`."""
    form = request.GET.get("form", "")
    if form not in documents.FACES:
        return None
    make, kind = documents.FACES[form]
    answer = HttpResponse(make(paper), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def require_duty(request: HttpRequest, *duty: Post, verb: str, about: models.Model | str) -> None:
    """Refuse a form to whoever could not send it: she is told whose duty it is before she fills it in."""
    who = acting(request)
    posts.require(who["by"], *duty, on=who["on"], about=about, verb=verb, at=who["at"])


def blame(
    form: BaseForm,
    refusal: BadForm | Moved,
    fields: Collection[str] | None = None,
    *,
    named: Callable[[str], str] = str,
) -> None:
    """Write what a verb refused to the form's own fields; what names no field of it stands at its head.

    So that nothing typed is lost when a paper has moved meanwhile, that too is told on the form. `named` gives the
    form's name of a field.
    """
    known = form.fields if fields is None else fields
    form.refused = refusal.status  # type: ignore[attr-defined]
    for field, message in refusal.errors or [("", f"{refusal} {refusal.cure_text}".strip())]:
        name = named(field)
        form.add_error(name if name in known else None, message)


def refused_form(form: BaseForm) -> BadForm:
    """What is wrong with a form as a refusal that knows its labels."""
    pairs = [
        ("" if field == "__all__" else field, str(each)) for field, errors in form.errors.items() for each in errors
    ]
    return BadForm(pairs, labels={name: field.label or "" for name, field in form.fields.items()})


def typed(request: HttpRequest, field: str = "reason", *, most: int = 1000) -> str:
    """What was typed into a field of a page's small form, without signs that no paper holds.

    Raises BadForm where it has more than `most` characters: nothing is cut without a word.
    """
    return fitting(request.POST.get(field, ""), most, field)


def version_of(request: HttpRequest) -> int:
    """The version the form was drawn from; a form without one is refused rather than taken for the latest."""
    version = whole(request.POST.get("version"), 9)
    if version is None:
        raise BadForm([("version", _("The form does not say which version it was filled in for. Open it again."))])
    return version


def status_of(form: BaseForm) -> int:
    """The HTTP status of a page with this form: 200, 422 with faults, or that of the refusal told on it."""
    return int(getattr(form, "refused", 422)) if form.errors else 200
