"""The audit trail over the API: as much of it as the caller may see."""

import pytest

from shouxin.office import clock, trail
from shouxin.office.models import Person
from tests.api import Caller
from tests.people import acme

pytestmark = pytest.mark.django_db


@pytest.mark.clause("A13")
@pytest.mark.invariant("I-33")
def test_everybody_reads_the_lines_of_customers_she_sees(ann: Person, di: Person, ed: Person) -> None:
    customer = acme()
    trail.record("rate", about=customer, by=ann, at=clock.now(), grade="B")
    about = f"customer:{customer.pk}"
    for person, seen in ((ann, 1), (ed, 1), (di, 0)):
        items = Caller(person).get("/trail", about=about).data["items"]
        assert [(line["verb"], line["particulars"]) for line in items] == [("rate", {"grade": "B"})] * seen


def test_an_unknown_filter_is_refused(ed: Person) -> None:
    assert Caller(ed).get("/trail", abuot="x").status_code == 422
