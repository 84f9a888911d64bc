"""The grade a program gave a natural person bites once somebody has looked at it (B2.1, PIPL art. 24)."""

from .flow import flow, step
from .policy import Post

CONFIRMERS = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)

FLOW = flow(
    "grade-review",
    "proposed",
    (
        step("confirm_grade", "proposed", "confirmed", *CONFIRMERS),
        step("supersede", "proposed", "superseded"),
    ),
)
"""`confirm_grade` takes the proposed grade or another one; `supersede`: the customer was rated again."""


def why_not(*, by: int, rated_by: int | None, salesperson: int | None) -> str:
    """Why this person may not confirm, as a code, "" when she may: four eyes, and never one's own customer."""
    if by == rated_by:
        return "own_rating"
    return "own_customer" if by == salesperson else ""
