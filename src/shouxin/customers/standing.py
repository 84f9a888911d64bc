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
from shouxin.office import moves, posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import facts
from .models import Customer, Standing, StandingKind, StandingRelease

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


def effective(customers: Iterable[Customer], on: date) -> dict[int, str]:
    """Customer id -> the standing that bites: its own, or the blacklist where its group's head is on it (I-20)."""
    customers = list(customers)
    found = standings_of({each.pk for each in customers} | {each.group_head_id or each.pk for each in customers}, on)
    return {
        each.pk: BLACKLISTED if found.get(each.group_head_id or 0) == BLACKLISTED else found.get(each.pk, GOOD)
        for each in customers
    }


def held_fast(customers: Iterable[Customer], on: date) -> dict[int, frozenset[str]]:
    """Customer id -> the fields by which the blacklist knows it and which nobody changes before it is lifted (I-20).

    Its credit code and identity number once they are known, and the head whose blacklisting binds it.
    """
    customers = list(customers)
    stands = standings_of({each.pk for each in customers} | {each.group_head_id or each.pk for each in customers}, on)
    return {
        each.pk: frozenset(
            [name for name in ("uscc", "id_number") if getattr(each, name) and stands.get(each.pk) == BLACKLISTED]
            + [name for name in HEAD if stands.get(each.group_head_id or 0) == BLACKLISTED]
        )
        for each in customers
    }


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
        Standing.objects.create(
            customer=customer, standing=release.standing, since=on, why=release.why, by=release.proposed_by,
            confirmed_by=by, at=at,
        )  # fmt: skip
        trail.record(
            "set_standing", about=customer, by=by, at=at, was=BLACKLISTED, now=release.standing, why=release.why,
            proposed_by=release.proposed_by,
        )  # fmt: skip
    return release


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
        proposal = StandingRelease.objects.create(
            customer=customer, standing=standing, why=why.strip(), proposed_by=by, proposed_at=at
        )
        trail.record("propose_release", about=customer, by=by, at=at, standing=standing, why=why)
        return proposal
    if proposal.proposed_by_id == by.pk:
        raise _second_person(customer, by, at)
    if proposal.standing != standing:
        raise Moved(
            _("Another standing has been proposed: %(standing)s."),
            code="other_proposal", standing=proposal.get_standing_display(),
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
