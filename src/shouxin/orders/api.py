"""Credit checks, reservations and holds over the API."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext, override
from ninja import Query, Router
from pydantic import BaseModel, Field

from shouxin.credit.models import Reservation
from shouxin.lib import complaints
from shouxin.lib.api import (
    Amount,
    Body,
    IsoDay,
    OneSpelling,
    Page,
    Paging,
    Reference,
    done_anew,
    is_unkept,
    outlives_restriction,
    own_transaction,
    page,
)
from shouxin.lib.numbers import whole
from shouxin.office import moves, policies, sight, trail
from shouxin.office.door import acting, answered, claim_of, refuse_out_of_sight
from shouxin.office.idempotency import Answer
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, NotVisible, Refusal
from shouxin.rules.policy import Discount
from shouxin.rules.text import spellings

from . import asking, checks, fulfilment, holds, lane, wording
from .models import CreditDecision, Hold

router = Router(tags=["orders"])

OrderNo = Annotated[str, OneSpelling, Field(min_length=1, max_length=80)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class OrderDiscount(Body):
    """A cash discount the order grants: percent off when paid within days."""

    percent: Annotated[str, Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$")]
    days: Annotated[int, Field(ge=0, le=366)]


class CheckIn(Body):
    """May this order ship on credit? `customer` is its code or id; `reserve: false` only asks."""

    customer: Reference
    order_no: OrderNo
    amount: Amount
    currency: Currency | None = None
    reserve: bool = True
    prepaid: bool = False
    ship_on: IsoDay | None = None
    expires_in_days: Annotated[int, Field(ge=0, le=366)] | None = None
    term_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    discount: OrderDiscount | None = None
    source_system: Annotated[str, Field(max_length=40)] = ""


class BatchIn(Body):
    """Up to a thousand checks; each is judged by itself, later ones see what earlier ones have reserved."""

    checks: Annotated[list[Any], Field(min_length=1, max_length=1000)]


class CureOut(BaseModel):
    """One thing that would let the order pass, with its amount or number where there is one."""

    code: str
    value: str | int | None


class ReasonOut(BaseModel):
    """A check that failed: what was measured, what is allowed, what would cure it. `severity` released: overruled."""

    code: str
    severity: str
    message: str
    measured: str | None
    allowed: str | None
    cure: str
    cures: list[CureOut]
    secured: Amount | None = None


class CheckOut(BaseModel):
    """The decision. Amounts of room are in the currency of the customer's line; null is unlimited or no line."""

    id: int
    customer: str
    order_no: str
    source_system: str
    amount: Amount
    currency: str
    reserve: bool
    outcome: Literal["approve", "hold", "decline"]
    reasons: list[ReasonOut]
    available_before: Amount | None
    available_after: Amount | None
    reservation: int | None
    hold: int | None
    supersedes: int | None
    policy_version: int
    as_of: IsoDay


class UnjudgedOut(BaseModel):
    """In the place of a decision: why this one request of a batch could not be judged at all."""

    status: int
    title: str
    errors: list[dict[str, str]]


class BatchOut(BaseModel):
    """The decisions in the order of the requests."""

    items: list[CheckOut | UnjudgedOut]


class ReplayOut(BaseModel):
    """The decision recomputed from what was known then; `same` says whether it comes out as it did."""

    id: int
    same: bool
    outcome: str
    reasons: list[ReasonOut]


def shown(decision: CreditDecision) -> dict[str, Any]:
    """A decision as the API answers it, in the caller's language."""
    return shown_many([decision])[0]


def shown_many(decisions: Sequence[CreditDecision]) -> list[dict[str, Any]]:
    """Decisions as the API answers them."""
    blocked = [each.pk for each in decisions if each.reserve and each.outcome != "approve"]
    holds_of = dict(Hold.objects.filter(decision__in=blocked).values_list("decision", "pk")) if blocked else {}
    return [_shown(each, holds_of.get(each.pk)) for each in decisions]


def _shown(decision: CreditDecision, hold: int | None) -> dict[str, Any]:
    names = ("order_no", "source_system", "amount", "currency", "reserve", "outcome", "policy_version", "as_of")
    return {
        "id": decision.pk,
        "customer": decision.customer_code.removeprefix("?"),
        "reasons": [wording.told(reason, decision.line_currency) for reason in decision.reasons],
        "available_before": decision.available_before,
        "available_after": decision.available_after,
        "reservation": decision.reservation_id,
        "hold": hold,
        "supersedes": decision.supersedes_id,
        **{name: getattr(decision, name) for name in names},
    }


def request_of(body: CheckIn, codes: dict[str, str]) -> checks.CheckRequest:
    """The question as the check takes it."""
    discount = body.discount and Discount(percent=Decimal(body.discount.percent), days=body.discount.days)
    return checks.CheckRequest(
        customer=codes[str(body.customer)],
        discount=discount,
        **body.model_dump(exclude={"customer", "discount"}),
    )


@router.post("/credit-checks", response={201: CheckOut}, summary="Check an order, and reserve its amount")
@own_transaction
def check(request: HttpRequest, body: CheckIn) -> HttpResponse:
    """Answers approve, hold or decline with all reasons; an approved order is reserved in the same transaction."""
    who = acting(request)
    asking.require_checker(who["by"], on=who["on"], at=who["at"])
    policy = policies.in_force(who["on"]).policy if body.ship_on else None
    if policy and (too_far := asking.too_far(body.ship_on, policy, today=who["on"])):
        raise BadForm([("ship_on", too_far)])
    asked = request_of(body, asking.codes_of([body.customer], by=who["by"], on=who["on"]))
    claim = claim_of(request)
    if claim is None:
        return answered(_told(lane.check(asked, by=who["by"])))
    language = get_language()

    def told(decision: CreditDecision) -> Answer:
        with override(language):  # whoever decides for several callers tells each in her own
            return _told(decision)

    known = lane.check_once(asked, by=who["by"], once=lane.Once(claim, told))
    if known.before:
        refuse_out_of_sight(request, known.answer, though_restricted=True)
    return answered(known.answer, before=known.before)


def _told(decision: CreditDecision) -> Answer:
    return Answer(201, CheckOut.model_validate(shown(decision)).model_dump_json())


def _decide(requests: list[checks.CheckRequest], by: Person, moment: checks.Moment) -> list[dict[str, Any]]:
    """The decisions as they are answered; in the place of one that is refused, why."""
    answers = checks.answer([checks.Question(request, by) for request in requests], moment)
    rows = iter(shown_many([each for each in answers if isinstance(each, CreditDecision)]))
    return [_refused(each) if isinstance(each, Refusal) else next(rows) for each in answers]


def _refused(refusal: Refusal) -> dict[str, Any]:
    trail.keep(refusal)
    pairs = refusal.errors or [("order_no", f"{refusal} {refusal.cure_text}".strip())]
    errors = [{"field": field, "message": message} for field, message in pairs]
    return {"status": refusal.status, "title": refusal.title, "errors": errors}


@router.post("/credit-checks/batch", response=BatchOut, summary="Check up to a thousand orders in one go")
@outlives_restriction
def check_batch(request: HttpRequest, body: BatchIn) -> dict[str, Any]:
    """Each request is judged by itself: one that cannot be read gets its faults in its place."""
    who = acting(request)
    asking.require_checker(who["by"], on=who["on"], at=who["at"])
    moment = checks.Moment(policies.in_force(who["on"]), who["on"], who["at"])
    read = [_read(each, moment) for each in body.checks]
    good = [each for each in read if isinstance(each, CheckIn)]
    codes = asking.codes_of([each.customer for each in good], by=who["by"], on=who["on"])
    told = iter(_decide([request_of(each, codes) for each in good], who["by"], moment) if good else [])
    return {"items": [next(told) if isinstance(each, CheckIn) else each for each in read]}


def _read(given: Any, moment: checks.Moment) -> CheckIn | dict[str, Any]:
    if is_unkept(given):
        return _unread([{"field": "", "message": complaints.said({"type": "unreadable"})}])
    try:
        read = CheckIn.model_validate(given)
    except pydantic.ValidationError as error:
        return _unread(
            [{"field": complaints.field_of(each), "message": complaints.said(each)} for each in error.errors()]
        )
    if too_far := asking.too_far(read.ship_on, moment.edition.policy, today=moment.today):
        return _unread([{"field": "ship_on", "message": too_far}])
    return read


def _unread(faults: list[dict[str, str]]) -> dict[str, Any]:
    return {"status": 422, "title": gettext("Some fields cannot be accepted."), "errors": faults}


class Wanted(Paging):
    """Which decisions: of a customer (code or id), of an order."""

    customer: str | None = None
    order_no: str | None = None


@router.get("/credit-checks", response=Page[CheckOut], summary="Past decisions, newest first")
def list_checks(request: HttpRequest, query: Query[Wanted]) -> dict[str, Any]:
    """The decisions on customers the caller may see."""
    who = acting(request)
    rows = sight.visible(CreditDecision, who["by"], on=who["on"]).select_related("customer")
    if query.customer is not None:
        codes = asking.codes_of([query.customer], by=who["by"], on=who["on"])
        rows = rows.filter(customer_code=codes[query.customer])
    if query.order_no is not None:
        rows = rows.filter(order_no__in=spellings(query.order_no))
    found = page(rows, query)
    return {**found, "items": shown_many(found["items"])}


@router.get("/credit-checks/{int:number}", response=CheckOut, summary="One decision")
def one_check(request: HttpRequest, number: int) -> dict[str, Any]:
    """A decision as it was taken; it is never edited."""
    return shown(_decision(request, number))


def _decision(request: HttpRequest, number: int) -> CreditDecision:
    """The decision, where the caller may see it: by the customer, or her own question about nobody we know."""
    who = acting(request)
    found = CreditDecision.objects.filter(pk=number, customer=None, by=who["by"]).first()
    return found or sight.get_visible(CreditDecision, who["by"], number, on=who["on"])


@router.post("/credit-checks/{int:number}/replay", response=ReplayOut, summary="Recompute a past decision")
@done_anew
def replay(request: HttpRequest, number: int) -> dict[str, Any]:
    """Recomputed from the facts and the policy edition kept with it; nothing is written."""
    decision = _decision(request, number)
    again = checks.replay(decision, edition=policies.at(decision.policy_version))
    told = [wording.told(reason, decision.line_currency) for reason in again.reasons]
    return {"id": decision.pk, "same": again.same, "outcome": again.outcome, "reasons": told}


# --- reservations --------------------------------------------------------------------------------


class ReservationOut(BaseModel):
    """The value of an order on the customer's account, and where each part of it stands."""

    id: int
    number: str
    customer: str
    order_no: str
    source_system: str
    currency: str
    amount: Amount
    reserved: Amount
    undelivered: Amount
    unbilled: Amount
    billed: Amount
    released: Amount
    expires_on: IsoDay | None
    credit_check: int | None
    version: int


class StepIn(Body):
    """The whole, or a part by `amount`."""

    amount: Amount | None = None


class BillIn(StepIn):
    """The invoice that bills it; left out, number and due date follow from the order and the customer's term."""

    invoice_no: Annotated[str, Field(max_length=80)] = ""
    dated_on: IsoDay | None = None
    due_on: IsoDay | None = None


class ExtendIn(Body):
    """Until which day the reservation is to live."""

    until: IsoDay


def reservation_shown(row: Reservation) -> dict[str, Any]:
    """A reservation as the API answers it."""
    names = ("number", "order_no", "source_system", "amount", "expires_on", "version", *fulfilment.PARTS)
    return {
        "id": row.pk,
        "customer": row.account.customer.code,
        "currency": row.account.currency,
        "credit_check": row.decision_id,
        **{name: getattr(row, name) for name in names},
    }


def _reservation(request: HttpRequest, reference: str) -> Reservation:
    """By id or by number (R00000012)."""
    who = acting(request)
    rows = Reservation.objects.select_related("account__customer")
    if (pk := whole(reference)) is not None:
        return sight.get_visible(rows, who["by"], pk, on=who["on"], path="account__customer")
    found = sight.visible(rows, who["by"], on=who["on"], path="account__customer").filter(number=reference).first()
    if found is None:
        raise NotVisible
    return found


@router.get("/reservations/{reference}", response=ReservationOut, summary="One reservation")
def one_reservation(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Where the value of the order stands."""
    return reservation_shown(_reservation(request, reference))


@router.post("/reservations/{reference}/deliver", response=ReservationOut, summary="Goods leave")
@outlives_restriction
def deliver(request: HttpRequest, reference: str, body: StepIn) -> dict[str, Any]:
    """Moves the whole, or `amount`, from reserved to delivered but not billed."""
    row = fulfilment.deliver(_reservation(request, reference), body.amount, **_moment(request))
    return reservation_shown(row)


@router.post("/reservations/{reference}/cancel", response=ReservationOut, summary="It will not be delivered")
@outlives_restriction
def cancel(request: HttpRequest, reference: str, body: StepIn) -> dict[str, Any]:
    """Releases the whole, or `amount`, of what has not been delivered."""
    row = fulfilment.cancel(_reservation(request, reference), body.amount, **_moment(request))
    return reservation_shown(row)


@router.post("/reservations/{reference}/bill", response=ReservationOut, summary="An invoice is issued")
@outlives_restriction
def bill(request: HttpRequest, reference: str, body: BillIn) -> dict[str, Any]:
    """Posts the invoice and moves its amount from the order to the receivables."""
    row = _reservation(request, reference)
    return reservation_shown(fulfilment.bill(row, **body.model_dump(), **_moment(request)))


@router.post("/reservations/{reference}/extend", response=ReservationOut, summary="Let it live longer")
@outlives_restriction
def extend(request: HttpRequest, reference: str, body: ExtendIn) -> dict[str, Any]:
    """A later last day for what is still reserved."""
    row = fulfilment.extend(_reservation(request, reference), body.until, **_moment(request))
    return reservation_shown(row)


def _moment(request: HttpRequest) -> dict[str, Any]:
    who = acting(request)
    return {"by": who["by"], "today": who["on"], "at": who["at"]}


# --- holds ---------------------------------------------------------------------------------------


class HoldOut(BaseModel):
    """An order that waits for a person, with what the caller may do about it now."""

    id: int
    status: str
    verbs: list[str]
    check: CheckOut
    reason: str
    up_to_amount: Amount | None
    until: IsoDay | None
    decided_by: str | None


class ReleaseIn(Body):
    """Why, up to what amount, until what day."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    up_to_amount: Amount | None = None
    until: IsoDay | None = None


class RejectIn(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class HoldsWanted(Paging):
    """Which holds; open ones where nothing is said."""

    status: Literal["open", "released", "rejected", "cured", "superseded", "all"] = "open"


def hold_shown(hold: Hold, who: dict[str, Any]) -> dict[str, Any]:
    """A hold as the API answers it."""
    return {
        "id": hold.pk,
        "status": hold.status,
        "verbs": list(moves.verbs_for(hold, holds.FLOW, who["by"], who["on"])),
        "check": shown(hold.decision),
        "reason": hold.reason,
        "up_to_amount": hold.up_to_amount,
        "until": hold.until,
        "decided_by": hold.decided_by.username if hold.decided_by else None,
    }


@router.get("/holds", response=Page[HoldOut], summary="Orders on hold")
def list_holds(request: HttpRequest, query: Query[HoldsWanted]) -> dict[str, Any]:
    """Orders that wait for a person, of customers the caller may see."""
    who = acting(request)
    rows = sight.visible(Hold, who["by"], on=who["on"]).select_related("decision__customer", "decided_by")
    found = page(rows if query.status == "all" else rows.filter(status=query.status), query)
    return {**found, "items": [hold_shown(row, who) for row in found["items"]]}


def _hold(request: HttpRequest, number: int) -> Hold:
    who = acting(request)
    return sight.get_visible(Hold.objects.select_related("decision__customer"), who["by"], number, on=who["on"])


@router.get("/holds/{int:number}", response=HoldOut, summary="One hold")
def one_hold(request: HttpRequest, number: int) -> dict[str, Any]:
    """The hold with its decision."""
    return hold_shown(_hold(request, number), acting(request))


@router.post("/holds/{int:number}/release", response=CheckOut, summary="Overrule the hold")
def release(request: HttpRequest, number: int, body: ReleaseIn) -> dict[str, Any]:
    """The order is checked again with the release in hand, and reserved; answers that decision."""
    edition = policies.in_force(acting(request)["on"])
    return shown(holds.release(_hold(request, number), edition=edition, **body.model_dump(), **_moment(request)))


@router.post("/holds/{int:number}/reject", response=HoldOut, summary="Refuse the order")
def reject(request: HttpRequest, number: int, body: RejectIn) -> dict[str, Any]:
    """The order stays blocked; the reason is kept."""
    return hold_shown(holds.reject(_hold(request, number), reason=body.reason, **_moment(request)), acting(request))


@router.post("/holds/{int:number}/recheck", response=CheckOut, summary="Ask again as of today")
def recheck(request: HttpRequest, number: int) -> dict[str, Any]:
    """A new decision on the same order; it passes where the cause is cured."""
    edition = policies.in_force(acting(request)["on"])
    return shown(holds.recheck(_hold(request, number), edition=edition, **_moment(request)))
