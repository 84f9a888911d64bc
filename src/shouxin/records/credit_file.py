"""The customer's credit file: what holds, what is owed, how was paid, what was decided (A6, B2.2).

Each part is read by itself, so that a page reads only what it shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db.models import Max, Q
from django.utils.translation import gettext as _
from pydantic import TypeAdapter

from shouxin.credit import exposure, lines, securities, security_views
from shouxin.credit.lines import InForce
from shouxin.credit.models import CreditAccount, Line, LineRequest, Security
from shouxin.customers.models import Customer, Fact
from shouxin.lib import kept
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.receivables import aged, owed
from shouxin.receivables.ratings import known_rates, record_of
from shouxin.receivables.wording import bucket_name
from shouxin.rules.aging import Aged, OpenItem, age, bucket_labels
from shouxin.rules.exposure import Exposure
from shouxin.rules.payment_record import PaymentRecord
from shouxin.rules.policy import Policy

from .positions import Position, positions


@dataclass(frozen=True)
class Debt:
    """What the customer owes: open items, aged per currency, and how it has paid so far."""

    items: list[OpenItem]
    aged: list[Aged]
    record: PaymentRecord
    missing_rates: list[str]


@dataclass
class CreditFile:
    """A customer's file on a day; `position` is read once, by whichever part reads it first."""

    customer: Customer
    policy: Policy
    on: date

    @cached_property
    def position(self) -> Position:
        """Where the customer stands on the day."""
        return position_of(self.customer, policy=self.policy, on=self.on)


def position_of(customer: Customer, *, policy: Policy, on: date) -> Position:
    """Where the customer stands today."""
    return positions([customer], policy=policy, on=on)[customer.pk]


def pool_of(customer: Customer, position: Position, *, on: date) -> tuple[InForce, Exposure] | None:
    """The group's shared pool with the group's exposure in the pool's currency; None where there is none."""
    head = customer.group_head_id or customer.pk
    own = head == customer.pk
    held = position.held if own else InForce(None, pool=lines.pool_in_force(head, on=on))
    if held.pool is None:
        return None
    group = CreditAccount.objects.filter(Q(customer=head) | Q(customer__group_head=head))
    used = group.filter(currency=held.pool.currency)
    return held, sum(map(exposure.exposure_of, used), Exposure())


def debt_of(customer: Customer, *, policy: Policy, on: date) -> Debt:
    """What is owed and how was paid, from one reading of the ledger."""
    items = list(owed.open_items([customer.pk], as_of=on))
    rates = known_rates(policy, on)
    history = owed.settled_history([customer.pk], as_of=on, rates=rates, items=items)[customer.pk]
    return Debt(
        items=sorted(items, key=lambda item: (item.falls_due_on, item.document)),
        aged=aged_by_currency(items, policy, on),
        record=record_of(history, policy, on),
        missing_rates=sorted(history.missing_rates),
    )


@dataclass(frozen=True)
class _Summary:
    aged: list[Aged]
    record: PaymentRecord


@dataclass(frozen=True)
class DebtTold:
    """What the customer owes by age and how it has paid, as of `at`; `live`: read from the books now."""

    aged: list[Aged]
    record: PaymentRecord
    at: datetime
    live: bool


_SUMMARY = TypeAdapter(_Summary)


def debt_told(customer: Customer, *, policy: Policy, on: date, at: datetime) -> DebtTold:
    """The debt without its items: of a customer with thousands of papers as it was kept, told with its moment."""
    told = kept.read(
        f"{__name__}.debt_kept", scope=str(customer.pk), at=at, patient=True, at_hand={"policy": policy},
        customer=customer.pk, on=on.isoformat(),
    )  # fmt: skip
    found = _SUMMARY.validate_python(told.content)
    return DebtTold(found.aged, found.record, told.at, told.live)


def debt_kept(customer: int, on: str, policy: Policy | None = None) -> dict[str, Any]:
    """The same as plain values, under the policy of the day."""
    day = date.fromisoformat(on)
    debt = debt_of(Customer(pk=customer), policy=policy or policies.in_force(day).policy, on=day)
    plain: dict[str, Any] = _SUMMARY.dump_python(_Summary(debt.aged, debt.record), mode="json")
    return plain


def items_shown(customer: Customer, *, on: date, most: int) -> list[OpenItem]:
    """So many of the customer's open items, the oldest due first."""
    return aged.oldest([customer.pk], as_of=on, rows_max=most)


def ageing_of(customer: Customer, *, policy: Policy, on: date) -> list[Aged]:
    """The ageing of a customer, added up in the database; one answer per currency."""
    up_to = policy.aging.up_to
    _rows, totals, _counts = aged.sheets([customer.pk], as_of=on, up_to=up_to, by="customer", basis="due", rows_max=0)
    return list(totals.values())


def aged_by_currency(items: Iterable[OpenItem], policy: Policy, on: date) -> list[Aged]:
    """The ageing of these items, one answer per currency."""
    return list(age(items, up_to=policy.aging.up_to, as_of=on).values())


def bucket_words(policy: Policy) -> list[str]:
    """The columns of the ageing in words: not due, 1–30 days, …"""
    return [bucket_name(bucket) for bucket in bucket_labels(policy.aging.up_to)]


# --- the history ---------------------------------------------------------------------------------


def history(customer: Customer) -> list[Line]:
    """Every line the customer ever had, newest first."""
    return lines.history(customer)


def open_requests(customer: Customer) -> list[LineRequest]:
    """What is asked for and waits for a signature."""
    rows = customer.line_requests.filter(status="open").select_related("requested_by").order_by("-pk")
    return list(rows)


def securities_of(customer: Customer) -> list[tuple[Security, tuple[Any, str], date | None]]:
    """Everything that ever secured the customer's debts, with status in word and colour and the last day to claim."""
    rows = customer.securities.order_by("-pk")
    return [(row, security_views.status(row), securities.claim_until(row)) for row in rows]


def latest_facts(customer: Customer) -> list[Fact]:
    """The latest fact of each key, by key, with who found it."""
    rows = customer.facts.order_by("key", "-as_of", "-id").distinct("key").select_related("collected_by", "mark")
    return list(rows.prefetch_related("checks"))


def freshness(customer: Customer) -> dict[str, date]:
    """Fact key -> the day of the latest fact: how fresh the file is (B2.2)."""
    return dict(customer.facts.values_list("key").annotate(latest=Max("as_of")))


def name_of(person: Person | None) -> str:
    """Who it was, or the system where nobody was."""
    return str(person) if person else str(_("System"))
