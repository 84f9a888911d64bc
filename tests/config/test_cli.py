"""The command line: codes 0, 1 and 2, one line on stderr, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from django.utils import translation

from shouxin.config import cli, terminal
from shouxin.config.doctor import Finding

SOURCE = Path(cli.__file__).resolve().parents[2]


def shouxin(*words: str, home: Path, **values: str) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SHOUXIN_")}
    surroundings |= {"PYTHONPATH": str(SOURCE), "SHOUXIN_HOME": str(home), "LANG": "en_US.UTF-8", **values}
    surroundings.pop("DJANGO_SETTINGS_MODULE")
    command = [sys.executable, "-m", "shouxin.config.cli", *words]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["nonsense"], id="no such command"),
        pytest.param(["serve", "--port", "eighty"], id="a port in words"),
        pytest.param(["serve", "--port", "70000"], id="a port too high"),
        pytest.param(["doctor", "--nonsense"], id="no such option"),
    ],
)
def test_bad_usage_is_two_and_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("shouxin: ") and said.count("\n") == 1


def test_help_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("serve", "doctor", "migrate"):
        assert command in shown and cli.run([command, "--help"]) == 0


def test_a_bad_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    done = shouxin("doctor", home=tmp_path, SHOUXIN_PORT="eighty")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "shouxin: SHOUXIN_PORT: 'eighty' is not a whole number from 1 to 65535\n"


def test_a_server_of_ones_own_that_does_not_answer(tmp_path: Path) -> None:
    done = shouxin("doctor", "--json", home=tmp_path, DATABASE_URL="postgresql://x:y@127.0.0.1:1/none")
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1 and not found["database"]["ok"] and found["database"]["mend"]
    assert "Traceback" not in done.stderr


def test_a_fault_of_the_program_is_one_line_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings, tmp_path: Path
) -> None:
    def broken() -> typer.Typer:
        raise ZeroDivisionError("secret")

    settings.HOME = tmp_path
    monkeypatch.setattr(cli, "assemble", broken)
    assert cli.run(["doctor"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "fault.log" in said and "Traceback" not in said
    assert "ZeroDivisionError" in (tmp_path / "fault.log").read_text()


SETTINGS_OF_POSTGRESQL = {"fsync", "full_page_writes", "synchronous_commit", "data_checksums"}


@pytest.mark.django_db
def test_the_doctor_finds_this_house_fit(capsys: pytest.CaptureFixture[str]) -> None:
    from shouxin.office import clock, policies

    policies.ensure()
    code = cli.run(["doctor", "--json"])
    found = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    for check in ("database", "locale", "fsync", "full_page_writes", "synchronous_commit", "migrations", "clock"):
        assert found[check]["ok"], found[check]
    assert code == (0 if all(row["ok"] for row in found.values()) else 1)
    assert all(row["ok"] or row["mend"] for row in found.values()), "what is wrong comes with how to mend it"
    with translation.override("zh-hans"):
        named = {check: Finding(check, True, "").label for check in found}
    assert {check for check, label in named.items() if label.isascii()} <= SETTINGS_OF_POSTGRESQL
    assert named[f"calendar {clock.today().year}"] == f"年历 {clock.today().year}"


def test_a_finding_is_a_row() -> None:
    assert Finding("disk", True, "much").as_row() == {"check": "disk", "ok": True, "seen": "much", "mend": ""}


@pytest.mark.django_db
def test_nobody_of_that_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as stopped:
        terminal.person("nobody.of.that.name")
    assert stopped.value.exit_code == 2 and "nobody.of.that.name" in capsys.readouterr().err


@pytest.mark.django_db
def test_the_house_itself_acts_unless_somebody_is_named() -> None:
    assert terminal.person("system").username == "system"
