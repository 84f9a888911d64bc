"""K4: pages over a whole portfolio, in the server: search, lists at any depth, the customer's file, home, ageing.

The anchor of each is the least a page can cost here: one signed-in page that asks the database nothing of the business.
Told are the median and the 95th percentile in milliseconds, the ratio to the anchor, and the queries a page took.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from . import portfolio

EMPTY = "/office/account/"
WHO = {"": "manager", ".own": "sales007"}
"""Who looks: one who sees every customer, and (names ending in .own) one who sees her own and her department's."""


@dataclass(frozen=True)
class Shown:
    """What a page cost: median and 95th percentile, against the empty page's median; queries are the most of any."""

    name: str
    value: float
    unit: str
    anchor: float
    ratio: float
    p95: float
    goal: float
    queries: int
    runs: list[float]


def run(on_step: Callable[[], None], *, size: portfolio.Size, runs: int = 30) -> list[Shown]:
    """Every page for every reader; the books are made first where the database is empty."""
    from shouxin.customers.models import Customer
    from shouxin.office import clock

    if not Customer.objects.exists():
        portfolio.build(size, today=clock.today(), at=clock.now(), on_step=lambda _told: on_step())
    with override_settings(ALLOWED_HOSTS=["*"]):
        readers = {sight: _client(name) for sight, name in WHO.items()}
        asked = {sight: _pages(client) for sight, client in readers.items()}
        # What waits for the worker comes last, for every reader.
        turns = [(page, sight) for page in asked[""] for sight in readers]
        return [_of(page, sight, readers[sight], *asked[sight][page], runs, on_step) for page, sight in turns]


def _of(
    page: str, sight: str, client: Client, goal_ms: float, paths: list[str], runs: int, on_step: Callable[[], None]
) -> Shown:
    asked = [paths[n % len(paths)] for n in range(max(runs, len(paths)))]
    _warm(client, paths)
    subject, anchor = [], []
    for path in asked:  # in turn, so that both meet the same machine
        anchor.append(_timed(client, EMPTY))
        subject.append(_timed(client, path))
    base, median = statistics.median(anchor), statistics.median(subject)
    p95 = sorted(subject)[int(len(subject) * 0.95)]
    on_step()
    return Shown(page + sight, median, "ms", base, median / base, p95, goal_ms, _queries(client, paths), subject)


def _client(name: str) -> Client:
    from shouxin.office.models import Person

    client = Client()
    client.force_login(Person.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _pages(client: Client) -> dict[str, tuple[float, list[str]]]:
    """Page -> (goal in milliseconds, addresses asked in turn)."""
    chance = random.Random(4)
    seen = _seen(client, chance)
    return {
        "page.search": (50.0, [f"/customers/suggest?q={text}" for text in SEARCHED]),
        "page.list": (100.0, [*LISTS, *(path for each in DEEP for path in _deep(client, each))]),
        "page.file": (150.0, [f"/customers/{pk}/" for pk in seen]),
        "page.home": (100.0, ["/"]),
        "page.aging": (100.0, AGEINGS),
        "page.aging.items": (100.0, [ITEMS, *(f"{ITEMS}&by=customer&key={pk}" for pk in seen[:5])]),
        "page.figures": (100.0, ["/records/figures/"]),
    }


SEARCHED = ("华联", "重庆", "恒泰", "hualian", "chongqing", "hengt", "cqhl", "shht", "C00001", "C0000123", "有限", "zz")
LISTS = (
    "/customers/", "/customers/?sort=name", "/customers/?q=华联", "/customers/?q=机械", "/receivables/invoices/",
    "/receivables/invoices/?sort=due_on", "/receivables/invoices/?sort=-dated_on", "/receivables/invoices/?q=华联",
    "/receivables/invoices/?state=overdue", "/receivables/invoices/?doc_no=INV0000012", "/receivables/receipts/",
    "/collection/tasks/?whose=all", "/collection/notices/", "/orders/holds/", "/orders/checks/",
    "/orders/reservations/", "/office/trail/",
)  # fmt: skip
AGEINGS = [f"/receivables/aging/?by={by}" for by in ("customer", "grade", "industry", "sales")]
ITEMS = "/receivables/aging/items?bucket=1"
DEEP = ("/customers/?sort=name", "/receivables/invoices/?sort=due_on", "/receivables/invoices/")
"""Lists also read far from their beginning."""


def _deep(client: Client, path: str) -> list[str]:
    """The page far down a list: what stands before a place in the middle of its last column's values."""
    from shouxin.customers.models import Customer
    from shouxin.lib.paging import write_mark
    from shouxin.receivables.models import Invoice

    model: Any = Customer if path.startswith("/customers") else Invoice
    by = path.partition("sort=")[2] or "pk"
    middle = (model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) // 2
    row = model.objects.filter(pk__gte=middle).order_by("pk").exclude(**({} if by == "pk" else {by: None})).first()
    return [f"{path}{'&' if '?' in path else '?'}after={write_mark(row, by)}&start=100000"] if row else []


def _seen(client: Client, chance: random.Random) -> list[int]:
    """Customers whose file the reader may open: some by chance, and the one with the most open items."""
    from shouxin.customers.models import Customer
    from shouxin.office import clock, sight
    from shouxin.office.models import Person

    person = Person.objects.get(pk=client.session["_auth_user_id"])
    rows = Customer.objects.filter(sight.customers_seen_by(person, clock.today()))
    largest = rows.order_by("-accounts__receivable").values_list("pk", flat=True)[:1]
    top = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 1
    some = [
        rows.filter(pk__gte=chance.randrange(top)).order_by("pk").values_list("pk", flat=True)[:1] for _ in range(20)
    ]
    return [pk for found in (largest, *some) for pk in found]


def _warm(client: Client, paths: list[str]) -> None:
    """Ask once for what is asked later, work out what the worker would have, and begin as a server that has started."""
    from shouxin.lib import collector

    for path in paths:
        client.get(path)
    work_out_waiting()
    collector.leave_what_stays()


def work_out_waiting() -> None:
    """What the worker does between two requests."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    from shouxin.lib import jobs

    for job in ProcrastinateJob.objects.filter(task_name="lib.work_out", status="todo"):
        jobs.work_out(**job.args)


def _timed(client: Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return took


def _queries(client: Client, paths: list[str]) -> int:
    most = 0
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        most = max(most, len(queries))
    return most
