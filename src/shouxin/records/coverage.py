"""Clause by clause: what carries it out, which tests prove it, and its evidence today."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shouxin.lib.marks import marked_tests

from .evidence import Found, found
from .regulation import CLAUSES, Clause

PACKED = Path(__file__).with_name("clause_tests.json")
"""Written into the wheel when it is built; in the source tree the tests themselves are read."""
TESTS = Path(__file__).resolve().parents[3] / "tests"


@dataclass(frozen=True)
class Test:
    """A test marked with a clause: the file below tests/, and the function's name."""

    file: str
    name: str

    @property
    def sentence(self) -> str:
        """The name as it reads: a_debt_grows_old -> "a debt grows old"."""
        return self.name.removeprefix("test_").replace("_", " ")


@dataclass(frozen=True)
class Covered:
    """A clause with its tests and its evidence (none where the reader may not see all customers)."""

    clause: Clause
    tests: tuple[Test, ...]
    evidence: tuple[Found, ...]


def coverage(*, with_evidence: bool) -> list[Covered]:
    """All clauses in the order of the regulation."""
    tests = clause_tests()
    kinds = sorted({key for clause in CLAUSES for key in clause.evidence}) if with_evidence else []
    counted = {key: found(key) for key in kinds}
    return [
        Covered(
            clause, tests.get(clause.id, ()), tuple(counted[key] for key in clause.evidence) if with_evidence else ()
        )
        for clause in CLAUSES
    ]


@cache
def clause_tests() -> Mapping[str, tuple[Test, ...]]:
    """Clause id -> the tests marked with it."""
    rows = json.loads(PACKED.read_text("utf-8")) if PACKED.exists() else marked_tests(TESTS)
    return {clause: tuple(Test(file, name) for file, name in tests) for clause, tests in rows.items()}
