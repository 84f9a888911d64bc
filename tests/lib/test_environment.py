"""The environment: sensible without a word, and a bad word stops the start with its name."""

import stat
from pathlib import Path

import pytest

from shouxin.lib import secret
from shouxin.lib.environment import BadSetting, Environment


def read(home: Path, **values: str) -> Environment:
    return Environment.read({"SHOUXIN_HOME": str(home), **values})


def test_nothing_said(tmp_path: Path) -> None:
    told = read(tmp_path / "新 家")
    assert told.home == (tmp_path / "新 家").resolve() and stat.S_IMODE(told.home.stat().st_mode) == 0o700
    assert (told.port, told.bind, told.url, told.timezone) == (
        8000,
        "127.0.0.1",
        "http://127.0.0.1:8000",
        "Asia/Shanghai",
    )
    assert told.embedded and told.database["OPTIONS"]["pool"]
    assert "lock_timeout=3s" in told.database["OPTIONS"]["options"]
    assert told.mail.host == "" and told.proxies == 0 and not told.encrypted


@pytest.mark.parametrize(
    "name, value",
    [
        pytest.param("SHOUXIN_PORT", "eighty", id="a port in words"),
        pytest.param("SHOUXIN_PORT", "0", id="port below the first"),
        pytest.param("SHOUXIN_PORT", "65536", id="port above the last"),
        pytest.param("SHOUXIN_PORT", "８０００", id="full-width digits"),
        ("SHOUXIN_TIMEZONE", "Asia/Beijing"),
        ("SHOUXIN_TIMEZONE", "../../etc/passwd"),
        ("SHOUXIN_HOSTS", "*"),
        ("SHOUXIN_HOSTS", "https://example.com"),
        ("SHOUXIN_URL", "credit.example.com"),
        ("SHOUXIN_URL", "https://example.com/credit"),
        ("SHOUXIN_URL", "http://example.com:99999"),
        ("SHOUXIN_PROXIES", "-1"),
        ("SHOUXIN_LOG_LEVEL", "CHATTY"),
        ("SHOUXIN_MAIL", "mail.example.com"),
        ("SHOUXIN_MAIL", "pop3://mail.example.com"),
        ("SHOUXIN_MAIL_FROM", "nobody"),
        ("SHOUXIN_SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://localhost/shouxin"),
        ("DATABASE_URL", "sqlite:///shouxin.db"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "nonsense"),
    ],
)
def test_a_bad_value_stops_the_start_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: "):
        read(tmp_path, **{name: value})


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match=r"^SHOUXIN_HOME: "):
        read(tmp_path / "file")


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    told = read(tmp_path, DATABASE_URL="postgresql://shouxin:geheim@db/shouxin", SHOUXIN_MAIL="smtps://a:geheim@mail")
    assert "geheim" not in repr(told) and told.secret_key not in repr(told)


def test_a_server_of_ones_own_wins(tmp_path: Path) -> None:
    told = read(tmp_path, DATABASE_URL="postgresql://shouxin:p%40ss@db.example.com:5433/credit")
    assert not told.embedded
    assert (told.database["HOST"], told.database["PORT"], told.database["NAME"]) == ("db.example.com", 5433, "credit")
    assert told.database["PASSWORD"] == "p@ss"


def test_mail(tmp_path: Path) -> None:
    mail = read(tmp_path, SHOUXIN_MAIL="smtp+tls://a%40b.cn:p%2Fw@mail.example.com").mail
    assert (mail.host, mail.port, mail.user, mail.password) == ("mail.example.com", 587, "a@b.cn", "p/w")
    assert mail.starttls and not mail.tls


def test_https_makes_cookies_safe(tmp_path: Path) -> None:
    told = read(tmp_path, SHOUXIN_URL="https://credit.example.com/", SHOUXIN_HOSTS="credit, credit.local")
    assert told.encrypted and told.url == "https://credit.example.com"
    assert told.hosts[-3:] == ["credit.example.com", "credit", "credit.local"]


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = read(tmp_path).secret_key
    assert read(tmp_path).secret_key == first
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("")
    with pytest.raises(BadSetting, match="damaged"):
        read(tmp_path)


def test_two_who_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: secret.kept(tmp_path / "secret"), range(64)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
