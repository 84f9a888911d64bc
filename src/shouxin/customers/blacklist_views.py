"""The blacklist on pages: the cases, a proposal, one case with what may be done (B3.1, C3.6)."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole
from shouxin.lib.questions import Ask
from shouxin.office import attachments, policies, posts, sight, trail_words
from shouxin.office.models import TrailEntry
from shouxin.office.pages import acting, page, require_duty, typed, version_of
from shouxin.rules import blacklist as rules

from . import blacklist, blacklist_letters, parties_api
from .models import BlacklistCase
from .party_forms import ExtendForm, ProposalForm, ReturnForm
from .party_pages import customer_of, filled, keep_about, keep_with, may_attach

COLOURS = {
    "proposed": "amber",
    "stopped": "red",
    "listed": "red",
    "appealed": "purple",
    "upheld": "red",
    "leaving": "blue",
    "declined": "grey",
    "withdrawn": "grey",
    "lifted": "green",
}
VERBS: dict[str, tuple[Any, str, str, Any]] = {
    "stop": (
        gettext_lazy("Suspend at once"),
        "hand-stop",
        "danger",
        gettext_lazy("Nothing ships from this second on, while the proposal runs."),
    ),
    "approve": (
        gettext_lazy("Approve the listing"),
        "signature",
        "danger",
        gettext_lazy("From this second no order, application or line passes; the customer gets its notice."),
    ),
    "decline": (gettext_lazy("Decline"), "x", "", gettext_lazy("A suspension at once falls with it.")),
    "withdraw": (gettext_lazy("Withdraw"), "arrow-back-up", "", gettext_lazy("A suspension at once falls with it.")),
    "appeal": (
        gettext_lazy("Take down an objection"),
        "file-text",
        "",
        gettext_lazy("In the customer's words. It suspends nothing; somebody else hears it."),
    ),
    "uphold": (gettext_lazy("Turn the appeal down"), "x", "danger", gettext_lazy("The customer is told why.")),
    "allow": (
        gettext_lazy("Allow the appeal"),
        "check",
        "primary",
        gettext_lazy("It proposes to lift the listing; a second person confirms."),
    ),
    "readmit": (
        gettext_lazy("Propose re-admission"),
        "arrow-back-up",
        "primary",
        gettext_lazy("It proposes to lift the listing; a second person confirms."),
    ),
    "extend": (
        gettext_lazy("Keep on the list"),
        "calendar",
        "",
        gettext_lazy("Looked at again, and kept until a later day."),
    ),
}
"""Verb -> label, icon, colour, what it means."""
EXTRA: dict[str, type[Form]] = {"allow": ReturnForm, "readmit": ReturnForm, "extend": ExtendForm}
HISTORY_MAX = 100


def case_status(case: BlacklistCase) -> tuple[str, str]:
    """Label and colour of a case."""
    return str(case.get_status_display()), COLOURS[case.status]


@page
@require_GET
def blacklist_page(request: HttpRequest) -> HttpResponse:
    """The cases of customers she may see; what is to be looked at again comes with its day."""
    call = acting(request)
    rows = sight.visible(BlacklistCase, call["by"], on=call["on"]).select_related("customer", "proposed_by")
    edition = policies.in_force(call["on"])
    columns = [
        Column(
            "number",
            _("Case"),
            value=lambda row: f"#{row.pk}",
            link=lambda row: reverse("customers:blacklist_case", args=[row.pk]),
        ),
        Column(
            "customer",
            _("Customer"),
            value="customer.name",
            sort="customer__name",
            link=lambda row: reverse("customers:file", args=[row.customer_id]),
        ),
        Column("status", _("Status"), "status", case_status),
        Column(
            "ground",
            _("Ground"),
            value=lambda row: blacklist_letters.ground_of(row, edition, get_language() or "zh-hans"),
        ),
        Column("listed_on", _("Listed on"), "date", sort="listed_on"),
        Column("objection_until", _("Objections until"), "date", sort="objection_until"),
        Column("review_on", _("Look again by"), "date", sort="review_on"),
        Column("proposed_by", _("Proposed by"), value="proposed_by"),
    ]
    asks = [
        Ask("q", _("Customer"), where="customer__name__icontains"),
        Ask("status", _("Status"), "select", where="status", choices=BlacklistCase.STATUSES),
    ]
    listing = Listing(request, rows, columns, asks, key="blacklist", order="-pk", title=_("Blacklist"))
    if listing.wants_export:
        return listing.export()
    due = blacklist.due(sight.visible(BlacklistCase, call["by"], on=call["on"]), call["on"]).select_related("customer")
    return render(request, "customers/blacklist.html", {"listing": listing, "due": due[:20]})


@page
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose to blacklist the customer."""
    call, customer = acting(request), customer_of(request, pk)
    require_duty(request, *rules.PROPOSERS, verb="propose_blacklisting", about=customer)
    edition = policies.in_force(call["on"])
    chinese = (get_language() or "zh").startswith("zh")
    grounds = [(each.code, each.name.zh if chinese else each.name.en) for each in edition.policy.blacklist.grounds]
    form = ProposalForm(request.POST or None, request.FILES or None, grounds=grounds, customer=customer)

    def save(given: dict[str, Any]) -> None:
        named = tuple(blacklist.Named(name) for name in given.get("persons", ()))
        asked = blacklist.Proposal(
            given["ground"], given["why"], given["evidence"], given.get("whole_group", False), named
        )
        with transaction.atomic():
            made = blacklist.propose(customer, asked, edition=edition, **call)
            keep_about(given["file"], made, customer, call)

    done = _("Proposed. Another person has to sign it.")
    open_case = customer.blacklist_cases.exclude(status__in=rules.OVER).first()
    return filled(request, form, customer, _("Propose for the blacklist"), save, done, open_case=open_case)


@page
@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """A case: where it stands, ground and evidence, whom it binds, letters, what may be done, what was done."""
    call = acting(request)
    rows = BlacklistCase.objects.select_related("customer", "proposed_by", "approved_by", "appeal_decided_by")
    found = sight.get_visible(rows, call["by"], pk, on=call["on"])
    edition = policies.in_force(call["on"])
    letters = blacklist_letters.sent(found)
    history = TrailEntry.objects.filter(about=f"blacklist-case:{found.pk}").order_by("-pk")[:HISTORY_MAX]
    told = {
        "found": found,
        "customer": found.customer,
        "status": case_status(found),
        "ground": blacklist_letters.ground_of(found, edition, get_language() or "zh-hans"),
        "persons": list(found.persons.order_by("pk")),
        "steps": _steps(found),
        "verbs": [_verb(found, verb) for verb in blacklist.verbs_for(found, call["by"], call["on"])],
        "why_not": _why_not(found, call),
        "releases": list(found.releases.select_related("proposed_by", "decided_by").order_by("-pk")),
        "letters": letters,
        "attachments": attachments.listed(found, by=call["by"], on=call["on"]),
        "may_attach": may_attach(call, rules.PROPOSERS),
        "history": [(trail_words.verb(entry), entry) for entry in history],
        "late": found.objection_until is not None and call["on"] > found.objection_until,
        "review_due": found.status in rules.BITES and found.review_on is not None and found.review_on <= call["on"],
    }
    return render(request, "customers/blacklist_case.html", told)


@page
@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One step of a case, in the version she saw."""
    call = acting(request)
    found = sight.get_visible(BlacklistCase.objects.select_related("customer"), call["by"], pk, on=call["on"])
    given = {
        "reason": typed(request),
        "kind": request.POST.get("standing", "watched"),
        "conditions": typed(request, "conditions"),
        "months": whole(request.POST.get("months"), 8) or 0,
    }
    seen = version_of(request)
    parties_api.act(found, verb, given, version=seen, call=call)
    messages.success(request, _("Done."))
    return redirect("customers:blacklist_case", pk)


@page
@require_GET
def letter(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The latest letter of the case as it was written, as PDF or Word."""
    call = acting(request)
    return parties_api.letter_file(sight.get_visible(BlacklistCase, call["by"], pk, on=call["on"]), ending)


def _verb(found: BlacklistCase, verb: str) -> dict[str, Any]:
    label, icon, colour, means = VERBS[verb]
    extra = EXTRA.get(verb)
    return {
        "verb": verb,
        "label": label,
        "icon": icon,
        "colour": colour,
        "text": means,
        "form": extra(auto_id=f"{verb}-%s") if extra else None,
        "reason": "optional" if verb in ("stop", "approve") else "required",
        "hidden": [("version", found.version)],
    }


def _why_not(found: BlacklistCase, call: dict[str, Any]) -> list[Any]:
    """What keeps her from a step whose duty she has: told once each."""
    held = posts.posts_of(call["by"], on=call["on"])
    steps = [step for step in rules.FLOW.steps if found.status in step.sources and held & step.duty]
    codes = {code for step in steps for code in blacklist.why_not(found, step.verb, call["by"])}
    return [blacklist.WORDS[code] for code in sorted(codes - {"not_proposer"})]


def _steps(found: BlacklistCase) -> list[dict[str, Any]]:
    """The way of a case: proposed, signed, objected, answered, lifted."""
    listed, over = found.listed_on is not None, found.status in ("declined", "withdrawn")
    heard = bool(found.appeal_reason)
    rows = [
        (_("Proposed"), True, found.proposed_by, found.proposed_at),
        (str(found.get_status_display()) if over else _("Signed"), listed, found.approved_by, found.decided_at),
    ]
    steps = [
        {
            "label": label,
            "state": "done" if done else "stopped" if over else "current",
            "by": by if done else "",
            "at": at if done else None,
        }
        for label, done, by, at in rows
    ]
    if listed:
        appealed = found.appealed_on is not None
        steps += [
            {
                "label": _("Objection"),
                "state": "done" if appealed else "todo",
                "hint": (found.appealed_on and found.appealed_on.isoformat())
                or _("until %(day)s") % {"day": found.objection_until},
            },
            {
                "label": _("Appeal decided"),
                "state": "done" if heard else "current" if appealed else "todo",
                "by": found.appeal_decided_by,
            },
            {
                "label": _("Lifted"),
                "state": "done" if found.status == "lifted" else "current" if found.status == "leaving" else "todo",
                "hint": _("look again by %(day)s") % {"day": found.review_on},
            },
        ]
    return steps


@page
@require_POST
def attach_to_case(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a judgment, a letter, a photo with the case."""
    call = acting(request)
    found = sight.get_visible(BlacklistCase.objects.select_related("customer"), call["by"], pk, on=call["on"])
    keep_with(request, found)
    return redirect("customers:blacklist_case", pk)
