"""The disk full: refused, nothing promised is lost, and open again as soon as there is room (T9, I-7 to I-9)."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import houses

from .history import CLEAN, Load, judge

pytestmark = pytest.mark.invariant("I-7", "I-8", "I-9", "T9")
SIZE = 260 * 1024**2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, a quarter of a gigabyte; only root can have one."""
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:
        told = f"NOT TESTED: a full disk needs a mount of its own ({mounted.stderr.strip() or 'refused'})"
        assert not (os.environ.get("CI") and os.getuid() == 0 and os.environ.get("SHOUXIN_FAULTS_MOUNT")), told
        pytest.skip(told)
    try:
        yield place
    finally:
        houses.stop_database(place / "home")
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    home, filler, figures = houses.furnish(small_disk / "home"), small_disk / "filler", small_disk / "figures"
    figures.mkdir()
    company = houses.module(home, "tests.faults.in_home.company", "4", "9000000.00")
    with (
        houses.open_house(home, "--no-worker") as (minder, port),
        Load(lambda: port, company["token"], company["customers"], seed=9) as load,
    ):
        assert houses.soon(lambda: sum(one.ok for one in load.calls) > 5, 30)
        _fill(filler)
        assert houses.soon(lambda: sum(one.refused for one in load.calls) > 4 or minder.poll() is not None, 120)
        assert minder.poll() is None, houses.said(home)
        told = {path: houses.call(port, "GET", path)[0] for path in ("/healthz", "/metrics", "/accounts/login/")}
        assert told == {"/healthz": 200, "/metrics": 200, "/accounts/login/": 200}
        assert _sign_in(port) == 503
        assert _counts_in(figures) == -signal.SIGBUS, "the control: what figures on this disk would do to a server"
        filler.unlink()
        before = len(load.calls)
        assert houses.soon(lambda: any(one.ok for one in load.calls[before:]), 40 * houses.busy()), load.told()
        load.over.set()
        print("disk full", dict(load.told()))
        assert not load.faults(), [(one.status, one.answer) for one in load.faults()][:5]
        load.settle()
    assert judge(home, load) == CLEAN


def _sign_in(port: int) -> int:
    """What is answered to somebody who signs in: attempts are counted in files."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request("GET", "/accounts/login/")
        answer = link.getresponse()
        token = re.search('csrfmiddlewaretoken" value="(.*?)"', answer.read().decode())
        cookie = str(answer.getheader("Set-Cookie")).split(";")[0]
        assert token
        form = f"login=cy&password=wrong&csrfmiddlewaretoken={token[1]}"
        kept = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        link.request("POST", "/accounts/login/", form, kept)
        return link.getresponse().status
    finally:
        link.close()


def _counts_in(folder: Path) -> int:
    """How a process ends that keeps its figures there."""
    words = [sys.executable, "-c", "import prometheus_client as p; p.Counter('any', 'thing').inc()"]
    more = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run(words, env={**os.environ, **more}, capture_output=True, check=False).returncode


def _fill(filler: Path) -> None:
    """Leave nothing: whatever the server had set aside is all it has."""
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass
