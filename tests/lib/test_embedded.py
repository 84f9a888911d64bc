"""The embedded database: any path, any user, several at once, and nothing lost when somebody is killed."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shouxin.lib import embedded, secret, server_user

SOURCE = Path(embedded.__file__).resolve().parents[2]
AS_ROOT = os.getuid() == 0
USER = """
import sys
from pathlib import Path
from shouxin.lib import embedded
embedded.use(Path(sys.argv[1]))
print("in", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home below a folder closed to others, with a space and Chinese in its path."""
    folder = Path(tempfile.mkdtemp(prefix="shouxin-家 "))
    home = folder / "守信 数据"
    home.mkdir(mode=0o700)
    yield home
    embedded.Cluster(home).stop()
    shutil.rmtree(folder)


def connect(home: Path, **more: str) -> psycopg.Connection:
    cluster = embedded.Cluster(home)
    known = {"user": embedded.ROLE, "dbname": embedded.DATABASE, "password": secret.kept(home / embedded.PASSWORD_FILE)}
    return psycopg.connect(host=str(cluster.sockets), port=embedded.PORT, autocommit=True, **{**known, **more})


def value(home: Path, statement: str) -> object:
    with connect(home) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
        return row and row[0]


def run(home: Path, statement: str) -> None:
    with connect(home) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@contextlib.contextmanager
def member(home: Path, prefix: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the database until its standard input ends."""
    words = [*prefix, sys.executable, "-c", USER, str(home)]
    surroundings = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings, cwd="/"
    ) as process:
        assert process.stdout and process.stdout.readline() == "in\n"
        yield process


def soon(true: object, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@pytest.mark.invariant("T6")
def test_durable_private_and_able_to_read_chinese(home: Path) -> None:
    with member(home):
        for name in ("fsync", "full_page_writes", "data_checksums", "synchronous_commit"):
            assert value(home, f"SELECT current_setting('{name}')") == "on", name
        assert value(home, "SELECT current_setting('listen_addresses')") == ""
        assert value(home, "SELECT datctype FROM pg_database WHERE datname = current_database()") not in ("C", "POSIX")
        assert value(home, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        run(home, "CREATE EXTENSION pg_trgm")
        assert value(home, "SELECT similarity('上海授信贸易', '授信贸易')::float > 0.3") is True
        for folder in (home, embedded.Cluster(home).data, embedded.Cluster(home).sockets):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_no_password_no_entry(home: Path) -> None:
    with member(home), pytest.raises(psycopg.OperationalError, match="password"):
        connect(home, password="wrong")


def test_the_folders_above_stay_closed(home: Path) -> None:
    with member(home):
        assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
        assert home.stat().st_uid == home.parent.stat().st_uid == os.getuid()


def test_two_homes_know_nothing_of_each_other(home: Path, tmp_path: Path) -> None:
    with member(home), member(tmp_path):
        run(home, "CREATE TABLE ours AS SELECT 1 AS one")
        assert value(tmp_path, "SELECT to_regclass('ours')") is None
        assert value(home, "SELECT one FROM ours") == 1
    assert not embedded.Cluster(tmp_path).running()


def test_the_last_one_out_stops_it(home: Path) -> None:
    cluster = embedded.Cluster(home)
    with member(home):
        with member(home):
            pid = cluster.process()
        assert cluster.running() and cluster.process() == pid, "one left, one is still in"
        assert value(home, "SELECT 1") == 1
    assert not cluster.running() and not cluster.sockets.exists()


def test_the_second_start_is_quick(home: Path) -> None:
    with member(home):
        pass
    began = time.monotonic()
    embedded.Cluster(home).ensure()
    assert time.monotonic() - began < 5, "tenths of a second on an idle machine"


def test_a_killed_server_loses_nothing(home: Path) -> None:
    cluster = embedded.Cluster(home)
    with member(home):
        run(home, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        for _again in range(3):
            pid = cluster.process()
            assert pid
            os.kill(pid, signal.SIGKILL)
            assert soon(lambda pid=pid: cluster.process() != pid)
            cluster.ensure()
            assert value(home, "SELECT count(*) FROM kept") == 1000


def test_a_killed_user_leaves_it_to_the_next(home: Path) -> None:
    cluster = embedded.Cluster(home)
    with member(home) as process:
        process.kill()
    assert cluster.running(), "nobody was there to stop it"
    pid = cluster.process()
    with member(home):
        assert cluster.process() == pid, "the next one joins"
    assert not cluster.running(), "and stops it on leaving"


def test_a_first_start_that_was_cut_off(home: Path) -> None:
    draft = home / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("half")
    with member(home):
        assert value(home, "SELECT 1") == 1
    assert not draft.exists()


def test_a_number_given_to_another_program_since(home: Path) -> None:
    cluster = embedded.Cluster(home)
    with member(home):
        note = (cluster.data / "postmaster.pid").read_text().splitlines()
    (cluster.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *note[1:]]) + "\n")
    assert cluster.process() is None
    with member(home):
        assert value(home, "SELECT 1") == 1


def test_a_database_of_another_release_is_left_alone(home: Path) -> None:
    with member(home):
        pass
    (embedded.Cluster(home).data / "PG_VERSION").write_text("12\n")
    with pytest.raises(embedded.EmbeddedError, match=r"PostgreSQL 12.*shouxin backup"):
        embedded.Cluster(home).ensure()


def test_somebody_elses_socket_folder_is_refused(home: Path) -> None:
    sockets = embedded.Cluster(home).sockets
    sockets.symlink_to("/tmp")
    try:
        with pytest.raises(embedded.EmbeddedError, match="belongs to somebody else"):
            embedded.Cluster(home).ensure()
    finally:
        sockets.unlink()


def test_the_socket_fits_however_deep_the_home() -> None:
    deep = Path("/" + "/".join(["很深的文件夹"] * 60))
    assert len(os.fsencode(embedded.Cluster(deep).sockets / f".s.PGSQL.{embedded.PORT}")) <= embedded.SOCKET_PATH_MAX


def test_many_start_at_once_and_share_one(home: Path) -> None:
    words = [sys.executable, "-c", USER, str(home)]
    surroundings = {**os.environ, "PYTHONPATH": str(SOURCE)}
    many = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings)
        for _ in range(6)
    ]
    assert [process.stdout and process.stdout.readline() for process in many] == ["in\n"] * 6
    assert embedded.Cluster(home).running()
    for process in many:
        process.communicate()
    assert not embedded.Cluster(home).running()


@pytest.mark.skipif(not AS_ROOT, reason="only root can hand the database to another user")
def test_root_hands_it_to_a_user_of_its_own(home: Path) -> None:
    with member(home):
        pid = embedded.Cluster(home).process()
        owner = Path(f"/proc/{pid}").stat().st_uid
        assert owner != 0 and owner == embedded.Cluster(home).data.stat().st_uid


@pytest.mark.skipif(
    not AS_ROOT, reason="only root can become somebody else; everybody else runs all of this as herself"
)
def test_an_ordinary_user(home: Path) -> None:
    user, group = pwd.getpwnam("nobody")[2:4]
    for folder in (home.parent, home):
        os.chown(folder, user, group)
    prefix = server_user._prefix(user, group, Path(sys.executable).resolve())
    with member(home, prefix):
        data = home / "postgres"
        assert data.stat().st_uid == user
        sockets = Path(str(embedded.Cluster(home).sockets).rsplit("-", 1)[0] + f"-{user}")
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700 and sockets.stat().st_uid == user
        assert embedded.Cluster(home).running()
    assert not embedded.Cluster(home).running()
    for folder in (home.parent, home):
        os.chown(folder, 0, 0)
