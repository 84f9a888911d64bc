"""The lock: whole, checked by hash, and free of addresses, so that it installs from whatever index a user has."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_asked_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", LOCK, re.M)}
    missing = [name for name in asked if plain(re.split(r"[\[<>=~!;\s]", name)[0]) not in locked]
    assert not missing, "pyproject.toml asks for more than requirements.lock has: run `make lock`"


def test_every_pin_has_its_hashes() -> None:
    pins = re.split(r"^(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", LOCK, flags=re.M), flags=re.M)
    assert all("--hash=sha256:" in pin for pin in pins if pin.strip())


def test_no_addresses_and_no_paths() -> None:
    assert not re.search(r"https?:|file:|--index|--find-links|/(root|home|work|tmp)/", LOCK)
