"""Run in a home: each kind of job done in calm, and another of it by workers that are killed; prints what came of both.

A worker is a process forked from this one. It dies behind a statement of the job, or when the job is done and not yet
crossed off; then the next takes up what it left, and dies too. This process has no pool: a thread that makes a
connection while another forks leaves its locks, held for ever, to the child.
"""

import asyncio
import json
import logging
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.db.models import Count, Sum
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.manager import JobManager

from shouxin.collection import jobs as collection_jobs
from shouxin.collection.models import Notice
from shouxin.config import jobs as house
from shouxin.config import migrating
from shouxin.config.worker import patient
from shouxin.credit.models import FittedCard, Rating, RefusedFit
from shouxin.customers import jobs as customer_jobs
from shouxin.customers import mails, standing
from shouxin.customers.models import Customer, Mail
from shouxin.lib import jobs as lib_jobs
from shouxin.lib import kept
from shouxin.lib.imports import kinds
from shouxin.lib.imports import run as imports
from shouxin.lib.jobs import app, enqueue
from shouxin.lib.models import ImportRun, Kept
from shouxin.office import chain, checkpoints, clock
from shouxin.office import jobs as office_jobs
from shouxin.office.imports import runs
from shouxin.office.models import Delivery, Person, TrailEntry
from shouxin.office.webhooks import hooks
from shouxin.receivables import proof
from shouxin.receivables.models import Invoice
from shouxin.records import fitted_views
from shouxin.records import jobs as record_jobs
from shouxin.records.models import Digest
from shouxin.reviews import annual
from shouxin.reviews import jobs as review_jobs
from shouxin.reviews.models import Campaign, Review
from tests.collection import world
from tests.people import acme, member

ROWS, CUSTOMERS = 40, 4
OPTIONS = connections.settings["default"]["OPTIONS"]
POOL = OPTIONS.pop("pool")
SAID = Path(os.environ["SHOUXIN_HOME"]) / "said.log"
HEADINGS = "客户编码,客户名称,单据编号,单据日期,到期日,应收金额,币种"


@dataclass(frozen=True)
class Kind:
    """`begin(tag)` leaves a job to do; `came(tag)` tells what it did; `again` asks for it once more."""

    begin: Callable[[str], None]
    came: Callable[[str], Any]
    again: Callable[[str], object] = lambda _tag: None


def calm(tag: str) -> bool:
    """A tag names the kind by its place, and whether its workers live."""
    return tag.endswith("calm")


def customers(tag: str) -> list[Customer]:
    return [acme(code=f"{tag}{number}", name=f"{tag}{number}号商行", email="") for number in range(CUSTOMERS)]


# --- files ---------------------------------------------------------------------------------------


def upload(atomic: bool) -> Callable[[str], None]:
    """A file of invoices is handed in and begun; its last row is refused unless the whole file is wanted."""

    def begin(tag: str) -> None:
        [first, *_others] = customers(tag)
        rows = [f"{first.code},,{tag}-{n},2026-01-05,2026-02-04,100.00,CNY" for n in range(ROWS)]
        rows += [] if atomic else ["nobody,,N-1,2026-01-05,2026-02-04,100.00,CNY"]
        name, text = f"{tag}.csv", "\n".join([HEADINGS, *rows])
        given = {"by": member("fi"), "at": clock.now()}
        run = runs.receive(
            SimpleUploadedFile(name, text.encode()), kinds.get("invoices"), options=runs.Options(atomic=atomic), **given
        )
        runs.start(run, **given)

    return begin


def taken(tag: str) -> Any:
    run = ImportRun.objects.get(file_name=f"{tag}.csv")
    lines = TrailEntry.objects.filter(about=f"import-run:{run.pk}").values_list("verb", flat=True)
    books = Invoice.objects.filter(doc_no__startswith=f"{tag}-")
    return {
        "state": run.state, "rows": run.rows, "known": run.accepted + run.unchanged, "refused": run.refused,
        "given back": bool(run.errors_path) and runs.errors_of(run).exists(), "lines": sorted(lines),
        "invoices": books.count(), "amount": str(books.aggregate(sum=Sum("amount"))["sum"]),
    }  # fmt: skip


# --- letters -------------------------------------------------------------------------------------


def late(tag: str) -> None:
    """Letters to customers who pay late wait in the outbox; the first day was run when nobody was late."""
    for customer in customers(tag):
        Customer.objects.filter(pk=customer.pk).update(email=f"{customer.code.lower()}@example.com")
        world.line("B", customer=customer)
        world.owe(doc_no=f"S-{customer.code}", customer=customer)
    for day in (0, 25) if calm(tag) else (26,):
        world.run(world.after(day))
    enqueue(collection_jobs.send, once="collection.send")


def reminded(tag: str) -> Any:
    notices = Notice.objects.filter(customer__code__startswith=tag)
    lines = TrailEntry.objects.filter(verb="notice.sent", about__in=[f"notice:{each.pk}" for each in notices])
    return {"status": sorted(set(notices.values_list("status", flat=True))), "letters": notices.count(),
            "lines": lines.count()}  # fmt: skip


def write(tag: str) -> None:
    for customer in customers(tag):
        told = {"kind": "test", "about": f"customer:{customer.pk}", "to": f"{customer.code.lower()}@example.com"}
        mails.write(**told, subject="S", body="B", by=None, at=clock.now(), customer=customer)


def written(tag: str) -> Any:
    letters = Mail.objects.filter(kind="test", customer__code__startswith=tag)
    lines = TrailEntry.objects.filter(verb="mail.sent", about__in=[f"mail:{each.pk}" for each in letters])
    return {"status": sorted(set(letters.values_list("status", flat=True))), "letters": letters.count(),
            "lines": lines.count()}  # fmt: skip


def tell(tag: str) -> None:
    """Four things happen that another program wants to know."""
    act = {"by": member("cy"), "on": clock.today(), "at": clock.now()}
    if calm(tag):
        hooks.create(os.environ["TEST_HOOK"], ("standing.changed",), **act)
    for customer in customers(tag):
        standing.set_standing(customer, "watched", why="faults", **act)
    enqueue(office_jobs.send_webhooks, once="office.send_webhooks", timestamp=0)


def told(tag: str) -> Any:
    rows = Delivery.objects.filter(entry__customer_id__in=[each.pk for each in customers(tag)])
    return {"status": sorted(set(rows.values_list("status", flat=True))), "deliveries": rows.count()}


def gather(tag: str) -> None:
    """A department whose week is over; its people have an address."""
    Person.objects.create(username=f"p-{tag}", name=tag, email=f"{tag}@example.com", department=tag)
    acme(code=f"{tag}-d", name=f"{tag}部客户", department=tag)
    enqueue(record_jobs.make_digests, once="records.digests", timestamp=0)


def gathered(tag: str) -> Any:
    rows = Digest.objects.filter(department=tag)
    about = [f"digest:{each.pk}" for each in rows]
    letters, lines = (of.objects.filter(about__in=about) for of in (Mail, TrailEntry))
    return {"digests": rows.count(), "letters": letters.count(), "lines": lines.count()}


# --- figures and reviews -------------------------------------------------------------------------


def year_of(tag: str) -> int:
    return clock.today().year - (2 if calm(tag) else 1)


def review(tag: str) -> None:
    """A year is opened that every customer with a line belongs to."""
    for customer in customers("review"):
        if not customer.lines.exists():
            world.line("B", customer=customer, since=date(clock.today().year - 3, 1, 1))
    campaign = annual.open_year(year_of(tag), by=member("bo"), on=clock.today(), at=clock.now())
    review_jobs.begin(campaign)


def reviewed(tag: str) -> Any:
    campaign = Campaign.objects.get(year=year_of(tag))
    done = Review.objects.filter(campaign=campaign)
    lines = TrailEntry.objects.filter(verb="review_year", about=f"campaign:{campaign.pk}")
    ratings = Rating.objects.filter(as_of=campaign.last).values("customer").annotate(times=Count("pk"))
    return {
        "left": annual.unreviewed(campaign).count(),
        "twice": done.count() - done.values("customer").distinct().count(),
        "rated twice": ratings.filter(times__gt=1).count(),
        "told": sum(line.particulars["customers"] for line in lines) - done.count(),
    }  # fmt: skip


def figure(of: str) -> dict[str, Any]:
    """A figure over every row."""
    return {"of": of, "customers": Customer.objects.count(), "invoices": Invoice.objects.count()}


def count(tag: str) -> None:
    given = {"figure": "tests.faults.in_home.jobs.figure", "key": f"figure:{tag}", "asked": {"of": tag}}
    enqueue(lib_jobs.work_out, once=f"figure:{tag}", **given)


def counted(tag: str) -> Any:
    row = Kept.objects.get(key=f"figure:{tag}")
    return {"right": row.content == figure(tag), "rows": Kept.objects.filter(key=f"figure:{tag}").count()}


def late_days(tag: str) -> int:
    return 20 if calm(tag) else 25


def fit(tag: str) -> None:
    """A card is asked for; the history is too short, which is found out once and kept once."""
    fitted_views.ask(late_days(tag), by=member("cy"), on=clock.today())


def fitted(tag: str) -> Any:
    of = {"late_days": late_days(tag)}
    return {"cards": FittedCard.objects.filter(**of).count(), "refusals": RefusedFit.objects.filter(**of).count()}


def audit(_tag: str) -> None:
    enqueue(office_jobs.audit_trail, once="office.audit_trail", timestamp=0)


def audited(_tag: str) -> Any:
    verdict = chain.verify(checkpoints.kept())
    return {"whole": verdict.whole, "checkpoints": min(verdict.checkpoints, 1)}


KINDS = {
    "office.take_over_file": Kind(upload(False), taken),
    "office.take_over_file, whole": Kind(upload(True), taken),
    "collection.send": Kind(late, reminded, lambda _tag: enqueue(collection_jobs.send, once="collection.send")),
    "customers.send_mails": Kind(
        write, written, lambda _tag: enqueue(customer_jobs.send_mails, once="customers.send_mails")
    ),
    "office.send_webhooks": Kind(
        tell, told, lambda _tag: enqueue(office_jobs.send_webhooks, once="office.send_webhooks", timestamp=1)
    ),
    "records.digests": Kind(gather, gathered),
    "records.fit_card": Kind(fit, fitted),
    "reviews.prepare": Kind(review, reviewed),
    "lib.work_out": Kind(count, counted, count),
    "office.audit_trail": Kind(audit, audited),
}


# --- workers and their deaths --------------------------------------------------------------------


class Dying:
    """Counts the statements of a worker's jobs; behind the n-th it is dead. 0: it lives, and tells how many."""

    def __init__(self, behind: int) -> None:
        self.behind, self.count = behind, 0

    def watch(self, connection: Any, **_more: Any) -> None:
        connection.execute_wrappers.append(self)

    def __call__(self, execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        answer = execute(statement, parameters, many, context)
        self.count += 1
        if self.count == self.behind:
            die()
        return answer


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def worker(task: str, behind: int, *, at_the_end: bool = False) -> int | None:
    """A worker that does what waits, or dies of it: the statements of its jobs, None where it died."""
    connections.close_all()  # no connection may be of two processes
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        _work_and_exit(task, Dying(behind), writing, at_the_end=at_the_end)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return None
    assert os.waitstatus_to_exitcode(status) == 0, said
    return int(said)


def _work_and_exit(task: str, dying: Dying, writing: int, *, at_the_end: bool) -> None:
    try:
        OPTIONS["pool"] = POOL
        connection_created.connect(dying.watch, weak=False)
        if at_the_end:
            _die_when_done(task)
        asyncio.run(_work())
        os.write(writing, str(dying.count).encode())
        os._exit(0)
    except BaseException:
        os.write(writing, traceback.format_exc().encode())
        os._exit(1)


def _die_when_done(task: str) -> None:
    finish = JobManager.finish_job

    async def finish_or_die(self: JobManager, job: Any, *words: Any, **more: Any) -> None:
        if job.task_name == task:
            die()
        await finish(self, job, *words, **more)

    JobManager.finish_job = finish_or_die  # type: ignore[method-assign]


async def _work() -> None:
    with app.replace_connector(app.connector.get_worker_connector()) as working:
        async with working.open_async():
            for _turn in range(2):  # the first takes up what is stalled
                await working.run_worker_async(
                    wait=False, listen_notify=False, install_signal_handlers=False, task_middleware=[patient]
                )


def minutes_pass() -> None:
    """The dead have not been heard of for long; what they had borrowed is due; the clock asks for the stalled."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '10 minutes'")
    Delivery.objects.filter(status="waiting").update(next_at=clock.now() - timedelta(minutes=1))
    enqueue(house.take_up_stalled, once="house.take_up_stalled", timestamp=0)


def killed(task: str, tag: str, kind: Kind, behind: list[int]) -> int:
    """Workers die one after another, the last but one when all is done; how many did. Then one lives."""
    deaths = 0
    for number in behind:
        deaths += worker(task, number) is None
        if deaths == 1:
            kind.again(tag)
        minutes_pass()
    deaths += worker(task, 0, at_the_end=True) is None
    minutes_pass()
    worker(task, 0)
    return deaths


def stuck() -> list[tuple[str, str, str]]:
    """What is not done although nothing is left to do it, and the last that its workers complained of."""
    said = SAID.read_text()[-4000:]
    left = ProcrastinateJob.objects.exclude(status="succeeded").values_list("task_name", "status")
    return [(task, status, said) for task, status in left]


def drill(name: str, place: int, points: int, dice: random.Random) -> dict[str, Any]:
    """One kind of job in calm and killed."""
    kind, task, tags = KINDS[name], name.partition(",")[0], (f"k{place}calm", f"k{place}dead")
    kind.begin(tags[0])
    statements = worker(task, 0) or 0
    kind.begin(tags[1])
    behind = sorted(dice.randint(1, max(statements // 2, 1)) for _point in range(points - 1))
    deaths = killed(task, tags[1], kind, behind)
    return {"statements": statements, "deaths": deaths, "behind": behind, "calm": kind.came(tags[0]),
            "killed": kind.came(tags[1]), "stuck": stuck()}  # fmt: skip


def drills(seed: int, points: int) -> dict[str, Any]:
    """Every kind, and what can be told of the whole afterwards."""
    migrating.bring_up()
    said = logging.FileHandler(SAID)
    said.setLevel(logging.WARNING)
    logging.getLogger().addHandler(said)
    app.periodic_registry.periodic_tasks.clear()  # what the clock would ask for, is asked for here
    imports.BATCH_ROWS, annual.CHUNK, kept.KEEP_AFTER = 10, 2, 0.0
    dice, found = random.Random(seed), dict[str, Any]()
    for place, name in enumerate(KINDS):
        try:
            found[name] = drill(name, place, points, dice)
        except Exception:
            found[name] = traceback.format_exc()
    found["differences"] = len(proof.differences())
    found["whole"] = chain.verify().whole
    return found


if __name__ == "__main__":
    print(json.dumps(drills(int(sys.argv[1]), int(sys.argv[2])), default=str))
