"""Everything that runs while the house is open: the web server and the worker, and the one who minds them.

The minder starts both as children, restarts one that dies, sees to the embedded database, and takes all of them down
with itself. A killed minder cannot say goodbye, so each child asks the kernel to be told of its parent's end.

Nothing may keep the minder from looking: the database, whose recovery may take minutes, is seen to by a thread of its
own, and what is said on stderr is passed on by others (`lib.relay`), so that a log nobody reads stops nothing.
"""

import contextlib
import hashlib
import http.client
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from shouxin.lib import embedded, relay
from shouxin.lib.lifeline import die_with_parent

if TYPE_CHECKING:
    from shouxin.config.front import Front

log = structlog.get_logger("shouxin.server")

STOP_SECONDS = 20
LOOK_SECONDS = 0.5
DEATHS_MAX = 5
DEATHS_WITHIN = 60.0
THREADS = 16
CONNECTIONS = 1024
STDERR = 2
MEMORY = Path("/dev/shm")


class Unstartable(RuntimeError):
    """The server cannot start, or cannot be kept running; the message says why."""


@dataclass
class Child:
    """A process we keep running: its role, and when it died of late."""

    role: str
    surroundings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C on the terminal reaches the minder alone."""
        words = [sys.executable, "-m", "shouxin.config.server", self.role]
        told = {**os.environ, **self.surroundings}
        self.process = subprocess.Popen(words, env=told, stdout=STDERR, start_new_session=True)

    def dead(self) -> bool:
        """Whether it has ended, for whatever reason."""
        return self.process is None or self.process.poll() is not None

    def signal(self, word: signal.Signals) -> None:
        """Tell it and everything it has started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, word)

    def revive(self) -> None:
        """Start it again; raises Unstartable when it keeps ending by itself, not when it is killed from outside."""
        code = self.process.returncode if self.process else None
        now = time.monotonic()
        if code is None or code >= 0:
            self.deaths = [at for at in self.deaths if now - at < DEATHS_WITHIN] + [now]
        self.signal(signal.SIGKILL)
        if len(self.deaths) > DEATHS_MAX:
            raise Unstartable(f"the {self.role} process ended {len(self.deaths)} times within a minute; see its log")
        log.warning("child died, starting it again", role=self.role, code=code)
        time.sleep(0.2 * len(self.deaths))
        self.start()


@dataclass
class Minder:
    """Starts the children, watches over them and the embedded database, and stops them all."""

    children: list[Child]
    home: Path | None = None
    opened: Callable[[], bool] = lambda: True
    greet: Callable[[], None] = lambda: None
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Keep everything running until SIGINT or SIGTERM; raises Unstartable when it cannot be kept so."""
        for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(word, lambda *_: self.over.set())
        database = threading.Thread(target=self._keep_database, daemon=True)
        try:
            database.start()
            for child in self.children:
                child.start()
            greeted = False
            while not self.over.wait(LOOK_SECONDS):
                self._look()
                if not greeted and self.opened():
                    greeted = True
                    self.greet()
        finally:
            self.over.set()
            self._stop()
            database.join(STOP_SECONDS)

    def _keep_database(self) -> None:
        while self.home and not self.over.wait(LOOK_SECONDS):
            if not embedded.Cluster(self.home).running():
                self._recover(embedded.Cluster(self.home))

    def _look(self) -> None:
        for child in self.children:
            if child.dead() and not self.over.is_set():
                child.revive()

    def _recover(self, database: embedded.Cluster) -> None:
        """Start the database again. Where that fails (a full disk) pages answer 503, and it is tried until it works."""
        log.warning("the embedded database is down, starting it again")
        try:
            database.ensure()
        except Exception as error:  # whatever it is, from a full disk to a second death: it is tried again
            log.error("the embedded database cannot be started", why=f"{type(error).__name__}: {error}")

    def _stop(self) -> None:
        """Ask first, insist after a while; nothing started here is left behind."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if child.process:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
            child.signal(signal.SIGKILL)


def check_port(address: str, port: int) -> None:
    """Raises Unstartable when somebody else listens there, or the address is not ours."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise Unstartable(
                f"port {port} on {address} cannot be used ({error.strerror}): "
                "stop the other program, or choose another with --port or SHOUXIN_PORT."
            ) from error


def answers(address: str, port: int) -> bool:
    """Whether the web server there says that it is ready."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    caller = http.client.HTTPConnection(host, port, timeout=5)
    try:
        caller.request("GET", "/readyz", headers={"Host": "localhost"})
        return caller.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        caller.close()


def serve(port: int, *, worker: bool, greet: Callable[[], None]) -> None:
    """Run the web server on `port`, and a worker unless told otherwise, until somebody says stop.

    `greet` is called once, when the first page can be had.
    """
    from django.conf import settings

    from shouxin.lib import spool

    spool.empty()
    folder = _figures(settings.HOME)
    surroundings = {"SHOUXIN_PORT": str(port), "SHOUXIN_MINDED": "1", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    if sys.stderr.isatty():
        surroundings["SHOUXIN_TERMINAL"] = "1"  # through the relay they could not tell
    roles = ["web", *(["worker"] if worker else [])]
    home = settings.HOME if settings.ENVIRONMENT.embedded else None
    try:
        children = [Child(role, surroundings) for role in roles]
        with relay.passed_on(STDERR):
            Minder(children, home, lambda: answers(settings.ENVIRONMENT.bind, port), greet).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def figures_of(home: Path) -> Path:
    """Where servers of this home keep their figures, but for the number of the process at the end.

    In memory where there is such a place: the figures are mapped into memory, and a page that finds no room on a full
    disk kills the process that touches it.
    """
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return (MEMORY if os.access(MEMORY, os.W_OK) else home) / f"shouxin-figures-{mark}-{os.getuid()}-"


def _figures(home: Path) -> Path:
    """A folder where the processes of this server share their figures; those of dead servers are removed."""
    name = figures_of(home)
    for old in name.parent.glob(f"{name.name}*"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(old.name.removeprefix(name.name))
            os.kill(pid, 0)
            if pid != os.getpid():  # ours is the number of a dead one in a container that was started again
                continue
        shutil.rmtree(old, ignore_errors=True)
    mine = Path(f"{name}{os.getpid()}")
    mine.mkdir(mode=0o700)
    return mine


def web() -> None:
    """The web server: granian before our front (`front.Front`), and a worker process that is replaced if it dies.

    Where processes are forked the application is loaded here, once: a worker that is replaced is there at once.
    """
    import multiprocessing

    from granian import Granian
    from granian.constants import Interfaces

    from shouxin.config.settings import ENVIRONMENT

    _room_for_connections()
    if multiprocessing.get_start_method() == "fork":
        importlib.import_module("shouxin.config.asgi")
    Granian(
        "shouxin.config.asgi:application",
        address=ENVIRONMENT.bind,
        port=ENVIRONMENT.port,
        interface=Interfaces.ASGINL,
        workers=1,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_SECONDS // 2,
        websockets=False,
        log_level="error",
    ).serve(target_loader=_application, wrap_loader=False)


def _application() -> "Front":
    """In the worker process, which must not keep the port when its parent is killed."""
    die_with_parent(signal.SIGKILL)
    found: Front = importlib.import_module("shouxin.config.asgi").application
    return found


def _room_for_connections() -> None:
    """As many open files as CONNECTIONS with all they may hold need, where the machine allows them."""
    import resource

    wanted = 4 * CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def work() -> None:
    """The worker: takes jobs as they come, and looks at the clock for those that come by themselves."""
    import asyncio

    import django

    django.setup()
    from procrastinate.contrib.django import app

    from shouxin.config import worker

    asyncio.run(worker.run(app))


ROLES = {"web": web, "worker": work}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouxin.config.settings")
    die_with_parent(signal.SIGTERM)
    ROLES[sys.argv[1]]()
