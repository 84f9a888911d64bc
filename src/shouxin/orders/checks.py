"""`decide`: may these orders ship on credit? One list, one lock, one look, the pure rule for each, one write.

Order of locks, everywhere in the house: credit accounts by id, then live orders by key, then reservations by id.
Everything that the rule is told is read after the locks are held, so no two callers see the same room twice (I-1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from shouxin.credit import reservations
from shouxin.credit.models import Reservation
from shouxin.lib import numbering
from shouxin.office import trail
from shouxin.office.models import Person, TrailEntry
from shouxin.office.policies import Edition
from shouxin.rules import order_check
from shouxin.rules.money import convert
from shouxin.rules.order_check import Asked, Decision, Facts
from shouxin.rules.policy import Discount

from . import stored
from .ledger import Ledger, Position
from .live import LiveOrders, key_of
from .models import CreditDecision, Hold

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class CheckRequest:
    """One question: may `order_no` ship to `customer` (its code) for `amount` in `currency` (None: the customer's)?

    `reserve=False` only asks: nothing is reserved and the order's live decision stays. `ship_on` later than the
    reservation's own end lets it live until that day.
    """

    customer: str
    amount: Decimal
    order_no: str = ""
    currency: str | None = None
    reserve: bool = True
    prepaid: bool = False
    ship_on: date | None = None
    expires_in_days: int | None = None
    term_days: int | None = None
    discount: Discount | None = None
    source_system: str = ""


@dataclass
class Case:
    """A request on its way to becoming a decision row."""

    request: CheckRequest
    position: Position | None
    currency: str
    line_currency: str
    amount: Decimal = ZERO
    asked: Asked = field(default_factory=lambda: Asked(ZERO))
    facts: Facts = field(default_factory=Facts)
    decision: Decision | None = None
    number: int = 0
    supersedes: int | None = None
    reservation: Reservation | None = None

    @property
    def reserves(self) -> bool:
        """Whether value has to be reserved: an approved order that is neither prepaid nor empty."""
        approved = self.decision is not None and self.decision.outcome == "approve"
        return approved and self.request.reserve and not self.request.prepaid and self.amount > 0


def decide(
    requests: Sequence[CheckRequest], *, edition: Edition, today: date, at: datetime, by: Person | None
) -> list[CreditDecision]:
    """The decisions on the requests, in their order, committed together with reservations, postings and trail.

    A request that cannot pass spoils none of its neighbours; later requests see what earlier ones have reserved.
    Raises OperationalError when the database or a lock cannot be had: the caller answers 503, never "approve" (I-7).
    """
    with transaction.atomic(durable=not _inside_a_transaction()):
        ledger = Ledger.locked(requests, edition=edition, today=today)
        live = LiveOrders.locked(requests, ledger.customer_of, today)
        reservations.expire(ledger.accounts, today=today, at=at, by=by)
        ledger.load(live, today)
        cases = [_decided(request, ledger, live, edition=edition, today=today) for request in requests]
        return _write(cases, ledger, live, edition=edition, today=today, at=at, by=by)


def _inside_a_transaction() -> bool:
    """Whether a surrounding block is already open (a batch inside an idempotent answer, a test)."""
    return transaction.get_connection().in_atomic_block


def _decided(request: CheckRequest, ledger: Ledger, live: LiveOrders, *, edition: Edition, today: date) -> Case:
    """Facts, then the rule; what is approved counts for the requests behind it."""
    position = ledger.position(request.customer)
    currency = request.currency or (position.customer.currency if position else ledger.company_currency)
    line_currency = ledger.line_currency(position) if position else currency
    case = Case(
        request,
        position,
        currency,
        line_currency,
        amount=_still_to_ship(request, live.reservations.get(key_of(request))),
    )
    before = ledger.take_out(request)
    released = live.released_up_to(request, ledger.customer_of(request.customer), currency)
    case.facts = ledger.facts(position, currency, released)
    case.asked = _asked(case, ledger)
    case.decision = order_check.check(edition.policy, case.asked, case.facts, today=today)
    if not request.reserve:
        ledger.put_in(request, before)
    elif case.reserves and position:
        ledger.put_in(request, (ledger.account(position, currency), case.amount))
    return case


def _still_to_ship(request: CheckRequest, own: Reservation | None) -> Decimal:
    """The order's amount less what of it was delivered or billed already: that part is owed, not asked for again."""
    return max(ZERO, request.amount - own.unbilled - own.billed) if own and request.amount > 0 else request.amount


def _asked(case: Case, ledger: Ledger) -> Asked:
    """The question in the line's currency."""
    request = case.request
    rate = ledger.rate(case.currency, case.position) if case.position else None
    return Asked(
        convert(case.amount, rate) if rate is not None else case.amount,
        request.prepaid,
        request.term_days,
        request.discount,
    )


def _write(
    cases: Sequence[Case],
    ledger: Ledger,
    live: LiveOrders,
    *,
    edition: Edition,
    today: date,
    at: datetime,
    by: Person | None,
) -> list[CreditDecision]:
    """All rows of the batch, each kind in one statement."""
    binding = {key_of(case.request): case for case in cases if case.request.reserve}
    replaced = [row for key, row in live.reservations.items() if key in binding]
    reservations.release(replaced, why="superseded", today=today, at=at, by=by)
    for case, number in zip(cases, numbering.ids(CreditDecision, len(cases)), strict=True):
        case.number = number
        if case.request.reserve:
            case.supersedes = live.latest(case.request)
            live.follow(case.request, number)
    _reserve([case for case in binding.values() if case.reserves], ledger, edition=edition, today=today, at=at, by=by)
    rows = CreditDecision.objects.bulk_create([_row(case, edition, today, at, by) for case in cases])
    holds = [
        Hold(decision=row, customer_id=row.customer_id, opened_at=at) for row in rows if row.reserve and releasable(row)
    ]
    Hold.objects.bulk_create(holds)
    live.settle([case.supersedes for case in cases if case.supersedes], at=at, by=by)
    trail.record_many([_line(row, by, at) for row in rows])
    return rows


def _reserve(
    winners: Sequence[Case], ledger: Ledger, *, edition: Edition, today: date, at: datetime, by: Person | None
) -> None:
    """Reservations for the approved orders; of an order asked twice in one batch, for its last request."""
    wanted = [_wanted(case, ledger, edition, today) for case in winners]
    for case, made in zip(winners, reservations.make(wanted, today=today, at=at, by=by), strict=True):
        case.reservation = made


def _wanted(case: Case, ledger: Ledger, edition: Edition, today: date) -> reservations.Wanted:
    request = case.request
    days = (
        request.expires_in_days if request.expires_in_days is not None else edition.policy.order_check.reservation_days
    )
    ends = max(today + timedelta(days=days), request.ship_on or today)
    assert case.position is not None
    account = ledger.account(case.position, case.currency)
    return reservations.Wanted(account, request.source_system, request.order_no, case.amount, ends, case.number)


def _row(case: Case, edition: Edition, today: date, at: datetime, by: Person | None) -> CreditDecision:
    request, decision = case.request, case.decision
    assert decision is not None
    return CreditDecision(
        pk=case.number,
        customer=case.position.customer if case.position else None,
        customer_code=request.customer,
        source_system=request.source_system,
        order_no=request.order_no,
        amount=request.amount,
        currency=case.currency,
        line_currency=case.line_currency,
        reserve=request.reserve,
        outcome=decision.outcome,
        reasons=stored.reasons(decision),
        request=stored.dump(case.asked),
        facts=stored.dump(case.facts),
        available_before=decision.available_before,
        available_after=decision.available_after,
        reservation=case.reservation,
        supersedes_id=case.supersedes,
        policy_version=edition.number,
        as_of=today,
        at=at,
        by=by,
    )


def _line(row: CreditDecision, by: Person | None, at: datetime) -> TrailEntry:
    codes = [reason["code"] for reason in row.reasons]
    return trail.line(
        f"check.{row.outcome}",
        about=row,
        by=by,
        at=at,
        customer=row.customer_id,
        label=row.order_no,
        amount=row.amount,
        currency=row.currency,
        reasons=codes,
    )


def releasable(row: CreditDecision) -> bool:
    """Whether a person may overrule the decision: it was blocked, and by nothing that no path releases (I-19, I-20)."""
    return row.outcome != "approve" and not order_check.NO_RELEASE.intersection(
        reason["code"] for reason in row.reasons
    )


@dataclass(frozen=True)
class Replay:
    """A past decision recomputed from what was known then, beside what was answered then."""

    outcome: str
    reasons: list[dict[str, Any]]
    same: bool


def replay(decision: CreditDecision, *, edition: Edition) -> Replay:
    """Recompute a decision from its stored facts under the edition it was taken under (I-12)."""
    asked, facts = stored.asked(decision.request), stored.facts(decision.facts)
    again = order_check.check(edition.policy, asked, facts, today=decision.as_of)
    reasons = stored.reasons(again)
    return Replay(again.outcome, reasons, (again.outcome, reasons) == (decision.outcome, decision.reasons))
