"""Standing and facts: who puts whom where, how a blacklisting is lifted, what counts on which day."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection

from shouxin.customers import facts, standing
from shouxin.customers.models import Customer, Fact, Standing, StandingKind
from shouxin.office import clock, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from tests.api import Caller
from tests.people import TODAY, acme, member

pytestmark = pytest.mark.django_db
HEADS = {"cy", "vi", "le"}
OFFICE = HEADS | {"bo"}


def act(by: Person, on: date = TODAY) -> dict[str, Any]:
    """by, on, at of a verb."""
    return {"by": by, "on": on, "at": clock.now()}


def put(customer: Customer, kind: str, by: Person, on: date = TODAY, **more: Any) -> Any:
    """Put the customer there because the test says so."""
    return standing.set_standing(customer, kind, why="test", **act(by, on), **more)


def stands(customer: Customer, on: date = TODAY) -> str:
    """Where the customer stands on the day."""
    return standing.standings_of([customer.pk], on).get(customer.pk, "good")


@pytest.mark.clause("B3.1")
@pytest.mark.parametrize("kind", StandingKind.values)
@pytest.mark.parametrize("was", StandingKind.values)
@pytest.mark.parametrize("caller", ["ann", "bo", "cy", "vi", "le", "fi", "ed", "sy"])
def test_who_puts_whom_where(caller: str, was: str, kind: str) -> None:
    customer = acme()
    if was != "good":
        Standing.objects.create(customer=customer, standing=was, since=TODAY, why="x", at=clock.now())
    order = StandingKind.values
    harder = order.index(kind) > order.index(was) and kind not in ("suspended", "blacklisted")
    duty = OFFICE if harder or (kind == was and kind in ("watched", "stopped", "cash_only")) else HEADS
    if caller in duty and kind != was:
        put(customer, kind, member(caller))
        assert stands(customer) == ("blacklisted" if was == "blacklisted" else kind)
    else:
        with pytest.raises(Moved if caller in duty else NotYourDuty):
            put(customer, kind, member(caller))
        assert stands(customer) == was


@pytest.mark.clause("B2.5")
def test_a_malicious_default_is_cash_only_at_once_and_a_known_fact(cy: Person) -> None:
    customer = acme()
    put(customer, "cash_only", cy, malicious=True)
    assert stands(customer) == "cash_only"
    assert facts.latest([customer.pk], TODAY)[customer.pk]["malicious_default"].value is True
    with pytest.raises(BadForm):
        put(acme(code="C2"), "watched", cy, malicious=True)


# --- lifting a blacklisting takes two ------------------------------------------------------------


@pytest.fixture
def blacklisted(cy: Person) -> Customer:
    customer = acme()
    put(customer, "blacklisted", cy)
    return customer


@pytest.mark.invariant("I-20")
def test_the_first_proposes_and_a_second_confirms(blacklisted: Customer, cy: Person, vi: Person) -> None:
    path = f"/customers/{blacklisted.pk}/standing"
    first = Caller(cy).post(path, {"standing": "good", "reason": "paid in full"})
    assert (first.status_code, first.data["standing"]) == (202, "blacklisted")
    second = Caller(vi).post(path, {"standing": "good", "reason": "agreed"})
    assert (second.status_code, second.data["standing"], second.data["pending"]) == (200, "good", None)
    row = Standing.objects.latest("id")
    assert (row.by, row.confirmed_by, row.why) == (cy, vi, "paid in full")


@pytest.mark.invariant("I-20")
def test_the_same_person_never_confirms_by_any_way(blacklisted: Customer, cy: Person) -> None:
    release = put(blacklisted, "good", cy)
    for attempt in (
        lambda: put(blacklisted, "good", cy),
        lambda: standing.decide_release(release, "confirm", **act(cy)),
    ):
        with pytest.raises(NotYourDuty) as refusal:
            attempt()
        assert refusal.value.code == "second_person"
    assert stands(blacklisted) == "blacklisted"
    assert standing.verbs_for(release, cy, TODAY) == ["withdraw"]


@pytest.mark.invariant("I-14")
def test_the_customers_own_salesperson_does_not_confirm(blacklisted: Customer, cy: Person, vi: Person) -> None:
    Customer.objects.update(salesperson=vi)
    release = put(blacklisted, "good", cy)
    with pytest.raises(NotYourDuty):
        standing.decide_release(release, "confirm", **act(vi))


@pytest.mark.invariant("I-20")
@pytest.mark.parametrize("verb", standing.RELEASE.verbs)
@pytest.mark.parametrize("status", standing.RELEASE.statuses)
@pytest.mark.parametrize("caller", ["ann", "bo", "cy", "vi", "le", "ed", "sy"])
def test_every_verb_in_every_status_of_a_proposal(
    blacklisted: Customer, cy: Person, caller: str, status: str, verb: str
) -> None:
    release = put(blacklisted, "watched", cy)
    type(release).objects.update(status=status)
    release.refresh_from_db()
    may = {"cy"} if verb == "withdraw" else {"vi", "le"} | ({"cy"} if verb == "decline" else set())
    if caller in may and status == "proposed":
        standing.decide_release(release, verb, **act(member(caller)))
        assert stands(blacklisted) == ("watched" if verb == "confirm" else "blacklisted")
    else:
        with pytest.raises(Moved if caller in may else NotYourDuty):
            standing.decide_release(release, verb, **act(member(caller)))
        assert stands(blacklisted) == "blacklisted"


def test_two_proposals_do_not_stand_side_by_side(blacklisted: Customer, cy: Person, vi: Person) -> None:
    put(blacklisted, "good", cy)
    with pytest.raises(Moved):
        put(blacklisted, "cash_only", vi)


@pytest.mark.invariant("I-20")
def test_the_daily_run_never_lifts_a_blacklisting(blacklisted: Customer) -> None:
    wanted = [standing.Wanted(blacklisted.pk, "good", "nothing overdue")]
    assert standing.set_standings(wanted, **act(posts.system())) == []
    with pytest.raises(NotYourDuty):
        put(blacklisted, "good", posts.system())


@pytest.mark.invariant("I-20")
def test_the_heads_blacklisting_bites_its_members(cy: Person) -> None:
    head = acme(code="H")
    child = acme(code="M", group_head=head)
    put(head, "blacklisted", cy)
    assert standing.effective([child, head], TODAY) == {child.pk: "blacklisted", head.pk: "blacklisted"}


@pytest.mark.invariant("I-17")
@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_at_the_same_moment_lift_it_once() -> None:
    customer = acme()
    put(customer, "blacklisted", member("cy"))
    release = put(customer, "good", member("cy"))
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def confirm(by: Person) -> None:
        mine = type(release).objects.get(pk=release.pk)
        gate.wait()
        try:
            standing.decide_release(mine, "confirm", **act(by))
            outcomes.append("lifted")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=(member(name),)) for name in ("vi", "le")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["lifted", "moved"]
    assert Standing.objects.filter(standing="good").count() == 1


# --- the daily run -------------------------------------------------------------------------------


def test_the_daily_run_hardens_softens_its_own_and_leaves_peoples_word(
    cy: Person, django_assert_max_num_queries: Any
) -> None:
    system = posts.system()
    untouched, softened, by_person = (acme(code=code) for code in ("U", "S", "P"))
    put(softened, "stopped", system)
    put(by_person, "stopped", cy)
    wanted = [standing.Wanted(each.pk, "watched", "1 day late") for each in (untouched, softened, by_person)]
    with django_assert_max_num_queries(8):
        standing.set_standings(wanted, **act(system))
    assert [stands(each) for each in (untouched, softened, by_person)] == ["watched", "watched", "stopped"]
    assert standing.set_standings(wanted, **act(system)) == []
    assert TrailEntry.objects.filter(verb="set_standing", by=system).count() == 3


def test_any_past_day_can_be_asked_about(cy: Person) -> None:
    customer = acme()
    put(customer, "watched", cy, on=TODAY - timedelta(5))
    put(customer, "suspended", cy)
    days = {-6: "good", -5: "watched", -1: "watched", 0: "suspended", 99: "suspended"}
    assert {back: stands(customer, TODAY + timedelta(back)) for back in days} == days


@pytest.mark.invariant("I-21")
def test_standings_are_only_added(cy: Person) -> None:
    put(acme(), "watched", cy)
    with pytest.raises(DatabaseError):
        Standing.objects.update(standing="good")


@pytest.mark.parametrize("body", [{"standing": "fine", "reason": "x"}, {"standing": "watched", "reason": " "}])
def test_no_standing_without_a_name_and_a_reason(cy: Person, body: dict[str, str]) -> None:
    assert Caller(cy).post(f"/customers/{acme().pk}/standing", body).status_code == 422


# --- facts ---------------------------------------------------------------------------------------


def learn(key: str, value: Any, *, days: int = 0, until: date | None = None, customer: Customer | None = None) -> Fact:
    """Bo learns something, some days ago."""
    source = {"source": "registry", "as_of": TODAY + timedelta(days), "until": until}
    return facts.add(customer or acme(), key, value, **source, **act(member("bo")))


def known(key: str, days: int = 0) -> Any:
    """What counts of this key on the day."""
    fact = facts.latest([acme().pk], TODAY + timedelta(days)).get(acme().pk, {}).get(key)
    return fact.value if fact else None


@pytest.mark.clause("A7")
def test_the_latest_fact_of_a_key_counts_on_its_day() -> None:
    learn("debt_to_assets", "0.70", days=-30)
    learn("debt_to_assets", "0.55", days=-3)
    learn("debt_to_assets", "0.90", days=-90)
    assert [known("debt_to_assets", days) for days in (-91, -90, -30, -4, 0)] == [
        None, Decimal("0.90"), Decimal("0.70"), Decimal("0.70"), Decimal("0.55")
    ]  # fmt: skip


def test_a_repaired_record_counts_no_longer() -> None:
    learn("judgment_debtor", True, days=-30)
    learn("judgment_debtor", None, days=-2)
    assert [known("judgment_debtor", days) for days in (-3, -2, 0)] == [True, None, None]


def test_a_fact_published_until_a_day_ends_after_it() -> None:
    learn("penalties", 2, days=-30, until=TODAY)
    assert [known("penalties", days) for days in (0, 1)] == [Decimal(2), None]


@pytest.mark.invariant("I-31")
@pytest.mark.parametrize("value", ["0.1", Decimal("0.1"), "0.10"])
def test_numbers_of_facts_are_exact(value: Any) -> None:
    learn("debt_to_assets", value)
    assert known("debt_to_assets") == Decimal("0.1")
    assert isinstance(Fact.objects.get().value, str)


@pytest.mark.parametrize(
    ("key", "value"),
    [("debt_to_assets", "much"), ("debt_to_assets", True), ("debt_to_assets", "1e3x"), ("debt_to_assets", "NaN"),
     ("debt_to_assets", 0.1), ("dissolved", "yes"), ("dissolved", 1), ("tax_grade", "E"),
     ("Bad Key", "x"), ("note", ""), ("note", ["x"])],
)  # fmt: skip
def test_an_answer_the_scorecard_could_not_read_is_refused(key: str, value: Any) -> None:
    with pytest.raises(BadForm):
        learn(key, value)


def test_a_fact_from_the_future_is_refused() -> None:
    with pytest.raises(BadForm):
        learn("lawsuits", 1, days=1)


@pytest.mark.parametrize(("caller", "status"), [("ann", 201), ("bo", 201), ("fi", 201), ("ed", 403), ("ar", 403)])
def test_who_collects_facts(caller: str, status: int) -> None:
    body = {"key": "lawsuits", "value": 2, "source": "gazette", "note": "（2026）沪01民初1号"}
    answer = Caller(member(caller)).post(f"/customers/{acme().pk}/facts", body)
    assert answer.status_code == status
    if status == 201:
        assert (answer.data["value"], answer.data["collected_by"]) == ("2", caller)


def test_the_facts_of_many_customers_take_one_query(django_assert_num_queries: Any) -> None:
    several = [acme(code=f"F{number}") for number in range(4)]
    for customer in several:
        learn("lawsuits", 1, customer=customer)
        learn("penalties", 2, customer=customer)
    with django_assert_num_queries(1):
        found = facts.latest([each.pk for each in several], TODAY)
    assert {len(each) for each in found.values()} == {2}


def test_facts_are_only_added() -> None:
    learn("lawsuits", 1)
    with pytest.raises(DatabaseError):
        Fact.objects.all().delete()
