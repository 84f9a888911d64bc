"""How a row of the table becomes a call: address, body, browser; whatever it writes is taken back."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from shouxin.config.api import api
from shouxin.office import policies

from .table import Row
from .world import MISSING, Side, World, undone

API = "/api/v1"


def described() -> list[str]:
    """Every operation of the OpenAPI description, such as `GET /customers/{reference}`."""
    paths = api.openapi["paths"]
    return [f"{method.upper()} {path.removeprefix(API)}" for path, each in paths.items() for method in each]


def answer(
    house: World,
    caller: str,
    name: str,
    row: Row,
    of: Side | None,
    *,
    headers: dict[str, str] | None = None,
    text: str | bytes | None = None,
    **changed: Any,
) -> HttpResponse:
    """What the caller is answered when she does this to a thing of that side (None: to one that does not exist).

    `changed` goes into the body beside what the row sends; `text` is sent in its place.
    """
    method, _space, path = name.partition(" ")
    address = _address(path, {key: told(value, of) for key, value in row.at.items()})
    address = f"{API}{address}" if path.startswith("/") else f"/{address}"
    body, browser = filled(row.body, of), house.browser(caller)
    if changed:
        body = {**(body or {}), **changed}
    with undone():
        if method == "GET":
            return browser.get(f"{address}?{row.query}".rstrip("?"), headers=headers)
        if row.form:
            return browser.post(address, body or {}, headers=headers)
        sent = json.dumps(body or {}) if text is None else text
        return browser.generic(method, address, sent, content_type="application/json", headers=headers)


def filled(body: Any, of: Side | None) -> Any:
    """A row's body with the side's things in the place of their words."""
    if isinstance(body, dict):
        return {key: filled(value, of) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(each, of) for each in body]
    if body == "=policy":
        return policies.shipped()
    if body == "=upload":
        return SimpleUploadedFile("new.csv", "客户编码,名称\nN-1,新客户\n".encode(), content_type="text/csv")
    if isinstance(body, str) and body.startswith("{"):
        return told(body[1:-1], of)
    return body


def told(value: str, of: Side | None) -> str:
    """What a word of the table stands for on that side."""
    if value.startswith("="):
        return value[1:]
    return str(of[value]) if of else (str(MISSING) if value != "code" else "NOBODY-0")


def _address(path: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        for pattern in (f"<int:{name}>", f"<str:{name}>", f"{{{name}}}"):
            path = path.replace(pattern, value)
    assert not set("<>{}") & set(path), f"`at` leaves a gap in {path}"
    return path
