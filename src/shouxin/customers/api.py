"""Customers over the API: the register, facts, standing. Personal particulars are masked unless asked for."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from shouxin.lib.api import Amount, Answer, Body, IsoDay, Page, Paging, Reference, done_anew, page
from shouxin.office import disclosures, sight
from shouxin.office.door import acting, seen_version
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, NotVisible

from . import facts, registry, search, standing
from .models import Customer, Fact, Standing, StandingRelease

router = Router(tags=["customers"])

Text = Annotated[str, Field(max_length=300)]


class CustomerFields(Body):
    """What can be written about a customer. Amounts in the customer's own currency."""

    short_name: Text = ""
    uscc: Text = Field(default="", description="unified social credit code, 18 characters")
    uscc_confirmed: Text = Field(default="", description="why the code is right although its check character fails")
    natural_person: bool = False
    id_number: Text = Field(default="", description="identity number of a natural person, 18 characters")
    legal_representative: Text = ""
    registered_capital: Amount | None = None
    paid_in_capital: Amount | None = None
    founded_on: IsoDay | None = None
    address: Text = ""
    region: Text = ""
    telephone: Text = ""
    email: Text = ""
    contact: Text = ""
    bank: Text = ""
    bank_account: Text = ""
    industry: Text = Field(default="", description="section letter of GB/T 4754, A to T")
    credit_standard: Text = Field(default="", description="the least we ask of this customer (B2.2)")
    salesperson: str | None = Field(default=None, description="user name", max_length=150)
    department: Text = ""
    group_head: Reference | None = Field(default=None, description="id or code of the group's head")
    customer_since: IsoDay | None = None


class NewCustomer(CustomerFields):
    """A customer to be registered; without a code the next number is given."""

    code: Annotated[str, Field(max_length=40)] = ""
    name: Annotated[str, Field(min_length=1, max_length=200)]
    currency: Annotated[str, Field(max_length=3)] = ""


class CustomerChange(CustomerFields):
    """The fields to be written; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    currency: Annotated[str, Field(max_length=3)] = ""


class CustomerOut(Answer):
    """A customer, personal particulars masked (`POST …/unmask`); `version` goes into If-Match of a change."""

    id: int
    code: str
    name: str
    short_name: str
    uscc: str
    uscc_confirmed: str
    natural_person: bool
    id_number: str
    legal_representative: str
    registered_capital: Amount | None
    paid_in_capital: Amount | None
    founded_on: IsoDay | None
    address: str
    region: str
    telephone: str
    email: str
    contact: str
    bank: str
    bank_account: str
    industry: str
    credit_standard: str
    currency: str
    salesperson: str | None
    department: str
    group_head: int | None
    customer_since: IsoDay | None
    standing: str
    version: int


class Double(Answer):
    """A customer with a name so alike that it may be the same company."""

    id: int
    code: str
    name: str
    likeness: int


class Registered(CustomerOut):
    """The new customer, and who may be the same company."""

    doubles: list[Double]


class CustomersAsked(Paging):
    """Which customers: `q` finds by Chinese, pinyin, initials, code; the others by what they are."""

    q: Annotated[str, Field(max_length=200)] = ""
    code: Annotated[str, Field(max_length=40)] = ""
    uscc: Annotated[str, Field(max_length=18)] = ""
    industry: Annotated[str, Field(max_length=1)] = ""
    salesperson: Annotated[str, Field(max_length=150)] = ""
    department: Annotated[str, Field(max_length=80)] = ""


class NewFact(Body):
    """Something learnt. Numbers as text or JSON numbers, never amounts with thousands marks; null: no longer so."""

    key: str
    value: str | bool | int | Decimal | None
    source: str
    as_of: IsoDay | None = None
    until: IsoDay | None = None
    subject: str = ""
    particulars: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=500)]] = {}
    queried_on: IsoDay | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class FactOut(Answer):
    """A fact as it is kept; numbers as text."""

    id: int
    customer: int
    key: str
    value: Any
    source: str
    as_of: IsoDay
    until: IsoDay | None
    subject: str
    particulars: dict[str, str]
    queried_on: IsoDay | None
    note: str
    collected_by: str | None
    collected_at: datetime


class FactsAsked(Paging):
    """Which facts: of one key, or all."""

    key: Annotated[str, Field(max_length=40)] = ""


class NewStanding(Body):
    """Where the customer is to stand, and why."""

    standing: str
    reason: Annotated[str, Field(max_length=500)]
    malicious: bool = False


class StandingOut(Answer):
    """Where the customer stands. `pending`: the proposal to lift a blacklisting that waits for a second person."""

    customer: int
    standing: str
    since: IsoDay | None
    reason: str
    by: str | None
    pending: int | None = None


class StandingRow(Answer):
    """One standing of the customer's history."""

    standing: str
    since: IsoDay
    reason: str
    by: str | None
    confirmed_by: str | None
    at: datetime


class ReleaseOut(Answer):
    """A proposal to lift a blacklisting."""

    id: int
    customer: int
    standing: str
    reason: str
    proposed_by: str
    status: str
    decided_by: str | None
    verbs: list[str]


class Reason(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


class NewName(Body):
    """Another name under which papers know the customer."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class Period(Body):
    """From one day to another; without `until` to today."""

    since: IsoDay
    until: IsoDay | None = None


class SeenOut(Answer):
    """Somebody saw the customer's data: `verb` view_file, view_sheet, unmask or export; `what` part, field or list."""

    at: datetime
    by: str
    verb: str
    what: str
    why: str
    line: int


class Unmasking(Reason):
    """Why, and which particular; left out, telephone and bank account as far as the caller may read them."""

    field: Literal["telephone", "bank_account", "id_number", "email", "address"] | None = None


class Unmasked(Answer):
    """In full what was asked for; null: not asked for, or not hers to read."""

    telephone: str | None = None
    bank_account: str | None = None
    id_number: str | None = None
    email: str | None = None
    address: str | None = None


# --- the register --------------------------------------------------------------------------------


@router.post("/customers", response={201: Registered})
def register(request: HttpRequest, new: NewCustomer) -> Any:
    """Register a customer. The answer lists who may be the same company; the same credit code twice is refused."""
    call = acting(request)
    given = _resolved(new.model_dump(exclude_unset=True), call)
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    found = registry.doubles(new.name, seen_by=seen_by)
    customer = registry.create(**given, **call)
    told = [
        {"id": d.customer.pk, "code": d.customer.code, "name": d.customer.name, "likeness": d.likeness} for d in found
    ]
    return Status(201, customer_row(customer, standing.GOOD) | {"doubles": told})


@router.get("/customers", response=Page[CustomerOut])
def list_customers(request: HttpRequest, asked: Query[CustomersAsked]) -> dict[str, Any]:
    """The customers the caller may see, the latest registered first."""
    call = acting(request)
    rows = sight.visible(Customer, call["by"], on=call["on"])
    if asked.q:
        rows = search.among(rows, asked.q)
    exact = {"code": asked.code, "uscc": asked.uscc, "industry": asked.industry, "department": asked.department}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if asked.salesperson:
        rows = rows.filter(salesperson__username=asked.salesperson)
    found = page(rows.select_related("salesperson").defer("search_keys"), asked)
    stand = standing.effective(found["items"], call["on"])
    return found | {"items": [customer_row(each, stand[each.pk]) for each in found["items"]]}


@router.get("/customers/{reference}", response=CustomerOut)
def get_customer(request: HttpRequest, response: HttpResponse, reference: str) -> dict[str, Any]:
    """One customer, by id or code."""
    customer = _seen(request, reference)
    response["ETag"] = f'"{customer.version}"'
    return _with_standing(request, customer)


@router.patch("/customers/{reference}", response=CustomerOut)
def change_customer(
    request: HttpRequest, response: HttpResponse, reference: str, changed: CustomerChange
) -> dict[str, Any]:
    """Write some fields. With If-Match only where nobody has written since that version."""
    call, customer = acting(request), _seen(request, reference)
    given = _resolved(changed.model_dump(exclude_unset=True), call)
    customer = registry.change(customer, version=seen_version(request), **given, **call)
    response["ETag"] = f'"{customer.version}"'
    return _with_standing(request, customer)


@router.post("/customers/{reference}/names", response=CustomerOut)
def add_name(request: HttpRequest, reference: str, new: NewName) -> dict[str, Any]:
    """Another name under which papers know the customer."""
    customer = _seen(request, reference)
    registry.add_name(customer, new.name, source="api", **acting(request))
    return _with_standing(request, customer)


@router.post("/customers/{reference}/unmask", response=Unmasked)
@done_anew
def unmask(request: HttpRequest, reference: str, asked: Unmasking) -> dict[str, str]:
    """A masked particular in full; that it was read, and why, stays in the trail. Never kept for a key."""
    fields = [asked.field] if asked.field else []
    return registry.unmask(_seen(request, reference), asked.reason, fields=fields, **acting(request))


@router.get("/customers/{reference}/who-saw", response=list[SeenOut])
def who_saw(request: HttpRequest, reference: str, asked: Query[Period]) -> list[Any]:
    """Who saw, unmasked or exported the customer's data between two days, both included; auditor and heads only."""
    call = acting(request)
    since, until = asked.since, asked.until or call["on"]
    return [vars(each) for each in disclosures.asked(_seen(request, reference), since, until, **call)]


# --- facts ---------------------------------------------------------------------------------------


@router.post("/customers/{reference}/facts", response={201: FactOut})
def add_fact(request: HttpRequest, reference: str, new: NewFact) -> Any:
    """Something learnt about the customer, with its source and day (default: today)."""
    call, customer = acting(request), _seen(request, reference)
    given = new.model_dump() | {"as_of": new.as_of or call["on"]}
    return Status(201, _fact(facts.add(customer, **given, **call)))


@router.get("/customers/{reference}/facts", response=Page[FactOut])
def list_facts(request: HttpRequest, reference: str, asked: Query[FactsAsked]) -> dict[str, Any]:
    """Everything ever learnt, the latest written first."""
    rows = Fact.objects.filter(customer=_seen(request, reference)).select_related("collected_by")
    found = page(rows.filter(key=asked.key) if asked.key else rows, asked)
    return found | {"items": [_fact(each) for each in found["items"]]}


# --- standing ------------------------------------------------------------------------------------


@router.post("/customers/{reference}/standing", response={200: StandingOut, 202: StandingOut})
def set_standing(request: HttpRequest, reference: str, new: NewStanding) -> Any:
    """Put the customer there. Off the blacklist the first call proposes (202), a second person's call confirms."""
    call, customer = acting(request), _seen(request, reference)
    done = standing.set_standing(customer, new.standing, why=new.reason, malicious=new.malicious, **call)
    waits = isinstance(done, StandingRelease) and done.status == standing.RELEASE.start
    return Status(202 if waits else 200, _standing(customer, call["on"]))


@router.get("/customers/{reference}/standing", response=StandingOut)
def get_standing(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Where the customer stands today by its own rows."""
    return _standing(_seen(request, reference), acting(request)["on"])


@router.get("/customers/{reference}/standings", response=Page[StandingRow])
def list_standings(request: HttpRequest, reference: str, paging: Query[Paging]) -> dict[str, Any]:
    """The history, the latest first."""
    rows = Standing.objects.filter(customer=_seen(request, reference)).select_related("by", "confirmed_by")
    found = page(rows, paging)
    return found | {"items": [_standing_row(each) for each in found["items"]]}


@router.get("/standing-releases", response=Page[ReleaseOut])
def list_releases(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The proposals to lift a blacklisting, the latest first."""
    call = acting(request)
    rows = sight.visible(StandingRelease, call["by"], on=call["on"]).select_related("proposed_by", "decided_by")
    found = page(rows, paging)
    return found | {"items": [_release(each, call) for each in found["items"]]}


@router.post("/standing-releases/{int:pk}/{verb}", response=ReleaseOut)
def decide_release(request: HttpRequest, pk: int, verb: str) -> dict[str, Any]:
    """`confirm` (a second person), `decline`, `withdraw` (the proposer)."""
    call = acting(request)
    release = sight.get_visible(StandingRelease, call["by"], pk, on=call["on"])
    return _release(standing.decide_release(release, verb, **call), call)


# --- rows of answers -----------------------------------------------------------------------------


def _seen(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])


def _resolved(given: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """User name and group head as the rows they name."""
    if given.get("salesperson"):
        given["salesperson"] = registry.seller(given["salesperson"])
        if given["salesperson"] is None:
            raise BadForm([("salesperson", registry.NO_SUCH_PERSON)])
    if given.get("group_head") is not None:
        try:
            given["group_head"] = registry.visible_customer(given["group_head"], by=call["by"], on=call["on"])
        except NotVisible:
            raise BadForm([("group_head", NotVisible.message)]) from None
    return given


_COMPUTED = {"salesperson", "group_head", "standing", *registry.MASKS}


def customer_row(customer: Customer, stand: str) -> dict[str, Any]:
    """The customer as it is told outside, with the standing given."""
    fields = {name: getattr(customer, name) for name in set(CustomerOut.model_fields) - _COMPUTED}
    return fields | registry.masked(customer) | {
        "salesperson": customer.salesperson.username if customer.salesperson else None,
        "group_head": customer.group_head_id,
        "standing": stand,
    }  # fmt: skip


def _with_standing(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return customer_row(customer, standing.effective([customer], acting(request)["on"])[customer.pk])


def _fact(fact: Fact) -> dict[str, Any]:
    value, until = facts.told(fact)
    return {
        "id": fact.pk,
        "customer": fact.customer_id,
        "key": fact.key,
        "value": value,
        "until": until,
        "source": fact.source,
        "as_of": fact.as_of,
        "subject": fact.subject,
        "particulars": fact.particulars,
        "queried_on": fact.queried_on,
        "note": fact.note,
        "collected_by": _name(fact.collected_by),
        "collected_at": fact.collected_at,
    }


def _standing(customer: Customer, on: date) -> dict[str, Any]:
    row = standing.rows_of([customer.pk], on).get(customer.pk)
    pending = customer.standing_releases.filter(status=standing.RELEASE.start).values_list("pk", flat=True).first()
    return {
        "customer": customer.pk,
        "standing": row.standing if row else standing.GOOD,
        "since": row.since if row else None,
        "reason": row.why if row else "",
        "by": _name(row.by) if row else None,
        "pending": pending,
    }


def _standing_row(row: Standing) -> dict[str, Any]:
    return {
        "standing": row.standing,
        "since": row.since,
        "reason": row.why,
        "by": _name(row.by),
        "confirmed_by": _name(row.confirmed_by),
        "at": row.at,
    }


def _release(release: StandingRelease, call: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": release.pk,
        "customer": release.customer_id,
        "standing": release.standing,
        "reason": release.why,
        "proposed_by": release.proposed_by.username,
        "status": release.status,
        "decided_by": _name(release.decided_by),
        "verbs": standing.verbs_for(release, call["by"], call["on"]),
    }


def _name(person: Person | None) -> str | None:
    return person.username if person else None
