"""The restore drill: a backup taken while orders are decided becomes a second house, equal and silent (I-36)."""

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from shouxin.lib import archive
from tests import houses

from .conftest import Postbox
from .history import Load

LETTER = "tests.faults.in_home.letter"
pytestmark = pytest.mark.invariant("I-36", "T18")


@pytest.fixture(scope="module")
def backup(home: Path, company: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup made under load, with a letter waiting and a file in the home."""
    target = tmp_path_factory.mktemp("backups") / "under load.bak"
    (home / "files").mkdir(exist_ok=True)
    (home / "files" / "合同 1.pdf").write_bytes(os.urandom(3_000_000))
    houses.module(home, LETTER, "write")
    with (
        houses.open_house(home, "--no-worker") as (_process, port),
        Load(lambda: port, company["token"], company["customers"], seed=1) as load,
    ):
        assert houses.soon(lambda: len(load.calls) >= 20)
        before = len(load.calls)
        made = houses.told(home, "backup", str(target))[0]
        during = len(load.calls) - before
    assert not load.faults() and during > 5, "orders were decided meanwhile"
    assert made["files"] >= 2 and len(made["trail_head"]["hash"]) == 64 and target.stat().st_mode & 0o077 == 0
    return target


def test_the_second_house_is_equal_and_silent(backup: Path, home: Path, tmp_path: Path, postbox: Postbox) -> None:
    mail = {"SHOUXIN_MAIL": f"smtp://127.0.0.1:{postbox.server_address[1]}"}
    second = tmp_path / "second"
    try:
        restored = houses.told(second, "restore", str(backup))[0]
        assert restored["whole"] and restored["unlike"] == []
        assert (restored["differences"], restored["trail_faults"]) == (0, 0)
        assert (second / "files" / "合同 1.pdf").read_bytes() == (home / "files" / "合同 1.pdf").read_bytes()
        assert (second / "secret.key").read_text() == (home / "secret.key").read_text()
        with houses.open_house(second, **mail) as (process, port):
            assert houses.role(process.pid, "server worker")
            refused = houses.command(second, "day", **mail)
            assert refused.returncode == 2 and "paused" in refused.stderr
            assert "暂停" in houses.module(second, LETTER, "send", **mail)
            houses.module(second, LETTER, "job", **mail)
            unfit = houses.command(second, "doctor", "--json", **mail)
            assert unfit.returncode == 1 and "paused" in unfit.stdout
            assert "shouxin resume" in _page(port), "every page says so"
            assert (postbox.knocks, houses.module(second, LETTER, "done")) == (0, 0)
            assert houses.command(second, "resume", "--reason", "the drill is over").returncode == 0
            assert houses.soon(lambda: postbox.knocks, 30), "the control: now the letter's job knocks"
            assert houses.module(second, LETTER, "done") >= 1
    finally:
        houses.stop_database(second)


def _page(port: int) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=30) as answer:
        return str(answer.read().decode())


def test_one_corrupt_byte_fails_loudly_before_anything_changes(backup: Path, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    dice, bad = random.Random(seed), tmp_path / "bad.bak"
    whole = backup.read_bytes()
    for place in [0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(40))]:
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        into = tmp_path / f"into {place}"
        into.mkdir()
        with pytest.raises(archive.ArchiveError):
            archive.unpack(bad, into)
    done = houses.command(tmp_path / "empty", "restore", str(bad))
    assert done.returncode == 2 and "cannot be restored" in done.stderr
    assert not (tmp_path / "empty" / "files").exists()
    houses.stop_database(tmp_path / "empty")


def test_what_is_here_is_not_overwritten_unasked(backup: Path, home: Path) -> None:
    before = houses.module(home, "tests.faults.in_home.ledger")
    done = houses.command(home, "restore", str(backup))
    assert done.returncode == 2 and "--replace" in done.stderr
    done = houses.command(home, "backup", str(backup))
    assert done.returncode == 2 and "never overwritten" in done.stderr
    with houses.open_house(home, "--no-worker"):
        done = houses.command(home, "restore", "--replace", str(backup))
        assert done.returncode == 2 and "stop every server" in done.stderr
    assert houses.module(home, "tests.faults.in_home.ledger") == before


def test_a_restore_that_breaks_off_changes_nothing(backup: Path, home: Path, tmp_path: Path) -> None:
    """The database is full of what was there before, whatever statement fails: here the last one."""
    before = houses.module(home, "tests.faults.in_home.ledger")
    done = houses.module(home, LETTER, "broken", str(backup))
    assert "left as it was" in done
    assert houses.module(home, "tests.faults.in_home.ledger") == before


def test_an_encrypted_backup_opens_with_its_key_alone(home: Path, company: dict[str, Any], tmp_path: Path) -> None:
    made = houses.command(home, "backup-key", str(tmp_path / "key"))
    recipient, target = made.stdout.strip(), tmp_path / "secret.bak"
    houses.told(home, "backup", str(target), "--recipient", recipient)
    assert b"PGDMP" not in target.read_bytes() and b"manifest" not in target.read_bytes()
    second = tmp_path / "second"
    for words in ([], ["--identity", str(_other_key(tmp_path))]):
        done = houses.command(second, "restore", str(target), *words)
        assert done.returncode == 2 and "cannot be restored" in done.stderr
    assert houses.told(second, "restore", str(target), "--identity", str(tmp_path / "key"))[0]["whole"]
    houses.stop_database(second)
    shutil.rmtree(second)


def _other_key(folder: Path) -> Path:
    houses.command(folder / "any", "backup-key", str(folder / "other"))
    return folder / "other"


def test_a_difference_is_found(backup: Path, tmp_path: Path) -> None:
    """The control: a manifest that promises other rows than the dump holds is not called whole."""
    second = tmp_path / "second"
    told = houses.module(second, LETTER, "other-manifest", str(backup))
    assert told["whole"] is False and any("credit_posting" in each for each in told["unlike"])
    houses.stop_database(second)
