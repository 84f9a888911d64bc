"""Groups of companies as a tree of ties: who stands above whom, which ties bind, who heads whom (I-6).

A tie binds where the parent can make the child pay or not pay: a branch, a contract of control, or a share in the
capital from the policy's percent on. What does not bind is shown in the tree and shares neither pool nor blacklisting.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["subsidiary", "branch", "controlled", "affiliate"]
KINDS: tuple[Kind, ...] = ("subsidiary", "branch", "controlled", "affiliate")
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Tie:
    """A customer hangs beneath a parent. `percent`: the share of its capital the parent holds, None: not known."""

    child: int
    parent: int
    kind: str
    percent: Decimal | None = None


@dataclass(frozen=True)
class Node:
    """One member of a drawn tree. `depth` counts from the top, `share` is the top's share through the whole chain."""

    customer: int
    tie: Tie | None
    depth: int
    bound: bool
    share: Decimal | None


def binds(tie: Tie, percent_min: Decimal) -> bool:
    """Whether the child shares pool and blacklisting with the parent."""
    if tie.kind in ("branch", "controlled"):
        return True
    return tie.kind == "subsidiary" and (tie.percent is None or tie.percent >= percent_min)


def above(customer: int, ties: Mapping[int, Tie]) -> Iterator[int]:
    """The parents of a customer, nearest first, along the ties given (child -> tie); ends where a ring would close."""
    seen = {customer}
    while (tie := ties.get(customer)) and tie.parent not in seen:
        customer = tie.parent
        seen.add(customer)
        yield customer


def closes_ring(child: int, parent: int, ties: Mapping[int, Tie]) -> bool:
    """Whether hanging the child beneath the parent would make a company its own parent."""
    return child == parent or child in above(parent, ties)


def parents(ties: Iterable[Tie], percent_min: Decimal) -> dict[int, tuple[int, ...]]:
    """Child -> the parents that bind it, nearest first; the last of them heads the group."""
    binding = {tie.child: tie for tie in ties if binds(tie, percent_min)}
    return {child: tuple(above(child, binding)) for child in binding}


def tree(top: int, ties: Iterable[Tie], percent_min: Decimal) -> list[Node]:
    """Everybody beneath the top in the order of drawing: each followed by its own children, in the order of ids."""
    beneath: dict[int, list[Tie]] = {}
    for tie in sorted(ties, key=lambda each: each.child):
        beneath.setdefault(tie.parent, []).append(tie)
    found: list[Node] = []
    waiting = [Node(top, None, 0, True, HUNDRED)]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node.customer in seen:
            continue
        seen.add(node.customer)
        found.append(node)
        waiting += [_child(node, tie, percent_min) for tie in reversed(beneath.get(node.customer, []))]
    return found


def _child(above_it: Node, tie: Tie, percent_min: Decimal) -> Node:
    whole = HUNDRED if tie.kind == "branch" else tie.percent
    share = None if whole is None or above_it.share is None else above_it.share * whole / HUNDRED
    return Node(tie.child, tie, above_it.depth + 1, above_it.bound and binds(tie, percent_min), share)
