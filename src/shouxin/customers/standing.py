"""Where customers stand with us (B2.5, B3.1): good, watched, supply stopped, cash only, suspended, blacklisted.

Rows are only added; the latest holds. Taking somebody off the blacklist takes two people (I-20): one proposes, another
confirms. The daily run may harden a standing, and soften only what it set itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.lib.statements import Reply, array, ask
from shouxin.office import moves, policies, posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.rules import blacklist
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import blacklist_letters, facts
from .models import BlacklistCase, Customer, PersonTie, RelatedPerson, Standing, StandingKind, StandingRelease

GOOD = StandingKind.GOOD.value
BLACKLISTED = StandingKind.BLACKLISTED.value
SEVERITY = {kind: place for place, kind in enumerate(StandingKind.values)}
"""How hard a standing bites; the kinds are listed from mild to hard."""

HEADS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
HARDEN: Mapping[str, tuple[Post, ...]] = {
    "watched": (Post.CREDIT_ADMINISTRATOR, *HEADS),
    "stopped": (Post.CREDIT_ADMINISTRATOR, *HEADS),
    "cash_only": (Post.CREDIT_ADMINISTRATOR, *HEADS),
    "suspended": HEADS,
    "blacklisted": HEADS,
}
"""Whose duty it is to put a customer there. Every softening is for HEADS."""
SETTERS = frozenset(post for duty in HARDEN.values() for post in duty)
"""Whoever may put a customer anywhere at all."""

RELEASE: Flow = flow(
    "standing release",
    "proposed",
    [
        step("confirm", "proposed", "confirmed", *HEADS),
        step("decline", "proposed", "declined", *HEADS),
        step("withdraw", "proposed", "withdrawn", *HEADS),
    ],
    rests=False,
)


@dataclass(frozen=True)
class Wanted:
    """A standing the daily run finds due for a customer."""

    customer_id: int
    standing: str
    why: str


def standings_of(customers: Iterable[int], on: date) -> dict[int, str]:
    """Customer id -> standing on the day, in one query; customers of whom nothing was ever said are left out (good)."""
    return ask_standings(customers, on).read()


def rows_of(customers: Iterable[int], on: date) -> dict[int, Standing]:
    """Customer id -> the row that holds on the day, with why and since when."""
    rows = Standing.objects.filter(customer__in=set(customers), since__lte=on)
    return {row.customer_id: row for row in rows.order_by("customer", "-id").distinct("customer")}


def ask_standings(customers: Iterable[int], on: date) -> Reply[dict[int, str]]:
    """What `standings_of` answers, as one of the questions of a pipeline."""
    return ask(
        f"SELECT DISTINCT ON (customer_id) customer_id, standing FROM {Standing._meta.db_table} "
        "WHERE customer_id = ANY(%s::bigint[]) AND since <= %s ORDER BY customer_id, id DESC",
        array(set(customers)),
        on,
        read=lambda rows: dict(rows),
    )


@dataclass(frozen=True, slots=True)
class Bite:
    """What holds for a customer, and through whom: its own standing, a blacklisted parent, a listed person behind it.

    `person`: somebody listed leads or controls it, or is the customer. `namesake`: its legal representative bears the
    name of somebody listed, and nobody has said yet who he is.
    """

    own: str
    parent: int | None = None
    person: int | None = None
    namesake: int | None = None

    @property
    def standing(self) -> str:
        """The standing that bites (I-20)."""
        if self.parent or self.person or self.own == BLACKLISTED:
            return BLACKLISTED
        return StandingKind.SUSPENDED.value if self.namesake else self.own


BITES = f"""
WITH listed AS MATERIALIZED (
  SELECT p.id, p.name, p.id_number_index FROM {RelatedPerson._meta.db_table} p WHERE EXISTS (
    SELECT 1 FROM {BlacklistCase.persons.through._meta.db_table} named JOIN {BlacklistCase._meta.db_table} found
    ON found.id = named.blacklistcase_id WHERE named.relatedperson_id = p.id AND found.status = ANY(%s::text[]))
)
SELECT c.id, COALESCE(own.standing, 'good'),
  (SELECT above.id FROM unnest(array_append(c.parents, c.group_head_id)) above (id) CROSS JOIN LATERAL (
    SELECT s.standing FROM {Standing._meta.db_table} s WHERE s.customer_id = above.id AND s.since <= %s
    ORDER BY s.id DESC LIMIT 1) theirs WHERE theirs.standing = 'blacklisted' LIMIT 1),
  (SELECT listed.id FROM listed WHERE (listed.id_number_index <> '' AND listed.id_number_index = c.id_number_index)
    OR EXISTS (SELECT 1 FROM {PersonTie._meta.db_table} t WHERE t.person_id = listed.id AND t.customer_id = c.id
      AND t.role IN ('legal_representative', 'controller') AND t.until IS NULL) LIMIT 1),
  (SELECT listed.id FROM listed WHERE %s AND listed.name = c.legal_representative AND NOT EXISTS (
    SELECT 1 FROM {PersonTie._meta.db_table} t JOIN {RelatedPerson._meta.db_table} who ON who.id = t.person_id
    WHERE t.customer_id = c.id AND t.role = 'legal_representative' AND t.until IS NULL
      AND who.name = c.legal_representative) LIMIT 1)
FROM {Customer._meta.db_table} c LEFT JOIN LATERAL (
  SELECT s.standing FROM {Standing._meta.db_table} s WHERE s.customer_id = c.id AND s.since <= %s
  ORDER BY s.id DESC LIMIT 1) own ON true
WHERE c.id = ANY(%s::bigint[])
"""


def ask_bites(customers: Iterable[int], on: date, *, hold_same_name: bool) -> Reply[dict[int, Bite]]:
    """Customer id -> what holds for it and through whom, as one of the questions of a pipeline; one for any number."""
    return ask(
        BITES, list(blacklist.BITES), on, hold_same_name, on, array(set(customers)),
        read=lambda rows: {row[0]: Bite(*row[1:]) for row in rows},
    )  # fmt: skip


def bites(customers: Iterable[int], on: date) -> dict[int, Bite]:
    """Customer id -> what holds for it and through whom, today's policy deciding about namesakes."""
    hold = policies.in_force(on).policy.blacklist.hold_same_name
    return ask_bites(customers, on, hold_same_name=hold).read()


def effective(customers: Iterable[Customer], on: date) -> dict[int, str]:
    """Customer id -> the standing that bites: its own, or the blacklist through a parent or a person (I-20)."""
    return {pk: bite.standing for pk, bite in bites([each.pk for each in customers], on).items()}


def refuse_blacklisted(customer: Customer, on: date) -> None:
    """Raise Moved where nothing new may begin with the customer: no line, no application, no reservation (I-20)."""
    if effective([customer], on).get(customer.pk) == BLACKLISTED:
        raise Moved(BARRED, code="blacklisted", cure=_("Two people have to lift the blacklisting first."))


BARRED = _("The customer, a parent of its group or a person behind it is on the blacklist: no new business.")


def held_fast(customers: Iterable[Customer], on: date) -> dict[int, frozenset[str]]:
    """Customer id -> the fields by which the blacklist knows it and which nobody changes before it is lifted (I-20).

    Its credit code and identity number once they are known, the tie to a blacklisted parent, the listed person's name.
    """
    customers = list(customers)
    found = bites([each.pk for each in customers], on)
    return {
        each.pk: frozenset(
            [name for name in ("uscc", "id_number") if getattr(each, name) and _is_listed(found[each.pk])]
            + [name for name in HEAD if found[each.pk].parent]
            + (["legal_representative"] if found[each.pk].person else [])
        )
        for each in customers
    }


def _is_listed(bite: Bite) -> bool:
    return bite.own == BLACKLISTED or bite.person is not None


HEAD = ("group_head", "group_head_id")
HELD_FAST = _("The blacklist knows the customer by this; two people have to lift the blacklisting first.")


# --- verbs ---------------------------------------------------------------------------------------


@transaction.atomic
def set_standing(
    customer: Customer,
    standing: str,
    *,
    why: str,
    by: Person,
    on: date,
    at: datetime,
    malicious: bool = False,
    policy_version: int | None = None,
) -> Standing | StandingRelease:
    """Put the customer there from today. Off the blacklist the answer is a proposal, or its confirmation by a second.

    `malicious`: a malicious default (B2.5); it is kept as a fact and goes with cash only or the blacklist.
    Raises NotYourDuty, BadForm without a reason, Moved where the customer stands there already.
    """
    _check_form(standing, why, malicious)
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)  # two standings are set one after the other
    now = rows_of([customer.pk], on).get(customer.pk)
    was = now.standing if now else GOOD
    _require_duty(customer, was, standing, now, by=by, on=on, at=at)
    if standing == was:
        raise Moved(_("The customer stands there already."), code="same_standing")
    if was == BLACKLISTED:
        return _propose_or_confirm(customer, standing, why=why, by=by, on=on, at=at)
    if malicious:
        facts.checked(
            customer.pk, "malicious_default", True, source="feedback", as_of=on, by=by, on=on, at=at, note=why
        ).save(force_insert=True)
    row = Standing.objects.create(
        customer=customer, standing=standing, since=on, why=why.strip(), by=by, at=at, policy_version=policy_version
    )
    trail.record("set_standing", about=customer, by=by, at=at, was=was, now=standing, why=why, malicious=malicious)
    return row


@transaction.atomic
def set_standings(
    wanted: Iterable[Wanted], *, by: Person, on: date, at: datetime, policy_version: int | None = None
) -> list[Standing]:
    """The daily run's standings, all at once; `by` is the built-in person.

    Whoever stands harder by a person's word stays there, the blacklisted always; what changes nothing is left out.
    """
    wishes = {each.customer_id: each for each in wanted}
    locked = Customer.objects.filter(pk__in=wishes).order_by("pk").select_for_update(of=("self",))
    customers = {each.pk: each for each in locked}
    now = rows_of(wishes, on)
    due = [each for pk, each in sorted(wishes.items()) if _system_may(now.get(pk), each.standing, by)]
    rows = Standing.objects.bulk_create(
        Standing(
            customer_id=each.customer_id, standing=each.standing, since=on, why=each.why[:500], by=by, at=at,
            policy_version=policy_version,
        )
        for each in due
    )  # fmt: skip
    trail.record_many(
        trail.line(
            "set_standing", about=customers[each.customer_id], by=by, at=at,
            was=now[each.customer_id].standing if each.customer_id in now else GOOD, now=each.standing, why=each.why,
        )
        for each in due
    )  # fmt: skip
    return rows


@transaction.atomic
def decide_release(release: StandingRelease, verb: str, *, by: Person, on: date, at: datetime) -> StandingRelease:
    """Confirm, decline or withdraw a proposal to lift a blacklisting; confirming puts the new standing in force.

    Only somebody else than the proposer and the customer's salesperson confirms; only the proposer withdraws.
    """
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=release.customer_id)
    own = release.proposed_by_id == by.pk
    if verb == "confirm" and (own or customer.salesperson_id == by.pk):
        raise _second_person(customer, by, at)
    if verb == "withdraw" and not own:
        raise posts.not_your_duty(by, about=release, verb=verb, at=at, cure=_("Only the proposer can withdraw it."))
    moves.move(release, RELEASE, verb, by=by, on=on, at=at, decided_by=by, decided_at=at)
    if verb == "confirm":
        _lift(release, customer, by=by, on=on, at=at)
    if release.case is not None:
        moves.move(release.case, blacklist.FLOW, "lift" if verb == "confirm" else "keep", by=by, on=on, at=at)
    if release.case is not None and verb == "confirm":
        blacklist_letters.send(release.case, "lifted", edition=policies.in_force(on), by=by, on=on, at=at)
    return release


def _lift(release: StandingRelease, customer: Customer, *, by: Person, on: date, at: datetime) -> None:
    """The new standing for the customer, and for the others of its group that the same case has listed."""
    listed = {customer.pk: customer}
    if release.case is not None:
        rows = release.case.standings.filter(standing=BLACKLISTED).select_related("customer")
        mine = {row.customer_id: row.customer for row in rows}
        now = rows_of(mine, on)
        listed |= {pk: each for pk, each in mine.items() if now[pk].case_id == release.case_id}
    for each in listed.values():
        Standing.objects.create(
            customer=each, standing=release.standing, since=on, why=release.why, by=release.proposed_by,
            confirmed_by=by, at=at, case=release.case,
        )  # fmt: skip
        trail.record(
            "set_standing", about=each, by=by, at=at, was=BLACKLISTED, now=release.standing, why=release.why,
            proposed_by=release.proposed_by, conditions=release.conditions,
        )  # fmt: skip
        _forget(each)


def _forget(customer: Customer) -> None:
    """What only the blacklist still kept of somebody who has been deleted goes with the listing (PIPL art. 47)."""
    if customer.data_requests.filter(kind="delete", status="done").exists():
        Customer.objects.filter(pk=customer.pk).update(name=f"#{customer.pk}", id_number="", id_number_index="")


def propose_release(
    customer: Customer,
    standing: str,
    *,
    why: str,
    by: Person,
    on: date,
    at: datetime,
    conditions: str = "",
    case: BlacklistCase | None = None,
) -> StandingRelease:
    """The proposal a second person confirms. `case`: the one that is left by it, already on its way."""
    proposal = StandingRelease.objects.create(
        customer=customer, standing=standing, why=why.strip(), proposed_by=by, proposed_at=at, case=case,
        conditions=conditions.strip(),
    )  # fmt: skip
    trail.record(
        "propose_release", about=customer, by=by, at=at, standing=standing, why=why, conditions=conditions.strip()
    )
    return proposal


def _leaving(customer: Customer, *, by: Person, on: date, at: datetime) -> BlacklistCase | None:
    """The case behind the listing waits for the proposal's answer. Raises Moved while an appeal is being heard."""
    case = BlacklistCase.objects.select_for_update().filter(customer=customer, status__in=blacklist.BITES).first()
    if case is None:
        return None
    if case.status == "appealed":
        raise Moved(
            _("The customer's appeal is being heard; it is decided first."),
            code="appeal_runs",
            cure=_("Allow the appeal on the page of the case."),
        )
    return moves.move(case, blacklist.FLOW, "readmit", by=by, on=on, at=at)


def verbs_for(release: StandingRelease, by: Person, on: date) -> list[str]:
    """What this person may do with a proposal now: the proposer withdraws, everybody else confirms or declines."""
    own = release.proposed_by_id == by.pk
    return [verb for verb in moves.verbs_for(release, RELEASE, by, on) if (verb == "withdraw") == own]


def _check_form(standing: str, why: str, malicious: bool) -> None:
    errors = []
    if standing not in SEVERITY:
        errors.append(("standing", _("is not a standing")))
    if not 0 < len(why.strip()) <= 500:
        errors.append(("reason", _("Say why, in at most 500 characters.")))
    if malicious and standing not in ("cash_only", BLACKLISTED):
        errors.append(("malicious", _("A malicious default means cash only or the blacklist.")))
    if errors:
        raise BadForm(errors)


def _require_duty(
    customer: Customer, was: str, standing: str, now: Standing | None, *, by: Person, on: date, at: datetime
) -> None:
    if posts.is_system(by):
        if not _system_may(now, standing, by) and standing != was:
            raise posts.not_your_duty(by, HEADS, about=customer, verb="set_standing", at=at)
        return
    softer = SEVERITY[standing] < SEVERITY[was]
    duty = HEADS if softer or standing == GOOD else HARDEN[standing]
    posts.require(by, *duty, on=on, about=customer, verb="set_standing", at=at)


def _system_may(now: Standing | None, standing: str, by: Person) -> bool:
    """Harden what is softer, soften what it set itself; suspension and blacklist are people's own business."""
    was = now.standing if now else GOOD
    if standing == was or standing in ("suspended", BLACKLISTED) or was in ("suspended", BLACKLISTED):
        return False
    return SEVERITY[standing] > SEVERITY[was] or (now is not None and now.by_id == by.pk)


def _propose_or_confirm(
    customer: Customer, standing: str, *, why: str, by: Person, on: date, at: datetime
) -> StandingRelease:
    """The first to ask proposes; a second who asks for the same confirms."""
    proposal = customer.standing_releases.filter(status=RELEASE.start).select_related("proposed_by").first()
    if proposal is None:
        case = _leaving(customer, by=by, on=on, at=at)
        return propose_release(customer, standing, why=why, by=by, on=on, at=at, case=case)
    if proposal.proposed_by_id == by.pk:
        raise _second_person(customer, by, at)
    if proposal.standing != standing:
        raise Moved(
            _("Another standing has been proposed: %(standing)s."),
            code="other_proposal", standing=proposal.get_standing_display(),
            cure=_("Confirm or decline that one first."),
        )  # fmt: skip
    return decide_release(proposal, "confirm", by=by, on=on, at=at)


def _second_person(customer: Customer, by: Person, at: datetime) -> NotYourDuty:
    return posts.not_your_duty(
        by,
        about=customer,
        verb="confirm_release",
        at=at,
        code="second_person",
        message=_("Lifting a blacklisting takes a second person."),
        cure=_("Ask another credit manager, the vice-president or the legal representative to confirm."),
    )
