"""Schemathesis at the product's own description, for each post (T11): no fault of ours, and every answer as described.

Each operation is asked by a post whose duty it is, by another one and by a stranger, with what the description allows
and with what it does not, on things that exist and on addresses out of thin air. `SHOUXIN_FUZZ` says how many examples
each of them makes up (default 2; beyond 20 every post asks
everything), `SHOUXIN_FUZZ_SEED` repeats a run: a failure names its seed.
"""

import os
import re
import traceback
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from shouxin.config.api import api
from shouxin.config.wsgi import application
from shouxin.office import clock, tokens
from shouxin.office.models import Person
from tests.people import CAST

from . import table
from .calls import API, answer, described, filled, told
from .table import Row
from .test_matrix import rows_of
from .world import ANONYMOUS, CALLERS, DISABLED, NOBODY, World, undone

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-33", "I-34")]
EXAMPLES = int(os.environ.get("SHOUXIN_FUZZ", "2"))
SEED = int(os.environ.get("SHOUXIN_FUZZ_SEED", "20261124"))
load_all_checks()


class Fault(AssertionError):
    """Answered with a fault of ours."""


def no_fault(_ctx: Any, response: Any, _case: Any) -> None:
    """No 5xx but the described 503, which says when to come again."""
    if response.status_code >= 500 and not (response.status_code == 503 and "retry-after" in response.headers):
        raise Fault(f"{response.status_code}: {response.text[:300]}")


CHECKS = [
    no_fault,
    checks.ignored_auth,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def in_this_transaction() -> Iterator[None]:
    """A call leaves the connection of the tests open, in whose transaction the house stands."""
    signals = (request_started, request_finished)
    for each in signals:
        each.disconnect(close_old_connections)
    yield
    for each in signals:
        each.connect(close_old_connections)


@pytest.fixture(scope="module")
def keys(own_house: World) -> dict[str, str]:
    """A token of everybody who may knock; that of the stranger opens nothing."""
    found = {name: _token(name) for name in CALLERS if name not in (ANONYMOUS, DISABLED)}
    Person.objects.filter(username=DISABLED).update(is_active=True)
    found[DISABLED] = _token(DISABLED)
    Person.objects.filter(username=DISABLED).update(is_active=False)
    return found


def _token(name: str) -> str:
    one = Person.objects.get(username=name)
    return tokens.create(one, by=one, at=clock.now())[1]


@pytest.fixture(scope="module")
def schema(own_house: World, in_this_transaction: None) -> Any:
    """The description as the product serves it."""
    found = schemathesis.openapi.from_wsgi(f"{API}/openapi.json", application)
    found.config.generation.update(with_security_parameters=False)
    return found


def knocking(name: str, row: Row) -> Iterator[tuple[str, list[tuple[GenerationMode, bool]]]]:
    """Somebody whose duty it is, asked in every way, and somebody else, posts in turn; everybody in a long run."""
    turn, everybody, ways = described().index(name), [*CAST, NOBODY], list(plans(name, row))
    entitled = [who for who in CAST if row.may & {who, CAST[who][0]}]
    if EXAMPLES > 20:
        yield from ((who, ways) for who in everybody)
    else:
        yield entitled[turn % len(entitled)], ways
        yield everybody[turn % len(everybody)], ways[:1]


def plans(name: str, row: Row) -> Iterator[tuple[GenerationMode, bool]]:
    """What an operation is asked with: the allowed on the real, the forbidden where something can be forbidden."""
    call = call_of(name)
    yield GenerationMode.POSITIVE, True
    if row.at:
        yield GenerationMode.POSITIVE, False
    if call.get("requestBody") or any(each["in"] == "query" for each in call["parameters"]):
        yield GenerationMode.NEGATIVE, True


def call_of(name: str) -> dict[str, Any]:
    """The operation in the description."""
    method, _space, path = name.partition(" ")
    found: dict[str, Any] = api.openapi["paths"][f"{API}{path}"][method.lower()]
    return found


def asked(schema: Any, name: str, row: Row, house: World, mode: GenerationMode, *, real: bool) -> Any:
    """Cases of the operation; `real`: of Ann's customer's things, its body now and then with what the table sends."""
    method, _space, path = name.partition(" ")
    operation = schema[f"{API}{path}"][method]
    at = {key: told(value, house.own) for key, value in row.at.items()}
    cases = operation.as_strategy(mode, **({"path_parameters": at} if real and at else {}))
    sent = filled(row.body, house.own)
    if mode is GenerationMode.NEGATIVE or row.form or not sent:
        return cases
    return st.tuples(cases, st.sets(st.sampled_from(sorted(sent)))).map(lambda drawn: _with(drawn[0], sent, drawn[1]))


def _with(case: Any, sent: dict[str, Any], fields: set[str]) -> Any:
    if isinstance(case.body, dict):
        case.body = case.body | {field: sent[field] for field in fields}
    return case


def faults_of(cases: Any, headers: dict[str, str]) -> list[str]:
    """What is wrong with the answers to these cases; whatever they write is taken back."""
    faults: list[str] = []

    @hypothesis.seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @hypothesis.given(cases)
    def ask(case: Any) -> None:
        with undone():
            response = case.call(headers=headers)
            try:
                case.validate_response(response, checks=CHECKS, headers=headers)
            except (FailureGroup, Fault) as found:
                faults.append("".join(traceback.format_exception_only(found)) + repr(case))

    ask()
    return faults


@pytest.mark.parametrize("name", described())
def test_every_answer_is_described_and_none_is_a_fault(
    house: World, schema: Any, keys: dict[str, str], name: str
) -> None:
    row = rows_of(table.OPERATIONS, name)[0]
    faults = [
        f"{who}: {fault}"
        for who, ways in knocking(name, row)
        for mode, real in ways
        for fault in faults_of(
            asked(schema, name, row, house, mode, real=real), {"Authorization": f"Bearer {keys[who]}"}
        )
    ]
    assert not faults, f"SHOUXIN_FUZZ_SEED={SEED}\n" + "\n".join(faults)


def test_a_call_that_breaks_and_one_that_answers_otherwise_are_found(
    house: World, schema: Any, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the fuzzing is for would not pass it."""
    cases, cy = schema[f"{API}/customers"]["GET"].as_strategy(), {"Authorization": f"Bearer {keys['cy']}"}
    assert not faults_of(cases, cy)
    with monkeypatch.context() as broken:
        broken.setattr("shouxin.customers.api.page", lambda *_: 1 / 0)
        assert "500" in faults_of(cases, cy)[0]
    with monkeypatch.context() as undescribed:
        undescribed.setattr(
            "shouxin.customers.api.page", lambda *_: HttpResponse("{}", content_type="application/json")
        )
        assert "schema" in faults_of(cases, cy)[0]
    with monkeypatch.context() as open_door:
        open_door.setattr(tokens, "person_of", lambda *_, **__: Person.objects.get(username="cy"))
        assert "auth" in faults_of(cases, cy)[0].lower()


@pytest.mark.invariant("I-18")
@pytest.mark.parametrize("name", described())
def test_a_token_of_nobody_opens_nothing(house: World, keys: dict[str, str], name: str) -> None:
    row = rows_of(table.OPERATIONS, name)[0]
    for header in ({}, {"Authorization": f"Bearer {keys[DISABLED]}"}, {"Authorization": "Bearer shouxin_x"}):
        assert answer(house, ANONYMOUS, name, row, house.own, headers=header).status_code == 401


@pytest.mark.parametrize("path", sorted(api.openapi["paths"]))
def test_what_is_not_described_cannot_be_done(house: World, path: str) -> None:
    allowed = {method.upper() for method in api.openapi["paths"][path]}
    address = re.sub(r"{(pk|number|run_id|year)}", "1", path)
    address = re.sub(r"{[^}]*}", "x", address)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        got = house.browser("cy").generic(method, address)
        assert (method, got.status_code, set(got["Allow"].split(", "))) == (method, 405, allowed)


UNREADABLE = ("{", "NaN", '{"a": 1, "a": 2}', "\x00", '{"a": "\\ud800"}', "[" * 100_000, b"\xff\xfe")
UNACCEPTABLE = ("[]", '"text"', "7", '{"zzz": 1}', '[{"zzz": 1}]')
WITH_BODY = [
    name for name in described() if "application/json" in call_of(name).get("requestBody", {}).get("content", {})
]


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_bad_body_is_refused(house: World, name: str) -> None:
    row = rows_of(table.OPERATIONS, name)[0]
    who = next(who for who in CAST if row.may & {who, CAST[who][0]})
    for texts, status in ((UNREADABLE, 400), (UNACCEPTABLE, 422)):
        for text in texts:
            got = answer(house, who, name, row, house.own, text=text)
            assert (text[:20], got.status_code) == (text[:20], status)


def test_no_two_shapes_share_a_name() -> None:
    """Of two shapes with one name the description would keep only one, and tell the other's answers wrong."""
    homes = defaultdict(set)
    for each in _below(BaseModel):
        if each.__module__.startswith("shouxin.") and not each.__module__.startswith("shouxin.rules."):
            homes[each.__name__].add(each.__module__)
    assert not {name: homes[name] for name in api.openapi["components"]["schemas"] if len(homes[name]) > 1}


def _below(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
