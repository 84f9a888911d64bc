"""May this agent sign for the principal? The five elements of a power of attorney, its period and amount (B1.2).

民法典 art. 165: a power names the agent, the matter, the scope and the period, and bears the principal's signature or
seal. What is signed outside it binds the principal only if ratified (art. 171); so whoever asks is told every reason.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MATTERS = ("negotiate", "sign_contract", "place_order", "take_delivery", "confirm_debt", "receive_money")
"""What an agent can be empowered to do for the principal."""
ELEMENTS = ("agent", "matters", "scope", "period", "seal")
"""The five elements, in the law's order."""


@dataclass(frozen=True)
class Power:
    """A power of attorney. `amount_max` None: without bound. `until` None: the period is missing."""

    agent: str
    matters: frozenset[str]
    scope: str
    since: date | None
    until: date | None
    sealed: bool
    amount_max: Decimal | None = None
    currency: str = ""
    revoked_on: date | None = None
    principal_stands: str = "good"


@dataclass(frozen=True)
class Act:
    """What the agent is about to sign. `amount` None: nothing is promised in money."""

    matter: str
    on: date
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Reason:
    """Why the agent may not sign: a code, what the power says and what was asked."""

    code: str
    allowed: str = ""
    measured: str = ""


def missing(power: Power) -> tuple[str, ...]:
    """Which of the five elements the power lacks."""
    present = {
        "agent": bool(power.agent.strip()),
        "matters": bool(power.matters),
        "scope": bool(power.scope.strip()),
        "period": power.since is not None and power.until is not None,
        "seal": power.sealed,
    }
    return tuple(name for name in ELEMENTS if not present[name])


def may_sign(power: Power, act: Act) -> tuple[Reason, ...]:
    """Every reason why the agent may not sign this; none: he may. The amount itself passes, a cent more not."""
    return (
        *(Reason(f"lacks_{name}") for name in missing(power)),
        *_period(power, act.on),
        *_matter(power, act.matter),
        *_amount(power, act),
        *([Reason("principal_blacklisted")] if power.principal_stands == "blacklisted" else []),
    )


def _period(power: Power, on: date) -> list[Reason]:
    found = []
    if power.revoked_on is not None and on >= power.revoked_on:
        found.append(Reason("revoked", power.revoked_on.isoformat(), on.isoformat()))
    if power.since is not None and on < power.since:
        found.append(Reason("not_begun", power.since.isoformat(), on.isoformat()))
    if power.until is not None and on > power.until:
        found.append(Reason("expired", power.until.isoformat(), on.isoformat()))
    return found


def _matter(power: Power, matter: str) -> list[Reason]:
    return [] if matter in power.matters else [Reason("other_matter", ", ".join(sorted(power.matters)), matter)]


def _amount(power: Power, act: Act) -> list[Reason]:
    if act.amount is None or power.amount_max is None:
        return []
    told = (f"{power.amount_max} {power.currency}".strip(), f"{act.amount} {act.currency}".strip())
    if act.currency != power.currency:
        return [Reason("other_currency", *told)]
    return [Reason("beyond_amount", *told)] if act.amount > power.amount_max else []
