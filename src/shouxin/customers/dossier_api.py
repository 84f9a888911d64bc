"""What becomes of a fact, over the API: verified, taken out of scoring (A7, B1.4)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from shouxin.lib.api import Answer, Body, IsoDay
from shouxin.office.door import acting

from . import dossier
from .models import Fact

router = Router(tags=["customers"])


class NewCheck(Body):
    """How it was verified, with which result (default: today)."""

    method: Literal["issuer", "on_site", "online"]
    result: Literal["genuine", "doubtful", "forged"]
    checked_on: IsoDay | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class FactCheckOut(Answer):
    """A verification as it is kept."""

    id: int
    customer: int
    fact: int
    method: str
    result: str
    checked_on: IsoDay
    note: str
    at: datetime


class NewMark(Body):
    """Why the fact counts no longer; a quick note is dismissed."""

    kind: Literal["expired", "repaired", "wrong", "dismissed"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class MarkOut(Answer):
    """The mark as it is kept."""

    id: int
    customer: int
    fact: int
    kind: str
    why: str
    at: datetime


@router.post("/facts/{int:pk}/verify", response={201: FactCheckOut})
def verify_fact(request: HttpRequest, pk: int, new: NewCheck) -> Any:
    """Somebody else than found it has verified the fact with its issuer, on site or online."""
    call, given = acting(request), new.model_dump()
    given["checked_on"] = given["checked_on"] or call["on"]
    fact = _fact(request, pk)
    made = dossier.verify(fact, **given, **call)
    shown = {name: getattr(made, name) for name in ("method", "result", "checked_on", "note", "at")}
    return Status(201, shown | {"id": made.pk, "customer": fact.customer_id, "fact": pk})


@router.post("/facts/{int:pk}/mark", response={201: MarkOut})
def mark_fact(request: HttpRequest, pk: int, new: NewMark) -> Any:
    """Take the fact out of scoring, or dismiss a quick note."""
    fact = _fact(request, pk)
    made = dossier.mark(fact, new.kind, new.reason, **acting(request))
    shown = {name: getattr(made, name) for name in ("kind", "why", "at")}
    return Status(201, shown | {"id": made.pk, "customer": fact.customer_id, "fact": pk})


def _fact(request: HttpRequest, pk: int) -> Fact:
    call = acting(request)
    return dossier.get(pk, by=call["by"], on=call["on"])
