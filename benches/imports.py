"""K3: files of invoices with every check, duplicates, matching of customers and the workbook of refused rows.

Anchor, in turn with it: the same file read by the bare reader (calamine or csv) and COPY'd into one unindexed table.
`import.books.100k` shows where the rest goes: the same papers, ready as columns, written into the books and nothing
else; what it costs is what the tables, their indexes, foreign keys and the journal cost.
"""

import csv
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from . import measure

CUSTOMERS = 2_000
HEADING = ("客户编码", "客户名称", "单据编号", "单据类型", "单据日期", "到期日", "应收金额", "币种", "摘要")
BAD_EVERY = 100
RUNS_OF_A_MILLION = 2


@dataclass(frozen=True)
class Import(measure.Result):
    """Seconds for the whole file (the fewer the better), with its rows and the most memory this process has had."""

    rows: int
    refused: int
    memory_mb: int


def run(on_step: Callable[[], None], *, runs: int = 5, million: bool = True) -> list[Import]:
    """The results by name; the database must be migrated. A million rows are taken over fewer times."""
    customers = prepare()
    with tempfile.TemporaryDirectory(prefix="shouxin-bench-files-") as folder:
        home = Path(folder)
        files = {"import.xlsx.100k": (_xlsx(home / "100k.xlsx", 100_000), 100_000, runs)}
        files["import.csv.100k"] = (_csv(home / "100k.csv", 100_000), 100_000, runs)
        if million:
            files["import.csv.1m"] = (_csv(home / "1m.csv", 1_000_000), 1_000_000, min(runs, RUNS_OF_A_MILLION))
        found = [_compared(name, *each, on_step=on_step) for name, each in files.items()]
        return [*found, _books(files["import.csv.100k"][0], customers, runs, on_step)]


def steps(runs: int, *, million: bool = True) -> int:
    """How often `on_step` is called."""
    return 3 * runs + million * min(runs, RUNS_OF_A_MILLION)


def prepare() -> list[int]:
    """The customers that the files name; their ids."""
    from shouxin.customers.models import Customer
    from shouxin.office import clock, policies

    policies.ensure()
    at = clock.now()
    rows = [Customer(code=f"B{n:06d}", name=f"bench {n}", currency="CNY", created_at=at) for n in range(CUSTOMERS)]
    return [row.pk for row in Customer.objects.bulk_create(rows, batch_size=5000)]


# --- files ---------------------------------------------------------------------------------------


def papers(count: int) -> Iterator[list[str]]:
    """Rows of a ledger, one in a hundred of them bad in one of five ways; the same rows every time."""
    chance = random.Random(7)
    before: list[str] = []
    for number in range(count):
        customer = chance.randrange(CUSTOMERS)
        dated = date(2025, 1, 1) + timedelta(chance.randrange(365))
        row = [
            f"B{customer:06d}", f"bench {customer}", f"INV{number:09d}", "发票", dated.isoformat(),
            (dated + timedelta(60)).isoformat(), f"{chance.randrange(100, 10**8) / 100:.2f}", "CNY", "",
        ]  # fmt: skip
        if number % BAD_EVERY == BAD_EVERY // 2:
            _spoil(row, before, number // BAD_EVERY % 5)
        before = row
        yield row


def _spoil(row: list[str], before: list[str], way: int) -> None:
    """An amount in words, a day that never was, a stranger, a currency that is none, a paper twice."""
    if way == 4:
        row[:3] = before[:3]
    else:
        column, text = [(6, "壹万元"), (4, "2025-02-30"), (0, "NOBODY"), (7, "XXX")][way]
        row[column] = text


def _csv(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADING, *papers(count)] if count < 10**6 else _headed(papers(count)))
    return path


def _headed(rows: Iterable[list[str]]) -> Iterator[Iterable[str]]:
    yield HEADING
    yield from rows


def _xlsx(path: Path, count: int) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(_headed(papers(count))):
        for column, cell in enumerate(row):
            if column == 6 and cell[0].isdigit():
                sheet.write_number(number, column, float(cell))
            elif cell:
                sheet.write_string(number, column, cell)
    book.close()
    return path


# --- what is measured ----------------------------------------------------------------------------


def _compared(name: str, path: Path, rows: int, runs: int, *, on_step: Callable[[], None]) -> Import:
    anchors, values, refused = [], [], 0
    for number in range(runs):
        anchors.append(_seconds(lambda: anchor(path)))
        began = time.perf_counter()
        refused = take_over(path, f"{name}.{number}")
        values.append(time.perf_counter() - began)
        on_step()
    return _result(name, values, anchors, rows, refused)


def _result(name: str, values: list[float], anchors: list[float], rows: int, refused: int) -> Import:
    value, base = statistics.median(values), statistics.median(anchors)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return Import(name, value, "s", base, value / base, values, rows, refused, memory)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def anchor(path: Path) -> None:
    """Read by the bare reader, row by row into a table of texts without an index, committed."""
    from python_calamine import CalamineWorkbook

    columns = ", ".join(f"c{number} text" for number in range(len(HEADING)))
    with connection.cursor() as cursor, path.open(encoding="utf-8", newline="", errors="replace") as file:
        cursor.execute(f"DROP TABLE IF EXISTS anchor_rows; CREATE TABLE anchor_rows ({columns})")
        rows: Iterable[Any] = csv.reader(file)
        if path.suffix == ".xlsx":
            rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
        with cursor.copy("COPY anchor_rows FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def take_over(path: Path, source_system: str) -> int:
    """The import as the command line does it; how many rows were refused. Each source's papers are new ones."""
    from shouxin.lib.imports import kinds, run
    from shouxin.lib.imports.kinds import Conditions
    from shouxin.lib.imports.mapping import Mapping
    from shouxin.office import clock, posts

    conditions = Conditions(
        by=posts.system(), at=clock.now(), today=clock.today(), currency="CNY", source_system=source_system
    )
    errors = path.with_suffix(".errors.xlsx")
    result = run.take_over(path, kinds.get("invoices"), Mapping(), conditions, errors_path=errors)
    assert errors.exists() and result.tally.accepted + result.tally.refused == result.tally.rows
    return result.tally.refused


def _books(path: Path, customers: list[int], runs: int, on_step: Callable[[], None]) -> Import:
    """The same papers without file and checks: from columns into the books, by blocks as an import writes them."""
    from shouxin.lib.imports.run import BATCH_ROWS
    from shouxin.office import clock, posts
    from shouxin.receivables import intake

    count, anchors, values = 100_000, [], []
    blocks = [_columns(customers, start, min(BATCH_ROWS, count - start)) for start in range(0, count, BATCH_ROWS)]
    for number in range(runs):
        anchors.append(_seconds(lambda: anchor(path)))
        delivery = intake.Delivery(f"books.{number}", posts.system(), clock.now(), clock.today())
        began = time.perf_counter()
        for block in blocks:
            with transaction.atomic():
                intake.post(block, delivery)
        values.append(time.perf_counter() - began)
        on_step()
    return _result("import.books.100k", values, anchors, count, 0)


def _columns(customers: list[int], start: int, count: int) -> dict[str, list[Any]]:
    places = range(start, start + count)
    dated = [date(2025, 1, 1) + timedelta(place % 365) for place in places]
    always = {"kind": "invoice", "number": 1, "currency": "CNY", "order_no": "", "contract_no": "", "description": ""}
    return {
        "customer": [customers[place * 31 % CUSTOMERS] for place in places],
        "doc_no": [f"INV{place:09d}" for place in places],
        "dated_on": dated,
        "due_on": [day + timedelta(60) for day in dated],
        "amount": [Decimal(place * 7919 % 10**8 + 100).scaleb(-2) for place in places],
        "paid": [Decimal(0)] * count,
        "paid_on": [None] * count,
    } | {name: [value] * count for name, value in always.items()}
