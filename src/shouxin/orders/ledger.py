"""What the order check is told: everything true about the customers of a batch, read once under the locks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, lines, review
from shouxin.credit.lines import InForce
from shouxin.credit.models import Reservation
from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.office import rates
from shouxin.office.policies import Edition
from shouxin.office.refusals import Moved
from shouxin.receivables import owed
from shouxin.receivables.models import Episode
from shouxin.rules.exposure import Exposure
from shouxin.rules.line import Limit
from shouxin.rules.money import convert
from shouxin.rules.order_check import Facts

from .live import Key, key_of
from .models import LiveOrder

if TYPE_CHECKING:
    from shouxin.credit.models import CreditAccount

    from .checks import CheckRequest
    from .live import LiveOrders

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Position:
    """A customer of the batch and the head of its group (itself where it stands alone)."""

    customer: Customer
    head_id: int


class Ledger:
    """The locked accounts of a batch, with the running exposure as its requests are decided one after another."""

    def __init__(
        self, customers: Iterable[Customer], accounts: dict[int, "CreditAccount"], edition: Edition, today: date
    ) -> None:
        self.company_currency = edition.policy.company.currency
        self._by_code = {c.code: Position(c, c.group_head_id or c.pk) for c in customers}
        self._accounts = accounts
        self._account_of = {(a.customer_id, a.currency): a.pk for a in accounts.values()}
        self._ordered: dict[Key, tuple[int, Decimal]] = {}
        self._rates: dict[tuple[str, str], Decimal | None] = {}
        self._edition, self._today = edition, today

    @classmethod
    def locked(cls, requests: Sequence["CheckRequest"], *, edition: Edition, today: date) -> "Ledger":
        """The ledger of everybody the requests name, every account of them and of their groups locked."""
        customers = list(Customer.objects.filter(code__in={request.customer for request in requests}))
        by_code = {customer.code: customer for customer in customers}
        wanted = {
            (customer.pk, request.currency or customer.currency)
            for request in requests
            if (customer := by_code.get(request.customer))
        }
        exposure.open_accounts(wanted)
        named = {request.order_no for request in requests if request.order_no}
        before = LiveOrder.objects.filter(order_no__in=named, decision__reservation__isnull=False)
        holders = set(before.values_list("decision__reservation__account__customer", flat=True))
        taken_over = Reservation.objects.filter(order_no__in=named, decision_id=None)
        holders |= set(taken_over.values_list("account__customer", flat=True))
        return cls(customers, exposure.lock(holders | {customer.pk for customer in customers}), edition, today)

    @property
    def accounts(self) -> list[int]:
        """The ids of all locked accounts."""
        return list(self._accounts)

    def customer_of(self, code: str) -> int | None:
        """The id of a customer by its code, or None where nobody is known by it."""
        position = self._by_code.get(code)
        return position.customer.pk if position else None

    def position(self, code: str) -> Position | None:
        """The customer by its code."""
        return self._by_code.get(code)

    def account(self, position: Position, currency: str) -> int:
        """The id of the customer's account in a currency."""
        return self._account_of[position.customer.pk, currency]

    def load(self, live: "LiveOrders", today: date) -> None:
        """Read every fact the rule needs, each kind in one query; called once, after the locks.

        Raises Moved when an order has changed hands since the locks were chosen: the caller asks again.
        """
        if any(row.account_id not in self._accounts for row in live.reservations.values()):
            raise Moved(_("The order was decided for another customer at this moment; ask again."), code="order_moved")
        self._ordered = {
            key: (row.account_id, row.reserved + row.undelivered) for key, row in live.reservations.items()
        }
        customers = [position.customer.pk for position in self._by_code.values()]
        heads = {position.head_id for position in self._by_code.values()}
        fresh = exposure.balances(self.accounts)
        self._running: dict[int, Exposure] = fresh
        self._lines = lines.in_force({*customers, *heads}, on=today)
        self._standings = standing.standings_of({*customers, *heads}, on=today)
        self._overdue = owed.overdue_of(customers, today=today)
        self._stages = dict(
            Episode.objects.filter(customer__in=customers, ended_on=None).values_list("customer", "stage")
        )
        self._reviews = review.due_on(self._lines, customers, policy=self._edition.policy)
        self._heads: dict[int, int] = dict(
            Customer.objects.filter(pk__in={a.customer_id for a in self._accounts.values()}).values_list(
                "pk", "group_head"
            )
        )

    def take_out(self, request: "CheckRequest") -> tuple[int, Decimal] | None:
        """Leave the order's own value out of the exposure while it is asked about again; answers what was left out."""
        own = self._ordered.pop(key_of(request), None) if request.order_no else None
        if own:
            self._move(own[0], -own[1])
        return own

    def put_in(self, request: "CheckRequest", value: tuple[int, Decimal] | None) -> None:
        """Count the order's value (account, amount) for the requests still to come."""
        if value:
            self._ordered[key_of(request)] = value
            self._move(*value)

    def _move(self, account_id: int, amount: Decimal) -> None:
        now = self._running[account_id]
        self._running[account_id] = replace(now, reserved=now.reserved + amount)

    def rate(self, currency: str, position: Position) -> Decimal | None:
        """One unit of `currency` in the currency of the customer's line, or None where no rate is known."""
        return self._rate(currency, self.line_currency(position))

    def line_currency(self, position: Position) -> str:
        """The currency the customer's limit is written in."""
        line = self._lines[position.customer.pk].line
        return line.currency if line else position.customer.currency

    def _rate(self, source: str, target: str) -> Decimal | None:
        if source == target:
            return Decimal(1)
        if (source, target) not in self._rates:
            known = rates.rates([source, target], on=self._today, company_currency=self.company_currency)
            both = source in known and target in known
            self._rates[source, target] = known[source].rate / known[target].rate if both else None
        return self._rates[source, target]

    def facts(self, position: Position | None, currency: str, released_up_to: Decimal | None) -> Facts:
        """All that is true about one request's customer at this point of the batch."""
        if position is None:
            return Facts(known=False)
        pk, target = position.customer.pk, self.line_currency(position)
        held: InForce = self._lines[pk]
        pool: InForce = self._lines[position.head_id]
        mine = [a for a in self._accounts.values() if a.customer_id == pk]
        group = [
            a for a in self._accounts.values() if (self._heads.get(a.customer_id) or a.customer_id) == position.head_id
        ]
        pool_rate_from = pool.pool.currency if pool.pool else target
        overdue_days, overdue_amount, overdue_unknown = self._overdue_in(pk, target)
        unknown = self._missing(mine, target) or overdue_unknown or ("" if self._rate(currency, target) else currency)
        if pool.pool:
            unknown = (
                unknown
                or self._missing(group, pool_rate_from)
                or ("" if self._rate(target, pool_rate_from) else target)
            )
        line = held.line
        return Facts(
            standing=self._worst_standing(pk, position.head_id),
            grade=held.grade,
            limit=held.limit,
            temporary=held.temporary_limit,
            line_until=line.until if line else None,
            term_days=line.term_days if line else 0,
            discount=lines.discount_of(line) if line else None,
            exposure=ZERO if unknown else self._total(mine, target),
            group_limit=self._pool_limit(pool, target) if not unknown else Limit("unset"),
            group_exposure=self._total(group, target) if pool.pool and not unknown else ZERO,
            overdue_days=overdue_days,
            overdue_amount=overdue_amount,
            dunning_stage=self._stages.get(pk),
            review_due_on=self._reviews.get(pk),
            missing_rate=unknown,
            parked=next((a.parked for a in mine if a.parked), ""),
            released_up_to=self._in_line_currency(released_up_to, currency, target),
        )

    def _worst_standing(self, pk: int, head: int) -> str:
        """The customer's own standing, unless its group's head is blacklisted: then that (I-20)."""
        own, group = self._standings.get(pk, "good"), self._standings.get(head, "good")
        return "blacklisted" if "blacklisted" in (own, group) else own

    def _pool_limit(self, pool: InForce, target: str) -> Limit:
        """The group's shared limit in the customer's line currency."""
        if pool.pool is None:
            return Limit("unset")
        rate = self._rate(pool.pool.currency, target)
        if pool.pool.limit_kind != "amount" or rate is None:
            return Limit(pool.pool.limit_kind, pool.pool.limit)
        return Limit("amount", convert(pool.pool.limit or ZERO, rate))

    def _missing(self, accounts: Iterable["CreditAccount"], target: str) -> str:
        """The first currency something stands in for which no rate to `target` is known, or nothing."""
        used = sorted(a.currency for a in accounts if self._running[a.pk] != Exposure())
        return next((currency for currency in used if self._rate(currency, target) is None), "")

    def _total(self, accounts: Iterable["CreditAccount"], target: str) -> Decimal:
        totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for account in accounts:
            totals[account.currency] += self._running[account.pk].total
        return sum(
            (convert(total, self._rate(currency, target) or ZERO) for currency, total in totals.items() if total), ZERO
        )

    def _overdue_in(self, pk: int, target: str) -> tuple[int, Decimal, str]:
        """Oldest days overdue, the overdue sum in `target`, and a currency without a rate if there is one."""
        days, amounts = self._overdue.get(pk, (0, {}))
        missing = next((currency for currency in sorted(amounts) if self._rate(currency, target) is None), "")
        total = sum(
            (convert(amount, self._rate(currency, target) or ZERO) for currency, amount in amounts.items()), ZERO
        )
        return days, total, missing

    def _in_line_currency(self, amount: Decimal | None, currency: str, target: str) -> Decimal | None:
        rate = self._rate(currency, target)
        return None if amount is None or rate is None else convert(amount, rate)
