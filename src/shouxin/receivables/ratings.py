"""Rating customers: their facts and payment record, through the rules, to a kept score sheet and suggested line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from shouxin.credit import grade_reviews, lines, ratings
from shouxin.credit.models import Rating
from shouxin.credit.ratings import RatedCustomer
from shouxin.customers import facts
from shouxin.customers.models import Customer
from shouxin.office import posts, rates
from shouxin.office.models import ExchangeRate, Person
from shouxin.office.policies import Edition
from shouxin.rules import rating
from shouxin.rules.days import add_months
from shouxin.rules.payment_record import PaymentRecord, payment_record
from shouxin.rules.policy import Grade, Policy, Post
from shouxin.rules.regrading import Regrading, regrading
from shouxin.rules.scorecard import Fact

from . import owed

CHUNK = 500
RATERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)


@dataclass
class Ratings:
    """What came of a run: the customers rated, the kept rows, and whom no rate let us measure (id -> currencies)."""

    rated: list[RatedCustomer] = field(default_factory=list)
    kept: list[Rating] = field(default_factory=list)
    unmeasured: dict[int, list[str]] = field(default_factory=dict)

    def __add__(self, other: "Ratings") -> "Ratings":
        return Ratings(self.rated + other.rated, self.kept + other.kept, self.unmeasured | other.unmeasured)


@dataclass(frozen=True, slots=True)
class Known:
    """All that a rating of a customer reads, in the company's currency."""

    customer: Customer
    facts: dict[str, Fact]
    history: owed.History
    previous: Grade | None


def rate(
    customers: Iterable[int], *, as_of: date, edition: Edition, by: Person, on: date, at: datetime, keep: bool = True
) -> Ratings:
    """Rate customers as of a day; with `keep`, write the ratings (B2.1, C3.4). For as many as fit into memory.

    Customers who trade in a currency without a rate are answered in `unmeasured`, never rated on half their ledger.
    """
    done = Ratings()
    for each in rate_in_chunks(customers, as_of=as_of, edition=edition, by=by, on=on, at=at, keep=keep):
        done = done + each
    return done


def rate_in_chunks(
    customers: Iterable[int], *, as_of: date, edition: Edition, by: Person, on: date, at: datetime, keep: bool = True
) -> Iterator[Ratings]:
    """The same a few hundred at a time, each chunk committed and handed out before the next is read."""
    if not posts.is_system(by):
        posts.require(by, *RATERS, on=on, about="rating", verb="rate", at=at)
    known_rate = known_rates(edition.policy, as_of)
    for chunk in in_chunks(sorted(set(customers))):
        known, unmeasured = read(chunk, as_of=as_of, known_rate=known_rate)
        rated = [rate_known(each, policy=edition.policy, as_of=as_of) for each in known]
        kept: list[Rating] = []
        if keep:
            with transaction.atomic():
                kept = ratings.keep(rated, as_of=as_of, edition=edition, by=by, at=at)
        yield Ratings(rated, kept, unmeasured)


def what_if(customers: Iterable[int], *, as_of: date, old: Policy, new: Policy) -> Iterator[tuple[Customer, Regrading]]:
    """What another policy would make of customers as they are known on a day; nothing is written."""
    known_rate = known_rates(old, as_of)
    for chunk in in_chunks(sorted(set(customers))):
        for each in read(chunk, as_of=as_of, known_rate=known_rate)[0]:
            before, after = (rate_known(each, policy=policy, as_of=as_of).rated for policy in (old, new))
            yield each.customer, regrading(old, new, before, after)


LINES_HEADING = ("customer_code", "grade", "limit", "currency", "term_days", "since", "until", "reason")


def suggested_lines(rows: Iterable[Rating], *, months: int) -> Iterator[tuple[object, ...]]:
    """Kept ratings as rows of a file of lines under LINES_HEADING, in force from the day rated for so many months.

    Whoever imports the file signs the lines (I-15). A natural person whose grade nobody has confirmed is left out.
    """
    for row in rows:
        graded = grade_reviews.bites(row)
        if graded is None:
            continue
        limit = f"{graded.limit:.2f}" if graded.limit is not None else "0"
        until = add_months(row.as_of, months)
        why = f"rated {row.as_of}: {row.score} points"
        yield row.customer.code, graded.grade, limit, row.currency, graded.term_days, row.as_of, until, why


def in_chunks(customers: list[int]) -> Iterator[list[int]]:
    """The ids a chunk at a time, so that memory stays flat."""
    for start in range(0, len(customers), CHUNK):
        yield customers[start : start + CHUNK]


def read(chunk: list[int], *, as_of: date, known_rate: dict[str, Decimal]) -> tuple[list[Known], dict[int, list[str]]]:
    """What is known of a chunk of customers, in a handful of queries; and those whom no rate lets us measure."""
    rows = Customer.objects.filter(restricted_on=None).in_bulk(chunk)
    histories = owed.settled_history(chunk, as_of=as_of, rates=known_rate)
    known, held = facts.latest(chunk, as_of), lines.in_force(chunk, on=as_of)
    unmeasured = {pk: sorted(histories[pk].missing_rates) for pk in rows if histories[pk].missing_rates}
    found = [
        Known(customer, registry_facts(customer, as_of) | known.get(pk, {}), histories[pk], held[pk].grade)
        for pk, customer in rows.items()
        if pk not in unmeasured
    ]
    return found, unmeasured


def rate_known(known: Known, *, policy: Policy, as_of: date) -> RatedCustomer:
    """The rule asked about one customer."""
    record = record_of(known.history, policy, as_of)
    rated = rating.rate(policy, known.facts, record, previous=known.previous, today=as_of)
    return RatedCustomer(known.customer, record, rated)


def known_rates(policy: Policy, on: date) -> dict[str, Decimal]:
    """Currency -> what one unit is worth in the company's currency on the day, for every currency that has a rate."""
    company = policy.company.currency
    currencies = {company, *ExchangeRate.objects.values_list("currency", flat=True).distinct()}
    return {code: found.rate for code, found in rates.rates(currencies, on=on, company_currency=company).items()}


def record_of(history: owed.History, policy: Policy, as_of: date) -> PaymentRecord:
    """The payment record by the policy's windows."""
    return payment_record(
        as_of=as_of,
        settled=history.settled,
        open_items=history.open_items,
        invoices=history.invoices,
        receipts=history.receipts,
        late_payments_months=policy.downgrade.late_payments_months,
        overdue_amount_min=policy.downgrade.amount_min,
        months=max(policy.limits.sales_months, len(policy.limits.collection_weights)),
    )


def registry_facts(customer: Customer, as_of: date) -> dict[str, Fact]:
    """What the registry itself says: years in business and paid-in capital (not the capital merely subscribed)."""
    found = {}
    if customer.founded_on:
        years = Decimal((as_of - customer.founded_on).days) / Decimal("365.25")
        found["years_in_business"] = Fact("years_in_business", round(years, 2), as_of, "registry")
    if customer.paid_in_capital is not None:
        found["paid_in_capital"] = Fact("paid_in_capital", customer.paid_in_capital, as_of, "registry")
    return found
