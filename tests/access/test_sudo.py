"""No sensitive act with an old proof, whichever way in: every page and operation of the table is tried.

A new way to such an act that forgets to ask is found here, because what counts is the line the act leaves in the trail.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from shouxin.customers import standing
from shouxin.office import sudo, trail
from shouxin.office.models import Person
from tests.people import CAST, FAR_AHEAD, prove

from . import table
from .calls import answer
from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15")]
SENSITIVE = frozenset({
    "add_person", "appoint", "end_appointment", "disable_person", "set_password", "put_policy", "put_sign_in_rules",
    "create_token", "revoke_token", "lift_blacklisting",
    "webhook.remove", "webhook.renew_secret", "webhook.test",
})  # fmt: skip
"""Verbs of the trail, and the lifting, which is a `set_standing` off the blacklist."""
WRITES = {**table.OPERATIONS, **table.PAGES}
RULES = {
    "profile": "asvs", "password_length_min": 14, "password_classes_min": 1, "password_history": 0, "idle_minutes": 30,
    "session_hours": 12, "failures_max": 5, "lock_minutes": 15, "sudo_minutes": 10,
    "address_failures_max": 30, "sudo_export_rows": 1000,
    "why": "because", "seen": 0,
}  # fmt: skip


def written(house: World, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The sensitive verbs that all who may do it write by this operation; every act is taken back."""
    seen: list[str] = []

    def heard(verb: str, **told: Any) -> Any:
        lifted = verb == "set_standing" and told.get("was") == standing.BLACKLISTED
        seen.append("lift_blacklisting" if lifted else verb)
        return plain(verb, **told)

    plain = trail.record
    with monkeypatch.context() as patch:
        patch.setattr(trail, "record", heard)
        rows = WRITES[name]
        for row in rows if isinstance(rows, list) else [rows]:
            changed = RULES if "sign-in-rules" in name else {}
            for caller in (each for each in CAST if not row.may.isdisjoint({each, CAST[each][0]})):
                answer(house, caller, name, row, house.own, **changed)
    yield from (verb for verb in seen if verb in SENSITIVE)


def proofs(house: World, at: float) -> None:
    """Everybody proved who she is at that moment, and not since."""
    for name in CAST:
        prove(house.browser(name), Person.objects.get(username=name), at)


def acts() -> list[str]:
    return [name for name in WRITES if not name.startswith("GET ")]


def test_no_way_leads_to_a_sensitive_act_with_an_old_proof(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs(house, 0.0)
    try:
        found = {name: verbs for name in acts() if (verbs := set(written(house, name, monkeypatch)))}
    finally:
        proofs(house, FAR_AHEAD)
    assert not found, "these pages or operations do not call office.sudo.require"


def test_with_a_fresh_proof_every_sensitive_act_is_done(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the acts are there to be seen, on the pages and over the API."""
    found = {name: set(written(house, name, monkeypatch)) for name in acts()}
    assert set().union(*found.values()) == SENSITIVE
    assert {name for name, verbs in found.items() if verbs} >= {"POST /people", "POST office/people/add"}


def test_without_the_guard_an_old_proof_would_do(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sudo, "require", lambda request, back="": None)
    proofs(house, 0.0)
    try:
        assert set(written(house, "POST office/people/add", monkeypatch)) == {"add_person"}
        assert set(written(house, "POST /people", monkeypatch)) == {"add_person"}
    finally:
        proofs(house, FAR_AHEAD)
