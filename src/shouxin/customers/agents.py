"""Agents of customers and their powers of attorney (B1.2): who may sign what for whom, up to when and how much."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import moves, posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules import agency, ids
from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import standing
from .models import Agent, Customer

RECORDERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
FLOW: Flow = flow("agent", "recorded", [step("revoke_power", "recorded", "revoked", *RECORDERS)])


@dataclass(frozen=True)
class NewAgent:
    """A power of attorney as it lies on the desk. What it lacks is recorded as lacking, and the agent signs nothing."""

    name: str
    matters: tuple[str, ...]
    id_number: str = ""
    telephone: str = ""
    scope: str = ""
    since: date | None = None
    until: date | None = None
    amount_max: Decimal | None = None
    currency: str = ""
    sealed: bool = False
    original_seen: bool = False
    evidence: str = ""


def record(customer: Customer, new: NewAgent, *, by: Person, on: date, at: datetime) -> Agent:
    """Take a power of attorney into the file. Raises NotYourDuty, and BadForm for what no power can say."""
    posts.require(by, *RECORDERS, on=on, about=customer, verb="record_agent", at=at)
    if errors := list(_faults(new)):
        raise BadForm(errors)
    fields = {**new.__dict__, "name": " ".join(new.name.split()), "matters": sorted(set(new.matters)),
              "id_number": ids.normalise(new.id_number),
              "currency": (new.currency or customer.currency) if new.amount_max is not None else ""}  # fmt: skip
    made = Agent(customer=customer, recorded_by=by, recorded_at=at, **fields)
    with transaction.atomic():
        made.save(force_insert=True)
        told = {"name": made.name, "matters": made.matters, "since": made.since, "until": made.until,
                "amount": made.amount_max, "currency": made.currency}  # fmt: skip
        trail.record("record_agent", about=made, by=by, at=at, lacks=list(agency.missing(power_of(made))), **told)
    return made


def revoke(agent: Agent, *, why: str, by: Person, on: date, at: datetime) -> Agent:
    """The principal has taken the power back; from today the agent signs nothing."""
    if not why.strip():
        raise BadForm([("reason", _("Say who revoked the power, and how we know."))])
    changes = {"revoked_on": on, "revoked_why": fitting(why, 300)}
    return moves.move(agent, FLOW, "revoke_power", by=by, on=on, at=at, **changes)


def reasons(agent: Agent, act: agency.Act, *, on: date) -> tuple[agency.Reason, ...]:
    """Every reason why the agent may not sign this; none: he may. The principal's standing counts as of today."""
    stands = standing.effective([agent.customer], on)[agent.customer_id]
    return agency.may_sign(power_of(agent, stands), act)


def require(agent: Agent, customer: Customer, act: agency.Act, *, on: date) -> None:
    """Refuse what the agent signs outside the power (B1.2). Raises Moved naming every reason."""
    found = [] if agent.customer_id == customer.pk else [agency.Reason("other_principal")]
    found += reasons(agent, act, on=on)
    if found:
        raise Moved(
            _("The agent may not sign this: %(reasons)s"), code="agent_not_authorised",
            reasons=Listed(found),
            cure=_("Ask the customer for a power of attorney that covers it, or for its own signature."),
        )  # fmt: skip


class Listed(list):  # type: ignore[type-arg]
    """Reasons that print in the language of whoever reads the refusal."""

    def __str__(self) -> str:
        return "; ".join(told(each) for each in self)


def power_of(agent: Agent, principal_stands: str = standing.GOOD) -> agency.Power:
    """The power as the rule reads it. An original nobody has seen is no seal."""
    return agency.Power(
        agent=agent.name, matters=frozenset(agent.matters), scope=agent.scope, since=agent.since, until=agent.until,
        sealed=agent.sealed and agent.original_seen, amount_max=agent.amount_max, currency=agent.currency,
        revoked_on=agent.revoked_on, principal_stands=principal_stands,
    )  # fmt: skip


def state_of(agent: Agent, *, on: date, warning_days: int) -> str:
    """revoked, expired, incomplete, not_begun, expiring or valid on the day."""
    if agent.status == "revoked":
        return "revoked"
    if agent.until is not None and agent.until < on:
        return "expired"
    if agency.missing(power_of(agent)):
        return "incomplete"
    if agent.since is not None and agent.since > on:
        return "not_begun"
    return "expiring" if agent.until is not None and agent.until <= on + timedelta(days=warning_days) else "valid"


def of(customer: Customer) -> list[Agent]:
    """Everybody who ever signed for the customer, the latest power first."""
    return list(customer.agents.select_related("recorded_by").order_by("-pk"))


def expiring(agents: models.QuerySet[Agent], *, on: date, days: int) -> models.QuerySet[Agent]:
    """Of these the powers that end within the days, or have ended in as many."""
    window = (on - timedelta(days=days), on + timedelta(days=days))
    return agents.filter(status="recorded", until__range=window).order_by("until", "pk")


def masked(agent: Agent) -> dict[str, str]:
    """Identity number and telephone as they are shown: nobody reads them in full here (PIPL art. 51)."""
    return {
        "id_number": ids.mask_citizen_number(agent.id_number) if agent.id_number else "",
        "telephone": ids.mask_phone(agent.telephone) if agent.telephone else "",
    }


def may_revoke(agent: Agent, by: Person, on: date) -> bool:
    """Whether this person may record that the power was taken back now."""
    return bool(moves.verbs_for(agent, FLOW, by, on))


def told(reason: agency.Reason) -> str:
    """A reason in words."""
    return str(WORDS[reason.code]) % {"allowed": reason.allowed, "measured": reason.measured}


WORDS: dict[str, Any] = {
    "lacks_agent": _("the power names no agent"),
    "lacks_matters": _("the power names no matter"),
    "lacks_scope": _("the power does not say its scope"),
    "lacks_period": _("the power has no period"),
    "lacks_seal": _("the principal's signature or seal was not seen on the original"),
    "revoked": _("the power was revoked on %(allowed)s"),
    "not_begun": _("the power begins only on %(allowed)s"),
    "expired": _("the power ended on %(allowed)s"),
    "other_matter": _("the power does not cover this matter"),
    "other_currency": _("the power is in another currency: %(allowed)s, asked for: %(measured)s"),
    "beyond_amount": _("the power goes up to %(allowed)s, asked for: %(measured)s"),
    "principal_blacklisted": _("the principal is on the blacklist"),
    "other_principal": _("the agent acts for another customer"),
}


def _faults(new: NewAgent) -> Iterable[tuple[str, Any]]:
    if not 0 < len(new.name.strip()) <= 80:
        yield "name", _("must have 1 to 80 characters")
    if unknown := set(new.matters) - set(agency.MATTERS):
        yield "matters", _("%(what)s: there is no such matter") % {"what": ", ".join(sorted(unknown))}
    if new.id_number and not ids.check_citizen_number(ids.normalise(new.id_number)).ok:
        yield "id_number", _("is not an identity number: 18 characters, the last a check character")
    if new.since and new.until and new.until < new.since:
        yield "until", _("The power ends before it begins.")
    if new.amount_max is not None and new.amount_max <= 0:
        yield "amount_max", _("must be above zero; leave it empty for a power without bound")
    if new.currency and new.currency not in CURRENCIES:
        yield "currency", _("This currency is not known; use its three letters, such as USD.")
