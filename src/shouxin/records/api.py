"""Reports over the API: the key figures, and the regulation clause by clause."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import BaseModel

from shouxin.lib.api import IsoDay
from shouxin.office import policies, posts, sight
from shouxin.office.door import acting
from shouxin.office.refusals import BadForm, BeingWorkedOut
from shouxin.rules.figures import Figure
from shouxin.rules.policy import Policy, Post

from . import coverage, figures
from .regulation import State

router = Router(tags=["reports"])


class FigureOut(BaseModel):
    """A figure with its formula over the inputs' own names; values as text, null with the reason why there is none."""

    key: str
    value: str | None
    unit: Literal["days", "share", "times"]
    formula: str
    inputs: dict[str, str]
    why_none: str | None


class PointOut(BaseModel):
    """The figures that are followed month by month, on one day."""

    as_of: IsoDay
    values: dict[str, str | None]


class CurrencyOut(BaseModel):
    """The figures of one currency and the twelve months behind them."""

    currency: str
    figures: list[FigureOut]
    trend: list[PointOut]


class FiguresOut(BaseModel):
    """The figures on a day, per currency; `period_days` is the period of DSO and collection effectiveness.

    `at` is when they were worked out: the moment of the call where `live`, earlier where the books are too large.
    """

    as_of: IsoDay
    period_days: int
    policy_version: int
    currencies: list[CurrencyOut]
    at: datetime
    live: bool


@router.get("/reports/figures", response=FiguresOut, summary="DSO and its family, overdue ratio, effectiveness")
def read_figures(request: HttpRequest, as_of: IsoDay | None = None) -> dict[str, Any]:
    """Over the customers the caller may see, with formula and inputs of each figure."""
    who = acting(request)
    posts.require(who["by"], *sight.SEE_ALL, Post.SALES, on=who["on"], about="figures", verb="read_figures")
    if as_of and as_of > who["on"]:
        raise BadForm([("as_of", _("This day has not come yet."))])
    if as_of:
        policies.refuse_before_first(as_of)
    told = figures.told(seen_by=who["by"], as_of=as_of or who["on"], today=who["on"], at=who["at"])
    if told.ledgers is None:
        raise BeingWorkedOut
    return report(told.as_of, told.ledgers) | {"at": told.at, "live": told.live}


def report(as_of: date, ledgers: Iterable[figures.Ledger]) -> dict[str, Any]:
    """The figures of the ledgers, as the API and the command line answer them."""
    edition = policies.in_force(as_of)
    return {
        "as_of": as_of,
        "period_days": edition.policy.figures.period_days,
        "policy_version": edition.number,
        "currencies": [_currency(edition.policy, each, as_of) for each in ledgers],
    }


def _currency(policy: Policy, ledger: figures.Ledger, as_of: date) -> dict[str, Any]:
    course = figures.trend(policy, ledger, as_of=as_of)
    return {
        "currency": ledger.currency,
        "figures": [_figure(each) for each in figures.figures(policy, ledger, as_of=as_of)],
        "trend": [
            {"as_of": day, "values": {key: None if value is None else str(value) for key, value in values.items()}}
            for day, values in course
        ],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "key": figure.key,
        "value": None if figure.value is None else str(figure.value),
        "unit": figure.unit,
        "formula": figure.formula,
        "inputs": {name: f"{value:f}" for name, value in figure.inputs.items()},
        "why_none": figure.why_none,
    }


class TestOut(BaseModel):
    """A test that proves a clause: its file below tests/ and its name."""

    file: str
    name: str


class EvidenceOut(BaseModel):
    """Records of a kind today; `more`: there are at least so many; `newest`: the business day of the latest."""

    kind: str
    count: int
    more: bool
    newest: IsoDay | None


class ClauseOut(BaseModel):
    """A clause: what it demands, what the product does, what lacks, where, proved by what, lived how."""

    id: str
    state: State
    demand: str
    answer: str
    lacks: str
    places: list[str]
    tests: list[TestOut]
    evidence: list[EvidenceOut]


class ClausesOut(BaseModel):
    """All clauses in the order of the regulation."""

    items: list[ClauseOut]


@router.get("/reports/clauses", response=ClausesOut, summary="The regulation, clause by clause")
def read_clauses(request: HttpRequest) -> dict[str, Any]:
    """Evidence counts records of all customers: it is left empty for a caller who may not see them all."""
    who = acting(request)
    held = posts.posts_of(who["by"], on=who["on"])
    return {"items": clauses(with_evidence=posts.is_system(who["by"]) or bool(held & sight.SEE_ALL))}


def clauses(*, with_evidence: bool) -> list[dict[str, Any]]:
    """The clauses as the API and the command line answer them."""
    return [_clause(each) for each in coverage.coverage(with_evidence=with_evidence)]


def _clause(each: coverage.Covered) -> dict[str, Any]:
    clause = each.clause
    return {
        "id": clause.id,
        "state": clause.state,
        "demand": str(clause.demand),
        "answer": str(clause.answer),
        "lacks": str(clause.lacks),
        "places": [reverse(name) for name in clause.places],
        "tests": [{"file": test.file, "name": test.name} for test in each.tests],
        "evidence": [
            {"kind": key, "count": found.count, "more": found.more, "newest": found.newest}
            for key, found in zip(clause.evidence if each.evidence else (), each.evidence, strict=True)
        ],
    }
