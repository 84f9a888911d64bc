"""Where customers stand with us today, for lists and files: line, exposure, room, what is overdue. Set-based."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from shouxin.credit import exposure, lines, securities
from shouxin.credit.lines import InForce
from shouxin.customers import standing
from shouxin.customers.models import Customer
from shouxin.customers.standing import Bite
from shouxin.office import rates
from shouxin.receivables import owed
from shouxin.rules.exposure import Exposure
from shouxin.rules.line import Limit, room
from shouxin.rules.money import convert
from shouxin.rules.policy import Policy
from shouxin.rules.securities import NO_COVER, Cover, raised

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Position:
    """One customer on one day. Amounts in `currency`, that of its line.

    `missing` names a currency that could not be converted for want of a rate; amounts in it are then left out of
    exposure and overdue, and no room is claimed.
    """

    customer: Customer
    held: InForce
    currency: str
    exposure: Exposure
    overdue: Decimal
    oldest_days: int
    bite: Bite
    expired: bool
    missing: str = ""
    cover: Cover = NO_COVER

    @property
    def used(self) -> Decimal:
        """What counts against the line."""
        return self.exposure.total

    @property
    def standing(self) -> str:
        """The standing that bites (I-20)."""
        return self.bite.standing

    @property
    def grade(self) -> str:
        """The grade the line was given under, "" where there is none."""
        return self.held.grade or ""

    @property
    def limit(self) -> Limit:
        """The line's limit with the temporary limits of the day and what securities add on top."""
        return raised(self.held.limit, self.held.temporary_limit, self.cover.amount)

    @property
    def available(self) -> Limit:
        """What is left: nothing of an expired line but its temporary limits, nothing where a rate is missing."""
        if self.missing:
            return Limit.unset()
        limit = Limit.of(self.held.temporary_limit) if self.expired else self.limit
        return room(limit, self.used)

    @property
    def share(self) -> Decimal | None:
        """Used to limit as a fraction of one; None where there is no bound above 0."""
        bound = self.limit.bound
        return self.used / bound if bound else None

    @property
    def over(self) -> bool:
        """Whether more is used than the limit holds; equal is within it, and where no line was set nothing is."""
        return self.limit.kind != "unlimited" and self.used > (self.limit.bound or ZERO)


def positions(customers: Iterable[Customer], *, policy: Policy, on: date, overdue: bool = True) -> dict[int, Position]:
    """Customer id -> position, in about nine queries for any number of customers. `overdue`: whether to read it, for
    the largest customers have thousands of items; unread it is 0."""
    customers = list(customers)
    ids = [each.pk for each in customers]
    held, bites = lines.in_force(ids, on=on), standing.bites(ids, on)
    accounts, late = exposure.exposures(ids), owed.overdue_of(ids, today=on) if overdue else {}
    used = {currency for found in accounts.values() for currency in found}
    used |= {each.line.currency for each in held.values() if each.line} | {each.currency for each in customers}
    known = rates.rates(used, on=on, company_currency=policy.company.currency)
    worth = {currency: found.rate for currency, found in known.items()}
    covered = securities.covers(held, accounts, policy=policy, on=on)
    return {
        each.pk: _position(
            each,
            held[each.pk],
            accounts.get(each.pk, {}),
            late.get(each.pk, (0, {})),
            bites[each.pk],
            worth,
            on - timedelta(days=policy.order_check.line_grace_days),
            covered.get(each.pk, NO_COVER),
        )
        for each in customers
    }


def _position(
    customer: Customer,
    held: InForce,
    accounts: Mapping[str, Exposure],
    overdue: tuple[int, Mapping[str, Decimal]],
    bite: Bite,
    worth: Mapping[str, Decimal],
    expired_before: date,
    cover: Cover,
) -> Position:
    target = held.line.currency if held.line else customer.currency
    missing = sorted(code for code in {*accounts, *overdue[1]} if code != target and not {code, target} <= worth.keys())
    measured = [_in(each, code, target, worth) for code, each in accounts.items() if code not in missing]
    return Position(
        customer=customer,
        held=held,
        currency=target,
        exposure=sum(measured, Exposure()),
        overdue=sum(
            (convert(amount, _rate(code, target, worth)) for code, amount in overdue[1].items() if code not in missing),
            ZERO,
        ),
        oldest_days=overdue[0],
        bite=bite,
        expired=bool(held.line and held.line.until and held.line.until < expired_before),
        missing=missing[0] if missing else "",
        cover=cover,
    )


def _in(exposure: Exposure, source: str, target: str, worth: Mapping[str, Decimal]) -> Exposure:
    return exposure if source == target else exposure.converted(_rate(source, target, worth))


def _rate(source: str, target: str, worth: Mapping[str, Decimal]) -> Decimal:
    return Decimal(1) if source == target else worth[source] / worth[target]
