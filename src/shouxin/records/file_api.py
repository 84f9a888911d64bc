"""What is read across packages over the API: the credit position, the whole file, the timeline."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Status
from pydantic import BaseModel, TypeAdapter

from shouxin.credit import grade_reviews, line_requests, lines
from shouxin.credit.api import DiscountOut, LineOut, LineRequestOut, line_row, request_rows
from shouxin.credit.models import CreditAccount, Rating
from shouxin.customers import registry, standing
from shouxin.customers.api import CustomerOut, customer_row
from shouxin.customers.models import Customer
from shouxin.lib.api import Amount, Answer, IsoDay, Page, Paging, page
from shouxin.office import disclosures, policies
from shouxin.office.door import acting
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import BadForm, CannotDecide
from shouxin.receivables import ratings

from . import credit_file, credit_sheet, rating_sheet, timeline
from .grade_review_api import GradeReviewOut, review_row
from .positions import Position

router = Router(tags=["customers"])


class ExposureOut(BaseModel):
    """The buckets in the currency of the line; deposits lower the total."""

    reserved: Amount
    undelivered: Amount
    unbilled: Amount
    receivable: Amount
    bills: Amount
    deposits: Amount
    total: Amount


class CreditOut(BaseModel):
    """Where the customer stands today. Amounts in `currency`.

    `limit` null: not set, or unlimited, as `limit_kind` says; "0.00": no credit. `security`: what securities add to it,
    after the policy's shares and cap. `available` null: without bound, not
    set, or not to be said because `missing_rate` names a currency without a rate.
    """

    grade: str | None
    limit: Amount | None
    limit_kind: str
    temporary_limit: Amount
    security: Amount
    currency: str
    term_days: int | None
    discount: DiscountOut | None
    standing: str
    exposure: ExposureOut
    available: Amount | None
    overdue: Amount
    oldest_overdue_days: int
    effective_to: IsoDay | None
    missing_rate: str | None
    as_of: IsoDay


class AgeingOut(BaseModel):
    """The ageing of one currency; the buckets and `unapplied` add up to `total`."""

    currency: str
    buckets: list[Amount]
    unapplied: Amount
    total: Amount
    overdue: Amount
    oldest_overdue_days: int


class OpenItemOut(BaseModel):
    """What is open of one instalment; credits are negative."""

    document: str
    instalment: int
    dated_on: IsoDay
    due_on: IsoDay | None
    amount: Amount
    contested: Amount
    currency: str
    overdue_days: int


class RatingOut(BaseModel):
    """The latest rating with its whole score sheet. `review`: a natural person's; null: needs none."""

    id: int
    as_of: IsoDay
    score: Decimal
    coverage: Decimal
    grade: str
    limit: Amount | None
    limit_kind: str
    currency: str
    term_days: int
    policy_version: int
    sheet: dict[str, Any]
    review: GradeReviewOut | None


class FactRow(BaseModel):
    """The latest fact of one key."""

    key: str
    value: Any
    source: str
    as_of: IsoDay


class FileOut(BaseModel):
    """The whole credit file as it stands today."""

    customer: CustomerOut
    credit: CreditOut
    lines: list[LineOut]
    line_requests: list[LineRequestOut]
    rating: RatingOut | None
    facts: list[FactRow]
    ageing: list[AgeingOut]
    open_items: list[OpenItemOut]
    payment_record: dict[str, Any]


class EventOut(BaseModel):
    """One act: who did which verb to what, in words too."""

    id: int
    at: datetime
    by: str
    verb: str
    about: str
    title: str
    text: str
    particulars: dict[str, Any]


@router.get("/customers/{reference}/credit", response=CreditOut)
def get_credit(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Grade, limit, room and what is overdue, as of today."""
    call, customer = acting(request), _customer(request, reference)
    policy = policies.in_force(call["on"]).policy
    return _credit(credit_file.position_of(customer, policy=policy, on=call["on"]), call["on"])


@router.get("/customers/{reference}/file", response=FileOut)
def get_file(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Everything the customer's page shows, in one answer."""
    call, customer = acting(request), _customer(request, reference)
    on = call["on"]
    disclosures.record_view(customer, by=call["by"], at=call["at"], tab="api")
    policy = policies.in_force(on).policy
    position = credit_file.position_of(customer, policy=policy, on=on)
    debt = credit_file.debt_of(customer, policy=policy, on=on)
    rating = rating_sheet.latest_rating(customer)
    holding = {each.pk for each in (position.held.line, position.held.pool, *position.held.temporary) if each}
    return {
        "customer": customer_row(customer, standing.effective([customer], on)[customer.pk]),
        "credit": _credit(position, on),
        "lines": [line_row(each, each.pk in holding) for each in lines.history(customer)],
        "line_requests": request_rows(request, _open_requests(customer)),
        "rating": _rating(request, rating),
        "facts": [_fact(each) for each in credit_file.latest_facts(customer)],
        "ageing": [_aged(each) for each in debt.aged],
        "open_items": [_item(each, on) for each in debt.items],
        "payment_record": _plain(debt.record),
    }


class SheetEntry(Answer):
    """A field of the credit sheet; `fresh_on`: the day it was last confirmed or changed."""

    key: str
    label: str
    value: str
    fresh_on: IsoDay | None


class SheetChange(Answer):
    """What a field was and became."""

    at: datetime
    by: str
    label: str
    was: str
    now: str


class SheetOut(Answer):
    """The customer credit sheet with the history of its fields (B2.2)."""

    customer: int
    entries: list[SheetEntry]
    changes: list[SheetChange]


@router.get("/customers/{reference}/sheet", response=SheetOut)
def get_sheet(request: HttpRequest, reference: str) -> dict[str, Any]:
    """The credit sheet, field by field, each with its day, and every change."""
    call, customer = acting(request), _customer(request, reference)
    disclosures.record_view(customer, by=call["by"], at=call["at"], verb="view_sheet")
    return {
        "customer": customer.pk,
        "entries": [vars(each) for each in credit_sheet.entries(customer, on=call["on"])],
        "changes": [vars(each) for each in credit_sheet.changes(customer)],
    }


@router.get("/customers/{reference}/rating", response=RatingOut | None)
def get_rating(request: HttpRequest, reference: str) -> Any:
    """The latest rating: score sheet, steps to the grade, limit methods with inputs; null: never rated (B2.1)."""
    return _rating(request, rating_sheet.latest_rating(_customer(request, reference)))


@router.post("/customers/{reference}/rating", response={201: RatingOut}, summary="Rate a customer now")
def rate_customer(request: HttpRequest, reference: str) -> Status[Any]:
    """Score what is known today and suggest a line. Nothing is granted: a line takes a request that another signs."""
    call, customer = acting(request), _customer(request, reference)
    edition = policies.in_force(call["on"])
    found = ratings.rate([customer.pk], as_of=call["on"], edition=edition, **call)
    if found.unmeasured:
        raise CannotDecide(
            _("No exchange rate for %(codes)s."), code="no_rate", codes=", ".join(found.unmeasured[customer.pk])
        )
    if not found.kept:
        raise BadForm([("", _("The use of this customer's data is restricted: it is not rated."))])
    return Status(201, _rating(request, found.kept[0]))


@router.get("/customers/{reference}/timeline", response=Page[EventOut])
def get_timeline(request: HttpRequest, reference: str, paging: Query[Paging]) -> dict[str, Any]:
    """Before, during and after the deal on one line of time, the latest first (A6)."""
    customer = _customer(request, reference)
    rows = TrailEntry.objects.filter(customer_id=customer.pk)
    found = page(rows, paging)
    return found | {"items": [_event(each) for each in found["items"]]}


def _rating(request: HttpRequest, rating: Rating | None) -> dict[str, Any] | None:
    if rating is None:
        return None
    names = [name for name in RatingOut.model_fields if name != "review"]
    review = grade_reviews.review_of(rating)
    return {name: getattr(rating, name) for name in names} | {"review": review_row(request, review) if review else None}


def _customer(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])


def _open_requests(customer: Customer) -> list[Any]:
    rows = customer.line_requests.filter(status=line_requests.FLOW.start).order_by("-pk")
    return list(rows.select_related("customer", "requested_by", "decided_by", "line").prefetch_related("editors"))


def _credit(position: Position, on: date) -> dict[str, Any]:
    line, limit, room = position.held.line, position.held.limit, position.available
    buckets = {name: getattr(position.exposure, name) for name in CreditAccount.BUCKETS}
    return {
        "grade": position.grade or None,
        "limit": limit.bound,
        "limit_kind": limit.kind,
        "temporary_limit": position.held.temporary_limit,
        "security": position.cover.amount,
        "currency": position.currency,
        "term_days": line.term_days if line else None,
        "discount": {"percent": found.percent, "days": found.days}
        if line and (found := lines.discount_of(line))
        else None,
        "standing": position.standing,
        "exposure": buckets | {"total": position.used},
        "available": room.bound,
        "overdue": position.overdue,
        "oldest_overdue_days": position.oldest_days,
        "effective_to": line.until if line else None,
        "missing_rate": position.missing or None,
        "as_of": on,
    }


def _aged(aged: Any) -> dict[str, Any]:
    names = ("currency", "buckets", "unapplied", "total", "overdue", "oldest_overdue_days")
    return {name: getattr(aged, name) for name in names}


def _item(item: Any, on: date) -> dict[str, Any]:
    names = ("document", "instalment", "dated_on", "due_on", "amount", "contested", "currency")
    return {name: getattr(item, name) for name in names} | {"overdue_days": max(0, item.overdue_days(on))}


def _fact(fact: Any) -> dict[str, Any]:
    return {"key": fact.key, "value": fact.value, "source": fact.source, "as_of": fact.as_of}


def _plain(record: Any) -> dict[str, Any]:
    """The payment record as JSON in which every amount is text."""
    plain: dict[str, Any] = TypeAdapter(type(record)).dump_python(record, mode="json")
    return plain


def _event(entry: TrailEntry) -> dict[str, Any]:
    told = timeline.told(entry)
    names = ("id", "at", "verb", "about", "particulars")
    return {name: getattr(entry, name) for name in names} | {
        "by": told["by"],
        "title": str(told["title"]),
        "text": told["text"],
    }
