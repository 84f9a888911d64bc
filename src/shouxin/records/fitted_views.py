"""Statistical cards on the pages: what was fitted, how good it is, how it compares, and adopting one as the card."""

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pydantic import TypeAdapter

from shouxin.credit.models import FittedCard
from shouxin.customers.facts import name_of
from shouxin.customers.models import Customer
from shouxin.customers.names_of_facts import LEDGER_FACTS, NAMES
from shouxin.lib import kept
from shouxin.lib.jobs import enqueue
from shouxin.lib.numbers import whole
from shouxin.office import card, clock, drafts, policies, posts, sight
from shouxin.office.models import Person
from shouxin.office.pages import acting, page, require_duty, version_of
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.receivables import fitted
from shouxin.rules.points_table import PointsTable, as_scorecard
from shouxin.rules.policy import Grade, Policy
from shouxin.rules.scorecard import FACTS, YES_NO

from . import jobs

COMPARED_MAX = 2000
COMPARED_AT_ONCE = 60
"""Customers up to which a reader waits for the comparison."""


@page
@require_http_methods(["GET", "POST"])
def cards(request: HttpRequest) -> HttpResponse:
    """The cards fitted so far; the credit office has a new one fitted by the worker."""
    call = acting(request)
    fitter = bool(posts.posts_of(call["by"], on=call["on"]) & set(fitted.FITTERS))
    if request.method == "POST":
        require_duty(request, *fitted.FITTERS, verb="fit_card", about="fitted_card")
        ask(_late_days(request), by=call["by"], on=call["on"])
        messages.success(request, _("The worker fits a card; it stands here when it is done."))
        return redirect("credit:fitted_cards")
    rows = [(row, fitted.table_of(row)) for row in FittedCard.objects.select_related("by")[:50]]
    told = {"rows": rows, "fitter": fitter, "refused": (found := fitted.latest_refusal())}
    told |= {"refusal": fitted.refusal_of(found)} if found else {}
    return render(request, "records/fitted_cards.html", told)


def ask(late_days: int, *, by: Person, on: date) -> bool:
    """Have the worker fit a card to history up to today; False where one is asked for already."""
    asked = {"until": on.isoformat(), "late_days": late_days, "by": by.pk, "asked": clock.now().isoformat()}
    return enqueue(jobs.fit_card, once="records.fit_card", **asked) is not None


def _late_days(request: HttpRequest) -> int:
    days = whole(request.POST.get("late_days"))
    if days is None or days > 365:
        raise BadForm([("late_days", _("must be a whole number from 0 to 365"))])
    return days


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One card: its points, its quality beside the card in force, and the customers of today by both.

    The last is for posts that see every customer.
    """
    call = acting(request)
    row = card_of(pk)
    table = fitted.table_of(row)
    beside = compared(row, on=call["on"], at=call["at"]) if sight.sees_all(call["by"], call["on"]) else None
    told = {
        "row": row,
        "table": table,
        "questions": [(name_of(each.fact), each) for each in table.questions],
        "qualities": [(_("fitted"), table.quality), *_of_card(table)],
        "beside": beside,
        "grades": list(Grade),
        "author": bool(posts.posts_of(call["by"], on=call["on"]) & set(policies.AUTHORS)),
        "version": drafts.of(call["by"], call["on"]).version,
    }
    return render(request, "records/fitted_card.html", told | (_shown(table, beside.found) if beside else {}))


def _shown(table: PointsTable, found: fitted.Comparison | None) -> dict[str, Any]:
    if found is None:
        return {}
    crosswise = [(a, [found.crosswise.get((a, b), 0) for b in Grade]) for a in Grade]
    return {"found": found, "crosswise": crosswise, "drawing": _drawing(table, found)}


@dataclass(frozen=True)
class Compared:
    """The comparison as of `at`; None while it is worked out for the first time. `live`: worked out for this reader."""

    found: fitted.Comparison | None
    as_of: date
    at: datetime
    live: bool


_COMPARISON = TypeAdapter(fitted.Comparison)


def compared(row: FittedCard, *, on: date, at: datetime) -> Compared:
    """The customers by both cards, worked out while one waits only where they are few: rating takes its time."""
    asked = {"pk": row.pk, "on": on.isoformat()}
    few = Customer.objects.order_by()[: COMPARED_AT_ONCE + 1].count() <= COMPARED_AT_ONCE
    told = kept.read(f"{__name__}.compared_kept", scope=str(row.pk), at=at, at_once=few, **asked)
    if told.content is None:
        return Compared(None, on, told.at, live=False)
    found = told.content["found"] | {"crosswise": {(a, b): n for a, b, n in told.content["crosswise"]}}
    return Compared(_COMPARISON.validate_python(found), date.fromisoformat(told.content["on"]), told.at, told.live)


def compared_kept(pk: int, on: str) -> dict[str, Any]:
    """The comparison as plain values, with its day: of all customers, or of some two thousand spread over them."""
    day = date.fromisoformat(on)
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    chosen = ids[:: -(-len(ids) // COMPARED_MAX)] if ids else []
    table, policy = fitted.table_of(card_of(pk)), policies.in_force(day).policy
    found = fitted.compare(table, chosen, as_of=day, policy=policy)
    crosswise = [(a.value, b.value, count) for (a, b), count in found.crosswise.items()]
    plain = _COMPARISON.dump_python(dataclasses.replace(found, crosswise={}), mode="json")
    return {"on": on, "found": plain, "crosswise": crosswise}


def _of_card(table: PointsTable) -> list[tuple[str, Any]]:
    return [(_("in force"), table.quality_of_card)] if table.quality_of_card else []


def card_of(pk: int) -> FittedCard:
    """A kept card; raises NotVisible."""
    row = FittedCard.objects.filter(pk=pk).first() if pk < 2**31 else None
    if row is None:
        raise NotVisible
    return row


def _drawing(table: PointsTable, found: fitted.Comparison) -> dict[str, Any]:
    """How the points spread when it was fitted and today, as shares."""
    labels_ = [f"{10 * each}–{10 * each + 10}" for each in range(10)]
    series = [(_("when fitted"), table.score_counts), (_("today"), found.score_counts)]
    drawn = [{"name": name, "values": [_part(each, sum(counts)) for each in counts]} for name, counts in series]
    return {"labels": labels_, "series": drawn, "unit": "share"}


def _part(count: int, whole: int) -> float:
    return count / whole if whole else 0


@page
@require_POST
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the table into her draft as the scorecard, with the bounds that keep the grades as full as they are."""
    require_duty(request, *policies.AUTHORS, verb="put_policy", about="policy")
    call = acting(request)
    table = fitted.table_of(card_of(pk))
    yes_no = frozenset(key for key, answers in FACTS.items() if answers == YES_NO)
    old = drafts.of(call["by"], call["on"]).policy

    def edit(chapters: dict[str, Any]) -> None:
        chapters["scorecard"] = as_scorecard(table, _texts(old, table), yes_no)
        card.put_grade_bounds(chapters, {grade.value: bound for grade, bound in table.grade_bounds.items()})

    drafts.change(edit, version=version_of(request), **call)
    messages.success(request, _("The table is the scorecard of your draft now: plain rules from here on."))
    return redirect("credit:card")


def _texts(policy: Policy, table: PointsTable) -> dict[str, dict[str, str]]:
    """The words of each fact: those of the card's own question, else its name."""
    found = {q.fact: q.text.model_dump() for group in policy.scorecard for q in group.questions}
    return {each.fact: found.get(each.fact) or _named(each.fact) for each in table.questions}


def _named(fact: str) -> dict[str, str]:
    from django.utils.translation import override

    told = {}
    for key, language in (("zh", "zh-hans"), ("en", "en")):
        with override(language):
            told[key] = name_of(fact) if fact in NAMES or fact in LEDGER_FACTS else fact
    return told
