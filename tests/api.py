"""A caller of the API for tests: acts as one of the cast, sends and reads JSON, checks problems for their form."""

import json
from typing import Any

from django.test import Client

from shouxin.office.models import Person


class Caller:
    """`Caller(ann).post("/customers", {...})` -> the response, its JSON in `.data`."""

    def __init__(self, person: Person | None = None, *, token: str = "", language: str = "en") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {token}"} if token else {})
        if person is not None:
            self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def get(self, path: str, **query: Any) -> Any:
        """GET below /api/v1."""
        return self._read(self.client.get(f"/api/v1{path}", query, headers=self.headers))

    def post(self, path: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
        """POST JSON; a body given as text is sent as it stands."""
        return self._send("post", path, body, headers | ({"Idempotency-Key": key} if key else {}))

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH JSON; `If_Match` among the headers."""
        return self._send("patch", path, body, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body if body is not None else {})
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        send = getattr(self.client, method)
        answer = send(f"/api/v1{path}", text, content_type="application/json", headers=self.headers | headers)
        return self._read(answer)

    def _read(self, answer: Any) -> Any:
        answer.data = json.loads(answer.content) if answer.content else None
        if answer.status_code >= 400:
            assert answer["Content-Type"].startswith("application/problem+json"), answer.content
            assert {"type", "title", "status", "detail", "errors"} <= set(answer.data)
            assert answer.data["status"] == answer.status_code
        return answer
