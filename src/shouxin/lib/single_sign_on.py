"""Signing in with an account of the company's own or of an office app: a YAML file that SHOUXIN_SIGN_IN names.

    providers:
      - {kind: oidc, id: company, name: 公司统一登录, server: https://sso.example.com, client: shouxin, secret: …}
      - {kind: saml, id: group, name: 集团登录, entity: https://idp.example.com, sso: https://idp.example.com/sso,
         certificate: MII…}
      - {kind: wecom, name: 企业微信, corporation: ww…, agent: "1000002", secret: …}
      - {kind: dingtalk, name: 钉钉, client: ding…, secret: …}
      - {kind: feishu, name: 飞书, client: cli_…, secret: …}

Only people who are entered here come in. `match: username` (default for oidc, saml, wecom) or `match: email` finds
the person by what the provider says; the others are connected once by the person herself, under “my account”.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Match = Literal["username", "email", "none"]


class Provider(BaseModel, ABC):
    """One way in. `match`: by which word of the provider's the person is found; none: she connects it herself."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=40)
    match: Match = "none"

    @property
    @abstractmethod
    def key(self) -> str:
        """The provider's key with allauth."""

    @abstractmethod
    def app(self) -> dict[str, Any]:
        """The provider as allauth's settings want it."""

    @abstractmethod
    def origin(self) -> str:
        """Where the browser is sent: it must be allowed as the target of the sign-in form."""


class Oidc(Provider):
    """OpenID Connect; `server` is the issuer, whose discovery document is read."""

    kind: Literal["oidc"]
    id: str = Field(pattern="^[a-z0-9-]{1,30}$")
    server: str = Field(pattern="^https?://")
    client: str
    secret: str = Field(repr=False)
    match: Match = "username"

    @property
    def key(self) -> str:
        return "openid_connect"

    def app(self) -> dict[str, Any]:
        settings = {"server_url": self.server, "oauth_pkce_enabled": True, "match": self.match}
        return {"provider_id": self.id, "name": self.name, "client_id": self.client, "secret": self.secret,
                "settings": settings}  # fmt: skip

    def origin(self) -> str:
        return _origin(self.server)


class Saml(Provider):
    """SAML 2.0; signed assertions are demanded."""

    kind: Literal["saml"]
    id: str = Field(pattern="^[a-z0-9-]{1,30}$")
    entity: str
    sso: str = Field(pattern="^https?://")
    certificate: str
    match: Match = "username"

    @property
    def key(self) -> str:
        return "saml"

    def app(self) -> dict[str, Any]:
        idp = {"entity_id": self.entity, "sso_url": self.sso, "x509cert": self.certificate}
        advanced = {"want_assertion_signed": True, "strict": True, "reject_deprecated_algorithm": True}
        settings = {"idp": idp, "advanced": advanced, "match": self.match}
        return {"provider_id": self.entity, "name": self.name, "client_id": self.id, "settings": settings}

    def origin(self) -> str:
        return _origin(self.sso)


class WeCom(Provider):
    """企业微信: an application of the corporation's own; its user names are the corporation's."""

    kind: Literal["wecom"]
    corporation: str
    agent: str
    secret: str = Field(repr=False)
    match: Match = "username"

    @property
    def key(self) -> str:
        return "wecom"

    def app(self) -> dict[str, Any]:
        return {"name": self.name, "client_id": self.corporation, "secret": self.secret,
                "settings": {"agent": self.agent, "match": self.match}}  # fmt: skip

    def origin(self) -> str:
        return "https://login.work.weixin.qq.com"


class OfficeApp(Provider):
    """钉钉 or 飞书."""

    kind: Literal["dingtalk", "feishu"]
    client: str
    secret: str = Field(repr=False)

    @property
    def key(self) -> str:
        return self.kind

    def app(self) -> dict[str, Any]:
        settings = {"match": self.match}
        return {"name": self.name, "client_id": self.client, "secret": self.secret, "settings": settings}

    def origin(self) -> str:
        return {"dingtalk": "https://login.dingtalk.com", "feishu": "https://open.feishu.cn"}[self.kind]


_ONE = TypeAdapter(Annotated[Oidc | Saml | WeCom | OfficeApp, Field(discriminator="kind")])
_APPS = {"wecom": "shouxin.office.wecom"}


@dataclass(frozen=True)
class SingleSignOn:
    """The providers of an installation, none as a rule."""

    providers: tuple[Provider, ...] = field(default=())

    @property
    def apps(self) -> list[str]:
        """What INSTALLED_APPS needs for them."""
        keys = dict.fromkeys(each.key for each in self.providers)
        return [_APPS.get(key, f"allauth.socialaccount.providers.{key}") for key in keys]

    @property
    def settings(self) -> dict[str, Any]:
        """SOCIALACCOUNT_PROVIDERS."""
        found: dict[str, Any] = {}
        for each in self.providers:
            found.setdefault(each.key, {"APPS": []})["APPS"].append(each.app())
        return found

    @property
    def origins(self) -> list[str]:
        """Addresses a form may lead to."""
        return sorted({each.origin() for each in self.providers})


def read(path: Path) -> SingleSignOn:
    """The providers of the file; raises ValueError with the place and what is wrong there."""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read ({' '.join(str(error).split())})") from error
    if not isinstance(found, dict) or set(found) != {"providers"} or not isinstance(found["providers"], list):
        raise ValueError(f"{path} must have one list, `providers:`")
    return SingleSignOn(tuple(_provider(path, place, each) for place, each in enumerate(found["providers"], 1)))


def _provider(path: Path, place: int, given: Any) -> Provider:
    try:
        return _ONE.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # never the secret
        where = ".".join(str(word) for word in first["loc"])
        raise ValueError(f"{path}, provider {place}, {where or 'kind'}: {first['msg']}") from error


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
