"""The verbs of an application by name, for every face: what each reads, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.credit import applications, decisions, opinions
from shouxin.credit.decisions import Grant
from shouxin.credit.models import Application
from shouxin.office import posts
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, NotVisible
from shouxin.rules.application import FLOW

from . import assessing


@dataclass(frozen=True)
class Said:
    """What somebody says with a verb; which fields a verb reads stands in READS."""

    reason: str = ""
    verdict: str = "agree"
    to: str = ""
    findings: Mapping[str, Any] = field(default_factory=dict)
    limit: Decimal | None = None
    term_days: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    discount_percent: Decimal | None = None
    discount_days: int | None = None
    conditions: str = ""
    category: str = "other"
    said: str = ""
    tell_customer: bool = False


READS: Mapping[str, frozenset[str]] = {
    "submit": frozenset({"reason"}),
    "accept": frozenset({"reason"}),
    "investigate": frozenset({"reason", "findings"}),
    "assess": frozenset({"reason"}),
    "confirm_grade": frozenset({"reason"}),
    "opine": frozenset({"reason", "verdict"}),
    "delegate": frozenset({"reason", "to"}),
    "countersign": frozenset({"reason", "to"}),
    "approve": frozenset({"reason", "limit", "term_days", "effective_from", "effective_to", "discount_percent",
                          "discount_days", "conditions"}),
    "decline": frozenset({"reason", "category", "said"}),
    "return": frozenset({"reason", "tell_customer"}),
    "withdraw": frozenset({"reason"}),
}  # fmt: skip
"""Verb -> the fields it reads; any other is refused, never dropped."""


def act(application: Application, verb: str, said: Said, *, given: Any = (), **call: Any) -> None:
    """Do the verb. `given`: the names of the fields somebody filled in; `call`: version, edition, by, today, at.

    Raises what `require` raises, BadForm for a field the verb does not read, and what the verb raises.
    """
    require(application, verb, by=call["by"], today=call["today"], at=call["at"])
    if unread := sorted(set(given) - READS[verb]):
        raise BadForm([(name, _("This step does not read it.")) for name in unread])
    _ACTS[verb](application, said, call)


def require(application: Application, verb: str, *, by: Person, today: date, at: datetime) -> None:
    """Raise NotVisible for no verb, NotYourDuty for whoever's duty it never is: before anything is read or said."""
    if verb not in READS:
        raise NotVisible(_("There is no such step as “%(verb)s”."), code="no_such_verb", verb=verb)
    duty = {post for step in FLOW.steps if step.verb == verb for post in step.duty}
    posts.require(by, *duty, on=today, about=application, verb=verb, at=at)


def _without_edition(call: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "edition"}


def _submit(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    applications.submit(application, reason=said.reason, **call)


def _accept(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    applications.accept(application, reason=said.reason, **call)


def _investigate(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    """A bare reason is the conclusion."""
    findings = {"conclusion": said.reason} | dict(said.findings)
    applications.investigate(application, findings, **_without_edition(call))


def _assess(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    assessing.assess(application, **call)


def _confirm_grade(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    applications.confirm_grade(application, reason=said.reason, **_without_edition(call))


def _opine(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    opinions.opine(application, verdict=said.verdict, text=said.reason, **call)


def _delegate(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    opinions.delegate(application, _person(said.to), reason=said.reason, **call)


def _countersign(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    opinions.countersign(application, _person(said.to), reason=said.reason, **call)


def _approve(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    grant = Grant(said.limit, said.term_days, said.effective_from, said.effective_to, said.discount_percent,
                  said.discount_days, said.conditions)  # fmt: skip
    decisions.approve(application, grant, reason=said.reason, **call)


def _decline(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    decisions.decline(application, category=said.category, reason=said.reason, said=said.said, **call)


def _return(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    decisions.send_back(application, reason=said.reason, tell_customer=said.tell_customer, **call)


def _withdraw(application: Application, said: Said, call: Mapping[str, Any]) -> None:
    applications.withdraw(application, reason=said.reason, **_without_edition(call))


def _person(username: str) -> Person:
    found = Person.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise BadForm([("to", _("Nobody signs in with this name."))])
    return found


_ACTS: Mapping[str, Callable[[Application, Said, Mapping[str, Any]], None]] = {
    "submit": _submit,
    "accept": _accept,
    "investigate": _investigate,
    "assess": _assess,
    "confirm_grade": _confirm_grade,
    "opine": _opine,
    "delegate": _delegate,
    "countersign": _countersign,
    "approve": _approve,
    "decline": _decline,
    "return": _return,
    "withdraw": _withdraw,
}
