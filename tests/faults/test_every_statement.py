"""Each money verb, broken off behind its first, second, … last statement: no half effect, and asking again works (T4).

The statement is carried out, then fails: what it wrote must go with everything before it. What the whole database holds
is compared table by table, so that nothing can be forgotten.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from shouxin.collection.models import CustomerDay, Day, Notice
from shouxin.config import fingerprint
from shouxin.credit import exposure, line_requests
from shouxin.credit.models import Line, LineRequest, Reservation
from shouxin.office import clock, policies
from shouxin.orders import checks, fulfilment, holds
from shouxin.orders.checks import CheckRequest
from shouxin.orders.models import Hold
from shouxin.receivables import invoices, proof, receipts
from shouxin.receivables.models import Invoice, Receipt
from shouxin.rules.exposure import Bucket, Movement
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade
from tests.collection import world
from tests.people import TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-9", "T4")]
D = Decimal
TABLES = (
    "collection_",
    "credit_",
    "customers_",
    "office_",
    "orders_",
    "receivables_",
    "lib_series",
    "procrastinate_jobs",
)
FRAME = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
"""Not counted: here they stand for BEGIN and COMMIT, which belong to nobody's half."""
Verb = Callable[[], object]


class Cut(OperationalError):
    """The line is dead behind this statement."""


class CutBehind:
    """Lets statements pass until the n-th has been carried out, then fails, once."""

    def __init__(self, number: int) -> None:
        self.left, self.happened = number, False

    def __call__(self, execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        answer = execute(statement, parameters, many, context)
        self.left -= not str(statement).startswith(FRAME)
        if self.left == 0 and not self.happened:
            self.happened = True
            raise Cut(statement[:60])
        return answer


def everything() -> dict[str, Any]:
    """What every table of the business holds."""
    with connection.cursor() as cursor:
        cursor.execute(fingerprint.TABLES)
        tables = [(name, key) for name, key in cursor.fetchall() if name.startswith(TABLES)]
        return {name: fingerprint._of(cursor, name, key) for name, key in tables}


def broken_off_everywhere(verb: Verb) -> int:
    """Break the verb off behind each of its statements, then let it pass; answers how many it has."""
    before = everything()
    for number in range(1, 400):
        cut = CutBehind(number)
        with connection.execute_wrapper(cut), contextlib.suppress(Cut):
            verb()
        if not cut.happened:
            assert everything() != before, "the verb has an effect once it is let through"
            assert not proof.differences()
            return number - 1
        assert fingerprint.unlike(before, everything()) == [], f"half an effect behind statement {number}"
        assert not proof.differences()
    raise AssertionError("it never ends")


def acts(by: str = "cy") -> dict[str, Any]:
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def acting(by: str = "cy") -> dict[str, Any]:
    return acts(by) | {"edition": policies.in_force(TODAY)}


def decide(amount: str = "600.00", order: str = "SO-1") -> Any:
    return checks.decide([CheckRequest("C001", D(amount), order)], **acting("bo"))[0]


def reserved() -> Reservation:
    decide()
    return Reservation.objects.get()


def issued(doc_no: str = "S-1", amount: str = "1000.00") -> Invoice:
    fields = {"dated_on": date(2026, 10, 1), "due_on": date(2026, 10, 31)}
    return invoices.issue(acme(), doc_no=doc_no, amount=D(amount), **fields, **acts("fi"))


def taken(*, match: bool = False) -> Receipt:
    return receipts.take(acme(), doc_no="B-1", amount=D(700), received_on=TODAY, match=match, **acts("fi"))


def deciding() -> Verb:
    exposure.open_accounts([(acme().pk, "CNY")])  # done before and apart: an empty account is no effect
    return lambda: decide()


def deciding_again() -> Verb:
    decide()
    return lambda: decide("900.00")


def delivering() -> Verb:
    row = reserved()
    return lambda: fulfilment.deliver(row, D(250), **acts("ann"))


def billing() -> Verb:
    row = fulfilment.deliver(reserved(), None, **acts("ann"))
    return lambda: fulfilment.bill(row, D(400), **acts("fi"))


def cancelling() -> Verb:
    row = reserved()
    return lambda: fulfilment.cancel(row, D(100), **acts("ann"))


def extending() -> Verb:
    row = reserved()
    return lambda: fulfilment.extend(row, TODAY + timedelta(days=60), **acts("cy"))


def expiring() -> Verb:
    reserved()
    late = TODAY + timedelta(days=90)
    request = CheckRequest("C001", D(100), "SO-2")
    return lambda: checks.decide(
        [request], edition=policies.in_force(late), today=late, at=clock.now(), by=member("bo")
    )


def releasing() -> Verb:
    assert decide("20000.00").outcome == "hold"
    hold = Hold.objects.get()
    return lambda: holds.release(hold, reason="paid tomorrow", **acting("cy"))


def rejecting() -> Verb:
    decide("20000.00")
    hold = Hold.objects.get()
    return lambda: holds.reject(hold, reason="no", **acts("cy"))


def issuing() -> Verb:
    return lambda: issued()


def receiving() -> Verb:
    issued()
    return lambda: taken(match=True)


def matching() -> Verb:
    issued()
    money = taken()
    return lambda: receipts.match(money, **acts("fi"))


def reversing_an_invoice() -> Verb:
    invoice = issued()
    taken(match=True)
    return lambda: invoices.reverse(invoice, why="typing error", **acts("fi"))


def reversing_a_receipt() -> Verb:
    issued()
    money = taken(match=True)
    return lambda: receipts.reverse(money, why="bounced", **acts("fi"))


def contesting() -> Verb:
    invoice = issued()
    return lambda: invoices.contest(invoice, why="damaged", amount=D(300), **acts("fi"))


def crediting() -> Verb:
    issued()
    note = issued("G-1", "-200.00")
    return lambda: invoices.apply_credit(note, **acts("fi"))


def approving_a_line() -> Verb:
    terms = line_requests.LineTerms(limit=Limit.of(D(90000)), currency="CNY", term_days=30, grade=Grade.B)
    line_requests.ask(acme(), terms, reason="season", **acting("ann"))
    request = LineRequest.objects.get()
    return lambda: line_requests.approve(request, version=request.version, **acting("cy"))


VERBS: list[Callable[[], Verb]] = [
    deciding, deciding_again, delivering, billing, cancelling, extending, expiring, releasing, rejecting, issuing,
    receiving, matching, reversing_an_invoice, reversing_a_receipt, contesting, crediting, approving_a_line,
]  # fmt: skip


@pytest.fixture
def open_for_business(db: None) -> None:
    policies.ensure()
    customer = acme()
    Line.objects.create(
        customer=customer, grade="B", limit_kind="amount", limit=D(10000), currency="CNY", term_days=30,
        since=TODAY - timedelta(days=10), until=TODAY + timedelta(days=300), why="test", cause="request",
        policy_version=1, at=clock.now(),
    )  # fmt: skip
    for name in ("ann", "bo", "cy", "fi"):
        member(name)


@pytest.mark.parametrize("prepared", VERBS, ids=lambda verb: verb.__name__)
def test_broken_off_behind_every_statement(prepared: Callable[[], Verb], open_for_business: None) -> None:
    assert broken_off_everywhere(prepared()) >= 3


def test_without_its_transaction_a_verb_leaves_half_an_effect(open_for_business: None) -> None:
    """The control: a posting without a transaction around it writes the journal, and the balance is never moved."""
    entry = exposure.Entry(reserved().account_id, Movement(None, Bucket.UNBILLED, D(5)), "control:1")
    with pytest.raises(AssertionError, match="half an effect behind statement 1"):
        broken_off_everywhere(lambda: exposure.post([entry], on=TODAY, at=clock.now(), by=None))


# --- the daily run: it commits batch by batch, so what is left is finished by the next run ----------


@contextlib.contextmanager
def another_world() -> Iterator[None]:
    """Whatever happens inside is forgotten."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def what_came_of_it() -> dict[str, Any]:
    return {
        "letters": sorted(Notice.objects.values_list("customer", "stage", "day__as_of")),
        "lines": sorted(Line.objects.values_list("customer", "grade", "since")),
        "days": sorted(Day.objects.values_list("as_of", "status")),
        "customers": sorted(CustomerDay.objects.values_list("customer", "day__as_of")),
        "proof": proof.differences(),
    }


@pytest.mark.invariant("I-26", "T20")
def test_a_daily_run_broken_off_anywhere_is_finished_once() -> None:
    policies.ensure()
    world.line("B")
    world.owe()
    as_of = world.after(95)
    with another_world():
        world.run(as_of)
        wanted = what_came_of_it()
    assert len(wanted["letters"]) == 1 and any(grade != "B" for _pk, grade, _since in wanted["lines"])
    number, cuts = 1, 0
    while True:
        cut = CutBehind(number)
        with another_world():
            with connection.execute_wrapper(cut), contextlib.suppress(Cut, TransactionManagementError):
                world.run(as_of)
            transaction.set_rollback(False)  # what stands by itself was committed; the run dies behind it
            connection.cursor().execute("SELECT pg_advisory_unlock_all()")
            again = world.run(as_of)
            assert again.status == "done", (number, again.faults)
            assert what_came_of_it() == wanted, number
        if not cut.happened:
            break
        number, cuts = number + 1, cuts + 1
    assert cuts > 20
