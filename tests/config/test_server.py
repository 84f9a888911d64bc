"""The server as a whole: it opens, survives the death of any of its processes, and leaves nothing behind."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shouxin.config import server
from shouxin.lib import embedded
from tests.houses import below, call, free_port, gone, open_house, ready, role, soon, start

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
PIPE_BYTES = 65536


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("授信 之家")
    yield home
    embedded.Cluster(home.resolve()).stop()


def test_it_opens_greets_in_both_languages_and_leaves_nothing(home: Path) -> None:
    with open_house(home) as (process, port):
        assert process.stdout
        greeting = "".join(iter(process.stdout.readline, "  按 Ctrl-C 停止 · Ctrl-C stops it\n"))
        assert "已启动 · Shouxin is running" in greeting and f"http://127.0.0.1:{port}/" in greeting
        started = list(below(process.pid))
        assert len(started) >= 4, "web, its worker process, the worker, the database"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert soon(lambda: gone(started), 10)
    assert not embedded.Cluster(home.resolve()).running()
    figures = server.figures_of(home.resolve())
    assert not list(figures.parent.glob(f"{figures.name}*"))


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = start(home, other.getsockname()[1])
        _out, said = process.communicate(timeout=60)
    assert process.returncode == 2 and said.count("\n") == 1 and "--port" in said


@pytest.mark.invariant("T5")
def test_every_death_is_noticed_and_mended(home: Path) -> None:
    with open_house(home) as (process, port):
        cluster = embedded.Cluster(home.resolve())
        for words in ("server web", "server worker"):
            victim = role(process.pid, words)
            assert victim
            os.kill(victim, signal.SIGKILL)
            assert soon(lambda words=words, victim=victim: role(process.pid, words) not in (None, victim), 20)
            assert soon(lambda: ready(port), 30)
        database = cluster.process()
        assert database
        os.kill(database, signal.SIGKILL)
        assert soon(lambda: cluster.process() not in (None, database), 30)
        assert soon(lambda: ready(port), 30)


@pytest.mark.invariant("T5")
def test_a_killed_minder_leaves_no_orphans(home: Path) -> None:
    with open_house(home) as (process, _port):
        ours = [pid for pid, command in below(process.pid).items() if "config.server" in command]
        assert len(ours) >= 3
        process.kill()
        assert soon(lambda: gone(ours), 30)


@pytest.mark.invariant("T5")
def test_a_log_nobody_reads_stops_nothing(home: Path) -> None:
    port = free_port()
    process = start(home, port)
    try:
        assert soon(lambda: ready(port))
        for _ in range(400):
            assert call(port, "GET", "/accounts/login/")[0] == 200
        victim = role(process.pid, "server web")
        assert victim
        os.kill(victim, signal.SIGKILL)
        assert soon(lambda: role(process.pid, "server web") not in (None, victim), 20)
        assert soon(lambda: ready(port), 30)
    finally:
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert len(said) > PIPE_BYTES, "more than a pipe holds, or nothing was tried"


def test_two_servers_share_one_database(home: Path) -> None:
    with open_house(home) as (first, _one), open_house(home, "--no-worker") as (_second, other):
        first.terminate()
        assert first.wait(30) == 0
        assert ready(other), "the one that is left goes on"
        caller = http.client.HTTPConnection("127.0.0.1", other, timeout=10)
        caller.request("GET", "/healthz")
        assert json.load(caller.getresponse()) == {"status": "alive"}
    assert not embedded.Cluster(home.resolve()).running()


def test_a_child_that_keeps_dying_stops_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    child = server.Child("nonsense", {})
    monkeypatch.setattr(child, "start", lambda: None)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    for _death in range(server.DEATHS_MAX):
        child.revive()
    with pytest.raises(server.Unstartable, match="nonsense process ended 6 times"):
        child.revive()
