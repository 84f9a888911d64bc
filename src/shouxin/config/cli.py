"""`shouxin …`: the command line. Exit codes: 0 done, 1 the answer is "no", 2 bad usage or input."""

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
import typer
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError
from psycopg_pool import PoolTimeout
from typer.exceptions import Abort, TyperException

from shouxin.config import commands
from shouxin.lib.embedded import EmbeddedError

BAD = 2
EXPECTED = (TyperException, ImproperlyConfigured, EmbeddedError)
DATABASE_AWAY = (DatabaseError, InterfaceError, PoolTimeout)


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and exit; whatever goes wrong is one line on stderr, never a traceback."""
    sys.exit(run(words))


def run(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouxin.config.settings")
    try:
        _set_up()
        return _code(assemble()(args=words, prog_name="shouxin", standalone_mode=False))
    except (KeyboardInterrupt, Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _complain(error)


def assemble() -> typer.Typer:
    """The whole command line, from the modules in `commands`."""
    root = typer.Typer(no_args_is_help=True, help="Shouxin 授信·守信: the customer-credit regulation, run.")
    root.callback()(lambda: None)
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda module: module.name):
        root.add_typer(importlib.import_module(f"{commands.__name__}.{found.name}").app)
    return root


def _set_up() -> None:
    from django.utils import translation

    django.setup()
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    translation.activate("en" if spoken.startswith("en") else "zh-hans")


def _code(answer: object) -> int:
    return answer if isinstance(answer, int) else 0


def _complain(error: Exception) -> int:
    from shouxin.office.refusals import Refusal

    if isinstance(error, TyperException):
        said = error.format_message()
    elif isinstance(error, Refusal):
        said = _told_to_the_trail(error)
    elif isinstance(error, EXPECTED):
        said = str(error)
    elif isinstance(error, DATABASE_AWAY):
        said = f"the database did not do it: {error}"
    else:
        said = f"a fault of the program, please report it: {type(error).__name__}: {error} (details in {_kept()})"
    if said.strip():  # empty after the help that a bare `shouxin` shows
        print(f"shouxin: {' '.join(said.split())}", file=sys.stderr)
    return BAD


def _told_to_the_trail(refusal: Any) -> str:
    """What the refusal says; the line it carries is written (I-22), and where that fails, the reason is said too."""
    from shouxin.office import trail

    try:
        trail.keep(refusal)
    except DATABASE_AWAY as error:
        return f"{refusal} (and the trail could not be told: {error})"
    return str(refusal)


def _kept() -> Path:
    """The file in the home folder that has the traceback of the exception being treated."""
    from django.conf import settings

    path = Path(settings.HOME) / "fault.log"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(f"$ shouxin {' '.join(sys.argv[1:])}\n{traceback.format_exc()}\n")
    return path


if __name__ == "__main__":
    main()
