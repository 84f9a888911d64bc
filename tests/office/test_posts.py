"""People and posts: what somebody holds on a day, what it takes away at once, who may give it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shouxin.office import clock, moves, posts, sight, tokens
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotVisible, NotYourDuty
from shouxin.rules.flow import flow, step
from shouxin.rules.policy import Post
from tests.api import Caller
from tests.people import EAST, TODAY, acme, member, person

pytestmark = pytest.mark.django_db
YESTERDAY, TOMORROW = TODAY - timedelta(1), TODAY + timedelta(1)


def act(by: Person, on: date = TODAY) -> dict[str, Any]:
    """by, on, at of a verb."""
    return {"by": by, "on": on, "at": clock.now()}


def again(one: Person) -> Person:
    """The person as the next request loads her."""
    return Person.objects.get(pk=one.pk)


@pytest.mark.clause("C2")
def test_a_post_is_held_from_its_first_day_to_the_day_before_its_last(sy: Person) -> None:
    eve = person("eve")
    posts.appoint(eve, Post.SALES, since=TODAY, **act(sy))
    posts.end_appointment(eve, Post.SALES, **act(sy, TOMORROW))
    held = {day: posts.posts_of(again(eve), on=day) for day in (YESTERDAY, TODAY, TOMORROW)}
    assert held == {YESTERDAY: frozenset(), TODAY: {Post.SALES}, TOMORROW: frozenset()}


@pytest.mark.invariant("I-18", "I-22")
def test_nobody_is_given_a_post_for_days_gone_by(sy: Person) -> None:
    eve = person("eve")
    with pytest.raises(BadForm) as refused:
        posts.appoint(eve, Post.SALES, since=YESTERDAY, **act(sy))
    assert dict(refused.value.errors).keys() == {"since"} and posts.posts_of(again(eve), on=YESTERDAY) == frozenset()
    posts.appoint(eve, Post.SALES, since=YESTERDAY, **act(posts.system()))
    assert posts.posts_of(again(eve), on=YESTERDAY) == {Post.SALES}


def test_the_built_in_person_is_not_disabled(sy: Person) -> None:
    with pytest.raises(BadForm):
        posts.disable_person(posts.system(), **act(sy))
    assert again(posts.system()).is_active


@pytest.mark.invariant("I-18")
def test_an_authority_cut_counts_at_once(sy: Person) -> None:
    eve = person("eve")
    posts.appoint(eve, Post.CREDIT_MANAGER, since=YESTERDAY, amount_max=Decimal("50000"), **act(sy, YESTERDAY))
    assert posts.authority_of(eve, TODAY) == ((Post.CREDIT_MANAGER, Decimal("50000")),)
    posts.appoint(eve, Post.CREDIT_MANAGER, since=TODAY, amount_max=Decimal("1000"), **act(sy))
    assert posts.authority_of(again(eve), TODAY) == ((Post.CREDIT_MANAGER, Decimal("1000")),)


@pytest.mark.invariant("I-18")
def test_an_authority_cut_counts_at_once_whatever_was_planned(sy: Person) -> None:
    eve = person("eve")
    for since, amount in ((TODAY, "500000"), (TODAY + timedelta(days=90), "500000"), (TODAY, "10000")):
        posts.appoint(eve, Post.VICE_PRESIDENT, since=since, amount_max=Decimal(amount), **act(sy))
    for day in (TODAY, TODAY + timedelta(days=400)):
        assert posts.authority_of(again(eve), day) == ((Post.VICE_PRESIDENT, Decimal("10000")),)


@pytest.mark.invariant("I-18", "I-20b")
def test_a_post_that_ends_ends_with_its_renewal_and_stands_in_no_other_ones_way(sy: Person) -> None:
    eve = person("eve")
    for since in (TODAY, TODAY + timedelta(days=30)):
        posts.appoint(eve, Post.FINANCE, since=since, **act(sy))
    with pytest.raises(BadForm):
        posts.appoint(eve, Post.AUDITOR, since=TODAY, **act(sy))
    posts.end_appointment(eve, Post.FINANCE, **act(sy))
    held = {posts.posts_of(again(eve), on=TODAY + timedelta(days=days)) for days in (0, 1, 30, 400)}
    assert held == {frozenset()}
    with pytest.raises(Moved):
        posts.end_appointment(eve, Post.FINANCE, **act(sy))
    posts.appoint(eve, Post.AUDITOR, since=TODAY, **act(sy))


@pytest.mark.invariant("I-20b")
def test_posts_that_go_with_no_other_are_refused_before_a_planned_one_too(sy: Person) -> None:
    eve = person("eve")
    posts.appoint(eve, Post.FINANCE, since=TODAY + timedelta(days=30), **act(sy))
    with pytest.raises(BadForm):
        posts.appoint(eve, Post.AUDITOR, since=TODAY, **act(sy))


@pytest.mark.invariant("I-18")
def test_a_disabled_person_loses_session_token_and_posts_on_the_next_request(cy: Person, sy: Person) -> None:
    _row, text = tokens.create(cy, by=cy, at=clock.now())
    session, bearer = Caller(cy), Caller(token=text)
    assert (session.get("/me").status_code, bearer.get("/me").status_code) == (200, 200)
    posts.disable_person(again(cy), **act(sy))
    assert (session.get("/me").status_code, bearer.get("/me").status_code) == (401, 401)
    assert posts.posts_of(again(cy), on=TODAY) == frozenset()


@pytest.mark.parametrize("caller", ["ann", "bo", "cy", "vi", "le", "fi", "ed"])
def test_only_the_system_manager_gives_posts(caller: str) -> None:
    with pytest.raises(NotYourDuty) as refusal:
        posts.appoint(person("eve"), Post.SALES, since=TODAY, **act(member(caller)))
    assert refusal.value.trail_line.particulars["duty"] == ["security-manager", "system-manager"]


@pytest.mark.invariant("I-20b")
def test_the_system_manager_gives_herself_nothing(sy: Person) -> None:
    with pytest.raises(NotYourDuty):
        posts.appoint(sy, Post.CREDIT_MANAGER, since=TODAY, **act(sy))


@pytest.mark.invariant("I-20b")
@pytest.mark.parametrize("apart", [Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.AUDITOR])
def test_running_or_auditing_the_machine_goes_with_no_business(apart: Post, sy: Person) -> None:
    eve = person("eve", Post.SALES)
    with pytest.raises(BadForm):
        posts.appoint(eve, apart, since=TODAY, **act(sy))


@pytest.mark.invariant("I-20b")
def test_once_there_is_a_security_manager_the_system_manager_gives_no_posts(sy: Person, se: Person, cy: Person) -> None:
    eve = posts.add_person("eve", **act(sy))
    with pytest.raises(NotYourDuty):
        posts.appoint(eve, Post.VICE_PRESIDENT, since=TODAY, **act(sy))
    for verb in (posts.disable_person, lambda of, **who: posts.end_appointment(of, Post.CREDIT_MANAGER, **who)):
        with pytest.raises(NotYourDuty):
            verb(cy, **act(sy))
    posts.appoint(eve, Post.SALES, since=TODAY, **act(se))
    posts.disable_person(cy, **act(se))
    assert (posts.posts_of(again(eve), on=TODAY), again(cy).is_active) == ({Post.SALES}, False)


@pytest.mark.invariant("I-20b")
def test_the_security_manager_adds_nobody_and_gives_herself_nothing(se: Person) -> None:
    with pytest.raises(NotYourDuty):
        posts.add_person("eve", **act(se))
    with pytest.raises(NotYourDuty) as refusal:
        posts.appoint(se, Post.SECURITY_MANAGER, since=TODAY, amount_max=Decimal(1), **act(se))
    assert refusal.value.code == "own_posts"


@pytest.mark.invariant("I-18", "I-20b")
def test_who_loses_the_security_post_gives_no_more_posts_on_the_next_request(se: Person) -> None:
    posts.appoint(person("eve"), Post.SECURITY_MANAGER, since=TODAY, **act(se))
    posts.end_appointment(se, Post.SECURITY_MANAGER, **act(again(person("eve"))))
    with pytest.raises(NotYourDuty):
        posts.appoint(person("kim"), Post.SALES, since=TODAY, **act(again(se)))


@pytest.mark.invariant("I-20b")
def test_the_system_manager_makes_no_tokens_for_others(cy: Person, sy: Person) -> None:
    with pytest.raises(NotYourDuty):
        tokens.create(cy, by=sy, at=clock.now())


def test_tokens_over_the_api(cy: Person, ann: Person) -> None:
    made = Caller(cy).post("/tokens", {"label": "ERP"}).data
    assert Caller(token=made["token"]).get("/me").data["username"] == "cy"
    (listed,) = Caller(cy).get("/tokens").data
    assert (listed["label"], "token" in listed) == ("ERP", False)
    assert Caller(ann).post(f"/tokens/{made['id']}/revoke").status_code == 404
    assert Caller(cy).post(f"/tokens/{made['id']}/revoke").data["revoked_at"]
    assert Caller(token=made["token"]).get("/me").status_code == 401


def test_people_over_the_api(sy: Person, cy: Person, ann: Person) -> None:
    made = Caller(sy).post("/people", {"username": "eve", "department": EAST})
    assert (made.status_code, made.data["posts"]) == (201, [])
    path = f"/people/{made.data['id']}"
    assert Caller(sy).post(f"{path}/appoint", {"post": "sales"}).data["posts"] == ["sales"]
    assert Caller(cy).post(f"{path}/appoint", {"post": "finance"}).status_code == 403
    assert Caller(cy).post("/people/999999/appoint", {"post": "finance"}).status_code == 403
    assert Caller(sy).post(f"{path}/end-appointment", {"post": "sales"}).data["posts"] == []
    assert Caller(sy).post(f"{path}/disable").data["active"] is False
    assert "eve" in {each["username"] for each in Caller(sy).get("/people").data["items"]}
    assert Caller(cy).get("/people").status_code == 200
    assert Caller(ann).get("/people").status_code == 403


def test_an_expired_token_opens_nothing(cy: Person) -> None:
    ends = clock.now() + timedelta(seconds=1)
    _row, text = tokens.create(cy, by=cy, at=clock.now(), expires_at=ends)
    assert tokens.person_of(text, on=TODAY, at=ends) is None


def test_a_token_is_kept_only_as_its_digest(cy: Person) -> None:
    row, text = tokens.create(cy, by=cy, at=clock.now())
    assert text not in str({name: getattr(row, name) for name in ("digest", "label")})
    assert text not in str(list(TrailEntry.objects.values_list("particulars", flat=True)))


# --- sight ---------------------------------------------------------------------------------------


@pytest.mark.invariant("I-33")
@pytest.mark.parametrize(
    ("caller", "sees"),
    [("ann", True), ("di", False), ("bo", True), ("cy", True), ("vi", True), ("le", True), ("fi", True), ("ed", True),
     ("ar", True), ("sy", False)],
)  # fmt: skip
def test_who_sees_acme(caller: str, sees: bool) -> None:
    pk = acme().pk
    assert (Caller(member(caller)).get(f"/customers/{pk}").status_code == 200) is sees
    assert bool(Caller(member(caller)).get("/customers").data["items"]) is sees


@pytest.mark.invariant("I-33")
def test_a_colleague_of_the_department_sees_acme_too() -> None:
    acme()
    assert Caller(person("amy", Post.SALES, department=EAST)).get("/customers/C001").status_code == 200


@pytest.mark.invariant("I-33")
def test_an_empty_department_is_nobodys_department() -> None:
    acme(code="C9", department="", salesperson=None)
    assert Caller(person("lea", Post.SALES)).get("/customers").data["items"] == []


@pytest.mark.invariant("I-33")
@pytest.mark.parametrize("path", ["", "/facts", "/standing", "/standings"])
def test_what_is_foreign_is_404_like_what_does_not_exist(di: Person, path: str) -> None:
    foreign = Caller(di).get(f"/customers/{acme().pk}{path}")
    nothing = Caller(di).get(f"/customers/999999999{path}")
    assert (foreign.status_code, foreign.data) == (404, nothing.data)


@pytest.mark.invariant("I-33")
@pytest.mark.parametrize(
    ("verb", "body"),
    [("facts", {"key": "lawsuits", "value": 1, "source": "media"}), ("standing", {"standing": "good", "reason": "x"}),
     ("names", {"name": "x"}), ("unmask", {"reason": "x"})],
)  # fmt: skip
def test_what_is_foreign_cannot_be_written(di: Person, verb: str, body: dict[str, Any]) -> None:
    assert Caller(di).post(f"/customers/{acme().pk}/{verb}", body).status_code == 404


@pytest.mark.parametrize("pk", [-1, 0, 2**63, 10**30])
def test_no_number_breaks_the_lookup(cy: Person, pk: int) -> None:
    with pytest.raises(NotVisible):
        sight.get_visible(Person, cy, pk, on=TODAY, path="customers")


# --- moves: every verb in every status by everybody ----------------------------------------------

PAPER = flow(
    "paper",
    "proposed",
    [
        step("confirm", "proposed", "confirmed", Post.CREDIT_MANAGER),
        step("decline", "proposed confirmed", "declined", Post.CREDIT_MANAGER, Post.VICE_PRESIDENT),
        step("lapse", "proposed", "withdrawn"),
    ],
)


def release(status: str) -> Any:
    """A paper in this status: the proposal to lift a blacklisting serves as one."""
    customer = acme()
    return customer.standing_releases.create(
        standing="good", why="paid", proposed_by=member("ann"), proposed_at=clock.now(), status=status
    )


@pytest.mark.invariant("I-17")
@pytest.mark.parametrize("status", PAPER.statuses)
@pytest.mark.parametrize("verb", PAPER.verbs)
@pytest.mark.parametrize("caller", ["ann", "cy", "vi", "system"])
def test_every_verb_in_every_status_by_everybody(status: str, verb: str, caller: str) -> None:
    by = posts.system() if caller == "system" else member(caller)
    paper, row = release(status), PAPER.step(verb, status)
    duty = {"confirm": {"cy"}, "decline": {"cy", "vi"}, "lapse": {"system"}}[verb]
    if caller in duty and row:
        moves.move(paper, PAPER, verb, **act(by), decided_by=by)
        paper.refresh_from_db()
        assert (paper.status, paper.decided_by) == (row.target, by)
        line = TrailEntry.objects.get(verb=verb)
        assert (line.particulars["was"], line.particulars["now"]) == (status, row.target)
    else:
        with pytest.raises(Moved if caller in duty else NotYourDuty):
            moves.move(paper, PAPER, verb, **act(by))
        paper.refresh_from_db()
        assert paper.status == status
    assert (verb in moves.verbs_for(release(status), PAPER, by, TODAY)) == (caller in duty - {"system"} and bool(row))


def test_a_verb_no_table_knows_is_404(cy: Person) -> None:
    with pytest.raises(NotVisible):
        moves.move(release("proposed"), PAPER, "explode", **act(cy))


@pytest.mark.invariant("I-17")
def test_of_two_who_saw_the_same_paper_one_is_told_it_moved(cy: Person, vi: Person) -> None:
    mine, hers = (release("proposed") for _ in range(2))
    hers.pk = mine.pk
    moves.move(mine, PAPER, "confirm", **act(cy))
    hers.status = "proposed"
    with pytest.raises(Moved):
        moves.move(hers, PAPER, "decline", **act(vi))


def test_posts_are_asked_once_per_request_and_person(cy: Person, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        for _ in range(3):
            posts.posts_of(cy, on=TODAY)


@pytest.mark.parametrize("name", ["ｃｙ", "сy", "CY", "c y", "cy\u200b", "", "c/y", "x" * 151], ids=ascii)
def test_no_two_sign_in_names_look_alike(sy: Person, name: str) -> None:
    member("cy")
    with pytest.raises(BadForm) as refused:
        posts.add_person(name, **act(sy))
    assert refused.value.errors[0][0] == "username"


def test_a_sign_in_name_of_the_directory_is_one(sy: Person) -> None:
    assert posts.add_person(" Eva.Li-2@example.com ", **act(sy)).username == "Eva.Li-2@example.com"


def test_a_bound_below_zero_and_a_post_for_somebody_disabled_are_refused(se: Person) -> None:
    eve = person("eve")
    with pytest.raises(BadForm, match="amount_max"):
        posts.appoint(eve, Post.CREDIT_MANAGER, since=TODAY, amount_max=Decimal("-0.01"), **act(se))
    posts.disable_person(eve, **act(se))
    with pytest.raises(Moved):
        posts.appoint(eve, Post.CREDIT_MANAGER, since=TODAY, **act(se))
    assert not eve.appointments.exists()
