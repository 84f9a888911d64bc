"""The annual review on pages (B2.4): the years, and one year with its proposals."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.credit import line_requests, signatures
from shouxin.customers import search
from shouxin.lib.lists import Batch, Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.office import policies, posts, sight
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.pages import acting, blame, page, paper_file, require_duty, status_of
from shouxin.office.refusals import BadForm, Moved, NotVisible
from shouxin.rules.policy import Grade

from . import annual, facts, jobs, portfolio, words
from . import report as papers
from .forms import ClosingForm, YearForm
from .models import Campaign, Review

READERS = tuple(sorted(sight.LOOKERS))
TICKED_MAX = 200


# --- the years ------------------------------------------------------------------------------------


YEARS = (
    Column("year", gettext_lazy("Year"), sort="year", link=lambda row: _address(row)),
    Column("status", gettext_lazy("Status"), "status", lambda row: (row.get_status_display(), _colour(row))),
    Column("last", gettext_lazy("Last day looked at"), "date"),
    Column("effective_from", gettext_lazy("Effective from"), "date"),
    Column("total", gettext_lazy("Customers"), "number"),
    Column("reviewed", gettext_lazy("Reviewed"), "number"),
    Column("undecided", gettext_lazy("Undecided"), "number"),
    Column("opened_by", gettext_lazy("Opened by")),
)


def _address(row: Campaign) -> str:
    return reverse("reviews:year", args=[row.year])


def _colour(row: Campaign) -> str:
    return "blue" if row.status == "open" else "green"


@page
@require_http_methods(["GET", "POST"])
def years(request: HttpRequest) -> HttpResponse:
    """The years reviewed; the form opens another one."""
    require_duty(request, *READERS, verb="read_reviews", about="annual-review")
    call = acting(request)
    form = YearForm(request.POST or None, initial={"year": call["on"].year})
    if request.method == "POST" and form.is_valid():
        try:
            return _opened(request, form.cleaned_data)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
    mine = Count("reviews", filter=_seen_by(call["by"], call["on"]))
    waiting = Count("reviews", filter=_seen_by(call["by"], call["on"]) & annual.is_undecided("reviews__"))
    rows = Campaign.objects.select_related("opened_by").annotate(reviewed=mine, undecided=waiting)
    columns = YEARS if sight.sees_all(call["by"], call["on"]) else tuple(c for c in YEARS if c.name != "total")
    listing = Listing(request, rows, columns, key="annual-reviews", order="-year")
    if listing.wants_export:
        return listing.export()
    may_open = bool(posts.posts_of(call["by"], on=call["on"]) & set(annual.OPENERS))
    return render(
        request, "reviews/years.html", {"listing": listing, "form": form, "may_open": may_open}, status=status_of(form)
    )


def _seen_by(by: Person, on: date) -> Q:
    return sight.customers_seen_by(by, on, "reviews__customer__") & Q(reviews__customer__restricted_on=None)


def _opened(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    with transaction.atomic():
        campaign = annual.open_year(**given, **acting(request))
        jobs.begin(campaign)
    return redirect("reviews:year", campaign.year)


# --- one year -------------------------------------------------------------------------------------


def _customer_address(row: Review) -> str:
    return reverse("reviews:review", args=[row.campaign.year, row.pk])


def _limit(row: Review) -> str:
    found = row.found.year.held.limit
    return words.limit(found, row.found.currency)


def _grades(row: Review) -> str:
    after = row.request.grade if row.request else row.grade_after
    return after if row.grade_before == after else f"{row.grade_before or words.NONE} → {after}"


def action(row: Review) -> tuple[Any, str]:
    """What is proposed, as word and colour."""
    return row.get_action_display(), words.ACTION_COLOURS[row.action]  # type: ignore[attr-defined]


def _why(row: Review) -> str:
    return " ".join(words.reason(each) for each in row.found.proposal.reasons)


def _peak(row: Review) -> Decimal:
    return row.found.year.peak_use


def _signer(row: Any) -> str:
    post = row.needed.post if getattr(row, "needed", None) else None
    return str(POST_LABELS[post]) if post else ""


COLUMNS = (
    Column("customer", gettext_lazy("Customer"), value="customer.name", link=_customer_address),
    Column("action", gettext_lazy("Proposal"), "status", action),
    Column("grade", gettext_lazy("Grade"), value=_grades),
    Column("limit", gettext_lazy("Limit held"), value=_limit),
    Column("limit_after", gettext_lazy("Limit proposed"), value=words.asked_limit),
    Column("state", gettext_lazy("Status"), "status", lambda row: words.STATES[words.state_of(row)]),
    Column("signer", gettext_lazy("Signed by, at least"), value=_signer),
    Column("on_time", gettext_lazy("Paid on time"), "percent", lambda row: row.found.year.on_time_share),
    Column("sales", gettext_lazy("Sales"), "amount", "sales_worth", "sales_worth", total="sales_worth"),
    Column(
        "overdue", gettext_lazy("Overdue, undisputed"), "amount", "overdue_worth", total="overdue_worth", hidden=True
    ),
    Column("peak", gettext_lazy("Most used"), "amount", _peak, currency="found.currency", hidden=True),
    Column("why", gettext_lazy("Why"), value=_why, hidden=True),
)


def _in_state(rows: Any, state: str) -> Any:
    return rows.filter(request=None) if state == "fault" else rows.filter(request__status=state)


def _moved_grade(rows: Any, pair: str) -> Any:
    before, _to, after = pair.partition("-")
    if before not in {"", *Grade} or after not in set(Grade):
        return rows.none()
    return rows.annotate(after=portfolio.AFTER).filter(grade_before=before, after=after)


ASKS = (
    Ask("q", gettext_lazy("Customer"), where=search.of_customer),
    Ask("action", gettext_lazy("Proposal"), "select", "action", tuple(Review.ACTIONS)),
    Ask(
        "state",
        gettext_lazy("Status"),
        "select",
        _in_state,
        tuple((key, told[0]) for key, told in words.STATES.items()),
    ),
    Ask("moved", "", "hidden", _moved_grade),
)


class ReviewList(Listing):
    """The reviews of a year; whose signature each needs is measured for the rows shown, all at once.

    A tick carries the version of the request that was seen, so that only what was seen is signed (I-16).
    """

    today: date
    batch_everything = False

    @property
    def body(self) -> Any:
        """The rows with `.needed` and `.tick`."""
        waiting = [row.request for row in self.rows if row.request and row.request.status == "open"]
        edition = policies.in_force(self.today)
        needed = signatures.needs_of(waiting, edition=edition, today=self.today)
        for row in self.rows:
            row.tick = tick(row)
            row.needed = needed.get(row.request_id)
        return super().body


def tick(row: Review) -> str:
    """What a ticked row says: the review, and the version of its request."""
    return f"{row.pk}.{row.request.version if row.request else 0}"


def reviews_of(campaign: Campaign, by: Person, on: date) -> Any:
    """The reviews of a year that a person sees."""
    rows = Review.objects.filter(campaign=campaign, customer__restricted_on=None)
    joined = ("campaign", "customer__salesperson", "request__requested_by", "request__decided_by", "line")
    return sight.visible(rows.select_related(*joined), by, on=on)


def total_of(campaign: Campaign, by: Person, on: date) -> int:
    """How many customers the year is about, of those a person sees: while it is open, with those who came since."""
    if sight.sees_all(by, on):
        return max(campaign.total, _reached(campaign, campaign.reviews.count()))
    return sight.visible(facts.concerned(campaign.last), by, on=on).count()


def _reached(campaign: Campaign, reviewed: int) -> int:
    """How many there are with those nobody has reviewed yet; a closed year reviews nobody more."""
    return reviewed + (annual.unreviewed(campaign).count() if campaign.status == "open" else 0)


def get_year(year: int) -> Campaign:
    """The campaign of a year; NotVisible where it was never opened."""
    found = Campaign.objects.select_related("opened_by").filter(year=year).first() if year < 10_000 else None
    if found is None:
        raise NotVisible
    return found


@page
@require_GET
def year(request: HttpRequest, year: int) -> HttpResponse:
    """One year: how far it is, what moved, and the proposals to sign."""
    require_duty(request, *READERS, verb="read_reviews", about="annual-review")
    return _year_page(request, get_year(year))


def _year_page(request: HttpRequest, campaign: Campaign, closing: ClosingForm | None = None) -> HttpResponse:
    call = acting(request)
    by, on = call["by"], call["on"]
    held = posts.posts_of(by, on=on)
    signs = bool(held & set(line_requests.SIGNERS)) and campaign.status == "open"
    batch = [Batch(_("Approve"), reverse("reviews:approve", args=[campaign.year]), "signature", "primary")]
    columns = COLUMNS if not request.GET.get("export") else tuple(c for c in COLUMNS if c.name != "signer")
    listing = ReviewList(
        request, reviews_of(campaign, by, on), columns, ASKS, key=f"annual-review-{campaign.year}",
        order="-sales_worth", batch=batch if signs else (), size=50,
    )  # fmt: skip
    listing.today = on
    if listing.wants_export:
        return listing.export()
    told: dict[str, Any] = {
        "campaign": campaign,
        "status": (campaign.get_status_display(), _colour(campaign)),  # type: ignore[attr-defined]
        "listing": listing,
        "progress": _progress(campaign, by, on),
        "company_currency": policies.at(campaign.policy_version).policy.company.currency,
    }
    if campaign.status == "open" and not told["progress"] and held & set(annual.OPENERS):
        told["missing"] = annual.unreviewed(campaign).count()
    if sight.sees_all(by, on):
        told |= _whole(campaign)
        if campaign.status == "open" and held & set(annual.CLOSERS):
            told["closing"] = closing or ClosingForm(initial={"version": campaign.version})
            told["undecided"] = annual.undecided(campaign).count()
    return render(request, "reviews/year.html", told, status=status_of(closing) if closing else 200)


def _whole(campaign: Campaign) -> dict[str, Any]:
    """What is drawn of all customers together."""
    whole = portfolio.of(campaign)
    columns, rows = papers.matrix(whole)
    matrix = [
        [before, *({"n": n, "after": after, "kind": _kind(before, after)} for after, n in zip(Grade, ns, strict=True))]
        for before, *ns in rows
    ]
    drawing = {
        "labels": [each.grade or words.NONE for each in whole.grades],
        "series": [
            {"name": _("Owed"), "values": [each.owed for each in whole.grades]},
            {"name": _("Overdue, undisputed"), "values": [each.overdue for each in whole.grades]},
        ],
        "unit": "amount",
    }
    return {
        "whole": whole, "matrix_columns": columns, "matrix": matrix, "drawing": drawing,
        "chart_title": _("Owed and overdue by grade"), "figures": _figures(campaign, whole),
        "advice": [words.reason(each) for each in whole.advice],
    }  # fmt: skip


def _kind(before: str, after: str) -> str:
    if before in (after, words.NONE):
        return "same"
    return "better" if after < before else "worse"


def _figures(campaign: Campaign, whole: portfolio.Portfolio) -> list[dict[str, Any]]:
    address = _address(campaign)
    states = whole.states
    return [
        {
            "label": _("Reviewed"),
            "value": f"{whole.reviewed} / {max(campaign.total, _reached(campaign, whole.reviewed))}",
            "address": address,
        },
        {
            "label": _("To decide"),
            "value": states.get("open", 0),
            "address": f"{address}?state=open",
            "colour": "amber" if states.get("open") else "",
        },
        {"label": _("Raise"), "value": whole.actions.get("raise", 0), "address": f"{address}?action=raise"},
        {"label": _("Lower"), "value": whole.actions.get("lower", 0), "address": f"{address}?action=lower"},
        {"label": _("Overdue ratio, undisputed"), "value": words.percent(whole.share(whole.overdue)), "address": ""},
        {"label": _("Without a line"), "value": whole.without_line, "address": ""},
    ]


def _progress(campaign: Campaign, by: Person, on: date) -> dict[str, Any] | None:
    """What the progress component shows, of the customers she sees; None once they are reviewed or nobody is at it."""
    done, total = reviews_of(campaign, by, on).count(), total_of(campaign, by, on)
    if campaign.status != "open" or done >= total or not jobs.waiting(campaign.pk):
        return None
    return {
        "name": "prepare", "label": _("Customers are being reviewed"), "state": "running" if done else "queued",
        "done": done, "total": total, "address": reverse("reviews:progress", args=[campaign.year]),
    }  # fmt: skip


@page
@require_GET
def progress(request: HttpRequest, year: int) -> HttpResponse:
    """How far it is: asked each second while the worker is at it; then the whole page is loaded anew."""
    require_duty(request, *READERS, verb="read_reviews", about="annual-review")
    campaign, call = get_year(year), acting(request)
    found = _progress(campaign, call["by"], call["on"])
    answer = render(request, "components/progress.html", found or {"name": "prepare", "state": "done", "label": ""})
    if not found:
        answer["HX-Redirect"] = _address(campaign)
    return answer


@page
@require_POST
def resume(request: HttpRequest, year: int) -> HttpResponse:
    """Have the worker review those who have not been: it was broken off, or a line was entered since."""
    require_duty(request, *annual.OPENERS, verb="open_year", about="annual-review")
    campaign = get_year(year)
    with transaction.atomic():
        first = jobs.begin(campaign, acting(request)["by"])
    left = annual.unreviewed(campaign).count()
    if not left:
        messages.info(request, _("Everybody has been reviewed already."))
    elif first:
        begun = ngettext("%(n)s customer is being reviewed; its proposal then stands below.",
                         "%(n)s customers are being reviewed; their proposals then stand below.", left)  # fmt: skip
        messages.success(request, begun % {"n": left})
    else:
        messages.info(request, _("The worker is asked for this already."))
    return redirect("reviews:year", year)


@page
@require_POST
def approve(request: HttpRequest, year: int) -> HttpResponse:
    """Sign the ticked proposals, each in the version seen; those refused are told with their reason."""
    campaign = get_year(year)
    call = acting(request)
    posts.require(call["by"], *line_requests.SIGNERS, on=call["on"], about=campaign, verb="line_request.approve",
                  at=call["at"])  # fmt: skip
    ticked = dict(_ticks(request.POST.getlist("selected")[: TICKED_MAX + 1]))
    if not 0 < len(ticked) <= TICKED_MAX:
        raise BadForm([("", _("Tick from 1 to %(n)s proposals.") % {"n": TICKED_MAX})])
    found = {row.pk: row for row in reviews_of(campaign, call["by"], call["on"]).filter(pk__in=ticked)}
    if not found:
        raise NotVisible
    seen = [(found[pk], version) for pk, version in ticked.items() if pk in found]
    _tell(request, annual.approve_many(seen, **call))
    return redirect(f"{_address(campaign)}?{request.POST.get('query', '')}")


def _ticks(values: Iterable[str]) -> Iterable[tuple[int, int]]:
    for value in values:
        pk, _dot, version = value.partition(".")
        row, seen = whole(pk), whole(version or "0")
        if row is not None and seen is not None:
            yield row, seen


def _tell(request: HttpRequest, outcomes: list[annual.Outcome]) -> None:
    done = [each for each in outcomes if each.refusal is None]
    if done:
        n = len(done)
        messages.success(request, ngettext("%(n)s proposal approved.", "%(n)s proposals approved.", n) % {"n": n})
    refused: dict[str, list[str]] = {}
    for each in outcomes:
        if each.refusal is not None:
            refused.setdefault(f"{each.refusal} {each.refusal.cure_text}".strip(), []).append(each.review.customer.name)
    for why, names in refused.items():
        more = _(" and %(n)s more") % {"n": len(names) - 3} if len(names) > 3 else ""
        messages.warning(
            request, _("Not approved: %(names)s. %(why)s") % {"names": "、".join(names[:3]) + more, "why": why}
        )


@page
@require_POST
def close(request: HttpRequest, year: int) -> HttpResponse:
    """Close the year, with its summary."""
    campaign, form = get_year(year), ClosingForm(request.POST)
    require_duty(request, *annual.CLOSERS, verb="close_year", about=campaign)
    if not form.is_valid():
        return _year_page(request, campaign, form)
    try:
        annual.close(campaign, **form.cleaned_data, **acting(request))
    except Moved as refusal:
        blame(form, refusal)
        return _year_page(request, campaign, form)
    messages.success(request, _("The year is closed; its report is kept."))
    return redirect("reviews:year", campaign.year)


@page
@require_GET
def report(request: HttpRequest, year: int) -> HttpResponse:
    """The report of the whole year; `?form=pdf` or `docx` gives the paper. For those who see every customer."""
    require_duty(request, *sight.SEE_ALL, verb="read_reviews", about="annual-review")
    campaign = get_year(year)
    paper = papers.portfolio_paper(campaign)
    return paper_file(request, paper, f"annual-review-{campaign.year}") or render(
        request, "reviews/report.html", {"paper": paper, "campaign": campaign}
    )
