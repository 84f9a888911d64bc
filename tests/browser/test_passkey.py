"""A passkey from the setting up to the sign-in, in a real browser with a virtual authenticator."""

import pytest
from playwright.sync_api import expect

from shouxin.office import policies
from tests.people import member

PASSWORD = "correct horse battery"


@pytest.mark.browser
@pytest.mark.invariant("T15")
@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_set_up_and_signs_in(visit, live_server) -> None:
    policies.ensure()
    ann = member("ann")
    ann.set_password(PASSWORD)
    ann.save()
    visit.home = live_server.url.replace("127.0.0.1", "localhost")  # an address of numbers can have no passkey
    page = visit("/accounts/login/", language="en")
    bus = page.context.new_cdp_session(page)
    bus.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
           "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    bus.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".side")).to_be_visible()
    page.goto(f"{visit.home}/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main button[type=submit], main .btn-primary").first.click()
    page.get_by_label("Name").fill("telephone")
    page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    expect(page.get_by_text("recovery codes").first).to_be_visible()
    page.locator("details.user summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("details.user")).to_contain_text("Ann")
