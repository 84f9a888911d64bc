"""`decide`: may these orders ship on credit? One list, one lock, one look, the pure rule for each, one write.

Order of locks, everywhere in the house: credit accounts by id, then live orders by key, then reservations by id.
Everything that the rule is told is read after the locks are held, so no two callers see the same room twice (I-1).

A batch goes to the database four times, however long it is: whom it names, what is true about them under the locks,
what was decided, commit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, reservations
from shouxin.credit.models import Reservation
from shouxin.customers import registry
from shouxin.customers.registry import Known
from shouxin.lib import numbering, statements
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved, Refusal
from shouxin.rules import order_check
from shouxin.rules.money import convert
from shouxin.rules.order_check import Asked, Decision, Facts
from shouxin.rules.policy import Discount

from . import stored, written
from .asking import seen_among
from .ledger import BooksAsked, Ledger
from .live import Key, LiveOrders, Overtaken, ask_holders, ask_live, key_of, keys_of, supersede_holds
from .models import CreditDecision

ZERO = Decimal("0.00")
BOOKS_END = Decimal(10) ** 13
"""No sum on an account or in a decision reaches it."""
BEYOND_BOOKS = _("With what stands on the account and in the line, it has more than 13 digits before the point.")
ATTEMPTS = 4


class Unopened(Exception):
    """Accounts are missing. They are opened while nothing is locked: who holds one account and waits for another to
    be opened would wait for somebody who has opened it and waits for the first.
    """

    def __init__(self, accounts: Collection[tuple[int, str]]) -> None:
        super().__init__()
        self.accounts = accounts


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


@dataclass(frozen=True)
class Question:
    """A request and who asks it."""

    request: CheckRequest
    by: Person | None


@dataclass(frozen=True)
class Moment:
    """Under which policy, on which business day, at which moment a batch is decided."""

    edition: Edition
    today: date
    at: datetime


@dataclass(slots=True)
class Case:
    """A question on its way to becoming a decision row."""

    request: CheckRequest
    by: Person | None
    number: int
    customer: Known | None
    currency: str
    line_currency: str
    amount: Decimal
    asked: Asked
    facts: Facts
    decision: Decision
    supersedes: int | None = None
    reservation: int | None = None

    @property
    def by_id(self) -> int | None:
        """The id of who asks."""
        return self.by.pk if self.by else None

    @property
    def reserves(self) -> bool:
        """Whether value has to be reserved: an approved order that is neither prepaid nor empty."""
        request = self.request
        return self.decision.outcome == "approve" and request.reserve and not request.prepaid and self.amount > 0


def decide(
    requests: Sequence[CheckRequest], *, edition: Edition, today: date, at: datetime, by: Person | None
) -> list[CreditDecision]:
    """The decisions on the requests, in their order, committed together with reservations, postings and trail.

    A request that cannot pass spoils none of its neighbours; later requests see what earlier ones have reserved.
    Raises OperationalError when the database or a lock cannot be had: the caller answers 503, never "approve" (I-7),
    Moved where an order stands for a customer whom the caller does not see (I-33), and BadForm for an amount beyond
    what the books hold; the others are decided all the same.
    """
    return all_decided(answer([Question(request, by) for request in requests], Moment(edition, today, at)))


def all_decided(answers: Iterable[CreditDecision | Refusal]) -> list[CreditDecision]:
    """The decisions; raises the first refusal among them."""
    rows = []
    for each in answers:
        if isinstance(each, Refusal):
            raise each
        rows.append(each)
    return rows


def answer(questions: Sequence[Question], moment: Moment) -> list[CreditDecision | Refusal]:
    """The same for questions of several people at once; the refusal stands in the place of what is not decided."""
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(durable=not _inside_a_transaction()):
                return _answer(questions, moment)
        except Overtaken:
            continue
        except Unopened as found:
            with transaction.atomic():
                exposure.open_accounts(found.accounts)
    raise Moved(_("The order was decided for another customer at this moment; ask again."), code="order_moved", cure="")


def _inside_a_transaction() -> bool:
    """Whether a surrounding block is already open (a batch inside an idempotent answer, a test)."""
    return transaction.get_connection().in_atomic_block


def _answer(questions: Sequence[Question], moment: Moment) -> list[CreditDecision | Refusal]:
    named = _named([question.request for question in questions])
    ledger, live = _under_locks(questions, named, moment)
    taken = _taken(questions, ledger, live, moment)
    judged = [
        _elsewhere(question, moment) if n in taken else _decided(question, number, ledger, live, moment)
        for n, (question, number) in enumerate(zip(questions, named.decision_ids, strict=True))
    ]
    cases = [each for each in judged if isinstance(each, Case)]
    rows = iter(_write(cases, named, ledger, live, moment) if cases else ())
    return [next(rows) if isinstance(each, Case) else each for each in judged]


def _taken(questions: Sequence[Question], ledger: Ledger, live: LiveOrders, moment: Moment) -> set[int]:
    """The places of questions that would take an order from a customer whom their askers do not see."""
    strangers = {}
    for n, question in enumerate(questions):
        holder = _holder(question.request, ledger, live) if question.request.reserve else None
        customer = ledger.customer(question.request.customer)
        if holder and question.by and not (customer and customer.id == holder):
            strangers[n] = question.by, holder
    seen = {
        by: seen_among({holder for other, holder in strangers.values() if other == by}, by=by, on=moment.today)
        for by in {by for by, _holder in strangers.values()}
    }
    return {n for n, (by, holder) in strangers.items() if holder not in seen[by]}


def _holder(request: CheckRequest, ledger: Ledger, live: LiveOrders) -> int | None:
    """The id of the customer for whom the order stands: by its live decision, or taken over from a file."""
    row, held = live.rows.get(key_of(request)), live.reservations.get(key_of(request))
    return (row and row.customer_id) or (held and ledger.holder(held[0].account_id)) or None


def _elsewhere(question: Question, moment: Moment) -> Moved:
    order_no = question.request.order_no
    refusal = Moved(
        _("The order number %(order)s stands for the order of another customer."),
        code="order_elsewhere",
        cure=_("Look whether the number is right, or have the credit administrator ask."),
        order=order_no,
    )
    refusal.trail_line = trail.line(
        "refuse", about="credit-check", label=order_no, by=question.by, at=moment.at, asked="check", code=refusal.code
    )
    return refusal


# --- facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """Whom and what a batch names, looked up before anything is locked, with the ids its rows will have."""

    keys: list[Key]
    customers: Mapping[str, Known]
    holders: set[int]
    decision_ids: list[int]
    reservation_ids: list[int]


def _named(requests: Sequence[CheckRequest]) -> Named:
    keys = keys_of(requests)
    with statements.pipeline():
        statements.count_on_indexes()
        customers = registry.ask_known(request.customer for request in requests)
        holders = ask_holders(keys)
        decisions = numbering.ask_ids(CreditDecision, len(requests))
        reserved = numbering.ask_ids(Reservation, sum(request.reserve for request in requests))
    return Named(keys, customers.read(), holders.read(), decisions.read(), reserved.read())


def _under_locks(questions: Sequence[Question], named: Named, moment: Moment) -> tuple[Ledger, LiveOrders]:
    """Everything the rule is told, read under the locks; again, where the first look found something to be set right.

    Raises Overtaken when an order has changed hands since the locks were chosen, Unopened where accounts are missing.
    """
    customers = named.customers
    with statements.pipeline():
        hold = moment.edition.policy.blacklist.hold_same_name
        asked = BooksAsked(customers.values(), named.holders, today=moment.today, hold_same_name=hold)
        read_live = ask_live(named.keys, today=moment.today)
    books, live = asked.read(), read_live()
    if any(row.account_id not in books.accounts for rows in live.reservations.values() for row in rows):
        raise Overtaken
    missing = _accounts_of(questions, customers) - {(a.customer_id, a.currency) for a in books.accounts.values()}
    if missing:
        raise Unopened(missing)
    if books.reservations_due:
        reservations.expire(books.accounts, today=moment.today, at=moment.at, by=questions[0].by)
        return _under_locks(questions, named, moment)
    return Ledger(customers, books, live, moment.edition, moment.today), live


def _accounts_of(questions: Sequence[Question], customers: Mapping[str, Known]) -> set[tuple[int, str]]:
    """(customer id, currency) of the accounts on which the orders would stand."""
    named = [(customers.get(question.request.customer), question.request.currency) for question in questions]
    return {(customer.id, currency or customer.currency) for customer, currency in named if customer}


# --- rule ----------------------------------------------------------------------------------------


def _decided(question: Question, number: int, ledger: Ledger, live: LiveOrders, moment: Moment) -> Case | BadForm:
    """The rule on one question; what is approved counts for the requests behind it.

    What of the order was delivered or billed to this customer already is owed, and not asked for again. What the books
    could not hold is refused, and the order stands as it stood.
    """
    request, customer = question.request, ledger.customer(question.request.customer)
    currency = request.currency or (customer.currency if customer else ledger.company_currency)
    shipped = live.shipped_on(request, ledger.account(customer, currency) if customer else None)
    amount = max(ZERO, request.amount - shipped) if request.amount > 0 else request.amount
    before = ledger.take_out(request)
    facts = ledger.facts(customer, currency, live.released(request, customer and customer.id, currency, shipped))
    asked = _asked(request, amount, ledger.rate(currency, customer) if customer else None)
    decision = order_check.check(moment.edition.policy, asked, facts, today=moment.today)
    line_currency = ledger.line_currency(customer) if customer else currency
    case = Case(
        request, question.by, number, customer, currency, line_currency, amount, asked, facts, decision
    )  # fmt: skip
    refused = _beyond_books(case, ledger)
    if refused or not request.reserve:
        ledger.put_in(request, before)
        return refused or case
    if request.order_no:
        case.supersedes = live.follow(key_of(request), number)
    if case.reserves and customer:
        ledger.put_in(request, [(ledger.account(customer, currency), amount)])
    return case


def _beyond_books(case: Case, ledger: Ledger) -> BadForm | None:
    """The refusal of an amount with which the line's room or the account would be too large to be written down."""
    sums = [case.decision.available_before, case.decision.available_after]
    if case.reserves and case.customer:
        sums.append(ledger.ordered(ledger.account(case.customer, case.currency)) + case.amount)
    if all(each is None or abs(each) < BOOKS_END for each in sums):
        return None
    return BadForm([("amount", BEYOND_BOOKS)])


def _asked(request: CheckRequest, amount: Decimal, rate: Decimal | None) -> Asked:
    """The question in the line's currency."""
    measured = amount if rate is None or rate == 1 else convert(amount, rate)
    return Asked(measured, request.prepaid, request.term_days, request.discount)


# --- effects -------------------------------------------------------------------------------------


def _write(
    cases: Sequence[Case], named: Named, ledger: Ledger, live: LiveOrders, moment: Moment
) -> list[CreditDecision]:
    """All rows of the batch, each kind in one statement, all statements in one go."""
    last = {key_of(case.request): case for case in cases if case.request.reserve}
    with statements.pipeline():
        for key in last.keys() & live.reservations.keys():
            replaced, by = live.reservations[key], last[key].by
            reservations.release(replaced, why="superseded", today=moment.today, at=moment.at, by=by)
        _reserve([case for case in cases if case.reserves and live.stands(case)], named, ledger, moment)
        rows = written.decisions(cases, moment)
        begun = live.settle({key: case.customer and case.customer.id for key, case in last.items()})
        supersede_holds({case.supersedes: case.by_id for case in cases if case.supersedes}, at=moment.at)
    begun()
    return rows


def _reserve(winners: Sequence[Case], named: Named, ledger: Ledger, moment: Moment) -> None:
    """Reservations for the approved orders; of an order asked twice in one batch, for its last request."""
    keys = named.reservation_ids[: len(winners)]
    wanted = [_wanted(case, ledger, moment) for case in winners]
    reservations.make_under(keys, wanted, today=moment.today, at=moment.at, by=None)
    for case, key in zip(winners, keys, strict=True):
        case.reservation = key


def _wanted(case: Case, ledger: Ledger, moment: Moment) -> reservations.Wanted:
    request, days = case.request, case.request.expires_in_days
    if days is None:
        days = moment.edition.policy.order_check.reservation_days
    ends = max(moment.today + timedelta(days=days), request.ship_on or moment.today)
    assert case.customer is not None
    return reservations.Wanted(
        ledger.account(case.customer, case.currency),
        request.source_system,
        request.order_no,
        case.amount,
        ends,
        case.number,
        by_id=case.by_id,
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
