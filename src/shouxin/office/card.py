"""Edits of the card: questions, vetoes and caps, grade bounds, limit methods, as changes of a policy's chapters (B2.1).

The chapters are those of `drafts.plain`, changed in place. A question is worth what its best answer earns and a group
what its questions are worth, so that nobody has to keep the two in step; that all make 100 is for the person to see.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .refusals import NotVisible

Chapters = dict[str, Any]
Row = dict[str, Any]


def put_question(chapters: Chapters, question: Row, *, group: str, group_text: Mapping[str, str] | None = None) -> None:
    """Write a question into a group, in its old place where it stood there; a new group comes with its text."""
    question["points_max"] = max(band["points"] for band in question["bands"])
    groups = chapters["scorecard"] = _without(chapters["scorecard"], question["key"], keep=group)
    found = next((each for each in groups if each["key"] == group), None)
    if found is None:
        found = {"key": group, "text": dict(group_text or {}), "weight": Decimal(0), "questions": []}
        groups.append(found)
    _put(found["questions"], question)
    _weigh(groups)


def drop_question(chapters: Chapters, key: str) -> None:
    """Take a question off the card; a group goes with its last question."""
    chapters["scorecard"] = _without(chapters["scorecard"], key)
    _weigh(chapters["scorecard"])


def _without(groups: Sequence[Row], key: str, *, keep: str = "") -> list[Row]:
    """The groups with the question gone from all but the one it is written into, where it keeps its place."""
    return [
        each if each["key"] == keep else each | {"questions": [q for q in each["questions"] if q["key"] != key]}
        for each in _copied(groups)
        if each["key"] == keep or any(q["key"] != key for q in each["questions"])
    ]


def _copied(groups: Sequence[Row]) -> Iterator[Row]:
    for each in groups:
        yield each | {"questions": list(each["questions"])}


def _weigh(groups: Sequence[Row]) -> None:
    for group in groups:
        group["weight"] = sum((question["points_max"] for question in group["questions"]), Decimal(0))


def _put(rows: list[Row], row: Row) -> None:
    """In the place of the row with the same key, or at the end."""
    place = next((number for number, each in enumerate(rows) if each["key"] == row["key"]), len(rows))
    rows[place : place + 1] = [row]


def put_trigger(chapters: Chapters, trigger: Row) -> None:
    """Write a veto or cap, in its old place or at the end."""
    chapters["triggers"] = list(chapters["triggers"])
    _put(chapters["triggers"], trigger)


def drop_trigger(chapters: Chapters, key: str) -> None:
    """Take a veto or cap away."""
    chapters["triggers"] = [each for each in chapters["triggers"] if each["key"] != key]


def put_grade_bounds(chapters: Chapters, bounds: Mapping[str, Decimal]) -> None:
    """From how many points each grade begins; D begins at 0."""
    for grade, terms in chapters["grades"].items():
        if str(grade) in bounds:
            terms["score_min"] = bounds[str(grade)]


def put_limits(chapters: Chapters, limits: Row, features: Row) -> None:
    """Change settings of the limit methods and of feature analysis; what is not named stays."""
    chapters["limits"] = chapters["limits"] | limits
    chapters["features"] = chapters.get("features", {}) | features


def put_item(chapters: Chapters, item: Row) -> None:
    """Write a line of the net-worth card, in its old place or at the end."""
    items = list(chapters["limits"].get("net_worth_card", ()))
    _put(items, item)
    chapters["limits"] = chapters["limits"] | {"net_worth_card": items}


def drop_item(chapters: Chapters, key: str) -> None:
    """Take a line off the net-worth card."""
    kept = [each for each in chapters["limits"].get("net_worth_card", ()) if each["key"] != key]
    chapters["limits"] = chapters["limits"] | {"net_worth_card": kept}


def item(chapters: Chapters, key: str) -> Row:
    """The line of the net-worth card; raises NotVisible."""
    return _found(chapters["limits"].get("net_worth_card", ()), key)


def question(chapters: Chapters, key: str) -> tuple[str, Row]:
    """(group, the question); raises NotVisible where the card has none of this key."""
    for group in chapters["scorecard"]:
        for each in group["questions"]:
            if each["key"] == key:
                return group["key"], each
    raise NotVisible


def trigger(chapters: Chapters, key: str) -> Row:
    """The veto or cap; raises NotVisible."""
    return _found(chapters["triggers"], key)


def _found(rows: Sequence[Row], key: str) -> Row:
    found = next((each for each in rows if each["key"] == key), None)
    if found is None:
        raise NotVisible
    return found


def free_key(chapters: Chapters, wanted: str) -> str:
    """A key no question, group, trigger or net-worth line has yet: the wanted one, or with a number behind it."""
    taken = {each["key"] for each in (*chapters["triggers"], *chapters["limits"].get("net_worth_card", ()))}
    for group in chapters["scorecard"]:
        taken |= {group["key"], *(each["key"] for each in group["questions"])}
    number, key = 2, wanted
    while key in taken:
        key, number = f"{wanted}_{number}", number + 1
    return key
