"""What the law asks of an entry of the sharing register and of an impact assessment (PIPL art. 21, 23, 55, 56)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shouxin.rules import privacy
from shouxin.rules.policy import PersonalData
from shouxin.rules.privacy import AssessmentTerms, Finding, InForce, SharingTerms

pytestmark = pytest.mark.clause("A13")
TODAY = date(2026, 11, 24)
KNOWN = {"customers.Customer.name", "customers.Customer.telephone"}
BUREAU = SharingTerms(
    recipient="百行征信", kind="credit_bureau", contact="400-000-0000", purpose="query of credit records",
    role="provided", persons=("customer",), fields=("customers.Customer.name",), manner="interface", basis="consent",
    consent="on the application form", since=TODAY,
)  # fmt: skip
GRADING = AssessmentTerms(
    title="Grading", occasions=("automated",), processing="p", necessity="n", impact="i", risk="medium", measures="m",
    fits=True, conclusion="go", opinion="o", assessed_on=TODAY,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        pytest.param({}, None, id="with separate consent"),
        pytest.param({"basis": "13-3", "consent": ""}, None, id="a statutory duty needs no consent"),
        pytest.param({"basis": "13-6", "consent": ""}, None, id="lawfully public data need none"),
        pytest.param({"basis": "13-2"}, ("basis", "consent_needed"), id="a contract is no ground for giving on"),
        pytest.param({"consent": " "}, ("consent", "consent_how"), id="consent nobody can show"),
        pytest.param(
            {"role": "entrusted", "basis": "13-2"}, ("agreement", "agreement_needed"), id="entrusted without agreement"
        ),
        pytest.param({"role": "entrusted", "basis": "13-2", "agreement": "HT-1"}, None, id="entrusted by agreement"),
        pytest.param({"until": TODAY}, None, id="one day"),
        pytest.param({"until": TODAY - timedelta(1)}, ("until", "before_since"), id="ends a day before it begins"),
        pytest.param({"purpose": " "}, ("purpose", "empty"), id="no purpose"),
        pytest.param({"contact": ""}, ("contact", "empty"), id="no contact"),
        pytest.param({"persons": ()}, ("persons", "none"), id="of nobody"),
        pytest.param({"fields": ()}, ("fields", "none"), id="nothing"),
        pytest.param({"fields": ("x.Y.z",)}, ("fields", "unknown:x.Y.z"), id="not in the catalogue"),
    ],
)
def test_what_an_entry_lacks(changed: dict[str, Any], fault: tuple[str, str] | None) -> None:
    found = list(privacy.faults_of_sharing(replace(BUREAU, **changed), known=KNOWN))
    assert found == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        pytest.param({}, None, id="whole"),
        pytest.param({"occasions": ()}, ("occasions", "none"), id="no occasion"),
        pytest.param({"covers": (1,)}, ("occasions", "sharing_named"), id="covers sharing and does not say so"),
        pytest.param({"fits": False}, ("conclusion", "measures_lacking"), id="goes on without fitting measures"),
        pytest.param({"fits": False, "conclusion": "go_with"}, None, id="goes on once they are in place"),
        pytest.param({"fits": False, "conclusion": "stop"}, None, id="stops"),
        pytest.param({"assessed_on": TODAY + timedelta(1)}, ("assessed_on", "to_come"), id="assessed tomorrow"),
        pytest.param({"next_review_on": TODAY}, ("next_review_on", "before_assessed"), id="looked at the same day"),
        pytest.param({"measures": "\n"}, ("measures", "empty"), id="no measures"),
    ],
)
def test_what_an_assessment_lacks(changed: dict[str, Any], fault: tuple[str, str] | None) -> None:
    found = list(privacy.faults_of_assessment(replace(GRADING, **changed), today=TODAY))
    assert found == ([fault] if fault else [])


def test_the_law_asks_for_three_years_at_least() -> None:
    assert privacy.kept_until(TODAY, PersonalData()) == date(2029, 11, 24)
    with pytest.raises(ValueError, match="assessment_keep_years"):
        PersonalData(assessment_keep_years=2)
    assert privacy.next_review(TODAY, PersonalData()) == date(2027, 11, 24)


def paper(number: int, *covers: int, occasions: str = "sharing", conclusion: Any = "go", days: int = 100) -> InForce:
    return InForce(number, frozenset(occasions.split()), frozenset(covers), conclusion, TODAY + timedelta(days))


def found(*sharings: int, papers: tuple[InForce, ...] = (), grades: bool = False) -> list[Finding]:
    return privacy.findings(sharings, papers, past={}, grades_persons=grades, today=TODAY, notice_days=30)


def test_nothing_shared_nothing_graded_nothing_to_do() -> None:
    assert found() == []


def test_each_running_entry_is_covered_by_an_assessment_in_force() -> None:
    assert found(1, 2, papers=(paper(9, 2),)) == [Finding("sharing_unassessed", 1)]
    assert found(2, papers=(paper(9, 1, 2),)) == []


def test_an_entry_past_its_last_day_is_told_until_somebody_ends_it() -> None:
    over = {7: TODAY - timedelta(1)}
    assert privacy.findings([], [], past=over, grades_persons=True, today=TODAY, notice_days=30) == [
        Finding("grading_unassessed"), Finding("sharing_past", 7, TODAY - timedelta(1)),
    ]  # fmt: skip


def test_grading_persons_asks_for_an_assessment_of_automated_decisions() -> None:
    assert found(grades=True, papers=(paper(9, 1),)) == [Finding("grading_unassessed")]
    assert found(grades=True, papers=(paper(9, occasions="sensitive automated"),)) == []


def test_a_conclusion_that_says_stop_covers_nothing() -> None:
    assert found(1, papers=(paper(9, 1, conclusion="stop"),)) == [Finding("must_stop", 1)]
    assert found(papers=(paper(9, 1, conclusion="stop"),)) == [], "the entry has ended"
    assert found(1, papers=(paper(8, 1), paper(9, 1, conclusion="stop"))) == [], "another one lets it go on"
    assert found(grades=True, papers=(paper(9, occasions="automated", conclusion="stop"),)) == [
        Finding("grading_unassessed")
    ]


@pytest.mark.parametrize(
    ("days", "code"),
    [(-1, "review_overdue"), (0, "review_due"), (30, "review_due"), (31, None)],
    ids=["a day late", "the day", "the first day of notice", "a day before notice"],
)
def test_when_it_is_looked_at_again(days: int, code: str | None) -> None:
    assert [each.code for each in found(papers=(paper(9, days=days),))] == ([code] if code else [])
