"""Scoring the factors on the form, the rating with its methods side by side, the same over the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shouxin.customers import facts, features
from shouxin.customers.models import Fact
from shouxin.office import clock, policies
from shouxin.office.models import Person
from shouxin.rules.policy import FACTORS
from tests.api import Caller
from tests.people import TODAY, member
from tests.records import seed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]
BALANCE = {
    "current_assets": 12_000_000, "inventory": 4_000_000, "current_liabilities": 8_000_000,
    "total_liabilities": 10_000_000, "net_worth": 9_000_000, "total_assets": 19_000_000, "retained_earnings": 3_000_000,
    "profit_before_tax": 1_500_000, "interest_expense": 400_000, "revenue": 28_500_000, "depreciation": 600_000,
    "intangible_assets": 500_000,
}  # fmt: skip


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def browser(person: Person, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def with_statement() -> Any:
    customer = seed.trading()
    call = {"by": member("bo"), "on": TODAY, "at": clock.now()}
    for key, value in BALANCE.items():
        facts.add(customer, key, value, source="statement", as_of=TODAY - timedelta(days=300), **call)
    return customer


@pytest.mark.clause("B2.1")
def test_factors_are_scored_on_the_form_and_show_in_the_rating(bo: Person) -> None:
    customer = with_statement()
    client, address = browser(bo), reverse("customers:features", args=[customer.pk])
    scores = dict(zip(FACTORS, (8, 7, 7, 6, 7, 6, 6, 5, 5, 6, 3, 5, 8, 7, 6, 6, "", 7), strict=True))
    assert client.post(address, {**scores, "source": "visit", "as_of": TODAY}).status_code == 302
    assert Fact.objects.filter(customer=customer, key__startswith="feature_").count() == 17
    assert "59.60%" in client.get(address).content.decode()
    client.post(reverse("credit:rate", args=[customer.pk]))
    page = client.get(reverse("customers:file", args=[customer.pk]), {"tab": "rating"}).content.decode()
    for said in ("59.60%", "2,074,800.00", "limit by working assets × (1 + feature share)", "Z2 score", "2.4704",
                 "grey zone", "Bathory score", "2.8230", "Net-worth card"):  # fmt: skip
        assert said in page, said
    chinese = browser(bo, "zh-hans").get(reverse("customers:file", args=[customer.pk]), {"tab": "rating"})
    assert "特征分析" in chinese.content.decode()


def test_a_factor_is_taken_back_and_one_never_scored_leaves_no_row(bo: Person) -> None:
    customer, call = seed.trading(), {"by": bo, "on": TODAY, "at": clock.now()}
    features.score(customer, {"payment": 8, "bank": None}, source="visit", as_of=TODAY, **call)
    features.score(customer, {"payment": None, "bank": None}, source="visit", as_of=TODAY, **call)
    assert features.scores_of(customer, TODAY)["payment"][0] is None
    assert Fact.objects.filter(customer=customer, key__startswith="feature_").count() == 2


@pytest.mark.parametrize("form", [{}, {"payment": "11"}, {"payment": "8.5"}, {"payment": "8", "as_of": "2027-01-01"}])
def test_a_form_that_says_nothing_or_nonsense_is_shown_again(bo: Person, form: dict[str, str]) -> None:
    customer = seed.trading()
    address = reverse("customers:features", args=[customer.pk])
    answer = browser(bo).post(address, {"source": "visit", "as_of": TODAY, **form})
    assert answer.status_code == 422
    assert not Fact.objects.filter(customer=customer, key__startswith="feature_").exists()


@pytest.mark.clause("B2.1")
def test_the_rating_over_the_api_has_every_method_with_its_inputs(bo: Person) -> None:
    customer = with_statement()
    caller, address = Caller(bo), f"/customers/{customer.code}/rating"
    assert caller.get(address).data is None
    made = caller.post(address, {})
    assert made.status_code == 201, made.data
    methods = {each["key"]: each for each in made.data["sheet"]["suggestion"]["methods"]}
    assert methods["working_assets"]["amount"] == "1300000.00"
    assert methods["working_assets"]["inputs"]["value"] == "0.5000"
    assert methods["feature_analysis"]["why_not"] == "no_features"
    readings = {each["key"]: each["value"] for each in made.data["sheet"]["readings"]}
    assert (readings["z2"], readings["bathory"], Decimal(readings["debt_to_assets"])) == (
        "2.4704", "2.8230", Decimal("0.5263")
    )  # fmt: skip
    answers = {each["question"]: each for each in made.data["sheet"]["sheet"]["answers"]}
    assert (answers["debt"]["known"], answers["debt"]["source"], answers["debt"]["age_days"]) == (
        True,
        "statement",
        300,
    )
    assert caller.get(address).data["id"] == made.data["id"]
