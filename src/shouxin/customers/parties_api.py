"""Related parties over the API: ties of groups, persons behind customers, agents, the blacklist's cases."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import Field

from shouxin.lib import documents, sheets
from shouxin.lib.api import Amount, Answer, Body, IsoDay, Page, Paging, Reference, done_anew, page
from shouxin.office import policies, sight
from shouxin.office.attachments_api import AttachmentOut, shown
from shouxin.office.door import acting, seen_version
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules import agency
from shouxin.rules.currencies import CURRENCIES

from . import agents, blacklist, blacklist_letters, evidence, groups, persons, registry
from .models import Agent, BlacklistCase, Customer, PersonTie

router = Router(tags=["related parties"])
Text = Annotated[str, Field(max_length=1000)]
Short = Annotated[str, Field(max_length=300)]
Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)]


class NewTie(Body):
    """Beneath whom the customer hangs; `parent` null: beneath nobody. `percent`: the parent's share of its capital."""

    parent: Reference | None
    kind: Literal["subsidiary", "branch", "controlled", "affiliate"] = "controlled"
    percent: Percent | None = None
    since: IsoDay | None = None
    reason: Short = ""


class TieOut(Answer):
    """A tie of the customer's history."""

    parent: int | None
    kind: str
    percent: Decimal | None
    since: IsoDay
    reason: str
    by: str | None


class NewPartyPerson(Body):
    """Somebody behind the customer; without an identity number `note` says how he was identified."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    role: Literal["legal_representative", "controller", "shareholder", "director", "partner"]
    id_number: Annotated[str, Field(max_length=18)] = ""
    note: Short = ""
    percent: Percent | None = None
    since: IsoDay | None = None


class PartyPersonOut(Answer):
    """Somebody behind the customer, the identity number masked. `listed`: the blacklist names him."""

    id: int
    customer: int
    person: int
    name: str
    id_number: str
    role: str
    percent: Decimal | None
    since: IsoDay
    until: IsoDay | None
    listed: bool


class ElsewhereOut(Answer):
    """Another customer with the same person behind it. `sure` false: only the name is the same."""

    customer: int
    code: str
    name: str
    person: str
    role: str
    standing: str
    sure: bool


class PersonsOut(Answer):
    """Who stands behind the customer, and where else."""

    items: list[PartyPersonOut]
    elsewhere: list[ElsewhereOut]


class NewAgent(Body):
    """A power of attorney (B1.2). What it lacks of the five elements is kept as lacking."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    matters: list[str] = []
    id_number: Annotated[str, Field(max_length=18)] = ""
    telephone: Annotated[str, Field(max_length=40)] = ""
    scope: Short = ""
    since: IsoDay | None = None
    until: IsoDay | None = None
    amount_max: Amount | None = None
    currency: Annotated[str, Field(max_length=3)] = ""
    sealed: bool = False
    original_seen: bool = False
    evidence: Short = ""


class AgentOut(Answer):
    """An agent with the power, identity number and telephone masked. `lacks`: missing elements."""

    id: int
    customer: int
    name: str
    id_number: str
    telephone: str
    matters: list[str]
    scope: str
    since: IsoDay | None
    until: IsoDay | None
    amount_max: Amount | None
    currency: str
    sealed: bool
    original_seen: bool
    evidence: str
    state: str
    lacks: list[str]
    verbs: list[str]


class Signing(Body):
    """What the agent is about to sign."""

    matter: Literal["negotiate", "sign_contract", "place_order", "take_delivery", "confirm_debt", "receive_money"]
    amount: Amount | None = None
    currency: Annotated[str, Field(max_length=3)] = ""
    on: IsoDay | None = None


class SigningReason(Answer):
    """Why the agent may not sign."""

    code: str
    message: str
    allowed: str
    measured: str


class SigningOut(Answer):
    """Whether the agent may sign this, and every reason why not."""

    may: bool
    reasons: list[SigningReason]


class Why(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


class NamedPerson(Body):
    """A person to be listed with the customer."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    id_number: Annotated[str, Field(max_length=18)] = ""
    role: Literal["legal_representative", "controller", "shareholder", "director", "partner"] = "controller"


class NewCase(Body):
    """A proposal to blacklist: ground (a code of the policy), what happened, evidence, whom it is to bind."""

    ground: str
    why: Text
    evidence: Text
    whole_group: bool = False
    persons: list[NamedPerson] = []


class CaseStep(Body):
    """A step of the case. `standing` and `conditions`: for `allow` and `readmit`; `months`: for `extend`."""

    reason: Annotated[str, Field(max_length=2000)] = ""
    standing: str = "watched"
    conditions: Text = ""
    months: int = 12


class CaseOut(Answer):
    """A case with what the caller may do now; `version` goes into If-Match of a step."""

    id: int
    customer: int
    status: str
    version: int
    ground: str
    why: str
    evidence: str
    whole_group: bool
    persons: list[str]
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    listed_on: IsoDay | None
    objection_until: IsoDay | None
    review_on: IsoDay | None
    appeal: str
    appealed_on: IsoDay | None
    appeal_decided_by: str | None
    appeal_reason: str
    decision_reason: str
    release: int | None
    verbs: list[str]


class CasesAsked(Paging):
    """Which cases: of one status, or all."""

    status: Annotated[str, Field(max_length=10)] = ""


# --- groups and persons --------------------------------------------------------------------------


@router.post("/customers/{reference}/ties", response={201: TieOut})
def add_tie(request: HttpRequest, reference: str, new: NewTie) -> Any:
    """Hang the customer beneath a parent, or beneath nobody. A ring is refused."""
    call, customer = acting(request), _seen(request, reference)
    parent = _parent(new.parent, call)
    given = groups.NewTie(parent, new.kind, new.percent, new.reason, new.since)
    groups.tie(customer, given, **call)
    return Status(201, _tie(groups.history(customer)[0]))


@router.get("/customers/{reference}/ties", response=list[TieOut])
def list_ties(request: HttpRequest, reference: str) -> list[Any]:
    """Every tie the customer ever had, the latest first."""
    return [_tie(each) for each in groups.history(_seen(request, reference))]


@router.post("/customers/{reference}/persons", response={201: PartyPersonOut})
def add_person_tie(request: HttpRequest, reference: str, new: NewPartyPerson) -> Any:
    """Somebody stands behind the customer; whoever has the same identity number is the same person."""
    call, customer = acting(request), _seen(request, reference)
    row = persons.add(customer, **new.model_dump(), **call)
    return Status(201, _person(row, row.person_id in persons.listed([row.person_id])))


@router.get("/customers/{reference}/persons", response=PersonsOut)
def list_persons(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Who stands behind the customer, and at which other customers the caller sees."""
    call, customer = acting(request), _seen(request, reference)
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    behind = persons.behind(customer)
    found = persons.elsewhere(customer, behind, seen_by=seen_by, on=call["on"])
    return {
        "items": [_person(row, row.listed) for row in behind],
        "elsewhere": [
            {"customer": each.customer.pk, "code": each.customer.code, "name": each.customer.name,
             "person": each.person, "role": each.role, "standing": each.standing, "sure": each.sure}
            for each in found
        ],
    }  # fmt: skip


@router.post("/person-ties/{int:pk}/end", response=PartyPersonOut)
def end_person_tie(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The person stands behind the customer no longer; a listed person's tie holds until the listing is lifted."""
    call = acting(request)
    row = persons.end(sight.get_visible(PersonTie, call["by"], pk, on=call["on"]), **call)
    return _person(row, listed=False)


# --- agents --------------------------------------------------------------------------------------


@router.post("/customers/{reference}/agents", response={201: AgentOut})
def record_agent(request: HttpRequest, reference: str, new: NewAgent) -> Any:
    """Take a power of attorney into the file."""
    call, customer = acting(request), _seen(request, reference)
    given = new.model_dump() | {"matters": tuple(new.matters)}
    return Status(201, _agent(agents.record(customer, agents.NewAgent(**given), **call), call))


@router.get("/customers/{reference}/agents", response=list[AgentOut])
def list_agents(request: HttpRequest, reference: str) -> list[Any]:
    """Everybody who ever signed for the customer, the latest power first."""
    call = acting(request)
    return [_agent(each, call) for each in agents.of(_seen(request, reference))]


@router.post("/agents/{int:pk}/check", response=SigningOut)
@done_anew
def check_agent(request: HttpRequest, pk: int, asked: Signing) -> dict[str, Any]:
    """May this agent sign this for the customer, on this day (default: today)? Every reason why not."""
    call = acting(request)
    agent = _agent_seen(pk, call)
    _refuse_senseless(asked)
    act = agency.Act(asked.matter, asked.on or call["on"], asked.amount, asked.currency or agent.customer.currency)
    found = agents.reasons(agent, act, on=call["on"])
    told = [{"message": agents.told(each), **each.__dict__} for each in found]
    return {"may": not found, "reasons": told}


def _refuse_senseless(asked: Signing) -> None:
    wrong = []
    if asked.amount is not None and asked.amount < 0:
        wrong.append(("amount", _("cannot be negative")))
    if asked.currency and asked.currency not in CURRENCIES:
        wrong.append(("currency", _("This currency is not known.")))
    if wrong:
        raise BadForm(wrong)


@router.post("/agents/{int:pk}/revoke", response=AgentOut)
def revoke_agent(request: HttpRequest, pk: int, asked: Why) -> dict[str, Any]:
    """The principal has taken the power back."""
    call = acting(request)
    return _agent(agents.revoke(_agent_seen(pk, call), why=asked.reason, **call), call)


@router.post("/agents/{int:pk}/attachments", response={201: AttachmentOut})
def keep_agent_paper(
    request: HttpRequest, pk: int, file: File[UploadedFile], note: Annotated[str, Form(max_length=200)] = ""
) -> Any:
    """Keep the power itself, or another paper, with the agent; the same file twice is kept once."""
    call = acting(request)
    return Status(201, shown([evidence.keep_with(_agent_seen(pk, call), file, note=note, **call)], request)[0])


# --- the blacklist -------------------------------------------------------------------------------


@router.post("/customers/{reference}/blacklist-cases", response={201: CaseOut})
def propose_blacklisting(request: HttpRequest, reference: str, new: NewCase) -> Any:
    """Propose to blacklist the customer, its whole group, or persons behind it; another person signs."""
    call, customer = acting(request), _seen(request, reference)
    named = tuple(blacklist.Named(each.name, each.id_number, each.role) for each in new.persons)
    asked = blacklist.Proposal(new.ground, new.why, new.evidence, new.whole_group, named)
    case = blacklist.propose(customer, asked, edition=policies.in_force(call["on"]), **call)
    return Status(201, _case(case, call))


@router.get("/blacklist-cases", response=Page[CaseOut])
def list_cases(request: HttpRequest, asked: Query[CasesAsked]) -> dict[str, Any]:
    """The cases of customers the caller may see, the latest first."""
    call = acting(request)
    rows = sight.visible(BlacklistCase, call["by"], on=call["on"])
    rows = rows.filter(status=asked.status) if asked.status else rows
    found = page(rows.select_related("customer", "proposed_by", "approved_by", "appeal_decided_by"), asked)
    return found | {"items": [_case(each, call) for each in found["items"]]}


@router.get("/blacklist-cases/{int:pk}", response=CaseOut)
def get_case(request: HttpRequest, response: HttpResponse, pk: int) -> dict[str, Any]:
    """One case."""
    call = acting(request)
    case = _case_seen(pk, call)
    response["ETag"] = f'"{case.version}"'
    return _case(case, call)


@router.get("/blacklist-cases/{int:pk}/letter.{ending}")
def case_letter(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The latest letter of the case as PDF or Word, as it was written."""
    return letter_file(_case_seen(pk, acting(request)), ending)


@router.post("/blacklist-cases/{int:pk}/attachments", response={201: AttachmentOut})
def keep_case_paper(
    request: HttpRequest, pk: int, file: File[UploadedFile], note: Annotated[str, Form(max_length=200)] = ""
) -> Any:
    """Keep a judgment, a letter, a photo with the case; the same file twice is kept once."""
    call = acting(request)
    return Status(201, shown([evidence.keep_with(_case_seen(pk, call), file, note=note, **call)], request)[0])


@router.post("/blacklist-cases/{int:pk}/{verb}", response=CaseOut)
def act_on_case(request: HttpRequest, response: HttpResponse, pk: int, verb: str, asked: CaseStep) -> dict[str, Any]:
    """`stop`, `approve`, `decline`, `withdraw`, `appeal`, `uphold`, `allow`, `extend`, `readmit`.

    `allow` and `readmit` leave a proposal to lift the listing (`release`), which a second person confirms.
    """
    call = acting(request)
    case = _case_seen(pk, call)
    given = {"reason": asked.reason, "kind": asked.standing, "conditions": asked.conditions, "months": asked.months}
    version = seen_version(request)
    done = act(case, verb, given, version=case.version if version is None else version, call=call)
    response["ETag"] = f'"{done.version}"'
    return _case(done, call)


def act(case: BlacklistCase, verb: str, given: dict[str, Any], *, version: int, call: dict[str, Any]) -> BlacklistCase:
    """The step of the case, for the faces. Raises NotVisible for a verb that is not theirs."""
    told = {"version": version, "reason": given.get("reason", ""), **call}
    edition = policies.in_force(call["on"])
    match verb:
        case "stop":
            return blacklist.stop(case, **told)
        case "approve":
            return blacklist.approve(case, edition=edition, **told)
        case "decline" | "withdraw":
            return blacklist.close(case, verb, **told)
        case "appeal":
            return blacklist.appeal(case, **told)
        case "uphold":
            return blacklist.uphold(case, edition=edition, **told)
        case "allow" | "readmit":
            return blacklist.leave(case, verb, kind=given["kind"], conditions=given["conditions"], **told)
        case "extend":
            return blacklist.extend(case, months=given["months"], **told)
    raise NotVisible


def letter_file(case: BlacklistCase, ending: str) -> HttpResponse:
    """The latest letter of the case in this form. Raises NotVisible where none was written."""
    letters = blacklist_letters.sent(case)
    if ending not in documents.FACES or not letters or letters[0].paper is None:
        raise NotVisible
    content, media = documents.FACES[ending]
    return sheets.attachment([content(letters[0].paper)], f"{letters[0].paper_name}.{ending}", media)


# --- rows of answers -----------------------------------------------------------------------------


def _seen(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])


def _parent(reference: int | str | None, call: dict[str, Any]) -> Customer | None:
    if reference is None:
        return None
    try:
        return registry.visible_customer(reference, by=call["by"], on=call["on"])
    except NotVisible:
        raise BadForm([("parent", NotVisible.message)]) from None


def _agent_seen(pk: int, call: dict[str, Any]) -> Agent:
    return sight.get_visible(Agent.objects.select_related("customer"), call["by"], pk, on=call["on"])


def _case_seen(pk: int, call: dict[str, Any]) -> BlacklistCase:
    return sight.get_visible(BlacklistCase.objects.select_related("customer"), call["by"], pk, on=call["on"])


def _tie(row: Any) -> dict[str, Any]:
    return {"parent": row.parent_id, "kind": row.kind, "percent": row.percent, "since": row.since, "reason": row.why,
            "by": row.by.username if row.by else None}  # fmt: skip


def _person(row: PersonTie, listed: bool) -> dict[str, Any]:
    return {"id": row.pk, "customer": row.customer_id, "person": row.person_id, "name": row.person.name,
            "id_number": persons.masked(row.person), "role": row.role, "percent": row.percent, "since": row.since,
            "until": row.until, "listed": listed}  # fmt: skip


def _agent(row: Agent, call: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "name", "matters", "scope", "since", "until", "amount_max", "currency", "sealed", "original_seen",
             "evidence")  # fmt: skip
    days = policies.in_force(call["on"]).policy.parties.agent_warning_days
    return {name: getattr(row, name) for name in names} | agents.masked(row) | {
        "customer": row.customer_id,
        "state": agents.state_of(row, on=call["on"], warning_days=days),
        "lacks": list(agency.missing(agents.power_of(row))),
        "verbs": ["revoke"] if agents.may_revoke(row, call["by"], call["on"]) else [],
    }  # fmt: skip


def _case(case: BlacklistCase, call: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "status", "version", "ground", "why", "evidence", "whole_group", "proposed_at", "listed_on",
             "objection_until", "review_on", "appeal", "appealed_on", "appeal_reason", "decision_reason")  # fmt: skip
    open_release = case.releases.filter(status="proposed").values_list("pk", flat=True).first()
    return {name: getattr(case, name) for name in names} | {
        "customer": case.customer_id,
        "persons": list(case.persons.order_by("pk").values_list("name", flat=True)),
        "proposed_by": case.proposed_by.username,
        "approved_by": case.approved_by.username if case.approved_by else None,
        "appeal_decided_by": case.appeal_decided_by.username if case.appeal_decided_by else None,
        "release": open_release,
        "verbs": blacklist.verbs_for(case, call["by"], call["on"]),
    }
