"""What the order check is told: everything true about the customers of a batch, read once under the locks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from shouxin.credit import exposure, lines, reservations, review
from shouxin.credit.exposure import Account
from shouxin.credit.lines import NOTHING, Trust
from shouxin.customers import standing
from shouxin.customers.registry import Known
from shouxin.customers.standing import Bite
from shouxin.lib.statements import Reply
from shouxin.office import rates
from shouxin.office.policies import Edition
from shouxin.receivables import owed
from shouxin.receivables.owed import Overdue
from shouxin.rules import securities
from shouxin.rules.exposure import Exposure
from shouxin.rules.line import Limit
from shouxin.rules.money import convert
from shouxin.rules.order_check import Facts

from .live import LiveOrders, key_of

if TYPE_CHECKING:
    from .checks import CheckRequest

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Books:
    """What the books say about the customers of a batch, by customer id; `accounts` by account id, locked."""

    accounts: Mapping[int, Account]
    trusts: Mapping[int, Trust]
    standings: Mapping[int, Bite]
    overdue: Mapping[int, Overdue]
    stages: Mapping[int, int]
    rated: Mapping[int, date]
    reservations_due: bool


class BooksAsked:
    """The questions that make up the books, asked in one pipeline; the first of them takes the locks (I-1)."""

    def __init__(
        self, customers: Iterable[Known], holders: Iterable[int], *, today: date, hold_same_name: bool
    ) -> None:
        """`holders`: other customers on whose accounts the orders stand now."""
        own = {customer.id for customer in customers}
        with_heads = own | {customer.head_id for customer in customers}
        locked = own | set(holders)
        self._replies: tuple[Reply, ...] = (  # type: ignore[type-arg]
            exposure.ask_lock(locked),
            lines.ask_trusts(with_heads, on=today),
            standing.ask_bites(own, today, hold_same_name=hold_same_name),
            owed.ask_overdue(own, today=today),
            owed.ask_stages(own),
            review.ask_rated(own),
            reservations.ask_due(locked, today=today),
        )

    def read(self) -> Books:
        """The books, once all questions have been answered."""
        return Books(*[reply.read() for reply in self._replies])


class Ledger:
    """The locked accounts of a batch, with the running exposure as its requests are decided one after another."""

    def __init__(
        self, customers: Mapping[str, Known], books: Books, live: LiveOrders, edition: Edition, today: date
    ) -> None:
        self.company_currency = edition.policy.company.currency
        self._customers, self._books = customers, books
        self._edition, self._today = edition, today
        self._account_of = {(a.customer_id, a.currency): a.id for a in books.accounts.values()}
        self._of_customer = _grouped(books.accounts.values(), lambda account: account.customer_id)
        self._of_group = _grouped(books.accounts.values(), lambda account: account.head_id)
        self._running = {pk: account.exposure for pk, account in books.accounts.items()}
        self._ordered = {
            key: [(row.account_id, row.reserved + row.undelivered) for row in rows]
            for key, rows in live.reservations.items()
        }
        self._rates: dict[tuple[str, str], Decimal | None] = {}
        self._standing_facts: dict[int, Facts] = {}

    def customer(self, code: str) -> Known | None:
        """The customer by its code, or None where nobody is known by it."""
        return self._customers.get(code)

    def account(self, customer: Known, currency: str) -> int:
        """The id of the customer's account in a currency."""
        return self._account_of[customer.id, currency]

    def holder(self, account_id: int) -> int:
        """The id of the customer whose account it is."""
        return self._books.accounts[account_id].customer_id

    def ordered(self, account_id: int) -> Decimal:
        """What is reserved and undelivered on the account at this point of the batch."""
        now = self._running[account_id]
        return now.reserved + now.undelivered

    def take_out(self, request: "CheckRequest") -> list[tuple[int, Decimal]]:
        """Leave the order's own value out of the exposure while it is asked about again; answers what was left out."""
        own = self._ordered.pop(key_of(request), []) if request.order_no else []
        for account_id, amount in own:
            self._move(account_id, -amount)
        return own

    def put_in(self, request: "CheckRequest", values: list[tuple[int, Decimal]]) -> None:
        """Count the order's value, as (account, amount), for the requests still to come."""
        if values:
            self._ordered[key_of(request)] = values
        for account_id, amount in values:
            self._move(account_id, amount)

    def _move(self, account_id: int, amount: Decimal) -> None:
        now = self._running[account_id]
        self._running[account_id] = replace(now, reserved=now.reserved + amount)

    def rate(self, currency: str, customer: Known) -> Decimal | None:
        """One unit of `currency` in the currency of the customer's line, or None where no rate is known."""
        return self._rate(currency, self.line_currency(customer))

    def line_currency(self, customer: Known) -> str:
        """The currency the customer's limit is written in."""
        return self._trust(customer.id).currency or customer.currency

    def _trust(self, customer_id: int) -> Trust:
        return self._books.trusts.get(customer_id, NOTHING)

    def _rate(self, source: str, target: str) -> Decimal | None:
        if source == target:
            return Decimal(1)
        if (source, target) not in self._rates:
            known = rates.rates([source, target], on=self._today, company_currency=self.company_currency)
            both = source in known and target in known
            self._rates[source, target] = known[source].rate / known[target].rate if both else None
        return self._rates[source, target]

    def facts(self, customer: Known | None, currency: str, released: tuple[Decimal, tuple[str, ...]] | None) -> Facts:
        """All that is true about one request's customer at this point of the batch.

        `released`: up to what amount in this currency a person has released the order, and over which reasons.
        """
        if customer is None:
            return Facts(known=False)
        target, pool_currency = self.line_currency(customer), self._trust(customer.head_id).pool_currency
        mine, group = self._of_customer.get(customer.id, ()), self._of_group.get(customer.head_id, ())
        lasting = self._standing_facts.get(customer.id) or self._lasting(customer, target)
        unknown = (
            self._missing(mine, target)
            or lasting.missing_rate
            or self._unknown(currency, target)
            or (pool_currency and (self._missing(group, pool_currency) or self._unknown(target, pool_currency)))
            or ""
        )
        if released:
            up_to, reasons = released
            up_to_in_line = self._in_line_currency(up_to, currency, target)
            lasting = replace(lasting, released_up_to=up_to_in_line, released_for=reasons)
        if unknown:
            return replace(lasting, missing_rate=unknown, group_limit=lines.UNSET)
        return replace(
            lasting,
            exposure=self._total(mine, target),
            group_exposure=self._total(group, target) if pool_currency else ZERO,
        )

    def _lasting(self, customer: Known, target: str) -> Facts:
        """What no request of the batch can change about a customer; `missing_rate` as far as its debts go."""
        pk, trust, head = customer.id, self._trust(customer.id), self._trust(customer.head_id)
        days, amount, missing = self._overdue_in(pk, target)
        graded = trust.grade is not None and trust.since is not None
        lasting = self._standing_facts[pk] = Facts(
            standing=self._books.standings[pk].standing,
            grade=trust.grade,
            limit=trust.limit,
            temporary=trust.temporary,
            line_until=trust.until,
            term_days=trust.term_days,
            discount=trust.discount,
            group_limit=self._pool_limit(head, target),
            overdue_days=days,
            overdue_amount=amount,
            dunning_stage=self._books.stages.get(pk),
            review_due_on=self._review_due(pk, trust) if graded else None,
            missing_rate=missing,
            secured=self._secured(customer, trust, target),
            parked=next((account.parked for account in self._of_customer.get(pk, ()) if account.parked), ""),
        )
        return lasting

    def _secured(self, customer: Known, trust: Trust, target: str) -> Decimal:
        """What securities add to the line; a deposit the journal sets off already is not counted again."""
        if not trust.securities:
            return ZERO
        deposits = [(a.currency, a.exposure.deposits) for a in self._of_customer.get(customer.id, ())]
        held = sum((convert(each, self._rate(code, target) or ZERO) for code, each in deposits if each), ZERO)
        return securities.cover(
            self._edition.policy, trust.securities, trust.limit, trust.grade,
            worth=lambda currency: self._rate(currency, target), deposits_held=held,
        ).amount  # fmt: skip

    def _review_due(self, pk: int, trust: Trust) -> date:
        assert trust.grade and trust.since
        return review.due(trust.grade, trust.since, self._books.rated.get(pk), policy=self._edition.policy)

    def _unknown(self, source: str, target: str) -> str:
        """The source currency where no rate to the target is known, or nothing."""
        return "" if self._rate(source, target) is not None else source

    def _pool_limit(self, head: Trust, target: str) -> Limit:
        """The group's shared limit in the customer's line currency."""
        rate = self._rate(head.pool_currency, target) if head.pool_currency else None
        if head.pool.kind != "amount" or rate is None:
            return head.pool
        return Limit("amount", convert(head.pool.amount or ZERO, rate))

    def _missing(self, accounts: Iterable[Account], target: str) -> str:
        """The first currency something stands in for which no rate to `target` is known, or nothing."""
        used = sorted(a.currency for a in accounts if self._running[a.id] != Exposure())
        return next((currency for currency in used if self._rate(currency, target) is None), "")

    def _total(self, accounts: Iterable[Account], target: str) -> Decimal:
        totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for account in accounts:
            totals[account.currency] += self._running[account.id].total
        return sum(
            (convert(total, self._rate(currency, target) or ZERO) for currency, total in totals.items() if total), ZERO
        )

    def _overdue_in(self, pk: int, target: str) -> tuple[int, Decimal, str]:
        """Oldest days overdue, the overdue sum in `target`, and a currency without a rate if there is one."""
        days, amounts = self._books.overdue.get(pk, (0, {}))
        missing = next((currency for currency in sorted(amounts) if self._rate(currency, target) is None), "")
        total = sum(
            (convert(amount, self._rate(currency, target) or ZERO) for currency, amount in amounts.items()), ZERO
        )
        return days, total, missing

    def _in_line_currency(self, amount: Decimal | None, currency: str, target: str) -> Decimal | None:
        rate = self._rate(currency, target)
        return None if amount is None or rate is None else convert(amount, rate)


def _grouped(accounts: Iterable[Account], key: Callable[[Account], int]) -> dict[int, list[Account]]:
    found: dict[int, list[Account]] = defaultdict(list)
    for account in accounts:
        found[key(account)].append(account)
    return found
