"""Handing files in: over the pages, the API and the command line; by whom, and what is left behind."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from shouxin.config import cli
from shouxin.lib.models import ImportRun
from shouxin.office import policies
from shouxin.office.imports import runs
from shouxin.office.models import Person, TrailEntry
from shouxin.receivables.models import Invoice
from tests.people import TODAY, acme

from .handing import csv_text, sheet_file, text_file

HEADING = "客户编码,单据编号,单据日期,到期日,应收金额"
GOOD = "C001,1,2026-01-05,2026-02-04,100.00"
BAD = "C001,2,2026-01-05,2026-02-04,1.234"
TABLE = csv_text(GOOD, BAD, heading=HEADING).encode("gb18030")


@pytest.fixture(autouse=True)
def house(db: None) -> None:
    """A policy in force, and Acme."""
    policies.ensure()
    acme()


def _client(person: Person) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _work(run: ImportRun) -> ImportRun:
    """What the worker does."""
    from shouxin.office import clock

    runs.perform(run.pk, at=clock.now(), today=TODAY)
    run.refresh_from_db()
    return run


def _upload(content: bytes = TABLE, name: str = "ledger.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def lines_without_term(cy: Person) -> ImportRun:
    """A file of opening lines that names customers and nothing else, handed in by Cy."""
    _client(cy).post("/imports/", {"kind": "lines", "file": _upload("客户编码,客户名称\nC001,x\n".encode())})
    return ImportRun.objects.get()


def test_opening_lines_without_a_term_are_shown_with_the_columns_to_choose(
    cy: Person, lines_without_term: ImportRun
) -> None:
    assert _client(cy).get(f"/imports/{lines_without_term.pk}/").status_code == 200


# --- pages ---------------------------------------------------------------------------------------


def test_from_upload_to_result_on_the_page(fi: Person) -> None:
    client = _client(fi)
    answer = client.post("/imports/", {"kind": "invoices", "file": _upload()})
    run = ImportRun.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/imports/{run.pk}/"

    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "GB18030" in page and "1.234" in page
    assert "The amount has more than two decimals." in page
    assert "100.00" in page
    assert not Invoice.objects.exists(), "nothing is written before it was seen"

    chosen = {"column:customer_code": "=A", "column:doc_no": "=B", "column:doc_date": "=C", "column:due_date": "=D",
              "column:amount": "=E", "unknown_customers": "refuse", "source_system": "u8", "start": "1"}  # fmt: skip
    assert client.post(f"/imports/{run.pk}/columns", chosen).status_code == 302
    run.refresh_from_db()
    assert run.state == "waiting"
    waiting = client.get(f"/imports/{run.pk}/").content.decode()
    assert "hx-get" in waiting and "Waiting to start" in waiting

    _work(run)

    assert (run.state, run.accepted, run.refused) == ("done", 1, 1)
    assert Invoice.objects.get().source_system == "u8"
    assert client.get(f"/imports/{run.pk}/progress")["HX-Refresh"] == "true"
    result = client.get(f"/imports/{run.pk}/").content.decode()
    assert "errors.xlsx" in result and "The amount has more than two decimals." in result
    book = client.get(f"/imports/{run.pk}/errors.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(book))).get_sheet_by_index(0).to_python()
    assert rows[1][:5] == BAD.split(",")
    assert not runs.path_of(run).exists(), "the upload is gone once it is done"
    assert "ledger.csv" in client.get("/imports/").content.decode()


def test_columns_can_be_chosen_where_nothing_is_recognised(fi: Person) -> None:
    client = _client(fi)
    table = "谁,哪张,何时,多少\r\nC001,1,2026-01-05,5\r\n".encode()
    client.post("/imports/", {"kind": "invoices", "file": _upload(table)})
    run = ImportRun.objects.get()
    assert "needed" in client.get(f"/imports/{run.pk}/").content.decode()
    chosen = {
        "column:customer_code": "=A",
        "column:doc_no": "=B",
        "column:doc_date": "=C",
        "unknown_customers": "refuse",
    }

    refused = client.post(f"/imports/{run.pk}/columns", chosen | {"start": "1"})
    assert refused.status_code == 422
    run.refresh_from_db()
    assert run.state == "uploaded", "not without the amount"

    client.post(f"/imports/{run.pk}/columns", chosen | {"column:amount": "=D", "unit:amount": "10000", "start": "1"})
    _work(run)
    assert Invoice.objects.get().amount == 50_000


def test_a_broken_file_is_told_on_the_page(fi: Person) -> None:
    client = _client(fi)
    client.post("/imports/", {"kind": "invoices", "file": _upload(b"%PDF-1.7")})

    page = client.get(f"/imports/{ImportRun.objects.get().pk}/")

    assert page.status_code == 200
    assert "This is no table but PDF" in page.content.decode()


def test_nothing_is_uploaded_that_is_empty_or_of_a_kind_not_hers(fi: Person, ann: Person) -> None:
    assert _client(fi).post("/imports/", {"kind": "invoices", "file": _upload(b"")}).status_code == 422
    assert _client(fi).post("/imports/", {"kind": "lines", "file": _upload()}).status_code == 422
    assert _client(ann).post("/imports/", {"kind": "invoices", "file": _upload()}).status_code in (403, 422)
    assert not ImportRun.objects.exists()


@pytest.mark.invariant("I-33")
def test_a_run_is_seen_only_by_those_who_may_import_its_kind(fi: Person, ann: Person, bo: Person) -> None:
    _client(fi).post("/imports/", {"kind": "invoices", "file": _upload()})
    run = ImportRun.objects.get()

    for address in ("", "progress", "errors.xlsx"):
        assert _client(ann).get(f"/imports/{run.pk}/{address}").status_code == 404
    assert _client(ann).post(f"/imports/{run.pk}/columns", {"start": "1"}).status_code == 404
    assert _client(bo).get(f"/imports/{run.pk}/").status_code == 200
    assert Client().get(f"/imports/{run.pk}/").status_code == 302


def test_a_map_file_comes_along_and_its_templates_survive_the_page(fi: Person) -> None:
    client = _client(fi)
    table = "编码,序,日期,金额\r\nC001,7,2026-01-05,5\r\n".encode()
    text = "columns:\n  customer_code: 编码\n  doc_no: {template: 'H{编码}-{序}'}\n  doc_date: 日期\n"
    map_file = SimpleUploadedFile("m.yaml", text.encode())
    client.post("/imports/", {"kind": "invoices", "file": _upload(table), "map_file": map_file})
    run = ImportRun.objects.get()
    assert "H{编码}-{序}" in client.get(f"/imports/{run.pk}/").content.decode()

    chosen = {"column:customer_code": "=A", "column:doc_no": "keep", "column:doc_date": "=C", "column:amount": "=D",
              "unknown_customers": "refuse", "start": "1"}  # fmt: skip
    client.post(f"/imports/{run.pk}/columns", chosen)
    _work(run)

    assert Invoice.objects.get().doc_no == "HC001-7"


# --- the worker ----------------------------------------------------------------------------------


def _received(by: Person, content: bytes = TABLE, kind: str = "invoices", **options: Any) -> ImportRun:
    from shouxin.office import clock

    run = runs.receive(
        _upload(content), runs.kind_for(kind, by), by=by, at=clock.now(), options=runs.Options(**options)
    )
    runs.start(run, by=by, at=clock.now())
    return run


@pytest.mark.invariant("I-26")
def test_a_run_done_again_after_a_crash_writes_nothing_twice(fi: Person) -> None:
    run = _received(fi)
    content = runs.path_of(run).read_bytes()
    _work(run)
    runs.path_of(run).write_bytes(content)
    ImportRun.objects.filter(pk=run.pk).update(state="running")

    _work(run)

    assert (run.accepted, run.unchanged, run.refused) == (0, 1, 1)
    assert Invoice.objects.count() == 1


def test_a_run_that_is_done_is_not_done_again(fi: Person) -> None:
    run = _work(_received(fi))
    before = run.finished_at

    assert _work(run).finished_at == before


@pytest.mark.invariant("I-18")
def test_whoever_lost_her_post_has_her_run_refused(fi: Person) -> None:
    run = _received(fi)
    fi.appointments.all().delete()

    _work(run)

    assert run.state == "failed"
    assert "duties" in runs.fault_text(run) or "职责" in runs.fault_text(run)
    assert not Invoice.objects.exists()


@pytest.mark.invariant("I-18", "I-33")
def test_whoever_lost_her_post_sees_her_own_files_no_more(fi: Person) -> None:
    client = _client(fi)
    run = _received(fi)
    _work(run)
    assert client.get(f"/imports/{run.pk}/errors.xlsx").status_code == 200
    fi.appointments.all().delete()
    for address in ("", "progress", "errors.xlsx"):
        assert client.get(f"/imports/{run.pk}/{address}").status_code == 404
    assert not runs.seen_by(Person.objects.get(pk=fi.pk)).exists()


def test_the_whole_file_or_nothing_as_chosen(fi: Person) -> None:
    run = _work(_received(fi, atomic=True))

    assert (run.state, run.refused, run.totals["written"]) == ("done", 1, False)
    assert not Invoice.objects.exists()


def test_a_file_changed_behind_our_back_is_not_taken(fi: Person) -> None:
    run = _received(fi)
    runs.path_of(run).write_bytes(TABLE.replace(b"100.00", b"999.00"))

    _work(run)

    assert (run.state, run.fault["code"]) == ("failed", "changed")


def test_uploads_lie_under_our_own_names_for_our_own_eyes(fi: Person) -> None:
    from shouxin.office import clock

    evil = SimpleUploadedFile("../../etc/passwd\u202e.csv", TABLE)
    run = runs.receive(evil, runs.kind_for("invoices", fi), by=fi, at=clock.now())

    path = runs.path_of(run)
    assert path.parent == Path(settings.MEDIA_ROOT) / "imports"
    assert path.stat().st_mode & 0o077 == 0
    assert "/" not in run.file_name


def test_every_step_leaves_a_line_in_the_trail(fi: Person) -> None:
    _work(_received(fi))

    verbs = list(TrailEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if verb.startswith("import.")] == [
        "import.receive",
        "import.start",
        "import.invoices",
    ]


# --- API -----------------------------------------------------------------------------------------


def _hand_in(person: Person, kind: str = "invoices", content: bytes = TABLE, **fields: Any) -> Any:
    answer = _client(person).post(f"/api/v1/imports/{kind}", {"file": _upload(content), **fields})
    answer.data = json.loads(answer.content)
    return answer


def test_over_the_api(fi: Person) -> None:
    answer = _hand_in(fi, source_system="erp")
    assert answer.status_code == 202
    assert answer.data["state"] == "waiting" and answer.data["progress"] == 0
    run = ImportRun.objects.get(pk=answer.data["id"])
    _work(run)

    client = _client(fi)
    done = json.loads(client.get(f"/api/v1/imports/{run.pk}").content)

    assert (done["state"], done["rows"], done["accepted"], done["refused"], done["progress"]) == ("done", 2, 1, 1, 1.0)
    assert done["errors"][0]["row"] == 3 and "decimals" in done["errors"][0]["message"]
    assert done["totals"]["sums"]["CNY"]["accepted"] == "100.00"
    book = client.get(f"/api/v1/imports/{run.pk}/errors.xlsx")
    assert book.status_code == 200 and b"".join(book).startswith(b"PK")
    assert json.loads(client.get("/api/v1/imports").content)["items"][0]["id"] == run.pk


def test_the_api_refuses_by_duty_by_sight_and_by_form(fi: Person, ann: Person) -> None:
    assert _hand_in(ann).status_code == 403
    assert _hand_in(fi, kind="nonsense").status_code == 404
    assert _hand_in(fi, kind="lines").status_code == 403
    assert _hand_in(fi, map="columns: {nonsense: A}").status_code == 422
    assert _hand_in(fi, content=b"").status_code == 422
    assert not ImportRun.objects.exists()
    run = _received(fi)
    assert _client(ann).get(f"/api/v1/imports/{run.pk}").status_code == 404
    assert _client(fi).get(f"/api/v1/imports/{run.pk}/errors.xlsx").status_code == 404


def test_a_mapping_over_the_api(fi: Person) -> None:
    table = "谁,哪张,何时,多少\r\nC001,1,2026-01-05,5\r\n".encode()
    mapping = json.dumps({"columns": {"customer_code": "谁", "doc_no": "哪张", "doc_date": "何时", "amount": "多少"}})

    run = ImportRun.objects.get(pk=_hand_in(fi, content=table, map=mapping).data["id"])

    assert _work(run).accepted == 1


# --- command line --------------------------------------------------------------------------------

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run `shouxin …`; answers exit code, stdout and stderr."""

    def shell(*words: Any) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return shell


def test_the_command_takes_over_and_gives_back(shell: Shell, tmp_path: Path) -> None:
    path = text_file(tmp_path, csv_text(GOOD, BAD, heading=HEADING), "gb18030", "ledger.csv")

    code, out, _err = shell("import", "invoices", path, "--json")

    told = json.loads(out)
    assert code == 1
    assert (told["rows"], told["accepted"], told["refused"]) == (2, 1, 1)
    assert told["errors"][0]["row"] == 3 and told["read_as"]["encoding"] == "gb18030"
    assert (tmp_path / "ledger.csv.errors.xlsx").is_file()
    assert told["errors_file"].endswith("ledger.csv.errors.xlsx")
    assert ImportRun.objects.get().accepted == 1
    code, out, _err = shell("import", "invoices", path, "--json")
    assert (code, json.loads(out)["unchanged"]) == (1, 1)


def test_the_command_is_done_with_exit_code_0(shell: Shell, tmp_path: Path) -> None:
    path = sheet_file(tmp_path, [row.split(",") for row in (HEADING, GOOD)])

    code, out, _err = shell("import", "invoices", path)

    assert code == 0 and "单据编号" in out
    assert Invoice.objects.count() == 1
    assert not (tmp_path / f"{path.name}.errors.xlsx").exists()


def test_a_dry_run_leaves_nothing(shell: Shell, tmp_path: Path) -> None:
    path = text_file(tmp_path, csv_text(GOOD, heading=HEADING))

    code, out, _err = shell("import", "invoices", path, "--dry-run", "--json")

    assert (code, json.loads(out)["written"]) == (0, False)
    assert not Invoice.objects.exists() and not ImportRun.objects.exists()


def test_atomic_gives_the_whole_file_back(shell: Shell, tmp_path: Path) -> None:
    path = text_file(tmp_path, csv_text(GOOD, BAD, heading=HEADING))

    code, out, _err = shell("import", "invoices", path, "--atomic", "--json")

    assert (code, json.loads(out)["written"]) == (1, False)
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("nonsense", "{file}"), "nonsense", id="no such kind"),
        pytest.param(("invoices", "{file}.not"), "file.csv.not", id="no such file"),
        pytest.param(("invoices", "{file}", "--map", "{map}"), "m.yaml:2", id="faulty map"),
        pytest.param(("invoices", "{pdf}"), "PDF", id="no table"),
        pytest.param(("invoices", "{bare}"), "open_amount", id="columns missing"),
        pytest.param(("invoices", "{file}", "--by", "ghost"), "ghost", id="nobody"),
        pytest.param(("lines", "{file}", "--by", "fi"), "", id="not her duty"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(shell: Shell, fi: Person, tmp_path: Path, words: Any, said: str) -> None:
    files = {
        "file": text_file(tmp_path, csv_text(GOOD, heading=HEADING)),
        "pdf": text_file(tmp_path, "%PDF-1.7", name="x.pdf"),
        "bare": text_file(tmp_path, "客户编码,单据编号,单据日期\r\nC001,1,2026-01-05\r\n", name="bare.csv"),
        "map": text_file(tmp_path, "columns:\n  nonsense: A\n", name="m.yaml"),
    }

    code, _out, err = shell("import", *(word.format(**files) for word in words))

    assert code == 2
    assert err.startswith("shouxin: ") and err.count("\n") == 1
    assert said in err and "Traceback" not in err
    assert not Invoice.objects.exists()
