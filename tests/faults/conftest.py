"""One house for the faults of a module, with a company in it; stopped and thrown away afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import houses


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("faults")
    yield home
    houses.stop_database(home)


@pytest.fixture(scope="module")
def company(home: Path) -> dict[str, Any]:
    """A token and customers' codes, with lines nobody fills."""
    found: dict[str, Any] = houses.module(home, "tests.faults.in_home.company", "4", "9000000.00")
    return found
