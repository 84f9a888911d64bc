"""What the corporation says of whoever signed in: her user name."""

from typing import Any

from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider

from .views import WeComAdapter


class WeComAccount(ProviderAccount):
    """An account of the corporation."""

    def to_str(self) -> str:
        """Its user name."""
        return str(self.account.extra_data.get("userid", ""))


class WeComProvider(OAuth2Provider):
    """`extract_…` read the answer of auth/getuserinfo."""

    id = "wecom"
    name = "企业微信"
    account_class = WeComAccount
    oauth2_adapter_class = WeComAdapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The user name within the corporation; a guest of the app has none and does not get here."""
        return str(data["userid"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """What a person of ours is found by."""
        return {"username": data["userid"]}


provider_classes = [WeComProvider]
