"""The regulation on a page: each clause, where it is carried out, its tests, its evidence today."""

from collections import Counter
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from shouxin.customers import registry
from shouxin.lib import menu
from shouxin.office import posts, sight
from shouxin.office.pages import acting, page
from shouxin.receivables import ratings
from shouxin.rules import privacy
from shouxin.rules.policy import Post

from . import coverage
from .coverage import Covered
from .regulation import PAGES, PARTS, STATES, State

BEHIND = {
    "customers:create": frozenset(registry.REGISTRARS),
    "credit:rate_everybody": frozenset(ratings.RATERS),
    "office:sharings": frozenset(privacy.READERS),
    "office:assessments": frozenset(privacy.READERS),
}
"""Who may open the places that are not in the menu and not for everybody."""
COLOURS = {State.WORKS: "green", State.PARTLY: "amber", State.NOT_YET: "grey"}


@page
@require_GET
def regulation(request: HttpRequest) -> HttpResponse:
    """For everybody who has signed in; the evidence, which counts records of all customers, for who sees them all."""
    who = acting(request)
    sees_all = posts.is_system(who["by"]) or bool(posts.posts_of(who["by"], on=who["on"]) & sight.SEE_ALL)
    held = posts.posts_of(who["by"], on=who["on"])
    covered = coverage.coverage(with_evidence=sees_all)
    counts = Counter(each.clause.state for each in covered)
    told = {
        "parts": [
            (PARTS[letter], [_told(each, held) for each in rows])
            for letter, rows in groupby(covered, key=lambda each: each.clause.id[0])
        ],
        "counts": [{"label": STATES[state], "count": counts[state], "colour": COLOURS[state]} for state in State],
        "clauses": len(covered),
        "tests": sum(len(each.tests) for each in covered),
        "sees_all": sees_all,
        "drawing": _drawing(covered),
    }
    return render(request, "records/regulation.html", told)


def _opens(name: str, held: frozenset[Post]) -> bool:
    return menu.shown_to(name, held) and (name not in BEHIND or bool(held & BEHIND[name]))


def _drawing(covered: list[Covered]) -> dict[str, Any]:
    """How many clauses of each part work, in part, not yet."""
    held = Counter((each.clause.id[0], each.clause.state) for each in covered)
    series = [
        {"name": STATES[state], "values": [held[part, state] for part in PARTS], "colour": COLOURS[state]}
        for state in State
    ]
    return {"labels": list(PARTS.values()), "series": series, "unit": "count"}


def _told(each: Covered, held: frozenset[Post]) -> dict[str, Any]:
    """A clause, with the places that the holder of these posts may open."""
    clause = each.clause
    return {
        "clause": clause,
        "state": STATES[clause.state],
        "colour": COLOURS[clause.state],
        "places": [(PAGES[name], reverse(name)) for name in clause.places if _opens(name, held)],
        "tests": each.tests,
        "evidence": each.evidence,
    }
