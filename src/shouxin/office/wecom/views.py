"""The two steps of 企业微信: the scan page of the corporation, then who it was (auth/getuserinfo)."""

from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView, OAuth2LoginView

API = "https://qyapi.weixin.qq.com/cgi-bin"


class WeComClient(OAuth2Client):
    """Not quite OAuth 2: the token is the application's, the code is handed to the call that names the person."""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, Any]) -> str:
        """The scan page, with the application's number."""
        app = get_adapter().get_app(self.request, provider="wecom")
        asked = {
            "login_type": "CorpApp",
            "appid": self.consumer_key,
            "agentid": app.settings["agent"],
            "redirect_uri": self.callback_url,
            "state": self.state,
        }
        return f"{authorization_url}?{urlencode(asked)}"

    def get_access_token(self, code: str, pkce_code_verifier: str | None = None) -> dict[str, Any]:
        """The application's token, with the code beside it for `complete_login`."""
        asked = {"corpid": self.consumer_key, "corpsecret": self.consumer_secret}
        return {**told(self.access_token_url, asked), "code": code}


class WeComAdapter(OAuth2Adapter):
    """Addresses and the last step."""

    provider_id = "wecom"
    client_class = WeComClient
    authorize_url = "https://login.work.weixin.qq.com/wwlogin/sso/login"
    access_token_url = f"{API}/gettoken"
    profile_url = f"{API}/auth/getuserinfo"

    def complete_login(self, request: Any, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        """Who it was. Raises OAuth2Error for somebody who is not of the corporation."""
        asked = {"access_token": token.token, "code": kwargs["response"]["code"]}
        found = told(self.profile_url, asked)
        if not found.get("userid"):
            raise OAuth2Error("not a member of the corporation")
        return self.get_provider().sociallogin_from_response(request, {"userid": found["userid"]})


def told(address: str, asked: dict[str, str]) -> dict[str, Any]:
    """The answer of a call of 企业微信; its own errors are raised, without what was sent."""
    with get_adapter().get_requests_session() as session:
        answer = session.get(address, params=asked)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    if found.get("errcode"):
        raise OAuth2Error(f"企业微信 answers {found['errcode']}")
    return found


oauth2_login = OAuth2LoginView.adapter_view(WeComAdapter)
oauth2_callback = OAuth2CallbackView.adapter_view(WeComAdapter)
