"""A token of a narrow scope gives its owner nothing that her posts do not: it answers what her own session answers."""

import pytest

from shouxin.office import clock, scopes, tokens
from shouxin.office.models import Person

from . import table
from .calls import API, answer, described
from .table import Row
from .world import ANONYMOUS, CALLERS, DISABLED, NOBODY, World

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15", "I-20b")]
KNOWN = [name for name in CALLERS if name not in (ANONYMOUS, DISABLED)]
READERS = ("ann", "di", NOBODY)


def narrow(name: str) -> str | None:
    """The narrowest scope of a part of its own that opens the operation; None where there is none."""
    method, _space, path = name.partition(" ")
    found = scopes.opening(f"{API}{path}", reads=method == "GET")[0]
    return found if ":" in found else None


@pytest.mark.parametrize("name", [each for each in described() if narrow(each)])
def test_a_scope_gives_no_more_than_the_posts(house: World, name: str) -> None:
    found = table.OPERATIONS[name]
    wrong = [
        fault
        for row in (found if isinstance(found, list) else [found])
        for caller in (READERS if name.startswith("GET ") else KNOWN)
        for fault in differences(house, name, row, caller)
    ]
    assert not wrong


def differences(house: World, name: str, row: Row, caller: str) -> list[str]:
    """Where the token's answer is another than the session's, on her own, a foreign and a missing thing."""
    owner = Person.objects.get(username=caller)
    text = tokens.create(owner, by=owner, at=clock.now(), scope=narrow(name) or scopes.ALL)[1]
    headers = {"Authorization": f"Bearer {text}"}
    found = []
    for of in (house.own, house.foreign, None) if row.about_customers else (house.own,):
        with_token = answer(house, caller, name, row, of, headers=headers).status_code
        with_session = answer(house, caller, name, row, of).status_code
        if with_token != with_session:
            found.append(f"{dict(row.at)} by {caller}: {with_token}, not {with_session}")
    return found
