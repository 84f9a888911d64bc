"""A password that somebody else chose opens the page where it is changed, and nothing else."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shouxin.office import clock, policies, posts, sign_in, tokens
from shouxin.office.models import Person
from tests.people import TODAY, member, prove

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("T15")]
FIRST, OWN = "a-long-password-7", "another of my own 9"
SIGN_IN = "django.contrib.auth.backends.ModelBackend"
CHANGE = reverse("account_change_password")


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def come_in(name: str, password: str) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    assert client.post("/accounts/login/", {"login": name, "password": password}).status_code == 302
    return client


def led(client: Client) -> bool:
    answer = client.get("/")
    return bool(answer.status_code == 302 and answer["Location"] == CHANGE)


def change(client: Client, old: str, new: str) -> Any:
    return client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})


def entered_on_the_page() -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member("sy"), backend=SIGN_IN)
    assert client.post(reverse("office:person_add"), {"username": "newcomer", "password": FIRST}).status_code == 302


def test_a_newcomer_changes_her_first_password_before_anything_else() -> None:
    entered_on_the_page()
    client = come_in("newcomer", FIRST)
    assert led(client)
    assert client.get("/api/v1/me").json()["code"] == "account_change_password"
    assert "Somebody else chose your password" in client.get(CHANGE).content.decode()
    change(client, "wrong", OWN)
    assert led(client), "a change that is refused is none"
    assert change(client, FIRST, OWN).status_code == 302
    assert client.get("/").status_code == 200 and come_in("newcomer", OWN).get("/").status_code == 200


def test_without_the_mark_the_first_password_would_do() -> None:
    """The negative control."""
    entered_on_the_page()
    Person.objects.update(password_given=False)
    assert not led(come_in("newcomer", FIRST))


def test_a_password_set_for_her_is_changed_and_her_tokens_go_on() -> None:
    ann = member("ann")
    text = tokens.create(ann, by=ann, at=clock.now())[1]
    made = sign_in.set_password(ann, by=member("se"), on=TODAY, at=clock.now())
    assert led(come_in("ann", made))
    assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {text}"}).status_code == 200


def test_who_was_entered_at_the_command_line_keeps_hers() -> None:
    posts.add_person("newcomer", password=FIRST, by=posts.system(), on=TODAY, at=clock.now())
    assert not led(come_in("newcomer", FIRST))


def test_who_comes_by_single_sign_on_is_not_asked() -> None:
    entered_on_the_page()
    newcomer = Person.objects.get(username="newcomer")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(newcomer, backend=SIGN_IN)
    prove(client, newcomer, clock.now().timestamp())
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": clock.now().timestamp()}]
    session.save()
    assert not led(client)
