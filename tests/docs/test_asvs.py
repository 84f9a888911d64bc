"""docs/asvs.csv: a verdict on every requirement of OWASP ASVS 5.0.0, level 1 and 2, and evidence that is there."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = list(csv.DictReader((ROOT / "docs" / "asvs.csv").open(encoding="utf-8")))
LEVEL_3 = {
    "V1.2.10", "V2.3.5", "V5.2.4", "V5.2.6", "V5.3.3", "V6.3.7", "V6.3.8", "V7.5.3", "V8.3.2", "V13.1.2", "V13.1.3",
    "V13.2.6", "V14.2.6", "V14.2.7", "V15.4.1", "V15.4.2", "V15.4.3", "V16.5.4",
}  # fmt: skip
"""The requirements of level 3 that are just what this product is for."""


def test_every_requirement_of_levels_one_and_two_has_a_row() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert Counter(row["level"] for row in ROWS) == {"1": 70, "2": 183, "3": len(LEVEL_3)}
    assert {row["id"] for row in ROWS if row["level"] == "3"} == LEVEL_3


def test_a_verdict_has_its_evidence_or_says_what_lacks() -> None:
    assert not [(row["id"], fault) for row in ROWS for fault in faults(row)]


def faults(row: dict[str, str]) -> Iterator[str]:
    path, _, test = row["evidence"].partition("::")
    if row["verdict"] not in ("met", "part", "not", "n/a"):
        yield "no verdict"
    if not (row["evidence"] if row["verdict"] == "met" else row["note"]):
        yield "no evidence" if row["verdict"] == "met" else "not said why"
    if path and not (ROOT / path).exists():
        yield f"{path} is not there"
    elif test and f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"):
        yield f"{test} is not there"
