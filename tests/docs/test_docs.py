"""The documentation keeps up with the code: what a user may type, set, meet or read has its place in both languages."""

import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from shouxin.config import cli
from shouxin.rules.policy import Policy, Text
from tools import reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("en", "zh")
OUR_OWN = {"SHOUXIN_BENCH", "SHOUXIN_MINDED", "SHOUXIN_TERMINAL"}
"""What the processes tell each other; nobody sets them."""


def page(language: str, name: str) -> str:
    return (DOCS / language / f"{name}.md").read_text("utf-8")


def commands(group: typing.Any, words: tuple[str, ...] = ("shouxin",)) -> Iterator[str]:
    if not hasattr(group, "commands"):
        yield " ".join(words)
    else:
        for name, command in group.commands.items():
            yield from commands(command, (*words, name))


def settings(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every setting of the policy: grades[].term_days, dunning.quiet_days, …"""
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        inner = [each for each in _models(field.annotation) if each is not Text]
        many = typing.get_origin(field.annotation) in (tuple, dict, list)
        if inner:
            yield from settings(inner[0], here + "[]" * many)
        else:
            yield here


def _models(annotation: typing.Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for each in typing.get_args(annotation) for model in _models(each)]


def variables() -> set[str]:
    """Every variable of the environment that the sources read."""
    texts = [path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")]
    return {name for text in texts for name in re.findall(r'"(SHOUXIN_[A-Z_]+)"', text)} - OUR_OWN


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_its_row(language: str) -> None:
    told = set(re.findall(r"^\| `(shouxin [a-z -]+)` \|", page(language, "commands"), re.M))
    assert told == set(commands(typer.main.get_command(cli.assemble())))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_of_the_policy_has_its_row(language: str) -> None:
    told = re.findall(r"^\| `([a-z_.\[\]]+)` \|", page(language, "policy-settings"), re.M)
    assert sorted(told) == sorted(settings(Policy))


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_every_variable_of_the_environment_has_its_row(name: str) -> None:
    told = set(re.findall(r"`(SHOUXIN_[A-Z_]+)`", (ROOT / name).read_text("utf-8")))
    assert variables() <= told


def test_the_generated_pages_say_what_the_code_says() -> None:
    assert not list(reference.stale()), "run: .venv/bin/python -m tools.reference"


def test_a_page_that_lags_behind_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert {path.name for path in reference.stale()} >= {"flows.md", "api-calls.md", "trail-verbs.md", "hold.svg"}


def test_both_languages_have_the_same_pages() -> None:
    en, zh = ({path.name for path in (DOCS / language).glob("*.md")} for language in LANGUAGES)
    assert en - zh <= {"pages.md"}, "for developers, who read English"
    assert zh <= en


def test_the_documentation_builds(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
