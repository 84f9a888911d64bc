"""What the daily run is told: whom it concerns, and everything true about a batch of customers, set-based."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import F, Max, Q

from shouxin.credit import lines, review, securities
from shouxin.credit.models import Line, Security
from shouxin.customers import standing
from shouxin.customers.models import Customer, Fact, Standing
from shouxin.office import posts, rates
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.receivables import owed
from shouxin.receivables.bulk import UNDATED_PREFIX
from shouxin.receivables.models import Contest, Episode, Instalment, Invoice, Match, Receipt
from shouxin.rules.aging import OpenItem
from shouxin.rules.daily import CustomerFacts, Held, Letters, Memory
from shouxin.rules.days import add_months
from shouxin.rules.policy import Grade, Policy

from .models import Notice, Task

ZERO = Decimal(0)
LOOKED_AT = ("line_expiring", "review_due", "security_ending")
LANGUAGE_FACT = "letter_language"
"""The fact that says in which language a customer wants its letters: `en`; anything else, and none, is Chinese."""


@dataclass
class Known:
    """One customer as the run finds it. `ends_on`: when the line runs out; `review_on`: when the review is due."""

    customer: Customer
    items: list[OpenItem] = field(default_factory=list)
    line: Line | None = None
    review_on: date | None = None
    ending: list[Security] = field(default_factory=list)
    episode: Episode | None = None
    facts: CustomerFacts = field(default_factory=CustomerFacts)
    tasks: dict[str, Task] = field(default_factory=dict)
    done: set[tuple[str, date]] = field(default_factory=set)
    language: str = "zh-hans"


def concerned(*, as_of: date, policy: Policy) -> list[int]:
    """The ids of all customers of whom the day might want something, in order: something is overdue or falls due soon,
    an episode or a task is open, a late payment came in today, a line or a security ends or a review falls due."""
    found = _owing(as_of, policy) | _paid_late(as_of)
    found |= set(Episode.objects.filter(ended_on=None).values_list("customer", flat=True))
    found |= set(Task.objects.filter(status="open").values_list("customer", flat=True))
    restricted = Customer.objects.filter(restricted_on__isnull=False).values_list("pk", flat=True)
    found |= set(securities.ending(policy=policy, on=as_of).values_list("customer", flat=True))
    return sorted((found | _lines_to_look_at(as_of, policy)) - set(restricted))


def _owing(as_of: date, policy: Policy) -> set[int]:
    """Who has an instalment open that is overdue, or near enough to its due date for the first stage."""
    first = min(stage.overdue_days_min for stage in policy.dunning.stages)
    horizon = as_of + timedelta(days=max(0, -first))
    still_open = ~Q(settled=F("amount")) | Q(settled_on__gt=as_of)
    due = Q(due_on__lte=horizon) | Q(due_on=None, invoice__dated_on__lte=horizon)
    rows = Instalment.objects.filter(still_open, due, amount__gt=0, invoice__dated_on__lte=as_of)
    return set(rows.order_by().values_list("customer", flat=True).distinct())


def _paid_late(as_of: date) -> set[int]:
    late = Q(instalment__due_on__lt=as_of) | Q(instalment__due_on=None, instalment__invoice__dated_on__lt=as_of)
    rows = Match.objects.filter(late, on=as_of, receipt__received_on=as_of)
    return set(rows.order_by().values_list("instalment__customer", flat=True).distinct())


def _lines_to_look_at(as_of: date, policy: Policy) -> set[int]:
    """Whose line in force runs out about now, or was given long enough ago for a review to be due."""
    notice_days = notice_days_max(policy)
    begun = Line.objects.filter(since__lte=as_of, temporary=False, pool=False)
    latest = begun.order_by("customer", "-since", "-pk").distinct("customer")
    months = {grade.value: terms.review_months for grade, terms in policy.grades.items()}
    return {
        customer
        for customer, grade, since, until in latest.values_list("customer", "grade", "since", "until")
        if (until and abs((until - as_of).days) <= notice_days) or (grade and add_months(since, months[grade]) <= as_of)
    }


def notice_days_max(policy: Policy) -> int:
    """How many days ahead the end of a line is announced (and for how long it stays on the list after it)."""
    return max(policy.lines.expiry_notice_days, default=0)


def load(customers: Collection[int], *, as_of: date, edition: Edition) -> dict[int, Known]:
    """Customer id -> everything known of it at the close of the day; a dozen queries for any number of customers."""
    rows = Customer.objects.filter(pk__in=customers).select_related("salesperson").order_by("pk")
    known = {row.pk: Known(row) for row in rows}
    for item in owed.open_items(known, as_of=as_of):
        known[int(item.customer)].items.append(item)
    _load_lines(known, as_of, edition)
    _load_tasks(known)
    for pk, value in _languages(known, as_of).items():
        known[pk].language = value
    _load_facts(known, as_of, edition)
    return known


def _load_lines(known: dict[int, Known], as_of: date, edition: Edition) -> None:
    held = lines.in_force(known, on=as_of)
    reviews = review.due_on(held, known, policy=edition.policy)
    for pk, each in known.items():
        each.line, each.review_on = held[pk].line, reviews.get(pk)
    for row in securities.ending(policy=edition.policy, on=as_of).filter(customer__in=known):
        known[row.customer_id].ending.append(row)


def _load_tasks(known: dict[int, Known]) -> None:
    for task in Task.objects.filter(customer__in=known, status="open"):
        known[task.customer_id].tasks[task.kind] = task
    done = Task.objects.filter(customer__in=known, status="done", kind__in=LOOKED_AT)
    for customer, kind, due_on in done.values_list("customer", "kind", "due_on"):
        known[customer].done.add((kind, due_on))


def _languages(customers: Iterable[int], as_of: date) -> dict[int, str]:
    rows = Fact.objects.filter(customer__in=list(customers), key=LANGUAGE_FACT, as_of__lte=as_of)
    latest = rows.order_by("customer", "-as_of", "-id").distinct("customer").values_list("customer", "value")
    return {customer: "en" for customer, value in latest if value == "en"}


def _load_facts(known: dict[int, Known], as_of: date, edition: Edition) -> None:
    policy = edition.policy
    currencies = {item.currency for each in known.values() for item in each.items}
    found = rates.rates(currencies, on=as_of, company_currency=policy.company.currency)
    worth = {currency: rate.rate for currency, rate in found.items()}
    standings, letters, marks = _standings(known), _letters(known, as_of), _marks(known)
    running = {row.customer_id: row for row in Episode.objects.filter(customer__in=known, ended_on=None)}
    late = late_payments(known, as_of=as_of, months=policy.downgrade.late_payments_months)
    before = late_payments(known, as_of=as_of - timedelta(days=1), months=policy.downgrade.late_payments_months)
    for pk, each in known.items():
        each.episode = running.get(pk)
        each.facts = CustomerFacts(
            items=tuple(each.items),
            rates=worth,
            grade=Grade(each.line.grade) if each.line and each.line.grade else None,
            standing=standings.get(pk, Held()),
            episode=_memory(each.episode) if each.episode else None,
            late_mark=marks.get(pk, False),
            letters=letters.get(pk, Letters()),
            late_payments=late.get(pk, 0),
            late_payments_before=before.get(pk, 0),
        )


def _memory(row: Episode) -> Memory:
    baseline = Grade(row.baseline_grade) if row.baseline_grade else None
    return Memory(row.stage, baseline, row.rung_days, row.late_count_applied)


def _marks(customers: Iterable[int]) -> dict[int, bool]:
    """What the last episode that has ended remembered of late payments."""
    rows = Episode.objects.filter(customer__in=list(customers), ended_on__isnull=False)
    latest = rows.order_by("customer", "-ended_on", "-id").distinct("customer")
    return dict(latest.values_list("customer", "late_count_applied"))


def _standings(customers: Iterable[int]) -> dict[int, Held]:
    """The newest standing of all, not that of the day: a day caught up must not undo what people decided since."""
    found = standing.rows_of(list(customers), date.max)
    system = posts.system().pk
    by_people = Standing.objects.filter(customer__in=list(found)).exclude(_by_round(system))
    last = dict(by_people.order_by("customer", "-id").distinct("customer").values_list("customer", "standing"))
    return {
        pk: Held(row.standing, row.by_id == system and row.policy_version is not None, last.get(pk, "good"))
        for pk, row in found.items()
    }


def _by_round(system: int) -> Q:
    """What the run itself set: by the built-in person, under an edition of the policy."""
    return Q(by=system, policy_version__isnull=False)


def _letters(customers: Collection[int], as_of: date) -> dict[int, Letters]:
    """The letters written before: the stage in the running episode, the last day of all, the due dates reminded of."""
    rows = Notice.objects.filter(customer__in=customers, day__as_of__lte=as_of).order_by()
    last_on = dict(rows.values_list("customer").annotate(last=Max("day__as_of")))
    running = rows.filter(episode__ended_on=None, episode__isnull=False)
    stages = dict(running.values_list("customer").annotate(last=Max("stage")))
    reminded: dict[int, set[date]] = defaultdict(set)
    recent = rows.filter(episode=None, day__as_of__gte=as_of - timedelta(days=60))
    for customer, items in recent.values_list("customer", "items"):
        reminded[customer] |= {date.fromisoformat(item["due_on"]) for item in items}
    return {pk: Letters(stages.get(pk), day, frozenset(reminded.get(pk, ()))) for pk, day in last_on.items()}


_LATE_PAYMENTS = """
SELECT customer_id, count(*) FROM (
    SELECT DISTINCT i.customer_id, i.id
    FROM {match} m
    JOIN {instalment} i ON i.id = m.instalment_id
    JOIN {invoice} v ON v.id = i.invoice_id
    JOIN {receipt} r ON r.id = m.receipt_id
    WHERE i.customer_id = ANY(%(customers)s) AND i.amount > 0 AND m."on" <= %(as_of)s
      AND r.received_on > %(since)s AND r.received_on <= %(as_of)s
      AND r.received_on > COALESCE(i.due_on, v.dated_on) AND NOT starts_with(r.doc_no, %(undated)s)
      AND NOT EXISTS (SELECT 1 FROM {contest} c WHERE c.instalment_id = i.id AND c.since <= %(as_of)s)
    GROUP BY i.customer_id, i.id, r.id
    HAVING NOT sum(m.amount) = 0
) AS late GROUP BY customer_id
"""
_TABLES = {model.__name__.lower(): model._meta.db_table for model in (Instalment, Invoice, Match, Contest, Receipt)}


def late_payments(customers: Iterable[int], *, as_of: date, months: int) -> dict[int, int]:
    """Customer id -> how many instalments were paid late in so many months before the day, counted in the database.

    The same count as `rules.payment_record` gives: contested instalments and payments of unknown day are left out.
    """
    params = {
        "customers": list(customers),
        "as_of": as_of,
        "since": add_months(as_of, -months),
        "undated": UNDATED_PREFIX,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LATE_PAYMENTS.format(**_TABLES), params)
        return dict(cursor.fetchall())


def contacts(policy: Policy, *, on: date) -> dict[str, Person]:
    """Post -> who answers for it: the first of its holders; posts nobody holds are left out."""
    owners = {stage.owner for stage in policy.dunning.stages}
    held = {post.value: posts.holders(post, on=on) for post in sorted(owners)}
    return {post: people[0] for post, people in held.items() if people}
