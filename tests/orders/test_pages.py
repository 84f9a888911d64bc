"""The orders pages: the desk, a decision, holds and their release, reservations; who sees what."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.credit.models import Reservation
from shouxin.customers import search, standing
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.models import TrailEntry
from shouxin.orders import checks, holds
from shouxin.orders.checks import CheckRequest
from shouxin.orders.models import CreditDecision, Hold
from tests.people import CAST, TODAY, acme, member

from .test_checks import line

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
SIGN_IN = "django.contrib.auth.backends.ModelBackend"


def browser(who: str, language: str = "en") -> Client:
    """A browser in which one of the cast has signed in."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(who), backend=SIGN_IN)
    return client


def decide(amount: object, order: str = "SO-1", by: str = "bo", **more: Any) -> CreditDecision:
    request = CheckRequest(more.pop("customer", "C001"), Decimal(str(amount)), order, **more)
    edition = policies.in_force(TODAY)
    return checks.decide([request], edition=edition, today=TODAY, at=clock.now(), by=member(by))[0]


def held(amount: object = 1500, by: str = "bo") -> Hold:
    """An order of Acme's over its limit of 1000, on hold."""
    line(acme())
    return decide(amount, by=by).hold


LISTS = ["/orders/check/", "/orders/checks/", "/orders/holds/", "/orders/holds/overrides/", "/orders/reservations/"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("address", LISTS)
def test_every_list_opens_for_everybody_who_signed_in(address: str, language: str) -> None:
    held()
    decide(400, "SO-2")
    assert browser("cy", language).get(address).status_code == 200
    assert browser("sy", language).get(address).status_code == 200
    assert Client().get(address).status_code == 302


def test_the_desk_says_at_the_amount_that_no_account_could_hold_it() -> None:
    line(acme(), None)
    decide(1)
    form = {"customer": "C001", "order_no": "SO-7", "amount": "9,999,999,999,999.99", "act": "reserve"}
    answer = browser("ann").post("/orders/check/", form)
    assert answer.status_code == 422 and "13 digits" in answer.text
    assert not Reservation.objects.filter(order_no="SO-7").exists()


@pytest.mark.clause("A11", "B2.1")
def test_the_desk_reserves_and_shows_the_room() -> None:
    line(acme())
    form = {"customer": "C001", "order_no": "SO-7", "amount": "600", "act": "reserve"}
    answer = browser("ann").post("/orders/check/", form, follow=True)
    assert answer.status_code == 200
    made = Reservation.objects.get(order_no="SO-7")
    assert (made.reserved, made.number in answer.text, "400.00" in answer.text) == (600, True, True)


@pytest.mark.parametrize("who", ["ann", "cy"])
def test_the_desk_knows_a_customer_by_part_of_its_name_and_nobody_by_a_wrong_one(who: str) -> None:
    line(acme())
    form = {"order_no": "SO-7", "amount": "600", "act": "reserve"}
    assert browser(who).post("/orders/check/", form | {"customer": "NOBODY-0"}).status_code == 422
    assert not CreditDecision.objects.exists()
    assert browser(who).post("/orders/check/", form | {"customer": "艾克米"}).status_code == 302
    assert CreditDecision.objects.get().customer_code == "C001"


def test_the_desk_answers_for_an_earlier_day_and_reserves_for_none() -> None:
    line(acme(), since=TODAY - timedelta(days=10))
    form = {"customer": "C001", "order_no": "SO-7", "amount": "600", "act": "ask"}
    for day, outcome in ((TODAY - timedelta(days=9), "approve"), (TODAY - timedelta(days=11), "hold")):
        assert browser("ann").post("/orders/check/", form | {"as_of": day.isoformat()}).status_code == 302
        decision = CreditDecision.objects.latest("pk")
        assert (decision.as_of, decision.outcome) == (day, outcome)
    yesterday, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
    for act, day in (("reserve", yesterday), ("ask", tomorrow)):
        answer = browser("ann").post("/orders/check/", form | {"act": act, "as_of": day.isoformat()})
        assert answer.status_code == 422
        assert "Reserve as of today" in answer.text


def test_the_desk_only_asks() -> None:
    line(acme())
    search.recompute(Customer.objects.all())
    form = {"customer": "艾克米", "order_no": "", "amount": "1,200", "act": "ask"}
    answer = browser("ann").post("/orders/check/", form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "limit_exceeded" in answer.text
    assert (Hold.objects.count(), Reservation.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        pytest.param({"amount": "abc"}, "Write an amount", id="no amount"),
        pytest.param({"amount": "0"}, "above 0", id="nothing asked for"),
        pytest.param({"customer": "nobody"}, "No such customer", id="nobody"),
        pytest.param({"order_no": ""}, "needs its number", id="to reserve without a number"),
        pytest.param({"currency": "XXQ"}, "not known", id="no currency"),
        pytest.param({"ship_on": "2020-01-01"}, "This day has passed", id="shipped long ago"),
        pytest.param({"order_no": "9" * 81}, "At most 80 characters.", id="a number longer than any"),
    ],
)
def test_the_desk_names_what_is_wrong(changes: dict[str, str], blamed: str) -> None:
    line(acme())
    form = {"customer": "C001", "order_no": "SO-7", "amount": "600", "act": "reserve"} | changes
    answer = browser("ann").post("/orders/check/", form)
    assert (answer.status_code, CreditDecision.objects.count()) == (422, 0)
    assert blamed in answer.text


def test_a_customer_of_another_department_is_nobody_at_the_desk() -> None:
    line(acme())
    search.recompute(Customer.objects.all())
    form = {"customer": "C001", "order_no": "SO-7", "amount": "600", "act": "reserve"}
    assert browser("di").post("/orders/check/", form).status_code == 422
    assert CreditDecision.objects.count() == 0
    assert "C001" not in browser("di").get("/orders/check/customers?customer=C001").text
    assert "C001" in browser("ann").get("/orders/check/customers?customer=aikemi").text
    assert browser("di").get("/orders/check/customers/C001").status_code == 404
    assert browser("ann").get("/orders/check/customers/C001").status_code == 200


@pytest.mark.parametrize("who", ["ed", "ar", "sy"])
def test_asking_is_for_those_who_do_business(who: str) -> None:
    line(acme())
    form = {"customer": "C001", "order_no": "SO-7", "amount": "600", "act": "reserve"}
    assert browser(who).post("/orders/check/", form).status_code == 403
    assert TrailEntry.objects.filter(verb="refuse", by=member(who)).count() == 1


def test_the_customer_of_an_order_leads_to_its_file_and_nobody_known_nowhere() -> None:
    hold = held()
    decide(400, "SO-2")
    decide(1, "SO-3", customer="NOBODY-0")
    file = f'href="/customers/{hold.customer_id}/"'
    for address in ("holds", "checks", "reservations"):
        assert file in browser("cy").get(f"/orders/{address}/").text
    assert "已释放" in browser("cy", "zh-hans").get("/orders/reservations/").text


SEES = {who: who not in ("di", "sy", "se") for who in CAST}


@pytest.mark.parametrize("who", CAST)
def test_who_sees_what(who: str) -> None:
    hold = held()
    made = decide(400, "SO-2")
    client, expected = browser(who), 200 if SEES[who] else 404
    for address in (
        f"/orders/checks/{made.pk}/",
        f"/orders/holds/{hold.pk}/",
        f"/orders/reservations/{made.reservation_id}/",
    ):
        assert client.get(address).status_code == expected, address
    assert ("SO-2" in client.get("/orders/checks/").text) is SEES[who]
    assert ("SO-1" in client.get("/orders/holds/").text) is SEES[who]


@pytest.mark.parametrize(
    "address", ["checks/99999999999999999999999", "holds/99999999999999999999999", "reservations/1"]
)
def test_what_is_not_there(address: str) -> None:
    assert browser("cy").get(f"/orders/{address}/").status_code == 404


@pytest.mark.invariant("I-12")
def test_a_decision_is_recomputed_on_its_page() -> None:
    hold = held()
    answer = browser("ed").post(f"/orders/checks/{hold.decision_id}/replay")
    assert "comes out the same" in answer.text


# --- holds: verb × status × who ------------------------------------------------------------------

RELEASED = {"reason": "Paid in part, the rest is promised", "up_to_amount": "1,500.00", "until": ""}


def test_a_release_reserves_and_stands_in_the_register() -> None:
    hold = held()
    answer = browser("cy").post(f"/orders/holds/{hold.pk}/release", RELEASED)
    assert answer.status_code == 302
    assert Reservation.objects.get().reserved == 1500
    register = browser("ed").get("/orders/holds/overrides/").text
    assert "Cy" in register and "the rest is promised" in register


@pytest.mark.parametrize(
    ("who", "status"), [(who, 302 if who in ("cy", "vi", "le") else 403) for who in CAST if SEES[who]]
)
@pytest.mark.parametrize("verb", ["release", "reject"])
def test_whose_duty_a_hold_is(who: str, status: int, verb: str) -> None:
    hold = held()
    assert browser(who).post(f"/orders/holds/{hold.pk}/{verb}", RELEASED).status_code == status


@pytest.mark.parametrize("status", ["released", "rejected", "cured", "superseded"])
@pytest.mark.parametrize("verb", ["release", "reject", "recheck"])
def test_a_hold_that_is_decided_stays_decided(status: str, verb: str) -> None:
    hold = held()
    Hold.objects.filter(pk=hold.pk).update(status=status)
    assert browser("cy").post(f"/orders/holds/{hold.pk}/{verb}", RELEASED).status_code == 409
    assert Reservation.objects.count() == 0


@pytest.mark.invariant("I-19")
def test_nobody_releases_what_she_asked_for() -> None:
    hold = held(by="cy")
    page = browser("cy").get(f"/orders/holds/{hold.pk}/").text
    assert "somebody else has to release it" in page
    assert browser("cy").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 403
    assert browser("vi").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 302


@pytest.mark.invariant("I-19")
def test_the_salesperson_of_the_customer_releases_nothing_even_as_manager() -> None:
    line(acme(salesperson=member("cy")))
    hold = decide(1500).hold
    assert browser("cy").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 403
    assert Hold.objects.get(pk=hold.pk).status == "open"


@pytest.mark.invariant("I-19")
def test_only_what_is_on_hold_can_be_released_and_only_what_was_released_is_in_the_register() -> None:
    hold = held()
    free = decide(400, "SO-2")
    assert not Hold.objects.filter(decision=free).exists()
    decide(1600, "SO-3")
    assert browser("vi").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 302
    register = browser("ed").get("/orders/holds/overrides/").text
    assert ("SO-1" in register, RELEASED["reason"] in register) == (True, True)
    assert not {"SO-2", "SO-3"} & set(re.findall(r"SO-[0-9]", register))


@pytest.mark.invariant("I-14", "I-19")
def test_somebody_elses_recheck_does_not_make_her_own_order_releasable() -> None:
    hold = held(by="cy")
    again = holds.recheck(hold, edition=policies.in_force(TODAY), by=member("bo"), today=TODAY, at=clock.now()).hold
    assert again.decision.by == member("bo")
    assert browser("cy").post(f"/orders/holds/{again.pk}/release", RELEASED).status_code == 403
    assert browser("vi").post(f"/orders/holds/{again.pk}/release", RELEASED).status_code == 302


@pytest.mark.clause("C4.1")
def test_beyond_her_authority_it_goes_to_a_higher_post() -> None:
    hold = held("100000.01")
    form = RELEASED | {"up_to_amount": "100000.01"}
    answer = browser("cy").post(f"/orders/holds/{hold.pk}/release", form)
    assert answer.status_code == 403
    assert "higher post" in answer.text
    assert browser("vi").post(f"/orders/holds/{hold.pk}/release", form).status_code == 302


@pytest.mark.clause("B2.5")
def test_who_is_blacklisted_is_released_by_nobody() -> None:
    hold = held()
    standing.set_standing(acme(), "blacklisted", why="fraud", by=member("le"), on=TODAY, at=clock.now())
    assert browser("le").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 409
    assert Reservation.objects.count() == 0
    assert Hold.objects.get(pk=hold.pk).status == "open"


def test_a_hold_whose_order_was_decided_again_is_over() -> None:
    hold = held()
    decide(1600)
    assert browser("cy").post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"reason": "   "}, "reason", id="no reason"),
        pytest.param({"up_to_amount": "1499.99"}, "up_to_amount", id="one cent short of the order"),
        pytest.param({"until": "2026-11-23"}, "until", id="yesterday"),
        pytest.param({"until": "2026-12-25"}, "until", id="one day too late"),
    ],
)
def test_a_release_names_what_is_wrong(changes: dict[str, str], field: str) -> None:
    hold = held()
    answer = browser("cy").post(f"/orders/holds/{hold.pk}/release", RELEASED | changes)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert Hold.objects.get(pk=hold.pk).status == "open"


def test_checking_again_cures_what_is_cured() -> None:
    hold = held()
    line(acme(), 5000)
    assert browser("ann").post(f"/orders/holds/{hold.pk}/recheck").status_code == 302
    assert Hold.objects.get(pk=hold.pk).status == "cured"
    assert Reservation.objects.get().reserved == 1500


@pytest.mark.invariant("I-17", "I-19")
@pytest.mark.django_db(transaction=True)
def test_two_who_release_at_once_make_one_reservation() -> None:
    hold = held()
    clients, start = [browser("cy"), browser("vi")], threading.Barrier(2)

    def release(client: Client) -> int:
        start.wait(10)
        try:
            return client.post(f"/orders/holds/{hold.pk}/release", RELEASED).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(release, clients))
    assert statuses == [302, 409]
    assert [row.reserved for row in Reservation.objects.all()] == [1500]


# --- reservations --------------------------------------------------------------------------------


def test_the_walk_of_an_order_on_its_page() -> None:
    line(acme())
    row = decide(1000).reservation
    address = f"/orders/reservations/{row.pk}"
    assert browser("ann").post(f"{address}/deliver", {"amount": "400"}).status_code == 302
    assert browser("fi").post(f"{address}/bill", {"amount": "300", "invoice_no": "F-1"}).status_code == 302
    assert browser("bo").post(f"{address}/extend", {"until": "2027-01-31"}).status_code == 302
    assert browser("ann").post(f"{address}/cancel", {"amount": "100"}).status_code == 302
    row.refresh_from_db()
    assert (row.reserved, row.unbilled, row.billed, row.released) == (500, 100, 300, 100)
    page = browser("ann").get(f"{address}/")
    assert "2027-01-31" in page.text
    assert f"{address}/bill" not in page.text  # billing is not for sales


@pytest.mark.parametrize(
    ("who", "verb", "form", "status"),
    [
        pytest.param("ann", "deliver", {"amount": "1000.01"}, 409, id="more than there is"),
        pytest.param("ann", "deliver", {"amount": "-5"}, 422, id="less than nothing"),
        pytest.param("ann", "bill", {}, 403, id="sales do not bill"),
        pytest.param("ed", "deliver", {}, 403, id="the auditor moves nothing"),
        pytest.param("di", "deliver", {}, 404, id="out of sight"),
        pytest.param("bo", "extend", {"until": "2026-11-23"}, 422, id="a day that has passed"),
        pytest.param("bo", "explode", {}, 404, id="no such step"),
    ],
)
def test_a_step_that_is_refused_moves_nothing(who: str, verb: str, form: dict[str, str], status: int) -> None:
    line(acme())
    row = decide(1000).reservation
    assert browser(who).post(f"/orders/reservations/{row.pk}/{verb}", form).status_code == status
    row.refresh_from_db()
    assert (row.reserved, row.version) == (1000, 1)


@pytest.mark.parametrize(
    ("verb", "form", "words"),
    [
        pytest.param("deliver", {"amount": "1000.01"}, "Enter at most 1,000.00.", id="more than there is"),
        pytest.param("bill", {"amount": "1000.01"}, "Enter at most 1,000.00.", id="more than there is to bill"),
        pytest.param("bill", {"due_on": "2020-01-01"}, "It is due before the day of the document.", id="due before"),
    ],
)
def test_a_refused_step_is_told_on_its_own_form_with_what_cures_it(verb: str, form: dict[str, str], words: str) -> None:
    line(acme())
    row = decide(1000).reservation
    answer = browser("fi").post(f"/orders/reservations/{row.pk}/{verb}", form)
    assert answer.status_code in (409, 422)
    assert f"/orders/reservations/{row.pk}/{verb}" in answer.text, "the form to correct it"
    assert words in answer.text


# --- lists ask the database a fixed number of questions ------------------------------------------


@pytest.mark.parametrize("address", LISTS)
def test_a_longer_list_asks_no_more(address: str) -> None:
    def count() -> int:
        client = browser("cy")
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    line(acme())
    holds_of = [decide(5000, f"H-{n}") for n in range(2)]
    decide(1, "R-0")
    Hold.objects.filter(decision=holds_of[0]).update(status="released", decided_by=member("cy"), decided_at=clock.now())
    few = count()
    for n in range(6):
        line(acme(code=f"X{n}", name=f"Customer {n}"))
        decide(5000, f"L-{n}", customer=f"X{n}")
        decide(5, f"M-{n}", customer=f"X{n}")
    Hold.objects.update(decided_by=member("vi"), decided_at=clock.now())
    Hold.objects.filter(decision__order_no__in=["L-0", "L-1", "L-2"]).update(status="released")
    assert count() == few
    assert few < 20
