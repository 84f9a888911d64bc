"""The house of both customers, built once for each file of tests and taken back after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from shouxin.office import clock
from tests.people import TODAY

from .world import World


@pytest.fixture(scope="module")
def own_house(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Ann's customer and everybody who may knock, in a transaction that is taken back at the end."""
    patched = pytest.MonkeyPatch()
    patched.setattr(clock, "today", lambda: TODAY)
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)
    patched.undo()


@pytest.fixture(scope="module")
def house(own_house: World) -> World:
    """The same with the customer out of Ann's sight."""
    own_house.add_foreign()
    return own_house
