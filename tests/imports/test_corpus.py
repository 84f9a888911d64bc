"""The corpus: every file falls into its class, is bounded in time and memory, and leaves nothing half done."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shouxin.lib.imports.workbook import SheetLimits
from shouxin.lib.models import ImportRun
from shouxin.office import policies
from shouxin.office.imports import runs
from shouxin.office.models import Person
from shouxin.receivables import proof
from shouxin.receivables.models import Invoice
from tests.people import TODAY, acme

from . import corpus, reading_corpus

ROOT = Path(__file__).resolve().parents[2]
CASES = corpus.corpus()
SENT = [case for case in CASES if not case.mapping]


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """What became of every file, each read in one process that the whole corpus could not harm."""
    done = _python("-m", "tests.imports.reading_corpus")
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_corpus_is_large_and_each_file_has_a_name_of_its_own() -> None:
    assert len(CASES) == len({case.name for case in CASES}) >= 130


@pytest.mark.invariant("I-25")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_falls_into_its_class_within_bounds(case: corpus.Case, read: dict[str, Any]) -> None:
    found = read["files"][case.name]
    outcome = found["outcome"]
    if "rows" in outcome:
        outcome["rows"] = {int(row): code for row, code in outcome["rows"].items()}

    said = outcome.pop("said", "")
    assert outcome == case.expected, said
    assert found["seconds"] <= reading_corpus.SECONDS


def test_the_process_that_read_them_all_hardly_grew(read: dict[str, Any]) -> None:
    assert read["megabytes"] < 100


# --- through the real doors ----------------------------------------------------------------------


@pytest.fixture
def client(db: None, fi: Person) -> Client:
    """The one who keeps the books, signed in; a fault of ours would be an answer of 500."""
    policies.ensure()
    acme()
    client = Client(headers={"Accept-Language": "en"}, raise_request_exception=False)
    client.force_login(fi, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _upload(case: corpus.Case, folder: Path) -> SimpleUploadedFile:
    path = case.make(folder)
    return SimpleUploadedFile(path.name, path.read_bytes())


def _taken(case: corpus.Case) -> None:
    """The worker takes the run over: the books hold just what the class says, and agree."""
    from shouxin.office import clock

    run = ImportRun.objects.get()
    runs.perform(run.pk, at=clock.now(), today=TODAY)
    run.refresh_from_db()
    if case.file:
        assert (run.state, run.fault["code"], Invoice.objects.count()) == ("failed", case.file, 0)
    else:
        assert (run.state, run.accepted, run.refused) == ("done", case.accepted, len(case.rows))
        assert Invoice.objects.count() == case.accepted
    assert proof.differences() == []


@pytest.mark.invariant("I-25", "I-31")
@pytest.mark.parametrize("case", SENT[::5], ids=lambda case: case.name)
def test_on_the_page(case: corpus.Case, client: Client, tmp_path: Path) -> None:
    answer = client.post("/imports/", {"kind": "invoices", "file": _upload(case, tmp_path)})
    if answer.status_code == 422:
        assert case.file == "empty" and not ImportRun.objects.exists()
        return
    assert answer.status_code == 302
    run = ImportRun.objects.get()
    assert client.get(f"/imports/{run.pk}/").status_code in (200, 422)
    runs.start(run, by=run.by, at=run.created_at)

    _taken(case)

    assert client.get(f"/imports/{run.pk}/").status_code in (200, 422)


@pytest.mark.invariant("I-25", "I-31")
@pytest.mark.parametrize("case", SENT[2::5], ids=lambda case: case.name)
def test_over_the_api(case: corpus.Case, client: Client, tmp_path: Path) -> None:
    answer = client.post("/api/v1/imports/invoices", {"file": _upload(case, tmp_path)})
    if answer.status_code == 422:
        assert case.file == "empty" and not ImportRun.objects.exists()
        return
    assert answer.status_code == 202

    _taken(case)

    told = client.get(f"/api/v1/imports/{ImportRun.objects.get().pk}").json()
    assert (told["accepted"], told["refused"]) == ((0, 0) if case.file else (case.accepted, len(case.rows)))


# --- negative controls ---------------------------------------------------------------------------

UNGUARDED = """
import sys
from shouxin.lib.imports import sheet, zipscan
if sys.argv.pop(1) == "off":
    zipscan.scan = lambda path, limits: {}
sheet.main()
"""


@pytest.mark.parametrize("name", ["A1 and XFD1048576", "A1 and ZZ100000", "200 MB in 200 kB"])
def test_without_the_scan_the_parser_dies_of_it_or_takes_it(name: str, tmp_path: Path) -> None:
    """Negative control: it is the scan that refuses these files with a reason, not the parser's good nature."""
    [case] = [case for case in CASES if case.name == name]
    path = case.make(tmp_path)
    limits = SheetLimits(memory_bytes=reading_corpus.MEMORY_BYTES, seconds=reading_corpus.PATIENCE)
    options = json.dumps({"form": "xlsx", "sheet": ""} | limits.__dict__)

    guarded = _python("-c", UNGUARDED, "on", str(path), str(tmp_path / "rows"), options)
    bare = _python("-c", UNGUARDED, "off", str(path), str(tmp_path / "rows"), options)

    assert json.loads(guarded.stdout)["fault"] == case.file
    assert bare.returncode != 0 or json.loads(bare.stdout).get("fault") != case.file
