"""Single sign-on: the settings file; OpenID Connect and 企业微信 played by a local server; the metadata of SAML."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shouxin.lib import single_sign_on
from tests import houses

FILE = """
providers:
  - {kind: oidc, id: company, name: 公司统一登录, server: "http://127.0.0.1:PORT", client: shouxin, secret: top-secret}
  - {kind: saml, id: group, name: 集团登录, entity: "https://idp.example.com", sso: "https://idp.example.com/sso",
     certificate: MIIC}
  - {kind: wecom, name: 企业微信, corporation: ww1, agent: "1000002", secret: s}
  - {kind: dingtalk, name: 钉钉, client: ding1, secret: s}
  - {kind: feishu, name: 飞书, client: cli_1, secret: s}
"""


def test_the_file_names_every_way_in(tmp_path: Path) -> None:
    path = tmp_path / "sign-in.yaml"
    path.write_text(FILE, "utf-8")
    found = single_sign_on.read(path)
    assert [each.key for each in found.providers] == ["openid_connect", "saml", "wecom", "dingtalk", "feishu"]
    assert "shouxin.office.wecom" in found.apps
    assert "https://idp.example.com" in found.origins
    assert "top-secret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "one list", id="empty"),
        pytest.param("providers: {}", "one list", id="no list"),
        pytest.param("providers: [{kind: oidc}]", "provider 1", id="lacking"),
        pytest.param("providers: [{kind: magic}]", "provider 1", id="unknown kind"),
        pytest.param("providers: [", "cannot be read", id="no YAML"),
        pytest.param("providers: [{kind: feishu, name: a, client: b, secret: hush, extra: 1}]", "extra", id="more"),
    ],
)
def test_a_file_that_will_not_do_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "sign-in.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=why) as refused:
        single_sign_on.read(path)
    assert "hush" not in str(refused.value)


class Outside(BaseHTTPRequestHandler):
    """An identity provider that believes everything; what it says of whom is in `people` by code."""

    people: dict[str, dict[str, Any]] = {}

    def _answer(self, found: Any) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        base, path = f"http://127.0.0.1:{self.server.server_address[1]}", urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        match path.path:
            case "/.well-known/openid-configuration":
                self._answer({"issuer": base, "authorization_endpoint": f"{base}/authorize",
                              "token_endpoint": f"{base}/token", "userinfo_endpoint": f"{base}/userinfo",
                              "token_endpoint_auth_methods_supported": ["client_secret_post"]})  # fmt: skip
            case "/userinfo":
                self._answer(self.people[self.headers["Authorization"].removeprefix("Bearer ")])
            case "/gettoken":
                self._answer({"errcode": 0, "access_token": "application"})
            case "/getuserinfo":
                self._answer({"errcode": 0, **self.people[asked["code"]]})

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer({"access_token": body["code"][0], "token_type": "Bearer", "expires_in": 60})

    def log_message(self, *_words: Any) -> None:
        """Nothing."""


@pytest.fixture
def outside() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield str(server.server_address[1])
    server.shutdown()


STORY = """
import json, os, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from urllib.parse import parse_qs, urlsplit
from shouxin.config import migrating
migrating.bring_up()
from allauth.socialaccount.models import SocialAccount
from shouxin.office.models import Person, TrailEntry
from shouxin.office.wecom import views
port = sys.argv[1]
views.WeComAdapter.access_token_url = f"http://127.0.0.1:{port}/gettoken"
views.WeComAdapter.profile_url = f"http://127.0.0.1:{port}/getuserinfo"
Person.objects.create_user("ann", email="ann@example.com")
Person.objects.create_user("gone", is_active=False)

def come(login, callback, code):
    client = Client(HTTP_HOST="127.0.0.1")
    led = client.post(login)
    state = parse_qs(urlsplit(led["Location"]).query)["state"][0]
    answer = client.get(callback, {"code": code, "state": state})
    inside = client.get("/").status_code == 200
    return {"led": led["Location"].split("?")[0], "status": answer.status_code, "inside": inside}

oidc = ("/accounts/oidc/company/login/", "/accounts/oidc/company/login/callback/")
wecom = ("/accounts/wecom/login/", "/accounts/wecom/login/callback/")
told = {name: come(*oidc, name) for name in ("ann", "stranger", "gone", "system")}
told["again"] = come(*oidc, "ann")
told["wecom"], told["guest"] = come(*wecom, "wx-ann"), come(*wecom, "wx-guest")
told["forged"] = Client(HTTP_HOST="127.0.0.1").get(oidc[1], {"code": "ann", "state": "forged"}).status_code
told["people"] = Person.objects.exclude(username="system").count()
told["connected"] = TrailEntry.objects.filter(verb="connect_sign_in").count()
told["metadata"] = Client(HTTP_HOST="127.0.0.1").get("/accounts/saml/group/metadata/").content.decode()
bo = Person.objects.create_user("bo", password="six plain words in a row")
desk = Client(HTTP_HOST="127.0.0.1")
desk.force_login(bo, "django.contrib.auth.backends.ModelBackend")

def hers():
    return [*SocialAccount.objects.filter(user=bo).values_list("pk", flat=True)]

led = desk.post(oidc[0] + "?process=connect")
state = parse_qs(urlsplit(led["Location"]).query)["state"][0]
asked = desk.get(oidc[1], {"code": "eve", "state": state})
told["unproved"] = {"asked": asked["Location"].split("?")[0], "hers": hers()}
desk.post(asked["Location"], {"password": "six plain words in a row"})
told["proved"] = len(hers())
desk.post("/accounts/3rdparty/", {"account": hers()[0]})
verbs = TrailEntry.objects.filter(by=bo).order_by("pk").values_list("verb", flat=True)
told["desk"] = {"hers": hers(), "lines": [*verbs]}
page = Client(HTTP_HOST="127.0.0.1").get("/accounts/login/")
told["page"], told["csp"] = page.content.decode(), page["Content-Security-Policy"]
print(json.dumps(told))
"""


@pytest.mark.invariant("T15")
def test_coming_in_from_outside(outside: str, tmp_path: Path) -> None:
    """In a process of its own: ways in are part of the settings a process begins with."""
    Outside.people = {
        "ann": {"sub": "1", "preferred_username": "ann", "email": "ann@example.com"},
        "stranger": {"sub": "2", "preferred_username": "eve"},
        "gone": {"sub": "3", "preferred_username": "gone"},
        "system": {"sub": "4", "preferred_username": "system"},
        "eve": {"sub": "5", "preferred_username": "eve"},
        "wx-ann": {"userid": "ann"},
        "wx-guest": {"openid": "o1"},
    }
    path = tmp_path / "sign-in.yaml"
    path.write_text(FILE.replace("PORT", outside), "utf-8")
    inside = {
        **{name: value for name, value in os.environ.items() if name not in ("SHOUXIN_TESTED", "DATABASE_URL")},
        "SHOUXIN_HOME": str(houses.furnish(tmp_path / "home")),
        "SHOUXIN_SIGN_IN": str(path),
        "DJANGO_SETTINGS_MODULE": "shouxin.config.settings",
    }
    story = [sys.executable, "-c", STORY, outside]
    ran = subprocess.run(story, env=inside, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["ann"]["led"] == f"http://127.0.0.1:{outside}/authorize" and told["ann"]["inside"]
    assert told["again"]["inside"] and told["wecom"]["inside"]
    for refused in ("stranger", "system", "gone", "guest"):
        assert not told[refused]["inside"], refused
    assert told["stranger"]["status"] == told["system"]["status"] == 403
    assert told["forged"] != 302
    assert told["people"] == 2, "nobody is made by coming in"
    assert told["connected"] == 2, "once for each account"
    assert told["unproved"] == {"asked": "/accounts/reauthenticate/", "hers": []}, "an open desk is no proof"
    assert (told["proved"], told["desk"]["hers"]) == (1, [])
    assert told["desk"]["lines"][-2:] == ["connect_sign_in", "disconnect_sign_in"]
    assert "/accounts/saml/group/acs/" in told["metadata"]
    assert "公司统一登录" in told["page"] and "企业微信" in told["page"]
    assert f"http://127.0.0.1:{outside}" in told["csp"]
