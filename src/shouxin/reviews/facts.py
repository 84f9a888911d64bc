"""One customer's year, as the annual review reads and tells it (B2.4): trade, use of the line, payment, what changed.

Everything is read set-based, a chunk of customers at a time, at the close of the campaign's last day; what a customer
is trusted with and where it stands is read as of today, for today something is proposed. Sums over several currencies
are made in the company's at the last day's rates and told in the line's own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from shouxin.credit import exposure, lines, securities
from shouxin.credit.models import Line, Rating
from shouxin.credit.ratings import RatedCustomer
from shouxin.customers import standing, statements
from shouxin.customers.models import Customer, Fact, FactMark, Standing
from shouxin.office.models import TrailEntry
from shouxin.office.policies import Edition
from shouxin.receivables import owed, ratings
from shouxin.rules.annual_review import Terms, Year, propose
from shouxin.rules.days import add_months
from shouxin.rules.figures import simple_dso
from shouxin.rules.line import Limit
from shouxin.rules.line_use import Extra, Granted, LineUse, line_use
from shouxin.rules.money import convert, round_down_to, round_half_up
from shouxin.rules.payment_record import PaymentRecord, payment_record
from shouxin.rules.policy import Grade, Policy

from .found import Balance, Found, Happened, Payment, PointsMoved, Score, Secured
from .models import Campaign

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
MORE_MAX = 20
"""So many happenings of a kind stand in a report, the latest ones."""
OUTSIDE = ("qualification", "reputation", "litigation", "tax", "payment", "banks")
"""The parts of the dossier that tell how others see the customer."""


@dataclass(frozen=True)
class Worth:
    """What is added up over customers, in the company's currency."""

    sales: Decimal = ZERO
    owed: Decimal = ZERO
    overdue: Decimal = ZERO
    aged: Decimal = ZERO


@dataclass(frozen=True)
class Known:
    """One customer as the review found it. `missing`: currencies for want of whose rate nothing is measured."""

    customer: Customer
    line: Line
    found: Found
    worth: Worth
    rated: RatedCustomer | None
    missing: tuple[str, ...] = ()


def concerned(last: date) -> Any:
    """Every customer with a line that had begun by the last day; one that has run out wants a review all the more."""
    begun = Line.objects.filter(customer=OuterRef("pk"), since__lte=last, temporary=False, pool=False)
    return Customer.objects.filter(Exists(begun), restricted_on=None).order_by("pk")


def load(chunk: Collection[int], campaign: Campaign, *, edition: Edition, today: date) -> dict[int, Known]:
    """Customer id -> what was found, in a number of queries that does not grow with the chunk."""
    ids, policy = sorted(chunk), edition.policy
    worth = ratings.known_rates(policy, campaign.last)
    rows, unmeasured = ratings.read(ids, as_of=campaign.last, known_rate=worth)
    rated = {each.customer.pk: ratings.rate_known(each, policy=policy, as_of=campaign.last) for each in rows}
    customers = Customer.objects.in_bulk(ids)
    beside = _beside(customers, campaign, worth, today)
    histories = {each.customer.pk: each.history for each in rows}
    return {
        pk: _known(customer, campaign, policy, beside, rated.get(pk), histories.get(pk), unmeasured.get(pk, []))
        for pk, customer in customers.items()
        if beside.held[pk].line
    }


# --- what is read beside the ledger ---------------------------------------------------------------


@dataclass(frozen=True)
class _Beside:
    """What is known of a chunk beside its payments; by customer id. `worth`: one unit in the company's currency."""

    worth: Mapping[str, Decimal]
    held: Mapping[int, lines.InForce]
    standing: Mapping[int, str]
    counted: Mapping[int, Mapping[date, Decimal]]
    lines: Mapping[int, list[Line]]
    before: Mapping[int, Rating]
    balances: Mapping[int, tuple[Balance, ...]]
    outside: Mapping[int, tuple[Happened, ...]]
    standings: Mapping[int, tuple[Happened, ...]]
    changes: Mapping[int, tuple[Happened, ...]]
    securities: Mapping[int, tuple[Secured, ...]]


def _beside(
    customers: Mapping[int, Customer], campaign: Campaign, worth: Mapping[str, Decimal], today: date
) -> _Beside:
    ids, first, last = list(customers), campaign.first, campaign.last
    earlier = Rating.objects.filter(customer__in=ids, as_of__lt=first).order_by("customer", "-as_of", "-pk")
    return _Beside(
        worth=worth,
        held=lines.in_force(ids, on=today),
        standing=standing.effective(customers.values(), today),
        counted=_counted(ids, last, worth),
        lines=_lines(ids, last),
        before={row.customer_id: row for row in earlier.distinct("customer")},
        balances=_balances(ids, last),
        outside=_outside(ids, first, last),
        standings=_grouped(
            (row.customer_id, Happened(row.since, row.standing, row.why))
            for row in Standing.objects.filter(customer__in=ids, since__range=(first, last)).order_by("pk")
        ),
        changes=_changes(ids, first, last),
        securities={
            pk: tuple(Secured(row.kind, row.document, row.value, row.currency, row.until) for row in found)
            for pk, found in securities.in_force(ids, on=last).items()
        },
    )


def _counted(ids: list[int], last: date, worth: Mapping[str, Decimal]) -> dict[int, dict[date, Decimal]]:
    """What the journal counted against each customer, as changes by day in the company's currency."""
    found: dict[int, dict[date, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for customer, currency, day, amount in exposure.daily_changes(ids, until=last):
        if currency in worth:
            found[customer][day] += convert(amount, worth[currency])
    return found


def _lines(ids: list[int], last: date) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(customer__in=ids, since__lte=last, pool=False).order_by("since", "pk"):
        found[line.customer_id].append(line)
    return found


def _balances(ids: list[int], last: date) -> dict[int, tuple[Balance, ...]]:
    shown = ("revenue", "net_profit", "total_assets", "net_worth", "operating_cash_flow")
    read = ("debt_to_assets", "current_ratio", "z3")
    return {
        pk: tuple(
            Balance(day, {key: _number(figures[key].value if key in figures else None) for key in shown}
                    | {key: _number(said[key].value if key in said else None) for key in read})
            for day, figures, said in years
        )
        for pk, years in statements.years_of_many(ids, last).items()
    }  # fmt: skip


def _number(value: Any) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _outside(ids: list[int], first: date, last: date) -> dict[int, tuple[Happened, ...]]:
    marked = FactMark.objects.filter(fact=OuterRef("pk"))
    rows = (
        Fact.objects.filter(~Exists(marked.filter(kind="wrong")), customer__in=ids, as_of__range=(first, last))
        .filter(subject__in=OUTSIDE)
        .annotate(ended=Exists(marked))
        .order_by("as_of", "pk")
    )
    return _grouped((row.customer_id, Happened(row.as_of, row.key, _said(row.value), row.ended)) for row in rows)


def _said(value: Any) -> str:
    """A fact's value as text: what people noted is a word, a number, or yes or no."""
    bare = value.get("value") if isinstance(value, dict) else value
    return str(bare).lower() if isinstance(bare, bool) else "" if bare is None else str(bare)


def _changes(ids: list[int], first: date, last: date) -> dict[int, tuple[Happened, ...]]:
    """The particulars changed in the year, by name alone: what they were is the customer file's to show."""
    rows = TrailEntry.objects.filter(
        customer_id__in=ids, verb="change_customer", at__date__gte=first, at__date__lte=last
    ).order_by("pk")
    return _grouped(
        (row.customer_id or 0, Happened(timezone.localdate(row.at), name))
        for row in rows
        for name in (row.particulars.get("changes") or {})
    )


def _grouped(rows: Iterable[tuple[int, Happened]]) -> dict[int, tuple[Happened, ...]]:
    """By customer, the latest few of each."""
    found: dict[int, list[Happened]] = defaultdict(list)
    for customer, each in rows:
        found[customer].append(each)
    return {customer: tuple(each[-MORE_MAX:]) for customer, each in found.items()}


# --- one customer ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measured:
    """The year in figures, in the company's currency; `rate`: what one unit of the line's is worth in it."""

    rate: Decimal
    worth: Worth
    sales_before: Decimal
    record: PaymentRecord
    of_year: PaymentRecord
    use: LineUse

    def own(self, amount: Decimal) -> Decimal:
        """An amount in the line's currency."""
        return amount if self.rate == 1 else round_half_up(amount / self.rate)


def _known(
    customer: Customer,
    campaign: Campaign,
    policy: Policy,
    beside: _Beside,
    rated: RatedCustomer | None,
    history: owed.History | None,
    missing: Iterable[str],
) -> Known:
    """The year of one customer, in its line's currency, with what is proposed."""
    pk, line = customer.pk, beside.held[customer.pk].line
    assert line is not None
    rate = beside.worth.get(line.currency)
    lacking = tuple(sorted({*missing, *([line.currency] if rate is None else [])}))
    if lacking or rate is None or history is None:
        rated, history, rate = None, owed.History(), Decimal(1)
    measured = _measured(pk, history, rate, policy, beside, campaign)
    year = _year(line, beside.standing.get(pk, "good"), _suggested(rated, rate, policy), measured)
    found = Found(
        currency=line.currency,
        year=year,
        proposal=propose(policy, year),
        peak_on=measured.use.peak_on,
        payment=_payment(measured, (campaign.last - campaign.first).days + 1),
        score=_score(rated, beside.before.get(pk)),
        balances=beside.balances.get(pk, ()),
        outside=beside.outside.get(pk, ()),
        standings=beside.standings.get(pk, ()),
        lines=_begun(beside.lines.get(pk, []), campaign),
        changes=beside.changes.get(pk, ()),
        securities=beside.securities.get(pk, ()),
    )
    return Known(customer, line, found, measured.worth, rated, lacking)


def _measured(
    pk: int, history: owed.History, rate: Decimal, policy: Policy, beside: _Beside, campaign: Campaign
) -> _Measured:
    first, last = campaign.first, campaign.last
    record = ratings.record_of(history, policy, last)
    of_year = payment_record(
        as_of=last,
        settled=[row for row in history.settled if row.due_on >= first],
        open_items=history.open_items,
        late_payments_months=12,
        overdue_amount_min=policy.downgrade.amount_min,
    )
    aged = [
        max(ZERO, item.uncontested) for item in history.open_items if item.overdue_days(last) > policy.figures.year_days
    ]
    sales, sales_before = _sold(history, first, last), _sold(history, add_months(first, -12), add_months(last, -12))
    worth = Worth(sales, record.owing.open_amount, record.owing.overdue_amount, sum(aged, ZERO))
    use = _use(history, beside.counted.get(pk, {}), beside.lines.get(pk, []), beside.worth, campaign)
    return _Measured(rate, worth, sales_before, record, of_year, use)


def _sold(history: owed.History, first: date, last: date) -> Decimal:
    return sum((paper.amount for paper in history.invoices if first <= paper.on <= last), ZERO)


def _use(
    history: owed.History,
    counted: Mapping[date, Decimal],
    held: Iterable[Line],
    worth: Mapping[str, Decimal],
    campaign: Campaign,
) -> LineUse:
    """How the line was used, in the company's currency."""
    debt: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for paper in history.invoices:
        debt[paper.on] += paper.amount
    for paper in history.receipts:
        debt[paper.on] -= paper.amount
    granted, extras = [], []
    for line in held:
        bound, rate = Limit(line.limit_kind, line.limit).bound, worth.get(line.currency)
        bound = convert(bound, rate) if bound is not None and rate else None
        if line.temporary:
            extras.append(Extra(line.since, line.until, bound or ZERO))
        else:
            granted.append(Granted(line.since, bound))
    return line_use(campaign.first, campaign.last, debt, counted, granted, extras)


def _suggested(rated: RatedCustomer | None, rate: Decimal, policy: Policy) -> Terms | None:
    """What the rating suggests, in the line's currency."""
    if rated is None:
        return None
    said = rated.rated.suggestion
    limit = said.limit
    if limit.amount is not None and rate != 1:
        limit = Limit.of(round_down_to(limit.amount / rate, policy.limits.round_down_to or CENT))
    return Terms(rated.rated.grading.grade, limit, said.term_days, said.discount)


def _year(line: Line, stands: str, suggested: Terms | None, measured: _Measured) -> Year:
    """The facts the rule reads. A line without a grade is taken to be of the rating's, or of the worst one."""
    grade = Grade(line.grade) if line.grade else suggested.grade if suggested else Grade.D
    paid = measured.of_year.punctuality
    return Year(
        held=Terms(grade, Limit(line.limit_kind, line.limit), line.term_days, lines.discount_of(line)),
        rated=suggested,
        standing=stands,
        months=measured.record.trade.months_as_customer or 0,
        sales=measured.own(measured.worth.sales),
        sales_before=measured.own(measured.sales_before),
        peak_use=measured.own(measured.use.peak),
        mean_use=measured.own(measured.use.mean),
        times_over=measured.use.days_over,
        on_time_share=paid.on_time_share,
        max_days_late=paid.max_days_late or 0,
        overdue=measured.own(measured.worth.overdue),
    )


def _payment(measured: _Measured, days: int) -> Payment:
    paid, worth = measured.of_year.punctuality, measured.worth
    return Payment(
        on_time_by_count=paid.on_time_share_by_count,
        mean_days_late=paid.mean_days_late,
        late_payments=measured.of_year.late_payments,
        invoices=measured.record.trade.invoices_12_months,
        owed=measured.own(worth.owed),
        contested=measured.own(measured.record.owing.contested_amount),
        days_sales=simple_dso(worth.owed, worth.sales, days).value,
        aged=measured.own(worth.aged),
    )


def _score(rated: RatedCustomer | None, before: Rating | None) -> Score:
    """The sheet of the last day beside the last one from before the year, question by question."""
    earlier = {each["fact"]: Decimal(each["points"]) for each in _answers(before)}
    now = {each.fact: each.points for each in rated.rated.sheet.answers} if rated else {}
    return Score(
        points=rated.rated.sheet.points if rated else None,
        before=before.score if before else None,
        coverage=rated.rated.sheet.coverage if rated else None,
        before_on=before.as_of if before else None,
        answers=tuple(PointsMoved(key, earlier.get(key), now.get(key)) for key in dict.fromkeys([*now, *earlier])),
    )


def _answers(rating: Rating | None) -> list[dict[str, Any]]:
    return list(rating.sheet["sheet"]["answers"]) if rating else []


def _begun(held: Iterable[Line], campaign: Campaign) -> tuple[Happened, ...]:
    """The lines that began within the year: cause, and grade with limit."""
    begun = [line for line in held if line.since >= campaign.first]
    return tuple(Happened(line.since, line.cause, f"{line.grade} · {lines.label(line)}") for line in begun[-MORE_MAX:])
