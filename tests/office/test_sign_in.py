"""Coming in: rules and their editions, wrong passwords, second factor, sessions, forgotten passwords (T15)."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shouxin.office import clock, knocks, policies, posts, sign_in, tokens, trail
from shouxin.office.models import PasswordUsed, Person, SignInVersion, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.rules.policy import Post
from tests.api import Caller
from tests.people import CAST, TODAY, member

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15")]
PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def with_password(name: str, password: str = PASSWORD) -> Person:
    found = member(name)
    found.set_password(password)
    found.save()
    return found


def put(by: Person | None = None, **changes: Any) -> SignInVersion:
    version = sign_in.put(changes, why="as the auditor asked", by=by or posts.system(), on=TODAY, at=NOW)
    sign_in.forget()
    return version


def sign_in_as(name: str, password: str = PASSWORD, client: Client | None = None, **extra: Any) -> Any:
    client = client or Client(headers={"Accept-Language": "en"})
    answer = client.post("/accounts/login/", {"login": name, "password": password}, **extra)
    return client, answer


def inside(client: Client) -> bool:
    return client.get("/").status_code == 200


# --- the rules and their editions ----------------------------------------------------------------


def test_the_shipped_rules_hold_until_somebody_puts_others() -> None:
    assert sign_in.number() == 0 and sign_in.rules().profile == "asvs"
    assert put(profile="dengbao").number == 1
    assert sign_in.rules().password_days_max == 90
    assert put(profile="asvs", idle_minutes=15).number == 2
    assert sign_in.rules().idle_minutes == 15


@pytest.mark.parametrize("name", CAST)
def test_who_puts_rules(name: str) -> None:
    by = member(name)
    if posts.is_guardian(by, on=TODAY):
        assert put(by, profile="dengbao")
        return
    with pytest.raises(NotYourDuty):
        put(by, profile="dengbao")
    assert sign_in.number() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"profile": "none"}, "profile"), ({"idle_minutes": 0}, "idle_minutes"), ({"unknown": 1}, "unknown")],
)
def test_rules_that_cannot_be_are_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refused:
        put(**changes)
    assert refused.value.errors[0][0] == field


def test_who_looked_at_an_older_edition_is_told() -> None:
    put(profile="dengbao")
    with pytest.raises(Moved):
        sign_in.put({"profile": "asvs"}, why="mine", seen=0, by=posts.system(), on=TODAY, at=NOW)


def test_the_rules_on_the_page() -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("sy"), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("office:sign_in_rules")
    form = {"profile": "dengbao", "password_length_min": 10, "password_classes_min": 3, "password_days_max": 90,
            "password_history": 5, "idle_minutes": 20, "session_hours": 8, "failures_max": 5, "lock_minutes": 30,
            "address_failures_max": 30,
            "sudo_minutes": 5, "sudo_export_rows": 200,
            "why": "graded protection", "seen": 0}  # fmt: skip
    assert client.post(address, {**form, "idle_minutes": 0}).status_code == 422
    assert client.post(address, form).status_code == 302
    shown = client.get(address).content.decode()
    assert "graded protection" in shown and sign_in.number() == 1
    assert TrailEntry.objects.filter(verb="put_sign_in_rules").count() == 1


# --- passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "At least 12"),
        ("password1234", "common"),
        ("123456789012", "numeric"),
        ("shouxin-2026", "name with a little added"),
        ("授信守信授信守信2026", "name with a little added"),
        ("x" * 129, "At most 128"),
    ],
)
def test_a_password_that_will_not_do(password: str, why: str, settings: Any) -> None:
    from django.utils import translation

    with translation.override("en"), pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert why in " ".join(refused.value.messages)


def test_long_passwords_count_to_the_last_character() -> None:
    password = "长" * 60 + "a"
    with_password("ann", password)
    assert sign_in_as("ann", password)[1].status_code == 302
    assert sign_in_as("ann", password[:-1])[1].status_code != 302


def test_dengbao_asks_for_a_new_password_after_ninety_days_and_none_of_the_last_five() -> None:
    put(profile="dengbao")
    ann = with_password("ann", "Erstes-Wort-1")
    client, _answer = sign_in_as("ann", "Erstes-Wort-1")
    assert inside(client)
    PasswordUsed.objects.filter(person=ann).update(set_at=clock.now() - timedelta(days=91))
    led = client.get("/")
    assert led.status_code == 302 and led["Location"] == reverse("account_change_password")
    change = {"oldpassword": "Erstes-Wort-1", "password1": "Erstes-Wort-1", "password2": "Erstes-Wort-1"}
    client.post(reverse("account_change_password"), change)
    assert not inside(client), "the same again is none of the last five"
    change |= {"password1": "Zweites-Wort-2", "password2": "Zweites-Wort-2"}
    client.post(reverse("account_change_password"), change)
    client, answer = sign_in_as("ann", "Zweites-Wort-2")
    assert answer.status_code == 302 and inside(client)


def test_an_expired_password_stops_her_token_too() -> None:
    put(profile="dengbao")
    ann = with_password("ann", "Erstes-Wort-1")
    _token, text = tokens.create(ann, by=ann, at=NOW)
    assert Caller(token=text).get("/customers").status_code == 200
    PasswordUsed.objects.filter(person=ann).update(set_at=clock.now() - timedelta(days=91))
    refused = Caller(token=text).get("/customers")
    assert (refused.status_code, refused.data["code"]) == (403, "password_expired")


# --- wrong passwords -----------------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_name_wherever_they_come_from_and_nobody_else() -> None:
    with_password("ann")
    with_password("bo")
    for host in range(5):
        sign_in_as("ann", "wrong", REMOTE_ADDR=f"192.0.2.{host}")
    client, answer = sign_in_as("ann", REMOTE_ADDR="192.0.2.99")
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert not inside(client), "the right password is refused while the name is locked"
    assert inside(sign_in_as("bo", REMOTE_ADDR="192.0.2.1")[0])


def test_the_lock_opens_by_itself_and_no_clock_set_back_opens_it() -> None:
    with time_machine.travel(NOW, tick=False) as clocks:
        with_password("ann")
        for _try in range(5):
            sign_in_as("ann", "wrong")
        clocks.move_to(NOW - timedelta(hours=1))
        assert sign_in_as("ann")[1].status_code == 429
        clocks.move_to(NOW + timedelta(minutes=14))
        assert sign_in_as("ann")[1].status_code == 429
        clocks.move_to(NOW + timedelta(minutes=16))
        assert inside(sign_in_as("ann")[0])


def test_the_rules_say_how_many_and_how_long() -> None:
    put(failures_max=2, lock_minutes=60)
    with_password("ann")
    for _try in range(2):
        sign_in_as("ann", "wrong")
    assert sign_in_as("ann")[1]["Retry-After"] == "3600"


STRANGER = "198.51.100.7"


def spray(times: int, **extra: Any) -> list[Any]:
    """Wrong passwords for as many names from one address."""
    return [sign_in_as(f"nobody{n}", "wrong", REMOTE_ADDR=STRANGER, **extra)[1] for n in range(times)]


def slow_lines() -> list[dict[str, Any]]:
    return list(TrailEntry.objects.filter(verb="sign_in.slow").values_list("particulars", flat=True))


@pytest.mark.invariant("I-22")
def test_one_address_that_tries_many_names_is_slowed_down_and_leaves_one_line() -> None:
    with time_machine.travel(NOW, tick=False) as clocks:
        answers = spray(40)
        assert [each.status_code for each in answers] == [200] * 30 + [429] * 10
        assert {each["Retry-After"] for each in answers[30:]} == {"900"}
        until = timezone.localtime(NOW + timedelta(minutes=15), timezone.get_default_timezone())
        assert f"{until:%H:%M:%S}" in answers[-1].content.decode()
        [line] = slow_lines()
        assert (line["address"], line["failures"]) == (STRANGER, 30)
        assert TrailEntry.objects.filter(verb="sign_in.fail").count() == 30, "a flood fills no trail"
        with_password("ann")
        assert sign_in_as("ann", REMOTE_ADDR=STRANGER)[1].status_code == 429
        assert inside(sign_in_as("ann", REMOTE_ADDR="192.0.2.1")[0]), "another address is not"
        cache.clear()
        clocks.move_to(NOW + timedelta(minutes=14, seconds=30))
        assert sign_in_as("ann", REMOTE_ADDR=STRANGER)[1]["Retry-After"] == "30"
        clocks.move_to(NOW + timedelta(minutes=16))
        assert inside(sign_in_as("ann", REMOTE_ADDR=STRANGER)[0])


def test_the_rules_say_when_an_address_is_slowed_down() -> None:
    put(address_failures_max=5)
    assert [each.status_code for each in spray(7)] == [200] * 5 + [429] * 2


def test_right_passwords_slow_no_address_down() -> None:
    put(address_failures_max=5)
    with_password("ann")
    for _try in range(12):
        assert inside(sign_in_as("ann", REMOTE_ADDR=STRANGER)[0])
    assert spray(5)[-1].status_code == 200


def test_neighbours_of_one_network_of_ipv6_are_counted_as_one() -> None:
    put(address_failures_max=5)
    answers = [sign_in_as(f"n{n}", "wrong", REMOTE_ADDR=f"2001:db8:0:7::{n}")[1] for n in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]


def test_who_has_come_in_from_this_browser_before_is_not_shut_out_by_strangers() -> None:
    with_password("ann")
    with_password("bo")
    client, answer = sign_in_as("ann", REMOTE_ADDR=STRANGER)
    [(name, cookie)] = [(name, each) for name, each in answer.cookies.items() if "known-" in name]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and "ann" not in f"{name}{cookie.value}"
    client.post("/accounts/logout/")
    spray(31)
    assert sign_in_as("ann", REMOTE_ADDR=STRANGER)[1].status_code == 429, "another browser is shut out"
    assert sign_in_as("bo", client=client, REMOTE_ADDR=STRANGER)[1].status_code == 429, "it knows ann, and not bo"
    assert sign_in_as("ann", client=client, REMOTE_ADDR=STRANGER)[1].status_code == 302
    assert inside(client)


def test_a_known_browser_has_an_allowance_of_its_own_and_no_more() -> None:
    put(failures_max=3)
    with_password("ann")
    client, _answer = sign_in_as("ann", REMOTE_ADDR=STRANGER)
    client.post("/accounts/logout/")
    spray(31)
    answers = [sign_in_as("ann", "wrong", client=client, REMOTE_ADDR=STRANGER)[1] for _try in range(4)]
    assert [each.status_code for each in answers[:2]] == [200, 200]
    assert b"slowed_down" in answers[3].content, "the allowance is spent: it is a stranger like any other"


def test_a_cookie_that_was_made_up_or_taken_from_another_name_opens_nothing() -> None:
    with_password("ann")
    with_password("bo")
    _bo, answer = sign_in_as("bo", REMOTE_ADDR=STRANGER)
    [bos] = [each for name, each in answer.cookies.items() if "known-" in name]
    _ann, answer = sign_in_as("ann", REMOTE_ADDR="192.0.2.1")
    [name] = [name for name in answer.cookies if "known-" in name]
    spray(31)
    for value in (bos.value, "x", ""):
        thief = Client()
        thief.cookies[name] = value
        assert sign_in_as("ann", client=thief, REMOTE_ADDR=STRANGER)[1].status_code == 429


def test_counts_of_places_are_cleared_away() -> None:
    spray(1)
    assert knocks.purge(clock.now() + timedelta(minutes=1)) == 1


def test_unknown_and_known_names_get_the_same_answer() -> None:
    with_password("ann")
    known, unknown = (sign_in_as(name, "wrong")[1] for name in ("ann", "annn"))

    def words(answer: Any) -> str:
        return re.sub(r'value="[^"]*"', "", answer.content.decode())

    assert known.status_code == unknown.status_code
    assert words(known) == words(unknown)


# --- the second factor ---------------------------------------------------------------------------


def code_of(secret: str, steps: int = 0) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30 + steps):06d}"


def with_factor(person: Person) -> str:
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    RecoveryCodes.activate(person)
    return secret


def test_a_post_that_needs_a_second_factor_sets_one_up_first() -> None:
    put(second_factor_posts=["system-manager"])
    with_password("sy")
    with_password("ann")
    assert inside(sign_in_as("ann")[0])
    client, _answer = sign_in_as("sy")
    led = client.get(reverse("office:people"))
    assert led.status_code == 302 and led["Location"] == reverse("mfa_index")
    assert client.get(reverse("mfa_index")).status_code == 200
    fragment = client.get(reverse("office:people"), headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == reverse("mfa_index")
    with_factor(member("sy"))
    assert client.get(reverse("office:people")).status_code == 200


def test_neither_token_nor_session_of_the_api_goes_round_the_second_factor() -> None:
    ann = with_password("ann")
    _token, text = tokens.create(ann, by=ann, at=NOW)
    client, _answer = sign_in_as("ann")
    put(second_factor_posts=["sales"])
    refused = Caller(token=text).get("/customers")
    assert (refused.status_code, refused.data["code"]) == (403, "second_factor")
    assert client.get("/api/v1/customers").status_code == 403


def test_a_code_is_asked_for_and_used_once() -> None:
    ann = with_password("ann")
    secret = with_factor(ann)
    code = code_of(secret)
    client, answer = sign_in_as("ann")
    assert answer["Location"] == reverse("mfa_authenticate") and not inside(client)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    assert inside(client)
    again, _answer = sign_in_as("ann")
    again.post(reverse("mfa_authenticate"), {"code": code})
    assert not inside(again), "a code that was used once is used up"


def test_a_code_is_used_up_for_as_long_as_its_time_runs_and_so_are_earlier_ones() -> None:
    secret = with_factor(with_password("ann"))
    with time_machine.travel(NOW, tick=False):
        first, second, third = (code_of(secret, steps) for steps in (-1, 0, 1))
    for moment, code, passes in ((0, second, True), (31, second, False), (31, first, False), (31, third, True)):
        with time_machine.travel(NOW + timedelta(seconds=moment), tick=False):
            client, _answer = sign_in_as("ann")
            client.post(reverse("mfa_authenticate"), {"code": code})
            assert inside(client) == passes, (moment, code)


def test_the_code_that_sets_up_the_app_is_used_up() -> None:
    client, password = at_home("ann")
    client.get(reverse("mfa_activate_totp"))
    code = code_of(client.session["mfa.totp.secret"])
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    again, _answer = sign_in_as("ann", password)
    again.post(reverse("mfa_authenticate"), {"code": code})
    assert not inside(again)


@pytest.mark.parametrize("who", ["herself", "keeper"])
def test_a_sign_in_begun_with_the_old_password_does_not_end_after_it_was_changed(who: str) -> None:
    ann, sy = with_password("ann"), member("sy")
    secret = with_factor(ann)
    pending, _answer = sign_in_as("ann")
    if who == "keeper":
        sign_in.set_password(ann, by=sy, on=TODAY, at=NOW)
    else:
        ann.set_password("six-plain-words-in-a-row")
        ann.save()
    told = pending.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert told.status_code == 200 and b"password was changed" in told.content and not inside(pending)


PASSKEY = '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30",%s}}'
MALFORMED = (
    '{"id":"a"}', "[" * 40_000, "1" * 5_000, "[]", "7", "null", '{"response":{"attestationObject":"AA"}}',
    PASSKEY % '"attestationObject":"AA"', PASSKEY % '"userHandle":"MQ"',
)  # fmt: skip


@pytest.mark.parametrize("sent", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("door", ["mfa_login_webauthn", "mfa_authenticate", "mfa_add_webauthn"])
def test_what_no_browser_would_say_of_a_passkey_is_a_wrong_one(door: str, sent: str) -> None:
    if door == "mfa_add_webauthn":
        client, _password = at_home("ann")
    else:
        with_factor(with_password("ann"))
        client = sign_in_as("ann")[0] if door == "mfa_authenticate" else Client()
    client.get(reverse(door), headers={"X-Requested-With": "XMLHttpRequest"})
    answer = client.post(reverse(door), {"credential": sent})
    assert answer.status_code in (200, 302) and not answer.get("Location", "").startswith("/office")
    assert not Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.parametrize(("steps", "passes"), [(-1, True), (0, True), (1, True), (-3, False), (3, False)])
def test_one_step_of_the_clock_is_forgiven(steps: int, passes: bool) -> None:
    secret = with_factor(with_password("ann"))
    client, _answer = sign_in_as("ann")
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret, steps)})
    assert inside(client) == passes


def lines(verb: str, name: str) -> list[dict[str, Any]]:
    found = TrailEntry.objects.filter(verb=verb, about=f"person:{member(name).pk}", by=None)
    return list(found.order_by("id").values_list("particulars", flat=True))


def guess(client: Client, times: int, way: str = "mfa_authenticate", **shown: str) -> Any:
    """Wrong codes, or what else is shown instead; the last answer."""
    for number in range(times):
        answer = client.post(reverse(way), shown or {"code": f"{number:06d}"})
    return answer


WRONG_KEY = {"credential": '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}'}


@pytest.mark.invariant("I-22")
@pytest.mark.parametrize("shown", [{}, {"code": "12345678"}, WRONG_KEY], ids=["code", "recovery code", "passkey"])
def test_five_wrong_factors_lock_the_name_and_each_leaves_its_line(shown: dict[str, str]) -> None:
    secret, _bo = with_factor(with_password("ann")), with_password("bo")
    client, _answer = sign_in_as("ann")
    assert guess(client, 4, **shown).status_code == 200
    answer = guess(client, 1, **shown)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    told = {"address": "127.0.0.1", "failed": "second_factor"}
    assert lines("sign_in.fail", "ann") == [told] * 5
    assert len(lines("sign_in.lock", "ann")) == 1
    for right in (code_of(secret), RecoveryCodes(recovery_of("ann")).get_unused_codes()[0]):
        assert client.post(reverse("mfa_authenticate"), {"code": right}).status_code == 429
    assert not inside(client), "the right code is refused while the name is locked"
    assert sign_in_as("ann")[1].status_code == 429, "and so is the right password"
    assert inside(sign_in_as("bo")[0]), "nobody else is"


def recovery_of(name: str) -> Authenticator:
    return Authenticator.objects.get(user=member(name), type=Authenticator.Type.RECOVERY_CODES)


def test_a_refused_recovery_code_is_not_used_up() -> None:
    with_factor(with_password("ann"))
    client, _answer = sign_in_as("ann")
    guess(client, 5)
    code = RecoveryCodes(recovery_of("ann")).get_unused_codes()[0]
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert code in RecoveryCodes(recovery_of("ann")).get_unused_codes()


@pytest.mark.invariant("I-30")
def test_the_count_of_codes_survives_browsers_caches_and_a_clock_set_back() -> None:
    with time_machine.travel(NOW, tick=False) as clocks:
        secret = with_factor(with_password("ann"))
        for _browser in range(5):
            guess(sign_in_as("ann")[0], 1)
            cache.clear()
        clocks.move_to(NOW - timedelta(hours=1))
        assert sign_in_as("ann")[1].status_code == 429
        clocks.move_to(NOW + timedelta(minutes=16))
        client, _answer = sign_in_as("ann")
        client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
        assert inside(client)


def test_passwords_and_codes_are_counted_together() -> None:
    with_factor(with_password("ann"))
    for _try in range(3):
        sign_in_as("ann", "wrong")
    client, _answer = sign_in_as("ann")
    assert guess(client, 2).status_code == 429


@pytest.mark.parametrize(
    ("way", "shown"),
    [("mfa_reauthenticate", {}), ("mfa_reauthenticate_webauthn", WRONG_KEY)],
    ids=["code", "passkey"],
)
def test_sudo_mode_locks_too(way: str, shown: dict[str, str]) -> None:
    secret = with_factor(with_password("ann"))
    client, _answer = sign_in_as("ann")
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret, -1)})
    assert inside(client)
    Authenticator.objects.create(user=member("ann"), type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    assert guess(client, 4, way, **shown).status_code != 429
    assert guess(client, 1, way, **shown).status_code == 429
    assert client.post(reverse("mfa_reauthenticate"), {"code": code_of(secret)}).status_code == 429
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 429
    assert {line["failed"] for line in lines("sign_in.fail", "ann")[:5]} == {"second_factor"}


def test_a_right_code_in_sudo_mode_begins_the_count_anew() -> None:
    secret = with_factor(with_password("ann"))
    client, _answer = sign_in_as("ann")
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret, -1)})
    guess(client, 4, "mfa_reauthenticate")
    assert client.post(reverse("mfa_reauthenticate"), {"code": code_of(secret)}).status_code == 302
    assert guess(client, 4, "mfa_reauthenticate").status_code == 200


def test_a_wrong_passkey_without_a_name_leaves_a_line_at_the_door() -> None:
    client = Client()
    client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    assert client.post(reverse("mfa_login_webauthn"), WRONG_KEY).status_code == 302
    [line] = TrailEntry.objects.filter(verb="sign_in.fail")
    assert (line.about, line.particulars["failed"]) == ("door:", "passkey")


def test_what_was_typed_is_kept_nowhere() -> None:
    with_factor(with_password("ann"))
    client, _answer = sign_in_as("ann")
    client.post(reverse("mfa_authenticate"), {"code": "424242"})
    sign_in_as("my secret word", "wrong")
    kept = list(AccessAttempt.objects.values_list("post_data", flat=True))
    assert kept and not any("424242" in text or "secret word" in text for text in kept)


def test_whoever_keeps_the_door_opens_a_locked_name() -> None:
    ann, sy = with_password("ann"), member("sy")
    with_factor(ann)
    guess(sign_in_as("ann")[0], 5)
    sign_in.reset_second_factor(ann, by=sy, on=TODAY, at=NOW)
    assert inside(sign_in_as("ann")[0])
    for _try in range(5):
        sign_in_as("ann", "wrong")
    made = sign_in.set_password(ann, by=sy, on=TODAY, at=NOW)
    assert sign_in_as("ann", made)[1].status_code == 302


def test_a_new_password_does_not_go_round_the_factor_and_ends_sessions() -> None:
    ann, sy = with_password("ann"), member("sy")
    client, _answer = sign_in_as("ann")
    made = sign_in.set_password(ann, by=sy, on=TODAY, at=NOW)
    assert not inside(client)
    with_factor(ann)
    assert sign_in_as("ann", made)[1]["Location"] == reverse("mfa_authenticate")


def test_a_lost_telephone() -> None:
    ann, sy = with_password("ann"), member("sy")
    with pytest.raises(Moved):
        sign_in.reset_second_factor(ann, by=sy, on=TODAY, at=NOW)
    with_factor(ann)
    with pytest.raises(NotYourDuty):
        sign_in.reset_second_factor(ann, by=member("cy"), on=TODAY, at=NOW)
    with_factor(sy)
    with pytest.raises(NotYourDuty):
        sign_in.reset_second_factor(sy, by=sy, on=TODAY, at=NOW)
    sign_in.reset_second_factor(ann, by=sy, on=TODAY, at=NOW)
    assert not Authenticator.objects.filter(user=ann).exists()
    assert TrailEntry.objects.filter(verb="reset_second_factor", about=f"person:{ann.pk}").count() == 1


def test_help_on_the_page_is_for_who_keeps_the_door() -> None:
    ann = with_password("ann")
    with_factor(ann)
    for verb in ("set_password", "reset_second_factor"):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(member("cy"), backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(reverse(f"office:{verb}", args=[ann.pk])).status_code == 403
    keeper = Client(headers={"Accept-Language": "en"})
    keeper.force_login(member("sy"), backend="django.contrib.auth.backends.ModelBackend")
    assert keeper.post(reverse("office:reset_second_factor", args=[ann.pk])).status_code == 302
    told = keeper.post(reverse("office:set_password", args=[ann.pk]))
    assert told["Cache-Control"] == "no-store"
    [password] = re.findall(r"<code>([^<]+)</code>", told.content.decode())
    led = sign_in_as("ann", password)[0].get("/")
    assert led["Location"] == reverse("account_change_password"), "the new one opens the page where it is changed"


# --- sessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "still"),
    [([29, 29, 29], True), ([31], False), ([29] * 25, False)],
    ids=["in use", "idle", "twelve hours old"],
)
def test_a_session_ends_by_idleness_and_by_age(minutes: list[int], still: bool) -> None:
    with time_machine.travel(NOW, tick=False) as clocks:
        with_password("ann")
        client, _answer = sign_in_as("ann")
        assert inside(client)
        at, held = NOW, True
        for each in minutes:
            at += timedelta(minutes=each)
            clocks.move_to(at)
            held = inside(client)
        assert held == still


def test_the_session_number_changes_at_sign_in_and_is_dead_after_sign_out() -> None:
    with_password("ann")
    client = Client()
    client.get("/accounts/login/")
    sign_in_as("ann", client=client)
    number = client.session.session_key
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = number
    assert not inside(thief)
    sign_in_as("ann", client=client)
    assert client.session.session_key != number


@pytest.mark.invariant("T15")
def test_the_session_number_changes_when_she_proves_anew_who_she_is() -> None:
    with_password("ann")
    client, _answer = sign_in_as("ann")
    assert inside(client)
    number, thief = client.session.session_key, Client()
    thief.cookies["sessionid"] = number
    client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    assert client.session.session_key == number
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.session.session_key != number and inside(client) and not inside(thief)
    assert [each.session_key for each in UserSession.objects.all()] == [client.session.session_key]


def test_no_cache_keeps_what_she_read_and_signing_out_clears_the_browser() -> None:
    with_password("ann")
    assert "Clear-Site-Data" not in Client().get("/accounts/login/").headers
    client, _answer = sign_in_as("ann")
    for path in ("/", "/customers/", "/api/v1/customers"):
        assert "no-store" in client.get(path).headers["Cache-Control"]
    _token, text = tokens.create(member("ann"), by=member("ann"), at=NOW, scope="read")
    answer = Client().get("/api/v1/customers", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert client.post("/accounts/logout/").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_a_disabled_person_is_out_at_the_next_request() -> None:
    ann = with_password("ann")
    client, _answer = sign_in_as("ann")
    posts.disable_person(ann, by=member("sy"), on=TODAY, at=NOW)
    assert not inside(client)


def test_she_sees_her_sessions_and_ends_the_others() -> None:
    with_password("ann")
    here, _answer = sign_in_as("ann")
    there, _answer = sign_in_as("ann")
    shown = here.get(reverse("usersessions_list"))
    assert shown.status_code == 200 and b"127.0.0.1" in shown.content
    here.post(reverse("usersessions_list"))
    assert inside(here) and not inside(there)


@pytest.mark.invariant("T15", "I-22")
def test_nobody_at_her_open_desk_turns_her_mail_away() -> None:
    """Who could choose the address to which a new password is sent would need no old one."""
    ann = with_password("ann")
    Person.objects.filter(pk=ann.pk).update(email="ann@example.com")
    client, _answer = sign_in_as("ann")
    for act in ("action_add", "action_primary"):
        answer = client.post("/accounts/email/", {"email": "thief@example.com", act: ""})
        assert answer.status_code == 404
    assert client.get(reverse("account_email")).status_code == 404
    ann.refresh_from_db()
    assert ann.email == "ann@example.com" and not EmailAddress.objects.exists()


@pytest.mark.invariant("T15")
def test_no_stranger_has_a_password_renewed_or_the_house_write(mailoutbox: list[Any]) -> None:
    ann = with_password("ann")
    Person.objects.filter(pk=ann.pk).update(email="ann@example.com")
    stranger = Client()
    for asked in ("ann@example.com", "nobody@example.com"):
        assert stranger.post("/accounts/password/reset/", {"email": asked}).status_code == 404
    for rest in ("", "done/", "key/1-set-password/", "key/done/"):
        assert stranger.get(f"/accounts/password/reset/{rest}").status_code == 404
    assert mailoutbox == []


@pytest.mark.invariant("I-22")
def test_what_she_changes_of_how_she_comes_in_leaves_a_line() -> None:
    client, _new = at_home("ann")
    assert [each["by"] for each in lines_by("set_password")] == ["ann"]
    client.get(reverse("mfa_activate_totp"))
    client.post(reverse("mfa_activate_totp"), {"code": code_of(client.session["mfa.totp.secret"])})
    assert [each["factor"] for each in lines_by("add_second_factor")] == ["recovery_codes", "totp"]
    client.post(reverse("mfa_generate_recovery_codes"))
    assert [each["factor"] for each in lines_by("add_second_factor")] == ["recovery_codes", "totp", "recovery_codes"]
    client.post(reverse("mfa_deactivate_totp"))
    assert [each["factor"] for each in lines_by("reset_second_factor")] == ["recovery_codes", "totp"]


@pytest.mark.invariant("I-21")
@pytest.mark.parametrize("act", ["password", "factor"])
def test_what_leaves_no_line_changes_nothing(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, password = at_home("ann")
    client.get(reverse("mfa_activate_totp"))
    code = code_of(client.session["mfa.totp.secret"])

    def torn(*_args: Any, **_named: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(trail, "record", torn)
    monkeypatch.setattr(client, "raise_request_exception", False)
    if act == "password":
        passwords = {"oldpassword": password, "password1": PASSWORD, "password2": PASSWORD}
        assert client.post(reverse("account_change_password"), passwords).status_code == 503
    else:
        assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 503
    assert Person.objects.get(username="ann").check_password(password)
    assert not Authenticator.objects.exists()


def at_home(name: str) -> tuple[Client, str]:
    """Somebody who has chosen a password and shown it just now, and the password."""
    with_password(name)
    client, _answer = sign_in_as(name)
    new = "six-plain-words-in-a-row"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    client.post(reverse("account_reauthenticate"), {"password": new})
    return client, new


def lines_by(verb: str) -> list[dict[str, Any]]:
    """The particulars of the lines of this verb, with who did it."""
    rows = TrailEntry.objects.filter(verb=verb).order_by("pk").select_related("by")
    return [{**row.particulars, "by": row.by and row.by.username} for row in rows]


def test_a_form_from_elsewhere_changes_nothing() -> None:
    with_password("ann")
    client = Client(enforce_csrf_checks=True)
    assert client.post("/accounts/login/", {"login": "ann", "password": PASSWORD}).status_code == 403
    signed_in, _answer = sign_in_as("ann")
    signed_in.get("/accounts/logout/")
    assert inside(signed_in), "a link signs nobody out"


@pytest.mark.parametrize("post", [post for post in Post if post != Post.SYSTEM_MANAGER])
def test_every_post_may_be_asked_for_a_second_factor(post: Post) -> None:
    put(second_factor_posts=[post.value])
    name = next((name for name, (held, _department) in CAST.items() if held == post), None)
    if name:
        assert sign_in.obstacle(member(name), today=TODAY) == "second_factor"


def test_the_page_for_a_new_password_leads_nowhere_that_is_closed() -> None:
    with_password("ann")
    client = Client(headers={"Accept-Language": "en"})
    sign_in_as("ann", client=client)
    page = client.get("/accounts/password/change/").content.decode()
    assert "/accounts/password/reset" not in page and "The system manager sets a new one" in page
