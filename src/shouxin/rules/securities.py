"""What secures a customer's debts and how far it raises the line (B2.1, domain 1.4(7)); guarantee periods (Civil Code).

A security counts with the share of its value that the policy gives to its kind, after the claims that rank before
ours; all of them together raise a line no further than the policy's cap. A deposit that the journal of exposure holds
already lowers the debt there and is not counted a second time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .days import add_months
from .flow import flow, step
from .line import Limit
from .money import convert, round_down_to
from .policy import Grade, Policy, Post, SecurityKind

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
GUARANTEE_MONTHS = 6
"""The guarantee period where none was validly agreed, in months from the debt's due day (Civil Code art. 692)."""
GUARANTEES: frozenset[SecurityKind] = frozenset({"joint_guarantee", "general_guarantee"})

ASKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
SIGNERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
VOIDERS = (Post.CREDIT_ADMINISTRATOR, *SIGNERS)

FLOW = flow(
    "security",
    "proposed",
    (
        step("approve", "proposed", "active", *SIGNERS),
        step("decline", "proposed", "declined", *SIGNERS),
        step("withdraw", "proposed", "withdrawn", *ASKERS),
        step("release", "active", "released", *SIGNERS),
        step("void", "active", "void", *VOIDERS),
        step("replace", "active", "replaced", *SIGNERS),
        step("expire", "active", "expired"),
    ),
)
"""`release` gives back what is no longer needed; `void`: it turned out worthless; `replace` goes with an approval."""


@dataclass(frozen=True)
class Security:
    """One security in force: its value less the claims before ours, in its own currency."""

    kind: SecurityKind
    value: Decimal
    currency: str


@dataclass(frozen=True)
class Cover:
    """How far securities raise a line, in its currency. `counted`: before the cap; `missing`: currencies without a
    rate, whose securities count for nothing until there is one."""

    amount: Decimal = ZERO
    counted: Decimal = ZERO
    missing: tuple[str, ...] = ()

    @property
    def capped(self) -> bool:
        """Whether the policy's cap cut something off."""
        return self.amount < self.counted


NO_COVER = Cover()


def cover(
    policy: Policy,
    securities: Iterable[Security],
    limit: Limit,
    grade: Grade | None,
    *,
    worth: Callable[[str], Decimal | None],
    deposits_held: Decimal = ZERO,
) -> Cover:
    """How far the securities raise a limit; only a limit that is an amount, of a grade the policy raises, is raised.

    `worth` answers what one unit of a currency is in the limit's own. `deposits_held`: what of the deposits the
    journal of exposure already sets off, in the limit's currency.
    """
    securities = tuple(securities)
    if not securities or limit.kind != "amount" or grade not in policy.securities.grades:
        return NO_COVER
    rates = {each.currency: worth(each.currency) for each in securities}
    missing = tuple(sorted(currency for currency, rate in rates.items() if rate is None))
    deposits = others = ZERO
    for each in securities:
        rate = rates[each.currency]
        part = ZERO if rate is None else counted(policy, each, rate)
        deposits, others = (deposits + part, others) if each.kind == "deposit" else (deposits, others + part)
    total = others + max(ZERO, deposits - deposits_held)
    return Cover(min(total, raise_max(policy, limit, worth)), total, missing)


def counted(policy: Policy, security: Security, rate: Decimal) -> Decimal:
    """What one security counts for in the limit's currency: never more than its own value, rounded down to cents."""
    share = policy.securities.shares[security.kind]
    return round_down_to(convert(max(ZERO, security.value), rate) * share, CENT)


def raise_max(policy: Policy, limit: Limit, worth: Callable[[str], Decimal | None]) -> Decimal:
    """The most that securities may add to a limit; nothing where the cap cannot be measured for want of a rate."""
    most = round_down_to((limit.amount or ZERO) * policy.securities.raise_share_max, CENT)
    if policy.securities.raise_max is None:
        return most
    rate = worth(policy.company.currency)
    return ZERO if rate is None else min(most, convert(policy.securities.raise_max, rate))


def raised(limit: Limit, temporary: Decimal, secured: Decimal) -> Limit:
    """The limit with the temporary limits of the day and what securities add; securities raise amounts alone."""
    extra = temporary + (secured if limit.kind == "amount" else ZERO)
    if limit.kind == "unlimited" or not extra:
        return limit
    return Limit.of((limit.bound or ZERO) + extra)


def claim_until(debt_due_on: date, agreed_until: date | None = None) -> date:
    """The last day to claim from a guarantor (Civil Code art. 692): a joint one by demand, a general one by suit.

    A period agreed to end with the debt's due day or before it counts as none agreed: six months then.
    """
    if agreed_until is not None and agreed_until > debt_due_on:
        return agreed_until
    return add_months(debt_due_on, GUARANTEE_MONTHS)


def claim_lost(debt_due_on: date, agreed_until: date | None, on: date) -> bool:
    """Whether the guarantee period has run out: without a claim in time the guarantor owes nothing (art. 693)."""
    return on > claim_until(debt_due_on, agreed_until)
