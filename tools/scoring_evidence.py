"""How far the shipped card and a fitted one agree with others, on public data: the tables of docs/*/scoring.md.

python -m tools.scoring_evidence FOLDER    the folder with `cn_cumcm2020c_sme_credit` and `bk_polish`
"""

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from python_calamine import CalamineWorkbook

import shouxin.rules
from shouxin.lib import fitting
from shouxin.rules.policy import Policy
from shouxin.rules.ratios import Z2_WEIGHTS
from shouxin.rules.scorecard import Fact, score

GRADES = list("ABCD")
TODAY = date(2020, 2, 29)
"""The last month of the invoices of the small firms."""

Columns = dict[str, list[float | None]]


def shipped() -> Policy:
    """The policy the product comes with."""
    text = Path(shouxin.rules.__file__).with_name("policy.yaml").read_text(encoding="utf-8")
    return Policy.model_validate(yaml.safe_load(text))


@dataclass(frozen=True)
class Agreement:
    """Grades of two sides over the same firms: crosswise, exact share, weighted kappa."""

    crosswise: dict[tuple[str, str], int]
    exact: float
    kappa: float

    @classmethod
    def of(cls, theirs: Sequence[str], ours: Sequence[str]) -> "Agreement":
        """Compare, the other side's grade first."""
        pairs = Counter(zip(theirs, ours, strict=True))
        exact = sum(count for (one, other), count in pairs.items() if one == other) / len(ours)
        return cls(dict(pairs), exact, fitting.kappa(theirs, ours, GRADES))


def as_full_as(theirs: Sequence[str], badness: Sequence[float]) -> list[str]:
    """Grades by rank, the best first, each as full as the other side's: nothing but the order is ours."""
    order = sorted(range(len(badness)), key=lambda place: badness[place])
    counts, found, begin = Counter(theirs), [""] * len(badness), 0
    for grade in GRADES:
        for place in order[begin : begin + counts[grade]]:
            found[place] = grade
        begin += counts[grade]
    return found


# --- small firms with a bank's grade -------------------------------------------------------------


@dataclass
class Firms:
    """Small firms: the bank's grade, whether they defaulted, what their tax invoices say."""

    names: list[str]
    grades: list[str]
    bad: list[bool]
    columns: Columns


def small_firms(folder: Path) -> Firms:
    """The 123 firms of the contest's attachment 1."""
    lines = (folder / "企业信息.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    told = {line.split()[0]: line.split()[-2:] for line in lines if line.strip()}
    sold, bought = _sales(folder), _purchases(folder)
    rows = [_firm(sold[name], bought[name]) for name in told]
    columns: Columns = {key: [row[key] for row in rows] for key in rows[0]}
    return Firms(list(told), [each[0] for each in told.values()], [each[1] == "是" for each in told.values()], columns)


def _sales(folder: Path) -> Mapping[str, list[tuple[float, bool]]]:
    """Firm -> (net amount, valid) of each sales invoice."""
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    sheet = CalamineWorkbook.from_path(str(folder / "p1_outdata.xlsx")).get_sheet_by_index(0)
    for number, amount, _tax, state in sheet.to_python()[1:]:
        found[f"E{int(number)}"].append((float(amount), state == 1))  # type: ignore[arg-type]
    return found


def _purchases(folder: Path) -> Mapping[str, list[tuple[float, bool, date, str]]]:
    """Firm -> (net amount, valid, day, supplier) of each purchase invoice."""
    found: dict[str, list[tuple[float, bool, date, str]]] = defaultdict(list)
    with gzip.open(folder / "进项发票信息_123家.csv.gz", "rt", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            day = date(*map(int, row["开票日期"].split()[0].replace("/", "-").split("-")))
            valid = row["发票状态"] == "有效发票"
            found[row["企业代号"]].append((float(row["金额"]), valid, day, row["销方单位代号"]))
    return found


def _firm(sold: list[tuple[float, bool]], bought: list[tuple[float, bool, date, str]]) -> dict[str, float | None]:
    """What a firm's invoices say; amounts are net of tax."""
    sales = [amount for amount, valid in sold if valid]
    costs = [amount for amount, valid, _day, _supplier in bought if valid]
    days = [day for _amount, valid, day, _supplier in bought if valid]
    suppliers = Counter[str]()
    for amount, valid, _day, supplier in bought:
        suppliers[supplier] += int(amount) if valid and amount > 0 else 0
    turnover = sum(sales)
    return {
        "turnover": turnover,
        "sales_invoices": float(len(sales)),
        "sales_void": 1 - len(sales) / len(sold) if sold else None,
        "sales_returned": -sum(a for a in sales if a < 0) / sum(a for a in sales if a > 0) if turnover > 0 else None,
        "purchases": sum(costs),
        "purchase_invoices": float(len(costs)),
        "purchases_void": 1 - len(costs) / len(bought) if bought else None,
        "margin": (turnover - sum(costs)) / turnover if turnover > 0 else None,
        "suppliers": float(len(suppliers)),
        "largest_supplier": max(suppliers.values()) / sum(suppliers.values()) if sum(suppliers.values()) else None,
        "months": (TODAY - min(days)).days / 30.4 if days else None,
        "quiet_days": float((TODAY - max(days)).days) if days else None,
    }


def card_points(policy: Policy, rows: Iterable[Mapping[str, float | None]]) -> list[float]:
    """The points of the shipped card over facts; what is not among them is unknown to it."""
    found = []
    for row in rows:
        facts = {key: Fact(key, Decimal(repr(value)), TODAY) for key, value in row.items() if value is not None}
        found.append(float(score(policy, facts, TODAY).points))
    return found


def firms_evidence(folder: Path) -> dict[str, Any]:
    """Agreement of card and fitted table with the bank's grades; the fitted one never saw the firm it grades."""
    firms = small_firms(folder)
    whose = list(range(len(firms.names)))
    known = [
        {"net_margin": margin, "months_as_customer": months}
        for margin, months in zip(firms.columns["margin"], firms.columns["months"], strict=True)
    ]
    points = card_points(shipped(), known)
    defaults = fitting.fit(firms.columns, firms.bad, whose)
    weak = fitting.fit(firms.columns, [grade in "CD" for grade in firms.grades], whose)
    by_card = as_full_as(firms.grades, [-each for each in points])
    by_points = [shipped().grade_for(Decimal(repr(each))).value for each in points]
    return {
        "firms": len(firms.names),
        "defaults": sum(firms.bad),
        "card_auc": fitting.auc([-each for each in points], firms.bad),
        "fitted": defaults.measures,
        "weak": weak.measures,
        "told": [each.name for each in weak.characteristics],
        "card_as_it_is": Agreement.of(firms.grades, by_points),
        "card_by_rank": Agreement.of(firms.grades, by_card),
        "fitted_by_rank": Agreement.of(firms.grades, as_full_as(firms.grades, weak.out_of_sample)),
        "bank_auc": fitting.auc([float(GRADES.index(grade)) for grade in firms.grades], firms.bad),
    }


# --- bankruptcies --------------------------------------------------------------------------------

CARD_READS = {"debt_to_assets": "Attr2", "current_ratio": "Attr4", "net_margin": "Attr23"}
Z2_READS = ("Attr3", "Attr6", "Attr7", "Attr8", "Attr9")


def bankruptcies(folder: Path, *, most: int | None = None) -> tuple[Columns, list[bool]]:
    """The third-year set: 64 ratios of 10,503 firms, and which went bankrupt within three years; `most`: the first."""
    rows: list[dict[str, str]] = []
    for name in ("3year_split70_train.csv", "3year_split30_test.csv"):
        with (folder / name).open(encoding="utf-8-sig") as file:
            rows += list(csv.DictReader(file))
    rows = rows[:most]
    columns: Columns = {key: [_number(row[key]) for row in rows] for key in rows[0] if key != "class"}
    return columns, [float(row["class"].strip("b' ")) == 1 for row in rows]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None


def bankruptcy_evidence(folder: Path, *, most: int | None = None) -> dict[str, Any]:
    """How a fitted table, the shipped card with its three ratios, and Altman's Z2 rank the bankrupt."""
    columns, bad = bankruptcies(folder, most=most)
    fitted = fitting.fit(columns, bad, list(range(len(bad))))
    rows = [{fact: columns[name][place] for fact, name in CARD_READS.items()} for place in range(len(bad))]
    z2 = [_z2([columns[name][place] for name in Z2_READS]) for place in range(len(bad))]
    known = [place for place, value in enumerate(z2) if value is not None]
    return {
        "firms": len(bad),
        "bankrupt": sum(bad),
        "fitted": fitted.measures,
        "told": [each.name for each in fitted.characteristics],
        "card_auc": fitting.auc([-each for each in card_points(shipped(), rows)], bad),
        "z2_auc": fitting.auc([-float(z2[place] or 0) for place in known], [bad[place] for place in known]),
        "z2_known": len(known),
    }


def _z2(ratios: Sequence[float | None]) -> float | None:
    if any(each is None for each in ratios):
        return None
    return sum(float(weight) * each for weight, each in zip(Z2_WEIGHTS, ratios, strict=True) if each is not None)


# --- printed -------------------------------------------------------------------------------------


def _print_agreement(title: str, found: Agreement) -> None:
    print(f"\n{title}: exact {found.exact:.1%}, weighted kappa {found.kappa:.2f}\n")
    print("| bank \\ card | A | B | C | D |\n|---|---|---|---|---|")
    for theirs in GRADES:
        print(f"| {theirs} | " + " | ".join(str(found.crosswise.get((theirs, ours), 0)) for ours in GRADES) + " |")


def main(folder: Path) -> None:
    """Print everything."""
    firms = firms_evidence(folder / "cn_cumcm2020c_sme_credit")
    print(f"{firms['firms']} firms, {firms['defaults']} defaults; AUC of the bank's grades {firms['bank_auc']:.3f}, "
          f"of the shipped card {firms['card_auc']:.3f}")  # fmt: skip
    print("fitted to default:", firms["fitted"])
    print("fitted to C or D:", firms["weak"], firms["told"])
    for name in ("card_as_it_is", "card_by_rank", "fitted_by_rank"):
        _print_agreement(name, firms[name])
    polish = bankruptcy_evidence(folder / "bk_polish")
    print("\n", polish)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
