"""What the database adds up is what the rule adds up, to the cent: any papers, any day, any grouping."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings

from shouxin.credit.models import Line
from shouxin.office.models import Person
from shouxin.receivables import aged, aging, owed
from shouxin.receivables.models import Contest, Instalment, Match, Receipt
from shouxin.rules import aging as rule
from shouxin.rules.aging import Aged, OpenItem
from tests.people import TODAY, acme

from .test_bulk import invoice, post, receipt, take
from .test_conservation import DAY, Books, Numbers, beginning, steps

pytestmark = pytest.mark.django_db
UP_TO = (7, 30, 60)
D = Decimal


class Portfolio(Books):
    """Three customers' ledgers: two of one industry, one without salesperson, industry and line."""

    def __init__(self, di: Person) -> None:
        super().__init__()
        bare = acme(code="C002", name="乙", salesperson=None, industry="")
        self.customers = [acme(), bare, acme(code="C003", name="丙", salesperson=di, industry="G")]
        for owner, grade in ((self.customers[0], "B"), (self.customers[2], "A")):
            Line.objects.create(
                customer=owner, grade=grade, limit_kind="none", currency="CNY", term_days=30, since=date(2026, 1, 1),
                cause="import", why="x", policy_version=1, at=timezone.now(),
            )  # fmt: skip

    def do(self, verb: str, numbers: Numbers) -> None:
        self.customer = self.customers[numbers[1] % 3]
        super().do(verb, numbers)

    def key(self, by: str, item: OpenItem) -> str:
        """The group of an item, from the customers as they were made."""
        [owner] = (each for each in self.customers if each.pk == int(item.customer))
        if by == "grade":
            return {"C001": "B", "C003": "A"}.get(owner.code, "")
        values = {"customer": owner.pk, "industry": owner.industry, "sales": owner.salesperson_id}
        return str(values[by] or "")


def by_the_rows(day: date) -> Iterator[OpenItem]:
    """The open items of a day from the rows themselves, without a query that knows the rule."""
    matches = list(Match.objects.all())
    contests = [c for c in Contest.objects.all() if c.since <= day and not (c.settled_on and c.settled_on <= day)]
    for part in Instalment.objects.select_related("invoice"):
        settled = [(m.on, m.amount) for m in matches if m.instalment_id == part.pk]
        settled += [(m.on, -m.amount) for m in matches if m.credit_id == part.pk]
        left = rule.open_on(part.amount, settled, as_of=day)
        paper, contested = part.invoice, sum((c.amount for c in contests if c.instalment_id == part.pk), D(0))
        if left and paper.dated_on <= day:
            yield OpenItem(str(part.customer_id), paper.doc_no, part.number, part.due_on, paper.dated_on, left,
                           paper.currency, contested)  # fmt: skip
    yield from owed._unapplied(_moneys(matches, day))


def _moneys(matches: list[Match], day: date) -> Iterator[Any]:
    for each in Receipt.objects.filter(received_on__lte=day).order_by("account", "received_on", "pk"):
        applied = [(m.on, m.amount) for m in matches if m.receipt_id == each.pk]
        if left := rule.open_on(each.amount, applied, as_of=day):
            facts = (each.doc_no, each.received_on, left, each.currency, each.pk, each.reverses_id)
            yield (each.account_id, each.customer_id, *facts)


def told(by: str, day: date, basis: rule.Basis) -> dict[str, dict[str, Aged]]:
    """The database's sheets in the rule's form."""
    groups, _totals, counts = aged.sheets(None, as_of=day, up_to=UP_TO, by=by, basis=basis, rows_max=None)
    found: dict[str, dict[str, Aged]] = defaultdict(dict)
    for currency, rows in groups.items():
        assert counts[currency] == len(rows)
        for key, sheet in rows:
            found[key][currency] = sheet
    return found


def agree(books: Portfolio, day: date) -> None:
    """Every grouping and basis, the totals, and the items behind every bucket."""
    items = list(by_the_rows(day))
    for basis in ("due", "invoice"):
        asked: dict[str, Any] = {"up_to": UP_TO, "as_of": day, "basis": basis}
        for by in aging.BY:
            assert told(by, day, basis) == rule.age_by(items, lambda item, by=by: books.key(by, item), **asked)
        _groups, totals, _counts = aged.sheets(None, by="customer", rows_max=1, **asked)
        assert totals == rule.age(items, **asked)
        for currency, sheet in totals.items():
            buckets: list[aged.Bucket] = [*range(len(sheet.buckets)), None]
            parts = [aged.items(each, currency, None, rows_max=1000, **asked) for each in buckets]
            sums = [sum((item.amount for item in part), D(0)) for part in parts]
            assert (*sums,) == (*sheet.buckets, sheet.unapplied)
            assert sum(map(len, parts)) == sheet.count


@pytest.mark.clause("C3.5")
def test_the_database_adds_up_what_the_rule_adds_up(di: Person) -> None:
    seen = 0

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )
    @given(beginning, steps)
    def walk(first: tuple[Numbers, ...], then: list[tuple[str, Numbers]]) -> None:
        nonlocal seen
        with transaction.atomic():
            books = Portfolio(di)
            for verb, each in zip(("issue", "issue_in_two", "take", "take"), first, strict=True):
                books.do(verb, each)
            for verb, each in then:
                books.do(verb, each)
            for day in (TODAY - 45 * DAY, TODAY - 10 * DAY, TODAY, books.today):
                agree(books, day)
                seen += sum(1 for _item in by_the_rows(day))
            transaction.set_rollback(True)

    walk()
    assert seen > 300, "the walks left too little open"


def test_more_groups_than_are_told_are_counted_and_added_up() -> None:
    others = [acme(code=f"C{n}", name=f"甲{n}") for n in range(2, 7)]
    post(*[invoice(customer_id=each.pk, amount=f"{n + 1}00.00", instalments=()) for n, each in enumerate(others)])
    found = aging.report(as_of=TODAY, up_to=UP_TO, seen_by=None, today=TODAY, rows_max=2)
    assert [row.label for row in found.rows["CNY"]] == ["甲6", "甲5"]
    assert (found.groups, found.totals["CNY"].total, found.ties) == ({"CNY": 5}, D("1500.00"), True)


def test_money_paid_back_beyond_what_came_in_is_a_claim_of_its_day() -> None:
    """The negative control of the netting: without it the two would stand in two places."""
    take(receipt("IN", "100.00"), receipt("OUT", "-130.00", received_on=TODAY - 10 * DAY), match=False)
    sheet = aging.report(as_of=TODAY, up_to=UP_TO, seen_by=None, today=TODAY).totals["CNY"]
    assert (sheet.buckets[2], sheet.unapplied, sheet.count) == (D("30.00"), D(0), 1)
