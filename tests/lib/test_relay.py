"""A log that is read late, not at all, or kept on a full disk stops nobody who writes to it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.invariant("T5", "T9")
RELAYED = """
import os, sys
from shouxin.lib import relay
with relay.passed_on():
    for number in range(int(sys.argv[1])):
        os.write(2, b"%08d " % number)
        os.write(2, b"." * 1023)
    print("said", flush=True)
"""
PLAIN = RELAYED.replace("with relay.passed_on():", "if True:")


def speaker(program: str, kilobytes: int, log: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", program, str(kilobytes)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log)


def test_whoever_speaks_does_not_wait_for_a_reader() -> None:
    with speaker(RELAYED, 20_000, subprocess.PIPE) as one:
        assert one.stdout and one.stderr
        assert one.stdout.readline() == b"said\n", "20 MB, and nobody has read a byte"
        assert b"part of the log was lost: nobody took it" in one.stderr.read()
    assert one.returncode == 0


def test_the_control_waits() -> None:
    with speaker(PLAIN, 20_000, subprocess.PIPE) as one, pytest.raises(subprocess.TimeoutExpired):
        try:
            one.wait(3)
        finally:
            one.kill()


def test_everything_arrives_in_order_where_somebody_reads() -> None:
    with speaker(RELAYED, 500, subprocess.PIPE) as one:
        said = one.communicate(timeout=60)[1]
    assert said == b"".join(b"%08d " % number + b"." * 1023 for number in range(500))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_stops_nobody() -> None:
    with open("/dev/full", "wb") as full, speaker(RELAYED, 500, full.fileno()) as one:
        assert one.communicate(timeout=60)[0] == b"said\n"
    assert one.returncode == 0
