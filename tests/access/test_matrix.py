"""Posts × operations × {own, other department, missing}, anonymous and disabled: generated, nothing left out.

The operations come from the OpenAPI description, the pages from the URL map; `table` says whose duty each is. One
database, one world, and every call is taken back, so that each finds the house as it was.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from shouxin.config.api import api
from shouxin.office import sight
from tests.people import CAST

from . import table, world
from .calls import API, answer, described
from .table import Row
from .world import ANONYMOUS, CALLERS, DISABLED, FOREIGN, World

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


# --- the inventories -------------------------------------------------------------------------------


def addresses(patterns: Any = None, before: str = "", *, below: str | None = None) -> Iterator[tuple[str, URLPattern]]:
    """Every address of the URL map with its pattern; without `below` those of the API are left out."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            if below is not None or route != "api/v1/":
                yield from addresses(each.url_patterns, route, below=below)
        elif below is None or route.startswith(below):
            yield route, each


PAGE_ADDRESSES = {
    route: pattern for route, pattern in addresses() if route not in table.OPEN and not route.startswith("accounts/")
}


def rows_of(listed: dict[str, Row | list[Row]], name: str) -> list[Row]:
    """The rows of an operation; an operation without one is named with what is to be written."""
    if name not in listed:
        where = "OPERATIONS" if listed is table.OPERATIONS else "PAGES"
        pytest.fail(
            f"“{name}” has no row in {where} of tests/access/table.py: write there whose duty it is (`may`), on which "
            f"things it is tried (`at`, by the words of world.Side), and what is sent (`body`).",
            pytrace=False,
        )
    found = listed[name]
    return found if isinstance(found, list) else [found]


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    for name in described():
        rows_of(table.OPERATIONS, name)
    assert set(table.OPERATIONS) == set(described()), "rows of operations that are no more"


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    rowed = {name.partition(" ")[2] for name in table.PAGES}
    for route in PAGE_ADDRESSES:
        if route not in rowed:
            rows_of(table.PAGES, f"GET {route}")
    assert rowed == set(PAGE_ADDRESSES), "rows of addresses that are no more"


def test_the_api_has_no_address_that_is_not_described() -> None:
    """OWASP API9: the description is the inventory."""
    house = {"openapi.json", "docs", ""}
    described_paths = {path.removeprefix(f"{API}/") for path in api.openapi["paths"]}
    there = {route.removeprefix("api/v1/") for route, _ in addresses(below="api/v1/")}
    undocumented = {_plain(route) for route in there} - described_paths - house
    assert not undocumented
    assert described_paths <= {_plain(route) for route in there}


def _plain(route: str) -> str:
    """`customers/<int:pk>` as the description writes it: `customers/{pk}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


# --- what is answered -----------------------------------------------------------------------------


def sees(caller: str, of: world.Side | None) -> bool:
    """Whether things of that side are within the caller's sight."""
    post = CAST[caller][0] if caller in CAST else None
    if of is None:
        return False
    return post in sight.SEE_ALL or (caller, of.mark) in {("ann", world.OWN), ("di", FOREIGN)}


def refusals(house: World, name: str, row: Row) -> Iterator[str]:
    """Every answer that is not as the table says, in words."""
    for caller in CALLERS:
        targets = _targets(house, caller, row)
        seen = [answer(house, caller, name, row, of) for of in targets]
        for of, got in zip(targets, seen, strict=True):
            fault = _fault(name, caller, row, of, got)
            if fault:
                side = of.mark if of else "missing"
                yield f"{name} {dict(row.at)} by {caller} on {side}: {fault}"
        if row.about_customers:
            alike = {got.status_code for of, got in zip(targets, seen, strict=True) if not sees(caller, of)}
            if len(alike) > 1:
                yield f"{name} by {caller}: the unseen and the missing are told apart, {alike}"


def _targets(house: World, caller: str, row: Row) -> list[world.Side | None]:
    """Her own and a foreign customer's thing, and one that does not exist.

    Who sees all has no foreign customer, who sees none no own one; a stranger is stopped before any of it.
    """
    if row.personal:
        return [house.own, None]
    if caller in (ANONYMOUS, DISABLED) or not row.about_customers:
        return [house.own]
    return [house.own, house.foreign, None] if caller in ("ann", "di") else [house.foreign, None]


def _fault(name: str, caller: str, row: Row, of: world.Side | None, got: HttpResponse) -> str:
    status = got.status_code
    if caller in (ANONYMOUS, DISABLED):
        return _stranger_fault(name, got)
    if status >= 500:
        return f"{status}: {got.content[:300]!r}"
    post = CAST[caller][0] if caller in CAST else None
    hidden = of is None if row.personal and not row.may.isdisjoint({caller, post}) else row.personal
    hidden = hidden or (row.about_customers and not sees(caller, of))
    if row.may.isdisjoint({caller, post}):
        return "" if status == 403 or (hidden and status == 404) else f"not her duty, and yet {status}"
    if hidden:
        return "" if status == row.unseen else f"out of sight, and yet {status} instead of {row.unseen}"
    return "" if status < 400 or status in (409, 422) else f"her duty, and yet {status}: {got.content[-600:]!r}"


def _stranger_fault(name: str, got: HttpResponse) -> str:
    if name.split(" ")[1].startswith("/"):
        return "" if got.status_code == 401 else f"a stranger, and yet {got.status_code}"
    sent = got.status_code == 302 and got["Location"].startswith(SIGN_IN)
    return "" if sent else f"a stranger, and yet {got.status_code}"


@pytest.mark.invariant("I-14", "I-18", "I-20b", "I-33")
@pytest.mark.parametrize("name", sorted(set(described()) | set(table.OPERATIONS)))
def test_operation(house: World, name: str) -> None:
    faults = [fault for row in rows_of(table.OPERATIONS, name) for fault in refusals(house, name, row)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("route", sorted(PAGE_ADDRESSES))
def test_an_address_takes_no_method_without_a_row(house: World, route: str) -> None:
    """A method that nobody wrote a row for is no other way in."""
    rowed = [name for name in table.PAGES if name.partition(" ")[2] == route]
    address = "/" + re.sub(r"<\w+:(\w+)>", "1", route)
    for method in METHODS:
        if f"{method} {route}" not in rowed:
            with world.undone():
                got = house.browser("cy").generic(method, address)
            assert got.status_code == 405, f"{method} {route} is answered {got.status_code}: write a row, or refuse it"


@pytest.mark.invariant("I-14", "I-18", "I-20b", "I-33")
@pytest.mark.parametrize("name", sorted(table.PAGES))
def test_page(house: World, name: str) -> None:
    faults = [fault for row in rows_of(table.PAGES, name) for fault in refusals(house, name, row)]
    assert not faults, "\n".join(faults)


# --- allauth's own pages -----------------------------------------------------------------------------


def test_every_account_page_sends_a_stranger_to_sign_in(house: World) -> None:
    """Pages of allauth need no row: but for those that open the door, a stranger sees none of them.

    An address that has moved (301) leads to one of the others.
    """
    opened = []
    for route, pattern in addresses(below="accounts/"):
        if "(" in route or pattern.name in table.OPEN_ACCOUNTS:
            continue
        got = house.browser(ANONYMOUS).get(f"/{route}")
        if not (got.status_code in (301, 404, 405) or (got.status_code == 302 and got["Location"].startswith(SIGN_IN))):
            opened.append(f"{route}: {got.status_code}")
    assert not opened, "open to strangers; if that is meant, name them in OPEN_ACCOUNTS of tests/access/table.py"
