"""The page that tells the order check: its table is recomputed, and no reason code is forgotten."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from shouxin.rules.line import Limit
from shouxin.rules.policy import REASON_CODES
from tests.rules.test_order_check import GOOD, decide

DOCS = Path(__file__).parents[2] / "docs"
ANSWERS = {"approve": "approve", "通过": "approve", "hold": "hold", "冻结": "hold"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_worked_table_is_what_the_rule_says(language: str) -> None:
    text = (DOCS / language / "policy-order-check.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d,.]+) \| ([\d,.]+) \| ([\d,.]+) \| ([\d,.]+) \| ([\d,.]+) \| (\w+)", text, re.M)
    assert len(rows) == 3
    for *numbers, answer in rows:
        limit, temporary, exposure, amount, after = (Decimal(number.replace(",", "")) for number in numbers)
        facts = replace(GOOD, limit=Limit.of(limit), temporary=temporary, exposure=exposure)
        assert exposure + amount == after
        assert decide(str(amount), facts).outcome == ANSWERS[answer]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_code_has_its_row_in_order(language: str) -> None:
    text = (DOCS / language / "policy-order-check.md").read_text("utf-8")
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.M)) == REASON_CODES
