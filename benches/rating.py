"""Rating a whole portfolio in one run, against the bare reading of what it rates by; and that memory stays flat.

The anchor asks the database for the same rows, chunk by chunk, and drops them as they come: facts, payments on
instalments, what is open, invoices, receipts, lines. `rating.computed` reads, applies the policy and forgets;
`rating.kept` writes each rating with its whole sheet and its sealed line of the trail besides.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from . import portfolio

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Rated:
    """A run over all customers: per second, the anchor, their ratio; memory of this process before and at its peak."""

    name: str
    value: float
    unit: str
    anchor: float
    ratio: float
    memory_before_mb: int
    memory_peak_mb: int
    runs: list[float]


def run(on_step: Callable[[], None], *, size: portfolio.Size, runs: int = 3) -> list[Rated]:
    """Anchor and subjects in turn over the whole portfolio; the books are made first where the database is empty."""
    from shouxin.customers.models import Customer
    from shouxin.office import clock, policies

    today = clock.today()
    if not Customer.objects.exists():
        portfolio.build(size, today=today, at=clock.now(), on_step=lambda _told: on_step())
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    edition = policies.in_force(today)
    subjects = {
        "rating.computed": lambda: _rate(ids, today, edition, keep=False),
        "rating.kept": lambda: _rate(ids, today, edition, keep=True),
    }
    anchors: list[float] = []
    measured: dict[str, list[tuple[float, int, int]]] = {name: [] for name in subjects}
    for _turn in range(runs):
        anchors.append(_timed(lambda: _bare(ids, today))[0])
        for name, subject in subjects.items():
            measured[name].append(_timed(subject))
            on_step()
    return [_rated(name, len(ids), found, anchors) for name, found in measured.items()]


def _rated(name: str, count: int, found: list[tuple[float, int, int]], anchors: list[float]) -> Rated:
    seconds = [each[0] for each in found]
    ratios = [anchor / taken for anchor, taken in zip(anchors, seconds, strict=True)]
    return Rated(
        name=name,
        value=count / statistics.median(seconds),
        unit="customers/s",
        anchor=count / statistics.median(anchors),
        ratio=statistics.median(ratios),
        memory_before_mb=found[0][1],
        memory_peak_mb=max(each[2] for each in found),
        runs=[count / each for each in seconds],
    )


def _timed(work: Callable[[], Iterable[object]]) -> tuple[float, int, int]:
    """(seconds, memory before, highest memory seen after a chunk), the memory in MB."""
    gc.collect()
    before = peak = _resident()
    began = time.perf_counter()
    for _chunk in work():
        peak = max(peak, _resident())
    return time.perf_counter() - began, before, peak


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE // 2**20


def _rate(ids: list[int], today: date, edition: Any, *, keep: bool) -> Iterator[object]:
    from shouxin.office import clock, posts
    from shouxin.receivables import ratings

    call = {"by": posts.system(), "on": today, "at": clock.now()}
    return ratings.rate_in_chunks(ids, as_of=today, edition=edition, keep=keep, **call)


READS = (
    "SELECT DISTINCT ON (customer_id, key) customer_id, key, value, as_of, source FROM customers_fact "
    "WHERE customer_id = ANY(%(ids)s) AND as_of <= %(today)s ORDER BY customer_id, key, as_of DESC, id DESC",
    "SELECT i.customer_id, v.currency, i.due_on, r.received_on, m.amount, v.doc_no, v.dated_on, i.number "
    "FROM receivables_match m JOIN receivables_instalment i ON i.id = m.instalment_id "
    "JOIN receivables_invoice v ON v.id = i.invoice_id JOIN receivables_receipt r ON r.id = m.receipt_id "
    "WHERE i.customer_id = ANY(%(ids)s)",
    "SELECT i.customer_id, v.doc_no, i.number, i.due_on, v.dated_on, i.amount - i.settled, v.currency, i.contested "
    "FROM receivables_instalment i JOIN receivables_invoice v ON v.id = i.invoice_id "
    "WHERE i.customer_id = ANY(%(ids)s) AND NOT i.settled = i.amount",
    "SELECT customer_id, currency, dated_on, amount, doc_no FROM receivables_invoice WHERE customer_id = ANY(%(ids)s)",
    "SELECT customer_id, currency, received_on, amount, doc_no FROM receivables_receipt "
    "WHERE customer_id = ANY(%(ids)s)",
    'SELECT customer_id, grade, "limit", since, until FROM credit_line WHERE customer_id = ANY(%(ids)s)',
)


def _bare(ids: list[int], today: date) -> Iterator[object]:
    """The rows behind every rating, read and dropped."""
    from shouxin.receivables.ratings import in_chunks

    for chunk in in_chunks(ids):
        with connection.cursor() as cursor:
            for text in READS:
                cursor.execute(text, {"ids": chunk, "today": today})
                cursor.fetchall()
        yield None
