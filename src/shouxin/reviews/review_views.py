"""The review of one customer on its page (B2.4): the report, the assessment, the signature."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shouxin.credit import line_requests
from shouxin.lib import documents
from shouxin.office import policies, posts, sight
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.pages import acting, page, paper_file, require_duty
from shouxin.office.refusals import BadForm, NotVisible

from . import annual, portfolio, words
from . import report as papers
from .forms import AssessmentForm
from .models import Review
from .views import READERS, action, get_year, reviews_of


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


def _review_page(request: HttpRequest, found: Review, form: AssessmentForm | None = None) -> HttpResponse:
    paper = paper_of(found, acting(request)["by"], acting(request)["on"])
    if answer := paper_file(request, paper, f"annual-review-{found.campaign.year}-{found.customer_id}"):
        return answer
    call = acting(request)
    told: dict[str, Any] = {
        "review": found,
        "paper": paper,
        "action": action(found),
        "state": words.STATES[words.state_of(found)],
        "verbs": annual.verbs_for(found, call["by"], call["on"]),
        "form": form or AssessmentForm(initial={"remark": found.remark, "version": found.version}),
        "lacking": [words.reason(each) for each in found.found.proposal.lacking],
    }
    if found.request and found.request.status == "open" and found.campaign.status == "open":
        told |= _signing(found, call["by"], call["on"])
    return render(request, "reviews/review.html", told)


def _signing(found: Review, by: Person, on: date) -> dict[str, Any]:
    """Whether she may sign, and why not."""
    request = found.request
    assert request is not None
    needed = line_requests.needs(request, edition=policies.in_force(on), today=on)
    codes = line_requests.why_not(request, needed, by=by, today=on)
    post = needed.post
    return {
        "may_sign": not codes and bool(posts.posts_of(by, on=on) & set(line_requests.SIGNERS)),
        "why_not": [line_requests.WORDS[code] for code in codes],
        "signer": POST_LABELS[post] if post else _("nobody has authority enough"),
        "hidden": [("version", request.version)],
    }


@page
@require_POST
def move(request: HttpRequest, year: int, pk: int, verb: str) -> HttpResponse:
    """Approve, decline, review anew, or write the assessment; back to the report."""
    found, call = get_review(request, year, pk), acting(request)
    version, reason = _version(request), request.POST.get("reason", "")[:1000].replace("\x00", "")
    if verb == "assess":
        form = AssessmentForm(request.POST)
        if not form.is_valid():
            return _review_page(request, found, form)
        annual.assess(found, form.cleaned_data["remark"], version=version, **call)
        messages.success(request, _("The assessment is kept."))
    elif verb == "renew":
        annual.renew(found, version=version, **call)
        messages.success(request, _("The customer has been reviewed anew."))
    elif verb in ("approve", "decline"):
        edition = policies.in_force(call["on"])
        getattr(annual, verb)(found, version=version, reason=reason, edition=edition, **call)
        messages.success(request, _("Approved.") if verb == "approve" else _("Declined."))
    else:
        raise NotVisible
    return redirect("reviews:review", year, pk)


def _version(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise BadForm([("version", _("The form does not say which version it was filled in for. Open it again."))])
    return int(given)
