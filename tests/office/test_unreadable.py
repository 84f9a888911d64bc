"""What cannot be read is refused as such, whatever stands around it: never a failure of the house's own."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client

from shouxin.office import clock
from shouxin.office.models import Person
from tests.api import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-34")]


@pytest.mark.parametrize("path", ["/customers", "/invoices", "/credit-checks", "/trail"])
def test_a_cursor_without_a_value_belongs_to_no_list(cy: Person, the_day: None, path: str) -> None:
    cursor = base64.urlsafe_b64encode(b"[null]").decode()
    assert Caller(cy).get(path, cursor=cursor).data["code"] == "bad_cursor"


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_json_nested_beyond_reading_is_refused_with_a_key_too(fi: Person, the_day: None, deep: str) -> None:
    assert Caller(fi).post("/receipts", deep, key="k1").status_code == 400


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 300])
def test_a_form_without_a_fit_boundary_is_refused(bo: Person, the_day: None, boundary: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(bo, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.generic("POST", "/api/v1/imports/customers", b"x", content_type=f"multipart/form-data{boundary}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-01T00:00:00Z"])
def test_a_token_ends_neither_in_the_past_nor_at_the_end_of_time(ann: Person, the_day: None, until: str) -> None:
    caller = Caller(ann)
    assert caller.post("/tokens", {"expires_at": until}).status_code == 422
    assert caller.get("/tokens").data == []
    soon = (clock.now() + timedelta(days=3)).isoformat()
    assert caller.post("/tokens", {"expires_at": soon}).status_code == 201
