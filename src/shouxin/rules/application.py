"""From application to reply (clause B2.3, domain 4.1 to 4.5): table, opinions in order, what lacks, clock, the most
that may be granted. Nothing here decides by itself; it says who is next and what stands in the way.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from .days import ONE_DAY, Calendar
from .flow import Flow, flow, step
from .line import Limit
from .policy import Grade, Item, Policy, Post, RequestKind

APPLICANTS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
OFFICE = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
SIGNERS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
SPEAKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.FINANCE, *SIGNERS)

PENDING = "submitted accepted investigated assessed"
FLOW: Flow = flow(
    "application",
    "draft",
    (
        step("change", "draft", "draft", *APPLICANTS),
        step("change", "returned", "returned", *APPLICANTS),
        step("submit", "draft returned", "submitted", *APPLICANTS),
        step("accept", "submitted", "accepted", *OFFICE),
        step("investigate", "accepted investigated", "investigated", *OFFICE),
        step("assess", "investigated", "assessed", *OFFICE),
        step("confirm_grade", "assessed", "assessed", *OFFICE),
        step("opine", "assessed", "assessed", *SPEAKERS),
        step("delegate", "assessed", "assessed", *SPEAKERS),
        step("countersign", "assessed", "assessed", *SPEAKERS),
        step("approve", "assessed", "approved", *SIGNERS),
        step("decline", PENDING, "declined", *SIGNERS),
        step("return", PENDING, "returned", Post.CREDIT_ADMINISTRATOR, *SIGNERS),
        step("withdraw", f"draft returned {PENDING}", "withdrawn", *APPLICANTS),
    ),
)
OPEN = frozenset({"draft", "returned", *PENDING.split()})
"""Statuses in which an application still waits for somebody; one such per customer and kind of request."""

Verdict = Literal["agree", "conditional", "disagree"]


# --- joint opinions ------------------------------------------------------------------------------


def waiting_for(policy: Policy, signer: Post | None, given: Collection[Post], held: Collection[Post]) -> list[Post]:
    """The posts whose opinion is still wanted before `signer` may sign, in the policy's order.

    `signer` is the lowest post whose signature suffices (None: nobody's does, all are asked). `given`: posts that have
    spoken; `held`: posts somebody holds who can still speak, for a small company has no finance department to wait for.
    """
    order = policy.applications.opinions
    before = order[: order.index(signer)] if signer in order else order
    return [post for post in before if post in held and post not in given]


# --- what it lacks -------------------------------------------------------------------------------


def missing(policy: Policy, kind: RequestKind, present: Collection[str]) -> tuple[Item, ...]:
    """What the checklist of this kind of request wants and nobody has brought, in the list's order."""
    return tuple(item for item in policy.applications.checklist[kind] if item not in present)


def must_excuse(policy: Policy, verb: str, lacking: Collection[str], reason: str) -> bool:
    """Whether this step needs a written reason, because items are missing and the policy asks for them here."""
    return bool(lacking) and verb == policy.applications.complete_before and not reason.strip()


# --- the clock -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """The service level: from the day after it was handed in, so many working days. `left` below 0: so many late."""

    started_on: date
    due_on: date
    left: int
    late: bool


def clock(policy: Policy, kind: RequestKind, started_on: date, calendar: Calendar, today: date) -> Clock:
    """How the service level stands on a day. The day due is in time; the next day is late."""
    due_on = calendar.add_workdays(started_on, policy.applications.service_days[kind])
    return Clock(started_on, due_on, workdays_between(today, due_on, calendar), today > due_on)


def workdays_between(one: date, other: date, calendar: Calendar) -> int:
    """Working days after the first day up to and including the other; negative the other way round."""
    if other < one:
        return -workdays_between(other, one, calendar)
    count, day = 0, one
    while day < other:
        day += ONE_DAY
        count += calendar.is_workday(day)
    return count


# --- what may be granted -------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What an application asks for; amounts in the line's currency. `until`: the last day of a temporary limit."""

    kind: RequestKind
    limit: Decimal
    term_days: int
    until: date | None = None


@dataclass(frozen=True)
class Granted:
    """What the signer means to grant, and the customer's whole limit that follows from it, in both currencies.

    `total` is in the company's currency, as caps are. `grade`: the one the assessment froze.
    """

    limit: Limit
    term_days: int
    grade: Grade
    total: Decimal
    until: date | None = None


def faults(policy: Policy, asked: Asked, granted: Granted) -> Iterator[str]:
    """Why this may not be granted, as codes: more than asked, longer than asked, over the grade's or the common cap.

    `more_than_asked`, `longer_than_asked`, `later_than_asked`, `over_grade_cap`, `over_concentration`. What holds for
    every line whoever asked for it (the grade's longest term, no credit under D) is the line request's to refuse.
    """
    amount = granted.limit.bound
    if amount is None or amount > asked.limit:
        yield "more_than_asked"
    if granted.term_days > asked.term_days:
        yield "longer_than_asked"
    if asked.until and (granted.until is None or granted.until > asked.until):
        yield "later_than_asked"
    terms = policy.grades[granted.grade]
    # To lower a line takes risk away: it is never held up because what is left still exceeds a cap.
    if asked.kind != "lower" and granted.limit.gives_credit:
        if terms.limit_max is not None and granted.total > terms.limit_max:
            yield "over_grade_cap"
        if policy.limits.concentration_max is not None and granted.total > policy.limits.concentration_max:
            yield "over_concentration"
