"""K1: credit decisions with the whole rule, journal and trail, against one conditional update and insert.

Run in a home of its own that is thrown away; 10,000 accounts, once asked evenly, once with ten of them taking 90 %.
"""

import itertools
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection

from benches import measure

ACCOUNTS, HOT, CALLERS, RUNS, SECONDS = 10_000, 10, 16, 5, 3.0
LIMIT = Decimal(10**12)


def run(
    on_step: Callable[[], None], *, accounts: int = ACCOUNTS, runs: int = RUNS, seconds: float = SECONDS
) -> list[measure.Result]:
    """The results by name; the database must be migrated and may be filled."""
    codes = prepare(accounts)
    anchor = anchor_work(accounts)
    single = {f"decide.inprocess.{CALLERS}.{name}": decide_work(codes, pick, 1) for name, pick in PICKS.items()}
    batch = {"decide.inprocess.batch100": decide_work(codes, PICKS["uniform"], 100)}
    return measure.compare(anchor, single | batch, callers=CALLERS, runs=runs, seconds=seconds, on_step=on_step)


def uniform(chance: random.Random, count: int) -> int:
    return chance.randrange(count)


def hot(chance: random.Random, count: int) -> int:
    return chance.randrange(HOT) if chance.random() < 0.9 else chance.randrange(count)


PICKS = {"uniform": uniform, "hot": hot}


def prepare(accounts: int) -> list[str]:
    """Customers with an account and a line each, and the anchor's two bare tables."""
    from shouxin.credit import exposure
    from shouxin.credit.models import Line
    from shouxin.customers.models import Customer
    from shouxin.office import clock, policies

    policies.ensure()
    at, today = clock.now(), clock.today()
    rows = [Customer(code=f"B{n:06d}", name=f"bench {n}", currency="CNY", created_at=at) for n in range(accounts)]
    made = Customer.objects.bulk_create(rows, batch_size=5000)
    exposure.open_accounts((row.pk, "CNY") for row in made)
    line: dict[str, Any] = {
        "grade": "A", "limit_kind": "amount", "limit": LIMIT, "currency": "CNY", "term_days": 60, "since": today,
        "why": "bench", "cause": "request", "policy_version": 1, "at": at,
    }  # fmt: skip
    Line.objects.bulk_create([Line(customer=row, **line) for row in made], batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE anchor_account (id int PRIMARY KEY, used numeric(15,2), limit_ numeric(15,2))")
        cursor.execute("CREATE TABLE anchor_order (id bigserial PRIMARY KEY, account int, amount numeric(15,2))")
        cursor.execute(
            "INSERT INTO anchor_account SELECT n, 0, %s FROM generate_series(0, %s) n", [LIMIT, accounts - 1]
        )
        cursor.execute("ANALYZE")
    return [row.code for row in made]


def anchor_work(accounts: int) -> measure.Work:
    """One conditional UPDATE … RETURNING with INSERT as a single committed statement, through a bare psycopg loop."""
    statement = (
        "WITH u AS (UPDATE anchor_account SET used = used + 1 WHERE id = %s AND used + 1 <= limit_ RETURNING id) "
        "INSERT INTO anchor_order (account, amount) SELECT id, 1 FROM u"
    )

    def work(number: int, until: float) -> int:
        chance, done = random.Random(number), 0
        with connection.cursor() as cursor:
            while measure.time.perf_counter() < until:
                cursor.execute(statement, [uniform(chance, accounts)])
                done += 1
        connection.close()
        return done

    return work


def decide_work(codes: list[str], pick: Callable[[random.Random, int], int], size: int) -> measure.Work:
    """Check with all rules, reserve, log and commit, `size` orders in one call."""
    from shouxin.office import clock, policies
    from shouxin.orders import checks

    numbers = itertools.count()
    today = clock.today()
    edition = policies.in_force(today)

    def work(number: int, until: float) -> int:
        chance, done = random.Random(number), 0
        while measure.time.perf_counter() < until:
            wanted = [
                checks.CheckRequest(codes[pick(chance, len(codes))], Decimal("1.00"), f"{number}-{next(numbers)}")
                for _ in range(size)
            ]
            try:
                checks.decide(wanted, edition=edition, today=today, at=clock.now(), by=None)
                done += size
            except OperationalError:  # waited too long behind others: an honest "busy", not a decision
                continue
        connection.close()
        return done

    return work
