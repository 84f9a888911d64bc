"""What a policy must hold to be usable at all: whoever breaks it is told where."""

from decimal import Decimal as D
from typing import Any

import pytest
from pydantic import ValidationError

from shouxin.rules.policy import FACTORS, ORIENTATIONS
from tests.book import book, changed

SETTINGS = book().model_dump(mode="json")
GRADES = SETTINGS["grades"]
SEVERITIES = SETTINGS["order_check"]["severity"]
EVEN = dict.fromkeys(FACTORS, "1")


def without(told: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != key}


@pytest.mark.clause("B2.4")
@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("grades", without(GRADES, "C"), "grades: A, B, C and D are needed"),
        ("grades", dict(sorted(GRADES.items(), reverse=True)), "in this order"),
        ("grades.B.score_min", GRADES["A"]["score_min"], "score_min must fall"),
        ("grades.D.score_min", 1, "grades.D.score_min: must be 0"),
        ("order_check.severity", {**SEVERITIES, "bad_weather": "hold"}, "bad_weather: no such reason code"),
        ("order_check.severity.no_line", "warn", "cannot be 'warn'"),
        ("order_check.severity", without(SEVERITIES, "no_line"), "missing no_line"),
        ("securities", {"shares": {"deposit": "1"}}, "securities.shares: missing"),
        ("applications", {"service_days": {"new": 10}}, "checklist and service_days"),
        ("features", {"weights": dict.fromkeys(ORIENTATIONS[1:], EVEN)}, "a weight for each"),
        ("features", {"weights": {each: dict.fromkeys(FACTORS, "0") for each in ORIENTATIONS}}, "more than 0"),
    ],
)
def test_a_book_that_does_not_hang_together_says_where(path: str, value: Any, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        changed({path: value})
    assert told in str(refused.value)


def test_what_is_not_said_of_securities_is_as_usual() -> None:
    assert changed({"securities": {}}).securities.shares == {
        "mortgage": D("0.6"), "pledge": D("0.7"), "joint_guarantee": D("0.5"), "general_guarantee": D("0.2"),
        "deposit": D(1), "bank_guarantee": D(1), "insurance": D("0.8"),
    }  # fmt: skip
