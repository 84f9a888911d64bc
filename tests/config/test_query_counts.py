"""How many queries each page and each list of the API costs, beside the counts it cost before (`query_counts.json`).

A count that changes fails here. Where the change is meant, write the counts afresh and commit them with it:
`RENEW_QUERY_COUNTS=1 .venv/bin/python -m pytest tests/config/test_query_counts.py`.
"""

import json
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shouxin.collection.models import Task
from shouxin.config.api import api
from shouxin.customers.models import Customer
from shouxin.lib import kept
from shouxin.office import clock, policies, watchman
from shouxin.office.models import Person
from shouxin.receivables import invoices, receipts
from shouxin.receivables.models import Invoice
from shouxin.records.customer_views import TABS
from tests.people import TODAY, member
from tests.records import seed

BASELINE = Path(__file__).parents[1] / "query_counts.json"
RENEW = "RENEW_QUERY_COUNTS"
PAGES = (
    "/", "/customers/", "/customers/suggest?q=客户", "/receivables/invoices/", "/receivables/receipts/",
    "/receivables/aging/", "/receivables/aging/?by=grade", "/receivables/proof/", "/records/figures/",
    "/orders/checks/", "/orders/holds/", "/orders/holds/overrides/", "/orders/reservations/",
    "/collection/tasks/?whose=all", "/collection/notices/", "/collection/round/", "/credit/line-requests/",
    "/office/trail/", "/office/people/", "/office/policy/", "/office/policy/versions/", "/office/policy/rates/",
    "/imports/", "/reviews/",
    "/credit/applications/", "/credit/securities/", "/credit/grades/", "/customers/blacklist/",
    "/customers/inbox/", "/records/digests/", "/records/granted/", "/records/recommended/", "/records/opportunities/",
    "/office/personal-data/", "/office/personal-data/sharings/", "/office/personal-data/assessments/",
    "/webhooks/", "/regulation", *(f"/customers/{{customer}}/?tab={tab}" for tab in TABS),
)  # fmt: skip
CUSTOMER_FILE_MAX = 25


def api_lists() -> list[str]:
    """Every GET of the API that needs nothing but, at most, a customer."""
    told = api.openapi["paths"]
    found = [path for path, verbs in told.items() if "get" in verbs and not _asks(verbs["get"])]
    own = (each.replace("customers/{reference}", "customers/C001") for each in found)
    return sorted(path for path in own if "{" not in path)


def _asks(operation: dict[str, Any]) -> bool:
    """Whether the call cannot be made without a question."""
    return any(each["in"] == "query" and each.get("required") for each in operation.get("parameters", ()))


@pytest.fixture(autouse=True)
def a_machine_of_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written once a minute, or kept because it took long, would make the counts follow the clock."""
    monkeypatch.setattr(kept, "KEEP_AFTER", float("inf"))
    monkeypatch.setattr(watchman, "SEEN_SECONDS", float("inf"))


@pytest.fixture
def books(db: Any, the_day: None) -> Customer:
    """Thirty customers with a line, an overdue and a coming invoice and a task each; one of a group."""
    policies.ensure()
    today = clock.today()
    for n in range(30):
        of = seed.customer(f"C{n:03}", name=f"客户{n:02}有限公司")
        seed.line(of, until=today + timedelta(days=n))
        for age in (40, 100):
            dated = today - timedelta(days=age)
            seed.invoice(of, f"V{n}-{age}", "900.00", dated=dated, due=dated + timedelta(days=60))
        task = {
            "kind": "call",
            "post": "sales",
            "amount": 900 + n,
            "currency": "CNY",
            "due_on": today,
            "made_on": today,
        }
        Task.objects.create(customer=of, **task)
    return _in_a_group(Customer.objects.get(code="C001"), today)


def _in_a_group(customer: Customer, today: date) -> Customer:
    """The customer with all that its file tells: a group with a pool, a temporary limit, a receipt, a dispute."""
    customer.group_head = head = Customer.objects.get(code="C000")
    customer.save()
    seed.line(head, until=today + timedelta(days=90), pool=True)
    seed.line(customer, until=today + timedelta(days=9), temporary=True)
    paper = Invoice.objects.filter(customer=customer).earliest("pk")
    by, acts = member("cy"), {"today": today, "at": clock.now()}
    receipts.take(customer, doc_no="R1", amount=Decimal("20.00"), currency="CNY", received_on=today, by=by, **acts)
    invoices.contest(paper, why="short", amount=Decimal("5.00"), by=by, **acts)
    return customer


def counted(path: str, reader: Person) -> int:
    """The queries of one GET of a page in a session of its own, after a first one that fills what is remembered."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code < 500, f"{path}: {answer.status_code}"
    return len(queries)


def test_every_page_and_list_costs_the_queries_it_is_known_to_cost(books: Customer) -> None:
    paths = [*(page.format(customer=books.pk) for page in PAGES), *api_lists()]
    names = [*PAGES, *api_lists()]
    found = {
        f"{who} {name}": counted(path, member(who))
        for who in ("cy", "ann")
        for name, path in zip(names, paths, strict=True)
    }
    if os.environ.get(RENEW):
        BASELINE.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    known = json.loads(BASELINE.read_text())
    changed = {name: (known.get(name), count) for name, count in found.items() if known.get(name) != count}
    gone = sorted(known.keys() - found.keys())
    assert not changed and not gone, (
        "pages cost other queries than before (before, now); if this is meant, renew the counts with "
        f"{RENEW}=1 pytest {Path(__file__).name} and commit tests/{BASELINE.name}: {changed}; gone: {gone}"
    )
    files = {name: count for name, count in found.items() if "{customer}" in name}
    assert max(files.values()) <= CUSTOMER_FILE_MAX, files


@pytest.mark.parametrize("path", ["/", "/customers/", "/receivables/invoices/", "/collection/tasks/?whose=all"])
def test_more_rows_cost_no_more_queries(books: Customer, path: str) -> None:
    """The negative control of the counts: ten rows or all but one (all would not be counted), it asks as often."""
    few = counted(f"{path}{'&' if '?' in path else '?'}size=10", member("cy"))
    many = counted(f"{path}{'&' if '?' in path else '?'}size=29", member("cy"))
    assert few == many


def test_the_day_is_that_of_the_cast(books: Customer) -> None:
    """The counts are of one known day, so that they do not change with the calendar."""
    assert clock.today() == TODAY
