"""Requests of natural persons over the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from shouxin.lib import sheets
from shouxin.lib.api import Answer, Body, Page, Paging, Reference, outlives_restriction, page
from shouxin.office.door import acting

from . import data_requests
from .models import DataRequest

router = Router(tags=["personal data"])
Text = Annotated[str, Field(max_length=500)]


class NewRequest(Body):
    """What the person asks for. `changes`: the fields to be corrected. `about`: the decision to be looked at again."""

    customer: Reference
    kind: Literal["copy", "correct", "restrict", "lift", "delete", "review"]
    why: Text
    changes: dict[str, Text] = {}
    about: Annotated[str, Field(max_length=60)] = ""


class Answered(Body):
    """What the person is answered."""

    answer: Text


class RequestOut(Answer):
    """A request with what the caller may do now. `corrected`: what a correction changes, a sentence for each field."""

    id: int
    customer: int
    kind: str
    why: str
    corrected: list[str]
    about: str
    status: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    answer: str
    verbs: list[str]


@router.post("/data-requests", response={201: RequestOut})
@outlives_restriction
def ask_for_data(request: HttpRequest, new: NewRequest) -> Any:
    """Take down what a natural person asks for: a copy, a correction, restriction, deletion, a person's review."""
    call = acting(request)
    customer = data_requests.customer_for(new.customer, new.kind, by=call["by"], on=call["on"])
    given = {"why": new.why, "changes": new.changes, "about": new.about}
    return Status(201, _told(data_requests.ask(customer, new.kind, **given, **call), call))


@router.get("/data-requests", response=Page[RequestOut])
def list_data_requests(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The requests the caller may read, the latest first."""
    call = acting(request)
    found = page(data_requests.seen_by(call["by"], call["on"]), paging)
    return found | {"items": [_told(each, call) for each in found["items"]]}


@router.get("/data-requests/{int:pk}", response=RequestOut)
def get_data_request(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One request."""
    call = acting(request)
    return _told(data_requests.get(pk, by=call["by"], on=call["on"]), call)


@router.get("/data-requests/{int:pk}/copy.json")
def get_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything personal kept about the customer, once two people have agreed."""
    call = acting(request)
    asked = data_requests.get(pk, by=call["by"], on=call["on"])
    text = data_requests.copy_of(asked, **call)
    return sheets.attachment([text.encode()], f"personal-data-{asked.customer_id}.json", "application/json")


@router.post("/data-requests/{int:pk}/{verb}", response=RequestOut)
@outlives_restriction
def decide_data_request(request: HttpRequest, pk: int, verb: str, answered: Answered) -> dict[str, Any]:
    """`confirm` or `decline` by a second person, `withdraw` by the one who took it down."""
    call = acting(request)
    asked = data_requests.get(pk, by=call["by"], on=call["on"])
    return _told(data_requests.decide(asked, verb, answer=answered.answer, **call), call)


def _told(asked: DataRequest, call: dict[str, Any]) -> dict[str, Any]:
    return data_requests.told(asked, by=call["by"], on=call["on"])
