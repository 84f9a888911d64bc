"""People, tokens, policy and rates on the command line: what is printed, with which exit code."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from shouxin.config import cli
from shouxin.office import clock, policies, posts, tokens
from shouxin.office.models import ExchangeRate, Person, PolicyVersion, TrailEntry

pytestmark = pytest.mark.django_db
BOOK = policies.shipped()


@pytest.fixture
def shouxin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """`shouxin("user list")` -> (exit code, stdout, stderr), in English."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def run(line: str, *more: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.run([*line.split(), *more])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_somebody_added_signs_in_with_the_password_printed_once(shouxin: Any) -> None:
    code, out, _err = shouxin("user add cy --post credit-manager --authority 50000 --json")
    (told,) = json.loads(out)
    person = Person.objects.get(username="cy")
    assert code == 0
    assert person.check_password(told["password"])
    assert [str(bound) for _post, bound in posts.authority_of(person, clock.today())] == ["50000.00"]
    assert told["password"] not in str(list(TrailEntry.objects.values_list("particulars", flat=True)))


def test_a_password_given_is_not_printed(shouxin: Any) -> None:
    code, out, err = shouxin("user add ann --post sales --department 华东 --password-stdin", stdin="tr0ub4dor&3x\n")
    assert (code, "tr0ub4dor" in out + err) == (0, False)
    assert Person.objects.get(username="ann").check_password("tr0ub4dor&3x")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("user add cy --post boss", "there is no post boss"),
        ("user add cy --post sales --authority 1e5", "not an amount"),
        ("user add system", "signs in with this name"),
        ("user disable nobody", "nobody called nobody"),
        ("user disable system", "nobody called system"),
        ("token create nobody", "nobody called nobody"),
        ("policy show --as-of tomorrow", "not a date"),
        ("policy show --number 99", "no such thing"),
        ("policy put nofile.yaml --from 2099-01-01", "does not exist"),
        ("fx put USD seven", "not a rate"),
        ("fx put XXX 7 --source PBOC", "currency"),
        ("user frobnicate", "No such command"),
    ],
)
def test_a_bad_word_is_one_line_and_exit_code_2(shouxin: Any, line: str, told: str) -> None:
    code, out, err = shouxin(line)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err


def test_a_weak_password_adds_nobody(shouxin: Any) -> None:
    assert shouxin("user add eve --password-stdin", stdin="12345678\n")[0] == 2
    assert not Person.objects.filter(username="eve").exists()


def test_nobody_is_added_without_the_post_asked_for(shouxin: Any, cy: Person) -> None:
    code, _out, err = shouxin("user add eve --post sales --by cy")
    assert (code, Person.objects.filter(username="eve").exists()) == (2, False)
    assert "duties" in err


def test_a_token_made_here_opens_the_api(shouxin: Any, cy: Person) -> None:
    code, out, _err = shouxin("token create cy")
    assert code == 0
    assert tokens.person_of(out.strip(), on=clock.today(), at=clock.now()) == cy


def test_nobody_who_is_disabled_gets_a_token(shouxin: Any, cy: Person) -> None:
    shouxin("user disable cy")
    code, out, err = shouxin("token create cy")
    assert (code, out) == (2, "") and "cy is disabled" in err


def test_disabling_is_done_once(shouxin: Any, cy: Person) -> None:
    assert shouxin("user disable cy")[0] == 0
    assert shouxin("user disable cy")[0] == 2
    rows = {row["user"]: row for row in json.loads(shouxin("user list --json")[1])}
    assert (rows["cy"]["active"], "system" in rows) == (False, False)


def test_the_policy_goes_out_and_comes_back(shouxin: Any, tmp_path: Path) -> None:
    shown = shouxin("policy show")[1]
    assert shown == BOOK
    file = tmp_path / "mine.yaml"
    file.write_text(shown.replace("term_days: 60", "term_days: 45"), encoding="utf-8")
    assert shouxin("policy check", str(file))[0] == 0
    code, out, _err = shouxin("policy put --from 2099-01-01 --json", str(file))
    assert code == 0
    assert json.loads(out)["changes"] == [{"path": "grades.A.term_days", "old": 60, "new": 45}]
    assert shouxin("policy put --from 2000-01-01", str(file))[0] == 2
    assert PolicyVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("term_days: 60", "term_days: sixty", 2, "grades.A.term_days: must be a whole number"),
        ("dunning_stage_max: 2", "dunning_stage_max: 9", 1, "order_check.dunning_stage_max: this threshold"),
    ],
)
def test_the_check_tells_file_line_and_setting(
    shouxin: Any, tmp_path: Path, old: str, new: str, code: int, told: str
) -> None:
    file = tmp_path / "mine.yaml"
    text = BOOK.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    line = text[: text.index(new)].count("\n") + 1
    answer, out, _err = shouxin("policy check", str(file))
    assert (answer, out.startswith(f"{file}:{line}: {told}")) == (code, True)


def test_a_rate_is_kept_with_its_source(shouxin: Any) -> None:
    assert shouxin("fx put usd 7.1205 --from 2026-01-01 --source", "PBOC notice")[0] == 0
    row = ExchangeRate.objects.get()
    assert (row.currency, str(row.rate.normalize()), row.source) == ("USD", "7.1205", "PBOC notice")
    assert "7.1205" in shouxin("fx show")[1]
