"""Personal data: the catalogue, masks, unmasking with a reason, what rests sealed, who saw whom, clearing away."""

import io
import json
import os
import re
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from shouxin.config import backup, doctor
from shouxin.customers import bulk, registry
from shouxin.customers.models import Customer
from shouxin.lib import sealed, spool, vault
from shouxin.lib.imports import kinds
from shouxin.lib.models import ImportRun
from shouxin.lib.vault import CannotOpen, Keys, Vault
from shouxin.office import cleanup, disclosures, personal, posts
from shouxin.office.imports import runs
from shouxin.office.models import ExportedCustomers, IdempotencyKey, Person, TrailEntry
from shouxin.rules import ids
from tests.api import Caller
from tests.people import TODAY, acme

PHONE, ACCOUNT, MAIL = "13812345678", "6222021234567890123", "liwei@person.example"
ID_NUMBER = "11010519491231002X"
HOME = "上海市静安区南京西路1号302室"
PERSONAL = {
    "natural_person": True,
    "id_number": ID_NUMBER,
    "telephone": PHONE,
    "bank_account": ACCOUNT,
    "email": MAIL,
    "address": HOME,
}
SECRETS = (PHONE, ACCOUNT, MAIL, ID_NUMBER, "南京西路1号302室")


def li_wei(**changes: Any) -> Customer:
    """A natural person of Ann's, with every particular that is masked."""
    return acme(**{"code": "P001", "name": "李伟", **PERSONAL} | changes)


def act(person: Person) -> dict[str, Any]:
    """Who acts, today, now."""
    return {"by": person, "on": TODAY, "at": timezone.now()}


def page_of(person: Person, address: str, **query: str) -> str:
    """A page as this person sees it."""
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(address, query)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200, content
    return content.decode(errors="replace")


# --- the catalogue -------------------------------------------------------------------------------

SUSPECT = re.compile(
    "name|phone|mobile|mail|address|account|id_number|identity|contact|represent|payer|birth|passport|card|to$|letter"
)
SUSPECT_TYPES = (models.TextField, models.JSONField, models.EmailField, models.GenericIPAddressField)


def suspects() -> list[str]:
    """Every text field of ours whose name or type could hold personal data."""
    ours = [each for each in apps.get_models() if each.__module__.startswith("shouxin.")]
    fields = [field for model in ours for field in model._meta.concrete_fields if not field.choices]
    return [
        f"{field.model._meta.label}.{field.name}"
        for field in fields
        if isinstance(field, (*SUSPECT_TYPES, sealed.SealedField))
        or (isinstance(field, models.CharField) and SUSPECT.search(field.name))
    ]


@pytest.mark.clause("A13")
def test_every_field_that_could_be_personal_is_in_the_catalogue_or_said_not_to_be() -> None:
    known = {field.path for field in personal.FIELDS}
    missing = sorted(set(suspects()) - known - personal.NOT_PERSONAL)
    assert not missing, f"add them to FIELDS or NOT_PERSONAL of shouxin/office/personal.py: {missing}"


def test_the_catalogue_names_no_field_twice_and_none_that_is_not_there() -> None:
    paths = [field.path for field in personal.FIELDS]
    assert len(paths) == len(set(paths)) and not set(paths) & personal.NOT_PERSONAL
    for path in (*paths, *personal.NOT_PERSONAL):
        model, _dot, name = path.rpartition(".")
        assert apps.get_model(model)._meta.get_field(name)


def test_every_model_of_the_catalogue_leads_to_a_customer_or_says_why_not() -> None:
    models = {field.model for field in personal.FIELDS}
    assert models == {*personal.LEADS, *personal.OF_NO_CUSTOMER}
    assert not {*personal.LEADS} & {*personal.OF_NO_CUSTOMER}
    for model, path in personal.LEADS.items():
        apps.get_model(model)._default_manager.filter(**{path: 1})


def test_what_is_masked_is_masked_by_the_register_and_given_out_by_the_policy() -> None:
    assert set(personal.masked_fields("customers.Customer")) == set(registry.MASKS)


def test_every_sealed_column_is_in_the_catalogue_and_sensitive_ones_are_sealed() -> None:
    catalogued = {path.lower() for path in (*(field.path for field in personal.FIELDS), *personal.NOT_PERSONAL)}
    assert {column.purpose for column in sealed.columns()} <= catalogued
    assert all(field.sealed for field in personal.FIELDS if field.sensitive)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_catalogue_is_told_in_both_languages(ed: Person, language: str) -> None:
    rows = Caller(ed, language=language).get("/personal-data").data["items"]
    basis = {"zh": "个人信息保护法", "en": "PIPL art. 13"}[language]
    assert len(rows) == len(personal.FIELDS) and all(basis in row["basis"] for row in rows)


def test_the_notice_of_article_17_prints_for_everybody_who_signs_in(ann: Person) -> None:
    assert "customers.Customer.id_number" in page_of(ann, "/office/personal-data/")


# --- masks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "given", "shown"),
    [
        (ids.mask_email, "liwei@person.example", "l***@person.example"),
        (ids.mask_email, "a@b.example", "***@b.example"),
        pytest.param(ids.mask_email, "no address", "***", id="no address at all"),
        (ids.mask_address, HOME, "上海市静安区***"),
        (ids.mask_address, "广东省深圳市南山区科技路", "广东省深圳市***"),
        pytest.param(ids.mask_address, "12 Main St", "12 ***", id="no district"),
    ],
)
def test_masks(mask: Any, given: str, shown: str) -> None:
    assert mask(given) == shown


PAGES = ["/customers/{pk}/", "/customers/{pk}/sheet", "/customers/{pk}/edit", "/customers/",
         "/customers/suggest?q=李伟", "/customers/?export=csv", "/office/trail/?export=csv",
         "/customers/{pk}/?tab=timeline"]  # fmt: skip
CALLS = ["/customers/{pk}", "/customers", "/customers/{pk}/file", "/customers/{pk}/timeline", "/customers?q=李伟",
         "/trail"]  # fmt: skip


@pytest.mark.clause("A13")
@pytest.mark.invariant("I-24")
def test_nothing_is_shown_in_full_on_pages_lists_exports_search_and_api(cy: Person, bo: Person) -> None:
    customer = registry.create(name="李伟", **PERSONAL, **act(bo))
    registry.change(customer, telephone="13987654321", **act(bo))
    registry.change(customer, telephone=PHONE, **act(bo))
    for address in PAGES:
        shown = page_of(cy, address.format(pk=customer.pk))
        assert not [secret for secret in (*SECRETS, "13987654321") if secret in shown], address
    for path in CALLS:
        answer = Caller(cy).get(path.format(pk=customer.pk))
        assert answer.status_code == 200
        assert not [secret for secret in SECRETS if secret in json.dumps(answer.data, ensure_ascii=False)], path
    kept = json.dumps(list(TrailEntry.objects.values_list("particulars", flat=True)), ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in kept]


def test_a_companys_address_is_no_secret(cy: Person) -> None:
    assert HOME in page_of(cy, f"/customers/{acme(address=HOME).pk}/")


# --- unmasking -----------------------------------------------------------------------------------

MAY = {
    "telephone": {"ann", "fi", "bo", "cy", "vi", "le"},
    "email": {"ann", "fi", "bo", "cy", "vi", "le"},
    "address": {"ann", "fi", "bo", "cy", "vi", "le"},
    "bank_account": {"fi", "bo", "cy", "vi", "le"},
    "id_number": {"bo", "cy", "vi", "le"},
}


@pytest.mark.clause("A13")
@pytest.mark.parametrize("field", MAY)
def test_one_field_is_shown_in_full_to_the_posts_of_the_policy(
    field: str, ann: Person, bo: Person, cy: Person, vi: Person, le: Person, fi: Person, ed: Person, ar: Person,
    di: Person, sy: Person,
) -> None:  # fmt: skip
    path = f"/customers/{li_wei().pk}/unmask"
    for person in (ann, bo, cy, vi, le, fi, ed, ar, di, sy):
        answer = Caller(person).post(path, {"reason": "核对退款", "field": field})
        expected = 200 if person.username in MAY[field] else 404 if person.username in ("di", "sy", "se") else 403
        assert answer.status_code == expected, person
        if expected == 200:
            full = {name: value for name, value in answer.data.items() if value is not None}
            assert full == {field: PERSONAL[field]}
    lines = TrailEntry.objects.filter(verb="unmask").order_by("pk")
    assert {line.by.username for line in lines} == MAY[field]
    assert all(line.particulars == {"fields": [field], "why": "核对退款"} for line in lines)


def test_without_a_reason_nothing_is_shown(cy: Person) -> None:
    path = f"/customers/{li_wei().pk}/unmask"
    assert Caller(cy).post(path, {"reason": " ", "field": "id_number"}).status_code == 422
    assert not TrailEntry.objects.filter(verb="unmask").exists()


def test_the_page_shows_it_once_and_no_cache_keeps_it(cy: Person) -> None:
    address = f"/customers/{li_wei().pk}/unmask/id_number"
    client = Client()
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    assert ID_NUMBER not in client.get(address).content.decode()
    shown = client.post(address, {"reason": "实名核验"})
    assert ID_NUMBER in shown.content.decode() and "no-store" in shown["Cache-Control"]
    assert ID_NUMBER not in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(f"/customers/{li_wei().pk}/unmask/name", {"reason": "x"}).status_code == 404


def test_an_answer_kept_for_a_repeated_request_rests_sealed(cy: Person) -> None:
    path, caller, name = f"/customers/{li_wei().pk}/names", Caller(cy), {"name": "小李子"}
    first = caller.post(path, name, key="k-1")
    assert caller.post(path, name, key="k-1").data == first.data
    assert "李伟" in IdempotencyKey.objects.get(key="k-1").answer
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM office_idempotencykey WHERE key = 'k-1'")
        kept = cursor.fetchone()[0]
    assert kept.startswith("sealed/") and "李伟" not in kept


# --- at rest -------------------------------------------------------------------------------------


def kept(customer: Customer) -> dict[str, str]:
    """The row as the database keeps it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM customers_customer WHERE id = %s", [customer.pk])
        return dict(zip([each.name for each in cursor.description], cursor.fetchone(), strict=True))


@pytest.mark.clause("A13")
def test_sensitive_particulars_rest_sealed_whichever_way_they_came_in(bo: Person) -> None:
    made = registry.create(name="李伟", **PERSONAL, **act(bo))
    (many,) = bulk.create_customers(
        [bulk.NewCustomer("王芳", "CNY", "P9", {"telephone": PHONE, "bank_account": ACCOUNT, "email": MAIL})], **act(bo)
    )
    changed = acme()
    bulk.change_customers([(changed, {"telephone": PHONE, "bank_account": ACCOUNT, "email": MAIL})], **act(bo))
    registry.change(changed, bank_account=ACCOUNT + "0", **act(bo))
    registry.change(changed, bank_account=ACCOUNT, **act(bo))
    for customer in (made, many, changed):
        row = kept(customer)
        assert all(row[name].startswith("sealed/k1/") for name in ("telephone", "bank_account", "email"))
        assert not [secret for secret in SECRETS[:4] if secret in json.dumps(row, default=str)]
        fresh = Customer.objects.get(pk=customer.pk)
        assert (fresh.telephone, fresh.bank_account, fresh.email) == (PHONE, ACCOUNT, MAIL)
    marks = {kept(customer)["bank_account_index"] for customer in (made, many, changed)}
    assert len(marks) == 1 and len(marks.pop()) == 64, "equal accounts have one mark"


def test_the_same_account_with_another_customer_is_told_on_the_file(cy: Person) -> None:
    first, second = li_wei(), acme(bank_account="6222 0212 3456 7890 123")
    assert second.name in page_of(cy, f"/customers/{first.pk}/")


def test_an_identity_number_stands_once_and_must_be_right(bo: Person) -> None:
    registry.create(name="李伟", **PERSONAL, **act(bo))
    caller = Caller(bo)
    twice = caller.post("/customers", {"name": "王芳", "natural_person": True, "id_number": ID_NUMBER.lower()})
    wrong = caller.post("/customers", {"name": "王芳", "natural_person": True, "id_number": "110105194912310021"})
    company = caller.post("/customers", {"name": "王芳", "id_number": ID_NUMBER})
    for answer in (twice, wrong, company):
        assert answer.status_code == 422 and "id_number" in [each["field"] for each in answer.data["errors"]]


def test_a_sealed_column_cannot_be_searched_by_mistake(db: None) -> None:
    with pytest.raises(FieldError):
        Customer.objects.filter(telephone=PHONE).exists()


@pytest.mark.parametrize("tamper", ["cut", "flip", "other column", "other key"])
def test_a_changed_value_does_not_open(db: None, tamper: str) -> None:
    row, house = kept(li_wei()), sealed.vault()
    value, purpose = row["bank_account"], "customers.customer.bank_account"
    assert house.open(value, purpose) == ACCOUNT
    letter = "A" if value[40] != "A" else "B"
    bad = {
        "cut": (value[:-8], purpose),
        "flip": (value[:40] + letter + value[41:], purpose),
        "other column": (value, "customers.customer.telephone"),
        "other key": (value.replace("/k1/", "/k7/"), purpose),
    }[tamper]
    with pytest.raises(CannotOpen):
        house.open(*bad)


@pytest.mark.django_db(transaction=True)
def test_what_was_kept_in_the_clear_is_sealed_forward_and_opened_backward() -> None:
    customer = li_wei()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET telephone = %s, bank_account = %s, bank_account_index = ''", [PHONE, ACCOUNT]
        )
    assert Customer.objects.get(pk=customer.pk).telephone == PHONE, "yesterday's rows are read"
    sealed.seal_columns(Customer)
    row = kept(customer)
    assert row["telephone"].startswith("sealed/") and row["bank_account_index"]
    sealed.open_columns(Customer)
    assert kept(customer)["telephone"] == PHONE


def test_doctor_finds_a_lost_key(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    li_wei()
    assert [finding.ok for finding in doctor._keys()] == [True]
    other = Vault(given=Keys({"k2": os.urandom(32)}, os.urandom(32)).as_text(","))
    monkeypatch.setattr(settings, "VAULT", other)
    (finding,) = doctor._keys()
    assert not finding.ok and "k1" in finding.seen and finding.mend


@pytest.mark.django_db(transaction=True)
def test_rotation_seals_everything_anew_and_old_backups_open_until_the_old_key_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Vault(path=tmp_path / "data.key")
    monkeypatch.setattr(settings, "VAULT", own)
    customer = li_wei()
    before = kept(customer)["telephone"]
    beside = Vault(path=tmp_path / "data.key")
    assert beside.keys.current == "k1", "another process that has read the keys already"
    from typer.testing import CliRunner

    from shouxin.config import cli

    answer = CliRunner().invoke(cli.assemble(), ["keys", "rotate", "--json"])
    assert answer.exit_code == 0, answer.output
    after = kept(customer)["telephone"]
    assert before.startswith("sealed/k1/") and after.startswith("sealed/k2/")
    assert beside.open(after, "customers.customer.telephone") == PHONE, "it reads the keys afresh"
    assert own.open(before, "customers.customer.telephone") == PHONE, "a backup of yesterday opens"
    assert sealed.counts(Customer._meta.get_field("telephone")) == {"k2": 1}
    assert CliRunner().invoke(cli.assemble(), ["keys", "rotate", "--forget-old"]).exit_code == 0
    with pytest.raises(CannotOpen):
        own.open(before, "customers.customer.telephone")
    assert TrailEntry.objects.filter(verb="rotate_keys").count() == 2
    assert (tmp_path / "data.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [0, 1, vault.BLOCK_BYTES - 1, vault.BLOCK_BYTES, vault.BLOCK_BYTES + 1, 3_000_000])
def test_files_come_out_as_they_went_in(tmp_path: Path, size: int) -> None:
    content, path, house = os.urandom(size), tmp_path / "sealed", Vault(path=tmp_path / "data.key")
    house.seal_file(iter([content[: size // 2], content[size // 2 :]]), path)
    assert b"".join(house.open_file(path)) == content
    assert size < 64 or content[:64] not in path.read_bytes()


def test_a_file_cut_at_a_block_does_not_open(tmp_path: Path) -> None:
    path, house = tmp_path / "sealed", Vault(path=tmp_path / "data.key")
    house.seal_file([b"x" * (2 * vault.BLOCK_BYTES + 5)], path)
    whole = path.read_bytes()
    path.write_bytes(whole[: -(5 + 16)])
    with pytest.raises(CannotOpen):
        list(house.open_file(path))


def upload(by: Person, content: bytes) -> ImportRun:
    """A file handed in."""
    return runs.receive(SimpleUploadedFile("客户.csv", content), kinds.get("customers"), by=by, at=timezone.now())


TABLE = f"客户编码,客户名称,电话,电子邮箱\nP1,李伟,{PHONE},{MAIL}\nP2,王芳,{PHONE},no address\n".encode()


@pytest.mark.clause("A13")
@pytest.mark.django_db(transaction=True)
def test_uploads_and_refused_rows_rest_sealed(bo: Person) -> None:
    run = upload(bo, TABLE)
    assert vault.is_sealed(runs.path_of(run)) and PHONE.encode() not in runs.path_of(run).read_bytes()
    assert runs.look(run, at=timezone.now(), today=TODAY).tally.rows == 2
    ImportRun.objects.filter(pk=run.pk).update(state="waiting")
    runs.perform(run.pk, at=timezone.now(), today=TODAY)
    run.refresh_from_db()
    assert (run.state, run.refused) == ("done", 1)
    assert vault.is_sealed(runs.errors_of(run))
    given = Caller(bo).client.get(f"/api/v1/imports/{run.pk}/errors.xlsx")
    assert b"".join(given.streaming_content).startswith(b"PK")
    assert given["Content-Disposition"].startswith("attachment") and given["X-Content-Type-Options"] == "nosniff"
    assert not list(spool.folder().iterdir()), "nothing is left in the clear"


# --- who saw -------------------------------------------------------------------------------------


@pytest.mark.clause("A13")
def test_who_saw_a_customer_between_two_days(ann: Person, cy: Person, ed: Person, fi: Person) -> None:
    customer, other = li_wei(), acme()
    page_of(ann, f"/customers/{customer.pk}/")
    page_of(cy, f"/customers/{customer.pk}/sheet")
    Caller(cy).get(f"/customers/{customer.pk}/file")
    Caller(fi).post(f"/customers/{customer.pk}/unmask", {"reason": "退款", "field": "bank_account"})
    page_of(cy, "/customers/?export=xlsx")
    page_of(cy, "/customers/?export=csv&q=艾克米")
    day = timezone.localdate()
    told = Caller(ed).get(f"/customers/{customer.pk}/who-saw", since=day.isoformat()).data
    assert [(row["by"], row["verb"], row["what"], row["why"]) for row in told] == [
        ("Cy", "export", "customers", ""),
        ("Fi", "unmask", "bank_account", "退款"),
        ("Cy", "view_file", "api", ""),
        ("Cy", "view_sheet", "", ""),
        ("Ann", "view_file", "overview", ""),
    ]
    assert len(disclosures.seen(other.pk, day, day)) == 2, "both exports hold the other one"
    assert not disclosures.seen(customer.pk, day + timedelta(days=1), day + timedelta(days=9))
    shown = page_of(ed, f"/customers/{customer.pk}/who-saw")
    assert "退款" in shown and TrailEntry.objects.filter(verb="ask_who_saw", by=ed).count() == 2


@pytest.mark.parametrize(("since", "until"), [("2026-01-01", "9999-12-31"), ("0001-01-01", "2026-01-01")])
def test_who_saw_is_asked_for_the_first_and_the_last_days_there_are(ed: Person, since: str, until: str) -> None:
    path = f"/customers/{li_wei().pk}/who-saw"
    assert Caller(ed).get(path, since=since, until=until).status_code == 200
    page_of(ed, f"{path}?since={since}&until={until}")


def test_only_auditor_and_heads_ask_who_saw(
    ann: Person, bo: Person, fi: Person, ar: Person, cy: Person, vi: Person, le: Person, ed: Person, di: Person
) -> None:
    path = f"/customers/{li_wei().pk}/who-saw"
    allowed = {
        each: Caller(each).get(path, since="2026-01-01").status_code for each in (ann, bo, fi, ar, cy, vi, le, ed)
    }
    assert {each.username for each, status in allowed.items() if status == 200} == {"cy", "vi", "le", "ed"}
    assert Caller(di).get(path, since="2026-01-01").status_code == 404


def test_a_file_that_cannot_be_recorded_does_not_leave(cy: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    li_wei()

    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("the trail is away")

    client = Client(raise_request_exception=False)
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    monkeypatch.setattr(disclosures.trail, "record", broken)
    answer = client.get("/customers/", {"export": "csv"})
    assert answer.status_code == 500 and not answer.streaming


def test_the_answer_takes_a_moment_with_a_hundred_thousand_lines(ed: Person) -> None:
    customer, at = li_wei(), timezone.now()
    lines = [
        TrailEntry(at=at, by=ed, by_name="Ed", verb="view_file", about="customer:0", customer_id=number % 5000 + 10**6)
        for number in range(20_000)
    ]
    TrailEntry.objects.bulk_create(lines, batch_size=5000)
    exports = TrailEntry.objects.bulk_create(
        TrailEntry(at=at, by=ed, by_name="Ed", verb="export", about="list:customers") for _ in range(50)
    )
    everybody = list(range(10**6, 10**6 + 5000))
    ExportedCustomers.objects.bulk_create(
        ExportedCustomers(entry=entry, at=at, customers=[*everybody, *([customer.pk] * (entry.pk % 2))])
        for entry in exports
    )
    began = time.monotonic()
    found = disclosures.seen(customer.pk, timezone.localdate(), timezone.localdate())
    assert len(found) == 25 and time.monotonic() - began < 10


# --- clearing away -------------------------------------------------------------------------------


def dead_folder() -> Path:
    """The folder in the spool of a process of this machine that is no more."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    folder = spool.folder().with_name(f"{socket.gethostname()}-{dead.pid}")
    folder.mkdir()
    return folder


def test_files_in_the_clear_lie_in_the_home_and_dead_processes_leave_none(bo: Person, monkeypatch: Any) -> None:
    dead, mine = dead_folder(), spool.folder() / "being-read.upload"
    for path in (dead / "left.upload", mine):
        path.write_bytes(b"13812345678")
    monkeypatch.setenv("TMPDIR", "/nowhere")
    large = SimpleUploadedFile("c.csv", TABLE + b"\n" * (3 << 20), content_type="text/csv")
    seen: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(runs, "receive", lambda upload, *_args, **_named: seen.append(Path(upload.file.name)) or 1 / 0)
        Caller(bo).client.post("/api/v1/imports/customers", {"file": large})
    (upload,) = seen
    assert upload.is_relative_to(settings.HOME / "spool") and not upload.exists()
    assert {path.stat().st_mode & 0o777 for path in (spool.folder(), spool.folder().parent)} == {0o700}
    spool.empty()
    assert not dead.exists() and mine.exists()
    assert not any(member.name.startswith("files/spool") for member in backup._files(settings.HOME, Path("none")))
    mine.unlink()


@pytest.mark.django_db(transaction=True)
def test_what_is_finished_is_cleared_away_after_the_hours_and_not_before(bo: Person) -> None:
    posts.system()
    run = upload(bo, TABLE)
    ImportRun.objects.filter(pk=run.pk).update(state="waiting")
    done_at = timezone.now()
    runs.perform(run.pk, at=done_at, today=TODAY)
    waiting = upload(bo, TABLE)
    run.refresh_from_db()
    errors = runs.errors_of(run)
    left = dead_folder() / "left.upload"
    left.write_bytes(b"a crash left this")
    stranger = runs.path_of(waiting).with_name("0" * 32 + ".upload")
    stranger.write_bytes(b"nobody's")
    long_ago = time.time() - 48 * 3600
    for path in (left, stranger):
        os.utime(path, (long_ago, long_ago))
    cleanup.purge(at=done_at + timedelta(hours=23), hours=24)
    assert errors.exists() and not left.exists()
    cleanup.purge(at=done_at + timedelta(hours=25), hours=24)
    run.refresh_from_db()
    assert not errors.exists() and not stranger.exists() and run.errors == [] and run.refused == 1
    assert runs.path_of(waiting).exists(), "nobody has begun it yet"
    cleanup.purge(at=done_at + timedelta(hours=24 * 7 + 1), hours=24)
    waiting.refresh_from_db()
    assert waiting.state == "failed" and runs.fault_text(waiting)
    again = cleanup.purge(at=done_at + timedelta(hours=24 * 7 + 1), hours=24)
    assert not any(again.values()), "doing it twice changes nothing"
    assert TrailEntry.objects.filter(verb="purge").count() == 3


def test_the_catalogue_on_the_command_line(db: None) -> None:
    from typer.testing import CliRunner

    from shouxin.config import cli

    answer = CliRunner().invoke(cli.assemble(), ["personal", "catalogue", "--json"])
    assert answer.exit_code == 0
    assert {row["field"] for row in json.load(io.StringIO(answer.stdout))} == {each.path for each in personal.FIELDS}
