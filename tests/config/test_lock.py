"""The lock: whole, checked by hash, and free of addresses, so that it installs from whatever index a user has."""

import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

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


# --- what is installed (T24) ---------------------------------------------------------------------


def closure(*extras: str) -> dict[str, Distribution]:
    """Every distribution the product brings along here, by its plain name, with those it brings along in turn."""
    found: dict[str, Distribution] = {}
    waiting = [("shouxin", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        found[name] = one = distribution(name)
        for need in map(Requirement, one.requires or ()):
            holds = not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in {"", *wanted})
            if holds and plain(need.name) not in found:
                waiting.append((plain(need.name), frozenset(need.extras)))
    return found


def test_what_is_installed_is_what_is_locked() -> None:
    pins = {(plain(name), version) for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.M)}
    installed = {(name, one.version) for name, one in closure("dev").items() if name != "shouxin"}
    assert len(installed) > 60 and installed - pins == set()


def test_nothing_it_brings_along_binds_who_uses_it() -> None:
    """No licence that asks for the source of what stands beside it; the LGPL asks for its own alone."""
    told = {
        name: " ".join([one.metadata.get("License-Expression") or one.metadata.get("License") or "",
                        *(each for each in one.metadata.get_all("Classifier") or () if each.startswith("License"))])
        for name, one in closure().items()
    }  # fmt: skip
    strict = {name: licence for name, licence in told.items() if re.search(r"\bA?GPL|Affero|SSPL|BUSL", licence)}
    assert strict == {}
