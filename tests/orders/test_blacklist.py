"""No path leads around the blacklist (I-20): not what was approved before, not another code, not a line, not a file."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shouxin.customers import registry, standing
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.refusals import BadForm, Moved
from shouxin.orders import fulfilment, holds
from shouxin.orders.models import Hold
from tests.people import TODAY, acme, member

from .test_checks import line
from .test_pages import decide

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-20"), pytest.mark.usefixtures("the_day")]
USCC = "91310000MA1FL0LX06"


def act(by: str) -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def moment(by: str) -> dict[str, Any]:
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def banned(customer: Customer) -> None:
    standing.set_standing(customer, "blacklisted", why="fraud", **act("vi"))


def own() -> tuple[Customer, Customer]:
    customer = acme()
    return customer, customer


def of_the_head() -> tuple[Customer, Customer]:
    head = acme(code="H1", name="艾克米集团")
    return acme(group_head=head), head


WAYS = pytest.mark.parametrize("family", [own, of_the_head])


@WAYS
def test_what_was_approved_before_is_neither_delivered_nor_prolonged(family: Callable[[], Any]) -> None:
    customer, sinner = family()
    line(customer)
    reservation = decide(400).reservation
    banned(sinner)
    for attempt in (
        lambda: fulfilment.deliver(reservation, None, **moment("fi")),
        lambda: fulfilment.extend(reservation, TODAY + timedelta(90), **moment("vi")),
    ):
        with pytest.raises(Moved) as refused:
            attempt()
        assert refused.value.code == "blacklisted"
    assert fulfilment.cancel(reservation, None, **moment("fi")).released == 400


@WAYS
def test_a_hold_is_neither_released_nor_cured_and_a_new_line_changes_nothing(family: Callable[[], Any]) -> None:
    customer, sinner = family()
    line(customer)
    hold = decide(1500).hold
    banned(sinner)
    edition = policies.in_force(TODAY)
    with pytest.raises(Moved):
        holds.release(hold, reason="because", edition=edition, **moment("le"))
    line(customer, 10**6, since=TODAY)
    assert holds.recheck(Hold.objects.get(pk=hold.pk), edition=edition, **moment("bo")).outcome == "decline"
    assert decide(1500).outcome == decide(1, "SO-2", prepaid=True).outcome == "decline"


def test_an_order_that_was_released_before_is_declined_when_it_comes_again() -> None:
    line(acme())
    hold = decide(1500).hold
    assert holds.release(hold, reason="because", edition=policies.in_force(TODAY), **moment("vi")).outcome == "approve"
    banned(acme())
    again = decide(1500)
    assert (again.outcome, again.reservation_id) == ("decline", None)


def test_the_codes_it_is_known_by_are_not_taken_off_to_come_back_under_another() -> None:
    customer = acme(uscc=USCC)
    banned(customer)
    for uscc in ("", "91310000MA1FL3YP5X"):
        with pytest.raises(BadForm) as refused:
            registry.change(customer, uscc=uscc, uscc_confirmed="seen", **act("cy"))
        assert "uscc" in dict(refused.value.errors)
        customer.refresh_from_db()
    with pytest.raises(BadForm):
        registry.create(name="新艾克米", uscc=USCC.lower(), uscc_confirmed="seen", **act("bo"))
    assert decide(1, "SO-3", customer=USCC).outcome == "decline"
    registry.change(customer, contact="somebody", **act("bo"))


def test_a_member_does_not_leave_the_group_of_a_blacklisted_head() -> None:
    customer, head = of_the_head()
    banned(head)
    with pytest.raises(BadForm):
        registry.change(customer, group_head=None, **act("bo"))
    customer.refresh_from_db()
    standing.set_standing(head, "good", why="paid", **act("cy"))
    with pytest.raises(BadForm):  # one person alone lifts nothing
        registry.change(customer, group_head=None, **act("cy"))
    standing.set_standing(head, "good", why="paid", **act("le"))
    customer.refresh_from_db()
    assert registry.change(customer, group_head=None, **act("bo")).group_head is None
