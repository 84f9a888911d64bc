"""The office over the API: who I am, people and their posts, tokens, policy editions, exchange rates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import AwareDatetime, Field

from shouxin.lib.api import Amount, Answer, Body, IsoDay, Page, Paging, page, told_once
from shouxin.rules.policy import Post

from . import audits, checkpoints, personal, policies, posts, rates, tokens, trail_sight
from .door import acting, seen_version
from .models import ApiToken, ExchangeRate, Person, PolicyVersion, TrailEntry
from .refusals import CannotDecide, NotVisible

router = Router(tags=["office"])


class PersonOut(Answer):
    """Somebody who signs in."""

    id: int
    username: str
    name: str
    department: str
    active: bool
    posts: list[Post]


class Me(PersonOut):
    """The caller, with the bounds of her authority: post -> amount, null where the policy's own bound holds."""

    authority: dict[Post, Amount | None]


class NewPerson(Body):
    """Somebody to be added."""

    username: Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[\w.@+-]+$")]
    name: Annotated[str, Field(max_length=80)] = ""
    department: Annotated[str, Field(max_length=80)] = ""
    telephone: Annotated[str, Field(max_length=40)] = ""
    email: Annotated[str, Field(max_length=254)] = ""


class NewAppointment(Body):
    """A post to be held from a day on (default: today)."""

    post: Post
    since: IsoDay | None = None
    amount_max: Amount | None = None


class EndAppointment(Body):
    """The post no longer held, from today."""

    post: Post


class TokenOut(Answer):
    """A token without its text."""

    id: int
    label: str
    scope: str
    created_at: datetime
    expires_at: datetime | None
    last_used_on: IsoDay | None
    revoked_at: datetime | None


class NewToken(Body):
    """A token of one's own."""

    label: Annotated[str, Field(max_length=80)] = ""
    scope: Annotated[str, Field(max_length=200, description="one or several, parted by blanks")] = "decide"
    expires_at: AwareDatetime | None = None


class TokenOnce(TokenOut):
    """A new token with its text, which is shown this once: null where the answer is given again."""

    token: str | None


class PolicyOut(Answer):
    """An edition of the policy."""

    number: int
    since: IsoDay
    why: str
    put_at: datetime


class PolicyText(PolicyOut):
    """An edition with its text, YAML."""

    text: str


class NewPolicy(Body):
    """A policy to be put in force from a day on."""

    text: Annotated[str, Field(max_length=500_000)]
    since: IsoDay
    why: Annotated[str, Field(min_length=1, max_length=500)]


class RateOut(Answer):
    """One unit of the currency in the company's currency, from a day on; the rate as text."""

    currency: str
    rate: str
    since: IsoDay
    source: str


class NewRate(Body):
    """A rate from a day on."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    rate: Annotated[str, Field(pattern=r"^[0-9]{1,10}(\.[0-9]{1,8})?$")]
    since: IsoDay
    source: Annotated[str, Field(min_length=1, max_length=120)]


@router.get("/me", response=Me)
def me(request: HttpRequest) -> dict[str, Any]:
    """Who I am and which posts I hold today."""
    call = acting(request)
    return _person(call["by"], call["on"]) | {"authority": dict(posts.authority_of(call["by"], call["on"]))}


@router.get("/people", response=Page[PersonOut])
def list_people(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Everybody who signs in, newest first. For who keeps the list, who audits it, and the credit manager."""
    call = acting(request)
    posts.require(call["by"], *posts.READERS, on=call["on"], verb="list_people")
    found = page(Person.objects.exclude(username=posts.SYSTEM), paging)
    held = posts.posts_of_many(found["items"], on=call["on"])
    return found | {"items": [_row(each, held[each.pk]) for each in found["items"]]}


@router.post("/people", response={201: PersonOut})
def add_person(request: HttpRequest, new: NewPerson) -> Any:
    """Add somebody. She holds no post yet and has no password; the command line sets one."""
    person = posts.add_person(**new.model_dump(), **acting(request))
    return Status(201, _row(person, frozenset()))


@router.post("/people/{int:pk}/appoint", response=PersonOut)
def appoint(request: HttpRequest, pk: int, new: NewAppointment) -> dict[str, Any]:
    """Give her a post from a day on. Nobody appoints herself."""
    call, person = acting(request), _known_person(request, pk)
    posts.appoint(person, new.post, since=new.since or call["on"], amount_max=new.amount_max, **call)
    return _person(person, call["on"])


@router.post("/people/{int:pk}/end-appointment", response=PersonOut)
def end_appointment(request: HttpRequest, pk: int, ended: EndAppointment) -> dict[str, Any]:
    """Take a post from her, from today."""
    call, person = acting(request), _known_person(request, pk)
    posts.end_appointment(person, ended.post, **call)
    return _person(person, call["on"])


@router.post("/people/{int:pk}/disable", response=PersonOut)
def disable(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Nothing of hers works from the next request on."""
    call, person = acting(request), _known_person(request, pk)
    posts.disable_person(person, **call)
    return _person(person, call["on"])


@router.get("/tokens", response=list[TokenOut])
def list_tokens(request: HttpRequest) -> list[ApiToken]:
    """My own tokens, newest first."""
    return list(ApiToken.objects.filter(person=acting(request)["by"]).order_by("-id")[:200])


@router.post("/tokens", response={201: TokenOnce})
@told_once("token")
def create_token(request: HttpRequest, new: NewToken) -> Any:
    """A token of my own; its text is in this answer and nowhere else, nor in the one a repeated key is given."""
    call = acting(request)
    token, text = tokens.create(call["by"], by=call["by"], at=call["at"], **new.model_dump())
    return Status(201, TokenOut.model_validate(token, from_attributes=True).model_dump() | {"token": text})


@router.post("/tokens/{int:pk}/revoke", response=TokenOut)
def revoke_token(request: HttpRequest, pk: int) -> ApiToken:
    """The token works no longer: my own, or anybody's for the security manager."""
    call = acting(request)
    token = ApiToken.objects.select_related("person").filter(pk=pk).first()
    if token is None or (token.person != call["by"] and not posts.is_guardian(call["by"], on=call["on"])):
        raise NotVisible
    tokens.revoke(token, **call)
    token.refresh_from_db()
    return token


@router.get("/policies", response=Page[PolicyOut])
def list_policies(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The editions of the policy, the newest first."""
    return page(PolicyVersion.objects.defer("text"), paging, ("-number",))


@router.get("/policies/{int:number}", response=PolicyText)
def get_policy(request: HttpRequest, number: int) -> PolicyVersion:
    """One edition with its text."""
    found = PolicyVersion.objects.filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise NotVisible
    return found


@router.post("/policies", response={201: PolicyText})
def put_policy(request: HttpRequest, new: NewPolicy) -> Any:
    """Put an edition in force from a day, today at the earliest. If-Match binds it to the latest edition seen."""
    seen = seen_version(request)
    edition = policies.put(new.text, since=new.since, why=new.why, seen=seen, **acting(request))
    return Status(201, PolicyVersion.objects.get(number=edition.number))


@router.get("/exchange-rates", response=Page[RateOut])
def list_rates(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """The rates, the newest first."""
    found = page(ExchangeRate.objects.all(), paging)
    return found | {"items": [_rate(row) for row in found["items"]]}


@router.post("/exchange-rates", response={201: RateOut})
def put_rate(request: HttpRequest, new: NewRate) -> Any:
    """A rate from a day on. For finance and the credit office."""
    row = rates.put(new.currency, Decimal(new.rate), since=new.since, source=new.source, **acting(request))
    return Status(201, _rate(row))


class TrailOut(Answer):
    """One line of the audit trail: who did what to what, when."""

    id: int
    at: datetime
    by: str
    verb: str
    about: str
    label: str
    customer: int | None
    particulars: dict[str, Any]


class TrailWanted(Paging):
    """Which lines: about a thing (`kind:id`, such as hold:12), of a customer (its id), of a verb, of a person."""

    about: Annotated[str, Field(max_length=60)] = ""
    customer: int | None = None
    verb: Annotated[str, Field(max_length=60)] = ""
    by: Annotated[str, Field(max_length=150)] = ""


class PersonalField(Answer):
    """A personal field: what for, on which ground, how long, how guarded."""

    field: str
    what: str
    purpose: str
    basis: str
    retention: str
    sensitive: bool
    masked: str
    encrypted: bool
    natural_persons_only: bool


class PersonalFields(Answer):
    """The whole catalogue."""

    items: list[PersonalField]


@router.get("/personal-data", response=PersonalFields)
def list_personal_data(request: HttpRequest) -> dict[str, Any]:
    """Every personal field the product keeps, in the caller's language (PIPL art. 17)."""
    return {"items": list(personal.catalogue())}


@router.get("/trail", response=Page[TrailOut])
def list_trail(request: HttpRequest, query: Query[TrailWanted]) -> dict[str, Any]:
    """The lines the caller may see, the latest first."""
    call = acting(request)
    asked = {"about": query.about, "customer_id": query.customer, "verb": query.verb, "by__username": query.by}
    rows = trail_sight.seen_by(call["by"], on=call["on"])
    found = page(rows.filter(**{name: value for name, value in asked.items() if value}), query)
    return {**found, "items": [_line(row) for row in found["items"]]}


class PlaceOut(Answer):
    """Where one strand of the chain ends."""

    strand: int
    seq: int
    hash: str


class FindingOut(Answer):
    """One thing that is wrong with the chain, and where."""

    code: str
    strand: int | None
    seq: int | None
    entry: int | None
    message: str


class VerdictOut(Answer):
    """What a verification found: `whole` where nothing is wrong; `wrong` counts, `findings` has the first hundred."""

    whole: bool
    entries: int
    head: str
    strands: list[PlaceOut]
    checkpoints: int
    wrong: int
    findings: list[FindingOut]


@router.get("/trail/verify", response=VerdictOut)
def verify_trail(request: HttpRequest) -> dict[str, Any]:
    """Recompute the whole chain and compare it with the checkpoints kept outside the database: the auditor's duty."""
    call = acting(request)
    posts.require(call["by"], Post.AUDITOR, on=call["on"], about=audits.ABOUT, verb="trail.verify", at=call["at"])
    try:
        return audits.as_row(audits.verify(by=call["by"], at=call["at"]))
    except checkpoints.Unreadable as error:
        raise CannotDecide(str(error), code="checkpoint_unreadable") from error


def _line(row: TrailEntry) -> dict[str, Any]:
    names = ("at", "verb", "about", "label", "particulars")
    return {
        "id": row.pk,
        "by": row.by_name,
        "customer": row.customer_id,
        **{name: getattr(row, name) for name in names},
    }


def _known_person(request: HttpRequest, pk: int) -> Person:
    """The person to act upon; whether there is one is told only to those who may act."""
    call = acting(request)
    posts.require_guardian(call["by"], on=call["on"], about=f"person:{pk}", verb="change_person", at=call["at"])
    person = Person.objects.exclude(username=posts.SYSTEM).filter(pk=pk).first() if pk < 2**63 else None
    if person is None:
        raise NotVisible
    return person


def _person(person: Person, on: date) -> dict[str, Any]:
    return _row(person, posts.posts_of(person, on=on))


def _row(person: Person, held: frozenset[Post]) -> dict[str, Any]:
    return {
        "id": person.pk,
        "username": person.username,
        "name": person.name,
        "department": person.department,
        "active": person.is_active,
        "posts": sorted(held),
    }


def _rate(row: ExchangeRate) -> dict[str, Any]:
    return {
        "currency": row.currency,
        "rate": format(row.rate.normalize(), "f"),
        "since": row.since,
        "source": row.source,
    }
