"""What the installation is told from outside: read once from the environment, checked, and never changed."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from shouxin.lib import embedded, secret, single_sign_on
from shouxin.lib.database import patience
from shouxin.lib.single_sign_on import SingleSignOn
from shouxin.lib.vault import FILE_NAME, BadKeys, Vault

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
T = TypeVar("T")
Network = IPv4Network | IPv6Network


class BadSetting(ImproperlyConfigured):
    """A variable of the environment cannot be used; the message begins with its name."""


def _refuse(name: str, why: str) -> NoReturn:
    raise BadSetting(f"{name}: {why}")


@dataclass(frozen=True)
class Mail:
    """Where letters leave the house. Without a host they wait in the outbox and nothing is sent."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False
    sender: str = "shouxin@localhost"


@dataclass(frozen=True)
class Environment:
    """The settings of one installation; `read` is the only door in."""

    home: Path
    secret_key: str = field(repr=False)
    database: dict[str, Any] = field(repr=False)
    owner: dict[str, str] = field(repr=False)
    bind: str
    port: int
    url: str
    hosts: list[str]
    proxies: int
    timezone: str
    mail: Mail
    log_level: str
    metrics_token: str = field(repr=False)
    vault: Vault = field(repr=False)
    webhook_networks: tuple[Network, ...]
    webhook_failures: int
    body_seconds: int
    sign_in: SingleSignOn = field(default=SingleSignOn(), repr=False)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Environment":
        """The settings from `values`; raises BadSetting with the name of the first variable that cannot be used."""
        home = _home(values)
        port = _number(values, "SHOUXIN_PORT", 8000, 1, 65535)
        url = _url(values, port)
        return cls(
            home=home,
            secret_key=_secret_key(values, home),
            database=_database(values, home),
            owner=_owner(values, home),
            bind=values.get("SHOUXIN_BIND", "") or "127.0.0.1",
            port=port,
            url=url.geturl().rstrip("/"),
            hosts=_hosts(values, url),
            proxies=_number(values, "SHOUXIN_PROXIES", 0, 0, 10),
            timezone=_timezone(values),
            mail=_mail(values),
            log_level=_one_of(values, "SHOUXIN_LOG_LEVEL", "INFO", LOG_LEVELS),
            metrics_token=values.get("SHOUXIN_METRICS_TOKEN", ""),
            vault=_vault(values, home),
            webhook_networks=_networks(values),
            webhook_failures=_number(values, "SHOUXIN_WEBHOOK_FAILURES", 20, 1, 1000),
            body_seconds=_number(values, "SHOUXIN_BODY_SECONDS", 10, 1, 3600),
            sign_in=_sign_in(values),
        )

    @property
    def encrypted(self) -> bool:
        """Whether the browsers of this installation speak https."""
        return self.url.startswith("https://")

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one."""
        return "EMBEDDED" in self.database


def _home(values: Mapping[str, str]) -> Path:
    home = Path(values.get("SHOUXIN_HOME", "") or "~/.local/share/shouxin").expanduser().absolute()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = home.resolve()
        if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
            _refuse("SHOUXIN_HOME", f"the folder {home} cannot be read and written by this user")
    except (OSError, RuntimeError) as error:
        _refuse("SHOUXIN_HOME", f"the folder cannot be used ({error})")
    return home


def _secret_key(values: Mapping[str, str], home: Path) -> str:
    given = values.get("SHOUXIN_SECRET_KEY", "")
    if given and len(given) < 32:
        _refuse("SHOUXIN_SECRET_KEY", "is too short: give at least 32 characters, or none to have one made and kept")
    return given or _secret(home / "secret.key")


def _secret(path: Path) -> str:
    try:
        return secret.kept(path)
    except (OSError, ValueError) as error:
        _refuse("SHOUXIN_HOME", str(error))


def _vault(values: Mapping[str, str], home: Path) -> Vault:
    """The keys of what rests sealed: given, else kept in the home. Looked at now, so that bad ones stop the start."""
    given = values.get("SHOUXIN_DATA_KEYS", "").strip()
    vault = Vault(given=given, path=home / FILE_NAME)
    try:
        vault.keys  # noqa: B018 - read once, so that bad keys stop the start
    except BadKeys as error:
        _refuse("SHOUXIN_DATA_KEYS", str(error) if given else f"{home / FILE_NAME} is damaged: {error}")
    except OSError as error:
        _refuse("SHOUXIN_HOME", str(error))
    return vault


def _networks(values: Mapping[str, str]) -> tuple[Network, ...]:
    """The private networks webhooks may reach, such as 10.1.0.0/16,127.0.0.1/32; none by default."""
    named = [part.strip() for part in values.get("SHOUXIN_WEBHOOK_NETWORKS", "").split(",") if part.strip()]
    return tuple(
        _tried("SHOUXIN_WEBHOOK_NETWORKS", lambda part=part: ip_network(part), "is not a network such as 10.1.0.0/16")
        for part in named
    )


def _number(values: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = values.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        _refuse(name, f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def _one_of(values: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = values.get(name, "").strip().upper() or default
    if text not in choices:
        _refuse(name, f"{text!r} is none of {', '.join(choices)}")
    return text


def _timezone(values: Mapping[str, str]) -> str:
    name = values.get("SHOUXIN_TIMEZONE", "") or "Asia/Shanghai"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        _refuse("SHOUXIN_TIMEZONE", f"{name!r} is not a time zone such as Asia/Shanghai")
    return name


def _split(name: str, text: str) -> SplitResult:
    """The parts of an address; its port is checked by reading it."""
    return _tried(name, lambda: (urlsplit(text), urlsplit(text).port)[0], "is not an address")


def _tried(name: str, read: Callable[[], T], complaint: str) -> T:
    try:
        return read()
    except ValueError as error:
        _refuse(name, f"{complaint} ({error})")


def _url(values: Mapping[str, str], port: int) -> SplitResult:
    text = values.get("SHOUXIN_URL", "").strip() or f"http://127.0.0.1:{port}"
    url = _split("SHOUXIN_URL", text)
    if url.scheme not in ("http", "https") or not url.hostname or url.path.strip("/"):
        _refuse("SHOUXIN_URL", f"{text!r} is not an address such as https://credit.example.com")
    return url


def _hosts(values: Mapping[str, str], url: SplitResult) -> list[str]:
    named = [host.strip() for host in values.get("SHOUXIN_HOSTS", "").split(",") if host.strip()]
    for host in named:
        if "/" in host or " " in host or host == "*":
            _refuse("SHOUXIN_HOSTS", f"{host!r} is not a host name; give names separated by commas")
    return list(dict.fromkeys(["localhost", "127.0.0.1", "[::1]", url.hostname or "", *named]))


def _mail(values: Mapping[str, str]) -> Mail:
    text = values.get("SHOUXIN_MAIL", "").strip()
    sender = values.get("SHOUXIN_MAIL_FROM", "").strip() or Mail.sender
    if "@" not in sender or "\n" in sender:
        _refuse("SHOUXIN_MAIL_FROM", f"{sender!r} is not a mail address")
    if not text:
        return Mail(sender=sender)
    url = _split("SHOUXIN_MAIL", text)
    if url.scheme not in MAIL_PORTS or not url.hostname:
        _refuse("SHOUXIN_MAIL", "is not an address such as smtp+tls://user:password@mail.example.com:587")
    return Mail(
        host=url.hostname,
        port=url.port or MAIL_PORTS[url.scheme],
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        starttls=url.scheme == "smtp+tls",
        tls=url.scheme == "smtps",
        sender=sender,
    )


def _sign_in(values: Mapping[str, str]) -> SingleSignOn:
    path = values.get("SHOUXIN_SIGN_IN", "").strip()
    return _tried("SHOUXIN_SIGN_IN", lambda: single_sign_on.read(Path(path)), "") if path else SingleSignOn()


def _database(values: Mapping[str, str], home: Path) -> dict[str, Any]:
    """Django's database settings: the server named by DATABASE_URL, else the embedded one of this home."""
    own = _own_database(values["DATABASE_URL"]) if values.get("DATABASE_URL") else _embedded_database(home)
    return {
        **own,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _options(own.get("OPTIONS", {})),
    }


def _owner(values: Mapping[str, str], home: Path) -> dict[str, str]:
    """Name and password of the role that owns the tables; none where the application's own role does."""
    if not values.get("DATABASE_URL"):
        return {"USER": embedded.TABLES_OWNER, "PASSWORD": _secret(home / embedded.TABLES_PASSWORD_FILE)}
    if not values.get("SHOUXIN_OWNER_DATABASE_URL"):
        return {}
    found = _own_database(values["SHOUXIN_OWNER_DATABASE_URL"], "SHOUXIN_OWNER_DATABASE_URL")
    return {"USER": found["USER"], "PASSWORD": found["PASSWORD"]}


def _own_database(text: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    try:
        found = dict(dj_database_url.parse(text))
    except (ValueError, KeyError) as error:
        _refuse(name, f"cannot be read ({error})")
    if found["ENGINE"] != "django.db.backends.postgresql" or not found["NAME"]:
        _refuse(name, "must name a PostgreSQL database, such as postgresql://user:password@host:5432/shouxin")
    return found


def _embedded_database(home: Path) -> dict[str, Any]:
    return {
        "ENGINE": "shouxin.lib.database",
        "EMBEDDED": str(home),
        "NAME": embedded.DATABASE,
        "USER": embedded.ROLE,
        "PASSWORD": _secret(home / embedded.PASSWORD_FILE),
        "HOST": str(embedded.Cluster(home).sockets),
        "PORT": str(embedded.PORT),
    }


PREPARED_ON_ITS_OWN = 10**9
"""How often a statement runs before it is prepared unasked: never. Without a number none is prepared even if asked."""


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """A pool for each process, and time limits so that a waiting session never holds up the house for long.

    `lock_timeout` makes a click behind a long job end in "try again" after 3 s rather than in a frozen page. The pool
    gives up a connection it cannot make after 2 s: until then it makes no other, and the next who asks has it begin
    anew. What is prepared at all (`lib.statements`) is planned once.
    """
    limits = {
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "120s",
        "statement_timeout": "0",
        "synchronous_commit": "on",
        "plan_cache_mode": "force_generic_plan",
    }
    told = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {
        **given,
        "application_name": "shouxin",
        "connect_timeout": 5,
        "prepare_threshold": PREPARED_ON_ITS_OWN,
        "options": f"{told} {given.get('options', '')}".strip(),
        "pool": {
            "min_size": 1,
            "max_size": 20,
            "timeout": 5,
            "max_idle": 300,
            "reconnect_timeout": 2,
            "connection_class": patience.Connection,
        },
    }
