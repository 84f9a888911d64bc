"""The worked tables of the handbook, worked out again: in both languages they agree with the program."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from shouxin.rules import figures, policy
from shouxin.rules.aging import OpenItem, bucket_labels, bucket_of
from shouxin.rules.allocation import Debt, Parts, allocate, within_debt
from shouxin.rules.dunning import decide, facts_of, stage_at
from shouxin.rules.figures import MonthSales
from shouxin.rules.line import Limit
from shouxin.rules.payment_record import Settled, payment_record

DOCS = Path(__file__).resolve().parents[2] / "docs"
BOOK = policy.Policy.model_validate(yaml.safe_load((Path(policy.__file__).parent / "policy.yaml").read_text("utf-8")))
D = Decimal
DUE = date(2026, 6, 30)


@pytest.fixture(params=["en", "zh"])
def page(request):
    """The page in one language."""
    return (DOCS / request.param / "policy-aging-dunning.md").read_text("utf-8")


def table(page, name):
    """The cells of the table marked as checked, row by row, without its head."""
    block = page.split(f"<!-- checked: {name} -->\n")[1].split("\n\n")[0]
    return [[cell.strip().replace(",", "") for cell in row.strip("|").split("|")] for row in block.splitlines()[2:]]


def test_every_checked_table_is_checked_here(page):
    names = re.findall(r"<!-- checked: (\w+) -->", page)
    assert names == ["buckets", "allocation", "within", "record", "stages", "letters", "figures"]


def test_buckets(page):
    for days, bucket, held in table(page, "buckets"):
        found = bucket_of(BOOK.aging.up_to, int(days))
        bounds = bucket_labels(BOOK.aging.up_to)[found]
        assert found == int(bucket)
        assert [int(number) for number in re.findall(r"\d+", held)] == [
            bound for bound in (bounds.lower, bounds.upper) if bound is not None
        ]


def test_allocation(page):
    rows = table(page, "allocation")
    debts = [Debt(str(number), date.fromisoformat(due), D(amount)) for number, (due, amount, _) in enumerate(rows)]
    found = {share.key: share.amount for share in allocate(D(70000), debts, paid_on=DUE).shares}
    assert [found.get(debt.key, D(0)) for debt in debts] == [D(row[2]) for row in rows]


def test_within_one_debt(page):
    rows = table(page, "within")
    found = within_debt(D(100000), Parts(*(D(row[1]) for row in rows)))
    assert list(found.paid) == [D(row[2]) for row in rows] and list(found.open) == [D(row[3]) for row in rows]


def test_record(page):
    settled = [
        Settled(DUE, DUE + timedelta(days=int(late)), D(amount), f"INV-{number}", DUE)
        for number, (amount, late) in enumerate(table(page, "record"))
    ]
    as_of = DUE + timedelta(days=100)
    found = payment_record(as_of=as_of, settled=settled, open_items=[], late_payments_months=12).punctuality
    shown = (found.on_time_share, found.on_time_share_by_count, found.mean_days_late, found.days_beyond_terms_signed)
    prose = page.split("| -40 |")[1].split("\n## ")[0]
    assert re.findall(r"\d+\.\d+", prose) == [str(value) for value in shown]


def test_stages(page):
    for days, stage in table(page, "stages"):
        found = stage_at(BOOK, int(days))
        assert stage == (str(found.stage) if found else stage) and stage.isdigit() is (found is not None)


def test_letters(page):
    bill = OpenItem("acme", "INV-1", 1, DUE, DUE - timedelta(days=60), D(1000), "CNY")
    history, letters = {"last_stage": None, "last_notice_on": None, "episode_stage": None, "reminded": ()}, []
    for days in range(-30, 180):
        today = DUE + timedelta(days=days)
        found = decide(BOOK, facts_of(BOOK, items=[bill], as_of=today, **history), today=today)
        history["episode_stage"] = found.stage if found.running else None
        if found.notice:
            letters.append([str(days), str(found.stage)])
            history |= {"last_notice_on": today, "reminded": (*history["reminded"], *found.reminded)}
            history["last_stage"] = found.stage if found.running else None
    assert letters == table(page, "letters")


def test_figures(page):
    months = [MonthSales(D(400), 31), MonthSales(D(350), 30), MonthSales(D(300), 31)]
    computed = [
        figures.simple_dso(D(1000), D(1070), 92),
        figures.best_possible_dso(D(820), D(1070), 92),
        figures.average_days_delinquent(D(1000), D(820), D(1070), 92),
        figures.countback_dso(D(1000), months),
        figures.turnover(D(12000), D(1800), D(2200)),
        figures.turnover_days(D(12000), D(1800), D(2200), 365),
        figures.collection_effectiveness(D(1000), D(1070), D(1000), D(820)),
        figures.overdue_ratio(D(180), D(1000)),
        figures.weighted_overdue_days([(D(100), 10), (D(300), 50)]),
        figures.bad_debt_ratio(D(5), D(1070)),
        figures.limit_utilisation(D(430), Limit.of(D(500))),
    ]
    shown = [
        [figure.key, f"`{figure.formula}`", " ".join(str(value) for value in figure.inputs.values()), str(figure.value)]
        for figure in computed
    ]
    assert shown == table(page, "figures")
