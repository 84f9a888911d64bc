"""A long day in an hour (T21): twenty users, jobs, imports, backups, a death every two minutes, then calm.

It happens to the demo company in a house that is made for it.
`python -m tests.faults.soak [--minutes 60] [--calm 5]` prints a line each minute and the judgement at the end; it exits
with 1 where one of its bounds is broken. In the first and the last ten minutes every kind of victim dies once, so that
the two can be compared; between them web and worker live on, so that what they keep of memory can be seen.

A file of CSV beside it (`--samples FILE`) gets every ten seconds what the house weighs.
"""

import argparse
import csv
import http.cookiejar
import io
import itertools
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from shouxin.lib import embedded
from tests import houses

from .history import AWAY, CLEAN, Load, judge
from .test_crashes import victims

PASSWORD = "shouxin-demo-2026"
"""Of everybody in the demo company."""

WINDOW = 600.0
"""Seconds at the beginning and at the end that are compared."""
FAULT_EVERY = 120.0
WARM_UP = 900.0
"""Seconds in which a process fills its pool of connections and what it remembers."""
BACK_SECONDS = 60.0
EVERY_KIND = ("worker", "backend", "web", "database", "server process")
WHILE_WEB_LIVES = ("backend", "database")

RSS_GROWTH_MAX = 0.10
"""Of what a process weighs, in an hour."""
SLOWER_MAX = 1.2
CONNECTIONS_MORE = 3
DEAD_ROWS_MAX = 0.5
"""Of a table's rows, among tables of more than a thousand."""

READERS: dict[str, tuple[str, ...]] = {
    "cy": ("/", "/customers/", "/receivables/aging/", "/orders/holds/", "/credit/line-requests/", "/records/figures/"),
    "bo": ("/", "/customers/?q=机械", "/collection/tasks/?whose=all", "/customers/inbox/", "/credit/securities/"),
    "ann": ("/", "/customers/", "/orders/check/", "/collection/tasks/", "/receivables/invoices/?state=overdue"),
    "di": ("/", "/customers/?sort=name", "/collection/notices/", "/receivables/invoices/"),
    "wen": ("/", "/customers/?q=有限", "/orders/checks/", "/credit/applications/"),
    "fi": (
        "/",
        "/receivables/invoices/",
        "/receivables/receipts/",
        "/receivables/aging/?by=grade",
        "/receivables/proof/",
    ),
    "vi": ("/", "/records/granted/", "/regulation", "/orders/holds/overrides/", "/reviews/"),
    "ed": ("/", "/office/trail/", "/receivables/proof/", "/regulation", "/orders/checks/"),
    "ar": ("/", "/customers/", "/records/digests/"),
    "sy": ("/", "/system", "/regulation"),
}
"""Who looks at what, again and again; whoever may see customers also opens files."""

JOBS_STUCK = """SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'
                OR (status = 'todo' AND coalesce(scheduled_at, now()) < now() - interval '1 minute')"""
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'postgres'"
DEAD_ROWS = "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables"
ROLES = {"web": ("web", "server process"), "worker": ("worker",), "minder": ()}
"""Whose weight is told -> the deaths after which it is another process."""


@dataclass(frozen=True)
class Answer:
    """One answer: what for, at which second it was asked, the seconds it took, its status (0: none came), of what."""

    kind: str
    at: float
    seconds: float
    status: int
    path: str = ""


@dataclass(frozen=True)
class Weight:
    """What the house weighs at a second: megabytes of its processes by role, connections, bytes of the database."""

    at: float
    megabytes: dict[str, float]
    connections: int
    database: int


@dataclass
class Crowd:
    """The users, and what they were answered."""

    port: int
    company: dict[str, Any]
    began: float = field(default_factory=time.monotonic)
    answers: list[Answer] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    threads: list[threading.Thread] = field(default_factory=list)

    def now(self) -> float:
        return time.monotonic() - self.began

    def start(self, work: Callable[[], None], *, pause: tuple[float, float], name: str) -> None:
        """Somebody who does the work, thinks for a while, and does it again."""
        dice = random.Random(name)

        def live() -> None:
            while not self.over.wait(dice.uniform(*pause)):
                work()

        self.threads.append(threading.Thread(target=live, name=name, daemon=True))
        self.threads[-1].start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def told(self, kind: str, path: str, ask: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        """Ask, and write down what came and how long it took."""
        at, before = self.now(), time.monotonic()
        try:
            status, answer = ask()
        except AWAY:
            status, answer = 0, None
        self.answers.append(Answer(kind, at, time.monotonic() - before, status, path))
        return status, answer

    def call(self, kind: str, method: str, path: str, body: Any, token: str, key: str = "") -> tuple[int, Any]:
        """One call of the API; sent again under its key until the house has answered it."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency_Key": key} if key else {})
        while True:
            status, answer = self.told(
                kind, path, lambda: houses.call(self.port, method, f"/api/v1{path}", body, **headers)[:2]
            )
            if status not in (0, 503) or self.over.wait(1.0):
                return status, answer


class Reader:
    """Somebody at a browser: signs in by the form, and looks at her pages in turn."""

    def __init__(self, crowd: Crowd, username: str, paths: tuple[str, ...]) -> None:
        self.crowd, self.username, self.paths = crowd, username, itertools.cycle(paths)
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.seen: list[str] = []
        self.inside = False

    def look(self) -> None:
        if not self.inside:
            self._sign_in()
            return
        path = self.seen.pop() if self.seen else next(self.paths)
        status, text = self.crowd.told("page", path, lambda: self._open(path))
        self.inside = status != 401
        if status == 200 and path.partition("?")[0] == "/customers/":
            self.seen = re.findall(r'href="(/customers/\d+/)"', text or "")[:2]

    def _sign_in(self) -> None:
        def enter() -> tuple[int, str]:
            self._open("/accounts/login/")
            token = next((cookie.value for cookie in self.cookies if "csrf" in cookie.name), "")
            form = {"login": self.username, "password": PASSWORD, "csrfmiddlewaretoken": token}
            return self._open("/accounts/login/", urllib.parse.urlencode(form).encode())

        status, text = self.crowd.told("sign-in", "", enter)
        self.inside = status == 200 and 'name="login"' not in text

    def _open(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        address = f"http://127.0.0.1:{self.crowd.port}{urllib.parse.quote(path, safe='/?=&-')}"
        asked = urllib.request.Request(address, data, {"Referer": address, "Accept-Language": "zh"})
        try:
            with self.opener.open(asked, timeout=60) as answer:
                sent_away = "/accounts/login/" in answer.url and "login" not in path
                return 401 if sent_away else 200, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""


def sell(crowd: Crowd, dice: random.Random) -> None:
    """An order from its check to its invoice and the money for it, or to its end."""
    number, customer = f"W-{next(crowd.numbers)}", dice.choice(crowd.company["customers"])
    manager, finance = crowd.company["token"], crowd.company["finance"]
    body = {"customer": customer, "order_no": number, "amount": "250.00"}
    status, decided = crowd.call("check", "POST", "/credit-checks", body, manager, f"c-{number}")
    if status != 201 or not (reserved := (decided or {}).get("reservation")):
        return
    if dice.random() < 0.3:
        crowd.call("write", "POST", f"/reservations/{reserved}/cancel", {}, manager, f"x-{number}")
        return
    for step, about in (("deliver", {}), ("bill", {"invoice_no": f"I-{number}"})):
        crowd.call("write", "POST", f"/reservations/{reserved}/{step}", about, manager, f"{step}-{number}")
    receipt = {"customer": customer, "doc_no": f"R-{number}", "amount": "250.00", "names": [f"I-{number}"]}
    crowd.call("write", "POST", "/receipts", receipt, finance, f"r-{number}")


def check_many(crowd: Crowd) -> None:
    """Fifty orders in one call."""
    number = next(crowd.numbers)
    customers = itertools.cycle(crowd.company["customers"])
    checks = [{"customer": next(customers), "order_no": f"B-{number}-{n}", "amount": "1.00"} for n in range(50)]
    crowd.call("batch", "POST", "/credit-checks/batch", {"checks": checks}, crowd.company["token"], f"b-{number}")


def hand_in(crowd: Crowd) -> None:
    """A file of three hundred invoices, three of them bad; waits until it is taken."""
    number, text = next(crowd.numbers), io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["customer", "doc_no", "amount", "dated_on", "due_on"])
    customers = itertools.cycle(crowd.company["customers"])
    for n in range(300):
        rows.writerow(
            [next(customers), f"F-{number}-{n}", "abc" if n % 100 == 99 else "12.50", "2026-01-05", "2026-12-31"]
        )
    mark = uuid.uuid4().hex
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{number}.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{text.getvalue()}\r\n--{mark}--\r\n"
    ).encode()
    headers = {
        "Authorization": f"Bearer {crowd.company['finance']}",
        "Content-Type": f"multipart/form-data; boundary={mark}",
    }
    asked = urllib.request.Request(f"http://127.0.0.1:{crowd.port}/api/v1/imports/invoices", body, headers)

    def send() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, None

    status, run = crowd.told("import", "", send)
    while status == 202 and not crowd.over.wait(2.0):
        _found, run = crowd.call("write", "GET", f"/imports/{run['id']}", None, crowd.company["finance"])
        if run and run["state"] in ("done", "failed"):
            return


def work_out(crowd: Crowd) -> None:
    """The ageing of a day nobody has asked for yet, which the worker works out, and the last proof."""
    as_of = datetime.now(UTC).date() - timedelta(days=next(crowd.numbers) % 300)
    crowd.call("report", "GET", f"/reports/aging?as_of={as_of}", None, crowd.company["token"])
    crowd.call("report", "GET", "/reports/exposure-proof", None, crowd.company["finance"])


def owner(home: Path) -> psycopg.Connection:
    """The embedded database's superuser, who counts what is there."""
    return embedded.Cluster(home.resolve())._owner_connection(embedded.DATABASE)


def weigh(home: Path, minder: int, at: float) -> Weight | None:
    """What the house weighs now; None while its database is away."""
    below = houses.below(minder)
    heads = {role: pid for pid, words in below.items() for role in ROLES if f"config.server {role}" in words}
    mine = {role: [pid, *houses.below(pid)] for role, pid in heads.items()} | {"minder": [minder]}
    try:
        with owner(home) as link:
            connections = link.execute(CONNECTED).fetchone()[0]  # type: ignore[index]
            size = link.execute("SELECT pg_database_size(current_database())").fetchone()[0]  # type: ignore[index]
    except psycopg.Error:
        return None
    return Weight(at, {role: sum(map(megabytes, pids)) for role, pids in mine.items()}, connections, size)


def megabytes(pid: int) -> float:
    """What a process weighs, its share of what several hold counted; 0 where it has gone."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def p95(answers: list[Answer], kind: str, since: float, until: float) -> float:
    """The 95th percentile of the good answers of a kind asked between two seconds, in milliseconds."""
    took = sorted(
        one.seconds for one in answers if one.kind == kind and since <= one.at < until and 200 <= one.status < 300
    )
    return took[int(len(took) * 0.95)] * 1000 if took else float("nan")


def growth(weights: list[Weight], role: str, deaths: list[tuple[float, str]], end: float) -> float:
    """By how much of its weight a process grows in an hour: the slope through its longest life, warmed up."""
    ends = [0.0, *(at for at, kind in deaths if kind in ROLES[role]), end]
    begun, over = max(itertools.pairwise(ends), key=lambda life: life[1] - life[0])
    life = [one for one in weights if begun + WARM_UP <= one.at < over and role in one.megabytes]
    if len(life) < 6:
        return float("nan")
    line = statistics.linear_regression([one.at for one in life], [one.megabytes[role] for one in life])
    return line.slope * 3600 / (line.intercept + line.slope * life[0].at)


def victim(at: float, minutes: float, turn: int) -> str:
    """Who dies at a second: in the first and the last window everybody in turn, between them only the database."""
    edge = at < WINDOW or at >= minutes * 60 - WINDOW
    return EVERY_KIND[turn % len(EVERY_KIND)] if edge else WHILE_WEB_LIVES[turn % len(WHILE_WEB_LIVES)]


def soak(home: Path, minutes: float, calm: float, samples: Path | None) -> dict[str, Any]:
    """Live through it; answers what was seen, to be judged."""
    opened = houses.command(home, "migrate")
    assert opened.returncode == 0, opened.stderr
    with houses.open_house(home, "--demo") as (minder, port):
        company = houses.module(home, "tests.faults.in_home.company", "12", "900000000.00")
        crowd, weights, deaths, slowest = Crowd(port, company), [], [], 0.0
        for username, paths in READERS.items():
            crowd.start(Reader(crowd, username, paths).look, pause=(2.0, 6.0), name=username)
        for n in range(4):
            dice = random.Random(n)
            crowd.start(lambda dice=dice: sell(crowd, dice), pause=(1.0, 3.0), name=f"seller {n}")  # type: ignore[misc]
        crowd.start(lambda: check_many(crowd), pause=(5.0, 8.0), name="batches")
        crowd.start(lambda: hand_in(crowd), pause=(45.0, 75.0), name="importer")
        crowd.start(lambda: work_out(crowd), pause=(20.0, 40.0), name="reports")
        with Load(lambda: port, company["token"], company["customers"], callers=3, pause=1.0, seed=21) as load:
            fault, backup, minute = FAULT_EVERY / 2, 600.0, 0
            while (at := crowd.now()) < minutes * 60:
                if at >= fault:
                    kind = victim(at, minutes, int(fault // FAULT_EVERY))
                    deaths.append((at, kind))
                    for pid in victims(kind, minder.pid, home):
                        houses.kill(pid)
                    before, since = len(load.calls), time.monotonic()
                    assert houses.soon(
                        lambda before=before: any(one.ok for one in load.calls[before + 4 :]), BACK_SECONDS
                    ), houses.said(home)
                    slowest, fault = max(slowest, time.monotonic() - since), fault + FAULT_EVERY
                if at >= backup:
                    done = houses.command(home, "backup", str(home.with_name(f"{at:.0f}.backup")))
                    assert done.returncode == 0, done.stderr
                    backup += 1200.0
                if seen := weigh(home, minder.pid, at):
                    weights.append(seen)
                    _write(samples, seen)
                if at >= minute * 60:
                    minute += 1
                    _tell(crowd, load, weights)
                time.sleep(10)
            crowd.stop()
        faults = load.faults()
        load.settle()
        print(f"calm after {crowd.now():.0f} s", flush=True)
        time.sleep(calm * 60)
        with owner(home) as link:
            stuck = link.execute(JOBS_STUCK).fetchone()[0]  # type: ignore[index]
            jobs = dict(link.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1").fetchall())
            tables = link.execute(DEAD_ROWS).fetchall()
        trail = houses.told(home, "trail", "verify")
        judged = judge(home, load)
    return {
        "answers": crowd.answers, "weights": weights, "deaths": deaths, "faults": faults, "stuck": stuck,
        "jobs": jobs, "tables": tables, "trail": trail, "judged": judged, "slowest": slowest, "minutes": minutes,
    }  # fmt: skip


def bounds(seen: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    """What is asked of the hour (T21): what, as it was, whether it keeps its bound."""
    answers, end = seen["answers"], seen["minutes"] * 60
    rows: list[tuple[str, Any, bool]] = []
    for kind in ("page", "check", "batch", "write"):
        first, last = p95(answers, kind, 0, WINDOW), p95(answers, kind, end - WINDOW, end)
        rows.append(
            (f"p95 of {kind}, ms, first and last window", f"{first:.0f} {last:.0f}", last <= first * SLOWER_MAX)
        )
    for role in ROLES:
        grown = growth(seen["weights"], role, seen["deaths"], end)
        rows.append((f"growth of {role} in an hour", f"{grown:+.1%}", grown <= RSS_GROWTH_MAX))
    late = max(one.connections for one in seen["weights"] if one.at >= end - WINDOW)
    before = max((one.connections for one in seen["weights"] if end / 2 <= one.at < end - WINDOW), default=late)
    rows.append(
        ("most connections, second half and last window", f"{before} {late}", late <= before + CONNECTIONS_MORE)
    )
    dead = [(dead / (live + dead), name) for name, live, dead in seen["tables"] if live + dead > 1000]
    rows.append(("most dead rows of a table", max(dead), max(dead)[0] <= DEAD_ROWS_MAX))
    rows.append(("back after a death, s, at most", f"{seen['slowest']:.1f}", seen["slowest"] <= BACK_SECONDS))
    wrong = Counter((one.kind, one.status, one.path) for one in answers if one.status >= 400 and one.status != 503)
    rows.append(("answers nobody documented", [dict(wrong), len(seen["faults"])], not wrong and not seen["faults"]))
    judged = {name: seen["judged"][name] for name in CLEAN if name != "strangers"}  # others order besides
    rows.append(("lost, doubled, changed; differences of the proof", judged, not any(judged.values())))
    rows.append(("trail", seen["trail"], bool(seen["trail"].get("whole"))))
    rows.append(("jobs that hang", [seen["stuck"], seen["jobs"]], seen["stuck"] == 0))
    return rows


def _write(samples: Path | None, seen: Weight) -> None:
    if samples:
        with samples.open("a", newline="") as file:
            weights = [round(seen.megabytes.get(role, 0), 1) for role in ROLES]
            csv.writer(file).writerow([round(seen.at), *weights, seen.connections, seen.database])


def _tell(crowd: Crowd, load: Load, weights: list[Weight]) -> None:
    at = crowd.now()
    lately = Counter(f"{one.kind} {one.status}" for one in crowd.answers if one.at >= at - 60)
    heavy = {role: round(mb) for role, mb in weights[-1].megabytes.items()} if weights else {}
    print(f"{at / 60:5.1f} min {dict(sorted(lately.items()))} orders {dict(load.told())} MB {heavy}", flush=True)


def main() -> int:
    """Soak a house that is made for it; answers the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--calm", type=float, default=5.0, help="minutes of calm afterwards")
    asked.add_argument("--samples", type=Path, help="a CSV file for what the house weighs")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="shouxin-soak-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        try:
            rows = bounds(soak(home, told.minutes, told.calm, told.samples))
        finally:
            houses.stop_database(home)
    for what, found, kept in rows:
        print(f"{'kept  ' if kept else 'BROKEN'} {what}: {found}")
    return 0 if all(kept for _what, _found, kept in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
