"""The key figures on the page: every figure with its formula and inputs, and the year behind it."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shouxin.lib.templatetags.shouxin import grouped, percent
from shouxin.office import policies, posts, sight
from shouxin.office.pages import acting, page, past_day
from shouxin.office.refusals import BadForm
from shouxin.rules.figures import PLACES, Figure

from . import figures, words

TRACED = ("dso", "countback_dso", "best_possible_dso", "average_days_delinquent")


@page
@require_GET
def figures_page(request: HttpRequest) -> HttpResponse:
    """DSO and its family, per currency, with formulas, inputs and the last twelve months."""
    who = acting(request)
    posts.require(who["by"], *sight.LOOKERS, on=who["on"], about="figures", verb="read_figures")
    as_of, fault = _day(request, who["on"])
    found = figures.told(seen_by=who["by"], as_of=as_of, today=who["on"], at=who["at"])
    edition = policies.in_force(found.as_of)
    told = {
        "as_of": found.as_of,
        "told": found,
        "today": who["on"],
        "fault": fault,
        "period": edition.policy.figures.period_days,
        "whole": bool(posts.posts_of(who["by"], on=who["on"]) & sight.SEE_ALL),
        "ledgers": [_shown(edition.policy, ledger, found.as_of) for ledger in found.ledgers or ()],
    }
    return render(request, "records/figures.html", told, status=422 if fault else 200)


def _day(request: HttpRequest, today: date) -> tuple[date, str]:
    """The day asked about, today where none is given; a day that cannot be read is named, and today is shown."""
    try:
        return past_day(request.GET.get("as_of", ""), today), ""
    except BadForm as refusal:
        return today, str(refusal.errors[0][1])


def _shown(policy: Any, ledger: figures.Ledger, as_of: date) -> dict[str, Any]:
    course = figures.trend(policy, ledger, as_of=as_of)
    return {
        "currency": ledger.currency,
        "figures": [_told(figure) for figure in figures.figures(policy, ledger, as_of=as_of)],
        "days_chart": _chart(course, TRACED, "days"),
        "share_chart": _chart(course, ("overdue_ratio",), "share"),
    }


def _chart(course: Sequence[tuple[date, dict[str, Decimal | None]]], keys: Sequence[str], unit: str) -> dict[str, Any]:
    series = [{"name": words.NAMES[key], "values": [values[key] for _day, values in course]} for key in keys]
    return {"labels": [f"{day:%Y-%m}" for day, _values in course], "series": series, "unit": unit}


def _told(figure: Figure) -> dict[str, Any]:
    value = figure.value
    if value is None:
        shown = "—"
    else:
        shown = percent(value, 2) if figure.unit == "share" else grouped(value, PLACES[figure.unit])
    return {
        "key": figure.key,
        "name": words.NAMES[figure.key],
        "meaning": words.MEANINGS[figure.key],
        "value": shown,
        "unit": words.UNITS[figure.unit] if value is not None else "",
        "formula": words.FORMULAS[figure.key],
        "inputs": list(_inputs(figure)),
        "why_none": words.WHY_NONE[figure.why_none] if figure.why_none else "",
    }


def _inputs(figure: Figure) -> Iterator[tuple[Any, str]]:
    for name, value in figure.inputs.items():
        yield words.INPUTS[name], grouped(value, 0 if name in words.COUNTS else 2)
