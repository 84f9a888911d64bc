"""Groups: beneath whom a customer hangs, from which day, by what tie; the order check reads what follows from it (I-6).

A row of `GroupTie` is what people say. `Customer.group_head` (whose pool it shares) and `Customer.parents` (whose
blacklisting binds it) follow from the ties that bind and are kept for the order check, written in the same transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.lib import turns
from shouxin.office import policies, posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, fitting
from shouxin.rules import groups as rules
from shouxin.rules.policy import Post

from . import standing
from .models import Customer, GroupTie

KEEPERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)

RING = _("The parent hangs beneath this customer itself: a group has one head.")


@dataclass(frozen=True)
class NewTie:
    """Beneath whom a customer is to hang; without a parent, beneath nobody. `percent` of the capital, None: unknown."""

    parent: Customer | None
    kind: str = "controlled"
    percent: Decimal | None = None
    why: str = ""
    since: date | None = None


@transaction.atomic
def tie(customer: Customer, new: NewTie, *, by: Person, on: date, at: datetime) -> Customer:
    """Hang the customer beneath a parent, or beneath nobody, from a day on that has come; the history stays.

    Raises NotYourDuty, BadForm for a ring, a share that cannot be, a tie the blacklist holds fast, or nothing new.
    """
    if not posts.is_system(by):
        posts.require(by, *KEEPERS, on=on, about=customer, verb="tie", at=at)
    turns.take("customers.groups")
    ties = ties_on(on)
    _refuse_faults(customer, new, ties, on)
    row = _row(customer.pk, new, by=by, on=on, at=at)
    row.save(force_insert=True)
    keep(ties, [row], on)
    customer.refresh_from_db(fields=["group_head", "parents"])
    told = {"kind": row.kind, "percent": row.percent, "since": row.since, "why": row.why}
    trail.record("tie" if new.parent else "untie", about=customer, by=by, at=at, parent=new.parent, **told)
    return customer


@transaction.atomic
def tie_many(ties: Iterable[rules.Tie], *, source: str, by: Person, on: date, at: datetime) -> None:
    """Ties out of a file, whose faults were looked for: set-based, each with its own line in the trail."""
    ties = list(ties)
    if not ties:
        return
    turns.take("customers.groups")
    rows = [GroupTie(customer_id=each.child, parent_id=each.parent, kind=each.kind, percent=each.percent, since=on,
                     by=by, at=at) for each in ties]  # fmt: skip
    before = ties_on(on)
    GroupTie.objects.bulk_create(rows, batch_size=2000)
    keep(before, rows, on)
    trail.record_many(
        trail.line("tie", about=f"customer:{each.child}", customer=each.child, by=by, at=at, source=source,
                   parent=f"customer:{each.parent}", kind=each.kind, percent=each.percent)
        for each in ties
    )  # fmt: skip


def follow(customer: Customer, parent: Customer | None, *, by: Person, on: date, at: datetime) -> None:
    """The tie that master data or an import tell of, part of an act that has looked for faults and tells of itself."""
    turns.take("customers.groups")
    ties = ties_on(on)
    if parent is not None and rules.closes_ring(customer.pk, parent.pk, ties):
        raise BadForm([("group_head", RING)])
    row = _row(customer.pk, NewTie(parent), by=by, on=on, at=at)
    row.save(force_insert=True)
    keep(ties, [row], on)
    customer.refresh_from_db(fields=["group_head", "parents"])


def would_close_ring(customer: int, parent: int, on: date) -> bool:
    """Whether the parent hangs beneath the customer already."""
    return rules.closes_ring(customer, parent, ties_on(on))


def ties_on(on: date) -> dict[int, rules.Tie]:
    """Child -> the tie that holds on the day, for everybody who hangs beneath somebody; one query."""
    rows = GroupTie.objects.filter(since__lte=on).order_by("customer", "-since", "-id").distinct("customer")
    found = rows.values_list("customer_id", "parent_id", "kind", "percent")
    return {child: rules.Tie(child, parent, kind, percent) for child, parent, kind, percent in found if parent}


def keep(before: Mapping[int, rules.Tie], rows: Iterable[GroupTie], on: date) -> None:
    """Write what follows from these new rows for the customers concerned: heads and parents."""
    rows, after = list(rows), dict(before)
    for row in rows:
        _put(after, row)
    least = policies.in_force(on).policy.parties.pool_percent_min
    old, new = rules.parents(before.values(), least), rules.parents(after.values(), least)
    touched = {row.customer_id for row in rows}
    moved = {pk: new.get(pk, ()) for pk in old.keys() | new.keys() | touched
             if pk in touched or old.get(pk) != new.get(pk)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {Customer._meta.db_table} SET parents = %s::bigint[], group_head_id = %s WHERE id = %s",
            [(list(up), up[-1] if up else None, pk) for pk, up in sorted(moved.items())],
        )


@transaction.atomic
def renew(on: date) -> int:
    """Write heads and parents anew where they differ from what the ties say: the policy's share may have changed."""
    turns.take("customers.groups")
    least = policies.in_force(on).policy.parties.pool_percent_min
    said = rules.parents(ties_on(on).values(), least)
    tied = set(GroupTie.objects.values_list("customer_id", flat=True).distinct())
    wrong = [row for row in Customer.objects.filter(pk__in=tied).only("parents", "group_head")
             if tuple(row.parents) != said.get(row.pk, ())]  # fmt: skip
    for row in wrong:
        row.parents = list(said.get(row.pk, ()))
        row.group_head_id = row.parents[-1] if row.parents else None
    Customer.objects.bulk_update(wrong, ["parents", "group_head"], batch_size=1000)
    return len(wrong)


def top_of(customer: Customer, ties: Mapping[int, rules.Tie]) -> int:
    """The uppermost parent along all ties, those that do not bind included: where the drawn tree begins."""
    return ([customer.pk, *rules.above(customer.pk, ties)])[-1]


def members_of(head: int, on: date) -> list[int]:
    """Who shared the head's pool on a day, the head first, then by id."""
    least = policies.in_force(on).policy.parties.pool_percent_min
    found = rules.parents(ties_on(on).values(), least)
    return [head, *sorted(pk for pk, up in found.items() if up and up[-1] == head)]


def history(customer: Customer) -> list[GroupTie]:
    """Every tie the customer ever had, the latest first."""
    return list(customer.ties.select_related("parent", "by").order_by("-since", "-id"))


def _put(ties: dict[int, rules.Tie], row: GroupTie) -> None:
    if row.parent_id is None:
        ties.pop(row.customer_id, None)
    else:
        ties[row.customer_id] = rules.Tie(row.customer_id, row.parent_id, row.kind, row.percent)


def _row(pk: int, new: NewTie, *, by: Person, on: date, at: datetime) -> GroupTie:
    return GroupTie(
        customer_id=pk, parent=new.parent, kind=new.kind if new.parent else "", percent=new.percent,
        since=new.since or on, why=fitting(" ".join(new.why.split()), 500, "why"), by=by, at=at,
    )  # fmt: skip


def _refuse_faults(customer: Customer, new: NewTie, ties: Mapping[int, rules.Tie], on: date) -> None:
    errors: list[tuple[str, Any]] = []
    now = ties.get(customer.pk)
    if standing.held_fast([customer], on)[customer.pk] & set(standing.HEAD):
        errors.append(("parent", standing.HELD_FAST))
    if new.parent is None and now is None:
        errors.append(("parent", _("The customer hangs beneath nobody already.")))
    if new.parent is not None and rules.closes_ring(customer.pk, new.parent.pk, ties):
        errors.append(("parent", RING))
    if new.parent is not None and new.kind not in rules.KINDS:
        errors.append(("kind", _("is not a kind of tie")))
    if new.percent is not None and not 0 < new.percent <= 100:
        errors.append(("percent", _("must be above 0 and at most 100")))
    if (new.since or on) > on:
        errors.append(("since", _("A tie is entered on its day; this one lies in the future.")))
    latest = customer.ties.order_by("-since", "-id").values_list("since", flat=True).first()
    if latest and (new.since or on) < latest:
        errors.append(("since", _("A later tie is on record; the new one cannot begin before it.")))
    if errors:
        raise BadForm(errors)
