"""PostgreSQL's own programs, run against the database in use."""

import os
import subprocess
from pathlib import Path

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from shouxin.config import migrating
from shouxin.lib import embedded

NOT_THEIRS = frozenset({"options", "password", "client_encoding"})


class ProgramFailed(RuntimeError):
    """A program of PostgreSQL did not do it; the message is the end of what it said."""


def run(name: str, *words: str) -> None:
    """Run a program on the database in use, quietly; raises ProgramFailed."""
    place, password = _place()
    surroundings = {**os.environ, "PGPASSWORD": password, "LC_ALL": "C"}
    surroundings.pop("PGOPTIONS", None)
    _run([str(embedded.programs() / name), "--no-password", f"--dbname={place}", *words], surroundings)


def connect() -> psycopg.Connection:
    """A connection of its own to the database in use, outside of every pool."""
    place, password = _place()
    return psycopg.connect(place, password=password or None, autocommit=True)


def _place() -> tuple[str, str]:
    """The database in use as PostgreSQL's programs name it, and apart its password: no list of processes shows it."""
    asked = connection.get_connection_params()
    known = {each.keyword.decode() for each in Conninfo.get_defaults()} - NOT_THEIRS
    return make_conninfo(**{key: value for key, value in asked.items() if key in known}), str(
        asked.get("password") or ""
    )


def run_on_file(name: str, *words: str) -> None:
    """Run a program that needs no database; raises ProgramFailed."""
    _run([str(embedded.programs() / name), *words], {**os.environ, "LC_ALL": "C"})


def _run(command: list[str], surroundings: dict[str, str]) -> None:
    done = subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ProgramFailed(f"{Path(command[0]).name}: {' '.join(said[-3:]) or f'exit code {done.returncode}'}")


def major() -> int:
    """The release of these programs; a server of a later one cannot be backed up or restored with them."""
    done = subprocess.run([embedded.programs() / "pg_dump", "--version"], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[2].split(".")[0])


def server_major() -> int:
    """The release of the server in use."""
    return migrating.server()[0] // 10000
