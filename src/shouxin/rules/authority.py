"""Who may sign up to how much, and who may never sign (clause C2, domain 4.3; I-14, I-15).

Authority is measured against the customer's total limit as it would stand after the approval, with what was asked
for in the days before added, so that a large request cannot be cut into small ones.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from .line import Limit, allows
from .policy import Grade, Policy, Post, RequestKind

Holds = Mapping[Post, Decimal | None]
"""A signer's posts, each with her own amount: None leaves the post's."""


@dataclass(frozen=True)
class RequestedLine:
    """A line somebody asks for. `over_suggestion`: its limit or term goes beyond what the rules suggest."""

    limit: Limit
    grade: Grade
    kind: RequestKind
    over_suggestion: bool = False


@dataclass(frozen=True)
class Needs:
    """What it takes to sign: the lowest post that suffices, every post that does, and the total to be measured against.

    `post` is None when nobody has authority enough; `posts` is then empty. `why` holds all codes that decided:
    `amount`, `unlimited`, `grade_d`, `over_suggestion`, `exception`; `nobody` when no post suffices.
    """

    post: Post | None
    posts: tuple[Post, ...]
    amount: Limit
    why: tuple[str, ...]


def who_may(policy: Policy, request: RequestedLine, resulting_total: Limit, split_sum: Decimal = Decimal(0)) -> Needs:
    """The lowest post that may sign a request, with all above it.

    `resulting_total` is the customer's (or its group's) limit after approval, temporary lines included. `split_sum` is
    what other requests within the policy's `split_days` ask for beyond what that total already contains.
    Raises ValueError for a request or total that is unset: what is not said cannot be signed.
    """
    if "unset" in (request.limit.kind, resulting_total.kind):
        raise ValueError("authority is asked for a limit that is not set")
    amount = _with_splits(resulting_total, split_sum)
    special = dict(_special_posts(policy, request, amount))
    posts = [post for post in _posts_up_to(policy, amount) if _reaches_all(policy, post, special.values())]
    why = ("amount", *special) if posts else ("nobody", *special)
    return Needs(posts[0] if posts else None, tuple(posts), amount, why)


def kind_beside(asked: Decimal, held: Decimal) -> RequestKind:
    """What asking for a limit is beside the one held; both as far as they reach, in one currency."""
    return "raise" if asked > held else "lower" if asked < held else "renewal"


def weightiest(kinds: Iterable[RequestKind]) -> RequestKind:
    """Of the things a request is beside several lines, the one that may take the higher signature."""
    return min(kinds, key=("new", "raise", "renewal", "lower").index)


def at_least(policy: Policy, needs: Needs, post: Post) -> Needs:
    """The same needs where the policy also reserves the case to a post: it, or one above it, has to sign."""
    posts = tuple(each for each in needs.posts if _reaches_all(policy, each, [post]))
    first = "amount" if posts else "nobody"
    return replace(needs, post=posts[0] if posts else None, posts=posts, why=(first, *needs.why[1:], "exception"))


def _with_splits(total: Limit, split_sum: Decimal) -> Limit:
    if total.kind == "unlimited":
        return total
    return Limit.of((total.bound or Decimal(0)) + split_sum)


def _special_posts(policy: Policy, request: RequestedLine, amount: Limit) -> Iterator[tuple[str, Post]]:
    """The cases that go to a certain post whatever the amount, as (code, post)."""
    if "unlimited" in (request.limit.kind, amount.kind):
        yield "unlimited", policy.approval.unlimited_by
    # To lower a customer to D without credit, or leave it there, gives no credit: it must not wait for the highest
    # post (B2.4, B2.5).
    if request.grade is Grade.D and (request.kind not in ("lower", "renewal") or request.limit.gives_credit):
        yield "grade_d", policy.approval.grade_d_by
    if request.over_suggestion:
        yield "over_suggestion", policy.approval.over_suggestion_by


def _posts_up_to(policy: Policy, amount: Limit) -> Iterator[Post]:
    """The posts whose authority holds the amount, lowest first; a post without bound holds every amount."""
    for row in policy.approval.authority:
        if allows_amount(row.amount_max, amount):
            yield row.post


def allows_amount(amount_max: Decimal | None, amount: Limit) -> bool:
    """Whether an authority holds a total: equal is within it. None is authority without bound."""
    if amount_max is None:
        return True
    return amount.kind != "unlimited" and allows(Limit.of(amount_max), amount.bound or Decimal(0))


def _reaches_all(policy: Policy, post: Post, others: Collection[Post]) -> bool:
    """Whether a post stands as high in the table as all the others; one that is not in the table is never reached."""
    ranks = [row.post for row in policy.approval.authority]
    return all(other in ranks and ranks.index(post) >= ranks.index(other) for other in others)


def may_approve(
    holds: Holds,
    needs: Needs,
    *,
    approver: Hashable,
    applicant: Hashable,
    editors: Collection[Hashable] = (),
    salesperson: Hashable | None = None,
) -> tuple[str, ...]:
    """Why this person may not sign, all reasons; empty when she may (I-14, I-15).

    `holds` are the approver's posts, each with her own amount: None leaves the post's, a number narrows it and never
    widens it. People are whatever identifies them, the same everywhere. Codes: `own_application`, `own_edit`,
    `own_customer`, `no_post` (none of her posts is high enough), `own_amount` (one is, her own amount is not).
    """
    return (*_barred(approver, applicant, editors, salesperson), *_short(holds, needs))


def _barred(
    approver: Hashable, applicant: Hashable, editors: Collection[Hashable], salesperson: Hashable | None
) -> Iterator[str]:
    """Four eyes: who has a hand in the request, or lives from the customer's orders, does not sign."""
    if approver == applicant:
        yield "own_application"
    if approver in editors:
        yield "own_edit"
    if salesperson is not None and approver == salesperson:
        yield "own_customer"


def _short(holds: Holds, needs: Needs) -> Iterator[str]:
    """Whether she stands high enough, and whether her own amount lets her use it."""
    high_enough = [post for post in needs.posts if post in holds]
    if not high_enough:
        yield "no_post"
    elif not any(allows_amount(holds[post], needs.amount) for post in high_enough):
        yield "own_amount"
