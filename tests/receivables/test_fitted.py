"""A statistical card fitted to a ledger's own history: what counts as bad, what the table says, how it is adopted."""

import json
import random
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from typer.testing import CliRunner

from benches.pages import work_out_waiting
from shouxin.config import cli
from shouxin.credit.models import FittedCard
from shouxin.customers.models import Customer
from shouxin.lib.models import Kept
from shouxin.office import clock, drafts, policies
from shouxin.office.models import TrailEntry
from shouxin.office.refusals import NotYourDuty
from shouxin.receivables import fitted, history
from shouxin.receivables.bulk import post_invoices
from shouxin.receivables.papers import InvoiceRow
from shouxin.records import fitted_views
from shouxin.rules.points_table import probability
from shouxin.rules.policy import Grade
from tests.api import Caller
from tests.people import TODAY, acme, member
from tests.records.test_rating_pages import browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
CUSTOMERS, MONTHS = 60, 32


def paid_after(number: int, chance: random.Random) -> int:
    """Every third is a slow payer, every other invoice late and often by more than thirty days; the others rarely."""
    if number % 3 == 0:
        return chance.choice((0, 12, 35, 50))
    return chance.choices((0, 2, 6, 45), (60, 30, 9, 1))[0]


def invoice(customer: Customer, name: str, due: date, late: int | None, today: date = TODAY) -> InvoiceRow:
    """An invoice of thirty days, paid so many days late; None: not paid."""
    paid = None if late is None or due + timedelta(late) > today else due + timedelta(late)
    amount = Decimal(1000)
    return InvoiceRow(
        customer_id=customer.pk, source_system="", doc_no=name, kind="invoice", dated_on=due - timedelta(30),
        instalments=((1, due, amount),), amount=amount, currency="CNY",
        settled=amount if paid else Decimal(0), settled_on=paid,
    )  # fmt: skip


def post(rows: list[InvoiceRow]) -> None:
    outcomes = post_invoices(rows, by=member("fi"), at=clock.now(), today=TODAY)
    assert {each.state for each in outcomes} == {"posted"}, outcomes[:3]


@pytest.fixture
def ledger() -> None:
    policies.ensure()
    chance = random.Random(7)
    customers = [acme(code=f"H{number:03d}") for number in range(CUSTOMERS)]
    post([
        invoice(customer, f"{number}-{month}", TODAY - timedelta(days=30 * (MONTHS - month) + 8),
                paid_after(number, chance))
        for number, customer in enumerate(customers)
        for month in range(MONTHS)
    ])  # fmt: skip


def fit(**changes: Any) -> tuple[Any, FittedCard]:
    call = {"until": TODAY, "late_days": 30, "edition": policies.in_force(TODAY), "by": member("cy"), "on": TODAY,
            "at": clock.now()}  # fmt: skip
    table, row = fitted.fit(**call | changes)
    return table, row


# --- what happened -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due_after", "late", "bad"),
    [
        pytest.param(10, 31, True, id="a day more than thirty"),
        pytest.param(10, 30, False, id="thirty days are not more than thirty"),
        pytest.param(0, 90, None, id="due on the day itself: no outcome"),
        pytest.param(330, 33, True, id="just early enough to be so late by the end"),
        pytest.param(345, None, None, id="due too late in the year to tell"),
        pytest.param(100, None, True, id="still open at the end"),
    ],
)
def test_what_counts_as_bad(due_after: int, late: int | None, bad: bool | None) -> None:
    policies.ensure()
    day, customer = date(2025, 11, 24), acme()
    post([invoice(customer, "old", day - timedelta(days=60), 0),
          invoice(customer, "new", day + timedelta(days=due_after), late)])  # fmt: skip
    found = list(history.observations([customer.pk], days=[day], policy=policies.in_force(day).policy, late_days=30))
    assert [each.bad for each in found] == ([] if bad is None else [bad])


def test_who_had_not_bought_yet_is_not_observed() -> None:
    policies.ensure()
    day, customer = date(2025, 11, 24), acme()
    post([invoice(customer, "new", day + timedelta(days=60), 40)])
    policy = policies.in_force(day).policy
    assert list(history.observations([customer.pk], days=[day], policy=policy, late_days=30)) == []


def test_what_came_later_is_not_known_on_the_day() -> None:
    """The facts of an observation are those of the day: what was paid late afterwards must not leak into them."""
    policies.ensure()
    day, customer = date(2025, 11, 24), acme()
    rows = [invoice(customer, "old", day - timedelta(days=60), 0)]
    policy = policies.in_force(day).policy
    post([*rows, invoice(customer, "new", day + timedelta(days=20), 60)])
    (found,) = history.observations([customer.pk], days=[day], policy=policy, late_days=30)
    assert (found.facts["on_time_share"], found.facts["max_days_late"], found.bad) == (1, 0, True)


def test_the_days_observed_leave_a_whole_year_after_them() -> None:
    days = history.days_seen(date(2026, 11, 24), every_months=6, first=date(2024, 6, 1))
    assert days == [date(2025, 11, 24), date(2025, 5, 24), date(2024, 11, 24)]


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.clause("B2.1")
def test_a_card_is_fitted_kept_shown_compared_and_adopted(ledger: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One ledger for the whole way, for it takes a while to write."""
    table, row = fit()
    assert (row.late_days, table.observations, table.bad > 20) == (30, sum(table.score_counts), True)
    assert table.quality.auc > Decimal("0.8")
    assert table.quality.brier < table.quality.brier_of_rate
    assert sum(max(b.points for b in q.bins) for q in table.questions) == 100
    assert all(min(b.points for b in q.bins) == 0 for q in table.questions)
    assert probability(table, Decimal(0)) > probability(table, Decimal(50)) > probability(table, Decimal(100))
    for question in table.questions:  # monotone: points only rise, or only fall, along the values
        known = [b.points for b in question.bins if not b.missing]
        assert known in (sorted(known), sorted(known, reverse=True)), question
    entry = TrailEntry.objects.get(verb="fit_card")
    assert entry.particulars["observations"] == table.observations
    again, _none = fit(keep=False)
    assert again == table

    shell = CliRunner()
    shown = shell.invoke(cli.assemble(), ["scoring", "show", "--json"])
    assert json.loads(shown.stdout)["quality"]["auc"] == str(table.quality.auc)
    compared = shell.invoke(cli.assemble(), ["scoring", "compare", "--json"])
    told = json.loads(compared.stdout)
    assert told["customers"] == CUSTOMERS == sum(sum(cells.values()) for cells in told["crosswise"].values())
    assert Decimal(told["drift"]) < 1

    cy = member("cy")
    api = Caller(cy)
    assert [each["id"] for each in api.get("/scoring/cards").data["items"]] == [row.pk]
    quality = api.get(f"/scoring/cards/{row.pk}").data["table"]["quality"]
    assert (quality["auc"], quality["brier"]) == (str(table.quality.auc), str(table.quality.brier))
    beside_path = f"/scoring/cards/{row.pk}/comparison"
    assert Caller(member("ann")).get(beside_path).status_code == 403, "whose business it is not"
    unseen = browser(member("ann")).get(reverse("credit:fitted_card", args=[row.pk])).content.decode()
    assert "scores-drift" not in unseen
    beside = api.get(beside_path).data
    assert beside["crosswise"] == told["crosswise"] and beside["customers"] == CUSTOMERS
    assert beside["live"] and Caller(member("ed")).get(beside_path).status_code == 200
    monkeypatch.setattr(fitted_views, "COMPARED_AT_ONCE", CUSTOMERS - 1)
    Kept.objects.all().delete()
    waits = api.get(beside_path)
    assert (waits.status_code, waits.data["code"]) == (503, "being_worked_out")
    assert browser(cy).get(reverse("credit:fitted_card", args=[row.pk])).status_code == 200
    work_out_waiting()
    kept = api.get(beside_path).data
    assert not kept["live"] and {**kept, "at": 0, "live": 0} == {**beside, "at": 0, "live": 0}
    assert api.post("/scoring/cards", {"late_days": 60}).data == {"asked": True}
    assert api.post("/scoring/cards", {"late_days": 60}).data == {"asked": False}
    assert Caller(member("ann")).post("/scoring/cards", {}).status_code == 403
    client = browser(cy)
    page = client.get(reverse("credit:fitted_card", args=[row.pk])).content.decode()
    assert f"{table.quality.auc:.3f}" in page
    assert client.get(reverse("credit:fitted_cards")).status_code == 200
    assert client.post(reverse("credit:adopt_card", args=[row.pk]), {"version": "0"}).status_code == 302
    mine = drafts.of(cy, TODAY)
    assert [group.key for group in mine.policy.scorecard] == ["statistical"]
    assert mine.policy.scorecard[0].weight == 100
    assert [mine.policy.grades[grade].score_min for grade in (Grade.A, Grade.B, Grade.C)] == [
        table.grade_bounds[grade] for grade in (Grade.A, Grade.B, Grade.C)
    ]
    assert mine.faults == []
    assert browser(member("bo")).post(reverse("credit:adopt_card", args=[row.pk]), {}).status_code == 403


def test_too_little_history_says_why() -> None:
    policies.ensure()
    post([invoice(acme(), "one", TODAY - timedelta(days=200), 40)])
    with pytest.raises(fitted.CannotFit) as refused:
        fit()
    assert (refused.value.code, refused.value.params["needed"]) == ("one_class", 20)
    told = CliRunner().invoke(cli.assemble(), ["scoring", "fit"])
    assert told.exit_code == 2
    assert not FittedCard.objects.exists()
    page = browser(member("bo")).get(reverse("credit:fitted_cards")).content.decode()
    assert "at least 20 of each" in page and "import older ledgers" in page
    shown = Caller(member("bo")).get("/scoring/refusals").data["items"]
    assert [(each["code"], each["late_days"]) for each in shown] == [("one_class", 30)] * 2
    assert "at least 20 of each" in shown[0]["why"] and shown[0]["cure"]


@pytest.mark.parametrize("code", fitted.WHY)
def test_every_refusal_says_what_would_cure_it(code: str) -> None:
    refusal = fitted.CannotFit(code, bad=1, good=2, customers=3, needed=20)
    assert "%" not in str(refusal) and refusal.cure_text


def test_without_the_extra_the_page_says_so(monkeypatch: Any) -> None:
    policies.ensure()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(fitted.CannotFit) as refused:
        fit()
    assert refused.value.code == "extra_missing"
    assert "shouxin[scoring]" in browser(member("ann")).get(reverse("credit:fitted_cards")).content.decode()


def test_fitting_is_the_duty_of_the_credit_office() -> None:
    policies.ensure()
    with pytest.raises(NotYourDuty):
        fit(by=member("ann"))
