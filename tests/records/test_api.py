"""The credit position, the file and the timeline over the API."""

import pytest

from shouxin.credit.models import CreditAccount
from shouxin.office import clock, policies
from shouxin.office.models import Person
from shouxin.receivables.ratings import rate
from tests.api import Caller
from tests.records import seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


@pytest.mark.clause("B2.1")
def test_the_credit_position(ann: Person) -> None:
    customer = seed.trading()
    answer = Caller(ann).get(f"/customers/{customer.code}/credit").data
    assert answer["exposure"] == dict.fromkeys(CreditAccount.BUCKETS, "0.00") | {
        "receivable": "35000.00",
        "total": "35000.00",
    }
    told = {name: answer[name] for name in ("grade", "limit", "limit_kind", "available", "standing", "term_days")}
    assert told == {"grade": "B", "limit": "100000.00", "limit_kind": "amount", "available": "65000.00",
                    "standing": "good", "term_days": 30}  # fmt: skip
    assert (answer["oldest_overdue_days"], answer["overdue"], answer["temporary_limit"]) == (10, "30000.00", "0.00")


@pytest.mark.parametrize(
    ("kind", "limit", "available"),
    [("none", "0.00", "0.00"), ("unlimited", None, None), ("unset", None, None)],
)
def test_limits_that_are_no_amount(kind: str, limit: str | None, available: str | None, ann: Person) -> None:
    customer = seed.customer()
    seed.line(customer, None, kind)
    answer = Caller(ann).get(f"/customers/{customer.pk}/credit").data
    assert (answer["limit"], answer["limit_kind"], answer["available"]) == (limit, kind, available)


@pytest.mark.clause("A6", "C3.3")
def test_the_file_and_the_timeline(ann: Person, bo: Person) -> None:
    customer = seed.trading()
    Caller(bo).post(f"/customers/{customer.pk}/facts", {"key": "lawsuits", "value": "2", "source": "registry"})
    assert Caller(ann).get(f"/customers/{customer.pk}/file").data["rating"] is None
    rate([customer.pk], as_of=clock.today(), edition=policies.in_force(clock.today()), by=bo, on=clock.today(),
         at=clock.now())  # fmt: skip
    file = Caller(ann).get(f"/customers/{customer.pk}/file")
    assert file.status_code == 200, file.data
    assert file.data["rating"]["grade"] in "ABCD" and file.data["rating"]["sheet"]
    assert [each["document"] for each in file.data["open_items"]] == ["C001-2", "C001-3"]
    assert file.data["ageing"][0]["overdue"] == "30000.00" and file.data["facts"][0]["key"] == "lawsuits"
    events = Caller(ann).get(f"/customers/{customer.pk}/timeline", limit=1).data
    assert len(events["items"]) == 1 and events["items"][0]["title"]


@pytest.mark.invariant("I-33")
def test_foreign_customers_do_not_exist(di: Person, sy: Person) -> None:
    customer = seed.trading()
    for path in ("credit", "file", "timeline"):
        assert Caller(di).get(f"/customers/{customer.pk}/{path}").status_code == 404
        assert Caller(sy).get(f"/customers/{customer.pk}/{path}").status_code == 404
