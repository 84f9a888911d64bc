"""The blacklist with due process: a proposal with its ground, another person's signature, notice, appeal, re-admission.

Nothing here ends by itself: the day by which a listing is looked at again brings it onto the desk, and only two people
take it away (I-20).
"""

from datetime import date, timedelta

from .days import add_months
from .flow import Flow, flow, step
from .policy import Post

OFFICER, MANAGER = Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER
VICE, LEGAL = Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE
HEADS = (MANAGER, VICE, LEGAL)
PROPOSERS = (Post.SALES, Post.FINANCE, OFFICER, *HEADS)

FLOW: Flow = flow(
    "blacklist case",
    "proposed",
    [
        step("stop", "proposed", "stopped", *HEADS),
        step("approve", "proposed stopped", "listed", *HEADS),
        step("decline", "proposed stopped", "declined", *HEADS),
        step("withdraw", "proposed stopped", "withdrawn", *PROPOSERS),
        step("appeal", "listed", "appealed", *PROPOSERS),
        step("uphold", "appealed", "upheld", *HEADS),
        step("allow", "appealed", "leaving", *HEADS),
        step("extend", "listed upheld", "upheld", *HEADS),
        step("readmit", "listed upheld", "leaving", *HEADS),
        step("lift", "leaving", "lifted", *HEADS),
        step("keep", "leaving", "upheld", *HEADS),
    ],
    rests=False,
)
"""`stop`: the customer is suspended at once, while the proposal runs. `appeal`: somebody of the house takes down what
the customer objects. `allow` and `readmit` propose to lift the listing; a second person's word is `lift` or `keep`."""

BITES = ("listed", "appealed", "upheld", "leaving")
"""Statuses in which the customer, its group and the persons named are on the blacklist; an appeal suspends nothing."""
WAITING = ("proposed", "stopped")
OVER = ("declined", "withdrawn", "lifted")
NEVER_WHO = {
    "stop": (),
    "approve": ("proposer", "salesperson"),
    "decline": ("proposer",),
    "appeal": (),
    "uphold": ("proposer", "approver", "salesperson"),
    "allow": ("proposer", "approver", "salesperson"),
    "extend": (),
    "readmit": ("salesperson",),
}
"""Who never takes the step, whatever her post: nobody judges her own proposal, and somebody else hears the appeal."""


def barred(verb: str, *, by: int, proposer: int, approver: int | None, salesperson: int | None) -> tuple[str, ...]:
    """Every role of hers in the case that keeps this person from the step; only the proposer withdraws."""
    roles = {"proposer": proposer, "approver": approver, "salesperson": salesperson}
    if verb == "withdraw":
        return () if by == proposer else ("not_proposer",)
    return tuple(role for role in NEVER_WHO.get(verb, ()) if roles[role] == by)


def objections_until(noticed_on: date, days: int) -> date:
    """The last day on which the customer can object; the day of the notice does not count."""
    return noticed_on + timedelta(days=days)


def review_on(listed_on: date, months: int) -> date:
    """The day by which a listing is looked at again."""
    return add_months(listed_on, months)
