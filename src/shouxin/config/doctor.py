"""The installation's check-up: each finding says what was seen and, where it is wrong, how to mend it."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from psycopg_pool import PoolTimeout

from shouxin.config import backup, jobs, migrating
from shouxin.lib import calendars, letters, sealed
from shouxin.lib.database import roles
from shouxin.lib.embedded import EmbeddedError
from shouxin.office import checkpoints, clock, pause, policies
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import Refusal

AWAY = (DatabaseError, InterfaceError, PoolTimeout, EmbeddedError)
FREE_BYTES_MIN = 2 * 1024**3
DRIFT_SECONDS_MAX = 5.0
BACKUP_AGE_MAX = timedelta(days=2)


LABELS = {
    "database": gettext_lazy("Database"),
    "locale": gettext_lazy("Encoding of the database"),
    "migrations": gettext_lazy("Form of the database"),
    "calendar": gettext_lazy("Calendar"),
    "clock": gettext_lazy("Clock beside the database's"),
    "timezone": gettext_lazy("Time zone"),
    "jobs stalled": gettext_lazy("Stalled jobs"),
    "jobs failed": gettext_lazy("Failed jobs"),
    "worker": gettext_lazy("Jobs without a worker"),
    "paused": gettext_lazy("Paused"),
    "backup": gettext_lazy("Last backup"),
    "keys": gettext_lazy("Keys of what is sealed"),
    "trail checkpoint": gettext_lazy("Checkpoint of the trail"),
    "roles": gettext_lazy("Roles in the database"),
    "fonts": gettext_lazy("Chinese fonts"),
    "disk": gettext_lazy("Room on the disk"),
    "home": gettext_lazy("Home folder"),
}
"""What is looked at, for people; a setting of PostgreSQL goes by its own name."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `mend` is empty where nothing is to be done; what is `ok` and has a mend can wait."""

    check: str
    ok: bool
    seen: str
    mend: str = ""

    @property
    def label(self) -> str:
        """What was looked at, for people."""
        what, _space, year = self.check.partition(" ")
        label = LABELS.get(self.check)
        return str(label) if label else f"{LABELS[what]} {year}" if what in LABELS else self.check

    def as_row(self) -> dict[str, Any]:
        """The finding as a row of a table or a JSON object."""
        return asdict(self)


def examine() -> list[Finding]:
    """All findings. What needs the database is left out while it is away: the first finding says so."""
    database = _database()
    rooms = [_locale, _durability, _migrations] if database.ok else []
    lived_in = (
        [_calendar, _clock, _queue, _paused, _backup, _keys, _checkpoint, _roles]
        if database.ok and not migrating.pending()
        else []
    )
    return [
        database,
        *(found for check in [*rooms, *lived_in] for found in _guarded(check)),
        _fonts(),
        _disk(),
        _home(),
    ]


def _guarded(check: Callable[[], Iterator[Finding] | Finding]) -> list[Finding]:
    try:
        found = check()
        return [found] if isinstance(found, Finding) else list(found)
    except (DatabaseError, Refusal) as error:
        name = check.__name__.removeprefix("_")
        return [Finding(name, False, str(error).strip(), _("Run `shouxin migrate`, then look again."))]


def _ask(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _database() -> Finding:
    try:
        version = _ask("SELECT current_setting('server_version')")
    except AWAY as error:
        mend = _("Start the server DATABASE_URL names, or unset it to use the embedded one.")
        return Finding("database", False, str(error).strip(), mend)
    kind = _("embedded") if settings.ENVIRONMENT.embedded else _("your own")
    old = migrating.server()[0] < migrating.SERVER_VERSION_MIN
    return Finding("database", not old, f"PostgreSQL {version} ({kind})", _("Move to PostgreSQL 15 or later.") * old)


def _locale() -> Finding:
    _version, encoding, character_type = migrating.server()
    ok = encoding == "UTF8" and character_type not in ("C", "POSIX")
    mend = _("Create the database anew with ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' and restore a backup into it.")
    return Finding("locale", ok, f"{encoding}, LC_CTYPE {character_type}", "" if ok else mend)


def _durability() -> Iterator[Finding]:
    for name, found in migrating.durability().items():
        careless = found in migrating.CARELESS.get(name, ("off",))
        mend = _("Set %(name)s = on in postgresql.conf: otherwise a power cut can lose what was confirmed.")
        if name == "data_checksums":
            mend = _("Stop the server and run `pg_checksums --enable`: otherwise a bad disk goes unnoticed.")
        if name.endswith("of the role"):
            mend = _("Run ALTER ROLE … RESET synchronous_commit: otherwise a power cut can lose what was confirmed.")
        yield Finding(name, not careless, found, mend % {"name": name} if careless else "")


def _migrations() -> Finding:
    waiting = migrating.pending()
    seen = ngettext("%(count)d waits", "%(count)d wait", len(waiting)) % {"count": len(waiting)}
    seen = f"{seen}: {waiting[0]} …" if waiting else _("all applied")
    return Finding("migrations", not waiting, seen, _("Run `shouxin migrate`.") if waiting else "")


def _calendar() -> Iterator[Finding]:
    today = clock.today()
    book = policies.in_force(today).policy.calendar
    known = calendars.calendar(book.country, book.holidays, book.workdays).years
    yield _year(today.year, today.year in known, due=True)
    yield _year(today.year + 1, today.year + 1 in known, due=False)


def _year(year: int, known: bool, *, due: bool) -> Finding:
    """Next year's notice comes out in November or later: without it the house runs on, but is told to look for it."""
    if known:
        return Finding(f"calendar {year}", True, _("known"))
    mend = _("Enter the rest days and make-up days of the yearly notice in the policy, chapter `calendar`.")
    return Finding(f"calendar {year}", not due, _("rest days not known yet, only weekends are off"), mend)


def _clock() -> Iterator[Finding]:
    drift = abs((_ask("SELECT clock_timestamp()") - datetime.now(UTC)).total_seconds())
    mend = _("Let both machines keep time by NTP.")
    yield Finding("clock", drift <= DRIFT_SECONDS_MAX, f"± {drift:.1f} s", mend * (drift > DRIFT_SECONDS_MAX))
    company = policies.in_force(clock.today()).policy.company.timezone
    same = company == settings.TIME_ZONE
    mend = _("Set SHOUXIN_TIMEZONE=%(zone)s, or change the policy.") % {"zone": company}
    yield Finding("timezone", same, f"{settings.TIME_ZONE}, {clock.today()}", mend * (not same))


def _queue() -> Iterator[Finding]:
    stalled = jobs.stalled()
    mend = _("Start a worker (`shouxin serve`): it takes them up again within minutes.")
    yield Finding("jobs stalled", not stalled, str(stalled), mend * bool(stalled))
    failed = _ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    mend = _("Read why in the log, then retry or remove them.")
    yield Finding("jobs failed", not failed, str(failed), mend * bool(failed))
    late = _ask(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
        " AND coalesce(scheduled_at, now() - interval '1 hour') < now() - interval '10 minutes'"
        " AND NOT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '2 minutes')"
    )
    yield Finding("worker", not late, str(late), _("Jobs wait and no worker runs: start `shouxin serve`.") * bool(late))


def _paused() -> Finding:
    since = pause.since()
    if since is None:
        return Finding("paused", True, _("no"))
    seen = _("since %(at)s: no letters, no webhooks, no jobs") % {"at": f"{since:%Y-%m-%d %H:%M}"}
    return Finding("paused", False, seen, _("Look it over, then let it go on with `shouxin resume`."))


def _backup() -> Finding:
    """A house that began to keep a trail two days ago needs a backup; a younger one is told that it will."""
    made, first = backup.last(), TrailEntry.objects.order_by("id").values_list("at", flat=True).first()
    since = made or first
    fresh = since is None or clock.now() - since <= BACKUP_AGE_MAX
    seen = f"{made:%Y-%m-%d %H:%M}" if made else _("none yet")
    mend = _("Run `shouxin backup FILE` every day, and keep the file on another machine.")
    return Finding("backup", fresh, seen, "" if made and fresh else mend)


def _roles() -> Finding:
    """Whether the application's role could change the trail. On a server of one's own that is a choice, and said."""
    apart = roles.apart()
    mend = _("Let another role own the tables: name it in SHOUXIN_OWNER_DATABASE_URL, then run `shouxin migrate`.")
    seen = _("apart") if apart else _("the application's role owns the tables")
    return Finding("roles", apart or not settings.ENVIRONMENT.embedded, seen, mend * (not apart))


def _checkpoint() -> Finding:
    """The worker keeps the trail's head outside the database every day; after two days without, something is amiss."""
    made, first = checkpoints.newest(), TrailEntry.objects.order_by("id").values_list("at", flat=True).first()
    since = made or first
    fresh = since is None or clock.now() - since <= BACKUP_AGE_MAX
    seen = f"{timezone.localtime(made):%Y-%m-%d %H:%M}" if made else _("none yet")
    mend = _("Start a worker, and run `shouxin trail verify`: it keeps a checkpoint only while the trail is whole.")
    return Finding("trail checkpoint", fresh, seen, mend * (not fresh))


def _keys() -> Iterator[Finding]:
    """The key lies outside the database, and what it has sealed opens."""
    closed = [why for column in sealed.columns() if (why := sealed.that_stays_closed(column))]
    mend = _("Put the key back (data.key of SHOUXIN_HOME, or SHOUXIN_DATA_KEYS): without it these stay closed.")
    fine = _("%(key)s seals, everything looked at opens") % {"key": settings.VAULT.keys.current}
    seen = closed[0] if closed else fine
    yield Finding("keys", not closed, seen, mend * bool(closed))


def _fonts() -> Finding:
    found = letters.families()
    mend = _("The font of letters and reports is missing: install the product again, with all it depends on.")
    return Finding("fonts", bool(found), ", ".join(found) or "–", "" if found else mend)


def _disk() -> Finding:
    disk = shutil.disk_usage(settings.HOME)
    ok = disk.free >= FREE_BYTES_MIN
    seen = _("%(free).1f GB free of %(total).1f GB") % {"free": disk.free / 1024**3, "total": disk.total / 1024**3}
    return Finding(
        "disk", ok, f"{socket.gethostname()}: {seen}", _("Make room on the disk of SHOUXIN_HOME.") * (not ok)
    )


def _home() -> Finding:
    open_to_others = [
        path.name for path in settings.HOME.glob("*") if _private(path.name) and path.stat().st_mode & 0o077
    ]
    mend = _("Run chmod 600 on them: they are secrets.")
    return Finding(
        "home", not open_to_others, ", ".join(open_to_others) or str(settings.HOME), mend * bool(open_to_others)
    )


def _private(name: str) -> bool:
    return name.endswith((".key", ".password", "-password"))
