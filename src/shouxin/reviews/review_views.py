"""The review of one customer on its page (B2.4): the report, the assessment, the signature."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.credit import line_requests, signatures
from shouxin.lib import documents
from shouxin.office import policies, posts, sight
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.pages import acting, blame, page, paper_file, require_duty, status_of
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import annual, portfolio, words
from . import report as papers
from .forms import AssessmentForm, DecisionForm
from .models import Review
from .views import READERS, action, get_year, reviews_of

DONE = {
    "approve": gettext_lazy("Approved."),
    "decline": gettext_lazy("Declined."),
    "renew": gettext_lazy("The customer has been reviewed anew."),
    "assess": gettext_lazy("The assessment is kept."),
}
"""Verb -> what is said once it is done."""


def get_review(request: HttpRequest, year: int, pk: int) -> Review:
    """A review of the year, of a customer the caller sees; NotVisible otherwise."""
    call = acting(request)
    rows = reviews_of(get_year(year), call["by"], call["on"])
    found: Review | None = rows.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def paper_of(found: Review, by: Person, on: date) -> documents.Paper:
    """The report of one customer, as this reader may know it: what share it has of all only who sees everybody."""
    return papers.paper(found, total=portfolio.sales_of(found.campaign) if sight.sees_all(by, on) else None)


@page
@require_GET
def review(request: HttpRequest, year: int, pk: int) -> HttpResponse:
    """The report of one customer, with what may be done; `?form=pdf` or `docx` gives the paper."""
    require_duty(request, *READERS, verb="read_reviews", about="annual-review")
    return _review_page(request, get_review(request, year, pk))


def _review_page(request: HttpRequest, found: Review, sent: Form | None = None) -> HttpResponse:
    """The report; `sent`: a form that was refused, told at its head with what was typed into it."""
    paper = paper_of(found, acting(request)["by"], acting(request)["on"])
    if answer := paper_file(request, paper, f"annual-review-{found.campaign.year}-{found.customer_id}"):
        return answer
    call, typed = acting(request), request.POST
    told: dict[str, Any] = {
        "review": found,
        "paper": paper,
        "action": action(found),
        "state": words.STATES[words.state_of(found)],
        "verbs": annual.verbs_for(found, call["by"], call["on"]),
        "sent": sent,
        "form": AssessmentForm(initial={"remark": typed.get("remark", found.remark), "version": found.version}),
        "lacking": [words.reason(each) for each in found.found.proposal.lacking],
    }
    if found.request and found.request.status == "open" and found.campaign.status == "open":
        told |= _signing(found, call["by"], call["on"])
    return render(request, "reviews/review.html", told, status=status_of(sent) if sent else 200)


def _signing(found: Review, by: Person, on: date) -> dict[str, Any]:
    """Whether she may sign, and why not."""
    request = found.request
    assert request is not None
    needed = signatures.needs(request, edition=policies.in_force(on), today=on)
    codes = signatures.why_not(request, needed, by=by, today=on)
    post = needed.post
    return {
        "may_sign": not codes and bool(posts.posts_of(by, on=on) & set(line_requests.SIGNERS)),
        "why_not": [signatures.WORDS[code] for code in codes],
        "signer": POST_LABELS[post] if post else _("nobody has authority enough"),
        "hidden": [("version", request.version)],
    }


@page
@require_POST
def move(request: HttpRequest, year: int, pk: int, verb: str) -> HttpResponse:
    """Approve, decline, review anew, write the assessment; a refusal is told on the report, with what was typed."""
    found, call = get_review(request, year, pk), acting(request)
    if verb not in DONE:
        raise NotVisible
    form = (AssessmentForm if verb == "assess" else DecisionForm)(request.POST)
    if form.is_valid():
        try:
            _moved(found, verb, form.cleaned_data, call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, DONE[verb])
            return redirect("reviews:review", year, pk)
    return _review_page(request, get_review(request, year, pk), form)


def _moved(found: Review, verb: str, given: dict[str, Any], call: dict[str, Any]) -> None:
    if verb == "assess":
        annual.assess(found, **given, **call)
    elif verb == "renew":
        annual.renew(found, version=given["version"], **call)
    else:
        getattr(annual, verb)(found, **given, edition=policies.in_force(call["on"]), **call)
