"""The daily run, dunning letters and the work list over the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, ReadableRenderer, own_transaction, page
from shouxin.office import idempotency, posts, sight
from shouxin.office.door import acting, answered_before, body_of
from shouxin.office.models import Person
from shouxin.office.refusals import NotVisible
from shouxin.receivables import posting
from shouxin.rules import ids

from . import notices, rounds, worklist
from .models import Day, Notice, Task

router = Router(tags=["collection"])


class DayIn(Body):
    """The business day to run; `from`, to begin anew after a long gap, is the first day that is not left out."""

    as_of: IsoDay
    start: IsoDay | None = Field(default=None, alias="from")


class FaultOut(BaseModel):
    """A customer the day could not be finished for, and why."""

    customer: int
    why: str


class DayOut(BaseModel):
    """A day's run. `aging`: per currency, amounts as text; `ties` says that they add up to the ledger."""

    as_of: IsoDay
    status: Literal["running", "done", "failed"]
    started_at: datetime
    finished_at: datetime | None
    policy_version: int
    counts: dict[str, int]
    aging: dict[str, Any]
    proof: dict[str, Any]
    faults: list[FaultOut]


class NoticeOut(BaseModel):
    """A letter: whom it went to, what it claims per currency, where it stands in the outbox."""

    id: int
    number: str
    customer: str
    stage: int
    written_on: IsoDay
    language: str
    subject: str
    claimed: dict[str, str]
    deadline: IsoDay | None
    to: str
    status: str
    sent_at: datetime | None
    fault: str
    items: list[dict[str, Any]]


class NoticeQuery(Paging):
    """Which letters to list."""

    customer: str | None = None
    status: Literal["waiting", "sent", "failed", "held", "no_address"] | None = None
    stage: Annotated[int, Field(ge=0, le=9)] | None = None


class WhyIn(Body):
    """A word on why, or on what came of it."""

    reason: Annotated[str, Field(max_length=500)] = ""


class TaskOut(BaseModel):
    """One task of the work list; `amount` is the money at stake."""

    id: int
    customer: str
    kind: str
    stage: int | None
    post: str
    person: str | None
    amount: Amount
    currency: str
    note: str
    due_on: IsoDay
    made_on: IsoDay
    status: str
    result: str


class TaskQuery(Paging):
    """Which tasks to list; `mine` leaves those open for the caller's own posts, the most money first."""

    customer: str | None = None
    kind: str | None = None
    post: str | None = None
    status: Literal["open", "done", "dropped"] | None = None
    mine: bool = False


@router.post("/days", response=DayOut)
@own_transaction
def run_day(request: HttpRequest, body: DayIn) -> Any:
    """Run a business day, the missed ones first; a day that is done is answered as it stands. Each batch commits.

    A day to come is refused: no earlier one could be run after it, and letters and expiries would come too soon.
    """
    who = acting(request)
    posting.refuse_later_than(who["on"], as_of=body.as_of)
    if known := _answered(request, who["by"], who["at"], keep=False):
        return answered_before(known)
    day = rounds.run(as_of=body.as_of, start=body.start, by=who["by"], at=who["at"])
    _answered(request, who["by"], who["at"], keep=True, text=_text(request, day))
    return shown_day(day)


def _text(request: HttpRequest, day: Day) -> str:
    """The answer as it goes out, to be given again to the same key."""
    answer = DayOut.model_validate(shown_day(day)).model_dump()
    return str(ReadableRenderer().render(request, answer, response_status=200))


def _answered(
    request: HttpRequest, by: Person, at: datetime, *, keep: bool, text: str = ""
) -> idempotency.Answer | None:
    """The first answer to the caller's Idempotency-Key, if there was one; with `keep`, this is the first.

    The run itself spans many transactions and changes nothing the second time, so the key is claimed when it is over.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    with transaction.atomic():
        known = idempotency.begin(by, key, path=request.get_full_path(), body=body_of(request), at=at)
        if known is None and keep:
            idempotency.finish(by, key, status=200, text=text)
        elif known is None:
            transaction.set_rollback(True)
    return known


@router.get("/days", response=Page[DayOut])
def list_days(request: HttpRequest, asked: Query[Paging]) -> dict[str, Any]:
    """The days that were run, the latest first."""
    _require_business(request)
    found = page(Day.objects.all(), asked, order=("-as_of",))
    return found | {"items": [shown_day(day) for day in found["items"]]}


@router.get("/days/{as_of}", response=DayOut)
def get_day(request: HttpRequest, as_of: IsoDay) -> dict[str, Any]:
    """What a day's run found and did."""
    _require_business(request)
    day = Day.objects.filter(as_of=as_of).first()
    if day is None:
        raise NotVisible
    return shown_day(day)


def shown_day(day: Day) -> dict[str, Any]:
    """A day as the API and the command line answer it."""
    names = ("as_of", "status", "started_at", "finished_at", "policy_version", "counts", "aging", "proof", "faults")
    return {name: getattr(day, name) for name in names}


def _require_business(request: HttpRequest) -> None:
    """The totals of a day are for those who see every customer."""
    who = acting(request)
    if not posts.is_system(who["by"]):
        posts.require(who["by"], *sight.SEE_ALL, on=who["on"], about="day", verb="read", at=who["at"])


# --- letters -------------------------------------------------------------------------------------


@router.get("/notices", response=Page[NoticeOut])
def list_notices(request: HttpRequest, asked: Query[NoticeQuery]) -> dict[str, Any]:
    """The letters of the customers the caller sees, the newest first."""
    who = acting(request)
    rows = sight.visible(Notice, who["by"], on=who["on"]).select_related("customer", "day")
    rows = _narrowed(rows, asked, {"customer": "customer__code", "status": "status", "stage": "stage"})
    found = page(rows, asked)
    return found | {"items": [shown_notice(notice) for notice in found["items"]]}


@router.get("/notices/{int:pk}.pdf", include_in_schema=True)
def get_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter on paper."""
    return pdf_answer(_notice(request, pk))


@router.get("/notices/{int:pk}", response=NoticeOut)
def get_notice(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One letter."""
    return shown_notice(_notice(request, pk))


@router.post("/notices/{int:pk}/{verb}", response=NoticeOut)
def move_notice(
    request: HttpRequest, pk: int, verb: Literal["hold", "release", "hand_over"], body: WhyIn
) -> dict[str, Any]:
    """Hold a letter back, let it go (again), or say that it went on paper and how (`reason`)."""
    notice, who = _notice(request, pk), acting(request)
    match verb:
        case "hold":
            notices.hold(notice, why=body.reason, **who)
        case "release":
            notices.release(notice, **who)
        case "hand_over":
            notices.hand_over(notice, how=body.reason, **who)
    return shown_notice(notice)


def _notice(request: HttpRequest, pk: int) -> Notice:
    who = acting(request)
    return sight.get_visible(Notice.objects.select_related("customer", "day"), who["by"], pk, on=who["on"])


def shown_notice(notice: Notice) -> dict[str, Any]:
    """A letter as the API answers it."""
    names = ("number", "stage", "language", "subject", "claimed", "deadline", "to", "status", "sent_at", "items")
    told = {name: getattr(notice, name) for name in names}
    return told | {
        "id": notice.pk,
        "to": ids.mask_email(notice.to) if notice.to else "",
        "customer": notice.customer.code,
        "written_on": notice.day.as_of,
        "fault": notices.fault_text(notice),
    }


def pdf_answer(notice: Notice) -> HttpResponse:
    """The letter as a file that opens in the browser; its name is plain ASCII, the number stands on the paper."""
    answer = HttpResponse(notices.pdf(notice), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="notice-{notice.pk}.pdf"'
    return answer


# --- work list -----------------------------------------------------------------------------------


@router.get("/tasks", response=Page[TaskOut])
def list_tasks(request: HttpRequest, asked: Query[TaskQuery]) -> dict[str, Any]:
    """The tasks about the customers the caller sees; `mine` are the caller's own, ranked by the money at stake."""
    who = acting(request)
    rows = worklist.mine(who["by"], on=who["on"]) if asked.mine else worklist.visible(who["by"], on=who["on"])
    names = {"customer": "customer__code", "kind": "kind", "post": "post", "status": "status"}
    rows = _narrowed(rows, asked, names)
    found = page(rows, asked, order=("-amount", "id") if asked.mine else ("-id",))
    return found | {"items": [shown_task(task) for task in found["items"]]}


@router.get("/tasks/{int:pk}", response=TaskOut)
def get_task(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One task."""
    return shown_task(_task(request, pk))


@router.post("/tasks/{int:pk}/{verb}", response=TaskOut)
def settle_task(request: HttpRequest, pk: int, verb: Literal["done", "drop"], body: WhyIn) -> Status[dict[str, Any]]:
    """The task was done, or is not needed; `reason` says what came of it."""
    act = worklist.done if verb == "done" else worklist.drop
    task = act(_task(request, pk), result=body.reason, **acting(request))
    return Status(200, shown_task(task))


def _task(request: HttpRequest, pk: int) -> Task:
    who = acting(request)
    return sight.get_visible(Task.objects.select_related("customer", "person"), who["by"], pk, on=who["on"])


def shown_task(task: Task) -> dict[str, Any]:
    """A task as the API answers it."""
    names = ("kind", "stage", "post", "amount", "currency", "note", "due_on", "made_on", "status", "result")
    told = {name: getattr(task, name) for name in names}
    return told | {
        "id": task.pk,
        "customer": task.customer.code,
        "person": task.person.username if task.person else None,
    }


def _narrowed(rows: Any, asked: Any, names: dict[str, str]) -> Any:
    """The rows for which every question that was asked is answered so."""
    given = {lookup: value for name, lookup in names.items() if (value := getattr(asked, name)) is not None}
    return rows.filter(**given)
