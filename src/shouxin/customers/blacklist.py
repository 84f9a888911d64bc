"""The blacklist with due process (B2.5, B3.1): ground and evidence, another's signature, notice, appeal, way back.

A case that bites puts a `Standing` on the customer (and on the head of its group, where the whole group is meant) and
names persons; what that means at every check point is `standing.bites`. Only two people end it (I-20): whoever allows
an appeal or proposes re-admission leaves a `StandingRelease` for a second person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.office import moves, posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, fitting
from shouxin.rules import blacklist as rules
from shouxin.rules.days import add_months

from . import blacklist_letters, persons, standing
from .models import BlacklistCase, Customer, PersonTie, RelatedPerson, Standing

BLACKLISTED, SUSPENDED = standing.BLACKLISTED, "suspended"
EXTENDED_MONTHS_MAX = 120


@dataclass(frozen=True)
class Named:
    """A person to be listed with the customer: somebody behind it, by name and, where known, identity number."""

    name: str
    id_number: str = ""
    role: str = "controller"


@dataclass(frozen=True)
class Proposal:
    """What is proposed: the ground (a code of the policy), what happened, the evidence, whom it is to bind."""

    ground: str
    why: str
    evidence: str
    whole_group: bool = False
    persons: tuple[Named, ...] = ()


def propose(
    customer: Customer, asked: Proposal, *, edition: Edition, by: Person, on: date, at: datetime
) -> BlacklistCase:
    """A proposal, waiting for another person's signature. Raises NotYourDuty, BadForm, Moved where one runs already."""
    posts.require(by, *rules.PROPOSERS, on=on, about=customer, verb="propose_blacklisting", at=at)
    if errors := list(_faults(asked, edition)):
        raise BadForm(errors)
    with transaction.atomic():
        _locked(customer.pk)
        if customer.blacklist_cases.exclude(status__in=rules.OVER).exists():
            raise Moved(_("A case of this customer is open already."), code="case_open",
                        cure=_("Go on with that case; the blacklist leads to it."))  # fmt: skip
        case = BlacklistCase.objects.create(
            customer=customer, ground=asked.ground, why=asked.why.strip(), evidence=asked.evidence.strip(),
            whole_group=asked.whole_group, proposed_by=by, proposed_at=at, policy_version=edition.number,
        )  # fmt: skip
        people = [_behind(customer, each, by=by, on=on, at=at) for each in asked.persons]
        case.persons.set(people)
        told = {"ground": case.ground, "why": case.why, "whole_group": case.whole_group,
                "persons": [each.name for each in people]}  # fmt: skip
        trail.record("propose_blacklisting", about=case, by=by, at=at, **told)
    return case


@transaction.atomic
def stop(case: BlacklistCase, *, version: int, reason: str, by: Person, on: date, at: datetime) -> BlacklistCase:
    """Emergency: the customer is suspended at once, while the proposal runs; nothing ships from this second on."""
    customer, fresh = _fresh(case, "stop", version, by=by, at=at)
    was = standing.standings_of([customer.pk], on).get(customer.pk, standing.GOOD)
    _move(fresh, "stop", by=by, on=on, at=at, stood=was)
    if standing.SEVERITY[was] < standing.SEVERITY[SUSPENDED]:
        _put(fresh, customer, SUSPENDED, reason or fresh.why, by=by, on=on, at=at)
    return fresh


@transaction.atomic
def approve(
    case: BlacklistCase, *, version: int, reason: str, edition: Edition, by: Person, on: date, at: datetime
) -> BlacklistCase:
    """Another person signs: on the blacklist from this second, the notice to the customer in the outbox."""
    customer, fresh = _fresh(case, "approve", version, by=by, at=at)
    terms = edition.policy.blacklist
    _move(
        fresh, "approve", by=by, on=on, at=at, approved_by=by, decided_at=at, decision_reason=reason.strip(),
        listed_on=on, objection_until=rules.objections_until(on, terms.objection_days),
        review_on=rules.review_on(on, terms.review_months),
    )  # fmt: skip
    for each in _bound(fresh, customer):
        _put(fresh, each, BLACKLISTED, fresh.why, by=fresh.proposed_by, on=on, at=at, confirmed_by=by)
    blacklist_letters.send(fresh, "notice", edition=edition, by=by, on=on, at=at)
    return fresh


@transaction.atomic
def close(
    case: BlacklistCase, verb: str, *, version: int, reason: str, by: Person, on: date, at: datetime
) -> BlacklistCase:
    """Decline or withdraw a proposal; a suspension at once falls with it and the customer stands as before."""
    customer, fresh = _fresh(case, verb, version, by=by, at=at)
    _require(reason)
    was, stood = fresh.status, fresh.stood
    _move(fresh, verb, by=by, on=on, at=at, decided_at=at, decision_reason=reason.strip())
    now = standing.rows_of([customer.pk], on).get(customer.pk)
    if was == "stopped" and now and now.case_id == fresh.pk and now.standing == SUSPENDED:
        _put(fresh, customer, stood, reason, by=by, on=on, at=at)
    return fresh


@transaction.atomic
def appeal(case: BlacklistCase, *, version: int, reason: str, by: Person, on: date, at: datetime) -> BlacklistCase:
    """Take down what the customer objects, in its words. It suspends nothing. Raises Moved after the last day."""
    _customer, fresh = _fresh(case, "appeal", version, by=by, at=at)
    _require(reason, _("Write down what the customer objects."))
    if fresh.objection_until and on > fresh.objection_until:
        raise Moved(
            _("The days to object ended on %(day)s."), code="too_late", day=fresh.objection_until.isoformat(),
            cure=_("Propose re-admission instead; it takes two people."),
        )  # fmt: skip
    return _move(fresh, "appeal", by=by, on=on, at=at, appeal=reason.strip()[:2000], appealed_on=on)


@transaction.atomic
def uphold(
    case: BlacklistCase, *, version: int, reason: str, edition: Edition, by: Person, on: date, at: datetime
) -> BlacklistCase:
    """The appeal is heard by somebody who neither proposed nor approved, and turned down; the customer is told why."""
    _customer, fresh = _fresh(case, "uphold", version, by=by, at=at)
    _require(reason)
    _move(fresh, "uphold", by=by, on=on, at=at, appeal_decided_by=by, appeal_reason=reason.strip())
    blacklist_letters.send(fresh, "upheld", edition=edition, by=by, on=on, at=at)
    return fresh


@transaction.atomic
def leave(
    case: BlacklistCase, verb: str, *, version: int, reason: str, kind: str = "watched", conditions: str = "",
    by: Person, on: date, at: datetime,
) -> BlacklistCase:  # fmt: skip
    """Allow the appeal, or propose re-admission on conditions; a second person confirms it (I-20).

    `kind`: where the customer is to stand afterwards.
    """
    customer, fresh = _fresh(case, verb, version, by=by, at=at)
    _require(reason)
    why = fitting(reason, 500)
    if verb == "readmit" and not conditions.strip():
        raise BadForm([("conditions", _("Say on which conditions the customer comes back."))])
    if standing.SEVERITY.get(kind, standing.SEVERITY[BLACKLISTED]) >= standing.SEVERITY[BLACKLISTED]:
        raise BadForm([("standing", _("is not a standing to come back to"))])
    heard = {"appeal_decided_by": by, "appeal_reason": why} if verb == "allow" else {}
    _move(fresh, verb, by=by, on=on, at=at, **heard)
    standing.propose_release(customer, kind, why=why, conditions=conditions, by=by, on=on, at=at, case=fresh)
    return fresh


@transaction.atomic
def extend(
    case: BlacklistCase, *, version: int, reason: str, months: int, by: Person, on: date, at: datetime
) -> BlacklistCase:
    """Looked at again and kept on the list until a later day."""
    _customer, fresh = _fresh(case, "extend", version, by=by, at=at)
    _require(reason)
    if not 1 <= months <= EXTENDED_MONTHS_MAX:
        raise BadForm([("months", _("must be between 1 and %(most)s") % {"most": EXTENDED_MONTHS_MAX})])
    return _move(fresh, "extend", by=by, on=on, at=at, review_on=add_months(on, months), particulars={"why": reason})


# --- questions -----------------------------------------------------------------------------------


def verbs_for(case: BlacklistCase, by: Person, on: date) -> list[str]:
    """What this person may do with the case now; lifting and keeping are done at the proposal to lift."""
    found = moves.verbs_for(case, rules.FLOW, by, on)
    late = case.objection_until is not None and on > case.objection_until
    shut = {"lift", "keep", *(["appeal"] if late else [])}
    return [verb for verb in found if verb not in shut and not why_not(case, verb, by)]


def why_not(case: BlacklistCase, verb: str, by: Person) -> tuple[str, ...]:
    """Every role of hers in the case that keeps her from the step."""
    return rules.barred(
        verb, by=by.pk, proposer=case.proposed_by_id, approver=case.approved_by_id,
        salesperson=case.customer.salesperson_id,
    )  # fmt: skip


def cases_of(customer: Customer) -> list[BlacklistCase]:
    """The customer's cases, the latest first."""
    return list(customer.blacklist_cases.select_related("proposed_by", "approved_by").order_by("-pk"))


def due(cases: models.QuerySet[BlacklistCase], on: date) -> models.QuerySet[BlacklistCase]:
    """Of these the listings that are to be looked at again by now; none of them ends by itself."""
    return cases.filter(status__in=rules.BITES, review_on__lte=on)


def bites_person(id_number_index: str) -> bool:
    """Whether a listed person has this identity number (by its mark)."""
    return (
        bool(id_number_index)
        and BlacklistCase.objects.filter(status__in=rules.BITES, persons__id_number_index=id_number_index).exists()
    )


WORDS: Mapping[str, Any] = {
    "proposer": _("You proposed this yourself; somebody else has to decide."),
    "approver": _("You signed the listing; somebody else has to hear the appeal."),
    "salesperson": _("This is your own customer; somebody else has to decide."),
    "not_proposer": _("Only the person who proposed it can withdraw it."),
}


# --- within a case -------------------------------------------------------------------------------


def _locked(customer: int) -> Customer:
    return Customer.objects.select_for_update(of=("self",)).get(pk=customer)


def _fresh(case: BlacklistCase, verb: str, version: int, *, by: Person, at: datetime) -> tuple[Customer, BlacklistCase]:
    """Customer and case, locked in this order; refused for whoever has another part in it or saw an old version."""
    customer = _locked(case.customer_id)
    fresh = BlacklistCase.objects.select_for_update(of=("self",)).select_related("customer").get(pk=case.pk)
    if roles := why_not(fresh, verb, by):
        raise posts.not_your_duty(by, about=fresh, verb=verb, at=at, code=roles[0], message=WORDS[roles[0]],
                                  cure=_("Ask somebody else whose duty it is."))  # fmt: skip
    if fresh.version != version:
        raise Moved(_("The case was changed after you opened it. Look at it again."), code="version_seen")
    return customer, fresh


def _move(case: BlacklistCase, verb: str, *, by: Person, on: date, at: datetime, **changes: Any) -> BlacklistCase:
    return moves.move(case, rules.FLOW, verb, by=by, on=on, at=at, **changes)


def _put(
    case: BlacklistCase, customer: Customer, kind: str, why: str, *, by: Person, on: date, at: datetime,
    confirmed_by: Person | None = None,
) -> None:  # fmt: skip
    was = standing.standings_of([customer.pk], on).get(customer.pk, standing.GOOD)
    Standing.objects.create(
        customer=customer, standing=kind, since=on, why=why[:500], by=by, confirmed_by=confirmed_by, at=at, case=case,
    )  # fmt: skip
    trail.record("set_standing", about=customer, by=confirmed_by or by, at=at, was=was, now=kind, why=why, case=case)


def _bound(case: BlacklistCase, customer: Customer) -> list[Customer]:
    """Who gets the standing itself: the customer, and the head where the whole group is meant; it binds all beneath."""
    if not case.whole_group or customer.group_head_id in (None, customer.pk):
        return [customer]
    return [customer, _locked(customer.group_head_id)]  # type: ignore[arg-type]


def _behind(customer: Customer, named: Named, *, by: Person, on: date, at: datetime) -> RelatedPerson:
    """The person as he is known behind the customer; somebody new is put there in the role given."""
    name = " ".join(named.name.split())
    if not named.id_number:
        rows = customer.person_ties.filter(until=None, person__name=name).select_related("person")
        if (row := rows.first()) is not None:
            return row.person
    note = str(_("named in a proposal to blacklist %(code)s")) % {"code": customer.code}
    person = persons.identified(name, named.id_number, note=note, at=at)
    role = "legal_representative" if name == customer.legal_representative else named.role
    PersonTie.objects.get_or_create(
        customer=customer, person=person, role=role, until=None, defaults={"since": on, "by": by, "at": at}
    )
    return person


def _require(reason: str, words: Any = None) -> None:
    if not reason.strip():
        raise BadForm([("reason", words or _("Say why: the reason is kept with the case."))])


def _faults(asked: Proposal, edition: Edition) -> Iterable[tuple[str, Any]]:
    if edition.policy.blacklist.ground(asked.ground) is None:
        yield "ground", _("is not a ground of the policy in force")
    if not 0 < len(asked.why.strip()) <= 1000:
        yield "why", _("Say what happened, in at most 1000 characters.")
    if not 0 < len(asked.evidence.strip()) <= 1000:
        yield "evidence", _("Name the evidence: papers, judgments, files. Nobody is listed without any.")
    for each in asked.persons:
        if each.role not in persons.ROLES:
            yield "persons", _("is not a role")
