"""What the house looks like at this moment, for Prometheus and for the system page: asked of the database when read."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connection
from prometheus_client.core import GaugeMetricFamily
from psycopg_pool import PoolTimeout

from shouxin.collection.models import Day, Notice
from shouxin.config import backup
from shouxin.credit.models import CreditAccount
from shouxin.office import clock, pause
from shouxin.orders.models import Hold
from shouxin.receivables.models import ProofRun


@dataclass(frozen=True)
class House:
    """Counts by state, and how long ago what should happen daily has happened (None: never)."""

    jobs: dict[str, int] = field(default_factory=dict)
    workers: int = 0
    database_bytes: int = 0
    holds_open: int = 0
    parked: int = 0
    notices: dict[str, int] = field(default_factory=dict)
    day_age: int | None = None
    proof_age: int | None = None
    proof_differences: int = 0
    paused: bool = False
    backup_seconds: float | None = None


def house() -> House:
    """The state of the house; raises DatabaseError or PoolTimeout while the database is away."""
    today = clock.today()
    proof = ProofRun.objects.order_by("-pk").first()
    made = backup.last()
    day = Day.objects.filter(status="done").order_by("-as_of").values_list("as_of", flat=True).first()
    return House(
        jobs=_by("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1"),
        workers=_one("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '2 minutes'"),
        database_bytes=_one("SELECT pg_database_size(current_database())"),
        holds_open=Hold.objects.filter(status="open").count(),
        parked=CreditAccount.objects.exclude(parked="").count(),
        notices=_by(f"SELECT status, count(*) FROM {Notice._meta.db_table} WHERE status <> 'sent' GROUP BY 1"),
        day_age=(today - day).days if day else None,
        proof_age=(today - proof.on).days if proof else None,
        proof_differences=len(proof.differences) if proof else 0,
        paused=pause.since() is not None,
        backup_seconds=(clock.now() - made).total_seconds() if made else None,
    )


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _by(statement: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return dict(cursor.fetchall())


class Gauges:
    """The house as gauges; while the database is away only that it is, and the disk."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read anew each time; names begin with shouxin_."""
        yield _plain("disk_free_bytes", "Free on the disk of SHOUXIN_HOME", shutil.disk_usage(settings.HOME).free)
        try:
            found = house()
        except (DatabaseError, PoolTimeout):
            yield _plain("database_up", "Whether the database answers", 0)
            return
        yield _plain("database_up", "Whether the database answers", 1)
        yield _plain("database_bytes", "Size of the database", found.database_bytes)
        yield _plain("workers", "Workers heard of in the last two minutes", found.workers)
        yield _plain("holds_open", "Orders that wait for a person", found.holds_open)
        yield _plain("accounts_parked", "Accounts on which nothing is decided", found.parked)
        yield _plain("proof_differences", "What the last proof of exposure found", found.proof_differences)
        yield _plain("paused", "1 while no letters leave and no jobs run", found.paused)
        for name, meaning, age in (
            ("backup_age_seconds", "Seconds since the last backup", found.backup_seconds),
            ("day_age_days", "Business days since the last daily run", found.day_age),
            ("proof_age_days", "Days since the last proof of exposure", found.proof_age),
        ):
            if age is not None:
                yield _plain(name, meaning, age)
        yield _states("jobs", "Jobs by state", found.jobs)
        yield _states("notices", "Letters that have not left, by state", found.notices)


def _plain(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"shouxin_{name}", meaning, value=value)


def _states(name: str, meaning: str, counts: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"shouxin_{name}", meaning, labels=["state"])
    for state, count in counts.items():
        gauge.add_metric([state], count)
    return gauge
