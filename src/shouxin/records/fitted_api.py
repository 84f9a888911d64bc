"""Statistical cards over the API (B2.1): what was fitted and how good it is, fitting anew, what was refused and why."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from shouxin.credit.models import FittedCard, RefusedFit
from shouxin.lib.api import Body, IsoDay, Page, Paging, page
from shouxin.office import posts, sight
from shouxin.office.door import acting
from shouxin.office.refusals import BeingWorkedOut
from shouxin.receivables import fitted
from shouxin.rules.points_table import PointsTable
from shouxin.rules.policy import Grade

from .fitted_views import ask, card_of, compared

router = Router(tags=["scoring"])


class FittedCardOut(BaseModel):
    """A statistical card: its points, AUC, KS and Brier (cross-validated), beside those of the card then in force."""

    id: int
    as_of: IsoDay
    policy_version: int
    by: str | None
    at: datetime
    table: PointsTable


class NewFit(Body):
    """Bad is who was late by more days than `late_days` within a year."""

    late_days: Annotated[int, Field(ge=0, le=365)] = fitted.LATE_DAYS


class FitAsked(BaseModel):
    """Whether the worker was asked anew; false: a card is being fitted already."""

    asked: bool


class RefusedFitOut(BaseModel):
    """A card that could not be fitted: why, for programs and for people, and what would cure it."""

    id: int
    as_of: IsoDay
    late_days: int
    code: str
    why: str
    cure: str
    by: str | None
    at: datetime


class ComparisonOut(BaseModel):
    """Customers of today by the card in force and by the fitted one.

    `crosswise`: grade by the card in force -> grade by the table -> customers; `kappa` their agreement beyond chance;
    `drift`: the stability index of the points against those it was fitted to; `expected_bad`: the mean probability.
    `at` is when it was worked out: the moment of the call where `live`, earlier where there are many customers.
    """

    card: int
    as_of: IsoDay
    customers: int
    kappa: float | None
    drift: float | None
    expected_bad: Decimal | None
    crosswise: dict[str, dict[str, int]]
    score_counts: list[int]
    at: datetime
    live: bool


@router.get("/scoring/cards", response=Page[FittedCardOut])
def list_fitted_cards(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The cards fitted so far, the latest first."""
    found = page(FittedCard.objects.select_related("by"), paging)
    return found | {"items": [_card(each) for each in found["items"]]}


@router.post("/scoring/cards", response={202: FitAsked})
def fit_card(request: HttpRequest, new: NewFit) -> Status[dict[str, bool]]:
    """Have the worker fit a card; it stands in the list when done, or among `/scoring/refusals` with the reason."""
    call = acting(request)
    posts.require(call["by"], *fitted.FITTERS, on=call["on"], about="fitted_card", verb="fit_card", at=call["at"])
    return Status(202, {"asked": ask(new.late_days, by=call["by"], on=call["on"])})


@router.get("/scoring/refusals", response=Page[RefusedFitOut])
def list_refused_fits(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """What could not be fitted, the latest first, each with why and cure."""
    found = page(RefusedFit.objects.select_related("by"), paging)
    return found | {"items": [_refused(each) for each in found["items"]]}


@router.get("/scoring/cards/{int:pk}", response=FittedCardOut)
def get_fitted_card(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One card with its whole table."""
    return _card(card_of(pk))


@router.get("/scoring/cards/{int:pk}/comparison", response=ComparisonOut)
def compare_fitted_card(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The customers, some two thousand at most, by both cards; for posts that see every customer. Nothing is written.

    503 `being_worked_out` while the first answer over many customers is on its way.
    """
    call = acting(request)
    posts.require(call["by"], *sight.SEE_ALL, on=call["on"], about="fitted_card", verb="compare", at=call["at"])
    row = card_of(pk)
    told = compared(row, on=call["on"], at=call["at"])
    if told.found is None:
        raise BeingWorkedOut
    names = ("customers", "kappa", "drift", "expected_bad", "score_counts")
    return {name: getattr(told.found, name) for name in names} | {
        "card": row.pk,
        "as_of": told.as_of,
        "crosswise": {a.value: {b.value: told.found.crosswise.get((a, b), 0) for b in Grade} for a in Grade},
        "at": told.at,
        "live": told.live,
    }


def _card(row: FittedCard) -> dict[str, Any]:
    names = ("id", "as_of", "policy_version", "at")
    told = {name: getattr(row, name) for name in names}
    return told | {"by": row.by.username if row.by else None, "table": fitted.table_of(row)}


def _refused(row: RefusedFit) -> dict[str, Any]:
    refusal, names = fitted.refusal_of(row), ("id", "as_of", "late_days", "code", "at")
    told = {name: getattr(row, name) for name in names}
    return told | {"why": str(refusal), "cure": refusal.cure_text, "by": row.by.username if row.by else None}
