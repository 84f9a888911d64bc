"""May this order ship on credit? Every reason that fails, with what was measured, what is allowed, what would cure it.

The order of the reasons is that of the published reason codes. All amounts are in the line's currency.
An exposure equal to the limit passes; one cent more does not (domain 1.2).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from . import terms
from .days import later
from .line import Limit
from .policy import Discount, Grade, Policy, Severity
from .securities import raised

ZERO = Decimal("0.00")
UNSET = Limit.unset()
Measure = Decimal | int | str | date | None
Outcome = Literal["approve", "hold", "decline"]


@dataclass(frozen=True)
class Asked:
    """What is asked: ship goods for `amount`. None for term or discount means: as the line says."""

    amount: Decimal
    prepaid: bool = False
    term_days: int | None = None
    discount: Discount | None = None


@dataclass(frozen=True)
class Facts:
    """All that is true at the moment of the decision, as plain values; stored with it, so it can be replayed (I-12).

    `exposure` and `group_exposure` leave out what this very order has reserved before. `overdue_amount` and
    `overdue_days` leave out contested parts. `missing_rate` and `parked` say why no answer could be trusted.
    """

    known: bool = True
    standing: str = "good"
    grade: Grade | None = None
    limit: Limit = UNSET
    temporary: Decimal = ZERO
    line_until: date | None = None
    term_days: int = 0
    discount: Discount | None = None
    exposure: Decimal = ZERO
    group_limit: Limit = UNSET
    group_exposure: Decimal = ZERO
    overdue_days: int = 0
    overdue_amount: Decimal = ZERO
    dunning_stage: int | None = None
    review_due_on: date | None = None
    contract_stopped: str = ""
    missing_rate: str = ""
    parked: str = ""
    released_up_to: Decimal | None = None
    released_for: tuple[str, ...] | None = None
    """The reasons that were before whoever released the order; None in decisions of the time before they were kept."""
    secured: Decimal = ZERO
    """What securities add to the line, after shares and cap (B2.1)."""


@dataclass(frozen=True)
class Cure:
    """One thing that would let the order pass: a code, with the amount or the day where there is one."""

    code: str
    value: Measure = None


@dataclass(frozen=True)
class Reason:
    """A check that failed. `released` marks one that a person with authority has overruled."""

    code: str
    severity: Severity | Literal["released"]
    measured: Measure
    allowed: Measure
    cures: tuple[Cure, ...]
    secured: Decimal = ZERO
    """How much of what is allowed securities have added."""


@dataclass(frozen=True)
class Decision:
    """The answer. `available_*` is the room left in the line; None is unlimited, or no line to measure."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    available_before: Decimal | None
    available_after: Decimal | None


@dataclass(frozen=True)
class Failed:
    """A failed check before it is weighed."""

    measured: Measure
    allowed: Measure
    cures: tuple[Cure, ...]
    secured: Decimal = ZERO


@dataclass(frozen=True)
class Case:
    """One question before the rule: what is asked, what is true, the book, the day."""

    policy: Policy
    asked: Asked
    facts: Facts
    today: date

    @property
    def limit_total(self) -> Limit:
        """The line's limit with the temporary limits of the day and what securities add on top."""
        return raised(self.facts.limit, self.facts.temporary, self.facts.secured)

    @property
    def expired(self) -> bool:
        """Whether the line has run out, days of grace included."""
        until, grace = self.facts.line_until, self.policy.order_check.line_grace_days
        return until is not None and self.today > later(until, grace)


def standing(*standings: str, cure: str) -> Callable[[Case], Failed | None]:
    """A check that fails for customers in one of the standings."""

    def check(case: Case) -> Failed | None:
        return Failed(case.facts.standing, "good", (Cure(cure),)) if case.facts.standing in standings else None

    return check


def cash_only(case: Case) -> Failed | None:
    """The customer pays before delivery: by standing, or because its line is 'no credit' (B2.5)."""
    no_credit = case.facts.limit.kind == "none" and not case.facts.temporary
    if case.facts.standing == "cash_only" or no_credit:
        return Failed(case.facts.standing if not no_credit else ZERO, "prepaid", (Cure("prepay", case.asked.amount),))
    return None


def no_line(case: Case) -> Failed | None:
    """Nothing has been decided yet about trusting this customer (B2.1)."""
    if case.facts.limit.kind != "unset" or case.facts.temporary:
        return None
    return Failed(None, None, (Cure("request_line", case.asked.amount), Cure("prepay", case.asked.amount)))


def line_expired(case: Case) -> Failed | None:
    """The line ran until a day that has passed."""
    if case.facts.limit.kind == "unset" or not case.expired:
        return None
    return Failed(case.today, case.facts.line_until, (Cure("renew_line"), Cure("prepay", case.asked.amount)))


def exceeded(limit: Limit, exposure: Decimal, amount: Decimal) -> Failed | None:
    """Exposure with this order above the limit; what would cure it is a payment, a smaller order, a higher line."""
    if limit.kind in ("unset", "unlimited"):
        return None
    allowed = limit.amount or ZERO
    excess = exposure + amount - allowed
    if excess <= 0:
        return None
    room = allowed - exposure
    smaller = (Cure("reduce_to", room),) if room > 0 else ()
    return Failed(exposure + amount, allowed, (Cure("pay", excess), *smaller, Cure("raise_line", exposure + amount)))


def limit_exceeded(case: Case) -> Failed | None:
    """The customer's own line would not hold the order."""
    failed = None if case.expired else exceeded(case.limit_total, case.facts.exposure, case.asked.amount)
    return replace(failed, secured=case.facts.secured) if failed else None


def group_limit_exceeded(case: Case) -> Failed | None:
    """The pool the customer's group shares would not hold the order (I-6)."""
    return exceeded(case.facts.group_limit, case.facts.group_exposure, case.asked.amount)


def overdue_days(case: Case) -> Failed | None:
    """An uncontested item is overdue for longer than the customer's grade allows; small residues hold nothing."""
    facts, grade = case.facts, case.facts.grade or Grade.D
    allowed = case.policy.grades[grade].overdue_days_max
    if facts.overdue_amount <= case.policy.order_check.overdue_amount_min or facts.overdue_days <= allowed:
        return None
    return Failed(facts.overdue_days, allowed, (Cure("pay_overdue", facts.overdue_amount),))


def overdue_amount(case: Case) -> Failed | None:
    """More is overdue in sum than the policy bears, however young it is."""
    allowed = case.policy.order_check.overdue_amount_max
    if allowed is None or case.facts.overdue_amount <= allowed:
        return None
    return Failed(case.facts.overdue_amount, allowed, (Cure("pay_overdue", case.facts.overdue_amount - allowed),))


def dunning_level(case: Case) -> Failed | None:
    """Dunning has gone further than the stage up to which we go on supplying."""
    stage, allowed = case.facts.dunning_stage, case.policy.order_check.dunning_stage_max
    if stage is None or stage <= allowed:
        return None
    return Failed(stage, allowed, (Cure("pay_overdue", case.facts.overdue_amount),))


def document_too_large(case: Case) -> Failed | None:
    """A single order larger than the customer's grade may place."""
    grade = case.facts.grade
    allowed = case.policy.grades[grade].document_max if grade else None
    if allowed is None or case.asked.amount <= allowed:
        return None
    smaller = (Cure("reduce_to", allowed),) if allowed else ()
    return Failed(case.asked.amount, allowed, (*smaller, Cure("prepay", case.asked.amount)))


def terms_loosened(case: Case) -> Failed | None:
    """The order asks for a longer term or a larger cash discount than the line grants (B2.1)."""
    asked, facts = case.asked, case.facts
    if terms.loosened(facts.term_days, None, asked.term_days, None):
        return Failed(asked.term_days, facts.term_days, (Cure("term_to", facts.term_days),))
    if terms.discount_loosened(facts.discount, asked.discount):
        return Failed(shown(asked.discount), shown(facts.discount), (Cure("discount_to", shown(facts.discount)),))
    return None


def shown(discount: Discount | None) -> str:
    """A cash discount as traders write it: 2/10 is two per cent within ten days; 0 is none."""
    return f"{discount.percent.normalize():f}/{discount.days}" if discount else "0"


def review_overdue(case: Case) -> Failed | None:
    """The customer's periodic review should have been done by now (B2.4)."""
    due, grace = case.facts.review_due_on, case.policy.order_check.review_grace_days
    if due is None or case.today <= later(due, grace):
        return None
    return Failed(case.today, due, (Cure("review"),))


def flag(field: str, cure: str) -> Callable[[Case], Failed | None]:
    """A check that fails when the fact says anything at all."""

    def check(case: Case) -> Failed | None:
        word = getattr(case.facts, field)
        return Failed(word, None, (Cure(cure),)) if word else None

    return check


def unknown_customer(case: Case) -> Failed | None:
    """Nobody by this code is in the registry."""
    return None if case.facts.known else Failed(None, None, (Cure("register"),))


CHECKS: tuple[tuple[str, Callable[[Case], Failed | None]], ...] = (
    ("blacklisted", standing("blacklisted", cure="appeal")),
    ("suspended", standing("suspended", cure="lift_suspension")),
    ("stopped", standing("stopped", cure="lift_stop")),
    ("cash_only", cash_only),
    ("no_line", no_line),
    ("line_expired", line_expired),
    ("limit_exceeded", limit_exceeded),
    ("group_limit_exceeded", group_limit_exceeded),
    ("overdue_days", overdue_days),
    ("overdue_amount", overdue_amount),
    ("dunning_level", dunning_level),
    ("document_too_large", document_too_large),
    ("terms_loosened", terms_loosened),
    ("review_overdue", review_overdue),
    ("contract_stopped", flag("contract_stopped", "resume_contract")),
    ("unknown_customer", unknown_customer),
    ("currency_unknown", flag("missing_rate", "put_rate")),
    ("proof_failed", flag("parked", "mend_account")),
)
"""The published reason codes with their checks, in their order."""

BEYOND_CREDIT = frozenset({"blacklisted", "suspended", "unknown_customer"})
"""Reasons that bite even when the goods are paid for in advance: with these customers no business is done."""

NO_RELEASE = frozenset({"blacklisted", "suspended", "unknown_customer", "currency_unknown", "proof_failed"})
"""Reasons no person may overrule: forbidden customers, and questions that cannot be answered (I-7, I-20)."""

UNMEASURABLE = frozenset({"limit_exceeded", "group_limit_exceeded", "overdue_amount", "document_too_large"})
"""Checks on amounts, left out where a missing exchange rate leaves the amounts unknown."""


def failures(case: Case) -> Iterator[tuple[str, Failed]]:
    """The checks that fail and matter, in order."""
    carries_risk = case.asked.amount > 0 and not case.asked.prepaid
    for code, check in CHECKS:
        if not case.facts.known and code != "unknown_customer":
            continue
        if not carries_risk and code not in BEYOND_CREDIT:
            continue
        if case.facts.missing_rate and code in UNMEASURABLE:
            continue
        if failed := check(case):
            yield code, failed


def weigh(case: Case, code: str, failed: Failed) -> Reason:
    """A failed check with its severity: the policy's, unless a release in force covers the order and this reason."""
    severity = "released" if _covered(case, code) else case.policy.severity(code, case.facts.grade)
    return Reason(code, severity, failed.measured, failed.allowed, failed.cures, failed.secured)


def _covered(case: Case, code: str) -> bool:
    """Whether a release covers this reason: what came up after it was signed, nobody has overruled (I-19)."""
    up_to, seen = case.facts.released_up_to, case.facts.released_for
    return (
        up_to is not None and case.asked.amount <= up_to and code not in NO_RELEASE and (seen is None or code in seen)
    )


def overruled(
    severities: Mapping[str, str], then: Asked, term_days: int | None, discount: Discount | None
) -> tuple[str, ...]:
    """Of the reasons that were before whoever released an order, those she has overruled for it as it is asked now.

    `severities`: code -> severity of the decision she saw. Other terms than those asked for then are nobody's word.
    """
    held = {code for code, severity in severities.items() if severity in ("hold", "released")}
    same = (term_days, discount) == (then.term_days, then.discount)
    return tuple(sorted(held if same else held - {"terms_loosened"}))


def available(case: Case) -> Decimal | None:
    """Room left in the line before this order: never below zero; None where there is no line or no bound."""
    limit = case.limit_total
    if case.facts.missing_rate or limit.kind in ("unset", "unlimited"):
        return None
    return max(ZERO, (ZERO if case.expired else limit.amount or ZERO) - case.facts.exposure)


def check(policy: Policy, asked: Asked, facts: Facts, *, today: date) -> Decision:
    """The decision on one order, with all its reasons (clauses A11, B2.1, B2.5; I-1, I-12)."""
    case = Case(policy, asked, facts, today)
    reasons = tuple(weigh(case, code, failed) for code, failed in failures(case))
    severities = {reason.severity for reason in reasons}
    outcome: Outcome = "decline" if "decline" in severities else "hold" if "hold" in severities else "approve"
    before = available(case)
    used = outcome == "approve" and not asked.prepaid
    after = before if before is None or not used else max(ZERO, before - asked.amount)
    return Decision(outcome, reasons, before, after)


def with_release(facts: Facts, up_to: Decimal, seen: Collection[str] | None = None) -> Facts:
    """The same facts once somebody with authority has released the order up to an amount, over the reasons she saw."""
    return replace(facts, released_up_to=up_to, released_for=None if seen is None else tuple(sorted(seen)))
