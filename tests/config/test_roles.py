"""The application's role owns nothing and may not touch the trail; older homes are brought over (I-21)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shouxin.lib import embedded, secret
from shouxin.lib.environment import BadSetting, Environment
from tests.houses import command, surroundings

pytestmark = [pytest.mark.clause("A13"), pytest.mark.invariant("I-21")]

LAST_RELEASE = """
import dataclasses, django
from django.conf import settings
django.setup()
settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, owner={})
from shouxin.config import migrating
migrating.bring_up()
"""
"""What the release before did: the application's role made every table, and owned it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of the last release, brought to this one, with its database running."""
    home = tmp_path_factory.mktemp("home")
    env = surroundings(home, DJANGO_SETTINGS_MODULE="shouxin.config.settings")
    subprocess.run([sys.executable, "-c", LAST_RELEASE], env=env, check=True)
    embedded.use(home)
    with connected(home) as before:
        owner = before.execute("SELECT relowner::regrole::text FROM pg_class WHERE relname = 'office_trailentry'")
        assert owner.fetchone() == (embedded.ROLE,)  # the control: before, the application could do anything
        before.execute("TRUNCATE lib_once")
    assert command(home, "migrate").returncode == 0
    yield home
    embedded.leave(home)


def connected(home: Path, user: str = embedded.ROLE, password: str = embedded.PASSWORD_FILE) -> psycopg.Connection:
    return psycopg.connect(
        host=str(embedded.Cluster(home).sockets), port=embedded.PORT, dbname=embedded.DATABASE, user=user,
        password=secret.kept(home / password), autocommit=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE office_trailentry SET verb = ''",
        "DELETE FROM office_trailentry",
        "TRUNCATE office_trailentry CASCADE",
        "TRUNCATE orders_creditdecision CASCADE",
        "DROP TABLE office_trailentry CASCADE",
        "ALTER TABLE office_trailentry DISABLE TRIGGER ALL",
        "DROP TRIGGER office_trail_written ON office_trailentry",
        "INSERT INTO office_traillink (strand, seq, entry_id, hash) VALUES (0, 99, 99, '')",
        "DELETE FROM office_trailseal",
        "INSERT INTO office_trailturn VALUES (pg_current_xact_id(), 1)",
        "SET session_replication_role = replica",
        "SET ROLE shouxin_owner",
        "CREATE TABLE public.office_shadow (a int)",
        "CREATE FUNCTION public.json_build_array(bigint) RETURNS json LANGUAGE sql AS 'SELECT null::json'",
        "SELECT office_trail_seal(0)",
    ],
)
def test_the_application_is_refused(home: Path, statement: str) -> None:
    with connected(home) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(statement)


ONLY_ADDED_TO = """
SELECT c.relname, has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
    OR has_table_privilege(c.oid, 'TRUNCATE') OR has_any_column_privilege(c.oid, 'UPDATE')
FROM pg_class c
WHERE EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE 'pgtrigger_append_only_%')
"""


@pytest.mark.invariant("I-13")
def test_what_is_only_added_to_is_changed_by_no_trick(home: Path) -> None:
    with connected(home) as application:
        may = dict(application.execute(ONLY_ADDED_TO).fetchall())
    assert {"orders_creditdecision", "credit_posting", "credit_line", "office_policyversion"} <= set(may)
    assert not any(may.values()), may
    with connected(home) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("SELECT set_config('pgtrigger.ignore', '*:append_only', false)")
        application.execute("UPDATE office_policyversion SET text = ''")


def test_who_may_not_change_the_editions_still_writes_them_one_after_the_other(home: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(command(home, "policy", "show").stdout, encoding="utf-8")
    done = command(home, "policy", "put", str(policy), "--from", "2099-01-01", "--why", "again")
    assert done.returncode == 0, done.stderr


def test_the_application_writes_and_the_database_seals(home: Path) -> None:
    with connected(home) as application:
        application.execute("CREATE TEMP TABLE office_traillink (strand int, seq bigint, entry_id bigint, hash bytea)")
        application.execute(
            "INSERT INTO office_trailentry (at, by_name, verb, about, label, particulars)"
            " VALUES (now(), '', 'rate', 'customer:1', '', '{}')"
        )
        assert application.execute("SELECT count(*) FROM office_traillink").fetchone() == (0,)  # not the true one
    assert command(home, "trail", "verify").returncode == 0


def test_the_house_lives_with_it(home: Path) -> None:
    assert command(home, "user", "add", "someone", "--post", "auditor").returncode == 0
    assert command(home, "migrate").returncode == 0
    assert '"check": "roles",\n    "ok": true' in command(home, "doctor", "--json").stdout


def test_a_backup_comes_back_with_its_roles_apart(home: Path, tmp_path: Path) -> None:
    assert command(home, "backup", str(tmp_path / "b")).returncode == 0
    new = tmp_path / "new"
    done = command(new, "restore", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert '"check": "roles",\n    "ok": true' in command(new, "doctor", "--json").stdout
    assert command(new, "trail", "verify").returncode == 0


def test_a_server_of_ones_own_is_told_its_owner(tmp_path: Path) -> None:
    values = {"SHOUXIN_HOME": str(tmp_path), "DATABASE_URL": "postgresql://app:x@db/shouxin"}
    assert Environment.read(values).owner == {}
    told = {**values, "SHOUXIN_OWNER_DATABASE_URL": "postgresql://owner:y@db/shouxin"}
    assert Environment.read(told).owner == {"USER": "owner", "PASSWORD": "y"}
    with pytest.raises(BadSetting, match="SHOUXIN_OWNER_DATABASE_URL"):
        Environment.read({**values, "SHOUXIN_OWNER_DATABASE_URL": "mysql://a@b/c"})
