"""K1: credit decisions with the whole rule, journal, log and trail, against one conditional update and insert.

Run in a home of its own that is thrown away; 10,000 accounts, once asked evenly, once with ten of them taking 90 %.
The anchor goes through pgbench where the machine has it, else through a loop of psycopg.
"""

import contextlib
import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection

from . import measure

ACCOUNTS, HOT, CALLERS, RUNS, SECONDS = 10_000, 10, 16, 5, 3.0
LIMIT = Decimal(10**12)
SUBJECTS = 5


def run(
    on_step: Callable[[], None], *, accounts: int = ACCOUNTS, runs: int = RUNS, seconds: float = SECONDS
) -> list[measure.Result]:
    """The results by name; the database must be migrated and may be filled. Raises where value was oversold or lost."""
    codes = prepare(accounts)
    anchor = through_pgbench(accounts) if shutil.which("pgbench") else measure.together(anchor_work(accounts), CALLERS)
    with serving() as (port, token):
        subjects = {
            f"decide.inprocess.{CALLERS}.uniform": measure.together(single_work(codes, uniform), CALLERS),
            f"decide.inprocess.{CALLERS}.hot": measure.together(single_work(codes, hot), CALLERS),
            "decide.inprocess.batch100": measure.together(batch_work(codes, 100), 2),
            "decide.http.single": over_http(port, token, CALLERS, 1, accounts),
            "decide.http.batch100": over_http(port, token, 4, 100, accounts),
        }
        for subject in subjects.values():
            subject(1.0)  # plans are made and pools are filled once, before anything is measured
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the server does by itself within a minute of new rows
        results = measure.compare(anchor, subjects, runs=runs, seconds=seconds, on_step=on_step)
    prove()
    return results


def prove() -> None:
    """Every balance is what the journal and the decisions say."""
    from shouxin.credit import exposure
    from shouxin.credit.models import CreditAccount

    totals = exposure.journal_totals()
    for account in CreditAccount.objects.all():
        if totals.get(account.pk, exposure.Exposure()) != exposure.exposure_of(account):
            raise RuntimeError(f"account {account.pk} is not what its journal says")


def uniform(chance: random.Random, count: int) -> int:
    return chance.randrange(count)


def hot(chance: random.Random, count: int) -> int:
    return chance.randrange(HOT) if chance.random() < 0.9 else chance.randrange(count)


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


def through_pgbench(accounts: int) -> measure.Rate:
    """The same statement through pgbench, as many callers."""
    script = Path(tempfile.mkstemp(suffix=".sql")[1])
    script.write_text(
        f"\\set id random(0, {accounts - 1})\n"
        "WITH u AS (UPDATE anchor_account SET used = used + 1 WHERE id = :id AND used + 1 <= limit_ RETURNING id) "
        "INSERT INTO anchor_order (account, amount) SELECT id, 1 FROM u;\n"
    )
    place = connection.settings_dict
    words = ["pgbench", "-n", "-c", str(CALLERS), "-j", "2", "-f", str(script), "-h", place["HOST"]]
    words += ["-p", str(place["PORT"]), "-U", place["USER"], place["NAME"]]

    def through(seconds: float) -> float:
        secret = {**os.environ, "PGPASSWORD": str(place["PASSWORD"])}
        told = subprocess.run(
            [*words[:1], "-T", str(max(1, round(seconds))), *words[1:]], env=secret, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        return float(next(line for line in told.splitlines() if line.startswith("tps")).split()[2])

    return through


def single_work(codes: list[str], pick: Callable[[random.Random, int], int]) -> measure.Work:
    """Callers in one process, one order each: check with all rules, reserve, log and commit."""
    from shouxin.orders import checks, lane

    run = time.time_ns()

    def work(number: int, until: float) -> int:
        chance, done = random.Random(number), 0
        orders = itertools.count()
        while time.perf_counter() < until:
            code, order = codes[pick(chance, len(codes))], next(orders)
            with contextlib.suppress(OperationalError):  # waited too long behind others: "busy", not a decision
                lane.check(checks.CheckRequest(code, Decimal("1.00"), f"{run}-{number}-{until}-{order}"), by=None)
                done += 1
        return done

    return work


def batch_work(codes: list[str], size: int) -> measure.Work:
    """The same, `size` orders in one call."""
    from shouxin.office import clock, policies
    from shouxin.orders import checks

    today, run = clock.today(), time.time_ns()
    edition = policies.in_force(today)

    def work(number: int, until: float) -> int:
        chance, done = random.Random(number), 0
        while time.perf_counter() < until:
            wanted = [
                checks.CheckRequest(codes[uniform(chance, len(codes))], Decimal("1.00"), f"{run}-{number}-{until}-{n}")
                for n in range(done, done + size)
            ]
            with contextlib.suppress(OperationalError):
                checks.decide(wanted, edition=edition, today=today, at=clock.now(), by=None)
                done += size
        connection.close()
        return done

    return work


@contextlib.contextmanager
def serving() -> Iterator[tuple[int, str]]:
    """The web server as `shouxin serve` starts it; answers its port and the token of a credit manager."""
    from shouxin.config import server
    from shouxin.office import clock, posts, tokens
    from shouxin.office.models import Appointment
    from shouxin.rules.policy import Post

    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    moment: dict[str, Any] = {"by": posts.system(), "at": clock.now()}
    manager = posts.add_person("bench", on=clock.today(), **moment)
    Appointment.objects.create(person=manager, post=Post.CREDIT_MANAGER, since=clock.today())
    token = tokens.create(manager, **moment)[1]
    surroundings = {**os.environ, "SHOUXIN_PORT": str(port)}
    words = [sys.executable, "-m", "shouxin.config.server", "web"]
    web = subprocess.Popen(words, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not server.answers("127.0.0.1", port):
            if web.poll() is not None:
                raise RuntimeError("the web server has ended")
            time.sleep(0.2)
        yield port, token
    finally:
        web.terminate()
        web.wait(20)


def over_http(port: int, token: str, callers: int, size: int, accounts: int) -> measure.Rate:
    """Callers over HTTP, each with one order or a list of orders at a time."""
    words = [sys.executable, str(Path(__file__).with_name("callers.py")), str(port), token, str(callers)]

    def rate(seconds: float) -> float:
        began = time.perf_counter()
        told = subprocess.run(
            [*words, str(seconds), str(size), str(accounts)], capture_output=True, text=True, check=True
        ).stdout
        return int(told) / (time.perf_counter() - began)

    return rate
