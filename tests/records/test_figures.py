"""The figures from rows in the database: the worked vectors of domain 5.2, past days, sight, page, API, command."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.office import clock, policies
from shouxin.receivables import owed
from shouxin.receivables.models import Instalment, Invoice, Match, Receipt
from shouxin.records import figures
from shouxin.rules.policy import Policy
from tests.api import Caller
from tests.book import changed
from tests.people import TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
D = Decimal
DAY = date(2026, 8, 31)
"""The day of the worked example: June to August are 92 days."""


def account(customer: Any = None, currency: str = "CNY") -> Any:
    from shouxin.credit.models import CreditAccount

    return CreditAccount.objects.get_or_create(customer=customer or acme(), currency=currency)[0]


def invoice(number: str, dated_on: date, amount: object, due_on: date, **changes: Any) -> Instalment:
    """An invoice of one instalment."""
    owner = changes.pop("account", None) or account()
    fields = {"account": owner, "customer": owner.customer, "doc_no": number, "dated_on": dated_on, "due_on": due_on,
              "amount": D(str(amount)), "currency": owner.currency, "at": clock.now()}  # fmt: skip
    made = Invoice.objects.create(**fields, **changes)
    return Instalment.objects.create(invoice=made, customer=owner.customer, due_on=due_on, amount=made.amount)


def pay(instalment: Instalment, amount: object, on: date) -> None:
    """Money that settles so much of an instalment on a day."""
    owner = instalment.invoice.account
    made = Receipt.objects.create(
        account=owner, customer=owner.customer, doc_no=f"B-{instalment.invoice.doc_no}-{on}", received_on=on,
        amount=D(str(amount)), applied=D(str(amount)), currency=owner.currency, at=clock.now(),
    )  # fmt: skip
    Match.objects.create(instalment=instalment, receipt=made, amount=made.amount, on=on, at=clock.now())
    instalment.settled += made.amount
    instalment.settled_on = on if instalment.settled == instalment.amount else None
    instalment.save()


def worked_example() -> None:
    """Sales of June, July, August 320, 350, 400; owed at the end 1000, of which 180 late; 1000 at the beginning."""
    far = date(2026, 12, 31)
    old = invoice("OLD", date(2026, 5, 2), 1000, date(2026, 8, 5), kind="opening")
    pay(old, 820, date(2026, 7, 15))
    june = invoice("JUN", date(2026, 6, 10), 320, far)
    pay(june, 250, date(2026, 8, 20))
    invoice("JUL", date(2026, 7, 10), 350, far)
    invoice("AUG", date(2026, 8, 10), 400, far)


def book(days: int = 92) -> Policy:
    return changed({"figures.period_days": days})


def by_key(policy: Policy, day: date = DAY, seen: Q | None = None) -> dict[str, Any]:
    [ledger] = figures.ledgers(seen or Q(), as_of=day)
    return {figure.key: figure for figure in figures.figures(policy, ledger, as_of=day)}


@pytest.mark.clause("C3.5")
def test_the_worked_example_from_the_database() -> None:
    worked_example()
    found = by_key(book())
    assert {name: str(found[name].value) for name in (
        "dso", "best_possible_dso", "average_days_delinquent", "overdue_ratio", "collection_effectiveness")
    } == {"dso": "85.98", "best_possible_dso": "70.50", "average_days_delinquent": "15.48", "overdue_ratio": "0.1800",
          "collection_effectiveness": "0.8560"}  # fmt: skip
    # 400 and 350 are used up, 250 of June's 320 are left: 31 + 31 + 250 / 320 * 30
    assert str(found["countback_dso"].value) == "85.44"
    # 180 late since 5 August: 26 days at the end of the month
    assert str(found["weighted_overdue_days"].value) == "26.00"
    assert found["limit_utilisation"].why_none == "limit_unset"


@pytest.mark.clause("C3.5")
def test_a_past_day_does_not_know_what_came_later() -> None:
    worked_example()
    before = {key: figure.value for key, figure in by_key(book()).items()}
    late = Instalment.objects.get(invoice__doc_no="OLD")
    pay(late, 180, date(2026, 9, 10))
    invoice("SEP", date(2026, 9, 1), 5000, date(2026, 10, 1))
    assert {key: figure.value for key, figure in by_key(book()).items()} == before


def test_the_series_agree_with_the_open_items_on_every_day() -> None:
    worked_example()
    invoice("CN", date(2026, 8, 12), -50, date(2026, 8, 12), kind="credit_note")
    owner = account()
    Receipt.objects.create(account=owner, customer=owner.customer, doc_no="ADV", received_on=date(2026, 6, 20),
                           amount=D(75), currency="CNY", at=clock.now())  # fmt: skip
    for days in range(0, 130, 3):
        day = date(2026, 5, 1) + timedelta(days=days)
        items = list(owed.open_items(None, as_of=day))
        late = sum((item.amount for item in items if item.amount > 0 and item.overdue_days(day) > 0), D(0))
        ledger = next(iter(figures.ledgers(Q(), as_of=day)), figures.Ledger("CNY"))
        assert (ledger.balance(day), ledger.late.until(day)) == (sum((item.amount for item in items), D(0)), late), day


def test_opening_items_are_owed_but_no_sales() -> None:
    invoice("OLD", date(2026, 8, 2), 1000, date(2026, 12, 5), kind="opening")
    found = by_key(book())
    assert (found["dso"].why_none, found["countback_dso"].why_none) == ("no_sales", "history_exhausted")


def test_currencies_are_told_apart() -> None:
    worked_example()
    invoice("US", DAY, 70, DAY, account=account(currency="USD"))
    assert [ledger.currency for ledger in figures.ledgers(Q(), as_of=DAY)] == ["CNY", "USD"]


def test_the_year_behind() -> None:
    worked_example()
    [ledger] = figures.ledgers(Q(), as_of=DAY)
    course = figures.trend(book(), ledger, as_of=DAY)
    assert [day for day, _values in course][-3:] == [date(2026, 6, 30), date(2026, 7, 31), DAY]
    assert len(course) == 12
    assert [str(values["overdue_ratio"]) for _day, values in course[-3:]] == ["0.0000", "0.0000", "0.1800"]


def page(who: str, language: str = "en", query: str = "") -> Any:
    client = Client(headers={"Accept-Language": language})
    client.force_login(member(who), backend="django.contrib.auth.backends.ModelBackend")
    return client.get(f"/records/figures/{query}")


@pytest.mark.clause("C3.5")
def test_the_page_shows_formula_and_inputs_in_both_languages() -> None:
    worked_example()
    english, chinese = (page("cy", language, "?as_of=2026-08-31") for language in ("en", "zh-hans"))
    assert english.status_code == chinese.status_code == 200
    assert "receivables ÷ credit sales × days" in english.text and "1,000.00" in english.text
    assert "应收" in chinese.text and "receivables ÷" not in chinese.text


@pytest.mark.parametrize(("query", "status"), [("?as_of=2026-13-01", 422), ("?as_of=2027-01-01", 422), ("", 200)])
def test_a_day_that_cannot_be_shown_is_named(query: str, status: int) -> None:
    assert page("cy", query=query).status_code == status


@pytest.mark.parametrize(("who", "status", "sees"), [("cy", 200, True), ("ann", 200, True), ("di", 200, False),
                                                      ("ed", 200, True), ("sy", 403, False)])  # fmt: skip
def test_who_sees_whose_figures(who: str, status: int, sees: bool) -> None:
    worked_example()
    answer = page(who, query="?as_of=2026-08-31")
    assert (answer.status_code, "1,000.00" in answer.text) == (status, sees)
    told = Caller(member(who)).get("/reports/figures", as_of="2026-08-31")
    assert told.status_code == status
    assert bool(told.data.get("currencies")) is sees


def test_the_api_gives_values_as_text_with_formula_and_inputs() -> None:
    worked_example()
    told = Caller(member("cy")).get("/reports/figures", as_of="2026-08-31").data
    assert told["as_of"] == "2026-08-31" and told["period_days"] == 90
    [currency] = told["currencies"]
    ratio = next(figure for figure in currency["figures"] if figure["key"] == "overdue_ratio")
    assert ratio == {
        "key": "overdue_ratio", "value": "0.1800", "unit": "share", "formula": "overdue / receivables",
        "inputs": {"overdue": "180.00", "receivables": "1000.00"}, "why_none": None,
    }  # fmt: skip
    assert len(currency["trend"]) == 12
    assert Caller(member("cy")).get("/reports/figures", as_of="2027-01-01").status_code == 422


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    from shouxin.config.commands.figures import figures as command

    worked_example()
    command(as_of="2026-08-31", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [each["currency"] for each in told["currencies"]] == ["CNY"]
    command(as_of="2026-08-31", as_json=False)
    assert "0.18" in capsys.readouterr().out


def test_more_rows_ask_no_more_questions() -> None:
    worked_example()
    with CaptureQueriesContext(connection) as few:
        figures.ledgers(Q(), as_of=TODAY)
    for n in range(20):
        invoice(f"M-{n}", date(2026, 7, 1), 10, DAY, account=account(acme(code=f"X{n}", name=f"X{n}")))
    with CaptureQueriesContext(connection) as many:
        figures.ledgers(Q(), as_of=TODAY)
    assert len(many) == len(few) <= 8
    assert policies.in_force(TODAY).number == 1
