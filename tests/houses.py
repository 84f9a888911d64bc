"""Real installations for tests: a home, the house opened in it, its processes by name, commands run in it."""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from shouxin.config import cli, server
from shouxin.lib import embedded

SOURCE = Path(cli.__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """What a process of the house is told: this home, and nothing of the suite's own."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("SHOUXIN_")}
    for name in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL"):
        found.pop(name, None)
    path = f"{SOURCE}{os.pathsep}{Path(__file__).resolve().parents[1]}"
    return found | {"PYTHONPATH": path, "SHOUXIN_HOME": str(home), "PYTHONUNBUFFERED": "1", "LANG": "en"} | more


def start(
    home: Path, port: int, *words: str, log: int | IO[str] = subprocess.PIPE, **more: str
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "shouxin.config.cli", "serve", "--port", str(port), *words]
    return subprocess.Popen(command, env=surroundings(home, **more), stdout=subprocess.PIPE, stderr=log, text=True)


def furnish(home: Path) -> Path:
    """Make the home as a first start leaves it, a copy of one that is made once in a run of the suite; answers it."""
    made = Path(os.environ["SHOUXIN_HOME"]) / "furnished"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.with_suffix(".done").exists():
            done = command(made, "migrate")
            assert done.returncode == 0, done.stderr
            stop_database(made)
            made.with_suffix(".done").touch()
    home.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{made}/.", str(home)], check=True)
    return home


def log_of(home: Path) -> Path:
    """Where an opened house says what it says on stderr: beside its home, so that a full disk does not reach it."""
    return home.parent.with_name(f"{home.parent.name}-{home.name}.log")


def said(home: Path, size: int = 6000) -> str:
    """The end of what the house and its database have said."""
    logs = sorted((home / "postgres" / "log").glob("*.log"))
    return "\n".join(f"--- {path}\n{path.read_text()[-size:]}" for path in [log_of(home), *logs] if path.exists())


def command(home: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """One command of the product in this home."""
    run = [sys.executable, "-m", "shouxin.config.cli", *words]
    return subprocess.run(run, env=surroundings(home, **more), capture_output=True, text=True, timeout=300, check=False)


def told(home: Path, *words: str, **more: str) -> Any:
    """What a command answers in JSON; it must have gone well."""
    done = command(home, *words, "--json", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def module(home: Path, name: str, *words: str, seconds: float = 300.0, **more: str) -> Any:
    """What a module of the tests, run in this home, prints in JSON; it has so many seconds."""
    run = [sys.executable, "-m", name, *words]
    env = surroundings(home, DJANGO_SETTINGS_MODULE="shouxin.config.settings", **more)
    done = subprocess.run(run, env=env, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ready(port: int) -> bool:
    return server.answers("127.0.0.1", port)


def soon(true: Callable[[], object], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return False


def below(pid: int) -> dict[int, str]:
    """The processes a process has started, and those they have: number -> command line."""
    found: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if int((path / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found |= below(int(path.name))
    return found


def busy() -> float:
    """How much longer anything takes on this machine now than on one that has nothing else to do; 1 at least."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)


def role(pid: int, words: str) -> int | None:
    return next((child for child, command in sorted(below(pid).items()) if words in command), None)


def gone(pids: list[int]) -> bool:
    return not any(_command(pid) for pid in pids)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def open_house(home: Path, *words: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The house opened in this home until the block ends; answers the minder and the port."""
    port = free_port()
    with log_of(home).open("w") as log:
        process = start(home, port, *words, log=log, **more)
    try:
        opened = soon(lambda: ready(port) or process.poll() is not None, 60 * busy())
        assert opened and process.poll() is None, said(home)
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)
        log_of(home).unlink(missing_ok=True)


def call(
    port: int, method: str, path: str, body: Any = None, *, seconds: float = 60.0, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """One call of the API: status, JSON, headers. Raises OSError or HTTPException where no answer came."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    kept = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        link.request(method, path, json.dumps(body) if body is not None else None, kept)
        answer = link.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else None, dict(answer.getheaders())
    finally:
        link.close()


def kill(pid: int | None) -> None:
    """kill -9 one process, if it is still there."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stop_database(home: Path) -> None:
    embedded.Cluster(home.resolve()).stop()
