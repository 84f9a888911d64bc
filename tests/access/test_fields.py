"""Mass assignment (I-34): a field that is read-only or unknown is refused with 422, whoever sends it, never ignored."""

import pytest

from shouxin.config.api import api
from tests.people import CAST

from . import table
from .calls import API, answer, described
from .table import Row
from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-34")]
FORBIDDEN = {
    "id": 1, "pk": 1, "status": "approved", "version": 99, "approved_by": "cy", "requested_by": "di", "by": 1,
    "decided_by": "cy", "standing": "good", "is_superuser": True, "posts": ["credit-manager"], "amount": "1.00",
    "created_at": "2020-01-01", "policy_version": 1, "limit": "9999999.00", "zzz": None, "__class__": "x",
    "customer_id": 1, "at": "2020-01-01T00:00:00Z", "digest": "0", "available_before": "0.00", "outcome": "approve",
}  # fmt: skip
"""Fields that somebody may try to write along: those of answers and of tables."""

WRITES = [name for name in described() if not name.startswith("GET")]


def known_fields(name: str) -> set[str]:
    """The fields the description allows in the body; an upload's are its form fields."""
    method, _space, path = name.partition(" ")
    body = api.openapi["paths"][f"{API}{path}"][method.lower()].get("requestBody", {})
    known: set[str] = set()
    for each in body.get("content", {}).values():
        for part in [each["schema"], *each["schema"].get("anyOf", [])]:
            named = part.get("$ref", "").rpartition("/")[2]
            shape = api.openapi["components"]["schemas"][named] if named else part
            known |= set(shape.get("properties", {}))
    return known


def writer(row: Row) -> str:
    """Somebody whose duty it is."""
    return next(name for name, (post, _place) in CAST.items() if {name, post} & row.may)


@pytest.mark.parametrize("name", WRITES)
def test_a_field_that_is_not_to_be_written_is_refused(house: World, name: str) -> None:
    rows = table.OPERATIONS[name]
    row = rows[0] if isinstance(rows, list) else rows
    caller, known = writer(row), known_fields(name)
    ignored = {}
    for field, value in FORBIDDEN.items():
        if field not in known:
            got = answer(house, caller, name, row, house.own, **{field: "x" if row.form else value})
            if got.status_code != 422 or field not in got.content.decode():
                ignored[field] = (got.status_code, got.content[:200])
    assert not ignored, f"{caller}: {ignored}"


def test_a_field_inside_a_field_is_refused_too(house: World) -> None:
    discount = {"percent": "1.00", "days": 5, "id": 1}
    check = {**table.CHECK, "customer": house.own["code"], "outcome": "approve"}
    lines, batch = "POST /customers/{reference}/lines", "POST /credit-checks/batch"
    asked = answer(house, "ann", lines, table.OPERATIONS[lines], house.own, discount=discount)  # type: ignore[arg-type]
    checked = answer(house, "ann", batch, table.OPERATIONS[batch], house.own, checks=[check])  # type: ignore[arg-type]
    assert (asked.status_code, checked.json()["items"][0]["status"]) == (422, 422)
