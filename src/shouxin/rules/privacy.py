"""Personal data that leave the house, and what is thought through beforehand (PIPL art. 21, 23, 55, 56).

Two papers: an entry of the sharing register says to whom outside the company which data of whom are given; a
protection impact assessment says why a kind of processing is lawful, needed and guarded well enough.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from .days import add_months
from .flow import Flow, flow, step
from .policy import PersonalData, Post

HEADS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
KEEPERS = (Post.CREDIT_ADMINISTRATOR, *HEADS)
READERS = (*KEEPERS, Post.AUDITOR)

SHARING: Flow = flow(
    "sharing register",
    "running",
    [
        step("correct_sharing", "running", "running", *KEEPERS),
        step("end_sharing", "running", "ended", *KEEPERS),
    ],
)
ASSESSMENT: Flow = flow(
    "impact assessment",
    "written",
    [
        step("review_assessment", "written", "in_force", *HEADS),
        step("send_back_assessment", "written", "returned", *HEADS),
        step("replace_assessment", "written returned in_force", "replaced", *KEEPERS),
        step("close_assessment", "in_force", "closed", *KEEPERS),
        step("dispose_assessment", "returned replaced closed", "disposed", *HEADS),
    ],
)
"""A version replaces the one before it: at once where that was never in force, else when a second person has reviewed
the new one."""

Role = Literal["entrusted", "provided"]
Conclusion = Literal["go", "go_with", "stop"]
NO_CONSENT = frozenset({"13-3", "13-6"})
"""Grounds on which data may be provided to others without the person's consent: a statutory duty, lawfully public."""
TEXTS_OF_SHARING = ("recipient", "contact", "purpose")
TEXTS_OF_ASSESSMENT = ("title", "processing", "necessity", "impact", "measures", "opinion")


@dataclass(frozen=True)
class SharingTerms:
    """To whom what is given. `role`: `entrusted`, who processes for us alone (art. 21), or `provided`, who decides
    herself what the data are for (art. 23). `fields`: paths of the catalogue. `until` None: no end agreed."""

    recipient: str
    kind: str
    contact: str
    purpose: str
    role: Role
    persons: tuple[str, ...]
    fields: tuple[str, ...]
    manner: str
    basis: str
    since: date
    consent: str = ""
    agreement: str = ""
    until: date | None = None


def faults_of_sharing(terms: SharingTerms, *, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """(field, code) for everything the law asks of such an entry and it lacks; `known`: the fields of the catalogue."""
    yield from ((name, "empty") for name in TEXTS_OF_SHARING if not getattr(terms, name).strip())
    yield from ((name, "none") for name in ("persons", "fields") if not getattr(terms, name))
    if unknown := [each for each in terms.fields if each not in known]:
        yield "fields", f"unknown:{unknown[0]}"
    if terms.role == "provided" and terms.basis not in NO_CONSENT | {"consent"}:
        yield "basis", "consent_needed"
    if terms.basis == "consent" and not terms.consent.strip():
        yield "consent", "consent_how"
    if terms.role == "entrusted" and not terms.agreement.strip():
        yield "agreement", "agreement_needed"
    if terms.until is not None and terms.until < terms.since:
        yield "until", "before_since"


@dataclass(frozen=True)
class AssessmentTerms:
    """What was thought through (art. 56). `occasions`: why art. 55 asks for it. `covers`: ids of the sharing register.

    `fits`: the measures are lawful, effective and match the risk. `opinion`: the conclusion in words.
    """

    title: str
    occasions: tuple[str, ...]
    processing: str
    necessity: str
    impact: str
    risk: Literal["low", "medium", "high"]
    measures: str
    fits: bool
    conclusion: Conclusion
    opinion: str
    assessed_on: date
    covers: tuple[int, ...] = ()
    next_review_on: date | None = None


def faults_of_assessment(terms: AssessmentTerms, *, today: date) -> Iterator[tuple[str, str]]:
    """(field, code) for what art. 56 asks of an assessment and it lacks, or what contradicts itself."""
    yield from ((name, "empty") for name in TEXTS_OF_ASSESSMENT if not getattr(terms, name).strip())
    if not terms.occasions:
        yield "occasions", "none"
    if terms.covers and "sharing" not in terms.occasions:
        yield "occasions", "sharing_named"
    if not terms.fits and terms.conclusion == "go":
        yield "conclusion", "measures_lacking"
    if terms.assessed_on > today:
        yield "assessed_on", "to_come"
    if terms.next_review_on is not None and terms.next_review_on <= terms.assessed_on:
        yield "next_review_on", "before_assessed"


def next_review(assessed_on: date, guard: PersonalData) -> date:
    """The day by which an assessment is looked at again, where nobody names an earlier or later one."""
    return add_months(assessed_on, guard.assessment_months)


def kept_until(ended_on: date, guard: PersonalData) -> date:
    """The day until which an assessment must be kept after it was in force last (art. 56: at least three years)."""
    return add_months(ended_on, 12 * guard.assessment_keep_years)


@dataclass(frozen=True)
class InForce:
    """An assessment in force, as far as it covers something."""

    number: int
    occasions: frozenset[str]
    covers: frozenset[int]
    conclusion: Conclusion
    next_review_on: date


@dataclass(frozen=True)
class Finding:
    """Something to be done. `about`: an entry of the register or an assessment, 0 for the grading. `day`: by when."""

    code: Literal[
        "must_stop",
        "sharing_unassessed",
        "grading_unassessed",
        "sharing_past",
        "review_overdue",
        "sharing_ends",
        "review_due",
    ]
    about: int = 0
    day: date | None = None


def findings(
    sharings: Collection[int], assessments: Iterable[InForce], *, past: Mapping[int, date],
    ending: Mapping[int, date] = {}, grades_persons: bool, today: date, notice_days: int,
) -> list[Finding]:  # fmt: skip
    """What art. 55 and 56 leave to be done, the gravest first.

    `sharings`: entries of the register that run. `past`: entries whose last day, told with each, is over and which
    nobody has ended; `ending`: those whose last day, told with each, is today or to come. `grades_persons`: a program
    grades natural persons (art. 24).
    """
    found = sorted(assessments, key=lambda each: (each.next_review_on, each.number))
    allowed = [each for each in found if each.conclusion != "stop"]
    covered = frozenset[int]().union(*(each.covers for each in allowed))
    stopped = frozenset[int]().union(*(each.covers for each in found)) - covered
    told = [Finding("must_stop", number) for number in sorted(stopped & set(sharings))]
    told += [Finding("sharing_unassessed", number) for number in sorted(set(sharings) - covered - stopped)]
    if grades_persons and not any("automated" in each.occasions for each in allowed):
        told.append(Finding("grading_unassessed"))
    told += [Finding("sharing_past", number, day) for number, day in sorted(past.items())]
    overdue = [each for each in found if each.next_review_on < today]
    soon = today + timedelta(days=notice_days)
    ends = [(number, day) for number, day in sorted(ending.items()) if day <= soon]
    due = [each for each in found if today <= each.next_review_on <= soon]
    told += [Finding("review_overdue", each.number, each.next_review_on) for each in overdue]
    told += [Finding("sharing_ends", number, day) for number, day in ends]
    return told + [Finding("review_due", each.number, each.next_review_on) for each in due]
