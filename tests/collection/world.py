"""Debts and days for the tests of collection: an invoice, some money, a line, and the days that pass."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shouxin.collection import rounds
from shouxin.collection.models import CustomerDay, Day, Notice, Task
from shouxin.credit.models import Line
from shouxin.customers.models import Customer
from shouxin.office import posts
from shouxin.receivables import invoices, receipts
from shouxin.receivables.models import Invoice, Receipt
from tests.people import acme, member

D = Decimal
DUE = date(2026, 3, 31)
"""The day Acme's invoice falls due."""
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def after(days: int) -> date:
    """So many days after the due date (negative: before it)."""
    return DUE + timedelta(days=days)


def owe(
    amount: str = "10000.00", doc_no: str = "S-1", *, customer: Customer | None = None, due: date = DUE, **changes: Any
) -> Invoice:
    """An invoice, dated a month before it falls due."""
    fields: dict[str, Any] = {"dated_on": due - timedelta(days=30), "due_on": due} | changes
    return invoices.issue(
        customer or acme(),
        doc_no=doc_no,
        amount=D(amount),
        **fields,
        today=max(DUE, fields["dated_on"]),
        at=AT,
        by=None,
    )


def pay(amount: str, *, on: date, doc_no: str = "B-1", customer: Customer | None = None, **changes: Any) -> Receipt:
    """Money that came in on a day and settles what is oldest."""
    return receipts.take(
        customer or acme(), doc_no=doc_no, amount=D(amount), received_on=on, today=on, at=AT, by=None, **changes
    )


def line(grade: str = "B", *, customer: Customer | None = None, limit: str = "500000.00", **changes: Any) -> Line:
    """A line of a grade, in force since the beginning of the year, reviewed and not about to end."""
    fields: dict[str, Any] = {
        "limit_kind": "amount",
        "limit": D(limit),
        "currency": "CNY",
        "term_days": 30,
        "since": date(2026, 1, 1),
        "why": "first line",
        "cause": "request",
        "policy_version": 1,
        "at": AT,
    }
    return Line.objects.create(customer=customer or acme(), grade=grade, **fields | changes)


def run(as_of: date, **changes: Any) -> Day:
    """The daily run of a day, by the house."""
    return rounds.run(as_of=as_of, by=changes.pop("by", None) or posts.system(), at=AT, **changes)


def days(first: int, last: int) -> Iterator[tuple[int, Day]]:
    """Run day after day, counted from the due date."""
    for number in range(first, last + 1):
        yield number, run(after(number))


def grade(customer: Customer | None = None) -> str:
    """The grade of the customer's newest line."""
    return (customer or acme()).lines.order_by("-since", "-pk")[0].grade


def standing(customer: Customer | None = None) -> str:
    """Where the customer stands."""
    row = (customer or acme()).standings.order_by("-pk").first()
    return row.standing if row else "good"


def end_state() -> list[Any]:
    """Everything the runs leave behind, without keys and moments, to compare one history with another."""
    from shouxin.customers.models import Standing
    from shouxin.receivables.models import Episode

    return [
        list(Day.objects.order_by("as_of").values("as_of", "status", "counts", "aging", "faults", "proof")),
        list(
            CustomerDay.objects.order_by("day__as_of", "customer__code").values(
                "day__as_of", "customer__code", "stage", "oldest_overdue_days", "owed", "grade_before", "grade_after",
                "standing_after", "reasons",
            )
        ),
        list(
            Notice.objects.order_by("number").values(
                "number", "customer__code", "stage", "claimed", "items", "letter", "status", "deadline"
            )
        ),
        list(Line.objects.order_by("pk").values("customer__code", "grade", "limit", "since", "why", "cause")),
        list(Standing.objects.order_by("pk").values("customer__code", "standing", "since", "why")),
        list(Episode.objects.order_by("customer__code", "began_on").values(
            "customer__code", "began_on", "ended_on", "stage", "baseline_grade", "rung_days", "late_count_applied",
        )),
        list(Task.objects.order_by("customer__code", "kind", "made_on").values(
            "customer__code", "kind", "stage", "post", "amount", "due_on", "made_on", "status", "done_on",
        )),
    ]  # fmt: skip


def another(code: str, **changes: Any) -> Customer:
    """One more customer of Ann's."""
    return acme(code=code, name=f"客户{code}", salesperson=member("ann"), **changes)
