"""Whole numbers as somebody typed them."""

import pytest
from django.test import Client

from shouxin.lib.numbers import whole
from shouxin.office import policies
from tests.people import acme, member


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("1" * 5000, None), ("-1", None), ("+1", None),
     (" 1", None), ("1.0", None), ("²", None), ("１", None), ("٣", None), ("", None), (None, None)],
)  # fmt: skip
def test_at_most_eighteen_of_ten_digits(text: str | None, number: int | None) -> None:
    assert whole(text) == number


def test_fewer_where_fewer_make_sense() -> None:
    assert (whole("999", 3), whole("1000", 3)) == (999, None)


LONG = "1" * 5000  # Python itself refuses to read a number of more than 4,300 digits


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/customers/{}/facts/new?from=LONG", "/customers/notes/new?customer=LONG", "/api/v1/reservations/LONG",
     "/receivables/aging/items?by=customer&key=LONG", "/receivables/aging/items?by=sales&key=LONG",
     "/office/trail/?customer=LONG", "/orders/check/?decision=LONG", "/customers/?start=LONG&size=LONG"],
)  # fmt: skip
def test_no_page_breaks_at_a_number_of_thousands_of_digits(path: str) -> None:
    policies.ensure()
    client = Client()
    client.force_login(member("cy"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(path.format(acme().pk).replace("LONG", LONG)).status_code in (200, 404, 422)
