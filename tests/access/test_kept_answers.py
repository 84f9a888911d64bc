"""A kept answer of every operation names the customer it tells of, or none is kept: so that it is given again only to
whoever sees her, rests while her data are restricted, and is emptied when she is erased (PIPL art. 47)."""

from collections.abc import Iterator
from typing import Any

import pytest

from shouxin.config.api import api
from shouxin.office import kept_answers

from . import table
from .calls import API, answer, described
from .table import Row
from .test_fields import writer
from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-33")]

OF_NO_CUSTOMER = frozenset(
    {
        "/people", "/people/{pk}/appoint", "/people/{pk}/end-appointment", "/people/{pk}/disable",
        "/tokens", "/tokens/{pk}/revoke", "/policies", "/exchange-rates",
        "/webhooks", "/webhooks/{pk}/accept", "/webhooks/{pk}/test",
        "/data-sharings", "/data-sharings/{pk}/correct", "/data-sharings/{pk}/end",
        "/impact-assessments", "/impact-assessments/{pk}/versions", "/impact-assessments/{pk}/{verb}",
        "/annual-reviews", "/annual-reviews/{year}/resume", "/annual-reviews/{year}/close",
        "/scoring/cards",
        "/imports/{kind}",
    }
)  # fmt: skip
"""Answers of the office, of the policy and of sums; an import's tells of a run of which no row was read yet."""

VIEWS = {api.get_openapi_operation_id(each): each.view_func for _prefix, router in api._routers
         for path in router.path_operations.values() for each in path.operations}  # fmt: skip
KEPT = [name for name in described() if name.startswith("POST") and not getattr(
    VIEWS[api.openapi["paths"][API + name[5:]]["post"]["operationId"]], "done_anew", False)]  # fmt: skip


def properties(shape: Any, within: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of everything a shape of the description holds, at whatever depth."""
    if isinstance(shape, list):
        for each in shape:
            yield from properties(each, within)
    elif isinstance(shape, dict) and "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        if name not in within:
            yield from properties(api.openapi["components"]["schemas"][name], (*within, name))
    elif isinstance(shape, dict):
        yield from shape.get("properties", {})
        for each in shape.values():
            yield from properties(each, within)


@pytest.mark.parametrize("name", KEPT)
def test_what_tells_of_a_customer_has_a_place_for_her(name: str) -> None:
    path = name.removeprefix("POST ")
    responses = api.openapi["paths"][API + path]["post"]["responses"]
    told = {each for status, of in responses.items() if str(status).startswith("2") for each in properties(of)}
    named = "customer" in told or path == "/customers" or path.startswith("/customers/{")
    assert named != (path in OF_NO_CUSTOMER), (
        f"the answer names no customer: give it a field `customer`, mark the operation `done_anew`, or say in "
        f"OF_NO_CUSTOMER that it tells of none; it holds {sorted(told)}"
    )


@pytest.mark.parametrize("name", KEPT)
def test_what_is_answered_names_her(house: World, name: str) -> None:
    listed = table.OPERATIONS[name]
    for row in (each for each in (listed if isinstance(listed, list) else [listed]) if _is_about(each)):
        got = answer(house, writer(row), name, row, house.own)
        if got.status_code < 300:
            assert kept_answers.customers_of(got.wsgi_request.path, got.content.decode()), got.content.decode()


def _is_about(row: Row) -> bool:
    return row.about_customers or bool({"letter", "referee", "data_request"} & set(row.at.values()))
