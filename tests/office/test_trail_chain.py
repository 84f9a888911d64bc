"""The chain of the trail: sealed at commit without gaps, and every tampering found (I-21, T17)."""

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_lazy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shouxin.office import chain, checkpoints, clock, trail
from shouxin.office.models import Person, PolicyVersion, TrailEntry, TrailLink, TrailSeal
from tests.conftest import superuser
from tests.people import TODAY, member

pytestmark = [pytest.mark.clause("A13"), pytest.mark.invariant("I-21")]
own_transactions = pytest.mark.django_db(transaction=True)

NUMBER_OF_EDITS = 200
SEED = 20261125


# --- the canonical form, told a second time ------------------------------------------------------


def json_of(value: Any) -> str:
    """JSON as the trail's page in the documentation tells it: short keys first, decimals in full."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return "{" + ", ".join(f"{json_of(key)}: {json_of(value[key])}" for key in keys) + "}"
        case list():
            return "[" + ", ".join(map(json_of, value)) + "]"
        case Decimal():
            return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9, places=4) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
entries = st.tuples(
    st.integers(1, 2**62),
    st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)),  # noqa: DTZ001 - Hypothesis adds the zone
    st.none() | st.integers(1, 2**31),
    text,
    text,
    text,
    text,
    st.none() | st.integers(1, 2**62),
    st.dictionaries(text, values, max_size=5),
)


@pytest.mark.django_db
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries)
def test_the_database_and_python_agree_on_the_canonical_form(row: tuple[Any, ...]) -> None:
    pk, at, *rest, particulars = row
    at = at.replace(tzinfo=UTC)
    columns = [pk, at, *rest, json_of(particulars)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT office_trail_canonical(row_to_entry) FROM (SELECT ROW(%s::bigint, %s::timestamptz, %s::varchar,"
            " %s::varchar, %s::varchar, %s::varchar, %s::bigint, %s::jsonb, %s::bigint)::office_trailentry) AS t"
            " (row_to_entry)",
            [columns[0], columns[1], *columns[3:9], columns[2]],
        )
        (found,) = cursor.fetchone()
    assert found == json_of([pk, at.isoformat(timespec="microseconds")[:26] + "Z", *rest, particulars])


# --- sealing -------------------------------------------------------------------------------------


def write(count: int = 1, **particulars: Any) -> None:
    at = clock.now()
    with transaction.atomic():
        trail.record_many(
            [trail.line("rate", about=f"customer:{n}", by=None, at=at, n=n, **particulars) for n in range(count)]
        )


def seqs() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for strand, seq in TrailLink.objects.order_by("strand", "seq").values_list("strand", "seq"):
        found.setdefault(strand, []).append(seq)
    return found


@own_transactions
def test_a_transaction_is_sealed_once_however_many_entries_it_has() -> None:
    before = TrailSeal.objects.count()
    with transaction.atomic():
        write(700, outcome="批准")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            write(50)
            raise ZeroDivisionError
        write(300)
    assert TrailSeal.objects.count() == before + 1
    assert TrailSeal.objects.latest("at").entries == 1000
    assert TrailEntry.objects.filter(link=None).count() == 0
    assert chain.verify().whole


@own_transactions
def test_what_is_rolled_back_leaves_no_gap() -> None:
    write()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(3)
        raise ZeroDivisionError
    write()
    assert all(found == list(range(1, len(found) + 1)) for found in seqs().values())
    assert chain.verify().whole


@own_transactions
def test_the_hash_is_that_of_the_documentation() -> None:
    write(3)
    before = hashlib.sha256(b"shouxin trail strand 0").digest()
    for entry in TrailEntry.objects.filter(link__strand=0).order_by("link__seq").select_related("link"):
        at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
        line = [entry.pk, at, entry.by_id, entry.by_name, entry.verb, entry.about, entry.label, entry.customer_id]
        before = hashlib.sha256(before + json_of([*line, entry.particulars]).encode()).digest()
        assert bytes(entry.link.hash) == before


@own_transactions
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_script_of_the_documentation_recomputes_the_chain(language: str, tmp_path: Path) -> None:
    write(4, why="制表\t\x01")
    page = (Path(__file__).parents[2] / "docs" / language / "trail.md").read_text("utf-8")
    (tmp_path / "verify.py").write_text(page.split("```python")[1].split("```")[0])
    words = [sys.executable, str(tmp_path / "verify.py"), dsn()]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.startswith("4 entries")
    tamper(f"UPDATE office_trailentry SET particulars = '{{}}' WHERE id = {FIRST.replace('5', '3')}")
    assert "link 3" in subprocess.run(words, capture_output=True, text=True, check=False).stderr


WRITER = """
import os, sys, threading, psycopg
def work(n):
    with psycopg.connect(os.environ["DSN"], autocommit=True) as one:
        for i in range(25):
            with one.transaction():
                for _ in range(2):
                    one.execute("INSERT INTO office_trailentry (at, by_name, verb, about, label, particulars)"
                                " VALUES (now(), '并发', 'rate', 'customer:1', '', '{}')")
threads = [threading.Thread(target=work, args=[n]) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
"""


@own_transactions
def test_two_processes_with_eight_threads_each_leave_no_gap() -> None:
    before = TrailEntry.objects.count()
    environment = {**os.environ, "DSN": dsn()}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=environment) for _ in range(2)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    found = seqs()
    assert sum(map(len, found.values())) == TrailEntry.objects.count() == before + 2 * 400
    assert all(each == list(range(1, len(each) + 1)) for each in found.values())
    assert chain.verify().whole


def dsn() -> str:
    told = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=told["HOST"], port=told["PORT"], dbname=told["NAME"], user=told["USER"], password=told["PASSWORD"]
    )


@own_transactions
@pytest.mark.parametrize("guarded", [True, False], ids=["sealed last", "control: the strand locked at once"])
def test_the_strand_is_the_last_lock_of_a_transaction(guarded: bool) -> None:
    """One writes an entry, then a row whose foreign key wants a lock at commit; another holds that row and seals."""
    held, done = threading.Event(), []
    person = member("bo")
    with psycopg.connect(dsn()) as one, psycopg.connect(dsn()) as two:
        if not guarded:
            one.execute("SELECT pg_advisory_xact_lock(1392508930, n) FROM generate_series(0, 15) AS n")
        insert(one)
        one.execute(
            "INSERT INTO office_apitoken (person_id, label, digest, created_at) VALUES (%s, '', 'x', now())",
            [person.pk],
        )
        two.execute("SELECT FROM office_person WHERE id = %s FOR UPDATE", [person.pk])
        insert(two)

        def commit() -> None:
            held.set()
            try:
                one.commit()
            except psycopg.errors.DeadlockDetected:
                done.append("deadlock")

        other = threading.Thread(target=commit)
        other.start()
        held.wait()
        try:
            two.commit()
        except psycopg.errors.DeadlockDetected:
            done.append("deadlock")
        other.join(30)
    assert done == ([] if guarded else ["deadlock"])


def insert(into: psycopg.Connection) -> None:
    into.execute(
        "INSERT INTO office_trailentry (at, by_name, verb, about, label, particulars)"
        " VALUES (now(), '', 'rate', 'customer:1', '', '{}')"
    )


# --- append-only ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("model", [TrailEntry, TrailLink, TrailSeal, PolicyVersion])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_neither_update_nor_delete(model: Any, statement: str) -> None:
    write()
    connection.check_constraints()
    refused(statement, model)


KEPT_FOR_EVER = [
    model
    for model in apps.get_models()
    if "append_only" in {trigger.name for trigger in getattr(model._meta, "triggers", ())}
]


@pytest.mark.django_db
@pytest.mark.parametrize("model", KEPT_FOR_EVER)
def test_nothing_that_stands_for_ever_is_truncated(model: Any) -> None:
    refused("TRUNCATE {} CASCADE", model)


def refused(statement: str, model: Any) -> None:
    table, column = model._meta.db_table, model._meta.fields[-1].column
    with pytest.raises(DatabaseError, match=r"[Cc]annot|permission denied"), transaction.atomic():
        connection.cursor().execute(statement.format(table, column, column))


# --- tampering, by one whom no trigger binds ------------------------------------------------------

FIRST = "(SELECT entry_id FROM office_traillink WHERE strand = 0 AND seq = 5)"
TAMPERING: dict[str, tuple[str, str]] = {
    "an entry edited": (f"UPDATE office_trailentry SET by_name = '别人' WHERE id = {FIRST}", "altered"),
    "an entry deleted": (f"DELETE FROM office_trailentry WHERE id = {FIRST}", "deleted"),
    "an entry and its link deleted": (
        f"DELETE FROM office_trailentry WHERE id = {FIRST}; DELETE FROM office_traillink WHERE strand = 0 AND seq = 5",
        "gap",
    ),
    "an entry inserted": (
        "INSERT INTO office_trailentry (at, by_name, verb, about, label, particulars)"
        " VALUES (now(), '', 'rate', 'customer:1', '', '{}')",
        "inserted",
    ),
    "an entry inserted with a link": (
        "UPDATE office_traillink SET seq = seq + 100000 WHERE strand = 0 AND seq >= 5;"
        "UPDATE office_traillink SET seq = seq - 99999 WHERE strand = 0 AND seq > 100000;"
        "WITH made AS (INSERT INTO office_trailentry (at, by_name, verb, about, label, particulars)"
        " VALUES (now(), '', 'rate', 'customer:1', '', '{}') RETURNING id)"
        " INSERT INTO office_traillink (strand, seq, entry_id, hash) SELECT 0, 5, id, '\\x00' FROM made",
        "altered",
    ),
    "two entries change places": (
        "UPDATE office_traillink SET seq = -5 WHERE strand = 0 AND seq = 5;"
        "UPDATE office_traillink SET seq = 5 WHERE strand = 0 AND seq = 6;"
        "UPDATE office_traillink SET seq = 6 WHERE strand = 0 AND seq = -5",
        "altered",
    ),
    "the tail cut": (
        "DELETE FROM office_trailentry WHERE id IN"
        " (SELECT entry_id FROM office_traillink WHERE strand = 0 AND seq > 9);"
        "DELETE FROM office_traillink WHERE strand = 0 AND seq > 9",
        "cut",
    ),
    "everything deleted": ("TRUNCATE office_trailentry, office_traillink CASCADE", "cut"),
}


def tamper(statements: str) -> None:
    with superuser(connection) as intruder:
        intruder.execute(statements)


def rewrite(intruder: psycopg.Connection) -> None:
    """All hashes anew from the entries as they now are, seals included: what the owner of the database could do."""
    rows = intruder.execute(
        "SELECT link.strand, link.seq, convert_to(office_trail_canonical(entry), 'UTF8') FROM office_traillink AS link"
        " JOIN office_trailentry AS entry ON entry.id = link.entry_id ORDER BY link.strand, link.seq"
    ).fetchall()
    before = {strand: chain.genesis(strand) for strand, *_ in rows}
    for strand, seq, payload in rows:
        before[strand] = hashlib.sha256(before[strand] + payload).digest()
        for table in ("office_traillink", "office_trailseal"):
            intruder.execute(
                f"UPDATE {table} SET hash = %s WHERE strand = %s AND seq = %s", [before[strand], strand, seq]
            )


@own_transactions
@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found(kind: str) -> None:
    for _ in range(12):
        write()
    assert chain.verify().whole  # the control: nothing is found where nothing was done
    statements, code = TAMPERING[kind]
    tamper(statements)
    assert code in {finding.code for finding in chain.verify().findings}


@own_transactions
def test_a_full_rewrite_is_found_with_a_checkpoint_alone(tmp_path: Path) -> None:
    write(12)
    head = chain.head()
    checkpoints.write(tmp_path / "c.json", entries=head.entries, places=head.places, at=clock.now())
    seen = [checkpoints.read(tmp_path / "c.json")]
    write(2)
    assert chain.verify(seen).whole
    with superuser(connection) as intruder:
        intruder.execute(f"UPDATE office_trailentry SET by_name = '别人' WHERE id = {FIRST}")
        rewrite(intruder)
    assert chain.verify().whole  # nothing inside the database tells: this is why a checkpoint leaves it
    assert {finding.code for finding in chain.verify(seen).findings} == {"rewritten"}


@own_transactions
def test_a_tail_cut_with_its_seals_is_found_with_a_checkpoint_alone(tmp_path: Path) -> None:
    for _ in range(12):
        write()
    head = chain.head()
    checkpoints.write(tmp_path / "c.json", entries=head.entries, places=head.places, at=clock.now())
    tamper(TAMPERING["the tail cut"][0] + "; DELETE FROM office_trailseal WHERE strand = 0 AND seq > 9")
    assert chain.verify().whole
    assert {finding.code for finding in chain.verify([checkpoints.read(tmp_path / "c.json")]).findings} == {
        "checkpoint_ahead"
    }


@own_transactions
def test_two_hundred_random_edits_of_single_cells_are_found_one_by_one(bo: Person) -> None:
    write(20, amount="1200.00", names=["甲", "乙"])
    with transaction.atomic():
        trail.record("appoint", about=bo, by=bo, at=clock.now(), post="auditor")
    chance = random.Random(SEED)
    found = 0
    for n in range(NUMBER_OF_EDITS):
        table, set_, where = one_cell(chance, n)
        with superuser(connection) as intruder, intruder.transaction():
            intruder.execute(f"CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM {table} WHERE {where}")
            assert intruder.execute(f"UPDATE {table} SET {set_} WHERE {where}").rowcount == 1
            intruder.execute("SET LOCAL search_path = public")
            found += bool(seen_by_verify(intruder))
            raise psycopg.Rollback
    assert found == NUMBER_OF_EDITS
    assert chain.verify().whole


def one_cell(chance: random.Random, n: int) -> tuple[str, str, str]:
    """A cell of one of the three tables, and a statement that changes it."""
    table = chance.choice(["office_trailentry"] * 3 + ["office_traillink", "office_trailseal"])
    if table == "office_trailentry":
        pk = chance.choice(list(TrailEntry.objects.values_list("pk", flat=True)))
        change = {
            "id": "id = id + 5000000",
            "at": f"at = at + interval '{chance.randint(1, 10**9)} microseconds'",
            "by_id": "by_id = coalesce(by_id, 0) + 1",
            "by_name": f"by_name = by_name || '{chance.choice('甲x ')}'",
            "verb": "verb = verb || '.'",
            "about": "about = about || '0'",
            "label": f"label = label || '{chance.choice('乙 .')}'",
            "customer_id": "customer_id = coalesce(customer_id, 0) + 1",
            "particulars": f"particulars = particulars || '{{\"k{n}\": 1}}'",
        }
        return table, change[chance.choice(list(change))], f"id = {pk}"
    model = TrailLink if table == "office_traillink" else TrailSeal
    strand, seq = chance.choice(list(model.objects.values_list("strand", "seq")))
    byte, other = chance.randint(0, 31), chance.randint(1, 255)
    change = {
        "seq": "seq = seq + 5000000",
        "strand": "strand = strand + 100",
        "hash": f"hash = set_byte(hash, {byte}, get_byte(hash, {byte}) # {other})",
        "last": "entry_id = entry_id + 5000000" if model is TrailLink else "entries = entries + 1",
    }
    return table, change[chance.choice(list(change))], f"strand = {strand} AND seq = {seq}"


def seen_by_verify(intruder: psycopg.Connection) -> int:
    """Verify within the intruder's own, uncommitted transaction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "_rows", lambda statement, params=(): iter(intruder.execute(statement, params).fetchall()))
        return chain.verify().wrong


# --- checkpoints ---------------------------------------------------------------------------------


@own_transactions
@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(entries=7),
        lambda told: told["strands"].clear(),
        lambda told: told.update(signature="0" * 64),
        lambda told: told.pop("signature"),
    ],
    ids=["entries", "strands", "another signature", "no signature"],
)
def test_a_changed_checkpoint_is_told_from_ours(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    write()
    head, path = chain.head(), tmp_path / "c.json"
    checkpoints.write(path, entries=head.entries, places=head.places, at=clock.now())
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    assert [finding.code for finding in chain.verify([checkpoints.read(path)]).findings] == ["checkpoint_forged"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', "\xff"], ids=repr)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, "latin-1")
    with pytest.raises(checkpoints.Unreadable):
        checkpoints.read(tmp_path / "c.json")


def test_a_checkpoint_of_any_size_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "c.json"
    large.write_bytes(b"0" * (checkpoints.SIZE_MAX + 1))
    with pytest.raises(checkpoints.Unreadable, match=r"too large|文件过大"):
        checkpoints.read(large)


def test_a_verdict_counts_all_and_names_the_first() -> None:
    verdict = chain.Verdict(chain.Head(0, ()), 0)
    for number in range(chain.FINDINGS_MAX + 5):
        verdict.add("edited", number)
    assert (verdict.wrong, len(verdict.findings), verdict.whole) == (chain.FINDINGS_MAX + 5, chain.FINDINGS_MAX, False)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((Decimal("1.10"), None), ["1.10", None]),
        ({"b", "a"}, ["a", "b"]),
        (gettext_lazy("just so"), "just so"),
        ({1: [TODAY, True]}, {"1": [TODAY.isoformat(), True]}),
    ],
)
def test_particulars_are_kept_without_loss(value: Any, kept: Any) -> None:
    assert trail.as_text(value) == kept


def test_what_would_lose_something_is_not_kept() -> None:
    with pytest.raises(TypeError, match="float"):
        trail.as_text({"share": 0.1})
